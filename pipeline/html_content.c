/* SPDX-License-Identifier: Apache-2.0
 *
 * What belongs to the main content of a page: the rules of resiliparse 0.14.5,
 * which were found by experiment. */
#include <string.h>
#include <strings.h>

#include "pipeline/html_text_internal.h"

/* ---- weights ---- */

/* Bytes of the text when each run of white space is one. */
static struct html_weight weigh_text(const char *text, size_t len)
{
    struct html_weight weight = {0};
    uint32_t squeezed = 0;
    int before = 0;

    for (size_t i = 0; i < len; i++) {
        const int is_space = html_blank(text[i]);
        squeezed += (uint32_t)(is_space & before);
        before = is_space;
    }
    weight.len = (uint32_t)len - squeezed;
    weight.starts_in_space = len && html_blank(text[0]);
    weight.ends_in_space = (uint8_t)before;
    return weight;
}

static void add_weight(struct html_weight *sum, const struct html_weight *more)
{
    sum->links += more->links;
    if (more->len == 0)
        return;
    if (sum->len == 0) {
        sum->starts_in_space = more->starts_in_space;
        sum->len = more->len;
    } else {
        sum->len += more->len;
        sum->len -= (uint32_t)(sum->ends_in_space & more->starts_in_space);
    }
    sum->ends_in_space = more->ends_in_space;
}

/* Adds the finished weight of a node to its parent's. */
static void finish_weight(struct html_content *content,
                          const struct html_tree *tree, uint32_t node)
{
    const struct html_node *n = &tree->node[node];
    struct html_weight weight = content->weight[node];

    if (n->tag == HTML_TAG_A)
        weight.links += weight.len;
    if (n->kind != HTML_COMMENT && !html_is_template(n))
        add_weight(&content->weight[n->parent], &weight);
}

void html_content_weigh(struct html_content *content,
                        const struct html_tree *tree)
{
    const struct html_node *n = tree->node;
    uint32_t node = tree->body;

    OY_GROW(content->weight, content->cap_weight, tree->n_node);
    memset(content->weight, 0, tree->n_node * sizeof *content->weight);
    for (;;) {
        if (n[node].kind == HTML_TEXT)
            content->weight[node] = weigh_text(
                html_tree_bytes(tree, n[node].slice), n[node].slice.len);
        if (n[node].first) {
            node = n[node].first;
            continue;
        }
        finish_weight(content, tree, node);
        while (node != tree->body && !n[node].next) {
            node = n[node].parent;
            if (node != tree->body)
                finish_weight(content, tree, node);
        }
        if (node == tree->body)
            return;
        node = n[node].next;
    }
}

/* Whether links are more than `ratio` of the node's text, which is no longer
 * than `max` bytes (0: of any length). */
static int is_link_cluster(const struct html_content *content, uint32_t node,
                           double ratio, uint32_t max)
{
    const struct html_weight *weight = &content->weight[node];

    if (weight->len == 0 || (max && weight->len > max))
        return 0;
    return (double)weight->links / weight->len > ratio;
}

/* ---- the root ---- */

static const char *value_of(const struct html_tree *tree,
                            const struct html_node *node,
                            enum html_attribute_name name, size_t *len)
{
    const struct html_attribute *a = html_tree_attribute(tree, node, name);

    *len = a ? a->value.len : 0;
    return a ? html_tree_bytes(tree, a->value) : "";
}

/* `list` has a space on both sides of each word. */
static int is_word_of(const char *list, const char *word, size_t len,
                      int any_case)
{
    for (const char *at = list + 1; *at; at = strchr(at, ' ') + 1) {
        const size_t n = strcspn(at, " ");
        if (n == len && (any_case ? strncasecmp(at, word, len)
                                  : memcmp(at, word, len)) == 0)
            return 1;
    }
    return 0;
}

