/* SPDX-License-Identifier: Apache-2.0
 *
 * Nodes and their links. */
#include "pipeline/html_tree.h"

#include <string.h>

#include "pipeline/html_build_internal.h"

const struct html_attribute *html_tree_attribute(const struct html_tree *tree,
                                                 const struct html_node *node,
                                                 enum html_attribute_name name)
{
    if (node->kind != HTML_ELEMENT)
        return NULL;
    for (uint32_t i = 0; i < node->slice.len; i++) {
        const struct html_attribute *a = &tree->attribute[node->slice.at + i];
        if (a->name == (uint32_t)name)
            return a;
    }
    return NULL;
}

uint32_t html_tree_add(struct html_tree *tree, enum html_kind kind)
{
    OY_GROW(tree->node, tree->cap_node, tree->n_node + 1);
    tree->node[tree->n_node] = (struct html_node){.kind = (uint8_t)kind};
    return (uint32_t)tree->n_node++;
}

void html_tree_link(struct html_tree *tree, uint32_t parent, uint32_t child,
                    uint32_t next)
{
    struct html_node *node = tree->node;
    const uint32_t prev = next ? node[next].prev : node[parent].last;

    node[child].parent = parent;
    node[child].next = next;
    node[child].prev = prev;
    if (prev)
        node[prev].next = child;
    else
        node[parent].first = child;
    if (next)
        node[next].prev = child;
    else
        node[parent].last = child;
}

void html_tree_unlink(struct html_tree *tree, uint32_t child)
{
    struct html_node *node = tree->node;
    struct html_node *const c = &node[child];

    if (c->prev)
        node[c->prev].next = c->next;
    else if (node[c->parent].first == child)
        node[c->parent].first = c->next;
    if (c->next)
        node[c->next].prev = c->prev;
    else if (node[c->parent].last == child)
        node[c->parent].last = c->prev;
    c->parent = c->next = c->prev = 0;
}

void html_tree_move_children(struct html_tree *tree, uint32_t from, uint32_t to)
{
    struct html_node *node = tree->node;
    const uint32_t first = node[from].first;

    if (!first)
        return;
    for (uint32_t i = first; i; i = node[i].next)
        node[i].parent = to;
    node[first].prev = node[to].last;
    if (node[to].last)
        node[node[to].last].next = first;
    else
        node[to].first = first;
    node[to].last = node[from].last;
    node[from].first = node[from].last = 0;
}

static void clear(struct html_tree *tree, const char *page)
{
    tree->page = page;
    tree->n_node = tree->n_attribute = 0;
    tree->root = tree->body = 0;
    tree->quirks = 0;
    oy_buffer_clear(&tree->decoded);
    html_tree_add(tree, HTML_DOCUMENT);
}

int html_tree_parse(struct html_tree *tree, const char *page, size_t len)
{
    clear(tree, page);
    if (len >= HTML_DECODED / 2)
        return -1;
    html_build(tree, len);
    return 0;
}

void html_tree_release(struct html_tree *tree)
{
    oy_free(tree->node);
    oy_free(tree->attribute);
    oy_buffer_release(&tree->decoded);
    *tree = (struct html_tree){0};
}
