// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package witness is a transparency log witness: an independent party that
// remembers the latest checkpoint of each log it watches, and cosigns a new
// checkpoint only if the log proves that it extends the remembered one. The
// protocol is C2SP tlog-witness (c2sp.org/tlog-witness), the signature is the
// Ed25519 form of C2SP tlog-cosignature; any log and any client that speak these
// can use it, tessera's among them.
//
// # What a cosignature says
//
// "As of this second, the largest consistent tree that I have seen under this
// origin has this size and root." A log's owner holds the log's key and could
// rewrite the whole log; no signature of the log's own shows that. The owner
// cannot rewrite it below a checkpoint that a witness has cosigned and still get
// that witness's signature on the new history. It does not say that the log's
// content is true or even readable: that is package verify's work.
//
// # What is kept, and what survives
//
// The folder given as Options.Dir belongs to one witness process, which holds
// "lock" in it. "key" is the witness's secret (mode 0600, made on the first
// run). "<sha-256 of the origin>.checkpoint" is the latest checkpoint of one
// log with the log's signature and ours, exactly as it was answered; it is
// checked against our own key when the witness starts.
//
// A request is answered in this order, under the log's own mutex:
//
//	check          nothing has changed if the machine dies here
//	write, fsync   a temporary file that the next start removes
//	rename, fsync  from here on the new checkpoint is remembered for ever
//	answer         if it is lost, the log asks again, is told the size by
//	               a 409, and gets a fresh cosignature for the same tree
//
// So a cosignature that anybody holds is never ahead of the remembered state.
// If storing fails, nothing is known about the disk any more: that log gets 500
// until the process is started again and reads what is really there.
//
// Restoring the folder from a backup takes the witness's memory back with it and
// would let a log fork once: do not, unless under a new key.
//
// # Bad input
//
// Bodies are capped at 256 KiB and proofs at 63 hashes; unknown origins
// are refused before any signature is checked; the state of a log is touched
// only for a checkpoint that carries that log's valid signature.
package witness
