#!/usr/bin/env bash
# aws-cli: the high-level commands with their default multipart thresholds, and the calls of `aws s3api`.
. "$COMPAT_LIB"

bucket='compat-aws-cli'
api() { aws s3api "$@"; }
field() { jq -er "$1"; }

make_a_bucket() {
  aws s3 mb "s3://$bucket"
  aws s3 ls | shows " $bucket\$"
  api head-bucket --bucket "$bucket"
  api get-bucket-location --bucket "$bucket" | jq -e '.LocationConstraint == null'
  fails aws s3 mb "s3://$bucket"
  grep -q BucketAlreadyOwnedByYou failure.out
}
check 'mb makes a bucket that ls shows' make_a_bucket

small_file() {
  aws s3 cp "$COMPAT_FILES/small.txt" "s3://$bucket/small.txt" --metadata 'colour=deep blue,n=1' --content-type text/x-compat \
    --cache-control 'max-age=60' --content-disposition 'attachment; filename="a.txt"' --content-language de --expires 2031-01-02T03:04:05Z
  aws s3 cp "s3://$bucket/small.txt" small.back
  cmp "$COMPAT_FILES/small.txt" small.back
  api head-object --bucket "$bucket" --key small.txt >head.json
  equal "$(jq -r .ETag head.json)" "\"$(md5sum <small.back | cut -d' ' -f1)\"" ETag
  jq -e '.Metadata == {"colour": "deep blue", "n": "1"} and .ContentType == "text/x-compat" and .CacheControl == "max-age=60"
    and .ContentLanguage == "de" and .ContentDisposition == "attachment; filename=\"a.txt\"" and .ContentLength == 13' head.json
  grep -q '2031-01-02T03:04:05\|02 Jan 2031 03:04:05' head.json
}
check 'cp of a small file keeps content, type, headers and metadata' small_file

big_file() {
  aws s3 cp --no-progress "$COMPAT_FILES/big.bin" "s3://$bucket/big/30-mib.bin"
  aws s3 cp --no-progress "s3://$bucket/big/30-mib.bin" big.back
  cmp "$COMPAT_FILES/big.bin" big.back
  equal "$(api head-object --bucket "$bucket" --key big/30-mib.bin | jq -r .ETag | sed 's/.*-//; s/"//')" 4 'parts in the ETag'
  equal "$(api list-objects-v2 --bucket "$bucket" --prefix big/ | jq -r '.Contents[0].Size')" 31457280 'size in the listing'
}
check 'cp of 30 MiB goes up in parts and comes back the same' big_file

streams() {
  aws s3 cp --no-progress - "s3://$bucket/big/stdin" <"$COMPAT_FILES/big.bin"
  aws s3 cp --no-progress "s3://$bucket/big/stdin" - | cmp - "$COMPAT_FILES/big.bin"
}
check 'cp takes standard input and gives standard output' streams

server_side_copy() {
  aws s3 cp --no-progress "s3://$bucket/small.txt" "s3://$bucket/copies/small.txt"
  equal "$(api head-object --bucket "$bucket" --key copies/small.txt | jq -r .Metadata.colour)" 'deep blue' 'metadata of the copy'
  aws s3 cp --no-progress "s3://$bucket/big/30-mib.bin" "s3://$bucket/copies/big.bin"
  aws s3 cp --no-progress "s3://$bucket/copies/big.bin" - | cmp - "$COMPAT_FILES/big.bin"
}
check 'cp from S3 to S3 copies small objects whole and large ones by part' server_side_copy

sync_converges() {
  aws s3 sync --no-progress "$COMPAT_FILES/tree" "s3://$bucket/sync/" >first.out
  equal "$(wc -l <first.out)" "$(find "$COMPAT_FILES/tree" -type f | wc -l)" 'files copied by the first sync'
  equal "$(aws s3 sync --no-progress "$COMPAT_FILES/tree" "s3://$bucket/sync/")" '' 'output of the second sync'
  equal "$(aws s3 sync --no-progress "$COMPAT_FILES/tree" "s3://$bucket/sync/" --delete)" '' 'output of a sync with --delete'
}
check 'sync up converges: the second one copies nothing' sync_converges

sync_back() {
  aws s3 sync --no-progress "s3://$bucket/sync/" back >/dev/null
  diff -r "$COMPAT_FILES/tree" back
  equal "$(aws s3 sync --no-progress "s3://$bucket/sync/" back)" '' 'output of the second sync'
}
check 'sync down gives every file with its name, and converges' sync_back

