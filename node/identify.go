// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// TEMPORARY until normalize lands.
func knownSource(f event.Family) bool { return f == "m365" || f == "json" }

func SourceNames() string { return "m365, json" }

type identifier struct {
	source event.Family
	tenant string
	tape   *jsontape.Tape
	last   string
}

func (im *Import) identifier(name string) identifier {
	return identifier{source: event.Family(im.opts.Source), tenant: im.opts.Tenant}
}

func (id *identifier) identify(c *chunk) {
	if id.tape == nil {
		id.tape = new(jsontape.Tape)
	}
	for i := range c.pieces {
		p := &c.pieces[i]
		if p.family == UnreadableFamily {
			p.tenant = id.tenant
			continue
		}
		if err := id.tape.Parse(c.raw[p.start:p.end]); err != nil {
			p.family, p.tenant, p.note = UnreadableFamily, id.tenant, err.Error()+"; kept as it is"
			continue
		}
		r := id.tape.Root()
		p.family = "m365"
		p.tenant = string(r.Get("OrganizationId").Str())
		p.idStart = len(c.ids)
		c.ids = append(c.ids, r.Get("Id").Str()...)
		p.idEnd = len(c.ids)
		p.time = 1
	}
}
