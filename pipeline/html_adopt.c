/* SPDX-License-Identifier: Apache-2.0
 *
 * Formatting elements that are opened and closed across other elements:
 * sections 13.2.4.3 and 13.2.6.4.7 ("adoption agency") of the HTML standard. */
#include <string.h>

#include "pipeline/html_build_internal.h"

enum { OUTER_MAX = 8, INNER_MAX = 3 };

/* ---- the list of active formatting elements ---- */

static void forget_at(struct html_builder *b, size_t i)
{
    memmove(b->active + i, b->active + i + 1,
            (b->n_active - i - 1) * sizeof *b->active);
    b->n_active--;
}

static void insert_at(struct html_builder *b, size_t i,
                      struct html_active active)
{
    memmove(b->active + i + 1, b->active + i,
            (b->n_active - i) * sizeof *b->active);
    b->active[i] = active;
    b->n_active++;
}

/* Three elements alike are enough: the oldest is forgotten. */
static void forget_fourth(struct html_builder *b, uint32_t node, uint64_t hash)
{
    const uint16_t tag = b->tree->node[node].tag;
    size_t earliest = 0;
    int alike = 0;

    for (size_t i = b->n_active; i-- > 0 && b->active[i].node;) {
        if (b->tree->node[b->active[i].node].tag == tag &&
            b->active[i].hash == hash) {
            earliest = i;
            alike++;
        }
    }
    if (alike >= 3)
        forget_at(b, earliest);
}

static void push(struct html_builder *b, struct html_active active)
{
    if (b->n_active == HTML_ACTIVE_CAP)
        forget_at(b, 0);
    b->active[b->n_active++] = active;
}

void html_push_active(struct html_builder *b, uint32_t node, uint64_t hash)
{
    forget_fourth(b, node, hash);
    push(b, (struct html_active){node, hash});
}

void html_push_marker(struct html_builder *b)
{
    push(b, (struct html_active){0, 0});
}

void html_clear_to_marker(struct html_builder *b)
{
    while (b->n_active && b->active[--b->n_active].node)
        ;
}

static size_t find_active_at(const struct html_builder *b, uint32_t node)
{
    for (size_t i = b->n_active; i-- > 0;) {
        if (b->active[i].node == node)
            return i;
    }
    return SIZE_MAX;
}

uint32_t html_find_active(const struct html_builder *b, enum html_tag tag)
{
    for (size_t i = b->n_active; i-- > 0 && b->active[i].node;) {
        if (b->tree->node[b->active[i].node].tag == tag)
            return b->active[i].node;
    }
    return 0;
}

void html_forget_active(struct html_builder *b, uint32_t node)
{
    const size_t i = find_active_at(b, node);

    if (i != SIZE_MAX)
        forget_at(b, i);
}

static size_t find_in_stack(const struct html_builder *b, uint32_t node)
{
    for (size_t i = b->n_stack; i-- > 0;) {
        if (b->stack[i] == node)
            return i;
    }
    return SIZE_MAX;
}

/* A new element with the tag and the attributes of another. */
static uint32_t clone(struct html_builder *b, uint32_t node)
{
    const uint32_t copy = html_tree_add(b->tree, HTML_ELEMENT);

    b->tree->node[copy].tag = b->tree->node[node].tag;
    b->tree->node[copy].slice = b->tree->node[node].slice;
    b->clones -= b->clones > 0;
    return copy;
}

void html_reopen_active(struct html_builder *b)
{
    size_t i = b->n_active;

    while (i > 0 && b->active[i - 1].node &&
           find_in_stack(b, b->active[i - 1].node) == SIZE_MAX)
        i--;
    for (; i < b->n_active; i++) {
        if (!b->clones || b->n_stack >= HTML_DEPTH_MAX)
            return;
        const uint32_t copy = clone(b, b->active[i].node);
        html_place(b, copy, 0);
        html_push(b, copy);
        b->active[i].node = copy;
    }
}

/* ---- the adoption agency ---- */

