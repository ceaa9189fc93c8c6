# SPDX-License-Identifier: Apache-2.0
"""Our pre-tokenizers against Hugging Face's `tokenizers`: equal pieces.

    pretokenizers.py BIN ...            the comparison (tests/peers/run.sh)
    pretokenizers.py --fixtures FILE    a small part of it, frozen for the unit test
    [SEED=1] [CHAINS=300] [TEXTS=40]    how much

Every component with many parameters, the published sequences and random
sequences, on hard texts. Pieces are compared by BIN/../unit/test_pretokenizer
(make unit) and, through a WordLevel model whose entries are Hugging Face's own
pieces, as ids of oy-tok.
"""
import json
import os
import random
import subprocess
import sys
import tempfile

from tokenizers import Tokenizer

SEED = int(os.environ.get("SEED", "1"))
CHAINS = int(os.environ.get("CHAINS", "300"))
TEXTS = int(os.environ.get("TEXTS", "40"))
SHARED = os.environ.get("OYSTER_SHARED", "../shared")

BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
SPACE = r"\s+(?!\S)|\s+"
CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
HAN = "&&[^\\p{Han}]]"
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|" + SPACE
CL100K = CONTRACTION + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|" + SPACE
O200K = "|".join(r"[^\r\n\p{L}\p{N}]?" + UPPER + a + LOWER + b + CONTRACTION + "?" for a, b in ("*+", "+*")) + \
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|" + SPACE
TEKKEN = O200K.replace(CONTRACTION + "?", "").replace("{1,3}", "")
KIMI = r"[\p{Han}]+|" + O200K.replace("[\r\n/]", "[\r\n]").replace(UPPER, UPPER[:-1] + HAN).replace(LOWER, LOWER[:-1] + HAN)
QWEN35 = CONTRACTION + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|" + SPACE
BLOOM = " ?[^(\\s|[.,!?…。，、।۔،])]+"
DEEPSEEK3 = r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^" + "\r\n" + \
    r"\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[" + "\r\n]*|\\s*[\r\n]+|" + SPACE
KANA = "[一-龥぀-ゟ゠-ヿ]+"

# Expressions of published tokenizers, then hard ones.
PUBLISHED = [
    GPT2, CL100K, O200K, TEKKEN, KIMI, QWEN35, BLOOM, DEEPSEEK3, KANA, r"\p{N}{1,3}", r"\p{N}", "[0-9][0-9][0-9]", r"\d{1,3}(?=(?:\d{3})*\b)",
    CL100K.replace("{1,3}", ""), r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]?|" + SPACE,
    "[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+", r"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-Ֆ]+",
    "\\s?[!-/:-~！-／：-～‘-‟\u3000-。]+", r"\s+$", r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
    r"\w+|[^\w\s]+", r"(?:\r?\n)+(?!\r?\n)", " {1,16}|\t", r"\d+|\D+",
]
HARD = [
    "", "a*", "a*?", "(?=b)", "^", "$", "^.", ".$", "^$", r"\A.", r".\z", r".\Z", r"\b", r"\B", r"\b\w", "(?<=a)b", "(?<!a)b", "(?<= )", r"(?<=\s)\S|x",
    ".", "(?m:.)", "(?m).", "[^a]", "[^\n]", r"\R", r"\N+", r"\O", r"\h+", r"\H", "[[:alpha:]]+", "[[:^alpha:]]", "[[:punct:]]",
    "[[:upper:][:digit:]]+", "[[:lower:]]", "[[:space:]]", "[[:graph:]]+", "[[:print:]]", "[[:cntrl:]]", "[[:blank:]]", "[[:xdigit:]]", "[[:word:]]+",
    "[[:ascii:]]+", "[[:alnum:]]+", r"\p{Alpha}", r"\p{^L}", r"\P{^L}", r"\pL", r"\PL+", r"\p{Lowercase_Letter}", r"\p{Han}",
    r"\p{Hiragana}+|\p{Katakana}+", r"\p{Cyrillic}", r"\p{Greek}", r"\p{Common}+", r"\p{Latin}+", r"\p{Arabic}|\p{Thai}|\p{Hangul}", r"\p{Cn}", r"\p{C}", r"\p{Co}",
    r"\p{Z}", r"\p{Sc}", r"\p{Zs}+", r"\p{Any}", r"\p{Assigned}", r"[\p{L}&&[^a-z]]+", r"[a-z&&[^aeiou]]+", "[^a-z&&c]", "[a-]", "[-a]", "[a-c-e]", r"[\w-]",
    r"[\s-a]", "[]a]", "[^]a]", r"[\]\[]", r"[\x41-\x{5a}\u00e0-\u00ff]+", r"\x{4e2d}|\u0041|\t|\x20", r"[\b]", "a{2}", "a{,2}", "a{1,}", "a{2}?", "a{1,2}?", "a{1,2}+b",
    "a{2,1}", "a?+a", "a++", "a+?", "a**", "(a|b)*c", "(?>a+)b", "(?:a|ab)(?:c|bcd)", "(?i:s)", "(?i:k)", "(?i:[^s])", "(?i:[a-z])+", "(?i:ab)c", "(?i)a|b", "a(?i)b|c",
    "(?<n>a)", "(?#x)a", "(?x: a # b\n b )", "(?i-m:A)", "(?-i:a)", "x{", "x{a}", "{", "}", "a]", r"\Qa", r"\.", r"\-", r"\~\&", r"\é", r"\e|\a|\f|\v", 
    r"\s\S", r"[^\S\n]+", r"(?!\S)", r"\D\d", "[[a-c][x-z]]+", "[[^a-c]&&[b-d]]", "(?<![a-z])[A-Z]", "[\\d&&[^5]]", "\\p{M}+", "\\p{Nd}\\p{No}?", "[\\p{Lu}\\p{Mn}]", "[^\\p{Mn}]", "\\p{Mc}",
]
STRINGS = [" ", "a", "▁", "--", "\n", "aa", "中", "Ġ", "", ".", "\\", "(?i", "e\u0301", "-~#&"]

