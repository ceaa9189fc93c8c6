#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Training steps beside torch: tokens a second and peak memory, ours and the peer's in turn.

Usage: train.py [--build build] [--rounds 5] [--steps 3] [--peers PYTHON] [--shapes 26m,64m] [--types f32,bf16] [--threads 1,2] [--prefix "COMMAND"]

A step is 8 rows of 512 random ids: forward, backward, clipping, AdamW. Each round runs every program once, a process each; the first step of a process warms
up and is not counted; figures are medians over all other steps of all rounds. torch runs as installed, and tuned: its allocator told to keep memory and its
matrix library told to use AVX-512 whoever made the processor. --prefix is put before every command (such as one that keeps others away). GF/s are by 6 times
the weights of products and causal attention counted half.
"""
import argparse
import json
import os
import random
import shlex
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
ROWS, LENGTH, VOCABULARY = 8, 512, 6400
SHAPES = {"26m": dict(model_type="llama", hidden_size=512, num_hidden_layers=8, num_attention_heads=8, num_key_value_heads=2, intermediate_size=1408),
          "64m": dict(model_type="qwen3", hidden_size=768, num_hidden_layers=8, num_attention_heads=8, num_key_value_heads=4, intermediate_size=2432)}
COMMON = dict(vocab_size=VOCABULARY, max_position_embeddings=2048, rms_norm_eps=1e-5, rope_theta=10000.0, tie_word_embeddings=True, hidden_act="silu")
# glibc gives big blocks back to the system after each use, unless it is told not to.
TUNED = {"MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "68719476736", "MALLOC_TOP_PAD_": "67108864"}


def config_of(name, folder):
    shape = dict(SHAPES[name], **COMMON)
    shape["head_dim"] = shape["hidden_size"] // shape["num_attention_heads"]
    path = os.path.join(folder, name + ".json")
    with open(path, "w") as f:
        json.dump(shape, f)
    return path


def operations(name):
    """Of a token, forward and back."""
    s = SHAPES[name]
    dim, head = s["hidden_size"], s["hidden_size"] // s["num_attention_heads"]
    layer = dim * head * (2 * s["num_attention_heads"] + 2 * s["num_key_value_heads"]) + 3 * dim * s["intermediate_size"]
    return 6 * (s["num_hidden_layers"] * layer + dim * VOCABULARY) + 6 * s["num_hidden_layers"] * LENGTH * dim


def write_rows(path, n):
    rng = random.Random(1)
    with open(path, "w") as f:
        for _ in range(n):
            f.write(json.dumps({"ids": [rng.randrange(VOCABULARY) for _ in range(LENGTH + 1)]}) + "\n")


def mkl_on_any_processor(folder):
    """A library that says yes to MKL's question; None without a compiler."""
    source, library = os.path.join(folder, "mkl.c"), os.path.join(folder, "mkl.so")
    with open(source, "w") as f:
        f.write("int mkl_serv_intel_cpu_true(void) { return 1; }\n")
    done = subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-o", library, source], stderr=subprocess.DEVNULL)
    return library if done.returncode == 0 else None


def run(command, prefix, environment):
    """Standard output and peak MB; None when it fails."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        timed = ["/usr/bin/env", "python3", "-c", PEAK, *command]
        done = subprocess.run(prefix + timed, stdout=out, stderr=err, env=dict(os.environ, **environment))
        out.seek(0)
        err.seek(0)
        text, said = out.read().decode(), err.read().decode().strip().splitlines()
    if done.returncode or not said:
        print(f"left out: {' '.join(command[:3])}: {said[-2] if len(said) > 1 else done.returncode}", file=sys.stderr)
        return None
    return text, float(said[-1].split()[-1])


# Runs a command and ends standard error with its peak in MB.
PEAK = """
import os, sys
child = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(child, 0)
print("\\npeak", usage.ru_maxrss / 1024, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status) != 0)
"""


class Program:
    def __init__(self, command, read, environment=None):
        self.command, self.read, self.environment = command, read, environment or {}
        self.seconds, self.peak, self.works = [], 0, True

    def round(self, prefix):
        got = run(self.command, prefix, self.environment) if self.works else None
        self.works = got is not None
        if got:
            self.seconds += self.read(got[0])
            self.peak = max(self.peak, got[1])

    def speed(self):
        return ROWS * LENGTH / statistics.median(self.seconds) if self.seconds else 0


def ours(options, folder, name, kind, threads):
    log = os.path.join(folder, f"log-{name}-{kind}-{threads}.jsonl")

    def read(_):
        with open(log) as f:
            steps = [json.loads(line) for line in f]
        return [ROWS * LENGTH / s["tokens_per_second"] for s in steps[1:] if "loss" in s]

    return Program([os.path.join(ROOT, options.build, "bin", "oy-train"), "-T", str(threads), "--config-model", config_of(name, folder), "--dtype", kind,
                    "--steps", str(options.steps + 1), "--batch-rows", str(ROWS), "--seq-len", str(LENGTH), "--log", log, "-o",
                    os.path.join(folder, "checkpoint"), os.path.join(folder, "rows.jsonl")], read)


def torch(options, folder, name, kind, threads, environment):
    return Program([options.peers, os.path.join(HERE, "peers", "train_torch.py"), str(threads), str(options.steps), config_of(name, folder), kind, str(ROWS),
                    str(LENGTH)], lambda text: json.loads(text), environment)


def put_row(name, kind, threads, mine, peers):
    flops = operations(name) * 1e-9
    cells = [f"{name} {kind}", str(threads), f"{mine.speed():.0f} ({mine.speed() * flops:.0f})", f"{mine.peak:.0f}"]
    for peer in peers:
        speed = peer.speed()
        cells += [f"{speed:.0f} ({speed * flops:.0f})", f"{mine.speed() / speed:.2f}", f"{peer.peak:.0f}"] if speed else ["-"] * 3
    print("| " + " | ".join(cells) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--peers", default=os.environ.get("OYSTER_PEERS", "python3"))
    parser.add_argument("--shapes", default="26m,64m")
    parser.add_argument("--types", default="f32,bf16")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--prefix", default="")
    options = parser.parse_args()
    print("| shape | threads | ours tok/s (GF/s) | MB | torch as installed | ratio | MB | torch tuned | ratio | MB |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        write_rows(os.path.join(folder, "rows.jsonl"), ROWS * (options.steps + 1))
        library = mkl_on_any_processor(folder)
        tuned = dict(TUNED, **({"LD_PRELOAD": library} if library else {}))
        for name in options.shapes.split(","):
            for kind in options.types.split(","):
                for threads in map(int, options.threads.split(",")):
                    programs = [ours(options, folder, name, kind, threads), *(torch(options, folder, name, kind, threads, e) for e in ({}, tuned))]
                    for _ in range(options.rounds):
                        for program in programs:
                            program.round(shlex.split(options.prefix))
                    put_row(name, kind, threads, programs[0], programs[1:])


main()
