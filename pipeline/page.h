/* SPDX-License-Identifier: Apache-2.0
 *
 * What oy-cat makes of a page or text that it was given as bytes: decoded,
 * and, when it is HTML, extracted, taken as it is, or left out.
 */
#ifndef PIPELINE_PAGE_H
#define PIPELINE_PAGE_H

#include <stddef.h>

#include "core/alloc.h"
#include "core/counter.h"

/* In the order of --html's choices. */
enum page_html { PAGE_MAIN, PAGE_FULL, PAGE_RAW, PAGE_DROP };

struct page_options {
    enum page_html html;
    const char *charset; /* an iconv() name for all of them; NULL: by each */
};

struct page_reader;

/* `options` and `counter` are borrowed; what is left out or unsure is counted
 * ("html_dropped", "unknown_charset"). */
struct page_reader *page_reader_new(const struct page_options *options,
                                    struct oy_counters *counter);
void page_reader_free(struct page_reader *reader);

struct page {
    const char *data;
    size_t len;
    const char *content_type; /* HTTP's, or "" */
    int is_html;
};

enum page_result { PAGE_OK, PAGE_DROPPED, PAGE_TOO_LONG };

/* *text is valid UTF-8, borrowed until the next page, and empty when the page
 * has none. */
enum page_result page_read(struct page_reader *reader, const struct page *page,
                           const char **text, size_t *len);

/* Whether a file that begins so is a page: "<!doctype html" or "<html" behind
 * white space, whatever the case. */
int page_is_html(const char *head, size_t len);
/* Whether HTTP's content type is that of a page. */
int page_is_html_type(const char *content_type);

#endif
