// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/node"
)

// lookEvery is how often the configuration file is looked at. A file that changes
// is read when it has not changed between two looks, so that one that is being
// written is not read in the middle.
const lookEvery = 500 * time.Millisecond

// reloader keeps a node's configuration like the file's.
type reloader struct {
	file   string // empty: there is none
	listen string // of the command line, instead of the file's
	level  *slog.LevelVar
	node   *node.Node
	log    *slog.Logger

	read    string // stamp of the file that was read last, good or bad
	content [sha256.Size]byte
}

func (r *reloader) load() (config.Config, error) {
	c, err := config.Load(r.file)
	if err == nil && r.listen != "" {
		c.Server.Listen = r.listen
		err = c.Check()
	}
	return c, err
}

// note remembers the file as it is, before it is read: a change after that is seen.
func (r *reloader) note() {
	r.read, r.content = r.stamp(), r.sum()
}

// run reads the file again when it changes and on SIGHUP, until ctx ends.
func (r *reloader) run(ctx context.Context) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	last := r.read
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			r.note()
			last = r.read
			r.apply(ctx)
		case <-tick.C:
			now := r.stamp()
			if now == last && now != r.read {
				r.read = now
				if sum := r.sum(); sum != r.content {
					r.content = sum
					r.apply(ctx)
				}
			}
			last = now
		}
	}
}

// stamp tells one state of the file from another without reading it.
func (r *reloader) stamp() string {
	if r.file == "" {
		return ""
	}
	st, err := os.Stat(r.file)
	if err != nil {
		return "not there"
	}
	inode := uint64(0)
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		inode = sys.Ino
	}
	return fmt.Sprint(st.ModTime().UnixNano(), st.Size(), inode)
}

func (r *reloader) sum() [sha256.Size]byte {
	text, _ := os.ReadFile(r.file) // apply says what is wrong with it
	return sha256.Sum256(text)
}

// apply reads the configuration and gives it to the node; one with a mistake changes
// nothing.
func (r *reloader) apply(ctx context.Context) {
	c, err := r.load()
	if err != nil {
		r.log.Error("the configuration has a mistake, the former one stays", "err", err)
		return
	}
	done, err := r.node.Configure(ctx, c)
	if err != nil {
		r.log.Error("the configuration cannot be used, the former one stays", "err", err)
		return
	}
	setLevel(r.level, c.Log.Level)
	r.log.Info("configuration read again", "changes", sentences(done.Applied))
	if len(done.Waiting) > 0 {
		r.log.Warn("these changes count from the next start on", "changes", sentences(done.Waiting))
	}
}

func sentences(changes []config.Change) []string {
	out := make([]string, len(changes))
	for i, c := range changes {
		out[i] = c.String()
	}
	return out
}

func setLevel(v *slog.LevelVar, name string) {
	var l slog.Level
	_ = l.UnmarshalText([]byte(name)) // package config has checked it
	v.Set(l)
}
