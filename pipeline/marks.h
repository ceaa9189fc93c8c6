/* SPDX-License-Identifier: Apache-2.0
 *
 * Two sets of marks that datatrove counts with (utils/text.py).
 */
#ifndef PIPELINE_MARKS_H
#define PIPELINE_MARKS_H

#include <stdint.h>

/* TERMINAL_PUNCTUATION: 159 marks that end a sentence; quotes are not among
 * them. */
int marks_is_terminal(uint32_t c);
/* PUNCTUATION_SET: these and 129 more, controls included; the ASCII
 * apostrophe is not among them. */
int marks_is_punctuation(uint32_t c);

#endif
