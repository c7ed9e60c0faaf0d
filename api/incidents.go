// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"time"

	"github.com/daybreak-sec/daybreak/incident"
)

type incidentsInput struct {
	Tenant   string    `query:"tenant" maxLength:"256" doc:"Only of this tenant"`
	State    []string  `query:"state" enum:"open,acknowledged,contained,closed" doc:"Only in one of these states"`
	Level    string    `query:"level" enum:"informational,low,medium,high,critical" doc:"Only of this level or a graver one"`
	Since    time.Time `query:"since" doc:"Only what was still going on at this time or later"`
	Until    time.Time `query:"until" doc:"Only what had begun before this time"`
	Incident string    `query:"incident" maxLength:"64" doc:"Of alerts: only those of this incident"`
	Rule     string    `query:"rule" maxLength:"256" doc:"Of alerts: only those of this rule"`
	Limit    int       `query:"limit" default:"1000" minimum:"1" maximum:"100000" doc:"Most results; the newest are taken"`
}

func (in *incidentsInput) filter() incident.Filter {
	return incident.Filter{
		Tenant: in.Tenant, States: in.State, Level: in.Level, Since: in.Since, Until: in.Until,
		Incident: in.Incident, Rule: in.Rule, Limit: in.Limit,
	}
}

func (s *surface) incidents(ctx context.Context, in *incidentsInput) (*body[[]incident.Summary], error) {
	list, err := s.node.Incidents(ctx, in.filter())
	if err != nil {
		return nil, problem(err)
	}
	return &body[[]incident.Summary]{append([]incident.Summary{}, list...)}, nil
}

type incidentInput struct {
	ID string `path:"id" maxLength:"64" doc:"Id of an incident, or one that it had before" example:"i0123456789abcdef0123456789abcdef"`
}

func (s *surface) incident(ctx context.Context, in *incidentInput) (*body[*incident.Incident], error) {
	x, err := s.node.Incident(ctx, in.ID)
	if err != nil {
		return nil, problem(err)
	}
	return &body[*incident.Incident]{x}, nil
}

type decisionInput struct {
	ID   string `path:"id" maxLength:"64" doc:"Id of an incident"`
	Body struct {
		By       string   `json:"by" minLength:"1" maxLength:"256" doc:"Who decides"`
		State    string   `json:"state,omitempty" enum:"open,acknowledged,contained,closed"`
		Assignee *string  `json:"assignee,omitempty" maxLength:"256" doc:"Who takes care of it; empty for nobody"`
		Note     string   `json:"note,omitempty" maxLength:"16384"`
		Split    []string `json:"split,omitempty" maxItems:"10000" doc:"Ids of alerts that are another matter"`
		Merge    string   `json:"merge,omitempty" maxLength:"64" doc:"Id of an incident that is the same matter"`
	}
}

func (s *surface) decide(ctx context.Context, in *decisionInput) (*body[*incident.Summary], error) {
	b := &in.Body
	x, err := s.node.Decide(ctx, in.ID, incident.Decision{
		By: b.By, State: b.State, Assignee: b.Assignee, Note: b.Note, Split: b.Split, Merge: b.Merge,
	})
	if err != nil {
		return nil, problem(err)
	}
	return &body[*incident.Summary]{x}, nil
}

func (s *surface) alerts(ctx context.Context, in *incidentsInput) (*body[[]incident.Alert], error) {
	list, err := s.node.Alerts(ctx, in.filter())
	if err != nil {
		return nil, problem(err)
	}
	return &body[[]incident.Alert]{append([]incident.Alert{}, list...)}, nil
}

type alertInput struct {
	ID string `path:"id" maxLength:"64" doc:"Id of an alert" example:"a0123456789abcdef0123456789abcdef"`
}

func (s *surface) alert(ctx context.Context, in *alertInput) (*body[*incident.Alert], error) {
	x, err := s.node.Alert(ctx, in.ID)
	if err != nil {
		return nil, problem(err)
	}
	return &body[*incident.Alert]{x}, nil
}
