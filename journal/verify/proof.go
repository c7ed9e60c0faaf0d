// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal/layout"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Proven is what a proof bundle proves of one record.
type Proven struct {
	Event   event.ID
	Origin  event.Origin
	Receipt layout.Receipt // its Origin means nothing here
	// Raw is the record; HasRaw is false if the bundle leaves it out, as it may
	// when it is deleted by policy. Receipt.RawSum is proved all the same.
	Raw    []byte
	HasRaw bool

	Committed  time.Time // of the batch, by the writer's clock
	Checkpoint Checkpoint
	Key        string   // the given key that signed the checkpoint
	Witnesses  []string // the given witnesses who cosigned it
}

// Proof checks a proof bundle (section 7 of the format) with nothing but what
// the caller brings in o: at least one of the log's keys, and witnesses' keys
// if they are asked for. Since, Parallel and Progress are not used. The bundle's
// own verifier_keys are never used.
//
// The checkpoint must be signed by one of o.Keys; a bundle says nothing about
// how keys followed each other.
func Proof(bundle []byte, o Options) (Proven, error) {
	keys, err := trimKeys(o.Keys)
	if err != nil {
		return Proven{}, err
	}
	if len(keys) == 0 {
		return Proven{}, errors.New("a proof can only be checked with a verifier key of the log that was had from elsewhere")
	}
	cosign, err := newCosigners(o.Witnesses, o.Quorum)
	if err != nil {
		return Proven{}, err
	}
	b, err := layout.ParseBundle(bundle)
	if err == nil {
		err = exactKeys(bundle)
	}
	if err != nil {
		return Proven{}, fault(Invalid, "%v", err)
	}
	p, fault := proveBundle(b, keys, cosign)
	if fault != nil {
		return Proven{}, fault
	}
	return p, nil
}

func proveBundle(b *layout.Bundle, keys []string, cosign cosigners) (Proven, *Error) {
	var p Proven
	lp, err := parseLogProof(b.Proof)
	if err != nil {
		return p, fault(Invalid, "the log proof is malformed: %v", err)
	}
	if err := p.signed(lp.checkpoint, keys, cosign); err != nil {
		return p, err
	}
	entry, err := layout.ParseEntry([]byte(b.Batch))
	if err != nil {
		return p, fault(Invalid, "the batch: %v", err)
	}
	batch, ok := entry.(layout.BatchEntry)
	if !ok {
		return p, fault(Invalid, "the log entry is not a batch's")
	}
	leaf := tlog.RecordHash([]byte(b.Batch))
	if batch.Index != lp.index || lp.index >= lp.checkpoint.size {
		return p, fault(Invalid, "the batch says that it is entry %d, the proof is of entry %d in a log of %d", batch.Index, lp.index, lp.checkpoint.size)
	}
	if tlog.CheckRecord(lp.hashes, int64(lp.checkpoint.size), lp.checkpoint.root, int64(lp.index), leaf) != nil {
		return p, fault(Changed, "the batch is not in the log of the checkpoint").entry(lp.index)
	}
	p.Committed = batch.Committed
	return p, p.record(b, &batch, lp.extra)
}

// signed checks who stands behind the checkpoint.
func (p *Proven) signed(c *signedCheckpoint, keys []string, cosign cosigners) *Error {
	err := errors.New("it is signed by none of the given keys")
	for _, key := range keys {
		v, _ := note.NewVerifier(key) // trimKeys has tried
		present, valid := c.signedBy(v)
		if present && !valid {
			return fault(Signature, "the checkpoint: its signature by the key %s+%08x is wrong", v.Name(), v.KeyHash())
		}
		if valid && v.Name() != c.origin {
			// A key vouches for the log of its name only: C2SP tlog-proof,
			// section "Verifying a tlog proof", step 2.
			err = fmt.Errorf("its origin %.80q is not the log of the given key", c.origin)
		} else if valid {
			p.Key, err = key, nil
			break
		}
	}
	if err == nil {
		p.Witnesses, err = cosign.check(c)
	}
	if err != nil {
		return fault(Signature, "the checkpoint: %v", err)
	}
	p.Checkpoint = c.public()
	return nil
}

