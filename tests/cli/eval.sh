#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# oy-eval: the same results as the three filters in a pipe; lm-eval's
# spellings, journals, exit codes.
. "$(dirname "$0")/lib.sh"

. "$(dirname "$0")/lib_eval.sh"

args=(--data "$T/data" --tasks arc_easy,wikitext --num-fewshot 1)

code 0 "tasks are scored" "$BIN/oy-eval" --model "$T/m" "${args[@]}" -T 1 -o "$T/one.json" --log-samples "$T/s1"
ok "the table is printed" grep -q '^|arc_easy' "$T/out"
ok "samples are written" [ "$(wc -l <"$T/s1/samples_arc_easy.jsonl")" = 9 ]
code 0 "again with other threads" "$BIN/oy-eval" --model "$T/m" "${args[@]}" -T 3 -o "$T/three.json" --log-samples "$T/s3"
ok "the results are equal" cmp -s "$T/one.json" "$T/three.json"
ok "the samples too" diff -rq "$T/s1" "$T/s3"
"$BIN/oy-ask" "${args[@]}" | "$BIN/oy-score" --model "$T/m" |
    "$BIN/oy-grade" -o "$T/pipe.json" >/dev/null
ok "the three filters give the same" cmp -s "$T/one.json" "$T/pipe.json"

code 0 "lm-eval's spellings" "$BIN/oy-eval" --model hf --model_args "pretrained=$T/m,dtype=float32" \
    --data "$T/data" --tasks arc_easy,wikitext --num_fewshot 1 --batch_size 4 --device cpu --output_path "$T/lm.json"
ok "give the same" cmp -s "$T/one.json" "$T/lm.json"

code 0 "a journal" "$BIN/oy-eval" --model "$T/m" "${args[@]}" --journal "$T/j" -o "$T/j1.json"
ok "changes nothing" cmp -s "$T/one.json" "$T/j1.json"
n=$(wc -l <"$T/j")
code 0 "is read again" "$BIN/oy-eval" --model "$T/m" "${args[@]}" --journal "$T/j" -o "$T/j2.json"
ok "with the same results" cmp -s "$T/one.json" "$T/j2.json"
ok "and nothing was computed" [ "$n" = "$(wc -l <"$T/j")" ]
"$BIN/oy-ask" "${args[@]}" | "$BIN/oy-score" --model "$T/m" --journal "$T/j" >/dev/null
ok "oy-score's journal is the same" [ "$n" = "$(wc -l <"$T/j")" ]

# Chat prompts are those of oy-ask.
cp -r "$T/m" "$T/talker"
sed '1s/{/{"chat_template": "{% for m in messages %}<{{m.role}}>{{m.content}}{% endfor %}<a>",/' \
    "$T/m/tokenizer_config.json" >"$T/talker/tokenizer_config.json"
code 0 "a chat template" "$BIN/oy-eval" --model "$T/talker" "${args[@]}" --apply_chat_template -o "$T/chat.json" --log-samples "$T/sc"
ok "renders the prompts" grep -q '"arg_0": "<user>Question: What is' "$T/sc/samples_arc_easy.jsonl"
"$BIN/oy-ask" "${args[@]}" --apply-chat-template -t "$T/talker" | "$BIN/oy-score" --model "$T/talker" |
    "$BIN/oy-grade" -o "$T/chat_pipe.json" >/dev/null
ok "as the three filters do" cmp -s "$T/chat.json" "$T/chat_pipe.json"
code 65 "a model without a template" "$BIN/oy-eval" --model "$T/m" "${args[@]}" --apply_chat_template

code 64 "no model" "$BIN/oy-eval" "${args[@]}"
code 64 "no tasks" "$BIN/oy-eval" --model "$T/m"
code 64 "a dtype that there is not" "$BIN/oy-eval" --model hf --model_args "pretrained=$T/m,dtype=int3" "${args[@]}"
code 66 "an unknown task" "$BIN/oy-eval" --model "$T/m" --data "$T/data" --tasks arc_uneasy
code 66 "a model that is not there" "$BIN/oy-eval" --model "$T/none" "${args[@]}"
code 74 "a full disk" "$BIN/oy-eval" --model "$T/m" "${args[@]}" -o /dev/full
code 0 "the tasks are listed" $BIN/oy-eval --list
has "task " "under a head"
ok "all of them" test "$(wc -l <"$T/out")" -gt 600
ok "with what is here" grep -q '^arc_easy  *1.0  *multiple_choice  *0  *here  *allenai/ai2_arc ARC-Easy test$' "$T/out"
ok "and what is missing" grep -q '^gsm8k  *3.0  *generate_until  *5  *missing  *openai/gsm8k main test$' "$T/out"
code 0 "some of them" $BIN/oy-eval --list --tasks 'mmlu_anatomy,copa' --data tests/data/tasks
ok "are three lines" test "$(wc -l <"$T/out")" = 3
ok "whose data are looked for in --data" grep -q '^copa .* no shots  aps' "$T/out"
code 66 "an unknown one" $BIN/oy-eval --list --tasks nothing
code 74 "a full disk" bash -c "$BIN/oy-eval --list >/dev/full"

exit $bad
