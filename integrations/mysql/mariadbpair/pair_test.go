package mariadbpair

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPair(t *testing.T) {
	ctx := t.Context()
	p, err := Start(ctx, t.TempDir())
	if err != nil {
		ForTest(t) // skips or fails
	}
	defer p.Close()
	migrated := func(n *Node) (count int) {
		t.Helper()
		if err := n.Root().QueryRowContext(ctx, "SELECT COUNT(*) FROM treeherder.django_migrations").Scan(&count); err != nil {
			t.Fatal(err)
		}
		return count
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	migrate := func() { t.Helper(); must(p.Migrate(ctx, "model", "0001_initial", time.Now())) }

	migrate()
	must(p.CatchUp(ctx))
	if n := migrated(p.Replica); n != 1 {
		t.Errorf("the replica has %d migrations, want 1", n)
	}
	for what, lag := range map[string]struct{ begin, end func(context.Context) error }{
		"a delay":            {func(ctx context.Context) error { return p.Delay(ctx, 3600) }, func(ctx context.Context) error { return p.Delay(ctx, 0) }},
		"nothing is applied": {p.StopApplying, p.StartApplying},
		"cut off":            {p.StopReplication, p.StartReplication},
	} {
		before := migrated(p.Replica)
		must(lag.begin(ctx))
		migrate()
		short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		if p.CatchUp(short) == nil || migrated(p.Replica) != before {
			t.Errorf("%s: it does not lag", what)
		}
		cancel()
		must(lag.end(ctx))
		must(p.CatchUp(ctx))
		if migrated(p.Replica) != before+1 {
			t.Errorf("%s: it has not caught up", what)
		}
	}

	must(p.Primary.ReadOnly(ctx, true))
	var readOnly string
	for _, n := range []*Node{p.Primary, p.Replica} {
		if err := n.Root().QueryRowContext(ctx, "SELECT @@global.read_only").Scan(&readOnly); err != nil || readOnly != "1" {
			t.Errorf("read_only is %s; %v", readOnly, err)
		}
	}
	must(p.Close())
	for _, n := range []*Node{p.Primary, p.Replica} {
		if conn, err := net.Dial("tcp", n.Address); err == nil {
			conn.Close()
			t.Error("a server is still there")
		}
	}
}

func TestSplit(t *testing.T) {
	got := split("-- about\n\nSELECT 1;\nSELECT 2,\n  ';';\nDELIMITER //\nBEGIN\n  -- why\n  SELECT 3;\nEND //\nDELIMITER ;\nSELECT 4;\n")
	want := []string{"SELECT 1\n", "SELECT 2,\n  ';'\n", "BEGIN\n  -- why\n  SELECT 3;\nEND \n", "SELECT 4\n"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the statements (-want +got):\n%s", diff)
	}
}
