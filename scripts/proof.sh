#!/usr/bin/env bash
# The long proof that nobody is lost, doubled or halved; docs/durability.md says what it shows.
# Usage: scripts/proof.sh [KILLS [POWER_CUTS [RACES [SEED]]]]
set -euo pipefail
cd "$(dirname "$0")/.."

export PROOF_KILLS="${1:-200}" PROOF_CUTS="${2:-100}" PROOF_RACES="${3:-200}" PROOF_SEED="${4:-1}"
cargo test --release --locked --package patron-server --test it proof:: -- --nocapture --test-threads 1
