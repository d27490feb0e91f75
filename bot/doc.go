// Package bot is the core of thbot: it understands what people type, knows who
// may do what, asks before anything happens, and carries what was decided
// through to its end, whatever dies in between. It knows nothing of Slack,
// Jenkins or SQL; others implement the interfaces it declares.
//
// A tour, in the order in which a request travels:
//
//   - intake.go takes a request: it answers at once, or stores it before it is
//     acknowledged and judges it then. A command is planned.
//   - parse.go turns typed text into a command and its arguments, which args.go
//     describes. Pure.
//   - help.go explains the commands, and is one itself.
//   - people.go and rights.go say who may.
//   - kind.go and operation.go are the vocabulary: a Kind is a table of steps,
//     an Operation is a row that goes through them.
//   - decide.go judges a press on a question: one winner, in one transaction.
//   - runner.go works the steps: look first, then act, then look again.
//   - modal.go opens forms and takes what is filled in; show.go shows one person
//     what is never stored.
//   - card.go is what a message says, and messages.go sends it. Messages are
//     rows, too.
//   - reply.go holds the bot's manners.
//   - bot.go starts and ends the loops that do all this; ledger.go and chat.go
//     are what they need.
//
// Nothing that matters is in memory: every loop takes its work from the ledger
// under a lease, so that after a crash whichever process comes by goes on.
package bot
