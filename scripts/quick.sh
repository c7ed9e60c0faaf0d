#!/usr/bin/env bash
# Format, vet, staticcheck and short tests of the packages that differ from a revision: the last commit, if there are
# changes that are not committed, else the one before it. All of them is "make test".
#
#     scripts/quick.sh [REVISION]
set -euo pipefail
cd "$(dirname "$0")/.."
changed() {
  git diff --name-only --diff-filter=d "$1" -- '*.go'
  git ls-files --others --exclude-standard -- '*.go'
}
base=${1:-HEAD}
files=$(changed "$base")
if [ -z "$files" ] && [ $# = 0 ]; then
  base=HEAD~1
  files=$(changed "$base")
fi
if [ -z "$files" ]; then
  echo "no Go file differs from $base"
  exit
fi
mapfile -t packages < <(xargs -n1 dirname <<<"$files" | sort -u | sed 's|^|./|')
unformatted=$(xargs go tool gofumpt -l <<<"$files")
if [ -n "$unformatted" ]; then
  echo "not formatted (make fmt):"
  echo "$unformatted"
  exit 1
fi
echo "what differs from $base: ${packages[*]}"
go vet "${packages[@]}"
go tool staticcheck "${packages[@]}"
go test -short -shuffle=on "${packages[@]}" ./internal/repo
