package mysql

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"regexp"
)

// prefix begins the names of all accounts that the bot makes.
const prefix = "ro_"

// MySQL's names have at most 32 characters. Only "%" as the host of an account
// is of use here: it limits where clients come from, not which server it is for.
var accountName = regexp.MustCompile(`^ro_[a-z][a-z0-9_]{1,27}$`)

// CheckName says what is wrong with the name of an account, or nil. An empty
// name would be the anonymous account, with which everybody can log in, and
// trailing spaces would be cut off.
func CheckName(name string) error {
	if !accountName.MatchString(name) {
		return fmt.Errorf(`%.40q is not a name for an account: such names begin with "ro_" and a letter and go on with letters, digits and "_", all lower case, up to 31 characters`, name)
	}
	return nil
}

// A mark is what the bot leaves on an account to know it again: an operation's id.
var markText = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

// Password is a password that [NewPassword] made. However it is printed or
// marshalled, it shows as [redacted].
type Password struct{ text string }

// NewPassword makes a password of 240 random bits, in characters that need no
// escape in the URL of a database.
func NewPassword() Password {
	b := make([]byte, 30)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return Password{hex.EncodeToString(b)}
}

// Reveal returns the password itself, for the one person it is made for.
func (p Password) Reveal() string { return p.text }

// String returns [redacted].
func (p Password) String() string { return "[redacted]" }

// Format prints String for every verb, also %#v, %x and %q.
func (p Password) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(p.String())) }

// MarshalText makes JSON, YAML and text of String.
func (p Password) MarshalText() ([]byte, error) { return []byte(p.String()), nil }
