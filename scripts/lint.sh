#!/usr/bin/env bash
# Runs the linter over the whole tree, in the one version that its settings are
# written for.
set -euo pipefail
cd "$(dirname "$0")/.."

version=v2.5.0
bin="$PWD/build/bin"
linter="$bin/golangci-lint"
if found=$(command -v golangci-lint) && "$found" version 2>/dev/null | grep -q "${version#v}"; then
	linter=$found
fi
if [ ! -x "$linter" ]; then
	echo "building golangci-lint $version" >&2
	GOBIN="$bin" GOFLAGS=-mod=mod go install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$version"
fi
unformatted=$(git ls-files '*.go' | xargs gofmt -l)
if [ -n "$unformatted" ]; then
	printf 'not gofmt-ed:\n%s\n' "$unformatted" >&2
	exit 1
fi
exec "$linter" run ./...
