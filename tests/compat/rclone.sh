#!/usr/bin/env bash
# rclone: a remote of provider "Other" with no setting but address and keys.
. "$COMPAT_LIB"

export RCLONE_CONFIG_DGP_TYPE=s3 RCLONE_CONFIG_DGP_PROVIDER=Other RCLONE_CONFIG_DGP_ENDPOINT="$AWS_ENDPOINT_URL"
export RCLONE_CONFIG_DGP_ACCESS_KEY_ID="$AWS_ACCESS_KEY_ID" RCLONE_CONFIG_DGP_SECRET_ACCESS_KEY="$AWS_SECRET_ACCESS_KEY"
unset AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION AWS_DEFAULT_REGION AWS_CA_BUNDLE
# Standard error holds rclone's statistics: "Transferred: 0 B / 0 B" once there is nothing to copy.
export RCLONE_CONFIG="$PWD/rclone.conf"
: >"$RCLONE_CONFIG"

bucket='compat-rclone'

make_a_bucket() {
  rclone mkdir "dgp:$bucket"
  rclone lsd dgp: | shows " $bucket\$"
}
check 'mkdir makes a bucket that lsd shows' make_a_bucket

# copied COMMAND…: how many files rclone says it transferred.
copied() { rclone --use-json-log -v --stats-log-level NOTICE --stats 1h "$@" 2>&1 | jq -s 'map(select(.stats)) | last | .stats.transfers'; }

sync_converges() {
  equal "$(copied sync "$COMPAT_FILES/tree" "dgp:$bucket/sync")" "$(find "$COMPAT_FILES/tree" -type f | wc -l)" 'files of the first sync'
  equal "$(copied sync "$COMPAT_FILES/tree" "dgp:$bucket/sync")" 0 'files of the second sync'
  equal "$(copied sync --checksum "$COMPAT_FILES/tree" "dgp:$bucket/sync")" 0 'files of a sync by checksum'
}
check 'sync converges: the second one copies nothing, by time or by checksum' sync_converges

check 'check finds no difference' rclone check "$COMPAT_FILES/tree" "dgp:$bucket/sync"
check 'check --download finds no difference' rclone check --download "$COMPAT_FILES/tree" "dgp:$bucket/sync"

listing() {
  rclone lsf -R --files-only "dgp:$bucket/sync" | LC_ALL=C sort >lsf.out
  (cd "$COMPAT_FILES/tree" && find . -type f | sed 's,^\./,,' | LC_ALL=C sort) | diff - lsf.out
  rclone lsf "dgp:$bucket/sync" | shows -x 'deep/'
  rclone lsjson --stat "dgp:$bucket/sync/empty" | jq -e '.Size == 0'
  equal "$(rclone size --json "dgp:$bucket/sync" | jq .count)" "$(wc -l <lsf.out)" 'files in size'
}
check 'lsf, lsjson and size show every file under its name' listing

sums() {
  rclone hashsum md5 "dgp:$bucket/sync" | LC_ALL=C sort >remote.md5
  rclone hashsum md5 "$COMPAT_FILES/tree" | LC_ALL=C sort | diff - remote.md5
}
check 'hashsum gives the MD5 of every file' sums

times() {
  touch -d 2001-02-03T04:05:06.789Z dated
  rclone copyto dated "dgp:$bucket/dated"
  rclone lsjson "dgp:$bucket/dated" | jq -e '.[0].ModTime | startswith("2001-02-03T04:05:06.789")'
  touch -d 2002-02-03T04:05:06Z dated
  # Only the time differs, so rclone copies the object onto itself with new metadata.
  rclone copyto dated "dgp:$bucket/dated"
  rclone lsjson "dgp:$bucket/dated" | jq -e '.[0].ModTime | startswith("2002-02-03T04:05:06")'
}
check 'modification times are kept and can be set anew' times

moves() {
  rclone moveto "dgp:$bucket/sync/two words & more.txt" "dgp:$bucket/moved/2 words + ü.txt"
  rclone cat "dgp:$bucket/moved/2 words + ü.txt" | cmp - "$COMPAT_FILES/tree/two words & more.txt"
  equal "$(rclone lsf "dgp:$bucket/sync" --include '/two words*')" '' 'what is left of the moved file'
  rclone moveto "dgp:$bucket/moved/2 words + ü.txt" "dgp:$bucket/sync/two words & more.txt"
  rclone copy "dgp:$bucket/sync/deep" "dgp:$bucket/copied"
  rclone check "dgp:$bucket/sync/deep" "dgp:$bucket/copied"
}
check 'moveto and server-side copy' moves

big_file() {
  # The threshold for parts is 200 MiB.
  truncate -s 210M big
  printf 'tail' >>big
  rclone copyto big "dgp:$bucket/big"
  equal "$(copied copyto big "dgp:$bucket/big")" 0 'files of the second copy'
  rclone check --download . "dgp:$bucket" --include /big
  rclone check . "dgp:$bucket" --include /big
  equal "$(rclone cat --offset 220200950 "dgp:$bucket/big" | wc -c)" 14 'bytes from an offset'
  rm big
}
check 'a file of 210 MiB goes up in parts, and comes back the same' big_file

streams() {
  rclone rcat "dgp:$bucket/stream" <"$COMPAT_FILES/big.bin"
  rclone cat "dgp:$bucket/stream" | cmp - "$COMPAT_FILES/big.bin"
}
check 'rcat uploads a stream of unknown length' streams

link() {
  curl -fsS "$(rclone link "dgp:$bucket/sync/two words & more.txt")" | cmp - "$COMPAT_FILES/tree/two words & more.txt"
}
check 'link gives a URL that curl can fetch' link

download() {
  rclone copy "dgp:$bucket/sync" back
  diff -r "$COMPAT_FILES/tree" back
}
check 'copy down gives every file with its name' download

# rclone's own probe: every character but the slash and NUL in names, forms of Unicode kept apart, bodies of unknown length. Control
# characters are no XML, which it finds out of an unknown provider in a minute of tries.
names_are_kept() {
  export RCLONE_CONFIG_DGP_LIST_URL_ENCODE=true
  rclone test info --check-control --check-normalization --check-streaming --upload-wait 0s "dgp:$bucket/info" >info.out 2>info.err
  shows -x 'canWriteUnnormalized = true' <info.out
  shows -x 'canReadUnnormalized   = true' <info.out
  shows -x 'canReadRenormalized   = false' <info.out
  shows -x 'canStream = true' <info.out
  equal "$(sed -n '/^stringNeedsEscaping/,/^}/p' info.out | tr -d ' \t\n')" "stringNeedsEscaping=[]rune{'/','\\x00'}" 'names that need escaping'
  rclone purge "dgp:$bucket/info"
}
check "test info finds that any name will do" names_are_kept

both_sides_converge() {
  rclone test makefiles --files 200 --seed 7 made
  rclone bisync made "dgp:$bucket/both" --resync --workdir bisync
  echo here >made/here
  echo there | rclone rcat "dgp:$bucket/both/there"
  rclone bisync made "dgp:$bucket/both" --workdir bisync
  equal "$(cat made/there)" there 'what the other side wrote'
  rclone check --download made "dgp:$bucket/both"
}
check 'bisync of a random tree carries changes both ways' both_sides_converge

removal() {
  rclone deletefile "dgp:$bucket/stream"
  rclone cleanup "dgp:$bucket"
  rclone purge "dgp:$bucket"
  equal "$(rclone lsf dgp: | grep -c "^$bucket/" || true)" 0 'buckets left of that name'
}
check 'deletefile, cleanup and purge leave nothing' removal

done_checking
