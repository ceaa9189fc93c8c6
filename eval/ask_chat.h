/* SPDX-License-Identifier: Apache-2.0
 *
 * Prompts rendered by a model's chat template: joins tokenizer/chat_template
 * to eval/ask.
 */
#ifndef EVAL_ASK_CHAT_H
#define EVAL_ASK_CHAT_H

#include "core/error.h"
#include "eval/ask.h"
#include "tokenizer/chat_template.h"

struct ask_chat {
    struct chat_template *template;
    struct oy_arena arena;
};

/* Loads the template of a model's folder (`name` as for chat_template_load)
 * and sets options->chat. The struct must live as long as the options. */
int ask_chat_open(struct ask_chat *chat, const char *path, const char *name,
                  struct ask_options *options, struct oy_error *err);
/* The same for the value of --apply-chat-template: NULL and "False" leave the
 * options as they are, "" and "True" ask for the default template, others name
 * one. `path` NULL is then a usage error (64). */
int ask_chat_choose(struct ask_chat *chat, const char *choice, const char *path,
                    struct ask_options *options, struct oy_error *err);
void ask_chat_release(struct ask_chat *chat);

#endif
