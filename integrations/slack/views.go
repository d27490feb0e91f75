package slack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
	"go.uber.org/zap"

	"thbot/bot"
)

// Limits of modals and what stands in them (docs.slack.dev, "Modals" and the
// references of views, the input block and its elements).
const (
	maxViewBlocks  = 100
	maxViewTitle   = 24 // and its buttons' labels
	maxMetadata    = 3000
	maxCallback    = 255
	maxFieldLabel  = 2000 // and hint
	maxPlaceholder = 150
	maxInput       = 3000
	maxOptions     = 100
	maxOption      = 75 // its label
	maxOptionValue = 150
	// maxComplaint bounds what stands below a field; Slack names no limit.
	maxComplaint = 300
)

// formID is the callback id of our forms, of which there is one sort: the
// private metadata says which command it is for.
const formID = "thbot-form"

// OpenModal shows m to the person whose command or press brought trigger.
func (c *Client) OpenModal(ctx context.Context, trigger string, m bot.Modal) (string, error) {
	view, err := modal(m)
	if err != nil {
		return "", fmt.Errorf("opening a modal: %w", err)
	}
	opened, err := c.api.OpenViewContext(ctx, trigger, view)
	if err == nil && opened.ID == "" {
		err = errNoID
	}
	if err != nil {
		return "", c.failed("opening a modal", err)
	}
	return opened.ID, nil
}

// UpdateModal replaces what a modal shows.
func (c *Client) UpdateModal(ctx context.Context, id string, m bot.Modal) error {
	view, err := modal(m)
	if err != nil {
		return fmt.Errorf("updating a modal: %w", err)
	}
	_, err = c.api.UpdateViewContext(ctx, view, "", "", id)
	var no slack.SlackErrorResponse
	if errors.As(err, &no) {
		no.ResponseMetadata.Messages = nil // they may quote what it says, and would be logged
		err = no
	}
	return c.failed("updating a modal", err)
}

// modal is m in Block Kit, which Slack accepts. It is an error if it cannot be
// made to fit without meaning something else.
func modal(m bot.Modal) (slack.ModalViewRequest, error) {
	r := renderer{left: maxTotal, used: map[string]bool{}}
	for _, p := range m.Parts {
		if p.Kind != bot.Actions {
			r.part(p)
		}
	}
	if len(r.blocks) == 0 && len(m.Fields) == 0 {
		r.blocks = append(r.blocks, section("…"))
	}
	view := slack.ModalViewRequest{
		Type:   slack.VTModal,
		Title:  label(m.Title, "One moment", maxViewTitle),
		Close:  label("Close", "", maxViewTitle),
		Blocks: slack.Blocks{BlockSet: name(r.fitting())},
	}
	if len(m.Fields) == 0 {
		return view, nil
	}
	for i, f := range m.Fields {
		b, err := input(f)
		if slices.ContainsFunc(m.Fields[:i], func(other bot.Field) bool { return other.Name == f.Name }) {
			err = errors.New("there are two of that name")
		}
		if err != nil {
			return view, fmt.Errorf("field %q: %w", f.Name, err)
		}
		view.Blocks.BlockSet = append(view.Blocks.BlockSet, b)
	}
	switch {
	case len(view.Blocks.BlockSet) > maxViewBlocks:
		return view, fmt.Errorf("%d blocks are too many", len(view.Blocks.BlockSet))
	case units(m.Command) > maxMetadata:
		return view, errors.New("the command is too long to come back with it")
	}
	view.Submit, view.Close = label(m.Submit, "Send", maxViewTitle), label("Cancel", "", maxViewTitle)
	view.CallbackID, view.PrivateMetadata = formID, m.Command
	return view, nil
}

// label is a text object of one line, of which there has to be something.
func label(s, or string, limit int) *slack.TextBlockObject {
	if strings.TrimSpace(clean(s, true)) == "" {
		s = or
	}
	return literal(s, limit, true)
}

// optional is a text object, or none of what shows nothing.
func optional(s string, limit int) *slack.TextBlockObject {
	if strings.TrimSpace(clean(s, true)) == "" {
		return nil
	}
	return literal(s, limit, true)
}

