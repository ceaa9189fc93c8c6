#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes unicode_case_table.c: upper and title case as Python 3.11's str methods have them (Unicode 14).
   python3.11 core/unicode_case_table.py > core/unicode_case_table.c"""
import unicodedata

assert unicodedata.unidata_version == "14.0.0"


def mapping(change):
    return {c: change(chr(c)) for c in range(0x110000) if not 0xD800 <= c < 0xE000 and change(chr(c)) != chr(c)}


def runs(single):
    """(first, last, step, delta) rows that cover the one-to-one mappings."""
    rows = []
    for c in sorted(single):
        delta = ord(single[c]) - c
        if rows:
            first, last, step, d = rows[-1]
            if d == delta and (c - last == step or first == last and c - last <= 2):
                rows[-1] = (first, c, c - last, d)
                continue
        rows.append((c, c, 1, delta))
    return rows


def table(name, change):
    m = mapping(change)
    print(f"const struct case_run oy_case_{name}_run[] = {{")
    for first, last, step, delta in runs({c: t for c, t in m.items() if len(t) == 1}):
        print(f"    {{0x{first:04x}, 0x{last:04x}, {step}, {delta}}},")
    print("};")
    print(f"const size_t oy_case_{name}_n_run =\n    sizeof oy_case_{name}_run / sizeof *oy_case_{name}_run;")
    print(f"const struct case_special oy_case_{name}_special[] = {{")
    for c, t in m.items():
        if len(t) > 1:
            print(f"    {{0x{c:04x}, {{{', '.join(f'0x{ord(x):04x}' for x in t)}}}}},")
    print("};")
    print(f"const size_t oy_case_{name}_n_special =\n    sizeof oy_case_{name}_special / sizeof *oy_case_{name}_special;")


print("""/* SPDX-License-Identifier: Apache-2.0
 *
 * Upper and title case of code points; made by unicode_case_table.py. */
#include "core/unicode_case_internal.h"

/* clang-format off */""")
table("upper", str.upper)
table("title", str.title)
