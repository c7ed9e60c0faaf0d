// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package okta

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// OCSF auth_factors[].factor_type_id by Okta's names of factors, of credential
// types, and of the methods of authenticators.
var factorTypes = map[string]int64{
	"SMS": 1, "SMS_FACTOR": 1, "sms": 1,
	"QUESTION": 2, "SECURITY_QUESTION": 2, "QUESTION_FACTOR": 2, "security_question": 2,
	"CALL": 3, "VOICE_CALL": 3, "voice": 3,
	"OKTA_VERIFY_PUSH": 5, "PUSH": 5, "push": 5, "Get a push notification": 5,
	"YUBIKEY_TOKEN": 6, "YUBIKEY": 6, "RSA_TOKEN": 6, "SYMANTEC_VIP": 6, "HARDWARE_TOKEN": 6,
	"OTP": 7, "TOTP": 7, "GOOGLE_OTP": 7, "OKTA_SOFT_TOKEN": 7, "TOKEN_SOFTWARE_TOTP": 7, "CUSTOM_HOTP": 7, "otp": 7, "totp": 7, "Enter a code": 7,
	"EMAIL": 8, "EMAIL_FACTOR": 8, "email": 8, "Email": 8,
	"FIDO_U2F": 9, "U2F": 9,
	"FIDO_WEBAUTHN": 10, "WEBAUTHN": 10, "webauthn": 10, "Security Key or Biometric Authenticator": 10,
	"PASSWORD": 11, "PASSWORD_AS_FACTOR": 11, "password": 11, "Password": 11,
	// FastPass proves a key of the device, which is none of OCSF's types.
	"SIGNED_NONCE": other, "signed_nonce": other, "Use Okta FastPass": other,
}

const factorPassword = 11

// addFactor adds a factor, unless one of its type is there.
func addFactor(e *ocsf.Event, name []byte) bool {
	if !stated(name) || !e.Class.Has(ocsf.PathAuthFactorsFactorTypeID) {
		return false
	}
	id, ok := factorTypes[string(name)]
	if !ok {
		id = other
	}
	n := 0
	for _, a := range e.Attrs {
		if a.Path == ocsf.PathAuthFactorsFactorTypeID {
			if a.Num == id {
				return id != other
			}
			n++
		}
	}
	if n == 16 {
		return false
	}
	e.AddInt(ocsf.PathAuthFactorsFactorTypeID, n, id)
	if id == other {
		e.AddString(ocsf.PathAuthFactorsFactorType, n, name)
	}
	return true
}

// factor is what a user proved to be who he is, in the second step.
func factor(v jsontape.Value, e *ocsf.Event) bool { return addFactor(e, v.Str()) }

// method is the first or the second method of a sign-in: "okta_password:password:aut1ozkn…",
// the authenticator, its method, its id. A second one makes a sign-in one of several factors.
func method(n int) func(v jsontape.Value, e *ocsf.Event) bool {
	return func(v jsontape.Value, e *ocsf.Event) bool {
		_, rest, _ := bytes.Cut(v.Str(), []byte(":"))
		name, _, _ := bytes.Cut(rest, []byte(":"))
		if n == 1 && len(name) > 0 && e.Class == ocsf.ClassAuthentication {
			e.SetBool(ocsf.PathIsMFA, true)
		}
		addFactor(e, name)
		return false // which authenticator it was
	}
}

// credentialType names the kind of credential: of those that are factors, the
// factor, and of the others the protocol that carried it.
func credentialType(v jsontape.Value, e *ocsf.Event) bool {
	if e.Class != ocsf.ClassAuthentication {
		return false
	}
	switch name := v.Str(); string(name) {
	case "ASSERTION":
		e.SetInt(ocsf.PathAuthProtocolID, protocolSAML)
	case "OAUTH2", "JWT":
		e.SetInt(ocsf.PathAuthProtocolID, protocolOAuth)
	case "IWA":
		e.SetInt(ocsf.PathAuthProtocolID, protocolKerberos)
	case "OTP", "SMS", "PASSWORD", "EMAIL":
		return addFactor(e, name)
	}
	return false // federated, by a certificate, by a session of Okta: no place for it
}

// OCSF auth_protocol_id.
const (
	protocolKerberos = 2
	protocolOpenID   = 4
	protocolSAML     = 5
	protocolOAuth    = 6
	protocolRADIUS   = 10
	protocolLDAP     = 12
)

