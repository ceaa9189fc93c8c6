/* SPDX-License-Identifier: Apache-2.0
 *
 * The insertion mode "in body" (13.2.6.4.7 of the HTML standard). */
#include "pipeline/html_build_internal.h"

/* ---- start tags ---- */

static void start_frameset(struct html_builder *b,
                           const struct html_token *token)
{
    if (b->n_stack < 2 || !html_is_at(b, 1, HTML_TAG_BODY) || !b->frameset_ok)
        return;
    html_tree_unlink(b->tree, b->stack[1]);
    html_pop_to(b, 1);
    b->tree->body = html_insert(b, token);
    b->mode = HTML_IN_FRAMESET;
}

static void start_block(struct html_builder *b, const struct html_token *token)
{
    html_close_p(b);
    html_insert(b, token);
}

static void start_heading(struct html_builder *b,
                          const struct html_token *token)
{
    html_close_p(b);
    if (html_tag_has(html_current_tag(b), HTML_HEADING))
        html_pop(b);
    html_insert(b, token);
}

static void start_form(struct html_builder *b, const struct html_token *token)
{
    const int in_template = b->n_open[HTML_TAG_TEMPLATE] > 0;

    if (b->form && !in_template)
        return;
    html_close_p(b);
    const uint32_t form = html_insert(b, token);
    if (!in_template)
        b->form = form;
}

/* Whether an item of the new one's kind (li; dd or dt) has to be closed. */
static int is_item_like(enum html_tag tag, enum html_tag item)
{
    if (item == HTML_TAG_LI)
        return tag == HTML_TAG_LI;
    return tag == HTML_TAG_DD || tag == HTML_TAG_DT;
}

static void start_item(struct html_builder *b, const struct html_token *token)
{
    b->frameset_ok = 0;
    for (size_t i = b->n_stack; i-- > 0;) {
        const struct html_node *node = &b->tree->node[b->stack[i]];
        const enum html_tag tag = (enum html_tag)node->tag;
        if (is_item_like(tag, token->tag)) {
            html_close_implied(b, tag);
            html_pop_until(b, tag);
            break;
        }
        if (html_tag_has(tag, HTML_SPECIAL) && tag != HTML_TAG_ADDRESS &&
            tag != HTML_TAG_DIV && tag != HTML_TAG_P)
            break;
    }
    html_close_p(b);
    html_insert(b, token);
}

static void start_button(struct html_builder *b, const struct html_token *token)
{
    if (html_in_scope(b, HTML_TAG_BUTTON, HTML_SCOPE_PLAIN)) {
        html_close_implied(b, HTML_TAG_UNKNOWN);
        html_pop_until(b, HTML_TAG_BUTTON);
    }
    html_reopen_active(b);
    html_insert(b, token);
    b->frameset_ok = 0;
}

static void remove_from_stack(struct html_builder *b, uint32_t node)
{
    for (size_t i = b->n_stack; i-- > 1;) {
        if (b->stack[i] == node) {
            html_remove_at(b, i);
            return;
        }
    }
}

static void start_formatting(struct html_builder *b,
                             const struct html_token *token)
{
    const uint32_t open =
        token->tag == HTML_TAG_A ? html_find_active(b, HTML_TAG_A) : 0;

    if (open) {
        html_adopt(b, HTML_TAG_A);
        html_forget_active(b, open);
        remove_from_stack(b, open);
    }
    html_reopen_active(b);
    if (token->tag == HTML_TAG_NOBR &&
        html_in_scope(b, HTML_TAG_NOBR, HTML_SCOPE_PLAIN)) {
        html_adopt(b, HTML_TAG_NOBR);
        html_reopen_active(b);
    }
    html_push_active(b, html_insert(b, token), token->hash);
}

static void start_table(struct html_builder *b, const struct html_token *token)
{
    if (!b->tree->quirks)
        html_close_p(b);
    html_insert(b, token);
    b->frameset_ok = 0;
    b->mode = HTML_IN_TABLE;
}

/* img, br and the like: in the line, without an inside. */
static void start_inline_void(struct html_builder *b,
                              const struct html_token *token)
{
    html_reopen_active(b);
    html_insert_leaf(b, token);
    if (token->tag != HTML_TAG_INPUT || !html_is_hidden_input(b, token))
        b->frameset_ok = 0;
}

static void start_raw(struct html_builder *b, const struct html_token *token)
{
    if (token->tag == HTML_TAG_XMP) {
        html_close_p(b);
        html_reopen_active(b);
    }
    if (token->tag != HTML_TAG_NOEMBED)
        b->frameset_ok = 0;
    html_insert_raw(
        b, token, token->tag == HTML_TAG_TEXTAREA ? HTML_RCDATA : HTML_RAWTEXT);
}

