package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"thbot/bot"
	"thbot/integrations/ledger"
	"thbot/integrations/slack"
)

// HistoryQuery says which operations [History] writes, and how. Its zero
// fields match everything.
type HistoryQuery struct {
	Environment string // by its name or an alias
	Person      string // id of who asked, or pressed
	Since       time.Time
	Limit       int  // the newest so many; 0: all
	JSON        bool // a line each, instead of a table
}

// record is an operation as [History] writes it. Its keys are a contract.
type record struct {
	ID      string          `json:"id"`
	Kind    string          `json:"kind"`
	About   string          `json:"about"`
	State   bot.State       `json:"state"`
	End     bot.End         `json:"end"` // empty: it is under way
	Asked   bot.Person      `json:"asked"`
	Presses []press         `json:"presses"`
	Created time.Time       `json:"created"`
	Ended   time.Time       `json:"ended,omitzero"`
	Link    string          `json:"link,omitempty"` // to its message
	Data    json.RawMessage `json:"data"`           // what it remembered, each kind its own
	Events  []event         `json:"events"`
}

type press struct {
	Person bot.Person `json:"person"`
	Verb   string     `json:"verb"`
	At     time.Time  `json:"at"`
	Roles  []bot.Role `json:"roles"` // those that were asked for, and that the person had
}

type event struct {
	At   time.Time `json:"at"`
	Who  string    `json:"who"` // a person's id; empty: the bot
	From bot.State `json:"from"`
	To   bot.State `json:"to"`
	Note string    `json:"note"`
}

// pageSize is how many operations are read at once: a bot that writes to the
// same file waits for nobody who reads slowly.
const pageSize = 200

// History writes what a ledger knows of the operations, newest first, without
// anything that looks like a credential. A bot may be using the ledger.
func History(ctx context.Context, c Config, password Secret, q HistoryQuery, w io.Writer) (err error) {
	about := ""
	if q.Environment != "" {
		if about, err = c.environment(q.Environment); err != nil {
			return err
		}
	}
	store, err := ledger.OpenReader(ctx, ledger.Options{URL: c.Ledger, Password: password.Reveal()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	out := writer(jsonLines{w})
	if !q.JSON {
		out = newTable(w)
	}
	left := q.Limit
	page := bot.History{About: about, Person: q.Person}
	seen := map[string]bool{} // ids of the moment that the page before ended in
	for {
		page.Limit = pageSize + len(seen)
		var records []record
		err := store.View(ctx, func(v bot.View) (err error) {
			records, err = read(v, page)
			return err
		})
		if err != nil {
			return err
		}
		for _, r := range records {
			if r.Created.Before(q.Since) || q.Limit > 0 && left == 0 {
				return out.end()
			}
			if seen[r.ID] {
				continue
			}
			if err := out.write(r); err != nil {
				return fmt.Errorf("writing the history: %w", err)
			}
			left--
		}
		if len(records) < page.Limit {
			return out.end()
		}
		// The next page begins with the moment in which this one ended: others
		// of that same moment may not have been on it.
		last := records[len(records)-1].Created
		page.Before = last.Add(time.Microsecond)
		clear(seen)
		for _, r := range records {
			if r.Created.Equal(last) {
				seen[r.ID] = true
			}
		}
	}
}

// environment is the name of the environment that is called so.
func (c Config) environment(called string) (string, error) {
	var known []string
	for _, e := range c.Environments {
		if e.Name == called || slices.Contains(e.Aliases, called) {
			return e.Name, nil
		}
		known = append(append(known, e.Name), e.Aliases...)
	}
	meant := ""
	if near := bot.Nearest(called, known); len(near) > 0 {
		meant = " (did you mean " + near[0] + "?)"
	}
	return "", fmt.Errorf("%q is no environment%s; the configuration has %s", called, meant, strings.Join(known, ", "))
}

func read(v bot.View, q bot.History) (records []record, err error) {
	found, err := v.History(q)
	if err != nil {
		return nil, err
	}
	for _, o := range found {
		r := record{ID: o.ID, Kind: o.Kind, About: o.About, State: o.State, End: o.End, Asked: o.Asked,
			Presses: []press{}, Created: o.Created, Data: o.Data, Events: []event{}}
		if o.End != "" {
			r.Ended = o.Entered
		}
		for _, d := range o.Presses {
			r.Presses = append(r.Presses, press{d.Person, d.Verb, d.At, append([]bot.Role{}, d.As...)})
		}
		m, err := v.Message(o.ID + "/card")
		if err != nil && !errors.Is(err, bot.ErrNotFound) {
			return nil, err
		}
		if m.ID != "" {
			r.Link = slack.Permalink(slack.AnyWorkspace, m.To.Channel, m.ID)
		}
		events, err := v.Events(o.ID)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			r.Events = append(r.Events, event{e.At, e.Who, e.From, e.To, e.Note})
		}
		records = append(records, r)
	}
	return records, nil
}

// writer writes records, one after the other.
type writer interface {
	write(record) error
	end() error
}

type jsonLines struct{ io.Writer }

func (j jsonLines) write(r record) error {
	var line strings.Builder
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false)
	if err := e.Encode(r); err != nil {
		return err
	}
	// The bot stores no credential, but people write all sorts of things.
	_, err := io.WriteString(j, redact(line.String()))
	return err
}

func (jsonLines) end() error { return nil }

type table struct{ *tabwriter.Writer }

func newTable(w io.Writer) table {
	t := table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	t.row("ASKED AT (UTC)", "WHAT", "ABOUT", "CAME TO", "ASKED", "PRESSED", "MESSAGE")
	return t
}

// row writes to a buffer, whose errors end tells.
func (t table) row(cells ...string) {
	for i, cell := range cells {
		// What would move the cursor, or end the cell, is not for a terminal.
		cells[i] = strings.Map(func(r rune) rune {
			if !unicode.IsPrint(r) {
				return ' '
			}
			return r
		}, cmp.Or(redact(cell), "-"))
	}
	_, _ = fmt.Fprintln(t, strings.Join(cells, "\t"))
}

func (t table) write(r record) error {
	var presses []string
	for _, p := range r.Presses {
		presses = append(presses, p.Verb+" "+p.Person.Name)
	}
	came := string(r.State) + " …"
	if r.End != "" {
		came = string(r.End)
	}
	t.row(r.Created.UTC().Format("2006-01-02 15:04"), r.Kind, r.About, came, r.Asked.Name, strings.Join(presses, ", "), r.Link)
	return nil
}

func (t table) end() error { return t.Flush() }
