#!/usr/bin/env bash
# The operator's walk of the README, word for word against the real binary, and the two other runbooks of a lost host.
#
#   tests/walk.sh [BINARY]     BINARY is target/release/deltaglider_proxy where none is named
#
# Needs curl, jq, unzip, rsync and aws on the PATH (`tests/all --only packages` brings them). Everything it makes lies in one
# temporary directory; WALK_KEEP=1 leaves it there.
set -euo pipefail
cd "$(dirname "$0")/.."

binary="$(realpath "${1:-${CARGO_TARGET_DIR:-target}/release/deltaglider_proxy}")"
work="$(mktemp -d)"
declare -A pids=() urls=()
steps=0
old_password='walk-the-first-host-1'
new_password='walk-the-second-host-2'

step() { steps=$((steps + 1)) && printf '%2d. %s\n' "$steps" "$*"; }
fail() {
  printf 'walk: FAILED: %s\n' "$*" >&2
  exit 1
}
equal() { [ "$1" = "$2" ] || fail "$3: expected '$2', got '$1'"; }

finish() {
  local status=$? host
  for host in "${!pids[@]}"; do
    kill -9 "${pids[$host]}" 2>/dev/null || true
  done
  if [ "$status" != 0 ]; then
    for log in "$work"/*.log; do
      printf -- '--- %s\n' "$log" && tail -n 40 "$log"
    done >&2
  fi
  [ -n "${WALK_KEEP:-}" ] && echo "walk: files are in $work" || rm -rf "$work"
  exit "$status"
}
trap finish EXIT

# start HOST [VARIABLE=VALUE…]: runs the server in the host's own directory on a free port.
start() {
  local host=$1
  shift
  mkdir -p "$work/$host"
  : >"$work/$host.log"
  (cd "$work/$host" && exec env -i PATH="$PATH" HOME="$work" "$@" "$binary" --listen 127.0.0.1:0) >"$work/$host.log" 2>&1 &
  pids[$host]=$!
  local try
  for try in $(seq 300); do
    urls[$host]="$(sed -n 's/.*listening on \(http:[^ ]*\).*/\1/p' "$work/$host.log" | head -n 1)"
    [ -z "${urls[$host]}" ] || return 0
    kill -0 "${pids[$host]}" 2>/dev/null || fail "host $host ended before it listened"
    sleep 0.1
  done
  fail "host $host did not say within 30 s where it listens ($try tries)"
}

# stop HOST: SIGTERM must end it with 0.
stop() {
  local status=0
  kill -TERM "${pids[$1]}"
  wait "${pids[$1]}" || status=$?
  unset "pids[$1]"
  equal "$status" 0 "exit code of host $1 on SIGTERM"
}

login() {
  local code
  code="$(curl -sS -o "$work/answer" -w '%{http_code}' -c "$work/$1.cookies" -H 'Content-Type: application/json' \
    -d "$(jq -n --arg password "$2" '{password: $password}')" "${urls[$1]}/_/api/admin/login")"
  equal "$code" "${3:-200}" "login at host $1"
}

# api HOST CODE PATH [CURL ARGUMENT…]: prints the answer's body, and insists on its status.
api() {
  local host=$1 wanted=$2 path=$3 code
  shift 3
  code="$(curl -sS -o "$work/answer" -w '%{http_code}' -b "$work/$host.cookies" "$@" "${urls[$host]}/_/api/admin/$path")"
  [ "$code" = "$wanted" ] || fail "$path at host $host: expected $wanted, got $code: $(head -c 2000 "$work/answer")"
  cat "$work/answer"
}

restore() { api "$1" "$2" backup -X POST -H 'Content-Type: application/zip' --data-binary "@$work/b.zip"; }
names() { api "$1" 200 users | jq -r '.[] | .name' | sort; }
s3() {
  local host=$1
  shift
  env AWS_ENDPOINT_URL="${urls[$host]}" AWS_ACCESS_KEY_ID="$key_id" AWS_SECRET_ACCESS_KEY="$key_secret" \
    AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null \
    AWS_SHARED_CREDENTIALS_FILE=/dev/null aws s3 "$@"
}

# --- the walk ---------------------------------------------------------------------------------------------------------

step 'start a host'
start a DGP_BOOTSTRAP_PASSWORD="$old_password"
curl -fsS "${urls[a]}/_/health" | jq -e '.status == "healthy"' >/dev/null || fail 'the host is not healthy'

step 'log in; a wrong password does not'
login a 'not the password' 401
login a "$old_password"

step 'create the user ci-uploader'
user="$(api a 201 users -H 'Content-Type: application/json' -d '{
  "name": "ci-uploader",
  "permissions": [{"effect": "Allow", "actions": ["read", "write", "delete", "list", "admin"], "resources": ["ci-builds", "ci-builds/*"]}]
}')"
key_id="$(jq -er .access_key_id <<<"$user")"
key_secret="$(jq -er .secret_access_key <<<"$user")"

step 'make a bucket; store, list, fetch and remove objects'
mkdir "$work/files"
printf 'first build\n' >"$work/files/one.txt"
head -c 300000 /dev/urandom >"$work/files/two words & ü.bin"
: >"$work/files/empty"
s3 a mb s3://ci-builds >/dev/null
s3 a cp --only-show-errors --recursive "$work/files" s3://ci-builds/v1/ >/dev/null
s3 a cp "$work/files/one.txt" s3://ci-builds/gone.txt >/dev/null
s3 a rm s3://ci-builds/gone.txt >/dev/null
equal "$(s3 a ls --recursive s3://ci-builds/ 2>/dev/null | wc -l)" 3 'objects in the listing'
s3 a cp --only-show-errors --recursive s3://ci-builds/v1/ "$work/back-a" >/dev/null
diff -r "$work/files" "$work/back-a" || fail 'what came back differs'

