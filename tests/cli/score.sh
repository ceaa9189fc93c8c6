#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# oy-score: answers that depend on nothing but the request and the model;
# journals, windows, options and exit codes.
. "$(dirname "$0")/lib.sh"

TOK=tests/data/tokenizer
cat >"$T/model.json" <<'END'
{"model_type":"qwen3","vocab_size":600,"hidden_size":32,"intermediate_size":48,
 "num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,
 "head_dim":8,"max_position_embeddings":128,"rms_norm_eps":1e-6,
 "rope_theta":10000.0,"tie_word_embeddings":true,"hidden_act":"silu"}
END
for i in $(seq 1 100); do
    echo "{\"text\":\"Line $((i * i % 977)) of the house, it's $((i % 7)) o'clock and all is well.\"}"
done >"$T/docs.jsonl"
"$BIN/oy-train" --config-model "$T/model.json" -t $TOK --seq-len 32 \
    --batch-rows 2 --steps 4 --lr 3e-3 -o "$T/m" "$T/docs.jsonl" || exit 1

echo '{"oyster_run": {"tasks": ["t"]}}' >"$T/r.jsonl"
for d in $(seq 0 59); do
    for c in " one" " two" " the house"; do
        echo "{\"task\":\"t$((d / 20))\",\"doc_id\":$((d % 20)),\"request\":0,\"type\":\"loglikelihood\",\"context\":\"Line $((d % 20)) of the house, it's\",\"continuation\":\"$c\",\"kept\":[1, 2.50]}"
    done
done >>"$T/r.jsonl"
echo '{"task":"w","doc_id":0,"request":0,"type":"loglikelihood_rolling","context":"","continuation":"It is seven, and all is well. It is eight, and all is well."}' >>"$T/r.jsonl"
score() {
    "$BIN/oy-score" --model "$T/m" "$@"
}

code 0 "requests are answered" score -T 1 -o "$T/one.jsonl" "$T/r.jsonl"
ok "every line comes back" [ "$(wc -l <"$T/one.jsonl")" = "$(wc -l <"$T/r.jsonl")" ]
ok "the header tells the model" sh -c "head -1 '$T/one.jsonl' | grep -q '\"max_length\":128'"
ok "other fields pass as they are" sh -c "sed -n 2p '$T/one.jsonl' | grep -q -F '\"kept\":[1, 2.50], \"logprob\": -'"
ok "a rolling text has a log-probability alone" sh -c "tail -1 '$T/one.jsonl' | grep '\"logprob\"' | grep -q -v is_greedy"
for n in 2 7; do
    code 0 "-T $n" score -T $n -o "$T/n.jsonl" "$T/r.jsonl"
    ok "gives the same bytes" cmp -s "$T/one.jsonl" "$T/n.jsonl"
done

# Alone, in any order, from a pipe.
tail -n +2 "$T/r.jsonl" | sort -R --random-source="$T/r.jsonl" >"$T/mixed.jsonl"
code 0 "in another order" score -o "$T/m.jsonl" "$T/mixed.jsonl"
ok "the answers are the same" cmp -s <(tail -n +2 "$T/one.jsonl" | sort) <(sort "$T/m.jsonl")
sed -n 5p "$T/r.jsonl" >"$T/alone.jsonl"
score <"$T/alone.jsonl" >"$T/a.jsonl"
ok "one request alone has the same answer" cmp -s "$T/a.jsonl" <(sed -n 5p "$T/one.jsonl")
code 0 "a little memory is enough" score --kv-memory 1M -o "$T/k.jsonl" "$T/r.jsonl"
ok "and changes nothing" cmp -s "$T/one.jsonl" "$T/k.jsonl"
code 0 "next to nothing is enough" score --kv-memory 24K -o "$T/k.jsonl" "$T/r.jsonl"
ok "and changes nothing either" cmp -s "$T/one.jsonl" "$T/k.jsonl"
for type in bf16 q8; do
    code 0 "--kv-dtype $type" score --kv-dtype $type -o "$T/$type.jsonl" "$T/r.jsonl"
    ok "gives other numbers" sh -c "! cmp -s '$T/one.jsonl' '$T/$type.jsonl'"
    code 0 "--kv-dtype $type with little memory" score --kv-dtype $type --kv-memory 16K -o "$T/k.jsonl" "$T/r.jsonl"
    ok "gives the same numbers" cmp -s "$T/$type.jsonl" "$T/k.jsonl"
