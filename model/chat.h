/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-chat: a conversation in the terminal, with a model or with a server.
 *
 * A line is a turn; what begins with / is a command. Answers are written as
 * they come, in whole characters. Ctrl-C ends a turn and keeps what was said.
 * A turn that fails is told and taken back; the conversation goes on, unless
 * nobody is at the terminal: then the run ends with the failure.
 */
#ifndef MODEL_CHAT_H
#define MODEL_CHAT_H

#include <stdint.h>

#include "core/error.h"
#include "core/options.h"
#include "core/run.h"
#include "model/chat_history.h"
#include "model/generate.h"

struct chat_settings {
    const char *model; /* or url */
    const char *tokenizer;
    const char *chat_template;
    const char *kernel;
    uint64_t kv_memory;
    const char *url;        /* of an OpenAI-compatible server */
    const char *model_name; /* what the server is asked for; NULL: nothing */
    const char *system;     /* NULL: none */
    struct generate_options generate; /* stop and seed are set from below */
    struct oy_list stop;
};

int chat_run(const struct chat_settings *settings, struct oy_run *run,
             struct oy_error *err);

/* ---- answers, for the module's own files ---- */

/* Whoever listens: gets the text as it comes, whole characters; other than 0
 * ends the turn. Called with len 0 from time to time. */
struct chat_listener {
    int (*hear)(void *arg, const char *text, size_t len);
    void *arg;
};

/* The answer of a server (chat_server.c); tokens are its pieces. -1 (69). */
int chat_server_answer(const struct chat_settings *settings,
                       const struct chat_history *history, uint64_t seed,
                       const struct chat_listener *listener, uint64_t *n_token,
                       struct oy_error *err);
/* The address that chat completions have at a server. Yours. */
char *chat_server_url(const char *url);

#endif
