// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/coverage/statement"
	"github.com/daybreak-sec/daybreak/identity"
	"github.com/daybreak-sec/daybreak/incident"
	"github.com/daybreak-sec/daybreak/readiness"
)

// measuring measures facts for one evaluation. What several facts are made of is asked for once.
type measuring struct {
	n       *Node
	now     time.Time
	tenant  string
	group   string
	members map[string]bool // people of the group; nil: everybody
	reports map[time.Duration]*Coverage
}

// measures is how each fact of [readiness.Facts] is measured: a further fact is a row there and a row here.
var measures = map[string]func(*measuring, context.Context, *readiness.Requirement) (readiness.Measured, error){
	"coverage.complete":         (*measuring).complete,
	"coverage.open_gaps":        (*measuring).openGaps,
	"coverage.alarms":           (*measuring).alarms,
	"delay.offered":             (*measuring).offered,
	"delay.searchable":          (*measuring).searchable,
	"canary.missing":            (*measuring).missingCanaries,
	"canary.delay":              (*measuring).slowestCanary,
	"sources.failing":           (*measuring).failing,
	"signin.phishing_resistant": (*measuring).phishingResistant,
	"incidents.open":            (*measuring).openIncidents,
}

// Readiness judges requirements, of a tenant if one is named, and of a group of people of the HR list ("ring=1") where a fact is of
// people; signs what came of it, and writes an act for each verdict that is another than before.
func (n *Node) Readiness(ctx context.Context, f *readiness.File, tenant, group string) ([]byte, error) {
	d, err := n.judgeReadiness(ctx, f, tenant, group)
	if err != nil {
		return nil, err
	}
	log, err := n.logState(ctx, n.journal.Size())
	if err != nil {
		return nil, err
	}
	return n.seal(ctx, statement.ReadinessTitle, log, d, act.Act{
		Tenant: tenant, Reason: "readiness", Message: fmt.Sprintf("Readiness was judged by %d requirements: %s.", len(d.Results), d.Verdict),
	})
}

func (n *Node) judgeReadiness(ctx context.Context, f *readiness.File, tenant, group string) (*readiness.Document, error) {
	g := &measuring{n: n, now: time.Now().UTC().Truncate(time.Millisecond), tenant: tenant, group: group, reports: map[time.Duration]*Coverage{}}
	d := &readiness.Document{Made: g.now, Tenant: tenant, Group: group, Results: []readiness.Result{}}
	if group != "" {
		var err error
		if g.members, err = n.people.members(group); err != nil {
			return nil, err
		}
		d.People = int64(len(g.members))
	}
	for i := range f.Requirements {
		r := &f.Requirements[i]
		m, err := measures[r.Fact](g, ctx, r)
		if errors.Is(err, ErrQuery) { // beyond the limits of one search
			m, err = readiness.Measured{Figures: err.Error()}, nil
		}
		if err != nil {
			return nil, err
		}
		d.Results = append(d.Results, r.Judge(m))
	}
	f.Conclude(d)
	return d, n.readinessChanged(ctx, d)
}

// members are the people of a group of the HR list.
func (p *people) members(group string) (map[string]bool, error) {
	column, value, ok := strings.Cut(group, "=")
	l := p.book.Snapshot().List()
	switch {
	case !ok || column == "":
		return nil, fmt.Errorf("%w: the group is %.80q: want a column of the HR list and its value, such as ring=1", ErrQuery, group)
	case l == nil:
		return nil, fmt.Errorf("%w: a group is of the HR list, and [identity] list names none", ErrQuery)
	}
	members := map[string]bool{}
	for i := range l.Rows {
		row := &l.Rows[i]
		have, known := l.Field(row, strings.TrimSpace(column))
		if !known {
			return nil, fmt.Errorf("%w: the HR list has no column %.80q: it has mail, name, %s", ErrQuery, column, strings.Join(l.Columns, ", "))
		}
		if strings.EqualFold(have, strings.TrimSpace(value)) {
			_, person := p.person("", row.Mail, time.Now().UnixNano())
			members[person] = true
		}
	}
	if len(members) == 0 {
		return nil, fmt.Errorf("%w: nobody of the HR list is in the group %.80q", ErrQuery, group)
	}
	return members, nil
}

// report is coverage's of a time up to now.
func (g *measuring) report(ctx context.Context, over time.Duration) (*Coverage, error) {
	if c := g.reports[over]; c != nil {
		return c, nil
	}
	c, err := g.n.Coverage(ctx, g.now.Add(-over), time.Time{})
	g.reports[over] = c
	return c, err
}

// of reports whether a requirement speaks of a stream of a tenant.
func (g *measuring) of(r *readiness.Requirement, tenant, stream string) bool {
	return (g.tenant == "" || g.tenant == tenant) && (r.Stream == "" || r.Stream == stream)
}

