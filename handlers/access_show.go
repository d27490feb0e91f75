package handlers

import (
	"context"
	"encoding/pem"
	"errors"
	"time"

	"thbot/bot"
	"thbot/integrations/mysql"
)

// awaitReplica is how long a password is tried at the replica while somebody
// looks at a window that says to wait.
const awaitReplica = 12 * time.Second

// show sets a new password, tries it at the replica as its owner will, and
// shows it. It is nowhere but in the window.
func (a Access) show(ctx context.Context, o bot.Operation, d *access, _ bot.Person) (bot.Shown, error) {
	db := a.Databases[d.Database]
	primary, err := db.Primary.Identity(ctx)
	if err != nil {
		return bot.Shown{}, err
	}
	password := mysql.NewPassword()
	shown := bot.Shown{Void: func(ctx context.Context) error { return db.Primary.SetPassword(ctx, d.Account, mysql.NewPassword()) }}
	if err := db.Primary.SetPassword(ctx, d.Account, password); err != nil {
		return shown, err
	}
	trying, done := context.WithTimeout(ctx, awaitReplica)
	defer done()
	switch _, err := db.Replica.Await(trying, d.Account, password, primary); {
	case errors.Is(err, mysql.ErrNotYet):
		return shown, bot.Refuse("The replica does not know your new password yet, since it lags behind. What you were shown before does not work any more. Close this and press the button again in a minute.")
	case err != nil:
		return shown, err
	}
	d.Shown = o.Now
	shown.Card = credentials(db, d.Account, password)
	return shown, nil
}

// credentials is what somebody needs to log in: of the replica, and nothing of
// the primary.
func credentials(db Database, account string, p mysql.Password) bot.Card {
	mode, workbench := "VERIFY_CA", "Require and Verify CA"
	var sure string
	switch {
	case db.Instance != "":
		sure = "its certificate has no host's name, so clients check only who signed it"
	case db.ServerName != "" && db.ServerName != db.Host:
		sure = "its certificate is for " + db.ServerName + ", so clients check only who signed it"
	default:
		mode, workbench, sure = "VERIFY_IDENTITY", "Require and Verify Identity", "its certificate has its name"
	}
	file := "treeherder-" + db.Name + "-ca.pem"
	if db.CA == "" {
		file = "/etc/ssl/certs/ca-certificates.crt"
	}
	c := bot.Card{Line: bot.T("Your credentials"), Parts: []bot.Part{
		bot.Paragraph("They are shown this once and kept nowhere: copy the password to your password manager now. An earlier one does not work any more."),
		{Kind: bot.Block, Text: bot.T("host      " + db.Host + "\nport      " + db.Port + "\ndatabase  " + mysql.Database + "\naccount   " + account + "\npassword  " + p.Reveal())},
		bot.Paragraph("This is the replica of " + db.Name + ", which can only be read. It takes connections with TLS alone; " + sure + "."),
		bot.Paragraph(bot.Strong("mysql"), " asks for the password:"),
		{Kind: bot.Block, Text: bot.T("mysql --host=" + db.Host + " --port=" + db.Port + " --user=" + account + " --password \\\n  --ssl-mode=" + mode + " --ssl-ca=" + file + " " + mysql.Database)},
		bot.SmallPrint("MariaDB's client takes ", bot.Fixed("--ssl-verify-server-cert"), " instead of ", bot.Fixed("--ssl-mode"), "."),
		bot.Paragraph(bot.Strong("Workbench:"), " connection method “Standard (TCP/IP)”; in the tab SSL, Use SSL: “"+workbench+"”, SSL CA File: ", bot.Fixed(file), "."),
		bot.Paragraph(bot.Strong("ReDash:"), " a data source of type MySQL with the host, port, account and database from above; Use SSL: on; path to the CA: ", bot.Fixed(file), "."),
	}}
	if db.CA == "" {
		return c
	}
	c = c.Add(bot.Paragraph("Save this as ", bot.Fixed(file), ":"))
	for block, rest := pem.Decode([]byte(db.CA)); block != nil; block, rest = pem.Decode(rest) {
		c = c.Add(bot.Part{Kind: bot.Block, Text: bot.T(string(pem.EncodeToMemory(block)))})
	}
	return c
}
