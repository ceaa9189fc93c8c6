# SPDX-License-Identifier: Apache-2.0
"""A checkpoint of oy-train opens with AutoModelForCausalLM and AutoTokenizer: same ids, same logits to 1e-4.

Arguments: folder of the programs, checkpoint, JSONL text.
"""
import json
import os
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

programs, checkpoint, corpus = sys.argv[1:4]
model = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32).eval()
tokenizer = AutoTokenizer.from_pretrained(checkpoint)
texts = [json.loads(line)["text"] for line, _ in zip(open(corpus, encoding="utf-8"), range(40))]


def ours(program, *arguments, lines):
    data = "".join(json.dumps(x) + "\n" for x in lines)
    run = subprocess.run([os.path.join(programs, program), *arguments], input=data.encode(), capture_output=True, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


mine = [r["ids"] for r in ours("oy-tok", "encode", "-t", checkpoint, lines=[{"text": t} for t in texts])]
theirs = [tokenizer(t, add_special_tokens=False)["input_ids"] for t in texts]
assert mine == theirs, "ids differ"
rows = [ids[:200] for ids in theirs if len(ids) > 50][:8]
with tempfile.TemporaryDirectory() as folder:
    logits = os.path.join(folder, "logits.safetensors")
    scored = ours("oy-score", "--model", checkpoint, "--dtype", "f32", "--logits", logits,
                  lines=[{"type": "loglikelihood", "context_ids": r[:1], "continuation_ids": r[1:]} for r in rows])
    file = load_file(logits)
worst = 0.0
for n, row in enumerate(rows):
    with torch.no_grad():
        want = model(torch.tensor([row])).logits[0, :-1]
    worst = max(worst, (file[f"logits.{n}"] - want).abs().max().item())
    sum_want = torch.log_softmax(want, -1)[range(len(row) - 1), row[1:]].sum().item()
    assert abs(scored[n]["logprob"] - sum_want) < 1e-2, (scored[n]["logprob"], sum_want)
assert worst <= 1e-4, f"logits differ by {worst}"
print(f"transformers: {len(texts)} texts with equal ids, logits within {worst:.1e}")
