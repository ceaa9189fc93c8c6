/* SPDX-License-Identifier: Apache-2.0
 *
 * The text of a page of HTML, as resiliparse 0.14.5's extract_plain_text
 * gives it with its options at their defaults (formatting kept, texts of
 * images in, links and forms out), with and without main_content. Known
 * differences: elements deeper than HTML_DEPTH_MAX, and what resiliparse's
 * parser does otherwise than the HTML standard.
 */
#ifndef PIPELINE_HTML_TEXT_H
#define PIPELINE_HTML_TEXT_H

#include <stddef.h>

#include "core/alloc.h"

enum html_part {
    HTML_MAIN, /* what is taken for navigation, advertisement ... is left out */
    HTML_FULL,
};

/* Memory that is kept from page to page; for one thread. */
struct html_text;

struct html_text *html_text_new(void);
void html_text_free(struct html_text *text);

/* Appends the text of a page of valid UTF-8. -1, and nothing appended, for a
 * page of more than a GiB. */
int html_text_extract(struct html_text *text, const char *page, size_t len,
                      enum html_part part, struct oy_buffer *out);

#endif
