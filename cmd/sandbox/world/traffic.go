package world

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// services are accounts that are neither the bot's nor people's.
const services = `CREATE USER 'th_admin'@'%' IDENTIFIED BY 'fake-password-of-old' REQUIRE SSL;
GRANT ALL ON treeherder.* TO 'th_admin'@'%';
CREATE USER 'redash'@'%' IDENTIFIED BY 'fake-password-of-old' REQUIRE SSL;
GRANT SELECT ON treeherder.* TO 'redash'@'%';
`

// traffic is SQL that writes down the pushes of the last hours, with their
// jobs, for people to look at.
func traffic(now time.Time) string {
	results := []string{"success", "success", "success", "testfailed", "success", "busted", "success", "retry"}
	authors := []string{"bea", "cid", "dov"}
	var b strings.Builder
	for i := range 24 {
		sum := sha1.Sum(fmt.Appendf(nil, "push %d", i))
		revision := hex.EncodeToString(sum[:])
		fmt.Fprintf(&b, "INSERT INTO treeherder.push (repository_id, revision, author, time) VALUES (%d, '%s', '%s@example.org', '%s');\n",
			1+i%3, revision, authors[i%len(authors)], now.Add(time.Duration(i-24)*20*time.Minute).UTC().Format("2006-01-02 15:04:05"))
		b.WriteString("SET @push = LAST_INSERT_ID();\n")
		for j := range 4 {
			fmt.Fprintf(&b, "INSERT INTO treeherder.job (push_id, guid, result) VALUES (@push, '%s-0000-4000-8000-%012d/0', '%s');\n",
				revision[:8], j, results[(i*3+j)%len(results)])
		}
	}
	return b.String()
}
