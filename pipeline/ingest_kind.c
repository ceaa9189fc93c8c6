/* SPDX-License-Identifier: Apache-2.0
 *
 * Guessing of formats. */
#include "pipeline/ingest_kind.h"

#include <string.h>
#include <strings.h>

#include "core/warc.h"
#include "pipeline/page.h"

static int ends_in(const char *name, size_t len, const char *suffix)
{
    const size_t n = strlen(suffix);

    return len > n && strncasecmp(name + len - n, suffix, n) == 0;
}

static size_t without_codec(const char *name)
{
    static const char *const codec[] = {".zst", ".gz", ".xz", ".bz2"};
    const size_t len = strlen(name);

    for (size_t i = 0; i < sizeof codec / sizeof *codec; i++) {
        if (ends_in(name, len, codec[i]))
            return len - strlen(codec[i]);
    }
    return len;
}

static enum ingest_kind kind_of_name(const char *name)
{
    static const struct {
        const char *suffix;
        enum ingest_kind kind;
    } known[] = {
        {".jsonl", INGEST_JSONL}, {".ndjson", INGEST_JSONL},
        {".txt", INGEST_TEXT},    {".text", INGEST_TEXT},
        {".md", INGEST_TEXT},     {".html", INGEST_HTML},
        {".htm", INGEST_HTML},    {".xhtml", INGEST_HTML},
    };
    const size_t len = without_codec(name);

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (ends_in(name, len, known[i].suffix))
            return known[i].kind;
    }
    return INGEST_AUTO;
}

static size_t skip(const unsigned char *head, size_t len, size_t i,
                   const char *what)
{
    while (i < len && head[i] && strchr(what, head[i]))
        i++;
    return i;
}

/* A brace and, on the same line, a key: neither a block of some programming
 * language nor JSON that is laid out over lines. */
static int begins_with_object(const unsigned char *head, size_t len)
{
    size_t i = skip(head, len, 0, " \t\r\n");

    if (i == len || head[i] != '{')
        return 0;
    i = skip(head, len, i + 1, " \t");
    return i == len || head[i] == '"' || head[i] == '}';
}

static int has_utf16_mark(const unsigned char *head, size_t len)
{
    return len > 1 && ((head[0] == 0xff && head[1] == 0xfe) ||
                       (head[0] == 0xfe && head[1] == 0xff));
}

enum ingest_kind ingest_kind_of(const char *name, const unsigned char *head,
                                size_t len)
{
    if (oy_warc_is(head, len))
        return INGEST_WARC;
    const enum ingest_kind kind = kind_of_name(name);
    if (kind == INGEST_JSONL)
        return kind;
    if (memchr(head, '\0', len) &&
        !(kind == INGEST_HTML && has_utf16_mark(head, len)))
        return INGEST_AUTO;
    if (kind == INGEST_AUTO && page_is_html((const char *)head, len))
        return INGEST_HTML;
    if (kind != INGEST_AUTO)
        return kind;
    return begins_with_object(head, len) ? INGEST_JSONL : INGEST_TEXT;
}
