/* SPDX-License-Identifier: Apache-2.0
 *
 * Insertion modes outside of the body: head, templates, framesets, the end
 * (13.2.6.4.1 to 6 and 18 to 23 of the HTML standard). */
#include "core/error.h"
#include "pipeline/html_build_internal.h"

/* ---- before the head ---- */

void html_initial(struct html_builder *b, struct html_token *token)
{
    if (token->kind == HTML_TOKEN_COMMENT ||
        (token->kind == HTML_TOKEN_TEXT && html_take_space(b, token, 0)))
        return;
    b->mode = HTML_BEFORE_HTML;
    if (token->kind == HTML_TOKEN_DOCTYPE) {
        b->tree->quirks = html_doctype_has_quirks(token->at, token->len);
        return;
    }
    b->tree->quirks = 1;
    html_process(b, token);
}

static void insert_root(struct html_builder *b, struct html_slice attributes)
{
    const uint32_t root = html_tree_add(b->tree, HTML_ELEMENT);

    b->tree->node[root].tag = HTML_TAG_HTML;
    b->tree->node[root].slice = attributes;
    html_tree_link(b->tree, 0, root, 0);
    html_push(b, root);
    b->tree->root = root;
    b->mode = HTML_BEFORE_HEAD;
}

/* End tags that imply what is missing; others are ignored there. */
static int is_strong_end(const struct html_token *token)
{
    return token->tag == HTML_TAG_HEAD || token->tag == HTML_TAG_BODY ||
           token->tag == HTML_TAG_HTML || token->tag == HTML_TAG_BR;
}

void html_before_html(struct html_builder *b, struct html_token *token)
{
    if (token->kind == HTML_TOKEN_COMMENT ||
        token->kind == HTML_TOKEN_DOCTYPE ||
        (token->kind == HTML_TOKEN_TEXT && html_take_space(b, token, 0)))
        return;
    if (token->kind == HTML_TOKEN_END && !is_strong_end(token))
        return;
    if (html_is_start(token, HTML_TAG_HTML)) {
        insert_root(b, token->slice);
        return;
    }
    insert_root(b, (struct html_slice){0, 0});
    html_process(b, token);
}

void html_before_head(struct html_builder *b, struct html_token *token)
{
    if (token->kind == HTML_TOKEN_COMMENT) {
        html_insert_comment(b, html_current(b));
        return;
    }
    if (token->kind == HTML_TOKEN_DOCTYPE ||
        (token->kind == HTML_TOKEN_TEXT && html_take_space(b, token, 0)) ||
        (token->kind == HTML_TOKEN_END && !is_strong_end(token)) ||
        html_is_start(token, HTML_TAG_HTML))
        return;
    b->mode = HTML_IN_HEAD;
    if (html_is_start(token, HTML_TAG_HEAD)) {
        b->head = html_insert(b, token);
        return;
    }
    b->head = html_insert_implied(b, HTML_TAG_HEAD);
    html_process(b, token);
}

/* ---- the head ---- */

static void open_template(struct html_builder *b,
                          const struct html_token *token)
{
    html_insert(b, token);
    html_push_marker(b);
    b->frameset_ok = 0;
    b->mode = HTML_IN_TEMPLATE;
    OY_ASSERT(b->n_template < HTML_STACK_CAP);
    b->template_mode[b->n_template++] = HTML_IN_TEMPLATE;
}

static void close_template(struct html_builder *b)
{
    if (!b->n_open[HTML_TAG_TEMPLATE] || !b->n_template)
        return;
    html_pop_until(b, HTML_TAG_TEMPLATE);
    html_clear_to_marker(b);
    b->n_template--;
    html_reset_mode(b);
}

static void start_in_head(struct html_builder *b,
                          const struct html_token *token)
{
    switch (token->tag) {
    case HTML_TAG_TITLE: html_insert_raw(b, token, HTML_RCDATA); break;
    case HTML_TAG_NOFRAMES:
    case HTML_TAG_STYLE: html_insert_raw(b, token, HTML_RAWTEXT); break;
    case HTML_TAG_SCRIPT: html_insert_raw(b, token, HTML_SCRIPT); break;
    case HTML_TAG_TEMPLATE: open_template(b, token); break;
    default: html_insert_leaf(b, token);
    }
}

