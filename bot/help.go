package bot

import "context"

// menu is what the command word alone shows.
func (b *Bot) menu() Card {
	c := Say("What would you like to know or do?")
	row := Part{Kind: Actions}
	for _, cmd := range b.Commands {
		if cmd.Menu != "" {
			row.Buttons = append(row.Buttons, CardButton{Label: cmd.Menu, Verb: VerbSay, Value: cmd.MenuText})
		}
	}
	return c.Add(row, SmallPrint("Whatever changes something asks first. Everything I know: ", Fixed(b.Word+" help")))
}

// help lists the commands of a bot.
type help struct{ bot *Bot }

// Help is the command that explains the commands. It belongs to those that it
// explains, so it is made last.
func Help(b *Bot) Command { return Answers(help{b}) }

func (help) Info() Info {
	return Info{
		Name: "help", Does: "Explains the commands.", Who: "anyone", Examples: []string{"help", "help deploy"},
		Menu: "Help", MenuText: "help",
		Args: []Arg{{Name: "command", Doc: "a command", Example: "deploy", Optional: true}},
	}
}

func (h help) Answer(_ context.Context, r Request) (Card, error) {
	word := h.bot.Word
	if name, ok := r.Args["command"]; ok {
		c, refusal := named(word, name, h.bot.infos())
		if refusal != nil {
			return Card{}, refusal
		}
		return h.one(c), nil
	}
	c := Say("I run Treeherder's operations from ", h.bot.Room, ". Whatever changes something shows first what would happen.")
	list := Part{Kind: List}
	for _, cmd := range h.bot.infos() {
		if cmd.Unlisted {
			continue
		}
		list.Items = append(list.Items, T(Fixed(word+" "+cmd.Usage()), "  "+cmd.Does))
	}
	return c.Add(list, SmallPrint("More about one: ", Fixed(word+" help deploy"))), nil
}

func (h help) one(c Info) Card {
	card := Say(Fixed(h.bot.Word+" "+c.Usage()), "  "+c.Does)
	list := Part{Kind: List}
	for _, a := range c.Args {
		name := a.Name
		if !positional(a) || a.Form != "" {
			name = a.form()
		}
		t := T(Fixed(name), "  "+a.Doc)
		if len(a.Words) > 0 {
			t = append(append(t, Span{Text: ": "}), fixedList(a.Words)...)
		}
		list.Items = append(list.Items, t)
	}
	for _, alias := range c.Aliases {
		list.Items = append(list.Items, T("The same: ", Fixed(h.bot.Word+" "+alias)))
	}
	if len(list.Items) > 0 {
		card = card.Add(list)
	}
	t := T("Who: " + c.Who + ". For example ")
	for i, e := range c.Examples {
		if i > 0 {
			t = append(t, Span{Text: ", "})
		}
		t = append(t, Fixed(h.bot.Word+" "+e))
	}
	return card.Add(Part{Kind: Note, Text: t})
}
