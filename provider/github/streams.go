// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package github

import (
	"context"
	"net/http"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// The limit domain of the settings of audit log streaming, and what we ask in a minute at most. GitHub answers fifteen
// requests an hour, to classic tokens with admin:enterprise
// (https://github.blog/changelog/2024-07-15-audit-log-streaming-can-now-be-configured-via-githubs-rest-api-private-beta), of
// which some are left for others.
const (
	StreamsDomain    = "github-audit-log-streams"
	StreamsPerMinute = 30
	StreamsPerHour   = 12
)

// AuditStream is a stream by which an enterprise has its audit log sent to somewhere.
type AuditStream struct {
	ID       int64
	Type     string // Amazon S3, Azure Blob Storage, Azure Event Hubs, Datadog, Google Cloud Storage, HTTPS Event Collector, Splunk
	Details  string // where to, as GitHub describes it
	Enabled  bool
	PausedAt string // as GitHub writes it; empty: it is not paused
}

// mostStreams bounds what is taken of an answer.
const mostStreams = 1000

// AuditStreams reads the streams of an enterprise: GET /enterprises/ENTERPRISE/audit-log/streams
// (https://docs.github.com/enterprise-cloud@latest/rest/enterprise-admin/audit-log#list-audit-log-stream-configurations-for-an-enterprise),
// which has no pages. It shows the configuration and none of its secrets.
func (c *Client) AuditStreams(ctx context.Context, p budget.Priority) (list []AuditStream, err error) {
	k := rest.Call{Op: "streams", Method: http.MethodGet, URL: c.log.JoinPath("streams"), Accept: "["}
	hostile := func(message string) error {
		return &rest.Error{API: apiName, Op: k.Op, Status: http.StatusOK, Class: rest.ClassHostile, Message: message}
	}
	err = c.JSON(ctx, p, k, func(root jsontape.Value, _ *rest.Answer) error {
		for v := root.First(); v.Exists(); v = v.Next() {
			id, ok1 := v.Get("id").Int()
			on, ok2 := v.Get("enabled").Bool()
			if !ok1 || !ok2 {
				return hostile("an audit log stream in the answer has no id, or does not say whether it is enabled")
			}
			if len(list) == mostStreams {
				return hostile("the answer has more than a thousand audit log streams")
			}
			list = append(list, AuditStream{id, rest.Line(string(v.Get("stream_type").Str())), rest.Line(string(v.Get("stream_details").Str())), on, rest.Line(string(v.Get("paused_at").Str()))})
		}
		return nil
	})
	if e := rest.Of(err); err != nil && e.Class == rest.ClassAdmin {
		e.Action = streamsPermission
	}
	return list, err
}

const streamsPermission = "check the enterprise's name, and give a classic token of one of its owners with admin:enterprise"
