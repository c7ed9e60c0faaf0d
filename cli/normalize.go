// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import "github.com/spf13/cobra"

func (a *app) normalizeCommand() *cobra.Command {
	return &cobra.Command{Use: "normalize [FILE…]", Short: "Vendor records in, OCSF out"}
}
