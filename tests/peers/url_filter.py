#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""oy-clean's rule url against datatrove's URLFilter, on made URLs: every
reason equal, with Debian's copy of the public suffix list on both sides.

    [RUNS=20000] [SEED=42] url_filter.py [BIN [IGNORED]...]
"""
import json
import os
import random
import subprocess
import sys
import tempfile

BIN = sys.argv[1] if len(sys.argv) > 1 else "build/bin"
SUFFIXES = "/usr/share/publicsuffix/public_suffix_list.dat"

try:
    import ahocorasick  # noqa: F401
    import tldextract
    from datatrove.data import Document
    from datatrove.pipeline.filters import URLFilter
except ImportError as error:
    print(f"SKIPPED: {error}")
    sys.exit(0)
if not os.path.exists(SUFFIXES):
    print(f"SKIPPED: no {SUFFIXES}")
    sys.exit(0)

DOMAINS = ["bad.com", "evil.co.uk", "sub.good.com", "# none.org", "x.ck",
           "city.kawasaki.jp", "a.b.kawasaki.jp", "bücher.de", "Bad.org",
           "xn--bcher-kva.de", "foo.blogspot.com", "blogspot.com", "1.2.3.4",
           "食狮.公司.cn", "www.ck", "a.com", "deep.sub.bad.net"]
URLS = ["http://good.com/this", "https://a.test/?q=1#x"]
WORDS = ["Porn", "casino", "x-x", "9lives"]
SOFT = ["free", "win", "hot", "2024", "#hash", "Click"]
SUBWORDS = ["viagra", "xx-x", "he", "hers", "ushe9", "Ultra Deal"]


def suffixes():
    with open(SUFFIXES, encoding="utf-8") as lines:
        rules = [x.strip() for x in lines]
    return [x.lstrip("!*.") for x in rules if x and not x.startswith("//")]


def make(chance, known):
    pick = chance.choice
    labels = ["www", "a", "bad", "sub", "good", "evil", "Bad", "b", "city",
              "foo", "deep", "bücher", "xn--bcher-kva", "食狮", "", "1", "-"]
    host = ".".join(pick(labels) for _ in range(chance.randint(0, 3)))
    tail = pick(known) if chance.random() < 0.5 else pick(
        ["com", "co.uk", "net", "ck", "kawasaki.jp", "de", "COM", "invalid"])
    host = host + pick([".", ".", ".", "。", "．", ""]) + tail
    if chance.random() < 0.2:
        host = pick([x.lstrip("# ") for x in DOMAINS])
    if chance.random() < 0.1:
        host = pick(["1.2.3.4", "[::1]", "localhost", "256.1.1.1", "", ".com",
                     "[a.bad.com", "[1.bad.com]", "..bad.com", "bad.com..",
                     " bad.com ", "bad.com。"])
    user = pick(["", "", "", "u@", "u:p@", "@", "a@b@"])
    port = pick(["", "", ":80", ":"])
    scheme = pick(["http://", "https://", "//", "", "HTTP://", "x y://", "://",
                   "ftp+a://", "a//"])
    words = WORDS + SOFT + SUBWORDS + ["us", "h", "e", "index.html", "porn"]
    path = "".join(pick(["/", "-", "_", "", "?", "#", "%20", "é"]) + pick(words)
                   for _ in range(chance.randint(0, 4)))
    if chance.random() < 0.3:
        path = ""
    if chance.random() < 0.02:
        return pick(URLS)
    return (scheme + user + host + port + path) or "x"


def theirs(urls):
    rule = URLFilter(
        extra_domains=DOMAINS, extra_urls=URLS, banned_words=WORDS,
        banned_subwords=SUBWORDS, soft_banned_words=SOFT,
        use_integrated_lists=False)
    rule.tldextractor = tldextract.TLDExtract(
        cache_dir=None, suffix_list_urls=["file://" + SUFFIXES])
    for url in urls:
        verdict = rule.filter(Document(text="x", id="1", metadata={"url": url}))
        yield None if verdict is True else verdict[1]


def ours(urls):
    with tempfile.TemporaryDirectory() as folder:
        command = [f"{BIN}/oy-clean", "--rules", "url", "--annotate"]
        lists = dict(domains=DOMAINS, urls=URLS, banned_words=WORDS,
                     banned_subwords=SUBWORDS, soft_banned_words=SOFT)
        for name, entries in lists.items():
            with open(f"{folder}/{name}", "w", encoding="utf-8") as out:
                out.write("\n".join(entries) + "\n")
            command += ["--set", f"url.{name}={folder}/{name}"]
        command += ["--set", f"url.public_suffix_list={SUFFIXES}"]
        lines = "".join(json.dumps({"text": "x", "url": u}) + "\n" for u in urls)
        out = subprocess.run(command, input=lines.encode(), check=True,
                             stdout=subprocess.PIPE).stdout
    for line in out.splitlines():
        yield json.loads(line)["oyster"]["clean"]["reason"]


def main():
    n = int(os.environ.get("RUNS", 20000))
    chance = random.Random(int(os.environ.get("SEED", 42)))
    known = suffixes()
    urls = [make(chance, known) for _ in range(n)]
    bad, seen = 0, {}
    for url, a, b in zip(urls, theirs(urls), ours(urls)):
        seen[a] = seen.get(a, 0) + 1
        if a != b:
            bad += 1
            if bad <= 20:
                print(f"not ok - {url!r}: {b}, theirs {a}")
    print(f"{'not ok' if bad else 'ok'} - {n} URLs, {bad} differ: {seen}")
    return bad != 0


sys.exit(main())
