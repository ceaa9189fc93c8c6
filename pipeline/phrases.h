/* SPDX-License-Identifier: Apache-2.0
 *
 * The phrases that C4's rules look for in a line, whatever their case.
 *
 * As `phrase in line.lower()` in Python: U+212A (the sign of kelvin) is a k
 * too. Vectorised; the plain form is its oracle. Time is linear.
 */
#ifndef PIPELINE_PHRASES_H
#define PIPELINE_PHRASES_H

#include <stddef.h>

enum {
    PHRASE_LOREM_IPSUM = 1 << 0,
    PHRASE_JAVASCRIPT = 1 << 1,
    /* terms of use, privacy policy, cookie policy, uses cookies, use of
     * cookies, use cookies */
    PHRASE_POLICY = 1 << 2,
};

/* Which stand in text[0..len): valid UTF-8, OY_PADDING readable bytes behind
 * it. */
unsigned phrases_find(const char *text, size_t len);
unsigned phrases_find_plain(const char *text, size_t len);

#endif
