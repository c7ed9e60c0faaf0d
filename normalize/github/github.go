// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package github says what the records of GitHub's audit log mean, as the API
// returns them and as streaming delivers them, of an organization and of an
// enterprise.
//
// The name of an action is a category and what was done ("repo.create",
// "org.config.disable_contributors_only"). The tables of actions.go list by
// name the actions that are about people, their access and their sign-ins. All
// others are told by their category, which says what kind of thing was acted
// upon, and by the verb among the words of their name.
//
// Sources: https://docs.github.com/organizations/keeping-your-organization-secure/managing-security-settings-for-your-organization/audit-log-events-for-your-organization
// and the same for enterprises and users (github/docs:src/audit-logs/data).
//
// What no table names is kept under unmapped; nulls and empty values are not.
package github

import (
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// Source is a record of GitHub's audit log.
var Source = source.Source{
	Family: "github",
	Detect: func(root jsontape.Value) bool {
		record, prefix := unwrap(root)
		return isAudit(record) || prefix != "" && record.Get("action").Kind() == jsontape.String
	},
	Members: []string{"action", "github"},
	Identify: func(root jsontape.Value) source.Identity {
		record, _ := unwrap(root)
		return identify(record)
	},
	Map: mapRecord,
	Drift: func(root jsontape.Value) (source.Drift, bool) {
		record, _ := unwrap(root)
		action := record.Get("action").Str()
		if _, known := classify(action, record.Get("operation_type").Str()); known || len(action) == 0 {
			return source.Drift{}, false
		}
		category, _ := split(action)
		return source.Drift{Family: "github", Workload: string(category), Operation: string(action), New: "operation"}, true
	},
}

// unwrap returns the record, and what the names of its members begin with: as
// Wazuh forwards it, it is the member github of an envelope
// (https://documentation.wazuh.com/current/cloud-security/github/index.html).
func unwrap(root jsontape.Value) (record jsontape.Value, prefix string) {
	if inner := root.Get("github"); inner.Kind() == jsontape.Object && string(root.Get("integration").Str()) == "github" {
		return inner, "github."
	}
	return root, ""
}

const (
	markAction = 1 << iota
	markWho    // an actor, by name
	markWhere  // an account, a repository
	markTime
	markID
	markOther // a member that GitHub's records do not have
)

// isAudit tells an audit record by its action, which is a category and a verb
// in lower case with a point between, and by who did it where, or when. In
// Slack's records actor and entity are objects, in GitHub's webhooks the action
// has no category.
func isAudit(record jsontape.Value) bool {
	if record.Kind() != jsontape.Object {
		return false
	}
	seen, category := 0, false
	for v := record.First(); v.Exists(); v = v.Next() {
		switch string(v.Key()) {
		case "action":
			if isAction(v.Str()) {
				seen |= markAction
				c, _ := split(v.Str())
				_, category = categories[string(c)]
			}
		case "actor":
			if v.Kind() == jsontape.String {
				seen |= markWho
			} else if v.Kind() >= jsontape.Array {
				return false
			}
		case "org", "business", "repo", "user":
			if v.Kind() >= jsontape.Array && string(v.Key()) != "org" && string(v.Key()) != "business" {
				return false
			}
			seen |= markWhere
		case "@timestamp", "created_at", "at_sign_timestamp":
			seen |= markTime
		case "_document_id":
			seen |= markID
		case "entity", "context", "sender", "eventSource", "RecordType":
			seen |= markOther
		}
	}
	switch {
	case seen&markAction == 0 || seen&markOther != 0:
		return false
	case seen&markID != 0:
		return true
	case category:
		return seen&(markWho|markWhere) != 0
	}
	return seen&markWhere != 0 && seen&markWho != 0 && seen&markTime != 0
}

// isAction reports whether a text is of the form category.verb.
func isAction(b []byte) bool {
	points := 0
	for i, c := range b {
		switch {
		case c == '.' && i > 0:
			points++
		case (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_':
			return false
		}
	}
	return points > 0 && len(b) < 200
}

// identify reads the facts of a record. The tenant is the organization, by the
// name that it has in addresses; of a record that is of none, the enterprise.
// Both logs, that of the organization and that of its enterprise, thus say the
// same of the same record.
func identify(record jsontape.Value) (id source.Identity) {
	var org, business []byte
	for v := record.First(); v.Exists(); v = v.Next() {
		switch string(v.Key()) {
		case "_document_id":
			id.ID = v.Str()
		case "org":
			org = first(v)
		case "business":
			business = first(v)
		case "@timestamp":
			if t, ok := when(v); ok {
				id.Time = t
			}
		case "created_at", "at_sign_timestamp":
			if t, ok := when(v); ok && id.Time == 0 {
				id.Time = t
			}
		}
	}
	id.Tenant = org
	if len(org) == 0 {
		id.Tenant = business
	}
	return id
}

// first returns a text, or the first of a list of them: the organizations of a
// personal account's record are a list.
func first(v jsontape.Value) []byte {
	if v.Kind() == jsontape.Array {
		v = v.First()
	}
	return v.Str()
}

func mapRecord(root jsontape.Value, e *ocsf.Event) {
	e.SetText(ocsf.PathMetadataProductName, "GitHub")
	e.SetText(ocsf.PathMetadataProductVendorName, "GitHub")
	e.SetText(ocsf.PathMetadataLogName, "audit log")
	e.SetText(ocsf.PathCloudProvider, "GitHub")
	record, prefix := unwrap(root)
	action := record.Get("action").Str()
	r, known := classify(action, record.Get("operation_type").Str())
	e.Class, e.Activity, e.Listed = r.class, r.activity, known
	if method, ok := methods[string(record.Get("request_method").Str())]; ok && r.class == ocsf.ClassAPIActivity {
		e.Activity = method
	}
	if prefix != "" {
		wrapper.Apply(root, e, "")
	}
	id := identify(record)
	e.Time = id.Time
	e.SetString(ocsf.PathMetadataTenantUID, id.Tenant)
	audit.Apply(record, e, prefix)
	if e.Time == 0 && len(e.Issues) == 0 {
		e.Issues = append(e.Issues, "the record has no time")
	}
	actor(record, action, e)
	target(record, action, r, e)
	remains(record, e, prefix)
	result(action, e)
}

var wrapper = members.Table{"github": {}, "integration": {}}

// methods are the activities of API Activity.
var methods = map[string]int32{"POST": 1, "GET": 2, "HEAD": 2, "OPTIONS": 2, "PUT": 3, "PATCH": 3, "DELETE": 4}
