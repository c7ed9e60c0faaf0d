// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// told is how many steps the text of an incident tells; the timeline has all of them.
const told = 12

// textOf says in sentences what happened. Every word that is not in the alerts or events is in
// the templates here.
func textOf(in *Incident) string {
	var b strings.Builder
	alerts, are := "One alert", "is"
	if n := in.Summary.Alerts; n != 1 {
		alerts, are = number(n)+" alerts", "are"
	}
	fmt.Fprintf(&b, "%s %s", alerts, when(in.First, in.Last))
	if len(in.Who) > 0 {
		fmt.Fprintf(&b, " %s about %s", are, listed(in.Who, len(in.Who)))
	}
	if len(in.Phases) > 0 {
		names := make([]string, len(in.Phases))
		for i, p := range in.Phases {
			names[i] = strings.ToLower(p.Tactic.Name)
		}
		phases := "phases"
		if len(names) == 1 {
			phases = "phase"
		}
		fmt.Fprintf(&b, ", in the %s %s", phases, listed(names, len(names)))
	}
	b.WriteString(".")
	stepsText(&b, in)
	blastText(&b, &in.Blast)
	switch {
	case in.Arrived == 0:
	case in.Arrived == in.Summary.Alerts:
		b.WriteString(" What was missing has come after all.")
	default:
		fmt.Fprintf(&b, " What was missing in %s of these has come after all.", number(in.Arrived))
	}
	if in.Reopened {
		b.WriteString(" It was closed, but something older than the closing has come in since.")
	}
	return b.String()
}

// stepsText tells the alerts in the order of time, those of one rule once, in the words of
// their titles.
func stepsText(b *strings.Builder, in *Incident) {
	var list []*Alert
	count := map[string]int{}
	for i := range in.List {
		a := &in.List[i]
		if count[a.Rule]++; count[a.Rule] == 1 {
			list = append(list, a)
		}
	}
	said := "" // the time of the step before
	for i, a := range list[:min(len(list), told)] {
		at := a.First.UTC().Format("15:04")
		if day := a.First.UTC().Format("2 January"); day != in.First.UTC().Format("2 January") {
			at += " on " + day
		}
		switch {
		case i == 0:
			fmt.Fprintf(b, " It began at %s: ", at)
		case at != said:
			fmt.Fprintf(b, ". At %s: ", at)
		default:
			b.WriteString("; ")
		}
		said = at
		b.WriteString(plain(a.Title))
		var notes []string
		if who := in.called(whoOf(&a.Alert)); who != "" {
			notes = append(notes, who)
		}
		if n := count[a.Rule]; n > 1 {
			notes = append(notes, number(n)+" times")
		}
		if len(notes) > 0 {
			fmt.Fprintf(b, " (%s)", strings.Join(notes, ", "))
		}
	}
	if more := len(list) - told; more > 0 {
		fmt.Fprintf(b, ". %s in the timeline", count1(more, "further kind of alert is", "further kinds of alerts are"))
	}
	b.WriteString(".")
}

// blastText tells how far it reached.
func blastText(b *strings.Builder, r *Blast) {
	for _, m := range r.Mail[:min(len(r.Mail), 5)] {
		fmt.Fprintf(b, " %s read %s of %s", m.By, count(m.Items, "mail"), count(m.Mailboxes, "mailbox"))
		var how []string
		for _, h := range []string{m.Logon, m.Access} {
			if h != "" {
				how = append(how, strings.ToLower(h))
			}
		}
		if len(how) > 0 {
			fmt.Fprintf(b, " (%s)", strings.Join(how, ", "))
		}
		if m.Throttled {
			b.WriteString(", and more than the log tells, for the provider stopped logging for a time")
		}
		b.WriteString(".")
	}
	if len(r.Mail) == 0 && r.Mailboxes.Count > 0 {
		fmt.Fprintf(b, " It touched %s: %s.", count(r.Mailboxes.Count, "mailbox"), listed(r.Mailboxes.Names, 3))
	}
	for _, part := range []struct {
		names *Names
		text  string
	}{
		{&r.Grants, "Rights were given to or on"},
		{&r.Keys, "Credentials were added to"},
		{&r.Rules, "Mail rules or forwarding were changed for"},
		{&r.Accounts, "Accounts that were made, changed or acted upon:"},
	} {
		if part.names.Count > 0 {
			fmt.Fprintf(b, " %s %s.", part.text, names(part.names))
		}
	}
	if r.MailSent > 0 {
		fmt.Fprintf(b, " They sent %s.", count(r.MailSent, "mail"))
	}
	if r.Files > 0 {
		fmt.Fprintf(b, " They opened or downloaded %s.", count(r.Files, "file"))
	}
	if r.Truncated {
		b.WriteString(" There is more than could be counted.")
	}
}

// when says a time in UTC, or from when to when.
func when(from, to time.Time) string {
	from, to = from.UTC(), to.UTC()
	const day, minute = "2 January 2006", "15:04"
	switch {
	case from.Format(day+minute) == to.Format(day+minute):
		return "at " + from.Format(minute) + " on " + from.Format(day)
	case from.Format(day) == to.Format(day):
		return "between " + from.Format(minute) + " and " + to.Format(minute) + " on " + from.Format(day)
	}
	return "between " + from.Format(minute) + " on " + from.Format(day) + " and " + to.Format(minute) + " on " + to.Format(day)
}

// listed writes "a, b and c", and how many there are beyond the first few.
func listed(list []string, most int) string {
	rest := len(list) - most
	if rest > 0 {
		list = list[:most]
		return strings.Join(list, ", ") + " and " + number(rest) + " more"
	}
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}

func names(n *Names) string {
	const most = 4
	if n.Count <= most {
		return listed(n.Names, most)
	}
	return strings.Join(n.Names[:most], ", ") + " and " + number(n.Count-most) + " more"
}

func count1(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

func count(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "x"):
		return number(n) + " " + what + "es"
	}
	return number(n) + " " + what + "s"
}

// number writes 1204 as "1,204".
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