func (g *measuring) complete(ctx context.Context, r *readiness.Requirement) (m readiness.Measured, err error) {
	c, err := g.report(ctx, r.Period())
	if err != nil {
		return m, err
	}
	complete, due, none := 0, 0, 0
	for i := range c.Feeds {
		f := &c.Feeds[i]
		if !g.of(r, f.Tenant, f.Stream) {
			continue
		}
		complete += f.Intervals[coverage.Complete]
		for state, n := range f.Intervals {
			switch state {
			case coverage.Unknown:
				none += n
			default:
				due += n
			}
		}
	}
	m.Figures = fmt.Sprintf("%d of %d intervals; %d are too young, or from before collecting", complete, due, none)
	if m.Known = due > 0; m.Known {
		m.Value = 100 * float64(complete) / float64(due)
	}
	for i := range c.Spans {
		s := &c.Spans[i]
		if s.State != coverage.Complete && s.State != coverage.Unknown && g.of(r, s.Tenant, s.Stream) {
			m.Evidence = appendID(m.Evidence, cmp.Or(s.Why, s.Listing))
		}
	}
	return m, nil
}

// appendID appends an id that is one and is not there yet.
func appendID(list []string, id string) []string {
	if id == "" || len(list) >= readiness.MaxEvidence || slices.Contains(list, id) {
		return list
	}
	return append(list, id)
}

func (g *measuring) openGaps(ctx context.Context, r *readiness.Requirement) (readiness.Measured, error) {
	return g.counted(ctx, r, func(c *Coverage, found func(tenant, stream, act string)) {
		for i := range c.Gaps {
			found(c.Gaps[i].Tenant, c.Gaps[i].Stream, c.Gaps[i].Act)
		}
	})
}

func (g *measuring) alarms(ctx context.Context, r *readiness.Requirement) (readiness.Measured, error) {
	return g.counted(ctx, r, func(c *Coverage, found func(tenant, stream, act string)) {
		for i := range c.Alarms {
			found(c.Alarms[i].Tenant, c.Alarms[i].Stream, c.Alarms[i].Act)
		}
	})
}

// counted counts what coverage has of the requirement's streams; where there is no such stream, nothing is known.
func (g *measuring) counted(ctx context.Context, r *readiness.Requirement, each func(c *Coverage, found func(tenant, stream, act string))) (m readiness.Measured, err error) {
	c, err := g.report(ctx, r.Period())
	if err != nil {
		return m, err
	}
	each(c, func(tenant, stream, act string) {
		if g.of(r, tenant, stream) {
			m.Value++
			m.Evidence = appendID(m.Evidence, act)
		}
	})
	streams := 0
	for i := range c.Feeds {
		if g.of(r, c.Feeds[i].Tenant, c.Feeds[i].Stream) {
			streams++
		}
	}
	m.Known, m.Figures = streams > 0, fmt.Sprintf("of %d streams", streams)
	return m, nil
}

func (g *measuring) offered(ctx context.Context, r *readiness.Requirement) (readiness.Measured, error) {
	list, err := g.n.covered.delays.Offers(ctx, g.now.Add(-r.Period()), g.now)
	return g.slowest(r, list, coverage.Offering, true), err
}

func (g *measuring) searchable(ctx context.Context, r *readiness.Requirement) (readiness.Measured, error) {
	list, err := g.n.covered.delays.Latency(ctx, g.now.Add(-r.Period()), g.now)
	return g.slowest(r, list, coverage.Whole, false), err
}

// slowest is the delay of the slowest stream at the requirement's quantile.
func (g *measuring) slowest(r *readiness.Requirement, list []coverage.Delay, step coverage.Step, old bool) (m readiness.Measured) {
	for i := range list {
		d := &list[i]
		if d.Operation != r.Operation || !g.of(r, d.Tenant, d.Stream) || !old && !d.Live {
			continue
		}
		p := d.Steps[step]
		at := quantile(r, p.P50, p.P95, p.P99)
		if p.Records > 0 && (!m.Known || at.Seconds() > m.Value) {
			m.Known, m.Value = true, at.Seconds()
			m.Figures = fmt.Sprintf("%d records of %s", p.Records, d.Stream)
		}
	}
	if !m.Known {
		m.Figures = "no such record was measured"
	}
	return m
}

// quantile is the one that a requirement asks for.
func quantile(r *readiness.Requirement, p50, p95, p99 time.Duration) time.Duration {
	return map[string]time.Duration{"p50": p50, "": p95, "p95": p95, "p99": p99}[r.Quantile]
}

