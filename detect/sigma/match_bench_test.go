// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/detect/sigma"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// audit makes records like those of Microsoft 365's audit log, of about 1,300 bytes.
type audit struct{ random }

func newAudit() audit { return audit{random{Rand: rand.New(rand.NewPCG(1, 2))}} }

var (
	auditOperations = operations()
	auditWorkloads  = []string{"Exchange", "SharePoint", "OneDrive", "AzureActiveDirectory", "MicrosoftTeams"}
	auditParameters = []string{"Identity", "Force", "ForwardTo", "DeliverToMailboxAndForward", "HiddenFromAddressListsEnabled", "ProhibitSendQuota", "RecoverableItemsQuota", "AccessRights", "User", "AutoMapping"}
)

func operations() []string {
	var all []string
	for _, verb := range []string{"New", "Set", "Remove", "Add", "Update", "Enable", "Disable", "Get"} {
		for _, noun := range []string{"Mailbox", "InboxRule", "TransportRule", "MailboxPermission", "RoleGroupMember", "ConnectionFilter", "Policy", "User"} {
			all = append(all, verb+"-"+noun)
		}
	}
	return all
}

func (r audit) person() string {
	return fmt.Sprintf("user%d@example.com", r.IntN(5000))
}

func (r audit) address() string {
	return fmt.Sprintf("203.0.113.%d:%d", r.IntN(256), 1024+r.IntN(60000))
}

func (r audit) record() []byte {
	var params []string
	for range 3 + r.IntN(9) {
		params = append(params, fmt.Sprintf(`{"Name":%q,"Value":"%d GB (%d bytes)"}`, pick(r.random, auditParameters...), r.IntN(100), r.Uint64()))
	}
	return fmt.Appendf(nil, `{"CreationTime":"2026-05-18T%02d:%02d:33","Id":"%08x-8688-4074-edbf-08d91a41cb3b","Operation":%q,`+
		`"OrganizationId":"0873ee4d-d342-44f2-8961-74c442a2fad2","RecordType":%d,"ResultStatus":"True","UserKey":"1003200096971f55","UserType":3,"Version":1,`+
		`"Workload":%q,"ClientIP":%q,"ObjectId":"EURPR04A009.PROD.EXAMPLE.COM\/Hosted Organizations\/example.com\/Shard{%x}","UserId":%q,"AppId":"",`+
		`"ClientAppId":"","ExternalAccess":true,"OrganizationName":"example.com","OriginatingServer":"DB6PR04MB3206 (15.20.4129.032)",`+
		`"UserAgent":"Mozilla\/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit\/537.36 (KHTML, like Gecko) Chrome\/%d.0 Safari\/537.36","Parameters":[%s]}`,
		r.IntN(24), r.IntN(60), r.Uint32(), pick(r.random, auditOperations...), r.IntN(100), pick(r.random, auditWorkloads...), r.address(), r.Uint64(), r.person(), r.IntN(140),
		strings.Join(params, ","))
}

func (r audit) records(n int) (all [][]byte) {
	for range n {
		all = append(all, r.record())
	}
	return all
}

var auditSource = sigma.LogSource{Product: "m365", Service: "audit"}

// rules makes rules that all apply to the records, of the shapes that people write: an
// operation and one to four other things, an exception now and then. Few match.
func (r audit) rules(n int) (all []*sigma.Rule) {
	for i := range n {
		x := []sigma.Expr{&sigma.Item{Field: "Operation", Values: []sigma.Value{literal("", pick(r.random, auditOperations...), "")}}}
		for range 1 + r.IntN(3) {
			x = append(x, r.condition())
		}
		if r.IntN(3) == 0 {
			x = append(x, &sigma.Not{X: &sigma.Search{Name: "filter", X: &sigma.Item{Field: "UserId", Values: []sigma.Value{literal("", r.person(), "")}}}})
		}
		all = append(all, &sigma.Rule{
			Meta: sigma.Meta{Title: fmt.Sprint("Rule ", i)}, LogSource: auditSource,
			Conditions: []sigma.Condition{{Expr: &sigma.And{X: x}}},
		})
	}
	return all
}

func (r audit) condition() sigma.Expr {
	item := &sigma.Item{}
	for range pick(r.random, 1, 1, 3, 10) {
		var v sigma.Value
		switch r.IntN(6) {
		case 0:
			item.Field, v = "UserId", literal("", r.person()+"x", "")
		case 1:
			item.Field, v = "UserAgent", literal("*", fmt.Sprintf("client%x", r.IntN(1<<12)), "*")
		case 2:
			item.Field, v = "ObjectId", literal("*", fmt.Sprintf("{%x}", r.Uint32()), "")
		case 3:
			item.Field, v = "Parameters", literal("*", fmt.Sprintf("Forward%x", r.IntN(1<<12)), "*")
		case 4:
			item.Field, v = "Parameters."+pick(r.random, auditParameters...), literal("*", fmt.Sprintf("%x evil", r.IntN(1<<12)), "*")
		default:
			item.Field, v = "ClientIP", literal("", fmt.Sprintf("198.51.%d.", r.IntN(256)), "*")
		}
		if len(item.Values) == 0 || r.IntN(3) > 0 {
			item.Values = append(item.Values, v)
		}
	}
	return item
}

