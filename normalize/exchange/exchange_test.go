// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package exchange_test

import (
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/exchange"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/normalize/source/sourcetest"
	"github.com/daybreak-sec/daybreak/ocsf"
)

func TestEvents(t *testing.T) { sourcetest.Events(t, exchange.Source, "entries") }

// TestParameters: a command line becomes the pairs that the cloud writes of it.
func TestParameters(t *testing.T) {
	for line, want := range map[string]string{
		`-Name "a - b" -ForwardTo ("x@y.example","z@y.example") -DeleteMessage $true -Force`: `[{"Name":"Name","Value":"a - b"},{"Name":"ForwardTo","Value":"x@y.example;z@y.example"},{"Name":"DeleteMessage","Value":"True"},{"Name":"Force","Value":"True"}]`,
		`-Identity ann -AuditEnabled:$false`:                                                 `[{"Name":"Identity","Value":"ann"},{"Name":"AuditEnabled","Value":"False"}]`,
		`{MailboxServer=EX2, Identity=DAG1, x}`:                                              `[{"Name":"MailboxServer","Value":"EX2"},{"Name":"Identity","Value":"DAG1, x"}]`,
		`what is this`:                                                                       `"what is this"`,
		``:                                                                                   `[]`,
		`-`:                                                                                  `[{"Name":"","Value":"True"}]`,
		`-Name "never ends -Force`:                                                           `[{"Name":"Name","Value":"\"never ends -Force"}]`,
	} {
		c := exchange.Command{Name: []byte("New-InboxRule"), Parameters: []byte(line), Time: []byte("2026-05-18T21:13:33Z")}
		if got := string(exchange.Cmdlet(&c, jsontape.Value{}).Get("Parameters").Raw()); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}

// TestUnified: what an entry says has the names of the unified audit log, and its own.
func TestUnified(t *testing.T) {
	for _, raw := range sourcetest.Records(t, "entries") {
		got, ok := exchange.Unified(sourcetest.Parse(t, raw))
		for _, name := range []string{"RecordType", "CreationTime", "Operation", "Workload", "UserId"} {
			if !ok || !got.Get(name).Exists() {
				t.Errorf("%s has no %s", got.Raw(), name)
			}
		}
		for v := sourcetest.Parse(t, raw).First(); v.Exists(); v = v.Next() {
			if !strings.Contains(string(got.Raw()), `"`+string(v.Key())+`":`) {
				t.Errorf("%s has no %s", got.Raw(), v.Key())
			}
		}
	}
	if _, ok := exchange.Unified(sourcetest.Parse(t, []byte(`{"CmdletName":"New-InboxRule"}`))); ok {
		t.Error("what is no entry is one")
	}
}

// FuzzMap holds that any object makes one valid event.
func FuzzMap(f *testing.F) {
	sourcetest.Fuzz(f, sourcetest.Records(f, "entries"), []source.Source{exchange.Source}, func(*testing.T, jsontape.Value, *ocsf.Event, []byte) {})
}

func BenchmarkMap(b *testing.B) {
	sourcetest.Bench(b, exchange.Source, sourcetest.Records(b, "entries"))
}
