#!/usr/bin/env bash
# s3cmd: a configuration with address and keys, and nothing else.
. "$COMPAT_LIB"

bucket='compat-s3cmd'
host="${AWS_ENDPOINT_URL#*://}"
{
  printf '[default]\naccess_key = %s\nsecret_key = %s\n' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY"
  printf 'host_base = %s\nhost_bucket = %s\n' "$host" "$host"
  [ "$COMPAT_SCHEME" = https ] && printf 'ca_certs_file = %s\n' "$AWS_CA_BUNDLE" || printf 'use_https = False\n'
} >"$HOME/.s3cfg"
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
s3() { s3cmd --no-progress "$@"; }

make_a_bucket() {
  s3 mb "s3://$bucket"
  s3 ls | shows " s3://$bucket\$"
  s3 info "s3://$bucket" | shows 'Location: *us-east-1'
}
check 'mb makes a bucket that ls and info show' make_a_bucket

put_and_get() {
  s3 put "$COMPAT_FILES/small.txt" "s3://$bucket/small.txt" --add-header 'x-amz-meta-colour: deep blue' --mime-type text/x-compat
  s3 get "s3://$bucket/small.txt" small.back
  cmp small.back "$COMPAT_FILES/small.txt"
  s3 info "s3://$bucket/small.txt" >info.out
  grep -q 'File size: *13$' info.out
  grep -q 'MIME type: *text/x-compat' info.out
  grep -q 'colour: *deep blue' info.out
  grep -q "MD5 sum: *$(md5sum <small.back | cut -d' ' -f1)" info.out
}
check 'put and get a small file; info shows its properties' put_and_get

big_file() {
  # The threshold for parts is 15 MiB.
  s3 put "$COMPAT_FILES/big.bin" "s3://$bucket/big.bin"
  s3 get "s3://$bucket/big.bin" big.back
  cmp big.back "$COMPAT_FILES/big.bin"
  s3 info "s3://$bucket/big.bin" | shows 'File size: *31457280$'
}
check 'put of 30 MiB goes up in parts and comes back the same' big_file

resume() {
  head -c 1000000 "$COMPAT_FILES/big.bin" >resumed
  s3 get --continue "s3://$bucket/big.bin" resumed
  cmp resumed "$COMPAT_FILES/big.bin"
}
check 'get --continue fetches the rest' resume

streams() {
  s3 put - "s3://$bucket/stdin" <"$COMPAT_FILES/big.bin"
  s3 get "s3://$bucket/stdin" - | cmp - "$COMPAT_FILES/big.bin"
}
check 'put takes standard input and get gives standard output' streams

sync_converges() {
  s3 sync "$COMPAT_FILES/tree/" "s3://$bucket/sync/" >first.out
  equal "$(grep -c '^upload: ' first.out)" "$(find "$COMPAT_FILES/tree" -type f | wc -l)" 'uploads of the first sync'
  s3 sync "$COMPAT_FILES/tree/" "s3://$bucket/sync/" >second.out
  equal "$(grep -c '^upload: ' second.out || true)" 0 'uploads of the second sync'
  s3 sync "s3://$bucket/sync/" back/
  diff -r "$COMPAT_FILES/tree" back
  s3 sync "s3://$bucket/sync/" back/ >third.out
  equal "$(grep -c '^download: ' third.out || true)" 0 'downloads of the second sync'
}
check 'sync up and down converges: the second one copies nothing' sync_converges

listing() {
  s3 ls "s3://$bucket/sync/" >ls.out
  grep -q "DIR *s3://$bucket/sync/deep/" ls.out
  grep -qF "s3://$bucket/sync/two words & more.txt" ls.out
  equal "$(s3 ls --recursive "s3://$bucket/sync/" | wc -l)" "$(find "$COMPAT_FILES/tree" -type f | wc -l)" 'lines of the listing'
  s3 du "s3://$bucket/sync/"
}
check 'ls and du' listing

copies() {
  s3 cp "s3://$bucket/small.txt" "s3://$bucket/copy.txt"
  s3 info "s3://$bucket/copy.txt" | shows 'colour: *deep blue'
  s3 mv "s3://$bucket/copy.txt" "s3://$bucket/moved ü.txt"
  s3 get "s3://$bucket/moved ü.txt" - | cmp - "$COMPAT_FILES/small.txt"
  fails s3 info "s3://$bucket/copy.txt"
  s3 cp "s3://$bucket/big.bin" "s3://$bucket/big-copy.bin"
  s3 get "s3://$bucket/big-copy.bin" - | cmp - "$COMPAT_FILES/big.bin"
  s3 modify --add-header 'x-amz-meta-added: later' "s3://$bucket/small.txt"
  s3 info "s3://$bucket/small.txt" | shows 'added: *later'
}
check 'cp, mv and modify' copies

uploads() {
  equal "$(s3 multipart "s3://$bucket" | grep -c '^20' || true)" 0 'unfinished uploads'
}
check 'multipart lists unfinished uploads' uploads

removal() {
  s3 del "s3://$bucket/small.txt"
  fails s3 info "s3://$bucket/small.txt"
  s3 del --recursive --force "s3://$bucket/sync/" >/dev/null
  equal "$(s3 ls --recursive "s3://$bucket/sync/")" '' 'objects left'
  s3 rb --recursive --force "s3://$bucket" >/dev/null
  equal "$(s3 ls | grep -c " s3://$bucket\$" || true)" 0 'buckets left of that name'
}
check 'del and rb leave nothing' removal

done_checking
