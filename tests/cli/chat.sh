#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# oy-chat: turns and commands from a pipe; conversations kept and loaded.
. "$(dirname "$0")/lib.sh"

TOK=tests/data/tokenizer
cat >"$T/model.json" <<'END'
{"model_type":"llama","vocab_size":600,"hidden_size":32,"intermediate_size":48,
 "num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,
 "max_position_embeddings":256,"tie_word_embeddings":true}
END
for i in $(seq 1 60); do
    echo "{\"text\":\"Line $((i * i % 977)) of the house, it's $((i % 7)) o'clock.\"}"
done >"$T/docs.jsonl"
"$BIN/oy-train" --config-model "$T/model.json" -t $TOK --seq-len 32 \
    --batch-rows 4 --steps 40 --lr 1e-2 -o "$T/m" "$T/docs.jsonl" || exit 1
echo "{% for m in messages %}{{ m.role }}: {{ m.content }} {% endfor %}{% if add_generation_prompt %}bot:{% endif %}" >"$T/chat.jinja"
chat() {
    "$BIN/oy-chat" --model "$T/m" --chat-template "$T/chat.jinja" --max-tokens 6 "$@"
}

printf 'Line 1\nLine 2\n' >"$T/two"
code 0 "two turns" chat --temperature 0 <"$T/two"
ok "have answers" [ "$(wc -l <"$T/out")" -ge 2 ]
cp "$T/out" "$T/first"
chat --temperature 0 -T 1 <"$T/two" >"$T/again"
ok "that do not depend on threads" cmp -s "$T/first" "$T/again"
echo '{"messages":[{"role":"user","content":"Line 1"}]}' |
    "$BIN/oy-gen" --model "$T/m" --chat-template "$T/chat.jinja" \
        --temperature 0 --max-tokens 6 | sed 's/.*"completion":"\([^"\\]*\).*/\1/' >"$T/gen"
ok "and are those of oy-gen" grep -q -F "$(head -c 8 "$T/gen")" "$T/first"

printf 'Line 1\nLine 2 of the house\nLine 3\n/stats\n' >"$T/in"
code 0 "three turns" chat --temperature 0 <"$T/in"
tail -1 "$T/out" | tr -d ',' >"$T/stats"
ok "compute less than they read" awk '{ exit !($8 < $3 + $6 - 20) }' "$T/stats"

printf '/system Be brief.\nLine 1\n/save %s\n/system\n/stats\n' "$T/kept.json" >"$T/in"
code 0 "commands" chat --temperature 0 <"$T/in"
ok "the system message is shown" grep -q '^Be brief.$' "$T/out"
ok "turns are counted" grep -q '^1 turns, ' "$T/out"
ok "the conversation is kept" grep -q -E '^\{"messages":\[\{"role":"system","content":"Be brief."\},\{"role":"user","content":"Line 1"\},\{"role":"assistant","content":".*"\}\]\}$' "$T/kept.json"
printf '/load %s\n/save %s\n' "$T/kept.json" "$T/copy.json" >"$T/in"
code 0 "it is loaded" chat <"$T/in"
ok "as it was" cmp -s "$T/kept.json" "$T/copy.json"
printf '/load %s\n/undo\n/save %s\n/quit\nLine\n' "$T/kept.json" "$T/short.json" >"$T/in"
code 0 "a turn is taken back" chat <"$T/in"
ok "with its question" grep -q '^{"messages":\[{"role":"system","content":"Be brief."}\]}$' "$T/short.json"
ok "and nothing is said behind /quit" [ ! -s "$T/out" ]
printf '/load %s\n/regenerate\n/reset\n/save %s\n' "$T/kept.json" "$T/short.json" >"$T/in"
code 0 "an answer is made again" chat --temperature 0 <"$T/in"
ok "and reset leaves the system message" grep -q '^{"messages":\[{"role":"system","content":"Be brief."}\]}$' "$T/short.json"
code 0 "the help" chat <<<"/help"
ok "lists commands" grep -q '^/regenerate ' "$T/out"

code 64 "a command that is not there" chat <<<"/nothing"
said "/nothing: no such command" "is named"
code 66 "a file that is not there" chat <<<"/load $T/none"
echo '{}' >"$T/bad.json"
code 65 "a file that is no conversation" chat <<<"/load $T/bad.json"
code 65 "a conversation that is too long" chat <<<"$(seq -s ' ' 1 300)"
said "/reset or /undo" "says what to do"
code 0 "nothing is said" chat </dev/null
code 64 "neither a model nor a server" "$BIN/oy-chat" </dev/null
code 69 "a server that does not answer" "$BIN/oy-chat" --url http://127.0.0.1:9 <<<"hello"
code 74 "a full disk" chat -o /dev/full <"$T/two"
exit $bad
