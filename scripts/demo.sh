#!/usr/bin/env bash
# `make run`: a log of our own making goes in; one act is found, proved and the whole log verified.
set -euo pipefail
bin=${BIN:-bin/daybreak}
n=${RECORDS:-100000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export DAYBREAK_DATA="$work/data"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
show() { printf '  $ %s\n' "$*"; }

say "1. A day of a made-up company's Microsoft 365 audit log: $n records"
go run ./cmd/samplelog -n "$n" >"$work/log.jsonl"
ls -lh "$work/log.jsonl" | awk '{print "  " $5 "B of JSON lines"}'

say "2. In it goes: sealed, mapped to OCSF, searchable"
show "daybreak import --source m365 log.jsonl"
"$bin" import --source m365 --json "$work/log.jsonl"
show "daybreak import --source m365 log.jsonl      # again: each record is kept once"
"$bin" import --quiet --source m365 --json "$work/log.jsonl"

say "3. Who forwards their mail to strangers?"
query='op:New-InboxRule | limit 5'
show "daybreak search '$query'"
"$bin" search "$query"
show "daybreak search 'status:failure | count by op,user | sort -count | limit 5'"
"$bin" search 'status:failure | count by op,user | sort -count | limit 5'

say "4. Is that record what the vendor delivered? A proof anybody can check"
id=$("$bin" search --json 'op:New-InboxRule | limit 1' | sed -n 's/.*"\(e[0-9][0-9]*\.[0-9][0-9]*\)".*/\1/p' | head -n 1)
show "daybreak prove $id > proof.json"
"$bin" prove "$id" >"$work/proof.json"
show "daybreak verify --proof proof.json --key log.pub"
"$bin" verify --proof "$work/proof.json" --key "$DAYBREAK_DATA/log.pub"

say "5. And the whole log, re-derived from the evidence files alone"
show "daybreak verify --key log.pub DATA"
"$bin" verify --json --key "$DAYBREAK_DATA/log.pub" "$DAYBREAK_DATA"
