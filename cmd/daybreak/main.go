// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Command daybreak collects the audit records of an office suite, keeps them in
// a journal that anybody can verify, and makes them searchable. All it does
// stands in package cli; docs/reference/cli.md lists the commands.
package main

import (
	"os"

	"github.com/daybreak-sec/daybreak/cli"
)

func main() { os.Exit(cli.Main()) }
