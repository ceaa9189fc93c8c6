/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts that end a completion, looked for in what its tokens say so far. */
#ifndef MODEL_STOP_TEXT_H
#define MODEL_STOP_TEXT_H

#include <stddef.h>

/* The first place of any of stop[n] in the text; SIZE_MAX when there is none.
 * Empty ones are nowhere. */
size_t stop_text_find(const char *const *stop, size_t n, const char *text,
                      size_t len);
/* How much of a text that grows will stay as it is: what may be the beginning
 * of a stop text is left out, and so is U+FFFD at its end, which stands for a
 * character whose bytes are not all there. */
size_t stop_text_settled(const char *const *stop, size_t n, const char *text,
                         size_t len);

#endif
