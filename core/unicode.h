/* SPDX-License-Identifier: Apache-2.0
 *
 * Properties of code points, with the version of Unicode in which each came.
 *
 * Versions decide tokens and documents: the tokenizers' splitters ask for
 * Unicode 16, Python 3.11's str methods for 14, word boundaries (UAX #29) for
 * 15, Hugging Face's normal forms for 9. Tables are generated into
 * unicode_table.c, unicode_normal_table.c and unicode_compat_table.c by
 * unicode_table.py (beside them) from the Unicode data files. A look-up is
 * three array reads, inlined. A code point that is younger than the version
 * asked for is unassigned (Cn); a value above U+10FFFF may not be asked for.
 */
#ifndef CORE_UNICODE_H
#define CORE_UNICODE_H

#include <stddef.h>
#include <stdint.h>

/* General categories, in this order. */
/* clang-format off */
enum oy_category {
    OY_CN, OY_LU, OY_LL, OY_LT, OY_LM, OY_LO, OY_MN, OY_MC, OY_ME, OY_ND,
    OY_NL, OY_NO_, OY_PC, OY_PD, OY_PS, OY_PE, OY_PI, OY_PF, OY_PO, OY_SM,
    OY_SC, OY_SK, OY_SO, OY_ZS, OY_ZL, OY_ZP, OY_CC, OY_CF, OY_CS, OY_CO,
};
/* clang-format on */

/* Bits of classes, for one test of many: oy_unicode_class16(c) & OY_IS_L. */
enum {
    OY_IS_LU = 1 << 0,
    OY_IS_LL = 1 << 1,
    OY_IS_LT = 1 << 2,
    OY_IS_LM = 1 << 3,
    OY_IS_LO = 1 << 4,
    OY_IS_M = 1 << 5,
    OY_IS_N = 1 << 6,
    OY_IS_P = 1 << 7,
    OY_IS_S = 1 << 8,
    OY_IS_SPACE = 1 << 9,   /* White_Space: what `\s` is to HF and tiktoken */
    OY_IS_CRLF = 1 << 10,   /* U+000D, U+000A */
    OY_IS_WORD = 1 << 11,   /* `\w` of Rust's regex: Alphabetic, M, Nd, Pc,
                             Join_Control */
    OY_IS_CJK = 1 << 12,    /* U+4E00-9FA5, U+3040-30FF: DeepSeek's second
                             expression */
    OY_IS_DIGITS = 1 << 13, /* OY_IS_N and 13 numbers of Unicode 17: HF's
                               Digits (char::is_numeric of Rust), measured in
                               0.23.3 */
    OY_IS_L = OY_IS_LU | OY_IS_LL | OY_IS_LT | OY_IS_LM | OY_IS_LO,
};

/* Word_Break of Unicode 15 (UAX #29). */
/* clang-format off */
enum oy_word_break {
    OY_WB_OTHER, OY_WB_CR, OY_WB_LF, OY_WB_NEWLINE, OY_WB_EXTEND, OY_WB_ZWJ,
    OY_WB_REGIONAL, OY_WB_FORMAT, OY_WB_KATAKANA, OY_WB_HEBREW, OY_WB_ALETTER,
    OY_WB_SINGLE_QUOTE, OY_WB_DOUBLE_QUOTE, OY_WB_MIDNUMLET, OY_WB_MIDLETTER,
    OY_WB_MIDNUM, OY_WB_NUMERIC, OY_WB_EXTENDNUMLET, OY_WB_WSEGSPACE,
};
/* clang-format on */

/* ---- the tables; use the functions below ---- */

/* Bits of oy_unicode_record.python: what Python 3.11's str methods answer. */
enum {
    OY_PY_SPACE = 1 << 0,
    OY_PY_ALPHA = 1 << 1,
    OY_PY_ALNUM = 1 << 2,
    OY_PY_DIGIT = 1 << 3,
    OY_PY_DECIMAL = 1 << 4,
    OY_PY_UPPER = 1 << 5,
    OY_PY_LOWER = 1 << 6,
    OY_PY_LINE_END = 1 << 7,
    OY_PY_CASED = 1 << 8,      /* Cased, for the final sigma */
    OY_PY_IGNORABLE = 1 << 9,  /* Case_Ignorable, likewise */
    OY_PICTOGRAPHIC = 1 << 10, /* Extended_Pictographic of Unicode 15 */
};

