#!/usr/bin/env bash
# Formats, lints, builds and tests everything; installs what that needs.
set -euo pipefail
cd "$(dirname "$0")/.."

tools="$PWD/target/tools"
deny_version=0.20.2
fuzz_version=0.13.2
fuzz_seconds=20

step() { printf '\n== %s\n' "$*"; }

install_packages() {
  local missing=()
  for program in "$@"; do
    command -v "$program" >/dev/null || missing+=("$program")
  done
  [ ${#missing[@]} -eq 0 ] && return
  local as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  if command -v apt-get >/dev/null; then
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" apt-get install -y -qq "${missing[@]}"
  else
    echo "install these first: ${missing[*]}" >&2
    return 1
  fi
}

install_postgresql() {
  command -v postgres >/dev/null || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || install_packages postgresql
}

install_tool() {
  if ! "$tools/bin/$1" --version 2>/dev/null | grep -q " $2\$"; then
    cargo install "$1" --version "$2" --locked --quiet --root "$tools"
  fi
}

step 'Tools'
install_packages curl python3
install_postgresql
python3 -m venv --help >/dev/null 2>&1 && python3 -c 'import ensurepip' 2>/dev/null || install_packages python3-venv
rustup component add rustfmt clippy >/dev/null 2>&1 || true
install_tool cargo-deny "$deny_version"
install_tool cargo-fuzz "$fuzz_version"

step 'Format'
cargo fmt --all --check

step 'Lint'
cargo clippy --workspace --all-targets --locked -- --deny warnings

step 'Licences and bans'
"$tools/bin/cargo-deny" --log-level error check licenses bans sources

step 'Advisories'
# The database of known vulnerabilities is a repository of its own, which not every machine reaches.
if timeout 60 "$tools/bin/cargo-deny" --log-level error fetch db; then
  "$tools/bin/cargo-deny" --log-level error check advisories
else
  echo 'not checked: the advisory database cannot be fetched from https://github.com/rustsec/advisory-db'
fi

step 'Documentation'
RUSTDOCFLAGS='--deny warnings' cargo doc --workspace --no-deps --document-private-items --locked --quiet

step 'Test'
INSTA_UPDATE=no cargo test --workspace --locked

step 'Test on PostgreSQL'
TEST_ENGINE=postgres INSTA_UPDATE=no cargo test --package patron-server --test it --locked

step 'Failover'
scripts/failover.sh

step 'Conformance'
scripts/conformance.sh

step 'Fuzz'
# The sanitizer needs a switch that a stable compiler has behind this variable.
export RUSTC_BOOTSTRAP=1
for target in decode_json decode_xml decide; do
  "$tools/bin/cargo-fuzz" run --target-dir target/fuzz "$target" -- \
    -max_total_time="$fuzz_seconds" -max_len=4096 -timeout=20 -rss_limit_mb=2048 -print_funcs=0 -verbosity=0
done
