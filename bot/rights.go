package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// atDecision is how old an answer about rights may be when something is
// decided by it (design 4.1).
const atDecision = 10 * time.Second

// somebody looks a person up and refuses those who may change nothing, whoever
// they are: bots, deactivated people, people of other workspaces and, unless
// the command is for them too, guests. If the directory cannot say, the answer
// is no.
func (b *Bot) somebody(ctx context.Context, id string, guests bool) (Member, error) {
	m, err := b.Directory.Member(ctx, id, atDecision)
	switch {
	case errors.Is(err, ErrNotFound):
		return m, Refuse("I cannot find out who you are, so nothing was done.")
	case err != nil:
		return m, fmt.Errorf("looking up who pressed or typed: %w", err)
	case m.Bot:
		return m, Refuse("Bots cannot change anything here. Nothing was done.")
	case m.Gone:
		return m, Refuse("This account is deactivated. Nothing was done.")
	case m.Foreign:
		return m, Refuse("People of other workspaces cannot change anything here. Nothing was done.")
	case m.Guest && !guests:
		return m, Refuse("Guests cannot change anything here. Nothing was done.")
	}
	return m, nil
}

// may returns a Refusal that says who may, if person may not.
func (b *Bot) may(ctx context.Context, p Policy, person, asker string) error {
	switch {
	case p.Other && person == asker:
		return Refuse("Who asked for this cannot confirm it: the configuration wants somebody else. Nothing was done.")
	case len(p.Roles) == 0 && len(p.People) == 0 && !p.Asker, p.Asker && person == asker, slices.Contains(p.People, person):
		return nil
	}
	var titles, people []string
	for _, role := range p.Roles {
		members, err := b.members(ctx, role)
		if err != nil {
			return err
		}
		if slices.Contains(members, person) {
			return nil
		}
		titles = append(titles, role.Title())
		people = append(people, members...)
	}
	if len(p.People) > 0 {
		titles = append(titles, b.names(ctx, slices.Clone(p.People)))
	}
	if p.Asker {
		titles = append(titles, "whoever asked")
	}
	text := T("Only ", strings.Join(titles, " or "), " can do that, so nothing was done.")
	if names := b.names(ctx, people); names != "" {
		text = append(text, Span{Text: " They are " + names + "."})
	}
	return &Refusal{text}
}

// Members are the ids of a role's people.
func (b *Bot) Members(ctx context.Context, role Role) ([]string, error) { return b.members(ctx, role) }

// members are the ids of a role's people.
func (b *Bot) members(ctx context.Context, role Role) ([]string, error) {
	var ids []string
	for _, id := range b.Roles[role] {
		if !strings.HasPrefix(id, "S") {
			ids = append(ids, id)
			continue
		}
		group, err := b.Directory.Group(ctx, id, atDecision)
		if err != nil {
			return nil, fmt.Errorf("reading who is in user group %s: %w", id, err)
		}
		ids = append(ids, group...)
	}
	return ids, nil
}

// names lists people, as far as the directory knows them: it only decorates a
// refusal, so what it cannot say is left out.
func (b *Bot) names(ctx context.Context, ids []string) string {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	var names []string
	for _, id := range ids[:min(5, len(ids))] {
		if m, err := b.Directory.Member(ctx, id, time.Hour); err == nil && !m.Gone {
			names = append(names, m.Name)
		}
	}
	if more := len(ids) - 5; more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
