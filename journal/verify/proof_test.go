// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal/verify"
	"golang.org/x/mod/sumdb/tlog"
)

// bundle writes the proof of a record as section 7 of the format has it.
func (k *kit) bundle(batch, index int) map[string]any {
	b := k.batches[batch]
	r := b.records[index]
	p := b.pieces[r.piece]
	var hashes []tlog.Hash
	for i, leaf := range b.leaves {
		more, err := tlog.StoredHashes(int64(i), leaf, reader(hashes))
		if err != nil {
			k.t.Fatal(err)
		}
		hashes = append(hashes, more...)
	}
	path, err := tlog.ProveRecord(int64(len(b.leaves)), int64(index), reader(hashes))
	if err != nil {
		k.t.Fatal(err)
	}
	inLog, err := tlog.ProveRecord(int64(len(k.entries)), int64(b.index), reader(k.hashes))
	if err != nil {
		k.t.Fatal(err)
	}
	extra := fmt.Sprintf("daybreak-record/v1 %d %d", index, len(b.leaves))
	for _, h := range path {
		extra += " " + b64(h[:])
	}
	proof := fmt.Sprintf("c2sp.org/tlog-proof@v1\nextra %s\nindex %d\n", b64([]byte(extra)), b.index)
	for _, h := range inLog {
		proof += b64(h[:]) + "\n"
	}
	sum := sha256.Sum256(r.raw)
	instant := func(ns int64) string { return spell(time.Unix(0, ns)) }
	return map[string]any{
		"format": "daybreak-proof/v1", "event": fmt.Sprintf("e%d.%d", b.index, index), "raw": b64(r.raw),
		"receipt": map[string]any{
			"tenant": p.tenant, "family": p.family, "stream": p.stream, "origin": p.name, "run": p.run, "ordinal": r.ordinal,
			"event_time": instant(r.event), "offered": instant(r.offered), "received": instant(r.receipt),
			"mutated": r.flags&1 != 0, "time_unknown": r.flags&2 != 0, "raw_length": len(r.raw), "id": r.id, "raw_sha256": b64(sum[:]),
		},
		"batch": string(k.entries[b.index]), "proof": proof + "\n" + string(k.files["log/checkpoint"]),
		"verifier_keys": []string{k.vkey()},
	}
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// proofKit has batches of 0 to 9 records in a log of some length.
func proofKit(t testing.TB) *kit {
	k := newKit(t, "example.com/proofs", 4)
	p := kitPiece{tenant: "t", family: "m365", stream: "Audit.General", name: "blob \"1\"", run: "r"}
	for n := range 10 {
		p.a, p.b = p.b, p.b+uint64(n)
		k.batch([]kitPiece{p}, k.records(0, p.a, n, 12))
	}
	k.publish()
	return k
}

func TestProofs(t *testing.T) {
	k := proofKit(t)
	o := verify.Options{Keys: []string{k.vkey()}}
	for b, batch := range k.batches {
		for i, r := range batch.records {
			got, err := verify.Proof(marshal(t, k.bundle(b, i)), o)
			if err != nil {
				t.Fatalf("record %d of batch %d: %v", i, b, err)
			}
			want := event.ID{Batch: uint64(batch.index), Index: uint32(i)}
			if got.Event != want || !bytes.Equal(got.Raw, r.raw) || got.Origin.Name != `blob "1"` || got.Receipt.Ordinal != r.ordinal || got.Key != k.vkey() {
				t.Errorf("record %s: proved %+v", want, got)
			}
		}
	}
	without := k.bundle(3, 1)
	delete(without, "raw")
	got, err := verify.Proof(marshal(t, without), o)
	if err != nil || got.HasRaw || got.Raw != nil || got.Receipt.RawLength != len(k.batches[3].records[1].raw) {
		t.Errorf("without the raw bytes: %v, %+v", err, got)
	}
}

// edit changes one field, in the receipt if the name has a dot.
func edit(b map[string]any, field string, v any) map[string]any {
	if name, ok := strings.CutPrefix(field, "receipt."); ok {
		b["receipt"].(map[string]any)[name] = v
	} else {
		b[field] = v
	}
	return b
}

func TestProofsThatDoNotHold(t *testing.T) {
	k := proofKit(t)
	o := verify.Options{Keys: []string{k.vkey()}}
	other := k.bundle(8, 3)
	replace := func(field, old, new string) any {
		s, _ := k.bundle(7, 2)[field].(string)
		if !strings.Contains(s, old) {
			t.Fatalf("%s has no %q", field, old)
		}
		return strings.Replace(s, old, new, 1)
	}
	for field, v := range map[string]any{
		"event": "e8.3", "batch": other["batch"], "proof": other["proof"], "raw": other["raw"], "receipt": other["receipt"], "format": "daybreak-proof/v2",
		"receipt.tenant": "u", "receipt.family": "okta", "receipt.stream": "", "receipt.origin": "x", "receipt.run": "x", "receipt.ordinal": 0,
		"receipt.event_time": "2026-11-21T12:00:00.000000000Z", "receipt.offered": "", "receipt.received": "yesterday",
		"receipt.mutated": true, "receipt.time_unknown": true, "receipt.raw_length": 1, "receipt.id": "x", "receipt.id_base64": "eA==",
		"receipt.raw_sha256": b64(make([]byte, 32)), "unknown": 1, "receipt.unknown": 1, "verifier_keys": 7,
	} {
		if _, err := verify.Proof(marshal(t, edit(k.bundle(7, 2), field, v)), o); err == nil {
			t.Errorf("another %s goes unseen", field)
		}
	}
	for _, c := range [][3]string{
		{"proof", "c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v2"},
		{"proof", "\nindex 8", "\nindex 08"},
		{"proof", "\nindex 8", "\nindex +8"},
		{"proof", "\nindex 8", "\nindex 9"},
		{"proof", "\nextra", "\nextras"},
		{"proof", "\nindex 8\n", "\nindex 8\r\n"},
		{"proof", "\nindex 8\n", "\nindex 8\nAAAA\n"},
		{"proof", "example.com/proofs\n", "example.com/proof\n"},
		{"batch", "records 7", "records 8"},
		{"batch", "index 8", "index 7"},
	} {
		if _, err := verify.Proof(marshal(t, edit(k.bundle(7, 2), c[0], replace(c[0], c[1], c[2]))), o); err == nil {
			t.Errorf("%s with %q for %q goes unseen", c[0], c[2], c[1])
		}
	}
	good := string(marshal(t, k.bundle(7, 2)))
	for _, bad := range []string{
		good + "{}", good[:len(good)-1], "[" + good + "]", "", "null", "{}",
		strings.Replace(good, `"event":`, `"event":"e1.1","event":`, 1), strings.Replace(good, `"event":`, `"Event":`, 1),
		strings.Replace(good, `"id":`, `"ID":`, 1), strings.Replace(good, `"id":`, `"id":"x","id":`, 1),
	} {
		if _, err := verify.Proof([]byte(bad), o); err == nil {
			t.Errorf("%.80q… is a proof", bad)
		}
	}
	for name, keys := range map[string][]string{"no key": nil, "a stranger's key": {newKit(t, "example.com/proofs", 9).vkey()}, "no key at all": {"x"}} {
		if _, err := verify.Proof([]byte(good), verify.Options{Keys: keys}); err == nil {
			t.Errorf("it holds with %s", name)
		}
	}
	witness := "example.com/w+" + strings.SplitN(k.vkey(), "+", 2)[1]
	if _, err := verify.Proof([]byte(good), verify.Options{Keys: o.Keys, Witnesses: []string{witness}}); err == nil {
		t.Error("it holds without the witness, or with one whose key is garbled")
	}
}

// Every byte of the texts in a bundle counts, and no bytes whatever make the
// checker panic. The one thing that may change is the hint on keys and, in
// "raw", which is checked by its hash, unused bits of the base64.
func TestEveryByteOfAProofCounts(t *testing.T) {
	k := proofKit(t)
	o := verify.Options{Keys: []string{k.vkey()}}
	for _, field := range []string{"event", "batch", "proof", "format"} {
		text := k.bundle(9, 4)[field].(string)
		for at := range len(text) {
			for _, c := range []byte{text[at] ^ 1, text[at] ^ 4, 'A', '\n', ' '} {
				changed := text[:at] + string(rune(c)) + text[at+1:]
				if changed == text {
					continue
				}
				if _, err := verify.Proof(marshal(t, edit(k.bundle(9, 4), field, changed)), o); err == nil {
					t.Fatalf("byte %d of %s as %q goes unseen", at, field, c)
				}
			}
		}
	}
}

func FuzzProof(f *testing.F) {
	k := proofKit(f)
	o := verify.Options{Keys: []string{k.vkey()}}
	f.Add(marshal(f, k.bundle(9, 4)))
	f.Add(marshal(f, k.bundle(1, 0)))
	raws := make(map[string]bool)
	for _, b := range k.batches {
		for _, r := range b.records {
			raws[string(r.raw)] = true
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := verify.Proof(data, o)
		var e *verify.Error
		switch {
		case err != nil && !errors.As(err, &e):
			t.Errorf("not a verify.Error: %v", err)
		case err == nil && p.HasRaw && !raws[string(p.Raw)]:
			t.Errorf("a record is proved that was never sealed: %s", base64.StdEncoding.EncodeToString(p.Raw))
		}
	})
}
