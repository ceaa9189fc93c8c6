# SPDX-License-Identifier: Apache-2.0
"""fastokens on one thread over texts in memory: prints the seconds of each pass and the digest of the ids of the last.

Usage: encode_fastokens.py TEXTS TOKENIZER_JSON PASSES
"""
import hashlib
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
import fastokens

import texts

documents = texts.read(sys.argv[1])
start = time.perf_counter()
tokenizer = fastokens.Tokenizer.from_file(sys.argv[2])
load = time.perf_counter() - start
seconds, cpu = [], []
for _ in range(int(sys.argv[3])):
    start, cpu_start = time.perf_counter(), time.process_time()
    ids, offsets = tokenizer.encode_batch_flat(documents)
    seconds.append(time.perf_counter() - start)
    cpu.append(time.process_time() - cpu_start)
print(json.dumps({"load": load, "seconds": seconds, "cpu": cpu, "ids": len(ids) // 4, "digest": hashlib.sha256(ids).hexdigest()}))
