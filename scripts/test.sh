#!/usr/bin/env bash
# Formats, lints, builds and tests everything; installs what that needs.
set -euo pipefail
cd "$(dirname "$0")/.."

tools="$PWD/target/tools"
deny="$tools/bin/cargo-deny"
deny_version=0.20.2

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

step 'Tools'
install_packages curl
rustup component add --quiet rustfmt clippy 2>/dev/null || true
if ! "$deny" --version 2>/dev/null | grep -q " $deny_version\$"; then
  cargo install cargo-deny --version "$deny_version" --locked --quiet --root "$tools"
fi

step 'Format'
cargo fmt --all --check

step 'Lint'
cargo clippy --workspace --all-targets --locked -- --deny warnings

step 'Licences and bans'
"$deny" --log-level error check licenses bans sources

step 'Documentation'
RUSTDOCFLAGS='--deny warnings' cargo doc --workspace --no-deps --document-private-items --locked --quiet

step 'Test'
INSTA_UPDATE=no cargo test --workspace --locked
