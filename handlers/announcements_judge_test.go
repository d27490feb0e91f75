package handlers_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"thbot/cmd/sandbox/world"
	"thbot/integrations/slack/fakeslack"
)

// said is what a message tells of one run and one environment.
type said struct {
	run         int // 0: it does not say
	commit      string
	environment string
	came        bool // it was deployed
	at          time.Time
	text        string
}

// What messages say; the first line of each, as people read it.
var (
	aStage    = regexp.MustCompile("^\\*Stage (?:is on|got)\\* `([0-9a-f]{7})`")
	aProd     = regexp.MustCompile("^✔ Production (?:is now on|got) `([0-9a-f]{7})`")
	noStage   = regexp.MustCompile(`^\*✘ The deploy of ([0-9a-f]{7}) to stage did not come out\*`)
	noProd    = regexp.MustCompile("^✘ The (?:deploy|promotion) of `([0-9a-f]{7})` to production did not come out")
	prodCard  = regexp.MustCompile(`^\*(?:Production (?:is on|got)\* |✘ The deploy of [0-9a-f]{7} to production did not|Promotion to production did not)`)
	going     = regexp.MustCompile(`^\*Promoting ([0-9a-f]{7}) to production\*`)
	manyRuns  = regexp.MustCompile(`^While I did not watch, (?:\d+ runs? of .* ended|there were more runs)`)
	oneOfMany = regexp.MustCompile("^Run (\\d+) of `([0-9a-f]{7})` ended with (\\w+)")
	unseen    = regexp.MustCompile(`^I know nothing of what came before these, runs (\d+) to (\d+)`)
	ofRun     = regexp.MustCompile(`(?:[Rr]un )(\d+)`)
	other     = regexp.MustCompile(`^(?:The end of the log:|\*Promote to production\?\*|\*Promotion to production (?:cancelled|not confirmed)|\*I did not promote|✘ I did not promote|` +
		`⚠ |Jenkins answers again|\*Promote to production\*)`)
)

// account is what the channel was told.
type account struct {
	all    []said
	listed map[int]string // runs that a message about many lists, and their results
	lost   map[int]bool   // runs of which a message says that nothing is known
}

func (p *playing) heard() account {
	told := account{listed: map[int]string{}, lost: map[int]bool{}}
	for _, m := range p.Slack.Messages("U0ANA", world.Channel) {
		if m.Ephemeral || m.User != fakeslack.BotUser {
			continue
		}
		seconds, _, _ := strings.Cut(m.TS, ".")
		at, _ := strconv.ParseInt(seconds, 10, 64)
		note := func(environment string, came bool, commit string) {
			one := said{environment: environment, came: came, commit: commit, at: time.Unix(at, 0), text: m.Plain}
			own, _, _ := strings.Cut(m.Plain, ", and then `")
			if found := ofRun.FindStringSubmatch(own); found != nil {
				one.run, _ = strconv.Atoi(found[1])
			}
			told.all = append(told.all, one)
		}
		line, rest, _ := strings.Cut(m.Plain, "\n")
		if found := aStage.FindStringSubmatch(line); found != nil {
			note("stage", true, found[1])
		} else if found := noStage.FindStringSubmatch(line); found != nil {
			note("stage", false, found[1])
		} else if found := aProd.FindStringSubmatch(line); found != nil {
			note("production", true, found[1])
		} else if found := noProd.FindStringSubmatch(line); found != nil {
			note("production", false, found[1])
		} else if manyRuns.MatchString(line) {
			for item := range strings.Lines(rest) {
				item = strings.TrimLeft(strings.TrimSpace(item), "• ")
				if found := oneOfMany.FindStringSubmatch(item); found != nil {
					run, _ := strconv.Atoi(found[1])
					if told.listed[run] != "" {
						p.t.Errorf("run %d is listed twice", run)
					}
					told.listed[run] = found[2] + " " + found[3]
				} else if found := unseen.FindStringSubmatch(item); found != nil {
					first, _ := strconv.Atoi(found[1])
					last, _ := strconv.Atoi(found[2])
					for run := first; run <= last; run++ {
						told.lost[run] = true
					}
				} else {
					p.t.Errorf("a list of runs has the line %q", item)
				}
			}
		} else if going.MatchString(line) {
			p.t.Errorf("a message was left saying %q", m.Plain)
		} else if !prodCard.MatchString(line) && !other.MatchString(line) {
			p.t.Errorf("nobody knows what this message means: %q", m.Plain)
		}
	}
	return told
}

