package mariadbtest

import (
	"database/sql"
	"strings"
	"testing"

	_ "github.com/go-sql-driver/mysql" // the driver "mysql"
)

func TestServer(t *testing.T) {
	server := Start(t)
	var urls []string
	for range 2 {
		url, password := server.Database(t)
		urls = append(urls, url)
		dsn := strings.Replace(strings.TrimPrefix(url, "mysql:"), user+"@", user+":"+password+"@", 1)
		db, err := sql.Open("mysql", dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec("CREATE TABLE empty_before (id INT)"); err != nil {
			t.Errorf("%s: %v", url, err)
		}
		var flush string
		if err := db.QueryRow("SELECT @@innodb_flush_log_at_trx_commit").Scan(&flush); err != nil || flush != "1" {
			t.Errorf("a commit is flushed in way %q, want 1; %v", flush, err)
		}
		wrong, err := sql.Open("mysql", strings.Replace(dsn, password, "wrong", 1))
		if err != nil {
			t.Fatal(err)
		}
		defer wrong.Close()
		if wrong.Ping() == nil {
			t.Error("a wrong password was let in")
		}
	}
	if urls[0] == urls[1] {
		t.Errorf("two databases are one: %s", urls[0])
	}
}
