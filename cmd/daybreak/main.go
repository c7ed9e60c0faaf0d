// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Command daybreak collects the audit records of an office suite, keeps them in
// a journal that anybody can verify, and makes them searchable. All it does
// stands in package cli; docs/reference/cli.md lists the commands.
package main

import (
	"io"
	"log"
	"os"

	"github.com/daybreak-sec/daybreak/cli"
)

func main() {
	// Ours is slog. What libraries tell the old logger is not for anybody's log: net/http
	// quotes there what a provider sent after the announced end of an answer.
	log.SetOutput(io.Discard)
	os.Exit(cli.Main())
}
