# SPDX-License-Identifier: Apache-2.0
# A model that was trained for a moment, $T/m, and data of tasks for it,
# $T/data. Sourced behind lib.sh.
# shellcheck shell=bash
export OYSTER_DATA=${OYSTER_DATA:-$PWD}
TOK=tests/data/tokenizer
cat >"$T/model.json" <<'END'
{"model_type":"llama","vocab_size":600,"hidden_size":32,"intermediate_size":48,
 "num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,
 "max_position_embeddings":512,"tie_word_embeddings":true}
END
for i in $(seq 1 100); do
    echo "{\"text\":\"Line $((i * i % 977)) of the house, it's $((i % 7)) o'clock and all is well.\"}"
done >"$T/docs.jsonl"
"$BIN/oy-train" --config-model "$T/model.json" -t $TOK --seq-len 32 \
    --batch-rows 2 --steps 4 --lr 3e-3 -o "$T/m" "$T/docs.jsonl" || exit 1

# A data set of our own: questions, and a page of text.
mkdir -p "$T/data/allenai__ai2_arc/ARC-Easy" "$T/data/EleutherAI__wikitext_document_level/wikitext-2-raw-v1"
for s in train test validation; do
    for i in $(seq 1 9); do
        echo "{\"id\":\"q$i\",\"question\":\"What is $i and $i?\",\"choices\":{\"text\":[\"$i\",\"$((2 * i))\",\"the house\"],\"label\":[\"A\",\"B\",\"C\"]},\"answerKey\":\"B\"}"
    done >"$T/data/allenai__ai2_arc/ARC-Easy/$s.jsonl"
    echo '{"page":" = A house = \n\n It is a house , and all is well in it . \n"}' \
        >"$T/data/EleutherAI__wikitext_document_level/wikitext-2-raw-v1/$s.jsonl"
done
mkdir -p "$T/data/openai__gsm8k/main"
for s in train test; do
    for i in $(seq 1 9); do
        echo "{\"question\":\"There are $i houses and $i more. How many?\",\"answer\":\"$i and $i are $((2 * i)).\\n#### $((2 * i))\"}"
    done >"$T/data/openai__gsm8k/main/$s.jsonl"
done
