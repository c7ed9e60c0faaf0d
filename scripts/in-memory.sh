#!/usr/bin/env bash
# Runs a command with its temporary files in memory, where Linux has a file system there with 4 GiB to spare, from
# which programs may be started; elsewhere, as it is. Tests wait for the disk more than for all else.
# What the go command builds stays on the disk: it takes the place for that from a file, for tests take it from the
# environment too, before TMPDIR.
#
#     scripts/in-memory.sh go test ./...
set -euo pipefail
dir=$(mktemp -d /dev/shm/daybreak.XXXXXX 2>/dev/null) || exec "$@"
trap 'rm -rf "$dir"' EXIT
printf '#!/bin/sh\n' >"$dir/try"
chmod +x "$dir/try"
if [ "$(df -Pk "$dir" | awk 'NR == 2 { print $4 }')" -gt $((4 << 20)) ] && "$dir/try" 2>/dev/null; then
  { cat "$(go env GOENV)" 2>/dev/null || true; echo "GOTMPDIR=${GOTMPDIR:-${TMPDIR:-/tmp}}"; } >"$dir/goenv"
  unset GOTMPDIR
  export GOENV=$dir/goenv TMPDIR=$dir
else
  echo "in-memory: the tests' files are on the disk: in /dev/shm there is no room, or no program may be started" >&2
fi
"$@"
