/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables that unicode.c and normalize.c share with their generator
 * unicode_table.py.
 */
#ifndef CORE_UNICODE_INTERNAL_H
#define CORE_UNICODE_INTERNAL_H

#include "core/unicode.h"

/* str.lower: the number to be added to a code point. */
extern const uint8_t oy_unicode_lower_block[];
extern const uint8_t oy_unicode_lower_index[];
extern const int32_t oy_unicode_lower_delta[];

/* Bits of oy_unicode_normal.flags. */
enum {
    OY_NOT_NFC = 1 << 0, /* NFC_Quick_Check is No or Maybe, and so on */
    OY_NOT_NFD = 1 << 1,
    OY_NOT_NFKC = 1 << 2,
    OY_NOT_NFKD = 1 << 3,
    OY_MAY_COMPOSE = 1 << 4, /* Maybe: second of a composing pair */
};

struct oy_unicode_normal {
    uint8_t ccc; /* Canonical_Combining_Class */
    uint8_t flags;
    uint8_t age; /* 0 when there is nothing to tell */
};
extern const uint8_t oy_unicode_normal_block[];
extern const uint8_t oy_unicode_normal_index[];
extern const struct oy_unicode_normal oy_unicode_normals[];

/* As laid down beside the tables; both sorted. */
enum { OY_N_CANONICAL = 2061, OY_N_COMPOSITION = 941, OY_N_COMPAT = 622 };
extern const uint64_t oy_unicode_canonical[OY_N_CANONICAL];
extern const uint16_t oy_unicode_composition[OY_N_COMPOSITION];
extern const uint64_t oy_unicode_compat[OY_N_COMPAT];
extern const uint32_t oy_unicode_compat_pool[];

#endif
