package contact

import "regexp"

// Default is the pattern that is used unless the configuration has another. It
// finds, in capitals or not, and with mentions as well as plain names:
//
//	Main contact: @ana
//	cloudOps main contact: @ana | deploys: Tuesdays
//	Main contact: @ana, backup @bea              | also secondary, deputy, second contact
//	Main contact is @ana; backups: @bea and @cid | also are, now, today, this week, until …
//	Main contact (this week): @ana | Backup: @bea
//	Main contact for Treeherder – @ana / @bea    | both, in this order
//	*Main contact* → :pager: @ana
//	Primary on-call: @ana, secondary: @bea
//	Main contact: Ana Lima (@ana), backup: Bea (@bea)
//	cloudOps contact: @ana     cloudOps on-call: @ana
//	@ana (main contact), @bea (backup)
//	@ana is the main contact, @bea is the backup
//	Main contact: @cloudops-oncall               | a user group
//	Contact: @ana     On-call: @ana              | where no other words say who it is
//
// In "main contact: tbd" nobody is named. These are not taken for it:
// "sheriff: @eve", "emergency contact: @eve", "Contact for Jenkins: @eve" and
// "DB backups: @eve".
const Default = `(?i)` +
	`\b(?:` + mainLabel + `|` + opsLabel + `)` + about + link +
	`(?P<main>` + list + `)(?:[ ,;/+()–—-]*(?:and +|with +|or +)?` + backupLabel + link + `(?P<backup_next>` + list + `))?` +
	`|\b(?:` + mainLabel + `|` + opsLabel + `)(?P<main_nobody>` + nobody + `)` +
	`|` + begins + `(?:` + onCall + `|contacts?)` + link + `(?P<main_else>` + list + `)` +
	`|` + begins + backupLabel + link + `(?P<backup>` + list + `)` +
	`|(?P<main_before>` + ref + `)` + is + mainLabel + `\b` +
	`|(?P<main_bracket>` + ref + `) *\((?:the +)?` + mainLabel + note + `\)` +
	`|(?P<backup_before>` + ref + `)` + is + backupLabel + `\b` +
	`|(?P<backup_bracket>` + ref + `) *\((?:the +)?` + backupLabel + note + `\)`

const (
	onCall      = `on[ -]?call`
	mainLabel   = `(?:main|primary|first)[ -]+(?:cloud[ -]?ops[ -]+)?(?:contacts?|` + onCall + `|point of contact)`
	opsLabel    = `cloud[ -]?ops(?:['’]s?)?[ -]+(?:contacts?|` + onCall + `)`
	backupLabel = `(?:(?:back[ -]?ups?|secondary)(?:[ -]+(?:main[ -]+)?(?:contacts?|` + onCall + `))?|second[ -]+(?:contact|` + onCall + `)|deput(?:y|ies))`

	// begins is the beginning of the topic, or of a part of it.
	begins = `(?:^|[|;,•·(\n]|[.!?] )[ *_~]*`
	// about is what somebody is the contact for.
	about = `(?: +(?:for|of|at) +[\pL\pN][\pL\pN ._#/-]{0,40}?)?`
	// link is what may stand between the words and the mention, which may be in
	// brackets behind the name.
	link = `[*_~]*(?: +(?:is|are|now|currently|today|tonight|this week(?:end)?|until [\pL\pN.-]+))*` +
		`(?: *` + brackets + `)? *(?:[:=→–—-]|&gt;)*[*_~]*(?: *:[a-z0-9_+-]+:)* *(?:[\pL\pN][\pL\pN .'’-]{0,40}\( *)?`
	is       = ` +is +(?:the +|our +)?`
	note     = `[^()<>@:]{0,40}`
	brackets = `\([^()<>@|]{0,60}\)`
	// nobody is what stands where a name should.
	nobody = `(?:&(?:amp|lt|gt);|[^|;,.\n<>@]){0,40}`

	// ref is somebody, list several. A list ends with the first word that is
	// none of it, and what follows a name is no part of it but where it begins
	// with a capital, as in "@Ana Lima, @Bea Cruz", or stands in brackets.
	ref  = `(?:` + id + `|@` + word + `)`
	id   = `(?-i:<@[UW][A-Z0-9]{2,30}(?:\|[^<>|]*)?>|<!subteam\^S[A-Z0-9]{2,30}(?:\|[^<>|]*)?>)`
	list = ref + `(?:` + more + ` *(?:(?:,|/|\+|&amp;)? *(?:and |or |then )? *)` + ref + `)*`
	more = `(?: (?-i:\p{Lu}[\pL\pM._'’-]*)){0,2}(?: *` + brackets + `)?`
)

var usual = regexp.MustCompile(Default)
