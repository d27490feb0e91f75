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
  return following(command?.arguments ?? [], words.slice(1, -1).map((w) => w.toLowerCase()))
    .filter((w) => begins([w.name, ...w.aliases]) && w.name !== last)
    .map((w) => [before + w.name + (w.more ? " " : ""), w.aliases.length ? `also ${w.aliases.join(", ")}` : ""]);
}

/** following is what can come after words that were typed: values, and the words
 *  that have to stand before one, with more. */
function following(args, typed) {
  let at = 0; // the argument that is next
  let value; // the form whose value is next, after its word
  for (const word of typed) {
    if (value) {
      value = undefined;
      continue;
    }
    const bare = word.replace(/^[-–—]+/, "");
    const named = args.findIndex((a, i) => i >= at && a.forms.some((f) => f.after === bare));
    if (named >= 0) {
      value = args[named].forms.find((f) => f.after === bare);
      at = named + 1;
      continue;
    }
    for (let i = at; i < args.length; i++) {
      if (args[i].forms.some((f) => !f.after && (!f.words.length || f.words.some((w) => [w.name, ...w.aliases].includes(word))))) {
        at = i + 1;
        break;
      }
      if (!args[i].optional) break;
    }
  }
  if (value) return value.words;
  const next = [];
  for (const a of args.slice(at)) {
    next.push(...a.forms.flatMap((f) => (f.after ? [{ name: f.after, aliases: [], more: true }] : f.words)));
    if (!a.optional) break;
  }
  return next;
}