done
code 64 "an unknown --kv-dtype" score --kv-dtype q9 "$T/r.jsonl"
code 71 "too little is told" score --kv-memory 1K "$T/r.jsonl"

# Given ids need no texts and no header.
echo '{"context_ids":[5,6,7],"continuation_ids":[8,9]}' |
    score --per-token --top-logprobs 3 >"$T/ids.jsonl"
ok "ids are scored" grep -q -E '"logprob": -[0-9.]+, "is_greedy": (true|false), "token_logprobs": \[-[0-9.]+,-[0-9.]+\], "top_logprobs": \[\{"[0-9]+":-[0-9.]+,' "$T/ids.jsonl"
echo '{"context_ids":[5,6,7],"continuation_ids":[8,9]}' |
    score --logits "$T/l.safetensors" >"$T/out"
ok "logits are written" grep -a -q '"logits.0":{"dtype":"F32","shape":\[2,600\]' "$T/l.safetensors"

# Rows in the place of tokens: the model's own say what its tokens say.
for more in '8,9' '8,9,4' '7'; do
    echo "{\"context_ids\":[5,6,7],\"continuation_ids\":[$more]}" >&3
    echo "{\"context_ids\":[5,0,1],\"continuation_ids\":[$more],\"embeds\":[{\"at\":1,\"f32\":\"$(base64_rows 6 7)\"}]}" >&4
    echo "{\"context_ids\":[5,6,0],\"continuation_ids\":[$more],\"embeds\":[{\"token\":0,\"rows\":[$(decimal_row 7)]}]}"
done 3>"$T/plain.jsonl" 4>"$T/e1.jsonl" >"$T/e2.jsonl"
for d in 1 2; do
    echo "{\"type\":\"generate_until\",\"context_ids\":[5,$((d - 1)),7],\"gen\":{\"max_gen_toks\":5},\"embeds\":[{\"at\":1,\"f32\":\"$(base64_rows 6)\"}]}"
done >"$T/e3.jsonl"
echo '{"type":"generate_until","context_ids":[5,6,7],"gen":{"max_gen_toks":5}}' >"$T/plain3.jsonl"
answers() {
    sed 's/.*"\(logprob\|completion\)"/"\1"/' "$1"
}
score --per-token "$T/plain.jsonl" >"$T/want"
score "$T/plain3.jsonl" >"$T/want3"
for options in "" "--kv-memory 16K -T 2"; do
    # shellcheck disable=SC2086
    code 0 "embeds $options" score --per-token $options "$T/e1.jsonl" "$T/plain.jsonl" "$T/e2.jsonl" "$T/e3.jsonl"
    answers "$T/out" >"$T/got"
    for n in 3 6 9; do
        ok "have the bits of tokens" cmp -s <(head -$n "$T/got" | tail -3) <(answers "$T/want")
    done
    same "and so have completions" "$(tail -2 "$T/got" | sort -u)" "$(answers "$T/want3")"
done
same "what they begin with is counted once" "$("$BIN/oy-score" --model "$T/m" --dry-run "$T/e1.jsonl" "$T/plain.jsonl")" '{"requests":6,"naive_tokens":24,"unique_prefix_tokens":9,"scored_rows":12,"truncated_requests":0}'
code 0 "a cut context loses its rows too" score --max-length 3 --per-token "$T/e1.jsonl"
mv "$T/out" "$T/cut"
score --max-length 3 --per-token "$T/plain.jsonl" >"$T/want"
ok "and only those" cmp -s <(answers "$T/cut") <(answers "$T/want")
echo '{"type":"loglikelihood_rolling","continuation":"a","embeds":[]}' >"$T/bad.jsonl"
code 65 "embeds of a rolling text" score "$T/bad.jsonl"
said "rolling text" "are refused"
code 65 "embeds without a model" "$BIN/oy-score" --dry-run -t $TOK "$T/e1.jsonl"
said "no --model" "are refused"

