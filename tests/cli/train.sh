#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# oy-train: the same bytes whatever the threads, the form of the input, kills
# and resumes; options and exit codes.
. "$(dirname "$0")/lib.sh"

TOK=tests/data/tokenizer
for i in $(seq 1 400); do
    echo "{\"id\":$i,\"text\":\"Line $((i * i % 977)) of the house, it's $((i % 7)) o'clock and all is well, $i.\"}"
done >"$T/docs.jsonl"
head -40 "$T/docs.jsonl" >"$T/valid.jsonl"
cat >"$T/model.json" <<'END'
{"model_type":"qwen3","vocab_size":600,"hidden_size":32,"intermediate_size":48,
 "num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,
 "head_dim":8,"max_position_embeddings":128,"rms_norm_eps":1e-6,
 "rope_theta":10000.0,"tie_word_embeddings":true,"hidden_act":"silu"}
END
train() { # train OUT ARGUMENT...
    local out=$1
    shift
    "$BIN/oy-train" --config-model "$T/model.json" -t $TOK --seq-len 32 \
        --batch-rows 4 --steps 12 --lr 3e-3 --warmup 2 -o "$T/$out" "$@"
}
equal() { # equal WHAT A B: two checkpoints are equal to the byte
    ok "$1" diff -r "$T/$2" "$T/$3"
}
form() { # form WHAT A B: equal but for the manifest's inputs
    ok "$1" diff -r -x manifest.json "$T/$2" "$T/$3"
}

code 0 "a model is trained on texts" train one -T 1 --log "$T/one.log" \
    --valid "$T/valid.jsonl" "$T/docs.jsonl"
ok "a step is a line of the log" [ "$(grep -c '"loss"' "$T/one.log")" = 12 ]
ok "the validation is one too" grep -q '"step":12,"valid_loss":.*"bits_per_byte"' "$T/one.log"
for f in config.json generation_config.json model.safetensors tokenizer.json \
    tokenizer_config.json train_state/state.json; do
    ok "the checkpoint has $f" [ -s "$T/one/$f" ]
done
ok "the loss falls" awk -F'[:,]' '/"loss"/ { n++; if (n == 1) a = $4; b = $4 } END { exit !(b < a - 0.3) }' "$T/one.log"
for n in 2 7; do
    code 0 "-T $n" train threads -T $n "$T/docs.jsonl"
    equal "gives the same bytes" one threads
    rm -rf "$T/threads"
done
for cpu in plain avx2; do
    OYSTER_CPU=$cpu code 0 "with $cpu kernels, 1 thread" train cpu1 -T 1 "$T/docs.jsonl"
    OYSTER_CPU=$cpu code 0 "and 3" train cpu3 -T 3 "$T/docs.jsonl"
    equal "the bytes are equal" cpu1 cpu3
    rm -rf "$T/cpu1" "$T/cpu3"
done

for cpu in plain avx512 amx; do
    OYSTER_CPU=$cpu code 0 "products of bf16 with $cpu kernels, 1 thread" train bf1 -T 1 --dtype bf16 --log "$T/bf.log" "$T/docs.jsonl"
    OYSTER_CPU=$cpu code 0 "and 3" train bf3 -T 3 --dtype bf16 "$T/docs.jsonl"
    equal "the bytes are equal" bf1 bf3
    ok "losses are near those of f32" awk -F'[:,]' '/"grad_norm"/ { n[$2]++; d = $4 - loss[$2]; loss[$2] = $4
        if (n[$2] == 2) { same += d == 0; if (d * d > 4e-4) bad = 1 } } END { exit bad || same == 12 }' "$T/one.log" "$T/bf.log"
    rm -rf "$T/bf1" "$T/bf3"
done
code 64 "a kernel that has no bf16" train bf1 --dtype bf16 --kernel plain "$T/docs.jsonl"
code 0 "a profile" train profile -T 2 --profile "$T/docs.jsonl"
for kernel in 'ceilings: f32' 'product, weight gradient' 'attention, backward' 'loss' 'update' 'all'; do
    said "$kernel" "has $kernel"
done
equal "changes no byte" one profile

# Forms of the input.
"$BIN/oy-pack" -t $TOK "$T/docs.jsonl" -o "$T/docs.tokens"
code 0 "a token file gives" train tokens "$T/docs.tokens"
form "the bytes that its texts give" one tokens
code 0 "texts from a pipe" train pipe1 < <(cat "$T/docs.jsonl")
code 0 "tokens from a pipe" train pipe2 < <(cat "$T/docs.tokens")
code 0 "tokens in order" train order --order sequential "$T/docs.tokens"
equal "are the same" pipe1 pipe2
form "all three" pipe1 order
code 0 "compressed texts" train gz < <(gzip -c "$T/docs.jsonl")
equal "too" pipe1 gz

"$BIN/oy-pack" -t $TOK --seq-len 24 "$T/docs.jsonl" -o "$T/rows.tokens"
code 0 "a stream that names its row length" "$BIN/oy-train" --config-model "$T/model.json" --dry-run "$T/rows.tokens"
ok "is cut to that" grep -q '"seq_len":24,' "$T/out"

