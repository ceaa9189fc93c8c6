/* SPDX-License-Identifier: Apache-2.0
 *
 * The body of a stored HTTP answer: headers taken off, chunks joined,
 * compression undone.
 */
#ifndef CORE_HTTP_PAYLOAD_H
#define CORE_HTTP_PAYLOAD_H

#include <stddef.h>

#include "core/alloc.h"

struct oy_http_payload {
    int status;               /* 200 ...; 0 when it says none */
    const char *content_type; /* "text/html; charset=utf-8", "" if absent */
    const char *body;
    size_t len;
};

/* Takes the answer data[0..len) apart; `data` is changed (header lines are
 * ended by NUL), and what is found is borrowed from it or from `scratch`. A
 * body that is not chunked although the header says so (crawlers store
 * joined ones) stands as it is, and so does one whose compression is unknown
 * or broken or unpacks to more than `max` bytes. -1 when it is no HTTP answer
 * at all. */
int oy_http_payload_parse(char *data, size_t len, size_t max,
                          struct oy_buffer *scratch,
                          struct oy_http_payload *payload);

#endif
