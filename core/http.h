/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking a server: a POST of JSON whose answer is handed on as it comes.
 *
 * The only file that knows libcurl. Proxies and certificates are those of the
 * environment; nothing is followed to another host.
 */
#ifndef CORE_HTTP_H
#define CORE_HTTP_H

#include <stddef.h>

#include "core/error.h"

struct oy_http_request {
    const char *url;
    const char *token; /* "Authorization: Bearer ..."; NULL: none */
    const char *body;
    size_t len;
    /* A piece of the answer; other than 0 ends it there, as a success. Also
     * called with len 0 about once a second, and when a signal came. */
    int (*receive)(void *arg, const char *data, size_t len);
    void *arg;
};

/* 0 when the answer (status 2xx) was received or ended by its receiver; -1 with
 * err: 69, with the server's own words where it gave some. */
int oy_http_post(const struct oy_http_request *request, struct oy_error *err);

#endif