# Resume: a long run is killed at several places and goes on.
long() { # long OUT ARGUMENT...: in place of the shell, so that $! is its number
    local out=$1
    shift
    exec "$BIN/oy-train" --config-model "$T/model.json" -t $TOK --seq-len 32 \
        --batch-rows 4 --steps 300 --save-every 20 --log "$T/$out.log" \
        -o "$T/$out" --resume "$@" "$T/docs.jsonl"
}
code 0 "a run of 300 steps" eval '(long whole)'
for wait in 0.08 0.15 0.11 0.2; do
    (long half -T 1) &
    pid=$!
    sleep $wait
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    [ ! -e "$T/half" ] || ok "a checkpoint found after kill -9 is whole" \
        [ -s "$T/half/train_state/state.json" ]
done
code 0 "killed four times and resumed" eval '(long half)'
equal "it ends with the same bytes" whole half
cut -d, -f1,2 "$T/whole.log" >"$T/whole.losses"
cut -d, -f1,2 "$T/half.log" >"$T/half.losses"
ok "and every step stands in the log once" cmp -s "$T/whole.losses" "$T/half.losses"
rm -rf "$T"/*.tmp-*
code 0 "a run to be resumed" train half2 "$T/docs.jsonl"
code 0 "when it has ended" train half2 --resume "$T/docs.jsonl"
equal "changes nothing" one half2
tac "$T/docs.jsonl" >"$T/other.jsonl"
code 65 "other data are refused" train half2 --resume --steps 20 "$T/other.jsonl"
said "not the input" "with a reason"
code 65 "another batch is refused" train half2 --resume --batch-rows 2 "$T/docs.jsonl"
equal "and the checkpoint stands" one half2
code 0 "Muon" train muon --optimizer muon --muon-lr 0.02 "$T/docs.jsonl"
ok "goes another way" eval '! cmp -s "$T/one/model.safetensors" "$T/muon/model.safetensors"'
code 0 "on seven threads" train muon7 --optimizer muon --muon-lr 0.02 -T 7 "$T/docs.jsonl"
equal "it gives the same bytes" muon muon7
code 0 "half of it" train muonhalf --optimizer muon --schedule constant --steps 4 "$T/docs.jsonl"
code 0 "and the rest" train muonhalf --optimizer muon --schedule constant --steps 8 --resume "$T/docs.jsonl"
code 0 "and both at once" train muonwhole --optimizer muon --schedule constant --steps 8 "$T/docs.jsonl"
ok "give the same weights" cmp "$T/muonhalf/model.safetensors" "$T/muonwhole/model.safetensors"
code 65 "AdamW does not go on from Muon's moments" train muon --resume --steps 20 "$T/docs.jsonl"
said "--order or --optimizer" "and says so"
code 64 "an optimizer that is not there" train x --optimizer sgd "$T/docs.jsonl"
code 0 "--resume without a checkpoint begins" train fresh --resume "$T/docs.jsonl"
equal "as without it" one fresh

# Rows.
cat >"$T/rows.jsonl" <<'END'
{"ids":[1,5,6,7,2,1,9,2],"doc_ids":[0,0,0,0,0,1,1,1]}
{"ids":[1,5,6,7,2],"labels":[-100,-100,6,7,2]}

{"ids":[3]}
END
rows() {
    "$BIN/oy-train" --config-model "$T/model.json" --seq-len 32 --batch-rows 3 \
        --steps 1 -o "$T/rows" --order sequential --log "$T/rows.log" "$@"
}
code 0 "ready-made rows" rows "$T/rows.jsonl"
ok "9 targets: no loss across documents and on -100" grep -q '"tokens":9,' "$T/rows.log"
ok "no tokenizer, none in the checkpoint" [ ! -e "$T/rows/tokenizer.json" ]
code 0 "gradients are written" rows --dump-gradients "$T/grads" "$T/rows.jsonl"
ok "as a safetensors file" grep -q -a embed_tokens "$T/grads/gradients.safetensors"
code 0 "a dry run" rows --dry-run "$T/rows.jsonl"
ok "says the plan" grep -q '"weights":\([0-9]*\),"active_weights":\1,"vocab_size":600,"memory"' "$T/out"
echo '{"ids":[1,2,600]}' >"$T/bad.jsonl"
code 65 "an id out of the vocabulary" rows "$T/bad.jsonl"
said "vocabulary of 600" "is named"
echo '{"ids":[1,2],"labels":[1]}' >"$T/bad.jsonl"
code 65 "labels that do not fit" rows "$T/bad.jsonl"
said "bad.jsonl:1: labels" "with file and line"
seq 1 40 | paste -sd, | sed 's/.*/{"ids":[&]}/' >"$T/bad.jsonl"
code 65 "a row longer than --seq-len" rows "$T/bad.jsonl"

# Nothing to learn from is a good input.
code 0 "an empty pipe" train empty1 </dev/null
: >"$T/none.jsonl"
code 0 "an empty file" "$BIN/oy-train" --config-model "$T/model.json" -t $TOK -o "$T/empty2" "$T/none.jsonl"
ok "give the untrained model" cmp -s "$T/empty1/model.safetensors" "$T/empty2/model.safetensors"
rm "$T/none.jsonl"

