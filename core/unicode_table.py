# SPDX-License-Identifier: Apache-2.0
"""Generates core/unicode_table.c, unicode_normal_table.c and
unicode_compat_table.c.

    python3 core/unicode_table.py REGEX_CLASSES.json [UNICODE_DATA_DIR]

UNICODE_DATA_DIR (default /usr/share/unicode) is Debian's package unicode-data,
Unicode 15.0. REGEX_CLASSES.json holds the exact classes of Unicode 16, as
measured over every scalar value in the regular-expression engines that
tokenizers use: {"ranges_hex": {"\\p{L}": "41-5A 61-7A ...", ...}}. What that
file does not tell of the characters of 15.1 and 16 stands in NEW_CATEGORIES;
it is checked against the file. Only this program needs Python.
"""
import json
import os
import sys

# General categories of what came after 15.0 (15.1 and 16.0), from the
# UnicodeData.txt of 16.0. U+1171E changed from Mn to Mc.
NEW_CATEGORIES = """
897:Mn 1B4E-1B4F:Po 1B7F:Po 1C89:Lu 1C8A:Ll 2427-2429:So 2FFC-2FFF:So
31E4-31E5:So 31EF:So A7CB-A7CC:Lu A7CD:Ll A7DA:Lu A7DB:Ll A7DC:Lu
105C0-105F3:Lo 10D40-10D49:Nd 10D4A-10D4D:Lo 10D4E:Lm 10D4F:Lo 10D50-10D65:Lu
10D69-10D6D:Mn 10D6E:Pd 10D6F:Lm 10D70-10D85:Ll 10D8E-10D8F:Sm 10EC2-10EC4:Lo
10EFC:Mn 11380-11389:Lo 1138B:Lo 1138E:Lo 11390-113B5:Lo 113B7:Lo
113B8-113BA:Mc 113BB-113C0:Mn 113C2:Mc 113C5:Mc 113C7-113CA:Mc 113CC-113CD:Mc
113CE:Mn 113CF:Mc 113D0:Mn 113D1:Lo 113D2:Mn 113D3:Lo 113D4-113D5:Po
113D7-113D8:Po 113E1-113E2:Mn 116D0-116E3:Nd 1171E:Mc 11BC0-11BE0:Lo 11BE1:Po
11BF0-11BF9:Nd 11F5A:Mn 13460-143FA:Lo 16100-1611D:Lo 1611E-16129:Mn
1612A-1612C:Mc 1612D-1612F:Mn 16130-16139:Nd 16D40-16D42:Lm 16D43-16D6A:Lo
16D6B-16D6C:Lm 16D6D-16D6F:Po 16D70-16D79:Nd 18CFF:Lo 1CC00-1CCEF:So
1CCF0-1CCF9:Nd 1CD00-1CEB3:So 1E5D0-1E5ED:Lo 1E5EE-1E5EF:Mn 1E5F0:Lo
1E5F1-1E5FA:Nd 1E5FF:Po 1F8B2-1F8BB:So 1F8C0-1F8C1:So 1FA89:So 1FA8F:So
1FABE:So 1FAC6:So 1FADC:So 1FADF:So 1FAE9:So 1FBCB-1FBEF:So 2EBF0-2EE5D:Lo
"""

N = 0x110000
BLOCK = 256
SELF = "unicode_table.py"

# The orders of enum oy_category and enum oy_word_break in unicode.h.
CATEGORIES = ("Cn Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po "
              "Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co").split()
WORD_BREAKS = ("Other CR LF Newline Extend ZWJ Regional_Indicator Format "
               "Katakana Hebrew_Letter ALetter Single_Quote Double_Quote "
               "MidNumLet MidLetter MidNum Numeric ExtendNumLet "
               "WSegSpace").split()
# The bits of class16 in unicode.h.
CLASSES = ["\\p{Lu}", "\\p{Ll}", "\\p{Lt}", "\\p{Lm}", "\\p{Lo}", "\\p{M}",
           "\\p{N}", "\\p{P}", "\\p{S}", "\\s"]
CRLF, WORD, CJK, DIGITS = 1 << 10, 1 << 11, 1 << 12, 1 << 13
# N in Unicode 17, which Rust's char::is_numeric knows.
NUMERIC_17 = "11DE0-11DE9 16FF4-16FF6"
# The bits OY_PY_* in unicode.h.
(PY_SPACE, PY_ALPHA, PY_ALNUM, PY_DIGIT, PY_DECIMAL, PY_UPPER, PY_LOWER,
 PY_LINE_END, PY_CASED, PY_IGNORABLE, PICTOGRAPHIC) = (
     1 << i for i in range(11))
