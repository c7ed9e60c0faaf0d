// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/directory"
)

// Limits of a file.
const (
	maxFile      = 1 << 20
	maxSteps     = 100
	maxCount     = 10_000
	maxEvents    = 50_000
	maxPeople    = 500
	maxAddresses = 100_000
	maxList      = 200
	maxItems     = 200
	maxText      = 8000
)

// Load reads a scenario file.
func Load(text []byte) (*Scenario, error) {
	switch {
	case len(text) > maxFile:
		return nil, errors.New("scenario: larger than 1 MiB: this is not a scenario")
	case !utf8.Valid(text):
		return nil, errors.New("scenario: is not UTF-8 text")
	}
	f := &file{}
	d := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := d.Decode(f); err != nil {
		return nil, fmt.Errorf("scenario: %w", sentence(err))
	}
	c := &checker{file: f, lines: locate(text), accounts: []string{directory.LegacyAccount}, applications: directory.ApplicationNames(), ends: map[string]time.Duration{}}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("scenario: %w", err)
	}
	return c.scenario(), nil
}

// sentence turns the decoder's error into one line with the place.
func sentence(err error) error {
	if strict := (*toml.StrictMissingError)(nil); errors.As(err, &strict) && len(strict.Errors) > 0 {
		e := strict.Errors[0]
		line, _ := e.Position()
		return fmt.Errorf("line %d: %.80q is not a key: see docs/reference/scenarios.md", line, strings.Join(e.Key(), "."))
	}
	if e := (*toml.DecodeError)(nil); errors.As(err, &e) {
		line, _ := e.Position()
		return fmt.Errorf("line %d: %s", line, oneLine(e))
	}
	return errors.New(oneLine(err))
}

// oneLine is what the decoder says, which may repeat what it found.
func oneLine(err error) string {
	s := strings.Join(strings.Fields(strings.TrimPrefix(err.Error(), "toml: ")), " ")
	if len(s) > 200 {
		s = strings.ToValidUTF8(s[:200], "") + "…"
	}
	return strings.ReplaceAll(s, "\x00", "")
}

// checker goes through a file from the top and knows what the steps so far have
// made.
type checker struct {
	file         *file
	lines        lines
	accounts     []string
	applications []string
	ends         map[string]time.Duration // of steps
	events       int
}

var (
	slug      = regexp.MustCompile("^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$")
	technique = regexp.MustCompile("^T[0-9]{4}([.][0-9]{3})?$")
	account   = regexp.MustCompile("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
)

func (c *checker) check() error {
	f := c.file
	switch {
	case !slug.MatchString(f.Name):
		return c.lines.at("name", "name is %.40q: a scenario needs a name of small letters, digits and dashes", f.Name)
	case f.Title == "" || len(f.Title) > 200:
		return c.lines.at("title", "title must be a line of up to 200 characters")
	case len(f.Text) > maxText:
		return c.lines.at("text", "text is longer than %d characters", maxText)
	case len(f.References) > maxList:
		return c.lines.at("references", "references has more than %d values", maxList)
	case len(f.Steps) == 0:
		return errors.New("a scenario needs at least one [[step]]")
	case len(f.Steps) > maxSteps:
		return c.lines.at(fmt.Sprintf("step.%d", maxSteps), "a scenario has at most %d steps", maxSteps)
	}
	for _, name := range slices.Sorted(maps.Keys(f.People)) {
		if err := c.people(name, f.People[name]); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.Addresses)) {
		if !account.MatchString(name) {
			return c.lines.at("addresses."+name, "%.40q is no name for addresses: use letters, digits, dots and dashes", name)
		}
		if err := c.addresses("addresses."+name, f.Addresses[name]); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.Agents)) {
		key := "agents." + name
		if list := f.Agents[name]; name == "own" || !account.MatchString(name) || len(list) == 0 || len(list) > maxList || slices.Contains(list, "") {
			return c.lines.at(key, "agents.%.40s must be a list of 1 to %d user agents and not be called own", name, maxList)
		}
	}
	for i := range f.Steps {
		if err := c.step(i); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) people(name string, p people) error {
	key := "people." + name
	switch {
	case !account.MatchString(name):
		return c.lines.at(key, "%.40q is no name for people: use letters, digits, dots and dashes", name)
	case p.Count < 0 || p.Count > maxPeople || p.Count == 0 && c.lines.has(key+".count"):
		return c.lines.at(key+".count", "count is %d: want 1 to %d", p.Count, maxPeople)
	case len(p.Departments) > maxList || len(p.Titles) > maxList:
		return c.lines.at(key, "people.%.40s has a list of more than %d values", name, maxList)
	}
	for _, d := range p.Departments {
		if !slices.Contains(company.Departments(), d) {
			return c.lines.at(key+".departments", "there is no department %.40q: use one of %s", d, strings.Join(company.Departments(), ", "))
		}
	}
	return nil
}

