#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""oy-tok encode against Hugging Face's models: WordPiece, Unigram, WordLevel
and the rarer options of BPE.

    [RUNS=300] [SEED=1] [TEXTS=FILE.jsonl] python3 tests/peers/models.py [BIN]
    python3 tests/peers/models.py --freeze >tests/data/tokenizer/models.jsonl

BIN is the folder of the programs, by default build/bin. Needs the package
`tokenizers`. Each run makes a tokenizer, out of random vocabularies or with the
peer's own trainers, and both encode the same texts: random ones and, with
TEXTS, records of that file. A tokenizer that oy-tok refuses as not supported
counts as a failure too.
"""
import json
import os
import random
import subprocess
import sys
import tempfile

from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models,
                        normalizers, trainers)
from tokenizers import pre_tokenizers as pre

BIN = sys.argv[1] if len(sys.argv) > 1 else "build/bin"
LETTERS = ["a", "b", "c", "A", "e", "n", "s", "t", "1", "2", ".", ",", "'",
           "-", "é", "e\u0301", "ß", "İ", "中", "文", "字", "か", "👍", "\u0301",
           "ñ", "Ж", "ж", "<", ">", "#", "/", "w", "\x01", "Ġ", "▁", "ﬁ", "x"]
SPACES = [" ", " ", " ", " ", "  ", "\n", "\t", "\u00a0", "\u3000", "\r\n"]
NORMALIZERS = [
    None, None, normalizers.NFC(), normalizers.NFKC(), normalizers.Lowercase(),
    normalizers.BertNormalizer(),
    normalizers.BertNormalizer(lowercase=False),
    normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(),
                          normalizers.Lowercase()]),
    normalizers.Sequence([normalizers.Replace(Regex(" {2,}"), " "),
                          normalizers.Strip()]),
]
CLIP = (r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
PRE = [
    None,
    pre.Whitespace(),
    pre.WhitespaceSplit(),
    pre.BertPreTokenizer(),
    pre.Metaspace(),
    pre.Metaspace(prepend_scheme="first"),
    pre.Metaspace(prepend_scheme="never", split=False),
    pre.Sequence([pre.WhitespaceSplit(), pre.Metaspace()]),
    pre.ByteLevel(add_prefix_space=False),
    pre.ByteLevel(add_prefix_space=True),
    pre.ByteLevel(add_prefix_space=False, use_regex=False),
    pre.Sequence([pre.Split(Regex(CLIP), "removed", invert=True),
                  pre.ByteLevel(add_prefix_space=False)]),
    pre.Sequence([pre.Digits(individual_digits=True), pre.Punctuation()]),
]


def draw_text(rnd):
    words = []
    for _ in range(rnd.choice([0, 1, 3, 10, 30])):
        n = rnd.choice([1, 2, 3, 5, 8, 8, 13]) if rnd.random() < .98 else 120
        few = rnd.sample(LETTERS, rnd.choice([1, 2, 4, len(LETTERS)]))
        words.append("".join(rnd.choice(few) for _ in range(n)))
        words.append(rnd.choice(SPACES) if rnd.random() < .9 else "")
    return "".join(words)


def pieces_of(tokenizer, texts):
    """What the model will see."""
    for text in texts:
        if tokenizer.normalizer:
            text = tokenizer.normalizer.normalize_str(text)
        if not text:
            continue
        if not tokenizer.pre_tokenizer:
            yield text
            continue
        for piece, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text):
            yield piece


def draw_tokens(rnd, tokenizer, texts, n):
    """Random parts of pieces."""
    tokens = set()
    pieces = [piece for piece in pieces_of(tokenizer, texts) if piece]
    for _ in range(n if pieces else 0):
        piece = rnd.choice(pieces)
        at = rnd.randrange(len(piece))
        tokens.add(piece[at:at + rnd.choice([1, 1, 2, 2, 3, 4, 6])])
    tokens = sorted(tokens)
    rnd.shuffle(tokens)
    return tokens


def draw_wordpiece(rnd, tokens):
    prefix = rnd.choice(["##", "##", "", "▁", "@"])
    words = ["[UNK]"] + [t if rnd.random() < .4 else prefix + t for t in tokens]
    words = list(dict.fromkeys(words + ([prefix] if prefix else [])))
    return models.WordPiece(
        vocab={word: i for i, word in enumerate(words)}, unk_token="[UNK]",
        continuing_subword_prefix=prefix,
        max_input_chars_per_word=rnd.choice([100, 100, 7, 3]))


def draw_unigram(rnd, tokens):
    """Few different scores, so that ties are common."""
    scores = rnd.choice([[-1.5], [-1.0, -2.0, -3.0], [-0.1, -0.2, -0.3, -0.6],
                         [-2.0122928619384766, -3.3841240406036377,
                          -9.193288803100586], None])
    fallback = rnd.random() < .4
    words = list(tokens)
    if fallback:
        words += ["<0x%02X>" % i for i in range(256)
                  if rnd.random() < rnd.choice([1, .9])]
    if rnd.random() < .3:
        words += rnd.sample(words, min(len(words), 3))
    rnd.shuffle(words)
    unk = rnd.randrange(len(words) + 1)
    words.insert(unk, "<unk>")
    return models.Unigram(
        [(word, rnd.choice(scores) if scores else -20 * rnd.random())
         for word in words], unk, fallback)


def draw_wordlevel(rnd, tokens):
    words = ["<unk>"] + [t for t in tokens if t != "<unk>"]
    return models.WordLevel({w: i for i, w in enumerate(words)}, "<unk>")


def draw_bpe(rnd, tokens):
    """Random merges of random letters."""
    prefix = rnd.choice([None, None, "", "##", "▁"])
    suffix = rnd.choice([None, None, "", "</w>", "™"])
    fallback = not prefix and not suffix and rnd.random() < .4
    letters = sorted({c for t in tokens for c in t})
    letters = [c for c in letters if rnd.random() < .9]
    first, behind = list(letters), [(prefix or "") + c for c in letters]
    end = [(prefix or "") + c + (suffix or "") for c in letters]
    only = [c + (suffix or "") for c in letters]
    vocab = list(dict.fromkeys(first + behind + end + only))
    if fallback:
        vocab += ["<0x%02X>" % i for i in range(256)]
    vocab = list(dict.fromkeys(vocab))
    merges = []
    for _ in range(rnd.choice([0, 20, 200]) if letters else 0):
        left = rnd.choice(vocab)
        right = rnd.choice(behind + end + vocab[-20:])
        if prefix and not right.startswith(prefix):
            continue
        if suffix and left.endswith(suffix):
            continue
        both = left + right[len(prefix or ""):]
        merges.append((left, right))
        if both not in vocab:
            vocab.append(both)
    has_unk = rnd.random() < .6
    if has_unk and "<unk>" not in vocab:
        vocab.insert(rnd.randrange(len(vocab) + 1), "<unk>")
    options = {"unk_token": "<unk>" if has_unk else None,
               "continuing_subword_prefix": prefix,
               "end_of_word_suffix": suffix}
    return models.BPE(
        vocab={word: i for i, word in enumerate(vocab)}, merges=merges,
        fuse_unk=rnd.random() < .5, byte_fallback=fallback,
        ignore_merges=rnd.random() < .2,
        **{k: v for k, v in options.items() if v is not None})


def train(rnd, tokenizer, texts):
    """One of the peer's own trainers."""
    size = rnd.choice([200, 500, 2000])
    kind = rnd.choice(["wordpiece", "unigram", "bpe", "wordlevel"])
    alphabet = []
    if "ByteLevel" in str(tokenizer.pre_tokenizer):
        alphabet = pre.ByteLevel.alphabet()
    quiet = {"show_progress": False, "vocab_size": size}
    if kind == "wordpiece":
        tokenizer.model = models.WordPiece(unk_token="[UNK]")
        trainer = trainers.WordPieceTrainer(
            special_tokens=["[UNK]", "[CLS]"], initial_alphabet=alphabet,
            **quiet)
    elif kind == "unigram":
        tokenizer.model = models.Unigram()
        trainer = trainers.UnigramTrainer(
            special_tokens=["<unk>", "</s>"], unk_token="<unk>",
            initial_alphabet=alphabet, **quiet)
    elif kind == "wordlevel":
        tokenizer.model = models.WordLevel(unk_token="<unk>")
        trainer = trainers.WordLevelTrainer(special_tokens=["<unk>"], **quiet)
    else:
        suffix = rnd.choice([None, "</w>"])
        affix = {"end_of_word_suffix": suffix} if suffix else {}
        tokenizer.model = models.BPE(unk_token="<unk>", **affix)
        trainer = trainers.BpeTrainer(
            special_tokens=["<unk>"], initial_alphabet=alphabet, **affix,
            **quiet)
    try:
        tokenizer.train_from_iterator(texts, trainer)
    except Exception:  # too many characters for so few tokens
        tokenizer.model = models.WordLevel({"<unk>": 0}, "<unk>")


