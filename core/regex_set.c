/* SPDX-License-Identifier: Apache-2.0
 *
 * Sets of code points as sorted runs.
 */
#include <string.h>

#include "core/regex_internal.h"

void oy_regex_set_release(struct oy_regex_set *set)
{
    oy_free(set->run);
    *set = (struct oy_regex_set){0};
}

void oy_regex_set_clear(struct oy_regex_set *set)
{
    set->n = 0;
}

/* Behind all others. */
static void push_run(struct oy_regex_set *set, uint32_t first, uint32_t last)
{
    OY_GROW(set->run, set->cap, set->n + 1);
    set->run[set->n++] = (struct oy_regex_run){first, last};
}

/* The first run that ends at c or behind it. */
static size_t find_run(const struct oy_regex_set *set, uint32_t c)
{
    size_t from = 0, to = set->n;

    while (from < to) {
        const size_t middle = from + (to - from) / 2;

        if (set->run[middle].last < c)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

void oy_regex_set_add(struct oy_regex_set *set, uint32_t first, uint32_t last)
{
    /* Runs that touch the new one become part of it. */
    const size_t from = find_run(set, first ? first - 1 : 0);
    size_t to = from;

    while (to < set->n && set->run[to].first <= last + 1) {
        first = set->run[to].first < first ? set->run[to].first : first;
        last = set->run[to].last > last ? set->run[to].last : last;
        to++;
    }
    OY_GROW(set->run, set->cap, set->n + 1);
    memmove(set->run + from + 1, set->run + to,
            (set->n - to) * sizeof *set->run);
    set->n = set->n - (to - from) + 1;
    set->run[from] = (struct oy_regex_run){first, last};
}

/* Where a set begins or ends next, and whether it does there. */
struct border {
    const struct oy_regex_set *set;
    size_t at;
    int is_inside;
};

static uint32_t next_border(const struct border *border)
{
    if (border->at == border->set->n)
        return OY_REGEX_LAST + 1;
    return border->is_inside ? border->set->run[border->at].last + 1
                             : border->set->run[border->at].first;
}

static void pass_border(struct border *border, uint32_t c)
{
    if (next_border(border) != c)
        return;
    border->at += border->is_inside;
    border->is_inside = !border->is_inside;
}

/* What becomes of the members of: only the set, only the other, both. */
enum { OF_SET = 1 << 1, OF_OTHER = 1 << 2, OF_BOTH = 1 << 3 };

static void combine(struct oy_regex_set *set, const struct oy_regex_set *other,
                    unsigned stays)
{
    struct border a = {.set = set}, b = {.set = other};
    struct oy_regex_set result = {0};
    uint32_t first = 0;
    int was_inside = 0;

    for (;;) {
        const uint32_t next_a = next_border(&a), next_b = next_border(&b);
        const uint32_t c = next_a < next_b ? next_a : next_b;

        if (c > OY_REGEX_LAST)
            break;
        pass_border(&a, c);
        pass_border(&b, c);
        const int is_inside = stays >> (a.is_inside | b.is_inside << 1) & 1;
        if (is_inside && !was_inside)
            first = c;
        if (!is_inside && was_inside)
            push_run(&result, first, c - 1);
        was_inside = is_inside;
    }
    if (was_inside)
        push_run(&result, first, OY_REGEX_LAST);
    oy_free(set->run);
    *set = result;
}

void oy_regex_set_join(struct oy_regex_set *set,
                       const struct oy_regex_set *other)
{
    combine(set, other, OF_SET | OF_OTHER | OF_BOTH);
}

void oy_regex_set_subtract(struct oy_regex_set *set,
                           const struct oy_regex_set *other)
{
    combine(set, other, OF_SET);
}

void oy_regex_set_intersect(struct oy_regex_set *set,
                            const struct oy_regex_set *other)
{
    combine(set, other, OF_BOTH);
}

void oy_regex_set_invert(struct oy_regex_set *set)
{
    struct oy_regex_run whole = {0, OY_REGEX_LAST};
    const struct oy_regex_set all = {.run = &whole, .n = 1};

    combine(set, &all, OF_OTHER);
}
