#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# oy-dedup: exact and near duplicates, annotation, limits, exit codes.
. "$(dirname "$0")/lib.sh"

dedup() { "$BIN/oy-dedup" "$@" 2>&1; }

# ---- exact ----
printf '%s\n' '{"id":0,"text":"a b"}' '{"id":1,"text":"A b"}' '{"id":2, "text":"a\u0020b"}' \
    '{"id":3,"text":"a b"}' '{"id":4,"text":""}' '{"id":5,"text":"\u0041 b"}' >"$T/a.jsonl"
same "the first of equal texts stays, byte for byte" '{"id":0,"text":"a b"}
{"id":1,"text":"A b"}
{"id":4,"text":""}' "$(dedup --exact "$T/a.jsonl")"
same "normalised as datatrove does" '{"id":0,"text":"a b"}
{"id":4,"text":""}' "$(dedup --exact --normalize datatrove "$T/a.jsonl")"
same "--annotate keeps all and tells groups" '{"id":0,"text":"a b","oyster":{"dedup":{"keep":true,"cluster":0,"size":3}}}
{"id":1,"text":"A b","oyster":{"dedup":{"keep":true,"cluster":1,"size":2}}}
{"id":2, "text":"a\u0020b","oyster":{"dedup":{"keep":false,"cluster":0,"size":3}}}
{"id":3,"text":"a b","oyster":{"dedup":{"keep":false,"cluster":0,"size":3}}}
{"id":4,"text":"","oyster":{"dedup":{"keep":true,"cluster":null,"size":1}}}
{"id":5,"text":"\u0041 b","oyster":{"dedup":{"keep":false,"cluster":1,"size":2}}}' \
    "$(dedup --exact --annotate "$T/a.jsonl")"
same "a pipe is read twice, too" "$(dedup --exact --annotate "$T/a.jsonl")" \
    "$(cat "$T/a.jsonl" | dedup --exact --annotate)"
dedup --exact --dropped "$T/dropped" "$T/a.jsonl" >"$T/kept"
same "--dropped changes nothing of what is kept" "$(dedup --exact "$T/a.jsonl")" "$(cat "$T/kept")"
same "--dropped has the rest" 3 "$(grep -c '"keep":false' "$T/dropped")"
same "another field" '{"x":{"y":"q"}}' "$(printf '{"x":{"y":"q"}}\n{"x":{"y":"q"}}\n' | dedup --exact --field x.y)"
for i in $(seq 1 3000); do echo "{\"id\":$i,\"text\":\"$((i * i % 997))\"}"; done >"$T/n.jsonl"
same "equals a plain set" "$(awk -F'"text":' '!seen[$2]++' "$T/n.jsonl" | cksum)" \
    "$(dedup --exact "$T/n.jsonl" | cksum)"
seq -f '{"text":"%.0f"}' 30000 >"$T/many.jsonl"

# ---- within --memory: 200,000 records, a third of them one text ----
awk 'BEGIN { srand(2); for (i = 0; i < 200000; i++)
    printf "{\"id\":%d,\"text\":\"t %d\"}\n", i, i % 3 ? rand() * 130000 : 7 }' >"$T/wide.jsonl"
gzip -1 <"$T/wide.jsonl" >"$T/wide.jsonl.gz"
mkdir "$T/tmp"
for more in "" --annotate; do
    {
        dedup --exact $more "$T/wide.jsonl" | cksum
        for t in 1 2 7; do
            dedup --exact $more --memory 1M --tmpdir "$T/tmp" -T $t "$T/wide.jsonl" | cksum
            cat "$T/wide.jsonl" | dedup --exact $more --memory 1M --tmpdir "$T/tmp" -T $t | cksum
        done
        for m in 2M 5M 1G; do dedup --exact $more --memory $m "$T/wide.jsonl.gz" | cksum; done
    } >"$T/sums"
    same "--exact $more: the same bytes within any --memory" "1 10" \
        "$(sort -u "$T/sums" | wc -l) $(wc -l <"$T/sums")"
done
dedup --exact --dropped "$T/d1" "$T/wide.jsonl" >/dev/null
dedup --exact --dropped "$T/d2" --memory 1M "$T/wide.jsonl" >/dev/null
same "and the same are dropped" "$(cksum <"$T/d1")" "$(cksum <"$T/d2")"
same "and counted alike" "$(dedup --exact --stats - "$T/wide.jsonl" -o "$T/o")" \
    "$(dedup --exact --memory 1M --stats - "$T/wide.jsonl" -o "$T/o")"
