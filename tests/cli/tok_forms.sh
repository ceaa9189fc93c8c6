#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One tokenizer in several forms gives the same ids to every program, and a
# checkpoint holds it as a tokenizer.json whatever it was.
. "$(dirname "$0")/lib.sh"

TOK=tests/data/tokenizer
refused() { # refused WHAT CODE TEXT COMMAND...: TEXT is in the message
    local what=$1 want=$2 text=$3
    shift 3
    "$@" >"$T/out" 2>"$T/err" </dev/null
    same "$what" "$want" $?
    same "$what, and says why" 1 "$(grep -c -- "$text" "$T/err")"
}
tok() { "$BIN/oy-tok" "$@" 2>&1; }

# vocab.json and merges.txt out of the tokenizer.json.
mkdir "$T/pair"
awk '/^    "vocab": \{/ { on = 1; print "{"; next }
     on { if (/^    \}/) { print "}"; exit } print }' \
    $TOK/tokenizer.json >"$T/pair/vocab.json"
awk '/^    "merges": \[/ { on = 1; print "#version: 0.2"; next }
     on && /^        "/ { sub(/^ *"/, ""); sub(/",?$/, "")
         gsub(/\\"/, "\""); gsub(/\\\\/, "\\")
         if (half == "") half = $0; else { print half " " $0; half = "" } }' \
    $TOK/tokenizer.json >"$T/pair/merges.txt"
cp $TOK/tokenizer_config.json "$T/pair/"
for i in 1 2 3; do
    echo "{\"id\":$i,\"text\":\"The oyster $i, and <|end|>: ünïcödé 中文 \\n\\tpearls\"}"
done >"$T/a.jsonl"
want=$(tok encode -t $TOK --add-special "$T/a.jsonl" | sha256sum)
same "vocab.json and merges.txt give the same ids" "$want" \
    "$(tok encode -t "$T/pair" --add-special "$T/a.jsonl" | sha256sum)"
same "vocab.json named" "$want" \
    "$(tok encode -t "$T/pair/vocab.json" --add-special "$T/a.jsonl" | sha256sum)"
same "merges.txt named" "$want" \
    "$(tok encode -t "$T/pair/merges.txt" --add-special "$T/a.jsonl" | sha256sum)"
mkdir "$T/packed"
cp "$T/pair/tokenizer_config.json" "$T/packed/"
zstd -q "$T/pair/vocab.json" -o "$T/packed/vocab.json.zst"
gzip -c "$T/pair/merges.txt" >"$T/packed/merges.txt.gz"
same "compressed ones" "$want" \
    "$(tok encode -t "$T/packed" --add-special "$T/a.jsonl" | sha256sum)"

# A pair that is large enough is kept; another file of it is another pair.
mkdir "$T/large" "$T/cache"
awk 'BEGIN {
    for (i = 0; i < 26; i++) letter[n++] = sprintf("%c", 97 + i)
    printf "{"
    for (i = 0; i < n; i++) printf "%s\"%s\": %d", i ? "," : "", letter[i], id++
    for (i = 0; i < n; i++) for (k = 0; k < n; k++) {
        pair = letter[i] letter[k]
        printf ",\"%s\": %d", pair, id++
        for (m = 0; m < n; m++)
            printf ",\"%s\": %d,\"%s\": %d", pair letter[m], id++,
                pair letter[m] "a", id++
    }
    print "}" }' >"$T/large/vocab.json"
awk 'BEGIN {
    print "#version: 0.2"
    for (i = 0; i < 676; i++) {
        a = sprintf("%c", 97 + int(i / 26)); b = sprintf("%c", 97 + i % 26)
        print a " " b; line[i] = a b }
    for (i = 0; i < 676; i++) for (m = 0; m < 26; m++) {
        c = sprintf("%c", 97 + m)
        print line[i] " " c; print line[i] c " a" } }' >"$T/large/merges.txt"
echo '{"text":"abc"}' >"$T/abc.jsonl"
large() { OYSTER_CACHE="$T/cache" tok encode -t "$T/large" "$T/abc.jsonl"; }
first=$(large)
same "a large pair is kept" 1 "$(find "$T/cache" -name 'document*' | wc -l)"
same "and found again" "$first" "$(large)"
head -n 677 "$T/large/merges.txt" >"$T/less.txt"
mv "$T/less.txt" "$T/large/merges.txt"
same "other merges are not mistaken for it" 1 \
    "$([ "$first" != "$(large)" ] && echo 1)"

