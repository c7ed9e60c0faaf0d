// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Lint says what is expensive or looks like a mistake in a document that can be used, and
// what the specification's schemas ask for beyond what is needed to run it. All are warnings.
func Lint(doc Document) []Problem {
	l := &linter{meta: doc.meta()}
	l.identity()
	l.dates()
	switch doc := doc.(type) {
	case *Rule:
		l.severity()
		l.tags()
		l.rule(doc)
	case *Correlation:
		l.severity()
		l.tags()
		if len(doc.GroupBy) == 0 {
			l.warnf("the correlation has no group-by: all matches of the tenant count together")
		}
		if doc.Timespan > 30*24*time.Hour {
			l.warnf("the timespan is longer than 30 days, and the state of every group is kept for so long")
		}
	case *Filter:
		l.expr(doc.Condition.Expr)
	}
	return l.problems
}

type linter struct {
	meta     *Meta
	problems []Problem
}

func (l *linter) warnf(format string, args ...any) {
	l.problems = append(l.problems, l.meta.at(Warning, format, args...))
}

func (l *linter) itemf(i *Item, format string, args ...any) {
	key := strings.Join(append([]string{i.Field}, i.Modifiers...), "|")
	if key == "" {
		key = "keywords"
	}
	l.problems = append(l.problems, l.meta.atLine(i.Line, Warning, key+": "+format, args...))
}

var (
	uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	tagForm  = regexp.MustCompile(`^[a-z0-9_-]+\.[a-z0-9._-]+$`)
	// What stands behind attack.: a technique, a tactic's, group's, software's or campaign's number.
	attackForm = regexp.MustCompile(`^(t\d{4}(\.\d{3})?|ta\d{4}|[gsc]\d{4})$`)
)

// The tactics of ATT&CK v18 (https://attack.mitre.org/tactics/enterprise/), and the two that
// took the place of defense-evasion in v19.
var tactics = []string{
	"reconnaissance", "resource-development", "initial-access", "execution", "persistence",
	"privilege-escalation", "defense-evasion", "stealth", "defense-impairment", "credential-access",
	"discovery", "lateral-movement", "collection", "command-and-control", "exfiltration", "impact",
}

// The namespaces of tags that the specification lists.
var namespaces = []string{"attack", "car", "cve", "d3fend", "detection", "stp", "tlp"}

func (l *linter) identity() {
	m := l.meta
	switch {
	case m.ID == "":
		l.warnf("the document has no id; add a UUID, so that others can refer to it whatever its title becomes")
	case !uuidForm.MatchString(m.ID):
		l.warnf("the id %s is not a UUID", quoted(m.ID))
	}
	if utf8.RuneCountInString(m.Title) > 256 {
		l.warnf("the title is longer than 256 characters; move details into the description")
	}
	if utf8.RuneCountInString(m.Description) > 65_535 {
		l.warnf("the description is longer than 65,535 characters")
	}
	if m.Status == "deprecated" || m.Status == "unsupported" {
		l.warnf("the status is %s; use what replaced the rule", m.Status)
	}
}

func (l *linter) severity() {
	if l.meta.Level == "" {
		l.warnf("the document has no level; add one of %s", strings.Join(levels, ", "))
	}
}

func (l *linter) dates() {
	m := l.meta
	for _, d := range [][2]string{{"date", m.Date}, {"modified", m.Modified}} {
		if _, err := time.Parse(time.DateOnly, d[1]); d[1] != "" && err != nil {
			l.warnf("%s is %s; write a day as YYYY-MM-DD", d[0], quoted(d[1]))
		}
	}
	if m.Date != "" && m.Modified != "" && m.Modified < m.Date {
		l.warnf("modified (%s) is before date (%s)", quoted(m.Modified), quoted(m.Date))
	}
}

func (l *linter) tags() {
	attack, seen := false, map[string]bool{}
	for _, tag := range l.meta.Tags {
		namespace, value, _ := strings.Cut(tag, ".")
		switch {
		case !tagForm.MatchString(tag):
			l.warnf("the tag %s is not of the form namespace.value in small letters", quoted(tag))
		case !slices.Contains(namespaces, namespace):
			l.warnf("the tag %s has a namespace that the specification does not list; those are %s", quoted(tag), strings.Join(namespaces, ", "))
		case namespace == "attack" && !attackForm.MatchString(value) && !slices.Contains(tactics, value):
			l.warnf("the tag %s is neither a technique (attack.t1078.004) nor a tactic of ATT&CK", quoted(tag))
		case seen[tag]:
			l.warnf("the tag %s is there twice", quoted(tag))
		}
		attack, seen[tag] = attack || namespace == "attack", true
	}
	if !attack && l.meta.Level != "informational" { // those mark records for other rules
		l.warnf("the document has no ATT&CK tag; add one such as attack.t1078.004")
	}
}

func (l *linter) rule(r *Rule) {
	keywords := false
	for _, c := range r.Conditions {
		if holdsOnNothing(c.Expr) {
			l.warnf("the condition %s holds for a record that has none of its fields, so that it has to be tried on every record; add something that has to be there", quoted(c.Text))
		}
		keywords = l.expr(c.Expr) || keywords
	}
	if keywords && r.LogSource.Category == "" && r.LogSource.Service == "" {
		l.warnf("keywords are searched for in every value of every record of the product; name a service or a category in logsource, or fields")
	}
}

// holdsOnNothing reports whether an expression holds for an empty record.
func holdsOnNothing(x Expr) bool {
	not := func(x Expr) bool { return !holdsOnNothing(x) }
	switch x := x.(type) {
	case *And:
		return !slices.ContainsFunc(x.X, not)
	case *Or:
		return slices.ContainsFunc(x.X, holdsOnNothing)
	case *Not:
		return not(x.X)
	case *Search:
		return holdsOnNothing(x.X)
	case *Item:
		absent := func(v Value) bool { return v == Null{} || v == Exists(false) }
		if x.All {
			return x.Negate == slices.ContainsFunc(x.Values, func(v Value) bool { return !absent(v) })
		}
		return x.Negate != slices.ContainsFunc(x.Values, absent)
	case *Array:
		return x.Quantifier == NoMember || x.Quantifier == AllOrEmpty || x.Quantifier == At && holdsOnNothing(x.X)
	}
	return false
}

// expr looks at the items of an expression and reports whether there are keywords.
func (l *linter) expr(x Expr) (keywords bool) {
	var list []Expr
	switch x := x.(type) {
	case *And:
		l.sameArray(x.X)
		list = x.X
	case *Or:
		list = x.X
	case *Not:
		list = []Expr{x.X}
	case *Search:
		list = []Expr{x.X}
	case *Item:
		l.item(x)
		return x.Field == ""
	case *Array:
		l.expr(x.X) // keywords there are searched for in members only
	}
	for _, x := range list {
		keywords = l.expr(x) || keywords
	}
	return keywords
}
