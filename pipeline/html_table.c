/* SPDX-License-Identifier: Apache-2.0
 *
 * Insertion modes of tables and of select (13.2.6.4.9 to 17 of the HTML
 * standard). */
#include "pipeline/html_build_internal.h"

/* Pops until the current node is of the trait, a template or the root. */
static void clear_to(struct html_builder *b, uint32_t trait, enum html_tag tag)
{
    while (b->n_stack > 1) {
        const enum html_tag current = html_current_tag(b);
        if (current == tag || current == HTML_TAG_TEMPLATE ||
            html_tag_has(current, trait))
            return;
        html_pop(b);
    }
}

static int is_body_part(enum html_tag tag)
{
    return tag == HTML_TAG_TBODY || tag == HTML_TAG_TFOOT ||
           tag == HTML_TAG_THEAD;
}

static int is_cell(enum html_tag tag)
{
    return tag == HTML_TAG_TD || tag == HTML_TAG_TH;
}

static void clear_to_body(struct html_builder *b)
{
    while (b->n_stack > 1 && !is_body_part(html_current_tag(b)) &&
           html_current_tag(b) != HTML_TAG_TEMPLATE)
        html_pop(b);
}

/* ---- in table ---- */

static void process_fostered(struct html_builder *b, struct html_token *token)
{
    b->foster = 1;
    html_in_body(b, token);
    b->foster = 0;
}

static void text_in_table(struct html_builder *b, struct html_token *token)
{
    const enum html_tag current = html_current_tag(b);
    const int holds_none =
        html_tag_has(current, HTML_FOSTERS) || current == HTML_TAG_TEMPLATE;

    if (holds_none && html_is_blank(b, token))
        html_insert_text(b, token->slice);
    else
        process_fostered(b, token);
}

static void close_table(struct html_builder *b)
{
    html_pop_until(b, HTML_TAG_TABLE);
    html_reset_mode(b);
}

/* Opens the part of a table that the token is, or asks for. */
static void start_part(struct html_builder *b, struct html_token *token,
                       enum html_mode mode, enum html_tag implied)
{
    clear_to(b, 0, HTML_TAG_TABLE);
    b->mode = mode;
    if (implied == HTML_TAG_UNKNOWN) {
        html_insert(b, token);
        return;
    }
    html_insert_implied(b, implied);
    html_process(b, token);
}

static void start_in_table(struct html_builder *b, struct html_token *token)
{
    switch (token->tag) {
    case HTML_TAG_CAPTION:
        clear_to(b, 0, HTML_TAG_TABLE);
        html_push_marker(b);
        html_insert(b, token);
        b->mode = HTML_IN_CAPTION;
        break;
    case HTML_TAG_COLGROUP:
        start_part(b, token, HTML_IN_COLUMN_GROUP, HTML_TAG_UNKNOWN);
        break;
    case HTML_TAG_COL:
        start_part(b, token, HTML_IN_COLUMN_GROUP, HTML_TAG_COLGROUP);
        break;
    case HTML_TAG_TBODY:
    case HTML_TAG_TFOOT:
    case HTML_TAG_THEAD:
        start_part(b, token, HTML_IN_TABLE_BODY, HTML_TAG_UNKNOWN);
        break;
    case HTML_TAG_TD:
    case HTML_TAG_TH:
    case HTML_TAG_TR:
        start_part(b, token, HTML_IN_TABLE_BODY, HTML_TAG_TBODY);
        break;
    case HTML_TAG_TABLE:
        if (!html_in_scope(b, HTML_TAG_TABLE, HTML_SCOPE_TABLE))
            break;
        close_table(b);
        html_process(b, token);
        break;
    case HTML_TAG_STYLE:
    case HTML_TAG_SCRIPT:
    case HTML_TAG_TEMPLATE: html_in_head(b, token); break;
    case HTML_TAG_INPUT:
        if (html_is_hidden_input(b, token))
            html_insert_leaf(b, token);
        else
            process_fostered(b, token);
        break;
    case HTML_TAG_FORM:
        if (b->form || b->n_open[HTML_TAG_TEMPLATE])
            break;
        b->form = html_insert(b, token);
        html_pop(b);
        break;
    default: process_fostered(b, token);
    }
}

