// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// maxText bounds a title or a list of names in a chat, in bytes: Slack takes 150 characters of a
// header and 2,000 of a field.
const maxText = 140

// headline is the message in a line.
func headline(m *Message) string {
	what := "New incident"
	if m.Type != "incident.opened" {
		what = "Incident"
	}
	return fmt.Sprintf("%s (%s, %s): %s", what, m.Level, m.State, short(m.Title))
}

// facts are what else is told, in order: names and values.
func facts(m *Message) [][2]string {
	alerts := fmt.Sprintf("%d, from %s to %s", m.Alerts, stamp(m.First), stamp(m.Last))
	list := [][2]string{{"Level", m.Level}, {"State", m.State}, {"Alerts", alerts}}
	for _, f := range [][2]string{
		{"Before", m.Was},
		{"About", short(strings.Join(m.Who, ", "))},
		{"ATT&CK", strings.Join(m.Tactics, ", ")},
		{"Assigned to", short(m.Assignee)},
		{"Tenant", short(m.Tenant)},
		{"Incident", m.Incident},
	} {
		if f[1] != "" {
			list = append(list, f)
		}
	}
	return list
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// short bounds what strangers chose, and keeps it in a line.
func short(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 { // and what turns text around
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}

// slackBody is the JSON of an incoming webhook: docs.slack.dev/reference/block-kit.
func slackBody(m *Message) []byte {
	// In mrkdwn these three have to be escaped, which also keeps mentions and links from working.
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace
	type object = map[string]any
	var lines []string
	for _, f := range facts(m) {
		lines = append(lines, "*"+escape(f[0])+"* "+escape(f[1]))
	}
	blocks := []object{
		{"type": "header", "text": object{"type": "plain_text", "text": cutTo(headline(m), 150), "emoji": false}},
		{"type": "section", "text": object{"type": "mrkdwn", "text": strings.Join(lines, "\n"), "verbatim": true}},
	}
	if m.URL != "" {
		blocks = append(blocks, object{"type": "section", "text": object{"type": "mrkdwn", "text": "<" + escape(m.URL) + "|Show the incident>"}})
	}
	return must(object{"text": escape(headline(m)), "blocks": blocks})
}

// teamsBody is the JSON of a workflow's webhook, with an Adaptive Card: adaptivecards.io, and "Create
// incoming webhooks with Workflows for Microsoft Teams" (support.microsoft.com).
func teamsBody(m *Message) []byte {
	type object = map[string]any
	// Text blocks and facts understand some Markdown.
	escape := strings.NewReplacer(`\`, `\\`, `*`, `\*`, `_`, `\_`, `[`, `\[`, `]`, `\]`, `(`, `\(`, `)`, `\)`, "`", "\\`").Replace
	var list []object
	for _, f := range facts(m) {
		list = append(list, object{"title": f[0], "value": escape(f[1])})
	}
	card := object{
		"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
		"body": []object{
			{"type": "TextBlock", "size": "Large", "weight": "Bolder", "wrap": true, "text": escape(headline(m))},
			{"type": "FactSet", "facts": list},
		},
	}
	if m.URL != "" {
		card["actions"] = []object{{"type": "Action.OpenUrl", "title": "Show the incident", "url": m.URL}}
	}
	return must(object{"type": "message", "attachments": []object{{
		"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil, "content": card,
	}}})
}

func cutTo(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-3], "") + "…"
}

// must is for values that can always be written.
func must(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
