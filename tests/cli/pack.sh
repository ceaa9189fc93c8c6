#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# oy-pack: framing, rows, conversations, shards, exports, exit codes.
. "$(dirname "$0")/lib.sh"

TOK=tests/data/tokenizer
pack() { "$BIN/oy-pack" -t $TOK "$@"; }
# ids FILE N: the first N tokens (two bytes each) behind header and block header
ids() { od -An -v -tu2 -j136 -N$(($2 * 2)) "$1" | xargs; }

{ echo '{"text":" and"}'; echo '{"text":""}'; echo '{"text":"<|end|>."}'; } >"$T/a.jsonl"
pack "$T/a.jsonl" >"$T/a.tok"
same "the stream says what it is" OYTOKENS "$(head -c 8 "$T/a.tok")"
same "it proves its end" OYTOKEND "$(tail -c 8 "$T/a.tok")"
same "documents are framed" "0 297 1 0" "$(ids "$T/a.tok" 4)"
same "special tokens stay text" 0 \
    "$(ids "$T/a.tok" 9 | awk '{ print ($5 == 1) }')"
pack --eos '<|begin|>' "$T/a.jsonl" >"$T/sep.tok"
same "equal tokens stand once, in front" "0 297 0" "$(ids "$T/sep.tok" 3)"
pack --bos '' --eos '' "$T/a.jsonl" >"$T/bare.tok"
same "empty ones not at all" "297" "$(ids "$T/bare.tok" 1)"

for i in $(seq 1 8000); do
    echo "{\"id\":$i,\"text\":\"The oyster number $i feeds by filtering a stream.\"}"
done >"$T/b.jsonl"
want=$(pack "$T/b.jsonl" | sha256sum)
for threads in 1 2 7; do
    same "-T $threads gives the same bytes" "$want" \
        "$(pack -T $threads "$T/b.jsonl" | sha256sum)"
done
same "a pipe gives the same bytes" "$want" "$(cat "$T/b.jsonl" | pack | sha256sum)"
pack -o "$T/b.tok" "$T/b.jsonl"
same "so does -o" "$want" "$(sha256sum <"$T/b.tok")"
pack --split-tokens 50000 -o "$T/s" "$T/b.jsonl"
n=$(ls "$T"/s-*.tok | wc -l)
same "shards are numbered" "$(printf 's-00000-of-%05d.tok' "$n")" \
    "$(ls "$T" | grep '^s-' | head -1)"
same "each of them is whole" "$(ls "$T"/s-*.tok | wc -l)" \
    "$(for f in "$T"/s-*.tok; do tail -c 8 "$f"; echo; done | grep -c OYTOKEND)"
code 0 "an empty input is a good input" "$BIN/oy-pack" -t $TOK -o "$T/e.tok"
same "and an empty stream" OYTOKEND "$(tail -c 8 "$T/e.tok")"

code 64 "no tokenizer" "$BIN/oy-pack" "$T/a.jsonl"
code 64 "an unknown method" "$BIN/oy-pack" -t $TOK --method x "$T/a.jsonl"
code 64 "--shuffle without -o" "$BIN/oy-pack" -t $TOK --shuffle "$T/a.jsonl"
code 64 "--split-tokens without -o" \
    "$BIN/oy-pack" -t $TOK --split-tokens 9 "$T/a.jsonl"
code 64 "a token that is not there" "$BIN/oy-pack" -t $TOK --eos '<no>' "$T/a.jsonl"
said "<no>" "it is named"
code 66 "a missing tokenizer" "$BIN/oy-pack" -t "$T/none" "$T/a.jsonl"
{ head -5 "$T/b.jsonl"; echo '{"text":"cut'; } >"$T/broken.jsonl"
code 65 "a broken record" "$BIN/oy-pack" -t $TOK -o "$T/x.tok" "$T/broken.jsonl"
said "broken.jsonl:6" "it is named"
same "and nothing is left" no "$([ -e "$T/x.tok" ] && echo yes || echo no)"
code 65 "a broken record in shards" "$BIN/oy-pack" -t $TOK --split-tokens 20 \
    -o "$T/y" "$T/broken.jsonl"
