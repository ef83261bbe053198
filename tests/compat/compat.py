"""What the Python clients share: checks that each print one line, and clients at their default settings."""

import os
import sys
import traceback

FILES = os.environ["COMPAT_FILES"]
ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
_checks = []


def check(sentence):
    """Registers a function as the check of that sentence; they run in the order of the file."""

    def register(function):
        _checks.append((sentence, function))
        return function

    return register


def run():
    """Runs every check; the exit code says whether all passed."""
    failures = 0
    for sentence, function in _checks:
        label = f"{os.environ['COMPAT_SCHEME']} {os.environ['COMPAT_CLIENT']}: {sentence}"
        try:
            function()
            print(f"ok {label}", flush=True)
        except Exception:
            failures += 1
            print(f"FAILED {label}", flush=True)
            for line in traceback.format_exc().splitlines()[-12:]:
                print(f"    {line[:600]}", flush=True)
    sys.exit(1 if failures else 0)


def equal(actual, expected, what=""):
    """Fails with both values where they differ."""
    if actual != expected:
        raise AssertionError(f"{what or 'value'}: expected {str(expected)[:300]!r}, got {str(actual)[:300]!r}")
