/* SPDX-License-Identifier: Apache-2.0
 *
 * Windows of requests, their answers in the journal. */
#include "eval/window.h"

#include <string.h>

/* A window ends with a document once it holds this much. */
enum { WINDOW_REQUESTS = 4096, WINDOW_TOKENS = 4 << 20 };

static int same_text(struct oy_text a, struct oy_text b)
{
    return a.len == b.len && (!a.len || !memcmp(a.at, b.at, a.len));
}

int window_is_full(const struct window *window, struct oy_text task,
                   int64_t doc_id)
{
    if (!window->n)
        return 0;
    if (!same_text(window->task, task))
        return 1;
    return (window->n >= WINDOW_REQUESTS || window->n_token >= WINDOW_TOKENS) &&
           (doc_id != window->doc_id || !task.len);
}

void window_add(struct window *window, const struct scorer_item *item,
                struct oy_text task, int64_t doc_id, struct oy_hash128 key)
{
    const size_t i = window->n++;

    OY_GROW(window->item, window->cap_item, window->n);
    OY_GROW(window->key, window->cap_key, window->n);
    window->item[i] = *item;
    window->key[i] = key;
    journal_find(window->journal, key, &window->item[i].answer);
    window->n_token += scorer_plan_size(window->scorer, &item->plan);
    window->doc_id = doc_id;
    if (i == 0)
        window->task = (struct oy_text){
            oy_arena_copy(&window->arena, task.at, task.len), task.len};
}

static void note_answer(void *arg, const struct scorer_item *item)
{
    struct window *window = arg;

    journal_add(window->journal, window->key[item - window->item], item->type,
                &item->answer);
}

static void flush_answers(void *arg)
{
    struct window *window = arg;

    if (!window->failed.code)
        journal_flush(window->journal, &window->failed);
}

int window_answer(struct window *window, struct oy_error *err)
{
    const struct scorer_listener listener = {note_answer, flush_answers,
                                             window};

    if (scorer_answer(window->scorer, window->item, window->n,
                      window->journal ? &listener : NULL, &window->arena, err))
        return -1;
    if (!window->failed.code)
        return 0;
    *err = window->failed;
    return -1;
}

void window_clear(struct window *window)
{
    oy_arena_clear(&window->arena);
    window->n = window->n_token = 0;
    window->task = (struct oy_text){0};
}

void window_release(struct window *window)
{
    oy_arena_release(&window->arena);
    oy_free(window->item);
    oy_free(window->key);
}
