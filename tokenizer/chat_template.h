/* SPDX-License-Identifier: Apache-2.0
 *
 * A model's chat template: conversations made into the text that the model
 * was trained on, as transformers' apply_chat_template makes it.
 *
 * The template comes from chat_template.jinja or from the member
 * "chat_template" of tokenizer_config.json (plain or .zst), where it is a
 * text or a list of named ones ("default", "tool_use"). It sees `messages`,
 * `tools`, `documents`, `add_generation_prompt` and the special tokens of the
 * configuration (bos_token, eos_token, ...). chat_template.jinja wins.
 * Messages reach it as in transformers 5: members that are null left out, and
 * what was thought ("reasoning_content", "thinking" or "reasoning") under the
 * first two of these names. Immutable once loaded.
 */
#ifndef TOKENIZER_CHAT_TEMPLATE_H
#define TOKENIZER_CHAT_TEMPLATE_H

#include <stddef.h>
#include <time.h>

#include "core/alloc.h"
#include "core/error.h"
#include "tokenizer/template.h"
#include "tokenizer/template_value.h"
#include "tokenizer/tokenizer.h"

struct chat_template;

/* From a model's folder, or from a tokenizer_config.json itself. `name` picks
 * one of several templates; NULL or "": "default", and "tool_use" for
 * conversations with tools. NULL after a failure: 66 no such file, 65 no
 * template in it, or a malformed one. */
struct chat_template *chat_template_load(const char *path, const char *name,
                                         struct oy_error *err);
/* What belongs to a tokenizer that was loaded from PATH: of its folder, or
 * what its own file holds (a GGUF). `choice`, where not NULL, is the name of
 * one of the folder's templates, of a bundled one (tokenizer/chat_templates,
 * as for oy-bpe), or a file: Jinja, a preset, a tokenizer_config.json.
 * NULL after a failure: 66 no such choice, 65 no template, or a malformed
 * one. */
struct chat_template *chat_template_of(const struct tokenizer *tokenizer,
                                       const char *path, const char *choice,
                                       struct oy_error *err);
/* From a text of its own; `config` is a tokenizer configuration, or NULL. */
struct chat_template *chat_template_new(const char *source, size_t len,
                                        const struct template_value *config,
                                        struct oy_error *err);
void chat_template_free(struct chat_template *chat);

/* The template's own text; borrowed. */
struct oy_text chat_template_source(const struct chat_template *chat);

/* Whether it has {% generation %} blocks. */
int chat_template_has_generation(const struct chat_template *chat);

/* A day for strftime_now(): 2024-02-29, or with T12:30 or T12:30:59 behind
 * it, the days of the week and of the year worked out. -1: neither, or no day
 * of the calendar. */
int chat_template_read_date(const char *text, struct tm *time);

/* What is rendered. `messages` is a list of {"role","content",...}; the
 * others may be NULL: `tools`, `documents`, `extra` (further variables, a
 * dictionary: transformers' chat_template_kwargs), and `now`, what
 * strftime_now() tells (NULL: the clock, local time). */
struct chat_request {
    const struct template_value *messages;
    const struct template_value *tools;
    const struct template_value *documents;
    const struct template_value *extra;
    const struct tm *now;
    int add_generation_prompt;
    /* Not NULL: gets the texts of {% generation %} blocks. */
    struct template_spans *generation;
};

/* Appends the text. Everything made on the way lies in `arena`. -1 with err
 * (65): no list of objects, no message at all, or what the template says. */
int chat_template_render(const struct chat_template *chat,
                         const struct chat_request *request,
                         struct oy_arena *arena, struct oy_buffer *out,
                         struct oy_error *err);

#endif
