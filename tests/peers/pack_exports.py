#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""oy-pack --export as nanoGPT, llm.c and Megatron read it.

    python3 tests/peers/pack_exports.py [BIN [IGNORED]...]

BIN is the folder of the programs, by default build/bin. Needs numpy and
tokenizers, and the tokenizers and texts of $OYSTER_SHARED (default ../shared).
The readers below follow the projects' own: train.py of nanoGPT (a memory map
of uint16), data_common.py and dataloader.h of llm.c (256 int32 in front),
indexed_dataset.py of Megatron-LM (an index of lengths, places, documents).
"""
import glob
import json
import os
import pickle
import struct
import subprocess
import sys
import tempfile

import numpy as np
from tokenizers import Tokenizer

BIN = sys.argv[1] if len(sys.argv) > 1 else "build/bin"
SHARED = os.environ.get("OYSTER_SHARED", "../shared")
N_DOCUMENT = 300


def unpack(path):
    with open(path, "rb") as file:
        return subprocess.run(["zstd", "-dcq"], stdin=file, check=True,
                              capture_output=True).stdout


def texts_of():
    path = sorted(glob.glob(os.path.join(SHARED, "data/corpora/*/*.jsonl.zst")))
    texts = []
    for line in unpack(path[0]).splitlines():
        texts.append(json.loads(line)["text"])
        if len(texts) == N_DOCUMENT:
            break
    return texts + ["short", "", "中文字 and 👍"]


def load(name, folder):
    source = os.path.join(SHARED, "data/tokenizers", name)
    os.makedirs(folder)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        path = os.path.join(source, file + ".zst")
        if os.path.exists(path):
            with open(os.path.join(folder, file), "wb") as out:
                out.write(unpack(path))
    return Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))


def pack(folder, texts, *options):
    data = "".join(json.dumps({"text": t}) + "\n" for t in texts)
    done = subprocess.run([os.path.join(BIN, "oy-pack"), "-t", folder,
                           *options], input=data.encode(), capture_output=True)
    if done.returncode:
        raise SystemExit(f"oy-pack {options}: {done.stderr.decode()}")


def check(*paths):
    """oy-check's exit code."""
    return subprocess.run([os.path.join(BIN, "oy-check"), *paths],
                          capture_output=True).returncode


def read_llmc(path):
    with open(path, "rb") as file:
        header = np.frombuffer(file.read(1024), dtype=np.int32)
        magic, version, n = header[:3]
        width = {(20240520, 1): np.uint16, (20240801, 7): np.uint32}
        ids = np.frombuffer(file.read(), dtype=width[(magic, version)])
    assert len(ids) == n and not header[3:].any()
    return ids


def read_megatron(prefix):
    with open(prefix + ".idx", "rb") as file:
        data = file.read()
    assert data[:9] == b"MMIDIDX\x00\x00"
    version, kind, n, n_end = struct.unpack("<QBQQ", data[9:34])
    assert version == 1
    dtype = {8: np.uint16, 4: np.int32}[kind]
    lengths = np.frombuffer(data, np.int32, n, 34)
    places = np.frombuffer(data, np.int64, n, 34 + 4 * n)
    ends = np.frombuffer(data, np.int64, n_end, 34 + 12 * n)
    assert len(data) == 34 + 12 * n + 8 * n_end
    assert list(ends) == list(range(n + 1))
    ids = np.memmap(prefix + ".bin", dtype=np.uint8, mode="r")
    return dtype, [list(np.frombuffer(ids, dtype, length, place))
                   for length, place in zip(lengths, places)]


