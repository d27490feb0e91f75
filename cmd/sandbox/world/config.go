package world

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"thbot/integrations/bugzilla/fakebugzilla"
	"thbot/integrations/github/fakegithub"
	"thbot/integrations/jenkins/fakejenkins"
	"thbot/integrations/mysql/mariadbpair"
	"thbot/integrations/slack/fakeslack"
)

// Config is the bot's configuration for this world, as YAML.
func (w *World) Config(ledger, times string) string {
	room, _ := w.file.place(w.file.Room) // checked to be there
	var rights strings.Builder
	for _, role := range roles {
		fmt.Fprintf(&rights, "  %s: [%s]\n", role, strings.Join(w.file.groupsWith(role), ", "))
	}
	return fmt.Sprintf(`slack:
  api_url: %[1]sapi/
  channel: %[2]s
ledger: %[3]q
jenkins: {url: %[4]s}
github: {api_url: %[5]s, repository: mozilla/treeherder, infra_repository: mozilla-services/cloudops-infra}
bugzilla: {url: %[18]s}
roles:
%[6]speople: {}
contact: {backups: [%[16]s], procedure: "https://mana.example/oncall", acknowledge_within: %[17]s}
environments:
  - name: production
    aliases: [prod]
    url: %[7]s
    branch: master
    jenkins: {job: %[8]s, stage: %[9]s, commit_from: %[15]s}
    confirm: {expires: 20m}
  - name: stage
    url: %[10]s
    branch: master
    jenkins: {job: %[8]s, stage: %[11]s, commit_from: %[15]s}
    deploys: "It deploys by itself, from every push to master."
  - name: prototype
    aliases: [proto]
    url: %[12]s
    branch: prototype
    reset_to: master
    drift: 336h
    deploys: "It deploys by itself, from every push to the branch prototype; an admin of the repository can let you push there."
  - name: taskcluster-staging
    aliases: [tc]
    url: %[13]s
    branch: taskcluster-staging
    deploys: "It has its own pipeline, which I do not know."
times: {%[14]s}
%[19]s`, w.URL("slack"), room.ID, ledger, w.URL("jenkins"), w.URL("github"), rights.String(), w.URL("production"), Job, ToProd,
		w.URL("stage"), ToStage, w.URL("prototype"), w.URL("taskcluster-staging"), times, w.commitFrom(), strings.Join(w.file.idsOf(w.file.Backups), ", "), w.Answers(),
		w.URL("bugzilla"), w.databases())
}

// databases is the section of the databases that there are.
func (w *World) databases() string {
	all := w.Databases()
	if len(all) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("databases:\n")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		db := all[name]
		fmt.Fprintf(&b, `  %s:
    user: %s
    primary: {address: %s, ca: %q, server_name: %s}
    replica: {address: %s, ca: %q}
    services:
      th_admin: "Treeherder itself, until DATABASE_URL has the new password"
      redash: "the dashboards in Redash, until their owners have put it in there"
`, name, DatabaseUser, db.Primary.Address, db.CA, mariadbpair.PrimaryName, db.Address(), db.CA)
		if name == Prototype {
			fmt.Fprintf(&b, "    eligible: [%s]\n", strings.Join(w.file.groupsWith("prototype_pushers"), ", "))
		}
	}
	return b.String()
}

// Env is the environment that the bot is started with: secrets that are none.
func Env() map[string]string {
	all := map[string]string{
		"SLACK_APP_TOKEN": fakeslack.DefaultAppToken, "SLACK_BOT_TOKEN": fakeslack.DefaultBotToken,
		"JENKINS_USER": fakejenkins.User, "JENKINS_TOKEN": fakejenkins.Token, "GITHUB_TOKEN": fakegithub.Token,
		"BUGZILLA_API_KEY": fakebugzilla.Key,
	}
	for _, name := range WithDatabase {
		all["THBOT_DB_"+strings.ToUpper(name)+"_PASSWORD"] = DatabasePassword
	}
	return all
}
