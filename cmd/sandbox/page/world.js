// The world as one looks at it from above, and the switches that change it.
import { again, busily, h } from "./dom.js";
import { written } from "./time.js";

const short = (sha) => (sha ?? "").slice(0, 7);

/** world fills panel with sections: how things are, then what changes them.
 *  change(name, params) turns a switch; log() gets what crossed the wires. */
export function world(panel, change, log) {
  const parts = [
    ["bot", "The bot", (w) => w.bot, bot],
    ["apps", "What is live", (w) => [w.environments, w.commits, w.branches], live],
    ["jenkins", "Jenkins", (w) => [w.runs, w.pipeline, w.commits, w.jenkins], runs],
    ["github", "GitHub", (w) => [w.github, w.commits, w.branches, w.environments], github],
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
    [["jenkins", "Jenkins"], ["apps", "The apps"], ["slack", "Slack"], ["github", "GitHub"], ["people", "People"], ["world", "Everything"]]
      .map(([group, title]) => [h("h3", {}, title), list(group)])));
  const wrong = h("div");
  const lines = h("ol", { class: "journal", tabIndex: 0, "aria-label": "Log" });
  const whose = h("select", { "aria-label": "Whose", onchange: () => relog() },
    ["Everything", "Slack", "Jenkins", "GitHub", "The apps"].map((name) => h("option", {}, name)));
  const details = h("details", { ontoggle: () => relog() }, h("summary", {}, "Every envelope, ack and call"), whose, lines);
  panel.append(h("section", { id: "log" }, h("h2", {}, "What has happened"), wrong, details));
  parts.push([wrong, (w) => w.unexpected, unexpected]);

  async function relog() {
    if (!details.open) return;
    const all = (await log()) ?? [];
    const services = ["Slack", "Jenkins", "GitHub"];
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
  const state = b.stopping ? badge("warn", "stopping") : !b.running ? badge("bad", "not running") : b.sockets ? badge("good", "running") : badge("warn", "connecting");
  const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;
  const about = b.running
    ? `process ${b.pid} · ${count(b.sockets, "socket", "sockets")} · started ${b.starts === 1 ? "once" : b.starts + " times"}`
    : b.ended.startsWith("ended") ? `${b.ended}; its log is ${b.log}` : b.ended;
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
