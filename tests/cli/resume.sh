#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An evaluation that is killed at random points and taken up again from its
# journal ends with the bytes of one that was left alone. OYSTER_SLOW=1 kills
# at fifty points.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_eval.sh"

points=${OYSTER_SLOW:+50}
points=${points:-10}

# Enough to do for some seconds, and answers of all three kinds.
for i in $(seq 1 400); do
    echo "{\"id\":\"q$i\",\"question\":\"What is $i and $i, or $((i * 7)) of the house?\",\"choices\":{\"text\":[\"$i\",\"$((2 * i))\",\"the house\"],\"label\":[\"A\",\"B\",\"C\"]},\"answerKey\":\"B\"}"
done >"$T/data/allenai__ai2_arc/ARC-Easy/test.jsonl"
for i in $(seq 1 40); do
    echo "{\"question\":\"There are $i houses and $i more. How many?\",\"answer\":\"#### $((2 * i))\"}"
done >"$T/data/openai__gsm8k/main/test.jsonl"
args=(--model "$T/m" --data "$T/data" --tasks arc_easy,gsm8k,wikitext
    --num-fewshot 3 --gen_kwargs max_gen_toks=40 -T 2)

start=$(date +%s%N)
"$BIN/oy-eval" "${args[@]}" -o "$T/whole.json" --log-samples "$T/whole" >/dev/null
took=$((($(date +%s%N) - start) / 1000000 + 1)) # milliseconds
ok "an undisturbed run writes its results" test -s "$T/whole.json"

run() { # run OUT: under the journal
    "$BIN/oy-eval" "${args[@]}" --journal "$T/journal" -o "$T/out.json" \
        --log-samples "$T/out.d" >/dev/null 2>"$T/err"
}
wrong=0
kills=0
lost=0
while [ $kills -lt "$points" ]; do
    rm -rf "$T/journal" "$T/out.json" "$T/out.d"
    # Killed again and again until it gets through.
    for _ in $(seq 1 20); do
        run &
        pid=$!
        ms=$((RANDOM % took))
        sleep $((ms / 1000)).$(printf %03d $((ms % 1000)))
        pkill -KILL -P $pid 2>/dev/null && kills=$((kills + 1))
        wait $pid 2>/dev/null
        [ -e "$T/out.json" ] && break
    done
    before=$(grep -c key "$T/journal")
    run
    [ "$before" -le "$(grep -c key "$T/journal")" ] || lost=1
    cmp -s "$T/whole.json" "$T/out.json" && diff -r -x '*.tmp-*' "$T/whole" "$T/out.d" || wrong=$((wrong + 1))
done
ok "after $kills kills the bytes are those of a whole run" test $wrong = 0
ok "no answer is lost" test $lost = 0

# The same through the pipe, killed at a line.
"$BIN/oy-ask" "${args[@]:2:8}" >"$T/asked"
"$BIN/oy-score" --model "$T/m" "$T/asked" >"$T/scored"
rm -f "$T/journal"
"$BIN/oy-score" --model "$T/m" --journal "$T/journal" "$T/asked" | head -100 >"$T/part"
code 0 "oy-score goes on from its journal" "$BIN/oy-score" --model "$T/m" --journal "$T/journal" "$T/asked"
ok "with the same bytes" cmp -s "$T/scored" "$T/out"
# A line that was cut is dropped.
size=$(stat -c %s "$T/journal")
truncate -s $((size - 17)) "$T/journal"
code 0 "a journal that was cut" "$BIN/oy-score" --model "$T/m" --journal "$T/journal" "$T/asked"
ok "gives the same bytes" cmp -s "$T/scored" "$T/out"
exit $bad
