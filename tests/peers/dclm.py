#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""oy-clean's DCLM rules against DCLM's own functions, on made texts: every
verdict and every text equal. $DCLM is a checkout of mlfoundations/dclm.

    DCLM=DIR [RUNS=20000] [SEED=42] dclm.py [BIN [IGNORED]...]
"""
import json
import os
import random
import subprocess
import sys
import tempfile
import types

del sys.path[0]  # its html.py is not Python's
BIN = sys.argv[1] if len(sys.argv) > 1 else "build/bin"
DCLM = os.environ.get("DCLM", "")


def stub(name, **members):
    try:
        __import__(name)
    except ImportError:
        module = types.ModuleType(name)
        for key, value in members.items():
            setattr(module, key, value)
        sys.modules[name] = module


def package(name, *folder):
    """A package without what its __init__ would import."""
    module = types.ModuleType(name)
    module.__path__ = [os.path.join(DCLM, "baselines", *folder)]
    sys.modules[name] = module


package("baselines")
package("core", "core")
package("baselines.core", "core")
package("baselines.mappers", "mappers")
package("baselines.mappers.filters", "mappers", "filters")
for name, member in (("justext", "justext"), ("bs4", "BeautifulSoup"),
                     ("unidecode", "unidecode"), ("lxml", "x"),
                     ("lxml.etree", "ParserError"),
                     ("transformers", "AutoTokenizer")):
    stub(name, **{member: Exception})
try:
    if not DCLM:
        raise ImportError("set DCLM to a checkout of mlfoundations/dclm")
    from baselines.mappers import modifiers
    from baselines.mappers.core_utils import split_words
    from baselines.mappers.filters import content_filters as filters
except ImportError as error:
    print(f"SKIPPED: {error}")
    sys.exit(0)

TLDS = ["com", "co", "org", "uk", "a", "i", "s", "travel", "de", "xn--p1ai",
        "みんな", "世界", "ελ", "vermögensberater", "net1", "k"]
BAN = ["bad", "lorem ipsum", "{", "a.c", "ΣΑΣ", "İ", "x_", "b..d", "Read more..."]
BITS = [" ", " ", " ", "\n", "\n", "\n\n", "\t", ".", ",", "'", "-", "_", "a",
        "A", "the", "The", "word", "Word", "éa", "\u0301", "İ", "ı", "Σ", "σ",
        "ς", "ß", "的", "世界", "の", "\u00a0", "\u202f", "\u2028", "\x00",
        "\x0b", "\x1c", "\x85", "\u200b", "12", "3", "²", "٣", "Ⅷ", "</s>",
        "don't", "\U0001f600", "\r\n", "lorem ipsum", "Lorem Ipsum", "bad",
        "{", "abc", "x_", "Read more...", "aaaaaaaaaaaa", "same line\n",
        "Same Line\n", " same line \n", "one two three ", "one two three "]
URLS = ["http://", "https://", "ftp://", "x.com", ".com", ".co", "a.b.c.uk",
        "/path?x=1&y=(2)", ":", "@", "1.2.3.4", "255.255.255.255", "256.1.1.1",
        "1.2.3.", "10.0.0.1234/x", "0", "9.", "..", "com", "Com", "www.",
        "xn--p1ai", ".みんな", ".travel", "a" * 250, "." * 20, " " * 12, "~#%"]


def make(chance):
    bits = BITS + URLS * chance.randint(0, 2)
    if chance.random() < 0.5:
        bits = chance.sample(bits, 4) + [" ", "\n"]
    text = "".join(chance.choice(bits) for _ in range(chance.randint(0, 30)))
    if chance.random() < 0.3:
        text = chance.choice(["Com ", "coming\n", "ıt ", "ſo ", "世界 "]) + text
    return text


def cases(folder):
    """(rule, our settings, their function)."""
    f, m = filters, modifiers
    for kind in ("any", "prefix", "suffix"):
        for exact in (False, True):
            for case in (False, True):
                yield ("dclm_substring_filter",
                       dict(banlist=BAN, location=kind, exact_word=exact,
                            case_sensitive=case),
                       f.substring_filter(banlist=list(BAN) if case else BAN,
                                          location=kind, exact_word=exact,
                                          case_sensitive=case))
    yield ("dclm_substring_filter",
           dict(banlist_from_fname=f"{folder}/ban"),
           f.substring_filter(banlist_from_fname=f"{folder}/ban"))
    yield ("dclm_url_removal_modifier",
           dict(tlds_filepath=f"{folder}/tlds"),
           m.url_removal_modifier(tlds_filepath=f"{folder}/tlds"))
    for model in ("fasttext", "uniseg", "split"):
        for punctuation in (False, True):
            for space in (False, True):
                options = dict(model=model, ignore_punctuation=punctuation,
                               ignore_whitespace=space)
                yield ("dclm_word_length_modifier",
                       dict(max_length=5, **options),
                       lambda page, o=options: m.word_length_modifier(
                           page, max_length=5, **o))
                yield ("dclm_page_length_filter",
                       dict(length_type="word", min_length=6, max_length=20,
                            **options),
                       lambda page, o=options: f.page_length_filter(
                           page, "word", 6, 20, **o))
    for kind in ("line", "paragraph"):
        for normal in (False, True):
            yield ("dclm_within_page_dedup",
                   dict(granularity=kind, normalize=normal),
                   lambda page, k=kind, n=normal: m.within_page_dedup(
                       page, granularity=k, normalize=n))
    for kind in ("line", "paragraph", 2, 3, 5, 8):
        for chars in (False, True):
            for fold in (False, True):
                yield ("dclm_repetition_filter",
                       dict(granularity=kind, max_fraction=0.3,
                            count_characters=chars, ignore_case=fold),
                       lambda page, k=kind, c=chars, i=fold:
                       f.repetition_filter(page, k, 0.3, count_characters=c,
                                           ignore_case=i))


def removal(page):
    """What a modifier takes between two counts."""
    page["n"] = len(split_words(page["text"], ignore_punctuation=True))
    page = modifiers.line_length_modifier(page, min_length=2)
    return page and filters.word_removal_ratio_filter(page[0], "n",
                                                      max_removed_ratio=.2)


def ours(chain, texts):
    lines = "".join(json.dumps({"text": t}) + "\n" for t in texts)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as preset:
        json.dump({"rules": chain}, preset)
        preset.flush()
        out = subprocess.run(
            [f"{BIN}/oy-clean", "--preset", preset.name, "--annotate"],
            input=lines.encode(), check=True, stdout=subprocess.PIPE).stdout
    for line in out.splitlines():
        record = json.loads(line)
        keep = record["oyster"]["clean"]["keep"]
        yield record["text"] if keep else None


def compare(what, chain, peer, texts):
    bad = dropped = changed = 0
    for text, b in zip(texts, ours(chain, texts)):
        pages = peer({"text": text})
        a = pages[0]["text"] if pages else None
        dropped += a is None
        changed += a not in (None, text)
        if a != b:
            bad += 1
            if bad <= 3:
                print(f"not ok - {what} {text!r}: {b!r}, theirs {a!r}")
    print(f"{'not ok' if bad else 'ok'} - {what}: {len(texts)} texts, {bad} "
          f"differ ({dropped} dropped, {changed} changed)")
    return bad


def main():
    n = int(os.environ.get("RUNS", 20000))
    chance = random.Random(int(os.environ.get("SEED", 42)))
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/ban", "w", encoding="utf-8") as out:
            out.write("\n".join(BAN))
        with open(f"{folder}/tlds", "w", encoding="utf-8") as out:
            out.write("\n".join(TLDS))
        texts = [make(chance) for _ in range(n)]
        for rule, settings, peer in cases(folder):
            shown = {k: v for k, v in settings.items() if k != "banlist"}
            bad += compare(f"{rule} {shown}", [{"rule": rule, **settings}],
                           peer, texts)
        chain = ["dclm_word_counter_enricher",
                 {"rule": "dclm_line_length_modifier", "min_length": 2},
                 {"rule": "dclm_word_removal_ratio_filter",
                  "prev_word_count_key": "word_count",
                  "max_removed_ratio": .2}]
        bad += compare("dclm_word_removal_ratio_filter", chain, removal,
                       texts)
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
