// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package witness_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/journal/witness"
	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// testLog is a log that x/mod keeps.
type testLog struct {
	t      *testing.T
	origin string
	signer note.Signer
	vkey   string
	hashes []tlog.Hash
	size   int64
}

func newLog(t *testing.T, origin string) *testLog {
	t.Helper()
	skey, vkey, err := note.GenerateKey(nil, origin)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	return &testLog{t: t, origin: origin, signer: signer, vkey: vkey}
}

func (l *testLog) reader() tlog.HashReader {
	return tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(at))
		for i, n := range at {
			out[i] = l.hashes[n]
		}
		return out, nil
	})
}

// grow appends n entries that begin with text.
func (l *testLog) grow(n int, text string) *testLog {
	l.t.Helper()
	for range n {
		more, err := tlog.StoredHashes(l.size, fmt.Appendf(nil, "%s %d", text, l.size), l.reader())
		if err != nil {
			l.t.Fatal(err)
		}
		l.hashes = append(l.hashes, more...)
		l.size++
	}
	return l
}

func (l *testLog) text(size int64) string {
	root := tlog.Hash(sha256.Sum256(nil))
	if size > 0 {
		var err error
		if root, err = tlog.TreeHash(size, l.reader()); err != nil {
			l.t.Fatal(err)
		}
	}
	return fmt.Sprintf("%s\n%d\n%s\n", l.origin, size, root)
}

func (l *testLog) sign(text string) string {
	signed, err := note.Sign(&note.Note{Text: text}, l.signer)
	if err != nil {
		l.t.Fatal(err)
	}
	return string(signed)
}

// proof spells the consistency proof between two sizes.
func (l *testLog) proof(old, size int64) string {
	var b strings.Builder
	if old > 0 && old < size {
		p, err := tlog.ProveTree(size, old, l.reader())
		if err != nil {
			l.t.Fatal(err)
		}
		for _, h := range p {
			fmt.Fprintln(&b, h)
		}
	}
	return b.String()
}

// body is a right request.
func (l *testLog) body(old, size int64) string {
	return fmt.Sprintf("old %d\n%s\n%s", old, l.proof(old, size), l.sign(l.text(size)))
}

