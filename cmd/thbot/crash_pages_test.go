package main

const nora = "U0NORA" // new, and not in any role

// pages are scenarios of paging people.
var pages = []scenario{
	{
		name: "page", pace: swift,
		acts: []act{
			connected,
			{who: nora, say: "/th page the site is down", reads: "Page cleo?"},
			{who: nora, press: "Page now", on: "Page cleo?", alone: true, reads: "nora pages cleo"},
			{who: cleo, press: "I'm on it", on: "nora pages cleo", reads: "cleo is on it: “the site is down”"},
			{who: nora, press: "Resolved", on: "*cleo is on it*", reads: "✔ Resolved after"},
			{who: nora, reads: "*Resolved*"},
		},
		from: 1, to: 5,
		comes: []number{messages("cards", 1, "nora pages cleo*", "*cleo is on it*", "*Resolved*"), messages("calls here", 1, "nora pages you"),
			posted("@nora cleo is on it"), posted("✔ Resolved after"), paged(cleo, 1), paged(bob, 0)},
		least: 40, blind: true,
	},
	{
		// Cleo cannot, so bob is called, and cleo no more.
		name: "page the next", pace: swift,
		acts: []act{
			connected,
			{who: nora, say: "/th page the site is down", reads: "Page cleo?"},
			{who: nora, press: "Page now", on: "Page cleo?", alone: true, reads: "nora pages cleo"},
			{who: cleo, press: "Can't, next", on: "nora pages cleo", reads: "nora pages bob"},
			{who: bob, press: "I'm on it", on: "nora pages bob", reads: "bob is on it: “the site is down”"},
			{who: nora, reads: "*bob is on it*"},
		},
		from: 3, to: 5,
		comes: []number{messages("cards", 1, "nora pages cleo*", "nora pages bob*", "*bob is on it*"), atMost(2, messages("calls here", 2, "nora pages you")),
			posted("@nora bob is on it"), paged(cleo, 1), atMost(1, paged(bob, 1))},
		least: 40,
	},
	{
		// Nobody answers in time, so the next is called by itself.
		name: "page escalates", pace: swift, config: []string{"acknowledge_within: 5m", "acknowledge_within: 6s"},
		acts: []act{
			connected,
			{who: nora, say: "/th page the site is down", reads: "Page cleo?"},
			{who: nora, press: "Page now", on: "Page cleo?", alone: true, reads: "nora pages cleo"},
			{who: bob, press: "I'm on it", on: "nora pages bob", reads: "bob is on it: “the site is down”"},
			{who: nora, reads: "*bob is on it*"},
		},
		from: 2, to: 4,
		comes: []number{messages("cards", 1, "nora pages cleo*", "nora pages bob*", "*bob is on it*"), atMost(2, messages("calls here", 2, "nora pages you")),
			posted("@nora bob is on it"), paged(cleo, 1), atMost(1, paged(bob, 1))},
		least: 40,
	},
}

// paged is how often somebody was called directly.
func paged(who string, want int) number {
	n := directly(who, "pages you", want)
	n.what = "times " + who + " was paged"
	return n
}

// atMost is n where less is right, too: who answers at once is not called any more.
func atMost(most int, n number) number {
	count := n.count
	n.count = func(p *play) int {
		if is := count(p); is > most {
			return is
		}
		return most
	}
	n.want = most
	return n
}
