#!/usr/bin/env bash
# Runs every fuzz target for the given number of inputs (50000x) or time (10s), one after the other.
set -euo pipefail
time=${1:-50000x}
found=0
for file in $(git grep -l '^func Fuzz' -- '*_test.go'); do
  for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$file"); do
    found=$((found + 1))
    echo "== ${file%/*} $target"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "./${file%/*}"
  done
done
[ "$found" -gt 0 ] || { echo "no fuzz targets found" >&2; exit 1; }
