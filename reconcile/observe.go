// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/m365"
)

// Key names a session, a token or an activity in 16 bytes.
type Key [16]byte

// Kind is a kind of acts that several channels show.
type Kind int

// The kinds.
const (
	SignIns Kind = iota
	DirectoryAudits
	AuditRecords // all others of the unified audit log
	kinds
)

// Channel is a way by which records come.
type Channel int

// The channels that are held against each other.
const (
	Unified    Channel = iota // the unified audit log
	Graph                     // Microsoft Graph
	Diagnostic                // a diagnostic setting of Entra ID
	CloudApps                 // the table CloudAppEvents of Defender XDR, whose rows carry records of the unified audit log
	channels
)

func (c Channel) String() string {
	return [...]string{"unified audit log", "Microsoft Graph", "diagnostic setting", "CloudAppEvents table"}[c]
}

func (k Kind) String() string { return [...]string{"sign-ins", "directory audits", "audit records"}[k] }

// CloudAppEvents is the category of the rows of that table, and stands for the streams that have them: a hub may have any name.
const CloudAppEvents = "AdvancedHunting-CloudAppEvents"

// shows says which streams show a kind of acts in a channel; of a diagnostic setting they are what
// the receiver calls them.
var shows = [kinds][channels][]string{
	SignIns:         {Unified: {"Audit.AzureActiveDirectory"}, Graph: {"signIns", "signIns.nonInteractiveUser"}, CloudApps: {CloudAppEvents}},
	DirectoryAudits: {Unified: {"Audit.AzureActiveDirectory"}, Graph: {"directoryAudits"}, CloudApps: {CloudAppEvents}},
	AuditRecords: {
		Unified: {"Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General", "DLP.All"}, CloudApps: {CloudAppEvents},
	},
}

// owes says that what one channel shows another must show as well. The unified audit log does not owe sign-ins that Entra's own log has: it has the logons
// of people at the security token service and fewer of those that nobody notices, of applications none
// (Microsoft Entra's own logs "are the primary source of sign-ins"; its records are thinner and fewer). Everything that it
// has, Entra's own log has. CloudAppEvents owes what the unified audit log has, and nothing else; see [learned].
func owes(k Kind, shown, other Channel) bool {
	switch {
	case shown == other:
		return false
	case other == CloudApps:
		return shown == Unified
	}
	return k != SignIns || other != Unified || shown == CloudApps
}

// learned says that only records tell which operations a channel owes, and in which stream: rows of CloudAppEvents are of the
// workloads that somebody has connected to Defender for Cloud Apps
// (https://learn.microsoft.com/defender-cloud-apps/protect-office-365), and there may be users that are left out. A channel owes an operation from the hour
// after the first in which it has shown all that its partner has.
func learned(k Kind, c Channel) bool { return c == CloudApps || c == Unified && k != DirectoryAudits }

// partner is what a channel is held against to learn what it owes.
func partner(c Channel) Channel {
	if c == CloudApps {
		return Unified
	}
	return CloudApps
}

// facts are what a record says that concerns us.
type facts struct {
	at int64 // milliseconds

	issued []Key // sessions and tokens that it gave out

	use     *use
	channel Channel
	kind    Kind
	op      string // of an act that other channels show; empty: none
	key     Key    // of the act

	switches []change
}

// use is a session or a token in use.
type use struct {
	key, session Key
	issued       int64 // milliseconds; 0: not said
	app          bool  // an application by itself
	about        About
}

// About says who used a session or token, in the words of a record.
type About struct {
	User    string `json:"user,omitempty"` // name or object id
	App     string `json:"app,omitempty"`  // application id
	Session string `json:"session,omitempty"`
	Token   string `json:"token,omitempty"`
	Address string `json:"address,omitempty"`
}

// change is that the recording of a subject goes off, or on.
type change struct {
	reason, subject string
	off             bool
}

// observer reads facts. It reuses its memory: they are good until the next call.
type observer struct {
	records bool // audit records are acts, too
	tape    jsontape.Tape
	f       facts
	use     use
}

// The families of records that are looked at.
const (
	unifiedFamily    event.Family = "m365"
	signInFamily     event.Family = "entra-signin"
	auditFamily      event.Family = "entra-audit"
	diagnosticFamily event.Family = "entra-diagnostic"
	huntingFamily    event.Family = "defender-hunting"
)

// concerns reports whether records of a family are looked at.
func concerns(f event.Family) bool {
	return f == unifiedFamily || f == signInFamily || f == auditFamily || f == diagnosticFamily || f == huntingFamily
}

