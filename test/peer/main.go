// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Command peer runs a Benthos stream configuration: the general pipeline that
// Daybreak is measured against (docs/performance.md). It has a module of its
// own, so that Daybreak itself does not depend on Benthos.
package main

import (
	"context"

	"github.com/redpanda-data/benthos/v4/public/service"

	_ "github.com/redpanda-data/benthos/v4/public/components/io"
	_ "github.com/redpanda-data/benthos/v4/public/components/pure"
)

func main() { service.RunCLI(context.Background()) }
