/* SPDX-License-Identifier: Apache-2.0
 *
 * Aho and Corasick's automaton over bytes. */
#include "pipeline/needles.h"

#include <string.h>

#include "core/error.h"
#include "core/json.h"

void needles_add(struct needles *needles, const char *string, size_t len)
{
    if (!len)
        return;
    oy_buffer_append(&needles->bytes, &len, sizeof len);
    oy_buffer_append(&needles->bytes, string, len);
}

/* ---- building ---- */

/* The string at *at of the list, which is passed; 0 behind the last. */
static int next_string(const struct needles *needles, size_t *at,
                       struct oy_text *string)
{
    size_t len;

    if (*at == needles->bytes.len)
        return 0;
    memcpy(&len, needles->bytes.data + *at, sizeof len);
    *string = (struct oy_text){needles->bytes.data + *at + sizeof len, len};
    *at += sizeof len + len;
    return 1;
}

static void number_symbols(struct needles *needles)
{
    struct oy_text string;

    for (size_t at = 0; next_string(needles, &at, &string);) {
        for (size_t i = 0; i < string.len; i++)
            needles->symbol[(unsigned char)string.at[i]] = 1;
    }
    needles->n_symbol = 1;
    for (int c = 0; c < 256; c++) {
        if (needles->symbol[c])
            needles->symbol[c] = (uint16_t)needles->n_symbol++;
    }
}

static uint32_t add_state(struct needles *needles, uint32_t depth)
{
    const size_t n = needles->n_symbol, at = needles->n_state * n;

    OY_ASSERT(needles->n_state < UINT32_MAX);
    OY_GROW(needles->next, needles->cap_next, at + n);
    memset(needles->next + at, 0, n * sizeof *needles->next);
    OY_GROW(needles->state, needles->cap_state, needles->n_state + 1);
    needles->state[needles->n_state] = (struct needles_state){.depth = depth};
    return (uint32_t)needles->n_state++;
}

static inline uint32_t *follower(const struct needles *needles, uint32_t state,
                                 char byte)
{
    return &needles->next[state * needles->n_symbol +
                          needles->symbol[(unsigned char)byte]];
}

static void add_path(struct needles *needles, struct oy_text string)
{
    uint32_t state = 0;

    for (size_t i = 0; i < string.len; i++) {
        /* Not by a pointer: adding moves the states. */
        if (!*follower(needles, state, string.at[i])) {
            const uint32_t added = add_state(needles, (uint32_t)i + 1);
            *follower(needles, state, string.at[i]) = added;
        }
        state = *follower(needles, state, string.at[i]);
    }
    needles->state[state].len = (uint32_t)string.len;
}

/* Gives a state the followers that it lacks: those of the longest end of its
 * path that is one itself, which is `fail`. Its own join the queue. */
static void complete(struct needles *needles, uint32_t at, uint32_t *fail,
                     uint32_t *queue, size_t *n_queue)
{
    const size_t n = needles->n_symbol;
    uint32_t *next = needles->next + at * n;
    const uint32_t *other = needles->next + fail[at] * n;

    for (size_t s = 0; s < n; s++) {
        const uint32_t beyond = at ? other[s] : 0;
        if (!next[s]) {
            next[s] = beyond;
            continue;
        }
        struct needles_state *state = &needles->state[next[s]];
        fail[next[s]] = beyond;
        state->shorter = needles->state[beyond].hit;
        state->hit = state->len ? next[s] : state->shorter;
        queue[(*n_queue)++] = next[s];
    }
}

void needles_finish(struct needles *needles)
{
    uint32_t *fail, *queue;
    struct oy_text string;
    size_t n_queue = 1;

    OY_ASSERT(needles->bytes.len < UINT32_MAX);
    number_symbols(needles);
    add_state(needles, 0);
    for (size_t at = 0; next_string(needles, &at, &string);)
        add_path(needles, string);
    oy_buffer_release(&needles->bytes);
    fail = oy_calloc(needles->n_state, sizeof *fail);
    queue = oy_calloc(needles->n_state, sizeof *queue);
    for (size_t i = 0; i < n_queue; i++)
        complete(needles, queue[i], fail, queue, &n_queue);
    oy_free(fail);
    oy_free(queue);
}

/* ---- searching ---- */

static int accept_any(const struct needles *needles, uint32_t hit, size_t end,
                      needles_accept accept, void *arg)
{
    for (; hit; hit = needles->state[hit].shorter) {
        const size_t len = needles->state[hit].len;
        if (accept(arg, end - len, len))
            return 1;
    }
    return 0;
}

int needles_find(const struct needles *needles, const char *text, size_t len,
                 needles_accept accept, void *arg)
{
    uint32_t state = 0;

    if (!needles->n_state)
        return 0;
    for (size_t i = 0; i < len; i++) {
        state = *follower(needles, state, text[i]);
        const uint32_t hit = needles->state[state].hit;
        if (hit && accept_any(needles, hit, i + 1, accept, arg))
            return 1;
    }
    return 0;
}

int needles_find_at(const struct needles *needles, const char *text, size_t len,
                    size_t at, needles_accept accept, void *arg)
{
    uint32_t state = 0;

    if (!needles->n_state)
        return 0;
    for (size_t i = at; i < len; i++) {
        state = *follower(needles, state, text[i]);
        /* A follower that is no longer began behind `at`. */
        if (needles->state[state].depth != i + 1 - at)
            return 0;
        if (needles->state[state].len && accept(arg, at, i + 1 - at))
            return 1;
    }
    return 0;
}

void needles_release(struct needles *needles)
{
    oy_buffer_release(&needles->bytes);
    oy_free(needles->next);
    oy_free(needles->state);
    *needles = (struct needles){0};
}
