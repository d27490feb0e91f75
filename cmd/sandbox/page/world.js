// The world as one looks at it from above, and the switches that change it.
import { again, busily, h } from "./dom.js";
import { link } from "./mrkdwn.js";
import { written } from "./time.js";

const services = ["Slack", "Jenkins", "GitHub", "Bugzilla"];

const short = (sha) => (sha ?? "").slice(0, 7);

/** world fills panel with sections: how things are, then what changes them.
 *  change(name, params) turns a switch; log() gets what crossed the wires. */
export function world(panel, change, log) {
  const parts = [
    ["bot", "The bot", (w) => [w.bot, w.databases.starting], bot],
    ["apps", "What is live", (w) => [w.environments, w.commits, w.branches], live],
    ["jenkins", "Jenkins", (w) => [w.runs, w.pipeline, w.commits, w.jenkins], runs],
    ["github", "GitHub", (w) => [w.github, w.commits, w.branches, w.environments], github],
    ["databases", "Databases", (w) => w.databases, databases],
    ["bugzilla", "Bugzilla", (w) => w.bugzilla, bugs],
    ["slack", "Slack", (w) => w.hostile, slack],
  ].map(([id, title, data, make]) => {
    const state = h("div");
    panel.append(h("section", { id: "group-" + id }, h("h2", {}, title), state));
    return [state, data, make];
  });
  const knobs = {}; // lists of switches, by group
  const list = (group) => (knobs[group] = h("ul", { class: "knobs" }));
  document.getElementById("group-bot").append(list("bot"));
  panel.append(h("section", {},
    h("h2", {}, "Change the world"),
    [["jenkins", "Jenkins"], ["apps", "The apps"], ["slack", "Slack"], ["github", "GitHub"], ["databases", "Databases"], ["bugzilla", "Bugzilla"], ["people", "People"], ["world", "Everything"]]
      .map(([group, title]) => [h("h3", {}, title), list(group)])));
  const wrong = h("div");
  const lines = h("ol", { class: "journal", tabIndex: 0, "aria-label": "Log" });
  const whose = h("select", { "aria-label": "Whose", onchange: () => relog() },
    ["Everything", ...services, "The apps"].map((name) => h("option", {}, name)));
  const details = h("details", { ontoggle: () => relog() }, h("summary", {}, "Every envelope, ack and call"), whose, lines);
  panel.append(h("section", { id: "log" }, h("h2", {}, "What has happened"), wrong, details));
  parts.push([wrong, (w) => w.unexpected, unexpected]);

  async function relog() {
    if (!details.open) return;
    const all = (await log()) ?? [];
    const mine = all.filter((e) => whose.value === "Everything" || (whose.value === "The apps" ? !services.includes(e.who) : e.who === whose.value));
    again(lines, mine.slice(0, 300), () => mine.length ? mine.slice(0, 300).map(record) : h("li", {}, "Nothing yet."));
  }

  function show(w) {
    relog();
    for (const [state, data, make] of parts) again(state, data(w), () => make(w, change));
    for (const [group, ul] of Object.entries(knobs)) {
      const mine = w.switches.filter((s) => s.group === group);
      again(ul, mine.map((s) => s.name), () => mine.map(knob));
      mine.forEach((s) => (ul.querySelector(`[data-key="switch ${s.name}"]`).disabled = !s.possible));
    }
  }

  function knob(s) {
    const form = h("form", {
      autocomplete: "off",
      onsubmit(e) {
        e.preventDefault();
        const given = [...new FormData(form)].filter(([, value]) => value.trim());
        busily(form.querySelector("button"), () => change(s.name, Object.fromEntries(given)));
      },
    },
    h("button", {
      class: s.name === "kill" || s.name === "reset" ? "button danger" : "button",
      "data-key": "switch " + s.name, title: "POST /api/world/" + s.name,
    }, s.label),
    h("p", {}, s.does),
    s.parameters.length > 0 && h("details", {}, h("summary", {}, "Options"),
      s.parameters.map((p) => h("label", {}, p.name, h("input", { name: p.name, type: "text" }), h("small", {}, p.does)))));
    return h("li", {}, form);
  }
  return { show };
}

const badge = (kind, text) => h("span", { class: "badge " + kind }, text);

