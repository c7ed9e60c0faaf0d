// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package windows

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/exchange"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// Exchange Server writes each cmdlet that was run into a log of its own: 1 if it succeeded, 6 if it failed. The elements have no
// names: the first is the cmdlet, the second its parameters, the third who ran it, the fourth the caller's SID. The message says
// the first two: "Cmdlet succeeded. Cmdlet New-InboxRule, parameters -Name "a"." So it is known of them from events and messages that
// administrators have published; Microsoft documents neither.
const (
	exchangeProvider = "MSExchange CmdletLogs"
	exchangeChannel  = "MSExchange Management"
)

// cmdlet is for what stands beside the command. Its class is that of the command.
var cmdlet = &rule{fields: members.Table{
	param(1): {Fn: read}, param(2): {Fn: read}, param(3): {Fn: read}, param(4): text(ocsf.PathActorUserUIDAlt),
}}

func read(v jsontape.Value, _ *ocsf.Event) bool { return v.Kind() == jsontape.String }

// command reads the cmdlet that an event tells of.
func command(r *record) (c *exchange.Command, ok bool) {
	if r.form == nil || r.id != 1 && r.id != 6 || string(r.channel) != exchangeChannel && string(r.provider) != exchangeProvider {
		return nil, false
	}
	c = &exchange.Command{
		Name: r.data.Get(param(1)).Str(), Parameters: r.data.Get(param(2)).Str(), Caller: said(r.data.Get(param(3))),
		Time: r.form.when(r.root).Str(), Failed: r.id == 6,
	}
	if len(c.Name) == 0 {
		_, text, _ := bytes.Cut(first(r.root, rendered).Str(), []byte(". Cmdlet "))
		c.Name, c.Parameters, _ = bytes.Cut(text, []byte(", parameters "))
		c.Parameters = bytes.TrimSuffix(bytes.TrimSpace(c.Parameters), []byte("."))
	}
	// What is no cmdlet's name is nothing that is known here.
	return c, bytes.IndexByte(c.Name, '-') > 0 && !bytes.ContainsAny(c.Name, " \t\r\n")
}

// Unified is an event about a cmdlet of Exchange Server as a record of the unified audit log, with all that the event has beside it;
// ok is false if it is none.
func Unified(root jsontape.Value) (as jsontape.Value, ok bool) {
	f := formOf(root)
	if f == nil || string(first(f.in(root), f.channel).Str()) != exchangeChannel {
		return root, false
	}
	r := open(root)
	c, ok := command(&r)
	if !ok {
		return root, false
	}
	return exchange.Cmdlet(c, root), true
}
