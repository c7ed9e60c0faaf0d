// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package okta

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/sim/record"
)

// act is what Microsoft's log says of an act in the directory.
type act struct {
	RecordType                           int
	ID, Operation, UserID, ClientIP      string
	InterSystemsID, ErrorNumber          string
	ExtendedProperties, DeviceProperties []record.Pair
	ModifiedProperties                   []record.Pair
	Target                               []record.Typed

	org  *org
	at   time.Time
	draw uint64
	list []*event
}

func (a *act) extended(name string) string { return record.Value(a.ExtendedProperties, name) }
func (a *act) device(name string) string   { return record.Value(a.DeviceProperties, name) }

// one tells whether something is so in one case of k.
func (a *act) one(k uint64) bool {
	a.draw = record.Mix(a.draw, k)
	return a.draw%k == 0
}

// The record types of Microsoft's log that are told here.
const (
	typeDirectory = 8
	typeSignIn    = 15
)

// events are what Okta logs of an act, by their time.
func (o *org) events(at time.Time, raw []byte) []*event {
	a := act{org: o, at: at.UTC().Truncate(time.Millisecond)}
	if json.Unmarshal(raw, &a) != nil || strings.HasPrefix(a.UserID, "svc-") {
		return nil // applications do not come through Okta
	}
	a.draw = hash(a.ID)
	switch a.RecordType {
	case typeSignIn:
		a.signIn()
	case typeDirectory:
		a.change()
	}
	return a.list
}

// add adds an event so long after the act.
func (a *act) add(after time.Duration, kind, message, result, reason string, targets ...party) *event {
	o := a.org
	e := &event{
		at: a.at.Add(after), Type: kind, Message: message, Version: "0", Severity: "INFO", Outcome: outcome{result, text(reason)}, Target: targets,
		UUID: record.HashText(a.ID, kind, string(rune('0'+len(a.list)))).String(),
	}
	e.Published = e.at.Format("2006-01-02T15:04:05.000Z")
	if result == "FAILURE" || result == "DENY" {
		e.Severity = "WARN"
	}
	id := o.key("Z", a.ID, 26)
	e.Transaction = transaction{"WEB", id, map[string]any{}}
	part, _, _ := strings.Cut(kind, ".")
	e.Debug.Data = map[string]string{"requestId": id, "requestUri": cmp.Or(uris[kind], uris[part])}
	ua, kindOf := agentOf(a.extended("UserAgent"), a.device("OS"), a.device("BrowserType"))
	if a.RecordType == typeDirectory {
		ua, kindOf = agentOf("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36", "Windows11", "Edge")
	}
	e.Actor = o.user(a.UserID)
	e.from(a.ClientIP, o.where(a.UserID, a.ClientIP), ua, kindOf)
	if session := a.device("SessionId"); session != "" {
		e.Authentication.ExternalID, e.Authentication.Root = text(o.key("idx", session, 20)), text(o.key("idx", session+" root", 20))
	}
	if name := a.device("DisplayName"); name != "" {
		e.Device = &device{o.key("guo", a.device("Id"), 17), name, platform(a.device("OS")), a.device("IsCompliantAndManaged") == "True", true}
	}
	a.list = append(a.list, e)
	return e
}

// uris are what is asked for, by the name of an event or, of changes, its first word.
var uris = map[string]string{
	"user.session.start": "/idp/idx/identify", "policy.evaluate_sign_on": "/idp/idx/identify", "user.authentication.auth_via_mfa": "/idp/idx/challenge/answer",
	"system.push.send_factor_verify_push": "/idp/idx/challenge", "user.authentication.sso": "/app/sso/saml",
	"user": "/api/v1/users", "group": "/api/v1/groups", "policy": "/api/v1/policies", "zone": "/api/v1/zones", "application": "/api/v1/apps", "system": "/api/v1/api-tokens",
}

func platform(system string) string {
	for prefix, name := range map[string]string{"Windows": "WINDOWS", "MacOs": "MACOS", "Ios": "IOS", "Android": "ANDROID"} {
		if strings.HasPrefix(system, prefix) {
			return name
		}
	}
	return "UNKNOWN"
}

