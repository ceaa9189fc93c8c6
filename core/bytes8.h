/* SPDX-License-Identifier: Apache-2.0
 *
 * Eight bytes of text at once, as one word. All functions are pure.
 */
#ifndef CORE_BYTES8_H
#define CORE_BYTES8_H

#include <stdint.h>
#include <string.h>

#define OY_EVERY_BYTE 0x0101010101010101u
#define OY_HIGH_BITS  (OY_EVERY_BYTE * 0x80)

static inline uint64_t oy_load8(const char *text)
{
    uint64_t word;

    memcpy(&word, text, sizeof word);
    return word;
}

/* Eight ASCII characters with A..Z in lower case: one of those gets the high
 * bit in the first sum and not in the second. */
static inline uint64_t oy_lower8(uint64_t word)
{
    const uint64_t from_a = word + OY_EVERY_BYTE * (0x80 - 'A');
    const uint64_t after_z = word + OY_EVERY_BYTE * (0x80 - 'Z' - 1);

    return word | (from_a & ~after_z & OY_HIGH_BITS) >> 2;
}

#endif
