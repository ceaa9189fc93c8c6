#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""oy-pack --method sft, dpo, rl and pretrain against MiniMind's preprocessing, run by
transformers: ids, labels, truncation, prompts, row by row.

    [RUNS=400] [SEED=1] python3 tests/peers/pack_sft.py [BIN [IGNORED]...]

BIN is the folder of the programs, by default build/bin. Needs transformers,
and the tokenizers and conversations of $OYSTER_SHARED (default ../shared).
The rule of labels is that of MiniMind's SFTDataset.generate_labels, written
anew from its description: every id behind the ids of "<|im_start|>assistant\\n"
up to and with the ids of "<|im_end|>\\n", or the end.
"""
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile

from transformers import PreTrainedTokenizerFast

BIN = sys.argv[1] if len(sys.argv) > 1 else "build/bin"
SHARED = os.environ.get("OYSTER_SHARED", "../shared")
RUNS = int(os.environ.get("RUNS", "400"))
SEED = int(os.environ.get("SEED", "1"))
WORDS = ["hello", "the oyster", "2 + 2 = 4", "中文字", "é", "\n", "\n\n", " ",
         "assistant\n", "<think>", "</think>", "<think>\n\n</think>\n\n",
         "<|im_end|>", "<|im_start|>", "<|im_end|>\n", "<|im_start|>assistant",
         "def f(x):\n    return x", "👍🏽", "...", "\t", "'", '"', "\\"]
TOOL = {"type": "function",
        "function": {"name": "f", "description": "d",
                     "parameters": {"type": "object", "properties": {}}}}


def unpack(path):
    if path.endswith(".gz"):
        return gzip.open(path, "rb").read()
    with open(path, "rb") as file:
        return subprocess.run(["zstd", "-dcq"], stdin=file, check=True,
                              capture_output=True).stdout


def load(name, folder):
    """The tokenizer as transformers has it; its files lie in `folder`."""
    source = os.path.join(SHARED, "data/tokenizers", name)
    os.makedirs(folder)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        with open(os.path.join(folder, file), "wb") as out:
            out.write(unpack(os.path.join(source, file + ".zst")))
    return PreTrainedTokenizerFast.from_pretrained(folder)


def find(ids, part, start):
    for i in range(start, len(ids) - len(part) + 1):
        if ids[i:i + len(part)] == part:
            return i
    return -1


def labels_of(ids, begin, end):
    labels = [-100] * len(ids)
    at = find(ids, begin, 0)
    while at >= 0:
        first = at + len(begin)
        stop = find(ids, end, first)
        behind = len(ids) if stop < 0 else stop + len(end)
        labels[first:behind] = ids[first:behind]
        at = find(ids, begin, behind) if stop >= 0 else -1
    return labels


def text(rnd):
    return "".join(rnd.choice(WORDS) + rnd.choice(["", " "])
                   for _ in range(rnd.randint(0, 12)))


def conversation(rnd):
    """A record as MiniMind has it, at times with tools."""
    talk = []
    if rnd.random() < 0.4:
        talk.append({"role": "system", "content": text(rnd)})
        if rnd.random() < 0.5:
            talk[0]["tools"] = json.dumps([TOOL])
    for _ in range(rnd.randint(1, 4)):
        talk.append({"role": "user", "content": text(rnd)})
        answer = {"role": "assistant", "content": text(rnd)}
        if rnd.random() < 0.3:
            answer["reasoning_content"] = text(rnd)
        if rnd.random() < 0.2:
            answer["tool_calls"] = json.dumps(
                [{"name": "f", "arguments": {"x": rnd.randint(0, 9)}}])
            talk += [answer, {"role": "tool", "content": text(rnd)},
                     {"role": "assistant", "content": text(rnd)}]
        else:
            talk.append(answer)
    return {"conversations": talk}


def sharegpt(record):
    """The same under ShareGPT's names, where it can be said in them."""
    role = {"user": "human", "assistant": "gpt", "system": "system"}
    talk = record["conversations"]
    if any(set(m) - {"role", "content"} or m["role"] not in role for m in talk):
        return record
    return {"conversations": [{"from": role[m["role"]], "value": m["content"]}
                              for m in talk]}


def messages_of(record):
    messages, tools = [], None
    for message in record["conversations"]:
        message = dict(message)
        if message["role"] == "system" and message.get("tools"):
            tools = json.loads(message["tools"])
        if message.get("tool_calls"):
            message["tool_calls"] = json.loads(message["tool_calls"])
        messages.append(message)
    return messages, tools


class Peer:
    def __init__(self, name, folder):
        self.tokenizer = load(name, folder)
        self.folder = folder
        self.begin = self.ids("<|im_start|>assistant\n")
        self.end = self.ids("<|im_end|>\n")

    def ids(self, text):
        return self.tokenizer(text, add_special_tokens=False).input_ids

    def render(self, record, drop=0, **options):
        messages, tools = messages_of(record)
        return self.tokenizer.apply_chat_template(
            messages[:len(messages) - drop], tools=tools, tokenize=False,
            **options)

    def row(self, record, length):
        ids = self.ids(self.render(record))[:length]
        return ids, labels_of(ids, self.begin, self.end)


