// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"fmt"
	"regexp"
	"strings"
)

// aggregation is what stands behind the pipe in a condition of Sigma 1.
var aggregation = regexp.MustCompile(`^\s*(count|sum|avg|min|max)\s*\(\s*(\S*?)\s*\)\s*(?:by\s+(\S+?)\s*)?(<=|>=|==|=|<|>)\s*(\d+(?:\.\d+)?)\s*$`)

var pipeOps = map[string]string{"<": "lt", "<=": "lte", ">": "gt", ">=": "gte", "=": "eq", "==": "eq"}

// aggregates reports whether a condition is one of Sigma 1 that aggregates.
func aggregates(condition string) bool {
	return strings.ContainsAny(condition, "|<>=")
}

// aggregationMessage refuses an aggregation and shows the correlation that says the same.
func aggregationMessage(condition, timespan string) string {
	const refused = "the condition has an aggregation, which specification 2 replaced by correlations; "
	if _, err := parseDuration(timespan); err != nil {
		timespan = "5m"
	}
	search, pipe, _ := strings.Cut(condition, "|")
	m := aggregation.FindStringSubmatch(pipe)
	if m == nil {
		return refused + "keep what stands before | as the condition, give the rule a name, and add a document such as correlation: {type: temporal, rules: [NAME, OTHER], group-by: [FIELD], timespan: " + timespan + "}"
	}
	function, field, by, op, n := m[1], m[2], m[3], pipeOps[m[4]], m[5]
	kind := "value_" + function
	threshold := fmt.Sprintf("%s: %s, field: %s", op, n, field)
	switch {
	case function == "count" && field == "":
		kind, threshold = "event_count", op+": "+n
	case function == "min":
		kind, threshold = "value_percentile", threshold+", percentile: 0"
	case function == "max":
		kind, threshold = "value_percentile", threshold+", percentile: 100"
	}
	group := ""
	if by != "" {
		group = ", group-by: [" + by + "]"
	}
	return fmt.Sprintf("%swrite condition: %s, give the rule a name, and add a document with correlation: {type: %s, rules: [NAME]%s, timespan: %s, condition: {%s}}",
		refused, quoted(strings.TrimSpace(search)), kind, group, timespan, threshold)
}
