// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package config reads the configuration of the program, a TOML file.
//
// None is needed: [Default] is what an empty file says, and every default
// stands there and nowhere else. A key that the program does not know is
// refused with its line, because a retention that was misspelled is one that
// does not happen. What is wrong is said in one sentence with the line, for
// settings that cannot be together as well.
//
// Secrets are not in the file. Those that Daybreak makes are files in the data
// directory, made on the first run with mode 0600; those of a source or
// a channel are named by a [Secret], which says where they are. No error of this package repeats
// what may be a secret that was put into the file by mistake.
//
// Each field carries its documentation in a `doc` tag; docs/reference/config.md
// is generated from them.
package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// maxFile caps the file; a configuration is a page or two.
const maxFile = 1 << 20

// Config is a whole configuration.
type Config struct {
	Server    Server    `toml:"server" doc:"Where the HTTP API listens."`
	Journal   Journal   `toml:"journal" doc:"The tamper-evident journal."`
	Retention Retention `toml:"retention" doc:"What is deleted when. Nothing is, unless it is said here."`
	Witness   Witness   `toml:"witness" doc:"Who cosigns the journal's checkpoints."`
	Enrich    Enrich    `toml:"enrich" doc:"Databases of addresses. Without them events carry addresses only."`
	Detect    Detect    `toml:"detect" doc:"The rules that judge every record. \"daybreak rules lint\" checks them before they are used."`
	Incidents Incidents `toml:"incidents" doc:"What alerts join into: docs/reference/incidents.md."`
	Identity  Identity  `toml:"identity" doc:"Which accounts are one person's: docs/reference/people.md."`
	Readiness Readiness `toml:"readiness" doc:"Requirements that are judged while the server runs: docs/reference/readiness.md."`
	Search    Search    `toml:"search" doc:"Limits of one search; they keep it from hurting collection."`
	Log       Log       `toml:"log" doc:"The program's own log, JSON lines on standard error."`
	Sources   []Source  `toml:"source" doc:"A tenant that records are collected from; one such block each. \"daybreak check-config\" tries them, docs/connect-*.md say how to set one up."`
	Receive   []Receive `toml:"receive" doc:"An address at which others may send records; one such block each: docs/reference/receivers.md."`
	Notify    []Notify  `toml:"notify" doc:"Where incidents are told of; one such block each. docs/reference/incidents.md says what is sent and when."`
}

// Server says where the API listens.
type Server struct {
	Listen  string `toml:"listen" doc:"Address and port. Port 0 takes a free one. Beyond loopback tls_cert and tls_key are needed; the token always is."`
	TLSCert string `toml:"tls_cert" doc:"PEM file of the certificate chain. Empty means plain HTTP, which only loopback may have."`
	TLSKey  string `toml:"tls_key" doc:"PEM file of the certificate's key."`
}

// Journal configures the journal.
type Journal struct {
	Name string `toml:"name" doc:"The log's name, the first line of its checkpoints: a URL without schema, such as \"example.com/audit\". Empty makes one up. It counts on the first run and cannot be changed."`
}

// Retention says what is deleted when.
type Retention struct {
	RawDays  int `toml:"raw_days" doc:"Raw records are deleted this many days after they were committed; receipts and proofs stay. 0 keeps them for ever."`
	LakeDays int `toml:"lake_days" doc:"Searchable rows are deleted this many days after the event. 0 keeps them for ever."`
}

// Witness names those who cosign checkpoints.
type Witness struct {
	Policy string `toml:"policy" doc:"File with a witness policy in the form of C2SP tlog-policy (lines \"witness\", \"group\", \"quorum\"). Empty means no witnesses."`
}

// Enrich names the databases of addresses.
type Enrich struct {
	Databases []string `toml:"databases" doc:"MaxMind DB files (.mmdb) with countries, autonomous systems or both. A later one fills what an earlier one does not know."`
}

// Detect names the rules.
type Detect struct {
	Builtin   bool     `toml:"builtin" doc:"Whether Daybreak's own rules judge. One of yours with the same id takes the place of one of them."`
	Rules     []string `toml:"rules" doc:"Files and folders of Sigma rules. A rule that is refused is logged, and the others judge."`
	Pipelines []string `toml:"pipelines" doc:"Files of processing pipelines in pySigma's format, which map the fields of rules. They are joined with the built-in ones by priority; those have 10."`
	Memory    Size     `toml:"memory" doc:"Memory for what correlations and behaviors remember; what is not used for long is kept on disk alone. 1.5 million people and ten correlations take 2GiB."`
}