static int has_content_class(const struct html_tree *tree,
                             const struct html_node *node)
{
    static const char classes[] =
        " article-body articleBody contentBody article-text main-content "
        "postcontent post-content single-post ";
    size_t len, i = 0;
    const char *text = value_of(tree, node, HTML_ATTR_CLASS, &len);

    while (i < len) {
        const size_t start = i;
        while (i < len && !html_is_space(text[i]))
            i++;
        if (i - start >= 10 && is_word_of(classes, text + start, i - start, 1))
            return 1;
        i++;
    }
    return 0;
}

static int names_content(const struct html_tree *tree,
                         const struct html_node *node)
{
    size_t len;
    const char *role = value_of(tree, node, HTML_ATTR_ROLE, &len);

    return (len == 4 && memcmp(role, "main", 4) == 0) ||
           has_content_class(tree, node);
}

/* The node behind `node` in the order of the page, not inside it; 0 at the
 * end. */
static uint32_t next_outside(const struct html_tree *tree, uint32_t node)
{
    while (node != tree->body && !tree->node[node].next)
        node = tree->node[node].parent;
    return node == tree->body ? 0 : tree->node[node].next;
}

uint32_t html_content_root(const struct html_tree *tree)
{
    uint32_t root = 0, node = tree->node[tree->body].first;

    while (node) {
        const struct html_node *n = &tree->node[node];
        if (n->slice.len && n->kind == HTML_ELEMENT && names_content(tree, n)) {
            if (root)
                return tree->body;
            root = node;
        }
        node = n->first && !html_is_template(n) ? n->first
                                                : next_outside(tree, node);
    }
    return root ? root : tree->body;
}

/* ---- the rules ---- */

enum verdict { UNDECIDED, KEEP, DROP };

int html_content_holds_text(const char *text, size_t len)
{
    const unsigned char *s;

    while (len && html_blank(text[0])) {
        text++;
        len--;
    }
    while (len && html_blank(text[len - 1]))
        len--;
    if (len == 2 && memcmp(text, "\u00b6", 2) == 0)
        return 0;
    if (len != 3)
        return 1;
    s = (const unsigned char *)text;
    const uint32_t c = s[0] + 256u * s[1] + 65536u * s[2];
    return c < 0x8080ee || c > 0xbfa3ef;
}

/* Whether anything follows a footer, or what is around it below the body's
 * own children; a text just behind does not count. */
static int is_followed(const struct html_tree *tree, uint32_t node)
{
    const struct html_node *n = tree->node;

    for (; n[node].parent != tree->body; node = n[node].parent) {
        uint32_t next = n[node].next;
        while (next && n[next].kind == HTML_TEXT)
            next = n[next].next;
        if (next)
            return 1;
    }
    return 0;
}

static enum verdict by_tag(const struct html_content *content,
                           const struct html_tree *tree, uint32_t node,
                           int depth)
{
    switch (tree->node[node].tag) {
    case HTML_TAG_BODY:
    case HTML_TAG_MAIN:
    case HTML_TAG_H1: return KEEP;
    case HTML_TAG_FOOTER:
        if (depth < 3 || is_link_cluster(content, node, .2, 0))
            return DROP;
        return is_followed(tree, node) ? KEEP : DROP;
    case HTML_TAG_UL:
        return depth < 4 || is_link_cluster(content, node, .2, 0) ? DROP
                                                                  : UNDECIDED;
    case HTML_TAG_ARTICLE:
        return depth > 2 && is_link_cluster(content, node, .2, 500) ? DROP
                                                                    : UNDECIDED;
    case HTML_TAG_NAV:
    case HTML_TAG_ASIDE:
    case HTML_TAG_AUDIO:
    case HTML_TAG_VIDEO:
    case HTML_TAG_TIME: return DROP;
    default: return UNDECIDED;
    }
}

/* Whether the attribute's value, white space off its ends, is in the list. */
static int says(const struct html_tree *tree, const struct html_node *node,
                enum html_attribute_name name, const char *list)
{
    size_t len;
    const char *value = value_of(tree, node, name, &len);

