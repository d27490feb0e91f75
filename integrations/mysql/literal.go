package mysql

import (
	"fmt"
	"strings"
)

// Literal is s as a literal in a statement that people read, copy and run. It
// means s, and ends where it ends, under every sql_mode and after it went
// through chats and bug trackers: what could be lost there, or is read in two
// ways (NO_BACKSLASH_ESCAPES), makes it hexadecimal.
func Literal(s string) string {
	for _, r := range s {
		if r < ' ' || r > '~' || r == '\\' || r == '`' {
			return fmt.Sprintf("X'%X'", s)
		}
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}