PYTHON_AGE = 14
OLDEST = 9  # the oldest version that anybody asks for
# Lowercase (and so Cased) since 15.0 only.
NOT_LOWER_14 = "10FC A7F2-A7F4 AB69"
# str.isspace (bidirectional WS, B, S or category Zs) and str.splitlines.
PY_SPACES = "9-D 1C-20 85 A0 1680 2000-200A 2028-2029 202F 205F 3000"
PY_LINE_ENDS = "A-D 1C-1E 85 2028-2029"


def ranges(text):
    for part in text.split():
        first, _, last = part.partition("-")
        yield int(first, 16), int(last or first, 16)


def points(text):
    return {c for a, b in ranges(text) for c in range(a, b + 1)}


def fields(folder, path):
    """(first, last, [field, ...]) of each line of a UCD file."""
    for line in open(os.path.join(folder, path), encoding="utf-8"):
        line = line.partition("#")[0].strip()
        if line:
            where, *rest = [f.strip() for f in line.split(";")]
            first, _, last = where.partition("..")
            yield int(first, 16), int(last or first, 16), rest


def property_of(path, value):
    return {c for a, b, f in fields(DATA, path) if f[0] == value
            for c in range(a, b + 1)}


class Data:
    """What the files say of every code point."""

    def __init__(self, classes):
        self.category = ["Cn"] * N
        self.ccc = [0] * N
        self.lower = [0] * N
        self.canonical, self.compat = {}, {}
        self.read_unicode_data()
        self.category16 = self.category[:]
        for part in NEW_CATEGORIES.split():
            where, _, cat = part.partition(":")
            for c in points(where):
                self.category16[c] = cat
        self.age = [16 if c != "Cn" else 99 for c in self.category16]
        for a, b, f in fields(DATA, "DerivedAge.txt"):
            major, minor = (int(x) for x in f[0].split("."))
            for c in range(a, b + 1):
                self.age[c] = max(OLDEST, major + (minor > 0 and
                                                    major >= OLDEST))
        self.classes = {k: points(v) for k, v in classes.items()}
        self.check_classes()

    def read_unicode_data(self):
        start = None
        for line in open(os.path.join(DATA, "UnicodeData.txt")):
            f = line.rstrip("\n").split(";")
            c = int(f[0], 16)
            if f[1].endswith("First>"):
                start = c
                continue
            first, start = (c if start is None else start), None
            for x in range(first, c + 1):
                self.category[x] = f[2]
                self.ccc[x] = int(f[3])
            if f[5]:
                kind, *to = f[5].split()
                compat = kind.startswith("<")
                to = [int(x, 16) for x in ([] if compat else [kind]) + to]
                (self.compat if compat else self.canonical)[c] = to
            if f[13]:
                self.lower[c] = int(f[13], 16) - c

    def check_classes(self):
        """NEW_CATEGORIES and the measured classes say the same."""
        for name, members in self.classes.items():
            if name == "\\s":
                continue
            want = name[3:-1]
            got = {c for c in range(N) if self.category16[c].startswith(want)}
            if got != members:
                sys.exit(f"{name}: {sorted(got ^ members)[:5]} differ")


