/* SPDX-License-Identifier: Apache-2.0
 *
 * Aho and Corasick's automaton over letters and digits. */
#include "pipeline/subwords.h"

#include "core/alloc.h"
#include "core/error.h"

/* Stands for every state in which a word has ended: what comes behind does not
 * matter. */
static const uint32_t HIT = UINT32_MAX;

/* 0 to 35, or -1 for what does not count. */
static inline int symbol_of(char c)
{
    const unsigned char letter = (unsigned char)((c | 0x20) - 'a');
    const unsigned char digit = (unsigned char)(c - '0');

    if (letter < 26)
        return letter;
    return digit < 10 ? 26 + digit : -1;
}

static uint32_t add_state(struct subwords *subwords)
{
    OY_ASSERT(subwords->n < HIT);
    OY_GROW(subwords->state, subwords->cap, subwords->n + 1);
    subwords->state[subwords->n] = (struct subwords_state){0};
    return (uint32_t)subwords->n++;
}

void subwords_add(struct subwords *subwords, const char *word, size_t len)
{
    uint32_t at = 0, last = 0;
    int symbol = -1;

    if (!subwords->n)
        add_state(subwords);
    for (size_t i = 0; i < len; i++) {
        const int s = symbol_of(word[i]);
        if (s < 0)
            continue;
        if (symbol >= 0) {
            /* Not by a pointer: adding moves the states. */
            if (!subwords->state[last].next[symbol]) {
                at = add_state(subwords);
                subwords->state[last].next[symbol] = at;
            }
            last = subwords->state[last].next[symbol];
        }
        if (last == HIT)
            return;
        symbol = s;
    }
    if (symbol >= 0)
        subwords->state[last].next[symbol] = HIT;
}

/* Gives a state the followers that it lacks: those of the longest end of its
 * word that begins a word, which is `fail`. New ones join the queue. */
static void complete(struct subwords *subwords, uint32_t at, uint32_t *fail,
                     uint32_t *queue, size_t *n_queue)
{
    uint32_t *next = subwords->state[at].next;
    const uint32_t *other = subwords->state[fail[at]].next;

    for (int s = 0; s < SUBWORDS_N_SYMBOL; s++) {
        const uint32_t beyond = at ? other[s] : 0;
        if (!next[s] || beyond == HIT) {
            next[s] = next[s] == HIT ? HIT : beyond;
        } else if (next[s] != HIT) {
            fail[next[s]] = beyond;
            queue[(*n_queue)++] = next[s];
        }
    }
}

void subwords_finish(struct subwords *subwords)
{
    uint32_t *fail, *queue;
    size_t n_queue = 1;

    if (!subwords->n)
        return;
    fail = oy_calloc(subwords->n, sizeof *fail);
    queue = oy_calloc(subwords->n, sizeof *queue);
    for (size_t i = 0; i < n_queue; i++)
        complete(subwords, queue[i], fail, queue, &n_queue);
    oy_free(fail);
    oy_free(queue);
}

int subwords_occur(const struct subwords *subwords, const char *text,
                   size_t len)
{
    uint32_t at = 0;

    if (!subwords->n)
        return 0;
    for (size_t i = 0; i < len; i++) {
        const int symbol = symbol_of(text[i]);
        if (symbol < 0)
            continue;
        at = subwords->state[at].next[symbol];
        if (at == HIT)
            return 1;
    }
    return 0;
}

void subwords_release(struct subwords *subwords)
{
    oy_free(subwords->state);
    *subwords = (struct subwords){0};
}
