#!/usr/bin/env bash
# Runs every fuzz target for the given number of inputs (50000x) or time (10s), as many packages at once as there are
# processors. Inputs are guided by the coverage of our own code alone: "go test -fuzz" would instrument all
# dependencies, which takes minutes to compile, and link each binary once for each of its targets.
#
#     scripts/fuzz.sh [NUMBER|TIME]
set -euo pipefail
module=$(go list -m)
if [ "${1-}" != --exec ]; then
  mapfile -t packages < <(git grep -l '^func Fuzz' -- '*_test.go' | xargs -n1 dirname | sort -u | sed 's|^|./|')
  [ "${#packages[@]}" -gt 0 ] || { echo "no fuzz targets found" >&2; exit 1; }
  FUZZTIME=${1:-50000x} FUZZCACHE=$(go env GOCACHE)/fuzz exec go test -count=1 -vet=off -timeout 0 -run '^$' \
    -gcflags="$module/...=-d=libfuzzer" -exec "$PWD/scripts/fuzz.sh --exec" -v "${packages[@]}"
fi

# For each package: its binary, in the folder of the package.
binary=$2
package=$module${PWD#"$(git rev-parse --show-toplevel)"}
for target in $("$binary" -test.list '^Fuzz'); do
  echo "== $package $target"
  "$binary" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "$FUZZTIME" -test.fuzzcachedir "$FUZZCACHE/$package" -test.parallel 1
done
