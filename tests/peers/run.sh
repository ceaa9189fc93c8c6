#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Our checkpoint in the peers' hands: transformers gives the same logits and
# ids, lm-eval the same accuracies. $OYSTER_PEERS is a Python with torch,
# transformers and lm-eval (default: python3).
set -eu
build=${1:-build}
python=${OYSTER_PEERS:-python3}
here=$(dirname "$0")
bin=$PWD/$build/bin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! $python -c 'import torch, transformers, lm_eval' 2>/dev/null; then
    echo "SKIPPED: $python has no torch, transformers and lm_eval: set OYSTER_PEERS"
    exit 1
fi
"$bin/oy-cat" -o "$work/text.jsonl" manifests/demo/crawl.warc.gz
"$bin/oy-bpe" --vocab-size 2048 --special '<|endoftext|>' -o "$work/tok" "$work/text.jsonl"
"$bin/oy-train" --preset tiny -t "$work/tok" --steps 30 --batch-rows 8 --seq-len 256 \
    --lr 1e-3 -o "$work/ckpt" "$work/text.jsonl" 2>/dev/null
passed=0
failed=0
for script in "$here"/*.py; do
    if HF_HUB_OFFLINE=1 PYTHONSAFEPATH=1 $python "$script" "$bin" "$work/ckpt" \
        "$work/text.jsonl" 2>"$work/err"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        tail -5 "$work/err"
    fi
done
printf '%d passed, %d failed\n' $passed $failed
[ $failed = 0 ]
