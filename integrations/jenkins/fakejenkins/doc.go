// Package fakejenkins is a Jenkins to try the bot against: jobs whose pipeline
// runs go through stages by themselves, pause at inputs, are answered by
// requests or by hand, fail, are aborted and survive restarts.
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
// A Server is an http.Handler. It does what the bot's needs take of the
// interfaces api/json, wfapi (plugin pipeline-rest-api) and input (plugin
// pipeline-input-step), with Jenkins' statuses, headers and oddities; anything
// else is answered with 501 and remembered, see [Server.Unexpected]. What it
// does and does not do stands in [Coverage].
//
// It measures time with package time, so that in a testing/synctest bubble
// hours of deploying take no time. Its timers end with [Server.Stop].
//
// # Limitations
//
//   - Runs start at once: there is no queue, no quiet period, no executor to
//     wait for, and runs of a job do not wait for one another.
//   - Runs are started by [Server.StartRun] alone; there is no build, rebuild,
//     replay or stop by request.
//   - API tokens are the only way to log in: no passwords, no crumbs, no
//     sessions, no groups. Of permissions, Overall/Read, Job/Read, Job/Build and
//     Job/Cancel are looked at, for the whole server alike.
//   - The stages of a run come one after the other. The one parallel branch is
//     that of [Server.AddInput], which does nothing but wait; it is not a stage,
//     and answering it with no aborts the run.
//   - Stages that a run did not reach are never listed. Declarative pipelines
//     list some of them after an abort, as ABORTED or NOT_EXECUTED.
//   - There is no log, and no node but the stages.
//   - Parameters of runs are strings. Objects have the fields that the bot could
//     want, not all of Jenkins'; a tree that asks for others gets none of them,
//     without a word, as from Jenkins.
//   - Bodies are whole and at once: for a slow answer, hold the Gate.
//   - Nothing is kept on disk: it forgets everything when the process ends,
//     which Restart does not do.
package fakejenkins
