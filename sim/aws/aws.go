// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package aws is the AWS account of the company that sim/m365 simulates, as far as it is seen in a bucket: the log files that
// CloudTrail delivers, and its digests, signed with a key that ListPublicKeys gives. People who sign in to Microsoft's cloud
// sign in to AWS too, through the same identity provider: an act has the same mail address, network address, browser and
// moment in both logs.
//
// It follows the documented contract where a collector depends on it:
//
//   - ListObjectsV2 with prefix, start-after, delimiter, continuation token and encoding; GetObject with If-Match. Requests
//     are signed with Signature Version 4, which is checked. Errors are XML with S3's codes.
//   - Log files are named and foldered as CloudTrail's, by the moment of their delivery; a stretch in which nothing happened
//     has none. They come in no order of events, and some ([Config.Late]) much later.
//   - Each hour and region has a digest, also an empty hour. It names the files that were delivered in it with their SHA-256,
//     and the digest before it with its hash and signature; its own signature is in the object's metadata.
//
// What was delivered stays as it is until [Server.Put], [Server.Delete] or [Server.Alter] change it, as somebody with rights
// to the bucket could.
//
// # Holes
//
// One account, two regions, one trail, one key, which is another one at each start. Objects are kept in memory. Two dozen
// operations occur of many thousands; there are no data events and no insights. Buckets have no versions.
package aws

import (
	"bytes"
	"compress/gzip"
	"crypto/md5" //nolint:gosec // an ETag is one
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/sim/m365"
	"github.com/daybreak-sec/daybreak/sim/record"
)

// Config says what is simulated. Zero values stand for the defaults given.
type Config struct {
	// Tenant is the company, its life and its clock; nil: nobody is at work, and machines are.
	Tenant *m365.Server
	Now    func() time.Time // without a tenant
	Begin  time.Time        // without a tenant: of the trail; zero: there is none, and the bucket holds what [Server.Put] puts there

	Account string // 12 digits; one that is made of the company
	Bucket  string // "trail-logs"
	Prefix  string // of the keys, before AWSLogs/; ends in "/" if it is not empty
	KeyID   string // of the access key; "AKIASIMULATED0000001"
	Secret  string // of the access key; one that is made of the company

	Every  time.Duration // simulated, between two files of a region; 5 min
	Delay  time.Duration // simulated, from the end of such a stretch to the delivery; 2 min
	Digest time.Duration // simulated, from the end of an hour to its digest; 10 min
	// Late is the share of files that are delivered only LateBy after their stretch; 0.
	Late   float64
	LateBy time.Duration
	// Repeat is the share of files whose records are delivered once more, in another file.
	Repeat float64

	PageSize int // most objects in a listing; 1,000
	// Shares of the requests that meet a fault: 503 SlowDown, 500, an answer that is cut.
	Throttle, Fail, Cut float64
}

// Home is the region of the trail and of the bucket, and Global that of the services that have none.
const (
	Home   = "eu-west-1"
	Global = "us-east-1"
	trail  = "company-trail"
)

// Server is the simulated account. It is safe for concurrent use.
type Server struct {
	cfg    Config
	signer *rsa.PrivateKey

	mu      sync.Mutex
	secret  string
	denied  map[string]bool
	busy    int
	serial  uint64
	objects map[string]*object
	keys    []string // sorted, unless dirty
	dirty   bool
	events  map[string]string // the file that first held an event, by its id
	slot    time.Time         // the end of the last stretch that was told
	coming  []delivery        // by their time
	hour    time.Time         // the end of the last hour that has a digest
	chain   map[string]*signed
	files   map[string][]logFile // of each region since the last digest
	answers map[string]int
}

// object is one in the bucket.
type object struct {
	content  []byte
	etag     string
	modified time.Time
	meta     map[string]string
	archived bool
}

// delivery is a file on its way.
type delivery struct {
	at      time.Time
	region  string
	records [][]byte
	ids     []string
	nonce   string
}

// signed is the latest digest of a region.
type signed struct {
	key, hash, signature string
}