/* The topmost special element above the i-th of the stack. */
static size_t furthest_block(const struct html_builder *b, size_t i)
{
    for (i++; i < b->n_stack; i++) {
        const struct html_node *node = &b->tree->node[b->stack[i]];
        if (html_tag_has((enum html_tag)node->tag, HTML_SPECIAL) &&
            node->space == HTML_SPACE_HTML)
            return i;
    }
    return SIZE_MAX;
}

/* Step 13: what stands between the formatting element and the block is cloned
 * round the block. Returns the topmost clone (or the block); *bookmark is
 * where the formatting element's clone goes in the list. */
static uint32_t clone_between(struct html_builder *b, uint32_t formatting,
                              size_t block_at, size_t *bookmark)
{
    const uint32_t block = b->stack[block_at];
    uint32_t last = block;

    for (size_t i = block_at, round = 1; b->stack[--i] != formatting; round++) {
        const uint32_t node = b->stack[i];
        size_t active = find_active_at(b, node);
        if (round > INNER_MAX && active != SIZE_MAX) {
            forget_at(b, active);
            *bookmark -= active < *bookmark;
            active = SIZE_MAX;
        }
        if (active == SIZE_MAX) {
            html_remove_at(b, i);
            continue;
        }
        const uint32_t copy = clone(b, node);
        b->active[active].node = copy;
        b->stack[i] = copy;
        if (last == block)
            *bookmark = active + 1;
        html_tree_unlink(b->tree, last);
        html_tree_link(b->tree, copy, last, 0);
        last = copy;
    }
    return last;
}

/* Steps 14 to 19: the block's contents into a clone of the formatting
 * element, the clone into the block. */
static void wrap_contents(struct html_builder *b, uint32_t formatting,
                          uint32_t block, size_t bookmark)
{
    const uint32_t copy = clone(b, formatting);
    const size_t old = find_active_at(b, formatting);
    const struct html_active active = {copy, b->active[old].hash};

    html_tree_move_children(b->tree, block, copy);
    html_tree_link(b->tree, block, copy, 0);
    forget_at(b, old);
    if (bookmark > old)
        bookmark--;
    insert_at(b, bookmark > b->n_active ? b->n_active : bookmark, active);
    html_remove_at(b, find_in_stack(b, formatting));
    const size_t at = find_in_stack(b, block) + 1;
    memmove(b->stack + at + 1, b->stack + at,
            (b->n_stack - at) * sizeof *b->stack);
    b->stack[at] = copy;
    b->n_stack++;
    b->n_open[b->tree->node[copy].tag]++;
}

/* One round; 0 when it was the last. */
static int adopt_once(struct html_builder *b, uint32_t formatting)
{
    const size_t at = find_in_stack(b, formatting);
    const size_t block_at = furthest_block(b, at);
    size_t bookmark = find_active_at(b, formatting);

    if (block_at == SIZE_MAX || !b->clones || b->n_stack >= HTML_DEPTH_MAX) {
        html_pop_to(b, at);
        html_forget_active(b, formatting);
        return 0;
    }
    const uint32_t ancestor = b->stack[at - 1];
    const uint32_t block = b->stack[block_at];
    const uint32_t last = clone_between(b, formatting, block_at, &bookmark);
    html_tree_unlink(b->tree, last);
    html_place(b, last, ancestor);
    wrap_contents(b, formatting, block, bookmark);
    return 1;
}

int html_adopt(struct html_builder *b, enum html_tag tag)
{
    const uint32_t current = html_current(b);

    if (html_is_at(b, b->n_stack - 1, tag) &&
        find_active_at(b, current) == SIZE_MAX) {
        html_pop(b);
        return 1;
    }
    for (int round = 0; round < OUTER_MAX; round++) {
        const uint32_t formatting = html_find_active(b, tag);
        if (!formatting)
            return 0;
        const size_t at = find_in_stack(b, formatting);
        if (at == SIZE_MAX) {
            html_forget_active(b, formatting);
            return 1;
        }
        if (!html_node_in_scope(b, formatting))
            return 1;
        if (!adopt_once(b, formatting))
            return 1;
    }
    return 1;
}
