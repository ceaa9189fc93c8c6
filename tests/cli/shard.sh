#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Evaluations in shards: what is merged equals what one machine writes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/lib_eval.sh"

args=(--data "$T/data" --tasks wikitext,arc_easy,gsm8k --num-fewshot 2 --gen_kwargs max_gen_toks=6)
"$BIN/oy-ask" "${args[@]}" >"$T/asked"
"$BIN/oy-score" --model "$T/m" "$T/asked" >"$T/scored"
"$BIN/oy-grade" -o "$T/results.json" --log-samples "$T/samples" "$T/scored" >"$T/table"

for i in 1 2 3; do
    "$BIN/oy-ask" "${args[@]}" --shard $i/3 >"$T/ask$i"
    "$BIN/oy-score" --model "$T/m" "$T/ask$i" >"$T/part$i"
    "$BIN/oy-score" --model "$T/m" --shard $i/3 "$T/asked" >"$T/cut$i"
    "$BIN/oy-eval" --model "$T/m" "${args[@]}" --shard $i/3 -o "$T/eval$i"
done
ok "every part has the header" test "$(head -qn 1 "$T"/ask? | sort -u | wc -l)" = 1
ok "a document is in one part" test "$(cat "$T"/ask? | sed 1d | grep -c '"doc"')" = "$(grep -c '"doc"' "$T/asked")"
ok "oy-score cuts as oy-ask does" cmp -s "$T/part2" "$T/cut2"
ok "and as oy-eval does" cmp -s "$T/part2" "$T/eval2"
code 0 "questions are merged" $BIN/oy-score --merge -o "$T/whole" "$T"/ask?
ok "into those of one run" cmp -s "$T/asked" "$T/whole"
code 0 "answers are merged, in any order" $BIN/oy-score --merge -o "$T/whole" "$T/part3" "$T/part1" "$T/part2"
ok "into those of one run" cmp -s "$T/scored" "$T/whole"
code 0 "parts are graded" $BIN/oy-grade -o "$T/merged.json" --log-samples "$T/merged" "$T/eval2" "$T/eval3" "$T/eval1"
ok "the results are those of one run" cmp -s "$T/results.json" "$T/merged.json"
ok "so are the samples" diff -r "$T/samples" "$T/merged"
ok "so is the table" cmp -s "$T/table" "$T/out"
split -l 7 "$T/scored" "$T/piece."
code 0 "a stream in pieces is a stream" $BIN/oy-grade -o "$T/merged.json" "$T"/piece.*
ok "with the same results" cmp -s "$T/results.json" "$T/merged.json"

# Shards that are too many leave some empty.
for i in 1 2 40; do "$BIN/oy-ask" --data "$T/data" --tasks wikitext --shard $i/40 >"$T/few$i"; done
ok "an empty part is a header" test "$(wc -l <"$T/few40")" = 1
code 0 "and is merged" $BIN/oy-score --merge "$T/few40" "$T/few1" "$T/few2"
ok "into the whole" test "$(wc -l <"$T/out")" = 2

# Requests by hand have no header: every line is a document.
for i in $(seq 1 10); do echo "{\"context\":\"a $i\",\"continuation\":\" b\"}"; done >"$T/hand"
"$BIN/oy-score" --model "$T/m" "$T/hand" >"$T/hand.scored"
for i in 1 2 3; do "$BIN/oy-score" --model "$T/m" --shard $i/3 "$T/hand" >"$T/hand$i"; done
code 0 "lines by hand are merged in turn" $BIN/oy-score --merge "$T/hand1" "$T/hand2" "$T/hand3"
ok "into those of one run" cmp -s "$T/hand.scored" "$T/out"
code 65 "another order does not fit" $BIN/oy-score --merge "$T/hand2" "$T/hand3" "$T/hand1"

code 65 "a part that is missing" $BIN/oy-grade "$T/part1" "$T/part3"
ok "nothing is graded" test ! -s "$T/out"
ok "the task is named" grep -q "task 'wikitext'\|task 'arc_easy'" "$T/err"
code 65 "a part that is there twice" $BIN/oy-grade "$T/part1" "$T/part2" "$T/part1" "$T/part3"
ok "both places are named" grep -q 'part1:2: this request is in .*part1 too' "$T/err"
sed '1s/"fewshot_seed": 1234/"fewshot_seed": 7/' "$T/part2" >"$T/other"
code 65 "parts of other options" $BIN/oy-grade "$T/part1" "$T/other" "$T/part3"
ok "the member that differs is named" grep -q "part1 and .*other are not of one run: 'options' differs" "$T/err"
code 65 "a part without its header" $BIN/oy-score --merge "$T/part1" "$T/hand"
code 66 "a part that is not there" $BIN/oy-grade "$T/part1" "$T/none"
code 64 "samples are written when parts are graded" "$BIN/oy-eval" --model "$T/m" "${args[@]}" --shard 1/2 --log-samples "$T/s"
code 64 "a shard that there is not" "$BIN/oy-ask" "${args[@]}" --shard 4/3
code 74 "a full disk" bash -c "$BIN/oy-score --merge '$T/part1' '$T/part2' '$T/part3' >/dev/full"
exit $bad
