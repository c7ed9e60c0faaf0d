// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package google

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// person sets a user by the slot, which is an address, an id or a name; the one
// who acted where the event names nobody.
func (f *facts) person(to members.Principal, e *ocsf.Event) {
	who := f.text(sUser)
	if len(who) == 0 {
		mail, name, id := e.Str(ocsf.PathActorUserEmailAddr), e.Str(ocsf.PathActorUserName), e.Str(ocsf.PathActorUserUID)
		if len(mail) == 0 {
			to.Person(e, name, nil, id)
			return
		}
		to.Person(e, mail, nil, id)
		return
	}
	f.tell(sUser)
	if field.Mail(who) {
		var id []byte
		if bytes.EqualFold(who, e.Str(ocsf.PathActorUserEmailAddr)) {
			id = e.Str(ocsf.PathActorUserUID)
		}
		to.Person(e, who, nil, id)
		return
	}
	to.Person(e, who, nil, nil)
}

// factorTypes are OCSF auth_factors[].factor_type_id by login_challenge_method.
var factorTypes = map[string]int64{
	"password": 11, "google_prompt": 5, "google_authenticator": 7, "offline_otp": 7, "security_key_otp": 7, "security_key": 10, "passkey": 10,
	"access_to_preregistered_email": 8, "knowledge_preregistered_email": 2, "knowledge_preregistered_phone": 2, "knowledge_employee_id": 2,
	"knowledge_domain_title": 2, "knowledge_real_name": 2, "knowledge_youtube": 2, "knowledge_account_creation_date": 2, "knowledge_date_of_birth": 2,
}

// maxFactors bounds the factors that are listed; the rest stays in the list
// under unmapped.
const maxFactors = 16

func (f *facts) signin(e *ocsf.Event) {
	f.person(members.Subject, e)
	if !f.put(ocsf.PathServiceName, sService, e) && !f.put(ocsf.PathServiceName, sApp, e) {
		e.SetText(ocsf.PathServiceName, "Google Workspace")
	}
	if string(f.application) == "saml" || string(f.text(sLoginType)) == "saml" {
		e.SetInt(ocsf.PathAuthProtocolID, 5) // SAML
		if string(f.text(sLoginType)) == "saml" {
			f.tell(sLoginType)
		}
	}
	f.put(ocsf.PathSessionUID, sSession, e)
	f.factors(e)
}

// factors lists the methods that a sign-in used. It took several factors if
// there is one beside the password, or if the record says that it was the second.
func (f *facts) factors(e *ocsf.Event) {
	v := f.at[sMethods]
	if !v.Exists() {
		return
	}
	n, strong, all := 0, false, true
	add := func(method jsontape.Value) {
		name := method.Str()
		switch {
		case string(name) == "none":
			return
		case len(name) == 0 || n == maxFactors:
			all = false
			return
		}
		id, ok := factorTypes[string(name)]
		if !ok {
			id = other
			e.AddString(ocsf.PathAuthFactorsFactorType, n, name)
		}
		e.AddInt(ocsf.PathAuthFactorsFactorTypeID, n, id)
		strong = strong || id != 11 && id != 2
		all = all && (!ok || id == 11 || id == 5)
		n++
	}
	if v.Kind() == jsontape.Array {
		for method := v.First(); method.Exists(); method = method.Next() {
			add(method)
		}
	} else {
		add(v)
	}
	if second, ok := f.truth(sSecondFactor); ok {
		strong = second
		f.tell(sSecondFactor)
	}
	if n > 0 {
		e.SetBool(ocsf.PathIsMFA, strong)
	}
	f.told[sMethods] = all
}

func (f *facts) account(e *ocsf.Event) {
	f.person(members.Subject, e)
	if field.Mail(f.text(sForward)) {
		f.put(ocsf.PathUserForwardAddr, sForward, e)
	}
	if field.Mail(f.text(sNewValue)) && string(e.Str(ocsf.PathAPIOperation)) == "RENAME_USER" {
		e.SetString(ocsf.PathUserResultName, f.text(sNewValue))
		f.put(ocsf.PathUserResultEmailAddr, sNewValue, e)
	}
}

// maxPrivileges bounds the privileges that are listed.
const maxPrivileges = 64

// access is who may do something from now on, or no longer: a person with a
// role, an application with scopes.
func (f *facts) access(e *ocsf.Event) {
	switch {
	case f.at[sClient].Exists():
		members.Subject.Service(e, f.text(sClient), f.text(sClient))
		f.tell(sClient)
	case f.at[sUser].Exists():
		f.person(members.Subject, e)
	case f.at[sApp].Exists() || f.at[sAppID].Exists():
		members.Subject.Service(e, f.text(sApp), f.text(sAppID))
		f.tell(sApp)
		f.tell(sAppID)
	default:
		f.person(members.Subject, e)
	}
	n := 0
	for _, s := range [...]slot{sRole, sPrivilege, sAccessLevel, sScopes} {
		n = f.privileges(s, n, e)
	}
	if n == 0 && f.rule.noun != "" {
		e.AddText(ocsf.PathPrivileges, 0, f.rule.noun)
	}
	switch {
	case f.at[sResourceName].Exists() || f.at[sResourceID].Exists():
		f.put(ocsf.PathResourcesName, sResourceName, e)
		f.put(ocsf.PathResourcesUID, sResourceID, e)
		if f.rule.activity == byGrant {
			e.SetText(ocsf.PathResourcesType, "Calendar")
		}
	case f.at[sRoleID].Exists():
		f.put(ocsf.PathResourcesName, sRole, e)
		f.put(ocsf.PathResourcesUID, sRoleID, e)
		e.SetText(ocsf.PathResourcesType, "Role")
	case f.at[sOrgUnit].Exists():
		f.put(ocsf.PathResourcesName, sOrgUnit, e)
		e.SetText(ocsf.PathResourcesType, "Organizational unit")
	}
}

func (f *facts) privileges(s slot, n int, e *ocsf.Event) int {
	v := f.at[s]
	if v.Kind() != jsontape.Array {
		if t := f.text(s); len(t) > 0 {
			e.AddString(ocsf.PathPrivileges, n, t)
			f.tell(s)
			n++
		}
		return n
	}
	all := true
	for p := v.First(); p.Exists(); p = p.Next() {
		if t := p.Str(); len(t) > 0 && n < maxPrivileges {
			e.AddString(ocsf.PathPrivileges, n, t)
			n++
		} else {
			all = false
		}
	}
	f.told[s] = all
	return n
}

// membership is the group, which Google names by its address, and the member.
func (f *facts) membership(e *ocsf.Event) {
	group := f.text(sGroup)
	if name := f.text(sResourceName); field.Mail(group) {
		at := bytes.IndexByte(group, '@')
		e.SetString(ocsf.PathGroupName, group[:at])
		e.SetString(ocsf.PathGroupDomain, group[at+1:])
	} else if len(name) > 0 {
		f.put(ocsf.PathGroupName, sResourceName, e)
	}
	f.put(ocsf.PathGroupUID, sGroup, e)
	switch {
	case e.Activity == groupAddSubgroup || e.Activity == groupRemoveSubgroup:
		f.put(ocsf.PathSubgroupUID, sUser, e)
		f.put(ocsf.PathSubgroupName, sUser, e)
	case bytes.EqualFold(f.text(sUserType), []byte("service_account")):
		members.Subject.Service(e, f.text(sUser), nil)
		f.tell(sUser)
	case f.at[sUser].Exists() || e.Activity == groupAddUser || e.Activity == groupRemoveUser:
		f.person(members.Subject, e)
	}
	f.privileges(sRole, 0, e)
}