static void start_plaintext(struct html_builder *b,
                            const struct html_token *token)
{
    html_close_p(b);
    html_insert_raw(b, token, HTML_PLAINTEXT);
}

static void start_select(struct html_builder *b, const struct html_token *token)
{
    const int in_table = b->mode == HTML_IN_TABLE ||
                         b->mode == HTML_IN_CAPTION ||
                         b->mode == HTML_IN_TABLE_BODY ||
                         b->mode == HTML_IN_ROW || b->mode == HTML_IN_CELL;

    html_reopen_active(b);
    html_insert(b, token);
    b->frameset_ok = 0;
    b->mode = in_table ? HTML_IN_SELECT_IN_TABLE : HTML_IN_SELECT;
}

static void start_ruby_part(struct html_builder *b,
                            const struct html_token *token)
{
    const int is_text = token->tag == HTML_TAG_RP || token->tag == HTML_TAG_RT;

    if (html_in_scope(b, HTML_TAG_RUBY, HTML_SCOPE_PLAIN))
        html_close_implied(b, is_text ? HTML_TAG_RTC : HTML_TAG_UNKNOWN);
    html_insert(b, token);
}

static void start_inline(struct html_builder *b, const struct html_token *token)
{
    html_reopen_active(b);
    html_insert(b, token);
}

/* Tags that have rules of their own; 0: not one of them. */
static int start_named(struct html_builder *b, struct html_token *token)
{
    switch (token->tag) {
    case HTML_TAG_HTML:
    case HTML_TAG_BODY:
    case HTML_TAG_HEAD: break;
    case HTML_TAG_FRAMESET: start_frameset(b, token); break;
    case HTML_TAG_PRE:
    case HTML_TAG_LISTING:
        start_block(b, token);
        b->skip_lf = 1;
        b->frameset_ok = 0;
        break;
    case HTML_TAG_FORM: start_form(b, token); break;
    case HTML_TAG_LI:
    case HTML_TAG_DD:
    case HTML_TAG_DT: start_item(b, token); break;
    case HTML_TAG_PLAINTEXT: start_plaintext(b, token); break;
    case HTML_TAG_BUTTON: start_button(b, token); break;
    case HTML_TAG_APPLET:
    case HTML_TAG_MARQUEE:
    case HTML_TAG_OBJECT:
        start_inline(b, token);
        html_push_marker(b);
        b->frameset_ok = 0;
        break;
    case HTML_TAG_TABLE: start_table(b, token); break;
    case HTML_TAG_IMAGE: token->tag = HTML_TAG_IMG; /* fall through */
    case HTML_TAG_AREA:
    case HTML_TAG_BR:
    case HTML_TAG_EMBED:
    case HTML_TAG_IMG:
    case HTML_TAG_KEYGEN:
    case HTML_TAG_INPUT:
    case HTML_TAG_WBR: start_inline_void(b, token); break;
    case HTML_TAG_PARAM:
    case HTML_TAG_SOURCE:
    case HTML_TAG_TRACK: html_insert_leaf(b, token); break;
    case HTML_TAG_HR:
        html_close_p(b);
        html_insert_leaf(b, token);
        b->frameset_ok = 0;
        break;
    case HTML_TAG_TEXTAREA:
    case HTML_TAG_XMP:
    case HTML_TAG_IFRAME:
    case HTML_TAG_NOEMBED: start_raw(b, token); break;
    case HTML_TAG_SELECT: start_select(b, token); break;
    case HTML_TAG_OPTGROUP:
    case HTML_TAG_OPTION:
        if (html_current_tag(b) == HTML_TAG_OPTION)
            html_pop(b);
        start_inline(b, token);
        break;
    case HTML_TAG_RB:
    case HTML_TAG_RTC:
    case HTML_TAG_RP:
    case HTML_TAG_RT: start_ruby_part(b, token); break;
    case HTML_TAG_MATH:
    case HTML_TAG_SVG:
        html_reopen_active(b);
        html_insert_foreign(b, token,
                            token->tag == HTML_TAG_SVG ? HTML_SPACE_SVG
                                                       : HTML_SPACE_MATH);
        break;
    default: return 0;
    }
    return 1;
}

static void start_tag(struct html_builder *b, struct html_token *token)
{
    if (html_tag_has(token->tag, HTML_HEAD_TAG))
        html_in_head(b, token);
    else if (html_tag_has(token->tag, HTML_CLOSES_P))
        start_block(b, token);
    else if (html_tag_has(token->tag, HTML_HEADING))
        start_heading(b, token);
    else if (token->tag == HTML_TAG_A ||
             html_tag_has(token->tag, HTML_FORMATTING))
        start_formatting(b, token);
    else if (!start_named(b, token) &&
             !html_tag_has(token->tag, HTML_TABLE_PART))
        start_inline(b, token);
}

/* ---- end tags ---- */

