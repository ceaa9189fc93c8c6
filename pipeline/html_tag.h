/* SPDX-License-Identifier: Apache-2.0
 *
 * The elements of HTML that parsing or extraction treats in its own way, by
 * number, and what is particular about each.
 */
#ifndef PIPELINE_HTML_TAG_H
#define PIPELINE_HTML_TAG_H

#include <stddef.h>
#include <stdint.h>

/* Every other name is HTML_TAG_UNKNOWN. In the order of names. */
enum html_tag {
    HTML_TAG_UNKNOWN,
#define HTML_TAG(id, name, traits) HTML_TAG_##id,
#include "pipeline/html_tag_list.h"
#undef HTML_TAG
    HTML_TAG_COUNT
};

/* Traits; the first ones are sets of the HTML standard's section 13.2. */
enum {
    HTML_SPECIAL = 1 << 0,     /* 13.2.4.2 */
    HTML_FORMATTING = 1 << 1,  /* 13.2.4.3 */
    HTML_SCOPE = 1 << 2,       /* ends every scope */
    HTML_IMPLIED_END = 1 << 3, /* 13.2.6.3 */
    HTML_VOID = 1 << 4,        /* never has children */
    HTML_CLOSES_P = 1 << 5,    /* opens a plain block: ends an open p */
    HTML_END_BLOCK = 1 << 6,   /* its end tag ends what is open inside */
    HTML_HEADING = 1 << 7,     /* h1 to h6 */
    HTML_HEAD_TAG = 1 << 8,    /* is parsed as in the head, wherever it is */
    HTML_BREAKS_OUT = 1 << 9,  /* ends foreign content (13.2.6.5) */
    HTML_TABLE_PART = 1 << 10, /* caption to tr: ignored out of tables */
    HTML_FOSTERS = 1 << 11,    /* table tbody tfoot thead tr */
    /* The rest are those of the extraction. */
    HTML_BLOCK = 1 << 12, /* begins and ends a line */
    HTML_BIG = 1 << 13,   /* wants an empty line round it: p h1-h4 */
    HTML_CLOSED = 1 << 14 /* is never entered, in either mode */
};

extern const uint32_t html_tag_traits[HTML_TAG_COUNT];

/* The tag of a name, letters of either case. */
enum html_tag html_tag_find(const char *name, size_t len);

static inline int html_tag_has(enum html_tag tag, uint32_t traits)
{
    return (html_tag_traits[tag] & traits) != 0;
}

#endif