// New makes a server. It listens nowhere by itself: see Handler.
func New(cfg Config) (*Server, error) {
	or := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	or(&cfg.Every, 5*time.Minute)
	or(&cfg.Delay, 2*time.Minute)
	or(&cfg.Digest, 10*time.Minute)
	name := "nobody"
	if cfg.Tenant != nil {
		name = cfg.Tenant.Company().Domain()
		cfg.Now, cfg.Begin = cfg.Tenant.Now, cfg.Tenant.Begin()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Account == "" {
		cfg.Account = fmt.Sprintf("%012d", hash("account", name)%1_000_000_000_000)
	}
	if cfg.Bucket == "" {
		cfg.Bucket = "trail-logs"
	}
	if cfg.KeyID == "" {
		cfg.KeyID = "AKIASIMULATED0000001"
	}
	if cfg.Secret == "" {
		// Of the form that scripts/scan-secrets.sh looks for.
		cfg.Secret = "sim~" + strings.ReplaceAll(record.HashText("secret", name).String()+record.HashText(name, "more").String(), "-", "")[:36]
	}
	if cfg.PageSize == 0 {
		cfg.PageSize = 1000
	}
	signer, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	return &Server{
		cfg: cfg, signer: signer, secret: cfg.Secret, denied: map[string]bool{}, objects: map[string]*object{}, events: map[string]string{},
		slot: cfg.Begin.Truncate(cfg.Every), hour: cfg.Begin.Truncate(time.Hour), chain: map[string]*signed{}, files: map[string][]logFile{}, answers: map[string]int{},
	}, nil
}

// Account is the number of the account.
func (s *Server) Account() string { return s.cfg.Account }

// Bucket is the bucket's name.
func (s *Server) Bucket() string { return s.cfg.Bucket }

// AccessKey is what requests are signed with.
func (s *Server) AccessKey() (id, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cfg.KeyID, s.secret
}

// SetSecret replaces the secret of the access key: the old one is refused.
func (s *Server) SetSecret(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secret = secret
}

// Deny takes the right to an operation from the access key, or gives it back: list, get or keys.
func (s *Server) Deny(op string, yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied[op] = yes
}

// Busy answers the next n requests with SlowDown.
func (s *Server) Busy(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = n
}

// Answers counts the answers by operation and status: "list 200".
func (s *Server) Answers() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]int{}
	for k, n := range s.answers {
		out[k] = n
	}
	return out
}

// Put puts an object into the bucket, or replaces it. A zero time is now.
func (s *Server) Put(key string, content []byte, modified time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(key, content, modified, nil)
}

// Archive moves an object to an archive class, or restores it.
func (s *Server) Archive(key string, yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.objects[key]; o != nil {
		o.archived = yes
	}
}

// Delete takes an object from the bucket and returns its content.
func (s *Server) Delete(key string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.objects[key]
	if o == nil {
		return nil
	}
	delete(s.objects, key)
	s.dirty = true
	return o.content
}

// Alter changes the content of an object, which is gzip, and nothing else of it but its ETag: metadata stay, as with a copy.
func (s *Server) Alter(key string, change func(text []byte) []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.objects[key]
	if o == nil {
		return fmt.Errorf("there is no %s", key)
	}
	text, err := gunzip(o.content)
	if err != nil {
		return err
	}
	s.put(key, zip(change(text)), time.Time{}, o.meta)
	return nil
}

// Keys are those of the objects that are there now and begin so, in their order.
func (s *Server) Keys(prefix string) (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(s.cfg.Now())
	s.sort()
	for _, k := range s.keys {
		if strings.HasPrefix(k, prefix) {
			list = append(list, k)
		}
	}
	return list
}

// Events are the ids of the events that were delivered by now, and the file that held each first.
func (s *Server) Events() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(s.cfg.Now())
	out := make(map[string]string, len(s.events))
	for id, key := range s.events {
		out[id] = key
	}
	return out
}

// Modified is when the store took an object in, to the second; zero if it is not there.
func (s *Server) Modified(key string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.objects[key]; o != nil {
		return o.modified
	}
	return time.Time{}
}

// put is called with mu held.
func (s *Server) put(key string, content []byte, modified time.Time, meta map[string]string) {
	if modified.IsZero() {
		modified = s.cfg.Now()
	}
	sum := md5.Sum(content) //nolint:gosec // an ETag is one
	if s.objects[key] == nil {
		if n := len(s.keys); n > 0 && s.keys[n-1] > key {
			s.dirty = true
		}
		s.keys = append(s.keys, key)
	}
	s.objects[key] = &object{content: content, etag: hex.EncodeToString(sum[:]), modified: modified.UTC().Truncate(time.Second), meta: meta}
}