var cloudAppEvents = []byte(CloudAppEvents)

// observe reads the facts of a record that happened at a moment.
func (o *observer) observe(raw []byte, family event.Family, ns int64) *facts {
	o.f = facts{at: ns / 1e6, issued: o.f.issued[:0], switches: o.f.switches[:0]}
	if family == huntingFamily && !bytes.Contains(raw, cloudAppEvents) { // of another table, of which there may be very many
		return &o.f
	}
	if ns <= 0 || o.tape.Parse(raw) != nil {
		return &o.f
	}
	root := o.tape.Root()
	switch family {
	case unifiedFamily:
		o.unified(root, Unified)
	case signInFamily:
		o.signIn(root, Graph)
	case auditFamily:
		o.audit(root, root, family, Graph)
	case diagnosticFamily:
		o.diagnostic(root)
	case huntingFamily:
		o.row(root)
	}
	return &o.f
}

// Record types of the unified audit log (MicrosoftDocs/office-365-management-api: AuditLogRecordType).
const (
	typeExchangeAdmin = 1
	typeDirectory     = 8
	typeLogon         = 15
	typeMailAccess    = 50
)

func (o *observer) unified(root jsontape.Value, c Channel) {
	typ, _ := root.Get("RecordType").Int()
	switch typ {
	case typeLogon:
		o.logon(root, c)
	case typeDirectory:
		o.audit(root, root, unifiedFamily, c)
	case typeMailAccess:
		o.mailAccess(root)
	case typeExchangeAdmin:
		o.cmdlet(root)
	}
	if o.f.op == "" && o.records {
		o.record(root, c)
	}
	if c := root.Get("AppAccessContext"); c.Kind() == jsontape.Object {
		o.context(root, c)
	}
	o.truncated(root)
}

// row is of a table of advanced hunting. One of CloudAppEvents says what the record says that it carries, if it is one of the
// unified audit log.
func (o *observer) row(root jsontape.Value) {
	raw := root.Path("properties", "RawEventData")
	if string(root.Get("category").Str()) != CloudAppEvents || raw.Kind() != jsontape.Object || !m365.Detect(raw) {
		return
	}
	if ns, ok := field.Time(raw.Get("CreationTime").Str()); ok && ns > 0 { // so that both are of one hour
		o.f.at = ns / 1e6
	}
	o.unified(raw, CloudApps)
}

// record is of neither a logon nor the directory: its id is the same in both channels. Operations have the same name in several
// workloads.
func (o *observer) record(root jsontape.Value, c Channel) {
	id, op := root.Get("Id").Str(), text(root.Get("Operation"))
	if workload := text(root.Get("Workload")); workload != "" && op != "" {
		op = workload + " " + op
	}
	if keyOf(string(id)) != (Key{}) && len(op) <= act.MaxName {
		o.name(unifiedFamily, id, c, AuditRecords, op)
	}
}

// logon is of the security token service.
func (o *observer) logon(root jsontape.Value, c Channel) {
	op := string(root.Get("Operation").Str())
	if op != "UserLoggedIn" && op != "UserLoginFailed" {
		return
	}
	o.act(root, unifiedFamily, c, SignIns, op)
	if op != "UserLoggedIn" {
		return
	}
	o.gave(root.Get("Id").Str())
	o.gave(root.Get("IntraSystemId").Str())
	for p := root.Get("DeviceProperties").First(); p.Exists(); p = p.Next() {
		if string(p.Get("Name").Str()) == "SessionId" {
			o.gave(p.Get("Value").Str())
		}
	}
}

// signIn is a signIn object.
func (o *observer) signIn(p jsontape.Value, c Channel) {
	code, _ := p.Path("status", "errorCode").Int()
	op := "UserLoggedIn"
	if code != 0 {
		op = "UserLoginFailed"
	}
	if len(p.Get("userId").Str()) > 0 { // what applications do by themselves only Entra's own logs show
		o.name(signInFamily, p.Get("id").Str(), c, SignIns, op)
	}
	if code == 0 {
		o.gave(p.Get("id").Str())
		o.gave(p.Get("uniqueTokenIdentifier").Str())
		o.gave(p.Get("sessionId").Str())
	}
}

// diagnostic is an object in the envelope of Azure Monitor.
func (o *observer) diagnostic(root jsontape.Value) {
	category, p := root.Get("category").Str(), root.Get("properties")
	switch {
	case hasSuffixFold(category, "signinlogs"):
		o.signIn(p, Diagnostic)
	case bytes.EqualFold(category, []byte("AuditLogs")):
		o.audit(root, p, diagnosticFamily, Diagnostic)
	case bytes.EqualFold(category, []byte("MicrosoftGraphActivityLogs")):
		o.graphActivity(p)
	}
}

