/* SPDX-License-Identifier: Apache-2.0
 *
 * Extended grapheme clusters (UAX #29) of Unicode 17: what a reader takes for
 * one character.
 *
 * The version is that of Hugging Face's tokenizers 0.23.3 (crate
 * unicode-segmentation 1.13), measured. The table is generated into
 * grapheme_table.c by unicode_sets.py, beside it.
 */
#ifndef CORE_GRAPHEME_H
#define CORE_GRAPHEME_H

#include <stddef.h>
#include <stdint.h>

/* Grapheme_Cluster_Break, with Extended_Pictographic and Indic_Conjunct_Break
 * in the same list: no character has two that matter. Linkers are Extend, and
 * so is ZWNJ, which no conjunct reaches over. */
/* clang-format off */
enum oy_grapheme_break {
    OY_GB_OTHER, OY_GB_CR, OY_GB_LF, OY_GB_CONTROL, OY_GB_EXTEND, OY_GB_ZWJ,
    OY_GB_REGIONAL, OY_GB_PREPEND, OY_GB_SPACING_MARK, OY_GB_L, OY_GB_V,
    OY_GB_T, OY_GB_LV, OY_GB_LVT, OY_GB_PICTOGRAPHIC, OY_GB_CONSONANT,
    OY_GB_LINKER, OY_GB_ZWNJ,
};
/* clang-format on */

extern const uint8_t oy_grapheme_break_block[], oy_grapheme_break_index[];

static inline enum oy_grapheme_break oy_grapheme_break(uint32_t c)
{
    const uint32_t block = oy_grapheme_break_block[c >> 8];

    return (
        enum oy_grapheme_break)oy_grapheme_break_index[block << 8 | (c & 255)];
}

/* Where the cluster that begins at text[at] ends; at < len, valid UTF-8. */
size_t oy_grapheme_end(const char *text, size_t len, size_t at);

#endif
