// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package v1

import (
	"encoding/json"
	"time"
)

// Controls says how what can switch logging off stands. docs/reference/controls.md explains it.
type Controls struct {
	Controls []Control `json:"controls" doc:"Each control as a whole, and behind it each subject of it that does not stand as it should or has changed"`
}

// Control is how a control stands, or a subject of it.
type Control struct {
	Tenant  string          `json:"tenant"`
	Source  string          `json:"source" doc:"That watches it, as the configuration names it"`
	Control string          `json:"control" example:"unified-audit-log"`
	Subject string          `json:"subject,omitempty" doc:"Who or what of it: a mailbox, an account, a category, an application"`
	State   string          `json:"state" enum:"good,drift,changed,not watched" doc:"drift: not as it should be; changed: another than before, and not worse for logging; not watched: it cannot be read, so that nothing is said of it"`
	Since   *time.Time      `json:"since,omitempty" doc:"By the provider's clock"`
	Read    *time.Time      `json:"read,omitempty" doc:"When it was last read, by the clock of the machine"`
	Value   json.RawMessage `json:"value,omitempty" doc:"What was read"`
	Before  json.RawMessage `json:"before,omitempty" doc:"What had been read before that"`
	Message string          `json:"message,omitempty"`
	Event   string          `json:"event,omitempty" doc:"Event id of the record that told of the change" example:"e12.345"`
	Act     string          `json:"act,omitempty" doc:"Event id of the act that says so" example:"e12.346"`
	Title   string          `json:"title" doc:"What it is"`
	Needs   string          `json:"needs" doc:"What the application must have to read it"`
}