// failures are what Okta says of a sign-in that Entra refuses with a code
// (https://learn.microsoft.com/entra/identity-platform/reference-error-codes).
var failures = map[string]struct{ kind, message, result, reason string }{
	"50126":  {"user.session.start", "User login to Okta", "FAILURE", "INVALID_CREDENTIALS"},
	"50034":  {"user.session.start", "User login to Okta", "FAILURE", "VERIFICATION_ERROR"},
	"50053":  {"user.session.start", "User login to Okta", "FAILURE", "LOCKED_OUT"},
	"50055":  {"user.session.start", "User login to Okta", "FAILURE", "PASSWORD_EXPIRED"},
	"50057":  {"user.session.start", "User login to Okta", "FAILURE", "USER_STATUS_INACTIVE"},
	"50074":  {"policy.evaluate_sign_on", "Evaluation of sign-on policy", "CHALLENGE", "Sign-on policy evaluation resulted in CHALLENGE"},
	"50076":  {"policy.evaluate_sign_on", "Evaluation of sign-on policy", "CHALLENGE", "Sign-on policy evaluation resulted in CHALLENGE"},
	"500121": {"user.authentication.auth_via_mfa", "Authentication of user via MFA", "FAILURE", "OTP_INVALID"},
	"53000":  {"policy.evaluate_sign_on", "Evaluation of sign-on policy", "DENY", "Sign-on policy evaluation resulted in DENY"},
	"53003":  {"policy.evaluate_sign_on", "Evaluation of sign-on policy", "DENY", "Sign-on policy evaluation resulted in DENY"},
}

func (a *act) signIn() {
	o := a.org
	if f, ok := failures[a.ErrorNumber]; ok {
		a.failed(f.kind, f.message, f.result, f.reason)
		return
	}
	if a.ErrorNumber != "0" {
		return // nothing of it reaches Okta
	}
	me := o.user(a.UserID)
	if a.extended("RequestType") == "OAuth2:Token" {
		if a.one(4) { // who is at work opens other applications as well
			app := o.apps[1+hash(a.ID)%uint64(len(o.apps)-1)]
			a.add(2*time.Second, "user.authentication.sso", "User single sign on to app", "SUCCESS", "", app, o.appUser(me, app))
		}
		return
	}
	if !a.one(3) { // no session of Okta yet
		a.add(0, "policy.evaluate_sign_on", "Evaluation of sign-on policy", "CHALLENGE", "Sign-on policy evaluation resulted in CHALLENGE", o.policy(), o.rule())
		method := o.method(me.AlternateID)
		if method == "push" {
			e := a.add(300*time.Millisecond, "system.push.send_factor_verify_push", "Send Okta Verify Push verify message", "SUCCESS", "", me)
			e.Actor, e.Transaction.Type = o.system(), "JOB"
		}
		mfa := a.add(3*time.Second, "user.authentication.auth_via_mfa", "Authentication of user via MFA", "SUCCESS", "", me, o.factor(me, method))
		mfa.Debug.Data["factor"], mfa.Authentication.CredFrom = factors[method], text("OKTA_CREDENTIAL_PROVIDER")
		a.add(3100*time.Millisecond, "policy.evaluate_sign_on", "Evaluation of sign-on policy", "ALLOW", "Sign-on policy evaluation resulted in ALLOW", o.policy(), o.rule())
		a.add(3200*time.Millisecond, "user.session.start", "User login to Okta", "SUCCESS", "", me)
	}
	a.add(3500*time.Millisecond, "user.authentication.sso", "User single sign on to app", "SUCCESS", "", o.apps[0], o.appUser(me, o.apps[0]))
}

func (a *act) failed(kind, message, result, reason string) {
	o := a.org
	var targets []party
	switch kind {
	case "policy.evaluate_sign_on":
		targets = []party{o.policy(), o.rule()}
	case "user.authentication.auth_via_mfa":
		me := o.user(a.UserID)
		targets = []party{me, o.factor(me, o.method(me.AlternateID))}
	}
	e := a.add(0, kind, message, result, reason, targets...)
	if a.UserID == "Not Available" { // whom Okta does not know either
		e.Actor = party{"unknown", "User", "unknown", "unknown", nil}
		e.Authentication.ExternalID = text("unknown")
	}
	if reason == "LOCKED_OUT" {
		a.add(50*time.Millisecond, "user.account.lock", "Max sign in attempts exceeded", "FAILURE", "LOCKED_OUT", o.user(a.UserID))
	}
}

// method is how a person proves to be one, beside the password.
func (o *org) method(mail string) string {
	switch h := hash(mail) % 10; {
	case h < 6:
		return "push"
	case h < 8:
		return "totp"
	}
	return "webauthn"
}

// factors are the names that events have for methods.
var factors = map[string]string{"push": "OKTA_VERIFY_PUSH", "totp": "OKTA_SOFT_TOKEN", "webauthn": "FIDO_WEBAUTHN"}

func (o *org) factor(who party, method string) party {
	return party{o.key("opf", who.AlternateID, 17), "AuthenticatorEnrollment", "unknown", "Okta Verify", map[string]any{"methodTypeUsed": method}}
}

func (o *org) appUser(who, app party) party {
	return party{o.key("0ua", who.AlternateID+app.DisplayName, 17), "AppUser", who.AlternateID, who.DisplayName, nil}
}
