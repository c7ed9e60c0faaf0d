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
	OrphanKind       Kind = "orphan"        // a session or a token
	OrphanRecordKind Kind = "orphan-record" // a record
)

// Orphan is a session or a token in use that no sign-in has given out, as far as the sign-in log, which was complete,
// shows; or a record that a query of an audit log shows and its feed, which was complete, does not. What is not known is
// left empty.
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
	} {
		if err := checkText(s.what, s.text, MaxName); err != nil {
			return err
		}
	}
	if o.ID == "" || o.Kind != OrphanKind && o.Kind != OrphanRecordKind {
		return errors.New("act: an orphan has no id, or another kind")
	}
	return errors.Join(checkText("message", o.Message, MaxMessage), checkTimes(o.Time, o.Issued))
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
	o.Time, o.Issued = o.Time.UTC(), o.Issued.UTC()
	return o, o.Check()
}