# What cannot be.
code 64 "no model" "$BIN/oy-train" -o "$T/x" "$T/docs.jsonl"
code 64 "no output" "$BIN/oy-train" --preset tiny -t $TOK "$T/docs.jsonl"
code 64 "an option of filters" train x --bad skip "$T/docs.jsonl"
said "no use" "is refused"
code 64 "two lengths" train x --epochs 2 "$T/docs.jsonl"
code 64 "shuffling a pipe" train x --order shuffle < <(cat "$T/docs.jsonl")
code 64 "a pipe without a length" "$BIN/oy-train" --config-model "$T/model.json" -t $TOK -o "$T/x" < <(cat "$T/docs.jsonl")
code 64 "texts without a tokenizer" "$BIN/oy-train" --config-model "$T/model.json" -o "$T/x" "$T/docs.jsonl"
code 64 "too many positions" train x --seq-len 129 "$T/docs.jsonl"
code 64 "an unknown preset" "$BIN/oy-train" --preset huge -t $TOK -o "$T/x" "$T/docs.jsonl"
code 66 "no such input" train x "$T/none.jsonl"
code 66 "no such checkpoint" "$BIN/oy-train" --init "$T/none" -o "$T/x" "$T/docs.jsonl"
code 65 "a text that is no string" train x < <(echo '{"text":5}')
said "stdin:1: field 'text' is not a string" "with its line"
head -c 3000 "$T/docs.tokens" >"$T/cut.tokens"
code 65 "a token stream that is cut off" train x < <(cat "$T/cut.tokens")
code 71 "less memory than is needed" train x --memory 1M "$T/docs.jsonl"
code 74 "a full disk under the log" train x --log /dev/full "$T/docs.jsonl"
code 73 "an output that is not ours" train ../"$(basename "$T")" "$T/docs.jsonl"
ok "nothing is left behind" [ ! -e "$T/x" ]
ok "nor anything temporary" [ -z "$(find "$T" -name '*.tmp-*')" ]
# What a checkpoint was made of.
code 0 "--manifest and --stats" train told --manifest "$T/told.json" \
    --stats "$T/told.stats" "$T/docs.jsonl"
ok "the manifest is that of the checkpoint" cmp "$T/told.json" "$T/told/manifest.json"
ok "equal runs write equal manifests" cmp "$T/one/manifest.json" "$T/told/manifest.json"
ok "it names the kernel" grep -q '"kernel": ".*-packed"' "$T/told.json"
ok "it names the texts" grep -q '"kind": "texts", "name": "docs.jsonl"' "$T/told.json"
ok "the counts tell the steps" grep -q '"steps": 12' "$T/told.stats"
code 0 "oy-check holds the checkpoint to its manifest" "$BIN/oy-check" "$T/told/manifest.json"
cp -r "$T/told" "$T/bent"
printf x | dd of="$T/bent/model.safetensors" bs=1 seek=3000 conv=notrunc 2>"$T/err"
code 1 "and finds a changed byte" "$BIN/oy-check" "$T/bent/manifest.json"
"$BIN/oy-pack" -t $TOK --manifest "$T/pack.manifest.json" -o "$T/pack.tok" "$T/docs.jsonl"
code 0 "tokens are learnt from" train chain "$T/pack.tok"
ok "their manifest is history" grep -q '"program": "oy-pack"' "$T/chain/manifest.json"
code 0 "going on from a checkpoint" "$BIN/oy-train" --init "$T/chain" --seq-len 32 --steps 2 -o "$T/chain2" "$T/pack.tok"
ok "its manifest and what led to it are history" [ "$(grep -c '"program": "oy-' "$T/chain2/manifest.json")" = 3 ]
code 0 "a pipe is learnt from" train piped - <"$T/pack.tok"
ok "it is known by its rows" grep -q '"kind": "rows", "name": null, "bytes": 0, "records": [1-9]' "$T/piped/manifest.json"
code 64 "--manifest inside of the checkpoint is refused" train told --manifest "$T/told/x.json" "$T/docs.jsonl"
code 64 "a kernel that is unknown" train told --kernel nonsense "$T/docs.jsonl"
code 0 "--kernel" train plain --kernel plain-packed "$T/docs.jsonl"
ok "is in the manifest" grep -q '"kernel": "plain-packed"' "$T/plain/manifest.json"

# The pipe is opened when the tokenizer has been read, so the change is late.
change_tokenizer() {
    cp -r $TOK "$T/tok"
    mkfifo "$T/pipe"
    "$BIN/oy-train" --config-model "$T/model.json" -t "$T/tok" --seq-len 32 \
        --batch-rows 4 --steps 12 -o "$T/changed" "$T/pipe" &
    exec 8>"$T/pipe"
    echo >>"$T/tok/tokenizer.json"
    cat "$T/docs.jsonl" >&8
    exec 8>&-
    wait $!
}
code 65 "a tokenizer that changes while a model is trained" change_tokenizer
said "the tokenizer changed while" "is told"
ok "and no checkpoint has it" test ! -e "$T/changed"

exit $bad