same "and no shard is left" "" "$(ls "$T" | grep '^y-')"
cp $TOK/tokenizer.json "$T/plain.json"
code 0 "without a configuration" "$BIN/oy-pack" -t "$T/plain.json" "$T/a.jsonl"
said "not framed" "that is said"
sed 's/<|end|>/<|endoftext|>/' $TOK/tokenizer.json >"$T/gpt.json"
code 0 "with a token that ends texts" "$BIN/oy-pack" -t "$T/gpt.json" "$T/a.jsonl"
same "nothing is said" "" "$(cat "$T/err")"
same "it stands in front" "1 297 1" "$(ids "$T/out" 3)"

# Rows: one document each, or whole ones by best fit, the same for all threads.
rows() { pack --export jsonl "$@"; }
len() { awk -F'[][]' '{ print split($2, a, ",") }' | sort -n | tail -1; }
same "a row holds one document" 2 "$(rows --packing none --seq-len 64 "$T/a.jsonl" | wc -l)"
same "best-fit puts them together" 1 "$(rows --packing best-fit --seq-len 64 "$T/a.jsonl" | wc -l)"
same "no row is longer than --seq-len" 16 "$(rows --packing best-fit --seq-len 16 "$T/b.jsonl" | len)"
same "attention restarts at every document" '"doc_ids":[0,0,0,1,1,1,1,1,1,1,1,1]' \
    "$(rows --packing best-fit --seq-len 64 "$T/a.jsonl" | grep -o '"doc_ids":[][0-9,]*')"
same "a document cut off keeps its end" "0 1" \
    "$(rows --packing none --seq-len 2 "$T/a.jsonl" | head -1 | awk -F'[][]' '{ gsub(",", " ", $2); print $2 }')"
same "or is left out" 0 "$(rows --packing none --seq-len 2 --overlong drop "$T/a.jsonl" | wc -l)"
want=$(pack --packing best-fit --seq-len 100 --window 5000 "$T/b.jsonl" | sha256sum)
for threads in 1 3; do
    same "rows are the same with -T $threads" "$want" \
        "$(pack --packing best-fit --seq-len 100 --window 5000 -T $threads "$T/b.jsonl" | sha256sum)"
done
pack --packing best-fit --seq-len 100 -o "$T/fit.tok" --stats "$T/stats" "$T/b.jsonl"
code 0 "oy-check proves them" "$BIN/oy-check" "$T/fit.tok"
same "the waste is counted" 1 "$(grep -c padding_tokens "$T/stats")"
code 0 "-v tells it" pack -v --packing best-fit --seq-len 100 "$T/b.jsonl"
said "documents torn" "beside that of cutting"
pack --packing best-fit --seq-len 100 --split-tokens 50000 -o "$T/r" "$T/b.jsonl"
code 0 "rows in shards" "$BIN/oy-check" "$T"/r-*.tok

# Conversations: by MiniMind's rule, as a peer made them.
P=tests/data/pack
chat() { "$BIN/oy-pack" -t $TOK --chat-template $P/chat.jinja "$@"; }
for mask in marks spans; do
    chat --method sft --mask $mask --seq-len 64 --export jsonl $P/chats.jsonl >"$T/rows.jsonl"
    same "--mask $mask learns what the assistant said" 0 "$(cmp -s "$T/rows.jsonl" $P/rows.jsonl; echo $?)"
done
chat --method sft --seq-len 64 --stats "$T/stats" -o "$T/sft.tok" $P/chats.jsonl
same "what has no answer is counted" 1 "$(grep -c '"without_target": *2' "$T/stats")"
code 0 "a stream with a mask" "$BIN/oy-check" "$T/sft.tok"
same "all has labels everywhere" 8 "$(chat --method sft --mask all --seq-len 64 --export jsonl $P/chats.jsonl | wc -l)"
cat >"$T/forms.jsonl" <<'END'
{"messages":[{"role":"user","content":"a\nb"},{"role":"assistant","content":"c"}]}
{"conversations":[{"role":"user","content":"a\nb"},{"role":"assistant","content":"c"}]}
{"conversations":[{"from":"human","value":"a\nb"},{"from":"gpt","value":"c"}],"tools":""}
{"instruction":"a","input":"b","output":"c"}
{"instruction":"a\nb","input":"","output":"c"}
{"prompt":"a\nb","completion":"c"}
{"prompt":[{"role":"user","content":"a\nb"}],"completion":[{"role":"assistant","content":"c"}]}
END
same "forms of conversations are one" 1 \
    "$(chat --method sft --seq-len 64 --export jsonl "$T/forms.jsonl" | sort -u | wc -l)"