# Journals.
code 0 "a journal is written" score --journal "$T/j" -o "$T/j1.jsonl" "$T/r.jsonl"
ok "answers are the same" cmp -s "$T/one.jsonl" "$T/j1.jsonl"
ok "it has all answers" [ "$(sort -u <(tail -n +2 "$T/r.jsonl") | wc -l)" = "$(($(cut -c1-40 <(tail -n +2 "$T/j") | sort -u | wc -l)))" ]
head -c -30 "$T/j" >"$T/cut" && cp "$T/cut" "$T/j"
code 0 "a journal that was cut off is taken up" score --journal "$T/j" -o "$T/j2.jsonl" "$T/r.jsonl"
ok "with the same answers" cmp -s "$T/one.jsonl" "$T/j2.jsonl"
sed -i '2s/"logprob":-[0-9.]*/"logprob":-77.5/' "$T/j"
score --journal "$T/j" "$T/r.jsonl" >"$T/j3.jsonl"
ok "what stands there is not computed again" grep -q -F -- '-77.5' "$T/j3.jsonl"
code 65 "a journal of other options is refused" score --max-length 64 --journal "$T/j" "$T/r.jsonl"
code 65 "and what is no journal" score --journal "$T/docs.jsonl" "$T/r.jsonl"

# Counts.
code 0 "a profile" score --profile "$T/r.jsonl"
said "product, forward" "is told"
ok "beside the same answers" cmp "$T/out" <(score "$T/r.jsonl")
code 0 "a dry run counts" score --dry-run "$T/r.jsonl"
ok "requests" grep -q '"requests":181,' "$T/out"
code 0 "with a tokenizer alone" "$BIN/oy-score" --dry-run -t $TOK "$T/r.jsonl"
code 0 "nothing is a good input" score /dev/null
ok "and gives nothing" [ ! -s "$T/out" ]

# Trouble.
code 64 "no model" "$BIN/oy-score" "$T/r.jsonl"
code 66 "a model that is not there" "$BIN/oy-score" --model "$T/none" "$T/r.jsonl"
said "$T/none/config.json" "is named"
code 66 "requests that are not there" score "$T/none.jsonl"
code 64 "an unknown kernel" score --kernel fast "$T/r.jsonl"
echo '{"context":"a","continuation":""}' >"$T/bad.jsonl"
code 65 "no continuation" score "$T/bad.jsonl"
said "bad.jsonl:1: " "file and line are named"
echo '{"context_ids":[1],"continuation_ids":[600]}' >"$T/bad.jsonl"
code 65 "an id beyond the vocabulary" score "$T/bad.jsonl"
code 0 "is left out on demand" score --bad skip "$T/bad.jsonl" "$T/alone.jsonl"
ok "and the rest is answered" grep -q logprob "$T/out"
mkdir "$T/broken" && cp "$T"/m/*.json "$T/broken"
head -c 5000 "$T/m/model.safetensors" >"$T/broken/model.safetensors"
code 65 "a truncated model" "$BIN/oy-score" --model "$T/broken" "$T/r.jsonl"
said "model.safetensors" "is named"
code 74 "a full disk" score -o /dev/full "$T/r.jsonl"
code 73 "a device is no journal" score --journal /dev/full "$T/r.jsonl"
# Completions: those of oy-gen, whatever stands beside them.
for d in $(seq 1 9); do
    echo "{\"task\":\"g\",\"doc_id\":$d,\"request\":0,\"type\":\"generate_until\",\"context\":\"Line $d of\",\"gen\":{\"until\":[\"o'clock\"],\"max_gen_toks\":$((d + 3)),\"do_sample\":false}}"
done >"$T/g.jsonl"
code 0 "completions are asked" score -T 1 -o "$T/g1.jsonl" "$T/g.jsonl"
ok "and given" [ "$(grep -c '"completion": "' "$T/g1.jsonl")" = 9 ]
code 0 "with other threads" score -T 3 -o "$T/g3.jsonl" "$T/g.jsonl"
ok "they are the same" cmp -s "$T/g1.jsonl" "$T/g3.jsonl"
cat "$T/g.jsonl" <(sed -n 2,9p "$T/r.jsonl") >"$T/both.jsonl"
code 0 "beside other requests" score -o "$T/b.jsonl" "$T/both.jsonl"
ok "they are, too" cmp -s "$T/g1.jsonl" <(head -9 "$T/b.jsonl")
ok "and so are the others" cmp -s <(sed -n 2,9p "$T/one.jsonl") <(tail -8 "$T/b.jsonl")
echo '{"prompt":"Line 5 of","max_tokens":8,"stop":["o'"'"'clock"]}' >"$T/p.jsonl"
"$BIN/oy-gen" --model "$T/m" --temperature 0 "$T/p.jsonl" >"$T/gen.jsonl"
completion() {
    sed -n 's/.*"completion": *\("\([^"\\]\|\\.\)*"\).*/\1/p' "$1"
}
ok "oy-gen says the same" [ "$(sed -n 5p "$T/g1.jsonl" >"$T/fifth"; completion "$T/fifth")" = "$(completion "$T/gen.jsonl")" ]
code 0 "a journal" score --journal "$T/gj" -o "$T/gj1.jsonl" "$T/g.jsonl"
n=$(wc -l <"$T/gj")
code 0 "is read again" score --journal "$T/gj" -o "$T/gj2.jsonl" "$T/g.jsonl"
ok "with the same completions" cmp -s "$T/g1.jsonl" "$T/gj2.jsonl"
ok "and none was computed" [ "$n" = "$(wc -l <"$T/gj")" ]
sed 's/"do_sample":false/"num_beams":4/' "$T/g.jsonl" >"$T/beams.jsonl"
code 65 "arguments that are not known" score "$T/beams.jsonl"
said "gen: \"num_beams\" is not understood" "are named"
sed 's/"max_gen_toks":[0-9]*/"max_gen_toks":128/' "$T/g.jsonl" >"$T/long.jsonl"
code 65 "no room for a prompt" score "$T/long.jsonl"
said "128 tokens to come leave none of the model's 128" "is told"
# ---- a command as the model ----