func hasSuffixFold(s []byte, suffix string) bool {
	return len(s) >= len(suffix) && strings.EqualFold(string(s[len(s)-len(suffix):]), suffix)
}

// audit is a change of the directory. Of Entra's own log only what the directory itself logs is in
// the unified audit log as RecordType 8.
func (o *observer) audit(root, object jsontape.Value, family event.Family, c Channel) {
	name := object.Get("activityDisplayName").Str()
	if family == unifiedFamily {
		name = bytes.TrimSuffix(object.Get("Operation").Str(), []byte("."))
	} else if string(object.Get("loggedByService").Str()) != "Core Directory" {
		return
	}
	if len(name) > 0 && len(name) <= act.MaxName {
		o.act(root, family, c, DirectoryAudits, string(name))
	}
}

// act notes that a channel shows an act, which has to be named alike in all of them.
func (o *observer) act(root jsontape.Value, family event.Family, c Channel, k Kind, op string) {
	s, ok := normalize.Lookup(family)
	if !ok || s.Activity == nil {
		return
	}
	if home, id, ok := s.Activity(root); ok {
		o.name(home, id, c, k, op)
	}
}

func (o *observer) name(family event.Family, id []byte, c Channel, k Kind, op string) {
	if len(id) == 0 {
		return
	}
	sum := sha256.Sum256(append(append([]byte(family), 0), id...))
	o.f.channel, o.f.kind, o.f.op, o.f.key = c, k, op, Key(sum[:16])
}

// context reads AppAccessContext, by which a service says with which session and token it was used.
func (o *observer) context(root, c jsontape.Value) {
	u := about(root)
	u.Session, u.Token = text(c.Get("AADSessionId")), text(c.Get("UniqueTokenId"))
	if app := text(c.Get("ClientAppId")); app != "" {
		u.App = app
	}
	kind, _ := root.Get("UserType").Int()
	o.uses(u, c.Get("IssuedAtTime"), u.Session == "" && (kind == 5 || kind == 6))
}

// about reads who acted, of a record of the unified audit log.
func about(root jsontape.Value) (u About) {
	u.User = text(root.Get("UserId"))
	for _, name := range [...]string{"ClientAppId", "AppId", "ApplicationId"} {
		if u.App = text(root.Get(name)); u.App != "" {
			break
		}
	}
	for _, name := range [...]string{"ClientIP", "ClientIPAddress", "ActorIpAddress"} {
		if u.Address = text(root.Get(name)); u.Address != "" {
			break
		}
	}
	return u
}

// graphActivity is a request to Microsoft Graph; signInActivityId is the uniqueTokenIdentifier of the sign-in
// (learn.microsoft.com/azure/azure-monitor/reference/tables/microsoftgraphactivitylogs).
func (o *observer) graphActivity(p jsontape.Value) {
	u := About{
		User: text(p.Get("userId")), App: text(p.Get("appId")), Session: text(p.Get("sessionId")),
		Token: text(p.Get("signInActivityId")), Address: text(p.Get("ipAddress")),
	}
	if u.User == "" {
		u.User = text(p.Get("UserPrincipalObjectID"))
	}
	o.uses(u, p.Get("tokenIssuedAt"), u.User == "")
}

func (o *observer) uses(u About, issued jsontape.Value, app bool) {
	o.use = use{app: app, about: u}
	o.use.session, o.use.key = keyOf(u.Session), useKey(u.Session, u.Token)
	if o.use.key == (Key{}) {
		return
	}
	if ns, ok := field.Time(issued.Str()); ok && ns > 0 {
		o.use.issued = ns / 1e6
	}
	o.f.use = &o.use
}

// useKey is the key of a use: of its token, or of its session where it has none.
func useKey(session, token string) Key {
	if k := keyOf(token); k != (Key{}) {
		return k
	}
	return keyOf(session)
}

// gave notes a session or token that a sign-in has given out.
func (o *observer) gave(id []byte) {
	if k := keyOf(string(id)); k != (Key{}) {
		o.f.issued = append(o.f.issued, k.canonical())
	}
}