step 'take a Full Backup: four entries, whose sha256 match the manifest'
api a 200 backup >"$work/b.zip"
unzip -l "$work/b.zip" >/dev/null
equal "$(unzip -Z1 "$work/b.zip" | tr '\n' ' ')" 'manifest.json config.yaml iam.json secrets.json ' 'entries'
mkdir "$work/unpacked"
unzip -q "$work/b.zip" -d "$work/unpacked"
(cd "$work/unpacked" && jq -r '.files[] | "\(.sha256)  \(.name)"' manifest.json | sha256sum --check --quiet --strict)
equal "$(jq '.files | length' "$work/unpacked/manifest.json")" 3 'parts in the manifest'
if grep -qF "$key_secret" "$work/unpacked/iam.json" "$work/unpacked/config.yaml"; then fail 'a secret outside secrets.json'; fi
old_hash="$(jq -er .bootstrap_password_hash "$work/unpacked/secrets.json")"
old_names="$(names a)"
equal "$old_names" ci-uploader 'users of the first host'
cp "$work/a/deltaglider_config.db" "$work/copied.db"
stop a

step 'restore onto a second, empty host with another password'
start b DGP_BOOTSTRAP_PASSWORD="$new_password"
new_hash="$(cat "$work/b/.deltaglider_bootstrap_hash")"
login b "$new_password"
restore b 200 | jq -e '.restored == true' >/dev/null || fail 'the answer does not say restored'
equal "$(api b 200 users | jq -r '.[] | .name' | sort)" "$old_names" 'users after the restore'

step 'the old password logs in, the new one no longer'
login b "$new_password" 401
login b "$old_password"

step 'the old access key signs, and the copied data reads byte-identical'
stop b
rsync -aX "$work/a/data/" "$work/b/data/"
start b DGP_BOOTSTRAP_PASSWORD="$new_password"
equal "$(s3 b ls --recursive s3://ci-builds/ | wc -l)" 3 'objects on the second host'
s3 b cp --only-show-errors --recursive s3://ci-builds/v1/ "$work/back-b" >/dev/null
diff -r "$work/files" "$work/back-b" || fail 'what the second host gives differs'
login b "$old_password"
stop b

# --- runbook: the hash injected before retrying -----------------------------------------------------------------------

step 'a host with a pinned hash of another password refuses the archive, and says what to do'
start c DGP_BOOTSTRAP_PASSWORD_HASH="$new_hash"
login c "$new_password"
refusal="$(restore c 409)"
equal "$(jq -r .code <<<"$refusal")" db_key_mismatch 'code of the refusal'
jq -e '.hint | length > 0' <<<"$refusal" >/dev/null || fail 'the refusal gives no hint'
equal "$(names c)" '' 'users after the refusal'
stop c

step 'with the hash of secrets.json injected, the retry restores'
start c DGP_BOOTSTRAP_PASSWORD_HASH="$old_hash"
login c "$old_password"
restore c 200 >/dev/null
equal "$(names c)" "$old_names" 'users after the retry'
stop c
start c DGP_BOOTSTRAP_PASSWORD_HASH="$old_hash"
login c "$old_password"
equal "$(names c)" "$old_names" 'users after a restart'
stop c

# --- runbook: the copied DB file --------------------------------------------------------------------------------------

step 'the copied DB opens with the password'
mkdir "$work/d" "$work/e"
cp "$work/copied.db" "$work/d/deltaglider_config.db"
start d DGP_BOOTSTRAP_PASSWORD="$old_password"
login d "$old_password"
equal "$(names d)" "$old_names" 'users of the copied DB, opened with the password'
stop d

step 'the copied DB opens with the hash'
cp "$work/copied.db" "$work/e/deltaglider_config.db"
start e DGP_BOOTSTRAP_PASSWORD_HASH="$old_hash"
login e "$old_password"
equal "$(names e)" "$old_names" 'users of the copied DB, opened with the hash'
stop e

# --- the same from the command line -----------------------------------------------------------------------------------

step 'one command makes a host anew before its first start; it asks for no password'
mkdir "$work/f"
cli() { (cd "$work/f" && env -i PATH="$PATH" HOME="$work" "$binary" backup "$@"); }
cli verify "$work/b.zip" >/dev/null
cli restore "$work/b.zip" >/dev/null
start f
login f "$old_password"
equal "$(names f)" "$old_names" 'users of the host that the command made'
env DGP_SERVER="${urls[f]}" DGP_BOOTSTRAP_PASSWORD="$old_password" "$binary" backup create -o "$work/f.zip" >/dev/null
stop f
cli inspect "$work/f.zip" --json | jq -e '.users == ["ci-uploader"]' >/dev/null || fail 'the backup of the new host lacks its user'
printf 'spoiled' | dd of="$work/f.zip" bs=1 seek=400 conv=notrunc status=none
spoiled=0
cli verify "$work/f.zip" 2>/dev/null || spoiled=$?
equal "$spoiled" 9 'exit code for a spoiled archive'

echo "walk: all $steps steps passed"
