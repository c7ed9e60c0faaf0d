// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	v1 "github.com/daybreak-sec/daybreak/api/v1"
	"github.com/daybreak-sec/daybreak/client"
	"github.com/daybreak-sec/daybreak/incident"
	"github.com/daybreak-sec/daybreak/journal/verify"
	"github.com/daybreak-sec/daybreak/sim/company"
)

// watch shows people what the product knows of a demo's company. All of it comes
// over the API that everybody has; only what the attacker does is told by the
// simulator.
type watch struct {
	*app
	company *company.Company
	co      demoCompany
	world   *demoWorld
	steps   []demoStep
	again   bool

	url    string
	client *client.Client

	began   time.Time
	last    v1.Coverage
	lastAt  time.Time
	summary demoSummary
	proof   string // event id to be proved
	busy    string // a session of the person who is shown in all suites
	// incidents are those that were told of, by id, with how many alerts they had then.
	incidents map[string]int
}

// demoSummary is what --json says at the end.
type demoSummary struct {
	Seconds  float64             `json:"seconds"`
	Coverage v1.CoverageTotals   `json:"coverage"`
	Promises []v1.Promise        `json:"promises"`
	Proof    string              `json:"proof,omitempty"`    // event that was proved
	Incident string              `json:"incident,omitempty"` // that was shown
	Data     string              `json:"data"`
	Streams  []v1.CoverageStream `json:"streams"`
}

const (
	lineEvery = 5 * time.Second
	// telling is how many of the notable events are told for each line.
	telling = 6
)

// notable is what an analyst would want to be told of. Sign-ins and reading are not
// among it: too many.
const notable = `family:(m365, okta, slack, github) op:(user.mfa.factor.*, policy.*update, app_installed, role_change_to_admin, repo.access, org.update_member, "Add service principal credentials.", "Update application*", "Add application.", ` +
	`"Add service principal.", "Add user.", "Consent to application.", "Add app role assignment*", "Add delegated permission grant.", ` +
	`"Add member to role.", "Add owner to*", "Disable Strong Authentication.", New-InboxRule, Set-InboxRule, Add-MailboxPermission, ` +
	`New-TransportRule, AnonymousLinkCreated, AlertTriggered)`

func (w *watch) run(ctx context.Context) {
	w.began = time.Now()
	w.header()
	news := make(chan v1.Hit, 256)
	go w.listen(ctx, news)
	tick := time.NewTicker(lineEvery)
	defer tick.Stop()
	for stage := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		w.attack()
		w.tell(news)
		w.watchIncidents(ctx)
		w.line(ctx)
		if stage < len(demoStages) && time.Since(w.began) > demoStages[stage].after {
			if err := demoStages[stage].show(w, ctx); err == nil {
				stage++
			}
		}
	}
}

func (w *watch) print(format string, args ...any) {
	if !w.json {
		fmt.Fprintf(w.stdout, format+"\n", args...)
	}
}

func (w *watch) header() {
	w.print("%s, a company of %s people that is made up, works with Microsoft 365, Okta, Slack and GitHub; Daybreak watches.\n", w.company.Domain(), thousands(int64(w.co.Users)))
	for _, s := range w.world.services {
		w.print("  %-10s %s   %s, simulated", s.typ, s.address, s.about)
	}
	w.print("  daybreak   %s   the API; its token is in %s/api.token", w.url, w.data)
	w.print("  data       %s   in another terminal: daybreak search --data %s 'op:UserLoginFailed | count by user | limit 5'", w.data, w.data)
	if w.co.Attack != noAttack {
		w.print("  attack     %s", w.co.Attack)
	}
	if w.again {
		w.print("\nThe company is the one of %s; what happened since then is collected now.", w.co.Began.Format("2006-01-02 15:04 MST"))
	}
	w.print("")
}

