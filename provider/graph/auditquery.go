// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// AuditQueryDomain is the limit domain of these queries.
const AuditQueryDomain = "graph-audit-query"

// AuditQueryRole is the application permission that queries of all of the unified audit log take.
const AuditQueryRole = "AuditLogsQuery.Read.All"

// AuditService is a service whose part of the unified audit log can be queried with a permission of its own.
type AuditService struct {
	Role     string
	Workload string // as its records name it, and the filter of a query
}

// AuditServices are all that have one; records of every other service take [AuditQueryRole]
// (https://learn.microsoft.com/graph/api/security-auditcoreroot-post-auditlogqueries).
var AuditServices = []AuditService{
	{"AuditLogsQuery-CRM.Read.All", "CRM"},
	{"AuditLogsQuery-Endpoint.Read.All", "Endpoint"},
	{"AuditLogsQuery-Entra.Read.All", "AzureActiveDirectory"},
	{"AuditLogsQuery-Exchange.Read.All", "Exchange"},
	{"AuditLogsQuery-OneDrive.Read.All", "OneDrive"},
	{"AuditLogsQuery-SharePoint.Read.All", "SharePoint"},
}

// AuditScope says of which workloads an application with these permissions may query the records, and of which not; both are
// empty if it may query all, and what it may is empty if that is nothing.
func AuditScope(roles []string) (may, not []string) {
	if slices.Contains(roles, AuditQueryRole) {
		return nil, nil
	}
	for _, s := range AuditServices {
		if slices.Contains(roles, s.Role) {
			may = append(may, s.Workload)
		} else {
			not = append(not, s.Workload)
		}
	}
	return may, append(not, OtherWorkloads)
}

// OtherWorkloads are all that have no permission of their own.
const OtherWorkloads = "all other workloads"

// AuditQuery is a search of the unified audit log, which Microsoft runs in its own time
// (https://learn.microsoft.com/graph/api/resources/security-auditlogquery).
type AuditQuery struct {
	ID     string
	Status string // notStarted, running, succeeded, failed, cancelled
	// Limit is how many records it gives at most, and Count about how many it has found; zero where the answer does not say.
	Limit, Count int64
	// Exceeded: there is more than it gives. That is said of one that has succeeded, too.
	Exceeded bool
}

const auditQueries = "v1.0/security/auditLog/queries"

var queryID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// StartAuditQuery starts a search for all records of [from, to), or those of a workload.
func (c *Client) StartAuditQuery(ctx context.Context, p budget.Priority, name, workload string, from, to time.Time) (*AuditQuery, error) {
	ask := map[string]string{"displayName": name, "filterStartDateTime": from.UTC().Format(timeForm), "filterEndDateTime": to.UTC().Format(timeForm)}
	if workload != "" {
		ask["serviceFilter"] = workload
	}
	body, err := json.Marshal(ask)
	if err != nil {
		return nil, err
	}
	return c.auditQuery(ctx, p, rest.Call{Op: "query", Method: http.MethodPost, URL: c.root.JoinPath(auditQueries), Body: body, Accept: "{"})
}

// AuditQuery says how a search stands.
func (c *Client) AuditQuery(ctx context.Context, p budget.Priority, id string) (*AuditQuery, error) {
	return c.auditQuery(ctx, p, rest.Call{Op: "query", Method: http.MethodGet, URL: c.root.JoinPath(auditQueries, url.PathEscape(id)), Accept: "{"})
}

func (c *Client) auditQuery(ctx context.Context, p budget.Priority, k rest.Call) (*AuditQuery, error) {
	q := new(AuditQuery)
	err := c.JSON(ctx, p, k, func(root jsontape.Value, _ *rest.Answer) error {
		q.ID, q.Status = string(root.Get("id").Str()), string(root.Get("status").Str())
		q.Limit, _ = root.Get("recordCountLimit").Int()
		q.Count, _ = root.Get("approximateReturnedRecordCount").Int()
		q.Exceeded, _ = root.Get("isRecordCountLimitExceeded").Bool()
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !queryID.MatchString(q.ID) || q.Status == "" {
		return nil, &rest.Error{API: apiName, Op: k.Op, Status: http.StatusOK, Class: rest.ClassRetry, Message: "the answer is no query: it has no id or no status"}
	}
	return q, nil
}

// AuditRecords reads a page of what a search has found, or the one that next, a former page's, leads to.
func (c *Client) AuditRecords(ctx context.Context, p budget.Priority, id, next string) (*Page, error) {
	k := rest.Call{Op: "records", Method: http.MethodGet, Accept: "{", URL: c.root.JoinPath(auditQueries, url.PathEscape(id), "records")}
	return c.page(ctx, p, k, next)
}
