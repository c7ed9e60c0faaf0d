// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package v1

import "time"

// Channels says how channels that show the same acts agree.
type Channels struct {
	Hours     []ChannelHour   `json:"hours" doc:"By tenant, kind, operation and hour of event time"`
	Orphans   []ChannelOrphan `json:"orphans" doc:"Sessions and tokens in use that no sign-in has given out"`
	Waiting   int             `json:"waiting" doc:"Sessions and tokens of which no sign-in is known and nothing can be said yet"`
	Forgotten *time.Time      `json:"forgotten,omitempty" doc:"Of what happened before nothing is said: it was forgotten to keep the bound"`
	Entries   uint64          `json:"entries" doc:"Records of the log's first so many entries are in it"`
}

// ChannelHour is what channels have shown of an operation in an hour.
type ChannelHour struct {
	Tenant    string         `json:"tenant"`
	Kind      string         `json:"kind" enum:"sign-ins,directory audits,audit records" doc:"audit records are those of the unified audit log, of which the feed is held against CloudAppEvents (operation is then the workload and the operation) and, by a source of type audit-query, against the log itself"`
	Operation string         `json:"operation" example:"Add member to group"`
	Hour      time.Time      `json:"hour"`
	Channels  []ChannelShown `json:"channels"`
}

// ChannelShown is what one channel has shown.
type ChannelShown struct {
	Channel string `json:"channel" enum:"unified audit log,Microsoft Graph,diagnostic setting,CloudAppEvents table,Management Activity API,audit query"`
	Acts    int64  `json:"acts" doc:"Different acts"`
	Lacking int64  `json:"lacking" doc:"Acts that others have shown, and it should have; zero where that is forgotten"`
	Verdict string `json:"verdict" enum:"agree,unmatched,not collected,no part,cannot say" doc:"Why it lacks them: unmatched is blindness; no part: it has never shown the operation or, where that has to be learned, never all of it; cannot say: it is not complete for the time, or may still come, or its acts are forgotten"`
}

// ChannelOrphan is a session or token in use without a sign-in.
type ChannelOrphan struct {
	Tenant  string    `json:"tenant"`
	Stream  string    `json:"stream" doc:"That lacks the sign-in"`
	Subject string    `json:"subject" doc:"Who acts: an account, or an application"`
	Message string    `json:"message"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
}