func (c *checker) addresses(key string, a addresses) error {
	many := a.Pool == "residential" || a.Pool == "hosting"
	switch {
	case !many && !slices.Contains([]string{"home", "office", "list"}, a.Pool):
		return c.lines.at(key+".pool", "pool is %.40q: want residential, hosting, home, office or list", a.Pool)
	case a.Count < 0 || a.Count > maxAddresses || a.Count == 0 && c.lines.has(key+".count"):
		return c.lines.at(key+".count", "count is %d: want 1 to %d", a.Count, maxAddresses)
	case a.Count > 0 && !many:
		return c.lines.at(key+".count", "count does not go with the pool %s", a.Pool)
	case (a.Pool == "list") != (len(a.List) > 0) || len(a.List) > maxList:
		return c.lines.at(key+".list", "list goes with the pool list and has 1 to %d addresses", maxList)
	}
	for _, s := range a.List {
		if addr, err := netip.ParseAddr(s); err != nil || addr.Zone() != "" {
			return c.lines.at(key+".list", "%.60q is no IP address", s)
		}
	}
	return nil
}

func (c *checker) step(i int) error {
	s := &c.file.Steps[i]
	key := fmt.Sprintf("step.%d", i)
	bad := func(of, format string, args ...any) error { return c.lines.at(key+"."+of, format, args...) }
	if !c.lines.has(key) {
		return c.lines.at("step", "steps are written as tables that begin with [[step]]")
	}
	if !slug.MatchString(s.ID) {
		return bad("id", "id is %.40q: a step needs an id of small letters, digits and dashes", s.ID)
	}
	if _, taken := c.ends[s.ID]; taken {
		return bad("id", "another step has the id %s already", s.ID)
	}
	k, ok := lookup(s.Kind)
	if !ok {
		return bad("kind", "%.40q is no kind of step: use one of %s", s.Kind, strings.Join(kindNames(), ", "))
	}
	s.kind = k
	for _, needed := range k.needs {
		if !c.lines.has(key + "." + needed) {
			return c.lines.at(key, "the step %s of kind %s needs %s", s.ID, k.name, needed)
		}
	}
	if err := c.foreign(key, k); err != nil {
		return err
	}
	if err := c.timing(s, bad); err != nil {
		return err
	}
	if err := c.names(s, bad); err != nil {
		return err
	}
	return c.values(s, bad)
}

type refusal func(of, format string, args ...any) error

// foreign refuses keys that the kind would ignore.
func (c *checker) foreign(key string, k *kind) error {
	var given []string
	for name := range c.lines {
		if of, ok := strings.CutPrefix(name, key+"."); ok {
			given = append(given, of)
		}
	}
	slices.Sort(given)
	for _, of := range given {
		if !slices.Contains(everyStep, of) && !slices.Contains(k.needs, of) && !slices.Contains(k.may, of) {
			return c.lines.at(key+"."+of, "a step of kind %s has no %s", k.name, of)
		}
	}
	return nil
}

func (c *checker) timing(s *step, bad refusal) error {
	s.begin = time.Duration(s.At)
	if s.After != "" {
		end, ok := c.ends[s.After]
		if !ok {
			return bad("after", "after is %.40q: want the id of a step that stands before this one", s.After)
		}
		s.begin += end
	}
	switch {
	case s.Count < 0 || s.Count > maxCount || s.Count == 0 && c.given(s, "count"):
		return bad("count", "count is %d: want 1 to %d", s.Count, maxCount)
	case !slices.Contains([]string{"", "even", "random", "business"}, s.Spread):
		return bad("spread", "spread is %.40q: want even, random or business", s.Spread)
	case s.Spread != "" && s.Over == 0:
		return bad("spread", "spread needs over, which says how long the step lasts")
	}
	end := s.begin + time.Duration(s.Over) + time.Duration(s.Jitter)
	if end > maxDuration {
		return bad("at", "the step ends later than 90 days after the start")
	}
	c.ends[s.ID] = end
	return nil
}

// given tells whether a step has the key.
func (c *checker) given(s *step, key string) bool {
	for i := range c.file.Steps {
		if &c.file.Steps[i] == s {
			return c.lines.has(fmt.Sprintf("step.%d.%s", i, key))
		}
	}
	return false
}

