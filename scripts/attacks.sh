#!/usr/bin/env bash
# Measures what attackers cost a till that behaves well, on both engines and both versions of HTTP;
# docs/security.md explains the table.
# Usage: scripts/attacks.sh [REGISTRATIONS [ATTACK]]
# REGISTRATIONS is how many customers the till registers in each run, 2000 by default.
# ATTACK is a part of the name of the attacks to run, all by default.
set -euo pipefail
cd "$(dirname "$0")/.."

export ATTACK_REGISTRATIONS="${1:-2000}" ATTACK="${2:-}"
for engine in sqlite postgres; do
  TEST_ENGINE="$engine" cargo test --release --locked --package patron-server --test it attacks::fairness:: -- \
    --nocapture --test-threads 1
done
