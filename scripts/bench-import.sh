#!/usr/bin/env bash
# Whole-program figures of docs/performance.md: import of a large file, what it
# takes on disk and in memory, verification, searches; and the same file
# through a general pipeline (test/peer) in the same run.
#
#   RECORDS=10000000 PEER=200000 scripts/bench-import.sh [work directory]
#
# PEER is how many of the records the general pipeline gets; 0 leaves it out.
set -euo pipefail
cd "$(dirname "$0")/.."
records=${RECORDS:-1000000}
peer=${PEER:-200000}
work=${1:-$(mktemp -d)}
mkdir -p "$work"
go build -o "$work/daybreak" ./cmd/daybreak
go build -o "$work/samplelog" ./cmd/samplelog
log=$work/log-$records.jsonl
[ -s "$log" ] || "$work/samplelog" -n "$records" -people 100000 >"$log"
raw=$(stat -c %s "$log")
data=$work/data
rm -rf "$data"

# measure NAME COMMAND...: wall and CPU seconds and the peak of resident memory.
measure() {
  local name=$1
  shift
  python3 - "$name" "$@" <<'PY'
import os, resource, subprocess, sys, time
name, command = sys.argv[1], sys.argv[2:]
begin = time.time()
status = subprocess.run(command, stdout=open(os.environ.get("OUT", "/dev/null"), "w")).returncode
wall = time.time() - begin
use = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{name}: {wall:.1f} s wall, {use.ru_utime + use.ru_stime:.1f} s cpu, {use.ru_maxrss / 1024:.0f} MiB peak", flush=True)
sys.exit(status)
PY
}

echo "machine: $(nproc) cores, $(awk -F: '/model name/ { print $2; exit }' /proc/cpuinfo), $(go version | cut -d' ' -f3)"
echo "log: $records records, $raw bytes, $((raw / records)) bytes a record"
OUT=$work/import.json measure import "$work/daybreak" import --quiet --json --source m365 --data "$data" "$log"
cat "$work/import.json"
echo "journal: $(du -sb "$data/journal" | cut -f1) bytes, $(awk -v a="$(du -sb "$data/journal" | cut -f1)" -v b="$raw" 'BEGIN { printf "%.1f %%", 100 * a / b }') of the raw bytes"
echo "lake: $(du -sb "$data/lake" | cut -f1) bytes, $(($(du -sb "$data/lake" | cut -f1) / records)) bytes a record"
OUT=$work/verify.json measure verify "$work/daybreak" verify --json --key "$data/log.pub" "$data"
cat "$work/verify.json"; echo
if [ "$peer" -gt 0 ]; then
  (cd test/peer && go build -o "$work/peer" .)
  head -n "$peer" "$log" >"$work/peer.jsonl"
  rm -f "$work/peer.out"
  PEER_IN=$work/peer.jsonl PEER_OUT=$work/peer.out measure "general pipeline, $peer records" "$work/peer" run test/peer/peer.yaml
  rm -rf "$work/data-peer"
  measure "daybreak import, the same $peer records" "$work/daybreak" import --quiet --source m365 --data "$work/data-peer" "$work/peer.jsonl"
fi
# SERVE=1: the same log through a server, and the most memory that the server took.
if [ "${SERVE:-0}" = 1 ]; then
  rm -rf "$work/data-serve"
  printf '[server]\nlisten = "127.0.0.1:0"\n' >"$work/serve.toml"
  "$work/daybreak" serve --config "$work/serve.toml" --data "$work/data-serve" 2>"$work/serve.log" &
  server=$!
  trap 'kill "$server" 2>/dev/null || true' EXIT
  until grep -q '"serving"' "$work/serve.log"; do sleep 0.2; done
  OUT=$work/serve.json measure "import through serve" "$work/daybreak" import --quiet --json --source m365 --data "$work/data-serve" "$log"
  cat "$work/serve.json"
  awk '/VmHWM/ { printf "serve: %.0f MiB peak\n", $2 / 1024 }' "/proc/$server/status"
  kill "$server"
  wait "$server" || true
fi
