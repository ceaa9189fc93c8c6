# SPDX-License-Identifier: Apache-2.0
"""Tiny random models with experts or linear attention, written by transformers: the same logits as there.

Each is also read with its experts fused in one tensor a layer; gpt_oss also as MXFP4. Arguments: folder of the programs (others are ignored).
"""
import json
import os
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

programs = sys.argv[1]
SIZE = dict(vocab_size=83, hidden_size=32, intermediate_size=40, num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=2, head_dim=8,
            max_position_embeddings=128, tie_word_embeddings=False)
QWEN = dict(num_experts=6, num_experts_per_tok=2, moe_intermediate_size=24)
YARN = dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=16, mscale=1.0, mscale_all_dim=0.8)
LATENT = dict(kv_lora_rank=16, q_lora_rank=20, qk_rope_head_dim=8, qk_nope_head_dim=12, v_head_dim=24, n_routed_experts=8, num_experts_per_tok=3, n_group=4,
              topk_group=2, n_shared_experts=2, moe_intermediate_size=16, first_k_dense_replace=1, num_key_value_heads=4)
CASES = [
    ("qwen2_moe", QWEN | dict(shared_expert_intermediate_size=20, mlp_only_layers=[1])),
    ("qwen2_moe", QWEN | dict(shared_expert_intermediate_size=20, norm_topk_prob=True, use_sliding_window=True, sliding_window=8, max_window_layers=3)),
    ("qwen2_moe", QWEN | dict(shared_expert_intermediate_size=20, decoder_sparse_step=2, qkv_bias=False, tie_word_embeddings=True)),
    ("qwen3_moe", QWEN | dict(norm_topk_prob=True)),
    ("qwen3_moe", QWEN | dict(use_sliding_window=True, sliding_window=8, mlp_only_layers=[0], attention_bias=True)),
    ("mixtral", dict(num_local_experts=5, num_experts_per_tok=2, sliding_window=8)),
    ("deepseek_v3", LATENT | dict(rope_parameters=YARN)),
    ("deepseek_v3", LATENT | dict(q_lora_rank=None, rope_interleave=False, norm_topk_prob=False, n_group=1, topk_group=1)),
    ("gpt_oss", dict(num_local_experts=6, num_experts_per_tok=3, sliding_window=8, head_dim=16, intermediate_size=32)),
    ("qwen3_next", QWEN | dict(shared_expert_intermediate_size=20, linear_num_key_heads=2, linear_num_value_heads=6, linear_key_head_dim=10,
                               linear_value_head_dim=14, head_dim=16, num_hidden_layers=5, mlp_only_layers=[2])),
    ("qwen3_next", QWEN | dict(shared_expert_intermediate_size=20, linear_num_key_heads=2, linear_num_value_heads=2, linear_key_head_dim=8,
                               linear_value_head_dim=8, head_dim=16, linear_conv_kernel_dim=2,
                               layer_types=["linear_attention", "full_attention", "linear_attention", "linear_attention"])),
    ("minimax", dict(num_local_experts=4, num_experts_per_tok=2, block_size=16, mlp_alpha_factor=1.3, linear_attn_beta_factor=0.7)),
    ("minimax", dict(num_local_experts=4, num_experts_per_tok=1, block_size=8, layer_types=["linear_attention"] * 3 + ["full_attention"])),
]


def make(family, more, seed, folder):
    torch.manual_seed(seed)
    config = AutoConfig.for_model(family, **(SIZE | more), pad_token_id=0, bos_token_id=1, eos_token_id=2)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    for name, p in list(model.named_parameters()) + [(n, b) for n, b in model.named_buffers() if "correction" in n]:
        with torch.no_grad():
            p.copy_(torch.randn(p.shape) * (0.15 if p.ndim == 1 else 0.25) + (1 if p.ndim == 1 and p.abs().max() == 1 else 0))
    model.save_pretrained(folder)
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager", experts_implementation="eager").eval()


