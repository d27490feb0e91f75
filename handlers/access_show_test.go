package handlers

import (
	"fmt"
	"strings"
	"testing"

	"thbot/integrations/mysql"
)

// How to connect says as much of the certificate as clients can check.
func TestHowToConnect(t *testing.T) {
	for _, test := range []struct {
		name             string
		db               Database
		mode, workbench  string
		sure, file, none string
	}{
		{"the host's name", Database{CA: "-----BEGIN"}, "VERIFY_IDENTITY", "Require and Verify Identity", "has its name", "=treeherder-stage-ca.pem", ""},
		{"the same name", Database{ServerName: "replica.test"}, "VERIFY_IDENTITY", "Require and Verify Identity", "has its name", "=/etc/ssl/certs/ca-certificates.crt", "Save this"},
		{"another name", Database{ServerName: "db.test"}, "VERIFY_CA", "Require and Verify CA", "is for db.test, so clients check only who signed it", "=/etc", "IDENTITY"},
		{"Cloud SQL", Database{Instance: "moz:replica"}, "VERIFY_CA", "Require and Verify CA", "has no host's name", "=/etc", "IDENTITY"},
	} {
		t.Run(test.name, func(t *testing.T) {
			db := test.db
			db.Name, db.Host, db.Port = "stage", "replica.test", "3306"
			got := fmt.Sprint(credentials(db, "ro_bea", mysql.NewPassword()))
			for _, want := range []string{"--ssl-mode=" + test.mode, test.workbench, test.sure, "--ssl-ca" + test.file} {
				if !strings.Contains(got, want) {
					t.Errorf("it lacks %q: %s", want, got)
				}
			}
			if test.none != "" && strings.Contains(got, test.none) {
				t.Errorf("it says %q: %s", test.none, got)
			}
		})
	}
}