same "--field names another" 1 \
    "$(echo '{"talk":[{"role":"user","content":"a"},{"role":"assistant","content":"c"}]}' |
        chat --method sft --field talk --seq-len 64 --export jsonl | wc -l)"
cat >"$T/pairs.jsonl" <<'END'
{"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"y"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"n"}]}
{"prompt":"q","chosen":"y","rejected":"n"}
{"prompt":"q","chosen":[{"role":"assistant","content":"y"}],"rejected":[{"role":"assistant","content":"n"}]}
{"conversations":[{"from":"human","value":"q"}],"chosen":{"from":"gpt","value":"y"},"rejected":{"from":"gpt","value":"n"}}
{"chosen":"\n\nHuman: q\n\nAssistant: y","rejected":"\n\nHuman: q\n\nAssistant: n"}
{"prompt":"q","chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"y"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"n"}]}
END
chat --method dpo "$T/pairs.jsonl" >"$T/dpo"
same "forms of pairs are one" "6 1" "$(echo $(wc -l <"$T/dpo") $(sort -u "$T/dpo" | wc -l))"
same "with ids and labels" 2 "$(head -1 "$T/dpo" | grep -o '"ids":\[[0-9,]*\],"labels":\[-100,' | wc -l)"
echo '{"id":7,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"gt":[1],"ids":[1]}' >"$T/rl.jsonl"
chat --method rl "$T/rl.jsonl" >"$T/rl"
same "prompts keep their record" '{"id":7,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"gt":[1],"ids":[' \
    "$(grep -o '^.*"ids":\[' "$T/rl")"
same "and end where the assistant speaks" "$(head -1 $P/rows.jsonl | grep -o '0,66,84,84,284,85,66,288,200')" \
    "$(grep -o '0,66,84,84,284,85,66,288,200\]' "$T/rl" | tr -d ']')"
printf 'You are kind.\nBe brief.\n' >"$T/system"
for i in $(seq 1 200); do head -1 $P/chats.jsonl; done >"$T/same.jsonl"
same "a share gets a system line" 3 \
    "$(chat --method sft --seq-len 99 --export jsonl --system-prompts "$T/system" --system-ratio 0.5 "$T/same.jsonl" | sort -u | wc -l)"
same "drawn by the seed" "$(chat --method sft --seq-len 99 --system-prompts "$T/system" -T 1 "$T/same.jsonl" | sha256sum)" \
    "$(chat --method sft --seq-len 99 --system-prompts "$T/system" -T 3 "$T/same.jsonl" | sha256sum)"

# What oy-train sees is the same in a stream, in lines and in a pipe.
chat --method sft --packing best-fit --seq-len 64 -o "$T/t.tok" $P/chats.jsonl
chat --method sft --packing best-fit --seq-len 64 --export jsonl -o "$T/t.jsonl" $P/chats.jsonl
train() { # train ARGUMENT...: the losses
    rm -rf "$T/ckpt"
    "$BIN/oy-train" --preset tiny -t $TOK --steps 2 --batch-rows 2 --seq-len 63 \
        --log "$T/log" -o "$T/ckpt" "$@" && grep -o '"loss":[0-9.]*' "$T/log" | xargs
}
want=$(train --order sequential "$T/t.jsonl")
same "oy-train learns from rows" 2 "$(wc -w <<<"$want")"
same "of a stream as of lines" "$want" "$(train --order sequential "$T/t.tok")"
same "of a pipe" "$want" "$(train <"$T/t.tok")"

talk() { # talk WHAT CODE RECORD SAYS: what is wrong with a conversation
    echo "$3" >"$T/talk.jsonl"
    code "$2" "$1" chat --method sft --seq-len 64 "$T/talk.jsonl"
    said "$4" "... is said"
}
talk "no conversation" 65 '{"text":"x"}' "talk.jsonl:1: no conversation"
talk "no messages" 65 '{"messages":[]}' "without messages"
talk "an unknown role" 65 '{"messages":[{"role":"wizard","content":"x"}]}' "'wizard'"
talk "no role" 65 '{"messages":[{"content":"x"}]}' "message 0 has no role"
talk "a message that is none" 65 '{"messages":[7]}' "not an object"
talk "tools that are no JSON" 65 '{"messages":[{"role":"user","content":"x"}],"tools":"[{"}' "'tools'"
same "an answer longer than a row is cut" 32 \
    "$(echo "{\"prompt\":\"x\",\"completion\":\"$(seq -s ' ' 400)\"}" |
        chat --method sft --seq-len 32 --export jsonl | len)"
printf '{{ raise_exception("no such turn") }}' >"$T/raise.jinja"
code 65 "a template that raises" "$BIN/oy-pack" -t $TOK --chat-template "$T/raise.jinja" \
    --method sft --seq-len 64 $P/chats.jsonl
said "chats.jsonl:1: .*no such turn" "its words are told"
code 0 "bad records are skipped" "$BIN/oy-pack" -t $TOK --chat-template "$T/raise.jinja" \
    --method sft --seq-len 64 --bad skip -o "$T/none.tok" $P/chats.jsonl
printf '{{ strftime_now("%%d") }}' >"$T/date.jinja"
code 64 "a template that asks for the day" "$BIN/oy-pack" -t $TOK --chat-template "$T/date.jinja" \
    --method sft --seq-len 64 $P/chats.jsonl
said "--date" "needs --date"
code 64 "a day that is none" "$BIN/oy-pack" -t $TOK --chat-template "$T/date.jinja" \
    --date 2021-02-30 --method sft --seq-len 64 $P/chats.jsonl
code 65 "no template at all" pack --method sft --seq-len 64 $P/chats.jsonl
code 66 "a template that is not there" pack --chat-template none --method sft --seq-len 64 $P/chats.jsonl
code 64 "sft without --seq-len" chat --method sft $P/chats.jsonl
code 64 "rows of one token" chat --method sft --seq-len 1 $P/chats.jsonl
code 64 "a template for texts" pack --chat-template $P/chat.jinja "$T/a.jsonl"
code 64 "split pairs" chat --method dpo --overlong split "$T/pairs.jsonl"
code 64 "overlong texts without rows" pack --overlong drop "$T/a.jsonl"
printf '{"prompt":"\377","completion":"y"}\n' >"$T/bytes.jsonl"
code 0 "bytes that are not UTF-8" chat --method sft --seq-len 64 "$T/bytes.jsonl"
code 65 "are bad data with --strict" chat --method sft --seq-len 64 --strict "$T/bytes.jsonl"
code 64 "shuffled pairs" chat --method dpo --shuffle -o "$T/x" "$T/pairs.jsonl"
code 66 "system lines that are not there" chat --method sft --seq-len 64 --system-prompts "$T/no" $P/chats.jsonl
code 65 "no system lines" chat --method sft --seq-len 64 --system-prompts /dev/null $P/chats.jsonl

# Files of other projects.
code 0 "--export nanogpt" pack --export nanogpt --valid-fraction 0.5 -o "$T/nano" "$T/b.jsonl"
same "is a folder" "meta.pkl train.bin val.bin" "$(ls "$T/nano" | xargs)"
code 0 "--export llmc" pack --export llmc --split-tokens 50000 --valid-fraction 0.1 -o "$T/l" "$T/b.jsonl"
same "is numbered" "l_train_000001.bin l_train_000002.bin l_val_000000.bin" \
    "$(ls "$T" | grep '^l_' | sed -n '1,2p;$p' | xargs)"
same "its header" "20240520 1" "$(od -An -td4 -N8 "$T/l_val_000000.bin" | xargs)"
code 0 "--export megatron" pack --export megatron --manifest "$T/m.manifest.json" -o "$T/m" "$T/b.jsonl"
same "is a pair" MMIDIDX "$(head -c 7 "$T/m.idx")"
code 0 "oy-check proves exports" "$BIN/oy-check" "$T/nano" "$T"/l_*.bin "$T/m.idx" "$T/m.manifest.json"
head -c -2 "$T/m.bin" >"$T/cut" && mv "$T/cut" "$T/m.bin"
code 1 "and finds what is cut off" "$BIN/oy-check" "$T/m.idx"
head -c -1 "$T/l_val_000000.bin" >"$T/cut.bin"
code 1 "in all of them" "$BIN/oy-check" "$T/cut.bin"
code 0 "an export of nothing" pack --export megatron -o "$T/empty" /dev/null
code 0 "is whole" "$BIN/oy-check" "$T/empty.idx"
code 64 "an export without -o" pack --export llmc "$T/b.jsonl"
code 64 "an export of masks" chat --export llmc --method sft --seq-len 64 -o "$T/x" $P/chats.jsonl
code 64 "a compressed export" pack --export llmc --compress zstd -o "$T/x" "$T/b.jsonl"
mkdir "$T/mine" && touch "$T/mine/file"
code 73 "a folder that is not ours" pack --export nanogpt -o "$T/mine" "$T/b.jsonl"
code 73 "a folder that is not there" pack --export megatron -o "$T/none/x" "$T/b.jsonl"
code 65 "a broken record in an export" pack --export megatron -o "$T/z" "$T/broken.jsonl"
same "leaves nothing" "" "$(ls "$T" | grep '^z')"
awk 'BEGIN { printf "{\"version\":\"1.0\",\"added_tokens\":[],\"model\":{\"type\":\"BPE\",\"merges\":[],\"vocab\":{"
    for (i = 0; i < 70000; i++) printf "%s\"t%d\":%d", i ? "," : "", i, i
    print "}}}" }' >"$T/wide.json"
code 65 "ids that do not fit" "$BIN/oy-pack" -t "$T/wide.json" --export nanogpt -o "$T/w" "$T/b.jsonl"
said "16 bits" "are told"
same "before anything is made" "" "$(ls "$T" | grep '^w$')"
code 73 "a shard of an earlier, larger set" pack --export llmc --valid-fraction 0.1 -o "$T/l" "$T/b.jsonl"
said "l_train_000002.bin" "is told"
code 73 "an earlier file for validation" pack --export llmc -o "$T/l" "$T/b.jsonl"

# Killed at random points: whole or not at all.
for i in 1 2 3 4 5; do cat "$T/b.jsonl"; done >"$T/c.jsonl"
wrong=0
for i in $(seq 1 12); do
    rm -rf "$T/k" "$T"/k.*
    case $((i % 3)) in
    0) set -- --export megatron -o "$T/k" ;;
    1) set -- --export nanogpt -o "$T/k" ;;
    *) set -- --packing best-fit --seq-len 64 -o "$T/k.tok" ;;
    esac
    "$BIN/oy-pack" -t $TOK "$@" "$T/c.jsonl" 2>/dev/null &
    sleep 0.$(printf %02d $((RANDOM % 25)))
    kill -9 $! 2>/dev/null
    wait $! 2>/dev/null
    for made in "$T/k.tok" "$T/k.idx"; do
        [ ! -e "$made" ] || "$BIN/oy-check" "$made" >/dev/null || wrong=$((wrong + 1))
    done
    [ ! -d "$T/k" ] || [ "$(ls "$T/k" | xargs)" = "meta.pkl train.bin val.bin" ] ||
        wrong=$((wrong + 1))
done 2>/dev/null
same "killed runs leave nothing half" 0 $wrong
if [ -e /dev/full ]; then
    for method in "--method sft --seq-len 64" "--method dpo" "--method rl"; do
        case $method in *dpo) in=$T/pairs.jsonl ;; *) in=$P/chats.jsonl ;; esac
        chat $method "$in" >/dev/full 2>"$T/err"
        same "$method on a full disk" 74 $?
    done
fi
exit $bad