def ours(folder, rows, scratch):
    lines = "".join(json.dumps({"type": "loglikelihood", "context_ids": r[:1], "continuation_ids": r[1:]}) + "\n" for r in rows)
    logits = os.path.join(scratch, "logits.safetensors")
    run = subprocess.run([os.path.join(programs, "oy-score"), "--model", folder, "--dtype", "f32", "--logits", logits], input=lines.encode(), capture_output=True)
    assert run.returncode == 0, run.stderr.decode()
    file = load_file(logits)
    return [file[f"logits.{n}"] for n in range(len(rows))]


def fuse(folder):
    """Experts of a layer in one tensor, as transformers has them in memory."""
    path = os.path.join(folder, "model.safetensors")
    file, kinds, out = load_file(path), {"gate_proj": 0, "w1": 0, "up_proj": 1, "w3": 1, "down_proj": 2, "w2": 2}, {}
    groups = {}
    for name, tensor in file.items():
        front, experts, back = name.partition(".experts.")
        if not experts or not back.split(".")[0].isdigit():
            out[name] = tensor
            continue
        number, kind = back.split(".")[:2]
        groups.setdefault(front, {})[int(number), kinds[kind]] = tensor
    for front, parts in groups.items():
        n = 1 + max(e for e, _ in parts)
        out[front + ".experts.gate_up_proj"] = torch.stack([torch.cat([parts[e, 0], parts[e, 1]]) for e in range(n)])
        out[front + ".experts.down_proj"] = torch.stack([parts[e, 2] for e in range(n)])
    save_file(out, path, {"format": "pt"})
    return bool(groups)


def to_mxfp4(folder):
    """Replaces gpt_oss' experts by blocks and scales; leaves what these stand for beside them, for the peer."""
    values = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6])
    path = os.path.join(folder, "model.safetensors")
    packed, plain = {}, {}
    for name, tensor in load_file(path).items():
        if not name.endswith(("experts.gate_up_proj", "experts.down_proj")):
            packed[name] = plain[name] = tensor
            continue
        rows = tensor.transpose(1, 2).reshape(*tensor.transpose(1, 2).shape[:2], -1, 32)
        scale = torch.floor(torch.log2(rows.abs().amax(-1))) - 2
        code = (rows / 2 ** scale[..., None]).unsqueeze(-1).sub(values).abs().argmin(-1)
        packed[name + "_blocks"] = (code[..., 0::2] | code[..., 1::2] << 4).to(torch.uint8)
        packed[name + "_scales"] = (scale + 127).to(torch.uint8)
        plain[name] = (values[code] * 2 ** scale[..., None]).flatten(-2).transpose(1, 2).contiguous()
    save_file(plain, path, {"format": "pt"})
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager", experts_implementation="eager").eval()
    save_file(packed, path, {"format": "pt"})
    return model


def logits(model, rows):
    with torch.no_grad():
        return [model(torch.tensor([r]), use_cache=False).logits[0, :-1] for r in rows]


def distance(got, want):
    return max((a - b).abs().max().item() / b.abs().max().item() for a, b in zip(got, want))


def compare(what, model, folder, rows, scratch):
    """Distance to the peer in float64: at most four times that of the peer in float32."""
    want = logits(model.double(), rows)
    worst, noise = distance(ours(folder, rows, scratch), want), distance(logits(model.float(), rows), want)
    assert worst < max(1e-5, 4 * noise), f"{what}: logits differ by {worst:.1e} of the largest, the peer's own by {noise:.1e}"
    return worst


worst, n = 0, 0
for number, (family, more) in enumerate(CASES):
    with tempfile.TemporaryDirectory() as scratch:
        folder = os.path.join(scratch, "model")
        model = make(family, more, number, folder)
        rows = torch.randint(3, 83, (3, 50)).tolist()
        worst, n = max(worst, compare(f"{number} {family}", model, folder, rows, scratch)), n + 1
        if fuse(folder):
            worst, n = max(worst, compare(f"{number} {family}, fused", model, folder, rows, scratch)), n + 1
        if family == "gpt_oss":
            worst, n = max(worst, compare(f"{number} {family}, MXFP4", to_mxfp4(folder), folder, rows, scratch)), n + 1
print(f"mixed: {n} models with experts or linear attention, logits within {worst:.1e} of the largest")
