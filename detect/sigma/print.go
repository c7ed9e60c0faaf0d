// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Format writes an expression in one line, for people: a condition's operators with
// parentheses only where they are needed, searches as name[…], items as [Item.String].
func Format(x Expr) string {
	var b strings.Builder
	format(&b, x)
	return b.String()
}

func format(b *strings.Builder, x Expr) {
	switch x := x.(type) {
	case *And:
		formatList(b, x.X, " and ")
	case *Or:
		formatList(b, x.X, " or ")
	case *Not:
		b.WriteString("not ")
		operand(b, x.X)
	case *Search:
		b.WriteString(x.Name + "[")
		format(b, x.X)
		b.WriteByte(']')
	case *Ref:
		b.WriteString(x.Name)
	case *of:
		if x.all {
			b.WriteString("all of " + x.pattern)
		} else {
			b.WriteString("1 of " + x.pattern)
		}
	case *Item:
		b.WriteString(x.String())
	case *Array:
		formatArray(b, x)
	}
}

// formatArray writes what an array's members are compared with behind its name if it is one
// comparison, and else in braces.
func formatArray(b *strings.Builder, a *Array) {
	b.WriteString(a.String())
	switch x := a.X.(type) {
	case *Item:
		if x.Field == "." && len(x.Or) == 0 {
			text := x.String()
			b.WriteString(text[1:])
			return
		}
		if x.Field != "" {
			b.WriteString("." + x.String())
			return
		}
	case *Array:
		if x.Field != "." {
			b.WriteByte('.')
			formatArray(b, x)
			return
		}
		text := Format(x)
		b.WriteString(text[1:])
		return
	}
	b.WriteByte('{')
	format(b, a.X)
	b.WriteByte('}')
}

func formatList(b *strings.Builder, list []Expr, separator string) {
	for i, x := range list {
		if i > 0 {
			b.WriteString(separator)
		}
		operand(b, x)
	}
}

func operand(b *strings.Builder, x Expr) {
	switch x.(type) {
	case *And, *Or:
		b.WriteByte('(')
		format(b, x)
		b.WriteByte(')')
	default:
		format(b, x)
	}
}

// String returns "Field|modifiers: value, value" with the modifiers that its values
// amount to, whatever they were made with: it reads as the rule that compares so.
func (i *Item) String() string {
	var b strings.Builder
	for j, name := range append([]string{i.Field}, i.Or...) {
		if j > 0 {
			b.WriteByte('/')
		}
		b.WriteString(writtenName(name))
	}
	texts := make([]string, len(i.Values))
	mods := make([]string, len(i.Values))
	for j, v := range i.Values {
		mods[j], texts[j] = formatValue(v)
	}
	same := !slices.ContainsFunc(mods, func(m string) bool { return m != mods[0] })
	if same && len(mods) > 0 {
		b.WriteString(mods[0])
	}
	if i.All {
		b.WriteString("|all")
	}
	if i.Negate {
		b.WriteString("|neq")
	}
	b.WriteString(": ")
	for j, text := range texts {
		if j > 0 {
			b.WriteString(", ")
		}
		if !same && mods[j] != "" {
			b.WriteString(strings.TrimPrefix(mods[j], "|") + ":")
		}
		b.WriteString(text)
	}
	return b.String()
}

// Op as its modifier.
func (o Op) String() string {
	return [...]string{"eq", "neq", "lt", "lte", "gt", "gte"}[o]
}

// formatValue returns a value's modifiers, each with | before it, and its text.
func formatValue(v Value) (mods, text string) {
	switch v := v.(type) {
	case Text:
		mods, text = formatPattern(v.Pattern)
		if v.Cased {
			mods += "|cased"
		}
		return mods, text
	case Number:
		return "", v.Text
	case Bool:
		return "", strconv.FormatBool(bool(v))
	case Null:
		return "", "null"
	case Exists:
		return "|exists", strconv.FormatBool(bool(v))
	case Regexp:
		return "|re" + formatFlags(v.Flags), quote(v.Source)
	case CIDR:
		return "|cidr", v.Prefix.String()
	case Compare:
		return "|" + v.Op.String(), formatNumber(v.N)
	case TimePart:
		mods = "|" + v.Part
		if v.Op != Eq {
			mods += "|" + v.Op.String()
		}
		return mods, formatNumber(v.N)
	case FieldRef:
		mods = "|fieldref"
		if v.Side != "" {
			mods += "|" + v.Side
		}
		if v.Cased {
			mods += "|cased"
		}
		return mods, v.Field
	case Placeholder:
		return formatPlaceholder(v)
	}
	return "", "?"
}

func formatPlaceholder(v Placeholder) (mods, text string) {
	p := slices.Clone(v.Pattern)
	for i := range p {
		if _, isName := v.Names[i]; !isName {
			p[i].Text = strings.ReplaceAll(p[i].Text, "%", `\%`)
		}
	}
	if v.Regexp {
		return "|re|expand" + formatFlags(v.Flags), quote(p.literalText())
	}
	if v.CIDR {
		return "|cidr|expand", p.literalText()
	}
	mods, text = formatPattern(p)
	mods += "|expand"
	if v.Cased {
		mods += "|cased"
	}
	return mods, text
}

func formatFlags(flags string) string {
	var b strings.Builder
	for _, f := range flags {
		b.WriteByte('|')
		b.WriteRune(f)
	}
	return b.String()
}

func formatNumber(n float64) string { return strconv.FormatFloat(n, 'g', -1, 64) }

// formatPattern writes a pattern, with contains, startswith or endswith for runs at its ends.
func formatPattern(p Pattern) (mods, text string) {
	n := len(p)
	open := n > 0 && p[0].Wild == AnyRun
	closed := n > 1 && p[n-1].Wild == AnyRun
	switch {
	case n == 1 && open:
		return "", quote("*")
	case open && closed && n > 2:
		return "|contains", quote(p[1 : n-1].String())
	case closed:
		return "|startswith", quote(p[:n-1].String())
	case open:
		return "|endswith", quote(p[1:].String())
	}
	return "", quote(p.String())
}

// String writes the pattern as it would stand in a rule: a backslash is doubled where it
// would escape what follows.
func (p Pattern) String() string {
	var b strings.Builder
	for i, piece := range p {
		switch piece.Wild {
		case AnyRun:
			b.WriteByte('*')
		case AnyOne:
			b.WriteByte('?')
		}
		t := piece.Text
		for j := range len(t) {
			switch c := t[j]; {
			case c == '*' || c == '?':
				b.WriteByte('\\')
			case c == '\\' && (j+1 < len(t) && strings.IndexByte(`*?\`, t[j+1]) >= 0 || j+1 == len(t) && i+1 < len(p)):
				b.WriteByte('\\')
			}
			b.WriteByte(t[j])
		}
	}
	return b.String()
}

// quote quotes as YAML does: plain between single quotes, or with escapes if there are
// characters that cannot be seen.
func quote(s string) string {
	hidden := func(r rune) bool { return !unicode.IsPrint(r) }
	if !utf8.ValidString(s) || strings.ContainsFunc(s, hidden) {
		return strconv.Quote(s)
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}
