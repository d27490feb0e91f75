package mysql

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"thbot/bot"
)

// refusals is how many logins the replica has refused.
const refusals = "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'Access_denied_errors'"

func testLag(t *testing.T, s *scene) {
	ctx := t.Context()
	do(t, s.CatchUp(ctx), s.StopApplying(ctx))
	applies := false
	defer func() {
		if !applies {
			do(t, s.StartApplying(context.Background()))
		}
	}()
	p := s.granted(t, "ro_lagged")

	// It stays behind, or is cut off: what it last said is the answer.
	short, cancel := context.WithTimeout(ctx, 400*time.Millisecond)
	defer cancel()
	_, err := s.replica.Await(short, "ro_lagged", p, s.id)
	wants(t, err, ErrNotYet, p)
	if _, again := bot.RetryAfter(err); !again {
		t.Error("lag is final")
	}

	before := count(t, s.Replica, refusals)
	done := make(chan error)
	go func() {
		_, err := s.await(t, s.replica, "ro_lagged", p)
		done <- err
	}()
	for count(t, s.Replica, refusals) < before+2 {
		select {
		case err := <-done:
			t.Fatalf("the replica cannot know it yet: %v", err)
		default:
		}
	}
	do(t, s.StartApplying(ctx))
	applies = true
	if err := <-done; err != nil {
		t.Errorf("after the lag: %v", err)
	}

	// The account has come, its rights have not.
	do(t, s.Primary.Run(ctx, "REVOKE SELECT ON treeherder.* FROM 'ro_lagged'@'%';\n"), s.CatchUp(ctx))
	_, err = s.replica.Try(ctx, "ro_lagged", p, s.id)
	wants(t, err, ErrNotYet, p)

	do(t, s.StopReplication(ctx))
	defer s.StartReplication(context.Background())
	fresh := NewPassword()
	do(t, s.primary.SetPassword(ctx, "ro_lagged", fresh))
	_, err = s.replica.Try(ctx, "ro_lagged", fresh, s.id)
	wants(t, err, ErrNotYet, p, fresh)
}

func testReadOnly(t *testing.T, s *scene) {
	ctx, p := t.Context(), NewPassword()
	do(t, s.Primary.ReadOnly(ctx, true))
	defer s.Primary.ReadOnly(context.Background(), false)
	before := count(t, s.Primary, "SELECT COUNT(*) FROM mysql.user")
	_, changed := s.primary.ChangePassword(ctx, "redash", p)
	for _, err := range []error{
		s.primary.Create(ctx, "ro_bea", "01J", limits), s.primary.Grant(ctx, "ro_bea"), s.primary.SetPassword(ctx, "ro_bea", p),
		s.primary.Lock(ctx, "ro_bea"), s.primary.Drop(ctx, "ro_bea"), changed, s.primary.DiscardOldPassword(ctx, "redash"),
	} {
		wants(t, err, ErrReadOnly, p)
		if _, again := bot.RetryAfter(err); !again || !bot.NotSent(err) {
			t.Errorf("it is not a matter of waiting: %v", err)
		}
	}
	if after := count(t, s.Primary, "SELECT COUNT(*) FROM mysql.user"); after != before {
		t.Errorf("there were %d accounts, and now there are %d", before, after)
	}
}

func testNotReplica(t *testing.T, s *scene) {
	ctx := t.Context()
	p := s.granted(t, "ro_pair")
	_, err := s.await(t, s.primary, "ro_pair", p)
	wants(t, err, ErrNotReplica, p)
	if _, err := s.await(t, s.replica, "ro_pair", p); err != nil {
		t.Fatal(err)
	}
	do(t, s.Replica.ReadOnly(ctx, false)) // somebody made it a primary
	defer s.Replica.ReadOnly(context.Background(), true)
	_, err = s.await(t, s.replica, "ro_pair", p)
	wants(t, err, ErrNotReplica, p)
	var refused *bot.Refused
	if !errors.As(err, &refused) {
		t.Errorf("it is no refusal: %v", err)
	}
}

// testPowerful: with the right to write in spite of read_only the bot would
// make an account on a replica, and thereby stop its replication, if primary
// and replica were exchanged in the configuration.
func testPowerful(t *testing.T, s *scene) {
	ctx := t.Context()
	do(t, s.Primary.Run(ctx, "GRANT READ ONLY ADMIN ON *.* TO 'thbot'@'%';\n"), s.CatchUp(ctx))
	defer s.Primary.Run(context.Background(), "REVOKE READ ONLY ADMIN ON *.* FROM 'thbot'@'%';\n")
	wants(t, s.replica.Create(ctx, "ro_bea", "01J", limits), ErrReadOnly)
	s.granted(t, "ro_bea")
	do(t, s.CatchUp(ctx))
}

// backup locks the primary as a backup does.
func (s *scene) backup(t *testing.T) (unlock func()) {
	conn, err := s.Primary.Root().Conn(t.Context())
	do(t, err)
	_, err = conn.ExecContext(t.Context(), "FLUSH TABLES WITH READ LOCK")
	do(t, err)
	return sync.OnceFunc(func() {
		_, err := conn.ExecContext(context.Background(), "UNLOCK TABLES")
		do(t, err, conn.Close())
	})
}

func testBusy(t *testing.T, s *scene) {
	unlock := s.backup(t)
	err := s.primary.Create(t.Context(), "ro_busy", "01J", limits)
	unlock()
	wants(t, err, ErrUncertain)
	var e *Error
	if !errors.As(err, &e) || e.Number != 1969 {
		t.Errorf("the server has not given up before us: %v", err)
	}
	if _, err := s.primary.Account(t.Context(), "ro_busy"); !errors.Is(err, ErrMissing) {
		t.Errorf("it was made after we had given up: %v", err)
	}
}

// testUncertain gives up while the server is at it.
func testUncertain(t *testing.T, s *scene) {
	unlock := s.backup(t)
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error)
	go func() { done <- s.primary.Create(ctx, "ro_unsure", "01J", limits) }()
	// In a procedure a session is listed as its definer's.
	for count(t, s.Primary, "SELECT COUNT(*) FROM information_schema.processlist WHERE user IN (?, 'thops') AND state LIKE 'Waiting for%'", s.user) == 0 {
		select {
		case err := <-done:
			t.Fatalf("nothing is in the way: %v", err)
		default:
		}
	}
	cancel()
	err := <-done
	wants(t, err, ErrUncertain)
	if bot.NotSent(err) {
		t.Errorf("it is taken for certain that nothing happened: %v", err)
	}
	unlock()
	for count(t, s.Primary, "SELECT COUNT(*) FROM information_schema.processlist WHERE user IN (?, 'thops')", s.user) > 0 {
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		default:
		}
	}
	if err := s.primary.Drop(t.Context(), "ro_unsure"); err != nil && !errors.Is(err, ErrMissing) {
		t.Error(err)
	}
}
