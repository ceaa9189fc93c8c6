/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two files of filters of templates share. */
#ifndef TOKENIZER_TEMPLATE_FILTER_INTERNAL_H
#define TOKENIZER_TEMPLATE_FILTER_INTERNAL_H

#include "tokenizer/template_internal.h"

struct filter_call {
    struct state *state;
    const struct template_value *input;
    const struct arguments *arguments;
    struct template_value *value; /* the result */
};

struct filter {
    const char *name;
    int (*function)(const struct filter_call *call);
};

/* Over sequences (template_sequence.c); ends with a NULL name. */
extern const struct filter filter_sequence_table[];

/* Arguments by position or name: as truth (0 when not given), as an integer
 * or a text (left alone when not given; -1 when of another kind). */
int filter_option(const struct filter_call *call, int position,
                  const char *name);
int filter_int(const struct filter_call *call, int position, const char *name,
               int64_t *number);
int filter_text(const struct filter_call *call, int position, const char *name,
                struct oy_text *text);

#endif
