# SPDX-License-Identifier: Apache-2.0
"""Generates core/unicode_script_table.c.

    python3 core/unicode_script_table.py [UNICODE_DATA_DIR]

UNICODE_DATA_DIR (default /usr/share/unicode) is Debian's package unicode-data,
Unicode 15.0. What came with 15.1 and 16.0, from the Scripts.txt and the
DerivedCoreProperties.txt of 16.0, stands in the NEW_ tables. Only this program
needs Python.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
ARGUMENTS, sys.argv[1:] = sys.argv[1:], []
from unicode_table import NEW_CATEGORIES, points, wrap  # noqa: E402

DATA = ARGUMENTS[0] if ARGUMENTS else "/usr/share/unicode"
N = 0x110000

NEW_SCRIPTS = """
Arabic:Arab: 897 10EC2-10EC4 10EFC
Balinese:Bali: 1B4E-1B4F 1B7F
Cyrillic:Cyrl: 1C89-1C8A
Common:Zyyy: 2427-2429 2FFC-2FFF 31E4-31E5 31EF 1CC00-1CCF9 1CD00-1CEB3
 1F8B2-1F8BB 1F8C0-1F8C1 1FA89 1FA8F 1FABE 1FAC6 1FADC 1FADF 1FAE9 1FBCB-1FBEF
Latin:Latn: A7CB-A7CD A7DA-A7DC
Todhri:Todr: 105C0-105F3
Garay:Gara: 10D40-10D65 10D69-10D85 10D8E-10D8F
Tulu_Tigalari:Tutg: 11380-11389 1138B 1138E 11390-113B5 113B7-113C0 113C2 113C5
 113C7-113CA 113CC-113D5 113D7-113D8 113E1-113E2
Myanmar:Mymr: 116D0-116E3
Sunuwar:Sunu: 11BC0-11BE1 11BF0-11BF9
Kawi:Kawi: 11F5A
Egyptian_Hieroglyphs:Egyp: 13460-143FA
Gurung_Khema:Gukh: 16100-16139
Kirat_Rai:Krai: 16D40-16D79
Khitan_Small_Script:Kits: 18CFF
Ol_Onal:Onao: 1E5D0-1E5FA 1E5FF
Han:Hani: 2EBF0-2EE5D
"""
# Marks and symbols that are Alphabetic since 15.1 or 16.0.
NEW_ALPHABETIC = """363-36F 897 1DD3-1DE6 10D69 10EFC 113B8-113C0 113C2 113C5
113C7-113CA 113CC-113CD 1611E-1612E"""


def fields(path):
    for line in open(os.path.join(DATA, path), encoding="utf-8"):
        line = line.partition("#")[0].strip()
        if line:
            yield [f.strip() for f in line.split(";")]


def span(where):
    first, _, last = where.partition("..")
    return range(int(first, 16), int(last or first, 16) + 1)


def read_scripts():
    script, code = ["Unknown"] * N, {}
    for f in fields("PropertyValueAliases.txt"):
        if f[0] == "sc":
            code[f[2]] = f[1]
    for where, name in fields("Scripts.txt"):
        for c in span(where):
            script[c] = name
    for block in " ".join(NEW_SCRIPTS.split("\n ")).strip().split("\n"):
        name, short, where = block.split(":")
        code[name] = short
        for c in points(where):
            script[c] = name
    return script, code


def read_categories():
    category, start = ["Cn"] * N, None
    for f in fields("UnicodeData.txt"):
        c = int(f[0], 16)
        if f[1].endswith("First>"):
            start = c
            continue
        for x in range(c if start is None else start, c + 1):
            category[x] = f[2]
        start = None
    for part in NEW_CATEGORIES.split():
        where, _, cat = part.partition(":")
        for c in points(where):
            category[c] = cat
    return category


def derived(name):
    return {c for f in fields("DerivedCoreProperties.txt")
            if len(f) == 2 and f[1] == name for c in span(f[0])}


def pairs(members):
    out = []
    for c in sorted(members):
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return ["0x%x,0x%x" % (a, b) for a, b in out]


def array(kind, name, items):
    return "const %s %s[] = {\n%s\n};\n" % (kind, name, wrap(items))


def put_properties(out):
    category = read_categories()

    def of(*wanted):
        return {c for c in range(N) if category[c] in wanted}

    alpha = derived("Alphabetic") | points(NEW_ALPHABETIC)
    letters = of("Lu", "Ll", "Lt", "Lm", "Lo", "Nl")
    for name, members in (
            ("alphabetic", alpha - letters),
            ("uppercase", derived("Uppercase") - of("Lu")),
            ("lowercase", derived("Lowercase") - of("Ll"))):
        items = pairs(members) + ["0"]
        out.append("/* First and last of each run; a 0 ends them. */\n" +
                   array("uint32_t", "oy_unicode_other_" + name, items))


def main():
    script, code = read_scripts()
    names = ["Unknown"] + sorted(set(script) - {"Unknown"})
    number = {name: i for i, name in enumerate(names)}
    runs = ["0x%x" % (c << 8 | number[script[c]]) for c in range(N)
            if c == 0 or script[c] != script[c - 1]]
    out = []
    out.append(array("struct oy_unicode_script_name", "oy_unicode_scripts",
                     ['{"%s","%s"}' % (n, code[n]) for n in names]))
    out.append("/* First code point << 8 | number of the script. */\n" +
               array("uint32_t", "oy_unicode_script_run", runs))
    out.append("const int oy_unicode_n_script = %d;\n"
               "const size_t oy_unicode_n_script_run = %d;\n" %
               (len(names), len(runs)))
    put_properties(out)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "unicode_script_table.c")
    with open(path, "w") as f:
        f.write("/* SPDX-License-Identifier: Apache-2.0\n *\n"
                " * Scripts, and letters that are no letters by category. "
                "Generated by\n * unicode_script_table.py; do not edit. */\n"
                '#include "core/unicode_script_internal.h"\n\n'
                "/* clang-format off */\n" + "\n".join(out) +
                "/* clang-format on */\n")


main()
