// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package repo_test

import (
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/daybreak-sec/daybreak/"

// mayImport says, for every package of ours, which others of ours it may
// import: the names themselves and what lies below them. The order is that of
// the flow; nothing imports to the right of itself, and what is not listed may
// import nothing of ours. Packages below internal/ are plumbing without domain
// words: they may be imported from everywhere and import only each other.
var mayImport = []struct {
	pkg  string
	deps []string
}{
	{"event", nil},
	{"internal", []string{"internal"}},
	{"internal/ocsfgen", []string{"ocsf/schema"}},
	{"ocsf", []string{"ocsf/schema"}},
	{"sample", nil},
	{"provider", []string{"provider"}},
	{"collect", []string{"event"}},
	{"collect/loop", []string{"event", "provider", "journal", "act", "store"}},
	{"collect/kafka", []string{"event", "collect/file", "collect/loop", "journal", "act", "store"}},
	{"collect/pages", []string{"event", "collect/loop", "provider", "journal", "act", "store"}},
	{"collect/auditquery", []string{"event", "collect/loop", "provider", "journal", "act", "store"}},
	{"collect/push", []string{"event", "collect/file", "collect/loop", "provider", "journal", "act"}},
	{"collect/m365", []string{"event", "collect/file", "collect/loop", "provider", "journal", "act", "store"}},
	{"collect/bucket", []string{"event", "collect/file", "collect/loop", "provider", "journal", "act", "store"}},
	{"journal/layout", []string{"event"}},
	{"journal/verify", []string{"event", "journal/layout"}},
	{"journal/witness", nil},
	{"journal", []string{"event", "journal/layout"}},
	{"act", []string{"event", "journal"}},
	{"normalize", []string{"event", "ocsf", "normalize"}},
	{"enrich", []string{"ocsf"}},
	{"store", nil},
	{"lake/query", []string{"event", "lake"}},
	{"lake/scan", []string{"event", "lake", "lake/query"}},
	{"lake/laketest", []string{"event", "lake"}},
	{"lake", []string{"event", "store"}},
	{"index", []string{"event", "ocsf", "lake"}},
	{"coverage", []string{"event", "act", "journal", "store"}},
	{"controls", []string{"event", "act", "journal", "store", "provider", "collect/loop"}},
	{"canary", []string{"event", "act", "journal", "store", "provider", "collect/loop"}},
	{"reconcile", []string{"event", "act", "journal", "normalize", "store"}},
	{"coverage/scorecard", []string{"coverage"}},
	{"coverage/statement", []string{"event", "act", "store", "coverage"}},
	{"detect/sigma", []string{"normalize/field"}},
	{"detect/source", []string{"event", "detect/sigma", "normalize"}},
	{"detect/correlate", []string{"event", "detect/sigma"}},
	{"detect/behave", []string{"event", "detect/sigma", "detect/correlate"}},
	{"detect/rules", nil},
	{"detect", []string{"event", "ocsf", "detect"}},
	{"detect/cases", []string{"event", "enrich", "normalize", "detect"}},
	{"identity", []string{"event", "ocsf", "store"}},
	{"readiness", nil},
	{"incident", []string{"event", "act", "journal", "store", "detect"}},
	{"notify", []string{"provider/credential", "store", "incident"}},
	{"config", []string{"provider/credential"}},
	{"node", []string{"event", "ocsf", "provider", "collect", "journal", "act", "normalize", "enrich", "store", "lake", "index", "coverage", "canary", "controls", "reconcile", "detect", "identity", "incident", "readiness", "notify", "config"}},
	{"api/v1", nil},
	{"api", []string{"api/v1", "event", "ocsf", "journal", "normalize", "lake", "coverage", "canary", "reconcile", "detect", "identity", "incident", "readiness", "node", "config"}},
	{"client", []string{"event", "api/v1"}},
	{"sim", []string{"event", "sim"}},
	{"cli", []string{"event", "ocsf", "provider", "collect", "journal", "act", "normalize", "enrich", "lake", "coverage", "canary", "controls", "detect", "identity", "incident", "readiness", "notify", "node", "api", "client", "config", "store", "index", "sim"}},
	{"eval", []string{"event", "ocsf", "normalize", "collect", "detect"}},
	{"cmd/daybreak", []string{"cli"}},
	{"cmd/samplelog", []string{"sample"}},
}

type pkg struct {
	ImportPath string
	Dir        string
	Imports    []string
	GoFiles    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,GoFiles", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p pkg
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	if len(list) < 5 {
		t.Fatalf("go list found %d packages", len(list))
	}
	return list
}

func below(name, parent string) bool {
	return name == parent || strings.HasPrefix(name, parent+"/")
}

func TestImportsRunOneWay(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if below(name, "test") {
			continue
		}
		// The longest entry that matches is the one that speaks for the package.
		allowed, speaks := []string(nil), ""
		for _, rule := range mayImport {
			if below(name, rule.pkg) && len(rule.pkg) > len(speaks) {
				allowed, speaks = rule.deps, rule.pkg
			}
		}
		if speaks == "" {
			t.Errorf("%s has no place in the flow: add it to mayImport", name)
			continue
		}
		for _, imp := range p.Imports {
			dep, ours := strings.CutPrefix(imp, module)
			if !ours || below(dep, "internal") && speaks != "event" || below(dep, speaks) && speaks == "internal" {
				continue
			}
			if !slices.ContainsFunc(allowed, func(a string) bool { return below(dep, a) }) {
				t.Errorf("%s must not import %s", name, dep)
			}
		}
	}
}

// TestVerifierStandsAlone holds the promise that the verifier shares nothing
// with the writer but the decoders of the format.
func TestVerifierStandsAlone(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", module+"journal/verify").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for _, dep := range strings.Fields(string(out)) {
		if dep == strings.TrimSuffix(module, "/")+"/journal" || strings.Contains(dep, "transparency-dev/tessera") {
			t.Errorf("journal/verify depends on %s", dep)
		}
	}
}

func TestFilesSayWhatTheyAre(t *testing.T) {
	for _, p := range packages(t) {
		documented := len(p.GoFiles) == 0
		for _, file := range p.GoFiles {
			path := filepath.Join(p.Dir, file)
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(src[:min(len(src), 300)]), "Copyright 2026 The Daybreak Authors\n// SPDX-License-Identifier: Apache-2.0\n\n") {
				t.Errorf("%s does not begin with the license lines and a blank line", path)
			}
			f, err := parser.ParseFile(token.NewFileSet(), path, src, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil {
				t.Fatal(err)
			}
			documented = documented || f.Doc != nil && len(f.Doc.Text()) > 40
		}
		if !documented {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

// TestPureStagesHaveNoClock keeps time.Now and randomness out of what must give
// the same answer for the same bytes.
func TestPureStagesHaveNoClock(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if !below(name, "normalize") && !below(name, "ocsf") && !below(name, "event") && !below(name, "sample") && !below(name, "journal/layout") &&
			!below(name, "detect/source") && !below(name, "detect/behave") {
			continue
		}
		for _, file := range p.GoFiles {
			src, err := os.ReadFile(filepath.Join(p.Dir, file))
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(src), "time.Now(") || strings.Contains(string(src), "crypto/rand") {
				t.Errorf("%s/%s uses the clock or randomness", name, file)
			}
		}
	}
}
