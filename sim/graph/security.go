// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/record"
)

// found is what the unified audit log says of an alert, or of a message that was judged.
type found struct {
	ID, Operation, Name, Severity, Category                   string
	AlertEntityID, DeliveryAction, P1Sender, SenderIP         string
	InternetMessageID, NetworkMessageID, Subject, MessageTime string
	Recipients                                                []string
	at, settled                                               time.Time
}

// each calls yield with what General's log tells of [from, to) by operations of these names.
func (s *Server) each(from, to time.Time, operations string, yield func(*found)) {
	s.cfg.Tenant.Happened(company.General, from, to, func(at, settled time.Time, raw []byte) bool {
		f := found{at: at.UTC().Truncate(time.Second), settled: settled}
		if json.Unmarshal(raw, &f) == nil && strings.Contains(operations, f.Operation+" ") {
			yield(&f)
		}
		return true
	})
}

// work is what people do about an alert, by how long after it came.
var work = []struct {
	after                    time.Duration
	alert, incident, verdict string
}{{0, "new", "active", "unknown"}, {20 * time.Minute, "inProgress", "inProgress", "unknown"}, {2 * time.Hour, "resolved", "resolved", "truePositive"}}

// versions calls yield with the version of each alert that stands now, if it came about in [from, to).
func (s *Server) versions(from, to, now time.Time, yield func(f *found, step int, at time.Time)) {
	last := work[len(work)-1].after
	s.each(from.Add(-last), to, "AlertTriggered AlertEntityGenerated ", func(f *found) {
		for step := len(work) - 1; step >= 0; step-- {
			at := f.at.Add(work[step].after)
			if at.After(now) {
				continue
			}
			if !at.Before(from) && at.Before(to) {
				yield(f, step, at)
			}
			return
		}
	})
}

func (s *Server) tenant() string {
	tenant, _, _ := s.cfg.Tenant.Credentials()
	return tenant
}

// incidentOf is the number of the incident that an alert belongs to.
func incidentOf(id string) string {
	h := record.HashText("incident", id)
	return strconv.Itoa(int(h[0])<<16 | int(h[1])<<8 | int(h[2]))
}

// analyst is who takes care.
func (s *Server) analyst() string { return s.cfg.Tenant.Company().Person(0).UPN }

func alerts(s *Server, from, to, now time.Time, yield func(string, time.Time, time.Time, map[string]any)) {
	s.versions(from, to, now, func(f *found, step int, at time.Time) {
		r := map[string]any{
			"@odata.type": "#microsoft.graph.security.alert", "id": "ad" + f.ID, "providerAlertId": f.ID, "incidentId": incidentOf(f.ID), "tenantId": s.tenant(),
			"status": work[step].alert, "severity": strings.ToLower(f.Severity), "classification": work[step].verdict, "serviceSource": "microsoftDefenderForOffice365",
			"detectionSource": "microsoftDefenderForOffice365", "title": f.Name, "category": f.Category, "createdDateTime": stamp(f.at), "lastUpdateDateTime": stamp(at),
			"firstActivityDateTime": stamp(f.at.Add(-9 * time.Minute)), "lastActivityDateTime": stamp(f.at), "alertWebUrl": "https://security.provider.example/alerts/" + f.ID,
			"evidence": []any{}, "comments": []any{}, "assignedTo": nil, "resolvedDateTime": nil,
		}
		if step > 0 {
			r["assignedTo"] = s.analyst()
		}
		if step == len(work)-1 {
			r["resolvedDateTime"] = stamp(at)
		}
		if strings.Contains(f.AlertEntityID, "@") {
			r["evidence"] = []any{map[string]any{
				"@odata.type": "#microsoft.graph.security.userEvidence", "verdict": "suspicious", "userAccount": map[string]any{"userPrincipalName": f.AlertEntityID},
			}}
		}
		yield("alerts", at, f.settled, r)
	})
}

