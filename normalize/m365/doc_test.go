// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/normalize/source/sourcetest"
	"github.com/daybreak-sec/daybreak/ocsf"
	"github.com/daybreak-sec/daybreak/ocsf/schema"
)

// TestDocumentation holds docs/sources/m365.md to the tables: it stands inside
// the package because it prints them.
func TestDocumentation(t *testing.T) {
	sourcetest.Golden(t, "../../docs/sources/m365.md", string(document()))
}

func document() []byte {
	var b bytes.Buffer
	b.WriteString(introduction)
	b.WriteString("\n## Operations\n\n| class | activity | what it fills | operations |\n|---|---|---|---|\n")
	rules(&b, entraOperations, "Entra ID (record type 8)")
	rules(&b, mailboxOperations, "Mailbox auditing (record types 2, 3, 19, 50)")
	rules(&b, operations, "All others")
	b.WriteString("\n## Record types\n\nWhat an operation means that is not listed above, by its record type.\n\n| class | what it fills | record types |\n|---|---|---|\n")
	types(&b)
	b.WriteString("\n## Members\n\nA member marked * is kept under `unmapped` as well, because attributes carry a part of it only.\n\n| member | attributes |\n|---|---|\n")
	for i := range members {
		r := &members[i]
		where := r.where
		if r.to != ocsf.PathNone && where == "" {
			where = r.to.String()
		}
		if where == "" {
			continue
		}
		mark := ""
		if r.part {
			mark = " *"
		}
		fmt.Fprintf(&b, "| `%s`%s | %s |\n", r.name, mark, where)
	}
	return b.Bytes()
}

// rules prints a table of operations, those that mean the same in one row.
func rules(b *bytes.Buffer, table map[string]rule, title string) {
	same := map[rule][]string{}
	for op, r := range table {
		same[r] = append(same[r], op)
	}
	fmt.Fprintf(b, "| **%s** | | | |\n", title)
	for _, r := range slices.SortedFunc(maps.Keys(same), func(x, y rule) int {
		return strings.Compare(fmt.Sprintf("%04d %04d %04d %s", x.class, x.activity+1, x.target, x.detail), fmt.Sprintf("%04d %04d %04d %s", y.class, y.activity+1, y.target, y.detail))
	}) {
		ops := same[r]
		slices.Sort(ops)
		detail := targets[r.target].doc
		if r.detail != "" {
			detail += " (" + r.detail + ")"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", caption(r.class), activity(r), detail, strings.Join(ops, " · "))
	}
}

func types(b *bytes.Buffer) {
	same := map[rule][]string{}
	for _, n := range slices.Sorted(maps.Keys(recordTypes)) {
		t := recordTypes[n]
		same[t.rule] = append(same[t.rule], fmt.Sprintf("%d %s", n, t.name))
	}
	for _, r := range slices.SortedFunc(maps.Keys(same), func(x, y rule) int { return strings.Compare(same[x][0], same[y][0]) }) {
		fmt.Fprintf(b, "| %s | %s | %s |\n", caption(r.class), targets[r.target].doc, strings.Join(same[r], " · "))
	}
}

func caption(c ocsf.Class) string {
	return fmt.Sprintf("%s %d", schema.Load().Class(int(c)).Caption, c)
}

func activity(r rule) string {
	if r.activity == byVerb {
		return "by the words of the operation"
	}
	a, _ := schema.Load().Class(int(r.class)).Attr("activity_id")
	name, _ := a.Enum.Caption(int64(r.activity))
	return name
}

const introduction = `# Microsoft 365: the unified audit log (family ` + "`m365`" + `)

<!-- Made from the tables of normalize/m365 by go test ./normalize/m365 -update. Change those. -->

Records as the Office 365 Management Activity API delivers them, and the AuditData of exports. A record belongs to this
family if it has the members CreationTime and RecordType. Its id is Id, its tenant OrganizationId, its time CreationTime.

What a record means is found in this order: its operation in the tables below; a cmdlet's verb and noun (Set-Mailbox is
Entity Management: Update of a Mailbox); its record type; the words of the operation ("…Deleted", "Export…"). What is in
none of the tables raises a drift notice and is mapped all the same. Whatever no attribute carries whole stays under
` + "`unmapped`" + ` as the vendor wrote it.

Judgements, where the vendor's schema leaves room:

- **Time.** CreationTime has no zone and is UTC. A record without a readable time has time 0 and an issue, never the present.
- **Result.** ResultStatus means what its workload makes of it. A sign-in's says only that the request was answered, so its
  outcome is its operation's: UserLoggedIn succeeded, UserLoginFailed failed. SharePoint, Teams and others send no
  ResultStatus, because they log what was done: that is success. A finding's status_id is not an outcome but where its
  handling stands (New, In Progress, Suppressed, Resolved); a policy against data loss that matched is a new finding, not a
  failed act.
- **Actor.** actor.user is UserId, also where that is a service ("SecurityComplianceAlerts", "DlpAgent"). The account that
  an alert is about is evidences[].user.
- **Address.** ClientIP before ClientIPAddress before ActorIpAddress; a finding's are in its evidence. With or without a
  port, brackets, a zone, IPv4 in IPv6 form. What is no address stays unmapped, with an issue.
- **Mailboxes** are stores: what mailbox auditing logs is Datastore Activity on the mailbox, but Send and what changes who
  may do what.
- **Consent and grants** are User Access Management: user is who may act from now on (an application, mostly), privileges
  what it may do, resources[0] on what.
- **Sharing** is File Hosting Activity: Share; that class has no place for whom a file was shared with, so
  TargetUserOrGroupName stays unmapped and is the search column target.
- **Forwarding**, by a mailbox's setting or a rule of any kind, is entity.user.forward_addr; a key added to an application
  is entity.user.credential_uid.
- **Secrets.** The values that a policy against data loss detected are the secrets it protects. They stay in the sealed
  record and are emptied in the event.
`