// Search limits one search.
type Search struct {
	Timeout  Duration `toml:"timeout" doc:"A search that takes longer is ended and says so."`
	Memory   Size     `toml:"memory" doc:"Memory for the groups and rows of one search."`
	Parallel int      `toml:"parallel" doc:"Searches that run at the same time; others wait."`
}

// Log configures the program's own log.
type Log struct {
	Level string `toml:"level" doc:"debug, info, warn or error."`
}

// Default returns the configuration of an empty file.
func Default() Config {
	return Config{
		Server:    Server{Listen: "127.0.0.1:8674"},
		Detect:    Detect{Builtin: true, Memory: 128 << 20},
		Readiness: Readiness{Every: Duration(300e9)},
		Search:    Search{Timeout: Duration(60e9), Memory: 64 << 20, Parallel: 2},
		Log:       Log{Level: "info"},
	}
}

// Load reads the file at path; an empty path gives the defaults.
func Load(path string) (Config, error) {
	if path == "" {
		return Default(), nil
	}
	text, err := read(path)
	if err != nil {
		return Config{}, err
	}
	c, err := Parse(text)
	if err != nil {
		return Config{}, fmt.Errorf("configuration %s: %w", path, err)
	}
	return c, nil
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("configuration %s: larger than 1 MiB: this is not a configuration", path)
	}
	return text, nil
}

// Parse reads a configuration's text over the defaults and checks it.
func Parse(text []byte) (Config, error) {
	c := Default()
	d := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return Config{}, sentence(err)
	}
	at := placesOf(text)
	if err := c.checkForms(at); err != nil {
		return Config{}, at.locate(err)
	}
	for i := range c.Sources {
		c.Sources[i].fill(func(key string) bool { return at.has(sourcePath(i, key)) })
	}
	for i := range c.Receive {
		c.Receive[i].fill(func(key string) bool { return at.has(receivePath(i, key)) })
	}
	for i := range c.Notify {
		c.Notify[i].fill(func(key string) bool { return at.has(notifyPath(i, key)) })
	}
	if err := c.Check(); err != nil {
		return Config{}, at.locate(err)
	}
	return c, nil
}

// checkForms refuses what the decoder takes for something else than was meant: a
// number for a time span would be nanoseconds, and sources and channels are lists
// even if there is one.
func (c *Config) checkForms(at *places) error {
	if len(c.Sources) > 0 && !at.has("source.0") {
		return problemf("source", "sources are a list of blocks: write [[source]] and not [source]")
	}
	if len(c.Receive) > 0 && !at.has("receive.0") {
		return problemf("receive", "receivers are a list of blocks: write [[receive]] and not [receive]")
	}
	if len(c.Notify) > 0 && !at.has("notify.0") {
		return problemf("notify", "channels are a list of blocks: write [[notify]] and not [notify]")
	}
	spans := []string{"search.timeout", "readiness.every"}
	for i := range c.Sources {
		spans = append(spans, sourcePath(i, "poll"), sourcePath(i, "sweep"), sourcePath(i, "retention"))
	}
	for _, path := range spans {
		if at.numbers[path] {
			return problemf(path, "%s must be %s, not %s", unindexed(path), kindOf("Duration"), kindOf("int"))
		}
	}
	return nil
}

// unindexed returns a path as people write it, without the numbers of blocks.
func unindexed(path string) string {
	parts := strings.Split(path, ".")
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { _, err := strconv.Atoi(p); return err == nil }), ".")
}

// sentence turns the decoder's error into one line with the place.
func sentence(err error) error {
	if strict := (*toml.StrictMissingError)(nil); errors.As(err, &strict) && len(strict.Errors) > 0 {
		e := strict.Errors[0]
		line, _ := e.Position()
		return fmt.Errorf("line %d: %q is not a setting: see docs/reference/config.md", line, strings.Join(e.Key(), "."))
	}
	if e := (*toml.DecodeError)(nil); errors.As(err, &e) {
		line, column := e.Position()
		if m := wrongType.FindStringSubmatch(e.Error()); m != nil {
			return fmt.Errorf("line %d: %s must be %s, not %s", line, setting(e.Key()), kindOf(m[2]), kindOf(m[1]))
		}
		return fmt.Errorf("line %d, column %d: %s", line, column, strings.TrimPrefix(e.Error(), "toml: "))
	}
	return err
}