def main():
    if not os.path.isdir(os.path.join(SHARED, "data/tokenizers")):
        print(f"SKIPPED: no tokenizers in {SHARED}")
        return 0
    texts = texts_of()
    with tempfile.TemporaryDirectory() as tmp:
        gpt2, llama3 = os.path.join(tmp, "gpt2"), os.path.join(tmp, "llama3")
        # encode() would take special tokens in the text for what they are;
        # these texts have none.
        ids = [e.ids for e in load("gpt2", gpt2).encode_batch(
            texts, add_special_tokens=False)]
        eot = 50256
        docs = [i for i in ids if i]

        folder = os.path.join(tmp, "nano")
        pack(gpt2, texts, "--export", "nanogpt", "--valid-fraction", "0.1",
             "-o", folder)
        parts = [np.memmap(os.path.join(folder, name), dtype=np.uint16,
                           mode="r") for name in ("train.bin", "val.bin")]
        train, valid = ([list(d) for d in np.split(
            p, np.flatnonzero(p == eot) + 1) if len(d)] for p in parts)
        want = [d + [eot] for d in docs]
        at = [0, 0]
        for document in want:
            which = int(train[at[0]:at[0] + 1] != [document])
            assert [train, valid][which][at[which]] == document
            at[which] += 1
        assert at == [len(train), len(valid)] and min(at) > 5
        assert not os.path.exists(os.path.join(folder, "meta.pkl"))
        print(f"ok - nanogpt: {len(train)} and {len(valid)} documents")

        prefix = os.path.join(tmp, "fw")
        pack(gpt2, texts, "--export", "llmc", "--split-tokens", "20000",
             "--valid-fraction", "0.1", "-o", prefix)
        shards = sorted(glob.glob(prefix + "_train_*.bin"))
        names = [os.path.basename(s) for s in shards]
        assert names == [f"fw_train_{i:06d}.bin"
                         for i in range(1, len(shards) + 1)] and len(names) > 2
        both = [np.concatenate([read_llmc(s) for s in shards]),
                read_llmc(prefix + "_val_000000.bin")]
        assert list(both[0]) == [i for d in train for i in [eot] + d[:-1]]
        assert list(both[1]) == [i for d in valid for i in [eot] + d[:-1]]
        assert check(*shards) == 0
        print(f"ok - llmc: {len(shards)} shards of 16 bits")

        prefix = os.path.join(tmp, "mega")
        pack(gpt2, texts, "--export", "megatron", "-o", prefix)
        dtype, got = read_megatron(prefix)
        assert dtype is np.uint16 and got == want
        assert check(prefix + ".idx", prefix + ".bin") == 0
        print(f"ok - megatron: {len(got)} documents of 16 bits")

        tokenizer = load("llama3", llama3)
        bos, eos = (tokenizer.token_to_id(t) for t in
                    ("<|begin_of_text|>", "<|end_of_text|>"))
        with open(os.path.join(llama3, "tokenizer_config.json")) as file:
            eos = tokenizer.token_to_id(json.load(file)["eos_token"])
        want = [[bos] + e.ids + [eos] for e in tokenizer.encode_batch(
            texts, add_special_tokens=False) if e.ids]
        prefix = os.path.join(tmp, "l3")
        pack(llama3, texts, "--export", "llmc", "-o", prefix)
        path = prefix + "_train_000001.bin"
        assert list(read_llmc(path)) == [i for d in want for i in d]
        assert read_llmc(path).dtype == np.uint32 and check(path) == 0
        assert glob.glob(prefix + "_*") == [path]
        pack(llama3, texts, "--export", "megatron", "-o", prefix)
        dtype, got = read_megatron(prefix)
        assert dtype is np.int32 and got == want
        print("ok - llmc and megatron: 32 bits")

        small = os.path.join(tmp, "minimind")
        tokenizer = load("minimind", small)
        folder = os.path.join(tmp, "nano2")
        pack(small, texts, "--export", "nanogpt", "--valid-fraction", "0",
             "-o", folder)
        with open(os.path.join(folder, "meta.pkl"), "rb") as file:
            assert pickle.load(file) == {"vocab_size": 6400}
        want = [i for e in tokenizer.encode_batch(
            texts, add_special_tokens=False) if e.ids for i in [1] + e.ids + [2]]
        got = np.fromfile(os.path.join(folder, "train.bin"), dtype=np.uint16)
        assert list(got) == want
        assert os.path.getsize(os.path.join(folder, "val.bin")) == 0
        print("ok - nanogpt: the size of another vocabulary")
    return 0


sys.exit(main())
