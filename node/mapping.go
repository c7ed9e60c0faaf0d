// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/lake"
)

const mappingVersion = "0"

type (
	mappers struct{}
	mapper  struct{ tape jsontape.Tape }
	rows    struct {
		rows  []lake.Row
		drift map[driftKey]seen
	}
)

func newMappers([]string) (*mappers, error) { return &mappers{}, nil }
func (m *mappers) get() *mapper             { return &mapper{} }
func (m *mappers) put(*mapper)              {}
func (m *mappers) recycle(*rows)            {}
func (n *Node) openMapping(ctx context.Context, rebuild bool) error {
	if rebuild {
		return n.lake.Reset(ctx)
	}
	return nil
}

func (m *mapper) rows(b *journal.Batch) *rows {
	out := &rows{}
	m.each(b, func(r *lake.Row, deep func(string) []string) { out.rows = append(out.rows, *r) })
	return out
}

func (m *mapper) each(b *journal.Batch, f func(r *lake.Row, deep func(path string) []string)) {
	for i := range b.Records {
		m.tape.Parse(b.Raw(i))
		r := m.tape.Root()
		row := lake.Row{Batch: int64(b.Index), Index: int32(i), Time: 1, Tenant: b.Envelope(i).Tenant, Family: string(b.Envelope(i).Family), UID: string(b.Records[i].ID), Operation: string(r.Get("Operation").Str()), User: string(r.Get("UserId").Str())}
		f(&row, func(string) []string { return nil })
	}
}

func (m *mapper) ocsf(dst []byte, id event.ID, family event.Family, raw []byte) []byte {
	return append(dst, `{"metadata":{"uid":"`+id.String()+`"}}`...)
}
