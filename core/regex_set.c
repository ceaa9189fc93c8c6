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

void oy_regex_set_join(struct oy_regex_set *set,
                       const struct oy_regex_set *other)
{
    for (size_t i = 0; i < other->n; i++)
        oy_regex_set_add(set, other->run[i].first, other->run[i].last);
}

void oy_regex_set_invert(struct oy_regex_set *set)
{
    struct oy_regex_set inverse = {0};
    uint32_t from = 0;

    for (size_t i = 0; i < set->n; i++) {
        if (set->run[i].first > from)
            oy_regex_set_add(&inverse, from, set->run[i].first - 1);
        from = set->run[i].last + 1;
    }
    if (from <= OY_REGEX_LAST)
        oy_regex_set_add(&inverse, from, OY_REGEX_LAST);
    oy_free(set->run);
    *set = inverse;
}

void oy_regex_set_subtract(struct oy_regex_set *set,
                           const struct oy_regex_set *other)
{
    oy_regex_set_invert(set);
    oy_regex_set_join(set, other);
    oy_regex_set_invert(set);
}

void oy_regex_set_intersect(struct oy_regex_set *set,
                            const struct oy_regex_set *other)
{
    struct oy_regex_set outside = {0};

    oy_regex_set_join(&outside, other);
    oy_regex_set_invert(&outside);
    oy_regex_set_subtract(set, &outside);
    oy_regex_set_release(&outside);
}

int oy_regex_set_has(const struct oy_regex_set *set, uint32_t c)
{
    const size_t at = find_run(set, c);

    return at < set->n && set->run[at].first <= c;
}

int oy_regex_set_covers(const struct oy_regex_set *set,
                        const struct oy_regex_set *part)
{
    for (size_t i = 0; i < part->n; i++) {
        const size_t at = find_run(set, part->run[i].first);

        if (at == set->n || set->run[at].first > part->run[i].first ||
            set->run[at].last < part->run[i].last)
            return 0;
    }
    return 1;
}
