#!/usr/bin/env bash
# Gets what the tests need and runs them all. As root on Debian it installs what
# is missing; elsewhere it names it and leaves out the packages that need it.
# With CI=true a missing part is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

# part: the program, its Debian package, the Go packages whose tests need it.
parts=(
	"sipp|sip-tester|internal/sip internal/app cmd/callwright"
	"baresip|baresip-core|internal/sip internal/app"
	"npm|npm|internal/speech"
	"flite|flite|internal/provider"
	"espeak-ng|espeak-ng|internal/provider"
	"node|nodejs|internal/api/wire internal/api/klen internal/webhook internal/app"
	"python3|python3|internal/webhook"
	"openssl|openssl|internal/webhook internal/app"
)

install_missing() {
	local wanted=() row program package
	for row in "${parts[@]}"; do
		IFS='|' read -r program package _ <<<"$row"
		command -v "$program" >/dev/null || wanted+=("$package")
	done
	bash scripts/postgres.sh --found || wanted+=(postgresql-15)
	((${#wanted[@]})) || return 0
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		return 0
	fi
	echo "installing ${wanted[*]}" >&2
	if [[ " ${wanted[*]} " == *" postgresql-15 "* ]]; then
		# The tests start servers of their own; the package need not.
		mkdir -p /etc/postgresql-common/createcluster.d
		echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.d/callwright.conf
	fi
	{ apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${wanted[@]}"; } >&2 ||
		echo "some of ${wanted[*]} could not be installed" >&2
}

# PostgreSQL is not on PATH in Debian; what uses storetest runs once more on it.
on_postgres() {
	go list -f '{{.ImportPath}} {{.Imports}} {{.TestImports}} {{.XTestImports}}' ./... | awk '/[[ ][^ ]*\/internal\/store\/storetest[] ]/ { print $1 }'
}
postgres=yes

left_out=""
name_missing() {
	local row program package needs
	for row in "${parts[@]}"; do
		IFS='|' read -r program package needs <<<"$row"
		command -v "$program" >/dev/null && continue
		echo "missing: $program (Debian package $package); not tested without it: $needs" >&2
		left_out="$left_out $needs"
	done
	if ! bash scripts/postgres.sh --found; then
		echo "missing: postgres (Debian package postgresql-15); not tested on it:" $(on_postgres) >&2
		postgres=no
	fi
	if [ -n "$left_out" ] || [ $postgres = no ] && [ "${CI:-}" = true ]; then
		echo "CI=true: every part must be there" >&2
		exit 1
	fi
}

# in_memory puts the tests' databases into memory where there are 4 GB to spare:
# tests kill processes, never the machine, so a disk's syncs only cost time. What
# is compiled stays on the disk.
in_memory() {
	local free
	[ -z "${TMPDIR:-}" ] || return 0
	free=$(df --output=avail -k /dev/shm 2>/dev/null | tail -1) || return 0
	((free > 4000000)) || return 0
	TMPDIR=$(mktemp -d /dev/shm/callwright-test-XXXXXX) || return 0
	trap 'rm -rf "$TMPDIR"' EXIT
	# Where nothing there may run, tests that start programs could not work.
	if cp "$(type -P true)" "$TMPDIR/true" && "$TMPDIR/true" 2>/dev/null; then
		chmod 755 "$TMPDIR" # PostgreSQL is another user
		export TMPDIR GOTMPDIR="${GOTMPDIR:-/tmp}"
	else
		rm -rf "$TMPDIR"
		unset TMPDIR
		trap - EXIT
	fi
}

install_missing
name_missing
sh scripts/flite.sh
sh scripts/silero.sh
go vet ./...
# remaining lists the packages of a pattern that have what they need.
remaining() {
	local package out keep
	for package in $(go list "$@"); do
		keep=yes
		for out in $left_out; do
			case "$package/" in */"$out"/*) keep=no ;; esac
		done
		[ $keep = no ] || echo "$package"
	done
}
# Calls are real time: what carries them runs when nothing else does, four tests at
# once, for they mostly wait. What waits less runs three packages at once. Programs that
# measure are tried once, unwatched: they run the code that others watch.
in_real_time='/(internal/app|cmd/callwright)$'
measuring='/bench/'
status=0
# tested runs the tests of the packages that are named on its input, with the
# command and flags that it is given.
tested() {
	local packages
	mapfile -t packages
	((${#packages[@]})) || return 0
	"$@" "${packages[@]}" || status=$?
}
# SQLite is C that was made Go, and its memory none that the race detector knows:
# to watch it finds nothing, and doubles what every test of a database takes.
unwatched="-race=false -d=checkptr=0"
race=(go test -race -vet=off "-gcflags=modernc.org/sqlite/lib=$unwatched" "-gcflags=modernc.org/libc=$unwatched" -shuffle=on -timeout 10m)
in_memory
tested "${race[@]}" -p 3 < <(remaining ./... | grep -vE "$in_real_time|$measuring")
tested "${race[@]}" -p 1 -parallel 4 < <(remaining ./... | grep -E "$in_real_time")
tested go test -vet=off -shuffle=on -timeout 10m -p 1 < <(remaining ./... | grep -E "$measuring")
if [ $postgres = yes ]; then
	echo "once more, on PostgreSQL:" >&2
	# Without the race detector, which has seen this code: the database is what is new.
	server=(bash scripts/postgres.sh go test -vet=off -shuffle=on -timeout 10m)
	tested "${server[@]}" -p 3 < <(remaining $(on_postgres) | grep -vE "$in_real_time|$measuring")
	tested "${server[@]}" -p 1 -parallel 4 < <(remaining $(on_postgres) | grep -E "$in_real_time|$measuring")
fi
exit "$status"
