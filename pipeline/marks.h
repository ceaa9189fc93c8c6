/* SPDX-License-Identifier: Apache-2.0
 *
 * Sets of marks that datatrove (utils/text.py) and spaCy count with.
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
/* The 128 marks behind which spaCy's sentencizer lets a sentence begin. */
int marks_is_sentence_end(uint32_t c);

#endif
