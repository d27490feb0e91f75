// Package bot is the core of thbot: it understands what people type, knows who
// may do what, asks before anything happens, and carries what was decided
// through to its end, whatever dies in between. It knows nothing of Slack,
// Jenkins or SQL; others implement the interfaces it declares.
//
// A tour, in the order in which a request travels:
//
//   - parse.go turns typed text into a command and its arguments. Pure.
//   - intake.go stores a request before it is acknowledged, and judges it: a
//     command is planned, a press decides a question.
//   - rights.go says who may.
//   - kind.go and operation.go are the vocabulary: a Kind is a table of steps,
//     an Operation is a row that goes through them.
//   - runner.go works the steps: look first, then act, then look again.
//   - messages.go sends what is to be said. Messages are rows, too.
//   - reply.go holds the bot's manners.
//
// Nothing that matters is in memory: every loop takes its work from the ledger
// under a lease, so that after a crash whichever process comes by goes on.
package bot
