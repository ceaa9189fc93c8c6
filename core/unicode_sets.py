# SPDX-License-Identifier: Apache-2.0
"""Generates core/unicode_sets_table.c and core/grapheme_table.c.

    python3 core/unicode_sets.py [UNICODE_DATA_DIR]

UNICODE_DATA_DIR (default /usr/share/unicode) is Debian's package unicode-data,
Unicode 15.0. What other versions say stands below, as measured over every
scalar value in Hugging Face's tokenizers 0.23.3; the grapheme breaks of 17.0
(crate unicode-segmentation 1.13) are told as differences from 15.0. Only this
program needs Python.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from unicode_table import fields, points, runs_as_ranges, wrap  # noqa: E402

N = 0x110000
SELF = "unicode_sets.py"
DATA = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/unicode"

# StripAccents: M of Unicode 9 (crate unicode-normalization-alignments), with
# what changed its category since.
COMBINING_AGE, COMBINING_MORE, COMBINING_LESS = 9, "1CF2-1CF3", "111C9"
# BertNormalizer: Mn, and Cc Cf Co, of Unicode 8 (crate unicode_categories).
BERT_AGE = 8
NONSPACING_MORE, NONSPACING_LESS = "1734", "1885-1886 A9BD 111C9"
CHINESE = ("3400-4DBF 4E00-9FFF F900-FAFF 20000-2A6DF 2A700-2B81F 2B920-2CEAF "
           "2F800-2FA1F")
SPACES = "A0 1680 2000-200A 2028-2029 202F 205F 3000"
NMT = ("1-D E-1F 7F 8F 9F 1680 200B-200F 2028-2029 2581 FEFF FFFD")
# Lower case since 15.0: first, last, what is added (char::to_lowercase of
# Rust 1.9x, Unicode 17).
LOWER_17 = """
1C89:1 A7CB:-42343 A7CC:1 A7CE:1 A7D2:1 A7D4:1 A7DA:1 A7DC:-42561
10D50-10D65:32 16EA0-16EB8:27
"""

# The order of enum oy_grapheme_break in grapheme.h.
BREAKS = ("Other CR LF Control Extend ZWJ Regional_Indicator Prepend "
          "SpacingMark L V T LV LVT Pictographic Consonant Linker "
          "ZWNJ").split()
# Those that may share a cluster with a character of another kind before it, or
# with any behind it.
JOINING = ("CR Extend ZWJ Regional_Indicator Prepend SpacingMark L V T Linker "
           "ZWNJ")
# From 15.0 to 17.0.
GRAPHEME_17 = {
    "Extend": """
897 CC0 CC7-CC8 CCA-CCB 1715 1734 1ACF-1ADD 1AE0-1AEB 1B3B 1B3D 1B43-1B44 1BAA
1BF2-1BF3 A953 A9C0 10D69-10D6D 10EFA-10EFC 111C0 11235 1134D 113B8
113BB-113C0 113C2 113C5 113C7-113C9 113CE-113D0 113D2 113E1-113E2 116B6 1193D
11B60 11B62-11B64 11B66 11F41 11F5A 1611E-16129 1612D-1612F 16FF0-16FF1 1D166
1D16D 1E5EE-1E5EF 1E6E3 1E6E6 1E6EE-1E6EF 1E6F5""",
    "SpacingMark": "113B9-113BA 113CA 113CC-113CD 1171E 11B61 11B65 11B67 "
                   "1612A-1612C",
    "Prepend": "113D1",
    "V": "16D63 16D67-16D6A",
    "Other": """