// listen passes on what is notable, and forgets what nobody has time for.
func (w *watch) listen(ctx context.Context, news chan<- v1.Hit) {
	for ctx.Err() == nil {
		_ = w.client.Tail(ctx, notable, false, func(h v1.Hit) error {
			select {
			case news <- h:
			default:
			}
			return nil
		})
		select { // the server ends before we do
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
}

// tell prints the newest notable events. What is of the past comes in a hurry with
// the back-fill and is left out.
func (w *watch) tell(news <-chan v1.Hit) {
	var fresh []v1.Hit
	for more := true; more; {
		select {
		case h := <-news:
			if row := rowOf(h); time.Since(row.Time) < 2*time.Minute {
				fresh = append(fresh, h)
			}
		default:
			more = false
		}
	}
	if n := len(fresh) - telling; n > 0 {
		w.print("         … %d more", n)
		fresh = fresh[n:]
	}
	for _, h := range fresh {
		row := rowOf(h)
		w.print("         %s  %-42s %s%s", row.Time.UTC().Format(time.TimeOnly), printable(strings.TrimSpace(row.Op), 42), printable(row.User, 44), from(row.IP))
		if w.proof == "" || strings.HasPrefix(row.Op, "Add app role") {
			w.proof = h.ID
		}
	}
}

func from(ip string) string {
	if ip == "" {
		return ""
	}
	return "  from " + printable(ip, 40)
}

// demoRow are the columns that are told.
type demoRow struct {
	Time         time.Time
	Op, User, IP string
}

func rowOf(h v1.Hit) (r demoRow) {
	_ = json.Unmarshal(h.Row, &r) // what cannot be read is empty
	return r
}

// attack says what the attacker does, which the simulator knows.
func (w *watch) attack() {
	for len(w.steps) > 0 && time.Now().After(w.steps[0].at) {
		s := &w.steps[0].step
		w.print("  attacker   %s (%s)", s.Title, strings.Join(s.Attack, ", "))
		w.steps = w.steps[1:]
	}
}

// line is the running summary.
func (w *watch) line(ctx context.Context) {
	c, err := w.client.Coverage(ctx, w.co.Began.Add(-demoPast), time.Time{})
	if err != nil {
		if ctx.Err() == nil {
			w.complain("%v", err)
		}
		return
	}
	t, now := c.Statement.Totals, time.Now()
	rate := 0.0
	if !w.lastAt.IsZero() {
		rate = float64(t.Stored-w.last.Statement.Totals.Stored) / now.Sub(w.lastAt).Seconds()
	}
	w.last, w.lastAt = c, now
	s := fmt.Sprintf("%7s  %s records, %s/s", time.Since(w.began).Round(time.Second), thousands(t.Stored), thousands(int64(rate+0.5)))
	if p50, p99, ok := added(c.Latency); ok {
		s += fmt.Sprintf("; searchable after %s, 99 %% within %s", seconds(p50), seconds(p99))
	}
	i := t.Intervals
	s += fmt.Sprintf("; 5-minute intervals: %d complete", i.Complete)
	for _, other := range []struct {
		name string
		n    int
	}{{"late", i.Late}, {"with a gap", i.Gap}, {"blind", i.Blind}, {"not collected", i.NotCollected}, {"not known yet", i.Unknown}} {
		if other.n > 0 {
			s += fmt.Sprintf(", %d %s", other.n, other.name)
		}
	}
	if t.Outstanding > 0 {
		s += fmt.Sprintf("; %s blobs to fetch", thousands(int64(t.Outstanding)))
	}
	w.print("%s", s)
}

// added is what we add to the provider's delay: that of the slowest stream.
func added(list []v1.Latency) (p50, p99 float64, ok bool) {
	for _, l := range list {
		if l.Live && l.Operation == "" && l.Stream != "" {
			p50, p99, ok = max(p50, l.Added.P50), max(p99, l.Added.P99), true
		}
	}
	return p50, p99, ok
}

// demoStages are shown one after the other, each when there is something to show.
var demoStages = []struct {
	after time.Duration
	show  func(*watch, context.Context) error
}{
	{15 * time.Second, (*watch).question},
	{25 * time.Second, (*watch).prove},
	{45 * time.Second, (*watch).person},
	{46 * time.Second, (*watch).session},
	{60 * time.Second, (*watch).vendors},
	{demoLead + demoAttack + 10*time.Second, (*watch).traces},
	{demoLead + demoAttack + 15*time.Second, (*watch).story},
}

// watchIncidents tells of incidents that are new or have grown.
func (w *watch) watchIncidents(ctx context.Context) {
	list, err := w.listIncidents(ctx)
	if err != nil {
		return // the summary line says that the server is gone
	}
	if w.incidents == nil {
		w.incidents = map[string]int{}
	}
	for _, in := range list {
		if w.incidents[in.ID] == in.Alerts {
			continue
		}
		w.incidents[in.ID] = in.Alerts
		w.print("  INCIDENT   %s, %s: %s", in.Level, plural(in.Alerts, "alert"), printable(in.Title, 150))
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return thousands(int64(n)) + " " + noun + "s"
}

func (w *watch) listIncidents(ctx context.Context) (list []incident.Summary, err error) {
	text, err := w.client.Incidents(ctx, client.Picked{Level: "medium", Since: w.co.Began.Add(-demoPast), Limit: 20})
	if err != nil {
		return nil, err
	}
	return list, json.Unmarshal(text, &list)
}

// story shows what the gravest incident came to, if there is one.
func (w *watch) story(ctx context.Context) error {
	list, err := w.listIncidents(ctx)
	if err != nil || len(list) == 0 {
		return err
	}
	gravest := slices.MaxFunc(list, func(a, b incident.Summary) int { return cmp.Compare(a.Alerts, b.Alerts) })
	text, err := w.client.Incident(ctx, gravest.ID)
	if err != nil {
		return err
	}
	var in incident.Incident
	if err := json.Unmarshal(text, &in); err != nil {
		return err
	}
	w.summary.Incident = in.ID
	w.print("\n  What happened?\n  $ daybreak incidents show %s", in.ID)
	for _, line := range wrap(in.Text, 110) {
		w.print("    %s", printable(line, 1000))
	}
	w.print("")
	return nil
}

func (w *watch) question(ctx context.Context) error {
	return w.ask(ctx, "Whose sign-ins fail?", "op:UserLoginFailed | count by user | sort -count | limit 5")
}

// traces shows that the attack is in what was collected, if there was one.
func (w *watch) traces(ctx context.Context) error {
	if w.co.Attack != "midnight-blizzard" {
		return nil
	}
	return w.ask(ctx, "What did applications read in other people's mail?", "family:m365 op:MailItemsAccessed ua:*ExchangeWebServices* | count by app,user | sort -count | limit 5")
}

// ask runs a search and shows the command that does the same.
func (w *watch) ask(ctx context.Context, why, query string) error {
	var out bytes.Buffer
	t := (*table)(nil)
	names := []string(nil)
	_, err := w.client.Search(ctx, client.Search{Query: query, Limit: 10}, func(h v1.SearchHeader) error {
		names = h.Columns
		t = newTable(&out, names)
		return nil
	}, func(m json.RawMessage) error {
		var fields map[string]any
		if err := json.Unmarshal(m, &fields); err != nil {
			return err
		}
		cells := make([]string, len(names))
		for i, n := range names {
			if fields[n] != nil {
				cells[i] = fmt.Sprint(fields[n])
			}
		}
		return t.row(cells)
	})
	if err != nil {
		return err
	}
	if t == nil {
		return errors.New("no answer")
	}
	if err := t.flush(); err != nil {
		return err
	}
	w.print("\n  %s\n  $ daybreak search '%s'", why, query)
	for line := range strings.Lines(out.String()) {
		w.print("    %s", strings.TrimRight(line, "\n"))
	}
	w.print("")
	return nil
}

// prove has one record proved, and checks the proof with the verifier that shares
// nothing with the writer.
func (w *watch) prove(ctx context.Context) error {
	id := w.proof
	if id == "" {
		_, err := w.client.Search(ctx, client.Search{Query: "family:m365", Limit: 1}, func(v1.SearchHeader) error { return nil }, func(m json.RawMessage) error {
			var h v1.Hit
			err := json.Unmarshal(m, &h)
			id = h.ID
			return err
		})
		if err != nil || id == "" {
			return errors.Join(err, errors.New("no record yet"))
		}
	}
	var bundle bytes.Buffer
	if err := w.client.Prove(ctx, id, &bundle); err != nil {
		return err
	}
	status, err := w.client.Status(ctx)
	if err != nil {
		return err
	}
	p, err := verify.Proof(bundle.Bytes(), verify.Options{Keys: []string{status.Key}})
	if err != nil {
		return err
	}
	w.summary.Proof = id
	w.print("\n  Is that what the provider delivered? A proof that anybody can check:")
	w.print("  $ daybreak prove %s > proof.json; daybreak verify --proof proof.json --key %s/log.pub", id, w.data)
	w.print("    ok: %s is record %s of %s, sealed %s, under a signed checkpoint of %s entries\n", id, printable(string(p.Receipt.ID), 40),
		w.company.Domain(), p.Committed.UTC().Format(time.TimeOnly), thousands(int64(p.Checkpoint.Size)))
	return nil
}

// end says what came of it.
func (w *watch) end() error {
	s := &w.last.Statement
	if w.json {
		w.summary.Seconds, w.summary.Data = time.Since(w.began).Seconds(), w.data
		w.summary.Coverage, w.summary.Promises, w.summary.Streams = s.Totals, s.Promises, s.Streams
		return json.NewEncoder(w.stdout).Encode(w.summary)
	}
	w.print("\nStopped. %s records of %s blobs are kept in %s; the next demo goes on from here. Meanwhile:", thousands(s.Totals.Stored), thousands(s.Totals.Sealed), w.data)
	w.print("  daybreak incidents list --data %s\n  daybreak coverage --data %s\n  daybreak verify --data %s", w.data, w.data, w.data)
	return nil
}
