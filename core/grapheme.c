/* SPDX-License-Identifier: Apache-2.0
 *
 * Grapheme clusters. */
#include "core/grapheme.h"

#include "core/utf8.h"

/* What the rules need to know of the cluster so far. */
struct cluster {
    enum oy_grapheme_break last;
    int n_regional; /* regional indicators that it ends with */
    int emoji;      /* 1: a pictogram and Extend, 2: one ZWJ too: GB11 */
    int conjunct;   /* 1: a consonant and Extend, 2: a linker too: GB9c */
};

static int is_extend(enum oy_grapheme_break b)
{
    return b == OY_GB_EXTEND || b == OY_GB_LINKER || b == OY_GB_ZWNJ;
}

static int is_control(enum oy_grapheme_break b)
{
    return b == OY_GB_CONTROL || b == OY_GB_CR || b == OY_GB_LF;
}

/* GB6, GB7, GB8. */
static int joins_hangul(enum oy_grapheme_break last,
                        enum oy_grapheme_break next)
{
    switch (last) {
    case OY_GB_L:
        return next == OY_GB_L || next == OY_GB_V || next == OY_GB_LV ||
               next == OY_GB_LVT;
    case OY_GB_LV:
    case OY_GB_V: return next == OY_GB_V || next == OY_GB_T;
    case OY_GB_LVT:
    case OY_GB_T: return next == OY_GB_T;
    default: return 0;
    }
}

static int joins(const struct cluster *cluster, enum oy_grapheme_break next)
{
    if (is_control(cluster->last) || is_control(next))
        return cluster->last == OY_GB_CR && next == OY_GB_LF;
    if (is_extend(next) || next == OY_GB_ZWJ || next == OY_GB_SPACING_MARK ||
        cluster->last == OY_GB_PREPEND)
        return 1;
    if (next == OY_GB_CONSONANT)
        return cluster->conjunct == 2;
    if (next == OY_GB_PICTOGRAPHIC)
        return cluster->emoji == 2;
    if (next == OY_GB_REGIONAL)
        return cluster->n_regional & 1;
    return joins_hangul(cluster->last, next);
}

static void add(struct cluster *cluster, enum oy_grapheme_break next)
{
    cluster->last = next;
    cluster->n_regional = next == OY_GB_REGIONAL ? cluster->n_regional + 1 : 0;
    if (next == OY_GB_PICTOGRAPHIC)
        cluster->emoji = 1;
    else if (next == OY_GB_ZWJ && cluster->emoji == 1)
        cluster->emoji = 2;
    else if (!is_extend(next) || cluster->emoji == 2)
        cluster->emoji = 0;
    if (next == OY_GB_CONSONANT)
        cluster->conjunct = 1;
    else if (next == OY_GB_LINKER && cluster->conjunct)
        cluster->conjunct = 2;
    else if (next != OY_GB_EXTEND && next != OY_GB_ZWJ)
        cluster->conjunct = 0;
}

size_t oy_grapheme_end(const char *text, size_t len, size_t at)
{
    struct cluster cluster = {0};

    add(&cluster, oy_grapheme_break(oy_utf8_next(text, &at)));
    while (at < len) {
        size_t next = at;
        const enum oy_grapheme_break b =
            oy_grapheme_break(oy_utf8_next(text, &next));
        if (!joins(&cluster, b))
            break;
        add(&cluster, b);
        at = next;
    }
    return at;
}