sync_between() {
  aws s3 sync --no-progress "s3://$bucket/sync/" "s3://$bucket/sync-2/" >/dev/null
  equal "$(aws s3 sync --no-progress "s3://$bucket/sync/" "s3://$bucket/sync-2/")" '' 'output of the second sync'
  aws s3 rm "s3://$bucket/sync/plain.txt"
  equal "$(aws s3 sync --no-progress --delete "s3://$bucket/sync/" "s3://$bucket/sync-2/")" \
    "delete: s3://$bucket/sync-2/plain.txt" 'output of the sync with --delete'
}
check 'sync between prefixes converges and deletes what is gone' sync_between

listings() {
  aws s3 ls "s3://$bucket/sync-2/" >ls.out
  grep -q 'PRE deep/$' ls.out
  grep -q ' two words & more.txt$' ls.out
  grep -q ' a+b%20c=d.txt$' ls.out
  aws s3 ls --recursive --summarize "s3://$bucket/sync-2/" >ls.out
  grep -q "Total Objects: $(($(find "$COMPAT_FILES/tree" -type f | wc -l) - 1))\$" ls.out
  fails aws s3 ls "s3://$bucket/nothing-here/"
}
check 'ls shows prefixes, odd names and totals' listings

moves() {
  cp "$COMPAT_FILES/small.txt" to-move
  aws s3 mv to-move "s3://$bucket/moved/one"
  [ ! -e to-move ]
  aws s3 mv "s3://$bucket/moved/one" "s3://$bucket/moved/two"
  fails api head-object --bucket "$bucket" --key moved/one
  aws s3 mv "s3://$bucket/moved/two" moved-back
  cmp moved-back "$COMPAT_FILES/small.txt"
  equal "$(api list-objects-v2 --bucket "$bucket" --prefix moved/ --query 'length(Contents || `[]`)')" 0 'objects left'
}
check 'mv up, across and down leaves nothing behind' moves

# aws-cli 1 and boto3 still presign with signature version 2 for us-east-1, and with version 4 for any other region.
presigned() { aws s3 presign --region eu-central-1 "$@"; }
presign() {
  curl -fsS "$(presigned "s3://$bucket/sync-2/two words & more.txt")" | cmp - "$COMPAT_FILES/tree/two words & more.txt"
  curl -fsS -r 0-3 "$(presigned "s3://$bucket/small.txt" --expires-in 60)" | shows -x 'a sm'
  local url
  url="$(presigned "s3://$bucket/small.txt")"
  equal "$(curl -sS -o answer.xml -w '%{http_code}' "${url%?}$([ "${url: -1}" = 0 ] && echo 1 || echo 0)")" 403 'status of a spoilt signature'
  grep -q '<Code>SignatureDoesNotMatch</Code>' answer.xml
}
check 'presign gives URLs that curl can fetch, and only those' presign

presign_v2() {
  equal "$(curl -sS -o answer.xml -w '%{http_code}' "$(aws s3 presign "s3://$bucket/small.txt")")" 400 status
  grep -q 'AWS4-HMAC-SHA256' answer.xml
}
check 'presign of signature version 2, the default in us-east-1, is refused with the way out' presign_v2

checksums() {
  local algorithm name
  for algorithm in CRC32 CRC32C CRC64NVME SHA1 SHA256; do
    api put-object --bucket "$bucket" --key "sums/$algorithm" --body "$COMPAT_FILES/small.txt" --checksum-algorithm "$algorithm" >put.json
    name="Checksum$algorithm"
    api head-object --bucket "$bucket" --key "sums/$algorithm" --checksum-mode ENABLED >head.json
    equal "$(field ".$name" <head.json)" "$(field ".$name" <put.json)" "$name of HEAD"
    equal "$(field .ChecksumType <head.json)" FULL_OBJECT "ChecksumType of $algorithm"
  done
  api get-object --bucket "$bucket" --key sums/SHA256 --checksum-mode ENABLED sums.back | field .ChecksumSHA256
  cmp sums.back "$COMPAT_FILES/small.txt"
  equal "$(api head-object --bucket "$bucket" --key sums/SHA256 --checksum-mode ENABLED | jq -r .ChecksumSHA256)" \
    "$(openssl dgst -sha256 -binary "$COMPAT_FILES/small.txt" | base64)" SHA-256
  fails api put-object --bucket "$bucket" --key sums/wrong --body "$COMPAT_FILES/small.txt" --checksum-sha256 "$(head -c 32 /dev/zero | base64)"
  grep -q BadDigest failure.out
  fails api head-object --bucket "$bucket" --key sums/wrong
}
check 's3api put-object with each checksum algorithm; a wrong checksum is refused' checksums

