# SPDX-License-Identifier: Apache-2.0
"""Generates pipeline/words_spacy_table.c out of an installed spaCy.

    python3 pipeline/words_spacy_table.py

The facts (which characters stand in which class of the affix expressions,
units, special cases) are those of spaCy's blank English tokenizer, release
3.8.18 (MIT licence, Copyright ExplosionAI GmbH and others). The program fails
when the expressions no longer have the shape that words_spacy_match.c is
written for. Only this program needs Python and spaCy.
"""
import os
import re
import sys

import spacy

N = 0x110000
SELF = os.path.basename(__file__)
# The bits of enum spacy_class in words_spacy_internal.h.
CLASSES = ("PREFIX SUFFIX ICON CURRENCY LOWER_SIDE UPPER_SIDE ALPHA "
           "BEFORE_POINT UPPER DOMAIN TLD").split()


def alternatives(source):
    """The expression cut at the bars of its outermost level."""
    parts, depth, inside, start, i = [], 0, False, 0, 0
    while i < len(source):
        c = source[i]
        if c == "\\":
            i += 1
        elif inside:
            inside = c != "]"
        elif c == "[":
            inside = True
        elif c in "()":
            depth += 1 if c == "(" else -1
        elif c == "|" and depth == 0:
            parts.append(source[start:i])
            start = i + 1
        i += 1
    return parts + [source[start:]]


def members(source):
    """The code points that a character class holds."""
    match = re.compile(source).match
    return {c for c in range(N) if match(chr(c))}


def expect(holds, what):
    if not holds:
        sys.exit(f"{SELF}: {what} is not what words_spacy_match.c knows")


def one_character(parts, anchor):
    """What matches one character by itself, without context."""
    found = set()
    for part in parts:
        body = part.replace(anchor, "", 1)
        if re.fullmatch(r"\\?.", body) or re.fullmatch(r"\[[^]]*\]", body):
            found |= members(body)
    return found


def read_prefixes(source):
    parts = alternatives(source)
    rest = [p for p in parts if not re.fullmatch(r"\^(\\?.|\[[^]]*\])", p)]
    expect(rest == ["^\\+(?![0-9])", "^……", "^\\.\\.+", "^US\\$", "^C\\$",
                    "^A\\$"], "the prefix expression")
    return one_character(parts, "^")


def read_suffixes(source):
    parts = alternatives(source)
    rest = [p for p in parts if not re.fullmatch(r"(\\?.|\[[^]]*\])\$", p)]
    expect(len(rest) == 12 and rest[:8] == [
        "……$", "\\.\\.+$", "'s$", "'S$", "’s$", "’S$", "(?<=[0-9])\\+$",
        "(?<=°[FfCcKk])\\.$"], "the suffix expression")
    currency, unit, point, upper = rest[8:]
    signs = re.fullmatch(r"\(\?<=\[0-9\]\)\(\?:(.*)\)\$", currency)[1]
    units = re.fullmatch(r"\(\?<=\[0-9\]\)\(\?:(.*)\)\$", unit)[1].split("|")
    signs = [s.replace("\\", "") for s in signs.split("|")]
    expect([s for s in signs if len(s) > 1] == ["US$", "C$", "A$"],
           "the list of currencies")
    before = re.fullmatch(r"\(\?<=(\[.*)\)\\\.\$", point)[1]
    twice = re.fullmatch(r"\(\?<=(\[.*\])(\[.*\])\)\\\.\$", upper)
    expect(twice[1] == twice[2], "the point behind capitals")
    # Inside a class a bar is a member, and so is what stands around it.
    return (one_character(parts, "$"), {ord(s) for s in signs if len(s) == 1},
            units, members(before), members(twice[1]))


def read_infixes(source):
    parts = alternatives(source)
    expect(len(parts) == 8 and parts[:2] == ["\\.\\.+", "…"] and
           parts[3] == "(?<=[0-9])[+\\-\\*^](?=[0-9-])",
           "the infix expression")
    point = re.fullmatch(r"\(\?<=(\[.*\])\)\\\.\(\?=(\[.*\])\)", parts[4])
    comma = re.fullmatch(r"\(\?<=(\[.*\])\),\(\?=(\[.*\])\)", parts[5])
    dash = re.fullmatch(r"\(\?<=(\[.*\])\)\(\?:-\|–\|—\|--\|---\|——\|~\)"
                        r"\(\?=(\[.*\])\)", parts[6])
    mark = re.fullmatch(r"\(\?<=(\[.*\])\)\[:<>=/\]\(\?=(\[.*\])\)", parts[7])
    alpha = members(comma[1])
    digits = set(range(ord("0"), ord("9") + 1))
    expect(members(comma[2]) == members(dash[2]) == members(mark[2]) == alpha
           and members(dash[1]) == members(mark[1]) == alpha | digits,
           "the class of letters")
    return members(parts[2]), members(point[1]), members(point[2]), alpha