struct oy_unicode_record {
    uint16_t class16;
    uint16_t python;
    uint8_t category;   /* until Unicode 15.0 */
    uint8_t category16; /* in Unicode 16.0 */
    uint8_t age;        /* first whole version that has it; 9 = 9 or older */
    uint8_t word_break;
};
extern const uint8_t oy_unicode_record_block[];
extern const uint8_t oy_unicode_record_index[];
extern const struct oy_unicode_record oy_unicode_records[];

static inline const struct oy_unicode_record *oy_unicode_record_of(uint32_t c)
{
    const uint32_t block = oy_unicode_record_block[c >> 8];

    return &oy_unicode_records[oy_unicode_record_index[block << 8 | (c & 255)]];
}

/* ---- classes and categories ---- */

/* Class bits under Unicode 16 (equal to Oniguruma's and Rust regex's). */
static inline uint16_t oy_unicode_class16(uint32_t c)
{
    return oy_unicode_record_of(c)->class16;
}
/* For vector code: the class bits of U+0000..U+00FF. */
extern const uint16_t oy_unicode_class16_latin[256];

/* General category under Unicode `version` (9 to 16). Characters have the
 * category of Unicode 15 (16 for version 16), whatever it was before; between
 * 14 and 15 none changed, between 15 and 16 one did (U+1171E). */
static inline enum oy_category oy_unicode_category(uint32_t c, int version)
{
    const struct oy_unicode_record *const r = oy_unicode_record_of(c);

    if (version >= 16)
        return (enum oy_category)r->category16;
    return r->age <= version ? (enum oy_category)r->category : OY_CN;
}

/* Word_Break and Extended_Pictographic of Unicode 15. */
static inline enum oy_word_break oy_unicode_word_break(uint32_t c)
{
    return (enum oy_word_break)oy_unicode_record_of(c)->word_break;
}
static inline int oy_unicode_is_pictographic(uint32_t c)
{
    return (oy_unicode_record_of(c)->python & OY_PICTOGRAPHIC) != 0;
}

/* ---- Python 3.11's str methods (Unicode 14) ---- */

/* OY_PY_* bits of a code point: one look-up for many questions. */
static inline uint16_t oy_py_bits(uint32_t c)
{
    return oy_unicode_record_of(c)->python;
}
/* 29 code points, also those of str.split and strip. */
static inline int oy_py_isspace(uint32_t c)
{
    return (oy_py_bits(c) & OY_PY_SPACE) != 0;
}
/* Lu Ll Lt Lm Lo. */
static inline int oy_py_isalpha(uint32_t c)
{
    return (oy_py_bits(c) & OY_PY_ALPHA) != 0;
}
/* isalpha, or decimal, digit, numeric. */
static inline int oy_py_isalnum(uint32_t c)
{
    return (oy_py_bits(c) & OY_PY_ALNUM) != 0;
}
static inline int oy_py_isdigit(uint32_t c)
{
    return (oy_py_bits(c) & OY_PY_DIGIT) != 0;
}
/* Nd, also `\d` of Python's re. */
static inline int oy_py_isdecimal(uint32_t c)
{
    return (oy_py_bits(c) & OY_PY_DECIMAL) != 0;
}
static inline int oy_py_isupper(uint32_t c)
{
    return (oy_py_bits(c) & OY_PY_UPPER) != 0;
}
static inline int oy_py_islower(uint32_t c)
{
    return (oy_py_bits(c) & OY_PY_LOWER) != 0;
}
/* Where splitlines cuts. */
static inline int oy_py_is_line_end(uint32_t c)
{
    return (oy_py_bits(c) & OY_PY_LINE_END) != 0;
}

/* str.lower() of a whole valid UTF-8 text, final sigma included: appends. */
struct oy_buffer;
void oy_py_lower(const char *text, size_t len, struct oy_buffer *out);

/* ---- normal forms ---- */

/* NFC, NFD, NFKC, NFKD of a whole valid UTF-8 text under Unicode `version`
 * (9 to 15; the tables end there): appends. A character that is younger is
 * left alone and takes part in nothing. oy_unicode_is_nfc is the quick answer
 * for plain text, whatever the version (1 = surely NFC, 0 = do the work). */
enum {
    /* What HF's normalizers know (crate unicode-normalization-alignments
     * 0.1.12): measured over all code points, no combining class, composite
     * or compatibility mapping that came with 10.0 or later. */
    OY_UNICODE_HF = 9,
};
enum oy_normal_form { OY_NFC, OY_NFD, OY_NFKC, OY_NFKD };
void oy_unicode_normalize(enum oy_normal_form form, int version,
                          const char *text, size_t len, struct oy_buffer *out);
int oy_unicode_is_nfc(const char *text, size_t len);

#endif