export OYSTER_DATA=${OYSTER_DATA:-$PWD}
"$BIN/oy-ask" --tasks arc_easy,wikitext --limit 3 >"$T/asked.jsonl"
cat >"$T/answer.sh" <<'END'
# The length of the line is the answer.
while IFS= read -r line; do
    printf '%s,"logprob":-%d,"is_greedy":false}\n' "${line%\}}" ${#line}
done
END
code 0 "a command answers" $BIN/oy-score --model "cmd:bash $T/answer.sh" "$T/asked.jsonl"
cp "$T/out" "$T/answered"
has '"model_source":"cmd"' "the header says who"
ok "every request" test "$(grep -c '"logprob": *-[0-9]' "$T/out")" = "$(($(wc -l <"$T/asked.jsonl") - 1))"
code 0 "with a journal" $BIN/oy-score --model "cmd:bash $T/answer.sh" --journal "$T/cmd.journal" "$T/asked.jsonl"
ok "the same" cmp -s "$T/out" "$T/answered"
code 0 "again" $BIN/oy-score --model "cmd:bash $T/answer.sh" --journal "$T/cmd.journal" -T 3 "$T/asked.jsonl"
ok "the same from the journal" cmp -s "$T/out" "$T/answered"
code 65 "another command's journal" $BIN/oy-score --model "cmd:cat" --journal "$T/cmd.journal" "$T/asked.jsonl"
"$BIN/oy-grade" -o "$T/cmd.json" "$T/answered" >"$T/table"
code 0 "in one process" $BIN/oy-eval --model "cmd:bash $T/answer.sh" --tasks arc_easy,wikitext --limit 3 -o "$T/cmd1.json"
ok "the same results" diff <(grep -v time "$T/cmd.json") <(grep -v time "$T/cmd1.json")
code 65 "one that answers nothing" $BIN/oy-score --model "cmd:cat" "$T/asked.jsonl"
said "cmd: answer 1 of a window: there is no answer in it" "is told"
code 65 "one that mixes them up" $BIN/oy-score --model "cmd:bash $T/answer.sh | sed -u 's/\"doc_id\": 0/\"doc_id\": 7/'" "$T/asked.jsonl"
said "of another request" "is told"
code 69 "one that stops" $BIN/oy-score --model "cmd:head -2" "$T/asked.jsonl"
said "ended after 2 of" "is told"
code 69 "one that fails" $BIN/oy-score --model "cmd:exit 3" "$T/asked.jsonl"
said "exited with 3" "is told"
code 69 "one that fails at its end" $BIN/oy-score --model "cmd:bash $T/answer.sh; exit 4" "$T/asked.jsonl"
said "exited with 4" "is told"
code 69 "one that is killed" $BIN/oy-score --model 'cmd:kill -9 $$' "$T/asked.jsonl"
said "ended by signal 9" "is told"
code 64 "a dry run" $BIN/oy-score --model "cmd:cat" --dry-run "$T/asked.jsonl"
for i in $(seq 1 20000); do echo '{"context":"a","continuation":" b","doc_id":'$i',"task":"t"}'; done >"$T/many.jsonl"
code 0 "more than a pipe holds" $BIN/oy-score --model "cmd:sed -u 's/}\$/,\"logprob\":-1,\"is_greedy\":true}/'" "$T/many.jsonl"
ok "goes through" test "$(grep -c is_greedy "$T/out")" = 20000

exit $bad