func open(t *testing.T, o witness.Options) *witness.Witness {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Name == "" {
		o.Name = "example.com/witness"
	}
	w, err := witness.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func post(w *witness.Witness, body string) *httptest.ResponseRecorder {
	r := httptest.NewRecorder()
	w.Handler().ServeHTTP(r, httptest.NewRequest(http.MethodPost, "/add-checkpoint", strings.NewReader(body)))
	return r
}

// cosigned demands a 200 whose line makes text a note that the witness has
// signed, as another implementation checks it.
func cosigned(t *testing.T, w *witness.Witness, r *httptest.ResponseRecorder, text string) time.Time {
	t.Helper()
	if r.Code != http.StatusOK {
		t.Fatalf("status %d: %s", r.Code, r.Body)
	}
	v, err := fnote.NewVerifierForCosignatureV1(w.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open([]byte(text+"\n"+r.Body.String()), note.VerifierList(v))
	if err != nil {
		t.Fatalf("%v: %s", err, r.Body)
	}
	at, err := fnote.CoSigV1Timestamp(n.Sigs[0])
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// send posts to a witness in another process.
func send(url, body string) (status int, answer string, err error) {
	resp, err := http.Post(url, "text/plain", strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(data), err
}

func TestAddCheckpoint(t *testing.T) {
	l := newLog(t, "example.com/log").grow(20, "a")
	fork := newLog(t, "example.com/log").grow(12, "a").grow(8, "b")
	fork.signer = l.signer
	stranger := newLog(t, "example.com/stranger").grow(5, "a")
	thief := newLog(t, "example.com/log").grow(20, "a")
	w := open(t, witness.Options{Logs: []witness.Log{{Keys: []string{l.vkey}}}})

	good := l.sign(l.text(12))
	sig := good[strings.Index(good, "— "):]
	forged := l.text(13) + "\n" + sig
	long := strings.Repeat(base64.StdEncoding.EncodeToString(make([]byte, 32))+"\n", 64)
	steps := []struct {
		name   string
		body   string
		status int
		answer string
	}{
		{"nothing", "", 400, ""},
		{"no checkpoint", "old 0\n\n", 400, ""},
		{"no old line", "\n" + good, 400, ""},
		{"old with a zero", "old 00\n\n" + good, 400, ""},
		{"old with a sign", "old +0\n\n" + good, 400, ""},
		{"old negative", "old -1\n\n" + good, 400, ""},
		{"old too large for anything", "old 99999999999999999999\n\n" + good, 400, ""},
		{"a proof line that is no hash", "old 0\nAAAA\n\n" + good, 400, ""},
		{"64 proof lines", "old 0\n" + long + "\n" + good, 400, ""},
		{"a text without signatures", "old 0\n\n" + l.text(12), 400, ""},
		{"a garbled signature line", "old 0\n\n" + l.text(12) + "\nx\n", 400, ""},
		{"a size with a zero", "old 0\n\n" + l.sign("example.com/log\n012\n"+strings.SplitN(l.text(12), "\n", 3)[2]), 400, ""},
		{"two lines of text", "old 0\n\n" + l.sign("example.com/log\n12\n"), 400, ""},
		{"an unknown log", stranger.body(0, 5), 404, ""},
		{"a stranger's key", thief.body(0, 12), 403, ""},
		{"a signature of something else", "old 0\n\n" + forged, 403, ""},
		{"a proof where none can be", "old 0\n" + l.proof(5, 12) + "\n" + good, 422, ""},
		{"an empty tree with a root", "old 0\n\n" + l.sign("example.com/log\n0\n"+strings.SplitN(l.text(12), "\n", 3)[2]), 422, ""},
		{"the wrong old size at first", l.body(5, 12), 409, "0\n"},
		{"the empty tree", l.body(0, 0), 200, ""},
		{"the first", l.body(0, 12), 200, ""},
		{"the same again", l.body(12, 12), 200, ""},
		{"not knowing", l.body(0, 15), 409, "12\n"},
		{"smaller", l.body(5, 10), 409, "12\n"},
		{"old above size", "old 12\n\n" + l.sign(l.text(10)), 400, ""},
		{"another tree of the same size", "old 12\n\n" + fork.grow(0, "").sign(strings.Replace(fork.text(13), "\n13\n", "\n12\n", 1)), 422, ""},
		{"no proof", "old 12\n\n" + l.sign(l.text(15)), 422, ""},
		{"the proof of another size", "old 12\n" + l.proof(11, 15) + "\n" + l.sign(l.text(15)), 422, ""},
		{"a proof with the same size", "old 12\n" + l.proof(11, 12) + "\n" + good, 422, ""},
		{"the fork with its own good proof is consistent up to where it forks", fork.body(12, 20), 200, ""},
		{"and from there the other is not", l.body(20, 20), 422, ""},
	}
	for _, s := range steps {
		r := post(w, s.body)
		if r.Code != s.status || s.answer != "" && r.Body.String() != s.answer {
			t.Errorf("%s: got %d %q, want %d %q", s.name, r.Code, r.Body, s.status, s.answer)
		}
		if isSize := r.Header().Get("Content-Type") == "text/x.tlog.size"; isSize != (s.status == 409) {
			t.Errorf("%s: content type %q", s.name, r.Header().Get("Content-Type"))
		}
		if r.Code == 200 {
			_, rest, _ := strings.Cut(s.body, "\n\n")
			text, _, _ := strings.Cut(rest, "\n\n")
			cosigned(t, w, r, text+"\n")
		}
	}
	if r := post(w, "old 0\n\n"+strings.Repeat("x", 300<<10)); r.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a huge body: %d", r.Code)
	}
	r := httptest.NewRecorder()
	w.Handler().ServeHTTP(r, httptest.NewRequest(http.MethodGet, "/add-checkpoint", nil))
	if r.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", r.Code)
	}
}

// A log that replaced its key is known by both.
func TestTwoKeysAndOtherSignatures(t *testing.T) {
	l := newLog(t, "example.com/log").grow(9, "a")
	next := newLog(t, "example.com/log")
	w := open(t, witness.Options{Logs: []witness.Log{{Origin: "example.com/log", Keys: []string{l.vkey, next.vkey}}}})
	cosigned(t, w, post(w, l.body(0, 5)), l.text(5))
	next.hashes, next.size = l.hashes, l.size
	body := next.body(5, 9)
	stranger := newLog(t, "example.com/stranger")
	other := stranger.sign(l.text(9))
	body += other[strings.Index(other, "— "):]
	cosigned(t, w, post(w, body), l.text(9))
	if got := latest(w, l.origin); strings.Contains(got, "stranger") || strings.Count(got, "\n— ") != 2 {
		t.Errorf("remembered: %s", got)
	}
}

func latest(w *witness.Witness, origin string) string {
	sum := sha256.Sum256([]byte(origin))
	r := httptest.NewRecorder()
	w.Handler().ServeHTTP(r, httptest.NewRequest(http.MethodGet, "/"+hex.EncodeToString(sum[:])+"/checkpoint", nil))
	return strconv.Itoa(r.Code) + " " + r.Body.String()
}

func TestMonitoring(t *testing.T) {
	l := newLog(t, "example.com/log").grow(9, "a")
	w := open(t, witness.Options{Logs: []witness.Log{{Keys: []string{l.vkey}}}})
	if got := latest(w, "example.com/unknown"); !strings.HasPrefix(got, "404 ") {
		t.Errorf("an unknown log: %s", got)
	}
	if got := latest(w, l.origin); !strings.HasPrefix(got, "404 ") {
		t.Errorf("before the first checkpoint: %s", got)
	}
	line := post(w, l.body(0, 7)).Body.String()
	if got, want := latest(w, l.origin), "200 "+l.sign(l.text(7))+line; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestClock(t *testing.T) {
	l := newLog(t, "example.com/log").grow(9, "a")
	now := time.Unix(1_800_000_000, 0)
	o := witness.Options{Dir: t.TempDir(), Logs: []witness.Log{{Keys: []string{l.vkey}}}, Now: func() time.Time { return now }}
	w := open(t, o)
	if at := cosigned(t, w, post(w, l.body(0, 3)), l.text(3)); !at.Equal(now) {
		t.Errorf("cosigned at %v, want %v", at, now)
	}
	first := now
	now = now.Add(-time.Hour)
	w.Close()
	w = open(t, o)
	if at := cosigned(t, w, post(w, l.body(3, 4)), l.text(4)); !at.Equal(first) {
		t.Errorf("the clock ran back, and a larger tree was cosigned at %v, before %v", at, first)
	}
}

// Two posts that extend the same state: one wins, the other is told the size.
func TestConcurrentPosts(t *testing.T) {
	const size = 60
	l := newLog(t, "example.com/log").grow(size, "a")
	w := open(t, witness.Options{Logs: []witness.Log{{Keys: []string{l.vkey}}}})
	bodies := make(map[[2]int64]string)
	for old := int64(0); old < size; old++ {
		for _, step := range []int64{1, 2, 5} {
			if n := old + step; n <= size {
				bodies[[2]int64{old, n}] = l.body(old, n)
			}
		}
	}
	var mu sync.Mutex
	won := make(map[int64]int64) // from → to
	var group sync.WaitGroup
	for worker := range 6 {
		group.Go(func() {
			old := int64(0)
			for old < size {
				n := min(size, old+[]int64{1, 2, 5}[worker%3])
				body, ok := bodies[[2]int64{old, n}]
				if !ok {
					n = old + 1
					body = bodies[[2]int64{old, n}]
				}
				r := post(w, body)
				switch r.Code {
				case http.StatusOK:
					mu.Lock()
					if to, taken := won[old]; taken {
						t.Errorf("both %d and %d were cosigned as next to %d", to, n, old)
					}
					won[old] = n
					mu.Unlock()
					old = n
				case http.StatusConflict:
					now, err := strconv.ParseInt(strings.TrimSuffix(r.Body.String(), "\n"), 10, 64)
					if err != nil || now < old {
						t.Errorf("told %q at %d", r.Body, old)
						return
					}
					old = now
				default:
					t.Errorf("status %d: %s", r.Code, r.Body)
					return
				}
			}
		})
	}
	group.Wait()
	if got := latest(w, l.origin); !strings.HasPrefix(got, "200 "+l.text(size)) {
		t.Errorf("in the end: %s", got)
	}
}

// deaf loses the answer, like a machine that dies after the state is stored.
type deaf struct{ *httptest.ResponseRecorder }

func (deaf) Write([]byte) (int, error)       { panic(http.ErrAbortHandler) }
func (deaf) WriteString(string) (int, error) { panic(http.ErrAbortHandler) }

func TestDeathBetweenStoringAndAnswering(t *testing.T) {
	l := newLog(t, "example.com/log").grow(20, "a")
	fork := newLog(t, "example.com/log").grow(20, "b")
	fork.signer = l.signer
	o := witness.Options{Dir: t.TempDir(), Logs: []witness.Log{{Keys: []string{l.vkey}}}}
	w := open(t, o)
	cosigned(t, w, post(w, l.body(0, 8)), l.text(8))
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the answer was heard")
			}
		}()
		w.Handler().ServeHTTP(deaf{httptest.NewRecorder()}, httptest.NewRequest(http.MethodPost, "/add-checkpoint", strings.NewReader(l.body(8, 13))))
	}()
	w.Close()
	// And one that died while it wrote the next.
	sum := sha256.Sum256([]byte(l.origin))
	left := filepath.Join(o.Dir, hex.EncodeToString(sum[:])+".checkpoint.tmp")
	if err := os.WriteFile(left, []byte("example.com/log\n2"), 0o600); err != nil {
		t.Fatal(err)
	}
	w = open(t, o)
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary file is still there: %v", err)
	}
	if r := post(w, l.body(8, 13)); r.Code != 409 || r.Body.String() != "13\n" {
		t.Errorf("asking again: %d %s", r.Code, r.Body)
	}
	if r := post(w, fork.body(0, 9)); r.Code != 409 {
		t.Errorf("a fork: %d", r.Code)
	}
	cosigned(t, w, post(w, l.body(13, 13)), l.text(13))
	cosigned(t, w, post(w, l.body(13, 20)), l.text(20))
}

