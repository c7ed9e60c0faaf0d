#!/usr/bin/env bash
# Figures of detection for docs/performance.md: our own pack over simulated records, generated rules, and the
# whole import with detection on. With SHARED, a folder that has public rules in sigma/ and real records in raw/, those as
# well, beside two other engines (test/peer/sigma) for PEER seconds each in the same run; 0 leaves them out.
#
#   SHARED=DIR PEER=20 ROUNDS=5 RECORDS=1000000 scripts/bench-detect.sh [work directory]
#
# LIVE=SECONDS measures how long after its commit a batch is judged, at 5,000 records a second from the simulator over
# HTTP; 0 leaves it out.
#
# Rates are by processor time, which others who use the machine disturb less; each line is the median of ROUNDS.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${ROUNDS:-5}
records=${RECORDS:-500000}
peer=${PEER:-20}
work=${1:-$(mktemp -d)}
mkdir -p "$work"
work=$(cd "$work" && pwd)
load() { cut -d' ' -f1-3 /proc/loadavg; }
echo "machine: $(nproc) cores, $(awk -F: '/model name/ { print $2; exit }' /proc/cpuinfo), $(go version | cut -d' ' -f3), load $(load)"

# bench PACKAGE BENCHMARK TIME METRIC...: the median of each metric, by benchmark.
bench() {
  local package=$1 name=$2 time=$3
  shift 3
  go test "./$package" -run '^$' -bench "$name" -benchtime "$time" -benchmem -count "$rounds" >"$work/bench.txt" ||
    { cat "$work/bench.txt" >&2; return 1; }
  python3 - "$work/bench.txt" "$@" <<'PY'
import re, statistics, sys
seen = {}
for line in open(sys.argv[1]):
    if line.startswith("Benchmark"):
        name, *rest = line.split()
        for value, unit in zip(rest[1::2], rest[2::2]):
            seen.setdefault(re.sub(r"-\d+$", "", name), {}).setdefault(unit, []).append(float(value))
for name, metrics in seen.items():
    print(f"  {name}: " + ", ".join(f"{statistics.median(metrics[m]):,.6g} {m}" for m in sys.argv[2:] if m in metrics))
PY
}

echo "our own pack, records of a simulated company:"
bench detect 'Pack' 4x records/cpu-s
echo "a record that matches nothing, our own pack:"
bench detect 'Nothing' 200000x ns/op allocs/op
echo "reading and compiling our own pack:"
bench detect 'Open' 5x ns/op
echo "generated rules that all apply (by the clock):"
bench detect/sigma 'Match' 1s records/s allocs/op

if [ -n "${SHARED:-}" ]; then
  rules=$(printf '%s:' "$SHARED"/sigma/{rules,rules-emerging-threats,rules-threat-hunting,rules-placeholder,rules-compliance})
  list() { # the files of raw/ that are of one of these names
    find "$SHARED/raw" -name '*.jsonl' | grep -E "$1" | sort | paste -sd:
  }
  audit=$(list '/(o365|o365_[a-z]+)\.jsonl$')
  (cd test/peer && go build -o "$work/sigma" ./sigma)
  # compare RULES RECORDS: ours, and the other engines for PEER seconds each. What our pipelines tell of
  # Microsoft 365's fields has to be told them.
  compare() {
    DAYBREAK_BENCH_RULES=$1 DAYBREAK_BENCH_RECORDS=$2 bench detect 'Files' 100x records/cpu-s rules cpu-s/load matches/record bytes/record
    [ "$peer" = 0 ] || for engine in sigma-go go-sigma-rule-engine; do
      DAYBREAK_BENCH_RULES=$1 DAYBREAK_BENCH_RECORDS=$2 "$work/sigma" -engine "$engine" -for "${peer}s" \
        -alias={eventSource={eventSource,Workload,Source},eventName={eventName,Operation,Name},status={status,ResultStatus}} | sed 's/^/  /'
    done
  }
  echo "public rules for Microsoft 365, real records of it:"
  compare "$SHARED/sigma/rules/cloud/m365" "$audit"
  echo "all public rules, real Microsoft 365 records:"
  compare "${rules%:}" "$audit"
  echo "all public rules, real records of all clouds:"
  compare "${rules%:}" "$(list '.')"
fi

echo "import with everything on, $records records, load $(load):"
RECORDS=$records PEER=0 scripts/bench-import.sh "$work/import" | sed 's/^/  /'
live=${LIVE:-60}
if [ "$live" -gt 0 ]; then
  echo "live at 5,000 records a second for $live s, load $(load):"
  go build -o "$work/daybreak" ./cmd/daybreak
  BIN=$work/daybreak python3 - "$live" <<'PY'
import importlib.util, statistics, sys, time
spec = importlib.util.spec_from_file_location("live", "scripts/bench-live.py")
live = importlib.util.module_from_spec(spec)
spec.loader.exec_module(live)
w = live.World(["--rate", "5000", "--people", "100000", "--slot", "1s", "--history", "1s"])
try:
    w.start()
    time.sleep(10)  # until the first rush is over
    lags, first, begun, at = [], w.metrics(), time.time(), 0
    while time.time() - begun < int(sys.argv[1]):
        m = w.metrics()
        if m["daybreak_judged_entries"] != at:
            at = m["daybreak_judged_entries"]
            lags.append(m["daybreak_detection_lag_seconds"])
        time.sleep(0.02)
    n = m["daybreak_judged_records_total"] - first["daybreak_judged_records_total"]
    lags.sort()
    print(f"  {n / (time.time() - begun):,.0f} records/s judged, {m['daybreak_alerts_total']:.0f} alerts; from commit to judged, of {len(lags)} batches: "
          f"p50 {statistics.median(lags):.3f} s, p99 {lags[int(0.99 * (len(lags) - 1))]:.3f} s, most {lags[-1]:.3f} s")
finally:
    w.end()
PY
fi
echo "load at the end: $(load)"
