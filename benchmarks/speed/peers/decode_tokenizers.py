# SPDX-License-Identifier: Apache-2.0
"""Hugging Face's decode_batch on one thread over an eighth of the documents: texts as texts.py writes them, a tokenizer."""
import json
import os
import struct
import subprocess
import sys
import time

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
from tokenizers import Tokenizer

t = Tokenizer.from_str(subprocess.run(["zstd", "-dcq"], stdin=open(sys.argv[2], "rb"), capture_output=True).stdout.decode())
data, at, texts = open(sys.argv[1], "rb").read(), 0, []
while at < len(data):
    (size,) = struct.unpack_from("<I", data, at)
    texts.append(data[at + 4:at + 4 + size].decode())
    at += 4 + size
ids = [e.ids for e in t.encode_batch_fast(texts[::8], add_special_tokens=False)]
start = time.process_time()
out = t.decode_batch(ids, skip_special_tokens=False)
print(json.dumps({"cpu": time.process_time() - start, "bytes": sum(len(x.encode()) for x in out)}))