def records(data):
    """(class16, python, category, category16, age, word break) of each."""
    numeric = {k: property_of("extracted/DerivedNumericType.txt", k)
               for k in ("Decimal", "Digit", "Numeric")}
    core = {k: property_of("DerivedCoreProperties.txt", k)
            for k in ("Alphabetic", "Uppercase", "Lowercase", "Cased",
                      "Case_Ignorable")}
    pictographic = property_of("emoji/emoji-data.txt", "Extended_Pictographic")
    for name in ("Lowercase", "Cased"):
        core[name] -= points(NOT_LOWER_14)
    joiners = property_of("PropList.txt", "Join_Control")
    space, line_end = points(PY_SPACES), points(PY_LINE_ENDS)
    brk = [0] * N
    for a, b, f in fields(DATA, "auxiliary/WordBreakProperty.txt"):
        for c in range(a, b + 1):
            brk[c] = WORD_BREAKS.index(f[0])
    # DeepSeek's second expression, spec of its tokenizer.json.
    digits = points(NUMERIC_17) | data.classes["\\p{N}"]
    cjk = points("4E00-9FA5 3040-309F 30A0-30FF")

    out = []
    for c in range(N):
        cat, cat16 = data.category[c], data.category16[c]
        bits = sum(1 << i for i, k in enumerate(CLASSES)
                   if c in data.classes[k])
        if c in (10, 13):
            bits |= CRLF
        # Alphabetic, M, Nd, Pc, Join_Control: \w of Rust's regex. What came
        # after 15.0 is Alphabetic when it is a letter.
        if (cat16[0] in "LM" or cat16 in ("Nd", "Nl", "Pc") or
                c in core["Alphabetic"] or c in joiners):
            bits |= WORD
        if c in cjk:
            bits |= CJK
        if c in digits:
            bits |= DIGITS
        py = 0
        if data.age[c] <= PYTHON_AGE:
            alpha = cat[0] == "L"
            digit = c in numeric["Decimal"] or c in numeric["Digit"]
            py |= PY_ALPHA * alpha
            py |= PY_ALNUM * (alpha or digit or c in numeric["Numeric"])
            py |= PY_DIGIT * digit
            py |= PY_DECIMAL * (c in numeric["Decimal"])
            py |= PY_UPPER * (c in core["Uppercase"])
            py |= PY_LOWER * (c in core["Lowercase"])
            py |= PY_CASED * (c in core["Cased"])
            py |= PY_IGNORABLE * (c in core["Case_Ignorable"])
        py |= PY_SPACE * (c in space) | PY_LINE_END * (c in line_end)
        py |= PICTOGRAPHIC * (c in pictographic)
        out.append((bits, py, CATEGORIES.index(cat), CATEGORIES.index(cat16),
                    data.age[c], brk[c]))
    return out


def normal_records(data):
    """(combining class, flags, age) of each; flags as in the header."""
    quick = {}
    for a, b, f in fields(DATA, "DerivedNormalizationProps.txt"):
        if f[0].endswith("_QC"):
            for c in range(a, b + 1):
                quick.setdefault(c, {})[f[0][:-3]] = f[1]
    out = []
    for c in range(N):
        q, flags = quick.get(c, {}), 0
        for i, form in enumerate(("NFC", "NFD", "NFKC", "NFKD")):
            flags |= (form in q) << i
        flags |= ("M" in q.values()) << 4
        plain = not flags and not data.ccc[c]
        out.append((data.ccc[c], flags, 0 if plain else data.age[c]))
    return out


def stages(values):
    """Distinct values, block number of each BLOCK, the distinct blocks."""
    # The most common value first, so that small numbers are frequent.
    count = {}
    for v in values:
        count[v] = count.get(v, 0) + 1
    distinct = sorted(count, key=lambda v: (-count[v], v))
    number = {v: i for i, v in enumerate(distinct)}
    first, blocks = [], {}
    for at in range(0, N, BLOCK):
        block = tuple(number[v] for v in values[at:at + BLOCK])
        first.append(blocks.setdefault(block, len(blocks)))
    return distinct, first, [x for b in blocks for x in b]


def wrap(items):
    line, lines = "", []
    for item in items:
        if len(line) + len(item) + 1 > 80:
            lines.append(line)
            line = ""
        line += item + ","
    return "\n".join(lines + [line])


def runs_as_ranges(items):
    """Long runs as GNU's designated ranges: [first ... last]=value."""
    out, at = [], 0
    while at < len(items):
        end = at + 1
        while end < len(items) and items[end] == items[at]:
            end += 1
        short = f"[{at}...{end - 1}]={items[at]}".replace("...", " ... ")
        plain = [items[at]] * (end - at)
        out += plain if len(",".join(plain)) <= len(short) else [short]
        at = end
    return out


def array(out, kind, name, items, note=""):
    items = [str(x) for x in items]
    size = len(items)
    if note:
        out.append(f"/* {note} */")
    body = wrap(runs_as_ranges(items))
    out.append(f"const {kind} {name}[{size}] = {{\n{body}\n}};\n")


