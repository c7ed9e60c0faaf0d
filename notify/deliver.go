// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// failure is an attempt that failed.
type failure struct {
	err       error
	permanent bool          // it never will be accepted
	after     time.Duration // that the receiver asks us to wait; 0 if it does not
}

func (f *failure) Error() string { return f.err.Error() }

func refused(format string, args ...any) error {
	return &failure{err: fmt.Errorf(format, args...), permanent: true}
}

// maxError bounds what is kept of an error, in bytes.
const maxError = 500

// Run delivers until ctx ends. Attempts that are under way are given up then, and made again by
// the next Run.
func (o *Outbox) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for i := range o.opts.Channels {
		wg.Go(func() { o.serve(ctx, &o.opts.Channels[i]) })
	}
	wg.Go(func() { o.forget(ctx) })
	wg.Wait()
}

// serve delivers the messages of a channel one after the other, the oldest that are due first.
func (o *Outbox) serve(ctx context.Context, ch *Channel) {
	tick := time.NewTicker(o.opts.Poll)
	defer tick.Stop()
	for {
		more, err := o.next(ctx, ch)
		if err != nil && ctx.Err() == nil {
			o.opts.Log.Error("messages cannot be delivered for the database cannot be read or written; it is tried again", "channel", ch.Name, "err", err)
		}
		if more && err == nil {
			continue
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

type waiting struct {
	id       int64
	message  Message
	created  time.Time
	attempts int
}

// next delivers one message, and reports whether there was one that is due.
func (o *Outbox) next(ctx context.Context, ch *Channel) (bool, error) {
	var w waiting
	var body []byte
	var created int64
	// That it is tried is written down first: what has been seen outside does not change any more.
	err := o.db.Write(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `UPDATE notify_message SET attempts = attempts + 1 WHERE id =
				(SELECT id FROM notify_message WHERE channel = $1 AND dead = 0 AND due <= $2 ORDER BY due, id LIMIT 1)
			RETURNING id, body, created, attempts`, ch.Name, time.Now().UnixMilli()).Scan(&w.id, &body, &created, &w.attempts)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err == nil {
		err = json.Unmarshal(body, &w.message)
	}
	if err != nil {
		return false, err
	}
	w.created = time.UnixMilli(created)
	attempt, cancel := context.WithTimeout(ctx, o.opts.Timeout)
	failed := ch.send(attempt, &w.message)
	cancel()
	if failed != nil && ctx.Err() != nil {
		return false, ctx.Err() // whether it failed is not known: it stays due
	}
	return true, o.settle(context.WithoutCancel(ctx), ch, &w, failed)
}

// settle writes down what became of an attempt.
func (o *Outbox) settle(ctx context.Context, ch *Channel, w *waiting, failed error) error {
	now := time.Now()
	if failed == nil {
		return o.db.Write(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO notify_sent (channel, key, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, ch.Name, w.message.Key, now.UnixMilli())
			if err == nil {
				_, err = tx.ExecContext(ctx, `DELETE FROM notify_message WHERE id = $1`, w.id)
			}
			return err
		})
	}
	var f *failure
	if !errors.As(failed, &f) {
		f = &failure{err: failed}
	}
	text := f.Error()
	text = text[:min(len(text), maxError)]
	if f.permanent || now.Sub(w.created) >= o.opts.GiveUp {
		o.opts.Log.Error("a message is not tried any more", "channel", ch.Name, "incident", w.message.Incident, "attempts", w.attempts, "err", text)
		return o.db.Write(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE notify_message SET dead = $2, error = $3 WHERE id = $1`, w.id, now.UnixMilli(), text)
			return err
		})
	}
	wait := o.wait(w.attempts, f.after)
	o.opts.Log.Warn("a message was not delivered; it is tried again", "channel", ch.Name, "incident", w.message.Incident, "attempts", w.attempts, "in", wait, "err", text)
	return o.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE notify_message SET due = $2, error = $3 WHERE id = $1`, w.id, now.Add(wait).UnixMilli(), text)
		return err
	})
}

// wait is how long to wait after a number of attempts: twice as long each time, give or take
// a fifth, and what the receiver asks for.
func (o *Outbox) wait(attempts int, asked time.Duration) time.Duration {
	d := o.opts.MaxWait
	if shift := attempts - 1; shift < 30 {
		d = min(d, o.opts.Retry<<shift)
	}
	d = time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
	return max(d, min(asked, o.opts.MaxWait))
}

// forget removes what nobody needs to know any more, now and then.
func (o *Outbox) forget(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		err := o.db.Write(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `DELETE FROM notify_sent WHERE at < $1`, time.Now().Add(-remembered).UnixMilli())
			return err
		})
		if err != nil && ctx.Err() == nil {
			o.opts.Log.Warn("old messages were not forgotten; it is tried again", "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
