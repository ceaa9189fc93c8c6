#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# oy-pack: framing, shards, shuffling, determinism, exit codes.
BIN=${BIN:-build/bin}
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
TOK=tests/data/tokenizer
bad=0
same() { # same WHAT WANT GOT
    if [ "$2" = "$3" ]; then echo "ok - $1"; else
        printf 'not ok - %s:\nwant %s\ngot  %s\n' "$1" "$2" "$3"; bad=1
    fi
}
code() { # code WHAT WANT COMMAND...: stores standard error in $T/err
    local what=$1 want=$2
    shift 2
    "$@" >"$T/out" 2>"$T/err" </dev/null
    same "$what" "$want" $?
}
says() { same "$1" 0 "$(grep -q -- "$2" "$T/err"; echo $?)"; }
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
code "an empty input is a good input" 0 "$BIN/oy-pack" -t $TOK -o "$T/e.tok"
same "and an empty stream" OYTOKEND "$(tail -c 8 "$T/e.tok")"

code "no tokenizer" 64 "$BIN/oy-pack" "$T/a.jsonl"
code "an unknown method" 64 "$BIN/oy-pack" -t $TOK --method x "$T/a.jsonl"
code "--shuffle without -o" 64 "$BIN/oy-pack" -t $TOK --shuffle "$T/a.jsonl"
code "--split-tokens without -o" 64 \
    "$BIN/oy-pack" -t $TOK --split-tokens 9 "$T/a.jsonl"
code "a token that is not there" 64 "$BIN/oy-pack" -t $TOK --eos '<no>' "$T/a.jsonl"
says "it is named" "<no>"
code "a missing tokenizer" 66 "$BIN/oy-pack" -t "$T/none" "$T/a.jsonl"
{ head -5 "$T/b.jsonl"; echo '{"text":"cut'; } >"$T/broken.jsonl"
code "a broken record" 65 "$BIN/oy-pack" -t $TOK -o "$T/x.tok" "$T/broken.jsonl"
says "it is named" "broken.jsonl:6"
same "and nothing is left" no "$([ -e "$T/x.tok" ] && echo yes || echo no)"
code "a broken record in shards" 65 "$BIN/oy-pack" -t $TOK --split-tokens 20 \
    -o "$T/y" "$T/broken.jsonl"
same "and no shard is left" "" "$(ls "$T" | grep '^y-')"
cp $TOK/tokenizer.json "$T/plain.json"
code "without a configuration" 0 "$BIN/oy-pack" -t "$T/plain.json" "$T/a.jsonl"
says "that is said" "not framed"
sed 's/<|end|>/<|endoftext|>/' $TOK/tokenizer.json >"$T/gpt.json"
code "with a token that ends texts" 0 "$BIN/oy-pack" -t "$T/gpt.json" "$T/a.jsonl"
same "nothing is said" "" "$(cat "$T/err")"
same "it stands in front" "1 297 1" "$(ids "$T/out" 3)"
exit $bad
