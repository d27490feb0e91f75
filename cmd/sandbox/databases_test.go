package main

import "testing"

func TestThin(t *testing.T) {
	how := quick
	how.Databases = true
	c, _ := visitWith(t, how)
	c.await("the bot has connected", func() bool { return c.world().Bot.Sockets > 0 })
	t.Logf("%+v", c.world().Databases)
	c.say("ana", "/th access grant @bea stage for 30d looking at slow pushes")
	c.await("asked", c.sees("ana", "Read access to stage"))
	q, _ := c.find("ana", "Read access to stage")
	t.Log(string(q.Blocks))
	a, v := button(t, q, "Confirm")
	c.do("/api/press", pressing{As: "cleo", Channel: "treeherder-ops", TS: q.TS, Action: a, Value: v})
	c.await("given", c.sees("ana", "can read stage"))
	t.Logf("%+v", c.world().Databases)
}
