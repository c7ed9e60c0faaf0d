// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/sim/record"
)

// The application roles of the API.
const (
	RoleRead    = "ActivityFeed.Read"
	RoleReadDLP = "ActivityFeed.ReadDlp"
	RoleHealth  = "ServiceHealth.Read"
)

// resources are what a token can be asked for: the API hosts of the plans.
var resources = []string{
	"https://manage.office.com", "https://manage-gcc.office.com", "https://manage.office365.us", "https://manage.protection.apps.mil", "https://graph.microsoft.com", "https://graph.microsoft.us", "https://dod-graph.microsoft.us",
	"https://outlook.office365.com", "https://outlook.office365.us", "https://outlook-dod.office365.us", "https://management.azure.com", "https://management.usgovcloudapi.net",
}

// hubs reports whether a token is asked for a namespace of Event Hubs.
func hubs(resource string) bool {
	host, ok := strings.CutPrefix(resource, "https://")
	return ok && strings.HasSuffix(host, ".servicebus.windows.net") && !strings.ContainsAny(host, "/:@")
}

// claims is what an access token says.
type claims struct {
	Audience  string   `json:"aud"`
	Issuer    string   `json:"iss"`
	Issued    int64    `json:"iat"`
	NotBefore int64    `json:"nbf"`
	Expires   int64    `json:"exp"`
	App       string   `json:"appid"`
	AuthClass string   `json:"appidacr"`
	Object    string   `json:"oid"`
	Roles     []string `json:"roles"`
	Subject   string   `json:"sub"`
	Tenant    string   `json:"tid"`
	Unique    string   `json:"uti"`
	Version   string   `json:"ver"`
	Precise   int64    `json:"xms_issued"` // milliseconds, to tell what was issued before a revocation
}

// tokenLife is what the service gives: an hour, less a second.
const tokenLife = 3599 * time.Second

// refusedLogin is an error of the token endpoint.
type refusedLogin struct {
	status int
	kind   string // OAuth's error
	number int    // the AADSTS number
	text   string
}

func (e *refusedLogin) write(w http.ResponseWriter, now time.Time, trace string) {
	writeJSON(w, e.status, map[string]any{
		"error":             e.kind,
		"error_description": "AADSTS" + strconv.Itoa(e.number) + ": " + e.text + " Trace ID: " + trace + " Timestamp: " + now.Format("2006-01-02 15:04:05Z"),
		"error_codes":       []int{e.number},
		"timestamp":         now.Format("2006-01-02 15:04:05Z"),
		"trace_id":          trace,
		"correlation_id":    trace,
		"error_uri":         "https://login.microsoftonline.com/error?code=" + strconv.Itoa(e.number),
	})
}

