// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package google

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// OCSF entity.type_id.
const (
	entityTypeDevice       = 1
	entityTypeUser         = 2
	entityTypeGroup        = 3
	entityTypeOrganization = 4
	entityTypePolicy       = 5
	entityTypeEmail        = 6
)

// nouns are OCSF entity.type_id of the things that the rules name.
var nouns = map[string]int64{
	"Device": entityTypeDevice, "User": entityTypeUser, "User data": entityTypeUser, "Group": entityTypeGroup, "Organizational unit": entityTypeOrganization,
	"Domain": entityTypeOrganization, "Setting": entityTypePolicy, "Rule": entityTypePolicy, "Quarantined mail": entityTypeEmail,
}

// entityNames are the slots that name a thing of a kind, the most telling first.
var entityNames = map[string][]slot{
	"Setting": {sSetting, sService}, "Rule": {sRule}, "Alert": {sRule, sRuleID}, "Role": {sRole}, "Organizational unit": {sOrgUnit},
	"Application": {sApp, sService, sAppID}, "Domain": {sDomain}, "Shared drive": {sResourceName, sResourceID}, "License": {sResourceName}, "Quarantined mail": {sResourceName},
}

// anyNames name a thing whose kind has no name of its own. A setting without one
// goes by the event's name, which says which it is.
var anyNames = [...]slot{sSetting, sRule, sApp, sService, sNewValue, sOldValue, sDomain, sOrgUnit}

// entity is what was managed: a thing of the kind that the rule names, by the
// parameters that name such things.
func (f *facts) entity(e *ocsf.Event) {
	noun := f.rule.noun
	device := f.device(e, ocsf.PathEntityDeviceUID, ocsf.PathEntityDeviceName, ocsf.PathEntityDeviceTypeID)
	if noun == "" && device {
		noun = "Device"
	}
	named := false
	if noun == "Device" && device {
		e.SetString(ocsf.PathEntityName, firstOf(f.text(sDeviceName), f.text(sSerial), f.text(sDeviceID)))
		named = true
	}
	for _, s := range entityNames[noun] {
		named = named || f.put(ocsf.PathEntityName, s, e)
	}
	named = named || f.put(ocsf.PathEntityName, sResourceName, e)
	f.put(ocsf.PathEntityUID, sRoleID, e)
	for _, s := range [...]slot{sResourceID, sAppID} {
		if !e.Has(ocsf.PathEntityUID) {
			f.put(ocsf.PathEntityUID, s, e)
		}
	}
	if f.at[sUser].Exists() {
		f.person(members.Entity, e)
		if noun == "User" || noun == "User data" || noun == "" {
			e.SetString(ocsf.PathEntityName, f.text(sUser))
			named = true
		}
	}
	if group := f.text(sGroup); len(group) > 0 {
		f.group(group, e)
		if noun == "Group" {
			e.SetString(ocsf.PathEntityName, group)
			named = true
		}
	}
	if field.Mail(f.text(sForward)) {
		f.put(ocsf.PathEntityUserForwardAddr, sForward, e)
	}
	for _, s := range anyNames {
		named = named || noun != "Setting" && f.put(ocsf.PathEntityName, s, e)
	}
	if !named {
		e.SetString(ocsf.PathEntityName, e.Str(ocsf.PathAPIOperation))
	}
	if noun == "Setting" || noun == "Rule" {
		e.SetString(ocsf.PathEntityPolicyName, e.Str(ocsf.PathEntityName))
	}
	f.kind(noun, e)
}

func (f *facts) group(group []byte, e *ocsf.Event) {
	f.put(ocsf.PathEntityGroupUID, sGroup, e)
	if at := bytes.IndexByte(group, '@'); field.Mail(group) {
		group = group[:at]
	}
	e.SetString(ocsf.PathEntityGroupName, group)
}

func (f *facts) kind(noun string, e *ocsf.Event) {
	id, ok := nouns[noun]
	switch {
	case ok:
	case noun == "" && f.at[sUser].Exists():
		id, noun = entityTypeUser, "User"
	case noun == "" && f.at[sSetting].Exists():
		id, noun = entityTypePolicy, "Setting"
	default:
		id = other
	}
	e.SetInt(ocsf.PathEntityTypeID, id)
	if id == other && noun != "" {
		e.SetText(ocsf.PathEntityType, noun)
	}
}

func firstOf(texts ...[]byte) []byte {
	for _, t := range texts {
		if len(t) > 0 {
			return t
		}
	}
	return nil
}
