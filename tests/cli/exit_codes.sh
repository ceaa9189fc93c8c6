#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every row of the table of exit codes, for every filter: the code, and a
# message that names program, file and line.
. "$(dirname "$0")/lib.sh"

for i in $(seq 1 2000); do
    echo "{\"id\":\"$i\",\"text\":\"The quick brown fox number $i jumps over the lazy dog of the house.\"}"
done >"$T/a.jsonl"
for i in 1 2 3 4 5 6 7 8; do cat "$T/a.jsonl"; done >"$T/big.jsonl"
zstd -q "$T/a.jsonl" -o "$T/a.jsonl.zst"
head -c $(($(stat -c %s "$T/a.jsonl.zst") * 2 / 3)) "$T/a.jsonl.zst" >"$T/cut.jsonl.zst"
gzip -c "$T/a.jsonl" | head -c 5000 >"$T/cut.jsonl.gz"
{ cat "$T/a.jsonl.zst"; echo garbage; } >"$T/trail.jsonl.zst"
{ head -5 "$T/a.jsonl"; echo '{"id":"x","text":"unterminated'; tail -5 "$T/a.jsonl"; } >"$T/broken.jsonl"
{ head -2 "$T/a.jsonl"; echo '{"id":"x","text":7}'; } >"$T/number.jsonl"
printf '{"text":"bad \xff byte"}\n' >"$T/utf8.jsonl"
: >"$T/empty.jsonl"
"$BIN/oy-bpe" --vocab-size 400 --special '<|endoftext|>' -o "$T/tok.json" "$T/a.jsonl" || bad=1

while read -r program; do
    name=${program%% *}
    run="$BIN/$program"
    code 0 "$name reads its input" $run "$T/a.jsonl"
    code 0 "$name takes an empty input" $run "$T/empty.jsonl"
    code 64 "$name refuses an unknown option" $run --no-such-option
    said "^$name: .*no-such-option" "$name names the option"
    code 64 "$name refuses a number out of range" $run -T 100000
    for file in cut.jsonl.zst cut.jsonl.gz trail.jsonl.zst broken.jsonl; do
        code 65 "$name refuses $file" $run -o "$T/made" "$T/$file"
        said "^$name: .*$file" "$name names $file"
        ok "$name leaves nothing of $file" test ! -e "$T/made"
    done
    $run "$T/broken.jsonl" >/dev/null 2>"$T/err" </dev/null
    said "broken.jsonl:6: " "$name names the line"
    code 66 "$name misses a file" $run "$T/none.jsonl"
    said "none.jsonl" "$name names the missing file"
    code 73 "$name cannot create" $run -o "$T/no/such/out" "$T/a.jsonl"
    $run "$T/a.jsonl" >/dev/full 2>"$T/err" </dev/null
    ok "$name meets a full disk with 74" test $? = 74
    said "^$name: " "$name tells of it"
    code 0 "$name skips a bad record when asked" $run --bad skip --rejects "$T/rej" "$T/broken.jsonl"
    ok "$name writes it to --rejects" grep -q '"line": *6' "$T/rej"
    rm -f "$T/rej"
    bash -c "set -o pipefail; $run '$T/big.jsonl' 2>'$T/err' | head -c 1 >/dev/null"
    ok "$name is silent on a closed pipe" test ! -s "$T/err"
done <<LIST
oy-cat
oy-clean --rules gopher_quality --words ws --annotate
oy-dedup --exact
oy-dedup --near --words ws
oy-stat
oy-mix
oy-mix --shuffle
oy-decon --against $T/a.jsonl
oy-tok encode -t $T/tok.json
oy-pack -t $T/tok.json
oy-bpe --vocab-size 300 --pre gpt2
LIST

code 65 "a text that is a number is a bad record" $BIN/oy-stat "$T/number.jsonl"
said "number.jsonl:3: field 'text' is not a string" "with its place and reason"
code 0 "invalid UTF-8 is repaired" $BIN/oy-tok encode -t "$T/tok.json" "$T/utf8.jsonl"
code 65 "but refused with --strict" $BIN/oy-tok encode -t "$T/tok.json" --strict "$T/utf8.jsonl"
code 64 "a required choice is asked for" $BIN/oy-clean "$T/a.jsonl"
code 64 "rules that need words ask for --words" $BIN/oy-clean --rules gopher_quality "$T/a.jsonl"
code 66 "a missing tokenizer is no input" $BIN/oy-tok encode -t "$T/none.json" "$T/a.jsonl"
echo '{"version":' >"$T/bad.json"
code 65 "a damaged tokenizer is bad data" $BIN/oy-tok encode -t "$T/bad.json" "$T/a.jsonl"
code 66 "a missing preset is no input" $BIN/oy-clean --preset none "$T/a.jsonl"
code 0 "--max-record keeps a long line out" $BIN/oy-cat --max-record 50 --bad skip "$T/a.jsonl"
code 65 "or ends the run" $BIN/oy-cat --max-record 50 "$T/a.jsonl"
code 71 "no temporary space" $BIN/oy-dedup --near --words ws --tmpdir /no/such/folder -
code 0 "--version" $BIN/oy-cat --version
code 0 "--help" $BIN/oy-cat --help
exit $bad
