// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma_test

import (
	"bytes"
	"encoding/json"
	"math"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// The plain evaluator: what rules mean, straight from their expressions and without regard to
// speed. It shares no code with what it is compared with; texts are compared by regexp.

// node is a decoded JSON value that remembers how it was written.
type node struct {
	raw  string
	kind byte // of the first byte: { [ " t f n, or 0 for a number
	text string
	keys []string // of an object
	kids []node
}

func decode(raw []byte) node {
	raw = bytes.TrimSpace(raw)
	n := node{raw: string(raw), kind: raw[0]}
	d := json.NewDecoder(bytes.NewReader(raw))
	switch raw[0] {
	case '{', '[':
		d.Token()
		for d.More() {
			if raw[0] == '{' {
				key, _ := d.Token()
				n.keys = append(n.keys, key.(string))
			}
			var kid json.RawMessage
			if err := d.Decode(&kid); err != nil {
				panic(err)
			}
			n.kids = append(n.kids, decode(kid))
		}
	case '"':
		if err := json.Unmarshal(raw, &n.text); err != nil {
			panic(err)
		}
	case 't', 'f', 'n':
	default:
		n.kind = '0'
	}
	return n
}

// compared returns the text that a value is compared by.
func (n node) compared() (string, bool) {
	switch {
	case n.kind == '"':
		return n.text, true
	case n.kind == 'n', n.kind == '[' && len(n.kids) == 0:
		return "", false
	}
	return n.raw, true
}

func (n node) get(key string) (node, bool) {
	return n.find(key, func(node) bool { return true })
}

func (n node) find(key string, ok func(node) bool) (node, bool) {
	for i := len(n.keys) - 1; i >= 0; i-- {
		if n.keys[i] == key && ok(n.kids[i]) {
			return n.kids[i], true
		}
	}
	return node{}, false
}

// plainEvent has every path of a record with every value at it.
type plainEvent struct {
	at     map[string][]node
	whole  map[string][]node // what is at a path, arrays as a whole
	leaves []string
	layer  *plainEvent // of the fields that begin with ocsf.; nil if there is none
}

func (e *plainEvent) values(field string) []node {
	if name, ok := strings.CutPrefix(field, "ocsf."); ok && e.layer != nil {
		return e.layer.at[name]
	}
	return e.at[field]
}

func (e *plainEvent) wholes(field string) []node {
	if name, ok := strings.CutPrefix(field, "ocsf."); ok && e.layer != nil {
		return e.layer.whole[name]
	}
	return e.whole[field]
}

func newPlainEvent(raw []byte) plainEvent {
	return plainEventOf(decode(raw))
}

func plainEventOf(root node) plainEvent {
	e := plainEvent{at: map[string][]node{}, whole: map[string][]node{}}
	e.visit(nil, root)
	e.leaf(root)
	return e
}

// plainMember is a member of an array as an event; of none it has nothing.
func plainMember(member *node) plainEvent {
	if member == nil {
		return plainEvent{}
	}
	e := plainEventOf(*member)
	e.whole["."] = []node{*member}
	e.self(*member)
	return e
}

// self notes what the member is: of an array its members.
func (e *plainEvent) self(n node) {
	if n.kind != '[' {
		e.at["."] = append(e.at["."], n)
		return
	}
	whole := len(n.kids) == 0
	for _, kid := range n.kids {
		if kid.kind == '{' {
			whole = true
		} else {
			e.self(kid)
		}
	}
	if whole {
		e.at["."] = append(e.at["."], n)
	}
}

func (e *plainEvent) leaf(n node) {
	if n.kind == '"' || n.kind == '0' {
		text, _ := n.compared()
		e.leaves = append(e.leaves, text)
	}
	for _, kid := range n.kids {
		e.leaf(kid)
	}
}

func (e *plainEvent) visit(path []string, n node) {
	if path != nil {
		field := strings.Join(path, ".")
		e.whole[field] = append(e.whole[field], n)
	}
	e.visitValue(path, n)
}

func (e *plainEvent) visitValue(path []string, n node) {
	if n.kind == '[' {
		e.array(path, n)
		return
	}
	if path != nil {
		field := strings.Join(path, ".")
		e.at[field] = append(e.at[field], n)
	}
	e.members(path, n)
}

func (e *plainEvent) members(path []string, n node) {
	for i, key := range n.keys {
		e.visit(below(path, key), n.kids[i])
	}
}

func (e *plainEvent) array(path []string, n node) {
	whole := len(n.kids) == 0
	for _, kid := range n.kids {
		if kid.kind != '{' {
			e.visitValue(path, kid)
			continue
		}
		whole = true
		e.members(path, kid)
		for _, key := range []string{"Name", "name", "DisplayName", "displayName", "Key", "key", "@Name"} {
			name, ok := kid.find(key, func(n node) bool { return n.kind == '"' })
			if !ok {
				continue
			}
			named := below(path, name.text)
			if value, ok := kid.get("Value"); ok {
				e.visit(named, value)
				e.members(named, kid)
			} else if value, ok := kid.get("value"); ok {
				e.visit(named, value)
				e.members(named, kid)
			} else if value, ok := kid.get("#text"); ok {
				e.visit(named, value)
				e.members(named, kid)
			} else {
				e.visit(named, kid)
			}
			break
		}
	}
	if whole && path != nil {
		field := strings.Join(path, ".")
		e.at[field] = append(e.at[field], n)
	}
}

func below(path []string, key string) []string {
	return append(path[:len(path):len(path)], strings.Split(strings.ReplaceAll(key, " ", ""), ".")...)
}

func (e *plainEvent) expr(x sigma.Expr) bool {
	switch x := x.(type) {
	case *sigma.And:
		for _, kid := range x.X {
			if !e.expr(kid) {
				return false
			}
		}
		return true
	case *sigma.Or:
		for _, kid := range x.X {
			if e.expr(kid) {
				return true
			}
		}
		return false
	case *sigma.Not:
		return !e.expr(x.X)
	case *sigma.Search:
		return e.expr(x.X)
	case *sigma.Array:
		return e.quantified(x)
	}
	item := x.(*sigma.Item)
	return e.item(item) != item.Negate
}

func (e *plainEvent) quantified(x *sigma.Array) bool {
	var members []*node
	for _, field := range append([]string{x.Field}, x.Or...) {
		for _, n := range e.wholes(field) {
			list := []node{n}
			switch n.kind {
			case 'n':
				list = nil
			case '[':
				list = n.kids
			}
			for i := range list {
				if x.Quantifier != sigma.At || i == x.Index || i-len(list) == x.Index {
					members = append(members, &list[i])
				}
			}
		}
	}
	if x.Quantifier == sigma.At && len(members) == 0 {
		members = []*node{nil}
	}
	held := 0
	for _, n := range members {
		event := plainMember(n)
		if event.expr(x.X) {
			held++
		}
	}
	switch x.Quantifier {
	case sigma.AllMembers:
		return held == len(members) && held > 0
	case sigma.AllOrEmpty:
		return held == len(members)
	case sigma.NoMember:
		return held == 0
	}
	return held > 0
}

func (e *plainEvent) item(x *sigma.Item) bool {
	held := 0
	for _, v := range x.Values {
		if e.value(x, v) {
			held++
		}
	}
	return held == len(x.Values) || held > 0 && !x.All
}

func (e *plainEvent) value(x *sigma.Item, v sigma.Value) bool {
	if x.Field == "" {
		for _, leaf := range e.leaves {
			if plainKeyword(leaf, v) {
				return true
			}
		}
		return false
	}
	fields := append([]string{x.Field}, x.Or...)
	present, null := 0, 0
	for _, f := range fields {
		nodes := e.values(f)
		if len(nodes) > 0 {
			present++
		}
		is := len(nodes) == 0
		for _, n := range nodes {
			is = is || n.kind == 'n'
			if text, ok := n.compared(); ok && e.compare(n, text, v) {
				return true
			}
		}
		if is {
			null++
		}
	}
	switch v := v.(type) {
	case sigma.Null:
		return null == len(fields)
	case sigma.Exists:
		return present > 0 == bool(v)
	}
	return false
}

func plainKeyword(leaf string, v sigma.Value) bool {
	switch v := v.(type) {
	case sigma.Text:
		return plainPattern(v.Pattern, v.Cased, "", "").MatchString(leaf)
	case sigma.Number:
		return compiled("(?i)" + regexp.QuoteMeta(v.Text)).MatchString(leaf)
	case sigma.Bool:
		return strings.Contains(strings.ToLower(leaf), strconv.FormatBool(bool(v)))
	case sigma.Regexp:
		return plainRegexp(v).MatchString(leaf)
	}
	panic("not a keyword")
}

func plainPattern(p sigma.Pattern, cased bool, start, end string) *regexp.Regexp {
	s := "(?is)" + start
	if cased {
		s = "(?s)" + start
	}
	for _, piece := range p {
		switch piece.Wild {
		case sigma.Literal:
			s += regexp.QuoteMeta(piece.Text)
		case sigma.AnyOne:
			s += "."
		default:
			s += ".*"
		}
	}
	return compiled(s + end)
}

var regexps sync.Map // of the tests, by source

func compiled(source string) *regexp.Regexp {
	if re, ok := regexps.Load(source); ok {
		return re.(*regexp.Regexp)
	}
	re := regexp.MustCompile(source)
	regexps.Store(source, re)
	return re
}

func plainRegexp(v sigma.Regexp) *regexp.Regexp {
	if v.Flags != "" {
		return compiled("(?" + v.Flags + ")" + v.Source)
	}
	return compiled(v.Source)
}

func (e *plainEvent) compare(n node, text string, v sigma.Value) bool {
	switch v := v.(type) {
	case sigma.Text:
		return plainPattern(v.Pattern, v.Cased, `\A`, `\z`).MatchString(text)
	case sigma.Number:
		if f, err := strconv.ParseFloat(text, 64); err == nil && n.kind == '0' && f == v.N && math.Abs(f) < 1<<53 {
			return true
		}
		return strings.EqualFold(text, v.Text)
	case sigma.Bool:
		return (n.kind == '"' || n.kind == 't' || n.kind == 'f') && strings.EqualFold(text, strconv.FormatBool(bool(v)))
	case sigma.Regexp:
		return plainRegexp(v).MatchString(text)
	case sigma.CIDR:
		a, ok := plainAddr(text)
		return ok && n.kind == '"' && v.Prefix.Contains(a)
	case sigma.Compare:
		f, ok := plainNumber(n, text)
		return ok && plainCompare(v, f)
	case sigma.TimePart:
		t, ok := plainTime(n, text)
		return ok && plainCompare(v.Compare, plainPart(t, v.Part))
	case sigma.FieldRef:
		for _, other := range e.values(v.Field) {
			if with, ok := other.compared(); ok && plainRef(n, other, text, with, v) {
				return true
			}
		}
	}
	return false
}

func plainRef(n, other node, text, with string, v sigma.FieldRef) bool {
	pattern := sigma.Pattern{{Text: with}}
	start, end := `\A`, `\z`
	switch v.Side {
	case "contains":
		start, end = "", ""
	case "startswith":
		end = ""
	case "endswith":
		start = ""
	default:
		a, ok1 := plainNumber(n, text)
		b, ok2 := plainNumber(other, with)
		if n.kind == '0' && other.kind == '0' && ok1 && ok2 && a == b {
			return true
		}
	}
	return plainPattern(pattern, v.Cased, start, end).MatchString(text)
}

func plainNumber(n node, text string) (float64, bool) {
	if n.kind != '0' && n.kind != '"' || !compiled(`^[-+]?[0-9.]+([eE][-+]?[0-9]+)?$`).MatchString(text) {
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil
}

func plainCompare(c sigma.Compare, f float64) bool {
	return map[sigma.Op]bool{
		sigma.Eq: f == c.N, sigma.Neq: f != c.N, sigma.Lt: f < c.N, sigma.Lte: f <= c.N, sigma.Gt: f > c.N, sigma.Gte: f >= c.N,
	}[c.Op]
}

// plainAddr reads the forms that the tests write.
func plainAddr(s string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return a.Unmap(), true
	}
	a, err := netip.ParseAddrPort(s)
	return a.Addr().Unmap(), err == nil
}

func plainTime(n node, text string) (time.Time, bool) {
	if f, ok := plainNumber(n, text); ok {
		for _, unit := range []float64{1e9, 1e6, 1e3, 1} { // as seconds it is of 1973 to 5138, or else finer
			if f >= 1e8 && f < 1e11*1e9/unit && f*unit < math.MaxInt64 {
				return time.Unix(0, int64(f*unit)).UTC(), true
			}
		}
		return time.Time{}, false
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

func plainPart(t time.Time, part string) float64 {
	_, week := t.ISOWeek()
	return float64(map[string]int{
		"minute": t.Minute(), "hour": t.Hour(), "day": t.Day(), "week": week, "month": int(t.Month()), "year": t.Year(),
	}[part])
}
