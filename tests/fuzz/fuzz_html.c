/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes pages of HTML: charsets are guessed and converted, trees are whole
 * (every node once, links that agree) and small enough, texts are UTF-8, and
 * a second reading gives the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/input.h"
#include "core/utf8.h"
#include "pipeline/charset.h"
#include "pipeline/html_text.h"
#include "pipeline/html_tree.h"
#include "tests/fuzz/fuzz_loop.h"

static void check_links(const struct html_tree *tree, uint32_t i)
{
    const struct html_node *n = tree->node;

    if (n[i].first)
        OY_ASSERT(n[n[i].first].parent == i && !n[n[i].first].prev);
    if (n[i].last)
        OY_ASSERT(n[n[i].last].parent == i && !n[n[i].last].next);
    if (n[i].next)
        OY_ASSERT(n[n[i].next].prev == i && n[n[i].next].parent == n[i].parent);
    OY_ASSERT(!n[i].first == !n[i].last);
}

/* Walks the tree; fewer nodes may be in it than were made, none twice. */
static void check_tree(const struct html_tree *tree, size_t len)
{
    const struct html_node *n = tree->node;
    size_t seen = 0;
    uint32_t i = 0;

    for (;;) {
        OY_ASSERT(i < tree->n_node && ++seen <= tree->n_node);
        check_links(tree, i);
        if (n[i].first) {
            i = n[i].first;
            continue;
        }
        while (i && !n[i].next)
            i = n[i].parent;
        if (!i)
            break;
        i = n[i].next;
    }
    OY_ASSERT(tree->n_node <= 8192 + 2 * len);
}

static void check_text(const char *page, size_t len, enum html_part part)
{
    struct html_text *text = html_text_new();
    struct oy_buffer once = {0}, twice = {0};

    OY_ASSERT(html_text_extract(text, page, len, part, &once) == 0);
    OY_ASSERT(html_text_extract(text, page, len, part, &twice) == 0);
    OY_ASSERT(once.len == twice.len &&
              (!once.len || memcmp(once.data, twice.data, once.len) == 0));
    OY_ASSERT(!once.len || oy_utf8_valid(once.data, once.len));
    html_text_free(text);
    oy_buffer_release(&once);
    oy_buffer_release(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct charset_guess guess =
        charset_guess((const char *)data, size, "", 1);
    struct oy_buffer page = {0};
    struct html_tree tree = {0};

    charset_convert(guess.name, (const char *)data + guess.mark,
                    size - guess.mark, &page);
    /* An exact copy: reading behind its end is seen. */
    char *exact = malloc(page.len ? page.len : 1);
    if (page.len)
        memcpy(exact, page.data, page.len);
    OY_ASSERT(oy_utf8_valid(exact, page.len));
    OY_ASSERT(html_tree_parse(&tree, exact, page.len) == 0);
    check_tree(&tree, page.len);
    check_text(exact, page.len, HTML_MAIN);
    check_text(exact, page.len, HTML_FULL);
    free(exact);
    html_tree_release(&tree);
    oy_buffer_release(&page);
    return 0;
}

/* Tags of all kinds, so that pages meet every rule. */
const char *const fuzz_piece[] = {
#define HTML_TAG(id, name, traits)                                             \
    "<" name ">", "</" name ">", "<" name " class=ad id=q ",
#include "pipeline/html_tag_list.h"
#undef HTML_TAG
    "<",
    ">",
    "&",
    "&not",
    "&notin;",
    "&#x80;",
    "&#0;",
    "<!--",
    "-->",
    "--!>",
    "<![CDATA[",
    "]]>",
    "</",
    "<!",
    "<?",
    "\"",
    "'",
    "=",
    "\r\n",
    "\r",
    "\xc2\xb6",
    "\xe2\x80\xa6",
    " ",
    "word",
    "</>",
    "<x-y>",
    "</x-y>",
    "<!doctype html>",
    "/>",
    " class=\"nav post\"",
    " id='search'",
    " type=hidden",
    " alt=\"a b\"",
    "<meta charset=shift_jis>",
    "<meta charset=utf-16>",
    "\xff",
    NULL,
};
