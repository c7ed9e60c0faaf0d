// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// userIdentity is the table of who asked; its type stays under unmapped, and is
// the user's too where OCSF has no word for it. A key of a role's session ("ASIA…")
// is the session's id: what it was given out for is the sign-in whose answer
// names it.
var userIdentity = eitherCase(members.Table{
	"principalId":      {Path: ocsf.PathActorUserUID},
	"arn":              {Path: ocsf.PathActorUserUIDAlt},
	"accountId":        {Path: ocsf.PathActorUserAccountUID},
	"accessKeyId":      {Fn: key},
	"userName":         {},
	"invokedBy":        {Path: ocsf.PathActorInvokedBy},
	"identityProvider": {Path: ocsf.PathActorIDPName},
	"onBehalfOf":       {Sub: members.Table{"userId": {Fn: onBehalf}}},
	"sessionContext":   {Sub: sessionContext},
})

var sessionContext = eitherCase(members.Table{
	"attributes": {Sub: eitherCase(members.Table{
		"creationDate":     {Path: ocsf.PathActorSessionCreatedTime, As: members.Instant},
		"mfaAuthenticated": {Path: ocsf.PathActorSessionIsMFA, As: members.Truth},
	})},
	"sessionIssuer":       {Sub: eitherCase(members.Table{"arn": {Path: ocsf.PathActorSessionIssuer}})},
	"webIdFederationData": {Sub: members.Table{"federatedProvider": {Path: ocsf.PathActorIDPName}}},
	"sourceIdentity":      {Fn: sourceIdentity},
})

// onBehalf is the user of Identity Center, who is no principal of an account.
func onBehalf(v jsontape.Value, e *ocsf.Event) bool {
	if e.Has(ocsf.PathActorUserUID) {
		return false
	}
	e.SetString(ocsf.PathActorUserUID, v.Str())
	return v.Kind() == jsontape.String
}

func key(v jsontape.Value, e *ocsf.Event) bool {
	e.SetString(ocsf.PathActorUserCredentialUID, v.Str())
	if temporary(v.Str()) {
		e.SetString(ocsf.PathActorSessionUID, v.Str())
	}
	return v.Kind() == jsontape.String
}

// temporary reports whether a key is one of a session.
func temporary(key []byte) bool { return bytes.HasPrefix(key, []byte("ASIA")) }

// sourceIdentity is who the identity provider says is behind a role; AWS keeps
// it over all roles that are taken one from another.
func sourceIdentity(v jsontape.Value, e *ocsf.Event) bool {
	if !field.Mail(v.Str()) {
		return false
	}
	e.SetString(ocsf.PathActorUserEmailAddr, v.Str())
	return true
}

// OCSF user.type_id.
const (
	typeAdmin  = 2
	typeSystem = 3
	typeOther  = 99
)

// actor gives the user who asked a name and a kind: a user by name, a role's
// session by the role's, with the person's address where the session is named
// by it, a service by its own.
func actor(identity jsontape.Value, e *ocsf.Event) {
	name := either(identity, "userName", "username")
	invokedBy := either(identity, "invokedBy", "invokedby")
	principal := either(identity, "principalId", "principalid")
	kind := int64(typeOther)
	switch string(identity.Get("type").Str()) {
	case "IAMUser", "IdentityCenterUser", "SAMLUser", "WebIdentityUser", "Directory", "Unknown":
		kind = members.UserPerson
	case "Root":
		kind = typeAdmin
		if len(name) == 0 {
			name = e.Own("root")
		}
	case "AssumedRole", "Role", "FederatedUser":
		issuer := identity.Path("sessionContext", "sessionIssuer")
		if len(name) == 0 {
			name = either(issuer, "userName")
		}
		if len(name) == 0 {
			name = roleOf(identity.Get("arn").Str())
		}
		kind = session(principal, e)
	case "AWSService", "":
		if len(name) == 0 && len(invokedBy) > 0 {
			name, kind = invokedBy, typeSystem
		}
	}
	e.SetString(ocsf.PathActorUserName, name)
	if field.Mail(name) {
		e.SetString(ocsf.PathActorUserEmailAddr, name)
	}
	if e.Has(ocsf.PathActorUserName) || e.Has(ocsf.PathActorUserUID) || e.Has(ocsf.PathActorUserAccountUID) {
		e.SetInt(ocsf.PathActorUserTypeID, kind)
		if kind == typeOther {
			e.SetString(ocsf.PathActorUserType, identity.Get("type").Str())
		}
	}
}

// session reads the name of a role's session from the principal
// ("AROA…:alice@example.com"): a person's address, the id of a machine, or
// whatever a program chose.
func session(principal []byte, e *ocsf.Event) (kind int64) {
	_, name, ok := bytes.Cut(principal, []byte{':'})
	if !ok {
		return typeOther
	}
	e.SetString(ocsf.PathActorUserDisplayName, name)
	switch {
	case field.Mail(name):
		if !e.Has(ocsf.PathActorUserEmailAddr) {
			e.SetString(ocsf.PathActorUserEmailAddr, name)
		}
		return members.UserPerson
	case bytes.HasPrefix(name, []byte("i-")):
		return members.UserService
	}
	return typeOther
}

// roleOf takes the role's name from the name of its session
// ("arn:aws:sts::111122223333:assumed-role/ROLE/SESSION").
func roleOf(arn []byte) []byte {
	_, rest, ok := bytes.Cut(arn, []byte(":assumed-role/"))
	if !ok {
		return nil
	}
	role, _, _ := bytes.Cut(rest, []byte{'/'})
	return role
}

// last returns what follows the last slash or colon of an ARN.
func last(arn []byte) []byte {
	return arn[bytes.LastIndexAny(arn, "/:")+1:]
}
