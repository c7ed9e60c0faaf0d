// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package simrecords_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize"
	"github.com/daybreak-sec/daybreak/ocsf"
	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/directory"
	"github.com/daybreak-sec/daybreak/sim/scenario"
)

var start = time.Date(2026, time.November, 16, 7, 0, 0, 0, time.UTC)

// classes are what the records of attacks must map to.
var classes = map[string]ocsf.Class{
	"UserLoginFailed": ocsf.ClassAuthentication,
	"UserLoggedIn":    ocsf.ClassAuthentication,
	"Update application – Certificates and secrets management ": ocsf.ClassEntityManagement,
	"Update application.":                                ocsf.ClassEntityManagement,
	"Add service principal credentials.":                 ocsf.ClassEntityManagement,
	"Add application.":                                   ocsf.ClassEntityManagement,
	"Add service principal.":                             ocsf.ClassEntityManagement,
	"Add owner to application.":                          ocsf.ClassUserAccess,
	"Add user.":                                          ocsf.ClassAccountChange,
	"Add delegated permission grant.":                    ocsf.ClassUserAccess,
	"Add app role assignment grant to user.":             ocsf.ClassUserAccess,
	"Consent to application.":                            ocsf.ClassUserAccess,
	"Add app role assignment to service principal.":      ocsf.ClassUserAccess,
	"MailItemsAccessed":                                  ocsf.ClassDatastoreActivity,
	"SearchQueryInitiatedExchange":                       ocsf.ClassDatastoreActivity,
	"Send":                                               ocsf.ClassEmailActivity,
	"New-InboxRule":                                      ocsf.ClassEntityManagement,
	"Set-Mailbox":                                        ocsf.ClassEntityManagement,
	"FileDownloaded":                                     ocsf.ClassFileHosting,
	"User registered security info":                      ocsf.ClassAccountChange,
	"Disable Strong Authentication.":                     ocsf.ClassAccountChange,
	"Add member to role.":                                ocsf.ClassUserAccess,
	"Add device.":                                        ocsf.ClassEntityManagement,
	"Add registered owner to device.":                    ocsf.ClassUserAccess,
	"Add registered users to device.":                    ocsf.ClassUserAccess,
	"Add-MailboxPermission":                              ocsf.ClassUserAccess,
	"Set-MailboxAuditBypassAssociation":                  ocsf.ClassEntityManagement,
	"Set-OrganizationConfig":                             ocsf.ClassEntityManagement,
	"Set-AdminAuditLogConfig":                            ocsf.ClassEntityManagement,
	"Change user license.":                               ocsf.ClassAccountChange,
	"Remove app role assignment from service principal.": ocsf.ClassUserAccess,
}

// mapped is an attack's record as an OCSF event.
type mapped struct {
	scenario.Event
	class      ocsf.Class
	attributes map[string]any
	text       string
}

