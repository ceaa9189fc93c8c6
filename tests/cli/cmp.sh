#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# oy-cmp: verdicts, exit codes, reports.
. "$(dirname "$0")/lib.sh"

# results FILE N WRONG: N documents, the first WRONG of them answered wrongly.
results() {
    awk -v n="$2" -v wrong="$3" 'BEGIN {
        printf "{\"results\":{\"arc_easy\":{\"alias\":\"arc_easy\",\"acc,none\":%.6f,\"acc_stderr,none\":0.05}},", (n - wrong) / n
        printf "\"versions\":{\"arc_easy\":1},\"oyster\":{\"samples\":{\"arc_easy\":["
        for (i = 0; i < n; i++)
            printf "%s{\"doc_id\":%d,\"doc_hash\":\"h%d\",\"acc\":%.1f}", (i ? "," : ""), i, i, (i >= wrong)
        print "]}}}"
    }' >"$1"
}
results "$T/base.json" 100 40
results "$T/same.json" 100 41
results "$T/worse.json" 100 60
results "$T/better.json" 100 10
results "$T/fewer.json" 99 40
sed 's/"oyster".*//; s/,$/}/' "$T/base.json" >"$T/bare.json"

code 0 "a run against itself is the same" $BIN/oy-cmp "$T/base.json" "$T/base.json"
ok "and the table says so" grep -q '^verdict: ok' "$T/out"
code 0 "one document fewer is no regression" $BIN/oy-cmp "$T/base.json" "$T/same.json"
code 1 "twenty documents fewer are one" $BIN/oy-cmp "$T/base.json" "$T/worse.json"
ok "and the table names it" grep -q 'arc_easy.*regression' "$T/out"
code 0 "unless they are tolerated" $BIN/oy-cmp --tolerance arc_easy=0.25 "$T/base.json" "$T/worse.json"
code 1 "a tolerance for another task does not count" $BIN/oy-cmp --tolerance mmlu=0.25 "$T/base.json" "$T/worse.json"
code 0 "an improvement is no regression" $BIN/oy-cmp "$T/base.json" "$T/better.json"
ok "and is told" grep -q 'improvement' "$T/out"
code 1 "several new files: any regression counts" $BIN/oy-cmp "$T/base.json" "$T/better.json" "$T/worse.json"
code 0 "reports are written" $BIN/oy-cmp --json "$T/c.json" --markdown "$T/c.md" --junit "$T/c.xml" "$T/base.json" "$T/better.json"
ok "the JSON has the counts" grep -q '"only_new":30' "$T/c.json"
ok "the Markdown is a table" grep -q '^| arc_easy | acc |' "$T/c.md"
ok "the XML names the task" grep -q '<testcase classname="oyster" name="arc_easy"/>' "$T/c.xml"
code 64 "one file is not enough" $BIN/oy-cmp "$T/base.json"
code 64 "a tolerance needs a number" $BIN/oy-cmp --tolerance arc_easy=much "$T/base.json" "$T/base.json"
code 65 "other documents do not fit" $BIN/oy-cmp "$T/base.json" "$T/fewer.json"
code 65 "results without samples are refused" $BIN/oy-cmp "$T/base.json" "$T/bare.json"
ok "and the message names the file" grep -q 'bare.json' "$T/err"
code 0 "but means can be compared" $BIN/oy-cmp --unpaired "$T/base.json" "$T/bare.json"
printf '{"results":' >"$T/cut.json"
code 65 "a damaged file is bad data" $BIN/oy-cmp "$T/base.json" "$T/cut.json"
code 66 "a missing file is named" $BIN/oy-cmp "$T/base.json" "$T/none.json"
ok "by its name" grep -q 'none.json' "$T/err"

