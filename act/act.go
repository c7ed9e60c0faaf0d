// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package act holds the platform's own acts: what a collector did, as records of
// the journal like any vendor's. A listing that was read to its end, a blob that is
// sealed, an error, a gap: each is one small JSON object of the family "daybreak",
// so that what Daybreak says of its own completeness is evidence too and can be
// proved, searched and derived anew.
//
// Collectors write acts with a [Writer]; package coverage reads them back, and
// normalize/daybreak makes events of them.
//
// # Promises
//
// [Parse] of what [Act.Append] wrote gives the act back, for every act that
// [Act.Check] passes. Members have a fixed order, so that equal acts are equal
// bytes. An act is sealed after everything that was appended to the journal before
// it was written: "sealed" therefore stands behind the records of its blob.
//
// An act may be in the log twice, or be followed by another that says the same: a
// collector that dies between an act and its cursor does its work again. Whoever
// reads acts must not mind.
//
// # Garbage
//
// Ids and names come from providers. Their size and their number are capped, what
// is too long is refused and never cut, for a cut name names something else. Free
// text (messages) is cut. Members that this version does not know are passed over,
// and so are kinds that it does not know: a later version may have written them.
package act

import (
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"github.com/daybreak-sec/daybreak/event"
)

// Family is the family of acts.
const Family event.Family = "daybreak"

// Stream is the stream that acts are in.
const Stream = "collect"

// Kind says what was done.
type Kind string

// The kinds of acts.
const (
	Started      Kind = "started"      // a collector began to work on a stream
	Stopped      Kind = "stopped"      // and ended in good order
	Listed       Kind = "listed"       // a listing was read to its last page
	Sealed       Kind = "sealed"       // every record of a blob is in the journal
	Failed       Kind = "failed"       // something went wrong and is tried again
	Throttled    Kind = "throttled"    // the provider, or our budget, made us wait
	Gap          Kind = "gap"          // something cannot be had
	Filled       Kind = "filled"       // a gap was closed after all
	Subscription Kind = "subscription" // the state of a subscription, or a change of it
	Configured   Kind = "configured"   // a source was set up, changed or removed
	Alarm        Kind = "alarm"        // something needs a person, or no longer does
	Control      Kind = "control"      // how a control that can switch logging off stands: Code is its name
	Canary       Kind = "canary"       // what became of a harmless marked act: Code is its kind, Cursor its id, Stream the channel
	Readiness    Kind = "readiness"    // a requirement, named by Code, has another verdict, which is the Reason; Subject is the group
	Statement    Kind = "statement"    // a signed statement was made: Code is its SHA-256 in hex, Reason what of
)

// The reasons of a gap: short words that do not change. With Disabled, Permission and
// Excluded, which acts of the kinds Subscription and Configured can have too, a stream
// is not collected. Those from AuditThrottled on are blindness: what happened was not recorded,
// or is not shown, and no listing can find it. Of AuditThrottled, Truncated and Capped the
// provider says so itself; the others are told from what somebody set, or what another
// channel shows.
const (
	Expired     = "expired"     // past the provider's retention when it was fetched
	Missing     = "missing"     // the provider does not have what it listed
	Quarantined = "quarantined" // it fails again and again; tried now and then
	Retention   = "retention"   // a stretch that was never listed before it expired
	Archived    = "archived"    // it has to be restored from an archive before it can be read
	Altered     = "altered"     // it is not what the provider has signed
	Disabled    = "disabled"    // the subscription or the tenant's logging is off
	Permission  = "permission"  // the provider refuses: a role or a consent is missing
	Excluded    = "excluded"    // the configuration does not ask for it

	AuditThrottled = "audit throttled" // the provider stopped recording what a mailbox saw (MailItemsAccessed, IsThrottled)
	Truncated      = "truncated"       // it cut a record or an answer short, and says so
	Capped         = "capped"          // a query ended at the provider's limit and not at its last result

	LoggingOff    = "logging off"    // a control that switches recording off was set: of the tenant, a mailbox, or a diagnostic setting
	AuditBypassed = "audit bypassed" // what an account does in mailboxes is not recorded (Set-MailboxAuditBypassAssociation)
	Unmatched     = "unmatched"      // another channel shows acts that this one should show and does not

	Gone = "gone" // of a subscription that is not there any more: like Disabled
)

// The reasons of alarms that packages know of one another. An alarm is on from its
// first act until one with the reason Cleared, which names in Cursor the reason of
// the alarm that it ends; Code tells alarms of one reason apart.
const (
	Silence = "silence" // a workload, named by Code, that should be heard is not
	Cleared = "cleared"
)

// The reasons of acts of the kind Control.
const (
	Good      = "good"        // it is as it should be: for the first time, or again
	Drift     = "drift"       // it is not, and logs less, or could be read by others
	Changed   = "changed"     // it is another than before, and not worse for logging
	Unwatched = "not watched" // it cannot be read, so that nothing is said of it
)

// The reasons of acts of the kind Canary. [Missing] is one too: its record has not come in the time that such records take.
const (
	Planned = "planned" // it would have been done, and was not: a dry run
	Planted = "planted" // it was done, At the moment; After has, as JSON, what its records are known by, the channels they are awaited through and, as in Arrived and Missing, the streams that have these
	Arrived = "arrived" // its record, Event, was durable Seconds after it was done; Late if that is longer than it may take
	Cleaned = "cleaned" // what it left in the tenant was taken away
)

// Blob is one piece of content that a provider lists.
type Blob struct {
	ID      string
	Created time.Time // when the provider made it available (contentCreated)
	Expires time.Time // when it can no longer be had
}