// handleToken answers both versions of the token endpoint.
func (s *Server) handleToken(w http.ResponseWriter, r *http.Request, now time.Time) {
	v2 := strings.Contains(r.URL.Path, "/v2.0/")
	trace := record.Hash(s.seed, uint64(forIdentity), s.serial.Add(1)).String()
	r.Body = http.MaxBytesReader(w, r.Body, 256<<10)
	c := call{op: "token", now: now, faults: s.feed.faults.Load(), stream: -1, key: hash(s.seed, forStrike, uint64(now.Unix()/3600))}
	c.attempt = s.attempts.next(c.key) // each hour has its own, as tokens do
	if s.brokenBefore(w, c) {
		return
	}
	if s.strikes(c, "5xx", nil) != nil {
		s.tally.refused("token", "5xx")
		w.WriteHeader(brokenStatus(c))
		return
	}
	resource, class, refused := s.authenticate(r, v2, now)
	if refused != nil {
		s.tally.refused("token", "AADSTS"+strconv.Itoa(refused.number))
		refused.write(w, now, trace)
		return
	}
	life := tokenLife
	if f := s.feed.faults.Load().active("token-expiry", now); f != nil {
		life = f.span
	}
	client := strings.ToLower(r.PostForm.Get("client_id"))
	said := claims{
		Audience: resource, Issuer: "https://sts.windows.net/" + s.tenant + "/",
		Issued: now.Unix(), NotBefore: now.Unix(), Expires: now.Add(life).Unix(),
		App: s.clientID, AuthClass: class, Object: identity(s.seed, idPrincipal), Subject: identity(s.seed, idPrincipal),
		Roles: s.rolesFor(resource, now), Tenant: s.tenant, Version: "1.0", Precise: now.UnixMilli(),
	}
	if client != s.clientID {
		said.App, said.Object, said.Subject, said.Roles = client, "", "", canaryRoles
	}
	address, _, _ := net.SplitHostPort(r.RemoteAddr)
	said.Unique = s.signIn(client, address, now, life)
	token := s.sign(said)
	seconds := int64(life / time.Second)
	if v2 {
		writeJSON(w, http.StatusOK, map[string]any{"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token})
		return
	}
	// Version 1 writes numbers as strings.
	writeJSON(w, http.StatusOK, map[string]string{
		"token_type": "Bearer", "expires_in": strconv.FormatInt(seconds, 10), "ext_expires_in": strconv.FormatInt(seconds, 10),
		"expires_on": strconv.FormatInt(said.Expires, 10), "not_before": strconv.FormatInt(said.NotBefore, 10), "resource": resource, "access_token": token,
	})
}

func (s *Server) grantedRoles(now time.Time) []string {
	s.mu.Lock()
	roles := slices.Clone(s.roles)
	s.mu.Unlock()
	for _, f := range s.feed.faults.Load().byName["no-role"] {
		if f.on(now) {
			roles = slices.DeleteFunc(roles, func(have string) bool { return have == f.word })
		}
	}
	return roles
}

// authenticate says what the client asks a token for and how it has shown who
// it is.
func (s *Server) authenticate(r *http.Request, v2 bool, now time.Time) (resource, class string, _ *refusedLogin) {
	if err := r.ParseForm(); err != nil {
		return "", "", &refusedLogin{400, "invalid_request", 900144, "The request body is not a form."}
	}
	form := r.PostForm
	set := s.feed.faults.Load()
	canary, _ := s.Canary()
	if tenant := r.PathValue("tenant"); !strings.EqualFold(tenant, s.tenant) && !strings.EqualFold(tenant, s.domain) {
		return "", "", &refusedLogin{400, "invalid_request", 90002, "Tenant '" + tenant + "' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."}
	}
	switch grant := form.Get("grant_type"); {
	case grant == "":
		return "", "", &refusedLogin{400, "invalid_request", 900144, "The request body must contain the following parameter: 'grant_type'."}
	case grant != "client_credentials":
		return "", "", &refusedLogin{400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type '" + grant + "'."}
	case form.Get("client_id") == "":
		return "", "", &refusedLogin{400, "invalid_request", 900144, "The request body must contain the following parameter: 'client_id'."}
	case strings.EqualFold(form.Get("client_id"), canary):
	case !strings.EqualFold(form.Get("client_id"), s.clientID) || set.active("app-removed", now) != nil:
		return "", "", &refusedLogin{400, "unauthorized_client", 700016, "Application with identifier '" + form.Get("client_id") + "' was not found in the directory '" + s.tenant + "'."}
	}
	if v2 {
		scope, ok := strings.CutSuffix(form.Get("scope"), "/.default")
		if !ok {
			return "", "", &refusedLogin{400, "invalid_scope", 1002012, "The provided value for scope " + form.Get("scope") + " is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier."}
		}
		resource = strings.TrimSuffix(scope, "/")
	} else {
		resource = strings.TrimSuffix(form.Get("resource"), "/")
	}
	if !slices.Contains(resources, resource) && !hubs(resource) && resource != s.base(r) {
		return "", "", &refusedLogin{400, "invalid_resource", 500011, "The resource principal named " + resource + " was not found in the tenant named " + s.tenant + "."}
	}
	class, refused := s.proveClient(r, now)
	if refused == nil && set.active("ca-block", now) != nil {
		refused = &refusedLogin{400, "invalid_grant", 53003, "Access has been blocked by Conditional Access policies."}
	}
	return resource, class, refused
}

// proveClient checks the client's secret or assertion. The class is what the
// token says about it: 1 secret, 2 certificate or federation.
func (s *Server) proveClient(r *http.Request, now time.Time) (class string, _ *refusedLogin) {
	form := r.PostForm
	if form.Get("client_assertion") != "" {
		if form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
			return "", &refusedLogin{400, "invalid_request", 50027, "The client_assertion_type is not supported."}
		}
		return "2", s.proveAssertion(form.Get("client_assertion"), s.tokenURLs(r), now)
	}
	secret := form.Get("client_secret")
	if secret == "" {
		return "", &refusedLogin{401, "invalid_client", 7000216, "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type."}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	expected := s.secret
	if canary, own := s.Canary(); strings.EqualFold(form.Get("client_id"), canary) {
		expected = own
	}
	switch {
	case hmac.Equal([]byte(secret), []byte(expected)):
		return "1", nil
	case slices.Contains(s.oldSecrets, secret):
		return "", &refusedLogin{401, "invalid_client", 7000222, "The provided client secret keys for app '" + s.clientID + "' are expired."}
	}
	return "", &refusedLogin{401, "invalid_client", 7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID."}
}

// sign makes a token. It is signed with a secret of the server's own: to a
// client tokens are opaque but for their claims.
func (s *Server) sign(c claims) string {
	body, err := json.Marshal(c)
	if err != nil {
		panic("m365: claims that are no JSON: " + err.Error())
	}
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"JWT","alg":"HS256"}`)) + "." + base64.RawURLEncoding.EncodeToString(body)
	return head + "." + base64.RawURLEncoding.EncodeToString(s.mac(head))
}

func (s *Server) mac(text string) []byte {
	m := hmac.New(sha256.New, s.key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// bearer returns the claims of the request's token, or nil if it is none of
// ours, or is good no longer.
func (s *Server) bearer(r *http.Request, now time.Time) *claims {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return nil
	}
	return s.read(token, now)
}

// read returns the claims of a token, or nil as bearer does.
func (s *Server) read(token string, now time.Time) *claims {
	last := strings.LastIndexByte(token, '.')
	if last < 0 {
		return nil
	}
	sum, err := base64.RawURLEncoding.DecodeString(token[last+1:])
	if err != nil || !hmac.Equal(sum, s.mac(token[:last])) {
		return nil
	}
	_, text, _ := strings.Cut(token[:last], ".")
	body, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	c := new(claims)
	if err := json.Unmarshal(body, c); err != nil {
		return nil
	}
	s.mu.Lock()
	revoked := s.revoked
	s.mu.Unlock()
	if now.Unix() >= c.Expires || now.Unix() < c.NotBefore-300 || c.Precise < revoked.UnixMilli() {
		return nil
	}
	return c
}
