/* SPDX-License-Identifier: Apache-2.0
 *
 * What oy-tok does to records: encode, decode, count.
 */
#ifndef TOKENIZER_TOK_FILTER_H
#define TOKENIZER_TOK_FILTER_H

#include "core/error.h"
#include "core/run.h"
#include "tokenizer/tokenizer.h"

enum tok_command { TOK_ENCODE, TOK_DECODE, TOK_COUNT };

struct tok_settings {
    const char *command_name; /* "encode" ... */
    enum tok_command command;
    const char *tokenizer; /* path, required */
    int special_text;      /* enum tokenizer_special */
    int add_special;
    int skip_special;
};

/* "encode", "decode" or "count": 0, else -1. */
int tok_command_from_name(const char *name, enum tok_command *command);

/* encode: the field's ids go into the member "ids"; decode: the member "ids"
 * becomes the text of the field; count: a table of documents, bytes, tokens
 * and bytes a token, one line a file and their sum. 0, or -1 with err. */
int tok_run(const struct tok_settings *settings, struct oy_run *run,
            struct oy_error *err);

#endif