def pack(peer, records, *options):
    data = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records)
    done = subprocess.run([os.path.join(BIN, "oy-pack"), "-t", peer.folder,
                           *options], input=data.encode(), capture_output=True)
    if done.returncode:
        raise SystemExit(f"oy-pack {options}: {done.stderr.decode()}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def differ(what, want, got):
    if want == got:
        return 0
    for i, (a, b) in enumerate(zip(want, got)):
        if a != b:
            print(f"not ok - {what}: row {i}\nwant {str(a)[:300]}\n"
                  f"got  {str(b)[:300]}")
            return 1
    print(f"not ok - {what}: {len(got)} rows, want {len(want)}")
    return 1


def check_sft(name, peer, records, length):
    want = [peer.row(r, length) for r in records]
    want = [(i, l) for i, l in want if any(x >= 0 for x in l[1:])]
    rows = pack(peer, [sharegpt(r) for r in records], "--method", "sft",
                "--seq-len", str(length), "--export", "jsonl", "--mask",
                "marks")
    return differ(f"{name}: sft of {length}", want,
                  [(r["ids"], r["labels"]) for r in rows])


def check_pretrain(name, peer, records, length):
    """MiniMind's PretrainDataset: one document a row, its end token kept."""
    texts = [m["content"] for r in records for m in r["conversations"]]
    want = [([1] + peer.ids(t)[:length - 2] + [2]) for t in texts if t]
    rows = pack(peer, [{"text": t} for t in texts], "--packing", "none",
                "--seq-len", str(length), "--export", "jsonl")
    return differ(f"{name}: pretrain of {length}", want,
                  [r["ids"] for r in rows])


def check_dpo(name, peer, records, length):
    pairs = list(zip(records[::2], records[1::2]))
    want = [[peer.row(r, length) for r in p] for p in pairs]
    want = [p for p in want if all(any(x >= 0 for x in l[1:]) for _, l in p)]
    rows = pack(peer, [{"chosen": a["conversations"],
                        "rejected": b["conversations"]} for a, b in pairs],
                "--method", "dpo", "--seq-len", str(length), "--mask", "marks")
    return differ(f"{name}: dpo of {length}", want,
                  [[(r[k]["ids"], r[k]["labels"])
                    for k in ("chosen", "rejected")] for r in rows])


def check_rl(name, peer, records):
    bad = 0
    for ratio, options in ((-1, {}), (0, {"open_thinking": False,
                                          "enable_thinking": False}),
                           (1, {"open_thinking": True,
                                "enable_thinking": True})):
        want = [dict(r, ids=peer.ids(peer.render(
            r, drop=1, add_generation_prompt=True, **options)), gt=[1])
            for r in records]
        bad += differ(f"{name}: rl, thinking {ratio}", want,
                      pack(peer, [dict(r, gt=[1]) for r in records],
                           "--method", "rl", "--thinking-ratio", str(ratio)))
    return bad


def check_chances(name, peer, records):
    """Shares of changed rows; each row is one of the four that may be."""
    prompts = os.path.join(peer.folder, "prompts.txt")
    lines = ["You are a helper.", "Be brief."]
    with open(prompts, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    rows = pack(peer, records, "--method", "sft", "--seq-len", "100000",
                "--export", "jsonl", "--mask", "marks", "--system-prompts",
                prompts, "--empty-think-ratio", "0.2")
    empty = "<think>\n\n</think>\n\n"
    n_system = n_may = n_thin = n_empty = 0
    for record, row in zip(records, rows):
        may = record["conversations"][0]["role"] != "system"
        texts = [self_text := peer.render(record)]
        if may:
            texts += [peer.render({"conversations": [
                {"role": "system", "content": line}] +
                record["conversations"]}) for line in lines]
        allowed = [peer.ids(t.replace(empty, "") if thin else t)
                   for t in texts for thin in (False, True)]
        if row["ids"] not in allowed:
            print(f"not ok - {name}: a row that chance cannot make")
            return 1
        which = allowed.index(row["ids"])
        n_may += may
        n_system += which > 1
        n_empty += empty in self_text
        n_thin += which % 2
    print(f"# {name}: {n_system} of {n_may} got a system line, {n_thin} of "
          f"{n_empty} lost their empty thoughts")
    if len(rows) != len(records) or abs(n_system / n_may - 0.2) > 0.08:
        print(f"not ok - {name}: {n_system} of {n_may} system lines")
        return 1
    return 0


def main():
    rnd = random.Random(SEED)
    if not os.path.isdir(os.path.join(SHARED, "data/tokenizers")):
        print(f"SKIPPED: no tokenizers in {SHARED}")
        return 0
    bad = 0
    real = unpack(os.path.join(SHARED,
                               "data/sft/medicalgpt/sharegpt_zh_1K.jsonl.zst"))
    role = {"human": "user", "gpt": "assistant", "system": "system"}
    real = [{"conversations": [{"role": role[m["from"]], "content": m["value"]}
                               for m in json.loads(line)["conversations"]]}
            for line in real.splitlines()]
    with tempfile.TemporaryDirectory() as folder:
        for name in ("minimind", "qwen3", "smollm2"):
            peer = Peer(name, os.path.join(folder, name))
            made = [conversation(rnd) for _ in range(RUNS)]
            if name == "smollm2":
                made = [sharegpt(r) for r in made]
                made = [{"conversations": [
                    {"role": role[m["from"]], "content": m["value"]}
                    for m in r["conversations"]]}
                    for r in made if "from" in r["conversations"][0]]
            for length in (768, 60, 7):
                bad += check_sft(name, peer, made, length)
            bad += check_sft(name, peer, real[:300], 768)
            bad += check_dpo(name, peer, made, 300)
            bad += check_rl(name, peer, made)
            if name == "minimind":
                bad += check_pretrain(name, peer, real[:300], 340)
                bad += check_chances(name, peer, real[:600])
    print("ok" if not bad else f"{bad} differ", "- pack_sft")
    return bad > 0


sys.exit(main())