static void end_in_table(struct html_builder *b, struct html_token *token)
{
    if (token->tag == HTML_TAG_TABLE) {
        if (html_in_scope(b, HTML_TAG_TABLE, HTML_SCOPE_TABLE))
            close_table(b);
    } else if (token->tag == HTML_TAG_TEMPLATE) {
        html_in_head(b, token);
    } else if (token->tag != HTML_TAG_BODY && token->tag != HTML_TAG_HTML &&
               (!html_tag_has(token->tag, HTML_TABLE_PART) ||
                token->tag == HTML_TAG_FRAME || token->tag == HTML_TAG_HEAD)) {
        process_fostered(b, token);
    }
}

void html_in_table(struct html_builder *b, struct html_token *token)
{
    switch (token->kind) {
    case HTML_TOKEN_TEXT: text_in_table(b, token); break;
    case HTML_TOKEN_START: start_in_table(b, token); break;
    case HTML_TOKEN_END: end_in_table(b, token); break;
    default: html_in_body(b, token);
    }
}

/* ---- in caption, in column group ---- */

static int close_caption(struct html_builder *b)
{
    if (!html_in_scope(b, HTML_TAG_CAPTION, HTML_SCOPE_TABLE))
        return 0;
    html_close_implied(b, HTML_TAG_UNKNOWN);
    html_pop_until(b, HTML_TAG_CAPTION);
    html_clear_to_marker(b);
    b->mode = HTML_IN_TABLE;
    return 1;
}

/* Start tags of the table round a caption or a cell. */
static int is_table_start(const struct html_token *token)
{
    return token->kind == HTML_TOKEN_START &&
           html_tag_has(token->tag, HTML_TABLE_PART) &&
           token->tag != HTML_TAG_FRAME && token->tag != HTML_TAG_HEAD;
}

void html_in_caption(struct html_builder *b, struct html_token *token)
{
    const int is_end = token->kind == HTML_TOKEN_END;

    if (html_is_end(token, HTML_TAG_CAPTION)) {
        close_caption(b);
    } else if (is_table_start(token) || html_is_end(token, HTML_TAG_TABLE)) {
        if (close_caption(b))
            html_process(b, token);
    } else if (!is_end ||
               (token->tag != HTML_TAG_BODY && token->tag != HTML_TAG_HTML &&
                (!html_tag_has(token->tag, HTML_TABLE_PART) ||
                 token->tag == HTML_TAG_FRAME ||
                 token->tag == HTML_TAG_HEAD))) {
        html_in_body(b, token);
    }
}

void html_in_column_group(struct html_builder *b, struct html_token *token)
{
    if (token->kind == HTML_TOKEN_TEXT && html_take_space(b, token, 1))
        return;
    if (token->kind == HTML_TOKEN_COMMENT) {
        html_insert_comment(b, html_current(b));
    } else if (token->kind == HTML_TOKEN_DOCTYPE ||
               html_is_end(token, HTML_TAG_COL)) {
        return;
    } else if (html_is_start(token, HTML_TAG_HTML) ||
               token->kind == HTML_TOKEN_END_OF_PAGE) {
        html_in_body(b, token);
    } else if (html_is_start(token, HTML_TAG_COL)) {
        html_insert_leaf(b, token);
    } else if (html_is_start(token, HTML_TAG_TEMPLATE) ||
               html_is_end(token, HTML_TAG_TEMPLATE)) {
        html_in_head(b, token);
    } else if (html_current_tag(b) == HTML_TAG_COLGROUP) {
        html_pop(b);
        b->mode = HTML_IN_TABLE;
        if (!html_is_end(token, HTML_TAG_COLGROUP))
            html_process(b, token);
    }
}

/* ---- in table body, in row ---- */

