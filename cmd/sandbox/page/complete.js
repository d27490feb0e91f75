// What a line that begins with / can become: the bot's commands, and then their
// arguments.

/** completions are [whole line, what it does] for what was typed so far. */
export function completions(text, commands, slash = "/th") {
  if (!text.startsWith("/")) return [];
  if (!text.startsWith(slash + " ")) return slash.startsWith(text) && text !== slash ? [[slash + " ", "talks to the bot"]] : [];
  const words = text.slice(slash.length + 1).trimStart().split(/\s+/);
  const last = words.at(-1).toLowerCase();
  const begins = (names) => names.some((n) => n.toLowerCase().startsWith(last));
  if (words.length === 1) {
    return commands.filter((c) => begins(c.names) && !(c.names.includes(last) && !c.arguments.length))
      .map((c) => [`${slash} ${c.names[0]}${c.arguments.length ? " " : ""}`, `${c.usage.slice(c.names[0].length)} ${c.does}`.trim()])
      .filter(([line]) => line !== text);
  }
  const command = commands.find((c) => c.names.includes(words[0].toLowerCase()));
  const before = text.slice(0, text.length - words.at(-1).length);
  return (command?.arguments[words.length - 2] ?? []).filter((w) => begins([w.name, ...w.aliases]) && w.name !== last)
    .map((w) => [before + w.name, w.aliases.length ? `also ${w.aliases.join(", ")}` : ""]);
}
