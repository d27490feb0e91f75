// Slack's markup, as docs.slack.dev describes it under "Formatting message
// text", turned into elements.
import { h } from "./dom.js";
import { days, written } from "./time.js";

const marks = { "*": "strong", _: "em", "~": "s" };

const unescape = (s) => s.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&").replace(/\u200b/g, "");

/** mrkdwn turns marked-up text into nodes. names are people's, by id. */
export function mrkdwn(text, names) {
  const out = [];
  const fences = text.split("```");
  fences.forEach((part, i) => {
    // An odd number of fences leaves the last one as it is.
    if (i % 2 === 1 && i < fences.length - 1) out.push(h("pre", {}, unescape(part.replace(/^\n|\n$/g, ""))));
    else if (part) out.push(...lines(i % 2 === 1 ? "```" + part : part, names));
  });
  return out;
}

/** lines is text in paragraphs, with its quotes and bullets set apart. */
function lines(text, names) {
  const out = [];
  let quote, list;
  for (const line of text.split("\n")) {
    const quoted = /^(?:&gt;|>) ?(.*)$/.exec(line);
    const bullet = /^\s*• ?(.*)$/.exec(line);
    if (!quoted) quote = undefined;
    if (!bullet) list = undefined;
    if (quoted) {
      if (!quote) out.push((quote = h("blockquote")));
      quote.append(h("div", {}, inline(quoted[1], names)));
    } else if (bullet) {
      if (!list) out.push((list = h("ul")));
      list.append(h("li", {}, inline(bullet[1], names)));
    } else {
      out.push(h("div", { class: line ? undefined : "blank" }, inline(line, names)));
    }
  }
  return out;
}

const isWord = (c) => c !== undefined && /[\p{L}\p{N}]/u.test(c);

/** inline is one line: code first, then what stands in <…>, then emphasis. */
function inline(text, names) {
  const out = [];
  let plain = "";
  const flush = () => {
    if (plain) out.push(unescape(plain));
    plain = "";
  };
  for (let i = 0; i < text.length; ) {
    const c = text[i];
    const end = c === "`" ? text.indexOf("`", i + 1) : c === "<" ? text.indexOf(">", i + 1) : marks[c] ? closing(text, i) : -1;
    if (end <= i + 1) {
      plain += c;
      i++;
      continue;
    }
    flush();
    const inner = text.slice(i + 1, end);
    if (c === "`") out.push(h("code", {}, unescape(inner)));
    else if (c === "<") out.push(reference(inner, names));
    else out.push(h(marks[c], {}, inline(inner, names)));
    i = end + 1;
  }
  flush();
  return out;
}

/** closing finds the mark that ends the emphasis begun at i, or -1. Marks stand
 *  at the edge of words, and not next to a space on the inside. */
function closing(text, i) {
  const mark = text[i];
  if (isWord(text[i - 1]) || /\s|undefined/.test(String(text[i + 1]))) return -1;
  for (let j = i + 1; j < text.length; j++) {
    if (text[j] === "`" || text[j] === "<") {
      const over = text.indexOf(text[j] === "`" ? "`" : ">", j + 1);
      if (over > 0) j = over;
    } else if (text[j] === mark && j > i + 1 && !/\s/.test(text[j - 1]) && !isWord(text[j + 1])) {
      return j;
    }
  }
  return -1;
}

/** reference is what stands between < and >. */
function reference(inner, names) {
  const bar = inner.indexOf("|");
  const target = bar < 0 ? inner : inner.slice(0, bar);
  const label = bar < 0 ? "" : unescape(inner.slice(bar + 1));
  const mention = (text) => h("span", { class: "mention" }, text);
  if (target.startsWith("@")) return mention("@" + (names[target.slice(1)] ?? (label || target.slice(1))));
  if (target.startsWith("#")) return mention("#" + (names[target.slice(1)] ?? (label || target.slice(1))));
  if (target.startsWith("!date^")) return moment(target.slice(6), label);
  if (target.startsWith("!subteam^")) return mention(label || "@" + target.slice(9));
  if (target.startsWith("!")) return mention("@" + target.slice(1).split("^")[0]);
  return link(unescape(target), label || unescape(target));
}

/** link is a link that a browser may follow, or else its label. */
export function link(address, label, props) {
  if (!/^(https?|mailto):/i.test(address)) return label;
  return h("a", { ...props, href: address, target: "_blank", rel: "noopener noreferrer" }, label);
}

const forms = {
  "{time}": { hour: "numeric", minute: "2-digit" },
  "{time_secs}": { hour: "numeric", minute: "2-digit", second: "2-digit" },
  "{date_num}": { year: "numeric", month: "2-digit", day: "2-digit" },
  "{date_slash}": { year: "numeric", month: "2-digit", day: "2-digit" },
  "{date}": { year: "numeric", month: "long", day: "numeric" },
  "{date_short}": { year: "numeric", month: "short", day: "numeric" },
  "{date_long}": { year: "numeric", month: "long", day: "numeric", weekday: "long" },
};

/** moment is a time in the zone of whoever reads it. */
function moment(spec, fallback) {
  const [seconds, form] = spec.split("^");
  const at = new Date(seconds * 1000);
  if (!form || Number.isNaN(at.getTime())) return fallback;
  const near = { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days(at)];
  const text = form.replace(/\{[a-z_]+\}/g, (token) => {
    const pretty = token.replace("_pretty", "");
    if (pretty !== token && near) return near;
    return forms[pretty] ? written(at, forms[pretty]) : fallback;
  });
  return h("time", { dateTime: at.toISOString(), title: written(at) }, text);
}
