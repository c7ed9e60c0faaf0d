#!/usr/bin/env bash
# Runs a command and looks for secrets in all that it prints: client secrets of the
# simulator, access tokens and assertions (JWT), private keys. The tests use nothing else
# as secrets, so that what is found was printed or logged by the product, or by a test
# that should not. Exits as the command does, and with 1 if there is one.
#
#     scripts/scan-secrets.sh go test -v ./test/live
#
# With -q it shows only how packages have ended, and everything if one has failed.
set -uo pipefail
quiet=
if [ "${1-}" = -q ]; then quiet=1 && shift; fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT

if [ "$quiet" ]; then
	"$@" 2>&1 | tee "$log" | grep -aE '^(ok|FAIL|---? FAIL|panic:)'
	status=${PIPESTATUS[0]}
	if [ "$status" != 0 ]; then cat "$log"; fi
else
	"$@" 2>&1 | tee "$log"
	status=${PIPESTATUS[0]}
fi

# Lines are told by their number: they hold the secret.
secret='sim~[0-9a-f]{40}|eyJ[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|-----BEGIN [A-Z ]*PRIVATE KEY-----'
lines=$(grep -anE -e "$secret" "$log" | cut -d: -f1 | head -20 | paste -sd,)
if [ -n "$lines" ]; then
	echo "scan-secrets: there is a secret in line $lines of what was printed by: $*" >&2
	exit 1
fi
exit "$status"
