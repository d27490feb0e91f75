package main

import (
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"thbot/integrations/mysql/mariadbpair"
)

// credentials are what a window shows somebody, read as they would.
type credentials struct{ Host, Port, Database, Account, Password, CA string }

var (
	inWindow = regexp.MustCompile(`host +(\S+)\s+port +(\d+)\s+database +(\S+)\s+account +(\S+)\s+password +([0-9a-f]{60})\s`)
	aCA      = regexp.MustCompile(`-----BEGIN CERTIFICATE-----[\s\w+/=]+-----END CERTIFICATE-----`)
)

func readCredentials(t *testing.T, text string) credentials {
	t.Helper()
	m, ca := inWindow.FindStringSubmatch(text), aCA.FindString(text)
	if m == nil || ca == "" {
		t.Fatalf("the window shows no credentials:\n%s", text)
	}
	return credentials{m[1], m[2], m[3], m[4], m[5], ca}
}

// open is a connection with what was shown and nothing else.
func (k credentials) open(t *testing.T, secure bool) *sql.DB {
	t.Helper()
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd, c.DBName = "tcp", net.JoinHostPort(k.Host, k.Port), k.Account, k.Password, k.Database
	c.Logger = &mysql.NopLogger{}
	if secure {
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM([]byte(k.CA)) {
			t.Fatalf("that is no certificate:\n%s", k.CA)
		}
		c.TLS = &tls.Config{RootCAs: roots, ServerName: k.Host}
	}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// login logs in and looks at what there is.
func (k credentials) login(t *testing.T, secure bool) error {
	t.Helper()
	var jobs, migrations int
	err := k.open(t, secure).QueryRowContext(t.Context(), "SELECT (SELECT COUNT(*) FROM push JOIN job ON job.push_id = push.id), (SELECT COUNT(*) FROM django_migrations)").Scan(&jobs, &migrations)
	if err == nil && (jobs < 50 || migrations < 8) {
		t.Errorf("there are %d jobs and %d migrations", jobs, migrations)
	}
	return err
}

// works reports that they let somebody read the replica, and no more than that.
func (k credentials) works(t *testing.T) {
	t.Helper()
	if err := k.login(t, true); err != nil {
		t.Fatalf("logging in with what is shown: %v", err)
	}
	if err := k.login(t, false); !denied(err) {
		t.Errorf("without TLS: %v", err)
	}
	db := k.open(t, true)
	var server string
	if err := db.QueryRowContext(t.Context(), "SELECT @@server_id").Scan(&server); err != nil || server != "2" {
		t.Errorf("that is server %s, and 2 is the replica: %v", server, err)
	}
	if _, err := db.ExecContext(t.Context(), "DELETE FROM push"); err == nil {
		t.Error("they let somebody change what is there")
	}
}

// denied reports whether err is a server's refusal to log somebody in.
func denied(err error) bool {
	var no *mysql.MySQLError
	return errors.As(err, &no) && no.Number == 1045 // ER_ACCESS_DENIED_ERROR
}

// secrecy looks for what must be nowhere, in all that the bot logged, stored or
// said, and that Slack told it or showed to anybody.
func (c visitor) secrecy(t *testing.T, s *sandbox, passwords ...string) {
	t.Helper()
	sc := s.now()
	all := map[string]string{"what Slack told it": strings.Join(sc.Slack.Envelopes(), "\n"), "Slack's journal": fmt.Sprint(sc.Slack.Journal())}
	files, err := filepath.Glob(strings.TrimPrefix(sc.ledger, "sqlite:") + "*")
	if err != nil || len(files) < 2 {
		t.Fatalf("the ledger and its log are %v, %v", files, err)
	}
	for what, names := range map[string][]string{"the ledger": files, "its log": {s.logFile()}, "its configuration": {sc.bot.config}} {
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all[what] += string(text)
		}
	}
	paths := []string{"/api/world", "/api/log"}
	for _, p := range sc.People() {
		as := "?as=" + p.Name
		paths = append(paths, "/api/home"+as, "/api/modal"+as, "/api/places"+as)
		var channels []string
		for _, place := range sc.PlacesOf(p.ID) {
			channels = append(channels, place.ID)
		}
		if id := sc.Slack.DirectChannel(p.ID); id != "" {
			channels = append(channels, id)
		}
		for _, id := range channels {
			paths = append(paths, "/api/messages"+as+"&channel="+id)
			for _, m := range sc.Slack.Messages(p.ID, id) {
				all["what "+p.Name+" was shown"] += fmt.Sprintf("%s %s %s %v\n", m.Text, m.Blocks, m.Metadata, m.Past)
			}
		}
	}
	for _, path := range paths {
		all[path] = c.read(t, path)
	}
	for _, must := range []struct{ where, hold string }{
		{"what Slack told it", `"type":"block_actions"`}, {"what Slack told it", "looking at slow pushes"}, {"Slack's journal", "views.update"},
		{"its log", "starting"}, {"the ledger", "ro_bea"}, {"what bea was shown", "ro_bea"}, {"/api/log", "views.open"},
	} {
		if !strings.Contains(all[must.where], must.hold) {
			t.Errorf("%s does not hold %s, so it is not what it should be", must.where, must.hold)
		}
	}
	primary := sc.Databases()["stage"].Primary.Address
	for where, text := range all {
		for _, p := range passwords {
			if found := leaked(text, p); found != "" {
				t.Errorf("%s holds a password, as %s", where, found)
			}
		}
		if where != "its configuration" {
			showsPrimary(t, where, text, primary)
		}
	}
}