// canaries are those of a requirement, of which something is told: the stream is their channel, the operation their kind.
func (g *measuring) canaries(ctx context.Context, r *readiness.Requirement) (list []coverage.Canary, figures string, err error) {
	c, err := g.report(ctx, r.Period())
	if err != nil || c.Canaries == nil {
		return nil, errOldCanaries.Error(), err
	}
	planted, arrived, missing := 0, 0, 0
	for i := range c.Canaries {
		k := &c.Canaries[i]
		if !g.of(r, k.Tenant, k.Channel) || r.Operation != "" && r.Operation != k.Kind {
			continue
		}
		planted, arrived, missing = planted+k.Planted, arrived+k.Arrived, missing+k.Missing
		if k.Arrived+k.Missing > 0 {
			list = append(list, *k)
		}
	}
	figures = fmt.Sprintf("%d of %d have come, and %d are missing", arrived, planted, missing)
	if planted == 0 {
		figures = "none was planted"
	}
	return list, figures, nil
}

func (g *measuring) missingCanaries(ctx context.Context, r *readiness.Requirement) (m readiness.Measured, err error) {
	list, figures, err := g.canaries(ctx, r)
	m.Known, m.Figures = len(list) > 0, figures
	for i := range list {
		m.Value += float64(list[i].Missing)
		for _, l := range slices.Backward(list[i].Lost) { // the latest first
			m.Evidence = appendID(m.Evidence, l.Act)
		}
	}
	return m, err
}

func (g *measuring) slowestCanary(ctx context.Context, r *readiness.Requirement) (m readiness.Measured, err error) {
	list, figures, err := g.canaries(ctx, r)
	m.Figures = figures
	for i := range list {
		k := &list[i]
		if at := quantile(r, k.P50, k.P95, k.P99).Seconds(); k.Arrived > 0 && (!m.Known || at > m.Value) {
			m.Known, m.Value = true, at
			m.Figures = fmt.Sprintf("%s through %s; %s", k.Kind, k.Channel, figures)
		}
	}
	return m, err
}

func (g *measuring) failing(context.Context, *readiness.Requirement) (m readiness.Measured, err error) {
	all := 0
	var names []string
	for _, s := range g.n.Sources() {
		if g.tenant != "" && s.Tenant != g.tenant {
			continue
		}
		all++
		if s.State != Running || s.Trouble != "" {
			m.Value++
			names = append(names, s.Name)
		}
	}
	m.Known, m.Figures = all > 0, fmt.Sprintf("of %d sources", all)
	if len(names) > 0 {
		m.Figures += ": " + strings.Join(names, ", ")
	}
	return m, nil
}

// maxSignIns is how many people one search tells apart.
const maxSignIns = 100_000

// Factors that are bound to the site they are used at, as Entra's authentication strength "phishing-resistant MFA" has them: U2F
// and WebAuthn (OCSF auth_factors.factor_type_id 9 and 10), Windows Hello for Business, which of Entra's factors alone is
// biometric (4), and certificates
// (learn.microsoft.com/entra/identity/authentication/concept-authentication-strengths); and all factors.
const (
	strongFactors = `(auth_factors.factor_type_id:(9, 10) OR family:entra* auth_factors.factor_type_id:4 OR auth_factors.factor_type:*certificate*)`
	anyFactors    = `auth_factors.factor_type_id:*`
)

func (g *measuring) phishingResistant(ctx context.Context, r *readiness.Requirement) (m readiness.Measured, err error) {
	shown, err := g.signedIn(ctx, r, anyFactors)
	if err != nil {
		return m, err
	}
	strong, err := g.signedIn(ctx, r, strongFactors)
	if err != nil {
		return m, err
	}
	n := 0
	for person := range shown {
		if strong[person] {
			n++
		}
	}
	m.Figures = fmt.Sprintf("%d of %d people who show factors", n, len(shown))
	if g.members != nil {
		m.Figures += fmt.Sprintf("; %d in the group", len(g.members))
	}
	if m.Known = len(shown) > 0; m.Known {
		m.Value = 100 * float64(n) / float64(len(shown))
	}
	if m.Known && n < len(shown) { // some sign-ins of people who have none
		found, err := g.n.Search(ctx, Query{Text: g.signIns() + anyFactors + " -" + strongFactors + " | limit 1000", Since: g.now.Add(-r.Period()), Limit: 1000})
		if err != nil {
			return m, err
		}
		at := slices.Index(found.Columns, "user")
		for i, id := range found.IDs() {
			if at >= 0 && !strong[g.personOf(found.rows[i][at].Text)] && g.member(found.rows[i][at].Text) {
				m.Evidence = appendID(m.Evidence, id.String())
			}
		}
	}
	return m, nil
}

// signIns is the filter for sign-ins that worked.
func (g *measuring) signIns() string {
	text := "class:authentication status:success user:*@* "
	if g.tenant != "" {
		text += "tenant:" + fmt.Sprintf("%q", g.tenant) + " "
	}
	return text
}

