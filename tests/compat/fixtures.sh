#!/usr/bin/env bash
# Makes what the clients store: fixtures.sh DIRECTORY.
set -euo pipefail
mkdir -p "$1/tree"
cd "$1"

# Above every client's default threshold for multipart uploads (5, 8, 15 and 16 MiB).
head -c $((30 * 1024 * 1024)) /dev/urandom >big.bin
printf 'a small file\n' >small.txt

# Names that clients, signers, URLs and XML treat in different ways.
cd tree
names=('plain.txt' 'two words & more.txt' 'a+b%20c=d.txt' "quote'n\"double.txt" 'semi;colon,comma#hash?question.txt'
  'tilde~(paren)[bracket]{brace}!$@^.txt' 'back\slash.txt' 'ünïcödé/日本語 😀.txt' '.hidden' 'deep/er/and/deeper/.dot'
  'same' 'same.d/file' 'x.delta' 'reference.bin' '<xml>&amp;.txt' 'per%2Fcent' '*star*' ':colon|pipe`tick`')
for name in "${names[@]}"; do
  mkdir -p "$(dirname "$name")"
  printf 'content of %s\n' "$name" >"$name"
done
: >empty
head -c 9000000 /dev/urandom >nine-megabytes.bin
