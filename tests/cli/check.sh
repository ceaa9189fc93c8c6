#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# oy-check: flipped bits, lost lines, truncation, chains of manifests.
. "$(dirname "$0")/lib.sh"

good() { # good WHAT FILE...: no fault
    local what=$1
    shift
    out=$("$BIN/oy-check" "$@" 2>&1)
    ok "$what" test $? = 0 -a -z "$out"
}
fault() { # fault WHAT PATTERN FILE...: one line and exit 1
    local what=$1 pattern=$2
    shift 2
    out=$("$BIN/oy-check" "$@" 2>"$T/err")
    ok "$what" test $? = 1 -a ! -s "$T/err" -a "$(wc -l <<<"$out")" = 1
    ok "$what: says so" grep -q -- "$pattern" <<<"$out"
}
flip() { # flip FILE OFFSET: changes the lowest bit of a byte
    local byte
    byte=$(od -An -tu1 -j "$2" -N 1 "$1")
    # shellcheck disable=SC2059
    printf "\\$(printf '%03o' $((byte ^ 1)))" |
        dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

cd "$T" || exit 1
for i in $(seq 1 3000); do
    echo "{\"id\":$i,\"text\":\"number $i of the lines that are checked here\"}"
done >in.jsonl
"$BIN/oy-cat" --manifest one.jsonl.manifest.json -o one.jsonl in.jsonl
"$BIN/oy-dedup" --exact --manifest two.jsonl.zst.manifest.json -o two.jsonl.zst one.jsonl
good "a chain of two is good" two.jsonl.zst.manifest.json
good "a folder is good" .
ok "the history names the first" grep -q '"program": "oy-cat"' two.jsonl.zst.manifest.json

cp one.jsonl keep
flip one.jsonl 1000
fault "a flipped bit" "one.jsonl: its bytes are not those" one.jsonl.manifest.json
fault "a flipped bit upstream" "one.jsonl: its bytes" two.jsonl.zst.manifest.json
fault "a file is held to the manifest beside it" "one.jsonl: its bytes" one.jsonl
sed 7d keep >one.jsonl
fault "a lost line" "one.jsonl: 2999 records, its manifest has 3000" one.jsonl.manifest.json
cp keep one.jsonl
cp two.jsonl.zst keep.zst
flip two.jsonl.zst 2000
fault "a flipped bit in compressed data" "two.jsonl.zst: " two.jsonl.zst.manifest.json
head -c 3000 keep.zst >two.jsonl.zst
fault "a truncated file" "two.jsonl.zst: truncated" two.jsonl.zst.manifest.json
cp keep.zst two.jsonl.zst
cp two.jsonl.zst.manifest.json keep.json
flip two.jsonl.zst.manifest.json 300
fault "a flipped bit in a manifest" "two.jsonl.zst.manifest.json: " two.jsonl.zst.manifest.json
cp keep.json two.jsonl.zst.manifest.json
good "all is good again" two.jsonl.zst.manifest.json

# The stages of a pipe find one another by hashes.
mkdir pipe
"$BIN/oy-cat" --manifest pipe/a.manifest.json in.jsonl |
    "$BIN/oy-dedup" --exact --manifest pipe/b.manifest.json -o pipe/out.jsonl
good "a pipe's manifests are good" pipe
ok "a pipe's stages link" grep -q '"history": \[' pipe/b.manifest.json
ok "by their hashes" grep -q '"program": "oy-cat"' pipe/b.manifest.json

head -c 500 in.jsonl >cut.jsonl
fault "half a line" "cut.jsonl:[0-9]*: " cut.jsonl
printf '{"a":1}\n[1]\n' >array.jsonl
fault "a line that is no object" "array.jsonl:2: not a JSON object" array.jsonl
gzip -c in.jsonl | head -c 2000 >cut.jsonl.gz
fault "a truncated gzip file" "cut.jsonl.gz: truncated" cut.jsonl.gz
printf '{"a":' >x.json
fault "broken JSON" "x.json: " x.json
printf '\x40\0\0\0\0\0\0\0{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}          ' >m.safetensors
printf '12345678' >>m.safetensors
good "a safetensors file" m.safetensors
printf 'x' >>m.safetensors
fault "a safetensors file with bytes behind" "bytes behind the last tensor" m.safetensors
head -c 75 m.safetensors >n.safetensors
fault "a truncated safetensors file" "truncated" n.safetensors
"$BIN/oy-check" none.jsonl 2>/dev/null
ok "a missing file is 66" test $? = 66
"$BIN/oy-check" 2>/dev/null
ok "no file at all is 64" test $? = 64
"$BIN/oy-check" cut.jsonl >/dev/full 2>/dev/null
ok "a full disk is 74" test $? = 74
exit $bad