    while (len && html_blank(value[0])) {
        value++;
        len--;
    }
    while (len && html_blank(value[len - 1]))
        len--;
    return len && is_word_of(list, value, len, 0);
}

static enum verdict by_attributes(const struct html_tree *tree,
                                  const struct html_node *node)
{
    if (html_tree_attribute(tree, node, HTML_ATTR_HIDDEN) ||
        says(tree, node, HTML_ATTR_REL, " author icon search prev next tag ") ||
        says(tree, node, HTML_ATTR_ITEMPROP, " datePublished author url ") ||
        says(tree, node, HTML_ATTR_ARIA_HIDDEN, " true ") ||
        says(tree, node, HTML_ATTR_ARIA_EXPANDED, " false "))
        return DROP;
    return UNDECIDED;
}

/* What holds for every element with a class or an id. */
static enum verdict by_names(struct html_content *content,
                             const struct html_tree *tree,
                             const struct html_node *node, int said, int depth)
{
    const int skips = node->tag == HTML_TAG_A || node->tag == HTML_TAG_DIV ||
                      node->tag == HTML_TAG_LI;
    size_t len;
    const char *style = value_of(tree, node, HTML_ATTR_STYLE, &len);

    if ((said & HTML_SAYS_HIDDEN) ||
        (len && html_classes_hides(content->classes, style, len)) ||
        (skips && (said & HTML_SAYS_SKIP)) ||
        (depth > 2 && (said & HTML_SAYS_PERSONAL)) ||
        (said & HTML_SAYS_ADVERT) ||
        html_tree_attribute(tree, node, HTML_ATTR_DATA_AD))
        return DROP;
    return UNDECIDED;
}

/* What holds for blocks only. */
static enum verdict by_block(const struct html_tree *tree,
                             const struct html_node *node, int said)
{
    size_t len;
    const char *rel = value_of(tree, node, HTML_ATTR_REL, &len);

    if (!html_tag_has((enum html_tag)node->tag, HTML_BLOCK) &&
        node->tag != HTML_TAG_TD)
        return KEEP;
    if (len == 4 && memcmp(rel, "main", 4) == 0)
        return KEEP;
    if (says(tree, node, HTML_ATTR_ROLE,
             " alert banner checkbox comment complementary contentinfo dialog "
             "img menu menubar menuitem navigation presentation radio search "
             "searchbox separator tab toolbar tooltip "))
        return DROP;
    if (said & HTML_SAYS_ARTICLE)
        return KEEP;
    return said & (HTML_SAYS_LANDMARK | HTML_SAYS_CHROME) ? DROP : UNDECIDED;
}

int html_content_holds(struct html_content *content,
                       const struct html_tree *tree, uint32_t node, int depth)
{
    const struct html_node *n = &tree->node[node];
    const int is_div = n->tag == HTML_TAG_DIV;
    enum verdict verdict = by_tag(content, tree, node, depth);
    size_t class_len, id_len;

    if (verdict != UNDECIDED)
        return verdict == KEEP;
    if (n->slice.len && by_attributes(tree, n) == DROP)
        return 0;
    const char *class = value_of(tree, n, HTML_ATTR_CLASS, &class_len);
    const char *id = value_of(tree, n, HTML_ATTR_ID, &id_len);
    if (!class_len && !id_len)
        return !is_div || depth <= 5 ||
               !is_link_cluster(content, node, .6, 800);
    const int said =
        html_classes_judge(content->classes, class, class_len, id, id_len);
    verdict = by_names(content, tree, n, said, depth);
    if (verdict == UNDECIDED)
        verdict = by_block(tree, n, said);
    if (verdict != UNDECIDED)
        return verdict == KEEP;
    return !is_div || depth <= 2 || !is_link_cluster(content, node, .6, 1500);
}
