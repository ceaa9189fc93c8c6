/* SPDX-License-Identifier: Apache-2.0
 *
 * Base64 as RFC 4648 has it, with padding. Thread-safe.
 */
#ifndef CORE_BASE64_H
#define CORE_BASE64_H

#include <stddef.h>

#include "core/alloc.h"

/* Appends the text of any bytes. */
void oy_base64_put(struct oy_buffer *out, const void *data, size_t len);

/* Appends the bytes of a text. -1 when it is damaged: a length that is no
 * multiple of four, other characters, padding that is missing or misplaced,
 * bits left over that are not zero; `out` may have grown then too. */
int oy_base64_read(const char *text, size_t len, struct oy_buffer *out);

#endif
