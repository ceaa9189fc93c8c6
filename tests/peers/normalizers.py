#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Normalizers and decoders against Hugging Face's, on all code points and on random texts.

    [RUNS=60] [SEED=1] [FULL=1] [ONLY=normalizers,begins,decoders,posts] python3 tests/peers/normalizers.py [BIN [IGNORED]...]
    python3 tests/peers/normalizers.py --freeze >tests/data/tokenizer/components.jsonl

BIN is the folder of the programs, by default build/bin. Needs the package `tokenizers`; with `sentencepiece` its own character maps are tried too.
A model that has a token for each byte and nothing else shows what a normalizer made of a text.
"""
import base64
import io
import json
import os
import random
import subprocess
import sys
import tempfile

from tokenizers import Tokenizer

BIN = sys.argv[1] if len(sys.argv) > 1 else "build/bin"
# All code points; of the empty planes every 64th, unless FULL is set.
SCALARS = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000 and (c < 0x32000 or c >> 12 == 0xE0 or c % 64 == 0 or "FULL" in os.environ)]
# What normalizers and clusters care for, beside random code points.
PARTS = ["a", "B", "é", "e\u0301", "İ", "ß", "Σ", "ﬁ", "①", "中", "字", "한", "\u1100\u1161\u11a8", "ア", "ｱ", "ﾞ", " ", "  ", "\t", "\n", "\r\n", "\r", "\u00a0",
         "\u3000", "\u200b", "\u200d", "\u200c", "\ufeff", "\ufffd", "\u0300", "\u0301", "\u0327", "\u05b0", "\u064e", "\u0e33", "\u0915\u094d\u0937", "\u0915",
         "\u094d", "👍🏽", "👨\u200d👩", "\U0001f1e6", "\u0600", "\u00ad", "\u2581", "▁▁", "ab", "abab", "x1y22", "<", "\\", "$", "©\u200d", "Ⅷ", "\u1e9b\u0323",
         "\U0001d15e", "\u0344", "\u2126", "㍿", "\x01", "\x7f", "\x85", "\x9f", "ÅB", "ﷺ"]


def model(vocab):
    return {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False,
            "byte_fallback": True, "ignore_merges": False, "vocab": vocab, "merges": []}


BYTES = {f"<0x{b:02X}>": b for b in range(256)}


def document(vocab, **parts):
    out = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": None, "post_processor": None,
           "decoder": None}
    out.update(parts)
    out["model"] = model(vocab)
    return json.dumps(out)


def oy_tok(command, text, records, *options):
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as f:
        f.write(text)
        f.flush()
        data = "".join(json.dumps(r) + "\n" for r in records)
        run = subprocess.run([os.path.join(BIN, "oy-tok"), command, "-t", f.name, *options], input=data.encode(), capture_output=True)
    if run.returncode:
        sys.exit(f"{text[:3000]}\n{run.stderr.decode()}")
    return [json.loads(line) for line in run.stdout.splitlines()]


class Check:
    def __init__(self):
        self.passed = self.failed = 0

    def equal(self, name, given, ours, theirs):
        bad = [i for i in range(len(theirs)) if ours[i] != theirs[i]]
        self.passed += not bad
        self.failed += bool(bad)
        for i in bad[:3]:
            print(f"not ok - {name}: {given[i]!r}: ours {ours[i]!r}, theirs {theirs[i]!r}")
        if bad:
            print(f"not ok - {name}: {len(bad)} of {len(given)} differ")


# ---- normalizers ----

def charsmap(**rule):
    """SentencePiece puts the map of its rules into every model."""
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2 as pb
    file = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(["hello world", "a test"] * 20), model_writer=file, vocab_size=30,
                                             hard_vocab_limit=False, minloglevel=2, **rule)
    proto = pb.ModelProto()
    proto.ParseFromString(file.getvalue())
    return {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(proto.normalizer_spec.precompiled_charsmap).decode()}


def charsmaps():
    try:
        import sentencepiece
    except ImportError:
        print("SKIPPED: no sentencepiece, no character maps")
        return {}
    out = {rule: charsmap(normalization_rule_name=rule) for rule in ("nmt_nfkc", "nmt_nfkc_cf", "nfkc", "nfkc_cf")}
    out["own"] = small_charsmap()
    return out


def small_charsmap():
    """With rules of several characters, and one whose text is empty."""
    rules = [("a", "b"), ("e\u0301", "é"), ("e", "E"), ("ﬁ", "fi"), ("①", "1"), ("\u00a0", " "), ("\u3000", " "), ("\u200b", ""), ("\u0600", "x"), ("字", "中文"),
             ("\u0327", ""), ("©", "(c)")]
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as f:
        for source, target in rules:
            f.write("\t".join(" ".join(f"{ord(c):X}" for c in text) for text in (source, target)) + "\n")
        f.flush()
        return charsmap(normalization_rule_tsv=f.name)


def bert(*flags):
    names = ("clean_text", "handle_chinese_chars", "strip_accents", "lowercase")
    return {"type": "BertNormalizer", **dict(zip(names, flags))}


def replace(kind, pattern, content):
    return {"type": "Replace", "pattern": {kind: pattern}, "content": content}


def singles():
    """{name: normalizer}"""
    out = {name: {"type": name} for name in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "ByteLevel")}
    for i in range(24):
        flags = [bool(i & 1), bool(i & 2), [None, True, False][i // 8], bool(i & 4)]
        out[f"Bert {flags}"] = bert(*flags)
    for left in (False, True):
        for right in (False, True):
            out[f"Strip {left} {right}"] = {"type": "Strip", "strip_left": left, "strip_right": right}
    out["Prepend"] = {"type": "Prepend", "prepend": "▁x"}
    out["Prepend nothing"] = {"type": "Prepend", "prepend": ""}
    for pattern in (" ", "▁", "ab", "abab", "中", "", ".", "\\", "(", "\n", "é"):
        for content in ("", "▁", "x", " ", "a long text for it"):
            out[f"Replace {pattern!r} {content!r}"] = replace("String", pattern, content)
    for pattern in (" {2,}", r"\s+", r"\d", "a|b", "[^a-z]", "x*", "^a", "a$", r"\p{L}+", "(?i)ab", r"\s+(?!\S)", "", "(?<=a)b", r"\b", "``|''"):
        out[f"Replace regex {pattern!r}"] = replace("Regex", pattern, "<>")
        out[f"Replace regex {pattern!r} by nothing"] = replace("Regex", pattern, "")
    out.update({f"Precompiled {rule}": normalizer for rule, normalizer in charsmaps().items()})
    return out


def attempt(function, values):
    """Those values for which the peer does not panic, and what it makes of them."""
    kept, results = [], []
    for value in values:
        try:
            results.append(function(value))
            kept.append(value)
        except BaseException as e:
            if isinstance(e, KeyboardInterrupt):
                raise
    return kept, results


def normalized(normalizer, texts):
    """Texts, what ours and what theirs makes of them."""
    text = document(BYTES, normalizer=normalizer)
    texts, theirs = attempt(Tokenizer.from_str(text).normalizer.normalize_str, texts)
    ours = [bytes(r["ids"]).decode() for r in oy_tok("encode", text, [{"text": t} for t in texts])]
    return texts, ours, theirs


def random_text(rnd):
    out = []
    for _ in range(rnd.choice([1, 3, 8, 40, 200])):
        if rnd.random() < .7:
            out.append(rnd.choice(PARTS))
        else:
            c = rnd.randrange(rnd.choice([0x80, 0x800, 0x3100, 0x10000, 0x110000]))
            out.append(chr(c) if not 0xD800 <= c < 0xE000 else "?")
    return "".join(out)


def is_empty_match(normalizer):
    """Behind a Replace whose match at the begin is empty the peer's offsets go astray: its next step may double what was put in front."""
    pattern = normalizer.get("pattern", {})
    return pattern.get("String") == "" or pattern.get("Regex") in ("", "x*", r"\b")


