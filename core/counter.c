/* SPDX-License-Identifier: Apache-2.0
 *
 * Named counts. */
#include "core/counter.h"

#include <string.h>

#include "core/alloc.h"

static struct oy_counter *find(const struct oy_counters *counters,
                               const char *name)
{
    for (int i = 0; i < counters->n_item; i++) {
        if (!strcmp(counters->item[i].name, name))
            return &counters->item[i];
    }
    return NULL;
}

static void make_room(struct oy_counters *counters)
{
    if (counters->n_item < counters->cap_item)
        return;
    counters->cap_item += counters->cap_item / 2 + 8;
    const size_t n = (size_t)counters->cap_item;
    counters->item =
        oy_realloc_array(counters->item, n, sizeof *counters->item);
}

void oy_counter_add(struct oy_counters *counters, const char *name,
                    uint64_t more)
{
    struct oy_counter *counter = find(counters, name);

    if (!counter) {
        make_room(counters);
        counter = &counters->item[counters->n_item++];
        *counter = (struct oy_counter){.name = oy_strdup(name)};
    }
    counter->count += more;
}

uint64_t oy_counter_get(const struct oy_counters *counters, const char *name)
{
    const struct oy_counter *counter = find(counters, name);

    return counter ? counter->count : 0;
}

void oy_counters_release(struct oy_counters *counters)
{
    for (int i = 0; i < counters->n_item; i++)
        oy_free(counters->item[i].name);
    oy_free(counters->item);
    *counters = (struct oy_counters){0};
}
