// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/ocsf"
	"github.com/daybreak-sec/daybreak/ocsf/schema"
)

// labels are the files whose records come with other vendors' documents, by suite. Those of a suite that has a limit
// agree at least so well, in percent, taken together; the others are small samples of what their vendor has more of.
var labels = []struct {
	suite string
	least float64
	files []string
}{
	{"Microsoft 365 and Entra", 98, []string{
		"elastic_o365_audit", "sekoia_o365", "elastic_azure_signinlogs", "elastic_azure_auditlogs", "sekoia_azure_ad", "sekoia_entraid_graphapi",
	}},
	{"Okta", 95, []string{"elastic_okta_system", "sekoia_okta_system"}},
	{"Slack", 95, []string{"elastic_slack_audit"}},
	{"Google Workspace", 95, []string{
		"elastic_google_workspace_admin", "elastic_google_workspace_login", "elastic_google_workspace_user_accounts", "elastic_google_workspace_saml",
		"elastic_google_workspace_token", "elastic_google_workspace_drive", "elastic_google_workspace_groups", "elastic_google_workspace_group_enterprise",
		"elastic_google_workspace_device", "elastic_google_workspace_rules", "elastic_google_workspace_gcp",
		"elastic_google_workspace_context_aware_access", "elastic_google_workspace_access_transparency", "sekoia_google_report",
	}},
	{"AWS CloudTrail", 95, []string{"elastic_aws_cloudtrail", "sekoia_aws_cloudtrail"}},
	{"GitHub", 95, []string{"elastic_github_audit", "sekoia_github_audit"}},
	{"Microsoft, others", 0, []string{"elastic_azure_provisioning", "elastic_azure_identity_protection", "elastic_azure_graphactivitylogs"}},
}

var compared = []string{"time", "actor", "address", "action", "outcome", "object"}

// score counts agreements of one file by field.
type score struct{ agreed, stated [6]int }

func (s *score) sum() (agreed, stated int) {
	for i := range compared {
		agreed += s.agreed[i]
		stated += s.stated[i]
	}
	return agreed, stated
}

func (s *score) add(o score) {
	for i := range compared {
		s.agreed[i] += o.agreed[i]
		s.stated[i] += o.stated[i]
	}
}

// agreement compares our events with what other vendors' normalization made of
// the same records.
func (r *report) agreement(data string) error {
	r.printf("%-40s", "agreement")
	for _, field := range compared {
		r.printf(" %12s", field)
	}
	r.printf(" %16s\n", "all")
	explained, err := readExplanations(explanations)
	if err != nil {
		return err
	}
	for _, l := range labels {
		var all score
		for _, file := range l.files {
			s, err := r.compareFile(filepath.Join(data, "labelled", file+".jsonl"), explained)
			if err != nil {
				return err
			}
			r.scoreRow(file, s)
			r.reached["agreed "+file], _ = s.sum()
			all.add(s)
		}
		r.scoreRow(l.suite, all)
		if agreed, stated := all.sum(); float64(agreed)*100 < l.least*float64(stated) {
			r.miss("agreement on %s is %s%%, at least %.4g%% is wanted", l.suite, percent(agreed, stated), l.least)
		}
	}
	return nil
}

func (r *report) scoreRow(name string, s score) {
	r.printf("%-40s", name)
	for i := range compared {
		r.printf(" %12s", fmt.Sprintf("%d/%d", s.agreed[i], s.stated[i]))
	}
	agreed, stated := s.sum()
	r.printf(" %16s\n", fmt.Sprintf("%d/%d %s%%", agreed, stated, percent(agreed, stated)))
}

func (r *report) compareFile(name string, explained map[string]bool) (score, error) {
	var s score
	file := strings.TrimSuffix(filepath.Base(name), ".jsonl")
	var n normalizer
	err := eachLine(name, func(line int, raw []byte) error {
		var l struct {
			Event  json.RawMessage
			Expect struct{ ECS map[string]any }
		}
		if err := json.Unmarshal(raw, &l); err != nil {
			return fmt.Errorf("%s:%d: %w", file, line, err)
		}
		if l.Expect.ECS == nil {
			return nil
		}
		theirs, ours := ecs(l.Expect.ECS), eventFacts(n.normalize(l.Event).event)
		for i, d := range compare(theirs, ours) {
			if !d.stated {
				continue
			}
			s.stated[i]++
			where := fmt.Sprintf("%s:%d: %s", file, line, compared[i])
			switch {
			case d.agreed:
				s.agreed[i]++
			case explained[where]:
				r.detail("%s: theirs %q, ours %q (explained)", where, d.theirs, d.ours)
			default:
				r.miss("%s: theirs %q, ours %q, and %s does not say why", where, d.theirs, d.ours, explanations)
			}
		}
		return nil
	})
	return s, err
}

