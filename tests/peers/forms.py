#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Vocabularies in the forms that people keep them in, read by oy-tok and by
the peers that the forms belong to: transformers (a class each), sentencepiece.

    python3 tests/peers/forms.py BIN IGNORED TEXT.jsonl

The vocabularies are trained here on TEXT. Ids must be equal, with and without
the tokens that frame a text. Unigram and nmt_nfkc are compared with
transformers only: Hugging Face maps whole graphemes, finds control pieces in
plain text and settles ties of scores in its own way, and so do we.
"""
import json
import os
import subprocess
import sys
import tempfile

import sentencepiece
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import AutoTokenizer

BIN, TEXT = sys.argv[1], sys.argv[3]
work = tempfile.mkdtemp()
texts = [json.loads(line)["text"] for line in open(TEXT)][:200]
texts += ["", " ", "  two  spaces ", "\tTab\nnew  line ", "it's 12, 3,4 ``quoted''", "ﬁne ①② Ünïcödé e\u0301",
          "你好，世界 ｶﾞ", "😀👍🏽 \u200d", "<extra_id_0> a </s> b [SEP] c", "\u0000\u0085\u2028x"]
bad = 0


def encode(path, *options):
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    run = subprocess.run([BIN + "/oy-tok", "encode", "-t", path, *options], input=lines.encode(), capture_output=True)
    if run.returncode:
        sys.exit(run.stderr.decode())
    return [json.loads(line)["ids"] for line in run.stdout.decode().splitlines()]


def compare(what, got, want):
    global bad
    wrong = [(text[:50], a[:10], b[:10]) for text, a, b in zip(texts, got, want) if a != b]
    print(f"{what}: {len(texts)} texts, {len(wrong)} differ", *wrong[:1])
    bad += bool(wrong)


def folder(name, files, config):
    path = os.path.join(work, name)
    os.mkdir(path)
    for to, data in files.items():
        open(os.path.join(path, to), "wb").write(data)
    json.dump(config, open(os.path.join(path, "tokenizer_config.json"), "w"))
    return path


def with_transformers(name, files, **config):
    path = folder(name, files, config)
    peer = AutoTokenizer.from_pretrained(path)
    for option, special in (([], False), (["--add-special"], True)):
        compare(f"{name} {' '.join(option)}".strip(), encode(path, *option),
                [peer(text, add_special_tokens=special)["input_ids"] for text in texts])


def spm(name, **options):
    path = os.path.join(work, name)
    plain = os.path.join(work, "text.txt")
    with open(plain, "w") as out:
        out.writelines(line + "\n" for text in texts for line in text.split("\n") if "\0" not in line)
    sentencepiece.SentencePieceTrainer.train(input=plain, model_prefix=path, vocab_size=1000, minloglevel=2,
                                             hard_vocab_limit=False, max_sentence_length=100000, **options)
    return path + ".model"


def with_sentencepiece(name, **options):
    path = spm(name, **options)
    peer = sentencepiece.SentencePieceProcessor(model_file=path)
    compare(name, encode(path, "--special-text", "text"), [peer.encode(text) for text in texts])


def read(path):
    return open(path, "rb").read()


identity = {"normalization_rule_name": "identity"}
with_sentencepiece("bpe-spaces", model_type="bpe", remove_extra_whitespaces=False, **identity)
with_sentencepiece("bpe-bytes", model_type="bpe", byte_fallback=True, **identity)
with_sentencepiece("bpe-no-prefix", model_type="bpe", add_dummy_prefix=False, **identity)
with_transformers("T5Tokenizer", {"spiece.model": read(spm("t5", model_type="unigram", pad_id=0, eos_id=1, unk_id=2, bos_id=-1))},
                  tokenizer_class="T5Tokenizer")
with_transformers("XLMRobertaTokenizer", {"sentencepiece.bpe.model": read(spm("xlmr", model_type="unigram"))},
                  tokenizer_class="XLMRobertaTokenizer")
with_transformers("AlbertTokenizer", {"spiece.model": read(spm(
    "albert", model_type="unigram", pad_id=0, unk_id=1, bos_id=-1, eos_id=-1, control_symbols=["[CLS]", "[SEP]"],
    user_defined_symbols=["[MASK]"]))}, tokenizer_class="AlbertTokenizer")

bpe = Tokenizer(models.BPE())
bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
bpe.train_from_iterator(texts, trainers.BpeTrainer(
    vocab_size=1000, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<|endoftext|>"],
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
model = json.loads(bpe.to_str())["model"]
files = {"vocab.json": json.dumps(model["vocab"]).encode(),
         "merges.txt": "".join(["#version: 0.2\n"] + [" ".join(pair) + "\n" for pair in model["merges"]]).encode()}
for name in "GPT2Tokenizer", "Qwen2Tokenizer", "RobertaTokenizer":
    with_transformers(name, files, tokenizer_class=name)
with_transformers("GPT2Tokenizer-prefix", files, tokenizer_class="GPT2Tokenizer", add_prefix_space=True)

words = Tokenizer(models.WordPiece(unk_token="[UNK]"))
words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
words.train_from_iterator(texts, trainers.WordPieceTrainer(
    vocab_size=1000, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False))
vocab = sorted(words.get_vocab().items(), key=lambda item: item[1])
files = {"vocab.txt": "".join(token + "\n" for token, _ in vocab).encode()}
with_transformers("BertTokenizer", files, tokenizer_class="BertTokenizer")
with_transformers("BertTokenizer-cased", files, tokenizer_class="BertTokenizer", do_lower_case=False)
sys.exit(bad > 0)