// signedIn are the people of the group with a successful sign-in that passes a filter.
func (g *measuring) signedIn(ctx context.Context, r *readiness.Requirement, filter string) (map[string]bool, error) {
	found, err := g.n.Search(ctx, Query{Text: g.signIns() + filter + " | count by user", Since: g.now.Add(-r.Period()), Limit: maxSignIns})
	if err != nil {
		return nil, err
	}
	list := map[string]bool{}
	for _, row := range found.rows {
		if g.member(row[0].Text) {
			list[g.personOf(row[0].Text)] = true
		}
	}
	return list, nil
}

func (g *measuring) personOf(user string) string {
	_, person := g.n.people.person("", user, g.now.UnixNano())
	return person
}

// member reports whether a user is in the group.
func (g *measuring) member(user string) bool { return g.members == nil || g.members[g.personOf(user)] }

func (g *measuring) openIncidents(ctx context.Context, r *readiness.Requirement) (m readiness.Measured, err error) {
	const most = 10_000
	list, err := g.n.Incidents(ctx, incident.Filter{
		Tenant: g.tenant, Level: r.Level, States: []string{incident.StateOpen, incident.StateAcknowledged, incident.StateContained}, Until: g.now.Add(-r.Age()), Limit: most,
	})
	if err != nil {
		return m, err
	}
	for i := range list {
		if g.members != nil && !slices.ContainsFunc(list[i].Who, func(who string) bool { return identity.IsAddress(who) && g.member(identity.Fold(who)) }) {
			continue
		}
		m.Value++
		m.Evidence = appendID(m.Evidence, list[i].ID)
	}
	m.Known, m.Figures = true, fmt.Sprintf("of %d begun before %s", len(list), g.now.Add(-r.Age()).Format(time.RFC3339))
	return m, nil
}

// said is what a requirement last came to.
type said struct {
	Verdict readiness.Verdict `json:"verdict"`
	Since   time.Time         `json:"since"`
}

// readinessChanged writes an act for each verdict that is another than before, and notes since when each stands. The acts are
// durable before the note is: a machine that dies in between tells of the change twice.
func (n *Node) readinessChanged(ctx context.Context, d *readiness.Document) error {
	n.gating.Lock()
	defer n.gating.Unlock()
	known := map[string]said{}
	var text string
	err := n.db.Read().QueryRowContext(ctx, `SELECT value FROM node_setting WHERE name = 'readiness'`).Scan(&text)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if err == nil {
		if err := json.Unmarshal([]byte(text), &known); err != nil {
			known = map[string]said{} // all is told again
		}
	}
	changed := false
	for i := range d.Results {
		r := &d.Results[i]
		key := strings.Join([]string{d.Tenant, d.Group, r.ID}, "\x00")
		was, before := known[key]
		if before && was.Verdict == r.Verdict {
			r.Since = was.Since.UTC().Format(time.RFC3339)
			continue
		}
		message := fmt.Sprintf("The requirement %s is now %q", r.ID, r.Verdict)
		if before {
			message += fmt.Sprintf(", and was %q since %s", was.Verdict, was.Since.UTC().Format(time.RFC3339))
		}
		message += fmt.Sprintf(": wanted %s of %s, measured %s (%s).", r.Want, r.Fact, cmp.Or(r.Measured, "nothing"), r.Figures)
		if err := n.writeAct(ctx, "", d.Tenant, act.Act{Kind: act.Readiness, Tenant: d.Tenant, Subject: d.Group, Code: r.ID, Reason: string(r.Verdict), Message: message}); err != nil {
			return fmt.Errorf("a change of readiness was not written into the journal: %w", err)
		}
		known[key], changed = said{r.Verdict, d.Made}, true
		r.Since = d.Made.Format(time.RFC3339)
	}
	if !changed {
		return nil
	}
	now, err := json.Marshal(known)
	if err != nil {
		return err
	}
	return n.note(ctx, "readiness", string(now))
}

// gate judges the configured requirements again and again, for everybody and for each of the groups.
func (n *Node) gate(ctx context.Context) {
	const least = 10 * time.Second
	for {
		c := n.live.Load().config.Readiness
		wait := max(c.Every.Std(), least)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if c = n.live.Load().config.Readiness; c.Requirements == "" {
			continue
		}
		f, err := readRequirements(c.Requirements)
		for _, group := range append([]string{""}, c.Groups...) {
			if err == nil {
				_, err = n.judgeReadiness(ctx, f, "", group)
			}
		}
		if err != nil && ctx.Err() == nil {
			n.log.Warn("readiness was not judged; it is tried again", "err", err)
		}
	}
}

func readRequirements(path string) (*readiness.File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := readiness.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}