// protocol is how an application lets users in, as an event or its target says.
func protocol(v jsontape.Value, e *ocsf.Event) bool {
	if e.Class != ocsf.ClassAuthentication {
		return false
	}
	id := int64(0)
	switch string(v.Str()) {
	case "SAML_2_0", "SAML_1_1", "SAML 2.0", "SAML 1.1":
		id = protocolSAML
	case "OPENID_CONNECT", "OpenID Connect":
		id = protocolOpenID
	}
	if id == 0 {
		return false
	}
	e.SetInt(ocsf.PathAuthProtocolID, id)
	return true
}

// protocolsOf are the protocols that event types name by themselves.
var protocolsOf = map[string]int64{
	"user.authentication.auth_via_inbound_SAML": protocolSAML, "user.authentication.auth_via_radius": protocolRADIUS,
	"user.authentication.auth_via_LDAP_agent": protocolLDAP, "user.authentication.auth_via_iwa": protocolKerberos, "system.ldapi.bind": protocolLDAP,
	"app.oauth2.signon": protocolOpenID, "system.iwa_agentless.auth": protocolKerberos,
}

// signIn says what the event type itself tells of a sign-in.
func signIn(name []byte, e *ocsf.Event) {
	if id, ok := protocolsOf[string(name)]; ok {
		e.SetInt(ocsf.PathAuthProtocolID, id)
	} else if bytes.HasPrefix(name, []byte("app.oauth2.")) {
		e.SetInt(ocsf.PathAuthProtocolID, protocolOAuth)
	}
	if string(name) != "user.authentication.auth_via_mfa" {
		return
	}
	for _, a := range e.Attrs { // a password is asked for by the same event
		if a.Path == ocsf.PathAuthFactorsFactorTypeID && a.Num != factorPassword {
			e.SetBool(ocsf.PathIsMFA, true)
			return
		}
	}
}

// risk is "{reasons=Anomalous Location, Anomalous Device, level=MEDIUM}", or
// JSON of the same in text.
func risk(v jsontape.Value, e *ocsf.Event) bool {
	s := v.Str()
	for _, l := range riskLevels {
		if bytes.Contains(s, []byte(l.plain)) || bytes.Contains(s, []byte(l.json)) {
			e.SetInt(ocsf.PathRiskLevelID, l.id)
			break
		}
	}
	if _, rest, ok := bytes.Cut(s, []byte("reasons=")); ok {
		if i := bytes.Index(rest, []byte(", level=")); i >= 0 {
			rest = rest[:i]
		}
		e.SetString(ocsf.PathRiskDetails, bytes.TrimRight(rest, "}"))
		return true
	}
	return string(s) == "{level=LOW}"
}

var riskLevels = []struct {
	plain, json string
	id          int64
}{
	{"level=LOW", `"level":"LOW"`, 1}, {"level=MEDIUM", `"level":"MEDIUM"`, 2}, {"level=HIGH", `"level":"HIGH"`, 3},
}

// threats are what ThreatInsight thinks of a request, with a level for each.
func threats(v jsontape.Value, e *ocsf.Event) bool {
	for i, level := range [...]string{`"LOW"`, `"MEDIUM"`, `"HIGH"`} {
		if bytes.Contains(v.Str(), []byte(level)) {
			raise(e, int64(i)+2)
		}
	}
	return false
}

// privileges are the rights in question, separated by commas.
func privileges(v jsontape.Value, e *ocsf.Event) bool {
	if v.Kind() != jsontape.String || !e.Class.Has(ocsf.PathPrivileges) {
		return false
	}
	n := 0
	for p := range bytes.SplitSeq(v.Str(), []byte(",")) {
		if p = bytes.TrimSpace(p); len(p) > 0 && n < 256 {
			e.AddString(ocsf.PathPrivileges, n, p)
			n++
		}
	}
	return n > 0 && n < 256
}

// requestPath is the path that was asked for.
func requestPath(v jsontape.Value, e *ocsf.Event) bool {
	if v.Kind() != jsontape.String || !e.Class.Has(ocsf.PathHTTPRequestURLPath) {
		return false
	}
	e.SetString(ocsf.PathHTTPRequestURLPath, v.Str())
	return true
}

// requestURL is the path with what was asked there.
func requestURL(v jsontape.Value, e *ocsf.Event) bool {
	if v.Kind() != jsontape.String || !e.Class.Has(ocsf.PathHTTPRequestURLPath) {
		return false
	}
	path, query, _ := bytes.Cut(v.Str(), []byte("?"))
	have := e.Str(ocsf.PathHTTPRequestURLPath)
	if have == nil {
		e.SetString(ocsf.PathHTTPRequestURLPath, path)
	} else if !bytes.Equal(have, path) {
		return false
	}
	e.SetString(ocsf.PathHTTPRequestURLQueryString, query)
	return true
}