def check_normalizers(check, rnd, runs):
    known = singles()
    usual = [n for n in known.values() if not is_empty_match(n)]
    for name, normalizer in known.items():
        texts = [random_text(rnd) for _ in range(runs)]
        if len(name) < 14 or name.startswith("Precompiled") or name in ("Bert [True, True, None, True]", "Bert [True, True, True, False]"):
            texts += SCALARS
        if name in ("NFC", "Precompiled nmt_nfkc"):
            texts += ["a" + c for c in SCALARS]
        check.equal(name, *normalized(normalizer, texts))
    for _ in range(runs):
        steps = rnd.choices(usual, k=rnd.randint(0, 12))
        if len(steps) > 3 and rnd.random() < .5:
            steps = steps[:2] + [{"type": "Sequence", "normalizers": steps[2:]}]
        normalizer = {"type": "Sequence", "normalizers": steps}
        texts = [random_text(rnd) for _ in range(20)]
        check.equal(json.dumps(normalizer)[:500], *normalized(normalizer, texts))


def check_begins(check, rnd, runs):
    """Metaspace's "first" asks whether what a text begins with was its begin before the normalizer.

    One step each: what several did to the first character (made it several and took one of them off, say) ours does not follow to the end.
    """
    known = list(singles().values())
    pre = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}
    added = [{"id": 256, "content": "<s>", "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}]
    for _ in range(runs):
        normalizer = rnd.choice(known)
        text = document({**BYTES, "<s>": 256}, normalizer=normalizer, pre_tokenizer=pre, added_tokens=added)
        peer = Tokenizer.from_str(text)
        texts = [rnd.choice(["", "", "<s>", " <s>"]) + "".join(rnd.choices(PARTS, k=rnd.randint(0, 4))) for _ in range(60)]
        texts, theirs = attempt(lambda t: peer.encode(t).ids, texts)
        check.equal(json.dumps(normalizer)[:500], texts, [r["ids"] for r in oy_tok("encode", text, [{"text": t} for t in texts])], theirs)


# ---- decoders ----

TOKENS = ["a", "▁a", "▁", "▁▁", "Ġa", "Ċ", "é", "Ã", "©", "##b", "##", "b</w>", "</w>", "<pad>", "|", "a|b", ".", " .", "?", "!", ",", " ' ", "'", " '", "n't", " n't", "'m",
          "do", "do not", " do not", "'s", "'ve", "'re", "not", " ", "  ", "hello", "中", "中▁文", "<0x41>", "<0xC3>", "<0xA9>", "<0xE4>", "<0xB8>", "<0xAD>",
          "<0xFF>", "<0x0a>", "<0x+1>", "<0xZZ>", "<0x4>", "hh", "h", "hah", "Ġ", "ð", "Ł", "ĳ", "x y", "##|"]


def draw_decoder(rnd):
    flag = lambda: rnd.random() < .5
    return rnd.choice([
        lambda: {"type": "ByteLevel", "add_prefix_space": flag(), "trim_offsets": flag(), "use_regex": flag()},
        lambda: replace("String", rnd.choice(["▁", "a", "ab", "", "</w>", "##", "中"]), rnd.choice([" ", "", "x", "long text"])),
        lambda: replace("Regex", rnd.choice(["▁", "a|b", r"\s+", "x*", "[^ -~]"]), rnd.choice([" ", "", "x"])),
        lambda: {"type": "ByteFallback"},
        lambda: {"type": "Fuse"},
        lambda: {"type": "Strip", "content": rnd.choice([" ", "a", "h", "中"]), "start": rnd.randint(0, 3), "stop": 0},
        lambda: {"type": "Metaspace", "replacement": rnd.choice(["▁", "a"]), "prepend_scheme": rnd.choice(["always", "never", "first"]), "split": flag()},
        lambda: {"type": "WordPiece", "prefix": rnd.choice(["##", "", "a"]), "cleanup": flag()},
        lambda: {"type": "BPEDecoder", "suffix": rnd.choice(["</w>", "a"])},
        lambda: {"type": "CTC", "pad_token": rnd.choice(["<pad>", "a"]), "word_delimiter_token": rnd.choice(["|", "a"]), "cleanup": flag()},
    ])()


# The chains of real files, for which there are tables.
USUAL = [
    [replace("String", "▁", " "), {"type": "ByteFallback"}, {"type": "Fuse"}],
    [replace("String", "▁", " "), {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}],
    [{"type": "ByteFallback"}, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}],
    [{"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True}],
    [{"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}],
    [{"type": "WordPiece", "prefix": "##", "cleanup": True}],
    [{"type": "BPEDecoder", "suffix": "</w>"}],
    [],
]


def draw_chain(rnd, run):
    chain = USUAL[run] if run < len(USUAL) else [draw_decoder(rnd) for _ in range(rnd.randint(0, 5))]
    return chain, chain[0] if len(chain) == 1 else {"type": "Sequence", "decoders": chain}


def check_decoders(check, rnd, runs):
    vocab = {t: i for i, t in enumerate(TOKENS)}
    for run in range(3 * runs):
        chain, decoder = draw_chain(rnd, run)
        added = [{"id": len(TOKENS), "content": "<s>", "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}]
        text = document(vocab, decoder=decoder if chain or run % 2 else None, added_tokens=added)
        rows = [[rnd.randrange(len(TOKENS) + 1) for _ in range(rnd.randint(1, 30))] for _ in range(40)]
        peer = Tokenizer.from_str(text)
        kept, theirs = attempt(lambda ids: peer.decode(ids, skip_special_tokens=False), rows)
        ours = [r["text"] for r in oy_tok("decode", text, [{"ids": ids} for ids in kept])]
        check.equal(json.dumps(decoder), [[TOKENS[i] if i < len(TOKENS) else "<s>" for i in ids] for ids in kept], ours, theirs)


# ---- post-processors ----

POST_VOCAB = {**BYTES, "<s>": 256, "</s>": 257, "<x>": 258}


def template(single, pair):
    piece = lambda p: {"Sequence": {"id": p[1], "type_id": 0}} if p[0] == "$" else {"SpecialToken": {"id": p, "type_id": 0}}
    special = {t: {"id": t, "ids": [i] if t != "<x>" else [i, 256], "tokens": [t] if t != "<x>" else [t, t]} for t, i in POST_VOCAB.items() if i > 255}
    return {"type": "TemplateProcessing", "single": [piece(p) for p in single.split()], "pair": [piece(p) for p in pair.split()], "special_tokens": special}


def draw_post(rnd):
    pair = {"sep": ["</s>", 257], "cls": ["<s>", 256]}
    return rnd.choice([
        {"type": "BertProcessing", **pair},
        {"type": "RobertaProcessing", **pair, "trim_offsets": True, "add_prefix_space": False},
        {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True},
        template("<s> $A", "<s> $A $B"),
        template("$A </s>", "$A </s> $B <s>"),
        template("<x> <s> $A <x>", "$B <x> $A"),
        template("$A", "$A $B"),
    ])


def draw_posts(rnd):
    """A post-processor, and what the peer makes of a text by it; None where it panics."""
    while True:
        steps = [draw_post(rnd) for _ in range(rnd.randint(1, 4))]
        post = steps[0] if len(steps) == 1 else {"type": "Sequence", "processors": steps}
        text = document(POST_VOCAB, post_processor=post)
        _, ids = attempt(lambda t: Tokenizer.from_str(text).encode(t).ids, ["ab"])
        if ids and sum(ids[0][i:i + 2] == [97, 98] for i in range(len(ids[0]))) == 1:
            return post, text, ids[0]


def check_posts(check, rnd, runs):
    for _ in range(runs):
        post, text, ids = draw_posts(rnd)
        ours = oy_tok("encode", text, [{"text": "ab"}], "--add-special")[0]["ids"]
        check.equal(json.dumps(post), ["ab"], [ours], [ids])


# ---- the fixture of the unit tests ----

def freeze():
    rnd, line = random.Random(1), lambda **members: print(json.dumps(members, ensure_ascii=False, separators=(",", ":")))
    known = {k: v for k, v in singles().items() if not k.startswith("Precompiled") or k == "Precompiled own"}
    rows = list(known.values()) + [{"type": "Sequence", "normalizers": rnd.choices([v for v in known.values() if v["type"] != "Precompiled"], k=5)} for _ in range(20)]
    for normalizer in rows:
        n = 40 if normalizer["type"] == "Precompiled" else 1
        peer = Tokenizer.from_str(document(BYTES, normalizer=normalizer)).normalizer
        texts, normal = attempt(peer.normalize_str, ["".join(rnd.choices(PARTS, k=9)) for _ in range(n)])
        line(normalizer=normalizer, text=texts, normal=normal)
    line(vocab={t: i for i, t in enumerate(TOKENS)})
    for run in range(80):
        chain, decoder = draw_chain(rnd, run)
        peer = Tokenizer.from_str(document({t: i for i, t in enumerate(TOKENS)}, decoder=decoder))
        rows, texts = attempt(lambda ids: peer.decode(ids, skip_special_tokens=False), [[rnd.randrange(len(TOKENS)) for _ in range(12)] for _ in range(2)])
        line(decoder=decoder, ids=rows, text=texts)
    for _ in range(20):
        post, _, ids = draw_posts(rnd)
        line(post_processor=post, before=ids[:ids.index(97)], behind=ids[ids.index(97) + 2:])


def main():
    if BIN == "--freeze":
        freeze()
        return
    runs, seed = int(os.environ.get("RUNS", 60)), int(os.environ.get("SEED", 1))
    rnd, check = random.Random(seed), Check()
    only = os.environ.get("ONLY", "normalizers begins decoders posts")
    if "normalizers" in only:
        check_normalizers(check, rnd, runs)
    if "begins" in only:
        check_begins(check, rnd, runs)
    if "decoders" in only:
        check_decoders(check, rnd, runs)
    if "posts" in only:
        check_posts(check, rnd, runs)
    print(f"normalizers, decoders, post-processors: {check.passed} equal, {check.failed} differ")
    sys.exit(check.failed > 0)


main()
