// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/daybreak-sec/daybreak/incident"
	"github.com/daybreak-sec/daybreak/store"
)

// Options say where messages go and when. Zero times stand for the defaults.
type Options struct {
	Channels []Channel
	// Link makes the address at which people find an incident; nil for none.
	Link func(incident string) string

	Settle  time.Duration // that a message waits, so that what comes at once is told at once: 10 s
	Retry   time.Duration // after the first failure; twice as long after each further one: 5 s
	MaxWait time.Duration // between two attempts: 1 h
	GiveUp  time.Duration // after it was put in: 24 h
	Timeout time.Duration // of an attempt: 15 s
	Poll    time.Duration // of the table: 1 s
	Log     *slog.Logger
}

// remembered is how long delivered messages are known.
const remembered = 180 * 24 * time.Hour

// Outbox holds what is to be told. It is safe for concurrent use.
type Outbox struct {
	db   *store.DB
	opts Options
}

// New returns the outbox that is in db. A mistake in a channel is an error.
func New(db *store.DB, o Options) (*Outbox, error) {
	for _, d := range []struct {
		is *time.Duration
		or time.Duration
	}{
		{&o.Settle, 10 * time.Second},
		{&o.Retry, 5 * time.Second},
		{&o.MaxWait, time.Hour},
		{&o.GiveUp, 24 * time.Hour},
		{&o.Timeout, 15 * time.Second},
		{&o.Poll, time.Second},
	} {
		if *d.is == 0 {
			*d.is = d.or
		}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	names := map[string]bool{}
	for i := range o.Channels {
		c := &o.Channels[i]
		if err := c.Check(); err != nil {
			return nil, err
		}
		if names[c.Name] {
			return nil, fmt.Errorf("channel %.60q: there are two of this name", c.Name)
		}
		names[c.Name] = true
	}
	return &Outbox{db: db, opts: o}, nil
}

// Changed puts in what changes of incidents have to be told, in their transaction: it is made
// to be incident.Options.Changed.
func (o *Outbox) Changed(ctx context.Context, tx *sql.Tx, changes []incident.Change) error {
	now := time.Now()
	for i := range changes {
		c := &changes[i]
		for j := range o.opts.Channels {
			if err := o.put(ctx, tx, now, &o.opts.Channels[j], c); err != nil {
				return fmt.Errorf("notify: %w", err)
			}
		}
	}
	return nil
}

func (o *Outbox) put(ctx context.Context, tx *sql.Tx, now time.Time, ch *Channel, c *incident.Change) error {
	// A message that nobody has tried yet is brought up to date, under whatever name.
	var waiting int64
	err := tx.QueryRowContext(ctx, `SELECT id FROM notify_message WHERE channel = $1 AND subject IN ($2, $3) AND attempts = 0 AND dead = 0`,
		ch.Name, c.Before.ID, c.After.ID).Scan(&waiting)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if c.After.ID == "" { // what is gone needs not be told
		_, err = tx.ExecContext(ctx, `DELETE FROM notify_message WHERE id = $1`, waiting)
		return err
	}
	told := c.Before.Level == c.After.Level && c.Before.State == c.After.State && c.Before.Decided == c.After.Decided
	if told && waiting == 0 || !ch.wants(c.After.Level) && !ch.wants(c.Before.Level) {
		return nil
	}
	m := o.message(c)
	var known bool
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM notify_sent WHERE channel = $1 AND key = $2)
			OR EXISTS (SELECT 1 FROM notify_message WHERE channel = $1 AND key = $2 AND id <> $3)`, ch.Name, m.Key, waiting).Scan(&known)
	if err != nil {
		return err
	}
	if known { // it is back to what has been told
		_, err = tx.ExecContext(ctx, `DELETE FROM notify_message WHERE id = $1`, waiting)
		return err
	}
	if waiting != 0 { // what it was told as before still holds for who has not been told
		var old Message
		var body []byte
		if err := tx.QueryRowContext(ctx, `SELECT body FROM notify_message WHERE id = $1`, waiting).Scan(&body); err != nil {
			return err
		}
		if err := json.Unmarshal(body, &old); err != nil {
			return err
		}
		m.Type, m.Was = old.Type, old.Was
	}
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if waiting != 0 {
		_, err = tx.ExecContext(ctx, `UPDATE notify_message SET key = $2, subject = $3, body = $4 WHERE id = $1`, waiting, m.Key, m.Incident, body)
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO notify_message (channel, key, subject, body, created, due) VALUES ($1, $2, $3, $4, $5, $6)`,
		ch.Name, m.Key, m.Incident, body, now.UnixMilli(), now.Add(o.opts.Settle).UnixMilli())
	return err
}

