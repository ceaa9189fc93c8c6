#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tiny random models of each dense family, made by transformers: its logits
against those of oy-score, with both spellings of config.json.

    python3 tests/peers/families.py [BIN]
    python3 tests/peers/families.py --freeze tests/data/model

BIN is the folder of the programs, by default build/bin. --freeze writes the
models that tests/unit/test_engine_golden.c reads.
"""
import json
import os
import struct
import subprocess
import sys
import tempfile

sys.path.pop(0)  # the html.py beside this file is not the library's

import torch
import transformers as tf

BIN = sys.argv[1] if len(sys.argv) > 1 else "build/bin"
BASE = dict(vocab_size=96, hidden_size=32, intermediate_size=64,
            num_hidden_layers=4, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=128,
            bos_token_id=1, eos_token_id=2, pad_token_id=0)
GPT2 = dict(vocab_size=96, n_embd=32, n_layer=3, n_head=4, n_positions=64,
            bos_token_id=1, eos_token_id=2)
YARN = {"rope_type": "yarn", "factor": 4.0, "rope_theta": 10000.0,
        "original_max_position_embeddings": 16}
CASES = {
    "llama mlp_bias": (tf.LlamaConfig, dict(mlp_bias=True)),
    "llama relu yarn": (tf.LlamaConfig, dict(hidden_act="relu",
                                             rope_parameters=dict(YARN))),
    "mistral window": (tf.MistralConfig, dict(sliding_window=7)),
    "qwen2": (tf.Qwen2Config, {}),
    "qwen2 window": (tf.Qwen2Config, dict(use_sliding_window=True,
                                          sliding_window=6,
                                          max_window_layers=2)),
    "qwen3 bias": (tf.Qwen3Config, dict(head_dim=16, attention_bias=True)),
    "gpt2 gelu": (tf.GPT2Config, dict(activation_function="gelu", n_inner=80)),
    "gpt2 unscaled": (tf.GPT2Config, dict(scale_attn_weights=False)),
    "gpt_neox serial": (tf.GPTNeoXConfig, dict(use_parallel_residual=False)),
    "gpt_neox": (tf.GPTNeoXConfig, dict(num_attention_heads=2)),
    "gemma": (tf.GemmaConfig, dict(head_dim=16)),
    "gemma2": (tf.Gemma2Config, dict(head_dim=16, sliding_window=5,
                                     query_pre_attn_scalar=24)),
    "gemma3": (tf.Gemma3TextConfig, dict(head_dim=16, sliding_window=5,
                                         num_hidden_layers=7)),
    "olmo2": (tf.Olmo2Config, {}),
    "olmo3": (tf.Olmo3Config, dict(sliding_window=5)),
    "olmo3 yarn": (tf.Olmo3Config, dict(
        sliding_window=5, rope_parameters={
            "full_attention": dict(YARN),
            "sliding_attention": {"rope_type": "default",
                                  "rope_theta": 10000.0}})),
    "phi3": (tf.Phi3Config, dict(partial_rotary_factor=0.5)),
    "smollm3": (tf.SmolLM3Config, {}),
    "smollm3 window": (tf.SmolLM3Config, dict(
        use_sliding_window=True, sliding_window=5,
        no_rope_layers=[1, 0, 1, 0])),
    "granite": (tf.GraniteConfig, dict(
        embedding_multiplier=3.0, attention_multiplier=0.2,
        residual_multiplier=0.6, logits_scaling=1.7)),
    "granite defaults": (tf.GraniteConfig, {}),
    "starcoder2": (tf.Starcoder2Config, dict(sliding_window=6)),
    "starcoder2 plain": (tf.Starcoder2Config, dict(use_bias=False)),
    "stablelm": (tf.StableLmConfig, dict(use_qkv_bias=True)),
    "stablelm parallel": (tf.StableLmConfig, dict(
        use_parallel_residual=True, qk_layernorm=True,
        partial_rotary_factor=0.5)),
    "exaone4": (tf.Exaone4Config, dict(sliding_window=6,
                                       sliding_window_pattern=4)),
    "exaone4 full": (tf.Exaone4Config, dict(
        sliding_window=None, layer_types=["full_attention"] * 4)),
    "seed_oss": (tf.SeedOssConfig, dict(head_dim=16)),
    "seed_oss biases": (tf.SeedOssConfig, dict(
        head_dim=16, attention_out_bias=True, mlp_bias=True)),
}


SMALL = dict(vocab_size=16, hidden_size=16, intermediate_size=12,
             num_hidden_layers=3, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=64)
FROZEN = {
    "gpt2 gelu": dict(vocab_size=16, n_embd=16, n_layer=2),
    "gpt_neox": SMALL,
    "gemma3": dict(SMALL, head_dim=4, sliding_window=3, layer_types=[
        "sliding_attention", "full_attention", "sliding_attention"]),
    "phi3": dict(SMALL, partial_rotary_factor=1.0, rope_parameters={
        "rope_type": "longrope", "rope_theta": 10000.0,
        "original_max_position_embeddings": 8,
        "short_factor": [1.0, 1.2], "long_factor": [1.5, 3.0]},
        original_max_position_embeddings=8),
    "granite": SMALL,
    "stablelm parallel": SMALL,
    "exaone4": dict(SMALL, sliding_window=3, layer_types=[
        "sliding_attention", "full_attention", "sliding_attention"]),
}


def make(name, seed, smaller={}):
    config_class, changes = CASES[name]
    shape = GPT2 if config_class is tf.GPT2Config else BASE
    changes = {**changes, **smaller}
    torch.manual_seed(seed)
    config = config_class(**{**shape, **changes})
    config._attn_implementation = "eager"
    model = tf.AutoModelForCausalLM.from_config(config).float().eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.normal_(0, 0.15)
            else:
                weight.add_(torch.randn_like(weight) * 0.15)
    return model


def logits_of(folder, ids, work):
    path = os.path.join(work, "logits.safetensors")
    request = {"type": "loglikelihood", "context_ids": ids[:1],
               "continuation_ids": ids[1:]}
    ran = subprocess.run(
        [f"{BIN}/oy-score", "--model", folder, "--dtype", "f32",
         "--logits", path], input=json.dumps(request) + "\n", text=True,
        capture_output=True)
    if ran.returncode:
        return ran.stderr.strip()[-200:]
    raw = open(path, "rb").read()
    size = struct.unpack("<Q", raw[:8])[0]
    entry = json.loads(raw[8:8 + size])["logits.0"]
    begin, end = entry["data_offsets"]
    data = bytearray(raw[8 + size + begin:8 + size + end])
    return torch.frombuffer(data, dtype=torch.float32).view(entry["shape"])


def old_spelling(config):
    """rope_parameters as it was written before transformers 5."""
    rope = config.pop("rope_parameters", None)
    if rope and "rope_theta" in rope:
        config["rope_theta"] = rope.pop("rope_theta")
        part = rope.pop("partial_rotary_factor", None)
        neox = config["model_type"] == "gpt_neox"
        if neox:
            config["rotary_emb_base"] = config.pop("rope_theta")
        if part is not None:
            config["rotary_pct" if neox else "partial_rotary_factor"] = part
        if rope.get("rope_type") != "default":
            config["rope_scaling"] = rope
    elif rope:
        config["rope_theta"] = rope["full_attention"].pop("rope_theta")
        config["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
        if rope["full_attention"].get("rope_type") != "default":
            config["rope_scaling"] = rope["full_attention"]
    config["torch_dtype"] = config.pop("dtype", "float32")
    return config


def freeze(root):
    from safetensors.torch import save_file
    for seed, (name, smaller) in enumerate(FROZEN.items()):
        folder = os.path.join(root, name.replace(" ", "_"))
        make(name, seed, smaller).bfloat16().save_pretrained(folder)
        model = tf.AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager").eval()
        ids = torch.randint(3, 16, (1, 12))
        with torch.no_grad():
            logits = model.double()(ids).logits.float().contiguous()
        save_file({"input_ids": ids, "logits": logits},
                  os.path.join(folder, "expected.safetensors"))
        generation = os.path.join(folder, "generation_config.json")
        if os.path.exists(generation):
            os.remove(generation)


if BIN == "--freeze":
    freeze(sys.argv[2])
    sys.exit()
failed = 0
for seed, name in enumerate(CASES):
    with tempfile.TemporaryDirectory() as work:
        model = make(name, seed)
        folder = os.path.join(work, "model")
        model.save_pretrained(folder)
        ids = torch.randint(3, 96, (30,)).tolist()
        with torch.no_grad():
            want = model(torch.tensor([ids])).logits[0, :-1]
            wide = model.double()(torch.tensor([ids])).logits[0, :-1]
        bound = max(2e-5, 4 * (want - wide).abs().max().item())
        path = os.path.join(folder, "config.json")
        spellings = [json.load(open(path))]
        if not (name.startswith("olmo3")):
            spellings.append(old_spelling(json.load(open(path))))
        for i, config in enumerate(spellings):
            json.dump(config, open(path, "w"))
            got = logits_of(folder, ids, work)
            if isinstance(got, str):
                worst, note = float("inf"), got
            else:
                worst, note = (got - want).abs().max().item(), ""
            good = worst <= bound
            failed += not good
            print(f"{'ok' if good else 'not ok'} - {name}"
                  f"{', old spelling' if i else ''}: {worst:.2g} of "
                  f"{bound:.2g} {note}")
sys.exit(failed > 0)
