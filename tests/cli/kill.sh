#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Killed at random points, a pipe never leaves a wrong or half output; asked
# to end, it removes what it began. OYSTER_SLOW=1 kills a hundred times.
. "$(dirname "$0")/lib.sh"

rounds=${OYSTER_SLOW:+100}
rounds=${rounds:-12}

awk 'BEGIN { srand(1); for (i = 0; i < 60000; i++) {
    printf "{\"id\":%d,\"text\":\"", i
    for (k = 0; k < 60; k++) printf "word%d the of and ", rand() * 3000
    print "\"}" } }' >"$T/a.jsonl"
pipe() { # pipe OUT
    "$BIN/oy-cat" "$T/a.jsonl" |
        "$BIN/oy-clean" --rules gopher_quality --words ws |
        "$BIN/oy-dedup" --exact -o "$1"
}
start=$(date +%s%N)
pipe "$T/whole.jsonl.zst"
took=$((($(date +%s%N) - start) / 1000000 + 1)) # milliseconds
want=$(cksum <"$T/whole.jsonl.zst")
ok "an undisturbed run writes its output" test -s "$T/whole.jsonl.zst"

wrong=0
left=0
whole=0
for i in $(seq 1 "$rounds"); do
    rm -f "$T"/out.*
    (cd "$T" && exec setsid bash -c "$(declare -f pipe); BIN='$BIN' T='$T' pipe '$T/out.jsonl.zst'") 2>/dev/null &
    group=$!
    ms=$((RANDOM % (took * 5 / 4)))
    sleep $((ms / 1000)).$(printf %03d $((ms % 1000)))
    signal=$([ $((i % 2)) = 0 ] && echo KILL || echo TERM)
    kill -$signal -- -$group 2>/dev/null
    wait $group 2>/dev/null
    # The shell may be gone before its filters are.
    for _ in $(seq 1 100); do
        kill -0 -- -$group 2>/dev/null || break
        sleep 0.05
    done
    if [ -e "$T/out.jsonl.zst" ]; then
        whole=$((whole + 1))
        [ "$(cksum <"$T/out.jsonl.zst")" = "$want" ] || wrong=$((wrong + 1))
    fi
    # SIGTERM gives a chance to clean up; SIGKILL does not.
    [ $signal = KILL ] || [ -z "$(find "$T" -name 'out.*' ! -name out.jsonl.zst)" ] || left=$((left + 1))
done
ok "$rounds killed runs: no wrong or half output ($whole were whole)" test $wrong = 0
ok "SIGTERM leaves no temporary file" test $left = 0
rm -f "$T"/out.* "$T"/.out.*
pipe "$T/out.jsonl.zst"
ok "the next run is whole and equal" test "$(cksum <"$T/out.jsonl.zst")" = "$want"
exit $bad