multipart_checksums() {
  local algorithm
  for algorithm in CRC64NVME SHA256; do
    aws s3 cp --no-progress "$COMPAT_FILES/big.bin" "s3://$bucket/sums/big-$algorithm" --checksum-algorithm "$algorithm"
    api head-object --bucket "$bucket" --key "sums/big-$algorithm" --checksum-mode ENABLED | field ".Checksum$algorithm"
    aws s3 cp --no-progress "s3://$bucket/sums/big-$algorithm" - --checksum-mode ENABLED | cmp - "$COMPAT_FILES/big.bin"
  done
}
check 'cp in parts with a CRC64NVME of the whole and with SHA-256 of the parts' multipart_checksums

ranges() {
  api get-object --bucket "$bucket" --key big/30-mib.bin --range bytes=10000000-20000000 range.back | jq -e '.ContentLength == 10000001'
  cmp range.back <(tail -c +10000001 "$COMPAT_FILES/big.bin" | head -c 10000001)
  api get-object --bucket "$bucket" --key big/30-mib.bin --range bytes=-7 range.back
  cmp range.back <(tail -c 7 "$COMPAT_FILES/big.bin")
  fails api get-object --bucket "$bucket" --key small.txt --range bytes=100- range.back
  grep -q InvalidRange failure.out
}
check 's3api get-object of ranges' ranges

versions() {
  api list-object-versions --bucket "$bucket" --prefix sync-2/ >versions.json
  jq -e '[.Versions[] | .VersionId == "null" and .IsLatest] | all and (length > 10)' versions.json
  api list-object-versions --bucket "$bucket" --prefix sync-2/ --page-size 3 >paged.json
  equal "$(jq -c '[.Versions[].Key]' paged.json)" "$(jq -c '[.Versions[].Key]' versions.json)" 'keys of the paged listing'
  api list-objects-v2 --bucket "$bucket" --prefix sync-2/ --page-size 3 >paged.json
  equal "$(jq -c '[.Contents[].Key]' paged.json)" "$(jq -c '[.Versions[].Key]' versions.json)" 'keys of ListObjectsV2'
  api list-objects --bucket "$bucket" --prefix sync-2/ --page-size 3 >paged.json
  equal "$(jq -c '[.Contents[].Key]' paged.json)" "$(jq -c '[.Versions[].Key]' versions.json)" 'keys of ListObjects'
}
check 's3api list-object-versions and both listings, in pages' versions

copy_and_delete() {
  api copy-object --bucket "$bucket" --key copied --copy-source "$bucket/sync-2/two words & more.txt" \
    --metadata-directive REPLACE --metadata a=b --content-type text/plain | jq -e '.CopyObjectResult.ETag'
  api get-object --bucket "$bucket" --key copied copied.back | jq -e '.Metadata.a == "b"'
  cmp copied.back "$COMPAT_FILES/tree/two words & more.txt"
  api put-object --bucket "$bucket" --key 'one & "two" <three>'
  api delete-objects --bucket "$bucket" --delete '{"Objects": [{"Key": "copied"}, {"Key": "one & \"two\" <three>"}, {"Key": "never was"}]}' |
    jq -e '(.Deleted | length == 3) and (.Errors // [] | length == 0)'
  fails api head-object --bucket "$bucket" --key copied
  grep -q 404 failure.out
  api delete-object --bucket "$bucket" --key 'never was'
}
check 's3api copy-object, delete-objects, delete-object' copy_and_delete

conditions() {
  api put-object --bucket "$bucket" --key once --body "$COMPAT_FILES/small.txt" --if-none-match '*'
  fails api put-object --bucket "$bucket" --key once --body "$COMPAT_FILES/small.txt" --if-none-match '*'
  grep -q PreconditionFailed failure.out
  local etag
  etag="$(api head-object --bucket "$bucket" --key once | jq -r .ETag)"
  api put-object --bucket "$bucket" --key once --if-match "$etag"
  fails api put-object --bucket "$bucket" --key once --if-match "$etag"
  grep -q PreconditionFailed failure.out
  fails api get-object --bucket "$bucket" --key small.txt --if-none-match "$(api head-object --bucket "$bucket" --key small.txt | jq -r .ETag)" x
  grep -q 304 failure.out
}
check 's3api conditional reads and writes' conditions

