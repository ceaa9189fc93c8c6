/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages as bytes, into texts. */
#include "pipeline/page.h"

#include <string.h>
#include <strings.h>

#include "core/utf8.h"
#include "pipeline/charset.h"
#include "pipeline/html_text.h"
#include "pipeline/html_tree.h"

struct page_reader {
    const struct page_options *options;
    struct oy_counters *counter;
    struct html_text *html; /* made with the first page that needs it */
    struct oy_buffer decoded;
    struct oy_buffer text;
};

struct page_reader *page_reader_new(const struct page_options *options,
                                    struct oy_counters *counter)
{
    struct page_reader *reader = oy_calloc(1, sizeof *reader);

    reader->options = options;
    reader->counter = counter;
    return reader;
}

void page_reader_free(struct page_reader *reader)
{
    if (!reader)
        return;
    html_text_free(reader->html);
    oy_buffer_release(&reader->decoded);
    oy_buffer_release(&reader->text);
    oy_free(reader);
}

static struct charset_guess encoding_of(struct page_reader *reader,
                                        const struct page *page)
{
    struct charset_guess guess = {.name = reader->options->charset};

    if (guess.name)
        return guess;
    guess =
        charset_guess(page->data, page->len, page->content_type, page->is_html);
    if (guess.unknown)
        oy_counter_add(reader->counter, "unknown_charset", 1);
    return guess;
}

/* The text itself, when it is good UTF-8 already. */
static void decode(struct page_reader *reader, const struct page *page,
                   const char **text, size_t *len)
{
    const struct charset_guess guess = encoding_of(reader, page);

    *text = page->data + guess.mark;
    *len = page->len - guess.mark;
    if (strcmp(guess.name, "UTF-8") == 0 && oy_utf8_valid(*text, *len))
        return;
    oy_buffer_clear(&reader->decoded);
    charset_convert(guess.name, *text, *len, &reader->decoded);
    *text = reader->decoded.data;
    *len = reader->decoded.len;
}

enum page_result page_read(struct page_reader *reader, const struct page *page,
                           const char **text, size_t *len)
{
    const enum page_html html = reader->options->html;

    if (page->is_html && html == PAGE_DROP) {
        oy_counter_add(reader->counter, "html_dropped", 1);
        return PAGE_DROPPED;
    }
    decode(reader, page, text, len);
    if (!page->is_html || html == PAGE_RAW)
        return PAGE_OK;
    if (!reader->html)
        reader->html = html_text_new();
    oy_buffer_clear(&reader->text);
    if (html_text_extract(reader->html, *text, *len,
                          html == PAGE_MAIN ? HTML_MAIN : HTML_FULL,
                          &reader->text))
        return PAGE_TOO_LONG;
    *text = oy_buffer_string(&reader->text);
    *len = reader->text.len;
    return PAGE_OK;
}

int page_is_html(const char *head, size_t len)
{
    while (len && html_is_space(*head)) {
        head++;
        len--;
    }
    return (len > 14 && strncasecmp(head, "<!doctype html", 14) == 0) ||
           (len > 5 && strncasecmp(head, "<html", 5) == 0 &&
            (html_is_space(head[5]) || head[5] == '>'));
}

int page_is_html_type(const char *content_type)
{
    return strncasecmp(content_type, "text/html", 9) == 0 ||
           strncasecmp(content_type, "application/xhtml+xml", 21) == 0;
}
