// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package okta

import (
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/sim/record"
)

// changes are what Okta, where accounts and groups are kept, logs of a change that Microsoft's directory shows.
var changes = map[string]struct{ kind, message, of string }{
	"Update user.": {"user.account.update_profile", "Update user profile for Okta", "user"},
	"Update StsRefreshTokenValidFrom Timestamp.": {"user.session.clear", "Clear user session", "user"},
	"Change user password.":                      {"user.account.update_password", "User update password for Okta", "user"},
	"Reset user password.":                       {"user.account.reset_password", "User reset password for Okta (by admin)", "user"},
	"User registered security info.":             {"user.mfa.factor.activate", "Enroll new factor", "factor"},
	"Delete user.":                               {"user.lifecycle.deactivate", "Deactivate Okta user", "user"},
	"Add user.":                                  {"user.lifecycle.create", "Create Okta user", "user"},
	"Change user license.":                       {"application.user_membership.add", "Add user to application membership", "app"},
	"Add member to group.":                       {"group.user_membership.add", "Add user to group membership", "member"},
	"Remove member from group.":                  {"group.user_membership.remove", "Remove user from group membership", "member"},
	"Add group.":                                 {"group.lifecycle.create", "Create Okta group", "group"},
	"Update group.":                              {"group.profile.update", "Group profile update", "group"},
}

// habits are what administrators do in Okta itself besides.
var habits = []struct{ kind, message, prefix, of, name string }{
	{"user.session.access_admin_app", "User accessing Okta admin app", "0oa", "AppInstance", "Okta Admin Console"},
	{"user.session.access_admin_app", "User accessing Okta admin app", "0oa", "AppInstance", "Okta Admin Console"},
	{"policy.rule.update", "Update policy rule", "0pr", "PolicyRule", "Once in a session"},
	{"policy.lifecycle.update", "Update policy", "00p", "PolicyEntity", "Everybody, with two factors"},
	{"zone.update", "Update network zone", "nzo", "NetworkZone", "Offices"},
	{"application.lifecycle.update", "Update application", "0oa", "AppInstance", "Cartage Helpdesk"},
	{"group.application_assignment.add", "Add assigned application to group", "00g", "UserGroup", "sg-rollout-1"},
}

func (a *act) change() {
	o := a.org
	c, ok := changes[a.Operation]
	if !ok {
		return
	}
	byService := strings.HasPrefix(a.UserID, "ServicePrincipal_")
	if byService && !a.one(6) {
		return // what the HR system sends to Entra itself
	}
	if a.ClientIP == "" && !byService { // Microsoft's log leaves out some
		a.ClientIP = o.desk(a.UserID)
	}
	var targets []party
	whom := o.user(record.Of(a.Target, 5))
	switch c.of {
	case "user":
		targets = []party{whom}
	case "factor":
		targets = []party{whom, o.factor(whom, o.method(whom.AlternateID))}
	case "app":
		targets = []party{o.appUser(whom, o.apps[0]), o.apps[0]}
	case "member":
		targets = []party{whom, o.group(record.Modified(a.ModifiedProperties, "Group.DisplayName"))}
	case "group":
		targets = []party{o.group(record.Of(a.Target, 1))}
	}
	e := a.add(0, c.kind, c.message, "SUCCESS", "", targets...)
	if byService {
		e.Actor, e.Transaction.Type = o.system(), "JOB"
		e.from("", nil, nil, "Unknown")
		return
	}
	if c.kind == "user.lifecycle.create" {
		a.add(200*time.Millisecond, "user.lifecycle.activate", "Activate Okta user", "SUCCESS", "", whom)
	}
	if n, ok := o.company.Find(a.UserID); ok && o.company.Person(n).Admin && a.one(5) {
		h := habits[a.draw/5%uint64(len(habits))]
		a.add(5*time.Second, h.kind, h.message, "SUCCESS", "", o.thing(h.prefix, h.of, h.name))
	}
}

// desk is an address of a person's office, or nothing.
func (o *org) desk(mail string) string {
	n, ok := o.company.Find(mail)
	if !ok {
		return ""
	}
	return o.company.Person(n).OfficeNetwork.Addr().Next().String()
}