// Act is one act. What a kind does not need is left zero and is not written.
type Act struct {
	// ID is unique among acts; the Writer gives it.
	ID   string
	Time time.Time // by our clock
	Kind Kind
	// Source is the name that the configuration gives the feed.
	Source string
	Tenant string
	// Stream is the feed within the source, as the provider names it
	// ("Audit.Exchange"); empty for acts about all of them.
	Stream string
	// Subject is who or what of the stream a gap, its filling or an alarm is about, if
	// not all of it: a mailbox, an account, an operation, an application. Gaps of
	// different subjects are different gaps.
	Subject string

	// Of a listing: the window [From, To) of Created that was asked for, and
	// the provider's time At which its first page was asked for. Blobs is how many
	// it named on all its Pages; New are those that no listing had named before,
	// at most MaxNew an act: more are in acts before it that have Part set. Only
	// the act without Part closes the listing. Of a gap, the window that cannot
	// be had.
	From, To time.Time
	At       time.Time
	Cursor   string // "head", "sweep" or "backfill"
	Pages    int
	Blobs    int
	New      []Blob
	Part     bool

	// Of a sealed blob, and what became of its records, each of which is Stored or
	// among the Duplicates; what was in it and is no record is Unreadable, and none
	// of the Records. Of a gap, the blob that cannot be had.
	Blob       *Blob
	Records    int
	Stored     int
	Duplicates int
	Mutated    int
	Unreadable int
	Bytes      int64
	Run        string // of the journal's origin that the records are in
	Attempts   int
	Received   time.Time // when the blob's last byte came

	// Of a start: after so many seconds the provider shows nearly all of what happened, for so many it keeps it, and
	// after so many what happened should be listed; zero if the platform's own values hold.
	Settle, Keep, Due float64

	// Of a control: its state before and after in canonical JSON, as far as it was read, and the event id of the record
	// that told of the change; empty if it was found by looking.
	Before, After string
	Event         string

	// Late says of a canary's record that it came after the time that it may take, so that an act Missing may have told of it.
	Late bool

	// Of gaps, failures, waits, controls and alarms.
	Permanent bool
	Reason    string // a short stable word
	Message   string // a sentence for people
	Code      string // the provider's; of what package reconcile has found, its name
	Status    int    // of HTTP
	Count     int    // how often since the last act of the kind
	Seconds   float64
}

// Finding is the name of what the act tells to be missing, or to have come after all: equal names are the same. It is empty if the act
// does neither. Of a record about what was found it is the ID of the [Orphan].
func (a *Act) Finding() string {
	if a.Kind == Canary && (a.Reason == Missing || a.Reason == Arrived && a.Late) {
		return "canary " + a.Cursor + " " + a.Stream
	}
	return ""
}

// Limits of an act, in bytes where not said otherwise.
const (
	MaxNew     = 1000 // blobs in one act
	MaxID      = 1024 // id of a blob
	MaxName    = 256  // source, tenant, stream, subject, and each short word
	MaxState   = 8192 // state of a control
	MaxMessage = 2048 // longer ones are cut
	MaxSize    = 16 << 20
)

// Check says why the act cannot be written: something in it is too long, or is no
// value at all.
func (a *Act) Check() error {
	if a.Kind == "" {
		return errors.New("act: it has no kind")
	}
	for _, s := range [...]struct{ what, text string }{
		{"id", a.ID},
		{"kind", string(a.Kind)},
		{"source", a.Source},
		{"tenant", a.Tenant},
		{"stream", a.Stream},
		{"subject", a.Subject},
		{"cursor", a.Cursor},
		{"run", a.Run},
		{"reason", a.Reason},
		{"code", a.Code},
	} {
		if err := checkText(s.what, s.text, MaxName); err != nil {
			return err
		}
	}
	if err := errors.Join(checkText("event", a.Event, MaxName), checkText("state before", a.Before, MaxState), checkText("state after", a.After, MaxState)); err != nil {
		return err
	}
	if len(a.New) > MaxNew {
		return fmt.Errorf("act: it names %d new blobs, more than %d: write several", len(a.New), MaxNew)
	}
	for i := range a.New {
		if err := a.New[i].check(); err != nil {
			return err
		}
	}
	if a.Blob != nil {
		if err := a.Blob.check(); err != nil {
			return err
		}
	}
	for _, n := range [...]int{
		a.Pages, a.Blobs, a.Records, a.Stored, a.Duplicates, a.Mutated, a.Unreadable, a.Attempts, a.Status, a.Count,
	} {
		if n < 0 {
			return errors.New("act: a count is negative")
		}
	}
	if a.Bytes < 0 {
		return errors.New("act: its bytes are negative")
	}
	for _, s := range [...]float64{a.Seconds, a.Settle, a.Keep, a.Due} {
		if s < 0 || math.IsNaN(s) || math.IsInf(s, 0) {
			return errors.New("act: its seconds are negative or no number")
		}
	}
	return checkTimes(a.Time, a.From, a.To, a.At, a.Received)
}

func (b *Blob) check() error {
	if err := checkText("blob id", b.ID, MaxID); err != nil {
		return err
	}
	return checkTimes(b.Created, b.Expires)
}

func checkText(what, s string, limit int) error {
	if len(s) > limit || !utf8.ValidString(s) {
		return fmt.Errorf("act: its %s has %d bytes and must have at most %d, all UTF-8", what, len(s), limit)
	}
	return nil
}

// checkTimes refuses years that RFC 3339 cannot write.
func checkTimes(times ...time.Time) error {
	for _, t := range times {
		if y := t.UTC().Year(); y < 0 || y > 9999 {
			return fmt.Errorf("act: a time is in the year %d", y)
		}
	}
	return nil
}
