// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package v1

import "time"

// Coverage says what was logged, and how fast. docs/reference/coverage.md explains
// it, and how to check it against the log.
type Coverage struct {
	Statement CoverageStatement  `json:"statement"`
	Intervals []CoverageInterval `json:"intervals" doc:"Of each stream one after the other; neighbors of the same state are one"`
	Latency   []Latency          `json:"latency" doc:"Measured delays of live records: of each stream, then of its operations, the most frequent first; those of back-filled records behind them"`
}

// CoverageStatement is the whole in short.
type CoverageStatement struct {
	Made     time.Time        `json:"made" doc:"By the clock of the machine that says it"`
	Since    time.Time        `json:"since" doc:"Of the provider's clock; intervals that the bound cuts are whole"`
	Until    time.Time        `json:"until"`
	Interval float64          `json:"interval_seconds" doc:"Length of an interval"`
	Kept     bool             `json:"kept" doc:"Every promise is kept"`
	Promises []Promise        `json:"promises"`
	Totals   CoverageTotals   `json:"totals"`
	Streams  []CoverageStream `json:"streams"`
	Gaps     []CoverageGap    `json:"gaps" doc:"Open gaps that touch the time, with their exact bounds"`
	Alarms   []CoverageAlarm  `json:"alarms" doc:"Alarms that are on"`
	Canaries []CoverageCanary `json:"canaries" doc:"What became of those that were planted in the time, by kind and channel; none while those from before an update are still being read, and then the log is behind"`
	Log      CoverageLog      `json:"log"`
}

// CoverageCanary is what became of the canaries of a kind and channel. Each that was planted has arrived, is missing, is awaited, or
// nothing was told of it. Times are by the clock of the machine.
type CoverageCanary struct {
	Tenant  string         `json:"tenant"`
	Source  string         `json:"source" doc:"That plants them, as the configuration names it"`
	Stream  string         `json:"stream,omitempty" doc:"Of the list of streams, that has the channel; absent if none is known to"`
	Kind    string         `json:"kind" example:"sign-in"`
	Channel string         `json:"channel,omitempty" doc:"Absent: nothing is told yet of any channel" example:"signIns.servicePrincipal"`
	Planted int            `json:"planted"`
	Arrived int            `json:"arrived"`
	Awaited int            `json:"awaited" doc:"That may still come"`
	Missing int            `json:"missing" doc:"That are overdue: they have not come in the time that they may take"`
	Latest  *time.Time     `json:"latest,omitempty" doc:"When the record of the one that came last was in the log"`
	Took    float64        `json:"latest_seconds,omitempty" doc:"How long after the act that was"`
	Median  float64        `json:"median_seconds,omitempty" doc:"Of those that arrived"`
	P95     float64        `json:"p95_seconds,omitempty"`
	Overdue []CoverageLost `json:"missing_latest" doc:"The latest that are missing, oldest first, at most 100"`
}

// CoverageLost is a canary that is missing.
type CoverageLost struct {
	Planted time.Time `json:"planted"`
	Act     string    `json:"act" doc:"Event id of the act that says so"`
}

// Promise is something that Daybreak promises, measured.
type Promise struct {
	Name     string   `json:"name" enum:"complete,delay" doc:"complete: no interval is late and nothing is in danger; delay: what we add to the provider's own delay, to live records"`
	Text     string   `json:"text"`
	Kept     bool     `json:"kept"`
	Measured string   `json:"measured"`
	Broken   []string `json:"broken,omitempty" doc:"Where it is not kept"`
}

// CoverageCounts add up what came of blobs.
type CoverageCounts struct {
	Blobs      int64 `json:"blobs" doc:"That any listing named"`
	Sealed     int64 `json:"sealed" doc:"Of them, those of which every record is in the journal"`
	LateBlobs  int64 `json:"late_blobs" doc:"Blobs that a listing in time did not name: the provider backdated them"`
	Records    int64 `json:"records" doc:"That the sealed blobs held"`
	Stored     int64 `json:"stored"`
	Duplicates int64 `json:"duplicates" doc:"Records that the journal had already"`
	Mutated    int64 `json:"mutated" doc:"Stored records whose id the journal had with other content"`
	Unreadable int64 `json:"unreadable" doc:"What was in blobs and is no record; kept as it came"`
	Bytes      int64 `json:"bytes"`
}

// StateCounts count intervals by their state.
type StateCounts struct {
	Complete     int `json:"complete"`
	Late         int `json:"late"`
	Gap          int `json:"gap"`
	Blind        int `json:"blind" doc:"The provider declares that it did not record, or show, all of it"`
	NotCollected int `json:"not_collected"`
	Unknown      int `json:"unknown"`
}

// CoverageTotals are of all streams.
type CoverageTotals struct {
	Tenants     int         `json:"tenants"`
	Streams     int         `json:"streams"`
	Intervals   StateCounts `json:"intervals"`
	Outstanding int         `json:"outstanding" doc:"Blobs that were listed and are not sealed, at present"`
	CoverageCounts
}

