/* SPDX-License-Identifier: Apache-2.0
 *
 * Properties of code points, with the version of Unicode in which each came.
 *
 * Versions decide tokens and documents: the tokenizers' splitters ask for
 * Unicode 16, Python 3.11's str methods for 14, word boundaries (UAX #29) for
 * 15, Hugging Face's NFC for 12. Tables are generated into unicode_table.c by
 * unicode_table.py (beside it) from the Unicode data files. Look-ups are two
 * array reads. A code point that is younger than the version asked for is
 * unassigned (Cn).
 */
#ifndef CORE_UNICODE_H
#define CORE_UNICODE_H

#include <stddef.h>
#include <stdint.h>

/* General categories, in this order. */
enum oy_category {
    OY_CN, OY_LU, OY_LL, OY_LT, OY_LM, OY_LO, OY_MN, OY_MC, OY_ME,
    OY_ND, OY_NL, OY_NO, OY_PC, OY_PD, OY_PS, OY_PE, OY_PI, OY_PF, OY_PO,
    OY_SM, OY_SC, OY_SK, OY_SO, OY_ZS, OY_ZL, OY_ZP, OY_CC, OY_CF, OY_CS,
    OY_CO,
};

/* Bits of classes, for one test of many: oy_unicode_class16(c) & OY_IS_L. */
enum {
    OY_IS_LU = 1 << 0, OY_IS_LL = 1 << 1, OY_IS_LT = 1 << 2,
    OY_IS_LM = 1 << 3, OY_IS_LO = 1 << 4, OY_IS_M = 1 << 5,
    OY_IS_N = 1 << 6, OY_IS_P = 1 << 7, OY_IS_S = 1 << 8,
    OY_IS_SPACE = 1 << 9, /* White_Space: what `\s` is to HF and tiktoken */
    OY_IS_CRLF = 1 << 10, /* U+000D, U+000A */
    OY_IS_L = OY_IS_LU | OY_IS_LL | OY_IS_LT | OY_IS_LM | OY_IS_LO,
};

/* Class bits under Unicode 16 (equal to Oniguruma's and Rust regex's). */
uint16_t oy_unicode_class16(uint32_t c);
/* For vector code: the class bits of U+0000..U+00FF. */
extern const uint16_t oy_unicode_class16_latin[256];

/* General category under Unicode `version` (12 to 16). */
enum oy_category oy_unicode_category(uint32_t c, int version);

/* Python 3.11's str methods (Unicode 14). */
int oy_py_isspace(uint32_t c); /* 29 code points, also str.split and strip */
int oy_py_isalpha(uint32_t c); /* Lu Ll Lt Lm Lo */
int oy_py_isalnum(uint32_t c); /* or decimal, digit, numeric */
int oy_py_isdigit(uint32_t c);
int oy_py_isdecimal(uint32_t c); /* Nd */
int oy_py_isupper(uint32_t c);
int oy_py_islower(uint32_t c);
int oy_py_is_line_end(uint32_t c); /* where splitlines cuts */

/* str.lower() of a whole valid UTF-8 text, final sigma included: appends. */
struct oy_buffer;
void oy_py_lower(const char *text, size_t len, struct oy_buffer *out);

/* Word_Break of Unicode 15 (UAX #29), and Extended_Pictographic. */
enum oy_word_break {
    OY_WB_OTHER, OY_WB_CR, OY_WB_LF, OY_WB_NEWLINE, OY_WB_EXTEND, OY_WB_ZWJ,
    OY_WB_REGIONAL, OY_WB_FORMAT, OY_WB_KATAKANA, OY_WB_HEBREW, OY_WB_ALETTER,
    OY_WB_SINGLE_QUOTE, OY_WB_DOUBLE_QUOTE, OY_WB_MIDNUMLET, OY_WB_MIDLETTER,
    OY_WB_MIDNUM, OY_WB_NUMERIC, OY_WB_EXTENDNUMLET, OY_WB_WSEGSPACE,
};
enum oy_word_break oy_unicode_word_break(uint32_t c);
int oy_unicode_is_pictographic(uint32_t c);

/* NFC, NFD, NFKC, NFKD of a whole valid UTF-8 text under Unicode `version`:
 * appends. oy_unicode_is_nfc is the quick answer for plain text (1 = surely
 * NFC, 0 = do the work). */
enum oy_normal_form { OY_NFC, OY_NFD, OY_NFKC, OY_NFKD };
void oy_unicode_normalize(enum oy_normal_form form, int version,
                          const char *text, size_t len,
                          struct oy_buffer *out);
int oy_unicode_is_nfc(const char *text, size_t len);

#endif
