// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident_test

import (
	"fmt"
	"testing"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/incident"
)

// intrusion is a chain of alerts as they come of an intruder who guesses the password of a
// forgotten account from many homes, and ends in other people's mail.
func intrusion() []detect.Alert {
	spray := []string{"actor user legacy@contoso.example", "actor user ann@contoso.example", "actor user bob@contoso.example"}
	for i := range 30 {
		spray = append(spray, fmt.Sprintf("source ip 203.0.113.%d", i+1))
	}
	read := []string{"actor app calendar-insights", "source ip 198.51.100.9", "target app microsoft graph"}
	for i := range 40 {
		read = append(read, fmt.Sprintf("target mailbox leader%d@contoso.example", i))
	}
	return []detect.Alert{
		with(alert("spray", 0, spray...), func(a *detect.Alert) {
			a.Last, a.Tags = hour(70), []string{"attack.credential-access", "attack.t1110.003"}
		}),
		with(alert("sign-in", 71, "actor user legacy@contoso.example", "source ip 203.0.113.200", "actor app azure portal", "actor session s1"),
			func(a *detect.Alert) { a.Tags = []string{"attack.initial-access", "attack.t1078.004"} }),
		with(alert("credential", 75, "actor user legacy@contoso.example", "target app mailflow", "source ip 203.0.113.77"),
			func(a *detect.Alert) { a.Tags, a.Level = []string{"attack.persistence", "attack.t1098.001"}, "high" }),
		with(alert("new-user", 80, "actor app mailflow", "target user svc.sync@contoso.example", "source ip 198.51.100.1"),
			func(a *detect.Alert) { a.Tags = []string{"attack.persistence", "attack.t1136.003"} }),
		with(alert("consent", 82, "actor user svc.sync@contoso.example", "target app calendar-insights", "target app microsoft graph", "source ip 198.51.100.2"),
			func(a *detect.Alert) { a.Tags = []string{"attack.t1528"} }),
		with(alert("mail", 90, read...), func(a *detect.Alert) {
			a.Last, a.Tags, a.Level, a.Count = hour(116), []string{"attack.collection", "attack.t1114.002"}, "high", 160
		}),
	}
}

func many(n int, make func(i int) detect.Alert) (list []detect.Alert) {
	for i := range n {
		list = append(list, make(i))
	}
	return list
}

func user(i int) string { return fmt.Sprintf("user%02d@contoso.example", i) }

