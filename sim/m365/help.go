// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// FaultHelp is what --faults help prints.
func FaultHelp() string {
	var b strings.Builder
	b.WriteString(faultGrammar)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for i := range faults {
		f := &faults[i]
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.usage(), f.scope, f.text())
	}
	_ = w.Flush() // into memory
	return b.String()
}

const faultGrammar = `NAME[=ARGUMENT[:ARGUMENT…]][/STREAM[+STREAM…]][@AFTER[..UNTIL]], separated by commas.
Arguments may be left out. Times count from the start in simulated time. "always" as an
argument of a fault of answers strikes every attempt, not the first three at most. "all"
is a storm of all that a complete store must survive.

`

// text is what the fault does, with its defaults.
func (f *fault) text() string {
	var defs []string
	for _, p := range f.params {
		if p.def != "" {
			defs = append(defs, p.name+" "+p.def)
		}
	}
	if len(defs) == 0 {
		return f.doc
	}
	return f.doc + " (" + strings.Join(defs, ", ") + ")"
}

// FaultTable is the table of faults as Markdown, for the reference.
func FaultTable() string {
	var b strings.Builder
	b.WriteString("| fault | decided | what it does |\n|---|---|---|\n")
	for i := range faults {
		f := &faults[i]
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.usage(), f.scope, f.text())
	}
	fmt.Fprintf(&b, "\n`all` stands for `%s`.\n", strings.Join(storm(), ","))
	return b.String()
}