// wrongType finds the two types in what the decoder says of a value of another
// type than the setting's.
var wrongType = regexp.MustCompile(`cannot decode TOML (\S+) into .*?(\S+)$`)

func setting(key toml.Key) string {
	if len(key) == 0 {
		return "the value"
	}
	return strings.Join(key, ".")
}

// kindOf says what people call a type of TOML or of Go.
func kindOf(name string) string {
	switch {
	case name == "integer", name == "int":
		return "a whole number"
	case name == "float":
		return "a number with a fraction"
	case name == "boolean", name == "bool":
		return "true or false"
	case strings.HasSuffix(name, "Duration"):
		return "a time span in quotes, such as \"60s\""
	case strings.HasSuffix(name, "Size"):
		return "a size in quotes, such as \"64MiB\""
	case strings.HasPrefix(name, "[]"), name == "array":
		return "a list"
	case name == "string", strings.HasSuffix(name, "Secret"), strings.HasSuffix(name, "Address"):
		return "text in quotes"
	case name == "datetime":
		return "a date"
	}
	return "a section"
}

// problem is what is wrong with one setting.
type problem struct {
	path string // of the setting, with the index of its block: "source.0.tenant"
	msg  string // the sentence, without the place
}

func (p *problem) Error() string { return p.msg }

func problemf(path, format string, args ...any) error {
	return &problem{path, fmt.Sprintf(format, args...)}
}

// Check says in one sentence what is wrong with the settings together.
func (c *Config) Check() error {
	if err := c.Server.check(); err != nil {
		return err
	}
	if err := checkName(c.Journal.Name); err != nil {
		return err
	}
	switch {
	case c.Retention.RawDays < 0:
		return problemf("retention.raw_days", "retention: days cannot be negative; 0 keeps for ever")
	case c.Retention.LakeDays < 0:
		return problemf("retention.lake_days", "retention: days cannot be negative; 0 keeps for ever")
	case c.Search.Timeout <= 0:
		return problemf("search.timeout", "search.timeout must be positive, for example \"60s\"")
	case c.Search.Memory < 1<<20:
		return problemf("search.memory", "search.memory must be at least \"1MiB\"")
	case c.Detect.Memory < 16<<20:
		return problemf("detect.memory", "detect.memory must be at least \"16MiB\"")
	case c.Search.Parallel < 1:
		return problemf("search.parallel", "search.parallel must be at least 1")
	}
	switch c.Log.Level {
	case "debug", "info", "warn", "error":
	default:
		return problemf("log.level", "log.level is %q: want debug, info, warn or error", c.Log.Level)
	}
	if err := checkCommon(c.Incidents.Common); err != nil {
		return err
	}
	if err := c.Readiness.check(); err != nil {
		return err
	}
	if err := c.checkIdentity(); err != nil {
		return err
	}
	return cmp.Or(checkSources(c.Sources), checkReceive(c.Receive, c.Sources), checkNotify(c.Notify))
}

func (s *Server) check() error {
	host, _, err := net.SplitHostPort(s.Listen)
	if err != nil {
		return problemf("server.listen", "server.listen is %q: want address:port, for example \"127.0.0.1:8674\"", s.Listen)
	}
	if (s.TLSCert == "") != (s.TLSKey == "") {
		return problemf("server.tls_cert", "server.tls_cert and server.tls_key must be given together")
	}
	if s.TLSCert == "" && !Loopback(host) {
		return problemf("server.listen", "server.listen is %q, which other machines reach: give server.tls_cert and server.tls_key, or listen on 127.0.0.1", s.Listen)
	}
	return nil
}

// Loopback reports whether nobody but this machine reaches the host.
func Loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// checkName accepts what can be the name of a signed note's key and the origin
// of a checkpoint.
func checkName(name string) error {
	if name == "" {
		return nil
	}
	if len(name) > 200 || strings.ContainsAny(name, "+\\") || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return problemf("journal.name", "journal.name is %.60q: want a URL without schema, such as \"example.com/audit\"", name)
	}
	return nil
}
