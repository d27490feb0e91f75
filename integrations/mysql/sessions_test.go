package mysql

import (
	"context"
	"errors"
	"testing"

	"thbot/integrations/mysql/mariadbpair"
)

func testSessions(t *testing.T, s *scene) {
	ctx := t.Context()
	p := s.granted(t, "ro_busybee")
	do(t, s.CatchUp(ctx))
	for _, at := range []struct {
		node   *mariadbpair.Node
		server *Server
	}{{s.Primary, s.primary}, {s.Replica, s.replica}} {
		db, err := at.node.Open("ro_busybee", p.text)
		do(t, err)
		defer db.Close()
		one, err := db.Conn(ctx)
		do(t, err)
		defer one.Close()
		another, err := db.Conn(ctx)
		do(t, err)
		defer another.Close()
		if at.server == s.primary {
			do(t, s.primary.Lock(ctx, "ro_busybee"))
		} else {
			do(t, s.primary.Drop(ctx, "ro_busybee"), s.CatchUp(ctx))
		}
		if err := one.PingContext(ctx); err != nil {
			t.Errorf("the session ended by itself: %v", err)
		}
		open, err := at.server.Sessions(ctx, "ro_busybee")
		if err != nil || len(open) != 2 || open[0].Client == "" || open[0].ID == 0 || open[0].Command != "Sleep" {
			t.Errorf("open are %+v; %v", open, err)
		}
		if other, err := at.server.Sessions(ctx, "ro_busybe"); err != nil || len(other) != 0 {
			t.Errorf("of another account are open %+v; %v", other, err)
		}
		killed, err := at.server.Kill(ctx, "ro_busybee")
		if err != nil || len(killed) != 2 {
			t.Errorf("killed are %+v; %v", killed, err)
		}
		for _, conn := range []interface{ PingContext(context.Context) error }{one, another} {
			if conn.PingContext(ctx) == nil {
				t.Error("a session is still open")
			}
		}
		if open, err := at.server.Sessions(ctx, "ro_busybee"); err != nil || len(open) != 0 {
			t.Errorf("open are still %+v; %v", open, err)
		}
		if killed, err := at.server.Kill(ctx, "ro_busybee"); err != nil || len(killed) != 0 {
			t.Errorf("killed are %+v; %v", killed, err)
		}
		if at.server == s.primary { // the replica's turn comes with one that is not locked
			do(t, s.Primary.Run(ctx, "ALTER USER 'ro_busybee'@'%' ACCOUNT UNLOCK;\n"), s.CatchUp(ctx))
		}
	}
}

// testRights takes the bot's rights away, one by one.
func testRights(t *testing.T, s *scene) {
	ctx := t.Context()
	without := func(right string, f func(t *testing.T)) {
		t.Run(right, func(t *testing.T) {
			do(t, s.Primary.Run(ctx, "REVOKE "+right+" FROM 'thbot'@'%';\n"), s.CatchUp(ctx))
			f(t)
			option := ""
			if right == grantOption {
				right, option = "SELECT ON treeherder.*", " WITH GRANT OPTION"
			}
			do(t, s.Primary.Run(ctx, "GRANT "+right+" TO 'thbot'@'%'"+option+";\n"), s.CatchUp(ctx))
		})
	}
	without("CREATE USER ON *.*", func(t *testing.T) {
		wants(t, s.primary.Create(ctx, "ro_bea", "01J", limits), ErrRights)
	})
	without("SELECT (User, Host, ssl_type) ON mysql.user", func(t *testing.T) {
		_, err := s.primary.Account(ctx, "ro_bea")
		if !errors.Is(err, ErrRights) || errors.Is(err, ErrMissing) {
			t.Errorf("not being allowed to look is: %v", err)
		}
	})
	p := s.granted(t, "ro_watched")
	do(t, s.CatchUp(ctx))
	db, err := s.Replica.Open("ro_watched", p.text)
	do(t, err)
	defer db.Close()
	conn, err := db.Conn(ctx)
	do(t, err)
	defer conn.Close()
	without("PROCESS ON *.*", func(t *testing.T) {
		open, err := s.replica.Sessions(ctx, "ro_watched")
		wants(t, err, ErrRights)
		if len(open) != 0 {
			t.Errorf("open are %+v", open)
		}
	})
	without("CONNECTION ADMIN ON *.*", func(t *testing.T) {
		_, err := s.replica.Kill(ctx, "ro_watched")
		wants(t, err, ErrRights)
		if open, err := s.replica.Sessions(ctx, "ro_watched"); err != nil || len(open) != 1 {
			t.Errorf("open are %+v; %v", open, err)
		}
	})
	// GRANT fails after CREATE USER: the account is dropped again, if that may be.
	without(grantOption, func(t *testing.T) {
		do(t, s.primary.Create(ctx, "ro_half", "01J", limits))
		err := s.primary.Grant(ctx, "ro_half")
		wants(t, err, ErrRights)
		var e *Error
		if !errors.As(err, &e) || e.Left || !e.Dropped || e.NotSent() {
			t.Errorf("it is left: %v", err)
		}
		if _, err := s.primary.Account(ctx, "ro_half"); !errors.Is(err, ErrMissing) {
			t.Errorf("an account without rights is left: %v", err)
		}

		do(t, s.primary.Create(ctx, "ro_half", "01J", limits), s.Primary.Run(ctx, "REVOKE CREATE USER ON *.* FROM 'thbot'@'%';\n"))
		err = s.primary.Grant(ctx, "ro_half")
		wants(t, err, ErrRights)
		if !errors.As(err, &e) || !e.Left || e.Dropped || e.NotSent() {
			t.Errorf("it is not said that the account is left: %v", err)
		}
		if _, err := s.primary.Account(ctx, "ro_half"); err != nil {
			t.Error(err)
		}
		do(t, s.Primary.Run(ctx, "GRANT CREATE USER ON *.* TO 'thbot'@'%';\nDROP USER 'ro_half'@'%';\n"))
	})
}

const grantOption = "GRANT OPTION ON treeherder.*"