// record checks the record against its batch, which is proved.
func (p *Proven) record(b *layout.Bundle, batch *layout.BatchEntry, extra []byte) *Error {
	path, err := layout.ParseRecordPath(extra)
	if err != nil {
		return fault(Invalid, "%v", err)
	}
	p.Event = event.ID{Batch: batch.Index, Index: uint32(path.Index)}
	if b.Event != p.Event.String() {
		return fault(Invalid, "the bundle is named %.40q and proves %s", b.Event, p.Event)
	}
	if p.Origin, p.Receipt, err = b.Receipt.Decode(); err != nil {
		return fault(Invalid, "%v", err)
	}
	leaf := layout.AppendLeaf([]byte{0}, &p.Origin, &p.Receipt)
	root, ok := layout.RootFromPath(sha256.Sum256(leaf), path.Index, path.Records, path.Hashes)
	if path.Records != batch.Records || !ok {
		return fault(Invalid, "the record's path does not fit a batch of %d records", batch.Records).entry(batch.Index)
	}
	if root != batch.Root {
		return fault(Changed, "the receipt is not that of record %s", p.Event).entry(batch.Index)
	}
	if p.HasRaw = b.Raw != nil; !p.HasRaw {
		return nil
	}
	if len(b.Raw) != p.Receipt.RawLength || sha256.Sum256(b.Raw) != p.Receipt.RawSum {
		return fault(Changed, "the raw bytes are not those of record %s", p.Event).entry(batch.Index)
	}
	p.Raw = b.Raw
	return nil
}

// logProof is a parsed C2SP tlog-proof.
type logProof struct {
	extra      []byte
	index      uint64
	hashes     tlog.RecordProof
	checkpoint *signedCheckpoint
}

// maxPath bounds an inclusion proof: a tree of 2^63 leaves is 63 high.
const maxPath = 63

// parseLogProof reads the one spelling of c2sp.org/tlog-proof, section "Format",
// with an extra line.
func parseLogProof(text string) (*logProof, error) {
	head, checkpoint, ok := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	if !ok || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return nil, errors.New("it is not a c2sp.org/tlog-proof@v1 with an extra line and a checkpoint")
	}
	p := new(logProof)
	var err error
	extra, ok := strings.CutPrefix(lines[1], "extra ")
	if p.extra, err = strictBase64(extra); err != nil || !ok {
		return nil, errors.New("its second line is not: extra <base64>")
	}
	index, ok := strings.CutPrefix(lines[2], "index ")
	p.index, err = strconv.ParseUint(index, 10, 63)
	if err != nil || !ok || strconv.FormatUint(p.index, 10) != index {
		return nil, errors.New("its third line is not: index <number>")
	}
	if len(lines)-3 > maxPath {
		return nil, fmt.Errorf("its path has more than %d hashes", maxPath)
	}
	for i, line := range lines[3:] {
		raw, err := strictBase64(line)
		if err != nil || len(raw) != hashSize {
			return nil, fmt.Errorf("hash %d of its path is no hash", i)
		}
		p.hashes = append(p.hashes, tlog.Hash(raw))
	}
	if p.checkpoint, err = parseCheckpoint([]byte(checkpoint)); err != nil {
		return nil, fmt.Errorf("its checkpoint: %w", err)
	}
	return p, nil
}

// exactKeys refuses JSON whose objects name a field twice or in other letters:
// encoding/json takes such, and another program may read another bundle in it.
// The data is one JSON object of known fields, all in lower case.
func exactKeys(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	var objects []map[string]bool // the open objects' fields; nil for an array
	key := false                  // the next token is a field's name or ends the object
	for {
		token, err := d.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		last := len(objects) - 1
		switch name, isName := token.(string); {
		case token == json.Delim('{'):
			objects, key = append(objects, make(map[string]bool)), true
			continue
		case token == json.Delim('['):
			objects, key = append(objects, nil), false
			continue
		case token == json.Delim('}'), token == json.Delim(']'):
			objects = objects[:last]
			last--
		case key && isName:
			if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" || objects[last][name] {
				return fmt.Errorf("proof bundle: the field %.40q stands twice or is not in lower case", name)
			}
			objects[last][name], key = true, false
			continue
		}
		key = last >= 0 && objects[last] != nil
	}
}
