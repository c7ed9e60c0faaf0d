// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package github

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// audit is the table of a record's members. What an action is about, and what
// was changed, has a member of its own in many actions: those that name the
// thing are read by target, and stay under unmapped with the others. The zero
// members are target's too, see remains.
var audit = members.Table{
	"_document_id":               {Path: ocsf.PathMetadataUID},
	"@timestamp":                 {Fn: instant},
	"created_at":                 {Fn: instant},
	"at_sign_timestamp":          {Fn: instant},
	"action":                     {Fn: operation},
	"actor":                      {},
	"actor_id":                   {Path: ocsf.PathActorUserUID},
	"external_identity_nameid":   {Fn: mail},
	"external_identity_username": {Path: ocsf.PathActorUserUIDAlt},
	"actor_ip":                   {Fn: from},
	"actor_location":             {Fn: place},
	"country_code":               {Fn: country},
	"user_agent":                 {Fn: agent},
	"referrer":                   {Fn: referrer},
	"request_id":                 {Fn: request},
	"hashed_token":               {Path: ocsf.PathActorSessionCredentialUID},
	"token_id":                   {Path: ocsf.PathActorSessionUID},
	"org":                        {Fn: name(ocsf.PathCloudOrgName)},
	"org_id":                     {Fn: name(ocsf.PathCloudOrgUID)},
	"business":                   {Path: ocsf.PathCloudAccountName},
	"business_id":                {Path: ocsf.PathCloudAccountUID},
	"user":                       {},
	"user_id":                    {},
	"repo":                       {},
	"repo_id":                    {},
	"repository":                 {},
	"repository_id":              {},
	"request_method":             {Fn: at(ocsf.PathHTTPRequestHTTPMethod)},
	"url_path":                   {Fn: at(ocsf.PathHTTPRequestURLPath)},
	"query_string":               {Fn: at(ocsf.PathHTTPRequestURLQueryString)},
	"status_code":                {Fn: statusCode},
}

// when reads a time, which the API writes in milliseconds since the Unix epoch,
// and stores that took the record in write as text or with a fraction.
func when(v jsontape.Value) (ns int64, ok bool) {
	if ms, ok := v.Int(); ok {
		return millis(ms)
	}
	if v.Kind() == jsontape.Number {
		whole, _, fraction := bytes.Cut(v.Text(), []byte{'.'})
		if ms, ok := decimal(whole); ok && fraction {
			return millis(ms)
		}
	}
	return field.Time(v.Str())
}

func millis(ms int64) (ns int64, ok bool) {
	const most = 1 << 43 // year 2248: nanoseconds hold it
	if ms <= -most || ms >= most {
		return 0, false
	}
	return ms * 1e6, true
}

func decimal(b []byte) (n int64, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, len(b) > 0 && len(b) < 16
}

// instant keeps a time that is the event's; mapRecord has set it.
func instant(v jsontape.Value, e *ocsf.Event) bool {
	ns, ok := when(v)
	if !ok {
		e.Issues = append(e.Issues, "the event's time is not in a known form")
		return false
	}
	if ns != e.Time {
		return false
	}
	e.SetString(ocsf.PathMetadataOriginalTime, v.Text())
	return true
}

func operation(v jsontape.Value, e *ocsf.Event) bool {
	e.SetString(ocsf.PathAPIOperation, v.Str())
	e.SetString(ocsf.PathMetadataEventCode, v.Str())
	if e.Activity == other {
		e.SetString(ocsf.PathActivityName, v.Str())
	}
	return v.Kind() == jsontape.String
}

// name takes a text, or the only element of a list.
func name(p ocsf.Path) func(jsontape.Value, *ocsf.Event) bool {
	return func(v jsontape.Value, e *ocsf.Event) bool {
		if v.Kind() == jsontape.Array {
			one := v.First()
			if one.Next().Exists() {
				e.SetString(p, one.Text())
				return false
			}
			v = one
		}
		if v.Kind() >= jsontape.Array {
			return false
		}
		e.SetString(p, v.Text())
		return true
	}
}

// at takes a text where the class has a place for it.
func at(p ocsf.Path) func(jsontape.Value, *ocsf.Event) bool {
	return func(v jsontape.Value, e *ocsf.Event) bool {
		if v.Kind() >= jsontape.Array || !e.Class.Has(p) {
			return false
		}
		e.SetString(p, v.Text())
		return true
	}
}

var (
	agent    = at(ocsf.PathHTTPRequestUserAgent)
	referrer = at(ocsf.PathHTTPRequestReferrer)
)

// request is the id by which GitHub's services know the request: one request
// may leave several records.
func request(v jsontape.Value, e *ocsf.Event) bool {
	e.SetString(ocsf.PathMetadataCorrelationUID, v.Str())
	e.SetString(ocsf.PathAPIRequestUID, v.Str())
	return v.Kind() == jsontape.String
}

