// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/record"
)

// SignIn is what somebody who wants to sign in shows.
type SignIn struct {
	UPN      string
	Client   ID   // AppID of the application that he signs in with
	Resource ID   // AppID of the service that he wants to use
	Password bool // the right one
	Second   bool // and a second factor
	// Direct asks the token endpoint with name and password, as old programs
	// do, instead of showing the sign-in page.
	Direct bool
	Device ID // a registered one or one of the person's, or zero
}

// SignInError is why a sign-in failed: a number of the AADSTS family.
type SignInError struct {
	Code int
	Name string // as LogonError says it
}

func (e *SignInError) Error() string {
	return "sign-in failed: AADSTS" + strconv.Itoa(e.Code) + " " + e.Name
}

// Unwrap makes every failed sign-in an ErrDenied.
func (e *SignInError) Unwrap() error { return ErrDenied }

var (
	errWrongPassword = &SignInError{50126, "InvalidUserNameOrPassword"}
	errLocked        = &SignInError{50053, "IdsLocked"}
	errDisabled      = &SignInError{50057, "UserDisabled"}
	errUnknown       = &SignInError{50034, "UserAccountNotFound"}
	errSecondFactor  = &SignInError{50076, "UserStrongAuthClientAuthNRequired"}
)

// Smart lockout as Microsoft documents its defaults: ten wrong passwords lock an
// account for a minute. (That familiar and unfamiliar places are counted apart
// is left out.)
const (
	lockAfter = 10
	lockFor   = time.Minute
)

// SignIn signs a user in, or not; both leave a record. Of by, the actor does not
// count.
func (d *Directory) SignIn(by By, s SignIn) (Session, Record, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	id, known := d.findLocked(s.UPN)
	var u User
	if known {
		u, _ = d.userLocked(id)
	}
	failed := d.judgeLocked(by, &u, known, &s)
	session := Session{ID: d.newIDLocked(), User: u.ID, App: s.Client, Address: by.Address, UserAgent: by.UserAgent, Device: s.Device, Strong: s.Second, Started: by.Time.UTC()}
	r := d.signInRecordLocked(by, &u, known, &s, session.ID, failed)
	if failed != nil {
		return Session{}, r, failed
	}
	session.Token = mustID(r.ID)
	d.state.sessions[session.ID] = &session
	return session, r, nil
}

// judgeLocked decides on a sign-in in the order of the service: whether the
// account is locked comes before the password, whether it is disabled and the
// second factor after it.
func (d *Directory) judgeLocked(by By, u *User, known bool, s *SignIn) *SignInError {
	if !known {
		return errUnknown
	}
	l := lockout{}
	if p := d.state.lockouts[u.ID]; p != nil {
		l = *p
	}
	if by.Time.Before(l.Until) {
		return errLocked
	}
	if !s.Password {
		if l.Failures++; l.Failures%lockAfter == 0 {
			l.Until = by.Time.Add(lockFor)
		}
		d.state.lockouts[u.ID] = &l
		return errWrongPassword
	}
	delete(d.state.lockouts, u.ID)
	switch {
	case !u.Enabled:
		return errDisabled
	case !u.WeakSignIn && !s.Second:
		return errSecondFactor
	}
	return nil
}

func (d *Directory) signInRecordLocked(by By, u *User, known bool, s *SignIn, session ID, failed *SignInError) Record {
	h := record.Header{Time: by.Time, Operation: "UserLoggedIn", Type: typeSignIn, Result: "Success", UserKey: u.ID.String(), Workload: "AzureActiveDirectory", ClientIP: by.Address, ObjectID: s.Resource.String(), UserID: u.UPN}
	detail, request := "Success", "Login:login"
	if s.Direct {
		request = "OAuth2:Token"
	}
	if failed != nil {
		h.Operation = "UserLoginFailed"
		if s.Direct {
			// The endpoint answered with an error, the page with another page.
			h.Result, detail = "Failed", "UserError"
		}
	}
	if !known {
		h.UserKey, h.UserID = "Not Available", "Not Available"
	}
	w, r := d.beginLocked(company.AzureActiveDirectory, &h)
	w.Int("AzureActiveDirectoryEventType", 1)
	w.Array("ExtendedProperties")
	w.Pair("ResultStatusDetail", detail)
	w.Pair("UserAgent", by.UserAgent)
	if !s.Second {
		w.Pair("UserAuthenticationMethod", "1")
	}
	w.Pair("RequestType", request)
	w.EndArray()
	w.Array("ModifiedProperties")
	w.EndArray()
	w.Array("Actor")
	w.Typed(h.UserKey, 0)
	w.Typed(h.UserID, 5)
	w.EndArray()
	w.GUID("ActorContextId", d.tenant)
	w.Str("ActorIpAddress", by.Address)
	w.GUID("InterSystemsId", d.newIDLocked())
	w.Str("IntraSystemId", r.ID)
	w.Str("SupportTicketId", "")
	w.Array("Target")
	w.Typed(h.ObjectID, 0)
	w.EndArray()
	w.GUID("TargetContextId", d.tenant)
	w.GUID("ApplicationId", s.Client)
	w.Array("DeviceProperties")
	v := d.deviceLocked(u, s.Device)
	if v.TrustType != "" {
		w.Pair("Id", v.ID.String())
		w.Pair("DisplayName", v.Name)
	}
	client := clientOf(by.UserAgent)
	w.Pair("OS", client.os)
	w.Pair("BrowserType", client.browser)
	if v.TrustType != "" {
		w.Pair("IsCompliant", truth(v.Compliant))
	}
	w.Pair("IsCompliantAndManaged", truth(v.Compliant && v.Managed))
	if v.TrustType != "" {
		w.Pair("TrustType", v.TrustType)
	}
	w.Pair("SessionId", session.String())
	w.EndArray()
	if failed != nil {
		w.Str("ErrorNumber", strconv.Itoa(failed.Code))
		w.Str("LogonError", failed.Name)
	} else {
		w.Str("ErrorNumber", "0")
	}
	r.Raw = w.End()
	return r
}

