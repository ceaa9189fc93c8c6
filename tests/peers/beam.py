#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""oy-gen --beam beside transformers' beam search, on small random models.

Arguments: folder of the programs. Every beam of every search must have the same tokens.
"""
import json
import random
import subprocess
import sys
import tempfile

import torch
from transformers import LlamaConfig, LlamaForCausalLM

SETTINGS = [  # beams, length penalty, early stopping, repetition, n-gram
    (4, 1.0, False, 1.0, 0),
    (3, 0.5, True, 1.0, 0),
    (5, 2.0, "never", 1.0, 0),
    (4, -1.0, False, 1.3, 0),
    (4, 1.0, False, 1.0, 2),
    (2, 0.0, "never", 1.0, 0),
]
MAX_NEW = 15


def make_model(seed, end, folder):
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=61, hidden_size=32, intermediate_size=48,
        num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        max_position_embeddings=128, tie_word_embeddings=False,
        eos_token_id=end, bos_token_id=1, pad_token_id=0)
    model = LlamaForCausalLM(config).eval()
    with torch.no_grad():
        for p in model.parameters():
            if p.dim() == 2:
                p.mul_(6)  # so that the choice matters
        model.lm_head.weight[end] *= 1.5
    model.generation_config.eos_token_id = end
    model.save_pretrained(folder)
    return model


def until(row, end):
    for i, token in enumerate(row):
        if token in end:
            return row[:i]
    return row


def theirs(model, prompt, end, setting):
    beams, penalty, early, repetition, ngram = setting
    with torch.no_grad():
        out = model.generate(
            torch.tensor([prompt]), num_beams=beams,
            num_return_sequences=beams, length_penalty=penalty,
            early_stopping=early, repetition_penalty=repetition,
            no_repeat_ngram_size=ngram, max_new_tokens=MAX_NEW,
            do_sample=False)
    return [until(row[len(prompt):], end) for row in out.tolist()]


def ours(program, folder, prompts, setting):
    beams, penalty, early, repetition, ngram = setting
    args = [program, "--model", folder, "--with-ids", "--beam", beams,
            "--n", beams, "--length-penalty", penalty, "--early-stopping",
            str(early).lower(), "--repetition-penalty", repetition,
            "--no-repeat-ngram", ngram, "--max-tokens", MAX_NEW]
    data = "".join(json.dumps({"ids": p}) + "\n" for p in prompts)
    out = subprocess.run([str(a) for a in args], input=data, text=True,
                         capture_output=True, check=True).stdout
    ids = [json.loads(line)["completion_ids"] for line in out.splitlines()]
    return [ids[i:i + beams] for i in range(0, len(ids), beams)]


def main():
    program = sys.argv[1] + "/oy-gen"
    n = n_bad = 0
    for seed in range(2):
        end = [3] if seed % 2 == 0 else [3, 5]
        with tempfile.TemporaryDirectory() as folder:
            model = make_model(seed, end, folder)
            rng = random.Random(seed)
            prompts = [[rng.randrange(6, 61) for _ in range(3 + i % 4)]
                       for i in range(12)]
            for setting in SETTINGS:
                got = ours(program, folder, prompts, setting)
                for prompt, found in zip(prompts, got):
                    n += 1
                    want = theirs(model, prompt, end, setting)
                    if found != want:
                        n_bad += 1
                        print("not ok -", setting, prompt, found, want)
    print(f"{n} searches, {n_bad} differ")
    return n_bad > 0


if __name__ == "__main__":
    sys.exit(main())
