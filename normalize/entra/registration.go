// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package entra

import (
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// collected is what a user's state is, of User Inventory Info: it was asked for.
const collected = 2

// registration is the table of the userRegistrationDetails resource: how a user can prove to be one. The methods stay under
// unmapped: a list of what is registered is no attribute.
var registration = members.Table{
	"id":                  {},
	"userPrincipalName":   {},
	"userDisplayName":     {},
	"isMfaRegistered":     {Path: ocsf.PathUserHasMFA, As: members.Truth},
	"lastUpdatedDateTime": {Fn: members.When},
}

// identifyRegistration has no id: the object's is the user's, and what is registered is told apart by content, as risk is.
func identifyRegistration(object jsontape.Value) (id source.Identity) {
	id.Time, _ = field.Time(object.Get("lastUpdatedDateTime").Str())
	return id
}

func mapRegistration(p jsontape.Value, e *ocsf.Event, prefix string) {
	e.Class, e.Activity = ocsf.ClassUserInventory, collected
	registration.Apply(p, e, prefix)
	members.Subject.Person(e, p.Get("userPrincipalName").Str(), p.Get("userDisplayName").Str(), p.Get("id").Str())
}
