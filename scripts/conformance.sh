#!/usr/bin/env bash
# Tries the OpenAPI document on a server with the demo: no request may be answered by a fault of the
# server's, with a status that is not documented, or with something else than is documented.
# `--max-examples N` tries longer; whatever else is passed goes to schemathesis as well.
set -euo pipefail
cd "$(dirname "$0")/.."

schemathesis_version=4.32.5
examples=15
if [ "${1:-}" = --max-examples ]; then
  examples=$2
  shift 2
fi

python="$PWD/target/tools/python"
if ! "$python/bin/schemathesis" --version 2>/dev/null | grep -q " $schemathesis_version\$"; then
  python3 -m venv "$python"
  "$python/bin/pip" install --quiet "schemathesis==$schemathesis_version"
fi

cargo build --quiet --locked --package patron-server
directory=$(mktemp -d)
PATRON_LOG=warn target/debug/patron serve --demo --data :memory: --listen 127.0.0.1:0 --rate-limit 0 --change-limit 0 \
  >"$directory/said" 2>"$directory/log" &
server=$!
finish() {
  local status=$?
  kill "$server" 2>/dev/null || true
  [ "$status" -eq 0 ] || tail -n 50 "$directory/log" >&2
  rm -rf "$directory"
}
trap finish EXIT
for _ in $(seq 100); do
  url=$(grep -o 'http://[0-9.:]*' "$directory/said" | head -n 1) || true
  [ -n "$url" ] && break
  sleep 0.1
done
[ -n "$url" ]

token=$(curl -sSf "$url/admin/api/v1/sessions" -H 'Content-Type: application/json' \
  -d '{"name":"demo","password":"demo"}' | sed 's/.*"token":"\([^"]*\).*/\1/')
digest=$(printf demo | md5sum | cut -d' ' -f1)

# What is tried of the admin API is tried in an organisation that is there.
cat >"$directory/schemathesis.toml" <<'END'
[parameters]
"path.organisation" = "demo"
END

try() {
  (cd "$directory" && "$python/bin/schemathesis" --config-file schemathesis.toml run "$url/openapi.json" \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
    --max-examples "$examples" --warnings off --no-color --continue-on-failure \
    --generation-database none --suppress-health-check filter_too_much,too_slow "$@")
}

try --exclude-path-regex '^/admin/' --auth "till.001:$digest" "$@"
# Signing out would end the try.
try --include-path-regex '^/admin/' --exclude-operation-id sign_out --header "Authorization: Bearer $token" "$@"

# Whatever was answered, nothing went wrong inside.
! grep -q '"ERROR"' "$directory/log"