static void leave_body(struct html_builder *b, struct html_token *token)
{
    if (!html_in_scope(b, HTML_TAG_TBODY, HTML_SCOPE_TABLE) &&
        !html_in_scope(b, HTML_TAG_THEAD, HTML_SCOPE_TABLE) &&
        !html_in_scope(b, HTML_TAG_TFOOT, HTML_SCOPE_TABLE))
        return;
    clear_to_body(b);
    html_pop(b);
    b->mode = HTML_IN_TABLE;
    html_process(b, token);
}

void html_in_table_body(struct html_builder *b, struct html_token *token)
{
    const int is_end = token->kind == HTML_TOKEN_END;

    if (html_is_start(token, HTML_TAG_TR)) {
        clear_to_body(b);
        html_insert(b, token);
        b->mode = HTML_IN_ROW;
    } else if (token->kind == HTML_TOKEN_START && is_cell(token->tag)) {
        clear_to_body(b);
        html_insert_implied(b, HTML_TAG_TR);
        b->mode = HTML_IN_ROW;
        html_process(b, token);
    } else if (is_end && is_body_part(token->tag)) {
        if (!html_in_scope(b, token->tag, HTML_SCOPE_TABLE))
            return;
        clear_to_body(b);
        html_pop(b);
        b->mode = HTML_IN_TABLE;
    } else if (is_table_start(token) || html_is_end(token, HTML_TAG_TABLE)) {
        leave_body(b, token);
    } else if (!is_end || (!is_cell(token->tag) && token->tag != HTML_TAG_TR)) {
        html_in_table(b, token);
    }
}

static int close_row(struct html_builder *b)
{
    if (!html_in_scope(b, HTML_TAG_TR, HTML_SCOPE_TABLE))
        return 0;
    clear_to(b, 0, HTML_TAG_TR);
    html_pop(b);
    b->mode = HTML_IN_TABLE_BODY;
    return 1;
}

void html_in_row(struct html_builder *b, struct html_token *token)
{
    const int is_end = token->kind == HTML_TOKEN_END;

    if (token->kind == HTML_TOKEN_START && is_cell(token->tag)) {
        clear_to(b, 0, HTML_TAG_TR);
        html_insert(b, token);
        b->mode = HTML_IN_CELL;
        html_push_marker(b);
    } else if (html_is_end(token, HTML_TAG_TR)) {
        close_row(b);
    } else if (is_table_start(token) || html_is_end(token, HTML_TAG_TABLE)) {
        if (close_row(b))
            html_process(b, token);
    } else if (is_end && is_body_part(token->tag)) {
        if (html_in_scope(b, token->tag, HTML_SCOPE_TABLE) && close_row(b))
            html_process(b, token);
    } else if (!is_end || !is_cell(token->tag)) {
        html_in_table(b, token);
    }
}

/* ---- in cell ---- */

static void close_cell(struct html_builder *b)
{
    html_close_implied(b, HTML_TAG_UNKNOWN);
    while (b->n_stack > 1) {
        const int is_it = is_cell(html_current_tag(b));
        html_pop(b);
        if (is_it)
            break;
    }
    html_clear_to_marker(b);
    b->mode = HTML_IN_ROW;
}

static void end_in_cell(struct html_builder *b, struct html_token *token)
{
    switch (token->tag) {
    case HTML_TAG_TD:
    case HTML_TAG_TH:
        if (!html_in_scope(b, token->tag, HTML_SCOPE_TABLE))
            break;
        html_close_implied(b, HTML_TAG_UNKNOWN);
        html_pop_until(b, token->tag);
        html_clear_to_marker(b);
        b->mode = HTML_IN_ROW;
        break;
    case HTML_TAG_BODY:
    case HTML_TAG_CAPTION:
    case HTML_TAG_COL:
    case HTML_TAG_COLGROUP:
    case HTML_TAG_HTML: break;
    case HTML_TAG_TABLE:
    case HTML_TAG_TBODY:
    case HTML_TAG_TFOOT:
    case HTML_TAG_THEAD:
    case HTML_TAG_TR:
        if (!html_in_scope(b, token->tag, HTML_SCOPE_TABLE))
            break;
        close_cell(b);
        html_process(b, token);
        break;
    default: html_in_body(b, token);
    }
}

