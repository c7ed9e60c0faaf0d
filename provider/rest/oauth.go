// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/provider/credential"
)

const (
	tokenTime    = 30 * time.Second // for one request to the token endpoint
	maxTokenBody = 1 << 20
	maxToken     = 64 << 10
	renewAt      = 0.7              // of a token's life
	shortestLife = 10 * time.Second // of a token whose answer says less, or nothing
	longestLife  = 24 * time.Hour
	retryFirst   = time.Second // after a failure nobody asks the endpoint for so long,
	retryLast    = 30 * time.Second
	rolesAge     = 10 * time.Second // of a token whose roles are as good as new
)

// OAuth gets access tokens and keeps the newest. It is safe for concurrent use; one
// request is under way at a time, and the others wait for it.
type OAuth struct {
	api                       string
	endpoint, scope, clientID string
	credential                credential.Credential
	errors                    map[string]Meaning
	http                      *http.Client
	clock                     *Clock
	log                       *slog.Logger

	turn chan struct{} // holds one while a request is under way

	mu     sync.Mutex
	have   token
	failed error // the last request's
	rest   rest  // after failures of the endpoint
	spurn  rest  // after tokens that the API did not accept
}

// OAuthOptions say where tokens come from (RFC 6749, client credentials; RFC 7523 where the credential is a grant itself).
type OAuthOptions struct {
	Name       string // of the API in errors
	Endpoint   string // the token endpoint's URL
	Scope      string // of client credentials, as is ClientID
	ClientID   string
	Credential credential.Credential
	// Errors say what the error words of the endpoint mean, where that is not what they mean at Microsoft's.
	Errors    map[string]Meaning
	Transport http.RoundTripper // nil: what [NewTransport] returns
	Clock     *Clock            // the client's
	Log       *slog.Logger      // nil: slog.Default
}

// NewOAuth returns the tokens of an application. It sends nothing.
func NewOAuth(o OAuthOptions) *OAuth {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Transport == nil {
		o.Transport = NewTransport()
	}
	return &OAuth{
		api: o.Name, endpoint: o.Endpoint, scope: o.Scope, clientID: o.ClientID, credential: o.Credential, errors: o.Errors, clock: o.Clock, log: o.Log,
		http: &http.Client{Transport: o.Transport, CheckRedirect: neverRedirect}, turn: make(chan struct{}, 1),
	}
}

// Header is the Authorization of a token.
func (s *OAuth) Header(token string) string { return "Bearer " + token }

// token is an access token and its life by both clocks: theirs, which may run at another
// speed, and ours, which nobody else can set.
type token struct {
	text   credential.Secret
	theirs time.Time // when it was given
	ours   time.Time
	life   time.Duration
}

// rest is a pause that doubles.
type rest struct {
	pause time.Duration
	since time.Time
}

func (r *rest) begin(least time.Duration) {
	r.pause = max(least, min(retryLast, max(retryFirst, 2*r.pause)))
	r.pause += time.Duration(rand.Float64() * 0.2 * float64(r.pause))
	r.since = time.Now()
}

func (r *rest) left() time.Duration { return max(0, r.pause-time.Since(r.since)) }

// Current is the newest token.
func (s *OAuth) Current() credential.Secret {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.have.text
}

// Accepted tells that the API has taken the token.
func (s *OAuth) Accepted() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spurn = rest{}
}

// Token returns a token. refused is one that the API did not accept: if it is still the
// newest, another one is asked for, once; if the API takes none, ever more rarely.
func (s *OAuth) Token(ctx context.Context, refused string) (string, error) {
	text, good, usable := s.look(refused)
	if good {
		return text, nil
	}
	if err := s.take(ctx, usable); err != nil {
		if usable {
			return text, nil // somebody renews it; it is good until then
		}
		return "", err
	}
	defer func() { <-s.turn }()
	if text, good, usable = s.look(refused); good { // it came while we waited
		return text, nil
	}
	if err := s.resting(refused != ""); err != nil {
		if usable {
			return text, nil
		}
		return "", err
	}
	fresh, err := s.renew(ctx, refused != "")
	if err != nil && usable && ctx.Err() == nil {
		s.log.Warn("token not renewed, the old one is used", "credential", s.credential, "error", err)
		return text, nil
	}
	return fresh, err
}