same "a part of the records" "$(dedup --exact --shard 3/7 "$T/wide.jsonl" | cksum)" \
    "$(dedup --exact --memory 1M --shard 3/7 "$T/wide.jsonl" | cksum)"
same "a named pipe loses no byte" "$(dedup --exact "$T/a.jsonl")" \
    "$(dedup --exact --memory 1M <(cat "$T/a.jsonl"))"
code 71 "no room for what is spilled" bash -c "trap '' XFSZ; ulimit -f 256
    '$BIN/oy-dedup' --exact --memory 1M '$T/wide.jsonl' >/dev/full"
said "no temporary space" "and says so"
code 71 "no folder for it" "$BIN/oy-dedup" --exact --memory 1M --tmpdir "$T/none" "$T/wide.jsonl"
for signal in TERM KILL; do
    { cat "$T/wide.jsonl"; sleep 1; } |
        "$BIN/oy-dedup" --exact --memory 1M --tmpdir "$T/tmp" -o "$T/tmp/out" 2>/dev/null &
    sleep 0.5
    kill -$signal $! 2>/dev/null
    wait $! 2>/dev/null
    same "SIG$signal leaves nothing in --tmpdir" "" "$(find "$T/tmp" -type f ! -name 'out*')"
done

# ---- near ----
words() { seq -s ' ' "$1" "$2" | tr '0-9' 'a-j'; }
{
    echo "{\"id\":\"a\",\"text\":\"$(words 1000 1200)\"}"
    echo "{\"id\":\"b\",\"text\":\"$(words 5000 5200)\"}"
    echo "{\"id\":\"a2\",\"text\":\"$(words 1000 1199), changed\"}"
    echo '{"id":"short","text":"only four words here"}'
    echo '{"id":"short2","text":"only four words here"}'
    echo "{\"id\":\"A\",\"text\":\"$(words 1000 1200 | tr a-z A-Z)!\"}"
} >"$T/near.jsonl"
ids() { sed 's/.*"id":"\([^"]*\)".*/\1/' | tr '\n' ' '; }
for w in ws uax29 spacy; do
    same "near duplicates go ($w)" "a b short short2 " "$(dedup --near --words $w "$T/near.jsonl" | ids)"
done
same "without normalisation case matters" "a b short short2 A " \
    "$(dedup --near --words ws --normalize none "$T/near.jsonl" | ids)"
same "groups of near duplicates" 3 \
    "$(dedup --near --words ws --annotate "$T/near.jsonl" | grep -c '"cluster":0,"size":3')"
same "from a pipe" "$(dedup --near --words ws "$T/near.jsonl")" \
    "$(cat "$T/near.jsonl" | dedup --near --words ws)"
for hash in xxh64 xxh32 sha1; do
    same "--hash $hash" "a b short short2 " "$(dedup --near --words ws --hash $hash "$T/near.jsonl" | ids)"
done
same "--keep datatrove leaves one of each" 4 "$(dedup --near --words ws --keep datatrove "$T/near.jsonl" | wc -l)"
code 0 "counts are told" "$BIN/oy-dedup" -v --near --words ws "$T/near.jsonl"
said "near_duplicate *2" "dropped"
said "too_short_to_compare *2" "too short"
for t in 1 2 7; do dedup --near --words ws --annotate -T $t "$T/n.jsonl" "$T/near.jsonl" | cksum; done >"$T/sums"
same "the same bytes for any number of threads" 1 "$(sort -u "$T/sums" | wc -l)"
for c in plain avx2 avx512; do OYSTER_CPU=$c dedup --near --words ws --annotate "$T/near.jsonl" | cksum; done >"$T/sums"
same "and for any processor" 1 "$(sort -u "$T/sums" | wc -l)"
same "an empty input" "" "$(dedup --near --words ws </dev/null)"
code 71 "near duplicates within --memory" "$BIN/oy-dedup" --near --words ws --shingle 1 --memory 1M "$T/many.jsonl"
said "--memory" "and says so"

# ---- choices ----
code 64 "a method must be chosen" "$BIN/oy-dedup" "$T/a.jsonl"
code 64 "one method only" "$BIN/oy-dedup" --exact --near --words ws "$T/a.jsonl"
code 64 "--near needs --words" "$BIN/oy-dedup" --near "$T/a.jsonl"
said "--words" "and says so"
code 64 "an unknown splitter" "$BIN/oy-dedup" --near --words nonsense "$T/a.jsonl"
code 64 "no bands" "$BIN/oy-dedup" --near --words ws --bands 0 "$T/a.jsonl"
exit $bad