void html_in_cell(struct html_builder *b, struct html_token *token)
{
    if (token->kind == HTML_TOKEN_END) {
        end_in_cell(b, token);
    } else if (!is_table_start(token)) {
        html_in_body(b, token);
    } else if (html_in_scope(b, HTML_TAG_TD, HTML_SCOPE_TABLE) ||
               html_in_scope(b, HTML_TAG_TH, HTML_SCOPE_TABLE)) {
        close_cell(b);
        html_process(b, token);
    }
}

/* ---- in select ---- */

static void close_select(struct html_builder *b)
{
    html_pop_until(b, HTML_TAG_SELECT);
    html_reset_mode(b);
}

static void start_in_select(struct html_builder *b, struct html_token *token)
{
    switch (token->tag) {
    case HTML_TAG_OPTGROUP:
    case HTML_TAG_OPTION:
        if (html_current_tag(b) == HTML_TAG_OPTION)
            html_pop(b);
        if (token->tag != HTML_TAG_OPTION &&
            html_current_tag(b) == HTML_TAG_OPTGROUP)
            html_pop(b);
        html_insert(b, token);
        break;
    case HTML_TAG_INPUT:
    case HTML_TAG_KEYGEN:
    case HTML_TAG_TEXTAREA:
    case HTML_TAG_SELECT:
        if (!html_in_scope(b, HTML_TAG_SELECT, HTML_SCOPE_SELECT))
            break;
        close_select(b);
        if (token->tag != HTML_TAG_SELECT)
            html_process(b, token);
        break;
    case HTML_TAG_SCRIPT:
    case HTML_TAG_TEMPLATE: html_in_head(b, token); break;
    default: break;
    }
}

static void end_in_select(struct html_builder *b, struct html_token *token)
{
    const size_t top = b->n_stack - 1;

    switch (token->tag) {
    case HTML_TAG_OPTGROUP:
        if (html_current_tag(b) == HTML_TAG_OPTION && top > 0 &&
            html_is_at(b, top - 1, HTML_TAG_OPTGROUP))
            html_pop(b);
        if (html_current_tag(b) == HTML_TAG_OPTGROUP)
            html_pop(b);
        break;
    case HTML_TAG_OPTION:
        if (html_current_tag(b) == HTML_TAG_OPTION)
            html_pop(b);
        break;
    case HTML_TAG_SELECT:
        if (html_in_scope(b, HTML_TAG_SELECT, HTML_SCOPE_SELECT))
            close_select(b);
        break;
    case HTML_TAG_TEMPLATE: html_in_head(b, token); break;
    default: break;
    }
}

void html_in_select(struct html_builder *b, struct html_token *token)
{
    switch (token->kind) {
    case HTML_TOKEN_TEXT: html_insert_text(b, token->slice); break;
    case HTML_TOKEN_START: start_in_select(b, token); break;
    case HTML_TOKEN_END: end_in_select(b, token); break;
    case HTML_TOKEN_COMMENT: html_insert_comment(b, html_current(b)); break;
    case HTML_TOKEN_END_OF_PAGE: html_in_body(b, token); break;
    case HTML_TOKEN_DOCTYPE: break;
    }
}

void html_in_select_in_table(struct html_builder *b, struct html_token *token)
{
    const enum html_tag tag = token->tag;
    const int is_tag =
        token->kind == HTML_TOKEN_START || token->kind == HTML_TOKEN_END;
    const int is_part = tag == HTML_TAG_CAPTION || tag == HTML_TAG_TABLE ||
                        is_body_part(tag) || tag == HTML_TAG_TR || is_cell(tag);

    if (!is_tag || !is_part) {
        html_in_select(b, token);
        return;
    }
    if (token->kind == HTML_TOKEN_END &&
        !html_in_scope(b, tag, HTML_SCOPE_TABLE))
        return;
    if (!b->n_open[HTML_TAG_SELECT])
        html_reset_mode(b);
    else
        close_select(b);
    if (b->mode != HTML_IN_SELECT_IN_TABLE)
        html_process(b, token);
}