// input is a field, whose name is the id of its block and of the only element
// in that.
func input(f bot.Field) (slack.Block, error) {
	// A block's id keeps fields apart, and our own begin with the prefix.
	if f.Name == "" || units(f.Name) > maxCallback || strings.HasPrefix(f.Name, blockPrefix) {
		return nil, errors.New("that is no name for a field")
	}
	var element slack.BlockElement
	placeholder := optional(f.Placeholder, maxPlaceholder)
	switch {
	case f.Person:
		e := slack.NewOptionsSelectBlockElement(slack.OptTypeUser, placeholder, f.Name)
		e.InitialUser = f.Initial
		element = e
	case len(f.Options) > 0:
		e := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, placeholder, f.Name)
		for _, o := range f.Options {
			if o.Value == "" || units(o.Value) > maxOptionValue || slices.ContainsFunc(e.Options, func(other *slack.OptionBlockObject) bool { return other.Value == o.Value }) {
				return nil, fmt.Errorf("%q is no value for an option", cut(o.Value, 40))
			}
			e.Options = append(e.Options, slack.NewOptionBlockObject(o.Value, label(o.Label, o.Value, maxOption), nil))
			if o.Value == f.Initial {
				e.InitialOption = e.Options[len(e.Options)-1]
			}
		}
		if len(e.Options) > maxOptions {
			return nil, fmt.Errorf("%d options are too many", len(e.Options))
		}
		element = e
	default:
		e := slack.NewPlainTextInputBlockElement(placeholder, f.Name)
		e.Multiline, e.MaxLength = f.Long, maxInput
		if f.Most > 0 {
			e.MaxLength = min(f.Most, maxInput)
		}
		e.InitialValue = cut(f.Initial, e.MaxLength)
		element = e
	}
	b := slack.NewInputBlock(f.Name, label(f.Label, f.Name, maxFieldLabel), optional(f.Hint, maxFieldLabel), element)
	b.Optional = f.Optional
	return b, nil
}

// submission returns what to acknowledge a filled-in form with, and whether to.
// Nothing of what was filled in is logged.
func (d *desk) submission(ctx context.Context, in slack.InteractionCallback, envelope socketmode.Request) (payload any, ok bool) {
	s := bot.Submission{Key: submissionKey(in, envelope), Person: in.User.ID, Values: map[string]string{}}
	if in.View.CallbackID == formID {
		s.Command = in.View.PrivateMetadata
	}
	if in.View.State != nil {
		for field, elements := range in.View.State.Values {
			for _, e := range elements { // there is one
				s.Values[field] = filled(e)
			}
		}
	}
	no, err := d.receiver.Submit(ctx, s)
	switch {
	case err != nil:
		d.log.Error("a submission was not stored; Slack tells the person", zap.String("key", s.Key), zap.String("person", s.Person),
			zap.Error(err), zap.String("ref", reference()))
		return nil, false
	case no == nil:
		return nil, true // which closes it
	case no.Instead != nil || len(s.Values) == 0:
		if no.Instead == nil { // there is no field below which something could stand
			no.Instead = &bot.Modal{Title: "Nothing was done", Parts: []bot.Part{bot.Paragraph("This form cannot be taken. Send the command again.")}}
		}
		view, err := modal(*no.Instead)
		if err != nil {
			d.log.Error("showing something in a form's place", zap.Error(err))
			return nil, true
		}
		return slack.NewUpdateViewSubmissionResponse(&view), true
	}
	return slack.NewErrorsViewSubmissionResponse(complaints(no.Wrong, s.Values)), true
}

// filled is the value of an element, empty if nothing was filled in.
func filled(e slack.BlockAction) string {
	switch string(e.Type) {
	case slack.OptTypeStatic:
		return e.SelectedOption.Value
	case slack.OptTypeUser:
		return e.SelectedUser
	}
	return e.Value
}

// complaints are the errors below fields. Slack takes none of them if one names
// a field that is not there, so those stand below the first one together.
func complaints(wrong, fields map[string]string) map[string]string {
	below := map[string]string{}
	for _, field := range slices.Sorted(maps.Keys(wrong)) {
		text := complaint(wrong[field])
		if _, there := fields[field]; !there {
			field = slices.Min(slices.Collect(maps.Keys(fields)))
		}
		below[field] = cut(strings.TrimSpace(below[field]+" "+text), maxComplaint)
	}
	return below
}

func complaint(text string) string {
	if text = strings.TrimSpace(clean(text, true)); text == "" {
		text = "This cannot be taken."
	}
	return text
}

// submissionKey is what Slack calls this very submission: each version of a
// view has a hash of its own.
func submissionKey(in slack.InteractionCallback, envelope socketmode.Request) string {
	if in.View.ID == "" || in.View.Hash == "" {
		return requestKey(in.Team.ID, "", envelope)
	}
	return in.Team.ID + ":" + in.View.ID + ":" + in.View.Hash
}