// When the disk fails, nothing is signed any more until the witness has read
// what is there.
func TestFailingDisk(t *testing.T) {
	l := newLog(t, "example.com/log").grow(20, "a")
	m := newLog(t, "example.com/other").grow(3, "a")
	o := witness.Options{Dir: t.TempDir(), Logs: []witness.Log{{Keys: []string{l.vkey}}, {Keys: []string{m.vkey}}}}
	w := open(t, o)
	cosigned(t, w, post(w, l.body(0, 8)), l.text(8))
	sum := sha256.Sum256([]byte(l.origin))
	obstacle := filepath.Join(o.Dir, hex.EncodeToString(sum[:])+".checkpoint.tmp")
	if err := os.Mkdir(obstacle, 0o700); err != nil {
		t.Fatal(err)
	}
	if r := post(w, l.body(8, 9)); r.Code != 500 || strings.Contains(r.Body.String(), o.Dir) {
		t.Errorf("got %d %s", r.Code, r.Body)
	}
	if err := os.Remove(obstacle); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{l.body(8, 9), l.body(8, 8), l.body(9, 10)} {
		if r := post(w, body); r.Code != 500 {
			t.Errorf("after a failure: %d %s", r.Code, r.Body)
		}
	}
	cosigned(t, w, post(w, m.body(0, 3)), m.text(3))
	w.Close()
	w = open(t, o)
	cosigned(t, w, post(w, l.body(8, 9)), l.text(9))
}

