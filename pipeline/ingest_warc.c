/* SPDX-License-Identifier: Apache-2.0
 *
 * Web archives, document by document. */
#include "pipeline/ingest_warc.h"

#include <string.h>
#include <strings.h>

#include "core/http_payload.h"
#include "core/json.h"
#include "core/utf8.h"
#include "core/warc.h"
#include "pipeline/charset.h"

struct ingest_warc {
    struct oy_warc *reader;
    const char *file;
    size_t max_record;
    struct page_reader *pages;
    struct oy_counters *counter;
    uint64_t number;
    struct oy_buffer block;
    struct oy_buffer decoded;
    struct oy_buffer scratch;
};

struct ingest_warc *ingest_warc_new(struct oy_input *input, size_t max_record,
                                    struct page_reader *pages,
                                    struct oy_counters *counter)
{
    struct ingest_warc *warc = oy_calloc(1, sizeof *warc);

    warc->reader = oy_warc_new(input);
    warc->file = oy_input_name(input);
    warc->max_record = max_record;
    warc->pages = pages;
    warc->counter = counter;
    return warc;
}

void ingest_warc_free(struct ingest_warc *warc)
{
    if (!warc)
        return;
    oy_warc_free(warc->reader);
    oy_buffer_release(&warc->block);
    oy_buffer_release(&warc->decoded);
    oy_buffer_release(&warc->scratch);
    oy_free(warc);
}

void ingest_put_member(struct oy_buffer *out, const char *key, const char *text,
                       size_t len, struct oy_buffer *scratch)
{
    oy_json_put_string(out, key, strlen(key));
    oy_buffer_append_char(out, ':');
    if (!oy_utf8_valid(text, len)) {
        oy_buffer_clear(scratch);
        oy_utf8_repair(text, len, scratch);
        text = scratch->data;
        len = scratch->len;
    }
    oy_json_put_string(out, text, len);
}

/* Types of HTTP bodies that are text in our sense: prose, or its mark-up. */
static int is_text(const char *content_type)
{
    return strncasecmp(content_type, "text/", 5) == 0 ||
           strncasecmp(content_type, "application/xhtml+xml", 21) == 0;
}

static int is_wanted(const char *type)
{
    return strcmp(type, "response") == 0 || strcmp(type, "resource") == 0 ||
           strcmp(type, "conversion") == 0;
}

static int ignore(struct ingest_warc *warc, const char *why)
{
    oy_counter_add(warc->counter, why, 1);
    return 0;
}

/* The names of counts are ours, not the file's: a hostile one must not make
 * as many as it likes. */
static const char *count_of(const char *type)
{
    static const char *const known[][2] = {
        {"warcinfo", "warc_warcinfo"},         {"request", "warc_request"},
        {"metadata", "warc_metadata"},         {"revisit", "warc_revisit"},
        {"continuation", "warc_continuation"},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(type, known[i][0]) == 0)
            return known[i][1];
    }
    return "warc_other";
}

/* Whether bytes are of a picture or the like, whatever they are said to be:
 * they hold NULs, and not because each character has two bytes. */
static int is_binary(const struct page *page)
{
    const size_t head = page->len < 4096 ? page->len : 4096;

    return memchr(page->data, '\0', head) &&
           strncmp(
               charset_guess(page->data, page->len, page->content_type, 0).name,
               "UTF-16", 6) != 0;
}

/* The text or page of the block, if it has one: 1. */
static int find_page(struct ingest_warc *warc,
                     const struct oy_warc_record *record, struct page *page)
{
    struct oy_http_payload payload;

    *page = (struct page){
        .data = warc->block.data ? warc->block.data : "",
        .len = warc->block.len,
        .content_type = record->content_type,
    };
    if (strcmp(record->type, "response") == 0) {
        if (oy_http_payload_parse(warc->block.data, warc->block.len,
                                  warc->max_record, &warc->decoded, &payload))
            return ignore(warc, "warc_not_http");
        page->data = payload.body;
        page->len = payload.len;
        page->content_type = payload.content_type;
    }
    if (page->len == 0)
        return ignore(warc, "warc_empty");
    if ((*page->content_type && !is_text(page->content_type)) ||
        is_binary(page))
        return ignore(warc, "warc_not_text");
    page->is_html = *page->content_type ? page_is_html_type(page->content_type)
                                        : page_is_html(page->data, page->len);
    return 1;
}

static void put_document(struct ingest_warc *warc,
                         const struct oy_warc_record *record, const char *text,
                         size_t len, struct oy_buffer *out)
{
    oy_buffer_append_char(out, '{');
    if (record->id[0]) {
        ingest_put_member(out, "id", record->id, strlen(record->id),
                          &warc->scratch);
    } else {
        char *id = oy_asprintf("%s:%llu", warc->file,
                               (unsigned long long)warc->number);
        ingest_put_member(out, "id", id, strlen(id), &warc->scratch);
        oy_free(id);
    }
    oy_buffer_append_char(out, ',');
    ingest_put_member(out, "url", record->uri, strlen(record->uri),
                      &warc->scratch);
    oy_buffer_append_char(out, ',');
    ingest_put_member(out, "date", record->date, strlen(record->date),
                      &warc->scratch);
    oy_buffer_append_char(out, ',');
    ingest_put_member(out, "text", text, len, &warc->scratch);
    oy_buffer_append_char(out, '}');
}

int ingest_warc_next(struct ingest_warc *warc, struct oy_buffer *out,
                     uint64_t *number, struct oy_error *err)
{
    struct oy_warc_record record;
    struct page page;
    const char *text;
    size_t len;
    int rc;

    while ((rc = oy_warc_next(warc->reader, &record, err)) > 0) {
        *number = ++warc->number;
        if (!is_wanted(record.type)) {
            ignore(warc, count_of(record.type));
            continue;
        }
        oy_buffer_clear(&warc->block);
        rc = oy_warc_read(warc->reader, warc->max_record, &warc->block, err);
        if (rc < 0)
            return -1;
        if (rc == 0)
            return INGEST_WARC_TOO_LONG;
        if (!find_page(warc, &record, &page))
            continue;
        const enum page_result result =
            page_read(warc->pages, &page, &text, &len);
        if (result == PAGE_TOO_LONG)
            return INGEST_WARC_TOO_LONG;
        if (result == PAGE_DROPPED)
            continue;
        put_document(warc, &record, text, len, out);
        return INGEST_WARC_DOCUMENT;
    }
    return rc < 0 ? -1 : INGEST_WARC_END;
}