function bot(w) {
  const b = w.bot;
  const state = w.databases.starting ? badge("now", "waits for the databases") : b.stopping ? badge("warn", "stopping") : !b.running ? badge("bad", "not running") : b.sockets ? badge("good", "running") : badge("warn", "connecting");
  const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;
  const about = b.running
    ? `process ${b.pid} · ${count(b.sockets, "socket", "sockets")} · started ${b.starts === 1 ? "once" : b.starts + " times"}`
    : w.databases.starting ? "a few seconds" : /^(ended|did)/.test(b.ended) ? `${b.ended}; its log is ${b.log}` : b.ended;
  return h("p", { class: "line" }, state, " ", h("span", { class: "dim" }, about));
}

function live(w) {
  return h("ul", { class: "rows" }, w.environments.map((e) => {
    const at = w.commits.findIndex((c) => c.sha === e.live);
    const own = w.branches.find((b) => b.commits.some((c) => c.sha === e.live));
    const commit = w.commits[at] ?? own?.commits.find((c) => c.sha === e.live);
    return h("li", { id: "app-" + e.name },
      h("p", { class: "line", title: commit?.subject }, h("b", {}, e.name), h("code", {}, short(e.live)),
        e.next && badge("warn", "→ " + short(e.next) + " is rolling out"),
        e.broken && badge("bad", "answers 502"), e.stuck && badge("warn", "deploys without effect"),
        at > 0 && h("span", { class: "dim", title: "behind master" }, `${at} behind`),
        own && h("span", { class: "dim" }, "of branch " + own.name)));
  }));
}

const icons = { SUCCESS: "✔", IN_PROGRESS: "◐", PAUSED_PENDING_INPUT: "‖", FAILED: "✘", ABORTED: "✘" };
const words = { SUCCESS: "done", IN_PROGRESS: "going on", PAUSED_PENDING_INPUT: "waits", FAILED: "failed", ABORTED: "aborted" };
const kinds = { SUCCESS: "good", IN_PROGRESS: "now", PAUSED_PENDING_INPUT: "warn", FAILED: "bad", ABORTED: "bad" };

function runs(w, change) {
  const item = (r) => h("li", { id: "run-" + r.number },
    h("p", { class: "line" }, h("b", {}, "#" + r.number), h("code", {}, short(r.commit)),
      h("span", { class: "dim cut" }, w.commits.find((c) => c.sha === r.commit)?.subject)),
    h("ol", { class: "stages" }, w.pipeline.map((name) => {
      const status = r.stages.find((s) => s.name === name)?.status;
      return h("li", { class: kinds[status] ?? "", title: `${name}: ${words[status] ?? status ?? "not reached"}` }, (icons[status] ?? "·") + " " + name.replace(/^deploy /, ""));
    })),
    r.going && h("p", { class: "small" },
      r.inputs.length > 0 ? [action("proceed-by-hand", "Proceed as dov", r), " "] : [action("fail-stage", "Fail it", r), " "],
      action("abort-run", "Abort", r)));
  const action = (name, label, r) => h("button", {
    type: "button", class: "button small", "data-key": `${name} ${r.number}`,
    onclick: (e) => busily(e.currentTarget, () => change(name, { run: String(r.number) })),
  }, label);
  const newest = 4;
  return [
    w.jenkins.down && h("p", { class: "line" }, badge("bad", "answers 503")),
    w.jenkins.restarting && h("p", { class: "line" }, badge("warn", "restarting")),
    h("ul", { class: "rows" }, w.runs.slice(0, newest).map(item)),
    w.runs.length > newest && h("p", { class: "dim" }, `and ${w.runs.length - newest} older`),
  ];
}

const said = { success: ["good", "CI ✔", "CI is green"], failure: ["bad", "CI ✘", "CI has failed"], pending: ["now", "CI ◐", "CI is at it"], none: ["", "no CI", "CI says nothing"] };

