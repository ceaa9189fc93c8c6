# SPDX-License-Identifier: Apache-2.0
"""The texts of the encoding benchmark: about 24 MB each of English, Chinese and code, and a mix of the three.

Documents are taken in the order of the corpora, whole; one that would pass the wanted size is left out. Each text is written twice: as JSONL with a
field "text", and as lengths (uint32, little-endian) followed by that many bytes, which needs no parser.
"""
import json
import os
import struct
import subprocess

SOURCES = {
    "en": (24_000_000, ["en/debian_docs_en"]),
    "zh": (24_000_000, ["zh/debian_docs_zh_cn", "zh/song_ci", "zh/fortunes_zh"]),
    "code": (24_000_000, ["code/python_stdlib", "code/busybox_c", "code/lua_c"]),
}
MIX_PART = 8_000_000


def read_documents(corpora, names):
    for name in names:
        text = subprocess.run(["zstd", "-dcq", os.path.join(corpora, name + ".jsonl.zst")], check=True, stdout=subprocess.PIPE).stdout
        for line in text.decode().split("\n"):
            if line:
                yield json.loads(line)["text"].encode()


def take(documents, most):
    kept, size = [], 0
    for document in documents:
        if size + len(document) <= most:
            kept.append(document)
            size += len(document)
    return kept


def interleave(lists):
    longest = max(map(len, lists))
    return [documents[i] for i in range(longest) for documents in lists if i < len(documents)]


def write(folder, name, documents):
    with open(os.path.join(folder, name + ".jsonl"), "w", encoding="utf-8") as out:
        for document in documents:
            out.write(json.dumps({"text": document.decode()}, ensure_ascii=False) + "\n")
    with open(os.path.join(folder, name + ".texts"), "wb") as out:
        for document in documents:
            out.write(struct.pack("<I", len(document)) + document)


def read(path):
    """The documents of a file of lengths and bytes, as str."""
    with open(path, "rb") as f:
        data = f.read()
    at, documents = 0, []
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at)
        documents.append(data[at + 4:at + 4 + size].decode())
        at += 4 + size
    return documents


def build(corpora, folder):
    """Writes all four into the folder; returns the bytes of text of each."""
    every = {name: list(read_documents(corpora, names)) for name, (_, names) in SOURCES.items()}
    texts = {name: take(every[name], most) for name, (most, _) in SOURCES.items()}
    texts["mix"] = interleave([take(every[name], MIX_PART) for name in SOURCES])
    for name, documents in texts.items():
        write(folder, name, documents)
    return {name: sum(map(len, documents)) for name, documents in texts.items()}
