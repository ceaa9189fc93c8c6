#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The whole line on bundled text: ingest, clean, dedup, vocabulary, pack,
# train, score before and after, compare. Every output is whole or absent, so
# a run that was interrupted goes on where it stopped; remove the folder to
# begin anew.
#
#   manifests/demo/run.sh [BUILD [STEPS]]
set -euo pipefail
build=${1:-build}
steps=${2:-${DEMO_STEPS:-1000}}
here=$(dirname "$0")
bin=$PWD/$build/bin
out=$build/demo
export OYSTER_DATA=$PWD
export OYSTER_TASK_DATA=$PWD/benchmarks/samples
mkdir -p "$out"
began=$SECONDS

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }
# make FILE COMMAND...: shows the command and runs it, unless FILE is there.
stage() {
    local file=$1
    shift
    if [ -e "$file" ]; then
        printf '  (%s is there)\n' "$file"
    else
        printf '  $ %s\n' "$*" | sed "s|$bin/||g; s|$out/||g"
        "$@"
    fi
}
# count FILE KEY: a number of a --stats file.
count() { sed -n "s/.*\"$2\": *\([0-9]*\).*/\1/p" "$1" | head -1; }

say '1. Ingest, clean and deduplicate a crawl, in one pipe'
if [ ! -e "$out/documents.jsonl.zst" ]; then
    printf '  $ oy-cat crawl.warc.gz | oy-clean --preset basic | oy-dedup --near -o documents.jsonl.zst\n'
    "$bin/oy-cat" --stats "$out/cat.json" --manifest "$out/cat.manifest.json" "$here/crawl.warc.gz" |
        "$bin/oy-clean" --preset basic --dropped "$out/dropped.jsonl.zst" \
            --stats "$out/clean.json" --manifest "$out/clean.manifest.json" |
        "$bin/oy-dedup" --near --words ws --dropped "$out/duplicates.jsonl.zst" \
            --stats "$out/dedup.json" --manifest "$out/documents.manifest.json" -o "$out/documents.jsonl.zst"
fi
stage "$out/valid.jsonl.zst" "$bin/oy-cat" --records 0:40 -o "$out/valid.jsonl.zst" "$out/documents.jsonl.zst"
stage "$out/train.jsonl.zst" "$bin/oy-cat" --records 40: --manifest "$out/train.manifest.json" -o "$out/train.jsonl.zst" "$out/documents.jsonl.zst"

say '2. Train a vocabulary and pack the text into tokens'
stage "$out/tokenizer" "$bin/oy-bpe" --vocab-size 4096 --special '<|endoftext|>' --manifest "$out/tokenizer.manifest.json" -o "$out/tokenizer" "$out/train.jsonl.zst"
stage "$out/train.tokens" "$bin/oy-pack" -t "$out/tokenizer" --stats "$out/pack.json" --manifest "$out/tokens.manifest.json" -o "$out/train.tokens" "$out/train.jsonl.zst"
stage "$out/valid.tokens" "$bin/oy-pack" -t "$out/tokenizer" -o "$out/valid.tokens" "$out/valid.jsonl.zst"

say "3. Train a small model for $steps steps"
recipe=(--preset tiny -t "$out/tokenizer" --seq-len 256 --batch-rows 4 --lr 3e-3 --warmup 20 --valid "$out/valid.tokens")
stage "$out/untrained" "$bin/oy-train" "${recipe[@]}" --steps 0 -o "$out/untrained" "$out/train.tokens"
if [ ! -e "$out/trained.done" ]; then
    printf '  $ oy-train --preset tiny -t tokenizer --steps %d ... -o model train.tokens\n' "$steps"
    "$bin/oy-train" "${recipe[@]}" --steps "$steps" --save-every 200 --resume --progress on \
        --log "$out/log.jsonl" -o "$out/model" "$out/train.tokens"
    : >"$out/trained.done"
fi

say '4. Score the model before and after'
tasks=arc_easy,hellaswag,mmlu,wikitext
score() { # score MODEL RESULTS
    if [ -e "$out/$2.json" ]; then
        printf '  (%s is there)\n' "$out/$2.json"
        return
    fi
    printf '  $ oy-eval --model %s --tasks %s -o %s.json\n' "$1" $tasks "$2"
    "$bin/oy-eval" --model "$out/$1" --tasks $tasks -o "$out/$2.json" >"$out/$2.txt"
}
score untrained before
score model after
grep -E '^\||^$' "$out/after.txt" | grep -vE 'mmlu_|^\| *- '

say '5. Compare, document by document'
stage "$out/compare.txt" "$bin/oy-cmp" --json "$out/compare.json" --markdown "$out/compare.md" -o "$out/compare.txt" \
    "$out/before.json" "$out/after.json" || [ $? = 1 ] # 1: a regression
grep -vE '^mmlu_' "$out/compare.txt"
# group FILE: accuracy of all 57 subjects of MMLU together.
group() { awk '/"groups": \{/ { g = 1 } g && /"mmlu": \{/ { m = 1 }
    m && /"acc,none"/ { print $2 + 0; exit }' "$1"; }
printf '(mmlu, 57 subjects together: %.4f -> %.4f; each alone is in compare.md)\n' \
    "$(group "$out/before.json")" "$(group "$out/after.json")"
stage "$out/generated.txt" bash -c "printf 'The history of\n' | '$bin/oy-gen' --model '$out/model' --lines --max-tokens 40 --temperature 0.8 --top-k 40 -o '$out/generated.txt'"
printf '\n  "The history of%s"\n' "$(tr '\n' ' ' <"$out/generated.txt")"

say 'What went through'
printf '  %-34s %8s\n' 'records of the crawl' "$(count "$out/cat.json" kept)"
sed -n '/"reasons"/,/}/s/^ *"\([a-z_0-9]*\)": *\([0-9]*\),*$/\1 \2/p' "$out/clean.json" | sort -k2,2nr |
    while read -r reason n; do printf '    dropped: %-25s %8d\n' "$reason" "$n"; done
printf '    dropped: %-25s %8s\n' near-duplicates "$(count "$out/dedup.json" dropped)"
printf '  %-34s %8s\n' 'documents kept' "$(count "$out/dedup.json" kept)"
[ ! -e "$out/pack.json" ] || printf '  %-34s %8s\n' 'tokens' "$(count "$out/pack.json" tokens)"
first=$(sed -n '1s/.*"loss": *\([0-9.]*\).*/\1/p' "$out/log.jsonl")
last=$(grep '"loss"' "$out/log.jsonl" | tail -1 | sed 's/.*"loss": *\([0-9.]*\).*/\1/')
printf '  %-34s %8.3f -> %.3f\n' 'training loss' "$first" "$last"
printf '  %-34s %8.3f\n' 'bits per byte of held-out text' \
    "$(grep '"bits_per_byte"' "$out/log.jsonl" | tail -1 | sed 's/.*"bits_per_byte": *\([0-9.]*\).*/\1/')"
"$bin/oy-check" "$out/model/manifest.json" "$out"/*.manifest.json && printf '  %-34s %8s\n' 'checked, from the model to the crawl' ok
cat <<TEXT

Done in $((SECONDS - began)) s. The files lie in $out: documents.jsonl.zst, tokenizer/, train.tokens,
model/ (opens in transformers), after.json (lm-eval's keys), compare.md. Try next:
  zstdcat $out/dropped.jsonl.zst | head -3         # what was dropped, and why
  echo '{"prompt":"The king"}' | $build/bin/oy-gen --model $out/model --max-tokens 40
  $build/bin/oy-train --help                       # a longer run, another shape
TEXT
