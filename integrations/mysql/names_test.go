package mysql

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// hostile are names that must never come to a server.
var hostile = []string{
	"", " ", "root", "bea", "ro_", "ro_a", "RO_BEA", "ro_Bea", "ro_1a", "ro__a", "ro_bea ", " ro_bea", "ro_bea\n", "ro_bea\x00",
	"ro_be-a", "ro_be.a", "ro_béa", "ro_be\xff", "ro_bea'@'%", `ro_bea\`, "ro_bea'; DROP DATABASE treeherder; -- ",
	"ro_bea`", `ro_bea"`, "ro_%", "ro_bea?", "ro_bea@%", "ro_" + strings.Repeat("a", 29), strings.Repeat("ro_a", 40),
}

func TestCheckName(t *testing.T) {
	for _, name := range hostile {
		if CheckName(name) == nil {
			t.Errorf("%q is taken for the name of an account", name)
		}
	}
	for _, name := range []string{"ro_bea", "ro_be", "ro_b2", "ro_bea_2", "ro_" + strings.Repeat("a", 28)} {
		if err := CheckName(name); err != nil {
			t.Error(err)
		}
	}
}

func TestPassword(t *testing.T) {
	p := NewPassword()
	if !regexp.MustCompile(`^[0-9a-f]{60}$`).MatchString(p.Reveal()) || p == NewPassword() {
		t.Errorf("a password is %q", p.Reveal())
	}
	core, logs := observer.New(zap.DebugLevel)
	zap.New(core).Info("x", zap.Any("p", p), zap.Stringer("s", p), zap.Reflect("r", p))
	printed, err := json.Marshal([]any{p, &p, map[string]any{"p": p}, logs.All()[0].ContextMap()})
	if err != nil {
		t.Fatal(err)
	}
	text := string(printed) + fmt.Sprintf("%v %+v %#v %s %q %x %d %v %+v", p, p, p, p, p, p, p, &p, struct{ P Password }{p})
	if strings.Contains(text, p.Reveal()) || strings.Contains(text, fmt.Sprintf("%x", p.Reveal())) {
		t.Errorf("the password shows in %s", text)
	}
}

// Hashes that servers made themselves.
func TestHashes(t *testing.T) {
	if got, want := (Password{"password"}).native(), "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"; got != want {
		t.Errorf("the native hash is %s, want %s", got, want)
	}
	for password, made := range map[string]string{
		// "MySQL $A$ (sha256crypt)" of hashcat's example hashes.
		"hashcat": "\xF9\xCC\x98\xCE\x08\x89\x29\x24\xF5\x0A\x21\x3B\x6B\xC5\x71\xA2\xC1\x17\x78\xC5" + "bTy95Y99eAME1dwEkHOA1ndHGBWz.1bxSSRkuTXFGV/",
		// CREATE USER … IDENTIFIED BY 'foobar' in MySQL 8, from TiDB's tests.
		"foobar": "\x03\x1A\x69\x25\x1C\x34\x29\x5C\x4B\x35\x16\x7C\x7F\x1E\x5A\x7B\x63\x09\x13\x49" + "P9tbM4PKZBFy5HV3hhhoRHZsnJs3hxnBuuQlsDdiIe7",
	} {
		salt, want := made[:20], made[20:]
		if got := sha256crypt([]byte(password), []byte(salt)); got != want {
			t.Errorf("the hash of %s is %s, want %s", password, got, want)
		}
	}
	p := NewPassword()
	one, another := p.cachingSHA2(), p.cachingSHA2()
	if one == another {
		t.Error("two hashes have one salt")
	}
	if !regexp.MustCompile(`^\$A\$005\$[./0-9A-Za-z]{63}$`).MatchString(one) {
		t.Errorf("the hash is %q", one)
	}
	if want := sha256crypt([]byte(p.text), []byte(one[7:27])); one[27:] != want {
		t.Errorf("the hash ends in %s, want %s", one[27:], want)
	}
}
