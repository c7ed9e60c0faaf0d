// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package controls

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/provider/budget"
)

const (
	auditStreams = "audit-log-streaming"
	disclosure   = "source-ip-disclosure"
)

// ofGitHub are the controls of an enterprise at GitHub. Whether calls of the API are in the stream, and which events of Git,
// no API says, and no record is documented that tells of a change.
func ofGitHub() []Control {
	return []Control{
		{
			Name: auditStreams, Title: "streams by which GitHub sends the audit log out",
			Needs:  "a classic token of an owner of the enterprise, with the scope that GitHub asks for this endpoint (admin:enterprise)",
			reason: act.LoggingOff, streams: func(w *Watch, _ *state) []string { return w.scope.Streamed }, read: readAuditStreams,
		},
		{
			Name: disclosure, Title: "addresses in the records of the audit log",
			Needs: "a record of its change, for no API says how it stands", Told: true, Unread: true, read: readDisclosure,
		},
	}
}

func readAuditStreams(ctx context.Context, w *Watch, _ []subject) ([]state, error) {
	streams, err := w.o.GitHub.AuditStreams(ctx, budget.Sweep)
	if err != nil {
		return nil, err
	}
	have := make([]outlet, len(streams))
	for i, s := range streams {
		id := strconv.FormatInt(s.ID, 10)
		have[i] = outlet{id: id, name: id + " (" + s.Type + ")", value: map[string]any{"type": s.Type, "details": s.Details, "enabled": s.Enabled, "paused_at": s.PausedAt}}
		switch {
		case s.PausedAt != "":
			have[i].off = "paused since " + s.PausedAt
		case !s.Enabled:
			have[i].off = "switched off"
		}
	}
	return w.outlets(auditStreams, "audit log stream", w.o.Desired.LogStreams, have, w.scope.Streamed), nil
}

// disclosed is what records have said of the disclosure of addresses.
type disclosed struct {
	Disclosed bool  `json:"disclosed"`
	At        int64 `json:"at"` // time of the newest record, in milliseconds
}

// readDisclosure takes the word of the newest record, whatever order they came in: the past is collected from its end.
func readDisclosure(_ context.Context, w *Watch, only []subject) (list []state, err error) {
	for _, who := range only {
		var d disclosed
		if known := w.rows[key{disclosure, who.name}]; known != nil {
			if err := json.Unmarshal([]byte(known.state), &d); err != nil {
				return nil, lacks("what was known of " + who.name)
			}
		}
		if who.at > d.At {
			d = disclosed{!strings.HasSuffix(who.before, "disable_source_ip_disclosure"), who.at}
		}
		s := state{subject: who.name, value: canonical(map[string]any{"disclosed": d.Disclosed, "at": d.At})}
		if !d.Disclosed {
			s.drift = "records of " + who.name + " do not say from which address anybody acts: source IP disclosure was switched off"
		}
		list = append(list, s)
	}
	return list, nil
}

// streamed is the audit log stream that a record is about, if it says.
func streamed(root jsontape.Value) subject {
	return subject{name: clip(strings.Trim(string(root.Get("audit_log_stream_id").Raw()), `"`))}
}

// account is the organization or the enterprise whose setting a record says was changed, and the record's action.
func account(root jsontape.Value) subject {
	action := string(root.Get("action").Str())
	name := string(root.Get("business").Str())
	if strings.HasPrefix(action, "org.") {
		name = string(root.Get("org").Str())
	}
	return subject{name: clip(name), before: action}
}
