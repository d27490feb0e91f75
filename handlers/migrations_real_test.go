package handlers

import (
	"context"
	"strings"
	"testing"
	"time"

	"thbot/bot"
	"thbot/handlers/deploys"
	"thbot/integrations/github"
	"thbot/integrations/mysql"
	"thbot/integrations/mysql/mariadbpair"
)

// still is a repository of one commit, which everything serves and has.
type still struct{ branches }

const onlyCommit = "4444444444444444444444444444444444444444"

func (still) Version(context.Context, string) (string, error) { return onlyCommit, nil }
func (still) Branch(context.Context, string) (string, error)  { return onlyCommit, nil }
func (still) CommitURL(sha string) string                     { return "https://github.test/commit/" + sha }
func (still) Files(context.Context, string) ([]github.File, error) {
	return nil, nil
}
func (still) Tree(context.Context, string, string) ([]github.Entry, error) {
	return []github.Entry{{Path: pathOf("0001_initial"), Blob: "one"}, {Path: pathOf("0016_enforce repository name uniqueness"), Blob: "two"}}, nil
}
func (still) LogOf(context.Context, string, string, int) ([]github.Commit, error) { return nil, nil }
func (still) Blob(_ context.Context, blob string) ([]byte, error) {
	after := ""
	if blob == "two" {
		after = `("model", "0001_initial")`
	}
	return []byte("from django.db import migrations\nclass Migration(migrations.Migration):\n    dependencies = [" + after + "]\n"), nil
}

// TestRealMigrations compares with the rows of a real primary and its replica,
// runs there what it says, and compares again: then everything fits.
func TestRealMigrations(t *testing.T) {
	servers := mariadbpair.ForTest(t)
	ctx := t.Context()
	if err := servers.SeedDirect(ctx, "thbot", "the-bots-own-password"); err != nil {
		t.Fatal(err)
	}
	connect := func(address, server string) *mysql.Server {
		s, err := mysql.Open(mysql.Config{Name: server, Address: address, User: "thbot", Password: func() string { return "the-bots-own-password" },
			TLS: mysql.TLS{CA: servers.Authority.PEM, ServerName: server}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	world := still{}
	m := Migrations{Environments: deploys.Environments{{Name: "stage", URL: "https://stage.test/", Branch: "master"}}, GitHub: world, Apps: world, Schemas: NewSchemas(world),
		Databases: map[string]Database{"stage": {Name: "stage", Primary: connect(servers.Primary.Address, mariadbpair.PrimaryName), Replica: connect(servers.Replica.Address, mariadbpair.ReplicaName)}}}
	ask := func() (text string, statements []string) {
		t.Helper()
		if err := servers.CatchUp(ctx); err != nil {
			t.Fatal(err)
		}
		card, err := m.Answer(ctx, bot.Request{Args: map[string]string{"environment": "stage"}})
		if err != nil {
			t.Fatal(err)
		}
		text = card.Line.String()
		for _, p := range card.Parts {
			if text += "\n" + p.Text.String(); p.Kind == bot.Block && strings.HasPrefix(p.Text.String(), "DELETE") {
				statements = strings.Split(p.Text.String(), "\n")
			}
		}
		return text, statements
	}
	migrate := func(app, name string, hour int) {
		t.Helper()
		if err := servers.Migrate(ctx, app, name, time.Date(2022, 3, 1, hour, 0, 0, 0, time.UTC)); err != nil {
			t.Fatal(err)
		}
	}
	migrate("auth", "0001_initial", 1)
	migrate("model", "0001_initial", 2)
	migrate("model", "0016_enforce repository name uniqueness", 3)
	if text, _ := ask(); !strings.Contains(text, "Stage's database fits what it serves, 4444444: 2 migrations have a row each.") || !strings.Contains(text, "auth 1") {
		t.Fatalf("all of it is there, but:\n%s", text)
	}
	migrate("model", "0001_initial", 4)
	migrate("model", "0001_Initial", 5)
	for _, name := range oddNames[2:] {
		migrate("model", name, 6)
	}
	text, statements := ask()
	if want := len(oddNames) - 2 + 2; len(statements) != want || !strings.Contains(text, "1 there twice") || !strings.Contains(text, "the replica has the same") {
		t.Fatalf("%d statements, want %d:\n%s", len(statements), want, text)
	}
	for _, s := range statements {
		done, err := servers.Primary.Root().ExecContext(ctx, "/* in */ "+strings.Replace(s, "django_migrations", "treeherder.django_migrations", 1))
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		if n, _ := done.RowsAffected(); n != 1 {
			t.Errorf("%s: %d rows", s, n)
		}
	}
	if text, _ := ask(); !strings.Contains(text, "Stage's database fits") {
		t.Errorf("everything was put right, but:\n%s", text)
	}
}