// client is what the service takes a user agent for.
type client struct{ os, browser, version, platform string }

var (
	systems  = [][3]string{{"Windows NT 10.0", "Windows10", "WinDesktop"}, {"iPhone", "Ios", "IOS"}, {"Android", "Android", "Android"}, {"Mac OS X", "MacOs", "MacOS"}, {"Linux", "Linux", "Linux"}}
	browsers = [][2]string{{"Edg/", "Edge"}, {"Chrome/", "Chrome"}, {"Firefox/", "Firefox"}, {"Version/", "Safari"}}
)

func clientOf(agent string) client {
	c := client{"Unknown", "Other", "", "Unknown"}
	for _, s := range systems {
		if strings.Contains(agent, s[0]) {
			c.os, c.platform = s[1], s[2]
			break
		}
	}
	for _, b := range browsers {
		if _, version, ok := strings.Cut(agent, b[0]); ok {
			c.browser = b[1]
			c.version, _, _ = strings.Cut(version, " ")
			break
		}
	}
	return c
}

// deviceLocked is a device of a user: one that was registered, or one that the
// company gave him; the zero Device if it is none of them.
func (d *Directory) deviceLocked(u *User, id ID) company.Device {
	if id.IsZero() {
		return company.Device{}
	}
	if v := d.state.devices[id]; v != nil && v.Enabled && !v.Deleted {
		return company.Device{ID: v.DeviceID, Name: v.DisplayName, OS: v.OS, TrustType: "0"}
	}
	if u.Person >= 0 {
		for _, v := range d.company.Person(u.Person).Devices {
			if v.ID == id {
				return v
			}
		}
	}
	return company.Device{}
}

// sessionLiveLocked tells whether a session can still be used.
func (d *Directory) sessionLiveLocked(id ID) bool {
	s := d.state.sessions[id]
	if s == nil {
		return false
	}
	u, ok := d.userLocked(s.User)
	return ok && u.Enabled && !u.Deleted && !s.Started.Before(u.SessionsValidFrom)
}

const maxTokens = 10000

// Why an application gets no token.
const (
	badSecret     = 7000215
	expiredSecret = 7000222
	appDisabled   = 7000112
)

// SignInApp gets a service principal a token for a service (an AppID). It
// leaves no audit record, as in the real API, but an entry in [Directory.Tokens].
func (d *Directory) SignInApp(by By, principal, key, resource ID) (Token, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	sp := d.state.principals[principal]
	if sp == nil || sp.Deleted {
		return Token{}, fmt.Errorf("application %s: %w", principal, ErrNotFound)
	}
	t := Token{ID: d.newIDLocked(), Principal: principal, AppID: sp.AppID, Resource: resource, Key: key, Address: by.Address, Issued: by.Time.UTC()}
	name := ""
	switch end, ok := d.keyEndLocked(sp, key); {
	case !sp.Enabled:
		t.Error, name = appDisabled, "UnauthorizedClientApplicationDisabled"
	case !ok:
		t.Error, name = badSecret, "InvalidClientSecretProvided"
	case !by.Time.Before(end):
		t.Error, name = expiredSecret, "InvalidClientSecretExpiredKeysProvided"
	default:
		// Tokens live 60 to 90 minutes (Microsoft: configurable token lifetimes).
		t.Expires = t.Issued.Add(time.Hour + time.Duration(wordOf(t.ID)%1800)*time.Second)
		t.Roles = d.rolesLocked(sp, resource)
	}
	d.state.tokens = append(d.state.tokens, t)
	if n := len(d.state.tokens); n > maxTokens {
		d.state.tokens = slices.Clone(d.state.tokens[n-maxTokens/2:])
	}
	if t.Error != 0 {
		return Token{}, &SignInError{t.Error, name}
	}
	return t, nil
}

// keyEndLocked finds a credential of a service principal or its application.
func (d *Directory) keyEndLocked(sp *ServicePrincipal, key ID) (time.Time, bool) {
	for _, h := range d.holdersLocked(sp) {
		for _, k := range *h.credentials {
			if k.KeyID == key {
				return k.End, true
			}
		}
	}
	return time.Time{}, false
}

// rolesLocked are the roles that a token for a service carries.
func (d *Directory) rolesLocked(sp *ServicePrincipal, resource ID) (roles []string) {
	for _, a := range d.assignmentsLocked(sp.ID) {
		service := d.state.principals[a.Resource]
		if service == nil || service.AppID != resource {
			continue
		}
		for _, r := range service.AppRoles {
			if r.ID == a.Role {
				roles = append(roles, r.Value)
			}
		}
	}
	return roles
}

// tokenLocked is the token that a service principal acts with, if it is good.
func (d *Directory) tokenLocked(by By) (Token, error) {
	for _, t := range slices.Backward(d.state.tokens) {
		if t.ID != by.Session {
			continue
		}
		if t.Principal != by.Actor || t.Error != 0 || !by.Time.Before(t.Expires) {
			break
		}
		return t, nil
	}
	return Token{}, fmt.Errorf("%s has no token that is good at %s: %w", d.referenceLocked(by.Actor).label(), stamp(by.Time), ErrDenied)
}
