/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of the extraction: what belongs to the main content
 * (html_content.c), names of classes (html_class.c), writing (html_write.c). */
#ifndef PIPELINE_HTML_TEXT_INTERNAL_H
#define PIPELINE_HTML_TEXT_INTERNAL_H

#include "core/regex.h"
#include "pipeline/html_text.h"
#include "pipeline/html_tree.h"

/* ---- html_class.c ---- */

/* What class and id of an element say. */
enum {
    HTML_SAYS_HIDDEN = 1 << 0,   /* by its class */
    HTML_SAYS_SKIP = 1 << 1,     /* "skip to", "next", pagination */
    HTML_SAYS_PERSONAL = 1 << 2, /* sign in, by-lines, sharing */
    HTML_SAYS_ADVERT = 1 << 3,   /* advertisements, logos */
    HTML_SAYS_ARTICLE = 1 << 4,
    HTML_SAYS_LANDMARK = 1 << 5, /* header or footer of the page, by its id */
    HTML_SAYS_CHROME = 1 << 6,   /* navigation, footers, sidebars, search */
};

struct html_classes;

struct html_classes *html_classes_new(void);
void html_classes_free(struct html_classes *classes);
/* The set of what class and id say. */
int html_classes_judge(struct html_classes *classes, const char *class,
                       size_t class_len, const char *id, size_t id_len);
/* Whether a style makes its element invisible. */
int html_classes_hides(struct html_classes *classes, const char *style,
                       size_t len);

/* ---- html_content.c ---- */

/* Bytes of text below a node, runs of white space counted as one. */
struct html_weight {
    uint32_t len;
    uint32_t links; /* of these, inside of `a` */
    uint8_t starts_in_space, ends_in_space;
};

struct html_content {
    struct html_classes *classes;
    struct html_weight *weight; /* [n_node] of the tree */
    size_t cap_weight;
    struct oy_buffer scratch;
};

/* Weighs what is below the body, once a page. */
void html_content_weigh(struct html_content *content,
                        const struct html_tree *tree);
/* Where the main content begins. */
uint32_t html_content_root(const struct html_tree *tree);
/* Whether an element, `depth` below the body, is main content. */
int html_content_holds(struct html_content *content,
                       const struct html_tree *tree, uint32_t node, int depth);
/* Whether a text is more than a lone character of an icon font. */
int html_content_holds_text(const char *text, size_t len);

/* isspace() of the C locale. */
static inline int html_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* ---- html_write.c ---- */

/* A run of text between begins and ends of blocks. */
struct html_record {
    uint16_t tag; /* of the node that opened it; 0: a text */
    uint8_t is_end;
    uint8_t is_pre;
    uint8_t keeps_lf; /* br and hr: a line even when it is empty */
    uint32_t at, len; /* its text */
};

/* Appends the lines. Lists that never end indent what follows ever more; all
 * indents together are at most a MiB and 16 times the text. */
void html_write_records(const struct html_record *record, size_t n,
                        const char *text, struct oy_buffer *out);

#endif
