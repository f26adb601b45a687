# A PostgreSQL that is gone, with its files, once nobody holds the other end of the standard input.
#
# Arguments: the directory of PostgreSQL's programs, then arguments for the server. Variables: PGPORT,
# and CERTIFICATE with CERTIFICATE_KEY where there is one. Prints the
# directory of its socket once it answers. Then it does as it is told by lines, and prints `done`
# after each: `kill` kills every process of it at once and without warning, `start` starts it again;
# `freeze` stops every process of it, `thaw` has them go on.
set -eu
# Ctrl-C ends the tests, and that ends this.
trap '' INT TERM HUP
programs=$1
shift
cd /
directory=$(mktemp -d "${TMPDIR:-/tmp}/patron-postgresql-XXXXXX" 2>/dev/null) ||
  directory=$(mktemp -d /tmp/patron-postgresql-XXXXXX)

finish() {
  status=$?
  [ "$status" -eq 0 ] || tail -n 20 "$directory/log" >&2
  if [ -e "$directory/server" ] && [ ! -e "$directory/ended" ]; then
    thaw 2>/dev/null || true
    kill -QUIT "$(cat "$directory/server")" 2>/dev/null || true
  fi
  wait
  rm -rf "$directory"
}
trap finish EXIT

# Runs the server, and notes its end.
launch() {
  rm -f "$directory/server" "$directory/ended"
  (
    "$programs/postgres" -D "$directory/data" -k "$directory" -c listen_addresses= "$@" \
      </dev/null >>"$directory/log" 2>&1 &
    echo $! >"$directory/starting"
    mv "$directory/starting" "$directory/server"
    wait $! || true
    : >"$directory/ended"
  ) </dev/null >/dev/null 2>&1 &
}

# What is left of one that was killed may be in the way for a moment.
start() {
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    launch "$@"
    until [ -e "$directory/ended" ]; do
      "$programs/pg_isready" -q -h "$directory" && return
      sleep 0.02
    done
    sleep 0.1
  done
  return 1
}

# A server that is stopped starts nobody while the others are counted.
kill_all() {
  server=$(cat "$directory/server")
  kill -STOP "$server"
  # shellcheck disable=SC2046
  kill -KILL "$server" $(cat "/proc/$server/task/$server/children")
  until [ -e "$directory/ended" ]; do sleep 0.01; done
}

# The server first, so that it starts nobody meanwhile.
freeze() {
  server=$(cat "$directory/server")
  kill -STOP "$server"
  # shellcheck disable=SC2046
  kill -STOP $(cat "/proc/$server/task/$server/children")
}

thaw() {
  server=$(cat "$directory/server")
  # shellcheck disable=SC2046
  kill -CONT "$server" $(cat "/proc/$server/task/$server/children")
}

"$programs/initdb" --auth=trust --username=postgres --encoding=UTF8 --locale=C --no-sync \
  -D "$directory/data" >"$directory/log" 2>&1
# With a certificate it listens on this machine's network as well, for those who speak TLS.
if [ -n "${CERTIFICATE:-}" ]; then
  (
    umask 077
    printf '%s' "$CERTIFICATE" >"$directory/data/server.crt"
    printf '%s' "$CERTIFICATE_KEY" >"$directory/data/server.key"
  )
  printf '%s\n' 'local all all trust' 'hostssl all all all trust' >"$directory/data/pg_hba.conf"
  set -- "$@" -c ssl=on -c listen_addresses=localhost
fi
start "$@"
echo "$directory"
while read -r told; do
  case $told in
    kill) kill_all ;;
    start) start "$@" ;;
    freeze) freeze ;;
    thaw) thaw ;;
  esac
  echo 'done'
done
