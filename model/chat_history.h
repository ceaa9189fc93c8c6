/* SPDX-License-Identifier: Apache-2.0
 *
 * What was said in a conversation, and its form as JSON.
 */
#ifndef MODEL_CHAT_HISTORY_H
#define MODEL_CHAT_HISTORY_H

#include <stddef.h>

#include "core/alloc.h"
#include "core/error.h"

struct chat_message {
    char *role; /* system, user or assistant */
    char *text;
    size_t len;
};

/* Zero-initialised is empty. */
struct chat_history {
    struct chat_message *message;
    size_t n, cap;
};

void chat_history_release(struct chat_history *history);
/* Leaves the first n. */
void chat_history_cut(struct chat_history *history, size_t n);
void chat_history_add(struct chat_history *history, const char *role,
                      const char *text, size_t len);
/* Replaces the system message, which stands first; an empty one is none. */
void chat_history_set_system(struct chat_history *history, const char *text,
                             size_t len);
/* Messages before the last one of the user, that is, before the last turn; n
 * when the user said nothing yet. */
size_t chat_history_last_turn(const struct chat_history *history);

/* Appends [{"role":...,"content":...},...]. */
void chat_history_put(const struct chat_history *history,
                      struct oy_buffer *out);
/* {"messages":[...]} as a file, whole or not at all. */
int chat_history_save(const struct chat_history *history, const char *path,
                      struct oy_error *err);
/* Replaces the history by that of a file; -1 (65, 66) leaves it as it is. */
int chat_history_load(struct chat_history *history, const char *path,
                      struct oy_error *err);

#endif
