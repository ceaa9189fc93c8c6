/* SPDX-License-Identifier: Apache-2.0
 *
 * The reader of WARC and ARC files. */
#include "core/warc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    WINDOW_SIZE = 256 << 10,
    MAX_HEADER =
        1 << 20, /* of one record; real ones have a few hundred bytes */
};

struct oy_warc {
    struct oy_input *input;
    struct oy_buffer header; /* lines of the header, ended by NUL */
    struct oy_buffer date;   /* of an ARC record, rewritten */
    uint64_t left;           /* bytes of the block not yet read */
    int in_record;           /* a block was announced: blank lines follow it */
    uint64_t offset;         /* of window[at] */
    size_t at, len;
    char window[WINDOW_SIZE];
};

int oy_warc_is(const unsigned char *head, size_t len)
{
    return (len >= 5 && memcmp(head, "WARC/", 5) == 0) ||
           (len >= 11 && memcmp(head, "filedesc://", 11) == 0);
}

struct oy_warc *oy_warc_new(struct oy_input *input)
{
    struct oy_warc *warc = oy_calloc(1, sizeof *warc);

    warc->input = input;
    return warc;
}

void oy_warc_free(struct oy_warc *warc)
{
    if (!warc)
        return;
    oy_buffer_release(&warc->header);
    oy_buffer_release(&warc->date);
    oy_free(warc);
}

static int fail(const struct oy_warc *warc, uint64_t offset, const char *what,
                struct oy_error *err)
{
    return oy_fail(err, OY_DATA, "%s: at byte %llu: %s",
                   oy_input_name(warc->input), (unsigned long long)offset,
                   what);
}

/* ---- bytes ---- */

/* Refills an empty window: 1, 0 at the end, -1. */
static int refill(struct oy_warc *warc, struct oy_error *err)
{
    const ssize_t n =
        oy_input_read(warc->input, warc->window, WINDOW_SIZE, err);

    if (n < 0)
        return -1;
    warc->at = 0;
    warc->len = (size_t)n;
    return n > 0;
}

/* The next byte without taking it, or -1 at the end, -2 after a failure. */
static int peek_byte(struct oy_warc *warc, struct oy_error *err)
{
    if (warc->at == warc->len) {
        const int rc = refill(warc, err);
        if (rc <= 0)
            return rc - 1;
    }
    return (unsigned char)warc->window[warc->at];
}

/* Takes up to `len` bytes of the window. */
static size_t take(struct oy_warc *warc, uint64_t len, struct oy_buffer *out)
{
    const size_t ready = warc->len - warc->at;
    const size_t n = len < ready ? (size_t)len : ready;

    if (out)
        oy_buffer_append(out, warc->window + warc->at, n);
    warc->at += n;
    warc->offset += n;
    return n;
}

/* Takes a line with its LF, appending it without LF and CR, and a NUL behind:
 * 1, 0 at the end, -1. */
static int take_line(struct oy_warc *warc, struct oy_buffer *out,
                     struct oy_error *err)
{
    const uint64_t start = warc->offset;
    const size_t len_before = out->len;

    for (;;) {
        const int c = peek_byte(warc, err);
        if (c == -2)
            return -1;
        if (c == -1 && warc->offset == start)
            return 0;
        if (c == -1)
            return fail(warc, start, "truncated header", err);
        const char *from = warc->window + warc->at;
        const char *lf = memchr(from, '\n', warc->len - warc->at);
        take(warc, lf ? (uint64_t)(lf + 1 - from) : WINDOW_SIZE, out);
        if (out->len > MAX_HEADER)
            return fail(warc, start, "header longer than 1M", err);
        if (lf)
            break;
    }
    out->len--;
    if (out->len > len_before && out->data[out->len - 1] == '\r')
        out->len--;
    oy_buffer_append_char(out, '\0');
    return 1;
}

static int take_block(struct oy_warc *warc, struct oy_buffer *out,
                      struct oy_error *err)
{
    while (warc->left) {
        const int c = peek_byte(warc, err);
        if (c == -2)
            return -1;
        if (c == -1)
            return fail(warc, warc->offset, "truncated record", err);
        warc->left -= take(warc, warc->left, out);
    }
    return 0;
}

/* Blank lines stand between records: two, or what a writer thought fit. */
static int skip_blank(struct oy_warc *warc, struct oy_error *err)
{
    int c = peek_byte(warc, err);

    while (c == '\r' || c == '\n') {
        take(warc, 1, NULL);
        c = peek_byte(warc, err);
    }
    return c;
}

/* ---- headers ---- */

