// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package coverage

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/act"
)

// Canary is what the acts say of the canaries of a kind and one channel: harmless acts whose records must come through it
// (package canary). Times are by our clock.
type Canary struct {
	Tenant, Source string // the source that spoke of it last
	Kind, Channel  string // no Channel: none is known to have them
	// Stream has the channel: the latest that acts name of the canaries of this time, empty if they are of a version that named
	// none. In a [Report] it is a stream of that, by the channel's name where acts name none, and empty if the report has none.
	Stream string
	// Planted were done in the time asked for, and awaited through the channel. Each of them is one of the four that follow.
	Planted int
	Arrived int
	Missing int // has not come in the time that such records take
	Awaited int // may still come
	Untold  int // nothing was ever told of it: nobody was there to wait
	// Late are those of Arrived that had been said to be missing before.
	Late int
	// Of those that came: how long after the act the record was durable.
	P50, P95, P99, Longest time.Duration
	Latest                 time.Time // when the record of the one that came last was durable, and how long after its act
	LatestDelay            time.Duration
	// Lost are the latest of Missing, at most [MaxLost], in the order of their time.
	Lost []LostCanary
}

// placeCanaries says of each canary which stream of the report has its channel.
func (r *Report) placeCanaries() {
	for i := range r.Canaries {
		c := &r.Canaries[i]
		at := slices.IndexFunc(r.Feeds, func(f Feed) bool {
			return f.Tenant == c.Tenant && (f.Stream == c.Stream || c.Stream == "" && Named(f.Stream, c.Channel))
		})
		c.Stream = ""
		if at >= 0 {
			c.Stream = r.Feeds[at].Stream
		}
	}
}

// Named reports whether a stream has a channel by its name: it is that, or the hub to which Azure sends a category where nobody
// named another (https://learn.microsoft.com/azure/azure-monitor/essentials/diagnostic-settings).
func Named(stream, channel string) bool {
	hub := stream[strings.LastIndexByte(stream, '/')+1:]
	return stream == channel || strings.EqualFold(hub, ofALog+channel)
}

// OfALog reports whether a hub has the name that Azure gives to that of a category: nothing else is in it.
func OfALog(hub string) bool {
	return len(hub) >= len(ofALog) && strings.EqualFold(hub[:len(ofALog)], ofALog)
}

const ofALog = "insights-logs-"

// LostCanary is one that is missing.
type LostCanary struct {
	Planted time.Time
	Act     string // event id of the act that says so
}

// MaxLost is how many missing canaries are named of a channel; they are counted all.
const MaxLost = 100

// untold is after how long a canary of which nothing is told is not awaited any more: package canary says within a day
// that one is missing, and has another day here for a time in which it did not run.
const untold = 48 * time.Hour

// canary notes that a canary was planted, or what became of it. An act that is repeated changes nothing, and a record
// that has come stays so.
func (l *ledger) canary(id string, a *act.Act) error {
	told := a.Reason == act.Arrived || a.Reason == act.Missing
	if a.Cursor == "" || a.At.IsZero() || told != (a.Stream != "") || !told && a.Reason != act.Planted {
		return nil // a dry run, or of a later version
	}
	// What was told of was planted, also where the act that says so is gone.
	planted := id
	if told {
		planted = ""
	}
	if err := l.noteCanary(a, canaryAt{}, nil, false, planted); err != nil {
		return err
	}
	channels, streams := awaitedThrough(a.After)
	if a.Reason == act.Planted {
		for _, channel := range channels {
			if err := l.noteCanary(a, canaryAt{channel, streams[channel]}, nil, false, ""); err != nil {
				return err
			}
		}
		return nil
	}
	var delay any
	if a.Reason == act.Arrived {
		delay = int64(1000*min(a.Seconds, longest) + 0.5)
	}
	return l.noteCanary(a, canaryAt{a.Stream, streams[a.Stream]}, delay, a.Reason == act.Missing, id)
}

// mostChannels is how many channels a canary is awaited through at most.
const mostChannels = 16

// canaryAt is a channel and the stream that has it, as far as the act names one.
type canaryAt struct{ channel, stream string }

