// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package querytest

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/daybreak-sec/daybreak/lake"
)

// The values that random rows and random queries share, so that they meet.
var (
	users     = []string{"", "alice@contoso.com", "bob@contoso.com", "carol", "ünal@contoso.com", "svc_backup", "Mixed@Case.org"}
	ops       = []string{"Send", "send", "New-InboxRule", "Set-InboxRule", "FileAccessed", "UserLoggedIn", "Überprüft", ""}
	addresses = []string{"", "203.0.113.7", "203.0.113.8", "203.0.114.1", "2001:db8::1", "2001:db8:1::2", "::ffff:203.0.113.9", "not an address"}
	texts     = []string{"", "Payment due tomorrow", "re: payment due", "C:\\Users\\bob\\plan.xlsx", "a b  c", "100%_*?", "\"quoted\"", "ſtraße K", "-", "дом invoice"}
	ids       = []string{"", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "3F2504E0-4F89-11D3-9A0C-0305E82C3302", "AbC", "abc", "e1.2"}
	tenants   = []string{"t1", "t2", "T1", ""}
	statuses  = []string{"", "True", "success", "LogonError"}
)

func one[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

// start is 2026-01-01T00:00:00Z.
const start = 1767225600000

// RandomRows returns rows of four days with few different values each.
func RandomRows(rng *rand.Rand, n int) []lake.Row {
	rows := make([]lake.Row, n)
	for i := range rows {
		rows[i] = lake.Row{
			Time: start + rng.Int64N(4*24*60)*60_000 + rng.Int64N(3), Received: one(rng, []int64{0, start + 5}),
			Batch: int64(i / 7), Index: int32(i % 7),
			ClassUID: one(rng, []int32{0, 3002, 4009}), ActivityID: rng.Int32N(3), StatusID: one(rng, []int32{0, 1, 2, 99}),
			SeverityID: rng.Int32N(4), ASN: rng.Int64N(4), Mutated: rng.IntN(5) == 0,
			Tenant: one(rng, tenants), Family: "m365", Workload: one(rng, []string{"Exchange", "OneDrive"}),
			Operation: one(rng, ops), User: one(rng, users), UserUID: one(rng, ids), IP: one(rng, addresses),
			Country: one(rng, []string{"", "DE", "US"}), App: one(rng, []string{"", "Outlook", "Microsoft Office"}),
			Session: one(rng, ids), Device: one(rng, []string{"", "PC-1"}), Target: one(rng, users), Object: one(rng, texts),
			UserAgent: one(rng, []string{"", "Mozilla/5.0 (X11)"}), Status: one(rng, statuses), Text: one(rng, texts),
			UID: fmt.Sprintf("u%d", i),
		}
		if rng.IntN(4) == 0 {
			rows[i].UID = one(rng, ids)
		}
	}
	return rows
}

// DeepValues are what [RandomQuery] expects at the path "actor.kind": derived
// from the event id so that every engine can know them.
func DeepValues(batch uint64, index uint32) []string {
	switch (batch + uint64(index)) % 4 {
	case 0:
		return nil
	case 1:
		return []string{"5"}
	case 2:
		return []string{"Alpha", "12"}
	}
	return []string{"beta"}
}

// RandomQuery returns the text of a valid query.
func RandomQuery(rng *rand.Rand) string {
	text := randomExpr(rng, 3)
	columns := []string{"time", "user", "op", "asn", "status_id", "object", "ip", "tenant", "mutated", "batch"}
	counted := false
	for rng.IntN(2) == 0 {
		column := func() string { return one(rng, columns) }
		own := len(columns) == 10 && !strings.Contains(text, " | ") // which only the first pipe knows
		switch k := rng.IntN(6); {
		case k == 0 && !counted:
			text += " | fields time, user, op, asn, status_id, object, ip, tenant, mutated, batch, family"
		case k == 1 && !counted:
			text += one(rng, []string{" | histogram 1d by op", " | histogram 3h by op"})
			columns, counted = []string{"time", "op", "count"}, true
			if own && rng.IntN(2) == 0 {
				text, columns = text+", own", append(columns, "own")
			}
		case k == 2 && !counted:
			c := column()
			text += one(rng, []string{" | top 3 ", " | top "}) + c
			columns, counted = []string{c, "count"}, true
		case k == 3 && !counted:
			c, first := column(), "family"
			if own && rng.IntN(2) == 0 {
				first = "own"
			}
			text += " | count by " + first + ", " + c
			columns, counted = []string{c, first, "count"}, true
		case k == 4:
			text += " | sort " + one(rng, []string{"", "-"}) + column()
		default:
			text += fmt.Sprintf(" | limit %d", 1+rng.IntN(20))
		}
	}
	return text
}

func randomExpr(rng *rand.Rand, depth int) string {
	if depth > 0 {
		switch rng.IntN(6) {
		case 0:
			return randomExpr(rng, depth-1) + " " + randomExpr(rng, depth-1)
		case 1:
			return "(" + randomExpr(rng, depth-1) + " OR " + randomExpr(rng, depth-1) + ")"
		case 2:
			return "-(" + randomExpr(rng, depth-1) + " " + randomExpr(rng, depth-1) + ")"
		case 3:
			return "NOT " + randomExpr(rng, depth-1)
		}
	}
	return randomTerm(rng)
}

func randomTerm(rng *rand.Rand) string {
	switch rng.IntN(16) {
	case 0:
		return "user:" + quoteOr(one(rng, users))
	case 1:
		return "op:(" + quoteOr(one(rng, ops)) + ", " + quoteOr(one(rng, ops)) + ")"
	case 2:
		return "ip:" + one(rng, []string{"203.0.113.7", "203.0.113.0/24", "2001:db8::/32", "203.0.*", "*", "0.0.0.0/0", "2001:DB8::1"})
	case 3:
		return one(rng, []string{"user", "op", "object", "text", "target"}) + ":" + one(rng, []string{"*a*", "*b", "*", "?lice*", "s??d", "*\\*?*", "c*", "*x*l*", "k*", "*é*", "*ß*"})
	case 4:
		return one(rng, []string{"session", "user_uid", "uid"}) + ":" + quoteOr(one(rng, ids))
	case 5:
		return "time:" + one(rng, []string{">=2026-01-02", "<2026-01-03", "2026-01-02", "2026-01-01T12..2026-01-03T12", "-36h", "-3d..-1d", "(2026-01-01, >2026-01-04)", "<=2025"})
	case 6:
		return one(rng, []string{"asn", "activity", "severity", "batch", "index"}) + ":" + one(rng, []string{"0", "1", ">1", "<2", "1..2", "(0, 2)", "*", ">=0", "<0"})
	case 7:
		return "status:" + one(rng, []string{"success", "failure", "unknown", "True", "(other, LogonError)", `"success"`})
	case 8:
		return "class:" + one(rng, []string{"authentication", "4009", "0"})
	case 9:
		return "mutated:" + one(rng, []string{"true", "false"})
	case 10:
		return one(rng, []string{"payment", `"payment due"`, "inbox*", "new-inbox*", "bob@contoso.com", "дом", "?", "office", `"a b c"`, "contoso", "strasse", "k", "5.0"})
	case 11:
		return one(rng, []string{"object:~plan", "text:~pay*", `text:~"due tomorrow"`, "user:~contoso"})
	case 12:
		return one(rng, []string{"object", "country", "tenant", "text"}) + ":" + quoteOr(one(rng, append(texts, tenants...)))
	case 13:
		return "tenant:" + one(rng, []string{"t1", "T2", "t*", `""`})
	case 14:
		return one(rng, []string{"e1.2", "e0.0", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "203.0.113.8", "received:*", "*"})
	}
	return "actor.kind:" + one(rng, []string{"5", ">6", "*", "alpha", "b*", "1..12"})
}

func quoteOr(s string) string {
	if s == "" || strings.ContainsAny(s, ` "\*?:`) || s == "-" {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
	}
	return s
}
