package app

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"thbot/integrations/mysql/mariadbpair"
)

// What people are told of a database is the replica's, and nothing the primary's.
func TestDatabases(t *testing.T) {
	authority := func(name string) (file, pem string) {
		a, err := mariadbpair.NewAuthority(name)
		if err != nil {
			t.Fatal(err)
		}
		file = filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, a.PEM, 0o600); err != nil {
			t.Fatal(err)
		}
		return file, string(a.PEM)
	}
	primary, _ := authority("primary")
	replica, pem := authority("replica")
	c := Config{Databases: Databases{
		"stage": {User: "thbot", Primary: DatabaseServer{Address: "primary.test:3306", CA: primary, ServerName: "first.test"},
			Replica: DatabaseServer{Address: "replica.test:3307", CA: replica, ServerName: "second.test"}},
		"production": {User: "thbot", Primary: DatabaseServer{Address: "192.0.2.1:3306", CA: primary, Instance: "moz:first"},
			Replica: DatabaseServer{Address: "192.0.2.2:3307", CA: replica, Instance: "moz:second"}},
	}}
	all, closeAll, err := c.databases(Secrets{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	type told struct{ Name, Host, Port, CA, ServerName, Instance string }
	got := map[string]told{}
	for key, db := range all {
		got[key] = told{db.Name, db.Host, db.Port, db.CA, db.ServerName, db.Instance}
	}
	want := map[string]told{
		"stage":      {"stage", "replica.test", "3307", pem, "second.test", ""},
		"production": {"production", "192.0.2.2", "3307", pem, "", "moz:second"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the databases (-want +got):\n%s", diff)
	}
	if err := closeAll(); err != nil {
		t.Error(err)
	}
}
