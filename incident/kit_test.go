// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/incident"
	"github.com/daybreak-sec/daybreak/store"
)

// noon is where tests begin; their times are hours from it.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func hour(h float64) time.Time { return noon.Add(time.Duration(h * float64(time.Hour))) }

func openDB(t testing.TB) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func open(t testing.TB, db *store.DB, o incident.Options) *incident.Store {
	t.Helper()
	s, err := incident.Open(t.Context(), db, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// bed is a store to take alerts into.
type bed struct {
	t testing.TB
	*incident.Store
	batch uint64
}

func newBed(t testing.TB) *bed { return &bed{t: t, Store: open(t, openDB(t), incident.Options{})} }

func (b *bed) take(alerts ...detect.Alert) {
	b.t.Helper()
	b.batch++
	if err := b.Take(b.t.Context(), event.ID{Batch: b.batch}, alerts); err != nil {
		b.t.Fatal(err)
	}
}

// want compares the incidents with groups of alerts, each "spray sign-in; consent".
func (b *bed) want(groups string) {
	b.t.Helper()
	if got := b.groups(); got != groups {
		b.t.Errorf("incidents\n got %s\nwant %s", got, groups)
	}
}

func (b *bed) groups() string {
	b.t.Helper()
	alerts, err := b.Alerts(b.t.Context(), incident.Filter{Limit: 1e6})
	if err != nil {
		b.t.Fatal(err)
	}
	slices.SortFunc(alerts, func(x, y incident.Alert) int {
		if c := x.First.Compare(y.First); c != 0 {
			return c
		}
		return strings.Compare(x.ID, y.ID)
	})
	var order []string
	groups := map[string][]string{}
	for _, a := range alerts {
		if groups[a.Incident] == nil {
			order = append(order, a.Incident)
			if a.Incident != "i"+a.ID[1:] {
				b.t.Errorf("incident %s is not named after its first alert %s", a.Incident, a.ID)
			}
		}
		groups[a.Incident] = append(groups[a.Incident], a.Rule)
	}
	var list []string
	for _, id := range order {
		list = append(list, strings.Join(groups[id], " "))
	}
	return strings.Join(list, "; ")
}

// incident returns the id of the incident that an alert is in.
func (b *bed) incident(rule string) string {
	b.t.Helper()
	a, err := b.Alert(b.t.Context(), idOf(rule))
	if err != nil {
		b.t.Fatal(err)
	}
	return a.Incident
}

func idOf(rule string) string {
	sum := sha256.Sum256([]byte(rule))
	return "a" + hex.EncodeToString(sum[:16])
}

// alert makes an alert of one record whose rule, title and id follow from its name. Entities
// are written "actor user alice@contoso.example"; a star before one says that the alert is
// grouped by it.
func alert(name string, at float64, entities ...string) detect.Alert {
	a := detect.Alert{
		ID: idOf(name), Tenant: "contoso", Rule: name, Title: strings.ToUpper(name[:1]) + strings.ReplaceAll(name[1:], "-", " "),
		Level: "medium", Kind: "correlation", First: hour(at), Last: hour(at), Found: noon, Count: 1, Sentence: name + " was seen",
		Refs: []correlate.Ref{{ID: event.ID{Batch: 1, Index: uint32(max(0, at*60))}, Time: hour(at).UnixNano(), Rule: name, Key: correlate.Key{byte(len(name))}}},
	}
	for _, text := range entities {
		text, grouped := strings.CutPrefix(text, "*")
		role, rest, _ := strings.Cut(text, " ")
		kind, id, ok := strings.Cut(rest, " ")
		if !ok {
			panic(fmt.Sprintf("entity %q", text))
		}
		a.Entities = append(a.Entities, detect.Entity{Type: kind, Role: role, ID: id})
		if grouped {
			a.Group = append(a.Group, correlate.GroupValue{Field: kind, Value: id})
		}
	}
	return a
}

// with returns a changed copy.
func with(a detect.Alert, change func(*detect.Alert)) detect.Alert {
	change(&a)
	return a
}
