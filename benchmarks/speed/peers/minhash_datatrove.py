# SPDX-License-Identifier: Apache-2.0
"""datatrove's MinHash signatures (14 x 8, xxh64) with words = str.split; its sorting and clustering stages are not even counted."""
import json
import sys
import time

from datatrove.pipeline.dedup import minhash
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature

for name in ("split_into_words",):
    if hasattr(minhash, name):
        setattr(minhash, name, lambda text, language=None: text.split())


class Split:
    def word_tokenize(self, text):
        return text.split()


step = MinhashDedupSignature("/tmp", MinhashConfig())
try:
    step.word_tokenizer = Split()
except AttributeError:
    pass
texts = [json.loads(line)["text"] for i, line in enumerate(open(sys.argv[1], encoding="utf-8")) if i % 8 == 0]
start = time.process_time()
for t in texts:
    shingles = step.get_shingles(t)
    if shingles.size:
        step.get_signature(shingles)
print(json.dumps({"seconds": (time.process_time() - start) * 8}))
