/* SPDX-License-Identifier: Apache-2.0
 *
 * Python's \w and \b between the characters of a text (valid UTF-8).
 */
#ifndef PIPELINE_BORDERS_H
#define PIPELINE_BORDERS_H

#include "core/unicode.h"
#include "core/utf8.h"

static inline int border_is_word(uint32_t c)
{
    return c == '_' || oy_py_isalnum(c);
}

/* Whether a character of words stands right before `at`; at `at`. */
static inline int border_word_before(const char *text, size_t at)
{
    return at && border_is_word(oy_utf8_previous(text, &at));
}

static inline int border_word_at(const char *text, size_t len, size_t at)
{
    return at < len && border_is_word(oy_utf8_next(text, &at));
}

/* Whether \b matches at `at`. */
static inline int border_at(const char *text, size_t len, size_t at)
{
    return border_word_before(text, at) != border_word_at(text, len, at);
}

#endif
