// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/record"
)

// auditQuery is a query of the unified audit log.
type auditQuery struct {
	from, to time.Time
	service  string // the workload whose records alone are asked for; empty: all
	looks    int    // how often somebody has asked how it stands
	readings int    // how often its first page was asked for

	once sync.Once
	list []json.RawMessage // what was found; nothing is added later
}

const (
	auditQueries = "/v1.0/security/auditLog/queries"
	auditPage    = 1000 // records on a page
)

// auditQueryRoles are the permissions to query the records of a workload. That of the empty one is for all of them; a query that
// asks for no workload takes it, and there is no word of the vendor on what one with less would be given.
var auditQueryRoles = map[string]string{
	"": "AuditLogsQuery.Read.All", "Exchange": "AuditLogsQuery-Exchange.Read.All", "SharePoint": "AuditLogsQuery-SharePoint.Read.All",
	"OneDrive": "AuditLogsQuery-OneDrive.Read.All", "AzureActiveDirectory": "AuditLogsQuery-Entra.Read.All",
	"CRM": "AuditLogsQuery-CRM.Read.All", "Endpoint": "AuditLogsQuery-Endpoint.Read.All",
}

// admitQuery opens the door to queries of one of some workloads.
func (s *Server) admitQuery(w http.ResponseWriter, r *http.Request, services ...string) bool {
	may := func(role string) bool {
		return slices.ContainsFunc(append(services, ""), func(service string) bool { return auditQueryRoles[service] == role })
	}
	w.Header().Set("Date", s.cfg.Tenant.Now().UTC().Format(http.TimeFormat))
	switch roles, ok := s.cfg.Tenant.Granted(r); {
	case !ok:
		refuse(w, http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token is empty, has expired, or is not of this tenant.")
		return false
	case !slices.ContainsFunc(roles, may):
		refuse(w, http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
		return false
	}
	return true
}

func (s *Server) startQuery(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		FilterStartDateTime, FilterEndDateTime time.Time
		ServiceFilter                          string
	}
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&ask) != nil || !ask.FilterStartDateTime.Before(ask.FilterEndDateTime) {
		refuse(w, http.StatusBadRequest, "BadRequest", "A window is wanted.")
		return
	}
	if !s.admitQuery(w, r, ask.ServiceFilter) {
		return
	}
	s.mu.Lock()
	id := record.Hash(uint64(len(s.queries)), 77).String()
	q := &auditQuery{from: ask.FilterStartDateTime, to: ask.FilterEndDateTime, service: ask.ServiceFilter}
	s.queries[id] = q
	s.mu.Unlock()
	s.showQuery(w, http.StatusCreated, id, q)
}

func (s *Server) getQuery(w http.ResponseWriter, r *http.Request) {
	if !s.admitQuery(w, r, slices.Collect(maps.Keys(auditQueryRoles))...) {
		return
	}
	s.mu.Lock()
	q := s.queries[r.PathValue("id")]
	if q != nil {
		q.looks++
	}
	s.mu.Unlock()
	if q == nil {
		refuse(w, http.StatusNotFound, "ItemNotFound", "There is no such query.")
		return
	}
	s.showQuery(w, http.StatusOK, r.PathValue("id"), q)
}

func (s *Server) showQuery(w http.ResponseWriter, status int, id string, q *auditQuery) {
	s.mu.Lock()
	looks := q.looks
	s.mu.Unlock()
	v := map[string]any{"id": id, "displayName": "", "filterStartDateTime": stamp(q.from), "filterEndDateTime": stamp(q.to), "status": "notStarted"}
	switch {
	case looks == 1:
		v["status"] = "running"
	case looks > 1:
		v["status"] = "succeeded"
		if !s.cfg.SilentCap {
			n := len(s.auditRecords(q))
			v["recordCountLimit"], v["approximateReturnedRecordCount"], v["isRecordCountLimitExceeded"] = s.cfg.Cap, min(n, s.cfg.Cap), n > s.cfg.Cap
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (s *Server) getRecords(w http.ResponseWriter, r *http.Request) {
	if !s.admitQuery(w, r, slices.Collect(maps.Keys(auditQueryRoles))...) {
		return
	}
	s.mu.Lock()
	q := s.queries[r.PathValue("id")]
	skip, _ := strconv.Atoi(r.URL.Query().Get("$skiptoken"))
	readings := 0
	if q != nil && skip == 0 {
		q.readings++
	}
	if q != nil {
		readings = q.readings
	}
	s.mu.Unlock()
	if q == nil {
		refuse(w, http.StatusNotFound, "ItemNotFound", "There is no such query.")
		return
	}
	list := s.auditRecords(q)
	list = list[:min(len(list), s.cfg.Cap)]
	if s.cfg.Shaky && readings%2 == 0 { // one of a hundred is not there this time
		list = slices.DeleteFunc(slices.Clone(list), func(raw json.RawMessage) bool {
			h := record.HashText(string(raw))
			return (int(h[0])<<8|int(h[1]))%100 == 0
		})
	}
	to := min(len(list), skip+auditPage)
	page := map[string]any{"value": list[min(skip, len(list)):to]}
	if to < len(list) {
		page["@odata.nextLink"] = base(r) + r.URL.Path + "?$skiptoken=" + strconv.Itoa(to)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(page)
}

// auditRecords are all records of a query's window, in no order that means anything.
func (s *Server) auditRecords(q *auditQuery) []json.RawMessage {
	q.once.Do(func() { q.list = s.findRecords(q.from, q.to, q.service) })
	return q.list
}

func (s *Server) findRecords(from, to time.Time, service string) (list []json.RawMessage) {
	for _, st := range company.Streams {
		s.cfg.Tenant.Happened(st, from, to, func(at, _ time.Time, raw []byte) bool {
			var v struct{ ID, Operation, UserID, Workload, OrganizationID string }
			if json.Unmarshal(raw, &v) != nil || service != "" && v.Workload != service {
				return true
			}
			r, err := json.Marshal(map[string]any{
				"id": v.ID, "createdDateTime": stamp(at), "operation": v.Operation, "userPrincipalName": v.UserID, "service": v.Workload,
				"organizationId": v.OrganizationID, "auditData": json.RawMessage(slices.Clone(raw)),
			})
			if err != nil {
				panic(err) // what we make ourselves
			}
			list = append(list, r)
			return true
		})
	}
	return list
}