def draw_tokenizer(rnd, texts, trained=.3, sizes=(30, 300)):
    tokenizer = Tokenizer(models.BPE())
    normalizer, before = rnd.choice(NORMALIZERS), rnd.choice(PRE)
    if normalizer:
        tokenizer.normalizer = normalizer
    if before:
        tokenizer.pre_tokenizer = before
    if rnd.random() < trained:
        train(rnd, tokenizer, texts)
    else:
        tokens = draw_tokens(rnd, tokenizer, texts, rnd.choice(sizes))
        draw = rnd.choice([draw_wordpiece, draw_unigram, draw_unigram,
                           draw_wordlevel, draw_bpe, draw_bpe])
        tokenizer.model = draw(rnd, tokens)
    if rnd.random() < .3:
        tokenizer.add_special_tokens(["<s>", "[CLS]"])
    if rnd.random() < .3:
        tokenizer.add_tokens([AddedToken("ab", single_word=rnd.random() < .5),
                              AddedToken(" e", lstrip=True)])
    return tokenizer


def encode(folder, texts):
    """The lists of ids, or the line that says why there are none."""
    with open(folder + "/text.jsonl", "w") as file:
        for text in texts:
            file.write(json.dumps({"text": text}) + "\n")
    run = subprocess.run(
        [BIN + "/oy-tok", "encode", "-t", folder + "/tokenizer.json",
         "-T1", folder + "/text.jsonl"], capture_output=True, text=True)
    if run.returncode:
        return run.stderr.strip().split("tokenizer.json: ")[-1]
    return [json.loads(line)["ids"] for line in run.stdout.splitlines()]


