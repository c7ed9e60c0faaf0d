// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package google

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/normalize/source/sourcetest"
	"github.com/daybreak-sec/daybreak/ocsf/schema"
)

// TestDocumentation holds the tables of the page to the package's: it stands inside the package because it prints them.
func TestDocumentation(t *testing.T) { sourcetest.Page(t, "google", documentation()) }

// resolved says what an event's parameter decides, where a rule leaves it open.
var resolved = map[int32]string{
	byVerb: "by the verb in its name", bySharing: "12 Share, 13 Unshare where new_value is none or private or a member is removed",
	byGrant: "1 Assign, 2 Revoke where access_level is none", byToggle: "8 Enable, 9 Disable by NEW_VALUE, else 3 Update",
	byRegistration: "6 Enroll, 7 Unenroll by ACCOUNT_STATE", byAppState: "1 Install, 2 Remove by APPLICATION_STATE, else 8 Update",
	byCompromise: "1 Create, 3 Close where DEVICE_COMPROMISED_STATE says so", byRuleType: "1 Create; Data Security Finding where rule_type is DLP",
	byMember: "3 Add User, 4 Remove User; 7, 8 where member_type is group", byDirection: "1 Send, 2 Receive by the sender",
	byResponse: "by the verb in method_name",
}

var verbNames = map[verb]string{
	vCreate: "create", vRead: "read", vUpdate: "update", vDelete: "delete", vMove: "move", vEnroll: "enroll", vUnenroll: "unenroll", vEnable: "enable",
	vDisable: "disable", vSearch: "search", vExport: "export", vImport: "import", vShare: "share",
}

func (r rule) String() string {
	class := schema.Load().Class(int(r.class))
	activity, ok := resolved[r.activity]
	if !ok {
		a, _ := class.Attr("activity_id")
		text, _ := a.Enum.Caption(int64(r.activity))
		activity = fmt.Sprintf("%d %s", r.activity, text)
	}
	if r.noun != "" {
		activity += " · " + r.noun
	}
	return fmt.Sprintf("%s %d | %s", class.Caption, r.class, activity)
}

func documentation() string {
	var b strings.Builder
	b.WriteString("\n## Applications\n\n| applicationName | class of an event that no row lists | activity · kind of thing |\n|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(applications)) {
		fmt.Fprintf(&b, "| %s | %s |\n", name, applications[name].rule)
	}
	b.WriteString("\n## Types whose events that no row lists are something else\n\n| type | class | activity · kind of thing |\n|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(types)) {
		fmt.Fprintf(&b, "| %s | %s |\n", name, types[name])
	}
	for _, name := range slices.Sorted(maps.Keys(applications)) {
		if len(applications[name].groups) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## Events of %s\n\n| class | activity · kind of thing | events |\n|---|---|---|\n", name)
		for _, g := range applications[name].groups {
			fmt.Fprintf(&b, "| %s | %s |\n", g.rule, strings.Join(strings.Fields(g.names), " · "))
		}
	}
	b.WriteString("\n## Verbs\n\n| verb | activity_id by class | words |\n|---|---|---|\n")
	byWord := map[verb][]string{}
	for word, v := range verbs {
		byWord[v] = append(byWord[v], word)
	}
	for _, v := range slices.Sorted(maps.Keys(byWord)) {
		var ids []string
		for _, class := range slices.Sorted(maps.Keys(verbActivities)) {
			if id, ok := verbActivities[class][v]; ok {
				ids = append(ids, fmt.Sprintf("%d: %d", class, id))
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", verbNames[v], strings.Join(ids, ", "), strings.Join(slices.Sorted(slices.Values(byWord[v])), " "))
	}
	for _, object := range []struct {
		name  string
		table members.Table
	}{{"an activity", activity}, {"id", idMembers}, {"actor", actorMembers}, {"actor.applicationInfo", applicationInfo}, {"networkInfo", networkMembers}} {
		sourcetest.Members(&b, object.name, object.table)
	}
	b.WriteString("\n## Parameters that are read\n\nEach line is one meaning; capitals do not count.\n\n")
	for _, names := range slotNames {
		fmt.Fprintf(&b, "- %s\n", strings.Join(strings.Fields(names), ", "))
	}
	return b.String()
}

// TestTables holds what must be true of the rows: no event is in two rows of an
// application, every row's activity is the class's, every parameter has one
// meaning, and a verb decides where a row leaves it to one.
func TestTables(t *testing.T) {
	for name, a := range applications {
		seen := map[string]bool{}
		for _, g := range append(slices.Clone(a.groups), group{a.rule, ""}) {
			class := schema.Load().Class(int(g.class))
			def, _ := class.Attr("activity_id")
			if _, ok := def.Enum.Caption(int64(g.activity)); !ok && resolved[g.activity] == "" {
				t.Errorf("%s: class %d has no activity %d", name, g.class, g.activity)
			}
			for event := range strings.FieldsSeq(g.names) {
				if seen[event] {
					t.Errorf("%s: %s is in two rows", name, event)
				}
				seen[event] = true
				if g.activity == byVerb && byVerbOf(g.class, verbOf([]byte(event))) == other {
					t.Errorf("%s: %s has no verb", name, event)
				}
			}
		}
	}
	count := 0
	for _, names := range slotNames {
		count += len(strings.Fields(names))
	}
	if count != len(parameterSlots) {
		t.Errorf("%d parameters are listed under %d names", count, len(parameterSlots))
	}
}
