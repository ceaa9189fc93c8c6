#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Texts of pages against resiliparse 0.14.5: random tags, and pieces of real pages, cut and mixed.

    [RUNS=2000] [SEED=1] [PAGES=FOLDER] python3 tests/peers/html.py [BIN [IGNORED]...]

BIN is the folder of the programs, by default build/bin. PAGES holds pages of HTML to take apart; without it only random tags are tried.
About two pages of random tags in a thousand differ, where the peer leaves the standard ("</h5>" in a script that is the root loses its h); pieces of real pages do not.
"""
import glob
import json
import os
import random
import re
import subprocess
import sys
import tempfile

try:
    from resiliparse.extract.html2text import extract_plain_text
except ImportError:
    print("SKIPPED: html.py: no package resiliparse")
    sys.exit(0)

BIN = sys.argv[1] if len(sys.argv) > 1 else "build/bin"
RUNS = int(os.environ.get("RUNS", "2000"))
rng = random.Random(int(os.environ.get("SEED", "1")))
NAMES = ("a article aside b body br button div dl dt dd em footer form h1 h2 h5 head header hr html i img li main nav ol option p pre script section "
         "select small span strong style svg desc table tbody td template textarea th title tr ul math mi noscript xmp").split()
ATTRIBUTES = ["", "", "", " class='nav main'", " id=footer", " class='post-content'", " alt='x y'", " hidden", " style='display:none'", " role=search", " href=q"]
WORDS = ["", "", " ", "word", "a b \n", "é", "…", "&amp;", "&nbsp;", "<!-- c -->"]


def soup(tags):
    return "".join(rng.choice(tags) + rng.choice(WORDS) for _ in range(rng.randrange(3, 60)))


def mixed(tags, pages):
    page = rng.choice(pages)
    at = rng.randrange(len(page))
    text = page[at:at + rng.randrange(200, 4000)]
    for _ in range(rng.randrange(12)):
        j, other = rng.randrange(len(text) + 1), rng.choice(pages)
        k = rng.randrange(len(other))
        text = text[:j] + rng.choice([rng.choice(tags), other[k:k + rng.randrange(300)], ""]) + text[j + rng.choice([0, 0, rng.randrange(200)]):]
    return rng.choice(["", "<!DOCTYPE html><html><body>"]) + text


own = [f"<{'/' if rng.random() < .35 else ''}{name}{attribute}>" for name in NAMES for attribute in ATTRIBUTES]
pages = [open(f, encoding="utf-8", errors="replace").read() for f in sorted(glob.glob(os.environ.get("PAGES", "") + "/*"))] if "PAGES" in os.environ else []
pages = [p for p in pages if p]
tags = own + [m for p in pages for m in re.findall(r"<[^<>]{1,200}>", p)[:200]]
cases = [mixed(tags, pages) if pages and rng.random() < .6 else soup(tags) for _ in range(RUNS)]
bad = 0
with tempfile.TemporaryDirectory() as folder:
    for i, case in enumerate(cases):
        with open(f"{folder}/{i:06d}.html", "w", newline="", encoding="utf-8", errors="replace") as f:
            f.write(case)
    for mode in ("main", "full"):
        out = subprocess.run([f"{BIN}/oy-cat", "--from", "html", "--html", mode, "--charset", "utf-8", folder], stdout=subprocess.PIPE, check=True).stdout
        for case, line in zip(cases, out.splitlines(), strict=True):
            want, got = extract_plain_text(case, main_content=mode == "main"), json.loads(line)["text"]
            if want != got:
                bad += 1
                print(f"{mode}: {case!r}\n  want {want!r}\n  got  {got!r}")
print(f"html: {RUNS} pages, main and full, {bad} differ")
sys.exit(bad > max(1, RUNS // 200))