// at reads an attribute by its path.
func (m mapped) at(path string) string {
	var v any = m.attributes
	for key := range strings.SplitSeq(path, ".") {
		switch o := v.(type) {
		case map[string]any:
			v = o[key]
		case []any:
			v = o[0].(map[string]any)[key]
		default:
			return ""
		}
	}
	if list, ok := v.([]any); ok && len(list) == 1 {
		v = list[0]
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

func attack(t *testing.T, name string) (*directory.Directory, []mapped) {
	t.Helper()
	c, err := company.New(company.Config{Seed: 4, People: 500})
	if err != nil {
		t.Fatal(err)
	}
	s, err := scenario.Embedded(name)
	if strings.HasSuffix(name, ".toml") {
		text, readErr := os.ReadFile(name)
		if readErr != nil {
			t.Fatal(readErr)
		}
		s, err = scenario.Load(text)
	}
	if err != nil {
		t.Fatal(err)
	}
	d := directory.New(c)
	var n normalize.Normalizer
	var tape jsontape.Tape
	var list []mapped
	for _, e := range s.Run(d, start, 4) {
		if err := tape.Parse(e.Raw); err != nil {
			t.Fatal(err)
		}
		if families := normalize.Detect(tape.Root()); !slices.Equal(families, []event.Family{"m365"}) {
			t.Fatalf("%s is taken for %v", e.Operation, families)
		}
		id := n.Identify(e.Raw, "m365")
		if string(id.ID) != e.ID || string(id.Tenant) != c.Tenant() || id.Time != e.Time.Truncate(time.Second).UnixNano() {
			t.Errorf("%s is identified as %s of %s at %v", e.Operation, id.ID, id.Tenant, id.Time)
		}
		ev := n.Event(e.Raw, "m365")
		if len(ev.Issues) > 0 {
			t.Errorf("%s: %v\n%s", e.Operation, ev.Issues, e.Raw)
		}
		if drift, is := n.Drift("m365"); is {
			t.Errorf("%s is news: %s\n%s", e.Operation, drift.New, e.Raw)
		}
		m := mapped{Event: e, class: ev.Class, text: string(ev.AppendJSON(nil))}
		for _, p := range ocsf.Validate([]byte(m.text)) {
			t.Errorf("%s: %v\n%s", e.Operation, p, m.text)
		}
		if err := json.Unmarshal([]byte(m.text), &m.attributes); err != nil {
			t.Fatal(err)
		}
		list = append(list, m)
	}
	return d, list
}

func TestAttacksMap(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range append(scenario.Names(), "../../sim/scenario/testdata/all-kinds.toml") {
		_, list := attack(t, name)
		for _, m := range list {
			want, ok := classes[m.Operation]
			if !ok || m.class != want {
				t.Errorf("%s of %s is %v, want %v", m.Operation, name, m.class, want)
			}
			if m.at("actor.user.name") == "" || m.at("src_endpoint.ip") == "" && !strings.HasPrefix(m.at("actor.user.name"), "ServicePrincipal_") {
				t.Errorf("%s: who or from where is not known: %.1500s", m.Operation, m.text)
			}
			seen[m.Operation] = true
		}
	}
	for operation := range classes {
		if !seen[operation] {
			t.Errorf("no scenario leaves %q", operation)
		}
	}
}

// TestMidnightBlizzardIsVisible: what an analyst needs to see of the steps stands
// in the attributes where he looks for it.
func TestMidnightBlizzardIsVisible(t *testing.T) {
	d, list := attack(t, "midnight-blizzard")
	legacy, _ := d.FindPrincipal(directory.LegacyApplication)
	first := map[string]mapped{}
	for _, m := range list {
		if key := m.Step + " " + m.Operation; first[key].attributes == nil {
			first[key] = m
		}
	}
	for _, tt := range []struct{ event, path, want string }{
		{"spray UserLoginFailed", "status", "Failure"},
		{"spray UserLoginFailed", "status_code", "50126"},
		{"foothold UserLoggedIn", "status", "Success"},
		{"foothold UserLoggedIn", "user.name", "legacy.test@" + d.Domain()},
		{"take-over Update application – Certificates and secrets management ", "entity.name", directory.LegacyApplication},
		{"take-over Update application – Certificates and secrets management ", "actor.user.name", "legacy.test@" + d.Domain()},
		{"own-applications Add application.", "entity.name", "Calendar Insights"},
		{"own-applications Add application.", "actor.user.uid", legacy.ID.String()},
		{"own-user Add user.", "user.name", "svc.roomsync@" + d.Domain()},
		{"consent Consent to application.", "user.name", "Calendar Insights"},
		{"consent Add delegated permission grant.", "resources.name", directory.MicrosoftGraph},
		{"full-access Add app role assignment to service principal.", "privileges", "full_access_as_app"},
		{"full-access Add app role assignment to service principal.", "user.name", "Calendar Insights"},
		{"full-access Add app role assignment to service principal.", "resources.name", directory.ExchangeOnline},
		{"read-leaders MailItemsAccessed", "activity_name", "Read"},
		{"search-itself SearchQueryInitiatedExchange", "activity_name", "Query"},
	} {
		m, ok := first[tt.event]
		if !ok {
			t.Fatalf("there is no %s", tt.event)
		}
		if got := m.at(tt.path); got != tt.want {
			t.Errorf("%s: %s is %q, want %q\n%s", tt.event, tt.path, got, tt.want, m.text)
		}
	}
	if take := first["take-over Update application – Certificates and secrets management "]; take.at("entity.user.credential_uid") == "" {
		t.Errorf("the new key is not in the event: %s", take.text)
	}
	searched := ""
	for _, m := range list {
		if strings.HasPrefix(m.Step, "read-") && (m.at("databucket.name") == "" || m.at("src_endpoint.ip") == "") {
			t.Errorf("whose mailbox is read, from where: %s", m.text)
		}
		if m.Step == "search-itself" {
			searched += m.at("query_info.query_string") + "\n"
		}
	}
	if !strings.Contains(searched, "\"Midnight Blizzard\"\n") || !strings.Contains(searched, "NOBELIUM OR APT29\n") {
		t.Errorf("what was searched for is not in the events: %s", searched)
	}
}