# The Hugging Face cache, offline.
S="$T/hub/models--org--oyster"
mkdir -p "$S/refs" "$S/snapshots/0123abcd"
echo 0123abcd >"$S/refs/main"
cp $TOK/* "$S/snapshots/0123abcd/"
same "a model's name leads to the cache" "$want" \
    "$(HF_HUB_CACHE="$T/hub" tok encode -t org/oyster --add-special "$T/a.jsonl" |
        sha256sum)"
mkdir "$T/home"
mv "$T/hub" "$T/home/hub"
same "or to that of HF_HOME" "$want" \
    "$(HF_HUB_CACHE='' HF_HOME="$T/home" tok encode -t org/oyster --add-special \
        "$T/a.jsonl" | sha256sum)"
refused "a model that was never fetched" 66 'org/pearl' \
    env HF_HOME="$T/home" "$BIN/oy-tok" encode -t org/pearl

# Ranks of the 256 bytes and three words.
for i in $(seq 0 255); do
    printf '%s %d\n' "$(printf "\\x$(printf %x "$i")" | base64)" "$i"
done >"$T/x.tiktoken"
printf '%s 256\n%s 257\n%s 258\n' "$(printf th | base64)" \
    "$(printf the | base64)" "$(printf ' the' | base64)" >>"$T/x.tiktoken"
same "a rank file" '{"text":"the the th1234","ids":[257,258,32,256,49,50,51,52]}' \
    "$(echo '{"text":"the the th1234"}' | tok encode -t "$T/x.tiktoken")"
same "and back" '{"ids":[257,258],"text":"the the"}' \
    "$(echo '{"ids":[257,258]}' | tok decode -t "$T/x.tiktoken")"
same "from a pipe" '{"text":"the","ids":[257]}' \
    "$(echo '{"text":"the"}' | tok encode -t <(zstd -q <"$T/x.tiktoken"))"
head -c 900 "$T/x.tiktoken" >"$T/cut.tiktoken"
refused "one that is cut" 65 'cut.tiktoken: line' \
    "$BIN/oy-tok" encode -t "$T/cut.tiktoken"

# What is not known is named.
echo '{"tokenizer_class":"PearlTokenizer"}' >"$T/packed/tokenizer_config.json"
refused "a class that is not known" 65 "'PearlTokenizer'" \
    "$BIN/oy-tok" encode -t "$T/packed"
rm "$T/packed/merges.txt.gz"
refused "no merges" 66 'merges.txt' \
    "$BIN/oy-tok" encode -t "$T/packed/vocab.json.zst"
refused "a folder without a tokenizer" 66 'no tokenizer' \
    "$BIN/oy-tok" encode -t "$T/home"
refused "a file that is none" 65 'any known form' \
    "$BIN/oy-tok" encode -t "$BIN/oy-tok"

# A checkpoint.
cat >"$T/model.json" <<'END'
{"model_type":"qwen3","vocab_size":600,"hidden_size":32,"intermediate_size":48,
 "num_hidden_layers":1,"num_attention_heads":4,"num_key_value_heads":2,
 "head_dim":8,"max_position_embeddings":128,"rms_norm_eps":1e-6,
 "rope_theta":10000.0,"tie_word_embeddings":true,"hidden_act":"silu"}
END
for i in $(seq 1 60); do
    echo "{\"text\":\"Line $i of the house, and all the pearls are $((i % 7)).\"}"
done >"$T/docs.jsonl"
for form in pair x.tiktoken; do
    rm -rf "$T/ckpt"
    "$BIN/oy-train" --config-model "$T/model.json" -t "$T/$form" --seq-len 32 \
        --batch-rows 2 --steps 2 -T 1 -o "$T/ckpt" "$T/docs.jsonl" 2>"$T/err"
    same "a model is trained with $form" 0 $?
    same "its checkpoint has a tokenizer.json" 1 \
        "$(grep -c '"model":{"type":"BPE"' "$T/ckpt/tokenizer.json")"
    same "that gives the same ids" \
        "$(tok encode -t "$T/$form" --add-special "$T/a.jsonl" | sha256sum)" \
        "$(tok encode -t "$T/ckpt" --add-special "$T/a.jsonl" | sha256sum)"
done
exit $bad
