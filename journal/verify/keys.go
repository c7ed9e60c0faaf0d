// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/daybreak-sec/daybreak/journal/layout"
	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// maxKeys bounds how often a log may replace its key.
const maxKeys = 1 << 16

// keyChain is the log's signing keys in the order of their reign.
type keyChain []reign

// reign is one key; it signs the checkpoints of sizes greater than after.
type reign struct {
	after    uint64
	vkey     string
	verifier note.Verifier
}

// found starts the chain with the key that entry 0 names.
func (k *keyChain) found(e layout.LogEntry) error {
	v, err := note.NewVerifier(e.Key)
	if err != nil || v.Name() != e.Origin {
		return errors.New("the log's first key is not an Ed25519 verifier key whose name is the origin")
	}
	*k = keyChain{{vkey: e.Key, verifier: v}}
	return nil
}

// replace adds the key that e installs. Both keys must have signed the change:
// the old one so that nobody takes a log over, the new one so that nobody
// claims a key that is not his.
func (k *keyChain) replace(e layout.KeyEntry) error {
	last := (*k)[len(*k)-1]
	if e.Old != last.vkey {
		return errors.New("the key to replace is not the one in force")
	}
	v, err := note.NewVerifier(e.New)
	switch {
	case err != nil || v.Name() != last.verifier.Name():
		return errors.New("the new key is not an Ed25519 verifier key whose name is the origin")
	case e.New == e.Old:
		return errors.New("the new key is the old one")
	case !last.verifier.Verify(e.SignedText(), e.OldSignature):
		return errors.New("the old key's signature is wrong")
	case !v.Verify(e.SignedText(), e.NewSignature):
		return errors.New("the new key's signature is wrong")
	case len(*k) == maxKeys:
		return fmt.Errorf("more than %d keys", maxKeys)
	}
	*k = append(*k, reign{after: e.Index, vkey: e.New, verifier: v})
	return nil
}

// inForce returns the key that signs a checkpoint of the given size.
func (k keyChain) inForce(size uint64) reign {
	for _, r := range slices.Backward(k) {
		if size > r.after {
			return r
		}
	}
	return k[0]
}

// trusts reports whether one of the caller's keys is in the chain. Every change
// of key after it was signed by the one before, and each before it by the one
// after.
func (k keyChain) trusts(given []string) bool {
	return slices.ContainsFunc(k, func(r reign) bool { return slices.Contains(given, r.vkey) })
}

// trimKeys checks the verifier keys that a caller gives.
func trimKeys(keys []string) ([]string, error) {
	var out []string
	for _, k := range keys {
		k = strings.TrimSpace(k)
		if _, err := note.NewVerifier(k); err != nil {
			return nil, fmt.Errorf("%.100q is not a log's verifier key (want name+hash+key with an Ed25519 key, as in the first entry of the log)", k)
		}
		out = append(out, k)
	}
	return out, nil
}

// cosigners is the caller's policy on witnesses.
type cosigners struct {
	keys   []note.Verifier
	quorum int
}

// newCosigners reads witness keys: type 4 (Ed25519) or 6 (ML-DSA-44) of C2SP
// tlog-cosignature, or a plain Ed25519 key meant as such. A quorum of zero asks
// for all of them.
func newCosigners(vkeys []string, quorum int) (cosigners, error) {
	var c cosigners
	for _, k := range vkeys {
		k = strings.TrimSpace(k)
		v, err := fnote.NewVerifierForCosignatureV1(k)
		if err == nil && !strings.HasPrefix(k, fmt.Sprintf("%s+%08x+", v.Name(), v.KeyHash())) {
			_, err = note.NewVerifier(k) // a plain key has another hash than the cosigner made of it
		}
		if err != nil {
			return c, fmt.Errorf("%.100q is not a witness's verifier key", k)
		}
		if slices.ContainsFunc(c.keys, func(o note.Verifier) bool { return o.Name() == v.Name() && o.KeyHash() == v.KeyHash() }) {
			return c, fmt.Errorf("the witness key %s+%08x is given twice", v.Name(), v.KeyHash())
		}
		c.keys = append(c.keys, v)
	}
	if quorum < 0 || quorum > len(c.keys) {
		return c, fmt.Errorf("a quorum of %d cannot be had from %d witnesses", quorum, len(c.keys))
	}
	if c.quorum = quorum; quorum == 0 {
		c.quorum = len(c.keys)
	}
	return c, nil
}

// check demands the quorum on checkpoint c and returns the names of the
// witnesses who cosigned. A wrong signature under a known key is refused even
// if there are enough others.
func (w cosigners) check(c *signedCheckpoint) ([]string, error) {
	names := []string{}
	for _, v := range w.keys {
		present, valid := c.signedBy(v)
		if present && !valid {
			return nil, fmt.Errorf("its cosignature by the witness %s is wrong", v.Name())
		}
		if valid {
			names = append(names, v.Name())
		}
	}
	if len(names) < w.quorum {
		return nil, fmt.Errorf("it is cosigned by %d of the given witnesses, want %d", len(names), w.quorum)
	}
	return names, nil
}
