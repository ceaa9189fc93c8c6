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
"$BIN/oy-cmp" "$T/base.json" "$T/base.json" >/dev/full 2>"$T/err"
ok "a full disk is 74" test $? = 74
exit $bad
