// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package controls

import (
	"context"
	"strings"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/okta"
)

const (
	logStreams = "log-stream"
	eventHooks = "event-hook"
)

// ofOkta are the controls of an organization at Okta. The System Log itself cannot be switched off, and whoever loses the right to
// read it is told so by the API.
func ofOkta() []Control {
	return []Control{
		{
			Name: logStreams, Title: "streams by which Okta sends the System Log out",
			Needs:  "an access token with okta.logStreams.read, or an API token of a super administrator",
			reason: act.LoggingOff, streams: func(w *Watch, _ *state) []string { return w.scope.Streamed }, read: readLogStreams,
		},
		{
			Name: eventHooks, Title: "event hooks by which Okta sends events of the System Log out",
			Needs:  "an access token with okta.eventHooks.read, or an API token of a super administrator",
			reason: act.LoggingOff, streams: func(w *Watch, _ *state) []string { return w.scope.Hooked }, read: readEventHooks,
		},
	}
}

func readLogStreams(ctx context.Context, w *Watch, _ []subject) ([]state, error) {
	list, err := w.o.Okta.LogStreams(ctx, budget.Sweep)
	if err != nil {
		return nil, err
	}
	return w.outlets(logStreams, "log stream", w.o.Desired.LogStreams, outletsOf(list, false), w.scope.Streamed), nil
}

func readEventHooks(ctx context.Context, w *Watch, _ []subject) ([]state, error) {
	list, err := w.o.Okta.EventHooks(ctx, budget.Sweep)
	if err != nil {
		return nil, err
	}
	return w.outlets(eventHooks, "event hook", w.o.Desired.EventHooks, outletsOf(list, true), w.scope.Hooked), nil
}

// outletsOf says of streams or hooks whether they are on: active, and a hook also verified.
func outletsOf(list []okta.Outlet, hooks bool) []outlet {
	have := make([]outlet, len(list))
	for i, o := range list {
		have[i] = outlet{id: clip(o.ID), name: o.ID + " (" + o.Name + ")", value: map[string]any{"name": o.Name, "status": o.Status, "to": o.To}}
		if hooks {
			have[i].value["verified"], have[i].value["events"] = o.Verified, o.Events
		} else {
			have[i].value["type"] = o.Type
		}
		switch {
		case o.Status != "ACTIVE":
			have[i].off = o.Status
		case hooks && !o.Verified:
			have[i].off = "not verified"
		}
	}
	return have
}

// target is the stream or the hook that an event of the System Log is about, if one of its targets is of such a type: which
// types targets have Okta does not list.
func target(kind string) func(jsontape.Value) subject {
	return func(root jsontape.Value) subject {
		for v := root.Get("target").First(); v.Exists(); v = v.Next() {
			if strings.Contains(strings.ToLower(string(v.Get("type").Str())), kind) {
				return subject{name: clip(string(v.Get("id").Str()))}
			}
		}
		return subject{}
	}
}
