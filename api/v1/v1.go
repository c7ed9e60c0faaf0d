// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package v1 holds what goes over the wire of the HTTP API under /api/v1. The
// server (package api) generates docs/reference/openapi.json from these types;
// package client reads and writes them. It imports nothing of ours.
//
// Fields are added, never renamed or removed, as long as the path says v1.
package v1

import (
	"encoding/json"
	"time"
)

// SearchHeader is what a search's answer says before its results. In JSON the
// answer is one object: the header's fields, "results", and the trailer's.
type SearchHeader struct {
	Query   string   `json:"query" doc:"The query in its canonical form"`
	Kind    string   `json:"kind" enum:"events,table" doc:"What the results are: Hit objects, or rows of a table"`
	Columns []string `json:"columns" doc:"The columns of a table in order; those of rows otherwise"`
}

// SearchTrailer is what a search's answer says after its results.
type SearchTrailer struct {
	Truncated bool    `json:"truncated" doc:"There are more results than were asked for"`
	Scanned   int64   `json:"scanned" doc:"Rows looked at"`
	Seconds   float64 `json:"seconds" doc:"Time that the search took"`
	Error     string  `json:"error,omitempty" doc:"Why the results end early; absent if they are whole"`
}

// Hit is one event of a search or a tail.
type Hit struct {
	ID    string          `json:"id" doc:"Event id, which prove takes" example:"e12.345"`
	Row   json.RawMessage `json:"row,omitempty" doc:"The event's columns that have a value"`
	Event json.RawMessage `json:"event,omitempty" doc:"The whole event in OCSF; absent unless asked for, or if its raw record is gone by policy"`
}

// Event is one stored event with all that is known of it.
type Event struct {
	ID        string          `json:"id" example:"e12.345"`
	Tenant    string          `json:"tenant" doc:"The customer's id at the provider"`
	Family    string          `json:"family" doc:"Kind of record, as --source names it" example:"m365"`
	Stream    string          `json:"stream" doc:"Feed within the family" example:"Audit.Exchange"`
	Origin    string          `json:"origin" doc:"File, blob or page that the record came in"`
	Ordinal   uint64          `json:"ordinal" doc:"0-based place in the origin"`
	VendorID  string          `json:"vendor_id" doc:"The provider's id of the record; empty if it has none"`
	Time      time.Time       `json:"time" doc:"When the provider says that it happened; the zero time if it does not"`
	Received  time.Time       `json:"received"`
	Committed time.Time       `json:"committed" doc:"When the journal sealed it"`
	Mutated   bool            `json:"mutated" doc:"The provider delivered other content under the same id before"`
	Event     json.RawMessage `json:"event" doc:"The event in OCSF"`
	Raw       []byte          `json:"raw" doc:"The record exactly as received, in base64"`
}

// ImportSummary says what became of an import's records.
type ImportSummary struct {
	Read       int64   `json:"read" doc:"Records found in the input"`
	Stored     int64   `json:"stored" doc:"Records that are new in the journal"`
	Duplicates int64   `json:"duplicates" doc:"Records that the journal had already"`
	Mutated    int64   `json:"mutated" doc:"Stored records whose id the journal had with other content"`
	Unparsed   int64   `json:"unparsed" doc:"Records that are not JSON; they are stored as they are"`
	Detections int64   `json:"detections" doc:"Detections that the records caused"`
	Seconds    float64 `json:"seconds" doc:"Time until everything was sealed, mapped and searchable"`
}

// ImportResult is the answer to an import.
type ImportResult struct {
	Summary ImportSummary `json:"summary"`
	Refused int64         `json:"refused" doc:"Records that were not stored"`
	Notes   []string      `json:"notes" doc:"What was refused or kept unparsed, and why, the first of them; empty if nothing was"`
	Failed  string        `json:"failed,omitempty" doc:"Why the input could not be read to its end; absent if it was"`
}