2388 2605 2607-260D 260F-2610 2612 2616-2617 2619-261C 261E-261F 2621
2624-2625 2627-2629 262B-262D 2630-2637 263B-263F 2641 2643-2647 2654-265E
2661-2662 2664 2667 2669-267A 267C-267D 2680-2685 2690-2691 2698 269A
269D-269F 26A2-26A6 26A8-26A9 26AC-26AF 26B2-26BC 26BF-26C3 26C6-26C7
26C9-26CD 26D0 26D2 26D5-26E8 26EB-26EF 26F6 26FB-26FC 26FE-2701 2703-2704
270E 2710-2711 2765-2767 11A3A 1F000-1F003 1F005-1F02B 1F030-1F093
1F0A0-1F0AE 1F0B1-1F0BF 1F0C1-1F0CE 1F0D1-1F0F5 1F10D-1F10F 1F12F 1F16C-1F16F
1F1AD 1F260-1F265 1F322-1F323 1F394-1F395 1F398 1F39C-1F39D 1F3F1-1F3F2 1F3F6
1F4FE 1F546-1F548 1F54F 1F568-1F56E 1F571-1F572 1F57B-1F586 1F588-1F589
1F58E-1F58F 1F591-1F594 1F597-1F5A3 1F5A6-1F5A7 1F5A9-1F5B0 1F5B3-1F5BB
1F5BD-1F5C1 1F5C5-1F5D0 1F5D4-1F5DB 1F5DF-1F5E0 1F5E2 1F5E4-1F5E7 1F5E9-1F5EE
1F5F0-1F5F2 1F5F4-1F5F9 1F6C6-1F6CA 1F6D3-1F6D4 1F6E6-1F6E8 1F6EA 1F6F1-1F6F2
1F774-1F77F 1F7D5-1F7D9 1F8B0-1F8BB 1F8C0-1F8C1 1F8D0-1F8D8 1FA00-1FA57
1FA60-1FA6D""",
    # Indic_Conjunct_Break: what is not Extend of the others is None.
    "Consonant": """
