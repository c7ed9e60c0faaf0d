// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package github

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"time"

	"github.com/daybreak-sec/daybreak/sim/record"
	"github.com/daybreak-sec/daybreak/sim/service"
)

// API is the log of calls of the REST API, which the stream has and the audit log API has not
// (https://docs.github.com/admin/monitoring-activity-in-your-enterprise/reviewing-audit-logs-for-your-enterprise/streaming-the-audit-log-for-your-enterprise).
const API = "api"

// api is what programs ask of the REST API.
var api = []kind{
	{600, "api.request", "access", call("GET", "/repos/%s/contents/README.md", 200)},
	{200, "api.request", "access", call("GET", "/repos/%s/pulls", 200)},
	{120, "api.request", "access", call("POST", "/repos/%s/issues", 201)},
	{40, "api.request", "access", call("PUT", "/repos/%s/collaborators/octo", 403)},
}

func call(method, path string, status int) func(*Server, *service.Act, fields) {
	return func(s *Server, a *service.Act, f fields) {
		repository(s, a, f)
		f["request_method"], f["url_path"], f["status_code"] = method, fmt.Sprintf(path, f["repo"]), status
		f["route"], f["rate_limit_remaining"], f["request_id"] = fmt.Sprintf(path, "/repositories/:id"), a.N(5000), record.HashText("request", a.ID.String()).String()
	}
}

// Streamed calls yield with what the stream has of [from, to): the records of each log as the API has them, byte for byte, and
// those of [API]. The order is that of the logs.
func (s *Server) Streamed(from, to time.Time, yield func(at time.Time, raw []byte)) {
	for _, log := range []string{Web, Git, API} {
		s.Happened(log, from, to, func(at, _ time.Time, raw []byte) bool {
			yield(at, raw)
			return true
		})
	}
}

// File is how the stream puts records into a bucket: lines of JSON in gzip, named by the minute and at random. GitHub's page
// prints the form YYYY/MM/HH/MM/UUID.json.gz, in which the day is missing; here it is there.
func (s *Server) File(at time.Time, records ...[]byte) (key string, content []byte) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for _, raw := range records {
		_, _ = z.Write(raw) // into memory
		_, _ = z.Write([]byte{'\n'})
	}
	_ = z.Close()
	id := record.HashText("file", s.Enterprise(), at.Format(time.RFC3339Nano), fmt.Sprint(len(records)))
	return at.UTC().Format("2006/01/02/15/04/") + id.String() + ".json.gz", b.Bytes()
}