// ErrSpurned is wrapped by the error of [OAuth.Token] while no other token than the one that was refused is asked for, because the
// API has refused one that was new.
var ErrSpurned = errors.New("the API has refused a token that was new")

var errBusy = errors.New("a token is being asked for")

// take waits for the turn, unless somebody who can do without must not wait.
func (s *OAuth) take(ctx context.Context, usable bool) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	default:
	}
	if usable {
		return errBusy
	}
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// young returns a token that was given no longer than age ago.
func (s *OAuth) young(ctx context.Context, age time.Duration) (string, error) {
	if err := s.take(ctx, false); err != nil {
		return "", err
	}
	defer func() { <-s.turn }()
	s.mu.Lock()
	text, is := s.have.text.Reveal(), !s.have.text.Empty() && time.Since(s.have.ours) < age
	s.mu.Unlock()
	if is {
		return text, nil
	}
	if err := s.resting(false); err != nil {
		return "", err
	}
	return s.renew(ctx, false)
}

// look returns the newest token, whether it need not be renewed yet, and whether it may be
// used at all.
func (s *OAuth) look(refused string) (text string, good, usable bool) {
	now := s.clock.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.have
	if t.text.Empty() || t.text.Reveal() == refused {
		return "", false, false
	}
	share := time.Since(t.ours).Seconds() / t.life.Seconds()
	// Their clock may run wild, and must not make us ask without end: a token that is
	// too old after all costs one refusal.
	if time.Since(t.ours) > retryFirst {
		share = max(share, now.Sub(t.theirs).Seconds()/t.life.Seconds())
	}
	return t.text.Reveal(), share < renewAt, share < 1
}

// resting returns an error while it is too early to ask the endpoint again.
func (s *OAuth) resting(spurned bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if left := s.rest.left(); s.failed != nil && left > 0 {
		e := (*Error)(nil)
		if !errors.As(s.failed, &e) {
			return s.failed
		}
		again := *e
		again.RetryAfter = left
		return &again
	}
	if left := s.spurn.left(); spurned && left > 0 {
		m := Statuses[http.StatusUnauthorized]
		return &Error{API: s.api, Op: OpToken, Status: http.StatusUnauthorized, Class: m.Class, Action: m.Action, Message: ErrSpurned.Error(), RetryAfter: left, Err: ErrSpurned}
	}
	return nil
}

