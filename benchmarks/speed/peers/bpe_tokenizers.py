# SPDX-License-Identifier: Apache-2.0
"""Hugging Face's BPE trainer, GPT-2 pre-tokeniser, 32,768 entries, one thread."""
import json
import os
import sys
import time

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "true"
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

texts = [json.loads(line)["text"] for line in open(sys.argv[1], encoding="utf-8")]
t = Tokenizer(models.BPE())
t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
trainer = trainers.BpeTrainer(vocab_size=32768, special_tokens=["<|endoftext|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
start = time.perf_counter()
t.train_from_iterator(texts, trainer=trainer)
print(json.dumps({"seconds": time.perf_counter() - start}))
