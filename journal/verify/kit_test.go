// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// kit writes journals from docs/format/journal.md alone: it uses neither the
// writer nor layout, and lets golang.org/x/mod do the trees, the tiles and the
// notes. What it and the verifier agree on is the page.
type kit struct {
	t       testing.TB
	rand    *rand.ChaCha8
	origin  string
	keys    []signingKey
	now     time.Time
	entries [][]byte
	hashes  []tlog.Hash // tlog's stored hashes of the log
	files   map[string][]byte
	segment int
	batches []kitBatch
	encoder *zstd.Encoder
}

type signingKey struct {
	private ed25519.PrivateKey
	signer  note.Signer
	vkey    string
}

type kitBatch struct {
	index   int
	pieces  []kitPiece
	records []kitRecord
	leaves  [][]byte // L of each record
}

type kitPiece struct {
	tenant, family, stream, name, run string
	a, b                              uint64
	duplicates                        []kitDuplicate
	notes                             []kitNote
}

type kitDuplicate struct{ ordinal, batch, index uint64 }

type kitNote struct {
	ordinal    uint64
	kind, text string
}

type kitRecord struct {
	piece                   int
	ordinal                 uint64
	event, offered, receipt int64
	flags                   uint64
	id                      string
	raw                     []byte
}

const (
	framesFile   = "segments/%012d.frames"
	receiptsFile = "segments/%012d.receipts"
)

// newKit begins a journal with the entry that founds it.
func newKit(t testing.TB, origin string, seed byte) *kit {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderCRC(true), zstd.WithEncoderConcurrency(1), zstd.WithSingleSegment(true), zstd.WithZeroFrames(true))
	if err != nil {
		t.Fatal(err)
	}
	k := &kit{
		t: t, rand: rand.NewChaCha8([32]byte{seed}), origin: origin, encoder: encoder,
		now:   time.Date(2026, 11, 21, 12, 0, 0, 123456789, time.UTC),
		files: map[string][]byte{"log/.state/version": []byte("1"), "log/.state/treeState.lock": {}, "log/.state/publish.lock": {}},
	}
	k.keys = []signingKey{k.newKey()}
	k.append(fmt.Sprintf("daybreak-log/v1\norigin %s\nkey %s\ncreated %s\n", origin, k.keys[0].vkey, k.tick()))
	return k
}

func (k *kit) newKey() signingKey {
	seed := make([]byte, ed25519.SeedSize)
	k.rand.Read(seed)
	private := ed25519.NewKeyFromSeed(seed)
	vkey, err := note.NewEd25519VerifierKey(k.origin, private.Public().(ed25519.PublicKey))
	if err != nil {
		k.t.Fatal(err)
	}
	hash := strings.Split(vkey, "+")[1]
	signer, err := note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%s+%s", k.origin, hash, b64(append([]byte{1}, seed...))))
	if err != nil {
		k.t.Fatal(err)
	}
	return signingKey{private: private, signer: signer, vkey: vkey}
}

func (k *kit) vkey() string { return k.keys[len(k.keys)-1].vkey }

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// tick moves the clock on and spells it.
func (k *kit) tick() string {
	k.now = k.now.Add(1500 * time.Millisecond)
	return spell(k.now)
}

func spell(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z") }

// reader reads stored hashes.
func reader(hashes []tlog.Hash) tlog.HashReader {
	return tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(at))
		for i, n := range at {
			out[i] = hashes[n]
		}
		return out, nil
	})
}

// append adds a log entry.
func (k *kit) append(text string) {
	more, err := tlog.StoredHashes(int64(len(k.entries)), []byte(text), reader(k.hashes))
	if err != nil {
		k.t.Fatal(err)
	}
	k.hashes = append(k.hashes, more...)
	k.entries = append(k.entries, []byte(text))
}

func str(b []byte, s string) []byte { return append(binary.AppendUvarint(b, uint64(len(s))), s...) }

func (p kitPiece) identity(b []byte) []byte {
	for _, s := range []string{p.tenant, p.family, p.stream, p.name, p.run} {
		b = str(b, s)
	}
	return b
}

// leaf is L of section 5.
func (r kitRecord) leaf(p kitPiece) []byte {
	b := p.identity([]byte("daybreak-record/v1\n"))
	b = binary.AppendUvarint(b, r.ordinal)
	for _, t := range []int64{r.event, r.offered, r.receipt} {
		b = binary.AppendVarint(b, t)
	}
	b = binary.AppendUvarint(b, r.flags)
	b = binary.AppendUvarint(b, uint64(len(r.raw)))
	b = str(b, r.id)
	sum := sha256.Sum256(r.raw)
	return append(b, sum[:]...)
}