void html_end_any(struct html_builder *b, const struct html_token *token)
{
    if (!b->n_open[token->tag])
        return;
    for (size_t i = b->n_stack; i-- > 1;) {
        const struct html_node *node = &b->tree->node[b->stack[i]];
        if (node->space == HTML_SPACE_HTML && html_has_name(b, node, token)) {
            html_close_implied(b, token->tag);
            html_pop_to(b, i);
            return;
        }
        if (node->space == HTML_SPACE_HTML &&
            html_tag_has((enum html_tag)node->tag, HTML_SPECIAL))
            return;
    }
}

static void end_block(struct html_builder *b, enum html_tag tag,
                      enum html_scope scope, enum html_tag but)
{
    if (!html_in_scope(b, tag, scope))
        return;
    html_close_implied(b, but);
    html_pop_until(b, tag);
}

static void end_form(struct html_builder *b)
{
    const uint32_t form = b->form;

    if (b->n_open[HTML_TAG_TEMPLATE]) {
        end_block(b, HTML_TAG_FORM, HTML_SCOPE_PLAIN, HTML_TAG_UNKNOWN);
        return;
    }
    b->form = 0;
    if (!form || !html_node_in_scope(b, form))
        return;
    html_close_implied(b, HTML_TAG_UNKNOWN);
    remove_from_stack(b, form);
}

static void end_p(struct html_builder *b)
{
    if (!html_in_scope(b, HTML_TAG_P, HTML_SCOPE_BUTTON))
        html_insert_implied(b, HTML_TAG_P);
    html_close_p(b);
}

static void end_heading(struct html_builder *b)
{
    if (!html_heading_in_scope(b))
        return;
    html_close_implied(b, HTML_TAG_UNKNOWN);
    html_pop_until_trait(b, HTML_HEADING);
}

static void end_body(struct html_builder *b, struct html_token *token)
{
    if (!html_in_scope(b, HTML_TAG_BODY, HTML_SCOPE_PLAIN))
        return;
    b->mode = HTML_AFTER_BODY;
    if (token->tag == HTML_TAG_HTML)
        html_process(b, token);
}

static void end_br(struct html_builder *b)
{
    const struct html_token br = {.kind = HTML_TOKEN_START, .tag = HTML_TAG_BR};

    start_inline_void(b, &br);
}

static void end_named(struct html_builder *b, struct html_token *token)
{
    switch (token->tag) {
    case HTML_TAG_TEMPLATE: html_in_head(b, token); break;
    case HTML_TAG_BODY:
    case HTML_TAG_HTML: end_body(b, token); break;
    case HTML_TAG_FORM: end_form(b); break;
    case HTML_TAG_P: end_p(b); break;
    case HTML_TAG_LI:
        end_block(b, token->tag, HTML_SCOPE_LIST, token->tag);
        break;
    case HTML_TAG_DD:
    case HTML_TAG_DT:
        end_block(b, token->tag, HTML_SCOPE_PLAIN, token->tag);
        break;
    case HTML_TAG_APPLET:
    case HTML_TAG_MARQUEE:
    case HTML_TAG_OBJECT:
        if (!html_in_scope(b, token->tag, HTML_SCOPE_PLAIN))
            break;
        end_block(b, token->tag, HTML_SCOPE_PLAIN, HTML_TAG_UNKNOWN);
        html_clear_to_marker(b);
        break;
    case HTML_TAG_BR: end_br(b); break;
    default: html_end_any(b, token);
    }
}

static void end_tag(struct html_builder *b, struct html_token *token)
{
    if (html_tag_has(token->tag, HTML_END_BLOCK))
        end_block(b, token->tag, HTML_SCOPE_PLAIN, HTML_TAG_UNKNOWN);
    else if (html_tag_has(token->tag, HTML_HEADING))
        end_heading(b);
    else if (html_tag_has(token->tag, HTML_FORMATTING)) {
        if (!html_adopt(b, token->tag))
            html_end_any(b, token);
    } else {
        end_named(b, token);
    }
}

/* ---- the mode ---- */

static void add_text(struct html_builder *b, struct html_token *token)
{
    html_reopen_active(b);
    html_insert_text(b, token->slice);
    if (b->frameset_ok && !html_is_blank(b, token))
        b->frameset_ok = 0;
}

void html_in_body(struct html_builder *b, struct html_token *token)
{
    switch (token->kind) {
    case HTML_TOKEN_TEXT: add_text(b, token); break;
    case HTML_TOKEN_START: start_tag(b, token); break;
    case HTML_TOKEN_END: end_tag(b, token); break;
    case HTML_TOKEN_COMMENT: html_insert_comment(b, html_current(b)); break;
    case HTML_TOKEN_END_OF_PAGE:
        if (b->n_template)
            html_in_template(b, token);
        break;
    case HTML_TOKEN_DOCTYPE: break;
    }
}