def compare(tokenizer, texts, folder):
    """None, or what differs."""
    tokenizer.save(folder + "/tokenizer.json")
    theirs = [encoding.ids for encoding in
              Tokenizer.from_file(folder + "/tokenizer.json").encode_batch(
                  texts, add_special_tokens=False)]
    ours = encode(folder, texts)
    if isinstance(ours, str):
        return "refused: " + ours
    for text, a, b in zip(texts, ours, theirs):
        if a != b:
            return "%r: ours %s, theirs %s" % (text[:200], a[:40], b[:40])
    return None if len(ours) == len(theirs) else "lines are missing"


def freeze():
    """Small tokenizers, texts and ids, for the unit tests."""
    for number in range(90):
        rnd = random.Random(number)
        texts = [draw_text(rnd) for _ in range(12)]
        tokenizer = draw_tokenizer(rnd, texts, trained=0, sizes=[15, 30])
        state = json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False,
                           separators=(",", ":"))
        if len(state) > 2500:
            continue
        print('{"tokenizer":%s}' % state)
        tokenizer = Tokenizer.from_str(tokenizer.to_str())
        for text in sorted(set(texts), key=len)[1:6]:
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            print(json.dumps({"text": text, "ids": ids}, ensure_ascii=False,
                             separators=(",", ":")))


def describe(tokenizer):
    state = json.loads(tokenizer.to_str())
    del state["model"]["vocab"]
    state["model"].pop("merges", None)
    return json.dumps({key: state[key] for key in
                       ("model", "normalizer", "pre_tokenizer")})


def main():
    runs, seed = int(os.getenv("RUNS", "300")), int(os.getenv("SEED", "1"))
    given = []
    if os.getenv("TEXTS"):
        with open(os.getenv("TEXTS")) as file:
            given = [json.loads(line)["text"] for line in file]
    failures = {}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(seed, seed + runs):
            rnd = random.Random(number)
            texts = [draw_text(rnd) for _ in range(60)]
            texts += rnd.sample(given, min(len(given), 20))
            tokenizer = draw_tokenizer(rnd, texts[:30] + texts[60:])
            what = compare(tokenizer, texts, folder)
            if not what:
                continue
            key = what if what.startswith("refused") else str(number)
            failures.setdefault(key, []).append(number)
            if not what.startswith("refused"):
                print("run %d: %s\n  %s" % (number, describe(tokenizer), what))
    for key, numbers in sorted(failures.items()):
        if key.startswith("refused"):
            print("%d runs (%d ...) %s" % (len(numbers), numbers[0], key))
    failed = sum(map(len, failures.values()))
    print("models: %d runs, %d failed" % (runs, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(freeze() if BIN == "--freeze" else main())