type difference struct {
	stated, agreed bool
	theirs, ours   any
}

// compare holds our facts against theirs, field by field as in compared. What
// they do not state is not compared.
func compare(theirs, ours facts) [6]difference {
	return [6]difference{
		{!theirs.time.IsZero(), sameTime(theirs.time, ours.time), theirs.time.Format(time.RFC3339Nano), ours.time.Format(time.RFC3339Nano)},
		shared(theirs.actor, ours.actor),
		shared(theirs.address, ours.address),
		shared(theirs.action, ours.action),
		{theirs.outcome != "" && !ours.noOutcome, theirs.outcome == ours.outcome, theirs.outcome, ours.outcome},
		shared(theirs.object, ours.object),
	}
}

// sameTime compares to the millisecond, which is what OCSF and ECS keep.
func sameTime(a, b time.Time) bool {
	return a.Truncate(time.Millisecond).Equal(b.Truncate(time.Millisecond))
}

// shared: one name in common will do, in any case of letters.
func shared(theirs, ours []string) difference {
	agreed := slices.ContainsFunc(theirs, func(t string) bool {
		return slices.ContainsFunc(ours, func(o string) bool { return strings.EqualFold(t, o) })
	})
	return difference{len(theirs) > 0, agreed, theirs, ours}
}

type meaning struct {
	class    ocsf.Class
	activity int32
}

// meanings are the words that Elastic has for some actions in place of the
// vendor's operation, by what the operation means in OCSF.
var meanings = map[meaning][]string{
	{ocsf.ClassAccountChange, 1}:   {"added-user-account"},
	{ocsf.ClassAccountChange, 6}:   {"deleted-user-account"},
	{ocsf.ClassAccountChange, 99}:  {"modified-user-account"},
	{ocsf.ClassGroupManagement, 3}: {"added-users-to-group"},
	{ocsf.ClassGroupManagement, 4}: {"removed-users-from-group", "removed-user-from-group"},
	{ocsf.ClassGroupManagement, 6}: {"added-group-account-to"},
	{ocsf.ClassGroupManagement, 5}: {"deleted-group-account-from"},
}

// eventFacts reads the facts out of one of our events.
func eventFacts(e *ocsf.Event) facts {
	var f facts
	if e.Time != 0 {
		f.time = time.Unix(0, e.Time).UTC()
	}
	for _, a := range e.Attrs {
		path := a.Path.String()
		switch {
		case a.Kind == ocsf.String:
			f.add(e, path, string(a.Str))
		case path == "action_id" || path == "disposition_id":
			f.action = append(f.action, caption(e.Class, path, a.Num))
		}
	}
	f.action = append(f.action, meanings[meaning{e.Class, e.Activity}]...)
	f.noOutcome = isFinding(e)
	if a, ok := e.Get(ocsf.PathStatusID); ok && !f.noOutcome {
		f.outcome = map[int64]string{1: "success", 2: "failure"}[a.Num]
	}
	return f
}

// caption returns what an enum's value of the class is called.
func caption(class ocsf.Class, name string, n int64) string {
	a, _ := schema.Load().Class(int(class)).Attr(name)
	text, _ := a.Enum.Caption(n)
	return text
}

func isFinding(e *ocsf.Event) bool { return e.Class/1000 == 2 }

// add takes in the string at a path.
func (f *facts) add(e *ocsf.Event, path, value string) {
	switch {
	case strings.HasSuffix(path, "src_endpoint.ip"):
		f.address = append(f.address, addresses([]string{value})...)
	case slices.Contains([]string{"api.operation", "metadata.event_code", "activity_name", "action", "disposition"}, path):
		f.action = append(f.action, strings.TrimSuffix(value, "."))
	case strings.HasPrefix(path, "actor.user."), path == "actor.app_name", path == "actor.app_uid":
		f.actor = append(f.actor, value)
	case !strings.HasPrefix(path, "actor.") && !strings.HasPrefix(path, "metadata."):
		if isUser(path) && oneUser(e) {
			f.actor = append(f.actor, value)
		}
		f.object = append(f.object, value)
	}
}

func isUser(path string) bool {
	return strings.HasPrefix(path, "user.") || strings.HasPrefix(path, "evidences[].user.")
}

// oneUser reports whether the user that a document in ECS names, which has one
// user where OCSF has the actor and the user concerned, is the latter: in a
// sign-in, in a finding, and where an application or service acted.
func oneUser(e *ocsf.Event) bool {
	typ, ok := e.Get(ocsf.PathActorUserTypeID)
	const service = 4
	return e.Class == ocsf.ClassAuthentication || isFinding(e) || !e.Has(ocsf.PathActorUserName) || ok && typ.Num == service
}
