package handlers

import (
	"context"
	"slices"
	"strings"

	"thbot/bot"
	"thbot/integrations/mysql"
)

// list answers who has access, compared with the accounts of the servers.
func (a Access) list(ctx context.Context, r bot.Request) (plan bot.Plan[access], err error) {
	if err := r.May(ctx, bot.Policy{Roles: []bot.Role{bot.CloudOps, bot.Admins}}); err != nil {
		return plan, err
	}
	person := r.Args["person"]
	var answer bot.Card
	for _, word := range a.Words {
		if asked := r.Args["database"]; asked != "" && asked != word.Name {
			continue
		}
		parts, err := a.listOf(ctx, a.Databases[word.Name], person)
		if err != nil {
			return plan, err
		}
		answer = answer.Add(parts...)
	}
	answer.Line = bot.T("Who has access to the databases")
	return bot.Plan[access]{Answer: &answer}, nil
}

// listOf lists who has access to a database; with person, only what is theirs.
func (a Access) listOf(ctx context.Context, db Database, person string) ([]bot.Part, error) {
	// The servers are asked before the ledger: what is made meanwhile is known
	// there by then, and is not taken for a stranger's.
	primary, perr := db.Primary.Accounts(ctx)
	replica, rerr := db.Replica.Accounts(ctx)
	known := map[string]bool{}
	items := []bot.Text{}
	err := a.Ledger.View(ctx, func(v bot.View) error {
		clear(known)
		items = items[:0]
		held, err := v.Holders(accessScopes + db.Name + "/")
		if err != nil {
			return err
		}
		for _, h := range held {
			o, d, err := accessOf(v, h.Operation)
			if err != nil {
				return err
			}
			known[d.Account] = true
			if person != "" && d.For.ID != person {
				continue
			}
			t := bot.T(bot.Strong(d.For.Name), " as ", bot.Fixed(d.Account), " until ", bot.Date(d.Until), ", confirmed by "+o.Confirmed().Person.Name+": “"+d.Reason+"”")
			settled := o.State == open || o.State == closing
			switch {
			case o.State == stuck:
				t = append(t, bot.T(" ⚠ it could not be taken away")...)
			case !settled:
				t = append(t, bot.T(" (being made or taken away)")...)
			case perr == nil && !has(primary, d.Account):
				t = append(t, bot.T(" ⚠ the primary has no such account: revoke it, and grant it anew")...)
			case perr == nil && rerr == nil && !has(replica, d.Account):
				t = append(t, bot.T(" ⚠ the replica has no such account yet")...)
			}
			items = append(items, t)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	parts := []bot.Part{bot.Paragraph(bot.Strong(title(db.Name)), ": "+bot.Count(len(items), "person has access", "people have access"))}
	if len(items) > 0 {
		parts = append(parts, bot.Part{Kind: bot.List, Items: items})
	}
	for _, at := range []struct {
		name     string
		accounts []mysql.Account
		err      error
	}{{"primary", primary, perr}, {"replica", replica, rerr}} {
		if at.err != nil {
			parts = append(parts, bot.Paragraph("⚠ The "+at.name+" of "+db.Name+" does not say which accounts it has, so this is not compared with it."))
			continue
		}
		if person == "" {
			parts = append(parts, strangers(at.name, at.accounts, primary, known)...)
		}
	}
	return parts, nil
}

// strangers are the accounts of a server that are nobody's here. What is on the
// primary is on the replica too, and is said once.
func strangers(server string, accounts, primary []mysql.Account, known map[string]bool) []bot.Part {
	var names []string
	for _, account := range accounts {
		if !known[account.Name] && (server == "primary" || !has(primary, account.Name)) {
			names = append(names, account.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return []bot.Part{bot.Paragraph("⚠ The "+server+" has accounts that nobody has from me: ", bot.Fixed(strings.Join(slices.Compact(names), ", ")),
		". If nobody uses them, drop them there.")}
}

func has(accounts []mysql.Account, name string) bool {
	return slices.ContainsFunc(accounts, func(a mysql.Account) bool { return a.Name == name })
}
