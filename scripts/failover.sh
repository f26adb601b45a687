#!/usr/bin/env bash
# The loss of the primary of a PostgreSQL that pg_auto_failover looks after, while two processes of
# Patron serve one registry in it; docs/durability.md says what it shows.
# Usage: scripts/failover.sh [LOSSES [SEED]]
#
# Makes a throw-away cluster on the loopback interface: a monitor and three nodes. The driver,
# crates/server/tests/it/proof/failover.rs, says by lines what happens to it.
set -euo pipefail
cd "$(dirname "$0")/.."

export PROOF_FAILOVERS="${1:-3}" PROOF_SEED="${2:-1}"
version=15
programs=/usr/lib/postgresql/$version/bin
nodes=(node1 node2 node3)

say() { printf '%s %s\n' "$(date +%T)" "$*" >&2; }

install() {
  command -v pg_autoctl >/dev/null && [ -e "$programs/../lib/pgautofailover.so" ] && return
  command -v apt-get >/dev/null || {
    echo 'install pg_auto_failover first: pg_autoctl, and its extension for PostgreSQL 15' >&2
    return 1
  }
  local as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq pg-auto-failover-cli "postgresql-$version-auto-failover"
}

# PostgreSQL does not run for root.
as_owner() {
  local who=()
  [ "$(id -u)" -eq 0 ] && who=(runuser -u postgres --)
  "${who[@]}" env -i -C "$directory" PATH="$programs:/usr/local/bin:/usr/bin:/bin" HOME="$directory" \
    LC_ALL=C PGHOST="$directory" PG_REGRESS_SOCK_DIR="$directory" XDG_CONFIG_HOME="$directory/config" \
    XDG_DATA_HOME="$directory/share" XDG_RUNTIME_DIR="$directory/run" "$@"
}

# A port, and so many after it, on which nobody listens; below those that connections are given.
free_ports() {
  local first offset
  for _ in $(seq 50); do
    first=$((20000 + RANDOM % 12000))
    for offset in $(seq 0 "$1"); do
      (: <"/dev/tcp/127.0.0.1/$((first + offset))") 2>/dev/null && continue 2
    done
    echo "$first"
    return
  done
  return 1
}

# Waits until a command succeeds, for so many seconds at most.
wait_for() {
  local seconds=$1 end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || {
      say "waited in vain for $seconds seconds: $*"
      return 1
    }
    sleep 0.1
  done
}

# A process and all that come of it, stopped so that they start nobody while they are counted.
tree() {
  local child
  kill -STOP "$1" 2>/dev/null || return 0
  echo "$1"
  for child in $(cat "/proc/$1/task/"*/children 2>/dev/null); do tree "$child"; done
}

launch() {
  as_owner pg_autoctl run --pgdata "$directory/$1" >>"$directory/$1.log" 2>&1 </dev/null &
  roots[$1]=$!
  # Its end is no news.
  disown "${roots[$1]}"
}

ask() {
  local port=$1 database=$2
  as_owner psql -qAtX -p "$port" -d "$database" -c "$3" 2>/dev/null
}

ask_monitor() { ask "$port" pg_auto_failover "$1"; }

primary() {
  ask_monitor "SELECT nodename FROM pgautofailover.node
    WHERE reportedstate = 'primary' AND goalstate = 'primary'"
}

