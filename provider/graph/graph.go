// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package graph reads logs through Microsoft Graph: of Entra ID sign-ins of four kinds, the directory's audit, provisioning
// and risk; the alerts and incidents of Defender XDR; Exchange Online's message trace. Promises, errors and limits are those
// of package rest.
//
// Each stream but the snapshots is an endpoint that takes a window of the records' time and gives pages, newest first
// (https://learn.microsoft.com/graph/api/signin-list, …/directoryaudit-list, …/riskdetection-list). Windows are half open.
// The kinds of sign-ins beside the interactive one exist in the beta endpoint alone: v1.0 has no signInEventTypes
// (microsoftgraph/msgraph-metadata:schemas/v1.0-Prod.csdl). A page holds at most 1,000 records, of risk detections 500, of
// incidents 50, of message traces 5,000.
//
// Alerts and incidents are objects that change; their window is of lastUpdateDateTime, so that each version that stands
// when it is read comes. alerts_v2 has been seen to give no link to a next page and to cut larger pages short
// (elastic/integrations issue 20234), so a page of either that is full and names no next one is an error: a smaller window tells.
//
// Risky users and what users have registered to prove themselves with are states. Whether the endpoints can be asked for
// what has changed is not documented: such a stream is a snapshot, and gives all of them at each reading.
//
// A message trace is asked for by receivedDateTime, of which ge and le are documented, and not lt: a window has its end in it
// (https://learn.microsoft.com/graph/api/messagetracingroot-list-messagetraces).
//
// The reporting endpoints answer five requests in ten seconds for an application and tenant
// (https://learn.microsoft.com/graph/throttling-limits, "Identity and access reports"): [PerMinute].
package graph

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// The limit domain of the reporting endpoints, and what they answer in a minute.
const (
	Domain    = "graph-reports"
	PerMinute = 30
)

// Stream is one log.
type Stream struct {
	Name string
	// Path of the endpoint, and the member that a window is of.
	Path, Time string
	// Only is what else the filter says; empty for nothing.
	Only string
	Top  int // records on a page, at most; 0: the endpoint is not asked for a number
	// Roles are the application permissions that it takes, all of them.
	Roles  []string
	Family string // of the records
	// Snapshot streams have no window: each reading gives all there is.
	Snapshot bool
	// Unlinked: a full page without a next link may not be the last one.
	Unlinked bool
	// Through: the end of a window is part of it.
	Through bool
}

// Streams are the logs. Names are ours where the endpoint's is not enough.
var Streams = []Stream{
	signIns("signIns", "v1.0", ""),
	signIns("signIns.nonInteractiveUser", "beta", "signInEventTypes/any(t: t eq 'nonInteractiveUser')"),
	signIns("signIns.servicePrincipal", "beta", "signInEventTypes/any(t: t eq 'servicePrincipal')"),
	signIns("signIns.managedIdentity", "beta", "signInEventTypes/any(t: t eq 'managedIdentity')"),
	{Name: "directoryAudits", Path: "v1.0/auditLogs/directoryAudits", Time: "activityDateTime", Top: 1000, Roles: []string{"AuditLog.Read.All"}, Family: audit},
	{Name: "provisioning", Path: "v1.0/auditLogs/provisioning", Time: "activityDateTime", Top: 1000, Roles: []string{"AuditLog.Read.All"}, Family: audit},
	{Name: "riskDetections", Path: "v1.0/identityProtection/riskDetections", Time: "detectedDateTime", Top: 500, Roles: []string{"IdentityRiskEvent.Read.All"}, Family: audit},
	{Name: "riskyUsers", Path: "v1.0/identityProtection/riskyUsers", Top: 500, Roles: []string{"IdentityRiskyUser.Read.All"}, Family: audit, Snapshot: true},
	{Name: "userRegistrationDetails", Path: "v1.0/reports/authenticationMethods/userRegistrationDetails", Roles: []string{"AuditLog.Read.All"}, Family: audit, Snapshot: true},
	{Name: "alerts", Path: "v1.0/security/alerts_v2", Time: "lastUpdateDateTime", Top: 500, Roles: []string{"SecurityAlert.Read.All"}, Family: "defender", Unlinked: true},
	{Name: "incidents", Path: "v1.0/security/incidents", Time: "lastUpdateDateTime", Top: 50, Roles: []string{"SecurityIncident.Read.All"}, Family: "defender", Unlinked: true},
	{Name: "messageTraces", Path: "v1.0/admin/exchange/tracing/messageTraces", Time: "receivedDateTime", Top: 5000, Roles: []string{"ExchangeMessageTrace.Read.All"}, Family: "message-trace", Through: true},
}

