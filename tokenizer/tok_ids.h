/* SPDX-License-Identifier: Apache-2.0
 *
 * Ids in records: lists of JSON, written and read.
 */
#ifndef TOKENIZER_TOK_IDS_H
#define TOKENIZER_TOK_IDS_H

#include <stdint.h>

#include "core/json.h"
#include "core/record.h"
#include "tokenizer/bpe_encode.h"

/* Four digits of every number below 10,000, for processors that cannot write
 * eight numbers at once. */
struct tok_digits {
    char at[10000][4];
    int is_wide; /* this one can */
};
void tok_digits_init(struct tok_digits *digits);

/* Sets a member of the record to the list of the ids, which are below 10^8;
 * its text lies in the record's arena. */
void tok_set_ids(const struct tok_digits *digits, struct oy_record *record,
                 const char *name, const struct token_ids *ids);

/* Reads a list of integers; one that no id can be becomes -1. -1 when it is
 * something else than such a list. */
int tok_read_ids(const struct oy_json_value *list, struct token_ids *ids);

/* The text of element n of a list that tok_read_ids() took. */
struct oy_text tok_id_text(const struct oy_json_value *list, size_t n);

#endif
