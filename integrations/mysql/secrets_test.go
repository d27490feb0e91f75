package mysql

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"thbot/bot"
	"thbot/integrations/internal/mariadb"
	"thbot/integrations/mysql/mariadbpair"
)

func testLogs(t *testing.T, s *scene) {
	ctx := t.Context()
	p, service := s.granted(t, "ro_logged"), NewPassword()
	do(t, s.Primary.Run(ctx, "CREATE USER 'redash'@'%' IDENTIFIED BY 'PlainSecret111';\n"))
	defer s.Primary.Run(context.Background(), "DROP USER 'redash'@'%';\nDELETE FROM thops.services;\n")
	do(t, s.Primary.Run(ctx, "INSERT INTO thops.services VALUES ('redash');\n"))
	_, err := s.primary.ChangePassword(ctx, "redash", service)
	do(t, err)
	if _, err := s.await(t, s.replica, "ro_logged", p); err != nil {
		t.Fatal(err)
	}
	do(t, s.CatchUp(ctx))
	for _, node := range []*mariadbpair.Node{s.Primary, s.Replica} {
		logs, err := node.Logs(ctx)
		do(t, err)
		if !bytes.Contains(logs, []byte("PlainSecret111")) {
			t.Error("a password that is sent as it is is not in the logs, so this test shows nothing")
		}
		for _, p := range []Password{p, service} {
			if bytes.Contains(logs, []byte(p.text)) {
				t.Error("a password is in the logs")
			}
			if !bytes.Contains(logs, []byte(p.native())) {
				t.Error("a password has not come as a hash")
			}
		}
	}
}

// testPolicy: MariaDB cannot judge a password of which it sees a hash, so it
// takes every hash or none.
func testPolicy(t *testing.T, s *scene) {
	ctx := t.Context()
	switch err := s.Primary.PasswordPolicy(ctx, true, true); {
	case errors.Is(err, mariadbpair.ErrNoPlugin):
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	defer s.Primary.PasswordPolicy(context.Background(), false, false)
	for _, err := range []error{
		s.primary.Create(ctx, "ro_ruled", "01J", limits),
		// MySQL 8 is sent the password itself, and answers 1819.
		s.primary.wrong("x", s.Primary.Run(ctx, "CREATE USER 'ro_ruled'@'%' IDENTIFIED BY '"+NewPassword().text+"';\n"), nil),
	} {
		wants(t, err, ErrPolicy)
		if _, again := bot.RetryAfter(err); again {
			t.Errorf("another password would be no better: %v", err)
		}
	}
	do(t, s.Primary.PasswordPolicy(ctx, true, false))
	do(t, s.primary.Create(ctx, "ro_ruled", "01J", limits), s.primary.Drop(ctx, "ro_ruled"))
}

func testOwnPassword(t *testing.T, s *scene) {
	password := "an-old-one"
	c := s.config(s.Primary)
	c.Password = func() string { return password }
	server := s.open(t, c)
	err := server.Create(t.Context(), "ro_bea", "01J", limits)
	wants(t, err, ErrLogin)
	if _, again := bot.RetryAfter(err); !again || !bot.NotSent(err) || strings.Contains(err.Error(), password) {
		t.Errorf("its own password is wrong: %v", err)
	}
	password = botPassword // its file was changed meanwhile
	if _, err := server.Identity(t.Context()); err != nil {
		t.Error(err)
	}
}

func testCertificates(t *testing.T, s *scene) {
	ctx := t.Context()
	stranger, err := mariadbpair.NewAuthority("a stranger")
	do(t, err)
	const instance = "moz-fx-treeherde-nonprod-34ec:replica"
	ask := func(tls TLS) error {
		c := s.config(s.Replica)
		c.TLS = tls
		_, err := s.open(t, c).Identity(ctx)
		return err
	}
	check := func(what string, tls TLS, trusted bool) {
		t.Helper()
		err := ask(tls)
		if trusted && err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if !trusted {
			wants(t, err, ErrUntrusted)
		}
	}
	ca := s.Authority.PEM
	check("the right CA and name", TLS{CA: ca, ServerName: mariadbpair.ReplicaName}, true)
	check("another CA", TLS{CA: stranger.PEM, ServerName: mariadbpair.ReplicaName}, false)
	check("the system's CAs", TLS{ServerName: mariadbpair.ReplicaName}, false)
	check("the primary's name", TLS{CA: ca, ServerName: mariadbpair.PrimaryName}, false)
	check("the address as name", TLS{CA: ca}, false)
	check("an instance that it is not", TLS{CA: ca, Instance: instance}, false)

	do(t, s.Replica.PresentInstance(ctx, instance))
	defer s.Replica.PresentName(context.Background())
	check("its instance", TLS{CA: ca, Instance: instance}, true)
	check("the primary's instance", TLS{CA: ca, Instance: "moz-fx-treeherde-nonprod-34ec:primary"}, false)
	check("another CA's instance", TLS{CA: stranger.PEM, Instance: instance}, false)
	check("a name that it has no more", TLS{CA: ca, ServerName: mariadbpair.ReplicaName}, false)
	check("the instance as name", TLS{CA: ca, ServerName: instance}, false)

	p := NewPassword()
	c := s.config(s.Replica) // with a name
	limited, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, err = s.open(t, c).Await(limited, "ro_bea", p, s.id)
	wants(t, err, ErrUntrusted, p)
	if limited.Err() != nil {
		t.Error("it was awaited that the certificate becomes a better one")
	}
}

// A server without TLS, or somebody between who takes it away, gets no password.
func TestNoTLS(t *testing.T) {
	program, err := mariadb.Find()
	if err != nil {
		mariadbpair.ForTest(t) // skips or fails
	}
	dir := t.TempDir()
	do(t, program.Install(t.Context(), dir))
	process, err := program.Run(t.Context(), dir, "CREATE USER 'thbot'@'127.0.0.1' IDENTIFIED BY '"+botPassword+"';\n", "--skip-ssl")
	do(t, err)
	defer process.Close()
	server, err := Open(Config{Name: "stage's primary", Address: process.Address, User: "thbot", Password: func() string { return botPassword }})
	do(t, err)
	defer server.Close()
	_, err = server.Identity(t.Context())
	wants(t, err, ErrUntrusted)
	if !errors.Is(err, mysql.ErrNoTLS) {
		t.Errorf("it is not for the lack of TLS: %v", err)
	}
}
