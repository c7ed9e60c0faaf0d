// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package lake

// Row is one event as the lake holds it: the columns that analysts filter,
// group and read. Everything else of an event stays in the journal and is
// derived from the raw record when somebody looks at it.
//
// The zero value of a column means that the event does not have it; the
// segments store it as NULL.
type Row struct {
	Time     int64 // event time, Unix milliseconds UTC
	Received int64 // when the record reached us, Unix milliseconds UTC
	Batch    int64 // with Index: the event id of package event
	Index    int32

	ClassUID   int32 // OCSF class_uid
	ActivityID int32 // OCSF activity_id
	StatusID   int32 // OCSF status_id: 1 success, 2 failure, 99 other, 0 unknown
	SeverityID int32 // OCSF severity_id
	ASN        int64 // autonomous system of IP (src_endpoint.autonomous_system.number)
	Mutated    bool  // the provider delivered other content under the same id before

	Tenant    string // the customer's id at the provider
	Family    string // event.Family: "m365", "entra-signin", …
	Workload  string // the provider's product: "Exchange", "AzureActiveDirectory"
	Operation string // the provider's name of the act: "New-InboxRule", "UserLoggedIn"
	User      string // actor.user: mail address or name, lower case
	UserUID   string // actor.user.uid
	IP        string // src_endpoint.ip in canonical text (RFC 5952 for IPv6)
	Country   string // src_endpoint.location.country, ISO 3166-1 alpha-2
	App       string // client application: name, else id
	Session   string // actor.session.uid
	Device    string // device name, else id
	Target    string // the account, group, application or mailbox acted upon
	Object    string // the file, message, rule, policy or other thing acted upon
	UserAgent string // http_request.user_agent or the provider's client string
	Status    string // the provider's own word or code for the result
	Text      string // words for people: subject, file name, rule name, message
	UID       string // the provider's id of the record
}

// Column describes one column of a segment, in file order.
type Column struct {
	// Name is the column's name in the Parquet files and in queries.
	Name string
	Kind Kind
	// Bloom says that segments carry a bloom filter for the column, because
	// people look for single values in it.
	Bloom bool
	// Aliases are other names that queries may use.
	Aliases []string
}

// Kind is the type of a column.
type Kind uint8

// The kinds of columns.
const (
	Timestamp Kind = iota // int64, Unix milliseconds, UTC
	Int                   // int32 or int64
	Bool
	String
)

// Columns is the layout of a segment, and with it the vocabulary of the search
// language. The order is the order in the files. docs/format/lake.md explains
// each to readers that are not us.
var Columns = []Column{
	{Name: "time", Kind: Timestamp, Aliases: []string{"ts"}},
	{Name: "received", Kind: Timestamp},
	{Name: "batch", Kind: Int},
	{Name: "index", Kind: Int},
	{Name: "class", Kind: Int, Aliases: []string{"class_uid"}},
	{Name: "activity", Kind: Int, Aliases: []string{"activity_id"}},
	{Name: "status_id", Kind: Int},
	{Name: "severity", Kind: Int, Aliases: []string{"severity_id"}},
	{Name: "asn", Kind: Int},
	{Name: "mutated", Kind: Bool},
	{Name: "tenant", Kind: String},
	{Name: "family", Kind: String, Aliases: []string{"source"}},
	{Name: "workload", Kind: String, Aliases: []string{"product"}},
	{Name: "op", Kind: String, Aliases: []string{"operation"}},
	{Name: "user", Kind: String, Bloom: true, Aliases: []string{"actor"}},
	{Name: "user_uid", Kind: String, Bloom: true},
	{Name: "ip", Kind: String, Bloom: true, Aliases: []string{"src", "src_ip"}},
	{Name: "country", Kind: String},
	{Name: "app", Kind: String},
	{Name: "session", Kind: String, Bloom: true, Aliases: []string{"session_uid"}},
	{Name: "device", Kind: String},
	{Name: "target", Kind: String, Bloom: true},
	{Name: "object", Kind: String},
	{Name: "ua", Kind: String, Aliases: []string{"user_agent"}},
	{Name: "status", Kind: String},
	{Name: "text", Kind: String},
	{Name: "uid", Kind: String, Bloom: true, Aliases: []string{"id"}},
}