// names checks that what a step speaks of exists by then.
func (c *checker) names(s *step, bad refusal) error {
	known := func(name string) bool {
		_, people := c.file.People[name]
		return people || slices.Contains(c.accounts, name)
	}
	for _, t := range s.Targets {
		if !known(t) {
			return bad("targets", "there is no account %.60q: use a name of [people], %s, or the name of an add-user step before", t, directory.LegacyAccount)
		}
	}
	application := slices.Contains(c.applications, s.By)
	switch {
	case s.By != "" && !application && !known(s.By):
		return bad("by", "there is neither an account nor an application %.60q by then", s.By)
	case s.By != "" && application && s.kind.person:
		return bad("by", "%s cannot do that: a step of kind %s is by an account", s.By, s.kind.name)
	case s.Trustee != "" && !known(s.Trustee):
		return bad("trustee", "there is no account %.60q", s.Trustee)
	case s.Client != "" && !slices.Contains(c.applications, s.Client):
		return bad("client", "there is no application %.60q", s.Client)
	case s.Resource != "" && !slices.Contains(directory.ServiceNames(), s.Resource):
		return bad("resource", "there is no service %.60q: use one of %s", s.Resource, strings.Join(directory.ServiceNames(), ", "))
	}
	for _, a := range s.Applications {
		if !slices.Contains(c.applications, a) {
			return bad("applications", "there is no application %.60q by then: use %s or the name of an add-application step before", a, strings.Join(directory.ApplicationNames(), ", "))
		}
	}
	if _, ok := c.file.Addresses[s.Addresses]; !ok && s.Addresses != "" {
		return bad("addresses", "there is no [addresses.%.40s]", s.Addresses)
	}
	if _, ok := c.file.Agents[s.Agent]; !ok && s.Agent != "" && s.Agent != "own" {
		return bad("agent", "there is no list %.40q in [agents]", s.Agent)
	}
	switch s.kind.name {
	case "add-user":
		c.accounts = append(c.accounts, s.Names...)
	case "add-application":
		c.applications = append(c.applications, s.Names...)
	}
	return nil
}

// values checks what is a matter of the single keys.
func (c *checker) values(s *step, bad refusal) error {
	for of, list := range map[string][]string{"targets": s.Targets, "applications": s.Applications, "names": s.Names, "queries": s.Queries, "to": s.To, "subjects": s.Subjects, "words": s.Words, "folders": s.Folders, "attack": s.Attack} {
		if c.given(s, of) && (len(list) == 0 || len(list) > maxList || slices.Contains(list, "")) {
			return bad(of, "%s must have 1 to %d values and none of them empty", of, maxList)
		}
	}
	for _, t := range s.Attack {
		if !technique.MatchString(t) {
			return bad("attack", "%.20q is no technique of ATT&CK: they look like T1110.003", t)
		}
	}
	if s.kind.name == "add-user" {
		for _, n := range s.Names {
			if !account.MatchString(n) {
				return bad("names", "%.60q cannot stand before the @ of an account: use letters, digits, dots and dashes", n)
			}
		}
	}
	oneOf := func(of, value string, want ...string) error {
		if !c.given(s, of) || slices.Contains(want, value) {
			return nil
		}
		return bad(of, "%s is %.40q: want %s", of, value, strings.Join(want, ", "))
	}
	var roles []string
	if s.kind.name == "add-role" {
		roles = directory.RoleNames()
	} else if s.Role != "" {
		roles = directory.AppRoleValues(s.Resource)
	}
	if err := cmp.Or(
		oneOf("on", s.On, "application", "service-principal"),
		oneOf("credential", s.Credential, string(directory.Password), string(directory.Certificate)),
		oneOf("rights", s.Rights, "FullAccess", "SendAs"),
		oneOf("method", s.Method, string(directory.Phone), string(directory.Authenticator), string(directory.FIDO2), string(directory.SoftwareOath)),
		oneOf("role", s.Role, roles...),
	); err != nil {
		return err
	}
	most := maxItems
	if s.kind.name == "download" {
		most = 1 << 40
	}
	switch {
	case c.given(s, "items") && (len(s.Items) != 2 || s.Items[0] < 1 || s.Items[1] < s.Items[0] || s.Items[1] > most):
		return bad("items", "items must be the fewest and the most, such as [3, 20], from 1 to %d", most)
	case c.given(s, "scope") && strings.TrimSpace(s.Scope) == "":
		return bad("scope", "scope names no permission, for example \"Mail.Read\"")
	case len(s.Title) > 200 || len(s.Text) > maxText:
		return bad("text", "title or text is longer than %d characters", maxText)
	}
	if c.events += max(s.Count, len(s.Targets)); c.events > maxEvents {
		return bad("count", "the steps up to here are done more than %d times together", maxEvents)
	}
	return nil
}

// scenario makes what callers see of a file that is good.
func (c *checker) scenario() *Scenario {
	f := c.file
	s := &Scenario{Name: f.Name, Title: f.Title, Text: f.Text, References: f.References, file: f}
	for i := range f.Steps {
		st := &f.Steps[i]
		s.Steps = append(s.Steps, Step{ID: st.ID, Title: st.Title, Text: st.Text, Kind: st.Kind, Attack: st.Attack, Begin: st.begin, End: c.ends[st.ID], Acts: st.Count})
	}
	return s
}