# One node takes writes, and both others have all that it acknowledges or are about to.
is_whole() {
  local standbys name
  standbys=$(ask_monitor "SELECT count(*) FROM pgautofailover.node
    WHERE reportedstate = 'secondary' AND goalstate = 'secondary' AND health = 1") || return
  name=$(primary) || return
  [ "$standbys" = 2 ] && [ -n "$name" ] || return
  [ "$(ask "$((port + ${name#node}))" postgres "SELECT count(*) FROM pg_stat_replication
    WHERE state = 'streaming' AND sync_state = 'quorum'
    AND current_setting('synchronous_standby_names') LIKE 'ANY 1 (%'")" = 2 ]
}

is_up() { as_owner pg_isready -q -p "$1"; }

# Every process of the primary, its keeper's too: killed at once, or stopped, which is a machine
# that takes connections and answers nothing.
lose() {
  lost=$(primary)
  [ -n "$lost" ]
  mapfile -t gone < <(tree "${roots[$lost]}")
  kill "$1" "${gone[@]}"
  echo "$lost" >&"$done"
}

are_gone() { ! kill -0 "$@" 2>/dev/null; }

# The node that was lost comes back, as a standby.
settle() {
  kill -KILL "${gone[@]}" 2>/dev/null || true
  wait_for 30 are_gone "${gone[@]}"
  launch "$lost"
  wait_for 120 is_whole
  primary >&"$done"
}

# Stops what was started, keepers first since they would start their servers again.
finish() {
  local status=$? name root pid all=()
  trap '' INT TERM HUP
  # shellcheck disable=SC2046
  [ -z "$driver" ] || kill -KILL $(tree "$driver") 2>/dev/null || true
  for name in "${!roots[@]}"; do
    for pid in $(tree "${roots[$name]}"); do
      all+=("$pid")
      [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = postgres ] || kill -KILL "$pid" 2>/dev/null || true
    done
    root=$(head -n 1 "$directory/$name/postmaster.pid" 2>/dev/null) || continue
    [[ " ${all[*]} " != *" $root "* ]] || kill -QUIT "$root" 2>/dev/null || true
  done
  for pid in "${all[@]}"; do kill -CONT "$pid" 2>/dev/null || true; done
  if [ ${#all[@]} -gt 0 ]; then
    wait_for 5 are_gone "${all[@]}" 2>/dev/null || kill -KILL "${all[@]}" 2>/dev/null || true
    wait_for 5 are_gone "${all[@]}" || true
  fi
  wait 2>/dev/null || true
  if [ "$status" -ne 0 ]; then
    for name in monitor "${nodes[@]}" patron; do
      printf '\n== The end of the log of %s\n' "$name" >&2
      tail -n 40 "$directory/$name.log" >&2 || true
    done
  fi
  rm -rf "$directory"
  exit "$status"
}

install
cargo test --locked --quiet --package patron-server --test it --no-run

declare -A roots=()
driver='' lost='' gone=()
directory=$(mktemp -d /tmp/patron-failover-XXXXXX)
trap finish EXIT
trap 'exit 130' INT TERM HUP
mkdir "$directory/run"
[ "$(id -u)" -ne 0 ] || chown postgres "$directory" "$directory/run"
port=$(free_ports ${#nodes[@]})
loopback=(--hostname 127.0.0.1 --auth trust --no-ssl)

say 'Making a monitor and three nodes'
as_owner pg_autoctl create monitor --pgdata "$directory/monitor" --pgport "$port" "${loopback[@]}" \
  >>"$directory/monitor.log" 2>&1
as_owner pg_autoctl config set --pgdata "$directory/monitor" postgresql.listen_addresses 127.0.0.1 \
  >>"$directory/monitor.log" 2>&1
# The monitor's own patience is tens of seconds; a test has less of it.
cat >>"$directory/monitor/postgresql.conf" <<'END'
pgautofailover.health_check_period = 500
pgautofailover.health_check_timeout = 1000
pgautofailover.health_check_max_retries = 2
pgautofailover.health_check_retry_delay = 200
pgautofailover.node_considered_unhealthy_timeout = 3000
pgautofailover.primary_demote_timeout = 3000
pgautofailover.startup_grace_period = 1000
END
launch monitor
wait_for 30 is_up "$port"
for name in "${nodes[@]}"; do
  as_owner pg_autoctl create postgres --pgdata "$directory/$name" --pgport "$((port + ${name#node}))" \
    --name "$name" "${loopback[@]}" --listen 127.0.0.1 --username patron --dbname patron \
    --monitor "postgres://autoctl_node@127.0.0.1:$port/pg_auto_failover?sslmode=disable" \
    >>"$directory/$name.log" 2>&1
  # No power is cut here, and what a killed process wrote is kept. A node that cannot be rewound is
  # copied, and a copy begins with a checkpoint, which takes minutes where it is not in a hurry.
  # Standbys copy this.
  [ "$name" != node1 ] || printf '%s\n' 'fsync = off' 'checkpoint_completion_target = 0' \
    >>"$directory/$name/postgresql.conf"
  launch "$name"
done
# With two standbys it is by itself that a commit waits for one of them.
wait_for 90 is_whole
ask "$((port + 1))" postgres 'ALTER DATABASE patron OWNER TO patron'
as_owner pg_autoctl show settings --pgdata "$directory/monitor" >&2

mkfifo "$directory/told" "$directory/done"
exec {told}<>"$directory/told" {done}<>"$directory/done"
hosts=$(for name in "${nodes[@]}"; do echo "127.0.0.1:$((port + ${name#node}))"; done | paste -sd,)
say "Losing the primary $PROOF_FAILOVERS times"
FAILOVER_DATABASE="postgres://patron@$hosts/patron" FAILOVER_TOLD="$directory/told" \
  FAILOVER_DONE="$directory/done" FAILOVER_LOG="$directory/patron.log" cargo test --locked --quiet --package patron-server --test it -- \
  --ignored --exact proof::failover::a_primary_that_is_lost_loses_nobody --nocapture </dev/null &
driver=$!
while kill -0 "$driver" 2>/dev/null; do
  read -r -t 1 -u "$told" what || continue
  case $what in
    kill) lose -KILL ;;
    freeze) lose -STOP ;;
    settle) settle ;;
  esac
done
status=0
wait "$driver" || status=$?
driver=''
exit "$status"
