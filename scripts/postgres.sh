#!/usr/bin/env bash
# Runs a command with a PostgreSQL of its own: a new cluster in a temporary
# directory, on a free port of loopback, which is stopped and removed when the
# command ends. Its address is in CALLWRIGHT_TEST_DATABASE, as a superuser, so
# that each test can make what it needs.
#
#   bash scripts/postgres.sh go test ./internal/store
#
# As root the server runs as the user "postgres" of Debian's package, or as
# "nobody": it refuses to be root. FSYNC=on makes commits as slow as they are.
set -euo pipefail

bin=""
for candidate in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV) "$(dirname "$(command -v postgres || echo /)")"; do
	if [ -x "$candidate/postgres" ] && [ -x "$candidate/initdb" ]; then
		bin=$candidate
		break
	fi
done
if [ "${1:-}" = --found ]; then
	[ -n "$bin" ]
	exit
fi
if [ -z "$bin" ]; then
	echo "missing: postgres (Debian package postgresql-15)" >&2
	exit 1
fi

dir=$(mktemp -d "${TMPDIR:-/tmp}/callwright-postgres-XXXXXX")
server=""
finish() {
	if [ -n "$server" ]; then
		kill -INT "$server" 2>/dev/null || true # a fast shutdown
		wait "$server" 2>/dev/null || true
	fi
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM

as=()
if [ "$(id -u)" = 0 ]; then
	user=nobody
	id postgres >/dev/null 2>&1 && user=postgres
	chown "$user" "$dir"
	as=(setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups)
fi

password=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
# md5: what scram costs each connection would cost the tests minutes.
echo "$password" >"$dir/password"
chmod 644 "$dir/password"
chmod 755 "$dir"
"${as[@]}" "$bin/initdb" --pgdata="$dir/data" --username=callwright --pwfile="$dir/password" \
	--auth=md5 --encoding=UTF8 --locale=C --no-sync >"$dir/initdb.log" 2>&1 || {
	cat "$dir/initdb.log" >&2
	exit 1
}

# Somebody else may take a port between choosing and using it: try another.
for _ in 1 2 3 4 5; do
	port=$((20000 + RANDOM % 20000))
	"${as[@]}" "$bin/postgres" -D "$dir/data" -p "$port" -k "$dir/data" -c listen_addresses=127.0.0.1 \
		-c fsync="${FSYNC:-off}" -c autovacuum=off -c max_connections=400 -c shared_buffers=64MB \
		-c log_min_messages=fatal </dev/null >"$dir/server.log" 2>&1 &
	server=$!
	for _ in $(seq 200); do
		kill -0 "$server" 2>/dev/null || break
		if "$bin/pg_isready" -q -h 127.0.0.1 -p "$port"; then
			export CALLWRIGHT_TEST_DATABASE="postgres://callwright:$password@127.0.0.1:$port/postgres?sslmode=disable"
			status=0
			"$@" || status=$?
			exit "$status"
		fi
		sleep 0.1
	done
	kill -INT "$server" 2>/dev/null || true
	wait "$server" 2>/dev/null || true
	server=""
done
echo "PostgreSQL does not start:" >&2
cat "$dir/server.log" >&2
exit 1
