/* SPDX-License-Identifier: Apache-2.0
 *
 * Best-fit decreasing with a set of gaps. */
#include "tokenizer/pack_fit.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"

enum { N_LEVEL = 6 }; /* 64^6 > 2^32 */

/* Numbers 0 .. n-1 as a tree of bits: a bit of a level says whether the word
 * below it has any. */
struct gap_set {
    uint64_t *level[N_LEVEL];
    int n_level;
};

static struct gap_set gap_set_new(size_t n)
{
    struct gap_set set = {0};

    do {
        n = (n + 63) / 64;
        set.level[set.n_level++] = oy_calloc(n, sizeof(uint64_t));
    } while (n > 1);
    return set;
}

static void gap_set_release(struct gap_set *set)
{
    for (int i = 0; i < set->n_level; i++)
        oy_free(set->level[i]);
}

static void gap_set_add(struct gap_set *set, size_t number)
{
    for (int i = 0; i < set->n_level; i++, number /= 64)
        set->level[i][number / 64] |= 1ULL << number % 64;
}

static void gap_set_remove(struct gap_set *set, size_t number)
{
    for (int i = 0; i < set->n_level; i++, number /= 64) {
        set->level[i][number / 64] &= ~(1ULL << number % 64);
        if (set->level[i][number / 64])
            break;
    }
}

/* The smallest number >= `number` of the set, which holds numbers < n only;
 * n when there is none. */
static size_t gap_set_next(const struct gap_set *set, size_t number, size_t n)
{
    int level = 0;

    /* Up until a word has something at or behind our place. */
    for (;; level++, number = number / 64 + 1) {
        if (level == set->n_level || number > (n - 1) >> 6 * level)
            return n;
        const uint64_t word = set->level[level][number / 64] >> number % 64;
        if (!word)
            continue;
        number += (size_t)__builtin_ctzll(word);
        break;
    }
    while (level--)
        number =
            number * 64 + (size_t)__builtin_ctzll(set->level[level][number]);
    return number;
}

/* ---- packing ---- */

#define NO_ROW SIZE_MAX

struct fit {
    const uint32_t *length;
    size_t n;
    uint32_t row_len;
    size_t *row;        /* [n] of each piece */
    size_t *next;       /* [n] the row below in the stack of its gap */
    size_t *with_gap;   /* [row_len + 1] the stack of rows with this gap */
    struct gap_set gap; /* which of these stacks hold any */
    size_t n_row;
};

static void push(struct fit *fit, size_t row, size_t gap)
{
    if (!gap)
        return;
    if (fit->with_gap[gap] == NO_ROW)
        gap_set_add(&fit->gap, gap);
    fit->next[row] = fit->with_gap[gap];
    fit->with_gap[gap] = row;
}

static void put(struct fit *fit, size_t piece)
{
    const size_t n = fit->row_len + 1UL, length = fit->length[piece];
    size_t gap = gap_set_next(&fit->gap, length, n);
    size_t row;

    if (gap == n) {
        row = fit->n_row++;
        gap = fit->row_len;
    } else {
        row = fit->with_gap[gap];
        fit->with_gap[gap] = fit->next[row];
        if (fit->with_gap[gap] == NO_ROW)
            gap_set_remove(&fit->gap, gap);
    }
    fit->row[piece] = row;
    push(fit, row, gap - length);
}

/* Numbers of the pieces, longest first, of equals the first one first. */
static size_t *by_length(const struct fit *fit)
{
    size_t *order = oy_alloc_array(fit->n + 1, sizeof *order);
    size_t *at = oy_calloc(fit->row_len + 2UL, sizeof *at);

    for (size_t i = 0; i < fit->n; i++) {
        OY_ASSERT(fit->length[i] > 0 && fit->length[i] <= fit->row_len);
        at[fit->row_len - fit->length[i] + 1]++;
    }
    for (size_t i = 1; i <= fit->row_len; i++)
        at[i] += at[i - 1];
    for (size_t i = 0; i < fit->n; i++)
        order[at[fit->row_len - fit->length[i]]++] = i;
    oy_free(at);
    return order;
}

/* Rows renumbered by their first pieces, and their pieces in order. */
static struct pack_fit result_of(const struct fit *fit)
{
    struct pack_fit result = {.n_row = fit->n_row};
    size_t *number = oy_alloc_array(fit->n_row + 1, sizeof *number);
    size_t n_seen = 0;

    result.first = oy_calloc(fit->n_row + 2, sizeof *result.first);
    result.piece = oy_alloc_array(fit->n + 1, sizeof *result.piece);
    memset(number, 0xff, fit->n_row * sizeof *number);
    for (size_t i = 0; i < fit->n; i++) {
        if (number[fit->row[i]] == NO_ROW)
            number[fit->row[i]] = n_seen++;
        result.first[number[fit->row[i]] + 2]++;
    }
    for (size_t i = 2; i < fit->n_row + 2; i++)
        result.first[i] += result.first[i - 1];
    /* first[i + 1] runs through row i while it is filled. */
    for (size_t i = 0; i < fit->n; i++)
        result.piece[result.first[number[fit->row[i]] + 1]++] = i;
    oy_free(number);
    return result;
}

struct pack_fit pack_fit(const uint32_t *length, size_t n, uint32_t row_len)
{
    struct fit fit = {.length = length, .n = n, .row_len = row_len};

    fit.row = oy_alloc_array(n + 1, sizeof *fit.row);
    fit.next = oy_alloc_array(n + 1, sizeof *fit.next);
    fit.with_gap = oy_alloc_array(row_len + 1UL, sizeof *fit.with_gap);
    memset(fit.with_gap, 0xff, (row_len + 1UL) * sizeof *fit.with_gap);
    fit.gap = gap_set_new(row_len + 1UL);
    size_t *order = by_length(&fit);
    for (size_t i = 0; i < n; i++)
        put(&fit, order[i]);
    const struct pack_fit result = result_of(&fit);
    oy_free(order);
    oy_free(fit.row);
    oy_free(fit.next);
    oy_free(fit.with_gap);
    gap_set_release(&fit.gap);
    return result;
}

void pack_fit_release(struct pack_fit *fit)
{
    oy_free(fit->first);
    oy_free(fit->piece);
    *fit = (struct pack_fit){0};
}
