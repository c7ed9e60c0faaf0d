// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package tenant_test takes one tenant's unified audit log through the whole
// program, as its users do, and then damages the evidence.
//
// The log is one of our own making, or the one that DAYBREAK_TENANT_LOG names
// (JSON lines). If a file beside it, with the ending _dupindex.json, gives the
// order in which a vendor delivered the lines, repetitions included, that is
// how they are delivered here.
package tenant_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/journal/verify"
	"github.com/daybreak-sec/daybreak/sample"
)

// program is the built binary with a data directory.
type program struct {
	t         *testing.T
	bin, data string
}

func (p program) run(args ...string) []byte {
	p.t.Helper()
	cmd := exec.Command(p.bin, append(args, "--data", p.data)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		p.t.Fatalf("daybreak %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return out
}

func (p program) decode(out []byte, v any) {
	p.t.Helper()
	if err := json.Unmarshal(out, v); err != nil {
		p.t.Fatalf("not JSON: %v\n%s", err, out)
	}
}

type summary struct {
	Read, Stored, Duplicates, Mutated, Unparsed int
}

func TestTenant(t *testing.T) {
	p := program{t: t, bin: filepath.Join(t.TempDir(), "daybreak"), data: t.TempDir()}
	if out, err := exec.Command("go", "build", "-o", p.bin, "../../cmd/daybreak").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	lines := delivered(t)
	file := filepath.Join(t.TempDir(), "log.jsonl")
	if err := os.WriteFile(file, append(bytes.Join(lines, []byte("\n")), '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	distinct := distinctRecords(t, lines)
	t.Logf("%d records delivered, %d distinct", len(lines), len(distinct))

	var first, second summary
	p.decode(p.run("import", "--quiet", "--json", "--source", "m365", file), &first)
	if want := (summary{Read: len(lines), Stored: len(distinct), Duplicates: len(lines) - len(distinct)}); first != want {
		t.Errorf("first import: %+v, want %+v", first, want)
	}
	p.decode(p.run("import", "--quiet", "--json", "--source", "m365", file), &second)
	if want := (summary{Read: len(lines), Duplicates: len(lines)}); second != want {
		t.Errorf("second import: %+v, want %+v", second, want)
	}

	// Ten events, spread over the log, are each found by their id, and each
	// proved to be the bytes that were delivered.
	for i := range 10 {
		checkEvent(p, distinct[i*(len(distinct)-1)/9])
	}

	var report struct {
		OK     bool
		Events int
	}
	key := filepath.Join(p.data, "log.pub")
	p.decode(p.run("verify", "--json", "--key", key, p.data), &report)
	if !report.OK || report.Events != len(distinct) {
		t.Errorf("verify: %+v, want %d events", report, len(distinct))
	}
	damage(t, filepath.Join(p.data, "journal"), key)
}

// checkEvent finds a record by the vendor's id and holds its proof against it.
func checkEvent(p program, raw []byte) {
	p.t.Helper()
	var record struct{ ID, CreationTime, Operation string }
	p.decode(raw, &record)
	out := bytes.TrimSpace(p.run("search", "--json", record.ID))
	var found struct {
		Metadata struct {
			UID       string `json:"uid"`
			Original  string `json:"original_event_uid"`
			EventCode string `json:"event_code"`
		}
		Time int64
	}
	if n := bytes.Count(out, []byte("\n")); n != 0 || len(out) == 0 {
		p.t.Fatalf("search %s: want one event, got:\n%s", record.ID, out)
	}
	p.decode(out, &found)
	if found.Metadata.EventCode != record.Operation || found.Metadata.Original != record.ID || found.Time == 0 {
		p.t.Errorf("search %s found %+v, want operation %s", record.ID, found, record.Operation)
	}
	var bundle struct{ Raw []byte }
	proof := p.run("prove", found.Metadata.UID)
	p.decode(proof, &bundle)
	if !bytes.Equal(bundle.Raw, raw) {
		p.t.Errorf("prove %s: the raw record is not the line delivered", found.Metadata.UID)
	}
	file := filepath.Join(p.t.TempDir(), "proof.json")
	if err := os.WriteFile(file, proof, 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.run("verify", "--proof", file, "--key", filepath.Join(p.data, "log.pub"))
}

// damage makes 1,000 random changes to evidence files, one at a time, and wants
// each of them refused. Half of them change one byte.
func damage(t *testing.T, journal, keyFile string) {
	key, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	check := func() error {
		_, err := verify.Dir(context.Background(), journal, verify.Options{Keys: []string{strings.TrimSpace(string(key))}})
		return err
	}
	if err := check(); err != nil {
		t.Fatalf("before any damage: %v", err)
	}
	files := evidence(t, journal)
	rng := rand.New(rand.NewPCG(1, 2))
	n := 1000
	if testing.Short() {
		n = 100
	}
	kinds := map[string]int{}
	for i := range n {
		a, b := files[rng.IntN(len(files))], files[rng.IntN(len(files))]
		wasA, wasB := read(t, a), read(t, b)
		kind := "byte"
		switch isA := bytes.Clone(wasA); {
		case i%2 == 0:
			isA[rng.IntN(len(isA))] ^= byte(1 + rng.IntN(255))
			write(t, a, isA)
		case i%4 == 1:
			kind = "truncation"
			write(t, a, isA[:rng.IntN(len(isA))])
		case i%8 == 3 && !bytes.Equal(wasA, wasB):
			kind = "swap of files"
			write(t, a, wasB)
			write(t, b, wasA)
		default:
			kind = "swap inside a file"
			half := len(isA) / 2
			size := 1 + rng.IntN(max(half, 1))
			if half == 0 || bytes.Equal(isA[:size], isA[len(isA)-size:]) {
				continue
			}
			copy(isA, wasA[len(wasA)-size:])
			copy(isA[len(isA)-size:], wasA[:size])
			if bytes.Equal(isA, wasA) {
				continue
			}
			write(t, a, isA)
		}
		if check() == nil {
			t.Errorf("change %d (%s) of %s went unseen", i, kind, strings.TrimPrefix(a, journal))
		}
		kinds[kind]++
		write(t, a, wasA)
		write(t, b, wasB)
	}
	if err := check(); err != nil {
		t.Fatalf("after all damage was undone: %v", err)
	}
	t.Logf("refused: %v", kinds)
	if len(kinds) != 4 {
		t.Errorf("not every kind of damage was done: %v", kinds)
	}
}

func evidence(t *testing.T, journal string) (files []string) {
	err := filepath.WalkDir(journal, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if info, err := d.Info(); err != nil || info.Size() == 0 {
			return err // a lock
		}
		files = append(files, path)
		return nil
	})
	if err != nil || len(files) < 5 {
		t.Fatalf("%d evidence files, %v", len(files), err)
	}
	return files
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// delivered returns the lines of the log as the vendor delivered them.
func delivered(t *testing.T) [][]byte {
	name := os.Getenv("DAYBREAK_TENANT_LOG")
	if name == "" {
		log := sample.New(sample.Options{Seed: 3})
		var lines [][]byte
		for range 3000 {
			lines = append(lines, log.Append(nil))
		}
		return append(lines, lines[100:400]...)
	}
	lines := bytes.Split(bytes.TrimSpace(read(t, name)), []byte("\n"))
	order, err := os.ReadFile(strings.TrimSuffix(name, ".jsonl") + "_dupindex.json")
	if err != nil {
		t.Logf("no order of delivery beside %s: each line once", filepath.Base(name))
		return lines
	}
	var index struct{ Delivery []int }
	if err := json.Unmarshal(order, &index); err != nil {
		t.Fatal(err)
	}
	var list [][]byte
	for _, i := range index.Delivery {
		list = append(list, lines[i])
	}
	return list
}

// distinctRecords tells by other means than the journal's which records differ.
func distinctRecords(t *testing.T, lines [][]byte) (distinct [][]byte) {
	seen := map[string]bool{}
	for _, line := range lines {
		var v any
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		canonical, err := json.Marshal(v) // sorts keys
		if err != nil {
			t.Fatal(err)
		}
		if !seen[string(canonical)] {
			seen[string(canonical)] = true
			distinct = append(distinct, line)
		}
	}
	return distinct
}
