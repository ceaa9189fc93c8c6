/* SPDX-License-Identifier: Apache-2.0
 *
 * Server-sent events (WHATWG HTML, section 9.2), as far as streams of JSON use
 * them. */
#include "core/events.h"

#include <string.h>

typedef int (*event_function)(void *arg, const char *data, size_t len);

void oy_events_release(struct oy_events *events)
{
    oy_buffer_release(&events->line);
    oy_buffer_release(&events->data);
    *events = (struct oy_events){0};
}

static int end_event(struct oy_events *events, event_function event, void *arg)
{
    int status = 0;

    if (events->has_data)
        status = event(arg, oy_buffer_string(&events->data), events->data.len);
    oy_buffer_clear(&events->data);
    events->has_data = 0;
    return status;
}

static int end_line(struct oy_events *events, event_function event, void *arg)
{
    const char *line = oy_buffer_string(&events->line);
    size_t len = events->line.len;

    if (len && line[len - 1] == '\r')
        len--;
    if (!len)
        return end_event(events, event, arg);
    if (len < 5 || memcmp(line, "data:", 5) != 0)
        return 0;
    const size_t from = len > 5 && line[5] == ' ' ? 6 : 5;
    if (events->has_data)
        oy_buffer_append_char(&events->data, '\n');
    oy_buffer_append(&events->data, line + from, len - from);
    events->has_data = 1;
    return 0;
}

int oy_events_read(struct oy_events *events, const char *bytes, size_t len,
                   event_function event, void *arg)
{
    int status = 0;

    while (!status && len) {
        const char *end = memchr(bytes, '\n', len);
        const size_t n = end ? (size_t)(end - bytes) : len;
        oy_buffer_append(&events->line, bytes, n);
        if (!end)
            return 0;
        status = end_line(events, event, arg);
        oy_buffer_clear(&events->line);
        bytes += n + 1;
        len -= n + 1;
    }
    return status;
}