// happened is what became of one run, by the journal of Jenkins.
type happened struct {
	commit    string
	result    string
	proceeded string               // by whom
	ended     map[string]string    // the status of each stage that is over
	at        map[string]time.Time // when that was
	fate      played
}

func (p *playing) truth() map[int]*happened {
	runs := map[int]*happened{}
	for _, f := range p.fates {
		runs[f.run] = &happened{commit: f.commit[:7], ended: map[string]string{}, at: map[string]time.Time{}, fate: f}
	}
	for _, e := range p.Jenkins.Journal() {
		h := runs[e.Run]
		if h == nil {
			continue // it was there before
		}
		switch what, how, _ := strings.Cut(e.What, " "); what {
		case "stage":
			h.ended[e.On], h.at[e.On] = how, e.At
		case "ended":
			h.result = how
		case "proceeded":
			h.proceeded = e.Who
		}
	}
	return runs
}

// judge compares what the channel was told with what happened.
func (p *playing) judge() {
	told, runs := p.heard(), p.truth()
	counts := map[string]int{}
	for run, h := range runs {
		for _, environment := range []string{"stage", "production"} {
			want, came := h.outcome(environment)
			var got []said
			for _, s := range told.all {
				if s.commit == h.commit && s.environment == environment {
					got = append(got, s)
				}
			}
			result, listed := told.listed[run]
			wrong := ""
			switch {
			case listed && result != h.commit+" "+h.result:
				wrong = "listed as " + result + ", and it is " + h.result
			case listed && len(got) > 0:
				wrong = "told by itself, too"
			case (listed || told.lost[run]) && len(got) == 0:
				counts["told with others"]++
				continue
			case !want && len(got) == 0:
				continue
			case len(got) == 0:
				wrong = "never told"
			case !want:
				wrong = "told, and it did not happen"
			case len(got) > 1:
				wrong = fmt.Sprintf("told %d times", len(got))
			case environment == "production" && h.fate.reverted && strings.HasPrefix(got[0].text, "✔ Production got"):
				counts["overtaken"]++
				continue
			case got[0].came != came:
				wrong = "told the wrong way round"
			case got[0].run != 0 && got[0].run != run:
				wrong = fmt.Sprintf("told of run %d", got[0].run)
			case came && got[0].at.Before(h.at[map[string]string{"stage": world.ToStage, "production": world.ToProd}[environment]].Truncate(time.Second)):
				wrong = "told before it was so"
			}
			if wrong == "" {
				counts[fmt.Sprintf("%s %t", environment, came)]++
				continue
			}
			var texts []string
			for _, s := range got {
				texts = append(texts, s.at.UTC().Format("15:04:05")+" "+s.text)
			}
			p.t.Errorf("%s of run %d (%s, %s; %v, proceeded by %q): %s\n%s", environment, run, h.commit, h.fate.name, h.story(), h.proceeded, wrong, strings.Join(texts, "\n"))
		}
	}
	for _, s := range told.all {
		if !slices.ContainsFunc(p.fates, func(f played) bool { return f.commit[:7] == s.commit }) {
			p.t.Errorf("told of what was there before: %s", s.text)
		}
	}
	p.t.Logf("told: %v", counts)
}

// outcome is whether there is something to tell of an environment, and what.
func (h *happened) outcome(environment string) (tell, came bool) {
	if environment == "production" {
		return h.proceeded != "" && h.ended[world.ToProd] != "", h.ended[world.ToProd] == "SUCCESS" && !h.fate.reverted
	}
	switch status := h.ended[world.ToStage]; {
	case status != "":
		return true, status == "SUCCESS"
	default:
		return h.ended[world.Build] == "FAILED", false
	}
}

func (h *happened) story() string {
	var all []string
	for _, name := range world.Stages {
		if h.ended[name] != "" {
			all = append(all, h.at[name].UTC().Format("15:04:05")+" "+name+" "+h.ended[name])
		}
	}
	return strings.Join(append(all, h.result), ", ")
}
