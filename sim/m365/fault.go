// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A fault is something that goes wrong at a provider. This table is all there
// is to know about them: it drives the parser, --faults help, and the table in
// docs/reference/simulator.md.
type fault struct {
	name   string
	scope  scope
	params []param
	storm  string // arguments within "all"; empty if it is no part of that
	doc    string
}

// scope says when a fault decides what it strikes.
type scope int

const (
	content scope = iota // as records are offered: by seed and place, the same in every answer
	answer               // as a request is answered: by seed, what is asked for, and the number of the attempt
	state                // strikes everything while it is on
	once                 // happens at one moment
)

func (s scope) String() string { return [...]string{"content", "answer", "state", "once"}[s] }

// kind is the type of a parameter; the kinds can be told apart by their looks,
// so that arguments may be left out from the front as well.
type kind int

const (
	aChance kind = iota // 0.02
	aSpan               // 11m, 5d
	aSize               // 20MB, 32KB
	aCount              // 100
	aStream             // Audit.SharePoint, SharePoint
	aWord               // evil.test
)

type param struct {
	name string
	kind kind
	def  string
}

var (
	pChance = func(def string) param { return param{"P", aChance, def} }
	pSpan   = func(name, def string) param { return param{name, aSpan, def} }
	pSize   = func(name, def string) param { return param{name, aSize, def} }
)

var faults = []fault{
	{"late", content, []param{pChance("0.02"), pSpan("DELAY", "11m")}, "0.02:11m,late=0.001:26h", "A record comes DELAY later, in the blob that is made then; that blob's contentCreated is honest."},
	{"backdate", content, []param{pChance("0.01"), pSpan("DELAY", "2h")}, "0.01:2h", "All blobs of a slot are listed only DELAY after what their contentCreated says."},
	{"reorder", content, nil, "-", "Records stand in a blob, and blobs in a listing, in an order that means nothing."},
	{"newest-first", content, nil, "", "Listings begin with the newest blob."},
	{"repeat", content, []param{pChance("0.05"), pSpan("AFTER", "10m")}, "0.05:10m", "The records of a slot are offered again AFTER, in new blobs."},
	{"repeat-days", content, []param{pSpan("AFTER", "5d"), pChance("0.01")}, "5d:0.01", "The same, days later."},
	{"relist", content, []param{pChance("0.02"), pSpan("AFTER", "10m")}, "0.02:10m", "The blobs of a slot are named again AFTER in listings, with the same contentId and a new contentCreated."},
	{"shuffle-keys", content, []param{pChance("0.05")}, "0.05", "A copy of a record has its members in another order."},
	{"mutate", content, []param{pChance("0.002"), pSpan("AFTER", "10m")}, "0.002:10m", "A record is offered again AFTER with the same Id and changed content. Both must be kept."},
	{"silent", content, []param{{"STREAM", aStream, ""}}, "", "Nothing that happens in the stream is ever offered, while everything else looks well."},
	{"omit", content, []param{pChance("0.05"), {"WORDS", aWord, "UserLoggedIn"}}, "", "A record in which strings begin with all of WORDS (joined by +, such as an operation and a name) is never offered."},
	{"expiry", content, []param{pSpan("LIFE", "20d")}, "", "contentExpiration is LIFE after contentCreated, not 7 days."},
	{"empty-id", content, []param{pChance("0.001")}, "0.001", "A record has an empty Id."},
	{"unknown-record-type", content, []param{pChance("0.001")}, "", "A record's RecordType is 99999."},
	{"string-record-type", content, []param{pChance("0.01")}, "", "A record's RecordType is a string of digits."},
	{"deep", content, []param{pChance("0.001"), {"DEPTH", aCount, "100"}}, "", "A record has a member that nests arrays to DEPTH."},
	{"nul-escape", content, []param{pChance("0.001")}, "", "A record has a string that holds U+0000."},
	{"huge-record", content, []param{pSize("SIZE", "20MB"), pChance("0.0001")}, "", "A record has a member of SIZE."},
	{"huge-blob", content, []param{pSize("SIZE", "300MB"), pChance("0.001")}, "", "A blob holds its records over and over until it has SIZE."},

	{"truncate", answer, []param{pChance("0.01")}, "0.01", "The JSON ends in the middle, the HTTP answer as if all were well."},
	{"cut", answer, []param{pChance("0.01")}, "0.01", "The connection breaks in the middle of a body."},
	{"wrong-length", answer, []param{pChance("0.01")}, "0.01", "Content-Length is not the body's length: too large or too small by turns."},
	{"truncated-gzip", answer, []param{pChance("0.01")}, "0.01", "A gzip body that lacks its end, if the client takes gzip; else as truncate."},
	{"slow", answer, []param{pSize("RATE", "64KB"), pChance("0.01")}, "", "The body comes at RATE a second."},
	{"hang", answer, []param{pChance("0.001"), pSpan("FOR", "10m")}, "", "After half the body nothing comes for FOR (real time), then the connection breaks."},
	{"html-200", answer, []param{pChance("0.01")}, "0.01", "A page of HTML with status 200, as a proxy would send."},
	{"nul-bytes", answer, []param{pChance("0.01")}, "0.01", "A body of NUL bytes with status 200."},
	{"5xx", answer, []param{pChance("0.02")}, "0.02", "500, 503, 504 or 408 by turns."},
	{"drop", answer, []param{pChance("0.01")}, "0.01", "The connection breaks before the answer."},
	{"af429", answer, []param{pChance("0.05")}, "0.05", "Refused as throttled, whatever was spent."},
	{"401", answer, []param{pChance("0.01")}, "0.01", "Refused with 401 although the token is good."},
	{"unknown-error", answer, []param{pChance("0.01")}, "0.01", "An error code that no table has."},
	{"missing", answer, []param{pChance("0.01")}, "0.01", "AF20050 for a blob that is there."},
	{"stale-page", answer, []param{pChance("0.05")}, "0.05", "AF20031 for a page link that was good."},
	{"empty-page", answer, []param{pChance("0.05")}, "0.05", "An empty page that has a next page."},
	{"poison-page", answer, []param{pChance("0.001"), pSpan("FOR", "")}, "", "Every listing that comes upon a certain slot answers 500, FOR so long after its contentCreated or for ever."},
	{"poison-blob", answer, []param{pChance("0.001"), pSpan("FOR", "")}, "", "A blob answers 500, FOR so long after its contentCreated or for ever."},
	{"long-page-link", answer, []param{pSize("SIZE", "32KB")}, "", "The link to the next page has SIZE."},
	{"foreign-link", answer, []param{{"HOST", aWord, "evil.test"}}, "", "The link to the next page leads to HOST."},
	{"foreign-uri", answer, []param{{"HOST", aWord, "evil.test"}, pChance("0.01")}, "", "A blob's contentUri leads to HOST."},

	{"token-expiry", state, []param{pSpan("LIFE", "30s")}, "", "Tokens live this long (simulated time) and not an hour."},
	{"skew", state, []param{pSpan("BY", "10m")}, "", "The Date header is ahead by this much; negative: behind."},
	{"no-date", state, nil, "", "No Date header."},
	{"noisy", state, []param{pChance("0.6")}, "", "A neighbor spends this share of the tenant's requests."},
	{"status-429", state, nil, "", "AF429 comes with HTTP 429 and not 403."},
	{"retry-after", state, []param{pSpan("FOR", "30s")}, "", "AF429 carries a Retry-After header (real time)."},
	{"next-page-url", state, nil, "", "The header is spelled NextPageUrl."},
	{"wide-window", state, nil, "", "A window of more than 24 hours is answered with 200, and only its first 24 hours."},
	{"subscribe-delay", state, []param{pSpan("FOR", "12h")}, "", "A subscription shows nothing until FOR after it was started."},
	{"no-role", state, []param{{"ROLE", aWord, "ActivityFeed.ReadDlp"}}, "", "New tokens lack the role."},
	{"audit-off", state, nil, "", "Unified audit logging is off: starting a subscription fails with a misleading text."},
	{"ca-block", state, nil, "", "Conditional access refuses tokens (AADSTS53003)."},
	{"app-removed", state, nil, "", "The application is not in the tenant (AADSTS700016)."},

	{"disable", once, []param{{"STREAM", aStream, ""}}, "", "A tenant admin disables the subscription (AF20023). What would have been offered until it is started again is lost."},
	{"secret-rotation", once, nil, "", "The client secret is replaced; the old one is refused as expired."},
	{"revoke-tokens", once, nil, "", "Every token issued before is refused."},
}

