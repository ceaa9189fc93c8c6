/* SPDX-License-Identifier: Apache-2.0
 *
 * UTF-8: validation, decoding, encoding, repair.
 *
 * Invalid bytes become U+FFFD by the maximal-subpart rule (Unicode 15,
 * section 3.9, "Best Practices for Using U+FFFD"; WHATWG; Python's
 * errors='replace' and Rust's from_utf8_lossy do the same).
 */
#ifndef CORE_UTF8_H
#define CORE_UTF8_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"

/* Whether all `len` bytes are valid UTF-8 (no surrogates, no overlongs, at
 * most U+10FFFF). Vectorised; oy_utf8_valid_plain is its oracle. */
int oy_utf8_valid(const char *text, size_t len);
int oy_utf8_valid_plain(const char *text, size_t len);
/* The offset of the first byte that is not part of a valid sequence; `len`
 * when all is valid. */
size_t oy_utf8_valid_prefix(const char *text, size_t len);

/* Appends the text with every maximal invalid subpart replaced by U+FFFD;
 * returns how many were. */
uint64_t oy_utf8_repair(const char *text, size_t len, struct oy_buffer *out);

/* Number of code points of a valid text. Vectorised. */
size_t oy_utf8_count(const char *text, size_t len);

/* Whether no byte has its upper bit set. */
int oy_utf8_is_ascii(const char *text, size_t len);

/* Decodes the code point at text[*at] of a VALID text and moves *at behind
 * it. Inlined: this is the inner loop of every splitter. */
static inline uint32_t oy_utf8_next(const char *text, size_t *at)
{
    const unsigned char *s = (const unsigned char *)text + *at;

    if (s[0] < 0x80) {
        *at += 1;
        return s[0];
    }
    if (s[0] < 0xe0) {
        *at += 2;
        return (uint32_t)(s[0] & 0x1f) << 6 | (s[1] & 0x3f);
    }
    if (s[0] < 0xf0) {
        *at += 3;
        return (uint32_t)(s[0] & 0x0f) << 12 | (uint32_t)(s[1] & 0x3f) << 6 |
               (s[2] & 0x3f);
    }
    *at += 4;
    return (uint32_t)(s[0] & 0x07) << 18 | (uint32_t)(s[1] & 0x3f) << 12 |
           (uint32_t)(s[2] & 0x3f) << 6 | (s[3] & 0x3f);
}

/* The code point that ends at text[*at] of a VALID text; moves *at to its
 * start. *at must not be 0. */
static inline uint32_t oy_utf8_previous(const char *text, size_t *at)
{
    size_t start = *at - 1;

    while (((unsigned char)text[start] & 0xc0) == 0x80)
        start--;
    *at = start;
    return oy_utf8_next(text, &start);
}

/* Writes 1 to 4 bytes, returns how many. Surrogates and values above
 * U+10FFFF become U+FFFD. */
static inline size_t oy_utf8_put(char *out, uint32_t c)
{
    unsigned char *o = (unsigned char *)out;

    if ((c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
        c = 0xfffd;
    if (c < 0x80) {
        o[0] = (unsigned char)c;
        return 1;
    }
    if (c < 0x800) {
        o[0] = (unsigned char)(0xc0 | c >> 6);
        o[1] = (unsigned char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        o[0] = (unsigned char)(0xe0 | c >> 12);
        o[1] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
        o[2] = (unsigned char)(0x80 | (c & 0x3f));
        return 3;
    }
    o[0] = (unsigned char)(0xf0 | c >> 18);
    o[1] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
    o[2] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
    o[3] = (unsigned char)(0x80 | (c & 0x3f));
    return 4;
}

#endif
