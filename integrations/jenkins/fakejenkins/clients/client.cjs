// npm's jenkins against a Jenkins: prints what each call comes to.
const Jenkins = require("jenkins");
const { setTimeout: pause } = require("node:timers/promises");

const [url, user, secret] = process.argv.slice(2);
const job = "gcp-pipelines/treeherder";
const at = (user, secret) => {
  const u = new URL(url);
  [u.username, u.password] = [user, secret];
  return new Jenkins({ baseUrl: u.href.replace(/\/$/, "") });
};
const jenkins = at(user, secret);
const print = (name, ...values) => console.log(name, ...values.map((v) => (typeof v === "string" ? v : JSON.stringify(v))));

// until returns the first value of look that says something.
async function until(look) {
  for (const end = Date.now() + 20_000; Date.now() < end; await pause(20)) {
    const value = await look();
    if (value) return value;
  }
  throw new Error("waited in vain");
}

async function outcome(call) {
  try {
    return await call();
  } catch (err) {
    return "Error: " + err.message;
  }
}

async function main() {
  const info = await jenkins.info();
  print("info", info._class, info.useCrumbs);
  print("jobs", (await jenkins.job.list()).map((j) => j.name));
  print("exists", await jenkins.job.exists(job), await jenkins.job.exists("gcp-pipelines/other"));
  print("other", await outcome(() => jenkins.job.get("gcp-pipelines/other")));

  const item = await jenkins.job.build({ name: job, parameters: { ImageTag: "master-445ee07" } });
  const waits = await jenkins.queue.item(item);
  print("waits", waits._class, (await jenkins.queue.list()).map((i) => i.id === item));
  const { number } = await until(async () => (await jenkins.queue.item(item)).executable);
  const build = await jenkins.build.get(job, number);
  print("runs", build.building, build.actions[1].parameters[0].value);

  const log = jenkins.build.logStream({ name: job, number, delay: 20 });
  let text = "";
  log.on("data", (piece) => (text += piece));
  const ended = new Promise((resolve, reject) => log.on("end", resolve).on("error", reject));
  await until(() => text.includes("Proceed or Abort"));
  await jenkins.build.stop(job, number);
  await ended;
  print("log", text.split("\r\n").filter((line) => !line.startsWith("[Pipeline]")));
  print("result", (await jenkins.build.get(job, number)).result);
  print("whole", (await jenkins.build.log(job, number)) === text);
  // Of term, other than of stop, it does not know that it answers with a redirect.
  print("term", await outcome(() => jenkins.build.term(job, number)));

  const second = await jenkins.job.build({ name: job, parameters: { ImageTag: "master-1a2b3c4" } });
  await jenkins.queue.cancel(second);
  print("cancelled", (await jenkins.queue.item(second)).cancelled);
  print("wrong", await outcome(() => at(user, "wrong").info()));
}

main().catch((err) => {
  console.error(err.stack);
  process.exitCode = 1;
});
