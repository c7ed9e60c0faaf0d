// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package bucket

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/s3"
)

// maxDigest is how large a digest may be, uncompressed: about 200,000 files.
const maxDigest = 64 << 20

// digest is a digest file of CloudTrail (AWS CloudTrail user guide, "CloudTrail digest file structure").
type digest struct {
	Account       string    `json:"awsAccountId"`
	Start         time.Time `json:"digestStartTime"`
	End           time.Time `json:"digestEndTime"`
	Bucket        string    `json:"digestS3Bucket"`
	Object        string    `json:"digestS3Object"`
	Fingerprint   string    `json:"digestPublicKeyFingerprint"`
	Algorithm     string    `json:"digestSignatureAlgorithm"`
	PrevBucket    *string   `json:"previousDigestS3Bucket"`
	PrevObject    *string   `json:"previousDigestS3Object"`
	PrevHash      *string   `json:"previousDigestHashValue"`
	PrevSignature *string   `json:"previousDigestSignature"`
	Files         []logFile `json:"logFiles"`

	end  string // as it is written: it is signed
	prev struct{ sum, signature []byte }
}

type logFile struct {
	Bucket    string `json:"s3Bucket"`
	Object    string `json:"s3Object"`
	Hash      string `json:"hashValue"`
	Algorithm string `json:"hashAlgorithm"`
}

// flaw is what is wrong with a digest, or with what it says.
type flaw struct {
	reason   string // of the gap
	message  string
	from, to int64     // of its hour, if it says so credibly
	acts     []act.Act // beside the gap
}

func (f *flaw) Error() string { return f.message }

func altered(format string, args ...any) *flaw {
	return &flaw{reason: act.Altered, message: fmt.Sprintf(format, args...)}
}

// errOpen is a digest of which files are not fetched yet.
var errOpen = errors.New("some of the files that the digest lists are not fetched yet")

// parseDigest reads a digest. An error says what it lacks.
func parseDigest(text []byte) (*digest, error) {
	d := new(digest)
	if err := json.Unmarshal(text, d); err != nil {
		return nil, fmt.Errorf("the digest is not the JSON that was expected: %w", err)
	}
	var raw struct {
		End string `json:"digestEndTime"`
	}
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, fmt.Errorf("the digest is not the JSON that was expected: %w", err)
	}
	d.end = raw.End
	switch {
	case d.Bucket == "" || d.Object == "" || d.Fingerprint == "" || d.Algorithm != "SHA256withRSA":
		return nil, errors.New("the digest lacks its place, its key's fingerprint or its algorithm")
	case !d.Start.Before(d.End) || ms(d.Start) < firstTime || ms(d.End) > lastTime || d.End.Sub(d.Start) > maxSpan:
		return nil, errors.New("the digest is of no time, or of more than a week")
	}
	if d.PrevObject == nil || *d.PrevObject == "" {
		d.PrevObject = nil
		return d, nil
	}
	if d.PrevHash == nil || d.PrevSignature == nil {
		return nil, errors.New("the digest names one before it, and not its hash and signature")
	}
	var err error
	if d.prev.sum, err = hex.DecodeString(*d.PrevHash); err != nil || len(d.prev.sum) != sha256.Size {
		return nil, errors.New("the hash of the digest before is no SHA-256")
	}
	d.prev.signature = sign(*d.PrevSignature)
	return d, nil
}

// maxSpan is how long a digest may be of; they are of an hour.
const maxSpan = 7 * 24 * time.Hour

// sign is what is remembered of a signature.
func sign(signature string) []byte {
	sum := sha256.Sum256([]byte(strings.ToLower(signature)))
	return sum[:]
}

// signed is the text whose signature a digest has (AWS CloudTrail user guide, "Custom implementations of CloudTrail log
// file integrity validation"). sum is that of the digest's content, uncompressed.
func (d *digest) signed(sum []byte) []byte {
	before := "null" // of the first one of a chain
	if d.PrevSignature != nil {
		before = *d.PrevSignature
	}
	return fmt.Appendf(nil, "%s\n%s/%s\n%x\n%s", d.end, d.Bucket, d.Object, sum, before)
}

// digestName takes the name of a digest apart: account, region, trail and the trail's own region; when it ends; and whether
// it brings what another one lacked.
var digestName = regexp.MustCompile(`^(.+)_([0-9]{8}T[0-9]{6}Z)(_backfill)?\.json\.gz$`)