// Status is the state of the process that holds a data directory.
type Status struct {
	Version    string    `json:"version" doc:"Build of the process"`
	PID        int       `json:"pid"`
	Role       string    `json:"role" doc:"The command that holds the directory" example:"serve"`
	Started    time.Time `json:"started"`
	Dir        string    `json:"dir" doc:"Data directory"`
	Origin     string    `json:"origin" doc:"Name of the log"`
	Key        string    `json:"key" doc:"Verifier key of the log"`
	LogEntries uint64    `json:"log_entries" doc:"Entries of the log that are durable"`
	LogSize    uint64    `json:"log_size" doc:"Entries of the log that the latest checkpoint covers"`
	Searchable string    `json:"searchable" doc:"Every record before this event id can be found" example:"e12.345"`
	Rows       int64     `json:"rows" doc:"Rows in the lake"`
	Segments   int       `json:"segments" doc:"Files of the lake"`
	Behind     bool      `json:"behind" doc:"The lake has not caught up with the journal"`
	Mapper     string    `json:"mapper" doc:"Version of the mapping that this build has"`
	Stale      bool      `json:"stale" doc:"Rows were made by an older mapping; daybreak rebuild makes them anew"`
	Drift      []Drift   `json:"drift" doc:"Operations and shapes of records that the mapping does not know, newest first"`
	Sources    []Source  `json:"sources" doc:"What is collected, in the order of the configuration"`
}

// Source is the state of one source.
type Source struct {
	Name        string     `json:"name" doc:"As the configuration has it"`
	Type        string     `json:"type" example:"m365"`
	Tenant      string     `json:"tenant" doc:"The customer's id at the provider"`
	State       string     `json:"state" enum:"starting,running,failing,stopped" doc:"failing: it could not be started or has ended by itself, and is tried again"`
	Since       time.Time  `json:"since" doc:"When it came into this state"`
	Trouble     string     `json:"trouble,omitempty" doc:"Why it is failing"`
	Restarts    int        `json:"restarts" doc:"How often it was tried again"`
	Credential  string     `json:"credential" doc:"What it proves itself with, and where that is"`
	Expires     *time.Time `json:"expires,omitempty" doc:"When the credential ends; absent if it does not say"`
	SkewSeconds float64    `json:"skew_seconds" doc:"How far the provider's clock is ahead of ours"`
	PerMinute   float64    `json:"requests_per_minute" doc:"Requests that are let through in a minute at present"`
	Throttled   float64    `json:"throttled_seconds" doc:"Time in which the provider had us send nothing"`
	Streams     []Stream   `json:"streams"`
}

// Stream is the state of one stream of a source. Times are the provider's where not
// said otherwise.
type Stream struct {
	Name        string     `json:"name" example:"Audit.Exchange"`
	State       string     `json:"state" doc:"collecting, failing, disabled (there is no subscription) or refused (a permission is missing)"`
	Head        *time.Time `json:"head,omitempty" doc:"What was offered before this time has been listed, but for what back-fill has to list and for what comes late"`
	Listed      *time.Time `json:"listed,omitempty" doc:"When a listing of what is new has last worked, by our clock"`
	Backlog     int        `json:"backlog" doc:"Blobs that were listed and are not sealed"`
	Quarantined int        `json:"quarantined" doc:"Blobs and windows that fail again and again; tried now and then"`
	Unlisted    float64    `json:"unlisted_seconds" doc:"The provider's time that back-fill has still to list"`
	TimeToLoss  float64    `json:"time_to_loss_seconds" doc:"Time until the first content that is not fetched can no longer be had"`
	Late        int64      `json:"late_blobs" doc:"Blobs that only a sweep has found"`
	Error       string     `json:"error,omitempty" doc:"What went wrong last; it may be over"`
	ErrorAt     *time.Time `json:"error_at,omitempty" doc:"When, by our clock"`
}

// Drift is a kind of record that the mapping does not know.
type Drift struct {
	Family string    `json:"family"`
	What   string    `json:"what" doc:"The operation or shape"`
	First  time.Time `json:"first" doc:"When it was first seen"`
	Last   time.Time `json:"last"`
	Count  int64     `json:"count"`
	Sample string    `json:"sample" doc:"An event id that shows it" example:"e12.345"`
}

// Rotated is the answer to a key rotation.
type Rotated struct {
	Key string `json:"key" doc:"The new verifier key"`
}
