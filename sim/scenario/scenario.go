// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package scenario plays attacks on a simulated tenant. A scenario is a TOML
// file that anybody can write (docs/reference/scenarios.md): who is attacked,
// from which addresses, and the steps with their times. Some are built in:
// [Names] and [Embedded].
//
// A scenario that was read is a schedule. [Scenario.Play] sets it on a directory
// and a starting time; [Play.Until] then does, in the order of time, what is due,
// and returns the audit records of it with the truth of what they belong to.
// Because each act happens on the tenant as it is at that time, a defender who
// took a credential away in between stops what needed it: such acts are
// [Blocked]. [Scenario.Run] plays all of it at once.
//
// The same file, seed, starting time and tenant give the same events. Only times
// that lie between a step's beginning and end as the file says are used.
//
// A file is somebody's input: it is capped, and what it has wrong is refused with
// one sentence that names the line. What cannot be known before it is played
// (that a person of a chosen title exists in a small company) is no error: the
// nearest that there is is taken.
//
// Known holes: attackers do not react to being blocked; what they only read in
// the directory leaves no trace, because the Management Activity API has none.
package scenario

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

//go:embed library/*.toml
var library embed.FS

// Names are the built-in scenarios.
func Names() []string {
	entries, err := library.ReadDir("library")
	if err != nil {
		panic("scenario: the library is not there: " + err.Error())
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".toml"))
	}
	return names
}

// Embedded returns a built-in scenario.
func Embedded(name string) (*Scenario, error) {
	if !slices.Contains(Names(), name) {
		return nil, fmt.Errorf("there is no built-in scenario %.60q: use one of %s", name, strings.Join(Names(), ", "))
	}
	text, err := library.ReadFile(path.Join("library", name+".toml"))
	if err != nil {
		return nil, err
	}
	return Load(text)
}

// Scenario is a scenario that was read and found good.
type Scenario struct {
	Name       string
	Title      string
	Text       string
	References []string
	Steps      []Step

	file *file
}

// Step is a step of a scenario for people to read: when it begins and ends,
// measured from the start.
type Step struct {
	ID         string
	Title      string
	Text       string
	Kind       string
	Attack     []string // techniques of MITRE ATT&CK
	Begin, End time.Duration
	Acts       int // how often it is done, where the file says so; 0 once for every target
}

// Length is how long a scenario lasts.
func (s *Scenario) Length() time.Duration {
	end := time.Duration(0)
	for _, step := range s.Steps {
		end = max(end, step.End)
	}
	return end
}

// Warped returns the scenario at another pace: what is to happen a time after the
// start happens at warp of that time, which must never run backwards. So weeks can be
// watched in minutes. What the texts tell stays as it is; what takes time in the tenant,
// such as a lockout after failed sign-ins, takes what it takes.
func (s *Scenario) Warped(warp func(time.Duration) time.Duration) *Scenario {
	out, f := *s, *s.file
	f.Steps, out.Steps, out.file = slices.Clone(f.Steps), slices.Clone(s.Steps), &f
	for i := range f.Steps {
		st := &f.Steps[i]
		begin, over := st.begin, st.begin+time.Duration(st.Over)
		st.begin = warp(begin)
		st.Over, st.Jitter = duration(warp(over)-warp(begin)), duration(warp(over+time.Duration(st.Jitter))-warp(over))
		out.Steps[i].Begin, out.Steps[i].End = st.begin, warp(out.Steps[i].End)
	}
	return &out
}