const audit = "entra-audit"

func signIns(name, version, only string) Stream {
	return Stream{Name: name, Path: version + "/auditLogs/signIns", Time: "createdDateTime", Only: only, Top: 1000, Roles: signInRoles, Family: "entra-signin"}
}

// signInRoles: the second one is asked for because of how the endpoint looks up licenses.
var signInRoles = []string{"AuditLog.Read.All", "Directory.Read.All"}

// Lookup finds a stream by its name.
func Lookup(name string) (*Stream, bool) {
	i := slices.IndexFunc(Streams, func(s Stream) bool { return s.Name == name })
	if i < 0 {
		return nil, false
	}
	return &Streams[i], true
}

// Plan is where the API of a cloud is (https://learn.microsoft.com/graph/deployments).
type Plan struct{ Name, API, Login string }

// Plans are the clouds; the first is the default.
var Plans = []Plan{
	{"enterprise", "https://graph.microsoft.com", "https://login.microsoftonline.com"},
	{"gcc", "https://graph.microsoft.com", "https://login.microsoftonline.com"},
	{"gcc-high", "https://graph.microsoft.us", "https://login.microsoftonline.us"},
	{"dod", "https://dod-graph.microsoft.us", "https://login.microsoftonline.us"},
}

// Options of a client.
type Options struct {
	Tenant      string // GUID
	Plan        string // a name in [Plans]; empty is enterprise. API and Login override it.
	API         string // base URL; HTTPS, or HTTP on loopback
	Login       string // base URL, likewise
	ClientID    string
	Credential  credential.Credential
	rest.Shared // the budget, if none is given, is of PerMinute
}

// Client is safe for concurrent use.
type Client struct {
	*rest.Client
	root   *url.URL
	tokens *rest.OAuth
}

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

const apiName = "graph"

// New checks the options and returns a client. It sends nothing.
func New(o Options) (*Client, error) {
	i := slices.IndexFunc(Plans, func(p Plan) bool { return p.Name == o.Plan || o.Plan == "" })
	if i < 0 {
		return nil, errors.New("there is no plan " + strconv.Quote(o.Plan) + ": write enterprise, gcc, gcc-high or dod")
	}
	plan := Plans[i]
	switch {
	case !guid.MatchString(o.Tenant):
		return nil, errors.New("tenant must be the directory's GUID, as the Entra overview page shows it")
	case !guid.MatchString(o.ClientID):
		return nil, errors.New("client id must be the application's GUID, as its registration shows it")
	}
	if o.API != "" {
		plan.API = o.API
	}
	if o.Login != "" {
		plan.Login = o.Login
	}
	root, err := rest.BaseURL("API", plan.API)
	if err != nil {
		return nil, err
	}
	login, err := rest.BaseURL("login", plan.Login)
	if err != nil {
		return nil, err
	}
	o.Shared = o.OrDefaults(PerMinute)
	clock := rest.NewClock()
	tokens := rest.NewOAuth(rest.OAuthOptions{
		Name: apiName, Endpoint: login.JoinPath(o.Tenant, "oauth2/v2.0/token").String(), Scope: scopeOf(Plans[i].API), ClientID: o.ClientID,
		Credential: o.Credential, Transport: o.Transport, Clock: clock, Log: o.Log,
	})
	return &Client{
		Client: rest.New(rest.Options{
			Name: apiName, Root: root, Auth: tokens, Judge: judge, Shared: o.Shared,
		}, clock),
		root: root, tokens: tokens,
	}, nil
}

// scopeOf names the API to the token endpoint, also where a simulator or a proxy stands for it.
func scopeOf(api string) string { return api + "/.default" }

// Roles asks for a fresh token and returns the application roles in it: see [rest.OAuth.Roles].
func (c *Client) Roles(ctx context.Context) ([]string, error) { return c.tokens.Roles(ctx) }

