/* SPDX-License-Identifier: Apache-2.0
 *
 * Radix sort, least significant byte first. */
#include "core/sort.h"

#include <string.h>

enum { N_DIGIT = 8, N_VALUE = 256, SMALL = 64 };

static void insertion_sort(struct oy_pair *pair, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        const struct oy_pair moved = pair[i];
        size_t at = i;

        while (at > 0 && pair[at - 1].key > moved.key) {
            pair[at] = pair[at - 1];
            at--;
        }
        pair[at] = moved;
    }
}

/* Counts every digit of every key in one reading. */
static void count_digits(const struct oy_pair *pair, size_t n,
                         size_t count[N_DIGIT][N_VALUE])
{
    memset(count, 0, sizeof(size_t) * N_DIGIT * N_VALUE);
    for (size_t i = 0; i < n; i++) {
        for (int d = 0; d < N_DIGIT; d++)
            count[d][pair[i].key >> 8 * d & 255]++;
    }
}

/* Turns counts into first places; 0 when all keys share this digit. */
static int find_places(size_t *count, size_t n)
{
    size_t at = 0;

    for (int v = 0; v < N_VALUE; v++) {
        const size_t here = count[v];
        if (here == n)
            return 0;
        count[v] = at;
        at += here;
    }
    return 1;
}

static void move_by_digit(const struct oy_pair *from, struct oy_pair *to,
                          size_t n, int digit, size_t *place)
{
    for (size_t i = 0; i < n; i++)
        to[place[from[i].key >> 8 * digit & 255]++] = from[i];
}

void oy_sort_pairs(struct oy_pair *pair, struct oy_pair *scratch, size_t n)
{
    size_t count[N_DIGIT][N_VALUE];
    struct oy_pair *from = pair, *to = scratch;

    if (n <= SMALL) {
        insertion_sort(pair, n);
        return;
    }
    count_digits(pair, n, count);
    for (int d = 0; d < N_DIGIT; d++) {
        if (!find_places(count[d], n))
            continue;
        move_by_digit(from, to, n, d, count[d]);
        struct oy_pair *const swap = from;
        from = to;
        to = swap;
    }
    if (from != pair)
        memcpy(pair, from, n * sizeof *pair);
}