/* What the head does not hold ends it. */
static void leave_head(struct html_builder *b, struct html_token *token)
{
    html_pop(b);
    b->mode = HTML_AFTER_HEAD;
    html_process(b, token);
}

void html_in_head(struct html_builder *b, struct html_token *token)
{
    const int is_start = token->kind == HTML_TOKEN_START;
    const int is_end = token->kind == HTML_TOKEN_END;

    if (token->kind == HTML_TOKEN_TEXT && html_take_space(b, token, 1))
        return;
    if (token->kind == HTML_TOKEN_DOCTYPE ||
        html_is_start(token, HTML_TAG_HTML) ||
        html_is_start(token, HTML_TAG_HEAD))
        return;
    if (token->kind == HTML_TOKEN_COMMENT) {
        html_insert_comment(b, html_current(b));
    } else if (is_start && html_tag_has(token->tag, HTML_HEAD_TAG)) {
        start_in_head(b, token);
    } else if (html_is_start(token, HTML_TAG_NOSCRIPT)) {
        html_insert(b, token);
        b->mode = HTML_IN_HEAD_NOSCRIPT;
    } else if (html_is_end(token, HTML_TAG_HEAD)) {
        html_pop(b);
        b->mode = HTML_AFTER_HEAD;
    } else if (html_is_end(token, HTML_TAG_TEMPLATE)) {
        close_template(b);
    } else if (!is_end || is_strong_end(token)) {
        leave_head(b, token);
    }
}

void html_in_head_noscript(struct html_builder *b, struct html_token *token)
{
    const int is_start = token->kind == HTML_TOKEN_START;

    if (token->kind == HTML_TOKEN_DOCTYPE ||
        html_is_start(token, HTML_TAG_HTML) ||
        html_is_start(token, HTML_TAG_HEAD) ||
        html_is_start(token, HTML_TAG_NOSCRIPT) ||
        (token->kind == HTML_TOKEN_END && token->tag != HTML_TAG_NOSCRIPT &&
         token->tag != HTML_TAG_BR))
        return;
    if (token->kind == HTML_TOKEN_TEXT && html_take_space(b, token, 1))
        return;
    if (html_is_end(token, HTML_TAG_NOSCRIPT)) {
        html_pop(b);
        b->mode = HTML_IN_HEAD;
    } else if (token->kind == HTML_TOKEN_COMMENT ||
               (is_start && html_tag_has(token->tag, HTML_HEAD_TAG) &&
                token->tag != HTML_TAG_BASE && token->tag != HTML_TAG_TITLE &&
                token->tag != HTML_TAG_SCRIPT &&
                token->tag != HTML_TAG_TEMPLATE)) {
        html_in_head(b, token);
    } else {
        html_pop(b);
        b->mode = HTML_IN_HEAD;
        html_process(b, token);
    }
}

static void open_body(struct html_builder *b, const struct html_token *token)
{
    b->tree->body = html_insert(b, token);
    b->mode = token->tag == HTML_TAG_BODY ? HTML_IN_BODY : HTML_IN_FRAMESET;
}

/* Elements of the head that come after it go into it all the same. */
static void return_to_head(struct html_builder *b, struct html_token *token)
{
    const uint32_t head = b->head;

    html_push(b, head);
    html_in_head(b, token);
    for (size_t i = b->n_stack; i-- > 0;) {
        if (b->stack[i] == head) {
            html_remove_at(b, i);
            return;
        }
    }
}

void html_after_head(struct html_builder *b, struct html_token *token)
{
    const int is_start = token->kind == HTML_TOKEN_START;
    const struct html_token body = {.tag = HTML_TAG_BODY};

    if (token->kind == HTML_TOKEN_TEXT && html_take_space(b, token, 1))
        return;
    if (token->kind == HTML_TOKEN_DOCTYPE ||
        html_is_start(token, HTML_TAG_HTML) ||
        html_is_start(token, HTML_TAG_HEAD))
        return;
    if (token->kind == HTML_TOKEN_COMMENT) {
        html_insert_comment(b, html_current(b));
    } else if (html_is_start(token, HTML_TAG_BODY) ||
               html_is_start(token, HTML_TAG_FRAMESET)) {
        open_body(b, token);
        if (token->tag == HTML_TAG_BODY)
            b->frameset_ok = 0;
    } else if (is_start && html_tag_has(token->tag, HTML_HEAD_TAG)) {
        return_to_head(b, token);
    } else if (html_is_end(token, HTML_TAG_TEMPLATE)) {
        html_in_head(b, token);
    } else if (token->kind != HTML_TOKEN_END || is_strong_end(token)) {
        open_body(b, &body);
        html_process(b, token);
    }
}