def read_url(source):
    tld = re.search(r"\(\?:(\[[^]]*\])\{2,63\}\)", source)
    expect(tld and source.replace(tld[1], "TLD") == (
        r"(?u)^(?:(?:[\w\+\-\.]{2,})://)?(?:\S+(?::\S*)?@)?(?:(?!(?:10|127)"
        r"(?:\.\d{1,3}){3})(?!(?:169\.254|192\.168)(?:\.\d{1,3}){2})(?!172\."
        r"(?:1[6-9]|2\d|3[0-1])(?:\.\d{1,3}){2})(?:[1-9]\d?|1\d\d|2[01]\d|"
        r"22[0-3])(?:\.(?:1?\d{1,2}|2[0-4]\d|25[0-5])){2}(?:\.(?:[1-9]\d?|"
        r"1\d\d|2[0-4]\d|25[0-4]))|(?:(?:[A-Za-z0-9\u00a1-\uffff]"
        r"[A-Za-z0-9\u00a1-\uffff_-]{0,62})?[A-Za-z0-9\u00a1-\uffff]\.)+"
        r"(?:TLD{2,63}))(?::\d{2,5})?(?:[/?#]\S*)?$"), "the url expression")
    domain = members(r"[A-Za-z0-9\u00a1-\uffff]")
    tld = members(tld[1])
    # A host is cut at its points and ends at the first of these.
    expect(not {ord(c) for c in ".:/?#@"} & (domain | tld), "a domain name")
    return domain, tld


def plain(tokenizer, piece):
    """A piece without white space by affixes alone, special cases apart."""
    front, back = [], []
    size = -1
    while piece and len(piece) != size:
        size = len(piece)
        n_front = tokenizer.find_prefix(piece)
        n_back = tokenizer.find_suffix(piece[n_front:])
        if n_front + n_back > size:
            n_back = 0
        if n_front:
            front.append(piece[:n_front])
        if n_back:
            back.insert(0, piece[size - n_back:])
        piece = piece[n_front:size - n_back]
    middle, start = [], 0
    if piece and tokenizer.url_match(piece):
        middle, start = [piece], len(piece)
    else:
        for m in tokenizer.find_infix(piece):
            if m.start() == 0:
                continue
            middle += [piece[start:m.start()], m[0]]
            start = m.end()
    return front + [t for t in middle + [piece[start:]] if t] + back


def quote(parts):
    """A C string, its parts joined by U+001F."""
    out = ""
    for byte in "\x1f".join(parts).encode():
        c = chr(byte)
        out += c if c.isalnum() and byte < 128 or c in " '-._" \
            else f"\\{byte:03o}"
    return f'"{out}"'


def put_strings(out, name, rows):
    out.append(f"const char *const {name}[] = {{")
    line = "   "
    for text in [quote(row) for row in rows] + ["NULL"]:
        if len(line) + len(text) > 120:
            out.append(line)
            line = "   "
        line += f" {text},"
    out += [line, "};", ""]


def put_numbers(out, head, numbers):
    out.append(head + " = {")
    for i in range(0, len(numbers), 64):
        out.append("    " + ",".join(map(str, numbers[i:i + 64])) + ",")
    out += ["};", ""]


def put_classes(out, sets):
    bits = [0] * N
    for i, name in enumerate(CLASSES):
        for c in sets[name]:
            bits[c] |= 1 << i
    records = sorted(set(bits))
    number = {b: i for i, b in enumerate(records)}
    blocks, table, index = {}, [], []
    for start in range(0, N, 256):
        block = tuple(number[b] for b in bits[start:start + 256])
        if block not in blocks:
            blocks[block] = len(blocks)
            table += block
        index.append(blocks[block])
    put_numbers(out, "const uint8_t spacy_class_block[]", index)
    put_numbers(out, "const uint8_t spacy_class_index[]", table)
    put_numbers(out, "const uint16_t spacy_class_bits[]", records)


def main():
    tokenizer = spacy.blank("en").tokenizer
    expect(tokenizer.token_match is None, "token_match")
    sets = {}
    sets["PREFIX"] = read_prefixes(tokenizer.prefix_search.__self__.pattern)
    sets["SUFFIX"], sets["CURRENCY"], units, sets["BEFORE_POINT"], \
        sets["UPPER"] = read_suffixes(tokenizer.suffix_search.__self__.pattern)
    sets["ICON"], sets["LOWER_SIDE"], sets["UPPER_SIDE"], sets["ALPHA"] = \
        read_infixes(tokenizer.infix_finditer.__self__.pattern)
    sets["DOMAIN"], sets["TLD"] = \
        read_url(tokenizer.url_match.__self__.pattern)
    cases = {key: [part[spacy.attrs.ORTH] for part in parts]
             for key, parts in sorted(tokenizer.rules.items())
             if not key.isspace()}
    again = [(plain(tokenizer, key), key) for key in cases
             if tokenizer.find_prefix(key) or tokenizer.find_suffix(key) or
             tokenizer.find_infix(key)]
    again = [parts for parts, key in again
             if len(parts) > 1 or parts != cases[key]]
    again.sort(key=lambda parts: "".join(parts).encode())
    units = sorted({u for u in units}, key=lambda u: (-len(u.encode()), u))
    out = ["/* SPDX-License-Identifier: Apache-2.0", " *",
           f" * Generated by {SELF}: the data of spaCy's English splitter.",
           f" * spaCy {spacy.__version__}, MIT licence. Do not edit. */",
           "/* clang-format off */", "#include <stddef.h>", "",
           '#include "pipeline/words_spacy_internal.h"', ""]
    put_classes(out, sets)
    put_strings(out, "spacy_unit", [[u] for u in units])
    put_strings(out, "spacy_case", list(cases.values()))
    put_strings(out, "spacy_again", again)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "words_spacy_table.c")
    with open(path, "w") as file:
        file.write("\n".join(out[:-1]) + "\n")
    print(len(cases), "special cases,", len(again), "looked for again,",
          max(map(len, again)), "tokens at most")


if __name__ == "__main__":
    main()
