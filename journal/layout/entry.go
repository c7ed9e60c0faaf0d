// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package layout

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// TimeFormat is the only spelling of a time in a log entry; the time is UTC.
const TimeFormat = "2006-01-02T15:04:05.000000000Z"

// Entry is what a log entry says: a [LogEntry], [BatchEntry], [KeyEntry] or
// [RetentionEntry].
type Entry interface {
	// Text is the entry as it stands in the log.
	Text() []byte
}

// LogEntry is entry 0 and says whose log this is.
type LogEntry struct {
	Origin  string // first line of every checkpoint
	Key     string // verifier key in the signed-note form
	Created time.Time
}

// BatchEntry names the two blocks of one sealed batch and proves their records.
type BatchEntry struct {
	Index     uint64 // of this entry in the log
	Committed time.Time
	Records   int
	Root      [sha256.Size]byte // RFC 6962 root of the records' leaves
	RawBytes  uint64            // sum of the raw lengths
	Segment   uint64
	Frame     Block
	Receipts  Block
}

// Block is a run of bytes of a segment's file, and their SHA-256.
type Block struct {
	Offset, Length uint64
	Sum            [sha256.Size]byte
}

// End returns the offset of the first byte after the block.
func (b Block) End() uint64 { return b.Offset + b.Length }

// KeyEntry replaces the signing key: checkpoints of a size above Index are
// signed by New.
type KeyEntry struct {
	Index        uint64
	Created      time.Time
	Old, New     string // verifier keys
	OldSignature []byte // over SignedText, Ed25519
	NewSignature []byte
}

// RetentionEntry announces that the frames of a segment are deleted.
type RetentionEntry struct {
	Index   uint64
	Created time.Time
	Policy  string
	Before  time.Time // every batch of the segment was committed before
	Segment uint64
}

// EmptyFrame is the frame of a batch without records.
func EmptyFrame() Block { return Block{Sum: sha256.Sum256(nil)} }

// Text implements [Entry].
func (e LogEntry) Text() []byte {
	return fmt.Appendf(nil, "daybreak-log/v1\norigin %s\nkey %s\ncreated %s\n", e.Origin, e.Key, timeText(e.Created))
}

// Text implements [Entry].
func (e BatchEntry) Text() []byte {
	return fmt.Appendf(nil, "daybreak-batch/v1\nindex %d\ncommitted %s\nrecords %d\nroot %s\nraw-bytes %d\nsegment %d\nframe %s\nreceipts %s\n",
		e.Index, timeText(e.Committed), e.Records, base64Text(e.Root[:]), e.RawBytes, e.Segment, e.Frame, e.Receipts)
}

// String returns the block as an entry names it.
func (b Block) String() string {
	return fmt.Sprintf("%d %d %s", b.Offset, b.Length, base64Text(b.Sum[:]))
}

// SignedText is the part of the entry that both keys sign.
func (e KeyEntry) SignedText() []byte {
	return fmt.Appendf(nil, "daybreak-key/v1\nindex %d\ncreated %s\nold %s\nnew %s\n", e.Index, timeText(e.Created), e.Old, e.New)
}

// Text implements [Entry].
func (e KeyEntry) Text() []byte {
	return fmt.Appendf(e.SignedText(), "old-signature %s\nnew-signature %s\n", base64Text(e.OldSignature), base64Text(e.NewSignature))
}

// Text implements [Entry].
func (e RetentionEntry) Text() []byte {
	return fmt.Appendf(nil, "daybreak-retention/v1\nindex %d\ncreated %s\npolicy %s\nbefore %s\nsegment %d\n",
		e.Index, timeText(e.Created), e.Policy, timeText(e.Before), e.Segment)
}

func timeText(t time.Time) string    { return t.UTC().Format(TimeFormat) }
func base64Text(b []byte) string     { return base64.StdEncoding.EncodeToString(b) }
func fromBase64(s string) []byte     { b, _ := base64.StdEncoding.DecodeString(s); return b }
func number(s string) uint64         { n, _ := strconv.ParseUint(s, 10, 64); return n }
func instant(s string) (t time.Time) { t, _ = time.Parse(TimeFormat, s); return t }

func block(s string) (b Block) {
	f := strings.Split(s, " ")
	if len(f) != 3 {
		return b
	}
	b.Offset, b.Length = number(f[0]), number(f[1])
	copy(b.Sum[:], fromBase64(f[2]))
	return b
}

// keys are the words that begin the lines of each type of entry, after the
// first line, in order.
var keys = map[string][]string{
	"daybreak-log/v1":       {"origin", "key", "created"},
	"daybreak-batch/v1":     {"index", "committed", "records", "root", "raw-bytes", "segment", "frame", "receipts"},
	"daybreak-key/v1":       {"index", "created", "old", "new", "old-signature", "new-signature"},
	"daybreak-retention/v1": {"index", "created", "policy", "before", "segment"},
}

