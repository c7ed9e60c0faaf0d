// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"fmt"

	"github.com/daybreak-sec/daybreak/journal/layout"
	"golang.org/x/mod/sumdb/note"
)

// proveEmpty accepts the checkpoint of a log that has just been made.
func (v *verifier) proveEmpty() *Error {
	c := v.checkpoint
	if c.root != v.tree.front.root() {
		return fault(Invalid, "an empty log has another root").in(checkpointName)
	}
	if !v.inv.open {
		return fault(Invalid, "the log is empty: it lacks the entry that founds it").in(checkpointName)
	}
	for _, key := range v.given {
		if k, err := note.NewVerifier(key); err == nil && c.mustBeSignedBy(k) == nil {
			v.report.Key, v.report.KeyGiven = key, true
		}
	}
	if len(v.given) > 0 && !v.report.KeyGiven {
		return fault(Signature, "it is signed by none of the given keys").in(checkpointName)
	}
	v.report.Warnings = append(v.report.Warnings, "nothing is committed yet")
	return v.proveSince(c.root)
}

// proveOwner ties the log to the caller's keys and witnesses. The checkpoint's
// signature by the key in force has been checked.
func (v *verifier) proveOwner() *Error {
	current := v.chain.inForce(v.checkpoint.size)
	v.report.Key, v.report.KeyCount = current.vkey, len(v.chain)
	v.report.KeyGiven = v.chain.trusts(v.given)
	if len(v.given) > 0 && !v.report.KeyGiven {
		return fault(Signature, "the log is signed by %s+%08x, and none of the given keys is or was its key", current.verifier.Name(), current.verifier.KeyHash()).in(checkpointName)
	}
	if len(v.given) == 0 {
		v.report.Warnings = append(v.report.Warnings, "no key was given: the log agrees with the key that it names itself, which its maker could replace together with the log")
	}
	names, err := v.cosign.check(v.checkpoint)
	if err != nil {
		return fault(Signature, "%v", err).in(checkpointName)
	}
	v.report.Witnesses = names
	if strangers := len(v.checkpoint.sigs) - 1 - len(names); strangers > 0 {
		v.report.Warnings = append(v.report.Warnings, fmt.Sprintf("%d signatures of the checkpoint are by keys that were not given and were not checked", strangers))
	}
	return nil
}

// proveSince holds the earlier checkpoint against the tree.
func (v *verifier) proveSince(root layout.Hash) *Error {
	s, c := v.since, v.checkpoint
	if s == nil {
		return nil
	}
	if s.origin != c.origin {
		return fault(Consistency, "the earlier checkpoint is of the log %.80q, this one of %.80q", s.origin, c.origin).in(checkpointName)
	}
	if s.size > c.size {
		return fault(Consistency, "the checkpoint goes back: it has size %d, and the earlier one %d", c.size, s.size).in(checkpointName)
	}
	if len(v.chain) > 0 {
		if e := s.mustBeSignedBy(v.chain.inForce(s.size).verifier); e != nil {
			return fault(Signature, "the earlier checkpoint is not the log's: %v", e)
		}
	}
	if s.size == 0 {
		root = (&frontier{}).root()
	}
	if s.root != root {
		return fault(Consistency, "the log is not a continuation of the earlier checkpoint: at size %d its root is another", s.size).in(checkpointName)
	}
	public := s.public()
	v.report.Since = &public
	return nil
}
