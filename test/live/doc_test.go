// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package live_test runs the whole product against the simulated provider and
// holds what it has stored against the simulator's ledger: every record that could
// be had is there, once, nothing else is, and no report on the way has called an
// interval complete that was not.
//
// Tests are named by the modes of failure that other collectors are known to have,
// F1 to F20. Most let simulated time stand, and pass in steps: they wait for
// conditions and never for a time, so that a slow machine makes them slow and
// nothing else. The product runs in this process where nothing is killed; its waits
// (between polls, after failures) are shortened, because simulated days are seconds.
//
// TestKillEverySource has other vendors beside it, a folder and senders that push, each with a ledger of its own: what every source's
// records have to stand is that the program is killed in the middle of any request.
//
// What stands for other sources is in docs/reference/failures.md. What does not apply to the Management Activity API, and why:
//
//	F7   truncated queries    The API has no queries; a listing has no cap but its
//	                          pages, of which F2 and F6 are. F4 has what is cut.
//	F8   hub re-created       There is no hub and no consumer group here. Outages of six
//	                          days and 23 hours, and of eight days, are TestOutage….
//	F9   containment calls    Nothing responds yet. That their priority goes before all
//	                          others is tested in provider/budget.
//	F10  partitions           There are none; that one stream does not stop
//	                          the others is TestF06 and TestF19.
//	F12  canaries             Nothing acts in the tenant yet. Silence of a workload
//	                          is told from its usual rate.
//	F14  detections           There are none yet; records map or are kept, and
//	                          drift is noticed.
//	F16  one act, four ways   There is one channel yet. The part that applies: the
//	                          webhook and polls together store nothing twice.
//	F17  omitted by provider  Needs a second channel to compare with.
//	F18  logging turned off   The part that this API shows, a subscription that is
//	                          disabled, is TestF11Disabled.
//
// The long form (DAYBREAK_LIVE=long, `make live`) has the sizes that the product
// promises: 200,000 records and 30 kills with all faults on, 300 MB blobs, 120,000
// blobs in a listing, 24 hours of outage of 10,000 people. DAYBREAK_LIVE_KEEP=DIR keeps
// the data of tests that fail.
package live_test
