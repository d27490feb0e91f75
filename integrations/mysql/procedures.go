package mysql

import (
	_ "embed"
	"fmt"
)

//go:embed procedures_mysql.sql
var proceduresMySQL string

//go:embed procedures_mariadb.sql
var proceduresMariaDB string

// Procedures is the SQL, for the command-line client of "mysql" or "mariadb",
// that installs what [Config].Procedures calls.
func Procedures(flavour string) (string, error) {
	switch flavour {
	case "mysql":
		return proceduresMySQL, nil
	case "mariadb":
		return proceduresMariaDB, nil
	}
	return "", fmt.Errorf("%.40q is neither mysql nor mariadb", flavour)
}
