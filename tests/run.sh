#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs unit tests and command-line tests and closes with `N passed, N failed`.
#
#   tests/run.sh BUILD [PATTERN]     only tests whose name holds PATTERN
#
# A unit test is a cmocka program in BUILD/unit, and again with sanitizers in
# BUILD/asan/unit (make test) and BUILD/tsan/unit (make test-slow). A command-line test is a
# script in tests/cli; it finds the programs in $BIN and prints `ok - what` or
# `not ok - what` for each case; lib*.sh is what they share. Golden suites run when $OYSTER_SHARED
# (default ../shared) is a folder; a test that has to leave its goldens out
# prints a line with SKIPPED, which is shown.
build=${1:-build}
pattern=${2:-}
export BIN=$PWD/$build/bin
export OYSTER_SHARED=${OYSTER_SHARED:-../shared}
export OYSTER_DATA=$PWD
log=$(mktemp)
# What programs keep for later goes into a folder of this run.
OYSTER_CACHE=$(mktemp -d)
export OYSTER_CACHE
trap 'rm -rf "$log" "$OYSTER_CACHE"' EXIT
limit=${OYSTER_SLOW:+90m} # what hangs has failed
passed=0
failed=0

if [ ! -d "$OYSTER_SHARED/golden" ]; then
    printf 'SKIPPED: no goldens at %s: set OYSTER_SHARED to run them\n' \
        "$OYSTER_SHARED"
fi

# report NAME EXIT GOOD BAD: one line a test; what it said when it failed.
report() {
    passed=$((passed + $3))
    failed=$((failed + $4))
    if [ "$2" = 0 ] && [ "$4" = 0 ]; then
        printf '%-28s %4d ok  %4ds\n' "$1" "$3" "$5"
    else
        [ "$4" != 0 ] || failed=$((failed + 1))
        printf '%-28s %4d ok, %d FAILED (exit %d)\n' "$1" "$3" "$4" "$2"
        grep -vE '^\[ (RUN|      OK)|^ok - ' "$log" | head -40
    fi
    grep -h 'SKIPPED' "$log" | head -5
}

for test in "$build"/{,asan/,tsan/,count/}unit/test_*; do
    [ -x "$test" ] && [[ $test != *.d ]] && [[ $test == *"$pattern"* ]] || continue
    start=$SECONDS
    timeout "${limit:-20m}" "$test" >"$log" 2>&1
    code=$?
    name=$(basename "$test")
    [[ $test != */asan/* ]] || name="$name (asan)"
    [[ $test != */tsan/* ]] || name="$name (tsan)"
    report "$name" $code "$(grep -c '^\[       OK \]' "$log")" \
        "$(grep '^\[  FAILED  \] [a-z]' "$log" | sort -u | wc -l)" \
        $((SECONDS - start))
done
for test in tests/cli/*.sh; do
    [ -e "$test" ] && [[ $test == *"$pattern"* ]] || continue
    [[ $test != */lib*.sh ]] || continue
    start=$SECONDS
    timeout "${limit:-20m}" bash "$test" >"$log" 2>&1
    code=$?
    report "$(basename "$test")" $code "$(grep -c '^ok - ' "$log")" \
        "$(grep -c '^not ok - ' "$log")" $((SECONDS - start))
done
printf '%d passed, %d failed\n' $passed $failed
[ $failed = 0 ] && [ $passed -gt 0 ]