// chainOf is what digests that follow on each other have in common, and when one ends. ok is false if the key is not that of
// a digest.
func chainOf(key string) (chain string, end int64, late, ok bool) {
	m := digestName.FindStringSubmatch(lastOf(key))
	if m == nil {
		return "", 0, false, false
	}
	t, err := time.Parse("20060102T150405Z", m[2])
	if err != nil || ms(t) < firstTime || ms(t) > lastTime {
		return "", 0, false, false
	}
	return m[1], ms(t), m[3] != "", true
}

// hourOf is the hour of a digest by its name, or else by when it was stored.
func hourOf(o *object) (from, to int64) {
	_, end, _, ok := chainOf(o.key)
	if !ok {
		end = o.modified
	}
	return end - hour, end
}

// regionsOf are where the key may be that a digest is signed with: the region that it is of, and the trail's own.
func regionsOf(key string) (list []string) {
	folders := strings.Split(key, "/")
	if n := len(folders); n > 4 {
		list = append(list, folders[n-5])
	}
	chain, _, _, _ := chainOf(key)
	list = append(list, chain[strings.LastIndexByte(chain, '_')+1:])
	var good []string
	for i, r := range list {
		if region.MatchString(r) && (i == 0 || r != list[0]) {
			good = append(good, r)
		}
	}
	return good
}

// keyring remembers public keys.
type keyring struct {
	mu   sync.Mutex
	keys map[string]*rsa.PublicKey // by region and fingerprint
}

// find returns a key; nil if CloudTrail has none of that fingerprint in the regions. Errors are those of the request.
func (c *Collector) find(ctx context.Context, p budget.Priority, d *digest, regions []string) (*rsa.PublicKey, error) {
	c.keys.mu.Lock()
	defer c.keys.mu.Unlock()
	for _, r := range regions {
		if k := c.keys.keys[r+" "+d.Fingerprint]; k != nil {
			return k, nil
		}
	}
	for _, r := range regions {
		list, err := c.o.Upstream.PublicKeys(ctx, p, r, d.Start, d.End)
		if err != nil {
			return nil, err
		}
		for i := range list {
			k, err := x509.ParsePKCS1PublicKey(list[i].DER)
			if err != nil || k.Size() < 128 {
				continue
			}
			if c.keys.keys == nil || len(c.keys.keys) > 10_000 {
				c.keys.keys = map[string]*rsa.PublicKey{}
			}
			c.keys.keys[r+" "+list[i].Fingerprint] = k
		}
		if k := c.keys.keys[r+" "+d.Fingerprint]; k != nil {
			return k, nil
		}
	}
	return nil, nil
}

// verify checks a digest that is in the journal, and what it says of the files. It returns a [*flaw] if that is not so,
// [errOpen] if it is not known yet, and adds to the harvest what is to be written down if it is.
func (s *stream) verify(ctx context.Context, o *object, h *harvest, text []byte, meta map[string]string) error {
	d, err := parseDigest(text)
	if err != nil {
		return altered("%v", err)
	}
	signature := meta["signature"]
	if err := s.genuine(ctx, o, d, h.sum, signature, meta["signature-algorithm"]); err != nil {
		return err
	}
	s.allowed(ctx, "keys")
	from, to := ms(d.Start), ms(d.End)
	h.confirm = func(ctx context.Context) error {
		err := s.follows(ctx, o, d, h.sum, signature)
		if f := (*flaw)(nil); errors.As(err, &f) {
			f.from, f.to = from, to
		}
		return err
	}
	if err := s.holds(ctx, d, o.lane == laneQuarantine); err != nil {
		if f := (*flaw)(nil); errors.As(err, &f) {
			f.from, f.to = from, to
		}
		return err
	}
	h.message = fmt.Sprintf("signed by key %s: %s", d.Fingerprint, signature)
	if o.lane == laneQuarantine {
		h.acts = append(h.acts, act.Act{Kind: act.Filled, Stream: s.f.Stream, From: at(from), To: at(to), Reason: o.reason})
	}
	chain, _, _, _ := chainOf(o.key)
	missed, err := missing(ctx, s.c.o.DB.Read(), s.p.id, chain, from, to)
	if err != nil {
		return err
	}
	if missed {
		h.acts = append(h.acts, act.Act{Kind: act.Filled, Stream: s.f.Stream, From: at(from), To: at(to), Reason: act.Missing})
	}
	row := link{hash: o.hash, chain: chain, start: from, stop: to, sum: h.sum, signature: sign(signature)}
	if d.PrevObject != nil {
		before := hashOf(*d.PrevObject)
		row.prev, row.prevSum, row.prevSign = before[:], d.prev.sum, d.prev.signature
	}
	h.note = func(tx *sql.Tx) error { return addLink(tx, s.p.id, &row) }
	return nil
}

