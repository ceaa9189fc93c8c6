/* SPDX-License-Identifier: Apache-2.0
 *
 * Server-sent events: the streams in which servers answer bit by bit.
 */
#ifndef CORE_EVENTS_H
#define CORE_EVENTS_H

#include <stddef.h>

#include "core/alloc.h"

/* The lines of a stream of events, cut anywhere. Zero-initialised is empty. */
struct oy_events {
    struct oy_buffer line; /* begun */
    struct oy_buffer data; /* of the event that is being read */
    int has_data;
};

void oy_events_release(struct oy_events *events);
/* Reads more bytes and calls event(arg, data, len) for each event that ended;
 * the lines of `data:` are joined with LF, other fields are passed over. Stops
 * when it gives other than 0, and returns that. */
int oy_events_read(struct oy_events *events, const char *bytes, size_t len,
                   int (*event)(void *arg, const char *data, size_t len),
                   void *arg);

#endif