// awaitedThrough reads out of what an act says of a canary the channels it is awaited through, and the streams that have them.
func awaitedThrough(text string) (channels []string, streams map[string]string) {
	var after struct {
		Channels []string
		Streams  map[string]string
	}
	if json.Unmarshal([]byte(text), &after) != nil {
		return nil, nil
	}
	maps.DeleteFunc(after.Streams, func(_, stream string) bool { return len(stream) > act.MaxName })
	for _, channel := range after.Channels[:min(len(after.Channels), mostChannels)] {
		if channel != "" && len(channel) <= act.MaxName {
			channels = append(channels, channel)
		}
	}
	return channels, after.Streams
}

func (l *ledger) noteCanary(a *act.Act, at canaryAt, delay any, missing bool, id string) error {
	var line int64
	err := l.query(`
		INSERT INTO coverage_canary_channel (tenant, kind, channel, source) VALUES ($1, $2, $3, $4)
		ON CONFLICT (tenant, kind, channel) DO UPDATE SET source = excluded.source RETURNING id`,
		a.Tenant, a.Code, at.channel, a.Source).Scan(&line)
	if err != nil {
		return err
	}
	return l.exec(`
		INSERT INTO coverage_canary (channel, planted, id, delay, missing, act, stream) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (channel, planted, id) DO UPDATE SET delay = excluded.delay, act = excluded.act, missing = MAX(missing, excluded.missing),
			stream = CASE excluded.stream WHEN '' THEN stream ELSE excluded.stream END
		WHERE delay IS NULL AND (excluded.delay IS NOT NULL OR act = '')`,
		line, a.At.UnixMilli(), a.Cursor, delay, missing, id, at.stream)
}

// Canaries returns what is known of the canaries that were planted from since until until, by kind and channel; wall is the
// present by our clock. Of a kind of which none was planted then nothing is returned, and of a channel only if one of them was
// awaited through it or has come.
//
// It returns nil, not an empty list, while the canaries of old acts are still being read, which happens once, after an update
// from a version that passed them over.
func (c *Coverage) Canaries(ctx context.Context, since, until, wall time.Time) (list []Canary, err error) {
	tx, err := c.db.Read().BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err == nil {
		defer tx.Rollback()
		list, err = canaries(ctx, tx, since, until, wall)
	}
	if err != nil {
		return nil, fmt.Errorf("coverage: %w", err)
	}
	return list, nil
}

func canaries(ctx context.Context, tx *sql.Tx, since, until, wall time.Time) ([]Canary, error) {
	var next, in int64
	if err := tx.QueryRowContext(ctx, `SELECT next_batch, canaries FROM coverage_state`).Scan(&next, &in); err != nil || in < next {
		return nil, err
	}
	t := canaryTime{ctx, tx, since.UnixMilli(), until.UnixMilli(), wall.Add(-untold).UnixMilli()}
	list := []Canary{}
	if t.since >= t.until {
		return list, nil
	}
	lines, err := t.lines()
	if err != nil {
		return nil, err
	}
	only := false // the line of a kind was the last, of which no channel has any
	for i := range lines {
		l := &lines[i]
		n, err := t.count(l.id)
		switch {
		case err != nil:
			return nil, err
		case n.all == 0:
			continue
		case l.Channel == "": // comes before the kind's channels
			l.Planted, l.Awaited, l.Untold = n.all, n.recent, n.all-n.recent
			list, only = append(list, l.Canary), true
			continue
		case only && list[len(list)-1].Tenant == l.Tenant && list[len(list)-1].Kind == l.Kind: // in place of the kind's own line
			list = list[:len(list)-1]
		}
		only = false
		l.Stream, l.Planted, l.Arrived, l.Late, l.Missing, l.Awaited = n.stream, n.all, n.arrived, n.late, n.missing, n.recent
		l.Untold = n.all - n.arrived - n.missing - n.recent
		if err := t.delays(l); err != nil {
			return nil, err
		}
		if err := t.lost(l); err != nil {
			return nil, err
		}
		list = append(list, l.Canary)
	}
	return list, nil
}

// canaryTime is the time that is asked for, in milliseconds; what was planted before recent is awaited no more.
type canaryTime struct {
	ctx                  context.Context
	tx                   *sql.Tx
	since, until, recent int64
}

