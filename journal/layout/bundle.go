// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package layout

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/daybreak-sec/daybreak/event"
)

// BundleFormat is the first field of every [Bundle].
const BundleFormat = "daybreak-proof/v1"

// Bundle proves one record to somebody who holds nothing but the log's public
// key: section 7 of the format.
type Bundle struct {
	Format       string        `json:"format"`
	Event        string        `json:"event"`
	Raw          []byte        `json:"raw,omitzero"` // nil if the raw record is gone by policy
	Receipt      BundleReceipt `json:"receipt"`
	Batch        string        `json:"batch"`
	Proof        string        `json:"proof"` // C2SP tlog-proof; its extra line holds a [RecordPath]
	VerifierKeys []string      `json:"verifier_keys"`
}

// BundleReceipt is a record's receipt and origin in JSON.
type BundleReceipt struct {
	Tenant      string `json:"tenant"`
	Family      string `json:"family"`
	Stream      string `json:"stream"`
	Origin      string `json:"origin"`
	Run         string `json:"run"`
	Ordinal     uint64 `json:"ordinal"`
	EventTime   string `json:"event_time"` // TimeFormat; empty if not known, as the next two
	Offered     string `json:"offered"`
	Received    string `json:"received"`
	Mutated     bool   `json:"mutated"`
	TimeUnknown bool   `json:"time_unknown"`
	RawLength   int    `json:"raw_length"`
	ID          string `json:"id"`
	IDBase64    string `json:"id_base64,omitempty"` // instead of ID when that is not UTF-8
	RawSHA256   []byte `json:"raw_sha256"`
}

// NewBundleReceipt returns the receipt r, whose origin is o, for a bundle.
func NewBundleReceipt(o *event.Origin, r *Receipt) BundleReceipt {
	b := BundleReceipt{
		Tenant: o.Tenant, Family: string(o.Family), Stream: o.Stream, Origin: o.Name, Run: o.Run,
		Ordinal: r.Ordinal, EventTime: nanosText(r.Time), Offered: nanosText(r.Offered), Received: nanosText(r.Received),
		Mutated: r.Flags&Mutated != 0, TimeUnknown: r.Flags&TimeUnknown != 0,
		RawLength: r.RawLength, ID: string(r.ID), RawSHA256: r.RawSum[:],
	}
	if !utf8.Valid(r.ID) {
		b.ID, b.IDBase64 = "", base64.StdEncoding.EncodeToString(r.ID)
	}
	return b
}

// Decode is the inverse of [NewBundleReceipt]: it returns what the leaf is made
// of. The receipt's index of the origin is 0.
func (b *BundleReceipt) Decode() (event.Origin, Receipt, error) {
	o := event.Origin{Tenant: b.Tenant, Family: event.Family(b.Family), Stream: b.Stream, Name: b.Origin, Run: b.Run}
	r := Receipt{Ordinal: b.Ordinal, RawLength: b.RawLength, ID: []byte(b.ID)}
	if b.IDBase64 != "" {
		id, err := base64.StdEncoding.DecodeString(b.IDBase64)
		if err != nil || b.ID != "" {
			return o, r, errors.New("receipt: id_base64 is not base64, or stands beside an id")
		}
		r.ID = id
	}
	if len(b.RawSHA256) != len(r.RawSum) || b.RawLength < 0 {
		return o, r, errors.New("receipt: raw_sha256 is not 32 bytes, or raw_length is negative")
	}
	copy(r.RawSum[:], b.RawSHA256)
	for _, f := range []struct {
		text string
		to   *int64
	}{{b.EventTime, &r.Time}, {b.Offered, &r.Offered}, {b.Received, &r.Received}} {
		if f.text == "" {
			continue
		}
		t, err := time.Parse(TimeFormat, f.text)
		if *f.to = t.UnixNano(); err != nil || nanosText(*f.to) != f.text {
			return o, r, fmt.Errorf("receipt: %.40q is not a time of the form %s", f.text, TimeFormat)
		}
	}
	if b.Mutated {
		r.Flags |= Mutated
	}
	if b.TimeUnknown {
		r.Flags |= TimeUnknown
	}
	return o, r, nil
}

func nanosText(ns int64) string {
	if ns == 0 {
		return ""
	}
	return time.Unix(0, ns).UTC().Format(TimeFormat)
}

// ParseBundle reads a bundle's JSON and checks nothing but its form.
func ParseBundle(data []byte) (*Bundle, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	b := new(Bundle)
	if err := d.Decode(b); err != nil {
		return nil, fmt.Errorf("proof bundle: %v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("proof bundle: bytes follow the JSON object")
	}
	if b.Format != BundleFormat {
		return nil, fmt.Errorf("proof bundle: format %.40q, want %q", b.Format, BundleFormat)
	}
	return b, nil
}

// RecordPath places a record in the tree of its batch.
type RecordPath struct {
	Index, Records int
	Hashes         []Hash // from the leaf's sibling upward
}

const recordPathMagic = "daybreak-record/v1"

// Text returns the form that a bundle's proof carries as its extra data.
func (p RecordPath) Text() []byte {
	b := fmt.Appendf(nil, "%s %d %d", recordPathMagic, p.Index, p.Records)
	for i := range p.Hashes {
		b = append(append(b, ' '), base64Text(p.Hashes[i][:])...)
	}
	return b
}

// ParseRecordPath accepts exactly what [RecordPath.Text] returns.
func ParseRecordPath(text []byte) (RecordPath, error) {
	var p RecordPath
	f := strings.Split(string(text[:min(len(text), MaxText)]), " ")
	if len(f) < 3 {
		return p, errors.New("record path: too short")
	}
	p.Index, _ = strconv.Atoi(f[1])
	p.Records, _ = strconv.Atoi(f[2])
	for _, s := range f[3:] {
		var h Hash
		copy(h[:], fromBase64(s))
		p.Hashes = append(p.Hashes, h)
	}
	if !bytes.Equal(p.Text(), text) || p.Index < 0 || p.Index >= p.Records || p.Records > MaxRecords {
		return RecordPath{}, errors.New("record path: it is not in its one form")
	}
	return p, nil
}