// mail takes what the identity provider calls the actor: the key that joins an
// account of GitHub with the person's other accounts, if it is an address.
func mail(v jsontape.Value, e *ocsf.Event) bool {
	if !field.Mail(v.Str()) {
		return false
	}
	e.SetString(ocsf.PathActorUserEmailAddr, v.Str())
	return true
}

// from takes the actor's address, in a finding as its evidence.
func from(v jsontape.Value, e *ocsf.Event) bool {
	if e.Class == ocsf.ClassDetectionFinding {
		return members.Address(v, e, ocsf.PathEvidencesSrcEndpointIP, ocsf.PathEvidencesSrcEndpointPort)
	}
	return members.From(v, e)
}

// place takes {country_code, location: {lat, lon}}.
func place(v jsontape.Value, e *ocsf.Event) bool {
	told := v.Kind() == jsontape.Object
	for c := v.First(); c.Exists(); c = c.Next() {
		told = string(c.Key()) == "country_code" && country(c, e) && told
	}
	return told
}

func country(v jsontape.Value, e *ocsf.Event) bool {
	code := v.Str()
	if len(code) != 2 {
		return false
	}
	if e.Class == ocsf.ClassDetectionFinding {
		e.SetString(ocsf.PathEvidencesSrcEndpointLocationCountry, code)
	} else {
		e.SetString(ocsf.PathSrcEndpointLocationCountry, code)
	}
	return true
}

func statusCode(v jsontape.Value, e *ocsf.Event) bool {
	code, ok := v.Int()
	if !ok || e.Class != ocsf.ClassAPIActivity {
		return false
	}
	e.SetInt(ocsf.PathHTTPResponseCode, code)
	e.SetInt(ocsf.PathAPIResponseCode, code)
	e.SetString(ocsf.PathStatusCode, v.Text())
	e.SetInt(ocsf.PathStatusID, success)
	if code >= 400 {
		e.SetInt(ocsf.PathStatusID, failure)
	}
	return true
}

// OCSF status_id.
const (
	success = 1
	failure = 2
)

// result says how it went. GitHub logs what was done, so that an action whose
// name does not say that it failed was carried out; of the answer to a single
// sign-on the log does not say what it was.
func result(action []byte, e *ocsf.Event) {
	if e.Class == ocsf.ClassDetectionFinding || e.Has(ocsf.PathStatusID) {
		return
	}
	_, verb := split(action)
	switch {
	case bytes.Contains(verb, []byte("fail")), bytes.Contains(verb, []byte("rejected")), bytes.HasSuffix(verb, []byte("_error")), bytes.HasSuffix(verb, []byte("unsatisfied")),
		bytes.HasSuffix(verb, []byte("_limit_exceeded")), bytes.HasSuffix(verb, []byte("policy_violation")):
		e.SetInt(ocsf.PathStatusID, failure)
	case !bytes.Equal(verb, []byte("sso_response")):
		e.SetInt(ocsf.PathStatusID, success)
	}
}

// actor names who acted: a person, or an application by its bot.
func actor(record jsontape.Value, action []byte, e *ocsf.Event) {
	who := record.Get("actor").Str()
	bot, _ := record.Get("actor_is_bot").Bool()
	e.SetString(ocsf.PathActorUserName, who)
	if bot || bytes.HasSuffix(who, []byte("[bot]")) {
		e.SetInt(ocsf.PathActorUserTypeID, members.UserService)
	} else if len(who) > 0 || e.Has(ocsf.PathActorUserUID) {
		e.SetInt(ocsf.PathActorUserTypeID, members.UserPerson)
	}
	category, _ := split(action)
	if app := record.Get("integration"); !bytes.HasPrefix(category, []byte("integration")) {
		e.SetString(ocsf.PathActorAppName, app.Str())
	}
	if app := record.Get("oauth_application_id"); app.Kind() < jsontape.Array && app.Kind() > jsontape.Null && !bytes.HasPrefix(category, []byte("oauth_")) && !bytes.HasPrefix(action, []byte("org.oauth_app")) {
		e.SetString(ocsf.PathActorAppUID, app.Text())
	}
}

// remains leaves under unmapped what the class of an event has no place for of
// the people and repositories that any record may name.
func remains(record jsontape.Value, e *ocsf.Event, prefix string) {
	for v := record.First(); v.Exists(); v = v.Next() {
		switch string(v.Key()) {
		case "user_id":
			if string(v.Text()) == "0" {
				continue
			}
		case "actor", "user", "repo", "repo_id", "repository", "repository_id":
		default:
			continue
		}
		if !members.Blank(v) && (v.Kind() >= jsontape.Array || !carried(v.Text(), e)) {
			members.Leave(v, e, prefix)
		}
	}
}

func carried(text []byte, e *ocsf.Event) bool {
	for i := range e.Attrs {
		if a := &e.Attrs[i]; a.Kind == ocsf.String && bytes.Equal(a.Str, text) {
			return true
		}
	}
	return false
}