// CoverageStream is what is known of one stream.
type CoverageStream struct {
	Tenant    string      `json:"tenant"`
	Source    string      `json:"source" doc:"As the configuration names it"`
	Stream    string      `json:"stream" example:"Audit.Exchange"`
	Now       time.Time   `json:"now" doc:"The present by the provider's clock"`
	Listed    *time.Time  `json:"listed,omitempty" doc:"When the last listing was begun, by that clock"`
	Intervals StateCounts `json:"intervals"`
	CoverageCounts
	Outstanding int       `json:"outstanding" doc:"Blobs that were listed and are not sealed, at present"`
	Oldest      time.Time `json:"oldest" doc:"When the oldest thing that is not fetched was offered, or may have been; now if there is none"`
	TimeToLoss  float64   `json:"time_to_loss_seconds" doc:"When it can no longer be had"`
	Endangered  bool      `json:"endangered" doc:"Less than half of the retention is left, and it is not back-fill"`
	BackFilling bool      `json:"back_filling" doc:"The oldest thing is from before collecting began"`
	Settle      float64   `json:"settle_seconds" doc:"How long after an interval's end a listing must have been begun to count"`
	LagP999     float64   `json:"lag_p999_seconds" doc:"Learned: 999 of 1000 blobs can be seen this long after their time"`
	LagMax      float64   `json:"lag_max_seconds" doc:"The longest that a blob was not to be seen"`
	SweepReach  float64   `json:"sweep_reach_seconds" doc:"How far back the last sweep looked for what came late; 0 if there was none"`
	Failure     string    `json:"failure,omitempty" doc:"The last one"`
	FailureAct  string    `json:"failure_act,omitempty" doc:"Event id" example:"e12.345"`
}

// CoverageGap is something that cannot be had.
type CoverageGap struct {
	Tenant    string     `json:"tenant"`
	Source    string     `json:"source"`
	Stream    string     `json:"stream"`
	From      time.Time  `json:"from"`
	To        *time.Time `json:"to,omitempty" doc:"Absent if it goes on"`
	Blob      string     `json:"blob,omitempty" doc:"Absent if it is all of the time"`
	Permanent bool       `json:"permanent" doc:"It is not tried any more"`
	Reason    string     `json:"reason" example:"retention"`
	Subject   string     `json:"subject,omitempty" doc:"Who or what of the stream it is about: a mailbox, an account, an operation; absent if it is all of it"`
	Message   string     `json:"message,omitempty"`
	Act       string     `json:"act" doc:"Event id of the act that says so" example:"e12.345"`
}

// CoverageAlarm is an alarm that is on.
type CoverageAlarm struct {
	Tenant  string    `json:"tenant"`
	Source  string    `json:"source"`
	Stream  string    `json:"stream"`
	Since   time.Time `json:"since"`
	Reason  string    `json:"reason" example:"silence"`
	Subject string    `json:"subject,omitempty" doc:"Who or what of the stream it is about"`
	Code    string    `json:"code,omitempty" doc:"Which of several: the workload that is silent, the provider's error code"`
	Message string    `json:"message"`
	Act     string    `json:"act" doc:"Event id" example:"e12.345"`
}

// CoverageLog is the log that the statement speaks for.
type CoverageLog struct {
	Origin     string `json:"origin"`
	Entries    uint64 `json:"entries" doc:"Acts of the log's first so many entries are in the statement"`
	Checkpoint uint64 `json:"checkpoint_size" doc:"Entries that the latest signed checkpoint covers"`
	Behind     bool   `json:"behind" doc:"The log holds acts that are not in the statement yet"`
}

// CoverageInterval is an interval, or several of the same state one after the
// other.
type CoverageInterval struct {
	Tenant    string    `json:"tenant"`
	Source    string    `json:"source"`
	Stream    string    `json:"stream"`
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	State     string    `json:"state" enum:"complete,late,gap,blind,not collected,unknown"`
	Reason    string    `json:"reason,omitempty" example:"blobs not fetched"`
	Subject   string    `json:"subject,omitempty" doc:"Who or what of the stream the gap is about; absent if it is all of it"`
	Intervals int       `json:"intervals" doc:"How many of five minutes"`
	CoverageCounts
	Outstanding int              `json:"outstanding"`
	AsOf        *time.Time       `json:"as_of,omitempty" doc:"The state is that of this moment of the provider's clock, when the earliest of the listings that cover it was begun; absent if none does"`
	Evidence    CoverageEvidence `json:"evidence"`
}

// CoverageEvidence are event ids of acts, which prove takes.
type CoverageEvidence struct {
	Listing string `json:"listing,omitempty" doc:"The listing that as_of is of" example:"e12.345"`
	First   string `json:"first,omitempty" doc:"The first act that speaks of a blob in it"`
	Last    string `json:"last,omitempty" doc:"The last one"`
	Why     string `json:"why,omitempty" doc:"The act that opened the gap, or named the oldest blob that is missing"`
}

// Latency is how long the records of an operation took.
type Latency struct {
	Tenant    string     `json:"tenant"`
	Stream    string     `json:"stream"`
	Operation string     `json:"operation,omitempty" doc:"Absent: all of the stream; \"(other)\": those beyond the first 128"`
	Live      bool       `json:"live" doc:"Offered while the collector ran; otherwise back-filled"`
	Records   uint64     `json:"records"`
	Offering  Percentile `json:"event_to_offered" doc:"The provider's own delay"`
	Receiving Percentile `json:"offered_to_received"`
	Indexing  Percentile `json:"received_to_searchable"`
	Added     Percentile `json:"offered_to_searchable" doc:"What we add, the poll interval included"`
	Whole     Percentile `json:"event_to_searchable"`
}

// Percentile is what a share of the records did not exceed, in seconds; at most a
// sixteenth too large.
type Percentile struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
}
