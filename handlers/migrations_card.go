package handlers

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"thbot/bot"
	"thbot/handlers/deploys"
	"thbot/handlers/migrations"
	"thbot/integrations/bugzilla"
	"thbot/integrations/mysql"
)

// mostTold is how many of each sort of finding an answer tells.
const mostTold = 10

func (c comparison) card() bot.Card {
	at := bot.To(deploys.Short(c.commit), c.link)
	of := ""
	if c.app != "" {
		of = "of " + c.app + " "
	}
	found := c.counts()
	if len(found) == 0 {
		sure := ""
		if len(c.unseen) > 0 {
			sure = "as far as I could look, "
		}
		return bot.Say(c.env.Title()+"'s database fits what it serves, ", at, ": "+sure+bot.Count(c.Fit, "migration "+of+"has its row", "migrations "+of+"have a row each")+".").Add(c.source())
	}
	card := bot.Say(bot.Strong(strings.TrimSpace("Migrations "+of)+" of "+c.env.Name), " at ", at, ": "+strings.Join(found, ", ")).Add(c.source())
	for _, why := range c.refused {
		card = card.Add(bot.Paragraph("⚠ Django refuses to migrate: " + why))
	}
	for _, section := range [][]bot.Part{c.sayPending(), c.sayUnordered(), c.sayOrphans(), c.sayAhead(), c.sayTwice(), c.sayEdited(), c.forBug(), c.baseline()} {
		card = card.Add(section...)
	}
	if c.app == "" && max(len(c.Pending), len(c.Orphans), len(c.ahead), len(c.Twice), len(c.edited), len(c.Refused)) > mostTold {
		card = card.Add(bot.SmallPrint("Not all of it fits here. ", bot.Fixed("/th migrations "+c.env.Name+" <app>"), " tells of one app alone."))
	}
	return card
}

// counts says how much of what was found.
func (c comparison) counts() (found []string) {
	for _, n := range []struct {
		n         int
		one, many string
	}{
		{len(c.Pending), "pending", "pending"},
		{len(c.Orphans), "orphan", "orphans"},
		{len(c.ahead), "ahead of the code", "ahead of the code"},
		{len(c.Twice), "there twice", "there twice"},
		{len(c.edited), "edited after it was applied", "edited after they were applied"},
		{len(c.Refused), "applied out of order", "applied out of order"},
		{len(c.refused), "app that Django refuses", "apps that Django refuses"},
	} {
		if n.n > 0 {
			found = append(found, bot.Count(n.n, n.one, n.many))
		}
	}
	return found
}

// source says where the rows are from, and what was not compared.
func (c comparison) source() bot.Part {
	t := bot.T("Rows read at ", bot.Time(c.rows.at), " from the primary; the replica has the same.")
	switch {
	case c.rows.replica:
		t = bot.T("⚠ The primary gives no answer, so these are the rows of the replica, read at ", bot.Time(c.rows.at), ", which may be older.")
		if n := len(c.rows.rows); n > 0 {
			t = append(t, bot.T(" The newest is of ", bot.Date(c.rows.rows[n-1].Applied), ".")...)
		}
	case c.rows.silent:
		t = bot.T("Rows read at ", bot.Time(c.rows.at), " from the primary; the replica gives no answer.")
	case c.rows.missing+c.rows.strange > 0:
		var differs []string
		if n := c.rows.missing; n > 0 {
			differs = append(differs, fmt.Sprintf("lacks %d of these", n))
		}
		if n := c.rows.strange; n > 0 {
			differs = append(differs, fmt.Sprintf("has %d that the primary has not", n))
		}
		t = bot.T("Rows read at ", bot.Time(c.rows.at), " from the primary. ⚠ The replica "+strings.Join(differs, " and ")+": it lags, or does not replicate.")
	}
	if c.aside != "" {
		t = append(t, bot.T(" ⚠ "+c.aside)...)
	}
	if len(c.unseen) > 0 {
		t = append(t, bot.T(" ⚠ GitHub has not told all of this in time: "+strings.Join(c.unseen, ", ")+".")...)
	}
	if len(c.older) > 0 {
		t = append(t, bot.T(fmt.Sprintf(" Edits were looked for in the newest %d commits of each app's migrations; there are older ones of %s.", lookedBack, strings.Join(c.older, ", ")))...)
	}
	var out []string
	for _, app := range slices.Sorted(maps.Keys(c.Foreign)) {
		out = append(out, fmt.Sprintf("%s %d", app, c.Foreign[app]))
	}
	if len(out) > 0 {
		t = append(t, bot.T(" Left out, as apps that the code has no migrations of: "+strings.Join(out[:min(mostTold, len(out))], ", ")+".")...)
	}
	if c.Known > 0 {
		t = append(t, bot.T(" Not told, since they are known: "+bot.Count(c.Known, "orphan", "orphans")+".")...)
	}
	return bot.Part{Kind: bot.Note, Text: t}
}

