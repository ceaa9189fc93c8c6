/* SPDX-License-Identifier: Apache-2.0
 *
 * Python 3.11's str.upper, str.capitalize and str.title (Unicode 14, with the
 * special casings: one character may become three). str.lower stands in
 * core/unicode.h. Texts are valid UTF-8; results are appended.
 */
#ifndef CORE_UNICODE_CASE_H
#define CORE_UNICODE_CASE_H

#include <stddef.h>

#include "core/alloc.h"

void oy_py_upper(const char *text, size_t len, struct oy_buffer *out);
/* The first character in title case, the rest in lower case. */
void oy_py_capitalize(const char *text, size_t len, struct oy_buffer *out);
/* Every cased character behind an uncased one in title case, the others in
 * lower case. */
void oy_py_title(const char *text, size_t len, struct oy_buffer *out);

#endif
