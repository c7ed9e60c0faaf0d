// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/daybreak-sec/daybreak/journal/verify"
	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// What the key's owner signs must still follow the format. Each case is a
// journal whose hashes and signatures are all right.
func TestRules(t *testing.T) {
	p := func(a, b uint64) []kitPiece { return []kitPiece{{name: "n", a: a, b: b}} }
	entry := func(k *kit, a uint64, edit func(string) string) {
		k.batchText(p(a, a+1), k.records(0, a, 1, 20), edit)
	}
	swap := func(old, new string) func(string) string {
		return func(s string) string { return strings.Replace(s, old, new, 1) }
	}
	same := func(s string) string { return s }
	tests := []struct {
		name string
		make func(k *kit)
		want string // in the error; empty if all is well
	}{
		{"well", func(k *kit) { entry(k, 0, same); entry(k, 1, same) }, ""},
		{"a record of no bytes", func(k *kit) {
			r := k.records(0, 0, 1, 0)
			r[0].raw = nil
			k.batch(p(0, 1), r)
		}, ""},
		{"another index", func(k *kit) { entry(k, 0, swap("index 1", "index 2")) }, "it says that it is entry 2"},
		{"unknown type", func(k *kit) { k.append("daybreak-new/v1\n") }, "unknown type"},
		{"unknown batch", func(k *kit) { k.append("daybreak-batch/v1\nindex 1\n") }, "log entry 1"},
		{"empty entry", func(k *kit) { k.append("") }, "log entry 1"},
		{"another founder", func(k *kit) { k.append(string(k.entries[0])) }, "only entry 0"},
		{"a first segment that is not 0", func(k *kit) { k.segment = 1; entry(k, 0, same) }, "it is in segment 1"},
		{"a segment skipped", func(k *kit) { entry(k, 0, same); k.segment = 2; entry(k, 1, same) }, "it is in segment 2, the next one is 1"},
		{"back to a segment", func(k *kit) { entry(k, 0, same); k.segment = 1; entry(k, 1, same); k.segment = 0; entry(k, 2, same) }, "bytes follow the last block"},
		{"too many records", func(k *kit) { entry(k, 0, swap("records 1", "records 2")) }, "receipts of 1 records"},
		{"other raw bytes", func(k *kit) { entry(k, 0, swap("raw-bytes 26", "raw-bytes 27")) }, "26 raw bytes together"},
		{"other root", func(k *kit) {
			entry(k, 0, func(s string) string {
				at := strings.Index(s, "root ") + 5
				return s[:at] + b64(make([]byte, 32)) + s[at+44:]
			})
		}, "another root"},
		{"a hole in a file", func(k *kit) { entry(k, 0, swap("frame 8", "frame 9")) }, "said to begin at 9"},
		{"a hole in an origin", func(k *kit) { entry(k, 0, same); entry(k, 2, same) }, "a hole in the origin \"n\""},
		{"an overlap in an origin", func(k *kit) { entry(k, 0, same); entry(k, 0, same) }, "an overlap in the origin \"n\""},
		{"an origin that begins late", func(k *kit) { entry(k, 1, same) }, "a hole"},
		{"an ordinal without anything", func(k *kit) { k.batch(p(0, 2), k.records(0, 0, 1, 9)) }, "unaccounted"},
		{"an origin twice in a batch", func(k *kit) { k.batch(append(p(0, 1), p(1, 2)...), nil) }, "log entry 1"},
		{"a repetition of what comes later", func(k *kit) {
			q := p(0, 1)
			q[0].duplicates = []kitDuplicate{{0, 2, 0}}
			k.batch(q, nil)
			entry(k, 1, same)
		}, "not sealed before"},
		{"a repetition of a record too far", func(k *kit) {
			entry(k, 0, same)
			q := p(1, 2)
			q[0].duplicates = []kitDuplicate{{1, 1, 1}}
			k.batch(q, nil)
		}, "not sealed before"},
		{"a repetition of an entry without records", func(k *kit) {
			q := p(0, 1)
			q[0].duplicates = []kitDuplicate{{0, 0, 0}}
			k.batch(q, nil)
		}, "not sealed before"},
		{"a repetition within the batch", func(k *kit) {
			q := p(0, 2)
			q[0].duplicates = []kitDuplicate{{1, 1, 0}}
			k.batch(q, k.records(0, 0, 1, 9))
		}, ""},
		{"let go", func(k *kit) { entry(k, 0, same); k.segment = 1; k.letGo(0) }, ""},
		{"let go and still there", func(k *kit) {
			entry(k, 0, same)
			files := maps.Clone(k.files)
			k.letGo(0)
			k.files = files
		}, ""},
		{"let go twice", func(k *kit) { entry(k, 0, same); k.letGo(0); k.letGo(0) }, ""},
		{"let go what is not there", func(k *kit) { entry(k, 0, same); k.letGo(1) }, "does not exist yet"},
		{"let go too young", func(k *kit) {
			entry(k, 0, same)
			at := spell(k.now)
			k.append(fmt.Sprintf("daybreak-retention/v1\nindex 2\ncreated %s\npolicy p\nbefore %s\nsegment 0\n", at, at))
		}, "holds a batch committed at"},
		{"let go what comes", func(k *kit) {
			entry(k, 0, same)
			k.append(fmt.Sprintf("daybreak-retention/v1\nindex 2\ncreated %s\npolicy p\nbefore %s\nsegment 0\n", spell(k.now), spell(k.now.Add(time.Hour))))
		}, "not committed yet"},
		{"written on after it was let go", func(k *kit) {
			entry(k, 0, same)
			files := maps.Clone(k.files)
			k.letGo(0)
			k.files = files
			entry(k, 1, same)
		}, "was let go"},
		{"a key taken over", func(k *kit) {
			thief := newKit(t, k.origin, 77)
			text := fmt.Sprintf("daybreak-key/v1\nindex 1\ncreated %s\nold %s\nnew %s\n", k.tick(), k.vkey(), thief.vkey())
			sig := b64(ed25519.Sign(thief.keys[0].private, []byte(text)))
			k.append(text + "old-signature " + sig + "\nnew-signature " + sig + "\n")
			k.keys = append(k.keys, thief.keys[0])
		}, "the old key's signature is wrong"},
		{"a key claimed", func(k *kit) {
			other := newKit(t, k.origin, 77)
			text := fmt.Sprintf("daybreak-key/v1\nindex 1\ncreated %s\nold %s\nnew %s\n", k.tick(), k.vkey(), other.vkey())
			sig := b64(ed25519.Sign(k.keys[0].private, []byte(text)))
			k.append(text + "old-signature " + sig + "\nnew-signature " + sig + "\n")
			k.keys = append(k.keys, other.keys[0])
		}, "the new key's signature is wrong"},
		{"signed by the old key still", func(k *kit) { k.rotate(); k.keys = k.keys[:1] }, "which is in force at size 2"},
		{"not zstd", func(k *kit) { rawReceipts(k, []byte("DBR1 and no zstd at all")) }, "does not begin with a zstd frame"},
		{"two zstd frames", func(k *kit) {
			one := k.encoder.EncodeAll(receipts(nil, nil), nil)
			rawReceipts(k, append(one, k.encoder.EncodeAll([]byte("x"), nil)...))
		}, "exactly one zstd frame"},
		{"bytes after the receipts", func(k *kit) {
			rawReceipts(k, k.encoder.EncodeAll(append(receipts(nil, nil), 0), nil))
		}, "bytes follow"},
		{"a bomb", func(k *kit) { rawReceipts(k, bomb()) }, "more than 67108864"},
	}
	for _, tt := range tests {
		k := newKit(t, "example.com/rules", 1)
		tt.make(k)
		k.publish()
		_, err := check(t, k.fs(), verify.Options{Keys: []string{k.keys[0].vkey}})
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

// rawReceipts seals an empty batch whose receipts block is any bytes.
func rawReceipts(k *kit, block []byte) {
	k.files["segments/000000000000.frames"] = []byte("DBFRAME1")
	place := k.write("segments/000000000000.receipts", "DBRCPT01", block)
	k.append(fmt.Sprintf("daybreak-batch/v1\nindex %d\ncommitted %s\nrecords 0\nroot 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nraw-bytes 0\nsegment 0\nframe 0 0 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nreceipts %s\n",
		len(k.entries), k.tick(), place))
}

// bomb is a zstd frame of 2^40 bytes of content in one block (RFC 8878).
func bomb() []byte {
	b := binary.LittleEndian.AppendUint32(nil, 0xFD2FB528)
	b = append(b, 0b11_1_0_0_1_00) // content size in 8 bytes, one segment, checksum
	b = binary.LittleEndian.AppendUint64(b, 1<<40)
	b = append(b, 3, 0, 8, 'x') // last block, one byte repeated 64 Ki times
	return append(b, 0, 0, 0, 0)
}

// Any entry and any receipts are answered, never by a panic, and if they hold
// they are written as the format says.
func FuzzEntry(f *testing.F) {
	for _, e := range small(f).entries {
		f.Add(e)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<16-1 {
			return
		}
		k := newKit(t, "example.com/fuzz", 1)
		k.batch([]kitPiece{{name: "n", b: 1}}, k.records(0, 0, 1, 9))
		k.append(string(text))
		k.publish()
		r, err := verify.FS(context.Background(), k.fs(), verify.Options{})
		if err == nil && (r.Batches != 1 || !bytes.HasPrefix(text, []byte("daybreak-retention/v1\nindex 2\n"))) {
			t.Errorf("%q holds as %+v", text, r)
		}
	})
}

func FuzzReceipts(f *testing.F) {
	for _, b := range small(f).batches {
		f.Add(receipts(b.pieces, b.records))
	}
	f.Fuzz(func(t *testing.T, plain []byte) {
		k := newKit(t, "example.com/fuzz", 1)
		rawReceipts(k, k.encoder.EncodeAll(plain, nil))
		k.publish()
		if r, err := verify.FS(context.Background(), k.fs(), verify.Options{}); err == nil && r.Records != 0 {
			t.Errorf("%q holds as %+v", plain, r)
		}
	})
}

func TestEarlierCheckpoint(t *testing.T) {
	k := newKit(t, "example.com/since", 1)
	empty := checkpointOf(t, k, 0)
	var since [][]byte
	p := kitPiece{name: "n"}
	for i := range 6 {
		p.a, p.b = p.b, p.b+1
		k.batch([]kitPiece{p}, k.records(0, p.a, 1, 9))
		since = append(since, k.publish())
		if i == 2 {
			k.rotate()
		}
	}
	k.sweep()
	o := verify.Options{Keys: []string{k.keys[0].vkey}}
	for i, s := range append(since, empty) {
		o.Since = s
		r, err := check(t, k.fs(), o)
		if err != nil || r.Since == nil {
			t.Errorf("checkpoint %d: %v", i, err)
		}
	}

	// The checkpoint alone goes back: what lies beyond it is refused, and if
	// the file open makes it look uncommitted, the later checkpoint is missed.
	m := k.fs()
	m["log/checkpoint"] = &fstest.MapFile{Data: since[4]}
	o.Since = nil
	if _, err := check(t, m, o); kind(err) != verify.Added {
		t.Errorf("an older checkpoint: got %v", err)
	}
	m["open"] = &fstest.MapFile{}
	if r, err := check(t, m, o); err != nil || r.Records != 5 || !r.Uncommitted.Open || r.Uncommitted.Bytes == 0 {
		t.Errorf("an older checkpoint of an open journal: %v, %+v", err, r)
	}
	o.Since = since[5]
	if _, err := check(t, m, o); kind(err) != verify.Consistency || !strings.Contains(err.Text, "goes back") {
		t.Errorf("a checkpoint that goes back: got %v", err)
	}

	// The whole journal is another one under the same key.
	fork := newKit(t, "example.com/since", 1)
	p.a, p.b = 0, 0
	for range 6 {
		p.a, p.b = p.b, p.b+1
		fork.batch([]kitPiece{p}, fork.records(0, p.a, 1, 10))
	}
	fork.publish()
	if fork.vkey() != k.keys[0].vkey {
		t.Fatal("the fork is not under the same key")
	}
	for i, s := range since[:3] {
		if _, err := check(t, fork.fs(), verify.Options{Since: s}); kind(err) != verify.Consistency {
			t.Errorf("a fork against checkpoint %d: got %v", i, err)
		}
	}
	other := newKit(t, "example.com/other", 8)
	o.Since = other.publish()
	if _, err := check(t, k.fs(), o); kind(err) != verify.Consistency {
		t.Errorf("a checkpoint of another log: got %v", err)
	}
	o.Since = bytes.Replace(since[2], []byte("\n4\n"), []byte("\n3\n"), 1)
	if _, err := check(t, k.fs(), o); kind(err) != verify.Signature {
		t.Errorf("a checkpoint that was edited: got %v", err)
	}
	o.Since = []byte("nonsense")
	if _, err := verify.FS(context.Background(), k.fs(), o); err == nil {
		t.Error("nonsense passes as an earlier checkpoint")
	}
}

// checkpointOf signs a checkpoint of an empty tree.
func checkpointOf(t *testing.T, k *kit, size int) []byte {
	c, err := note.Sign(&note.Note{Text: fmt.Sprintf("%s\n%d\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", k.origin, size)}, k.keys[0].signer)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// While a writer is at work, or died at work, what is not committed yet is let
// be, and nothing else.
func TestOpenJournal(t *testing.T) {
	k := small(t)
	committed := k.files["log/checkpoint"]
	before := maps.Clone(k.files)
	p := kitPiece{family: "okta", stream: "logs", name: "page", run: "r2", a: 4, b: 5}
	k.batch([]kitPiece{p}, k.records(0, 4, 1, 30))
	k.segment = 3
	p.a, p.b = 5, 6
	k.batch([]kitPiece{p}, k.records(0, 5, 1, 30))
	k.publish()
	k.files["log/checkpoint"] = committed
	k.files["segments/000000000004.frames"] = []byte("DBF")
	k.files["log/checkpoint1234567"] = []byte("half a checkpoint")
	k.files["log/tile/0/000.p/61932847"] = []byte("half a tile")
	k.files["log/tile/entries/0001932847"] = []byte("half a bundle")
	k.files["segments/000000000003.receipts.tmp"] = nil
	o := verify.Options{Keys: []string{k.vkey()}}
	if _, err := check(t, k.fs(), o); kind(err) != verify.Added {
		t.Errorf("without open: got %v", err)
	}
	k.files["open"] = []byte("4711\n")
	r, err := check(t, k.fs(), o)
	if err != nil || r.Records != 6 || r.Uncommitted.Files != 9 || r.Uncommitted.Bytes == 0 {
		t.Fatalf("got %v, %+v", err, r)
	}
	// The writer may have swept the partial tiles of the checkpoint already.
	for name := range k.files {
		if strings.HasSuffix(name, ".p/7") {
			delete(k.files, name)
		}
	}
	if _, err := check(t, k.fs(), o); err != nil {
		t.Errorf("without the tiles of the checkpoint, but with wider ones: %v", err)
	}
	// What is committed counts as ever, in whatever file it is found.
	for _, name := range []string{"log/tile/0/000.p/9", "log/tile/entries/000.p/9"} {
		changed := bytes.Clone(k.files[name])
		changed[5] ^= 1
		refused(t, k.fs(), o, name, changed, "a change of what is committed")
	}
	for name := range before {
		if !strings.HasSuffix(name, ".lock") && !strings.Contains(name, ".p/") {
			refused(t, k.fs(), o, name, nil, "removal while open")
		}
	}
	for _, name := range []string{"segments/000000000006.frames", "segments/x", "log/tile/9/9", "log/.state/gcState7"} {
		refused(t, k.fs(), o, name, []byte("x"), "addition while open")
	}
}

// A writer that is ahead has filled the tile that the checkpoint covers in part,
// and swept the partial ones.
func TestOpenJournalPastAFullTile(t *testing.T) {
	k := many(t, 250)
	committed := k.files["log/checkpoint"]
	for range 10 {
		p := kitPiece{name: "later", run: fmt.Sprint(len(k.entries)), b: 1}
		k.batch([]kitPiece{p}, k.records(0, 0, 1, 10))
	}
	k.publish()
	k.sweep()
	k.files["log/checkpoint"], k.files["open"] = committed, nil
	o := verify.Options{Keys: []string{k.vkey()}}
	if r, err := check(t, k.fs(), o); err != nil || r.Entries != 250 {
		t.Fatalf("got %v, %+v", err, r)
	}
	for _, name := range []string{"log/tile/0/000", "log/tile/entries/000"} {
		changed := bytes.Clone(k.files[name])
		changed[100] ^= 1
		refused(t, k.fs(), o, name, changed, "a change of what is committed")
		refused(t, k.fs(), o, name, changed[:200], "an end before what is committed")
		refused(t, k.fs(), o, name, nil, "removal")
	}
}

func TestJustMade(t *testing.T) {
	k := newKit(t, "example.com/new", 1)
	files := map[string][]byte{
		"open": {}, "log/.state/version": []byte("1"),
		"log/.state/treeState": []byte(`{"size":0,"root":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}`),
		"log/checkpoint":       checkpointOf(t, k, 0),
	}
	o := verify.Options{Keys: []string{k.vkey()}}
	if r, err := check(t, toFS(files), o); err != nil || !r.KeyGiven || len(r.Warnings) != 1 {
		t.Errorf("got %v, %+v", err, r)
	}
	if _, err := check(t, toFS(files), verify.Options{Keys: []string{newKit(t, "example.com/new", 2).vkey()}}); kind(err) != verify.Signature {
		t.Errorf("under a stranger's key: %v", err)
	}
	delete(files, "open")
	if _, err := check(t, toFS(files), o); kind(err) != verify.Invalid {
		t.Errorf("closed and empty: %v", err)
	}
}

func TestWitnesses(t *testing.T) {
	k := newKit(t, "example.com/log", 1)
	var signers []note.Signer
	var vkeys []string
	for i := range 3 {
		skey, vkey, err := note.GenerateKey(nil, fmt.Sprintf("example.com/witness%d", i))
		if err != nil {
			t.Fatal(err)
		}
		signer, err := fnote.NewSignerForCosignatureV1(skey)
		if err != nil {
			t.Fatal(err)
		}
		if vkey, err = fnote.VKeyToCosignatureV1(vkey); err != nil {
			t.Fatal(err)
		}
		signers, vkeys = append(signers, signer), append(vkeys, vkey)
	}
	k.publish(signers[0], signers[1])
	for _, tt := range []struct {
		witnesses []string
		quorum    int
		want      verify.Kind
		warnings  int
	}{
		{nil, 0, "", 1},
		{vkeys[:1], 0, "", 1},
		{vkeys[:2], 0, "", 0},
		{vkeys, 2, "", 0},
		{vkeys, 0, verify.Signature, 0},
		{vkeys[2:], 1, verify.Signature, 0},
	} {
		r, err := check(t, k.fs(), verify.Options{Keys: []string{k.vkey()}, Witnesses: tt.witnesses, Quorum: tt.quorum})
		if kind(err) != tt.want || err == nil && (len(r.Warnings) != tt.warnings || len(r.Witnesses) != min(2, len(tt.witnesses))) {
			t.Errorf("%d witnesses, quorum %d: got %v, %q, %q", len(tt.witnesses), tt.quorum, err, r.Witnesses, r.Warnings)
		}
	}
	for _, o := range []verify.Options{{Witnesses: vkeys, Quorum: 4}, {Witnesses: vkeys, Quorum: -1}, {Quorum: 1}, {Witnesses: []string{vkeys[0], vkeys[0]}}, {Witnesses: []string{"x"}}} {
		if _, err := verify.FS(context.Background(), k.fs(), o); err == nil {
			t.Errorf("%d witnesses with quorum %d are accepted", len(o.Witnesses), o.Quorum)
		}
	}
	// With both cosigners known every byte of the checkpoint counts.
	o := verify.Options{Keys: []string{k.vkey()}, Witnesses: vkeys, Quorum: 2}
	for at := range k.files["log/checkpoint"] {
		for bit := range 8 {
			changed := bytes.Clone(k.files["log/checkpoint"])
			changed[at] ^= 1 << bit
			refused(t, k.fs(), o, "log/checkpoint", changed, fmt.Sprintf("bit %d of byte %d", bit, at))
		}
	}
}
