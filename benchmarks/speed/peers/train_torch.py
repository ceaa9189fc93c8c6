# SPDX-License-Identifier: Apache-2.0
"""torch and transformers: forward, backward, clip and fused AdamW of a Llama or Qwen3 shape on rows of random ids, as seconds of each step (JSON).

Arguments: threads, steps, config.json, f32 or bf16 (autocast), rows and length of a step. The first step warms up and is not counted.
"""
import contextlib
import json
import sys
import time

import torch
from transformers import AutoConfig, AutoModelForCausalLM

threads, steps = int(sys.argv[1]), int(sys.argv[2])
kind = sys.argv[4]
rows, length = int(sys.argv[5]), int(sys.argv[6])
torch.set_num_threads(threads)
torch.manual_seed(0)
with open(sys.argv[3]) as f:
    shape = json.load(f)
config = AutoConfig.for_model(shape.pop("model_type"), **shape)
model = AutoModelForCausalLM.from_config(config, dtype=torch.float32, attn_implementation="sdpa")
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-4, fused=True)
ids = torch.randint(0, config.vocab_size, (rows, length + 1))
inputs, labels = ids[:, :-1], ids[:, 1:].clone()


def step():
    with torch.autocast("cpu", torch.bfloat16) if kind == "bf16" else contextlib.nullcontext():
        loss = model(input_ids=inputs, labels=labels, shift_labels=labels).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()


step()
seconds = []
for _ in range(steps):
    start = time.perf_counter()
    step()
    seconds.append(time.perf_counter() - start)
print(json.dumps(seconds))
