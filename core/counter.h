/* SPDX-License-Identifier: Apache-2.0
 *
 * Named integer counts in the order of their first use: what a run tells in
 * its closing table, in --stats and in its manifest.
 */
#ifndef CORE_COUNTER_H
#define CORE_COUNTER_H

#include <stdint.h>

struct oy_counters {
    struct oy_counter {
        char *name;
        uint64_t count;
    } * item;
    int n_item;
    int cap_item;
};

/* Adds to the count of that name ("gopher_short_doc"), making it at need. The
 * name is copied. Not for two threads at once. */
void oy_counter_add(struct oy_counters *counters, const char *name,
                    uint64_t more);
/* 0 when it is not there. */
uint64_t oy_counter_get(const struct oy_counters *counters, const char *name);
void oy_counters_release(struct oy_counters *counters);

#endif
