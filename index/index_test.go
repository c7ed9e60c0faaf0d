// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package index_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/index"
	"github.com/daybreak-sec/daybreak/lake"
	"github.com/daybreak-sec/daybreak/normalize"
	"github.com/daybreak-sec/daybreak/ocsf"
)

const records = "../normalize/m365/testdata/"

func row(t *testing.T, n *normalize.Normalizer, record string) lake.Row {
	t.Helper()
	raw, err := os.ReadFile(records + record)
	if err != nil {
		t.Fatal(err)
	}
	r := lake.Row{Received: 5, Batch: 6, Index: 7, Mutated: true, Family: "m365", Text: "of the row before"}
	index.Row(&r, n.Event(raw, "m365"))
	if r.Received != 5 || r.Batch != 6 || r.Index != 7 || !r.Mutated || r.Family != "m365" {
		t.Errorf("%s: what the event does not know has changed: %+v", record, r)
	}
	if r.Time == 0 || r.Tenant == "" && record != "unknown.json" {
		t.Errorf("%s: %+v", record, r)
	}
	return r
}

func TestRow(t *testing.T) {
	tests := []struct {
		record string
		want   lake.Row // of the columns compared below
	}{
		{"sts-logon.json", lake.Row{ClassUID: 3002, ActivityID: 1, StatusID: 1, User: "ada@example.com", IP: "203.0.113.7", Target: "00000003-0000-0000-c000-000000000000", Session: "e2b0a7c4-33d1-4c8e-a1d0-55aa66bb77cc", Device: "LAPTOP-ADA", Status: "0"}},
		{"sts-failure.json", lake.Row{ClassUID: 3002, ActivityID: 1, StatusID: 2, IP: "2001:db8::25", Target: "AzureActiveDirectory", Status: "50126", Text: "InvalidUserNameOrPassword"}},
		{"entra-role.json", lake.Row{ClassUID: 3005, ActivityID: 1, StatusID: 1, User: "ada@example.com", Target: "bob@example.com", Object: "Global Administrator", Status: "Success", Text: "Global Administrator"}},
		{"exchange-inbox-rule.json", lake.Row{ClassUID: 3004, ActivityID: 1, StatusID: 1, User: "ada@example.com", IP: "198.51.100.9", Target: "ada@example.com", Object: "..", Status: "True", Text: "..", Session: "0f0e0d0c-0b0a-4908-8706-050403020100"}},
		{"mailbox-access.json", lake.Row{ClassUID: 6005, ActivityID: 1, StatusID: 1, User: "ada@example.com", IP: "2001:db8::77", Target: "ada@example.com", Object: "3a3b3c3d-0000-4000-8000-00000000abcd", Status: "Succeeded"}},
		{"sharing.json", lake.Row{ClassUID: 6006, ActivityID: 12, StatusID: 1, User: "ada@example.com", IP: "203.0.113.8", Target: "mallory@example.net", Object: "https://example.sharepoint.com/sites/hr/Shared Documents/pay.docx", Text: "pay.docx"}},
		{"threat-mail.json", lake.Row{ClassUID: 2004, ActivityID: 1, User: "threatintel", IP: "192.0.2.66", Target: "ada@example.com", Object: "5a5a5a5a-0000-4000-8000-000000000000", Text: "Your parcel"}},
		{"alert.json", lake.Row{ClassUID: 2004, ActivityID: 1, User: "securitycompliancealerts", Target: "bob@example.com", Object: "a1e27000-0000-4000-8000-000000000001", Status: "Active", Text: "Creation of forwarding rule"}},
	}
	var n normalize.Normalizer
	for _, test := range tests {
		r := row(t, &n, test.record)
		got := lake.Row{
			ClassUID: r.ClassUID, ActivityID: r.ActivityID, StatusID: r.StatusID, User: r.User, IP: r.IP, Target: r.Target,
			Object: r.Object, Session: r.Session, Device: r.Device, Status: r.Status, Text: r.Text,
		}
		if test.want.Text == "" {
			got.Text = ""
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.record, diff)
		}
	}
}

// TestBestAttribute sets attributes in both orders: the better one wins.
func TestBestAttribute(t *testing.T) {
	for _, reverse := range []bool{false, true} {
		var e ocsf.Event
		set := []func(){
			func() { e.SetText(ocsf.PathActorUserName, "ADA") },
			func() { e.SetText(ocsf.PathActorUserEmailAddr, "Ada@Example.com") },
			func() { e.AddText(ocsf.PathPrivileges, 1, "second") },
			func() { e.SetText(ocsf.PathPrivileges, "first") },
		}
		for i := range set {
			if reverse {
				i = len(set) - 1 - i
			}
			set[i]()
		}
		e.Time = -1
		var r lake.Row
		index.Row(&r, &e)
		if r.User != "ada@example.com" || r.Text != "first" || r.Time != -1 || r.SeverityID != 1 {
			t.Errorf("%+v", r)
		}
	}
}

func BenchmarkRow(b *testing.B) {
	raw, err := os.ReadFile(records + "sts-logon.json")
	if err != nil {
		b.Fatal(err)
	}
	var n normalize.Normalizer
	e := n.Event(raw, "m365")
	var r lake.Row
	b.ReportAllocs()
	for b.Loop() {
		index.Row(&r, e)
	}
}
