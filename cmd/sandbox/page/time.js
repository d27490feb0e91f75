// Times, as the person one is would read them.

let zone;

/** readIn says whose times they are: the name of a time zone, or nothing for
 *  the browser's own. */
export function readIn(name) {
  try {
    new Intl.DateTimeFormat([], { timeZone: name });
    zone = name || undefined;
  } catch {
    zone = undefined; // one that this browser does not know
  }
}

export const written = (at, form) => at.toLocaleString([], { timeZone: zone, ...form });

export const clock = (at) => written(at, { hour: "numeric", minute: "2-digit" });

/** days is how many days lie between at and today. */
export function days(at) {
  const day = (d) => Date.parse(d.toLocaleDateString("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }));
  return Math.round((day(at) - day(new Date())) / 86400e3);
}
