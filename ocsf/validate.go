// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package ocsf

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/ocsf/schema"
)

// Problem is one way in which an event is not what the schema says.
type Problem struct {
	Path    string // "src_endpoint.ip", "resources[1].uid"; empty: the event
	Message string
	// Warning is set where the schema recommends and does not demand: the
	// caption beside an id is not the schema's.
	Warning bool
}

func (p Problem) String() string {
	if p.Path == "" {
		return p.Message
	}
	return p.Path + ": " + p.Message
}

// maxProblems is how many problems of one event are reported.
const maxProblems = 100

// Validate checks one event, as JSON text, against OCSF 1.8.0 and returns what
// is wrong with it; nothing if it is valid, warnings included. It shares no
// code with the encoder but the schema.
//
// The rules are those of the OCSF project's own validator (ocsf/ocsf-server:
// lib/schema/validator2.ex): attributes known to the class under the profiles
// that metadata.profiles lists, requirements, types, enums, constraints,
// type_uid, version and the names of observables. Stricter than that, a string
// that its type's pattern refuses is an error, as are repeated members.
// Attributes of the platform extensions (linux, win, macos) count as unknown.
func Validate(raw []byte) []Problem {
	var tape jsontape.Tape
	v := validator{schema: schema.Load()}
	if err := tape.Parse(raw); err != nil {
		return []Problem{{Message: err.Error()}}
	}
	if !utf8.Valid(raw) {
		v.bad("", "not UTF-8")
	}
	v.event(tape.Root())
	return v.problems
}

type validator struct {
	schema   *schema.Schema
	profiles []string
	problems []Problem
}