// rule is one fault as it was switched on.
type rule struct {
	*fault
	number int // of all rules of this server, in the order they came
	text   string

	p       float64
	span    time.Duration
	size    int64
	count   int
	word    string
	streams streamSet
	always  bool

	// When it is on: offsets from the start as written, then moments.
	after, until time.Duration // until 0: for good
	from, to     time.Time     // to zero: for good
	first, last  int64         // slots it strikes: first ≤ slot < last
}

type streamSet uint8

const allStreams streamSet = 1<<streams - 1

func (s streamSet) has(st stream) bool { return s>>uint(st)&1 != 0 }

// parseFaults reads a list as --faults has it.
//
//	list  = entry *("," entry)
//	entry = name ["=" argument *(":" argument)] ["/" stream *("+" stream)] ["@" after [".." until]]
//
// The argument "always" makes a fault of answers strike every attempt. "all"
// stands for a storm of everything that a complete store must survive.
func parseFaults(list string) ([]*rule, error) {
	var rules []*rule
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		if name, rest, _ := cutAny(entry, "=/@"); name == "all" {
			if strings.HasPrefix(rest, "=") {
				return nil, fmt.Errorf("fault %q: all takes no arguments", entry)
			}
			for _, one := range storm() {
				r, err := parseFault(one + rest)
				if err != nil {
					return nil, err
				}
				rules = append(rules, r)
			}
			continue
		}
		r, err := parseFault(entry)
		if err != nil {
			return nil, err
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// storm is what "all" stands for.
func storm() []string {
	var list []string
	for i := range faults {
		switch f := &faults[i]; f.storm {
		case "":
		case "-":
			list = append(list, f.name)
		default:
			list = append(list, strings.Split(f.name+"="+f.storm, ",")...)
		}
	}
	return list
}

// cutAny cuts before the first of chars.
func cutAny(s, chars string) (before, rest string, found bool) {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return s[:i], s[i:], true
	}
	return s, "", false
}

func parseFault(entry string) (*rule, error) {
	name, rest, _ := cutAny(entry, "=/@")
	f := faultNamed(name)
	if f == nil {
		return nil, fmt.Errorf("there is no fault %q: --faults help lists them", name)
	}
	r := &rule{fault: f, text: entry, streams: allStreams}
	args, rest := "", rest
	if strings.HasPrefix(rest, "=") {
		args, rest, _ = cutAny(rest[1:], "/@")
	}
	if err := r.arguments(args); err != nil {
		return nil, fmt.Errorf("fault %q: %w", entry, err)
	}
	if strings.HasPrefix(rest, "/") {
		var names string
		names, rest, _ = cutAny(rest[1:], "@")
		r.streams = 0
		for n := range strings.SplitSeq(names, "+") {
			st, ok := streamNamed(n)
			if !ok {
				return nil, fmt.Errorf("fault %q: there is no stream %q: want %s", entry, n, streamList)
			}
			r.streams |= 1 << uint(st)
		}
	}
	if strings.HasPrefix(rest, "@") {
		if err := r.times(rest[1:]); err != nil {
			return nil, fmt.Errorf("fault %q: %w", entry, err)
		}
	}
	return r, nil
}

func faultNamed(name string) *fault {
	for i := range faults {
		if faults[i].name == name {
			return &faults[i]
		}
	}
	return nil
}

// arguments gives each argument to the next parameter whose kind it has; the
// others keep their defaults.
func (r *rule) arguments(list string) error {
	for _, p := range r.params {
		if p.def != "" && !r.set(p.kind, p.def) {
			panic("m365: the default of " + r.name + " does not parse")
		}
	}
	next := 0
	for arg := range strings.SplitSeq(list, ":") {
		if arg == "" {
			continue
		}
		if arg == "always" && r.scope == answer {
			r.always = true
			continue
		}
		for next < len(r.params) && !r.set(r.params[next].kind, arg) {
			next++
		}
		if next == len(r.params) {
			return fmt.Errorf("%q is none of its arguments: want %s", arg, r.usage())
		}
		next++
	}
	for _, p := range r.params {
		if p.kind == aStream && r.word == "" {
			return fmt.Errorf("say which stream: want %s", r.usage())
		}
	}
	return nil
}

// usage is how the fault is written.
func (f *fault) usage() string {
	s := f.name
	for i, p := range f.params {
		s += string("=:"[min(i, 1)]) + p.name
	}
	return s
}

func (r *rule) set(k kind, arg string) bool {
	var err error
	switch k {
	case aChance:
		var p float64
		if p, err = strconv.ParseFloat(arg, 64); err != nil || !(p >= 0 && p <= 1) {
			return false
		}
		r.p = p
	case aSpan:
		r.span, err = parseSpan(arg)
	case aSize:
		r.size, err = parseSize(arg)
	case aCount:
		r.count, err = strconv.Atoi(arg)
		if err == nil && (r.count < 1 || r.count > 1_000_000) {
			return false
		}
	case aStream:
		st, ok := streamNamed(arg)
		if !ok {
			return false
		}
		r.word, r.streams = st.String(), 1<<uint(st)
	case aWord:
		r.word = arg
	}
	return err == nil
}

func (r *rule) times(text string) (err error) {
	after, until, has := strings.Cut(text, "..")
	if r.after, err = parseSpan(after); err != nil {
		return fmt.Errorf("%q is no time after the start: want @10m or @10m..20m", after)
	}
	if !has {
		return nil
	}
	if r.until, err = parseSpan(until); err != nil || r.until <= r.after {
		return fmt.Errorf("%q does not end after it begins: want @10m..20m", text)
	}
	return nil
}

// parseSpan reads a duration, days included.
func parseSpan(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		if err != nil || !(n > -10_000 && n < 10_000) {
			return 0, fmt.Errorf("%q is no duration", s)
		}
		return time.Duration(n * float64(24*time.Hour)), nil
	}
	return time.ParseDuration(s)
}

// parseSize reads a number of bytes with its unit, in powers of 1024.
func parseSize(s string) (int64, error) {
	for i, unit := range []string{"KB", "MB", "GB"} {
		if num, ok := strings.CutSuffix(s, unit); ok {
			n, err := strconv.ParseInt(num, 10, 32)
			if err != nil || n < 1 || n > 1<<20 {
				return 0, fmt.Errorf("%q is no size", s)
			}
			return n << (10 * (i + 1)), nil
		}
	}
	return 0, fmt.Errorf("%q is no size", s)
}
