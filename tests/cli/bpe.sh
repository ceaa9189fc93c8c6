#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# oy-bpe: options, exit codes, the same bytes whatever the threads and order.
. "$(dirname "$0")/lib.sh"

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

# Regular expressions.
code 0 "a regular expression" $BIN/oy-bpe --vocab-size 400 --pre '[a-z]+|[^a-z]' "$T/docs.jsonl"
has '"Regex": "[a-z]+|[^a-z]"' "stands in the file"
ok "and cuts" bash -c "! sed -n '/\"vocab\"/,/}/p' '$T/out' | grep -q 'Ġ[a-z]'"
code 64 "a malformed one" $BIN/oy-bpe --vocab-size 9 --pre '(a' "$T/docs.jsonl"
said '--pre: ' "is a usage error"

# Counts.
code 0 "--counts" $BIN/oy-bpe --counts "$T/docs.jsonl"
cp "$T/out" "$T/all.tsv"
ok "has words and counts" grep -q "^Ġthe	3000\$" "$T/all.tsv"
ok "is sorted" env LC_ALL=C sort -c "$T/all.tsv"
code 0 "counts in place of records" $BIN/oy-bpe --vocab-size 500 "$T/all.tsv"
ok "give the same bytes" cmp -s "$T/out" "$T/want.json"
head -1000 "$T/docs.jsonl" >"$T/1.jsonl"
tail -n +1001 "$T/docs.jsonl" >"$T/2.jsonl"
code 0 "counts of one machine" $BIN/oy-bpe --counts -o "$T/1.tsv" "$T/1.jsonl"
code 0 "counts of another" $BIN/oy-bpe --counts -o "$T/2.tsv.zst" "$T/2.jsonl"
code 0 "both together" $BIN/oy-bpe --vocab-size 500 "$T/2.tsv.zst" "$T/1.tsv"
ok "give the same bytes too" cmp -s "$T/out" "$T/want.json"
code 0 "counts of counts" $BIN/oy-bpe --counts "$T/1.tsv" "$T/2.tsv.zst"
ok "add up" cmp -s "$T/out" "$T/all.tsv"
code 0 "counts and records" $BIN/oy-bpe --vocab-size 500 "$T/1.tsv" "$T/2.jsonl"
ok "mix" cmp -s "$T/out" "$T/want.json"
awk -F'\t' '{print $2 "\t" $1}' "$T/all.tsv" >"$T/turned.tsv"
code 0 "the count before the word" $BIN/oy-bpe --counts "$T/turned.tsv"
ok "is understood" cmp -s "$T/out" "$T/all.tsv"
code 0 "characters" $BIN/oy-bpe --counts --pre whitespace "$T/docs.jsonl"
has "中文	3000" "are counted as they are"
for line in 'a\t-1' 'a\t9999999999999999999' 'a\tx' '\t5' 'a b\t5' 'a\t9223372036854775807\nbb\t9223372036854775807'; do
    code 65 "the line $line" bash -c "printf '$line\n' | $BIN/oy-bpe --vocab-size 500"
    said 'stdin:[12]: ' "is named"
done
code 0 "a word seen 0 times" bash -c "printf 'ab\t0\n' | $BIN/oy-bpe --vocab-size 500 --initial-alphabet none"
has '"vocab": {}' "is none"
code 74 "counts to a full device" $BIN/oy-bpe --counts -o /dev/full "$T/docs.jsonl"

# Memory, and going on after a kill.
for i in $(seq 1 40000); do echo "{\"text\":\"w$((i * 7919 % 65536))x$((i % 977)) and ${i}th\"}"; done >"$T/many.jsonl"
code 0 "many words" $BIN/oy-bpe --vocab-size 600 -o "$T/many.json" "$T/many.jsonl"
code 0 "in little memory" $BIN/oy-bpe --vocab-size 600 --memory 4M -v --tmpdir "$T" "$T/many.jsonl"
ok "give the same bytes" cmp -s "$T/out" "$T/many.json"
said 'spilled to disk' "from disk"
code 71 "too many for the memory" $BIN/oy-bpe --vocab-size 600 --memory 1M "$T/many.jsonl"
said 'distinct words need .* MiB' "are told, with what they need"
code 71 "no temporary space" $BIN/oy-bpe --vocab-size 600 --memory 1M --tmpdir "$T/none" "$T/many.jsonl"
code 64 "--resume without a place" $BIN/oy-bpe --vocab-size 600 --resume "$T/many.jsonl"
mkfifo "$T/pipe"
$BIN/oy-bpe --vocab-size 600 --resume --memory 1M -T 2 -o "$T/r.json" "$T/pipe" 2>"$T/err" &
pid=$!
exec 9>"$T/pipe"
cat "$T/many.jsonl" >&9
for i in $(seq 1 100); do
    [ "$(wc -l <"$T/r.json.counting/journal")" -gt 3 ] && break
    sleep 0.1
done
kill -9 $pid
wait $pid 2>"$T/killed"
exec 9>&-
ok "a killed run leaves counts" test -s "$T/r.json.counting/part-0"
sed '7s/and/AND/' "$T/many.jsonl" >"$T/other.jsonl"
code 65 "--resume with another input" $BIN/oy-bpe --vocab-size 600 --resume -o "$T/r.json" "$T/other.jsonl"
said 'other records' "is refused"
code 65 "--resume with another --pre" $BIN/oy-bpe --vocab-size 600 --resume --pre cl100k -o "$T/r.json" "$T/many.jsonl"
code 0 "--resume" $BIN/oy-bpe --vocab-size 600 --resume -v -o "$T/r.json" "$T/many.jsonl"
said 'goes on with' "goes on"
ok "to the same bytes" cmp -s "$T/r.json" "$T/many.json"
ok "and cleans up" test ! -e "$T/r.json.counting"

# Folders for chats.
code 0 "--chat-template minimind" $BIN/oy-bpe --vocab-size 400 --chat-template minimind --special '<|mine|>' -o "$T/chat" "$T/docs.jsonl"
ok "has its special tokens" grep -q '"content": "<|im_start|>"' "$T/chat/tokenizer.json"
ok "and those asked for behind" grep -q '"<|mine|>": 36' "$T/chat/tokenizer.json"
ok "some of which are plain text" grep -q '"special": false' "$T/chat/tokenizer.json"
ok "and its template" grep -q '"chat_template": "' "$T/chat/tokenizer_config.json"
ok "and its frame" grep -q '"eos_token": "<|im_end|>"' "$T/chat/tokenizer_config.json"
echo "{% for m in messages %}[{{ m.content }}]{% endfor %}" >"$T/my.jinja"
code 0 "a template of one's own" $BIN/oy-bpe --vocab-size 400 --chat-template "$T/my.jinja" --special '<s>' -o "$T/own" "$T/docs.jsonl"
ok "stands in the folder" grep -q -F '"chat_template": "{% for m in messages %}[{{ m.content' "$T/own/tokenizer_config.json"
echo "{% for m in messages %}" >"$T/bad.jinja"
code 65 "a malformed template" $BIN/oy-bpe --vocab-size 400 --chat-template "$T/bad.jinja" -o "$T/own" "$T/docs.jsonl"
code 66 "a template that is not there" $BIN/oy-bpe --vocab-size 400 --chat-template none -o "$T/own" "$T/docs.jsonl"
code 64 "a template without a folder" $BIN/oy-bpe --vocab-size 400 --chat-template minimind "$T/docs.jsonl"
code 64 "a frame that is not special" $BIN/oy-bpe --vocab-size 400 --bos '<x>' -o "$T/own" "$T/docs.jsonl"

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
