/* SPDX-License-Identifier: Apache-2.0
 *
 * The characters that a normalizer changes, each kind a set, so that texts
 * without any are passed over fast (core/utf8_set.h).
 *
 * Generated into unicode_sets_table.c by unicode_sets.py, beside it. The sets
 * behind Hugging Face's normalizers are those of tokenizers 0.23.3, measured
 * over all code points; its parts carry different versions of Unicode.
 */
#ifndef CORE_UNICODE_SETS_H
#define CORE_UNICODE_SETS_H

#include <stdint.h>

#include "core/utf8_set.h"

/* Texts without these are in the normal form, under every version until 15:
 * what is not (or maybe not) in it, and all marks that have a combining class.
 */
extern const struct oy_utf8_set oy_set_nfc, oy_set_nfd, oy_set_nfkc,
    oy_set_nfkd;
/* What StripAccents takes away: marks (M) of Unicode 9. */
extern const struct oy_utf8_set oy_set_combining;
/* BertNormalizer's: what stripping of accents takes away (Mn of Unicode 8);
 * what cleaning takes away or makes a space (Cc, Cf, Co of Unicode 8, U+FFFD,
 * white space); what it calls Chinese. */
extern const struct oy_utf8_set oy_set_nonspacing, oy_set_unclean,
    oy_set_chinese;
/* What Nmt takes away or makes a space. */
extern const struct oy_utf8_set oy_set_nmt;
/* What has a lower case in Unicode 17. */
extern const struct oy_utf8_set oy_set_upper;
/* A grapheme cluster of several characters (core/grapheme.h) has one of these:
 * between two characters that are not in the set there is always a border. */
extern const struct oy_utf8_set oy_set_joining;

/* ---- the tables; use the function below ---- */
extern const uint8_t oy_lower17_block[], oy_lower17_index[];
extern const int32_t oy_lower17_delta[];

/* The lower case of a code point under Unicode 17, without special casing:
 * U+0130 gives U+0069, behind which U+0307 belongs. */
static inline uint32_t oy_unicode_lower17(uint32_t c)
{
    const uint32_t block = oy_lower17_block[c >> 8];

    return c +
           (uint32_t)oy_lower17_delta[oy_lower17_index[block << 8 | (c & 255)]];
}

#endif