func TestJoining(t *testing.T) {
	const bob = "bob@contoso.example"
	tests := []struct {
		name   string
		alerts []detect.Alert
		want   string
	}{
		{"an intrusion is one incident", intrusion(), "spray sign-in credential new-user consent mail"},
		{"two people behind one address are two", []detect.Alert{
			alert("rule", 0, ann, "source ip 203.0.113.7", "actor app one outlook web"),
			alert("download", 1, "actor user "+bob, "source ip 203.0.113.7", "actor app one outlook web"),
		}, "rule; download"},
		{"an address that alerts are about joins", []detect.Alert{
			alert("spray", 0, "*source ip 203.0.113.7", "target user x@contoso.example"),
			alert("sign-in", 1, "actor user "+bob, "source ip 203.0.113.7"),
		}, "spray sign-in"},
		{"but not once many people use it", append(many(6, func(i int) detect.Alert {
			return alert(fmt.Sprint("sign-in", i), float64(i), "actor user "+user(i), "source ip 203.0.113.7")
		}), alert("spray", 7, "*source ip 203.0.113.7"), alert("spray2", 8, "*source ip 203.0.113.7")), "sign-in0; sign-in1; sign-in2; sign-in3; sign-in4; sign-in5; spray spray2"},
		{"an inner address joins nothing", []detect.Alert{
			alert("spray", 0, "*source ip 10.0.0.1"),
			alert("sign-in", 1, "actor user "+bob, "source ip 10.0.0.1"),
		}, "spray; sign-in"},
		{"the program that everybody uses joins nobody", append(many(9, func(i int) detect.Alert {
			return alert(fmt.Sprint("odd", i), float64(i), "actor user "+user(i), "actor app travel-desk")
		}), alert("consent", 10, "actor user "+user(3), "target app travel-desk")), "odd0; odd1; odd2; odd3 consent; odd4; odd5; odd6; odd7; odd8"},
		{"nor do services that every grant names", []detect.Alert{
			alert("grant", 0, ann, "target app 00000003-0000-0000-c000-000000000000"),
			alert("role", 1, "actor user "+bob, "target app 00000003-0000-0000-c000-000000000000"),
		}, "grant; role"},
		{"an application that was let in and is then used", []detect.Alert{
			alert("consent", 0, ann, "target app evil"),
			alert("sign-in", 1, "actor user "+bob, "actor app evil"),
		}, "consent sign-in"},
		{"phishing of many people for one application", append(many(40, func(i int) detect.Alert {
			return alert(fmt.Sprintf("c%02d", i), float64(i)/10, "actor user "+user(i), "target app evil")
		}), alert("forward", 9, "actor user "+user(7))), "c00 c01 c02 c03 c04 c05 c06 c07 c08 c09 c10 c11 c12 c13 c14 c15 c16 c17 c18 c19 c20 c21 c22 c23 c24 c25 c26 c27 c28 c29 c30 c31 c32 c33 c34 c35 c36 c37 c38 c39; forward"},
		{
			"a help desk does not join those it helps", append(many(30, func(i int) detect.Alert {
				return alert(fmt.Sprintf("reset%02d", i), float64(i)/10, "actor user desk@contoso.example", "target user "+user(i))
			}), alert("x", 9, "actor user "+user(1)), alert("y", 10, "actor user "+user(2))),
			"reset00 reset01 reset02 reset03 reset04 reset05 reset06 reset07 reset08 reset09 reset10 reset11 reset12 reset13 reset14 reset15 reset16 reset17 reset18 reset19 reset20 reset21 reset22 reset23 reset24 reset25 reset26 reset27 reset28 reset29; x; y",
		},
		{"whose mail an application reads is not drawn in", []detect.Alert{
			alert("read", 0, "*actor app evil", ann, "target mailbox ann@contoso.example"),
			alert("grant", 1, "actor user "+bob, "target app evil"),
			alert("own", 2, ann),
		}, "read grant; own"},
		{"two weeks of quiet part", []detect.Alert{
			alert("a", 0, ann), alert("b", 24*13, ann), alert("c", 24*26, ann), alert("d", 24*41, ann),
		}, "a b c; d"},
		{"an alert that lasts bridges them", []detect.Alert{
			alert("a", 0, ann), alert("d", 24*41, ann),
			with(alert("long", 24, ann), func(a *detect.Alert) { a.Last = hour(24 * 30) }),
		}, "a long d"},
		{"tenants are apart", []detect.Alert{
			alert("a", 0, ann),
			with(alert("b", 1, ann), func(a *detect.Alert) { a.Tenant = "fabrikam" }),
		}, "a; b"},
		{"nobody is not somebody", []detect.Alert{
			alert("a", 0, `actor user nt authority\system`), alert("b", 1, `actor user nt authority\system`),
		}, "a; b"},
		{"two rules match one record", []detect.Alert{
			with(alert("a1", 0), func(a *detect.Alert) { a.Kind = "single" }),
			with(alert("a2", 0), func(a *detect.Alert) { a.Kind = "single" }),
		}, "a2 a1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := newBed(t)
			b.take(test.alerts...)
			b.want(test.want)
			one := newBed(t) // the same, one by one from behind
			for i := range test.alerts {
				one.take(test.alerts[len(test.alerts)-1-i])
			}
			one.want(test.want)
		})
	}
}

func TestWhatIsCommonByConfiguration(t *testing.T) {
	b := &bed{t: t, Store: open(t, openDB(t), incident.Options{Common: []string{"203.0.113.0/24", "Backup-App"}})}
	b.take(
		alert("spray", 0, "*source ip 203.0.113.7"), alert("spray2", 1, "*source ip 203.0.113.7"),
		alert("mail", 2, "actor app backup-app"), alert("mail2", 3, "actor app backup-app"),
	)
	b.want("spray; spray2; mail; mail2")
}