PARTS = ["pL", "PL", "a", "b", "ab", "aab", "Z", "The", "final", "-", "--", "s", "S", "ſ", "K", "K", "'s", "'S", "'ll", "'Re", "'", "’", " ", "  ", "   ", "\n", "\r", "\r\n", "\n\n", "\t", "\v", "\f", "\x01",
         "\x7f", "\x85", "\xa0", "\u180e", "\u200b", "\u200c", "\u200d", "\u2028", "\u3000", "\ufeff", "0", "7", "12", "123", "1234", "²", "½", "Ⅷ", "٣", "५", "𝟘", ".", ",", "!", "?!", "…", "。", "，",
         "(", ")", "[", "]", "{", "}", "\\", "/", "_", "~", "&", "#", "$", "^", "+", "|", "<", "é", "É", "e\u0301", "\u0301", "ß", "ẞ", "ﬁ", "ﬀ", "İ", "ı", "Σ", "ς", "Ж", "ж", "中", "中文", "あ", "カ", "ー", "・", "゛", "\u3097",
         "한", "ไ", "แ", "क", "का", "אב", "ا", "\u061c", "\u0589", "\u0953", "\u166d", "ǅ", "ʰ", "ª", "👍", "👩\u200d💻", "🇩🇪", "▁", "▁▁", "Ġ", "Ċ", "ł", "Ģ", "\u1c89", "\ua7cb", "\U000105c0", "\U0001cc00", "\U0002ebf0", "\U000323af", "\U0001171e",
         "\ue000", "\U000e0001", "\U0010ffff", "\u0378", "\u05c8", "\u2e43", "\u1e95"]


def random_point(rng, groups):
    while True:
        c = rng.choice(rng.choice(groups)) if rng.random() < 0.7 else rng.randrange(0x110000)
        if not 0xD800 <= c < 0xE000:
            return chr(c)


def code_point_groups():
    """Blocks of 128: choosing a block first reaches small scripts."""
    import unicodedata
    blocks = {}
    for c in range(0x110000):
        if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co"):
            blocks.setdefault(c >> 7, []).append(c)
    groups = list(blocks.values())
    groups += [range(a, b + 1) for a, b in ((0x1c80, 0x1c8f), (0xa7c0, 0xa7ff), (0x10d40, 0x10d8f), (0x11380, 0x113e2), (0x16100, 0x16139),
                                            (0x1cc00, 0x1ceb3), (0x31350, 0x323af), (0x2ebf0, 0x2ee5d))] * 4
    return groups


def random_text(rng, groups, sizes=(0, 1, 2, 3, 5, 8, 13, 30)):
    n = rng.choice(sizes)
    out = []
    for _ in range(n):
        part = rng.choice(PARTS) if rng.random() < 0.8 else random_point(rng, groups)
        out.append(part * rng.choice([1, 1, 1, 1, 2, 3, 9]))
    return "".join(out)


def golden_texts():
    path = os.path.join(SHARED, "golden/tokenizer/gpt2.jsonl")
    if not os.path.exists(path):
        print(f"SKIPPED: no golden texts at {path}")
        return []
    with open(path, encoding="utf-8") as f:
        return [t for t in (json.loads(line).get("text") for line in f) if isinstance(t, str) and len(t) < 3000]


