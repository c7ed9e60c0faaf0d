#!/usr/bin/env bash
# Lists the packages whose tests can have more than one goroutine in our code: they start one, or are served by net/http,
# or something of ours does that is linked into them. In the tests of all others the race detector has nothing to find.
# Those of test/ come first: they take longest.
set -euo pipefail
module=$(go list -m)
starts='(^|[{;])[[:space:]]*go [a-z]|\.Go\(|AfterFunc\(|\.Parallel\(|httptest|http\.Serve|ListenAndServe|iter\.Pull|signal\.Notify'
packages() { git grep -lE "$starts" -- "$@" | xargs -n1 dirname | sort -u | sed "s|^|$module/|"; }
{
  packages '*_test.go'
  # A line is a test binary and a package that is linked into it.
  go list -test -f '{{$test := .ImportPath}}{{range .Deps}}{{$test}} {{.}}{{"\n"}}{{end}}' ./... |
    awk 'NR == FNR { concurrent[$1]; next } sub(/\.test$/, "", $1) && $2 in concurrent { print $1 }' <(packages '*.go' ':!*_test.go') -
} | sort -u | awk -v first="^$module/test/" '$1 ~ first { print; next } { rest = rest $1 "\n" } END { printf "%s", rest }'