// SignIn signs the application in anew and returns what sign-in logs name that by: see [rest.OAuth.SignIn].
func (c *Client) SignIn(ctx context.Context) (string, error) { return c.tokens.SignIn(ctx) }

// Error is that of package rest.
type Error = rest.Error

// Page is that of package rest.
type Page = rest.Page

// timeForm is how a filter takes times.
const timeForm = "2006-01-02T15:04:05.999Z"

// List reads a page of a stream's records whose time is in [from, to), or the one that next, a former page's, leads to. A
// snapshot is read whatever the time.
func (c *Client) List(ctx context.Context, p budget.Priority, s *Stream, from, to time.Time, next string) (*Page, error) {
	k := rest.Call{Op: "page", Method: http.MethodGet, Records: true, Accept: "{"}
	if next == "" {
		k.URL = c.root.JoinPath(s.Path)
		k.URL.RawQuery = s.query(from, to)
	}
	page, err := c.page(ctx, p, k, next)
	if err != nil {
		return nil, err
	}
	if s.Unlinked && page.Next == "" && page.Len() >= s.Top {
		return nil, &rest.Error{API: apiName, Op: k.Op, Status: http.StatusOK, Class: rest.ClassPage, Message: "the page is full and does not say where the next one is: a smaller window is asked for"}
	}
	return page, nil
}

// page reads a page, the first one of k or the one that next leads to.
func (c *Client) page(ctx context.Context, p budget.Priority, k rest.Call, next string) (*Page, error) {
	if next != "" {
		u, err := c.Follow(k.Op, next)
		if err != nil {
			return nil, err
		}
		k.URL = u
	}
	page := (*Page)(nil)
	err := c.JSON(ctx, p, k, func(root jsontape.Value, a *rest.Answer) error {
		list := root.Get("value")
		if list.Kind() != jsontape.Array {
			return &rest.Error{API: apiName, Op: k.Op, Status: http.StatusOK, Class: rest.ClassRetry, Message: "the answer has no list of values"}
		}
		page = rest.NewPage(list, a)
		page.Next = string(root.Get("@odata.nextLink").Str())
		return nil
	})
	if err != nil {
		return nil, rest.Stale(err, next)
	}
	if page.Next != "" {
		if _, err := c.Follow(k.Op, page.Next); err != nil {
			return nil, err
		}
	}
	return page, nil
}

// query asks for the first page of a window.
func (s *Stream) query(from, to time.Time) string {
	var parts []string
	if !s.Snapshot {
		end := " lt "
		if s.Through {
			end = " le "
		}
		filter := s.Time + " ge " + from.UTC().Format(timeForm) + " and " + s.Time + end + to.UTC().Format(timeForm)
		if s.Only != "" {
			filter += " and " + s.Only
		}
		// Blanks as %20: Graph takes no plus for one.
		parts = append(parts, "$filter="+strings.ReplaceAll(url.QueryEscape(filter), "+", "%20"))
	}
	if s.Top > 0 {
		parts = append(parts, "$top="+strconv.Itoa(s.Top))
	}
	return strings.Join(parts, "&")
}

// codes are those that mean more than their status. Texts are never looked at.
var codes = map[string]rest.Meaning{
	"Authorization_RequestDenied":                           {Class: rest.ClassAdmin, Action: "give the application the permission that the stream takes, and grant admin consent"},
	"Authentication_RequestFromNonPremiumTenantOrB2CTenant": {Class: rest.ClassAdmin, Action: "the tenant has no license of Entra ID P1 or P2, without which Graph does not give this log: leave the stream out"},
	"Authentication_RequestFromUnsupportedUserRole":         {Class: rest.ClassAdmin, Action: "give the application AuditLog.Read.All and Directory.Read.All, and grant admin consent"},
	"Forbidden":       {Class: rest.ClassAdmin, Action: "give the application the permission that the stream takes, and grant admin consent; risk takes a license of Entra ID P2, alerts and incidents one of Defender XDR"},
	"UnknownError":    {Class: rest.ClassRetry},
	"TooManyRequests": {Class: rest.ClassThrottled},
}

// judge fills in class and action of an error that has its status, code and message.
func judge(e *rest.Error) { e.ByCode(codes) }
