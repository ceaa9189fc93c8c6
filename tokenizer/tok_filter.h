/* SPDX-License-Identifier: Apache-2.0
 *
 * What oy-tok does to records. Each command has a file of its own:
 *
 *     encode, decode   tok_filter.c    text to ids and back
 *     count, compare   tok_compare.c   tokens a byte, for one or several
 *     chat             tok_chat.c      conversations to text and ids
 *     info             tok_info.c      what a tokenizer is
 */
#ifndef TOKENIZER_TOK_FILTER_H
#define TOKENIZER_TOK_FILTER_H

#include "core/error.h"
#include "core/options.h"
#include "core/record.h"
#include "core/run.h"
#include "tokenizer/tokenizer.h"

enum tok_command {
    TOK_ENCODE,
    TOK_DECODE,
    TOK_COUNT,
    TOK_COMPARE,
    TOK_INFO,
    TOK_CHAT,
};

enum tok_format { TOK_MARKDOWN, TOK_TABLE, TOK_JSON };

/* Most tokenizers that are compared at once. */
enum { TOK_MAX_COMPARED = 32 };

struct tok_settings {
    const char *command_name; /* "encode" ... */
    enum tok_command command;
    struct oy_list tokenizer; /* paths; one, but for compare and info */
    int special_text;         /* enum tokenizer_special */
    int add_special;
    int skip_special;
    int format;                /* enum tok_format */
    const char *by;            /* compare: path of a member; NULL: the file */
    const char *chat_template; /* name or file; NULL: the tokenizer's own */
    const char *date;          /* of strftime_now(); NULL: now */
    int mask;                  /* chat: find the assistant's turns */
    /* Filled in for the manifest: what the template and the date were. */
    char template_hash[33];
    const char *template_hash_text; /* points there, or NULL */
    char date_text[32];
};

/* "encode" and so on: 0, else -1. */
int tok_command_from_name(const char *name, enum tok_command *command);

/* Runs settings->command over run's input; what each does is in the
 * description of tok_main.c. 0, or -1 with err. */
int tok_run(struct tok_settings *settings, struct oy_run *run,
            struct oy_error *err);

/* ---- the commands, and what they share ---- */

int tok_compare_run(const struct tok_settings *settings, struct oy_run *run,
                    struct oy_error *err);
int tok_chat_run(struct tok_settings *settings, struct oy_run *run,
                 struct oy_error *err);
int tok_info_run(const struct tok_settings *settings, struct oy_run *run,
                 struct oy_error *err);

/* Loads tokenizer number i of the settings and names it for the manifest.
 * NULL after a failure. */
struct tokenizer *tok_load(const struct tok_settings *settings, size_t i,
                           struct oy_run *run, struct oy_error *err);

/* The ids of the record's text as --special-text and --add-special want them,
 * over what `ids` held. -1 when the record was marked as bad. */
int tok_encode(const struct tok_settings *settings,
               const struct tokenizer *tokenizer,
               struct tokenizer_worker *worker, struct oy_record *record,
               struct token_ids *ids);

/* Puts a text into --field: over what is there, else as a new member of the
 * record, which is bad when the field is inside of others. The text is
 * copied. -1 then. */
int tok_set_text(struct oy_record *record, const char *field, const char *text,
                 size_t len);

#endif
