#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""oy-clean's rule c4_badwords against datatrove's C4BadWordsFilter, on made
texts in many languages with made lists: every verdict equal, the random ones
too.

    [RUNS=20000] [SEED=42] badwords.py [BIN [IGNORED]...]
"""
import json
import os
import random
import subprocess
import sys
import tempfile

del sys.path[0]  # its html.py is not Python's
BIN = sys.argv[1] if len(sys.argv) > 1 else "build/bin"

try:
    from datatrove.data import Document
    from datatrove.pipeline.filters import c4_filters
except ImportError as error:
    print(f"SKIPPED: {error}")
    sys.exit(0)

LISTS = {
    "en": ["bad", "very bad", " worse ", "don't", "a+b", "x", "sm", "!!", "(c",
           "BAD", "end.", "_u", "no\u00a0break", "σας"],
    "de": ["übel", "groß", "straße", "ß", "i̇"],
    "el": ["σας", "οδυσσευς", "κακό"],
    "tr": ["ısı", "i̇yi", "kötü"],
    "ja": ["悪い", "sm", "グロ", "ばか", "xy"],
    "th": ["เลว", "ชั่ว"],
    "zh": ["性", "坏", "坏蛋"],
    "ru": ["плохо", "очень плохо"],
    "ar": ["سيء", "كلمة سيئة"],
    "hi": ["बुरा", "बुरी बात"],
    "fr-CA-u-sd-caqc": ["mauvais", "é"],
}
BITS = [" ", " ", " ", "\n", "\t", ".", ",", "'", "_", "-", "\u00a0", "\u200b",
        "\u2028", "²", "٣", "a", "x", "é", "\u0301", "İ", "Σ", "ς", "ß", "ẞ",
        "ı", "I", "K", "ſ", "die", "的", "の", "ๆ", "\U0001f600", "ǅ", "\r\n",
        "\x1c", "Ⅷ", "ª", "्"]


def make(chance):
    language = chance.choice(list(LISTS))
    bits = list(BITS)
    for _ in range(3):
        word = chance.choice(LISTS[chance.choice([language, "en"])])
        bits += [word, word.upper(), word.title(), word[:-1], word[1:]]
    text = "".join(chance.choice(bits) for _ in range(chance.randint(0, 9)))
    record = {"text": text}
    if chance.random() < 0.9:
        record["language"] = language
    if chance.random() < 0.02:
        record["language"] = chance.choice(["xx", "ja_JP", ""])
    return record


def theirs(records, folder, fraction, seed):
    c4_filters.cached_asset_path_or_download = (
        lambda url, **_: f"{folder}/{url.rsplit('/', 1)[1]}")
    c4_filters._BADWORDS_LANGS = list(LISTS)
    rule = c4_filters.C4BadWordsFilter(
        keep_fraction=fraction, fail_on_missing_language=False, seed=seed)
    for record in records:
        metadata = {k: v for k, v in record.items() if k == "language"}
        verdict = rule.filter(Document(text=record["text"], id="1",
                                       metadata=metadata))
        yield None if verdict is True else verdict[1]


def ours(records, folder, fraction, seed):
    command = [f"{BIN}/oy-clean", "--rules", "c4_badwords", "--annotate"]
    for setting in (f"badwords={folder}", f"keep_fraction={fraction}",
                    f"seed={seed}", "fail_on_missing_language=false"):
        command += ["--set", "c4_badwords." + setting]
    lines = "".join(json.dumps(r) + "\n" for r in records)
    out = subprocess.run(command, input=lines.encode(), check=True,
                         stdout=subprocess.PIPE).stdout
    for line in out.splitlines():
        yield json.loads(line)["oyster"]["clean"]["reason"]


def main():
    n = int(os.environ.get("RUNS", 20000))
    chance = random.Random(int(os.environ.get("SEED", 42)))
    bad, seen = 0, {}
    with tempfile.TemporaryDirectory() as folder:
        for language, words in LISTS.items():
            with open(f"{folder}/{language}", "w", encoding="utf-8") as out:
                out.write("\n".join(words) + chance.choice(["", "\n"]))
        for fraction, seed in ((0, 0), (0.3, 7), (0.9, 2**40 + 11)):
            records = [make(chance) for _ in range(n // 3 + 1)]
            for record, a, b in zip(records,
                                    theirs(records, folder, fraction, seed),
                                    ours(records, folder, fraction, seed)):
                seen[a] = seen.get(a, 0) + 1
                if a != b:
                    bad += 1
                    if bad <= 20:
                        print(f"not ok - {record!r}: {b}, theirs {a}")
    print(f"{'not ok' if bad else 'ok'} - {n} texts, {bad} differ: {seen}")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