// genuine checks that AWS has signed the digest, as it is and where it is.
func (s *stream) genuine(ctx context.Context, o *object, d *digest, sum []byte, signature, algorithm string) error {
	_, end, _, ok := chainOf(o.key)
	switch {
	case d.Bucket != s.c.o.Bucket || d.Object != o.key:
		return altered("the digest says to be %s/%s, and is somewhere else: it was moved", nameOf(d.Bucket, act.MaxName), nameOf(d.Object, act.MaxID))
	case !ok || end != ms(d.End):
		return altered("the digest ends at %s, and its name says another time", d.end)
	case algorithm != d.Algorithm:
		return altered("the object has no signature of the kind that the digest names")
	}
	bits, err := hex.DecodeString(signature)
	if err != nil || len(bits) == 0 {
		return altered("the object has no signature")
	}
	key, err := s.c.find(ctx, o.priority(), d, regionsOf(o.key))
	if err != nil {
		return err
	}
	if key == nil {
		return altered("CloudTrail knows no public key with the fingerprint %s", nameOf(d.Fingerprint, act.MaxName))
	}
	text := sha256.Sum256(d.signed(sum))
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, text[:], bits) != nil {
		return altered("the signature is not good: the digest is not as AWS has delivered it")
	}
	return nil
}

// follows checks that the digest and its neighbors in the chain, as far as they are known, say the same of each other. One
// before it that nobody has listed is looked for.
func (s *stream) follows(ctx context.Context, o *object, d *digest, sum []byte, signature string) error {
	db := s.c.o.DB.Read()
	contradicts, err := contradicted(ctx, db, s.p.id, o.hash, sum, sign(signature))
	if err != nil {
		return err
	}
	if contradicts {
		return altered("the chain is broken: the digest after this one names another content or signature of it")
	}
	if d.PrevObject == nil {
		return nil
	}
	before := hashOf(*d.PrevObject)
	was, err := loadLink(ctx, db, s.p.id, before)
	switch {
	case err != nil:
		return err
	case was != nil && (!bytes.Equal(was.sum, d.prev.sum) || !bytes.Equal(was.signature, d.prev.signature)):
		return altered("the chain is broken: %s is not what this digest names as the one before", nameOf(*d.PrevObject, act.MaxID))
	case was != nil || d.PrevBucket != nil && *d.PrevBucket != s.c.o.Bucket:
		return nil
	}
	return s.expect(ctx, s, []object{{stream: s.p.id, key: *d.PrevObject, hash: before, modified: ms(d.Start)}})
}

// expect puts objects into the queue of a stream that AWS says to have delivered and that no listing has named. Those that are not
// found now are named as well: who fetches them says whether they have come.
func (s *stream) expect(ctx context.Context, of *stream, list []object) error {
	list, err := of.unknown(ctx, list)
	if err != nil || len(list) == 0 {
		return err
	}
	if err := of.lookFor(ctx, list); err != nil {
		return err
	}
	of.turn.Lock()
	defer of.turn.Unlock()
	news, err := of.unknown(ctx, list)
	if err != nil {
		return err
	}
	for i := range news {
		news[i].lane = laneBackfill
	}
	for len(news) > 0 {
		some := news[:min(len(news), act.MaxNew)]
		news = news[len(some):]
		named := act.Act{Kind: act.Listed, Stream: of.f.Stream, Cursor: sweep.String(), At: at(s.c.now()), Part: true}
		for i := range some {
			named.New = append(named.New, some[i].act())
		}
		if err := s.c.book.Witnessed(ctx, named); err != nil {
			return err
		}
		if err := of.save(ctx, func(tx *sql.Tx) error { return addObjects(tx, some) }); err != nil {
			return err
		}
	}
	s.c.pool.more()
	return nil
}

// unknown are those of a list that are collected, and of which nothing is remembered.
func (s *stream) unknown(ctx context.Context, list []object) (out []object, err error) {
	oldest := s.c.floor()
	for i := range list {
		if list[i].modified < oldest {
			continue
		}
		was, err := known(ctx, s.c.o.DB.Read(), s.p.id, list[i].hash)
		if err != nil {
			return nil, err
		}
		if !was.queued && !was.done {
			out = append(out, list[i])
		}
	}
	return out, nil
}