multipart() {
  local id etag1 etag2
  id="$(api create-multipart-upload --bucket "$bucket" --key parts --content-type text/parts --metadata m=1 | field .UploadId)"
  head -c 5242880 "$COMPAT_FILES/big.bin" >part1
  etag1="$(api upload-part --bucket "$bucket" --key parts --upload-id "$id" --part-number 1 --body part1 | field .ETag)"
  etag2="$(api upload-part --bucket "$bucket" --key parts --upload-id "$id" --part-number 7 --body "$COMPAT_FILES/small.txt" | field .ETag)"
  equal "$(api list-multipart-uploads --bucket "$bucket" | jq -c '[.Uploads[] | [.Key, .UploadId]]')" "[[\"parts\",\"$id\"]]" uploads
  equal "$(api list-parts --bucket "$bucket" --key parts --upload-id "$id" | jq -c '[.Parts[] | [.PartNumber, .Size]]')" \
    '[[1,5242880],[7,13]]' parts
  fails api head-object --bucket "$bucket" --key parts
  jq -n --arg one "$etag1" --arg two "$etag2" '{Parts: [{PartNumber: 1, ETag: $one}, {PartNumber: 7, ETag: $two}]}' >parts.json
  api complete-multipart-upload --bucket "$bucket" --key parts --upload-id "$id" --multipart-upload file://parts.json | field .ETag
  api get-object --bucket "$bucket" --key parts parts.back | jq -e '.ContentType == "text/parts" and .Metadata.m == "1"'
  cat part1 "$COMPAT_FILES/small.txt" | cmp - parts.back
  id="$(api create-multipart-upload --bucket "$bucket" --key parts | field .UploadId)"
  api upload-part --bucket "$bucket" --key parts --upload-id "$id" --part-number 1 --body "$COMPAT_FILES/small.txt"
  api abort-multipart-upload --bucket "$bucket" --key parts --upload-id "$id"
  fails api list-parts --bucket "$bucket" --key parts --upload-id "$id"
  grep -q NoSuchUpload failure.out
  equal "$(api list-multipart-uploads --bucket "$bucket" | jq -c '.Uploads // [] | length')" 0 'uploads left'
}
check 's3api multipart upload, step by step, and abort' multipart

configurations() {
  api put-bucket-tagging --bucket "$bucket" --tagging 'TagSet=[{Key=team,Value=red}]'
  equal "$(api get-bucket-tagging --bucket "$bucket" | jq -c .TagSet)" '[{"Key":"team","Value":"red"}]' tags
  api delete-bucket-tagging --bucket "$bucket"
  fails api get-bucket-tagging --bucket "$bucket"
  grep -q NoSuchTagSet failure.out
  printf '{"CORSRules": [{"AllowedOrigins": ["*"], "AllowedMethods": ["GET"], "MaxAgeSeconds": 5}]}' >cors.json
  api put-bucket-cors --bucket "$bucket" --cors-configuration file://cors.json
  equal "$(api get-bucket-cors --bucket "$bucket" | jq -cS .)" "$(jq -cS . cors.json)" cors
  api delete-bucket-cors --bucket "$bucket"
  printf '{"Rules": [{"ID": "a", "Status": "Enabled", "Filter": {"Prefix": "x/"}, "Expiration": {"Days": 3}}]}' >rules.json
  api put-bucket-lifecycle-configuration --bucket "$bucket" --lifecycle-configuration file://rules.json
  equal "$(api get-bucket-lifecycle-configuration --bucket "$bucket" | jq -cS .Rules)" "$(jq -cS .Rules rules.json)" lifecycle
  api delete-bucket-lifecycle --bucket "$bucket"
  equal "$(api get-object-attributes --bucket "$bucket" --key parts --object-attributes ObjectSize ObjectParts |
    jq -c '[.ObjectSize, .ObjectParts.TotalPartsCount]')" '[5242893,2]' attributes
  api get-object --bucket "$bucket" --key parts --part-number 2 part2 | jq -e '.PartsCount == 2'
  cmp "$COMPAT_FILES/small.txt" part2
}
check 's3api tagging, CORS and lifecycle of a bucket, attributes and a part by its number' configurations

sparse_6_gib() {
  truncate -s 6G sparse
  printf 'begin' | dd of=sparse conv=notrunc status=none
  printf 'middle' | dd of=sparse conv=notrunc status=none bs=1 seek=4294967290
  printf 'end' | dd of=sparse conv=notrunc status=none bs=1 seek=6442450941
  aws s3 cp --no-progress sparse "s3://$bucket/sparse"
  equal "$(api head-object --bucket "$bucket" --key sparse | jq -r .ContentLength)" 6442450944 size
  aws s3 cp --no-progress "s3://$bucket/sparse" - | cmp - sparse
  aws s3 rm "s3://$bucket/sparse"
  rm sparse
}
# https would do the same once more.
[ "$COMPAT_SCHEME" = https ] || [ "$COMPAT_BACKEND" != directory ] || check 'cp of a sparse file of 6 GiB goes up and comes back the same' sparse_6_gib

removal() {
  aws s3 rm "s3://$bucket/small.txt"
  aws s3 rm --recursive --only-show-errors "s3://$bucket/sync-2/"
  fails aws s3 ls "s3://$bucket/sync-2/"
  fails aws s3 rb "s3://$bucket"
  grep -q BucketNotEmpty failure.out
  aws s3 rb --force "s3://$bucket" >/dev/null
  fails api head-bucket --bucket "$bucket"
}
check 'rm removes objects and prefixes, rb --force the bucket' removal

done_checking