915-939 958-95F 978-97F 995-9A8 9AA-9B0 9B2 9B6-9B9 9DC-9DD 9DF 9F0-9F1
A95-AA8 AAA-AB0 AB2-AB3 AB5-AB9 AF9 B15-B28 B2A-B30 B32-B33 B35-B39 B5C-B5D
B5F B71 C15-C28 C2A-C39 C58-C5A D15-D3A 1000-102A 103F 1050-1055 105A-105D
1061 1065-1066 106E-1070 1075-1081 108E 1780-17B3 1A20-1A54 1B0B-1B0C
1B13-1B33 1B45-1B4C 1B83-1BA0 1BAE-1BAF 1BBB-1BBD A989-A98B A98F-A9B2
A9E0-A9E4 A9E7-A9EF A9FA-A9FE AA60-AA6F AA71-AA73 AA7A AA7E-AA7F AAE0-AAEA
ABC0-ABDA 10A00 10A10-10A13 10A15-10A17 10A19-10A35 11103-11126 11144 11147
11380-11389 1138B 1138E 11390-113B5 11900-11906 11909 1190C-11913 11915-11916
11918-1192F 11A00 11A0B-11A32 11A50 11A5C-11A83 11F04-11F10 11F12-11F33""",
    "Linker": "94D 9CD ACD B4D C4D D4D 1039 17D2 1A60 1B44 1BAB A9C0 AAF6 "
              "10A3F 11133 113D0 1193E 11A47 11A99 11F42",
    "ZWNJ": "200C",
}


class Data:
    """Category, age, combining class and lower case of every code point."""

    def __init__(self):
        self.category, self.age = ["Cn"] * N, [99.0] * N
        self.ccc, self.lower = [0] * N, [0] * N
        start = None
        for line in open(os.path.join(DATA, "UnicodeData.txt")):
            f = line.rstrip("\n").split(";")
            c = int(f[0], 16)
            if f[1].endswith("First>"):
                start = c
                continue
            first, start = (c if start is None else start), None
            for x in range(first, c + 1):
                self.category[x], self.ccc[x] = f[2], int(f[3])
            if f[13]:
                self.lower[c] = int(f[13], 16) - c
        for part in LOWER_17.split():
            where, _, delta = part.partition(":")
            for c in points(where):
                self.lower[c] = int(delta)
        for a, b, f in fields(DATA, "DerivedAge.txt"):
            for c in range(a, b + 1):
                self.age[c] = float(f[0])

    def of(self, categories, age):
        return {c for c in range(N) if self.age[c] <= age and
                self.category[c] in categories}


def sets(data):
    """{name: code points}; what each is for stands in unicode_sets.h."""
    quick = {}
    for a, b, f in fields(DATA, "DerivedNormalizationProps.txt"):
        if f[0].endswith("_QC"):
            quick.setdefault(f[0][:-3].lower(), set()).update(range(a, b + 1))
    marks = {c for c in range(N) if data.ccc[c]}
    out = {form: quick[form] | marks for form in ("nfc", "nfd", "nfkc", "nfkd")}
    out["combining"] = (data.of({"Mn", "Mc", "Me"}, COMBINING_AGE) |
                        points(COMBINING_MORE)) - points(COMBINING_LESS)
    out["nonspacing"] = (data.of({"Mn"}, BERT_AGE) |
                         points(NONSPACING_MORE)) - points(NONSPACING_LESS)
    out["unclean"] = (data.of({"Cc", "Cf", "Co"}, BERT_AGE) |
                      points(SPACES) | {0xFFFD})
    out["chinese"] = points(CHINESE)
    out["nmt"] = points(NMT)
    out["upper"] = {c for c in range(N) if data.lower[c]}
    joining = [BREAKS.index(x) for x in JOINING.split()]
    out["joining"] = {c for c, b in enumerate(grapheme_breaks())
                      if b in joining}
    return out


def grapheme_breaks():
    name = {"Extended_Pictographic": "Pictographic"}
    out = ["Other"] * N
    for path in ("auxiliary/GraphemeBreakProperty.txt", "emoji/emoji-data.txt"):
        for a, b, f in fields(DATA, path):
            if path.startswith("aux") or f[0] in name:
                for c in range(a, b + 1):
                    out[c] = name.get(f[0], f[0])
    for value, text in GRAPHEME_17.items():
        for c in points(text):
            out[c] = value
    return [BREAKS.index(x) for x in out]


def array(kind, name, items, storage=""):
    items = [str(x) for x in items]
    return (f"{storage}const {kind} {name}[{len(items)}] = {{\n"
            f"{wrap(runs_as_ranges(items))}\n}};\n")


def blocks(values):
    """Which block each 256 code points are, and the distinct blocks."""
    number = {}
    index = [number.setdefault(tuple(values[at:at + 256]), len(number))
             for at in range(0, N, 256)]
    return index, list(number)


def nibbles(values):
    """A row of bits by the lower half of a byte, as utf8_set.h has it."""
    rows = [0] * 16
    for v in values:
        rows[v & 15] |= 1 << (v >> 4 & 7)
    return "{" + ",".join(str(r) for r in rows) + "}"


def put_set(name, members):
    index, masks = blocks([c in members for c in range(N)])
    words = []
    for block in masks:
        for at in range(0, 256, 64):
            bits = sum(1 << i for i in range(64) if block[at + i])
            words.append(hex(bits) if bits else "0")
    leads = {chr(c).encode("utf-8", "surrogatepass")[0]
             for c in members if c > 127}
    return (array("uint16_t", f"{name}_index", index, "static ") +
            array("uint64_t", f"{name}_mask", words, "static ") +
            f"const struct oy_utf8_set oy_set_{name} = {{\n"
            f"{nibbles(c for c in members if c < 128)},\n{nibbles(leads)},\n"
            f"{name}_index,{name}_mask}};\n")


def staged(name, values, kind):
    index, distinct = blocks(values)
    return (array("uint8_t", f"{name}_block", index) +
            array(kind, f"{name}_index", [x for b in distinct for x in b]))


def write(path, purpose, header, parts):
    text = (f"/* SPDX-License-Identifier: Apache-2.0\n *\n * {purpose}\n"
            f" * Generated by {SELF}: do not edit.\n */\n"
            f'#include "core/{header}"\n\n/* clang-format off */\n')
    with open(os.path.join(HERE, path), "w") as f:
        f.write(text + "\n".join(parts))


def main():
    data = Data()
    deltas = sorted(set(data.lower), key=lambda d: (d != 0, d))
    parts = [put_set(name, members) for name, members in sets(data).items()]
    parts.append(staged("oy_lower17", [deltas.index(d) for d in data.lower],
                        "uint8_t"))
    parts.append(array("int32_t", "oy_lower17_delta", deltas))
    write("unicode_sets_table.c", "Sets of characters, lower case.",
          "unicode_sets.h", parts)
    write("grapheme_table.c", "Grapheme_Cluster_Break of every code point.",
          "grapheme.h",
          [staged("oy_grapheme_break", grapheme_breaks(), "uint8_t")])


main()
