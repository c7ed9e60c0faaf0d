// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// BenchmarkParse reads 3,750 rules of the size and shape that public rules have (2.4 KB, a
// dozen values) and reports the time for all of them.
func BenchmarkParse(b *testing.B) {
	const rules = 3750
	texts := make([][]byte, rules)
	size := 0
	for i := range texts {
		texts[i] = []byte(generatedRule(i))
		size += len(texts[i])
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, text := range texts {
			if docs, problems := sigma.Parse("rule.yml", text); len(docs) != 1 {
				b.Fatal(problems)
			}
		}
	}
}

func generatedRule(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "title: Generated rule %d\nid: 00000000-0000-4000-8000-%012d\nstatus: test\nlevel: medium\ndate: 2026-01-02\nauthor: Nobody\n", n, n)
	fmt.Fprintf(&b, "description: |\n%s", strings.Repeat("  What a responder needs to know about it, at the length that people write.\n", 8))
	b.WriteString("references:\n")
	for i := range 4 {
		fmt.Fprintf(&b, "  - https://docs.example.com/articles/%d/with-a-long-name-%d\n", n, i)
	}
	b.WriteString("tags:\n  - attack.execution\n  - attack.t1059.001\nlogsource:\n  product: windows\n  category: process_creation\ndetection:\n")
	fmt.Fprintf(&b, "  selection_img:\n    - Image|endswith:\n        - '\\tool%d.exe'\n        - '\\other%d.exe'\n    - OriginalFileName: 'TOOL%d.EXE'\n", n, n, n)
	b.WriteString("  selection_cli:\n    CommandLine|contains|all:\n")
	for i := range 4 {
		fmt.Fprintf(&b, "      - ' option-%d-%d '\n", n, i)
	}
	b.WriteString("  selection_more:\n    CommandLine|contains:\n")
	for i := range 8 {
		fmt.Fprintf(&b, "      - 'argument %d?%d'\n", n, i)
	}
	b.WriteString("  filter_main_known:\n    ParentImage|startswith: 'C:\\Program Files\\'\n    User: null\n")
	b.WriteString("  condition: all of selection_* and not 1 of filter_main_*\nfalsepositives:\n  - Administrators\n")
	return b.String()
}