// receipts is section 4.
func receipts(pieces []kitPiece, records []kitRecord) []byte {
	b := binary.AppendUvarint([]byte("DBR1"), uint64(len(pieces)))
	next := make([]uint64, len(pieces))
	for i, p := range pieces {
		next[i] = p.a
		b = p.identity(b)
		b = binary.AppendUvarint(binary.AppendUvarint(b, p.a), p.b)
		b = binary.AppendUvarint(b, uint64(len(p.duplicates)))
		last := p.a
		for _, d := range p.duplicates {
			for _, v := range []uint64{d.ordinal - last, d.batch, d.index} {
				b = binary.AppendUvarint(b, v)
			}
			last = d.ordinal
		}
		b = binary.AppendUvarint(b, uint64(len(p.notes)))
		last = p.a
		for _, n := range p.notes {
			b = str(str(binary.AppendUvarint(b, n.ordinal-last), n.kind), n.text)
			last = n.ordinal
		}
	}
	b = binary.AppendUvarint(b, uint64(len(records)))
	for _, r := range records {
		b = binary.AppendUvarint(b, uint64(r.piece))
	}
	for _, r := range records {
		b = binary.AppendUvarint(b, r.ordinal-next[r.piece])
		next[r.piece] = r.ordinal + 1
	}
	for _, of := range []func(kitRecord) int64{
		func(r kitRecord) int64 { return r.event },
		func(r kitRecord) int64 { return r.offered },
		func(r kitRecord) int64 { return r.receipt },
	} {
		last := int64(0)
		for _, r := range records {
			b = binary.AppendVarint(b, of(r)-last)
			last = of(r)
		}
	}
	for _, r := range records {
		b = binary.AppendUvarint(b, r.flags)
	}
	for _, r := range records {
		b = binary.AppendUvarint(b, uint64(len(r.raw)))
	}
	for _, r := range records {
		b = str(b, r.id)
	}
	for _, r := range records {
		sum := sha256.Sum256(r.raw)
		b = append(b, sum[:]...)
	}
	return b
}

// write appends a block to a segment's file and spells its place.
func (k *kit) write(name, magic string, block []byte) string {
	if len(k.files[name]) == 0 {
		k.files[name] = []byte(magic)
	}
	at := len(k.files[name])
	k.files[name] = append(k.files[name], block...)
	sum := sha256.Sum256(block)
	return fmt.Sprintf("%d %d %s", at, len(block), b64(sum[:]))
}

// batch seals records.
func (k *kit) batch(pieces []kitPiece, records []kitRecord) {
	k.batchText(pieces, records, func(s string) string { return s })
}

// batchText is batch with a last word on the entry.
func (k *kit) batchText(pieces []kitPiece, records []kitRecord, edit func(string) string) {
	b := kitBatch{index: len(k.entries), pieces: pieces, records: records}
	var raw []byte
	var hashes []tlog.Hash
	for i, r := range records {
		raw = append(raw, r.raw...)
		leaf := r.leaf(pieces[r.piece])
		b.leaves = append(b.leaves, leaf)
		more, err := tlog.StoredHashes(int64(i), leaf, reader(hashes))
		if err != nil {
			k.t.Fatal(err)
		}
		hashes = append(hashes, more...)
	}
	root, err := tlog.TreeHash(int64(len(records)), reader(hashes))
	if err != nil {
		k.t.Fatal(err)
	}
	if len(records) == 0 {
		root = sha256.Sum256(nil)
	}
	frames := fmt.Sprintf(framesFile, k.segment)
	if len(k.files[frames]) == 0 {
		k.files[frames] = []byte("DBFRAME1")
	}
	frame := "0 0 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
	if len(records) > 0 {
		frame = k.write(frames, "DBFRAME1", k.encoder.EncodeAll(raw, nil))
	}
	receipt := k.write(fmt.Sprintf(receiptsFile, k.segment), "DBRCPT01", k.encoder.EncodeAll(receipts(pieces, records), nil))
	k.append(edit(fmt.Sprintf("daybreak-batch/v1\nindex %d\ncommitted %s\nrecords %d\nroot %s\nraw-bytes %d\nsegment %d\nframe %s\nreceipts %s\n",
		b.index, k.tick(), len(records), b64(root[:]), len(raw), k.segment, frame, receipt)))
	k.batches = append(k.batches, b)
}

// rotate replaces the key.
func (k *kit) rotate() {
	old, fresh := k.keys[len(k.keys)-1], k.newKey()
	text := fmt.Sprintf("daybreak-key/v1\nindex %d\ncreated %s\nold %s\nnew %s\n", len(k.entries), k.tick(), old.vkey, fresh.vkey)
	k.append(text + fmt.Sprintf("old-signature %s\nnew-signature %s\n",
		b64(ed25519.Sign(old.private, []byte(text))), b64(ed25519.Sign(fresh.private, []byte(text)))))
	k.keys = append(k.keys, fresh)
}

// letGo announces that a segment's frames are deleted, and deletes them.
func (k *kit) letGo(segment int) {
	at := k.tick()
	k.append(fmt.Sprintf("daybreak-retention/v1\nindex %d\ncreated %s\npolicy raw records are kept for 1 s\nbefore %s\nsegment %d\n", len(k.entries), at, at, segment))
	delete(k.files, fmt.Sprintf(framesFile, segment))
}

func (k *kit) root() tlog.Hash {
	root, err := tlog.TreeHash(int64(len(k.entries)), reader(k.hashes))
	if err != nil {
		k.t.Fatal(err)
	}
	return root
}

