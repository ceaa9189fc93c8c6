#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# oy-gen: completions that depend on nothing but their prompt, the options and
# the seed; options and exit codes.
. "$(dirname "$0")/lib.sh"

TOK=tests/data/tokenizer
cat >"$T/model.json" <<'END'
{"model_type":"llama","vocab_size":600,"hidden_size":32,"intermediate_size":48,
 "num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,
 "max_position_embeddings":128,"tie_word_embeddings":true}
END
for i in $(seq 1 100); do
    echo "{\"text\":\"Line $((i * i % 977)) of the house, it's $((i % 7)) o'clock and all is well.\"}"
done >"$T/docs.jsonl"
"$BIN/oy-train" --config-model "$T/model.json" -t $TOK --seq-len 32 \
    --batch-rows 4 --steps 60 --lr 1e-2 -o "$T/m" "$T/docs.jsonl" || exit 1
for i in $(seq 1 70); do
    echo "{\"prompt\": \"Line $i of the\",\"n\":$i}"
done >"$T/p.jsonl"
gen() {
    "$BIN/oy-gen" --model "$T/m" --max-tokens 12 "$@"
}

code 0 "prompts are completed" gen --with-ids -T 1 -o "$T/one.jsonl" "$T/p.jsonl"
ok "every record comes back" [ "$(wc -l <"$T/one.jsonl")" = 70 ]
ok "with its fields, completion, ids and reason" grep -q -E '^\{"prompt": "Line 1 of the","n":1,"completion":".*","completion_ids":\[[0-9,]*\],"finish_reason":"(stop|length)"\}$' "$T/one.jsonl"
for n in 2 7; do
    code 0 "-T $n" gen --with-ids -T $n -o "$T/n.jsonl" "$T/p.jsonl"
    ok "gives the same bytes" cmp -s "$T/one.jsonl" "$T/n.jsonl"
done
head -1 "$T/p.jsonl" | gen --with-ids >"$T/alone.jsonl"
ok "a prompt alone has the same completion" cmp -s "$T/alone.jsonl" <(head -1 "$T/one.jsonl")
gen --with-ids --seed 7 -o "$T/other.jsonl" "$T/p.jsonl"
ok "another seed gives others" test ! "$(cmp -s "$T/one.jsonl" "$T/other.jsonl" && echo same)"
gen --temperature 0 --seed 1 <"$T/p.jsonl" >"$T/g1"
gen --temperature 0 --seed 2 <"$T/p.jsonl" >"$T/g2"
ok "the best tokens need no seed" cmp -s "$T/g1" "$T/g2"
gen --n 3 --with-ids <"$T/p.jsonl" >"$T/three.jsonl"
ok "three completions of each" [ "$(wc -l <"$T/three.jsonl")" = 210 ]
ok "the first of them as before" cmp -s <(sed -n '1~3p' "$T/three.jsonl") "$T/one.jsonl"

printf 'Line 1 of the\n\nLine 2 of the\n' >"$T/lines"
code 0 "plain lines" gen --lines --temperature 0 "$T/lines"
ok "come out as lines" [ "$(wc -l <"$T/out")" -ge 2 ]
code 0 "a stop text" gen --temperature 0 --stop "o'clock" --stop house --max-tokens 40 "$T/p.jsonl"
ok "is cut off" test -z "$(grep -F '"completion":"' "$T/out" | sed 's/.*"completion"//' | grep -F house)"
ok "and is a reason" grep -q '"finish_reason":"stop"' "$T/out"
echo '{"ids":[5,6,7]}' | gen --with-ids --ignore-eos --max-tokens 4 >"$T/ids"
ok "ids are prompts too" grep -q -E '"completion_ids":\[[0-9]+,[0-9]+,[0-9]+,[0-9]+\],"finish_reason":"length"' "$T/ids"

echo '{"logits":[1,null,3,2],"ids":[2]}' >"$T/z.jsonl"
code 0 "a distribution needs no model" "$BIN/oy-gen" --print-distribution --top-k 2 "$T/z.jsonl"
ok "best first" grep -q '"distribution":{"2":0.731.*,"3":0.268' "$T/out"
code 0 "a model's" gen --print-distribution --top-k 1 "$T/p.jsonl"
ok "one for each prompt" [ "$(grep -c '"distribution":{"[0-9]*":1.0}}' "$T/out")" = 70 ]

code 64 "no model" "$BIN/oy-gen" "$T/p.jsonl"
code 64 "a number out of range" gen --top-p 1.5 "$T/p.jsonl"
said "--top-p" "is named"
code 66 "a model that is not there" "$BIN/oy-gen" --model "$T/none" "$T/p.jsonl"
echo '{"text":"a"}' >"$T/bad.jsonl"
code 65 "no prompt" gen "$T/bad.jsonl"
said "bad.jsonl:1: neither 'prompt' nor 'ids'" "is told"
echo "{\"ids\":[$(seq -s, 1 200)]}" >"$T/bad.jsonl"
code 65 "a prompt that is too long" gen "$T/bad.jsonl"
echo '{"ids":[600]}' >"$T/bad.jsonl"
code 65 "an id beyond the vocabulary" gen "$T/bad.jsonl"
code 0 "nothing is a good input" gen /dev/null
code 74 "a full disk" gen -o /dev/full "$T/p.jsonl"
exit $bad
