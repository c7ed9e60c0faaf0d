// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package slack

import (
	"fmt"
	"strings"

	"github.com/daybreak-sec/daybreak/sim/record"
	"github.com/daybreak-sec/daybreak/sim/service"
)

// fields are the members of an object.
type fields map[string]any

// kind is a kind of act: its share among all, and what it is done to.
type kind struct {
	weight  int
	action  string
	entity  func(s *Server, a *service.Act) (typ string, object fields)
	details func(s *Server, a *service.Act) fields // nil: none
}

var people = []kind{
	{300, "user_login", self, nil},
	{60, "user_logout", self, nil},
	{6, "user_login_failed", self, nil},
	{260, "file_downloaded", file, nil},
	{200, "file_uploaded", file, nil},
	{60, "file_shared", file, nil},
	{8, "file_public_link_created", file, nil},
	{120, "user_channel_join", channel, nil},
	{60, "user_channel_leave", channel, nil},
	{40, "public_channel_created", channel, nil},
	{24, "private_channel_created", channel, nil},
	{12, "public_channel_archive", channel, nil},
	{10, "channel_renamed", channel, nil},
	{6, "external_shared_channel_invite_sent", channel, nil},
	{10, "user_created", other, nil},
	{6, "user_deactivated", other, nil},
	{6, "guest_created", other, nil},
	{4, "role_change_to_admin", other, nil},
	{4, "user_session_reset_by_admin", other, nil},
	{16, "app_installed", app, scopes},
	{6, "app_approved", app, nil},
	{6, "app_uninstalled", app, nil},
	{4, "app_scopes_expanded", app, scopes},
	{10, "workflow_created", func(_ *Server, a *service.Act) (string, fields) {
		n := a.N(40)
		return "workflow", fields{"id": id('W', uint64(n)), "name": fmt.Sprintf("Request %d", n+1)}
	}, nil},
	{3, "pref.two_factor_auth_changed", workspace, func(*Server, *service.Act) fields {
		return fields{"new_value": "true", "previous_value": "false"}
	}},
	{1, "manual_export_started", workspace, nil},
	{2, "anomaly", self, func(_ *Server, a *service.Act) fields {
		return fields{"action_timestamp": a.At.Unix() * 1000, "reason": []string{"user_agent", "asn"}, "location": "somewhere else"}
	}},
}

var machines = []kind{
	{50, "file_uploaded", file, nil},
	{20, "public_channel_created", channel, nil},
	{10, "user_channel_join", channel, nil},
}

// entry makes the entry of an act.
func (s *Server) entry(a *service.Act) fields {
	list := people
	if a.Who < 0 {
		list = machines
	}
	k := service.Pick(a, list, func(k *kind) int { return k.weight })
	typ, object := k.entity(s, a)
	agent := "daybreak-simulated-bot/1.0"
	if a.Who >= 0 {
		agent = s.cfg.Company.Person(a.Who).Devices[0].UserAgent
	}
	context := fields{
		"location":   fields{"type": "enterprise", "id": s.Organization(), "name": s.name(), "domain": s.name()},
		"ua":         agent,
		"ip_address": a.Address().String(),
	}
	if a.Who >= 0 { // a session of half a day
		context["session_id"] = int64(record.Mix(record.Mix(s.cfg.Seed, uint64(a.Who)), uint64(a.At.Unix()/43200)) % 1e13)
	}
	f := fields{
		"id": a.ID.String(), "date_create": a.At.Unix(), "action": k.action,
		"actor": fields{"type": "user", "user": s.member(a.Who)}, "entity": fields{"type": typ, typ: object}, "context": context,
	}
	if k.details != nil {
		f["details"] = k.details(s, a)
	}
	return f
}

func (s *Server) name() string {
	brand, _, _ := strings.Cut(s.cfg.Company.Domain(), ".")
	return brand
}

// UserID is the id of a person's account.
func (s *Server) UserID(n int) string { return id('U', record.Mix(s.cfg.Seed, 100+uint64(n))) }

// member is a person as entries name one; -1 is an application's bot.
func (s *Server) member(n int) fields {
	if n < 0 {
		return fields{"id": id('U', record.Mix(s.cfg.Seed, 50)), "name": "release bot", "email": "", "team": s.team()}
	}
	p := s.cfg.Company.Person(n)
	return fields{"id": s.UserID(n), "name": p.DisplayName, "email": p.UPN, "team": s.team()}
}

// team is the workspace that all are in.
func (s *Server) team() string { return id('T', record.Mix(s.cfg.Seed, 2)) }

func self(s *Server, a *service.Act) (string, fields) { return "user", s.member(a.Who) }

func other(s *Server, a *service.Act) (string, fields) { return "user", s.member(a.Other()) }

func channel(s *Server, a *service.Act) (string, fields) {
	n := a.N(60)
	name := []string{"general", "payments", "release", "design", "incidents", "lunch"}[n%6]
	if n >= 6 {
		name = fmt.Sprintf("%s-%d", name, n/6)
	}
	return "channel", fields{
		"id": id('C', record.Mix(s.cfg.Seed, 1000+uint64(n))), "name": name, "privacy": []string{"public", "private"}[n%7/6],
		"is_shared": false, "is_org_shared": false,
	}
}

func file(s *Server, a *service.Act) (string, fields) {
	n := a.N(3000)
	name := []string{"Budget.xlsx", "Roadmap.pdf", "Screenshot.png", "Contract.docx", "build.log"}[n%5]
	return "file", fields{"id": id('F', record.Mix(s.cfg.Seed, 10_000+uint64(n))), "name": name, "filetype": name[strings.LastIndexByte(name, '.')+1:], "title": name}
}

func app(s *Server, a *service.Act) (string, fields) {
	n := a.N(4)
	return "app", fields{
		"id": id('A', record.Mix(s.cfg.Seed, 500+uint64(n))), "name": []string{"Ticket Bridge", "Poll Maker", "Release Robot", "Stand-up"}[n],
		"is_distributed": n > 1, "is_directory_approved": n > 1, "scopes": []string{"chat:write", "channels:read"},
	}
}

func scopes(*Server, *service.Act) fields {
	return fields{"new_scopes": []string{"chat:write", "channels:read"}, "previous_scopes": []string{}}
}

func workspace(s *Server, _ *service.Act) (string, fields) {
	return "workspace", fields{"id": s.team(), "name": s.name(), "domain": s.name()}
}
