/* SPDX-License-Identifier: Apache-2.0
 *
 * Characters that HTML spells as &NAME; and &#NUMBER;.
 */
#ifndef PIPELINE_ENTITIES_H
#define PIPELINE_ENTITIES_H

#include <stddef.h>
#include <stdint.h>

enum { ENTITIES_MAX = 3 }; /* code points that a name stands for */

/* Writes the code points of a name (between & and ;) of the HTML standard, or
 * of one in capitals that ftfy knows ("EACUTE"); returns how many there are, 0
 * for an unknown name. */
int entities_find(const uint32_t *name, size_t len,
                  uint32_t code[ENTITIES_MAX]);

/* What Python's html.unescape() makes of "&#BODY;", the body being digits, or
 * x and hexadecimal digits: a code point, with Windows-1252 for C1 controls
 * and U+FFFD for what is none. 0: nothing at all. -1: the body is something
 * else. */
int64_t entities_number(const uint32_t *body, size_t len);

/* What browsers take the C1 control `c` (U+0080 to U+009F) for: the character
 * of Windows-1252, or itself where that has none. */
uint32_t entities_control(uint32_t c);

#endif
