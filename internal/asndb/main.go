// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Command asndb makes a MaxMind database of autonomous systems from the CSV
// files of ip-location-db (first address, last address, number, name), for
// `make ipdb`.
//
//	asndb OUT.mmdb IN.csv…
package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: asndb OUT.mmdb IN.csv…")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "asndb:", err)
		os.Exit(1)
	}
}

func run(out string, in []string) error {
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "ip-location-db ASN", RecordSize: 28})
	if err != nil {
		return err
	}
	for _, name := range in {
		if err := insert(tree, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	if _, err := tree.WriteTo(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func insert(tree *mmdbwriter.Tree, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	rows := csv.NewReader(f)
	rows.FieldsPerRecord = 4
	rows.ReuseRecord = true
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		number, err := strconv.ParseUint(row[2], 10, 32)
		if err != nil {
			return err
		}
		first, last := net.ParseIP(row[0]), net.ParseIP(row[1])
		if first == nil || last == nil {
			return fmt.Errorf("%s to %s are no addresses", row[0], row[1])
		}
		err = tree.InsertRange(first, last, mmdbtype.Map{
			"autonomous_system_number":       mmdbtype.Uint32(number),
			"autonomous_system_organization": mmdbtype.String(row[3]),
		})
		var reserved *mmdbwriter.ReservedNetworkError
		var aliased *mmdbwriter.AliasedNetworkError
		if err != nil && !errors.As(err, &reserved) && !errors.As(err, &aliased) {
			return err
		}
	}
}
