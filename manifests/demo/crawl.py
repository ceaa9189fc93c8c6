#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes crawl.warc.gz, the bundled crawl of the demo, from free texts.

Usage: crawl.py wiki.txt handbook.jsonl shakespeare.txt python-docs.jsonl

The texts (README.md says where they come from) are cut into pages of 2 to
7 KB, wrapped as WET conversion records, and mixed with what a real crawl
holds: navigation and cookie lines, exact copies under another address,
near-copies, link lists, price tables, spam, stubs. Equal inputs give equal
bytes; no clock, no random device. Nothing needs this script to be run: the
result is committed.
"""
import gzip
import hashlib
import io
import json
import random
import re
import sys
import uuid

draw = random.Random(20260101)
NAV = ["Home", "About", "Contact", "Sign in", "Search", "Help", "News",
       "Archive", "Sitemap"]
FOOT = ["We use cookies to make this site work. Read our cookie policy.",
        "Back to top", "Terms of use - Privacy - Imprint",
        "Share this page", "Was this page helpful? Yes / No"]


def paragraphs(text, sentences=4):
    """Long lines become paragraphs of a few sentences."""
    out = []
    for block in re.split(r"\n\s*\n", text):
        if len(block) < 900:
            out.append(block.strip())
            continue
        part = re.split(r"(?<=[a-z)\]][.!?])\s*(?=[A-Z])", block)
        for i in range(0, len(part), sentences):
            out.append(" ".join(p.strip() for p in part[i:i + sentences]))
    return [p for p in out if p]


def pages(site, title, text):
    """(url, title, paragraphs) of 2 to 7 KB each."""
    part, size, n = [], 0, 0
    limit = draw.randint(2000, 7000)
    for p in paragraphs(text):
        part.append(p)
        size += len(p)
        if size > limit:
            n += 1
            yield f"https://{site}/{title}/{n}", title, part
            part, size, limit = [], 0, draw.randint(2000, 7000)
    if size > 600:
        yield f"https://{site}/{title}/{n + 1}", title, part


def slug(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "page"


def sources(wiki, handbook, shakespeare, docs):
    for line in open(wiki, encoding="utf-8"):
        yield from pages("encyclopedia.example", slug(line[:30]), line)
    for line in open(handbook, encoding="utf-8"):
        r = json.loads(line)
        if "/en-US/" in r["id"]:
            name = slug(r["id"].rsplit("/", 1)[1].removesuffix(".html"))
            yield from pages("handbook.example", name, r["text"])
    text = open(shakespeare, encoding="utf-8").read()
    for i in range(0, len(text), 60000):
        yield from pages("plays.example", f"part-{i // 60000 + 1}",
                         text[i:i + 60000])
    taken = 0
    for line in open(docs, encoding="utf-8"):
        r = json.loads(line)
        if r["source"] == "python3.11-doc" and taken < 1_600_000 and \
                re.search(r"/(tutorial|howto|faq|library)/", r["id"]):
            taken += len(r["text"])
            name = slug(r["id"].rsplit("/", 1)[1].removesuffix(".html"))
            yield from pages("manual.example", name, r["text"])


def dress(title, body):
    """A page as text extraction leaves it: bars above and below."""
    top = draw.sample(NAV, draw.randint(0, 5))
    end = draw.sample(FOOT, draw.randint(0, 3))
    return "\n".join(top + [title.replace("-", " ").title()]
                     + [p for p in body] + end)


def near_copy(body):
    """One or two paragraphs changed a little: still the same page."""
    body = list(body)
    for _ in range(draw.randint(1, 2)):
        i = draw.randrange(len(body))
        word = body[i].split(" ")
        if len(word) > 6:
            del word[draw.randrange(len(word))]
        body[i] = " ".join(word)
    return body


def junk(n):
    """Pages that no model should read."""
    kind = n % 6
    if kind == 0:
        return "\n".join("- " + draw.choice(NAV) + " %d" % draw.randint(1, 99)
                         for _ in range(draw.randint(60, 200)))
    if kind == 1:
        return "\n".join("%d x %d.%02d EUR | %06d" % (
            draw.randint(1, 9), draw.randint(1, 999), draw.randint(0, 99),
            draw.randrange(10**6)) for _ in range(draw.randint(50, 150)))
    if kind == 2:
        word = draw.choice(["cheap", "best", "free", "online", "casino"])
        return " ".join([f"Buy {word} now, the {word} offer of today!"]
                        * draw.randint(20, 80))
    if kind == 3:
        return "\n".join("%s and more to read..." % draw.choice(NAV)
                         for _ in range(draw.randint(40, 90)))
    if kind == 4:
        return "### " + " # ".join(draw.choice(NAV) for _ in range(120))
    return "Page not found. " + draw.choice(NAV)


def record(url, text, number):
    body = text.encode("utf-8")
    head = ["WARC/1.0", "WARC-Type: conversion", f"WARC-Target-URI: {url}",
            "WARC-Date: 2026-01-%02dT%02d:00:00Z" % (number % 28 + 1,
                                                     number % 24),
            "WARC-Record-ID: <urn:uuid:%s>"
            % uuid.uuid5(uuid.NAMESPACE_URL, url),
            "WARC-Block-Digest: sha1:" + hashlib.sha1(body).hexdigest(),
            "WARC-Identified-Content-Language: eng",
            "Content-Type: text/plain", f"Content-Length: {len(body)}"]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body + b"\r\n\r\n"


def main():
    page = list(sources(*sys.argv[1:5]))
    out = []
    for url, title, body in page:
        out.append((url, dress(title, body)))
        lot = draw.random()
        if lot < 0.05:
            out.append((url + "?print=1", out[-1][1]))
        elif lot < 0.14:
            out.append((url.replace("https://", "https://mirror."),
                        dress(title, near_copy(body))))
        if draw.random() < 0.16:
            out.append(("https://shop.example/%05d" % len(out),
                        junk(draw.randrange(10**6))))
    draw.shuffle(out)
    with open("crawl.warc.gz", "wb") as f:
        info = (b"WARC/1.0\r\nWARC-Type: warcinfo\r\n"
                b"WARC-Date: 2026-01-01T00:00:00Z\r\n"
                b"WARC-Record-ID: <urn:uuid:" +
                str(uuid.uuid5(uuid.NAMESPACE_URL, "demo")).encode() +
                b">\r\nContent-Type: application/warc-fields\r\n"
                b"Content-Length: 34\r\n\r\n"
                b"software: crawl.py\r\nformat: WET1\r\n\r\n\r\n")
        for raw in [info] + [record(u, t, i) for i, (u, t) in enumerate(out)]:
            member = io.BytesIO()
            with gzip.GzipFile(fileobj=member, mode="wb", compresslevel=9,
                               mtime=0) as z:
                z.write(raw)
            f.write(member.getvalue())
    print(len(page), "pages,", len(out), "records,",
          sum(len(t.encode()) for _, t in out), "bytes of text")


main()