func literal(before, text, after string) sigma.Text {
	var p sigma.Pattern
	if before != "" {
		p = append(p, sigma.Piece{Wild: sigma.AnyRun})
	}
	p = append(p, sigma.Piece{Text: text})
	if after != "" {
		p = append(p, sigma.Piece{Wild: sigma.AnyRun})
	}
	return sigma.Text{Pattern: p}
}

func benchmarkMatch(b *testing.B, rules []*sigma.Rule, records [][]byte) {
	p, problems := sigma.Compile(rules, sigma.Options{})
	if len(problems) > 0 {
		b.Fatal(problems)
	}
	m := p.Matcher()
	sources := []sigma.LogSource{auditSource, {Product: "m365", Service: "exchange"}}
	p.Prepare(sources)
	size := 0
	for _, r := range records {
		size += len(r)
	}
	b.SetBytes(int64(size / len(records)))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := m.Match(records[i%len(records)], sources, nil); err != nil {
			b.Fatal(err)
		}
		i++
	}
	candidates := uint64(0)
	for _, c := range p.Costs() {
		candidates += c.Candidates
	}
	b.ReportMetric(float64(i)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(candidates)/float64(i), "candidates/record")
}

func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{20, 300, 3000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			r := newAudit()
			benchmarkMatch(b, r.rules(n), r.records(1000))
		})
	}
}

// BenchmarkScan is what reading a record costs by itself, to compare with.
func BenchmarkScan(b *testing.B) {
	var tape jsontape.Tape
	records := newAudit().records(1000)
	i := 0
	for b.Loop() {
		if err := tape.Parse(records[i%len(records)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
	b.ReportMetric(float64(i)/b.Elapsed().Seconds(), "records/s")
}

func BenchmarkCompile(b *testing.B) {
	rules := newAudit().rules(3000)
	for b.Loop() {
		p, _ := sigma.Compile(rules, sigma.Options{})
		p.Prepare([]sigma.LogSource{auditSource})
	}
}

func TestNoAllocations(t *testing.T) {
	r := newAudit()
	rules, records := r.rules(500), r.records(200)
	for _, search := range []string{
		`{UserAgent|re: "Edg[0-9]{9}"}`, `{UserAgent|re: ".{999,}"}`, `{ClientIP|cidr: 198.51.100.0/24}`, `{CreationTime|hour: 77}`, `{RecordType|gt: 1000}`,
		`{UserId|fieldref: Workload}`, `["a word that is nowhere"]`, `{ExternalAccess: false}`, `{UserId|cased|contains: "USER"}`,
	} {
		x := rule(t, search)
		x.LogSource = auditSource
		rules = append(rules, x)
	}
	p, problems := sigma.Compile(rules, sigma.Options{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	m := p.Matcher()
	sources := []sigma.LogSource{auditSource}
	all := func() {
		for _, record := range records {
			if found, err := m.Match(record, sources, nil); err != nil || len(found) > 0 {
				t.Fatal(found, err)
			}
		}
	}
	if n := testing.AllocsPerRun(3, all); n > 0 {
		t.Errorf("%v allocations for %d records that match nothing", n, len(records))
	}
}

// TestHostileRecords gives records that are made to be expensive to rules that are open to
// it. What would take too long, or too much, never ends.
func TestHostileRecords(t *testing.T) {
	many := func(s string) string { return strings.TrimSuffix(strings.Repeat(s+",", 10_000), ",") }
	var rules []*sigma.Rule
	for _, search := range []string{
		`{a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a: x}`, `{f|contains: [aaaa, aaab, aaa, aa, ab, b, bb]}`, `{f: "*a*a*a*a*a*b?c"}`, `{f|re: "(a+)+$"}`,
		`["aaaa*b"]`, `{f|fieldref: g}`, `{f|contains|all: [aaaa, zz]}`, `{f|gt: 5}`, `{f|exists: false, g: 1}`,
	} {
		rules = append(rules, rule(t, search))
	}
	m := compile(t, rules...).Matcher()
	nested := strings.Repeat(`[{"Name":"a","Value":{"a":`, 100) + "1" + strings.Repeat("}}]", 100)
	for _, record := range []string{
		`{"a":` + nested + `}`,
		`{"f":"` + strings.Repeat("a", 1<<18) + `"}`,
		`{"f":[` + many(`"aaaaaaaa"`) + `]}`,
		`{"f":[` + many(`"x"`) + `],"g":[` + many(`"y"`) + `]}`,
		`{` + many(`"f":"aaa"`) + `}`,
		`{"f":` + strings.Repeat("[", 500) + "7" + strings.Repeat("]", 500) + `}`,
	} {
		if _, err := m.Match([]byte(record), nil, nil); err != nil {
			t.Error(err)
		}
	}
	if found, err := m.Match([]byte(`{"f":"ab"}`), nil, nil); err != nil || len(found) == 0 {
		t.Errorf("afterwards nothing matches: %v", err)
	}
}
