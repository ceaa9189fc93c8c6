/* SPDX-License-Identifier: Apache-2.0
 *
 * One merge in a list of words.
 */
#include "tokenizer/bpe_step.h"

#include <string.h>

#include "core/alloc.h"

enum { AHEAD = 12 }; /* words that are asked for before they are used */

#define INLINE static inline __attribute__((always_inline))

void bpe_lane_release(struct bpe_lane *lane)
{
    oy_free(lane->neighbour);
    oy_free(lane->met);
    oy_free(lane->posting);
    *lane = (struct bpe_lane){0};
}

void bpe_lane_reserve(struct bpe_lane *lane, size_t n_token)
{
    const size_t n_old = lane->neighbour_cap;

    if (n_token * 2 <= n_old)
        return;
    OY_GROW(lane->neighbour, lane->neighbour_cap, n_token * 2);
    memset(lane->neighbour + n_old, 0,
           (lane->neighbour_cap - n_old) * sizeof *lane->neighbour);
}

/* The neighbour's entry for this step. */
static struct bpe_neighbour *touch(struct bpe_lane *lane, uint32_t at)
{
    struct bpe_neighbour *const neighbour = &lane->neighbour[at];

    if (!neighbour->lost) {
        if (lane->n_met == lane->met_cap)
            OY_GROW(lane->met, lane->met_cap, lane->n_met + 1);
        lane->met[lane->n_met++] = at;
    }
    return neighbour;
}

INLINE void meet(struct bpe_lane *lane, const struct bpe_merge *merge,
                 uint32_t id, int side, uint32_t word, int64_t count)
{
    const uint32_t at = id << 1 | (uint32_t)side;
    struct bpe_neighbour *const neighbour = touch(lane, at);

    neighbour->lost += count;
    if (merge->room && merge->token_len[id] >= merge->room)
        return;
    neighbour->won += count;
    if (neighbour->last == word + 1)
        return;
    neighbour->last = word + 1;
    neighbour->n_words++;
    if (lane->n_posting == lane->posting_cap)
        OY_GROW(lane->posting, lane->posting_cap, lane->n_posting + 1);
    lane->posting[lane->n_posting++] = (struct bpe_posting){at, word};
}

/* Symbols i and i + 1 as one number. */
INLINE uint64_t load_pair(const void *symbols, size_t i, int is_wide)
{
    uint64_t wide;
    uint32_t narrow;

    if (is_wide) {
        memcpy(&wide, (const uint32_t *)symbols + i, sizeof wide);
        return wide;
    }
    memcpy(&narrow, (const uint16_t *)symbols + i, sizeof narrow);
    return narrow;
}

INLINE uint64_t first_of_pair(uint64_t pair, int is_wide)
{
    return is_wide ? (uint32_t)pair : (uint16_t)pair;
}

INLINE uint64_t pair_of(uint32_t left, uint32_t right, int is_wide)
{
    return left | (uint64_t)right << (is_wide ? 32 : 16);
}

/* Fills from the new end mark to the end of the unit of the old one. */
INLINE void end_word(void *symbols, size_t len, size_t old_len, int is_wide)
{
    const size_t end = is_wide ? old_len + 1 : (old_len + 2) / 2 * 2;

    bpe_symbol_set(symbols, len, bpe_end_mark(is_wide), is_wide);
    for (size_t i = len + 1; i < end; i++)
        bpe_symbol_set(symbols, i, bpe_end_mark(is_wide) - 1, is_wide);
}

/* The left neighbour is the one already made, the right one as it stood. */
INLINE void merge_in_word(struct bpe_lane *lane, const struct bpe_merge *merge,
                          struct bpe_corpus *corpus, uint32_t word, int is_wide)
{
    const uint64_t wanted = pair_of(merge->left, merge->right, is_wide);
    const uint32_t end = bpe_end_mark(is_wide);
    int64_t count;
    void *const symbols = bpe_corpus_word(corpus, word, &count);
    size_t i = 0, out;
    uint64_t pair = load_pair(symbols, 0, is_wide);

    while (pair != wanted) {
        if (first_of_pair(pair, is_wide) == end)
            return;
        pair = load_pair(symbols, ++i, is_wide);
    }
    for (out = i; first_of_pair(pair, is_wide) != end;
         pair = load_pair(symbols, ++i, is_wide)) {
        uint32_t id = (uint32_t)first_of_pair(pair, is_wide);

        if (pair == wanted) {
            const uint32_t next = bpe_symbol(symbols, i + 2, is_wide);

            id = merge->made;
            if (out > 0)
                meet(lane, merge, bpe_symbol(symbols, out - 1, is_wide),
                     BPE_LEFT, word, count);
            if (next != end)
                meet(lane, merge, next, BPE_RIGHT, word, count);
            i++;
        }
        bpe_symbol_set(symbols, out++, id, is_wide);
    }
    end_word(symbols, out, i, is_wide);
}

INLINE void merge_list(struct bpe_lane *lane, const struct bpe_merge *merge,
                       struct bpe_corpus *corpus, const uint32_t *list,
                       size_t n, int is_wide)
{
    for (size_t i = 0; i < n; i++) {
        if (i + AHEAD < n)
            __builtin_prefetch(corpus->unit + list[i + AHEAD]);
        merge_in_word(lane, merge, corpus, list[i], is_wide);
    }
}

void bpe_lane_merge(struct bpe_lane *lane, const struct bpe_merge *merge,
                    struct bpe_corpus *corpus, const uint32_t *list, size_t n)
{
    if (corpus->is_wide)
        merge_list(lane, merge, corpus, list, n, 1);
    else
        merge_list(lane, merge, corpus, list, n, 0);
}

void bpe_lane_join(struct bpe_lane *lane, const struct bpe_lane *other)
{
    for (size_t i = 0; i < other->n_met; i++) {
        const uint32_t at = other->met[i];
        const struct bpe_neighbour *const from = &other->neighbour[at];
        struct bpe_neighbour *const to = touch(lane, at);

        to->lost += from->lost;
        to->won += from->won;
        to->n_words += from->n_words;
    }
}

void bpe_lane_clear(struct bpe_lane *lane)
{
    for (size_t i = 0; i < lane->n_met; i++)
        lane->neighbour[lane->met[i]] = (struct bpe_neighbour){0};
    lane->n_met = 0;
    lane->n_posting = 0;
}
