// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package admin is the part of a simulated tenant that shows how it is set up to log, through three APIs of the same
// tenant as the simulated Management Activity API (sim/m365): cmdlets of Exchange Online over InvokeCommand, Azure Resource
// Manager (diagnostic settings of Entra, event hubs), and the directory objects of Microsoft Graph that logging depends on.
//
// What it shows is the state of the simulated directory, which scenarios and tests change.
//
// # Holes
//
// Only reading is there, with the properties that a watch of logging needs. $select is accepted and not applied. Azure's
// own roles are one switch. Consistency is immediate.
package admin

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/sim/directory"
	"github.com/daybreak-sec/daybreak/sim/record"
)

// Tenant is the simulated tenant: sim/m365's server.
type Tenant interface {
	Now() time.Time
	Granted(r *http.Request) (roles []string, ok bool)
	Directory() *directory.Directory
	Credentials() (tenant, clientID, secret string)
}

// Config says what is served.
type Config struct {
	Tenant Tenant
	Page   int // mailboxes on a page; 100
}

// Server is the simulated service. It is safe for concurrent use.
type Server struct {
	t    Tenant
	page int

	mu      sync.Mutex
	asked   map[string]int
	noAzure bool
}

// New makes a server. It listens nowhere by itself: see Mount.
func New(cfg Config) *Server {
	if cfg.Page == 0 {
		cfg.Page = 100
	}
	return &Server{t: cfg.Tenant, page: cfg.Page, asked: map[string]int{}}
}

// Requests counts what was asked for: by cmdlet, and by the last part of a path.
func (s *Server) Requests() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]int{}
	for k, n := range s.asked {
		out[k] = n
	}
	return out
}

// RefuseAzure takes the application's roles on Azure resources away, or gives them back.
func (s *Server) RefuseAzure(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noAzure = yes
}

// Mount adds the APIs to a handler of the tenant's other services.
func (s *Server) Mount(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /adminapi/beta/{tenant}/InvokeCommand", s.invoke)
	mux.HandleFunc("GET /adminapi/beta/{tenant}/InvokeCommand", s.invoke)
	mux.HandleFunc("GET /providers/microsoft.aadiam/diagnosticSettings", s.azure(s.diagnostics))
	mux.HandleFunc("GET /subscriptions/{rest...}", s.azure(s.hub))
	mux.HandleFunc("GET /v1.0/subscribedSkus", s.graph("Organization.Read.All", s.skus))
	mux.HandleFunc("GET /v1.0/users/{user}/licenseDetails", s.graph("User.Read.All", s.licenses))
	mux.HandleFunc("GET /v1.0/servicePrincipals/{id}/appRoleAssignments", s.graph("Application.Read.All", s.assignments))
	mux.HandleFunc("GET /v1.0/servicePrincipals/{id}", s.graph("Application.Read.All", s.roles))
	mux.HandleFunc("GET /v1.0/{set}", func(w http.ResponseWriter, r *http.Request) {
		m := byAppID.FindStringSubmatch(r.PathValue("set"))
		if m == nil {
			next.ServeHTTP(w, r)
			return
		}
		s.graph("Application.Read.All", func(w http.ResponseWriter, _ *http.Request) { s.application(w, m[1], m[2]) })(w, r)
	})
	mux.Handle("/", next)
	return mux
}

var byAppID = regexp.MustCompile(`^(servicePrincipals|applications)\(appId='([0-9a-fA-F-]{36})'\)$`)

func (s *Server) count(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[what]++
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone, or not
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	answer(w, status, map[string]any{"error": map[string]any{"code": code, "message": message}})
}

// graph is the door of Microsoft Graph.
func (s *Server) graph(role string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", s.t.Now().UTC().Format(http.TimeFormat))
		roles, ok := s.t.Granted(r)
		switch {
		case !ok:
			refuse(w, http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token is empty, has expired, or is not of this tenant.")
		case !slices.Contains(roles, role):
			refuse(w, http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
		default:
			s.count(r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:])
			next(w, r)
		}
	}
}

// azure is the door of Azure Resource Manager: what a token may is decided by roles on the resource.
func (s *Server) azure(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", s.t.Now().UTC().Format(http.TimeFormat))
		s.mu.Lock()
		no := s.noAzure
		s.mu.Unlock()
		_, ok := s.t.Granted(r)
		switch {
		case !ok:
			refuse(w, http.StatusUnauthorized, "AuthenticationFailed", "Authentication failed.")
		case no || !s.reader():
			refuse(w, http.StatusForbidden, "AuthorizationFailed", "The client does not have authorization to perform the action.")
		case r.URL.Query().Get("api-version") == "":
			refuse(w, http.StatusBadRequest, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.")
		default:
			s.count(r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:])
			next(w, r)
		}
	}
}

