#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Encoding beside fastokens and gigatoken: fresh processes in turn, first and later passes, equal ids before any figure.

Usage: encode.py [--build build] [--runs 5] [--peers PYTHON] [--tokenizers llama3,gpt2] [--texts mix,en,zh,code]

In memory: every side reads the same documents (texts.py) and loads its tokenizer before the clock starts; "first" is the first pass of the process,
caches empty, "again" the best of two more. MB are 10^6 bytes of text. Medians over the runs; a ratio is ours by the best of theirs. Then oy-tok as a whole
process over the same documents in JSONL, the time of an empty input (start and load) taken off, and two threads by one. A peer that is not installed or
cannot load a tokenizer has a dash. Texts and tokenizers come from $OYSTER_SHARED/data (default ../shared).
"""
import argparse
import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import texts

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SHARED = os.environ.get("OYSTER_SHARED", os.path.join(ROOT, "..", "shared"))
PEERS = ["fastokens", "gigatoken"]
TOKENIZERS = "llama3,gpt2,qwen3,o200k,deepseek_v3,smollm2,minimind"


def run(command, cpus="0", stdout=subprocess.PIPE):
    done = subprocess.run(["taskset", "-c", cpus, *command], stdout=stdout, stderr=subprocess.PIPE)
    if done.returncode:
        raise RuntimeError(done.stderr.decode(errors="replace")[-200:])
    return done.stdout


class Bench:
    def __init__(self, options, folder):
        self.bin = os.path.join(ROOT, options.build, "bin")
        self.driver = os.path.join(ROOT, options.build, "bench", "encode_bench")
        self.python, self.runs, self.folder = options.peers, options.runs, folder
        self.clock = "cpu" if options.cpu else "seconds"
        self.ids = os.path.join(folder, "ids")

    def tokenizer(self, name):
        path = os.path.join(self.folder, name + ".json")
        if not os.path.exists(path):
            source = os.path.join(SHARED, "data", "tokenizers", name, "tokenizer.json.zst")
            subprocess.run(["zstd", "-dqf", source, "-o", path], check=True)
        return path

    def file(self, text, kind):
        return os.path.join(self.folder, text + "." + kind)

    def ours(self, name, text, threads=1, keep=False):
        cpus = "0" if threads == 1 else "0-%d" % (threads - 1)
        more = [self.ids] if keep else []
        return json.loads(run([self.driver, self.tokenizer(name), self.file(text, "texts"), str(threads), "3", *more], cpus))

    def peer(self, peer, name, text):
        return json.loads(run([self.python, os.path.join(HERE, "peers", "encode_%s.py" % peer), self.file(text, "texts"), self.tokenizer(name), "3"]))

    def check(self, name, text, digests):
        """Ids first: every peer that loads has ours."""
        self.ours(name, text, keep=True)
        with open(self.ids, "rb") as f:
            mine = hashlib.sha256(f.read()).hexdigest()
        for peer, digest in digests.items():
            if digest != mine:
                sys.exit("encode: %s, %s: ids of %s differ" % (name, text, peer))

    def compare(self, name, text, size):
        passes, digests = {}, {}
        for _ in range(self.runs):
            for who in ["ours", *PEERS]:
                if passes.get(who) == []:
                    continue
                try:
                    result = self.ours(name, text) if who == "ours" else self.peer(who, name, text)
                except (RuntimeError, ValueError):
                    if who == "ours":
                        raise
                    passes[who] = []
                    continue
                if who != "ours":
                    digests[who] = result["digest"]
                seconds = result[self.clock]
                passes.setdefault(who, []).append((seconds[0], min(seconds[1:])))
        self.check(name, text, digests)
        speed = {who: [size / 1e6 / statistics.median(p[k] for p in some) for k in (0, 1)] for who, some in passes.items() if some}
        cells = ["%.0f / %.0f" % tuple(speed[who]) if who in speed else "-" for who in ["ours", *PEERS]]
        ratios = [speed["ours"][k] / max(speed[p][k] for p in PEERS if p in speed) if len(speed) > 1 else 0 for k in (0, 1)]
        print("| %s | %s | %s | %.2f / %.2f |" % (name, text, " | ".join(cells), *ratios), flush=True)
        return speed["ours"]

    def now(self):
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime if self.clock == "cpu" else time.perf_counter()

    def whole(self, command, name, path):
        """Median seconds of oy-tok on one processor, without those of an empty input."""
        seconds = {}
        for source in [os.devnull, path]:
            some = []
            for _ in range(self.runs):
                start = self.now()
                run([os.path.join(self.bin, "oy-tok"), command, "-T", "1", "-t", self.tokenizer(name), source], stdout=subprocess.DEVNULL)
                some.append(self.now() - start)
            seconds[source] = statistics.median(some)
        return seconds[path] - seconds[os.devnull]

    def end_to_end(self, name, text, size, in_memory):
        encode = size / 1e6 / self.whole("encode", name, self.file(text, "jsonl"))
        count = size / 1e6 / self.whole("count", name, self.file(text, "jsonl"))
        print("| %s | %s | %.0f | %.0f | %.0f%% | %.0f |" % (name, text, in_memory, encode, 100 * encode / in_memory, count), flush=True)

    def threads(self, name, text):
        speed = {n: [statistics.median(r["seconds"][k] for r in [self.ours(name, text, n) for _ in range(self.runs)]) for k in (0, 1)] for n in (1, 2)}
        print("| %s | %s | %.2f | %.2f |" % (name, text, speed[1][0] / speed[2][0], speed[1][1] / speed[2][1]), flush=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--build", default="build")
    p.add_argument("--runs", type=int, default=5)
    p.add_argument("--peers", default=os.environ.get("OYSTER_PEERS", "python3"))
    p.add_argument("--cpu", action="store_true", help="processor time instead of wall time, for a machine that does other work too")
    p.add_argument("--tokenizers", default=TOKENIZERS)
    p.add_argument("--texts", default="mix,en,zh,code")
    a = p.parse_args()
    corpora = os.path.join(SHARED, "data", "corpora")
    if not os.path.isdir(corpora):
        print("encode: left out, no corpora in %s" % corpora)
        return
    names, wanted, in_memory = a.tokenizers.split(","), a.texts.split(","), {}
    with tempfile.TemporaryDirectory() as folder:
        sizes = texts.build(corpora, folder)
        bench = Bench(a, folder)
        print("| tokenizer | text | ours first / again, MB/s | fastokens | gigatoken | ratio first / again |\n|---|---|--:|--:|--:|--:|")
        for name in names:
            for text in wanted:
                in_memory[name, text] = bench.compare(name, text, sizes[text])[0]
        print("\n| tokenizer | text | in memory, MB/s | oy-tok encode | of it | oy-tok count |\n|---|---|--:|--:|--:|--:|")
        for text in wanted:
            bench.end_to_end(names[0], text, sizes[text], in_memory[names[0], text])
        print("\n| tokenizer | text | 2 threads by 1, first | again |\n|---|---|--:|--:|")
        for text in wanted:
            bench.threads(names[0], text)


if __name__ == "__main__":
    main()