// sort is called with mu held.
func (s *Server) sort() {
	if !s.dirty {
		return
	}
	s.keys = s.keys[:0]
	for k := range s.objects {
		s.keys = append(s.keys, k)
	}
	slices.Sort(s.keys)
	s.dirty = false
}

// advance tells what has happened up to now. It is called with mu held.
func (s *Server) advance(now time.Time) {
	if s.cfg.Begin.IsZero() {
		return
	}
	for end := s.slot.Add(s.cfg.Every); !end.After(now); end = end.Add(s.cfg.Every) {
		s.tell(s.slot, end)
		s.slot = end
	}
	for {
		// What comes first: a file, or the digest of an hour that is over.
		digest := s.hour.Add(time.Hour + s.cfg.Digest)
		if len(s.coming) > 0 && s.coming[0].at.Before(digest) {
			d := s.coming[0]
			if d.at.After(now) {
				return
			}
			s.coming = s.coming[1:]
			s.deliver(d)
			continue
		}
		if digest.After(now) {
			return
		}
		s.hour = s.hour.Add(time.Hour)
		for _, region := range []string{Home, Global} {
			s.digest(region, s.hour.Add(-time.Hour), s.hour)
		}
	}
}

// tell puts the files of a stretch on their way.
func (s *Server) tell(from, to time.Time) {
	for region, list := range s.happened(from, to) {
		d := delivery{at: to.Add(s.cfg.Delay), region: region, nonce: nonce(region, to)}
		for _, r := range list {
			d.records, d.ids = append(d.records, r.json()), append(d.ids, r.EventID)
		}
		h := hash(region, d.nonce)
		d.at = d.at.Add(time.Duration(h%90) * time.Second)
		if share(record.Mix(h, 1), s.cfg.Late) {
			d.at = to.Add(s.cfg.LateBy)
		}
		s.enqueue(d)
		if share(record.Mix(h, 2), s.cfg.Repeat) {
			d.at, d.nonce = d.at.Add(7*time.Minute), nonce(region, to, "again")
			s.enqueue(d)
		}
	}
}

func (s *Server) enqueue(d delivery) {
	i, _ := slices.BinarySearchFunc(s.coming, d, func(a, b delivery) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return strings.Compare(a.nonce, b.nonce)
	})
	s.coming = slices.Insert(s.coming, i, d)
}

// deliver puts a log file into the bucket.
func (s *Server) deliver(d delivery) {
	text := append([]byte(`{"Records":[`), bytes.Join(d.records, []byte(","))...)
	text = append(text, "]}"...)
	key := fmt.Sprintf("%sAWSLogs/%s/CloudTrail/%s/%s/%s_CloudTrail_%s_%s_%s.json.gz", s.cfg.Prefix, s.cfg.Account, d.region, d.at.Format("2006/01/02"),
		s.cfg.Account, d.region, d.at.Format("20060102T1504Z"), d.nonce)
	s.put(key, zip(text), d.at, nil)
	for _, id := range d.ids {
		if s.events[id] == "" {
			s.events[id] = key
		}
	}
	sum := sha256.Sum256(text)
	s.files[d.region] = append(s.files[d.region], logFile{
		Bucket: s.cfg.Bucket, Object: key, Hash: hex.EncodeToString(sum[:]), Algorithm: "SHA-256", at: d.at,
	})
}

// Fingerprint is that of the key that digests are signed with.
func (s *Server) Fingerprint() string {
	sum := sha256.Sum256(s.der())
	return hex.EncodeToString(sum[:16])
}

func (s *Server) der() []byte { return x509.MarshalPKCS1PublicKey(&s.signer.PublicKey) }

func zip(text []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(text) // a buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

// nonce is the end of a file's name, which nothing else has.
func nonce(words ...any) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	h := hash(fmt.Sprint(words...))
	b := make([]byte, 16)
	for i := range b {
		h = record.Mix(h, uint64(i))
		b[i] = letters[h%uint64(len(letters))]
	}
	return string(b)
}

func hash(words ...string) uint64 {
	h := uint64(14695981039346656037)
	for _, w := range words {
		for i := range len(w) {
			h = record.Mix(h, uint64(w[i]))
		}
		h = record.Mix(h, 0)
	}
	return h
}

func share(h uint64, part float64) bool { return float64(h%1_000_000) < part*1e6 }