func TestFolder(t *testing.T) {
	l := newLog(t, "example.com/log").grow(5, "a")
	o := witness.Options{Dir: filepath.Join(t.TempDir(), "w"), Name: "example.com/w", Logs: []witness.Log{{Keys: []string{l.vkey}}}}
	w := open(t, o)
	vkey := w.VerifierKey()
	info, err := os.Stat(filepath.Join(o.Dir, "key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v", info.Mode(), err)
	}
	if !strings.HasPrefix(vkey, "example.com/w+") {
		t.Errorf("verifier key %s", vkey)
	}
	if _, err := witness.New(o); err == nil {
		t.Error("two witnesses work in one folder")
	}
	cosigned(t, w, post(w, l.body(0, 2)), l.text(2))
	w.Close()
	o.Name = ""
	w, err = witness.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if w.VerifierKey() != vkey {
		t.Errorf("the key changed to %s", w.VerifierKey())
	}
	w.Close()

	sum := sha256.Sum256([]byte(l.origin))
	state := filepath.Join(o.Dir, hex.EncodeToString(sum[:])+".checkpoint")
	key := filepath.Join(o.Dir, "key")
	bad := func(name string, o witness.Options) {
		t.Helper()
		if w, err := witness.New(o); err == nil {
			w.Close()
			t.Errorf("%s: it works", name)
		} else if strings.Contains(err.Error(), "PRIVATE+KEY+example") {
			t.Errorf("%s: the secret is in the error: %v", name, err)
		}
	}
	with := func(path string, f func([]byte) []byte, check func()) {
		t.Helper()
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f(bytes.Clone(data)), 0o600); err != nil {
			t.Fatal(err)
		}
		check()
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o.Name = "example.com/another"
	bad("another name", o)
	o.Name = ""
	with(state, func(b []byte) []byte { return bytes.Replace(b, []byte("\n2\n"), []byte("\n1\n"), 1) }, func() { bad("an edited checkpoint", o) })
	with(state, func([]byte) []byte { return []byte(l.sign(l.text(1))) }, func() { bad("a checkpoint without our signature", o) })
	with(state, func([]byte) []byte { return nil }, func() { bad("an empty checkpoint", o) })
	with(key, func(b []byte) []byte { b[len(b)-5] ^= 1; return b }, func() { bad("an edited key", o) })
	with(key, func(b []byte) []byte { return b[:20] }, func() { bad("half a key", o) })
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	bad("a key that all can read", o)
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	o.Name = "example.com/w"
	bad("checkpoints without a key", o)

	empty := witness.Options{Dir: t.TempDir(), Name: "example.com/w"}
	for name, logs := range map[string][]witness.Log{
		"a log without a key": {{Origin: "x"}}, "a log with a bad key": {{Keys: []string{"x"}}},
		"a log twice":            {{Keys: []string{l.vkey}}, {Origin: l.origin, Keys: []string{l.vkey}}},
		"an origin of two lines": {{Origin: "a\nb", Keys: []string{l.vkey}}},
	} {
		empty.Logs = logs
		bad(name, empty)
	}
	for _, name := range []string{"", "a b", "a+b", "a\x00"} {
		bad("the name "+strconv.Quote(name), witness.Options{Dir: t.TempDir(), Name: name})
	}
}

// Whatever is posted: no panic, and what is cosigned extends what was.
func FuzzAdd(f *testing.F) {
	t := &testing.T{}
	l := newLog(t, "example.com/log").grow(20, "a")
	f.Add([]byte(l.body(0, 5)))
	f.Add([]byte(l.body(5, 12)))
	f.Add([]byte("old 0\n\n\n\n"))
	w, err := witness.New(witness.Options{Dir: f.TempDir(), Name: "example.com/w", Logs: []witness.Log{{Keys: []string{l.vkey}}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { w.Close() })
	f.Fuzz(func(t *testing.T, body []byte) {
		if r := post(w, string(body)); r.Code == 200 {
			_, rest, _ := strings.Cut(string(body), "\n\n")
			if !strings.HasPrefix(rest, l.text(5)) && !strings.HasPrefix(rest, l.text(12)) {
				t.Errorf("cosigned what the log never signed: %q", body)
			}
		} else if r.Code == 500 {
			t.Errorf("500 for %q", body)
		}
	})
}