// showsPrimary complains of a text that names the primary's host.
func showsPrimary(t *testing.T, where, text, address string) {
	t.Helper()
	_, port, _ := net.SplitHostPort(address)
	if strings.Contains(text, mariadbpair.PrimaryName) || regexp.MustCompile(`\b`+port+`\b`).MatchString(text) {
		t.Errorf("%s names the primary", where)
	}
}

func (c visitor) read(t *testing.T, path string) string {
	t.Helper()
	resp, err := http.Get(c.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("GET %s: %d %v", path, resp.StatusCode, err)
	}
	return string(text)
}

// leaked says in which form a text holds a secret, or nothing.
func leaked(text, secret string) string {
	forms := map[string]string{"it is": secret, "hexadecimal digits": hex.EncodeToString([]byte(secret))}
	for before := range 3 { // how much of base64's first group is something else
		for name, encoding := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64 for addresses": base64.RawURLEncoding} {
			encoded := encoding.EncodeToString([]byte(strings.Repeat("x", before) + secret))
			// The first and the last characters depend on what is beside it.
			forms[fmt.Sprintf("%s after %d", name, before)] = encoded[4 : len(encoded)-4]
		}
	}
	for name, form := range forms {
		if strings.Contains(strings.ToLower(text), strings.ToLower(form)) {
			return name
		}
	}
	return ""
}

// What is looked for would be found.
func TestLeaked(t *testing.T) {
	const secret = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab"
	said := `{"password":"` + secret + `"}`
	for name, text := range map[string]string{
		"plain": said, "capitals": strings.ToUpper(said), "hex": hex.EncodeToString([]byte(said)),
		"base64": base64.StdEncoding.EncodeToString([]byte(said)), "base64, one later": base64.StdEncoding.EncodeToString([]byte(" " + said)),
		"base64, two later": base64.URLEncoding.EncodeToString([]byte("  " + said)),
	} {
		if leaked(text, secret) == "" {
			t.Errorf("%s: it is not found in %s", name, text)
		}
	}
	if found := leaked(strings.ToUpper(said[:20])+said[21:], secret); found != "" {
		t.Errorf("another one is found, as %s", found)
	}
}