// reader reports whether the collector's application is member of a directory role that may read settings.
func (s *Server) reader() bool {
	d := s.t.Directory()
	_, client, _ := s.t.Credentials()
	for _, sp := range d.Principals() {
		if sp.AppID.String() != client || !sp.Enabled || sp.Deleted {
			continue
		}
		for _, role := range []string{"Security Reader", "Exchange Administrator", "Security Administrator"} {
			if slices.ContainsFunc(d.RoleMembers(role), func(a directory.RoleAssignment) bool { return a.Principal == sp.ID }) {
				return true
			}
		}
	}
	return false
}

func (s *Server) diagnostics(w http.ResponseWriter, _ *http.Request) {
	all := []string{
		"AuditLogs", "SignInLogs", "NonInteractiveUserSignInLogs", "ServicePrincipalSignInLogs", "ManagedIdentitySignInLogs", "ProvisioningLogs", "RiskyUsers",
		"UserRiskEvents", "MicrosoftGraphActivityLogs",
	}
	list := []any{}
	for _, set := range s.t.Directory().Logging().Diagnostics {
		logs := []any{}
		for _, category := range all {
			logs = append(logs, map[string]any{"category": category, "categoryGroup": nil, "enabled": slices.Contains(set.Categories, category), "retentionPolicy": map[string]any{"enabled": false, "days": 0}})
		}
		list = append(list, map[string]any{
			"id": "/providers/microsoft.aadiam/providers/microsoft.insights/diagnosticSettings/" + set.Name, "name": set.Name, "type": nil,
			"properties": map[string]any{"eventHubAuthorizationRuleId": set.RuleID, "eventHubName": set.Hub, "storageAccountId": nil, "workspaceId": nil, "logs": logs},
		})
	}
	answer(w, http.StatusOK, map[string]any{"value": list})
}

func (s *Server) hub(w http.ResponseWriter, r *http.Request) {
	l := s.t.Directory().Logging()
	for _, set := range l.Diagnostics {
		if id := set.HubID(); strings.EqualFold(id, r.URL.Path) && !slices.ContainsFunc(l.GoneHubs, func(h string) bool { return strings.EqualFold(h, id) }) {
			answer(w, http.StatusOK, map[string]any{
				"id": id, "name": set.Hub, "type": "Microsoft.EventHub/namespaces/eventhubs",
				"properties": map[string]any{"status": "Active", "messageRetentionInDays": 7, "partitionCount": 4},
			})
			return
		}
	}
	refuse(w, http.StatusNotFound, "ResourceNotFound", "The requested resource does not exist.")
}

func plans(k directory.SKU) []any {
	list := []any{}
	for _, p := range k.Plans {
		list = append(list, map[string]any{"servicePlanId": p.ID.String(), "servicePlanName": p.Name, "provisioningStatus": "Success", "appliesTo": "User"})
	}
	return list
}

func (s *Server) skus(w http.ResponseWriter, _ *http.Request) {
	list := []any{}
	tenant, _, _ := s.t.Credentials()
	for _, k := range directory.SKUs {
		list = append(list, map[string]any{
			"id": tenant + "_" + k.ID.String(), "skuId": k.ID.String(), "skuPartNumber": k.PartNumber, "capabilityStatus": "Enabled", "appliesTo": "User",
			"consumedUnits": 10, "prepaidUnits": map[string]any{"enabled": 100, "suspended": 0, "warning": 0}, "servicePlans": plans(k),
		})
	}
	answer(w, http.StatusOK, map[string]any{"value": list})
}

// user finds an account by its id or its user principal name.
func (s *Server) user(text string) (directory.User, bool) {
	d := s.t.Directory()
	if id, err := record.ParseGUID(text); err == nil {
		return d.User(id)
	}
	return d.FindUser(text)
}

func (s *Server) licenses(w http.ResponseWriter, r *http.Request) {
	u, ok := s.user(r.PathValue("user"))
	if !ok {
		refuse(w, http.StatusNotFound, "Request_ResourceNotFound", "Resource does not exist or one of its queried reference-property objects are not present.")
		return
	}
	have, list := s.t.Directory().License(u.ID), []any{}
	for _, k := range directory.SKUs {
		if k.PartNumber == have {
			list = append(list, map[string]any{"id": k.ID.String(), "skuId": k.ID.String(), "skuPartNumber": k.PartNumber, "servicePlans": plans(k)})
		}
	}
	answer(w, http.StatusOK, map[string]any{"value": list})
}

