export const byMagnitude = (a, b) => b.amount_abs - a.amount_abs;

export const byTitle = (a, b) => a.title.localeCompare(b.title);

export function sortAlerts(alerts, order) {
  return [...alerts].sort(order === 'title' ? byTitle : byMagnitude);
}
