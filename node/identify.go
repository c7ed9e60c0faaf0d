// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"fmt"
	"strings"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize"
)

// anyJSON is the family of objects whose shape is nothing known.
const anyJSON event.Family = "json"

// SourceNames lists the families that records can be, for people.
func SourceNames() string {
	var names []string
	for i := range normalize.Sources {
		names = append(names, string(normalize.Sources[i].Family))
	}
	return strings.Join(names, ", ")
}

// CheckSource refuses what is no family; "auto" and "" stand for telling it from
// each record.
func CheckSource(name string) error {
	if _, ok := normalize.Lookup(event.Family(name)); ok || name == "" || name == "auto" {
		return nil
	}
	return fmt.Errorf("%q is not a source: want auto, %s", name, SourceNames())
}

// Identifier tells what records are. It reuses its memory and is not for
// concurrent use.
type Identifier struct {
	source *normalize.Source // nil: told from each record
	tape   jsontape.Tape
}

// NewIdentifier returns one for a source that CheckSource has passed.
func NewIdentifier(source string) *Identifier {
	id := new(Identifier)
	id.source, _ = normalize.Lookup(event.Family(source))
	return id
}

// Source tells what a record is. If it is not JSON, or fits two sources, a
// sentence says so and the source is nil.
func (id *Identifier) Source(raw []byte) (s *normalize.Source, root jsontape.Value, why string, parsed bool) {
	if err := id.tape.Parse(raw); err != nil {
		return nil, root, err.Error(), false
	}
	root = id.tape.Root()
	if id.source != nil {
		return id.source, root, "", true
	}
	s, ambiguous := normalize.Tell(root)
	switch {
	case ambiguous:
		return nil, root, fmt.Sprintf("may be any of %v: say which with --source", normalize.Detect(root)), true
	case s == nil:
		s, _ = normalize.Lookup(anyJSON)
	}
	return s, root, "", true
}

// maxTenants bounds what a file with ever new tenants makes us remember.
const maxTenants = 4096

// labeler fills in what is known of the records of chunks.
type labeler struct {
	id      *Identifier
	tenant  string // of records that do not say theirs
	last    string
	tenants map[string]string
}

func (im *Import) labeler() *labeler {
	return &labeler{id: NewIdentifier(im.opts.Source), tenant: im.opts.Tenant, tenants: map[string]string{}}
}

func (l *labeler) label(c *chunk) {
	for i := range c.pieces {
		p := &c.pieces[i]
		p.tenant = l.tenant
		if p.family == event.Unreadable {
			continue
		}
		s, root, why, parsed := l.id.Source(c.raw[p.start:p.end])
		switch {
		case !parsed:
			p.family, p.note = event.Unreadable, why
			continue
		case s == nil:
			p.note, p.refused = why, true
			continue
		}
		known := s.Identify(root)
		p.family, p.time = s.Family, known.Time
		p.idStart = len(c.ids)
		c.ids = append(c.ids, known.ID...)
		p.idEnd = len(c.ids)
		if len(known.Tenant) > 0 {
			p.tenant = l.intern(known.Tenant)
		}
	}
}

// intern returns the tenant as a string without making a new one each time.
func (l *labeler) intern(tenant []byte) string {
	if string(tenant) == l.last {
		return l.last
	}
	s, ok := l.tenants[string(tenant)]
	if !ok {
		if len(l.tenants) >= maxTenants {
			clear(l.tenants)
		}
		s = string(tenant)
		l.tenants[s] = s
	}
	l.last = s
	return s
}