def staged(out, name, values, note):
    distinct, first, second = stages(values)
    blocks = max(first) + 1
    kind = "uint8_t" if blocks <= 256 else "uint16_t"
    array(out, kind, f"oy_unicode_{name}_block", first, note)
    array(out, "uint8_t" if len(distinct) <= 256 else "uint16_t",
          f"oy_unicode_{name}_index", second)
    print(name, len(distinct), "records", blocks, "blocks", file=sys.stderr)
    return distinct


def write(path, purpose, header, out):
    text = (f"/* SPDX-License-Identifier: Apache-2.0\n *\n * {purpose}\n"
            f" * Generated by {SELF}: do not edit.\n */\n"
            f'#include "core/{header}"\n\n/* clang-format off */\n')
    text += "\n".join(out)
    with open(os.path.join(HERE, path), "w") as f:
        f.write(text)
    print(path, text.count("\n"), "lines", file=sys.stderr)


def write_properties(data):
    out = []
    values = records(data)
    distinct = staged(out, "record", values, "See oy_unicode_record_of().")
    array(out, "struct oy_unicode_record", "oy_unicode_records",
          ["{" + ",".join(str(x) for x in r) + "}" for r in distinct])
    array(out, "uint16_t", "oy_unicode_class16_latin",
          [r[0] for r in values[:256]])
    deltas = staged(out, "lower", [
        d if data.age[c] <= PYTHON_AGE else 0
        for c, d in enumerate(data.lower)], "What str.lower adds.")
    array(out, "int32_t", "oy_unicode_lower_delta", deltas)
    write("unicode_table.c", "Properties of every code point.",
          "unicode_internal.h", out)


def write_normal(data):
    out = []
    distinct = staged(out, "normal", normal_records(data),
                      "See oy_unicode_normal_of().")
    array(out, "struct oy_unicode_normal", "oy_unicode_normals",
          ["{" + ",".join(str(x) for x in r) + "}" for r in distinct])
    excluded = property_of("DerivedNormalizationProps.txt",
                           "Full_Composition_Exclusion")
    entries = sorted(data.canonical)
    array(out, "uint64_t", "oy_unicode_canonical", [
        hex(c << 42 | data.canonical[c][0] << 21 |
            (data.canonical[c] + [0])[1]) for c in entries],
        "code point << 42 | first << 21 | second (0: none), sorted")
    pairs = sorted((data.canonical[c], i) for i, c in enumerate(entries)
                   if c not in excluded)
    array(out, "uint16_t", "oy_unicode_composition", [i for _, i in pairs],
          "those above that compose, sorted by (first, second)")
    sizes = {"OY_N_CANONICAL": len(entries), "OY_N_COMPOSITION": len(pairs)}
    write("unicode_normal_table.c", "Canonical equivalence.",
          "unicode_internal.h", out)
    return sizes


def compat_runs(compat):
    """Runs of neighbours whose decompositions are equally long; in a `step`
    run they are single and follow each other too."""
    runs = []
    for c in sorted(compat):
        to = compat[c]
        if runs:
            first, step, group = runs[-1]
            near = (c == first + len(group) and len(to) == len(group[0]) and
                    len(group) < 2047)
            follows = len(to) == 1 and to[0] == group[-1][0] + 1
            if near and len(group) == 1 and follows:
                runs[-1] = (first, 1, group + [to])
                continue
            if near and step == follows:
                group.append(to)
                continue
        runs.append((c, 0, [to]))
    return runs


def write_compat(data):
    out, pool, entries = [], [], []
    for first, step, group in compat_runs(data.compat):
        n, length = len(group), len(group[0])
        entries.append(first << 43 | n << 32 | step << 24 | length << 16 |
                       len(pool))
        for to in group[:1] if step else group:
            pool += to
    assert len(pool) < 65536
    array(out, "uint64_t", "oy_unicode_compat", [hex(e) for e in entries],
          "first << 43 | count << 32 | step << 24 | length << 16 | place")
    array(out, "uint32_t", "oy_unicode_compat_pool", pool)
    write("unicode_compat_table.c", "Compatibility decompositions.",
          "unicode_internal.h", out)
    return {"OY_N_COMPAT": len(entries)}


HERE = os.path.dirname(os.path.abspath(__file__))
DATA = sys.argv[2] if len(sys.argv) > 2 else "/usr/share/unicode"


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        data = Data(json.load(f)["ranges_hex"])
    write_properties(data)
    sizes = write_normal(data)
    sizes.update(write_compat(data))
    print(sizes, file=sys.stderr)


if __name__ == "__main__":
    main()