type canaryLine struct {
	Canary
	id int64
}

func (t *canaryTime) lines() (list []canaryLine, err error) {
	err = each(t.ctx, t.tx, `SELECT id, tenant, kind, channel, source FROM coverage_canary_channel ORDER BY tenant, kind, channel`, nil,
		func(rows *sql.Rows) error {
			var l canaryLine
			err := rows.Scan(&l.id, &l.Tenant, &l.Kind, &l.Channel, &l.Source)
			list = append(list, l)
			return err
		})
	return list, err
}

// canaryCounts are of one line. Of recent nothing was told, and it is not too late.
type canaryCounts struct {
	all, recent, arrived, late, missing int
	stream                              string // the latest that is named
}

func (t *canaryTime) count(line int64) (n canaryCounts, err error) {
	err = t.tx.QueryRowContext(t.ctx, `
		SELECT COUNT(*), COUNT(*) FILTER (WHERE delay IS NULL AND missing = 0 AND planted >= $4),
			COUNT(delay), COUNT(delay) FILTER (WHERE missing = 1), COUNT(*) FILTER (WHERE delay IS NULL AND missing = 1),
			COALESCE((SELECT stream FROM coverage_canary WHERE channel = $1 AND planted >= $2 AND planted < $3 AND stream <> '' ORDER BY planted DESC, id DESC LIMIT 1), '')
		FROM coverage_canary WHERE channel = $1 AND planted >= $2 AND planted < $3`,
		line, t.since, t.until, t.recent).Scan(&n.all, &n.recent, &n.arrived, &n.late, &n.missing, &n.stream)
	return n, err
}

// delays reads the latest, and the percentiles: the least delay that so many percent of them do not exceed.
func (t *canaryTime) delays(l *canaryLine) error {
	if l.Arrived == 0 {
		return nil
	}
	var came, delay int64
	err := t.tx.QueryRowContext(t.ctx, `
		SELECT planted + delay, delay FROM coverage_canary WHERE channel = $1 AND planted >= $2 AND planted < $3 AND delay IS NOT NULL
		ORDER BY planted + delay DESC, id DESC LIMIT 1`, l.id, t.since, t.until).Scan(&came, &delay)
	if err != nil {
		return err
	}
	l.Latest, l.LatestDelay = instant(came), time.Duration(delay)*time.Millisecond
	rank := func(percent int) int { return (l.Arrived*percent + 99) / 100 }
	return each(t.ctx, t.tx, `
		SELECT rank, delay FROM (
			SELECT delay, row_number() OVER (ORDER BY delay) AS rank FROM coverage_canary WHERE channel = $1 AND planted >= $2 AND planted < $3 AND delay IS NOT NULL)
		WHERE rank IN ($4, $5, $6, $7)`, []any{l.id, t.since, t.until, rank(50), rank(95), rank(99), l.Arrived},
		func(rows *sql.Rows) error {
			var at int
			var ms int64
			err := rows.Scan(&at, &ms)
			for percent, dst := range map[int]*time.Duration{50: &l.P50, 95: &l.P95, 99: &l.P99, 100: &l.Longest} {
				if at == rank(percent) {
					*dst = time.Duration(ms) * time.Millisecond
				}
			}
			return err
		})
}

// lost names the latest that are missing.
func (t *canaryTime) lost(l *canaryLine) error {
	l.Lost = []LostCanary{}
	if l.Missing == 0 {
		return nil
	}
	return each(t.ctx, t.tx, `
		SELECT planted, act FROM (
			SELECT planted, id, act FROM coverage_canary WHERE channel = $1 AND planted >= $2 AND planted < $3 AND delay IS NULL AND missing = 1
			ORDER BY planted DESC, id DESC LIMIT $4)
		ORDER BY planted, id`, []any{l.id, t.since, t.until, MaxLost},
		func(rows *sql.Rows) error {
			var at int64
			var lost LostCanary
			err := rows.Scan(&at, &lost.Act)
			lost.Planted = instant(at)
			l.Lost = append(l.Lost, lost)
			return err
		})
}
