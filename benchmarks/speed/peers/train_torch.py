# SPDX-License-Identifier: Apache-2.0
"""torch and transformers as installed: forward, backward, clip and fused AdamW of the 26M Llama shape, f32, 8 x 512 tokens a step. Arguments: threads, steps."""
import json
import sys
import time

import torch
from transformers import LlamaConfig, LlamaForCausalLM

threads, steps = int(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(threads)
torch.manual_seed(0)
model = LlamaForCausalLM(LlamaConfig(vocab_size=6400, hidden_size=512, num_hidden_layers=8, num_attention_heads=8, num_key_value_heads=2,
                                     intermediate_size=1408, tie_word_embeddings=True))
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-4, fused=True)
ids = torch.randint(0, 6400, (8, 513))


def step():
    loss = model(input_ids=ids[:, :-1], labels=ids[:, :-1]).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()


step()
start = time.perf_counter()
for _ in range(steps):
    step()
print(json.dumps({"seconds": time.perf_counter() - start}))
