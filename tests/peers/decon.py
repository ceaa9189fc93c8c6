#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""oy-decon beside datatrove's n-gram decontamination, on random documents.

    [RUNS=4000] decon.py [BIN [IGNORED]...]

Documents are made of few words, so that n-grams of 4 words are shared often;
verdict, n-gram and task must be equal for all.
"""
import json
import os
import random
import subprocess
import sys
import tempfile

del sys.path[0]  # its html.py is not Python's

try:
    from datatrove.data import Document
    from datatrove.pipeline.decont.n_grams import (NGramsDecontConfig,
                                                   NGramsDecontFilter,
                                                   NGramsDecontIndexer)
    from datatrove.utils.hashing import create_hash_func
    from datatrove.utils.word_tokenizers import load_word_tokenizer
except ImportError as error:
    print(f"SKIPPED: {error}")
    sys.exit(0)

WORDS = ["a", "The", "don't", "U.S.", "3.14", "1,000", "café", "ΟΔΟΣ", "İx",
         "end.", "(so)", "e-mail", "«là»", "中文字", ":-)", "x", "y", "z",
         "\u00a0", "\n", "naïve", "can't", "10km", "—"]


def text_of(rng, most):
    return " ".join(rng.choice(WORDS) for _ in range(rng.randrange(most)))


def parts(cls, config):
    """A step without its constructor, which wants lighteval or a folder."""
    step = object.__new__(cls)
    step.config = config
    step.tokenizer = load_word_tokenizer("en")
    step.hash_func = create_hash_func(config.hash_config)
    step.stat_update = lambda *args, **kwargs: None
    return step


def peer(bench, docs, config):
    indexer = parts(NGramsDecontIndexer, config)
    judge = parts(NGramsDecontFilter, config)
    by_task = {}
    for item in bench:
        hashes = indexer.compute_hashes(item["label"], item.get("query"))
        by_task.setdefault(item["task"], set()).update(hashes)
    judge._index_hashes = {h: task for task in sorted(by_task)
                           for h in by_task[task]}
    out = []
    for doc in docs:
        document = Document(text=doc["text"], id=doc["id"])
        keep = judge.filter(document) is True
        out.append((keep, document.metadata.get("contaminated_ngram"),
                    document.metadata.get("contaminated_task")))
    return out


def ours(program, folder, n, query):
    command = [program, "-T", "1", "--annotate", "--ngram", str(n),
               "--against", f"{folder}/bench.jsonl", f"{folder}/docs.jsonl"]
    run = subprocess.run(command + ["--query"] * query, check=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    marks = [json.loads(line)["oyster"]["decon"]
             for line in run.stdout.splitlines()]
    return [(m["keep"], m["ngram"], m["task"]) for m in marks]


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else "build/bin"
    program = os.path.join(folder, "oy-decon")
    count = int(os.environ.get("RUNS", "4000"))
    rng = random.Random(1)
    bad = 0
    for n, query in ((4, False), (4, True), (12, False), (2, False)):
        bench = [{"task": f"t{rng.randrange(9)}", "query": text_of(rng, 3 * n),
                  "label": text_of(rng, 2 * n)} for _ in range(60)]
        docs = [{"id": str(i), "text": text_of(rng, 60)}
                for i in range(count // 4)]
        for doc in rng.sample(docs, len(docs) // 3):
            item = rng.choice(bench)
            doc["text"] += " " + item["query"] + " " + item["label"]
        with tempfile.TemporaryDirectory() as folder:
            for name, rows in (("bench", bench), ("docs", docs)):
                with open(f"{folder}/{name}.jsonl", "w") as file:
                    file.writelines(json.dumps(row) + "\n" for row in rows)
            have = ours(program, folder, n, query)
        want = peer(bench, docs, NGramsDecontConfig(
            n_grams=n, find_query_ngrams=query))
        differ = [i for i, pair in enumerate(zip(have, want))
                  if pair[0] != pair[1]]
        bad += len(differ) + (len(have) != len(want))
        hits = sum(not keep for keep, _, _ in want)
        print(f"n {n}, query {query}: {len(want)} documents, {hits} "
              f"contaminated, {len(differ)} differ")
        for i in differ[:3]:
            print("  ", docs[i]["text"], have[i], want[i])
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
