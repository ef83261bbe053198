#!/usr/bin/env bash
# restic: a repository's whole life, with no option but the password.
. "$COMPAT_LIB"

# The Debian package knows the authority by this option only.
trust=()
[ "$COMPAT_SCHEME" = http ] || trust=(--cacert "$AWS_CA_BUNDLE")
restic() { command restic "${trust[@]}" "$@"; }

export RESTIC_REPOSITORY="s3:$AWS_ENDPOINT_URL/compat-restic/host" RESTIC_PASSWORD='only for the test'
source="$PWD/source"
cp -r "$COMPAT_FILES/tree" "$source"
cp "$COMPAT_FILES/big.bin" "$source/"

check 'init makes bucket and repository' restic init
check 'backup' restic backup --host compat "$source"

change() {
  rm "$source/plain.txt"
  printf 'second\n' >"$source/second.txt"
  restic backup --host compat "$source"
  equal "$(restic snapshots --json | jq length)" 2 snapshots
}
check 'a second backup after changes' change

check 'check --read-data finds no fault' restic check --read-data

restore() {
  restic restore latest --target back
  diff -r "$source" "back$source"
  restic restore "$(restic snapshots --json | jq -r '.[0].short_id')" --target first
  diff -r "$COMPAT_FILES/tree" "first$source" | grep -v 'Only in .*: big.bin' >differences || true
  equal "$(cat differences)" '' 'differences of the first snapshot'
}
check 'restore gives both snapshots back' restore

difference() {
  local snapshots
  mapfile -t snapshots < <(restic snapshots --json | jq -r '.[].short_id')
  restic diff "${snapshots[@]}" >diff.out
  grep -q '^+ .*/second.txt$' diff.out
  grep -q -- '^- .*/plain.txt$' diff.out
  restic find second.txt | shows second.txt
  restic stats latest
}
check 'diff, find and stats' difference

forget() {
  restic forget --keep-last 1 --prune
  equal "$(restic snapshots --json | jq length)" 1 'snapshots left'
  restic check --read-data
  restic dump latest "$source/second.txt" | shows -x second
}
check 'forget --prune leaves a sound repository' forget

done_checking