// listed is a paragraph and the items below it, as many as are told.
func listed[T any](head bot.Text, all []T, say func(T) bot.Text) []bot.Part {
	if len(all) == 0 {
		return nil
	}
	list := bot.Part{Kind: bot.List, Left: max(0, len(all)-mostTold)}
	for _, one := range all[:min(mostTold, len(all))] {
		list.Items = append(list.Items, say(one))
	}
	return []bot.Part{{Kind: bot.Section, Text: head}, list}
}

func (c comparison) sayPending() []bot.Part {
	return listed(bot.T("⚠ ", bot.Strong("Pending"), ": there is a file, and no row. The deploy should have run these before the new code was up."), c.Pending, func(m migrations.Migration) bot.Text {
		t := bot.T(bot.Fixed(m.String()))
		f := c.files[m]
		var does []string
		for _, e := range f.Effects() {
			does = append(does, e.What)
		}
		t = append(t, bot.Span{Text: " " + some(does)})
		if f.NotAtomic {
			t = append(t, bot.T("; not atomic, so that what it did before a failure is there")...)
		}
		return t
	})
}

func (c comparison) sayUnordered() []bot.Part {
	return listed(bot.T("⚠ ", bot.Strong("Out of order"), ": Django applies nothing while a migration is applied, and one that it depends on is not."), c.Refused, func(m migrations.Missing) bot.Text {
		return bot.T(bot.Fixed(m.Migration.String()), " depends on ", bot.Fixed(m.Needs.String()))
	})
}

func (c comparison) sayOrphans() []bot.Part {
	return listed(bot.T("⚠ ", bot.Strong("Orphans"), ": there is a row, and no file. What they did to the database is still there."), c.Orphans, func(r migrations.Row) bot.Text {
		t := c.row(r)
		found := c.traces[r.Migration]
		switch {
		case found.none != "":
			return append(t, bot.T("; "+found.none)...)
		case found.kept != "":
			t = append(t, bot.T("; its file is on ", bot.Fixed(found.kept))...)
		case found.renamed != migrations.Migration{}:
			t = append(t, bot.T("; ", bot.Fixed(deploys.Short(found.gone)), " renamed it to ", bot.Fixed(found.renamed.String()), ", which runs anew")...)
		default:
			t = append(t, bot.T("; ", bot.Fixed(deploys.Short(found.gone)), " took its file away")...)
		}
		left := found.file.Leftovers()
		if len(left) == 0 {
			return append(t, bot.T("; there is nothing to take back")...)
		}
		return append(t, bot.T("; to take it back: "+some(left))...)
	})
}

// some are the first few of what a migration does.
func some(does []string) string {
	const most = 3
	if n := len(does) - most; n > 0 {
		does = append(does[:most:most], fmt.Sprintf("and %d more", n))
	}
	return strings.Join(does, "; ")
}

func (c comparison) sayAhead() []bot.Part {
	return listed(bot.T(bot.Strong("Ahead of the code"), ": applied, and their files are on "+c.env.Branch+", but not in what is served. That is so while a deploy runs, and after a revert. They should stay."),
		c.ahead, c.row)
}

func (c comparison) sayTwice() []bot.Part {
	return listed(bot.T("⚠ ", bot.Strong("Twice"), ": there are several rows of one migration."), c.Twice, func(two migrations.Twice) bot.Text {
		t := c.row(two.First)
		for _, r := range two.Later {
			t = append(t, bot.T(", and ", bot.Date(r.Applied), fmt.Sprintf(" (row %d)", r.ID))...)
		}
		return t
	})
}

func (c comparison) sayEdited() []bot.Part {
	return listed(bot.T("⚠ ", bot.Strong("Edited"), " after they were applied: the database has never seen the edit."), c.edited, func(e edited) bot.Text {
		return bot.T(bot.Fixed(e.Migration.String()), " applied ", bot.Date(e.Applied), ", edited ", bot.Date(e.By.When), " by ", bot.Fixed(deploys.Short(e.By.SHA)), " “"+e.By.Subject+"”")
	})
}

func (c comparison) row(r migrations.Row) bot.Text {
	return bot.T(bot.Fixed(r.Migration.String()), " applied ", bot.Date(r.Applied), fmt.Sprintf(" (row %d)", r.ID))
}

