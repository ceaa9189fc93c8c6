#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Decoding: ids in memory to text, one thread, processor time.

Usage: decode.py [--build build] [--runs 5] [--peers PYTHON] [--tokenizers llama3,gpt2] [--texts en,zh]

"first" is the first pass of the process, tables made in it; "again" the best of the others. GB are 10^9 bytes of text. The peer is Hugging Face's
decode_batch over an eighth of the documents. Texts and tokenizers come from $OYSTER_SHARED/data (default ../shared).
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile

import texts

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SHARED = os.environ.get("OYSTER_SHARED", os.path.join(ROOT, "..", "shared"))


def run(*command):
    done = subprocess.run(["taskset", "-c", "0", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return json.loads(done.stdout) if not done.returncode else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--peers", default=os.environ.get("OYSTER_PEERS", "python3"))
    parser.add_argument("--tokenizers", default="llama3,gpt2,qwen3,o200k,llama2,gemma3")
    parser.add_argument("--texts", default="en,zh,code")
    options = parser.parse_args()
    driver = os.path.join(ROOT, options.build, "bench", "decode_bench")
    print("| tokenizer | text | first GB/s | again GB/s | tokenizers GB/s |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        texts.build(os.path.join(SHARED, "data", "corpora"), folder)
        for name in options.tokenizers.split(","):
            path = os.path.join(SHARED, "data", "tokenizers", name, "tokenizer.json.zst")
            for text in options.texts.split(","):
                source = os.path.join(folder, text + ".texts")
                results = [run(driver, path, source, "5") for _ in range(options.runs)]
                peer = run(options.peers, os.path.join(HERE, "peers", "decode_tokenizers.py"), source, path)
                speed = [statistics.median(r["bytes"] / pick(r) / 1e9 for r in results) for pick in (lambda r: r["cpu"][0], lambda r: min(r["cpu"][1:]))]
                theirs = "%.3f" % (peer["bytes"] / peer["cpu"] / 1e9) if peer else "-"
                print("| %s | %s | %.2f | %.2f | %s |" % (name, text, *speed, theirs), flush=True)


main()
