#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# oy-bpe: options, exit codes, the same bytes whatever the threads and order.
BIN=${BIN:-build/bin}
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
bad=0
ok() { # ok WHAT COMMAND...: the command must succeed
    local what=$1
    shift
    if "$@"; then echo "ok - $what"; else echo "not ok - $what"; bad=1; fi
}
code() { # code WANT WHAT COMMAND...
    local want=$1 what=$2
    shift 2
    "$@" >"$T/out" 2>"$T/err"
    local got=$?
    if [ $got = "$want" ]; then echo "ok - $what"; else
        echo "not ok - $what: exit $got, want $want: $(head -1 "$T/err")"; bad=1
    fi
}
said() { # said TEXT WHAT: standard error of the last `code`
    ok "$2" grep -q -- "$1" "$T/err"
}
has() { # has TEXT WHAT: standard output of the last `code`
    ok "$2" grep -q -F -- "$1" "$T/out"
}
for i in $(seq 1 3000); do
    echo "{\"id\":$i,\"text\":\"Line $((i * i % 977)) of the house,\\nit's $((i % 7)) o'clock  \\u4e2d\\u6587 $i.\"}"
done >"$T/docs.jsonl"

code 0 "a vocabulary is trained" $BIN/oy-bpe --vocab-size 500 "$T/docs.jsonl"
has '"use_regex": true' "gpt2 is the default pre-tokeniser"
has '"Ġthe": ' "and words are learned"
has '": 499' "up to the size asked for"
cp "$T/out" "$T/want.json"
for n in 2 7; do
    code 0 "-T $n" $BIN/oy-bpe -T $n --vocab-size 500 "$T/docs.jsonl"
    ok "gives the same bytes" cmp -s "$T/out" "$T/want.json"
done
tac "$T/docs.jsonl" >"$T/back.jsonl"
code 0 "records in another order" $BIN/oy-bpe --vocab-size=500 "$T/back.jsonl"
ok "give the same bytes" cmp -s "$T/out" "$T/want.json"
code 0 "from a pipe to -o" bash -c "$BIN/oy-bpe --vocab_size 500 -o '$T/o.json' < '$T/docs.jsonl'"
ok "the same bytes too" cmp -s "$T/o.json" "$T/want.json"
code 0 "into a compressed file" $BIN/oy-bpe --vocab-size 500 -o "$T/o.json.gz" "$T/docs.jsonl"
ok "which holds the same" bash -c "gzip -dc '$T/o.json.gz' | cmp -s - '$T/want.json'"

echo '{"text":"a\n\n\n b"}' >"$T/lines.jsonl"
code 0 "records as units" $BIN/oy-bpe --vocab-size 500 "$T/lines.jsonl"
has '"ĊĊ": ' "have words of many lines"
code 0 "lines as units" $BIN/oy-bpe --vocab-size 500 --unit line "$T/lines.jsonl"
ok "have none" bash -c "! grep -q '\"ĊĊ\"' '$T/out'"
code 0 "cl100k" $BIN/oy-bpe --vocab-size 400 --pre cl100k "$T/docs.jsonl"
has "(?i:'s|'t|'re" "stands in the file"
cp "$T/out" "$T/cl100k.json"
code 0 "llama3" $BIN/oy-bpe --vocab-size 400 --pre llama3 "$T/docs.jsonl"
ok "is the same" cmp -s "$T/out" "$T/cl100k.json"
code 0 "whitespace" $BIN/oy-bpe --vocab-size 400 --pre whitespace "$T/docs.jsonl"
has '"中文": ' "learns characters"
for pre in qwen2 smollm o200k deepseek3 none; do
    code 0 "$pre" $BIN/oy-bpe --vocab-size 300 --pre $pre "$T/docs.jsonl"
done

code 0 "special tokens" $BIN/oy-bpe --vocab-size 300 --special '<s>' --special '</s>' --special '<s>' "$T/docs.jsonl"
has '"<s>": 0' "come first"
has '"</s>": 1' "in their order"
has '"!": 2' "and once each, before the alphabet"
code 0 "an empty input" $BIN/oy-bpe --vocab-size 1000 /dev/null
has '"Ń": 255' "gives the alphabet"
has '"merges": []' "and no merges"
code 0 "no initial alphabet" $BIN/oy-bpe --vocab-size 1000 --initial-alphabet none /dev/null
has '"vocab": {}' "gives nothing then"
code 0 "a size below the alphabet" $BIN/oy-bpe --vocab-size 3 "$T/docs.jsonl"
has '"Ń": 255' "keeps the alphabet"
code 0 "a limited alphabet" $BIN/oy-bpe --vocab-size 300 --initial-alphabet none --limit-alphabet 5 "$T/docs.jsonl"
code 0 "a tie at the limit" bash -c "echo '{\"text\":\"ab\"}' | $BIN/oy-bpe --vocab-size 9 --initial-alphabet none --limit-alphabet 1"
said 'warning: --limit-alphabet' "is told"
code 0 "short tokens" $BIN/oy-bpe --vocab-size 3000 --max-token-length 3 "$T/docs.jsonl"
ok "have two symbols at the most" bash -c "! sed -n '/\"vocab\"/,/}/p' '$T/out' | grep -q '\"[a-zĠ][a-z][a-z]\": '"
code 0 "rare pairs" $BIN/oy-bpe --vocab-size 100000 --min-frequency 1000 "$T/docs.jsonl"
ok "are not merged" bash -c "test \$(grep -c '^      \\[' '$T/out') -lt 200"

code 64 "--vocab-size is required" $BIN/oy-bpe "$T/docs.jsonl"
said 'vocab-size' "and named"
code 64 "an unknown pre-tokeniser" $BIN/oy-bpe --vocab-size 9 --pre gpt9 "$T/docs.jsonl"
said "'gpt9'" "is named"
code 64 "an empty special token" $BIN/oy-bpe --vocab-size 9 --special '' "$T/docs.jsonl"
code 64 "a size out of range" $BIN/oy-bpe --vocab-size -5 "$T/docs.jsonl"
code 64 "a unit that is none" $BIN/oy-bpe --vocab-size 9 --unit page "$T/docs.jsonl"
code 66 "a missing file" $BIN/oy-bpe --vocab-size 9 "$T/none.jsonl"
{ cat "$T/docs.jsonl"; echo '{"text":7}'; } >"$T/bad.jsonl"
code 65 "a bad record" $BIN/oy-bpe --vocab-size 500 "$T/bad.jsonl"
said 'bad.jsonl:3001: ' "is named by its line"
code 0 "--bad skip" $BIN/oy-bpe --vocab-size 500 --bad skip "$T/bad.jsonl"
ok "leaves it out" cmp -s "$T/out" "$T/want.json"
code 74 "a full device" $BIN/oy-bpe --vocab-size 500 -o /dev/full "$T/docs.jsonl"
code 0 "--stats" $BIN/oy-bpe --vocab-size 500 --stats "$T/stats.json" "$T/docs.jsonl"
ok "counts words, tokens and merges" grep -q '"tokens": *500' "$T/stats.json"
exit $bad
