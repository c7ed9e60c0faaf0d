// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package push takes records that others send to us, and answers when they are safe: Splunk's HTTP event collector,
// OTLP logs over HTTP and gRPC, JSON over HTTP (GitHub, Okta's event hooks, whoever can post), and syslog.
//
//	hec      POST /services/collector[/event], /raw, /ack; GET /health    Splunk's HTTP event collector
//	otlp     POST /v1/logs, and the gRPC service of the same             OpenTelemetry, protobuf or JSON
//	http     POST /ingest/NAME                                           JSON lines, an array, objects, Okta's hooks
//	syslog   RFC 5424 over TLS (RFC 5425) or TCP on loopback             counted octets or lines (RFC 6587)
//
// # A request's way, and what is true if the machine dies there
//
//  1. The token is looked at, then the body is read, never more of it than memory is put aside for. Dies: no answer, so the
//     sender sends again.
//  2. It is cut into records; nothing is stored of a body that cannot be. (HEC is the exception, as Splunk is: what comes
//     before the mistake is stored, and the answer says where the mistake is.)
//  3. The records are appended to the journal as an origin of their own. Dies: as 1, and the journal knows each record it has.
//  4. When they are durable, the sender is answered. Dies before: it sends again, and nothing is stored twice. Dies after: the
//     records are there.
//
// So 200 means durable, and so does an ack of HEC: an ack id is not given out before. A replayed request changes nothing.
// Syslog has no answer; there the connection is not read while the journal is behind, and the sender's buffer is what keeps
// the records.
//
// # What a record is
//
// Of HEC the event's object with its dressing, of OTLP the log record in the form of OTLP/JSON with its resource and scope
// beside it, of syslog an object with the message as it came and what could be parsed of it, of HTTP what was sent. If a family
// is set, HEC's dressing is only transport, and the event alone is the record. What cannot be said in JSON (bytes that are
// not UTF-8, fields of protobuf that we do not know) stands beside it in base64.
//
// # Too much
//
// Connections, bodies, records of a request, the memory of all requests together and the time of each are bounded. A sender
// beyond them is told to come back (503 with Retry-After, code 9 of HEC, UNAVAILABLE of gRPC), or to send less at once (413); nothing is
// taken in part. That something had to be refused for want of room or of the journal is an act.
//
// # Known holes
//
// Who pushes says nothing of what it did not push: no interval is ever complete by a receiver's word. Records without an id
// that are equal to the last byte are one record; senders put a time into them. Syslog over TCP loses what the sender had given to the
// connection when it broke.
package push
