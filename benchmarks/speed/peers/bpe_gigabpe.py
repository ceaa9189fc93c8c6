# SPDX-License-Identifier: Apache-2.0
"""gigabpe, GPT-2 pre-tokeniser, 32,768 entries: bpe_gigabpe.py CORPUS.jsonl THREADS. The text file that it reads is made before the clock starts."""
import json
import os
import sys
import tempfile
import time

import gigabpe

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "corpus.txt")
    with open(sys.argv[1], encoding="utf-8") as lines, open(path, "w", encoding="utf-8") as out:
        for line in lines:
            text = json.loads(line)["text"]
            out.write(text if text.endswith("\n") else text + "\n")
    start = time.perf_counter()
    gigabpe.train_tokenizer([path], 32768, os.path.join(folder, "tokenizer.json"), special_tokens=["<|endoftext|>"], pretokenizer="bytelevel",
                            threads=int(sys.argv[2]))
    print(json.dumps({"seconds": time.perf_counter() - start}))
