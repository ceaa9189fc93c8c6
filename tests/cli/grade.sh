#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# oy-grade: results, samples, table, refusal of broken streams.
. "$(dirname "$0")/lib.sh"

G=$BIN/oy-grade
answer() { # The first choice is always the best.
    sed -e '2,$s/}$/, "logprob": -2.5, "is_greedy": false}/' \
        -e '2,$s/^\(.*"request": 0,.*\)-2.5, "is_greedy": false}$/\1-1.25, "is_greedy": true}/'
}
$BIN/oy-ask --tasks arc_easy,mmlu_stem --limit 3 | answer >"$T/answered"

code 0 "a stream is graded" $G -o "$T/r.json" --log-samples "$T/s" "$T/answered"
has '|arc_easy' "into a table"
has '| - abstract_algebra' "tasks of a group are indented"
has '±' "with errors"
ok "and results" grep -q '"acc,none": ' "$T/r.json"
ok "with standard errors" grep -q '"acc_stderr,none": ' "$T/r.json"
ok "that oy-cmp can pair" grep -q '"samples": {' "$T/r.json"
ok "groups are added up" grep -q '"sample_count": {' "$T/r.json"
ok "no date" grep -q '"date": null' "$T/r.json"
ok "samples are written" grep -q '"filtered_resps": \[\["-1.25", "True"\]' "$T/s/samples_arc_easy.jsonl"
cp "$T/r.json" "$T/want"
for n in 1 2 7; do
    code 0 "-T $n, from a pipe" bash -c "$G -q -T $n -o '$T/r2.json' < '$T/answered'"
    ok "gives the same bytes" cmp -s "$T/r2.json" "$T/want"
done
ok "-q prints nothing" test ! -s "$T/out"
code 0 "without -o the results go to standard output" $G "$T/answered"
ok "the same" cmp -s "$T/out" "$T/want"
code 0 "no bootstrap" $G --bootstrap-iters 0 "$T/answered"
has '"acc_stderr,none": "N/A"' "no errors"
$BIN/oy-ask --tasks wikitext --limit 2 | answer >"$T/pages"
code 0 "rolling tasks" $G "$T/pages"
has '"bits_per_byte,none": ' "have bits per byte"
has '"bits_per_byte": [-1.25, ' "and every page's share"

code 0 "a manifest" $G -q --manifest "$T/m.json" -o "$T/r3.json" "$T/answered"
ok "names the stream" grep -q '"kind": "requests", "name": "answered"' "$T/m.json"
ok "and the results" grep -q '"kind": "results", "name": "r3.json"' "$T/m.json"
code 65 "a stream without header" bash -c "tail -n +2 '$T/answered' | $G"
said "oyster_run" "is refused"
code 65 "a stream that ends early" bash -c "head -20 '$T/answered' | $G"
code 65 "a missing line" bash -c "sed 4d '$T/answered' | $G"
said "stdin:4: task 'arc_easy': document 0: request 2 is missing" "is named"
code 65 "no answers" bash -c "$BIN/oy-ask --tasks arc_easy --limit 1 | $G"
said "has no answer" "is told"
code 65 "no JSON" bash -c "(head -3 '$T/answered'; echo '{') | $G"
said "stdin:4:" "names the line"
code 65 "no input at all" bash -c ": | $G"
code 66 "a missing file" $G "$T/none"
code 74 "a full disk" $G -o /dev/full "$T/answered"
code 73 "a folder that cannot be made" $G --log-samples "$T/answered/x" "$T/answered"
head -20 "$T/answered" >"$T/short"
code 65 "a failure" $G --log-samples "$T/half" -o "$T/half.json" "$T/short"
ok "leaves no results" test ! -e "$T/half.json"
ok "and no samples" bash -c "! ls '$T'/half/* >/dev/null 2>&1"
exit $bad