/* ---- templates ---- */

static enum html_mode mode_for_tag(enum html_tag tag)
{
    switch (tag) {
    case HTML_TAG_CAPTION:
    case HTML_TAG_COLGROUP:
    case HTML_TAG_TBODY:
    case HTML_TAG_TFOOT:
    case HTML_TAG_THEAD: return HTML_IN_TABLE;
    case HTML_TAG_COL: return HTML_IN_COLUMN_GROUP;
    case HTML_TAG_TR: return HTML_IN_TABLE_BODY;
    case HTML_TAG_TD:
    case HTML_TAG_TH: return HTML_IN_ROW;
    default: return HTML_IN_BODY;
    }
}

static void end_in_template(struct html_builder *b, struct html_token *token)
{
    if (!b->n_open[HTML_TAG_TEMPLATE] || !b->n_template)
        return;
    close_template(b);
    html_process(b, token);
}

void html_in_template(struct html_builder *b, struct html_token *token)
{
    if (token->kind == HTML_TOKEN_END_OF_PAGE) {
        end_in_template(b, token);
    } else if (token->kind != HTML_TOKEN_START) {
        if (html_is_end(token, HTML_TAG_TEMPLATE))
            html_in_head(b, token);
        else if (token->kind != HTML_TOKEN_END)
            html_in_body(b, token);
    } else if (html_tag_has(token->tag, HTML_HEAD_TAG)) {
        html_in_head(b, token);
    } else {
        b->mode = mode_for_tag(token->tag);
        if (b->n_template)
            b->template_mode[b->n_template - 1] = b->mode;
        html_process(b, token);
    }
}

/* ---- behind the body, framesets ---- */

void html_after_body(struct html_builder *b, struct html_token *token)
{
    if (token->kind == HTML_TOKEN_TEXT && html_is_blank(b, token)) {
        html_in_body(b, token);
    } else if (token->kind == HTML_TOKEN_COMMENT) {
        html_insert_comment(b, b->stack[0]);
    } else if (html_is_end(token, HTML_TAG_HTML)) {
        b->mode = HTML_AFTER_AFTER_BODY;
    } else if (token->kind != HTML_TOKEN_DOCTYPE &&
               token->kind != HTML_TOKEN_END_OF_PAGE &&
               !html_is_start(token, HTML_TAG_HTML)) {
        b->mode = HTML_IN_BODY;
        html_process(b, token);
    }
}

void html_after_after_body(struct html_builder *b, struct html_token *token)
{
    if (token->kind == HTML_TOKEN_COMMENT ||
        token->kind == HTML_TOKEN_DOCTYPE ||
        token->kind == HTML_TOKEN_END_OF_PAGE ||
        html_is_start(token, HTML_TAG_HTML))
        return;
    if (token->kind == HTML_TOKEN_TEXT && html_is_blank(b, token)) {
        html_in_body(b, token);
        return;
    }
    b->mode = HTML_IN_BODY;
    html_process(b, token);
}

/* Nothing of a frameset is ever extracted, and no body can follow it. */
void html_in_frameset(struct html_builder *b, struct html_token *token)
{
    if (html_is_start(token, HTML_TAG_FRAMESET)) {
        html_insert(b, token);
    } else if (html_is_start(token, HTML_TAG_FRAME)) {
        html_insert_leaf(b, token);
    } else if (html_is_start(token, HTML_TAG_NOFRAMES)) {
        html_in_head(b, token);
    } else if (html_is_end(token, HTML_TAG_FRAMESET)) {
        html_pop(b);
        if (html_current_tag(b) != HTML_TAG_FRAMESET)
            b->mode = HTML_AFTER_FRAMESET;
    }
}

void html_after_frameset(struct html_builder *b, struct html_token *token)
{
    if (html_is_start(token, HTML_TAG_NOFRAMES))
        html_in_head(b, token);
    else if (html_is_end(token, HTML_TAG_HTML))
        b->mode = HTML_AFTER_AFTER_FRAMESET;
}

void html_after_after_frameset(struct html_builder *b, struct html_token *token)
{
    if (html_is_start(token, HTML_TAG_NOFRAMES))
        html_in_head(b, token);
}
