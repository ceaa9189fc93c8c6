#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Side-by-side timings: each case runs ours and the peer's in turn and prints medians and ratios.

Usage: run.py [--build build] [--runs 5] [--peers PYTHON] [CASE...]

Our programs are timed as whole processes (start-up, reading and writing included). A Python peer prints the seconds that its work took, imports and
loading left out, so that the ratio leans its way. Both sides are held to one processor unless the case says otherwise. Peers come from the Python
given with --peers (default: $OYSTER_PEERS, else python3); a peer that is not installed is left out and said so. Texts: $OYSTER_SHARED/data (default
../shared) when it is there, else a corpus made of the bundled crawl.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SHARED = os.environ.get("OYSTER_SHARED", os.path.join(ROOT, "..", "shared"))


def run_once(command, stdout, cpus):
    """Wall and processor seconds, peak MB, standard error of one process."""
    pin = ["taskset", "-c", ",".join(map(str, range(cpus)))] if shutil.which("taskset") else []
    with tempfile.TemporaryFile() as err:
        start = os.times().elapsed
        child = subprocess.Popen(pin + command, stdout=stdout, stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        wall = os.times().elapsed - start
        err.seek(0)
        text = err.read().decode(errors="replace")
    if status:
        raise RuntimeError(f"{command[0]} ended with {status}: {text[-300:]}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text


class Case:
    def __init__(self, name, size, ours, peer=None, peer_name="", cpus=1, unit="MB/s"):
        self.name, self.size, self.ours, self.peer = name, size, ours, peer
        self.peer_name, self.cpus, self.unit = peer_name, cpus, unit


def measure(case, runs, python):
    mine, theirs, mine_rss, their_rss, note = [], [], 0, 0, ""
    for i in range(runs + 1):                      # the first warms caches and is not counted
        wall, cpu, rss, _ = run_once(case.ours, subprocess.DEVNULL, case.cpus)
        if i:
            mine.append(wall)
            mine_rss = max(mine_rss, rss)
        if not case.peer or note:
            continue
        command = [python if c == "PYTHON" else c for c in case.peer]
        with tempfile.TemporaryFile() as out:
            try:
                wall, cpu, rss, _ = run_once(command, out, case.cpus)
            except (RuntimeError, OSError) as e:
                note = f"{case.peer_name} left out: {str(e).strip().splitlines()[-1][:90]}"
                continue
            out.seek(0)
            head = out.read(4096)
        if command[0] == python and head.startswith(b"{"):
            wall = json.loads(head)["seconds"]
        if i:
            theirs.append(wall)
            their_rss = max(their_rss, rss)
    return mine, theirs, mine_rss, their_rss, note


def corpus(folder):
    """JSONL files of English text (about 43 MB, else 6 MB) and of 24 MB of mixed text."""
    en = os.path.join(folder, "en.jsonl")
    source = os.path.join(SHARED, "data", "corpora", "en", "debian_docs_en.jsonl.zst")
    if os.path.exists(source):
        with open(en, "wb") as f, open(source, "rb") as z:
            subprocess.run(["zstd", "-dcq"], stdin=z, stdout=f, check=True)
    else:
        subprocess.run([os.path.join(BIN, "oy-cat"), "-o", en, os.path.join(ROOT, "manifests", "demo", "crawl.warc.gz")], check=True)
    return en


def training_corpus(folder):
    """62 MB of English, Chinese and code as one JSONL file; None without the shared texts."""
    parts = ["en/debian_docs_en", "zh/debian_docs_zh_cn", "code/python_stdlib"]
    sources = [os.path.join(SHARED, "data", "corpora", p + ".jsonl.zst") for p in parts]
    path = os.path.join(folder, "train62.jsonl")
    if not all(map(os.path.exists, sources)):
        return None
    with open(path, "wb") as f:
        subprocess.run(["zstd", "-dcq", *sources], stdout=f, check=True)
    return path


def cases(folder):
    en = corpus(folder)
    size = os.path.getsize(en) / 1e6
    big = os.path.join(folder, "big.jsonl")
    with open(big, "wb") as f:
        for _ in range(max(1, int(400 / size))):
            with open(en, "rb") as part:
                shutil.copyfileobj(part, f)    # in pieces: a child's peak begins at ours
    large = os.path.getsize(big) / 1e6
    subprocess.run(["zstd", "-q", "-f", big, "-o", big + ".zst"], check=True)
    oy = lambda name: os.path.join(BIN, name)
    peer = lambda name, *more: ["PYTHON", os.path.join(HERE, "peers", name + ".py"), en, *more]
    tok = os.path.join(SHARED, "data", "tokenizers", "llama3", "tokenizer.json.zst")
    yield Case("cat_plain", large, [oy("oy-cat"), "-T", "1", big], ["cat", big], "cat")
    yield Case("cat_zstd", large, [oy("oy-cat"), "-T", "1", big + ".zst"], ["zstd", "-dcq", big + ".zst"], "zstd -dc", cpus=2)
    yield Case("clean", size, [oy("oy-clean"), "-T", "1", "--rules", "gopher_quality,gopher_repetition,fineweb_quality", "--words", "ws", en],
               peer("clean_datatrove"), "datatrove (words = str.split)")
    yield Case("dedup_exact", large, [oy("oy-dedup"), "-T", "1", "--exact", big], peer("exact_set"), "Python set of xxh64")
    yield Case("dedup_near", size, [oy("oy-dedup"), "-T", "1", "--near", "--words", "ws", en], peer("minhash_datatrove"), "datatrove signatures (words = str.split)")
    yield Case("bpe_32k", size, [oy("oy-bpe"), "-T", "1", "--vocab-size", "32768", "--pre", "gpt2", "--special", "<|endoftext|>", en],
               peer("bpe_tokenizers"), "tokenizers")
    mix = training_corpus(folder)
    for cpus in (1, 2) if mix else ():
        yield Case(f"bpe_62mb_{cpus}t", os.path.getsize(mix) / 1e6, [oy("oy-bpe"), "-T", str(cpus), "--vocab-size", "32768", "--pre", "gpt2", "--unit", "line",
                   "--initial-alphabet", "none", "--special", "<|endoftext|>", mix],
                   ["PYTHON", os.path.join(HERE, "peers", "bpe_gigabpe.py"), mix, str(cpus)], "gigabpe", cpus)
    if os.path.exists(tok):
        yield Case("tok_encode", size, [oy("oy-tok"), "encode", "-T", "1", "-t", tok, en], peer("encode_tokenizers", tok), "tokenizers")


def main():
    global BIN
    p = argparse.ArgumentParser()
    p.add_argument("--build", default="build")
    p.add_argument("--runs", type=int, default=5)
    p.add_argument("--peers", default=os.environ.get("OYSTER_PEERS", "python3"))
    p.add_argument("case", nargs="*")
    a = p.parse_args()
    BIN = os.path.join(ROOT, a.build, "bin")
    with tempfile.TemporaryDirectory() as folder:
        print("| case | ours | peer | peer's | ratio | our peak MB | peer's peak MB |\n|---|--:|---|--:|--:|--:|--:|")
        for case in cases(folder):
            if a.case and case.name not in a.case:
                continue
            mine, theirs, mine_rss, their_rss, note = measure(case, a.runs, a.peers)
            m = case.size / statistics.median(mine)
            row = f"| {case.name} | {m:,.1f} {case.unit} | {note or case.peer_name or '-'} |"
            if theirs:
                t = case.size / statistics.median(theirs)
                row += f" {t:,.1f} | {m / t:.2f} | {mine_rss:.0f} | {their_rss:.0f} |"
            else:
                row += f" - | - | {mine_rss:.0f} | - |"
            print(row, flush=True)


main()