func incidents(s *Server, from, to, now time.Time, yield func(string, time.Time, time.Time, map[string]any)) {
	s.versions(from, to, now, func(f *found, step int, at time.Time) {
		r := map[string]any{
			"id": incidentOf(f.ID), "tenantId": s.tenant(), "displayName": f.Name + " (one user)", "status": work[step].incident, "severity": strings.ToLower(f.Severity),
			"classification": work[step].verdict, "determination": "unknown", "createdDateTime": stamp(f.at), "lastUpdateDateTime": stamp(at), "redirectIncidentId": nil,
			"incidentWebUrl": "https://security.provider.example/incidents/" + incidentOf(f.ID), "customTags": []any{}, "comments": []any{}, "assignedTo": nil,
		}
		if step > 0 {
			r["assignedTo"] = s.analyst()
		}
		yield("incidents", at, f.settled, r)
	})
}

// outcomes are the message trace's words for what was done with a message.
var outcomes = map[string]string{"Delivered": "delivered", "DeliveredAsSpam": "filteredAsSpam", "Blocked": "quarantined"}

// traces are of the messages that were judged on their way in. Their rows change once, when they have arrived.
func traces(s *Server, from, to, now time.Time, yield func(string, time.Time, time.Time, map[string]any)) {
	s.sent(from, to, now, yield)
	s.each(from, to, "TIMailData ", func(f *found) {
		status, ok := outcomes[f.DeliveryAction]
		if !ok {
			status = "failed"
		}
		if now.Before(f.at.Add(3 * time.Minute)) {
			status = "pending"
		}
		for _, recipient := range f.Recipients {
			yield("messageTraces", f.at, f.settled, map[string]any{
				"id": f.NetworkMessageID, "messageId": f.InternetMessageID, "receivedDateTime": stamp(f.at), "senderAddress": f.P1Sender, "recipientAddress": recipient,
				"subject": f.Subject, "size": 4000 + int(record.HashText(f.ID)[0])*100, "fromIP": f.SenderIP, "toIP": "", "status": status,
			})
		}
	})
}

// drawn is a number of a person, and of something about the person.
func drawn(p *company.Person, of string, n int64) uint64 {
	h := record.HashText(p.UPN, of, strconv.FormatInt(n, 10))
	return uint64(h[0])<<24 | uint64(h[1])<<16 | uint64(h[2])<<8 | uint64(h[3])
}

// since is when a state that changes every so often began, at a time of its own for each person.
func since(p *company.Person, of string, every time.Duration, now time.Time) (n int64, at time.Time) {
	shift := int64(drawn(p, of, -1) % uint64(every/time.Second))
	n = (now.Unix() - shift) / int64(every/time.Second)
	return n, time.Unix(n*int64(every/time.Second)+shift, 0)
}

func riskyUsers(s *Server, _, _, now time.Time, yield func(string, time.Time, time.Time, map[string]any)) {
	c := s.cfg.Tenant.Company()
	for i := range c.People() {
		p := c.Person(i)
		if drawn(&p, "risky", 0)%12 != 0 {
			continue
		}
		n, at := since(&p, "risk", 5*time.Hour, now)
		level, state := []string{"low", "medium", "high"}[drawn(&p, "level", n)%3], "atRisk"
		if drawn(&p, "state", n)%3 == 0 {
			level, state = "none", "remediated"
		}
		yield("riskyUsers", at, at, map[string]any{
			"id": p.ObjectID.String(), "userPrincipalName": p.UPN, "userDisplayName": p.DisplayName, "isDeleted": false, "isProcessing": false,
			"riskLevel": level, "riskState": state, "riskDetail": "none", "riskLastUpdatedDateTime": stamp(at),
		})
	}
}

func registrations(s *Server, _, _, now time.Time, yield func(string, time.Time, time.Time, map[string]any)) {
	c := s.cfg.Tenant.Company()
	for i := range c.People() {
		p := c.Person(i)
		n, at := since(&p, "registration", 9*24*time.Hour, now)
		methods := []string{"microsoftAuthenticatorPush", "softwareOneTimePasscode"}
		if drawn(&p, "methods", n)%3 == 0 {
			methods = append(methods, "mobilePhone")
		}
		mfa := drawn(&p, "mfa", 0)%20 != 0
		if !mfa {
			methods = []string{}
		}
		yield("userRegistrationDetails", at, at, map[string]any{
			"id": p.ObjectID.String(), "userPrincipalName": p.UPN, "userDisplayName": p.DisplayName, "userType": "member", "isAdmin": p.Admin,
			"isMfaRegistered": mfa, "isMfaCapable": mfa, "methodsRegistered": methods, "lastUpdatedDateTime": stamp(at),
		})
	}
}
