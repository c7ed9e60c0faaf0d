// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/notify"
)

// settings are the configuration that counts at present. They are never
// changed, only replaced.
type settings struct {
	config config.Config
	slots  chan struct{} // one for each search under way
}

// newSettings makes the settings that follow others. Searches under way keep
// the slots that they took; if the number changes, for as long as they run
// there may be more than it says.
func newSettings(c *config.Config, before *settings) *settings {
	s := &settings{config: *c}
	if before != nil && before.config.Search.Parallel == c.Search.Parallel {
		s.slots = before.slots
	} else {
		s.slots = make(chan struct{}, max(1, c.Search.Parallel))
	}
	return s
}

// waits are the sections that are read when the process starts and not again.
var waits = []string{"server", "witness", "incidents"}

// Configured says what a new configuration has changed.
type Configured struct {
	Applied []config.Change
	// Waiting are changes that count from the next start on.
	Waiting []config.Change
}

// Configure takes up another configuration. Sources that it changes are started
// anew, those that it adds are started, those that it lacks are stopped, and the
// others go on untouched. If it returns an error, nothing has changed.
func (n *Node) Configure(ctx context.Context, c config.Config) (Configured, error) {
	n.configuring.Lock()
	defer n.configuring.Unlock()
	before := n.live.Load()
	if name := c.Journal.Name; name != "" && name != n.journal.Origin() {
		return Configured{}, &DirError{fmt.Sprintf("journal.name is %q, but this log is %q and a log keeps its name: take the setting out, or use another data directory", name, n.journal.Origin())}
	}
	c.Journal = before.config.Journal // no change: the log has this name
	var out Configured
	for _, change := range config.Changes(before.config.Snapshot(), c.Snapshot()) {
		if slices.Contains(waits, change.Section()) {
			out.Waiting = append(out.Waiting, change)
		} else {
			out.Applied = append(out.Applied, change)
		}
	}
	// What waits is said again the next time, too.
	c.Server, c.Witness, c.Incidents = before.config.Server, before.config.Witness, before.config.Incidents
	var box *notify.Outbox
	if !reflect.DeepEqual(before.config.Notify, c.Notify) {
		var err error
		if box, err = n.newOutbox(&c); err != nil {
			return Configured{}, err
		}
	}
	if !slices.Equal(before.config.Enrich.Databases, c.Enrich.Databases) {
		if err := n.mappers.use(c.Enrich.Databases); err != nil {
			return Configured{}, &DirError{"enrich.databases: " + err.Error()}
		}
	}
	rules, err := identityRules(&c)
	if err != nil {
		return Configured{}, &DirError{"identity: " + err.Error()}
	}
	if n.detector != nil {
		if err := n.reloadRules(&c); err != nil {
			return Configured{}, &DirError{"detect: " + err.Error()}
		}
	}
	n.mappers.source.Own(telemetryOf(&c))
	n.live.Store(newSettings(&c, before))
	n.people.book.Use(rules)
	if box != nil {
		n.teller.use(box)
	}
	n.declare(ctx, &c)
	n.sources.configure(c.Sources)
	if n.sources.begun() {
		n.receivers.configure(c.Receive)
	}
	return out, nil
}

// declared are the sections whose changes are acts in the journal: what decides
// on what is collected and kept, what judges it, and by whom it is vouched for.
var declared = []string{"source", "receive", "retention", "witness", "detect", "identity"}

// declare writes down what has changed in the configuration since the last time,
// also if that was before a restart.
func (n *Node) declare(ctx context.Context, c *config.Config) {
	now := c.Snapshot()
	before, err := n.lastConfigured(ctx)
	if err != nil {
		n.log.Warn("the last configuration is not known: all of the present one is declared", "err", err)
	}
	acts := map[string]*act.Act{} // of each source; "" is the program itself
	var order []string
	for _, change := range config.Changes(before, now) {
		section := change.Section()
		if !slices.Contains(declared, section) {
			continue
		}
		name, text := "", change.String()
		if section == "source" || section == "receive" {
			name, _, _ = strings.Cut(strings.TrimPrefix(change.Path, section+"."), ".")
			text = strings.TrimPrefix(text, section+"."+name+".")
		}
		a := acts[name]
		if a == nil {
			a = &act.Act{Kind: act.Configured}
			acts[name] = a
			order = append(order, name)
		} else {
			a.Message += "; "
		}
		a.Message += text
	}
	var commits []*journal.Commit
	for _, name := range order {
		commit, err := act.NewWriter(n.journal, cmp.Or(name, programName), tenantOf(c, name)).Write(ctx, *acts[name])
		if err == nil {
			commits = append(commits, commit)
			continue
		}
		n.log.Error("a change of the configuration was not written into the journal", "source", name, "err", err)
		return // it is declared the next time
	}
	for _, commit := range commits { // of all at once: a thousand sources are declared in one batch
		if _, err := commit.Wait(ctx); err != nil {
			n.log.Error("the changes of the configuration were not written into the journal", "err", err)
			return
		}
	}
	if err := n.rememberConfigured(ctx, now); err != nil {
		n.log.Warn("the configuration was not noted: it is declared again at the next start", "err", err)
	}
}

func tenantOf(c *config.Config, name string) string {
	for i := range c.Sources {
		if c.Sources[i].Name == name {
			return c.Sources[i].Tenant
		}
	}
	for i := range c.Receive {
		if c.Receive[i].Name == name {
			return c.Receive[i].Tenant
		}
	}
	return ""
}

// programName is the source that the program's own acts are of.
const programName = "daybreak"

// writeAct writes one act and waits until it is durable.
func (n *Node) writeAct(ctx context.Context, source, tenant string, a act.Act) error {
	if source == "" {
		source = programName
	}
	commit, err := act.NewWriter(n.journal, source, tenant).Write(ctx, a)
	if err != nil {
		return err
	}
	_, err = commit.Wait(ctx)
	return err
}

// lastConfigured returns the configuration that was declared last; if none was,
// that of an empty file.
func (n *Node) lastConfigured(ctx context.Context) (config.Snapshot, error) {
	def := config.Default()
	var text string
	err := n.db.Read().QueryRowContext(ctx, `SELECT value FROM node_setting WHERE name = 'configured'`).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return def.Snapshot(), nil
	}
	var s config.Snapshot
	if err == nil {
		err = json.Unmarshal([]byte(text), &s)
	}
	return s, err
}

func (n *Node) rememberConfigured(ctx context.Context, s config.Snapshot) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return n.note(ctx, "configured", string(text))
}

// note keeps a value under a name.
func (n *Node) note(ctx context.Context, name, value string) error {
	return n.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO node_setting (name, value) VALUES ($1, $2)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
		return err
	})
}
