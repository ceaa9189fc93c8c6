#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""oy-clean's rules beside their peers: a Markdown table of MB/s by processor time (user and system) and by wall time.

Usage: clean.py [--build build] [--runs 5] [--peers PYTHON] [CASE...]

Ours are whole processes, start-up, reading and writing included, one thread, medians; a round runs every case once, so that a busy machine is busy for
all. MB are those of the JSONL file (en: 43 MB of English documentation, read three times over; HTML: of the pages). Peers are Python's (--peers, default
$OYSTER_PEERS or python3): each works on a sample for some seconds and tells its own processor time, imports left out, and the bytes of that sample in the
same measure; what is not installed is left out. Words of spaCy alone: our rule `length` with --print-words, which writes them, too. The last rows are two
threads by one (wall), and the peak memory of one record of 100 MB.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SHARED = os.environ.get("OYSTER_SHARED", os.path.join(ROOT, "..", "shared"))
PRESETS = os.path.join(ROOT, "pipeline", "presets")


def preset(name, *more):
    return ["--preset", os.path.join(PRESETS, name + ".json"), *more]


def rules(names, *more):
    return ["--rules", names, *more]


def cases():
    """name, options, name of the peer's case or None, MB/s asked for."""
    model = os.path.join(SHARED, "data", "models", "lid176", "lid.176.ftz")
    yield "fineweb, words spacy", preset("fineweb"), "chain_spacy", 50
    yield "fineweb, words ws", preset("fineweb", "--words", "ws"), "chain_ws", 80
    yield "words spacy", rules("length", "--words", "spacy", "--print-words"), "words_spacy", 120
    yield "gopher_quality", rules("gopher_quality", "--words", "ws"), "gopher_quality", 250
    yield "gopher_repetition", rules("gopher_repetition", "--words", "ws"), "gopher_repetition", 150
    yield "fineweb_quality", rules("fineweb_quality", "--words", "ws"), "fineweb_quality", 400
    yield "c4_quality", rules("c4_quality"), "c4_quality", 250
    yield "pii", rules("pii"), "pii", 300
    yield "fix_text", rules("fix_text"), "fix_text", 1000
    yield "symbol_lines", rules("symbol_lines"), "symbol_lines", 800
    if os.path.exists(model):
        yield "language", rules("language", "--lang-model", model, "--annotate"), "language", 80
    yield "dclm", preset("dclm"), None, None
    yield "redpajama", rules("redpajama", "--annotate"), None, None
    yield "dolma_gopher_v2", rules("dolma_gopher_v2", "--annotate"), None, None


def run(command):
    """Wall and processor seconds, peak MB."""
    start = os.times().elapsed
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} ended with {status}")
    return os.times().elapsed - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def corpus(folder, binary):
    path = os.path.join(folder, "en.jsonl")
    source = os.path.join(SHARED, "data", "corpora", "en", "debian_docs_en.jsonl.zst")
    with open(path, "wb") as out:
        for _ in range(3):
            if os.path.exists(source):
                subprocess.run(["zstd", "-dcq", source], stdout=out, check=True)
            else:
                subprocess.run([os.path.join(binary, "oy-cat"), os.path.join(ROOT, "manifests", "demo", "crawl.warc.gz")], stdout=out, check=True)
    return path


def peer_rate(python, name, path):
    """The peer's MB/s, or None and why not."""
    done = subprocess.run([python, os.path.join(HERE, "peers", "clean_rules.py"), name, path, SHARED], capture_output=True, text=True)
    if done.returncode:
        return None
    told = json.loads(done.stdout.splitlines()[-1])
    return told["bytes"] / 1e6 / told["seconds"]


def huge(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w") as f:
        json.dump({"text": text}, f)
    return path


def print_memory(clean, folder):
    line = "It was a dark and stormy night, number %d, and the rain fell.\n"
    text = "".join(line % i for i in range(1650000))
    one = huge(folder, "lines.jsonl", text)
    size = os.path.getsize(one) / 1e6
    print(f"\nPeak memory, one record of {size:.0f} MB and 1.65 million lines (100 MB and three times that: {100 + 3 * size:.0f} MB):\n")
    for name, options, _, _ in cases():
        if "--print-words" not in options:
            print(f"- {name}: {run([clean, '-T', '1', *options, one])[2]:.0f} MB")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--build", default="build")
    p.add_argument("--runs", type=int, default=5)
    p.add_argument("--peers", default=os.environ.get("OYSTER_PEERS", "python3"))
    p.add_argument("--no-memory", action="store_true")
    p.add_argument("case", nargs="*")
    a = p.parse_args()
    binary = os.path.join(a.build if os.path.isabs(a.build) else os.path.join(ROOT, a.build), "bin")
    clean = os.path.join(binary, "oy-clean")
    chosen = [c for c in cases() if not a.case or c[0] in a.case]
    with tempfile.TemporaryDirectory() as folder:
        path = corpus(folder, binary)
        size = os.path.getsize(path) / 1e6
        one, two = {c[0]: [] for c in chosen}, {c[0]: [] for c in chosen}
        for i in range(a.runs + 1):                # the first warms caches
            for name, options, _, _ in chosen:
                first = run([clean, "-T", "1", *options, path])
                second = run([clean, "-T", "2", *options, path])
                if i:
                    one[name].append(first)
                    two[name].append(second)
        print("| rule or preset | processor MB/s | wall MB/s | ask | peer's | ratio | two threads by one | peak MB |\n|---|--:|--:|--:|--:|--:|--:|--:|")
        for name, _, peer, ask in chosen:
            wall, cpu = (statistics.median(r[k] for r in one[name]) for k in (0, 1))
            both = statistics.median(r[0] for r in two[name])
            rate = peer and peer_rate(a.peers, peer, path)
            theirs = f"{rate:.2f} | {size / cpu / rate:.0f}" if rate else "- | -"
            print(f"| {name} | {size / cpu:.1f} | {size / wall:.1f} | {ask or '-'} | {theirs} | {wall / both:.2f} | {max(r[2] for r in one[name]):.0f} |", flush=True)
        if not a.no_memory and not a.case:
            print_memory(clean, folder)


main()
