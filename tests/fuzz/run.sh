#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# run.sh BUILD SECONDS [NAME...]: each fuzz driver for so long, on mutations of
# the small files of this tree. Stops at the first that fails; the bytes that
# it was given are BUILD/fuzz/NAME.last then.
build=$1 seconds=$2
shift 2
seeds=$(mktemp -d)
trap 'rm -rf "$seeds"' EXIT
mkdir -p "$build/fuzz"
# Memory that is not there is an answer of the programs, not a finding.
export ASAN_OPTIONS=allocator_may_return_null=1
i=0
while read -r file; do
    i=$((i + 1))
    cp "$file" "$seeds/$i"
done < <(find tests/data pipeline/presets manifests/demo -type f -size -16k | sort)
zcat manifests/demo/crawl.warc.gz 2>/dev/null | head -c 60000 >"$seeds/warc"
printf '%s' '{"rules":[{"match":"(a+)b$","on":"line","action":"replace","with":"$1$$"},{"rule":"value","field":"n"}]}' >"$seeds/preset"
printf '<html><body><table><p>x<li>&amp;y</table><script>z</script>' >"$seeds/html"
mkdir "$seeds/tokenizer" "$seeds/grammar"
printf 'root ::= "a" (b | [0-9]{2,3})*\nb ::= "x" root? "y"\n' >"$seeds/grammar/1"
printf '%s' '{"properties":{"a":{"type":"string","pattern":"^[a-c]+\\d$"},"b":{"$ref":"#/properties/a"}},"additionalProperties":{"enum":[1]}}' >"$seeds/grammar/2"
sed -n 's/^{"tokenizer":\(.*\)}$/\1/p' tests/data/tokenizer/models.jsonl |
    split -l 1 - "$seeds/tokenizer/"
for name in "$@"; do
    case $name in
    fasttext) files=$(find tests/data/fasttext -type f) ;;
    preset) files="$(ls pipeline/presets/*.json) $seeds/preset" ;;
    warc) files=$seeds/warc ;;
    model_file) files=$seeds/preset ;;
    grammar) files=$(ls -d "$seeds"/grammar/*) ;;
    tokenizer) files=$(ls -d "$seeds"/tokenizer/*) ;;
    *) files=$(find "$seeds" -maxdepth 1 -type f | sort) ;;
    esac
    printf '%-12s ' "$name"
    # shellcheck disable=SC2086
    "$build/fuzz/fuzz_$name" "$seconds" "$build/fuzz/$name.last" $files \
        >"$seeds.out" 2>&1 || {
        cat "$seeds.out"
        echo "FAILED: see $build/fuzz/$name.last"
        rm -f "$seeds.out"
        exit 1
    }
    tail -1 "$seeds.out"
done
rm -f "$seeds.out"