// publish writes tiles and checkpoint for the present size, and returns the
// checkpoint. Tiles of earlier sizes stay.
func (k *kit) publish(cosigners ...note.Signer) []byte {
	size := len(k.entries)
	for _, tile := range tlog.NewTiles(8, 0, int64(size)) {
		data, err := tlog.ReadTileData(tile, reader(k.hashes))
		if err != nil {
			k.t.Fatal(err)
		}
		name := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		k.files["log/"+name] = data
		if tile.L == 0 {
			var bundle []byte
			for _, e := range k.entries[tile.N*256 : tile.N*256+int64(tile.W)] {
				bundle = append(binary.BigEndian.AppendUint16(bundle, uint16(len(e))), e...)
			}
			k.files["log/"+strings.Replace(name, "tile/0/", "tile/entries/", 1)] = bundle
		}
	}
	root := k.root()
	state, err := json.Marshal(map[string]any{"size": size, "root": root[:]})
	if err != nil {
		k.t.Fatal(err)
	}
	// Go sorts a map's keys; tessera writes size first.
	k.files["log/.state/treeState"] = fmt.Appendf(nil, `{"size":%d,"root":"%s"}`, size, b64(root[:]))
	if len(state) != len(k.files["log/.state/treeState"]) {
		k.t.Fatal("tree state is not the JSON it should be")
	}
	signers := append([]note.Signer{k.keys[len(k.keys)-1].signer}, cosigners...)
	checkpoint, err := note.Sign(&note.Note{Text: fmt.Sprintf("%s\n%d\n%s\n", k.origin, size, b64(root[:]))}, signers...)
	if err != nil {
		k.t.Fatal(err)
	}
	k.files["log/checkpoint"] = checkpoint
	return checkpoint
}

// sweep removes partial tiles but those of the present size.
func (k *kit) sweep() {
	keep := make(map[string]bool)
	for _, tile := range tlog.NewTiles(8, 0, int64(len(k.entries))) {
		name := "log/" + strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		keep[name] = true
		keep[strings.Replace(name, "tile/0/", "tile/entries/", 1)] = true
	}
	for name := range k.files {
		if strings.Contains(name, ".p/") && !keep[name] {
			delete(k.files, name)
		}
	}
}

// fs is the journal as a file system.
func (k *kit) fs() fstest.MapFS { return toFS(k.files) }

func toFS(files map[string][]byte) fstest.MapFS {
	m := make(fstest.MapFS)
	for name, data := range files {
		m[name] = &fstest.MapFile{Data: data, Mode: 0o644}
	}
	return m
}

// names lists the files in order.
func (k *kit) names() []string { return slices.Sorted(maps.Keys(k.files)) }

// noise returns n bytes that do not compress.
func (k *kit) noise(n int) []byte {
	b := make([]byte, n)
	k.rand.Read(b)
	return b
}

// records makes n records of one piece that goes on at ordinal from.
func (k *kit) records(piece int, from uint64, n, size int) []kitRecord {
	var out []kitRecord
	for i := range n {
		at := k.now.UnixNano() + int64(i)*1000
		out = append(out, kitRecord{
			piece: piece, ordinal: from + uint64(i), event: at - 60e9, offered: at - 30e9, receipt: at,
			id: fmt.Sprintf("%x", k.noise(8)), raw: append([]byte(`{"x":"`), bytes.ReplaceAll(k.noise(size), []byte(`"`), []byte(`'`))...),
		})
	}
	return out
}

// small writes a journal with everything in it that the format has, in a few
// kilobytes: two keys, three segments of which one is gone by policy, an empty
// batch, duplicates, notes, partial tiles that an earlier checkpoint has left.
func small(t testing.TB) *kit {
	k := newKit(t, "example.com/small", 7)
	blob := kitPiece{tenant: "t1", family: "m365", stream: "Audit.Exchange", name: "blob-1", run: "r1"}
	page := kitPiece{family: "okta", stream: "logs", name: "page", run: "r2"}

	first := blob
	first.b = 3
	k.batch([]kitPiece{first}, k.records(0, 0, 3, 40)) // entry 1
	k.segment = 1
	first.a, first.b = 3, 6
	first.notes = []kitNote{{4, "unreadable", "not JSON"}, {5, "remark", "odd clock"}}
	empty := page
	more := k.records(0, 3, 3, 40)
	more[2].flags = 1
	k.batch([]kitPiece{first, empty}, []kitRecord{more[0], more[2]}) // entry 2
	k.rotate()                                                       // entry 3
	k.publish()
	page.b = 2
	page.duplicates = []kitDuplicate{{0, 1, 2}, {1, 2, 1}}
	k.batch([]kitPiece{page}, nil) // entry 4
	k.letGo(0)                     // entry 5
	k.segment = 2
	page.a, page.b, page.duplicates = 2, 4, []kitDuplicate{{3, 6, 0}}
	k.batch([]kitPiece{page}, k.records(0, 2, 1, 40)) // entry 6
	k.publish()
	return k
}
