// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package admin reads how a Microsoft tenant is set up to log, through three APIs: cmdlets of Exchange Online, the
// directory objects of Microsoft Graph, and Azure Resource Manager. It reads and does nothing else: of Exchange it runs
// only cmdlets that begin with Get-, of the others it sends only GET. Promises, errors and limits are those of package rest.
//
// What Exchange answers is the contract of its own PowerShell module, which posts a cmdlet to
// adminapi/beta/TENANT/InvokeCommand. Microsoft documents an "Exchange Online Admin API" (adminapi/v2.0, preview,
// https://learn.microsoft.com/exchange/reference/admin-api-overview) whose six endpoints run few cmdlets with the same
// body, and Get-AdminAuditLogConfig and Get-MailboxAuditBypassAssociation are not among them; the route that has all of
// them is not documented, and may change. The cmdlets themselves are. Entra's diagnostic settings are a tenant-level
// resource of Azure Resource Manager (providers/microsoft.aadiam/diagnosticSettings).
package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// The limit domain of these reads, and how many a minute are made of them if nobody says otherwise: far below what the
// services allow, for nothing of it is urgent.
const (
	Domain    = "admin-reads"
	PerMinute = 60
)

// Plan is where the APIs of a cloud are.
type Plan struct{ Name, Exchange, Graph, Azure, Login string }

// Plans are the clouds; the first is the default.
var Plans = []Plan{
	{"enterprise", "https://outlook.office365.com", "https://graph.microsoft.com", "https://management.azure.com", "https://login.microsoftonline.com"},
	{"gcc", "https://outlook.office365.com", "https://graph.microsoft.com", "https://management.azure.com", "https://login.microsoftonline.com"},
	{"gcc-high", "https://outlook.office365.us", "https://graph.microsoft.us", "https://management.usgovcloudapi.net", "https://login.microsoftonline.us"},
	{"dod", "https://outlook-dod.office365.us", "https://dod-graph.microsoft.us", "https://management.usgovcloudapi.net", "https://login.microsoftonline.us"},
}

// Options of a client.
type Options struct {
	Tenant      string // GUID
	Plan        string // a name in [Plans]; empty is enterprise. API and Login override it.
	API         string // base URL of all three APIs; HTTPS, or HTTP on loopback
	Login       string // base URL, likewise
	ClientID    string
	Credential  credential.Credential
	rest.Shared // the budget, if none is given, is of PerMinute
}

// Client is safe for concurrent use.
type Client struct {
	Exchange, Graph, Azure *API
	tenant                 string
}

// Heard is an API that has answered, whose clock is the provider's; before one has, any.
func (c *Client) Heard() *API {
	for _, a := range []*API{c.Exchange, c.Graph, c.Azure} {
		if a.Heard() {
			return a
		}
	}
	return c.Graph
}

// API is one of the three.
type API struct {
	*rest.Client
	root   *url.URL
	tokens *rest.OAuth
}

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// New checks the options and returns a client. It sends nothing.
func New(o Options) (*Client, error) {
	i := slices.IndexFunc(Plans, func(p Plan) bool { return p.Name == o.Plan || o.Plan == "" })
	switch {
	case i < 0:
		return nil, errors.New("there is no plan " + strconv.Quote(o.Plan) + ": write enterprise, gcc, gcc-high or dod")
	case !guid.MatchString(o.Tenant):
		return nil, errors.New("tenant must be the directory's GUID, as the Entra overview page shows it")
	case !guid.MatchString(o.ClientID):
		return nil, errors.New("client id must be the application's GUID, as its registration shows it")
	}
	o.Shared = o.OrDefaults(PerMinute)
	plan, c := Plans[i], &Client{tenant: o.Tenant}
	if o.Login != "" {
		plan.Login = o.Login
	}
	for _, api := range []struct {
		name, base string
		to         **API
	}{{"exchange", plan.Exchange, &c.Exchange}, {"graph", plan.Graph, &c.Graph}, {"azure", plan.Azure, &c.Azure}} {
		a, err := newAPI(&o, api.name, api.base, plan.Login)
		if err != nil {
			return nil, err
		}
		*api.to = a
	}
	return c, nil
}

func newAPI(o *Options, name, base, login string) (*API, error) {
	scope := base + "/.default" // also where a simulator or a proxy stands for it
	if o.API != "" {
		base = o.API
	}
	root, err := rest.BaseURL("API", base)
	if err != nil {
		return nil, err
	}
	door, err := rest.BaseURL("login", login)
	if err != nil {
		return nil, err
	}
	clock := rest.NewClock()
	tokens := rest.NewOAuth(rest.OAuthOptions{
		Name: name, Endpoint: door.JoinPath(o.Tenant, "oauth2/v2.0/token").String(), Scope: scope, ClientID: o.ClientID,
		Credential: o.Credential, Transport: o.Transport, Clock: clock, Log: o.Log,
	})
	return &API{
		Client: rest.New(rest.Options{
			Name: name, Root: root, Auth: tokens, Explain: explain, Judge: judge, Shared: o.Shared,
		}, clock),
		root: root, tokens: tokens,
	}, nil
}

