/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts in the many encodings of the web, into UTF-8.
 *
 * Names are the labels of the WHATWG's Encoding Standard and mean what
 * browsers take them for: "iso-8859-1" and "ascii" are Windows-1252, "gb2312"
 * is GB18030, "shift_jis" Windows-31J. Conversion is that of the C library.
 */
#ifndef PIPELINE_CHARSET_H
#define PIPELINE_CHARSET_H

#include <stddef.h>

#include "core/alloc.h"

enum { CHARSET_MAX = 32 }; /* bytes of the longest name, with its NUL */

/* What iconv() calls the encoding of a label (in any case, white space round
 * it); NULL when nobody knows it. Names that only the C library knows are
 * taken as they are, but a page's label must be of the standard. */
const char *charset_of_label(const char *label, size_t len);
/* 1 and the name in `name`, also of what only iconv() knows; else 0. */
int charset_find(const char *label, char name[CHARSET_MAX]);

struct charset_guess {
    const char *name; /* for charset_convert */
    size_t mark;      /* bytes of a byte-order mark */
    int unknown;      /* 1: a label was found that nobody knows */
};

/* The encoding of a text: its byte-order mark, the charset of `content_type`
 * ("text/html; charset=x", or ""), and of a page what a <meta> among its
 * first 1024 bytes says, in this order; else what charset_detect() takes it
 * for. */
struct charset_guess charset_guess(const char *text, size_t len,
                                   const char *content_type, int is_page);

/* Appends the text in UTF-8; every byte that means nothing becomes U+FFFD (in
 * UTF-8 every maximal invalid subpart). */
void charset_convert(const char *name, const char *text, size_t len,
                     struct oy_buffer *out);

#endif