# Which documents changed, and both answers.
terms() { # terms FILE ANSWERS: two documents with answers and what was asked
    cat >"$1" <<END
{"results":{"t":{"acc,none":0.5,"acc_stderr,none":0.5}},"versions":{"t":${V:-1.0}},"n-shot":{"t":${SHOTS:-5}},
 "task_hashes":{"t":"${PROMPTS:-p}"},"oyster":{"samples":{"t":[
 {"doc_id":0,"doc_hash":"${DOC:-d}","acc":$2,"answer":"the $2 \"house\""},{"doc_id":1,"doc_hash":"e","acc":$((1 - $2)),"answer":"x"}]}}}
END
}
terms "$T/a.json" 1
terms "$T/b.json" 0
code 0 "flips are listed" $BIN/oy-cmp --flips --json "$T/f.json" --markdown "$T/f.md" "$T/a.json" "$T/b.json"
has "t: 1 of 2 documents worse, 1 better" "with their number"
has '  document 0: worse: "the 1 \"house\"" -> "the 0 \"house\""' "both answers"
ok "the worse ones first" test "$(grep -n 'document 0' "$T/out" | cut -d: -f1)" -lt "$(grep -n 'document 1' "$T/out" | cut -d: -f1)"
ok "as JSON too" grep -q '"flips":\[{"doc_id":0,"base":1.0,"new":0.0,"base_answer":"the 1 ' "$T/f.json"
ok "and as Markdown" grep -q '^- document 0: worse' "$T/f.md"
code 1 "what fell is told" $BIN/oy-cmp "$T/base.json" "$T/worse.json"
has "verdict: regression in 1 of 1 tasks" "how many tasks"
has "  arc_easy: acc fell by 0.2000, from 0.6000 to 0.4000" "and by how much"

# Runs that were not asked the same.
V=2.0 terms "$T/v.json" 1
SHOTS=0 PROMPTS=q terms "$T/s.json" 1
DOC=other terms "$T/d.json" 1
code 65 "another version" $BIN/oy-cmp "$T/a.json" "$T/v.json"
said "differ in version of task 't' (1.0 against 2.0)" "is named"
code 0 "unless allowed" $BIN/oy-cmp --allow versions "$T/a.json" "$T/v.json"
code 65 "other prompts" $BIN/oy-cmp "$T/a.json" "$T/s.json"
said "differ in prompts of task 't' (5 shots against 0)" "are named"
code 0 "unless allowed" $BIN/oy-cmp --allow prompts "$T/a.json" "$T/s.json"
code 65 "other documents" $BIN/oy-cmp --allow prompts "$T/a.json" "$T/d.json"
said "differ in data of task 't' (document 0)" "are named"
code 64 "documents are never allowed" $BIN/oy-cmp --allow data "$T/a.json" "$T/d.json"

# Perplexities of different vocabularies.
perplexity() { # perplexity FILE TOKENIZER METRICS
    echo "{\"results\":{\"w\":{$3}},\"oyster\":{\"model\":{\"identity\":{\"tokenizer\":\"$2\"}},\"samples\":{\"w\":[{\"doc_id\":0,\"byte_perplexity\":[-9,7],\"bits_per_byte\":[-9,7]},{\"doc_id\":1,\"byte_perplexity\":[-8,6],\"bits_per_byte\":[-8,6]}]}}}" >"$1"
}
perplexity "$T/p1.json" one '"byte_perplexity,none":3.5'
perplexity "$T/p2.json" two '"byte_perplexity,none":3.5'
code 0 "perplexities of one vocabulary" $BIN/oy-cmp "$T/p1.json" "$T/p1.json"
code 65 "of two" $BIN/oy-cmp "$T/p1.json" "$T/p2.json"
said "only bits_per_byte can be compared" "are refused"
perplexity "$T/p1.json" one '"byte_perplexity,none":3.5,"bits_per_byte,none":1.8'
perplexity "$T/p2.json" two '"byte_perplexity,none":3.5,"bits_per_byte,none":1.8'
code 0 "bits per byte are not" $BIN/oy-cmp "$T/p1.json" "$T/p2.json"
has bits_per_byte "which then count"

"$BIN/oy-cmp" "$T/base.json" "$T/base.json" >/dev/full 2>"$T/err"
ok "a full disk is 74" test $? = 74
exit $bad