// Roles asks for a fresh token and returns the application roles in it: see [rest.OAuth.Roles].
func (a *API) Roles(ctx context.Context) ([]string, error) { return a.tokens.Roles(ctx) }

// Each is called for each object of an answer; what it is given is good until it returns.
type Each func(jsontape.Value) error

// mostPages bounds what one listing reads: at a thousand mailboxes a page, ten million of them.
const mostPages = 10_000

// Get reads an object, or a list page by page: path begins after the host, and query is what stands behind the question
// mark, ready to be sent.
func (a *API) Get(ctx context.Context, path, query string, each Each) error {
	u := a.root.JoinPath(path)
	u.RawQuery = query
	return a.pages(ctx, rest.Call{Op: "get", Method: http.MethodGet, URL: u, Accept: "{"}, each)
}

// pages reads a list to its last page.
func (a *API) pages(ctx context.Context, k rest.Call, each Each) error {
	for range mostPages {
		next, err := a.page(ctx, k, each)
		if err != nil || next == "" {
			return err
		}
		u, err := a.Follow(k.Op, next)
		if err != nil {
			return err
		}
		k = rest.Call{Op: k.Op, Method: http.MethodGet, URL: u, Accept: "{", Header: k.Header}
	}
	return &rest.Error{API: "admin", Op: k.Op, Class: rest.ClassHostile, Message: "the list has more than " + strconv.Itoa(mostPages) + " pages"}
}

func (a *API) page(ctx context.Context, k rest.Call, each Each) (next string, err error) {
	err = a.JSON(ctx, budget.Sweep, k, func(root jsontape.Value, _ *rest.Answer) error {
		next = string(root.Get("@odata.nextLink").Str())
		if next == "" {
			next = string(root.Get("nextLink").Str()) // of Azure
		}
		list := root.Get("value")
		if list.Kind() != jsontape.Array {
			return each(root)
		}
		for v := list.First(); v.Exists(); v = v.Next() {
			if err := each(v); err != nil {
				return err
			}
		}
		return nil
	})
	return next, err
}

// Cmdlet runs a cmdlet of Exchange Online that reads, and calls each for each object that it returns. properties are those
// that are wanted.
func (c *Client) Cmdlet(ctx context.Context, name string, parameters map[string]any, properties []string, each Each) error {
	if !strings.HasPrefix(name, "Get-") {
		return errors.New("admin: " + name + " is no cmdlet that reads")
	}
	if parameters == nil {
		parameters = map[string]any{}
	}
	body, err := json.Marshal(map[string]any{"CmdletInput": map[string]any{"CmdletName": name, "Parameters": parameters}})
	if err != nil {
		return err
	}
	u := c.Exchange.root.JoinPath("adminapi/beta", c.tenant, "InvokeCommand")
	u.RawQuery = "$select=" + url.QueryEscape(strings.Join(properties, ","))
	return c.Exchange.pages(ctx, rest.Call{
		Op: name, Method: http.MethodPost, URL: u, Body: body, Accept: "{",
		// The routing hint of calls that are no mailbox's own: the organization's system mailbox, the same in every tenant
		// (https://learn.microsoft.com/exchange/reference/admin-api-get-started, "X-AnchorMailbox routing hint").
		Header: http.Header{"X-Anchormailbox": {"APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@" + c.tenant}, "X-Responseformat": {"json"}},
	}, each)
}

// explain reads the code and the message out of an error. Exchange says "Invalid Operation" and hides the reason.
func explain(body []byte) (code, message string) {
	code, message = rest.Explain(body)
	var deep struct {
		Error struct {
			Inner struct {
				Internal struct{ Message string } `json:"internalexception"`
			} `json:"innererror"`
		}
	}
	if json.Unmarshal(body, &deep) == nil && deep.Error.Inner.Internal.Message != "" {
		message = rest.Line(deep.Error.Inner.Internal.Message)
	}
	return code, message
}

// codes are those that mean more than their status.
var codes = map[string]rest.Meaning{
	"Authorization_RequestDenied": {Class: rest.ClassAdmin, Action: "give the application the permission of Microsoft Graph that the control takes, and grant admin consent"},
	"AuthorizationFailed":         {Class: rest.ClassAdmin, Action: "make the application a Security Reader, and a Reader of the event hub's namespace"},
	"Request_ResourceNotFound":    {Class: rest.ClassMissing},
	"ResourceNotFound":            {Class: rest.ClassMissing},
	"ParentResourceNotFound":      {Class: rest.ClassMissing},
	"ResourceGroupNotFound":       {Class: rest.ClassMissing},
	"SubscriptionNotFound":        {Class: rest.ClassMissing},
}

func judge(e *rest.Error) {
	if e.ByCode(codes) {
		return
	}
	switch {
	case e.API == "exchange" && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden):
		e.Class, e.Action = rest.ClassAdmin, "give the application Exchange.ManageAsApp of Office 365 Exchange Online, and make it a Security Reader"
	case e.Status == http.StatusNotFound:
		e.Class = rest.ClassMissing
	}
}
