# shellcheck shell=bash
# What the shell clients share: sourced by each of them with `. "$COMPAT_LIB"`.
set -euo pipefail

failures=0

# check SENTENCE FUNCTION [ARGUMENT…]: runs it in a subshell that ends at the first error, and prints one line.
check() {
  local sentence=$1 status=0
  shift
  # Not in a condition: that would switch `set -e` off inside.
  set +e
  (set -e && "$@") >check.out 2>&1
  status=$?
  set -e
  if [ "$status" = 0 ]; then
    printf 'ok %s %s: %s\n' "$COMPAT_SCHEME" "$COMPAT_CLIENT" "$sentence"
  else
    failures=$((failures + 1))
    printf 'FAILED %s %s: %s (exit %s)\n' "$COMPAT_SCHEME" "$COMPAT_CLIENT" "$sentence" "$status"
    tail -n 25 check.out | cut -c 1-600 | sed 's/^/    /'
  fi
}

# equal ACTUAL EXPECTED WHAT
equal() {
  [ "$1" = "$2" ] && return
  printf '%s: expected «%s», got «%s»\n' "$3" "$2" "$1"
  return 1
}

# fails COMMAND…: the command must fail; its output is in failure.out.
fails() {
  if "$@" >failure.out 2>&1; then
    printf 'this should have failed: %s\n' "$*"
    return 1
  fi
}

# shows PATTERN: greps standard input to its end; `grep -q` would end the command before it in the pipe with SIGPIPE.
shows() { grep "$@" >/dev/null; }

# The last line of every script.
done_checking() { [ "$failures" = 0 ]; }