// forBug is what somebody of cloudOps would have to run.
func (c comparison) forBug() []bot.Part {
	var remove, run []string
	for _, r := range c.Orphans {
		remove = append(remove, deletion(r))
	}
	for _, two := range c.Twice {
		for _, r := range two.Later {
			remove = append(remove, deletion(r))
		}
	}
	apps := map[string]bool{}
	for _, m := range c.Pending {
		run = append(run, "./manage.py sqlmigrate "+shell(m.App)+" "+shell(m.Name))
		apps[m.App] = true
	}
	for _, app := range slices.Sorted(maps.Keys(apps)) {
		run = append(run, "./manage.py migrate "+shell(app))
	}
	if len(remove)+len(run) == 0 {
		return nil
	}
	parts := []bot.Part{bot.Paragraph("For a bug to cloudOps. I run none of it.")}
	if len(c.Orphans) > 0 {
		parts = append(parts, bot.Paragraph("⚠ Deleting an orphan's row takes back nothing else: its tables and columns stay, and should its file come back, it runs again and fails on them. Take back what it did first."))
	}
	if len(remove) > 0 {
		parts = append(parts, script(remove, "--", 2800))
	}
	if len(run) > 0 {
		head := bot.T(bot.Fixed("sqlmigrate"), " shows what ", bot.Fixed("migrate"), " would run:")
		if len(c.refused)+len(c.Refused) > 0 {
			head = bot.T(bot.Fixed("sqlmigrate"), " shows what ", bot.Fixed("migrate"), " would run, which Django refuses until the above is put right:")
		}
		parts = append(parts, bot.Part{Kind: bot.Section, Text: head}, script(run, "#", 1500))
	}
	if c.tracker.Component != "" {
		link := c.tracker.Bugs.PrefillWithin(c.bug(append(remove, run...)), mostLink)
		parts = append(parts, bot.Part{Kind: bot.Actions, Buttons: []bot.CardButton{{Label: "Open the form in Bugzilla", URL: link}}})
	}
	return parts
}

// bug is what cloudOps would be asked. All of it is in a block, in which
// Bugzilla sees no Markdown.
func (c comparison) bug(statements []string) bugzilla.Bug {
	var text strings.Builder
	fmt.Fprintf(&text, "%s serves %s, and its database has: %s. Times are in UTC.\n", c.env.Title(), c.commit, strings.Join(c.counts(), ", "))
	for _, section := range [][]bot.Part{c.sayPending(), c.sayOrphans(), c.sayTwice()} {
		for _, part := range section {
			if part.Kind == bot.Section {
				fmt.Fprintf(&text, "\n%s\n", part.Text)
			}
			for _, item := range part.Items {
				fmt.Fprintf(&text, "- %s\n", item)
			}
			if part.Left > 0 {
				fmt.Fprintf(&text, "and %d more\n", part.Left)
			}
		}
	}
	fmt.Fprintf(&text, "\nTo be run, once what the orphans did is taken back:\n%s\n", strings.Join(statements, "\n"))
	return bugzilla.Bug{Product: c.tracker.Product, Component: c.tracker.Component,
		Summary:     summaryPrefix + "put the migrations of " + c.env.Name + "'s database in order",
		Description: "```\n" + strings.ReplaceAll(text.String(), "```", "'''") + "```\n"}
}

// deletion is the statement that deletes a row, and no other one.
func deletion(r migrations.Row) string {
	return fmt.Sprintf("DELETE FROM django_migrations WHERE id = %d AND app = %s AND name = %s;", r.ID, mysql.Literal(r.App), mysql.Literal(r.Name))
}

var (
	unquoted     = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)
	unquotedYAML = regexp.MustCompile(`^[A-Za-z0-9_]+/[A-Za-z0-9_]+$`)
)

// shell is s as one word of a shell's line.
func shell(s string) string {
	if unquoted.MatchString(s) {
		return s
	}
	for _, r := range s {
		if r < ' ' || r > '~' || r == '`' || r == '\\' {
			var b strings.Builder
			for _, c := range []byte(s) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
			return "$'" + b.String() + "'"
		}
	}
	return "'" + strings.ReplaceAll(s, "'", `'"'"'`) + "'"
}

// baseline is how to have the orphans not told again.
func (c comparison) baseline() []bot.Part {
	if len(c.Orphans) == 0 {
		return nil
	}
	var lines []string
	for _, r := range c.Orphans {
		name := r.Migration.String()
		if !unquotedYAML.MatchString(name) {
			name = strings.ReplaceAll(strconv.QuoteToASCII(name), "`", `\x60`)
		}
		lines = append(lines, "- "+name)
	}
	return []bot.Part{bot.Paragraph("Those that will stay need not be told again: whoever runs me can add them to ", bot.Fixed("databases."+c.env.Name+".orphans"), " of my configuration:"),
		script(lines, "#", 2800)}
}

// script is lines to be copied, as many as there is room for; a comment says
// how many are missing.
func script(lines []string, comment string, room int) bot.Part {
	for i, l := range lines {
		if room -= len(l) + 1; room < 0 {
			lines = append(lines[:i:i], fmt.Sprintf("%s and %d more", comment, len(lines)-i))
			break
		}
	}
	return bot.Part{Kind: bot.Block, Text: bot.T(strings.Join(lines, "\n"))}
}
