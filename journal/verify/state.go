// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
)

// checkState compares tessera's own files with the one content that each can
// have (transparency-dev/tessera:storage/posix/files.go).
func (v *verifier) checkState() *Error {
	for _, name := range lockNames {
		if _, err := v.inv.read(name, 0); err != nil && err.Kind != Missing {
			return err
		}
	}
	version, err := v.inv.read(versionName, 16)
	if err != nil {
		return err
	}
	if string(version) != "1" {
		return fault(Changed, "its content is not the version 1").in(versionName).at(0)
	}
	state, err := v.inv.read(treeStateName, 1024)
	if err != nil {
		return err
	}
	var s struct {
		Size uint64 `json:"size"`
		Root []byte `json:"root"`
	}
	if e := json.Unmarshal(state, &s); e != nil {
		return fault(Changed, "it is not tessera's tree state").in(treeStateName)
	}
	again, _ := json.Marshal(s)
	c := v.checkpoint
	switch same := s.Size == c.size && bytes.Equal(s.Root, c.root[:]); {
	case !bytes.Equal(again, state), len(s.Root) != hashSize:
		return fault(Changed, "it is not in the form that tessera writes").in(treeStateName)
	case same, v.inv.open && s.Size > c.size:
		return nil
	case s.Size == c.size:
		return fault(Changed, "its root is %s, the checkpoint's is %s", base64.StdEncoding.EncodeToString(s.Root), v.report.Checkpoint.Root).in(treeStateName)
	}
	return fault(Changed, "its size is %d, the checkpoint's is %d", s.Size, c.size).in(treeStateName)
}
