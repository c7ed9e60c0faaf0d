// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/daybreak-sec/daybreak/journal/verify"
)

// An auditor who keeps the log's key and the checkpoint of the last visit.
func ExampleDir() {
	key, err := os.ReadFile("log.pub")
	if err != nil {
		log.Fatal(err)
	}
	last, err := os.ReadFile("checkpoint-of-last-year")
	if err != nil {
		log.Fatal(err)
	}
	report, err := verify.Dir(context.Background(), "/data/journal", verify.Options{Keys: []string{string(key)}, Since: last})
	var wrong *verify.Error
	switch {
	case errors.As(err, &wrong):
		fmt.Println("does not hold:", wrong.Kind, wrong)
	case err != nil:
		fmt.Println("could not verify:", err)
	default:
		fmt.Println(report.Records, "records hold,", report.GoneByPolicy, "of them by their receipts alone")
	}
}

// Whoever is handed the proof of one record.
func ExampleProof() {
	bundle, err := os.ReadFile("proof.json")
	if err != nil {
		log.Fatal(err)
	}
	proven, err := verify.Proof(bundle, verify.Options{
		Keys:      []string{"example.com/audit+0c1a3f4e+AZ…"},
		Witnesses: []string{"example.org/witness+7b3c9d21+BC…"},
	})
	if err != nil {
		fmt.Println("does not hold:", err)
		return
	}
	fmt.Println(proven.Event, "was committed at", proven.Committed, "and reads", string(proven.Raw))
}
