/* SPDX-License-Identifier: Apache-2.0
 *
 * SVG and MathML inside of HTML (13.2.6.5 of the HTML standard). */
#include <strings.h>

#include "pipeline/html_build_internal.h"

static int is_math_text(const struct html_node *node)
{
    return node->space == HTML_SPACE_MATH &&
           (node->tag == HTML_TAG_MI || node->tag == HTML_TAG_MO ||
            node->tag == HTML_TAG_MN || node->tag == HTML_TAG_MS ||
            node->tag == HTML_TAG_MTEXT);
}

static int is_encoded_html(const struct html_builder *b,
                           const struct html_node *node)
{
    const struct html_attribute *a =
        html_tree_attribute(b->tree, node, HTML_ATTR_ENCODING);

    if (!a)
        return 0;
    const char *value = html_tree_bytes(b->tree, a->value);
    return (a->value.len == 9 && strncasecmp(value, "text/html", 9) == 0) ||
           (a->value.len == 21 &&
            strncasecmp(value, "application/xhtml+xml", 21) == 0);
}

/* Elements whose inside is HTML again. */
static int holds_html(const struct html_builder *b,
                      const struct html_node *node)
{
    if (node->space == HTML_SPACE_SVG)
        return node->tag == HTML_TAG_FOREIGNOBJECT ||
               node->tag == HTML_TAG_DESC || node->tag == HTML_TAG_TITLE;
    return node->space == HTML_SPACE_MATH &&
           node->tag == HTML_TAG_ANNOTATION_XML && is_encoded_html(b, node);
}

int html_is_foreign(const struct html_builder *b,
                    const struct html_token *token)
{
    const struct html_node *node = &b->tree->node[html_current(b)];
    const int is_start = token->kind == HTML_TOKEN_START;
    const int is_text = token->kind == HTML_TOKEN_TEXT;

    if (!b->n_stack || node->space == HTML_SPACE_HTML ||
        token->kind == HTML_TOKEN_END_OF_PAGE)
        return 0;
    if (is_math_text(node) &&
        (is_text || (is_start && token->tag != HTML_TAG_MGLYPH &&
                     token->tag != HTML_TAG_MALIGNMARK)))
        return 0;
    if (node->tag == HTML_TAG_ANNOTATION_XML &&
        html_is_start(token, HTML_TAG_SVG))
        return 0;
    return !((is_start || is_text) && holds_html(b, node));
}

void html_insert_foreign(struct html_builder *b, const struct html_token *token,
                         enum html_space space)
{
    const uint32_t node = html_insert(b, token);

    b->tree->node[node].space = (uint8_t)space;
    if (token->self_closing)
        html_pop(b);
}

static int has_font_attribute(const struct html_builder *b,
                              const struct html_token *token)
{
    for (uint32_t i = 0; i < token->slice.len; i++) {
        if (b->tree->attribute[token->slice.at + i].name == HTML_ATTR_FONT)
            return 1;
    }
    return 0;
}

/* The end tags of br and p do not: that came into the standard in 2020, and
 * the parser whose trees are wanted is older in this. */
static int breaks_out(const struct html_builder *b,
                      const struct html_token *token)
{
    return token->kind == HTML_TOKEN_START &&
           (html_tag_has(token->tag, HTML_BREAKS_OUT) ||
            (token->tag == HTML_TAG_FONT && has_font_attribute(b, token)));
}

/* Closes foreign elements down to HTML, or to where HTML may stand. */
static void leave(struct html_builder *b)
{
    for (;;) {
        const struct html_node *node = &b->tree->node[html_current(b)];
        if (node->space == HTML_SPACE_HTML || is_math_text(node) ||
            holds_html(b, node) || b->n_stack == 1)
            return;
        html_pop(b);
    }
}

static void end_in_foreign(struct html_builder *b, struct html_token *token)
{
    for (size_t i = b->n_stack; i-- > 1;) {
        const struct html_node *node = &b->tree->node[b->stack[i]];
        if (node->space == HTML_SPACE_HTML) {
            html_process_in(b, b->mode, token);
            return;
        }
        if (html_has_name(b, node, token)) {
            html_pop_to(b, i);
            return;
        }
    }
}

void html_in_foreign(struct html_builder *b, struct html_token *token)
{
    if (breaks_out(b, token)) {
        leave(b);
        html_process_in(b, b->mode, token);
    } else if (token->kind == HTML_TOKEN_TEXT) {
        html_insert_text(b, token->slice);
        if (!html_is_blank(b, token))
            b->frameset_ok = 0;
    } else if (token->kind == HTML_TOKEN_COMMENT) {
        html_insert_comment(b, html_current(b));
    } else if (token->kind == HTML_TOKEN_END) {
        end_in_foreign(b, token);
    } else if (token->kind == HTML_TOKEN_START) {
        html_insert_foreign(
            b, token, (enum html_space)b->tree->node[html_current(b)].space);
    }
}
