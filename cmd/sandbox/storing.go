package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"thbot/cmd/sandbox/world"
)

var someDatabase = []parameter{{"database", "One of " + strings.Join(world.WithDatabase, ", ") + "; without it, " + world.WithDatabase[0] + "."}}

// storing are the switches of the databases.
func storing() []knob {
	any := func(is func(database) bool) func(*scene) bool {
		return func(sc *scene) bool { return sc.anyDatabase(is) }
	}
	return []knob{
		{Name: "replica-stop", Group: "databases", Label: "Stop replication", Does: "The replica of stage gets nothing new, until it goes on.", Parameters: someDatabase,
			Possible: any(func(d database) bool { return d.Replicating }),
			Do:       toDatabase((*world.Database).StopReplication, "The replica of %s gets nothing new now.")},
		{Name: "replica-continue", Group: "databases", Label: "Go on", Does: "The replica catches up.", Parameters: someDatabase,
			Possible: any(func(d database) bool { return !d.Replicating }),
			Do:       toDatabase((*world.Database).StartReplication, "The replica of %s catches up.")},
		{Name: "replica-down", Group: "databases", Label: "Cut it off", Does: "Nobody reaches the replica of stage, neither the bot nor people.", Parameters: someDatabase,
			Possible: any(func(d database) bool { return !d.CutOff }),
			Do:       toDatabase(cut(true), "Nobody reaches the replica of %s now.")},
		{Name: "replica-up", Group: "databases", Label: "Connect it", Does: "The replica can be reached again.", Parameters: someDatabase,
			Possible: any(func(d database) bool { return d.CutOff }),
			Do:       toDatabase(cut(false), "The replica of %s can be reached again.")},
		{Name: "primary-read-only", Group: "databases", Label: "Read-only", Does: "The primary of stage takes no changes.", Parameters: someDatabase,
			Possible: any(func(d database) bool { return !d.ReadOnly }),
			Do:       toDatabase(readOnly(true), "The primary of %s takes no changes now.")},
		{Name: "primary-writable", Group: "databases", Label: "Writable again", Does: "The primary takes changes again.", Parameters: someDatabase,
			Possible: any(func(d database) bool { return d.ReadOnly }),
			Do:       toDatabase(readOnly(false), "The primary of %s takes changes again.")},
	}
}

// anyDatabase asks those that were looked at last: a state has one look at them,
// and many switches.
func (sc *scene) anyDatabase(is func(database) bool) bool {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	return slices.ContainsFunc(sc.looked, is)
}

func cut(yes bool) func(*world.Database, context.Context) error {
	return func(d *world.Database, _ context.Context) error { d.Cut(yes); return nil }
}

func readOnly(yes bool) func(*world.Database, context.Context) error {
	return func(d *world.Database, ctx context.Context) error { return d.Primary.ReadOnly(ctx, yes) }
}

// toDatabase makes a switch of what happens to a database.
func toDatabase(f func(*world.Database, context.Context) error, done string) act {
	return func(_ *sandbox, sc *scene, params map[string]string) (string, error) {
		name := params["database"]
		if name == "" {
			name = world.WithDatabase[0]
		}
		d := sc.Databases()[name]
		if d == nil {
			return "", refusal{409, fmt.Sprintf("There is no database %q; see databases in GET /api/world.", name)}
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		return fmt.Sprintf(done, name), f(d, ctx)
	}
}
