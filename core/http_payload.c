/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP answers as crawlers store them. */
#include "core/http_payload.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/error.h"
#include "core/input.h"

struct header {
    const char *content_type;
    int chunked;
    int compressed;
};

/* Cuts the next line off; NULL when no LF is left. */
static char *next_line(char **at, const char *end)
{
    char *line = *at;
    char *lf = memchr(line, '\n', (size_t)(end - line));

    if (!lf)
        return NULL;
    *at = lf + 1;
    *lf = '\0';
    if (lf > line && lf[-1] == '\r')
        lf[-1] = '\0';
    return line;
}

static void note_field(struct header *header, char *line)
{
    char *colon = strchr(line, ':');

    if (!colon)
        return;
    *colon = '\0';
    const char *value = colon + 1;
    while (*value == ' ' || *value == '\t')
        value++;
    if (strcasecmp(line, "Content-Type") == 0)
        header->content_type = value;
    else if (strcasecmp(line, "Transfer-Encoding") == 0)
        header->chunked = strcasestr(value, "chunked") != NULL;
    else if (strcasecmp(line, "Content-Encoding") == 0)
        header->compressed = strcasestr(value, "gzip") != NULL;
}

/* A chunk's size in hex, perhaps with an extension, and CR LF behind. */
static int chunk_size(const char **at, const char *end, size_t *size)
{
    const char *p = *at;

    *size = 0;
    while (p < end && isxdigit((unsigned char)*p)) {
        const int digit = isdigit((unsigned char)*p)
                              ? *p - '0'
                              : (tolower((unsigned char)*p) - 'a') + 10;
        if (*size >> 56)
            return -1;
        *size = *size << 4 | (size_t)digit;
        p++;
    }
    if (p == *at)
        return -1;
    const char *lf = memchr(p, '\n', (size_t)(end - p));
    if (!lf || (*p != ';' && *p != '\r' && *p != '\n' && *p != ' '))
        return -1;
    *at = lf + 1;
    return 0;
}

/* Joins chunks into `out`. A body that ends inside a chunk is kept as far as
 * it goes; -1 when it does not begin like a chunk. */
static int join_chunks(const char *at, const char *end, struct oy_buffer *out)
{
    size_t size;

    if (chunk_size(&at, end, &size))
        return -1;
    while (size) {
        const size_t left = (size_t)(end - at);
        const size_t n = size < left ? size : left;
        oy_buffer_append(out, at, n);
        at += n;
        while (at < end && (*at == '\r' || *at == '\n'))
            at++;
        if (at == end)
            break;
        if (chunk_size(&at, end, &size))
            return -1;
    }
    return 0;
}

/* -1 when it is broken or too large. */
static int unpack(const char *data, size_t len, size_t max,
                  struct oy_buffer *out)
{
    enum { STEP = 64 << 10 };
    struct oy_error err = {0};
    struct oy_input *input = oy_input_open_memory("body", data, len, &err);
    ssize_t n = STEP;

    while (input && n == STEP && out->len <= max) {
        char *at = oy_buffer_reserve(out, STEP);
        n = oy_input_read(input, at, STEP, &err);
        if (n > 0)
            out->len += (size_t)n;
    }
    oy_input_close(input);
    return err.code || out->len > max ? -1 : 0;
}

static void decode_body(const struct header *header, size_t max,
                        struct oy_buffer *scratch,
                        struct oy_http_payload *payload)
{
    oy_buffer_clear(scratch);
    if (header->chunked &&
        join_chunks(payload->body, payload->body + payload->len, scratch) ==
            0) {
        payload->body = scratch->data ? scratch->data : "";
        payload->len = scratch->len;
    }
    const int is_gzip = payload->len > 2 && payload->body[0] == '\x1f' &&
                        payload->body[1] == '\x8b';
    if (!header->compressed || !is_gzip)
        return;
    struct oy_buffer plain = {0};
    if (unpack(payload->body, payload->len, max, &plain) == 0) {
        oy_buffer_release(scratch);
        *scratch = plain;
        payload->body = scratch->data ? scratch->data : "";
        payload->len = scratch->len;
    } else {
        oy_buffer_release(&plain);
    }
}

int oy_http_payload_parse(char *data, size_t len, size_t max,
                          struct oy_buffer *scratch,
                          struct oy_http_payload *payload)
{
    struct header header = {.content_type = ""};
    char *at = data;
    const char *const end = data + len;

    if (len < 5 || memcmp(data, "HTTP/", 5) != 0)
        return -1;
    char *line = next_line(&at, end);
    if (!line)
        return -1;
    const char *status = strchr(line, ' ');
    payload->status = status ? atoi(status) : 0;
    line = next_line(&at, end);
    while (line && *line) {
        note_field(&header, line);
        line = next_line(&at, end);
    }
    payload->content_type = header.content_type;
    payload->body = at;
    payload->len = (size_t)(end - at);
    decode_body(&header, max, scratch, payload);
    return 0;
}
