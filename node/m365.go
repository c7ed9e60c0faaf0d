// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"errors"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/config"
)

func (s *sources) m365(c config.Source, acts *act.Writer, hook webhook) (collector, error) {
	return nil, errors.New("not yet")
}
