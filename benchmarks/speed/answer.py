#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prompts and single sequences of oy-gen beside transformers on torch.

    answer.py --model DIR [--peers PYTHON] [--runs 5] [--threads 1] [--dtype f32 bf16]

One interleaved run. Ours are differences of whole processes (one prompt of 8
tokens and four of 512, answers of 1 and 65), by user time with one
thread, by wall time with more; theirs the wall time of the model's calls
alone. Medians.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

PEER = r"""
import sys, time, torch
from transformers import AutoModelForCausalLM
torch.set_num_threads(int(sys.argv[2]))
dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[sys.argv[3]]
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=dtype).eval()
ids = torch.randint(10, 1000, (1, 512))
with torch.inference_mode():
    model(ids[:, :8])
    start = time.time()
    model(ids, logits_to_keep=1)
    prompt = 512 / (time.time() - start)
    out = model(ids[:, :8], use_cache=True)
    start = time.time()
    for _ in range(32):
        out = model(ids[:, :1], past_key_values=out.past_key_values, use_cache=True)
    print(prompt, 32 / (time.time() - start))
"""


def ours(bin_dir, options, n_record, n_prompt, n_answer, folder):
    path = os.path.join(folder, "prompt.jsonl")
    with open(path, "w") as f:
        for r in range(n_record):
            f.write(json.dumps({"ids": [100 + (i * (r + 1)) % 900 for i in range(n_prompt)]}) + "\n")
    command = [f"{bin_dir}/oy-gen", "--model", options.model, "-T", str(options.threads), "--ignore-eos",
               "--temperature", "0", "--max-tokens", str(n_answer), "--dtype", options.type, path]
    start = time.time()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)}: status {status}")
    return usage.ru_utime if options.threads == 1 else time.time() - start


def measure(bin_dir, options, folder):
    base = ours(bin_dir, options, 1, 8, 1, folder)
    prompt = 4 * 512 / (ours(bin_dir, options, 4, 512, 1, folder) - base)
    return prompt, 64 / (ours(bin_dir, options, 1, 8, 65, folder) - base), base


def peer(options):
    command = [options.peers, "-c", PEER, options.model, str(options.threads), options.type]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return tuple(map(float, out.split()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--bin", default="build/bin")
    parser.add_argument("--peers", default=os.environ.get("OYSTER_PEERS", sys.executable))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--dtype", nargs="+", default=["f32", "bf16"], choices=["f32", "bf16"])
    options = parser.parse_args()
    print("| type | threads | | ours | torch | ratio |\n|---|--:|---|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        for options.type in options.dtype:
            rows = [(measure(options.bin, options, folder), peer(options)) for _ in range(options.runs)]
            for i, what in enumerate(("prompt of 512, tok/s", "one sequence, tok/s")):
                mine = statistics.median(r[0][i] for r in rows)
                theirs = statistics.median(r[1][i] for r in rows)
                print(f"| {options.type} | {options.threads} | {what} | {mine:.1f} | {theirs:.1f} | {mine / theirs:.2f} |")
            start = statistics.median(r[0][2] for r in rows)
            print(f"| {options.type} | {options.threads} | start to first token, s | {start:.2f} | | |", flush=True)


if __name__ == "__main__":
    main()