func (v *validator) bad(path, format string, args ...any) {
	v.report(Problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

func (v *validator) report(p Problem) {
	if len(v.problems) < maxProblems {
		v.problems = append(v.problems, p)
	}
}

func (v *validator) event(root jsontape.Value) {
	if root.Kind() != jsontape.Object {
		v.bad("", "not an object")
		return
	}
	uid, ok := wholeNumber(root.Get("class_uid"))
	class := v.schema.Class(int(uid))
	if !ok || class == nil {
		v.bad("class_uid", "not a class of OCSF %s", v.schema.Version)
		return
	}
	v.readProfiles(root.Path("metadata", "profiles"), class)
	v.object("", root, &class.Object)
	v.classification(root, class)
	v.observables(root.Get("observables"), class)
}

func (v *validator) readProfiles(list jsontape.Value, class *schema.Class) {
	for p := list.First(); p.Exists(); p = p.Next() {
		name := string(p.Text())
		if !slices.Contains(class.Profiles, name) && !v.knownProfile(name) {
			v.bad("metadata.profiles", "%q is not a profile of the schema", name)
		}
		v.profiles = append(v.profiles, name)
	}
}

func (v *validator) knownProfile(name string) bool {
	return slices.ContainsFunc(v.schema.Classes, func(c *schema.Class) bool { return slices.Contains(c.Profiles, name) })
}

// classification checks the attributes that follow from one another.
func (v *validator) classification(root jsontape.Value, class *schema.Class) {
	if n, ok := wholeNumber(root.Get("category_uid")); ok && n != int64(class.Category.UID) {
		v.bad("category_uid", "%d, but the class is of category %d", n, class.Category.UID)
	}
	activity, _ := wholeNumber(root.Get("activity_id"))
	if n, ok := wholeNumber(root.Get("type_uid")); ok && n != int64(class.UID)*100+activity {
		v.bad("type_uid", "%d, but class_uid and activity_id make %d", n, int64(class.UID)*100+activity)
	}
	if version := root.Path("metadata", "version").Text(); string(version) != v.schema.Version {
		v.bad("metadata.version", "%q, want %q", version, v.schema.Version)
	}
	v.caption(root, "class_name", class.Caption)
	v.caption(root, "category_name", categoryName(class))
}

// caption checks a name beside a number, if it is there.
func (v *validator) caption(o jsontape.Value, name, want string) {
	if got := o.Get(name); got.Exists() && string(got.Str()) != want {
		v.report(Problem{Path: name, Message: fmt.Sprintf("%q, the schema's caption is %q", got.Text(), want), Warning: true})
	}
}

func categoryName(c *schema.Class) string {
	if c.Category.UID == 0 {
		return "Uncategorized"
	}
	return c.Category.Caption
}

func (v *validator) observables(list jsontape.Value, class *schema.Class) {
	i := 0
	for o := list.First(); o.Exists(); o = o.Next() {
		if name := string(o.Get("name").Str()); name != "" && !v.refers(&class.Object, name) {
			v.bad(fmt.Sprintf("observables[%d].name", i), "%q names no attribute of the class", name)
		}
		i++
	}
}

var brackets = regexp.MustCompile(`\[\d*\]`)

// refers reports whether a path as observables have it leads to an attribute.
func (v *validator) refers(o *schema.Object, path string) bool {
	for name := range strings.SplitSeq(brackets.ReplaceAllString(path, ""), ".") {
		if o == nil {
			return false
		}
		a, ok := o.Attr(name)
		if !ok || !v.allowed(a) {
			return len(o.Attrs) == 0 // an object of any attributes
		}
		o = a.Object
	}
	return true
}

func (v *validator) allowed(a schema.Attr) bool {
	return a.Profile == "" || slices.Contains(v.profiles, a.Profile)
}

// object checks the members of one object, or of the event.
func (v *validator) object(path string, value jsontape.Value, o *schema.Object) {
	if len(o.Attrs) == 0 {
		return
	}
	present := map[string]bool{}
	for m := value.First(); m.Exists(); m = m.Next() {
		name := string(m.Key())
		at := join(path, name)
		if present[name] {
			v.bad(at, "there twice")
		}
		present[name] = m.Kind() != jsontape.Null
		if a, ok := o.Attr(name); !ok || !v.allowed(a) {
			v.unknown(at, name, o, ok, a.Profile)
		} else if m.Kind() != jsontape.Null {
			v.attribute(at, m, a)
			v.sibling(path, value, m, a)
		}
	}
	for _, a := range o.Attrs {
		if a.Requirement == schema.Required && v.allowed(a) && !present[a.Name] {
			v.bad(join(path, a.Name), "required and missing")
		}
	}
	v.constraints(path, value, o)
}

func (v *validator) unknown(path, name string, o *schema.Object, known bool, profile string) {
	if known {
		v.bad(path, "needs the profile %s in metadata.profiles", profile)
		return
	}
	v.bad(path, "OCSF's %s has no %q", o.Name, name)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (v *validator) constraints(path string, value jsontape.Value, o *schema.Object) {
	count := func(names []string) (n int) {
		for _, name := range names {
			if m := value.Path(strings.Split(name, ".")...); m.Exists() && m.Kind() != jsontape.Null {
				n++
			}
		}
		return n
	}
	if len(o.AtLeastOne) > 0 && count(o.AtLeastOne) == 0 {
		v.bad(path, "%s needs at least one of %s", o.Name, strings.Join(o.AtLeastOne, ", "))
	}
	if n := count(o.JustOne); len(o.JustOne) > 0 && n != 1 {
		v.bad(path, "%s needs just one of %s and has %d", o.Name, strings.Join(o.JustOne, ", "), n)
	}
}

// attribute checks a value, or each of an array.
func (v *validator) attribute(path string, value jsontape.Value, a schema.Attr) {
	if !a.Array {
		v.value(path, value, a)
		return
	}
	if value.Kind() != jsontape.Array {
		v.bad(path, "not an array")
		return
	}
	i := 0
	for e := value.First(); e.Exists(); e = e.Next() {
		v.value(fmt.Sprintf("%s[%d]", path, i), e, a)
		i++
	}
}

func (v *validator) value(path string, value jsontape.Value, a schema.Attr) {
	if a.Object != nil {
		if value.Kind() != jsontape.Object {
			v.bad(path, "not an object (%s)", a.Object.Name)
			return
		}
		v.object(path, value, a.Object)
		return
	}
	if reason := typeProblem(value, a.Type); reason != "" {
		v.bad(path, "%s, the type is %s", reason, a.Type.Name)
		return
	}
	if a.Enum != nil && !slices.ContainsFunc(a.Enum.Values, func(e schema.EnumValue) bool { return e.Value == string(value.Text()) }) {
		v.bad(path, "%s is not a value of the enum", value.Raw())
	}
}

// sibling checks the caption beside an enum's value. That of 99, Other, is the
// vendor's own.
func (v *validator) sibling(path string, object, value jsontape.Value, a schema.Attr) {
	n, ok := wholeNumber(value)
	want, known := a.Enum.Caption(n)
	got := object.Get(a.Sibling)
	if !ok || !known || a.Array || n == activityOther || !got.Exists() || string(got.Str()) == want {
		return
	}
	v.report(Problem{Path: join(path, a.Sibling), Message: fmt.Sprintf("%q, the schema's caption is %q", got.Text(), want), Warning: true})
}

// typeProblem says why the value is not of the type, "" if it is.
func typeProblem(value jsontape.Value, t *schema.Type) string {
	switch {
	case t.Name == "json_t":
		return ""
	case t.Name == "boolean_t":
		if k := value.Kind(); k != jsontape.True && k != jsontape.False {
			return "neither true nor false"
		}
		return ""
	case t.Name == "float_t":
		if value.Kind() != jsontape.Number {
			return "not a number"
		}
		return ""
	case t.IsNumber():
		return numberProblem(value, t)
	}
	if value.Kind() != jsontape.String {
		return "not a string"
	}
	s := value.Str()
	if t.MaxLen > 0 && utf8.RuneCount(s) > t.MaxLen {
		return fmt.Sprintf("longer than %d characters", t.MaxLen)
	}
	if re := pattern(t.Regex); re != nil && !re.Match(s) {
		return fmt.Sprintf("%q does not match its pattern", s)
	}
	return ""
}

func numberProblem(value jsontape.Value, t *schema.Type) string {
	n, ok := wholeNumber(value)
	low, high := t.Min, t.Max
	if high == 0 {
		low, high = numberRange(t)
	}
	switch {
	case !ok:
		return "not a whole number"
	case n < low || n > high:
		return fmt.Sprintf("%d is out of range", n)
	}
	return ""
}

func wholeNumber(v jsontape.Value) (int64, bool) {
	if v.Kind() != jsontape.Number {
		return 0, false
	}
	return v.Int()
}

var patterns sync.Map // of pattern text to *regexp.Regexp

// pattern compiles the type's pattern, once; nil if there is none.
func pattern(text string) *regexp.Regexp {
	if text == "" {
		return nil
	}
	if re, ok := patterns.Load(text); ok {
		return re.(*regexp.Regexp)
	}
	re := regexp.MustCompile(text) // from schema.txt, whose patterns a test compiles
	patterns.Store(text, re)
	return re
}