func keys(list []directory.Credential, kind directory.CredentialKind) []any {
	out := []any{}
	for _, k := range list {
		if k.Kind == kind {
			out = append(out, map[string]any{"keyId": k.KeyID.String(), "displayName": k.DisplayName, "startDateTime": k.Start, "endDateTime": k.End})
		}
	}
	return out
}

// application shows an application, or the service principal of one.
func (s *Server) application(w http.ResponseWriter, set, appID string) {
	d := s.t.Directory()
	for _, sp := range d.Principals() {
		if set == "servicePrincipals" && strings.EqualFold(sp.AppID.String(), appID) && !sp.Deleted {
			answer(w, http.StatusOK, map[string]any{
				"id": sp.ID.String(), "appId": sp.AppID.String(), "displayName": sp.DisplayName, "accountEnabled": sp.Enabled,
				"keyCredentials": keys(sp.Credentials, directory.Certificate), "passwordCredentials": keys(sp.Credentials, directory.Password),
			})
			return
		}
	}
	for _, a := range d.Applications() {
		if set == "applications" && strings.EqualFold(a.AppID.String(), appID) && !a.Deleted {
			answer(w, http.StatusOK, map[string]any{
				"id": a.ID.String(), "appId": a.AppID.String(), "displayName": a.DisplayName,
				"keyCredentials": keys(a.Credentials, directory.Certificate), "passwordCredentials": keys(a.Credentials, directory.Password),
			})
			return
		}
	}
	refuse(w, http.StatusNotFound, "Request_ResourceNotFound", "Resource '"+appID+"' does not exist or one of its queried reference-property objects are not present.")
}

func (s *Server) assignments(w http.ResponseWriter, r *http.Request) {
	id, err := record.ParseGUID(r.PathValue("id"))
	if err != nil {
		refuse(w, http.StatusBadRequest, "Request_BadRequest", "Invalid object identifier '"+r.PathValue("id")+"'.")
		return
	}
	list := []any{}
	for _, a := range s.t.Directory().Assignments(id) {
		service, _ := s.t.Directory().Principal(a.Resource)
		list = append(list, map[string]any{
			"id": a.ID.String(), "appRoleId": a.Role.String(), "principalId": a.Principal.String(), "resourceId": a.Resource.String(),
			"resourceDisplayName": service.DisplayName, "createdDateTime": a.Created,
		})
	}
	answer(w, http.StatusOK, map[string]any{"value": list})
}

// roles shows what permissions a service principal declares.
func (s *Server) roles(w http.ResponseWriter, r *http.Request) {
	id, err := record.ParseGUID(r.PathValue("id"))
	service, ok := s.t.Directory().Principal(id)
	if err != nil || !ok {
		refuse(w, http.StatusNotFound, "Request_ResourceNotFound", "Resource '"+r.PathValue("id")+"' does not exist or one of its queried reference-property objects are not present.")
		return
	}
	list := []any{}
	for _, role := range service.AppRoles {
		list = append(list, map[string]any{"id": role.ID.String(), "value": role.Value, "displayName": role.DisplayName})
	}
	answer(w, http.StatusOK, map[string]any{"id": service.ID.String(), "appRoles": list})
}

// command is what InvokeCommand is asked for.
type command struct {
	CmdletInput struct {
		CmdletName string
		Parameters map[string]any
	}
}

