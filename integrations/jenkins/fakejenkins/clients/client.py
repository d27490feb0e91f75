"""python-jenkins against a Jenkins: prints what each call comes to."""

import sys
import time

import jenkins

url, user, secret = sys.argv[1:]
JOB = "gcp-pipelines/treeherder"
server = jenkins.Jenkins(url, username=user, password=secret, timeout=20)


def until(look):
    """Returns the first value of look that says something."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        value = look()
        if value:
            return value
        time.sleep(0.02)
    sys.exit("waited in vain")


def outcome(call):
    try:
        return call()
    except Exception as e:
        return type(e).__name__ + ": " + str(e).splitlines()[0]


def running(number):
    return server.get_build_info(JOB, number)["building"]


# It logs in with the first call that is not this one.
print("early", outcome(server.get_version))
print("whoami", server.get_whoami()["fullName"])
print("version", server.get_version())
print("folder", server.is_folder("gcp-pipelines"), server.is_folder(JOB))
print("jobs", sorted(j["fullname"] for j in server.get_all_jobs()))
print("names", server.get_job_name(JOB), server.get_job_name("gcp-pipelines/other"))
print("other", outcome(lambda: server.get_job_info("gcp-pipelines/other")))
print("builds", len(server.get_job_info("nightly")["builds"]), len(server.get_job_info("nightly", fetch_all_builds=True)["builds"]))

item = server.build_job(JOB, {"ImageTag": "master-445ee07"})
print("waits", server.get_queue_item(item)["why"].startswith("In the quiet period."), [i["id"] == item for i in server.get_queue_info()])
# The same again is a redirect to the item's page, which says nothing to it.
print("again", outcome(lambda: server.build_job(JOB, {"ImageTag": "master-445ee07"})))
number = until(lambda: server.get_queue_item(item).get("executable"))["number"]
print("runs", running(number), server.get_build_info(JOB, number)["actions"][1]["parameters"][0]["value"])
# A pipeline is on a one-off executor, where get_running_builds does not look.
print("running", server.get_running_builds())
print("one-off", [e["currentExecutable"]["number"] == number for e in server.get_node_info("agent-1", depth=2)["oneOffExecutors"]])
server.stop_build(JOB, number)
until(lambda: not running(number))
print("result", server.get_build_info(JOB, number)["result"])
print("console", server.get_build_console_output(JOB, number).splitlines()[-1])

item = server.build_job(JOB, {"ImageTag": "master-1a2b3c4"})
# Jenkins cancels it and answers with 204, in which the client misses a body.
print("cancel", outcome(lambda: server.cancel_queue(item)))
print("cancelled", server.get_queue_item(item)["cancelled"])

print("quiet", outcome(server.quiet_down), server.get_info()["quietingDown"])
print("wrong", outcome(jenkins.Jenkins(url, username=user, password="wrong").get_info))