/* Decimal digits only: no sign, no blank, no overflow. */
static int parse_length(const char *text, uint64_t *length)
{
    uint64_t value = 0;

    if (!*text)
        return -1;
    for (; *text; text++) {
        if (!isdigit((unsigned char)*text) ||
            __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
            return -1;
    }
    *length = value;
    return 0;
}

static char *trim(char *text)
{
    char *end = text + strlen(text);

    while (*text == ' ' || *text == '\t')
        text++;
    while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
        *--end = '\0';
    return text;
}

static char *unwrap(char *uri)
{
    const size_t len = strlen(uri);

    if (len < 2 || uri[0] != '<' || uri[len - 1] != '>')
        return uri;
    uri[len - 1] = '\0';
    return uri + 1;
}

static void lower(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

/* One "Name: value"; *has_length when it was the length. */
static int note_field(struct oy_warc *warc, struct oy_warc_record *record,
                      char *line, int *has_length, struct oy_error *err)
{
    char *colon = strchr(line, ':');

    if (!colon)
        return 0; /* as other readers do: a line that says nothing */
    *colon = '\0';
    char *value = trim(colon + 1);
    const char *name = trim(line);
    if (strcasecmp(name, "Content-Length") == 0) {
        *has_length = 1;
        if (parse_length(value, &record->length))
            return fail(warc, record->offset, "bad Content-Length", err);
    } else if (strcasecmp(name, "WARC-Type") == 0) {
        lower(value);
        record->type = value;
    } else if (strcasecmp(name, "WARC-Record-ID") == 0) {
        record->id = value;
    } else if (strcasecmp(name, "WARC-Target-URI") == 0) {
        record->uri = unwrap(value);
    } else if (strcasecmp(name, "WARC-Date") == 0) {
        record->date = value;
    } else if (strcasecmp(name, "Content-Type") == 0) {
        record->content_type = value;
    }
    return 0;
}

/* The lines behind the version, up to the blank one. A line that begins with
 * a blank continues the one before. */
static int take_fields(struct oy_warc *warc, uint64_t offset,
                       struct oy_error *err)
{
    struct oy_buffer *header = &warc->header;

    for (;;) {
        const size_t start = header->len;
        const int rc = take_line(warc, header, err);
        if (rc < 0)
            return -1;
        if (rc == 0)
            return fail(warc, offset, "truncated header", err);
        if (header->data[start] == '\0')
            return 0;
        const int folded =
            header->data[start] == ' ' || header->data[start] == '\t';
        if (folded && start)
            header->data[start - 1] = ' ';
    }
}

static int parse_fields(struct oy_warc *warc, struct oy_warc_record *record,
                        struct oy_error *err)
{
    int has_length = 0;

    warc->header.len = 0;
    if (take_fields(warc, record->offset, err))
        return -1;
    char *line = warc->header.data;
    while (*line) {
        char *next = line + strlen(line) + 1;
        if (note_field(warc, record, line, &has_length, err))
            return -1;
        line = next;
    }
    if (!has_length)
        return fail(warc, record->offset, "record without Content-Length", err);
    return 0;
}

/* ---- ARC ---- */

/* Cuts the last word off a line of words; NULL when there is none. */
static char *last_word(char *line)
{
    char *space = strrchr(line, ' ');

    if (!space)
        return NULL;
    *space = '\0';
    return space + 1;
}

/* 20240221050000 as 2024-02-21T05:00:00Z. */
static const char *arc_date(struct oy_warc *warc, const char *digits)
{
    oy_buffer_clear(&warc->date);
    if (strlen(digits) != 14)
        return "";
    oy_buffer_append_format(&warc->date, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ",
                            digits, digits + 4, digits + 6, digits + 8,
                            digits + 10, digits + 12);
    return oy_buffer_string(&warc->date);
}

/* URL IP-address date type length; only the URL may hold blanks. */
static int parse_arc(struct oy_warc *warc, struct oy_warc_record *record,
                     struct oy_error *err)
{
    char *line = warc->header.data;
    char *length = last_word(line);
    char *type = length ? last_word(line) : NULL;
    char *date = type ? last_word(line) : NULL;
    const char *address = date ? last_word(line) : NULL;

    if (!address || parse_length(length, &record->length))
        return fail(warc, record->offset, "not a record of a web archive", err);
    record->uri = line;
    record->date = arc_date(warc, date);
    record->content_type = "application/http";
    record->type =
        strncmp(line, "filedesc://", 11) == 0 ? "warcinfo" : "response";
    return 0;
}

/* ---- records ---- */

static int finish_record(struct oy_warc *warc, struct oy_error *err)
{
    if (warc->in_record && take_block(warc, NULL, err))
        return -2;
    warc->in_record = 0;
    return skip_blank(warc, err);
}

int oy_warc_next(struct oy_warc *warc, struct oy_warc_record *record,
                 struct oy_error *err)
{
    const int c = finish_record(warc, err);

    if (c < 0)
        return c + 1;
    *record = (struct oy_warc_record){"", "", "", "", "", 0, warc->offset};
    warc->header.len = 0;
    if (take_line(warc, &warc->header, err) < 0)
        return -1;
    const int is_warc = strncmp(warc->header.data, "WARC/", 5) == 0;
    if (is_warc ? parse_fields(warc, record, err)
                : parse_arc(warc, record, err))
        return -1;
    warc->left = record->length;
    warc->in_record = 1;
    return 1;
}

int oy_warc_read(struct oy_warc *warc, size_t max, struct oy_buffer *out,
                 struct oy_error *err)
{
    if (warc->left > max)
        return 0;
    return take_block(warc, out, err) ? -1 : 1;
}
