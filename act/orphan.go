// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package act

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Findings is the stream of records about what was found by holding channels against each other. Rules judge them like
// anybody's, so that what they tell of is an alert.
const Findings = "findings"

// The kinds of an [Orphan].
const (
	OrphanKind       Kind = "orphan"         // a session or a token
	OrphanRecordKind Kind = "orphan-record"  // a record
	OrphanArrived    Kind = "orphan-arrived" // what an orphan of either kind lacked has come after all
)

// Orphan is a session or a token in use that no sign-in has given out, as far as the sign-in log, which was complete,
// shows; or a record that a query of an audit log shows and its feed, which was complete, does not; or that what was
// missing of one of these has arrived. What is not known is left empty.
type Orphan struct {
	ID      string    `json:"id"`   // the name of the finding: equal ids are the same orphan
	Time    time.Time `json:"time"` // of the first use, or of the record
	Kind    Kind      `json:"kind"`
	Tenant  string    `json:"tenant,omitempty"`
	Stream  string    `json:"stream,omitempty"` // that lacks the sign-in or the record
	User    string    `json:"user,omitempty"`
	App     string    `json:"app,omitempty"`  // application id
	Self    bool      `json:"self,omitempty"` // the application acts by itself, for no user
	Session string    `json:"session,omitempty"`
	Token   string    `json:"token,omitempty"`
	Address string    `json:"address,omitempty"`
	Issued  time.Time `json:"issued,omitzero"` // when the token says that it was issued
	Record  string    `json:"record"`          // event id of the first use; of an orphan record, its id at the provider
	Message string    `json:"message,omitempty"`
	// Operation is that of an orphan record.
	Operation string `json:"operation,omitempty"`

	// Of one that arrived: the ID of the orphan that it takes back, the stream that Record, the last that was missing, came
	// through, and when that had happened. Time is when it came into the journal.
	Finding  string    `json:"finding,omitempty"`
	Channel  string    `json:"channel,omitempty"`
	Happened time.Time `json:"happened,omitzero"`
}

// Check says why it cannot be written.
func (o *Orphan) Check() error {
	for _, s := range [...]struct{ what, text string }{
		{"id", o.ID},
		{"kind", string(o.Kind)},
		{"tenant", o.Tenant},
		{"stream", o.Stream},
		{"user", o.User},
		{"application", o.App},
		{"session", o.Session},
		{"token", o.Token},
		{"address", o.Address},
		{"record", o.Record},
		{"operation", o.Operation},
		{"finding", o.Finding},
		{"channel", o.Channel},
	} {
		if err := checkText(s.what, s.text, MaxName); err != nil {
			return err
		}
	}
	if o.ID == "" || o.Kind != OrphanKind && o.Kind != OrphanRecordKind && o.Kind != OrphanArrived {
		return errors.New("act: an orphan has no id, or another kind")
	}
	if (o.Kind == OrphanArrived) != (o.Finding != "") {
		return errors.New("act: an orphan says what it takes back, or one that arrived does not")
	}
	return errors.Join(checkText("message", o.Message, MaxMessage), checkTimes(o.Time, o.Issued, o.Happened))
}

// Append appends it as one line of JSON.
func (o *Orphan) Append(dst []byte) []byte {
	line, err := json.Marshal(o)
	if err != nil {
		panic(err) // strings and times that Check has seen
	}
	return append(dst, line...)
}

// ParseOrphan reads what Append wrote. Members that it does not know are passed over.
func ParseOrphan(raw []byte) (Orphan, error) {
	if len(raw) > MaxSize {
		return Orphan{}, fmt.Errorf("act: it has %d bytes, more than %d", len(raw), MaxSize)
	}
	var o Orphan
	if err := json.Unmarshal(raw, &o); err != nil {
		return Orphan{}, fmt.Errorf("act: %w", err)
	}
	o.Time, o.Issued, o.Happened = o.Time.UTC(), o.Issued.UTC(), o.Happened.UTC()
	return o, o.Check()
}

// Arrive makes the record that what o lacked has come after all: as the record of that event id, through a channel, at a
// moment; it had happened at another one. what names it in the message: "the sign-in".
func (o *Orphan) Arrive(id, what, record, channel string, at, happened time.Time) Orphan {
	late := max(0, at.Sub(happened)).Round(time.Second)
	return Orphan{
		ID: id, Time: at.UTC(), Kind: OrphanArrived, Tenant: o.Tenant, Stream: o.Stream, User: o.User, App: o.App, Self: o.Self,
		Session: o.Session, Token: o.Token, Operation: o.Operation, Record: record, Finding: o.ID, Channel: channel, Happened: happened.UTC(),
		Message: fmt.Sprintf("%s that was missing has come through %s, %s late: record %s", what, channel, late, record),
	}
}