function github(w) {
  const on = (sha) => w.environments.filter((e) => e.live === sha).map((e) => badge("", e.name));
  const row = (c) => {
    const [kind, text, title] = said[c.ci] ?? said.none;
    return h("li", { id: "commit-" + short(c.sha) },
      h("p", { class: "line" }, h("code", {}, short(c.sha)), h("span", { class: "dim" }, c.author), h("span", { class: "badge " + kind, title }, text), on(c.sha)),
      h("p", { class: "dim cut", title: c.subject }, c.subject));
  };
  return [
    w.github.down && h("p", { class: "line" }, badge("bad", "answers 503")),
    w.branches.map((b, i) => [
      h("h3", { id: "branch-" + b.name, class: "line" }, b.name, h("code", {}, short(b.head)),
        (b.ahead > 0 || b.behind > 0) && h("span", { class: "dim" }, `${b.ahead} ahead, ${b.behind} behind master`)),
      h("ol", { class: "rows", "aria-label": "Commits of " + b.name }, (i === 0 ? w.commits.slice(0, 6) : b.commits.slice(0, 3)).map(row)),
      i > 0 && b.commits.length > 3 && h("p", { class: "dim" }, `and ${b.commits.length - 3} older ones of its own`),
    ]),
  ];
}

function slack(w) {
  return h("p", { class: "line" }, w.hostile ? [badge("warn", "a little hostile"), h("span", { class: "dim" }, "seed " + w.hostile)] : [badge("good", "behaves")]);
}

function databases({ databases: { starting, missing, list } }) {
  return [
    starting && h("p", { class: "line" }, badge("now", "starting…"), h("span", { class: "dim" }, "the bot begins after them")),
    missing && missing.split(" To have them: ").map((text, i) => h("p", { class: "dim" }, i ? ["To have them:", h("code", { class: "whole" }, text)] : text)),
    h("ul", { class: "rows" }, list.map((d) => h("li", { id: "database-" + d.name },
      h("p", { class: "line" }, h("b", {}, d.name), replication(d), d.read_only && badge("warn", "primary is read-only"), d.wrong && badge("bad", "cannot be looked at")),
      d.wrong && h("p", { class: "dim" }, d.wrong),
      h("dl", { class: "facts" },
        fact("People", accounts(d, "person")), fact("Services", accounts(d, "service")), fact("The bot", accounts(d, "bot")),
        fact("Replica", h("code", {}, d.replica)), fact("Its CA", h("code", { class: "path", title: d.ca }, h("bdi", {}, d.ca))))))),
  ];
}

const fact = (name, value) => value.length !== 0 && [h("dt", {}, name), h("dd", {}, value)];

function replication(d) {
  if (d.cut_off) return badge("bad", "replica cannot be reached");
  if (!d.replicating) return badge("bad", d.behind ? "replication stopped, behind" : "replication stopped");
  return d.behind ? badge("now", "replica catches up") : badge("good", "replica is up to date");
}

const accounts = (d, kind) => d.accounts.filter((a) => a.kind === kind).map((a) => h("span", { class: "line" }, h("code", {}, a.name),
  a.tls ? h("span", { class: "dim" }, "TLS only") : badge("bad", "without TLS"), a.locked && badge("warn", "locked")));

function bugs(w) {
  const newest = 4;
  const { bugs: all, down, revoked } = w.bugzilla;
  return [
    (down || revoked) && h("p", { class: "line" }, down && badge("bad", "answers 503"), revoked && badge("bad", "refuses the bot's key")),
    h("ul", { class: "rows" }, all.slice(0, newest).map((b) => h("li", {},
      h("p", { class: "line" }, link(b.url, "Bug " + b.id), badge(b.open ? "now" : b.status.endsWith(" FIXED") ? "good" : "", b.status), b.private && badge("warn", "private"), h("span", { class: "dim" }, b.by)),
      h("p", { class: "dim cut", title: b.summary }, b.summary)))),
    all.length > newest && h("p", { class: "dim" }, `and ${all.length - newest} older`),
    all.length === 0 && h("p", { class: "dim" }, "No bug has been filed."),
  ];
}

function unexpected(w) {
  return w.unexpected.length > 0 && h("div", { class: "warning" }, h("p", {}, "The bot asked for what the real services do not know:"),
    h("ul", {}, w.unexpected.map((u) => h("li", {}, u))));
}

function record(e) {
  const at = new Date(e.at);
  return h("li", {},
    h("time", { dateTime: e.at }, written(at, { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23" })),
    h("span", {}, h("b", {}, e.who), " ", h("i", {}, e.kind), " ", e.what));
}
