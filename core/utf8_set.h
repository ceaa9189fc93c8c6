/* SPDX-License-Identifier: Apache-2.0
 *
 * Sets of characters, and the search for the next one of a set in a text.
 *
 * A text in which nothing has to be changed should be passed over at the speed
 * of memory. So the search looks at 32 bytes at once for those that a character
 * of the set may begin with, and only then at the character: Chinese text is
 * searched for what NFC changes at several GB/s. Sets of Unicode's properties
 * are constants (core/unicode_sets.h); others are filled at run time.
 */
#ifndef CORE_UTF8_SET_H
#define CORE_UTF8_SET_H

#include <stddef.h>
#include <stdint.h>

/* A constant set points to tables that last. */
struct oy_utf8_set {
    /* ASCII: bit c >> 4 of ascii[c & 15]. Others: bit b >> 4 & 7 of
     * lead[b & 15] where some character of the set begins with the byte b. */
    uint8_t ascii[16], lead[16];
    /* Four words of bits for each block of 256 code points. */
    const uint16_t *index; /* [0x1100] */
    const uint64_t *mask;
};

/* Whether the code point is in the set. */
static inline int oy_utf8_set_has(const struct oy_utf8_set *set, uint32_t c)
{
    const uint64_t *mask = set->mask + 4 * (size_t)set->index[c >> 8];

    return (int)(mask[c >> 6 & 3] >> (c & 63) & 1);
}

/* The place of the first character of the set in text[at..len), valid UTF-8;
 * `len` when there is none. Vectorised; nothing behind `len` is read. */
size_t oy_utf8_set_find(const struct oy_utf8_set *set, const char *text,
                        size_t len, size_t at);
/* The same in plain C: the oracle of the tests. */
size_t oy_utf8_set_find_plain(const struct oy_utf8_set *set, const char *text,
                              size_t len, size_t at);

/* A set that is filled: oy_utf8_set_new, then _add as often as wanted. */
struct oy_utf8_set *oy_utf8_set_new(void);
void oy_utf8_set_add(struct oy_utf8_set *set, uint32_t c);
/* Only of a set that was made by oy_utf8_set_new; NULL is allowed. */
void oy_utf8_set_free(struct oy_utf8_set *set);

#endif