// renew asks for a token and keeps what came of it. The caller holds the turn.
func (s *OAuth) renew(ctx context.Context, spurned bool) (string, error) {
	fresh, err := s.request(ctx)
	if err != nil && ctx.Err() != nil {
		return "", ctx.Err() // says nothing about the endpoint
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if spurned {
		s.spurn.begin(0)
	}
	if s.failed = err; err == nil {
		s.have, s.rest = fresh, rest{}
		return fresh.text.Reveal(), nil
	}
	e, least := (*Error)(nil), time.Duration(0)
	if errors.As(err, &e) {
		least = min(e.RetryAfter, 10*retryLast)
	}
	s.rest.begin(least)
	return "", err
}

// request asks the endpoint once. The credential is read anew.
func (s *OAuth) request(ctx context.Context) (token, error) {
	ctx, cancel := context.WithTimeout(ctx, tokenTime)
	defer cancel()
	signed, err := s.credential.Sign(ctx, s.clientID, s.endpoint, s.clock.now())
	if err != nil {
		return token{}, &Error{API: s.api, Op: OpToken, Message: Clip(err.Error(), MaxMessage), Action: "correct the credential; it is read again at the next try, without a restart", Class: ClassAuth, Err: err}
	}
	form := signed.Form
	if !form.Has("grant_type") {
		form.Set("grant_type", "client_credentials")
		form.Set("client_id", s.clientID)
		form.Set("scope", s.scope)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return token{}, &Error{API: s.api, Op: OpToken, Message: "the address of the token endpoint cannot be used", Class: ClassAdmin}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", userAgent)
	asked := time.Now()
	res, err := s.http.Do(req)
	if err != nil {
		return token{}, &Error{API: s.api, Op: OpToken, Message: signed.Hide(networkMessage(err)), Class: ClassRetry}
	}
	defer res.Body.Close()
	answered := time.Now()
	s.clock.observe(res.Header, asked, answered, false)
	body, err := io.ReadAll(io.LimitReader(res.Body, maxTokenBody+1))
	switch {
	case err != nil:
		return token{}, &Error{API: s.api, Op: OpToken, Status: res.StatusCode, Message: "the answer was cut", Class: ClassRetry}
	case len(body) > maxTokenBody:
		return token{}, &Error{API: s.api, Op: OpToken, Status: res.StatusCode, Message: "the answer is longer than 1 MiB", Class: ClassHostile}
	case res.StatusCode != http.StatusOK:
		return token{}, s.refusal(res, []byte(signed.Hide(string(body))))
	}
	t, err := parseToken(body)
	if err != nil {
		// No sample: what is nearly a token may hold one.
		return token{}, &Error{API: s.api, Op: OpToken, Status: res.StatusCode, Message: err.Error(), Class: ClassRetry, Action: "check that no proxy answers in place of the token endpoint"}
	}
	t.ours, t.theirs = asked, s.clock.now()
	return t, nil
}

// parseToken reads a successful answer. The older endpoint writes numbers as strings.
func parseToken(body []byte) (token, error) {
	var answer struct {
		Type   string          `json:"token_type"`
		Token  string          `json:"access_token"`
		Expire json.RawMessage `json:"expires_in"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return token{}, errors.New("the answer of the token endpoint is not the JSON that was expected")
	}
	switch {
	case answer.Token == "":
		return token{}, errors.New("the answer of the token endpoint holds no access_token")
	case len(answer.Token) > maxToken:
		return token{}, errors.New("the answer of the token endpoint holds a token of more than 64 KiB")
	case strings.ContainsFunc(answer.Token, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return token{}, errors.New("the answer of the token endpoint holds a token with characters that no token has")
	case answer.Type != "" && !strings.EqualFold(answer.Type, "Bearer"):
		return token{}, errors.New("the token endpoint gives a kind of token that is not Bearer")
	}
	seconds, err := strconv.ParseFloat(strings.Trim(string(answer.Expire), `"`), 64)
	if err != nil || !(seconds > 0) { // also NaN
		seconds = 0
	}
	life := time.Duration(min(seconds, longestLife.Seconds()) * float64(time.Second))
	return token{text: credential.NewSecret(answer.Token), life: max(life, shortestLife)}, nil
}

// oauth says what the error words of the token endpoint mean. Texts are never looked at.
var oauth = map[string]Meaning{
	"invalid_client":          {ClassAuth, "check client id and credential; a new one is used without a restart"},
	"invalid_grant":           {ClassAuth, "check the federated token and the trust that the application registration states"},
	"unauthorized_client":     {ClassAuth, "check that the application exists in this tenant and may use client credentials"},
	"invalid_request":         {ClassAdmin, "check tenant, client id and login address"},
	"invalid_scope":           {ClassAdmin, "check plan and API address: the token endpoint does not know the API"},
	"invalid_resource":        {ClassAdmin, "check plan and API address; it may have no service principal in this tenant yet"},
	"invalid_target":          {ClassAdmin, "check plan and API address"},
	"access_denied":           {ClassAdmin, "a policy of the directory refuses the application"},
	"consent_required":        {ClassAdmin, "grant admin consent to the application"},
	"interaction_required":    {ClassAdmin, "a conditional access policy refuses the application: exclude it or allow its addresses"},
	"unsupported_grant_type":  {ClassAdmin, Bug},
	"slow_down":               {ClassRetry, ""},
	"temporarily_unavailable": {ClassRetry, ""},
	"server_error":            {ClassRetry, ""},
}

// aadsts says what the numbers in error_codes ask of a person. The class stays that of
// the error word.
var aadsts = map[int64]string{
	50013:   "the assertion is not accepted: check that this certificate, or this federated issuer, is registered with the application",
	53003:   "a conditional access policy refuses the application: exclude it or allow its addresses",
	65001:   "grant admin consent to the application",
	70021:   "no federated credential of the application matches this token: compare issuer, subject and audience",
	90002:   "the tenant is not found: correct tenant, or the plan's cloud",
	90013:   "the request was not understood: check tenant and client id",
	500011:  "the API is not known in this tenant: check plan, or add it to the permissions of the application",
	500341:  "the account was deleted from the directory",
	700016:  "the application is not found in this tenant: check client id, tenant and consent",
	700024:  "the assertion is outside its time: check the machine's clock",
	700027:  "the certificate is not registered with the application, or is not the one of this key: upload it",
	700211:  "the federated token's issuer is not the one the application trusts",
	700213:  "the federated token's subject is not the one the application trusts",
	7000112: "the application is disabled: enable it in the directory, or find out who disabled it",
	7000215: "the client secret is wrong: give the secret's value, not its id",
	7000222: "the client secret has expired: make a new one, or use a certificate",
	7000229: "the application has no service principal in this tenant: grant admin consent",
	7000272: "the client is not allowed to ask for a token of this API",
}

// OAuthCodes lists the codes of token endpoints that are known: words, and Microsoft's numbers.
func OAuthCodes() (words []string, numbers []int64) {
	return slices.Sorted(maps.Keys(oauth)), slices.Sorted(maps.Keys(aadsts))
}

// refusal explains a refusal. The body has had its secrets taken out.
func (s *OAuth) refusal(res *http.Response, body []byte) *Error {
	var answer struct {
		Error any
		Text  any     `json:"error_description"`
		Codes []int64 `json:"error_codes"`
	}
	e := &Error{API: s.api, Op: OpToken, Status: res.StatusCode, RetryAfter: RetryAfter(res.Header)}
	if json.Unmarshal(body, &answer) != nil && Word(answer.Error) == "" {
		e.Class, e.Message = ClassRetry, "the answer is not what a token endpoint says"
		e.Action = "check the login address, and that no proxy answers in its place"
		e.Sample = jwtForm.ReplaceAll(body, []byte("[redacted]"))
		e.Sample = e.Sample[:min(len(e.Sample), maxSample)]
		return e
	}
	name := Word(answer.Error)
	m, ok := s.errors[name]
	if !ok {
		m = oauth[name] // an unknown word is retried
	}
	e.Code, e.Class, e.Action = name, m.Class, m.Action
	e.Message = jwtForm.ReplaceAllString(Line(answer.Text), "[redacted]")
	for _, number := range answer.Codes {
		if action, ok := aadsts[number]; ok {
			e.Code, e.Action = fmt.Sprintf("AADSTS%d", number), action
			break
		}
	}
	return e
}

// Roles asks for a fresh token and returns the application roles in it, for the test of
// permissions: roles are written into a token when it is made. Nothing is decided by
// them, so the signature, which only the API can judge, is not checked.
func (s *OAuth) Roles(ctx context.Context) ([]string, error) {
	text, err := s.young(ctx, rolesAge)
	if err != nil {
		return nil, err
	}
	said, err := s.claims(text)
	if err != nil {
		return nil, err
	}
	for i := range said.Roles {
		said.Roles[i] = Line(said.Roles[i])
	}
	return said.Roles[:min(len(said.Roles), 64)], nil
}

// SignIn signs in: it asks for a token whatever there is, and returns the claim by which sign-in logs name it (uti; there
// uniqueTokenIdentifier: https://learn.microsoft.com/graph/api/resources/tokendetails).
func (s *OAuth) SignIn(ctx context.Context) (string, error) {
	text, err := s.young(ctx, 0)
	if err != nil {
		return "", err
	}
	said, err := s.claims(text)
	if err == nil && !unique.MatchString(said.Unique) {
		err = &Error{API: s.api, Op: OpToken, Class: ClassRetry, Message: "the token has no claim uti that a sign-in could be found by"}
	}
	return said.Unique, err
}

// unique is the form of an identifier that nobody can guess: 16 bytes in base64url, or a GUID.
var unique = regexp.MustCompile(`^[A-Za-z0-9_-]{22,64}$`)

// claims are those of a token that somebody asks for.
type claims struct {
	Roles  []string
	Unique string `json:"uti"`
}

func (s *OAuth) claims(text string) (said claims, err error) {
	wrong := func(why string) (claims, error) {
		return claims{}, &Error{API: s.api, Op: OpToken, Class: ClassRetry, Message: why + ": what it says cannot be read"}
	}
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return wrong("the token is no JWT")
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return wrong("the token's claims are not base64")
	}
	if json.Unmarshal(payload, &said) != nil {
		return wrong("the token's claims are not JSON")
	}
	return said, nil
}

// Expires is when the newest token ends, by our clock; zero if there is none.
func (s *OAuth) Expires() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.have.ours.IsZero() {
		return time.Time{}
	}
	return s.have.ours.Add(s.have.life).Round(0)
}
