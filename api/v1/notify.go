// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package v1

import "time"

// DeadLetter is a message about an incident that was put aside.
type DeadLetter struct {
	ID       int64     `json:"id"`
	Channel  string    `json:"channel" doc:"Name of the channel, as the configuration has it"`
	Created  time.Time `json:"created" doc:"Since when it was tried"`
	Since    time.Time `json:"since" doc:"When it was put aside"`
	Attempts int       `json:"attempts"`
	Error    string    `json:"error" doc:"What the last attempt failed with"`
	Key      string    `json:"key" doc:"What receivers tell a repeated message by"`
	Incident string    `json:"incident" doc:"Id of the incident, as it was called then"`
	Title    string    `json:"title"`
	Level    string    `json:"level"`
	State    string    `json:"state"`
}