def split(pattern, behavior="Isolated", invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def byte_level(prefix=False, regex=False):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": regex}


def metaspace(mark="▁", scheme="always", cut=True):
    return {"type": "Metaspace", "replacement": mark, "prepend_scheme": scheme, "split": cut}


def sequence(*steps):
    return {"type": "Sequence", "pretokenizers": list(steps)}


def components():
    digits = [{"type": "Digits", "individual_digits": b} for b in (False, True)]
    out = [byte_level(a, b) for a in (False, True) for b in (False, True)] + digits
    out += [{"type": "Punctuation", "behavior": b} for b in BEHAVIORS] + [{"type": "Punctuation"}]
    out += [metaspace(m, s, c) for m in "▁_xé中𝟘" for s in ("always", "first", "never") for c in (False, True)]
    out += [{"type": t} for t in ("Whitespace", "WhitespaceSplit", "BertPreTokenizer", "UnicodeScripts", "FixedLength")]
    out += [{"type": "CharDelimiterSplit", "delimiter": c} for c in " a▁中.\n𝟘"]
    out += [{"type": "FixedLength", "length": n} for n in (1, 2, 3, 7, 100)]
    out += [split(s, b, i, "String") for s in STRINGS for b in BEHAVIORS for i in (False, True)]
    return out


def published_sequences():
    """Of tokenizer.json files on the Hub, by family."""
    digits1, digits = {"type": "Digits", "individual_digits": True}, {"type": "Digits", "individual_digits": False}
    return {
        "falcon": sequence({"type": "Punctuation", "behavior": "Contiguous"}, byte_level(False, True), digits, split("[0-9][0-9][0-9]")),
        "starcoder": sequence(digits1, byte_level(False, True)),
        "command-r": sequence(digits1, byte_level(False, True)),
        "tekken": sequence(split(TEKKEN), byte_level()),
        "llama4": sequence(split(O200K), byte_level()),
        "kimi": sequence(split(KIMI), byte_level()),
        "qwen3.5": sequence(split(QWEN35), byte_level()),
        "bloom": sequence(split(BLOOM), byte_level()),
        "deepseek-coder": sequence(split("[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), split("[一-龥ࠀ-一가-퟿]+"), digits1, byte_level()),
        "deepseek-llm": sequence(split("[\r\n]"), split(PUBLISHED[21]), split(PUBLISHED[22]), split(r"\s+$"), split("[一-龥ࠀ-一가-퟿]+"), digits1, byte_level()),
        "deepseek-v3": sequence(split(r"\p{N}{1,3}"), split(KANA), split(DEEPSEEK3), byte_level()),
        "gpt-neo": byte_level(False, True),
        "roberta": byte_level(True, True),
        "clip": sequence(split(PUBLISHED[24], "Removed", True), byte_level()),
        "cl100k": sequence(split(CL100K, "Removed", True), byte_level()),
        "xlm-r": sequence({"type": "WhitespaceSplit"}, metaspace()),
        "t5": metaspace(),
        "gemma": split(" ", "MergedWithPrevious", False, "String"),
        "bert": {"type": "BertPreTokenizer"},
        "spaces in front": sequence(split(CL100K), byte_level(True)),
        "two alphabets": sequence(byte_level(False, True), byte_level(True, False)),
        "digits behind bytes": sequence(byte_level(), digits1),
        "words behind bytes": sequence(byte_level(), {"type": "Whitespace"}),
        "scripts behind bytes": sequence(byte_level(True), {"type": "UnicodeScripts"}, {"type": "FixedLength", "length": 2}),
        "expression behind bytes": sequence(byte_level(), split("Ġ?[a-z]+", "MergedWithNext")),
    }


def has_type(component, name):
    return component["type"] == name or any(has_type(c, name) for c in component.get("pretokenizers", []))


def random_sequence(rng, pool, depth=0):
    steps, seen = [], None
    for _ in range(rng.randint(1, 4)):
        c = rng.choice(pool)
        if c["type"] == "Metaspace":
            # What is refused by name: see tokenizer/pretokenizer.h.
            if seen == "ByteLevel" or (seen and c["prepend_scheme"] == "first"):
                continue
        if c["type"] in ("ByteLevel", "Metaspace"):
            seen = "ByteLevel" if "ByteLevel" in (seen, c["type"]) else "Metaspace"
        steps.append(c)
    if depth == 0 and len(steps) > 1 and rng.random() < 0.3:
        steps[1:] = [sequence(*steps[1:])]
    return sequence(*steps)


def peer_of(component):
    model = {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}
    return Tokenizer.from_str(json.dumps({"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
                                          "pre_tokenizer": component, "post_processor": None, "decoder": None, "model": model}))


def cases(component, texts):
    peer = peer_of(component).pre_tokenizer
    return [{"text": t, "pieces": [p for p, _ in peer.pre_tokenize_str(t)]} for t in texts]


def all_chains(rng, n_random):
    single = components()
    regexes = [split(r, b, i) for r in PUBLISHED + HARD for b, i in ((rng.choice(BEHAVIORS), rng.random() < 0.3), ("Isolated", False))]
    pool = single + regexes
    return single + regexes + list(published_sequences().values()) + [random_sequence(rng, pool) for _ in range(n_random)]


def can_load(component):
    try:
        peer_of(component)
        return True
    except Exception as e:
        print(f"Hugging Face refuses {json.dumps(component, ensure_ascii=False)}: {e}", file=sys.stderr)
        return False


def write_cases(path, chains):
    """Chains are pairs of a component and its texts."""
    n = 0
    with open(path, "w", encoding="utf-8") as f:
        for c, texts in chains:
            if not can_load(c):
                continue
            done = cases(c, texts)
            n += len(done)
            f.write(json.dumps({"pre_tokenizer": c, "cases": done}, ensure_ascii=False) + "\n")
    return n


def every_code_point():
    """What asks for classes, on all there are: in their order, and apart."""
    scalars = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    texts = ["".join(scalars[i:i + 4096]) for i in range(0, len(scalars), 4096)]
    texts += ["a" + "a".join(scalars[i:i + 4096]) for i in range(0, 0x34000, 4096)]
    of_classes = [{"type": t} for t in ("Whitespace", "WhitespaceSplit", "BertPreTokenizer", "UnicodeScripts", "Punctuation")]
    of_classes.append({"type": "Digits", "individual_digits": True})
    of_classes += [split(r) for r in (r"\w", r"\s", r"\d", r"[\w]", "[[:alpha:]]", "[[:upper:]]", "[[:lower:]]", "[[:punct:]]", "[[:graph:]]", r"\p{Punct}", r"\b", O200K,
                                      QWEN35, KIMI, DEEPSEEK3)]
    names = "L M N P S Z C Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Cc Cf Cn Co Han Common Latin Cyrillic Arabic Inherited Egyptian_Hieroglyphs".split()
    return [(c, texts) for c in of_classes + [split(r"\p{%s}" % n) for n in names]]


def compare_pieces(bin_, rng, groups, golden):
    program = os.path.join(bin_, "../unit/test_pretokenizer")
    if not os.path.exists(program):
        print(f"SKIPPED: no {program}: run make unit")
        return True

    def texts():
        return [random_text(rng, groups) for _ in range(TEXTS)] + rng.sample(golden, min(len(golden), TEXTS // 4))

    chains = [(c, texts()) for c in all_chains(rng, CHAINS)] + every_code_point()
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as f:
        n = write_cases(f.name, chains)
        run = subprocess.run([program], env={**os.environ, "OYSTER_PRETOKENIZERS": f.name}, capture_output=True, text=True, errors="replace")
    print(f"pieces of {n} texts {'equal' if run.returncode == 0 else 'DIFFER'}")
    if run.returncode:
        print(run.stdout[-3000:], run.stderr[-3000:])
    return run.returncode == 0


def compare_ids(bin_, name, component, texts):
    """A vocabulary of all pieces there are: another border is another id."""
    pieces = sorted({p for c in cases(component, texts) for p in c["pieces"]})
    document = json.loads(peer_of(component).to_str())
    document["model"] = {"type": "WordLevel", "vocab": {p: i for i, p in enumerate(["<unk>"] + pieces)}, "unk_token": "<unk>"}
    peer = Tokenizer.from_str(json.dumps(document))
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as f:
        json.dump(document, f, ensure_ascii=False)
        f.flush()
        data = "".join(json.dumps({"text": t}) + "\n" for t in texts)
        run = subprocess.run([os.path.join(bin_, "oy-tok"), "encode", "-t", f.name], input=data.encode(), capture_output=True)
    if run.returncode:
        print(f"not ok - {name}: {run.stderr.decode()}")
        return False
    ours = [json.loads(line)["ids"] for line in run.stdout.splitlines()]
    bad = [t for t, o in zip(texts, ours) if o != peer.encode(t, add_special_tokens=False).ids]
    print(f"{'not ok' if bad else 'ok'} - ids of {name}: {len(texts)} texts" + (f": {bad[0]!r}" if bad else ""))
    return not bad


def main():
    rng, groups = random.Random(SEED), code_point_groups()
    if sys.argv[1] == "--fixtures":
        n = write_cases(sys.argv[2], [(c, [random_text(rng, groups, (3, 4))]) for c in all_chains(rng, 40)])
        print(n, "texts", os.path.getsize(sys.argv[2]), "bytes")
        return
    golden = golden_texts()
    good = compare_pieces(sys.argv[1], rng, groups, golden)
    texts = golden + [random_text(rng, groups) for _ in range(500)]
    for name, component in published_sequences().items():
        good &= compare_ids(sys.argv[1], name, component, texts)
    sys.exit(0 if good else 1)


main()
