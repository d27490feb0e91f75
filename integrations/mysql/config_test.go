package mysql

import (
	"strings"
	"testing"

	"thbot/integrations/mysql/mariadbpair"
)

func TestOpen(t *testing.T) {
	ca, err := mariadbpair.NewAuthority("test")
	if err != nil {
		t.Fatal(err)
	}
	const secret = "5ec7e7"
	good := Config{Name: "stage's primary", Address: "db.example:3306", User: "thbot", Password: func() string { return secret },
		Services: []string{"th_admin", "redash"}, TLS: TLS{CA: ca.PEM}}
	for wrong, change := range map[string]func(*Config){
		"":                                    func(c *Config) {},
		"stage's primary: its address is not": func(c *Config) { c.Address = "db.example" },
		"HOST:PORT; name":                     func(c *Config) { c.Address = "thbot:" + secret + "@tcp(db.example:3306)/treeherder?tls=preferred" },
		"HOST:PORT":                           func(c *Config) { c.Address = "db.example:3306?tls=skip-verify" },
		"of the form":                         func(c *Config) { c.Address = ":3306" },
		"address":                             func(c *Config) { c.Address = "mysql://thbot:" + secret + "@db.example:3306" },
		"the name and the password":           func(c *Config) { c.User = "" },
		"needs the name":                      func(c *Config) { c.Password = nil },
		`"root" is not the account of a`:      func(c *Config) { c.Services = []string{"redash", "root"} },
		`"thbot" is not`:                      func(c *Config) { c.Services = []string{"thbot"} },
		`"ro_bea" is not`:                     func(c *Config) { c.Services = []string{"ro_bea"} },
		`"a'b" is not`:                        func(c *Config) { c.Services = []string{"a'b"} },
		"TLS: there is no certificate":        func(c *Config) { c.TLS.CA = []byte("preferred") },
		"instance needs its CA":               func(c *Config) { c.TLS = TLS{Instance: "project:stage"} },
		"and no server name":                  func(c *Config) { c.TLS.Instance, c.TLS.ServerName = "project:stage", "db.example" },
	} {
		c := good
		change(&c)
		s, err := Open(c)
		switch {
		case err != nil && (wrong == "" || !strings.Contains(err.Error(), wrong) || strings.Contains(err.Error(), secret)):
			t.Errorf("want %q, got %v", wrong, err)
		case err == nil && wrong != "":
			t.Errorf("nothing is wrong with what is %q", wrong)
		}
		if s != nil {
			d := s.driver
			if !d.InterpolateParams || d.MultiStatements || d.RejectReadOnly || d.AllowFallbackToPlaintext || d.AllowCleartextPasswords || d.TLS == nil {
				t.Errorf("the driver is given %+v", d)
			}
			s.Close()
		}
	}
}

func TestDistinct(t *testing.T) {
	a, b := Config{Address: "a.example:3306", TLS: TLS{Instance: "p:a"}}, Config{Address: "b.example:3306", TLS: TLS{Instance: "p:b"}}
	if err := Distinct(a, b); err != nil {
		t.Error(err)
	}
	same := b
	same.Address = "A.example:3306"
	if Distinct(a, same) == nil {
		t.Error("one address is taken for two")
	}
	same = b
	same.TLS.Instance = "p:a"
	if Distinct(a, same) == nil {
		t.Error("one instance is taken for two")
	}
	if err := Distinct(Config{Address: "a:1"}, Config{Address: "b:1"}); err != nil {
		t.Error(err)
	}
}

func TestReplicaOf(t *testing.T) {
	primary := Identity{ID: 1, UUID: "one"}
	for _, tt := range []struct {
		replica Identity
		doubt   string
	}{
		{Identity{ID: 2, UUID: "two", ReadOnly: true}, ""},
		{Identity{ID: 2, ReadOnly: true}, ""},
		{Identity{ID: 1, UUID: "two", ReadOnly: true}, "server_id"},
		{Identity{ID: 2, UUID: "one", ReadOnly: true}, "server_uuid"},
		{Identity{ID: 2, UUID: "two"}, "read_only"},
	} {
		err := tt.replica.ReplicaOf(primary)
		if (err != nil) != (tt.doubt != "") || err != nil && !strings.Contains(err.Error(), tt.doubt) {
			t.Errorf("%+v: %v, want %q", tt.replica, err, tt.doubt)
		}
	}
}

func TestProceduresOf(t *testing.T) {
	for _, flavour := range []string{"mysql", "mariadb"} {
		if script, err := Procedures(flavour); err != nil || !strings.Contains(script, "PROCEDURE thops.ro_create(") {
			t.Errorf("for %s: %v", flavour, err)
		}
	}
	if _, err := Procedures("postgres"); err == nil {
		t.Error("there are procedures for PostgreSQL")
	}
}