// ParseEntry reads one log entry. It accepts exactly what an entry's Text
// returns: the fields are read leniently, and then the entry has to spell the
// text again, which refuses every other spelling at once.
func ParseEntry(text []byte) (Entry, error) {
	kind, values, err := split(text)
	if err != nil {
		return nil, err
	}
	var e Entry
	switch v := values; kind {
	case "daybreak-log/v1":
		e = LogEntry{Origin: v[0], Key: v[1], Created: instant(v[2])}
	case "daybreak-batch/v1":
		b := BatchEntry{
			Index: number(v[0]), Committed: instant(v[1]), Records: int(number(v[2]) & (1<<31 - 1)),
			RawBytes: number(v[4]), Segment: number(v[5]), Frame: block(v[6]), Receipts: block(v[7]),
		}
		copy(b.Root[:], fromBase64(v[3]))
		if err := b.check(); err != nil {
			return nil, err
		}
		e = b
	case "daybreak-key/v1":
		k := KeyEntry{
			Index: number(v[0]), Created: instant(v[1]), Old: v[2], New: v[3],
			OldSignature: fromBase64(v[4]), NewSignature: fromBase64(v[5]),
		}
		if len(k.OldSignature) != 64 || len(k.NewSignature) != 64 {
			return nil, errors.New("key entry: a signature is not 64 bytes of base64")
		}
		e = k
	default:
		e = RetentionEntry{Index: number(v[0]), Created: instant(v[1]), Policy: v[2], Before: instant(v[3]), Segment: number(v[4])}
	}
	if again := e.Text(); !bytes.Equal(again, text) {
		return nil, fmt.Errorf("log entry is not in the one form of its type: line %d", firstDifference(again, text))
	}
	return e, nil
}

// split cuts an entry into its type and the values of its lines.
func split(text []byte) (kind string, values []string, err error) {
	switch {
	case len(text) > MaxEntryBytes:
		return "", nil, fmt.Errorf("log entry has %d bytes, more than %d", len(text), MaxEntryBytes)
	case !utf8.Valid(text):
		return "", nil, errors.New("log entry is not UTF-8")
	case len(text) == 0 || text[len(text)-1] != '\n':
		return "", nil, errors.New("log entry does not end with a newline")
	}
	lines := strings.Split(string(text[:len(text)-1]), "\n")
	want, known := keys[lines[0]]
	if !known {
		return "", nil, fmt.Errorf("unknown type of log entry %.40q", lines[0])
	}
	if len(lines)-1 != len(want) {
		return "", nil, fmt.Errorf("%s entry has %d lines, want %d", lines[0], len(lines), len(want)+1)
	}
	for i, key := range want {
		value, ok := strings.CutPrefix(lines[i+1], key+" ")
		if !ok || value == "" {
			return "", nil, fmt.Errorf("%s entry: line %d is not %q with a value", lines[0], i+2, key)
		}
		values = append(values, value)
	}
	return lines[0], values, nil
}

// check refuses numbers that no batch can have.
func (e BatchEntry) check() error {
	const most = 1 << 62 // keeps sums of offsets and lengths away from overflow
	frame := e.Frame.Length != 0
	switch {
	case e.Records > MaxRecords:
		return fmt.Errorf("batch entry: %d records, more than %d", e.Records, MaxRecords)
	case e.Frame.Offset > most || e.Frame.Length > most || e.Receipts.Offset > most || e.Receipts.Length > most || e.RawBytes > most:
		return errors.New("batch entry: a size is absurd")
	case e.Records == 0 && (e.Frame != EmptyFrame() || e.Root != sha256.Sum256(nil) || e.RawBytes != 0):
		return errors.New("batch entry: a frame, root or bytes without records")
	case e.Records > 0 && (!frame || e.Frame.Offset < uint64(len(FramesMagic))):
		return errors.New("batch entry: records without a frame")
	case e.Receipts.Length == 0 || e.Receipts.Offset < uint64(len(ReceiptsMagic)):
		return errors.New("batch entry: no receipts")
	case e.Records > 1 && e.RawBytes > MaxFrameBytes:
		return fmt.Errorf("batch entry: %d raw bytes, more than %d", e.RawBytes, MaxFrameBytes)
	}
	return nil
}

// firstDifference returns the 1-based line in which a and b part.
func firstDifference(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			n = i
			break
		}
	}
	return 1 + bytes.Count(b[:n], []byte("\n"))
}
