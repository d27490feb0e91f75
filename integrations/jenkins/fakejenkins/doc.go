// Package fakejenkins is a Jenkins to try the bot against: jobs whose pipeline
// runs go through stages by themselves, pause at inputs, are answered by
// requests or by hand, fail, are aborted, rebuilt, replayed and superseded, and
// survive restarts.
//
//	var jenkins fakejenkins.Server
//	jenkins.AddJob("treeherder-production", fakejenkins.JobSpec{Next: 812, Stages: []fakejenkins.StageSpec{
//		{Name: "build", Takes: 2 * time.Minute},
//		{Name: "deploy to stage", Takes: time.Minute},
//		{Name: "deploy to production", Takes: 5 * time.Minute, Input: &fakejenkins.InputSpec{Message: "Promote?"}},
//	}})
//	n, err := jenkins.StartRun("treeherder-production", fakejenkins.RunSpec{
//		Parameters: map[string]string{"ImageTag": "master-445ee07"},
//	})
//
// A Server is an http.Handler. It does the interfaces api/json, wfapi (plugin
// pipeline-rest-api), input (pipeline-input-step), rebuild (Rebuilder), replay
// (workflow-cps), the queue and the logs, with Jenkins' statuses, headers and
// oddities; anything else is answered with 501 and remembered, see
// [Server.Unexpected]. What it does and does not do stands in [Coverage].
//
// What is asked for by request, by [Server.Queue] or by [Server.RebuildByHand]
// goes through the build queue; [Server.StartRun] starts at once. What the
// people and machines around Jenkins do is done by methods: [Server.Push],
// [Server.ProceedByHand], [Server.AbortRun], [Server.Restart], [Server.Disturb].
//
// It measures time with package time, so that in a testing/synctest bubble
// hours of deploying take no time. Its timers end with [Server.Stop].
//
// Folder clients has the clients of others that work against it.
//
// # Limitations
//
//   - A pipeline needs no executor, so items wait for one only while
//     [Server.HoldQueue] says so. Nothing vetoes the scheduling of an item.
//   - There are no groups. Of permissions, Overall/Read, Job/Read, Job/Build and
//     Job/Cancel are looked at, for the whole server alike; quieting down is for
//     Admins.
//   - API tokens, passwords and sessions are the ways to log in. There is no
//     form to do it, and a session lasts until the next restart.
//   - Folders are those on the way to a job; there is nothing of their own in
//     them. There are pipelines only, no freestyle jobs.
//   - Branches of a parallel step are single stages, and without failFast. What
//     [Server.AddInput] adds is a branch that does nothing but wait and is no
//     stage; answering it with no ends the run.
//   - A plain pipeline's replay checks out the branch's head; Jenkins may too.
//   - The log has the lines that tell how a run went, and what [Server.Log] adds.
//     A stage has one step.
//   - Parameters of runs are strings; a Boolean's is exported as one, a
//     password's and a file's not at all. Objects have the fields that the bot or
//     the clients could want, not all of Jenkins'; a tree that asks for others
//     gets none of them, without a word, as from Jenkins.
//   - Stopping a run works even while the server is quieting down.
//   - Nothing is kept on disk: it forgets everything when the process ends,
//     which Restart does not do.
package fakejenkins