// invoke runs a cmdlet. Later pages are asked for with GET, as their links say all.
func (s *Server) invoke(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", s.t.Now().UTC().Format(http.TimeFormat))
	roles, ok := s.t.Granted(r)
	tenant, _, _ := s.t.Credentials()
	switch {
	case !ok || !slices.Contains(roles, "Exchange.ManageAsApp"):
		w.WriteHeader(http.StatusUnauthorized)
		return
	case !strings.EqualFold(r.PathValue("tenant"), tenant):
		exchangeError(w, http.StatusBadRequest, "The tenant of the token is another one.")
		return
	case !s.reader():
		// Seen instead of an explanation: a body of NUL bytes.
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write(make([]byte, 64))
		return
	}
	var c command
	if text := r.URL.Query().Get("$skiptoken"); r.Method == http.MethodGet {
		if json.Unmarshal([]byte(text), &c) != nil {
			exchangeError(w, http.StatusBadRequest, "The skip token is not valid.")
			return
		}
	} else if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&c); err != nil {
		exchangeError(w, http.StatusBadRequest, "The request body is not valid.")
		return
	}
	s.count(c.CmdletInput.CmdletName)
	d := s.t.Directory()
	l := d.Logging()
	context := base(r) + "/adminapi/beta/" + tenant + "/$metadata#Collection(Exchange.GenericHashTable)"
	one := func(v map[string]any) {
		answer(w, http.StatusOK, map[string]any{"@odata.context": context, "value": []any{v}})
	}
	switch c.CmdletInput.CmdletName {
	case "Get-AdminAuditLogConfig":
		one(map[string]any{"Name": "Admin Audit Log Settings", "UnifiedAuditLogIngestionEnabled@data.type": "System.Boolean", "UnifiedAuditLogIngestionEnabled": !l.UnifiedAuditOff, "AdminAuditLogEnabled": true})
	case "Get-OrganizationConfig":
		one(map[string]any{"Name": d.Domain(), "AuditDisabled@data.type": "System.Boolean", "AuditDisabled": l.MailboxAuditOff})
	case "Get-Mailbox", "Get-MailboxAuditBypassAssociation":
		s.recipients(w, r, &c, context)
	default:
		exchangeError(w, http.StatusBadRequest, "The term '"+c.CmdletInput.CmdletName+"' is not recognized as the name of a cmdlet.")
	}
}

// exchangeError: what went wrong stands deep inside.
func exchangeError(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]any{"error": map[string]any{
		"code": "BadRequest", "message": "Invalid Operation",
		"innererror": map[string]any{"internalexception": map[string]any{"message": message, "type": "Microsoft.Exchange.Admin.OData.Core.ODataServiceException"}},
	}})
}

func base(r *http.Request) string { return "http://" + r.Host }

// recipients answers for one mailbox or account, or for all of them page by page.
func (s *Server) recipients(w http.ResponseWriter, r *http.Request, c *command, context string) {
	d := s.t.Directory()
	list := []any{}
	show := func(u directory.User) {
		m := d.Mailbox(u.ID)
		if c.CmdletInput.CmdletName == "Get-MailboxAuditBypassAssociation" {
			list = append(list, map[string]any{"Name": u.DisplayName, "Identity": u.UPN, "ObjectId": u.ID.String(), "Guid": u.ID.String(), "AuditBypassEnabled": m.AuditBypass})
			return
		}
		set, owner := []string{"Admin", "Delegate", "Owner"}, directory.DefaultAuditOwner
		if m.AuditOwner != nil {
			set, owner = []string{"Admin", "Delegate"}, m.AuditOwner
		}
		list = append(list, map[string]any{
			"UserPrincipalName": u.UPN, "Identity": u.UPN, "ExternalDirectoryObjectId": u.ID.String(), "AuditEnabled": !m.AuditDisabled,
			"DefaultAuditSet": set, "AuditOwner": owner, "AuditAdmin": directory.DefaultAuditOwner, "AuditDelegate": directory.DefaultAuditOwner,
		})
	}
	if who, ok := c.CmdletInput.Parameters["Identity"].(string); ok {
		u, ok := s.user(who)
		if !ok {
			exchangeError(w, http.StatusNotFound, "The operation couldn't be performed because object '"+who+"' couldn't be found.")
			return
		}
		show(u)
		answer(w, http.StatusOK, map[string]any{"@odata.context": context, "value": list})
		return
	}
	from, _ := c.CmdletInput.Parameters["skip"].(float64)
	people := d.Company().People()
	to := min(int(from)+s.page, people)
	if size, ok := c.CmdletInput.Parameters["ResultSize"].(float64); ok { // else "Unlimited"
		people = min(people, int(size))
		to = min(to, people)
	}
	for n := int(from); n < to; n++ {
		if u, ok := d.User(d.Company().ObjectID(n)); ok && !u.Deleted {
			show(u)
		}
	}
	out := map[string]any{"@odata.context": context, "value": list}
	if to < people {
		if c.CmdletInput.Parameters == nil {
			c.CmdletInput.Parameters = map[string]any{}
		}
		c.CmdletInput.Parameters["skip"] = to
		token, _ := json.Marshal(c) // what was read as JSON
		out["@odata.nextLink"] = base(r) + r.URL.Path + "?" + url.Values{"$skiptoken": {string(token)}}.Encode()
	}
	answer(w, http.StatusOK, out)
}
