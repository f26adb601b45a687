# A PostgreSQL that is gone, with its files, once nobody holds the other end of the standard input.
#
# Arguments: the directory of PostgreSQL's programs, then arguments for the server. Prints the
# directory of its socket once it answers. Then it does as it is told by lines, and prints `done`
# after each: `kill` kills every process of it at once and without warning, `start` starts it again;
# `stop` has every process stand still, so that it takes connections and answers nothing, and
# `continue` has them go on.
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

# The same for all that are there.
signal_all() {
  server=$(cat "$directory/server")
  # shellcheck disable=SC2046
  kill "$1" "$server" $(cat "/proc/$server/task/$server/children")
}

"$programs/initdb" --auth=trust --username=postgres --encoding=UTF8 --locale=C --no-sync \
  -D "$directory/data" >"$directory/log" 2>&1
start "$@"
echo "$directory"
while read -r told; do
  case $told in
    kill) kill_all ;;
    stop) signal_all -STOP ;;
    continue) signal_all -CONT ;;
    start) start "$@" ;;
  esac
  echo 'done'
done