// lookFor lists the folders that objects should be in, and takes those that are there: under the time that any listing gives them, for
// coverage knows an object by its name and time, and one that was named under two would never be fetched under the other.
func (s *stream) lookFor(ctx context.Context, list []object) error {
	keys := make([]string, len(list))
	for i := range list {
		keys[i] = list[i].key
	}
	slices.Sort(keys)
	for q := (s3.Query{}); len(keys) > 0; {
		if first := keys[0]; q.Next == "" || !strings.HasPrefix(first, q.Prefix) {
			q = s3.Query{Prefix: first[:strings.LastIndexByte(first, '/')+1], After: first[:len(first)-1]}
		}
		page, err := s.c.o.Upstream.List(ctx, budget.Sweep, q)
		if err != nil {
			return err
		}
		last := ""
		if n := len(page.Objects); n > 0 {
			last = page.Objects[n-1].Key
		}
		there := slices.DeleteFunc(page.Objects, func(o s3.Object) bool { _, is := slices.BinarySearch(keys, o.Key); return !is })
		if err := s.take(ctx, &walk{why: backfill, at: s.c.now()}, there); err != nil {
			return err
		}
		for len(keys) > 0 && strings.HasPrefix(keys[0], q.Prefix) && (page.Next == "" || keys[0] <= last) {
			keys = keys[1:]
		}
		q.Next = page.Next
	}
	return nil
}

// holds checks that all files that the digest lists are in the journal, as it lists them. told says that what is wrong was
// said before.
func (s *stream) holds(ctx context.Context, d *digest, told bool) error {
	byStream := map[*stream][]object{}
	open, lacks, other := 0, []string(nil), []string(nil)
	f := new(flaw)
	for i := range d.Files {
		l := &d.Files[i]
		of := s.of(l.Object)
		if of == nil {
			continue // of a kind that is not collected, as the configuration says
		}
		sum, err := hex.DecodeString(l.Hash)
		if l.Bucket != d.Bucket || l.Algorithm != "SHA-256" || err != nil || len(sum) != sha256.Size {
			return altered("the digest lists %s with no SHA-256, or in another bucket", nameOf(l.Object, act.MaxID))
		}
		h := hashOf(l.Object)
		was, err := known(ctx, s.c.o.DB.Read(), of.p.id, h)
		switch {
		case err != nil:
			return err
		case was.done && has(was.sums, sum):
		case was.queued && was.lane == laneQuarantine && !was.done:
			lacks = append(lacks, l.Object)
		case was.queued:
			open++
		case !was.done:
			open++
			byStream[of] = append(byStream[of], object{stream: of.p.id, key: l.Object, hash: h, modified: ms(d.End) - second})
		default:
			other = append(other, l.Object)
			if !told {
				f.acts = append(f.acts, of.differs(l.Object, d.Object, sum, &was)...)
			}
		}
	}
	for of, list := range byStream {
		if err := s.expect(ctx, of, list); err != nil {
			return err
		}
	}
	switch {
	case len(lacks)+len(other) == 0 && open == 0:
		return nil
	case open > 0:
		return errOpen
	}
	f.reason = act.Missing
	if len(other) > 0 {
		f.reason = act.Altered
	}
	f.message = fmt.Sprintf("of %d files that the digest lists, the bucket lacks %d and holds %d with another content: %s",
		len(d.Files), len(lacks), len(other), nameOf(append(other, lacks...)[0], act.MaxID))
	return f
}

// of is the stream that an object belongs to by the folders of its key; nil if none of this collector's.
func (s *stream) of(key string) *stream {
	for _, x := range s.c.streams {
		if !x.f.Digest && strings.Contains(key, "/"+x.f.Stream+"/") {
			return x
		}
	}
	return nil
}

// has reports whether a sum is one of sums.
func has(sums, sum []byte) bool {
	for ; len(sum) > 0 && len(sums) >= len(sum); sums = sums[len(sum):] {
		if bytes.Equal(sums[:len(sum)], sum) {
			return true
		}
	}
	return false
}

// differs says that a file is not what AWS has signed.
func (s *stream) differs(key, digest string, want []byte, was *knownAs) []act.Act {
	message := fmt.Sprintf("%s is not what AWS has delivered: its digest %s says SHA-256 %x, and the bucket held %x",
		nameOf(key, act.MaxID), codeOf(digest), want, was.sums[:min(len(was.sums), sha256.Size)])
	s.c.log.Error("a log file is not what AWS has signed", "stream", s.f.Stream, "key", nameOf(key, act.MaxID))
	return []act.Act{
		{Kind: act.Gap, Stream: s.f.Stream, From: at(was.modified), To: at(was.modified + second), Permanent: true, Reason: act.Altered, Message: message},
		{Kind: act.Alarm, Stream: s.f.Stream, Reason: act.Altered, Code: codeOf(key), Message: message},
	}
}