// message makes the message of a change. Its key follows from the incident alone: the same
// change, found again, has the same key.
func (o *Outbox) message(c *incident.Change) Message {
	s := &c.After
	m := Message{
		Type: "incident.changed", Key: s.ID + "." + s.Level + "." + s.State, Tenant: s.Tenant, Incident: s.ID, Title: s.Title, Level: s.Level, State: s.State,
		Assignee: s.Assignee, Alerts: s.Alerts, First: s.First, Last: s.Last, Who: s.Who, Tactics: []string{},
	}
	if s.Decided != "" {
		m.Key += "." + s.Decided
	}
	if s.Arrived > 0 { // it may be open again afterwards, which is news
		m.Key += ".arrived-" + strconv.Itoa(s.Arrived)
	}
	if c.Before.ID == "" {
		m.Type = "incident.opened"
	} else {
		m.Was = c.Before.Level + ", " + c.Before.State
	}
	for _, t := range s.Tactics {
		m.Tactics = append(m.Tactics, t.Name)
	}
	if o.opts.Link != nil {
		m.URL = o.opts.Link(s.ID)
	}
	return m
}

// Dead is a message that is not tried any more.
type Dead struct {
	ID       int64     `json:"id"`
	Channel  string    `json:"channel"`
	Created  time.Time `json:"created"`
	Since    time.Time `json:"since"`
	Attempts int       `json:"attempts"`
	Error    string    `json:"error"`
	Message  Message   `json:"message"`
}

// Dead lists the messages that are not tried any more, the latest first; at most 1,000.
func (o *Outbox) Dead(ctx context.Context) ([]Dead, error) {
	rows, err := o.db.Read().QueryContext(ctx, `SELECT id, channel, created, dead, attempts, error, body FROM notify_message WHERE dead > 0 ORDER BY dead DESC, id DESC LIMIT 1000`)
	if err != nil {
		return nil, fmt.Errorf("notify: %w", err)
	}
	defer rows.Close()
	list := []Dead{}
	for rows.Next() {
		var d Dead
		var created, since int64
		var body []byte
		err := rows.Scan(&d.ID, &d.Channel, &created, &since, &d.Attempts, &d.Error, &body)
		if err == nil {
			err = json.Unmarshal(body, &d.Message)
		}
		if err != nil {
			return nil, fmt.Errorf("notify: %w", err)
		}
		d.Created, d.Since = time.UnixMilli(created).UTC(), time.UnixMilli(since).UTC()
		list = append(list, d)
	}
	return list, rows.Err()
}

// ErrNotFound says that there is no such dead message.
var ErrNotFound = errors.New("there is no such message that is not tried any more")

// Again tries a dead message again, as if it had been put in now.
func (o *Outbox) Again(ctx context.Context, id int64) error {
	return o.db.Write(ctx, func(tx *sql.Tx) error {
		now := time.Now().UnixMilli()
		res, err := tx.ExecContext(ctx, `UPDATE notify_message SET dead = 0, due = $2, created = $2 WHERE id = $1 AND dead > 0`, id, now)
		if err != nil {
			return fmt.Errorf("notify: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNotFound)
		}
		return nil
	})
}

// Discard forgets a dead message.
func (o *Outbox) Discard(ctx context.Context, id int64) error {
	return o.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `DELETE FROM notify_message WHERE id = $1 AND dead > 0`, id)
		if err != nil {
			return fmt.Errorf("notify: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNotFound)
		}
		return nil
	})
}