// keyOf is the key of a session's or token's id; zeros: it is none. A token's is 16 bytes, which one log writes as a GUID and
// another in base64 for URLs.
func keyOf(id string) (k Key) {
	switch {
	case len(id) == 36 && field.GUID([]byte(id)):
		if b, err := hex.DecodeString(strings.ReplaceAll(id, "-", "")); err == nil {
			k = Key(b)
		}
	case len(id) == 22:
		b, err := base64.RawURLEncoding.DecodeString(id)
		if err != nil || len(b) != len(k) {
			return digest(id)
		}
		k = Key(b)
	case len(id) > 0 && len(id) <= act.MaxName:
		return digest(id)
	}
	return k
}

// canonical is the same for both orders of a GUID's bytes (RFC 9562, 4, and Microsoft's): two logs may write one each.
func (k Key) canonical() Key {
	swapped := k
	swapped[0], swapped[1], swapped[2], swapped[3] = k[3], k[2], k[1], k[0]
	swapped[4], swapped[5], swapped[6], swapped[7] = k[5], k[4], k[7], k[6]
	if byKey(swapped, k) < 0 {
		return swapped
	}
	return k
}

func digest(s string) Key {
	sum := sha256.Sum256([]byte(s))
	return Key(sum[:16])
}

// text is a string that an act can hold; empty if it is none.
func text(v jsontape.Value) string {
	if s := v.Str(); len(s) <= act.MaxName && bytes.ToValidUTF8(s, nil) != nil {
		return string(bytes.ToValidUTF8(s, []byte("\uFFFD")))
	}
	return ""
}

// mailAccess reads whether a mailbox's reads are recorded. "If more than 1,000 MailItemsAccessed audit records are generated
// in less than 24 hours, Exchange Online stops generating audit records for MailItemsAccessed activity. When a mailbox is
// throttled, MailItemsAccessed activity isn't logged for 24 hours", which concerns reads of single messages (Bind)
// (learn.microsoft.com/purview/audit-log-investigate-accounts).
func (o *observer) mailAccess(root jsontape.Value) {
	if string(root.Get("Operation").Str()) != "MailItemsAccessed" {
		return
	}
	bind, throttled := false, false
	for p := root.Get("OperationProperties").First(); p.Exists(); p = p.Next() {
		value := p.Get("Value").Str()
		switch string(p.Get("Name").Str()) {
		case "MailAccessType":
			bind = bytes.EqualFold(value, []byte("Bind"))
		case "IsThrottled":
			throttled = bytes.EqualFold(value, []byte("True"))
		}
	}
	mailbox := strings.ToLower(text(root.Get("MailboxOwnerUPN")))
	if mailbox == "" {
		mailbox = strings.ToLower(text(root.Get("MailboxGuid")))
	}
	if mailbox != "" && (throttled || bind) {
		o.f.switches = append(o.f.switches, change{act.AuditThrottled, mailbox, throttled})
	}
}

// cmdlet reads whether somebody's acts in mailboxes are to be recorded.
func (o *observer) cmdlet(root jsontape.Value) {
	if string(root.Get("Operation").Str()) != "Set-MailboxAuditBypassAssociation" || hasSuffixFold(root.Get("ResultStatus").Str(), "false") ||
		hasSuffixFold(root.Get("ResultStatus").Str(), "failed") {
		return
	}
	who, off, said := "", false, false
	for p := root.Get("Parameters").First(); p.Exists(); p = p.Next() {
		switch string(p.Get("Name").Str()) {
		case "Identity":
			who = strings.ToLower(text(p.Get("Value")))
		case "AuditBypassEnabled":
			off, said = bytes.EqualFold(bytes.TrimPrefix(p.Get("Value").Str(), []byte("$")), []byte("True")), true
		}
	}
	if who != "" && said {
		o.f.switches = append(o.f.switches, change{act.AuditBypassed, who, off})
	}
}

// truncated reads whether a record says that it was cut short: the detections of a DLP match have a mark of that
// (MicrosoftDocs/office-365-management-api: SensitiveInformationDetections.ResultsTruncated).
func (o *observer) truncated(root jsontape.Value) {
	for d := root.Get("PolicyDetails").First(); d.Exists(); d = d.Next() {
		for r := d.Get("Rules").First(); r.Exists(); r = r.Next() {
			for s := r.Path("ConditionsMatched", "SensitiveInformation").First(); s.Exists(); s = s.Next() {
				if yes, _ := s.Path("SensitiveInformationDetections", "ResultsTruncated").Bool(); yes {
					rule := text(r.Get("RuleName"))
					if rule == "" {
						rule = "DLP rule"
					}
					o.f.switches = append(o.f.switches, change{act.Truncated, rule, true})
					return
				}
			}
		}
	}
}
