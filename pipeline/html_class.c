/* SPDX-License-Identifier: Apache-2.0
 *
 * What the names of classes and ids say of an element: the expressions of
 * resiliparse 0.14.5, those with one consequence joined. */
#include <string.h>

#include "core/error.h"
#include "core/hash.h"
#include "pipeline/html_text_internal.h"

enum source { OF_CLASS, OF_ID, OF_BOTH };

/* Matched anywhere, letters of either case; \z where the peer's engine, RE2,
 * says $. */
static const struct {
    int says;
    enum source source;
    const char *expression;
} rules[] = {{HTML_SAYS_HIDDEN, OF_CLASS,
              "(?i)(?:^|\\s)(?:is[_-])?(?:display-none|hidden|invisible|"
              "collapsed|h-0|nocontent|expandable)(?:-xs|-sm|-lg|"
              "-2?xl)?(?:\\z|\\s)"},
             {HTML_SAYS_SKIP, OF_BOTH,
              "(?i)(?:^|\\s)(?:link[_-]?)?(?:skip(?:[_-]?(?:to|link))?|"
              "scroll[_-]?(?:up|down)|next|prev(?:ious)?|permalink|"
              "pagination)(?:\\z|\\s|[_-]?(?:post|article))"},
             {HTML_SAYS_PERSONAL, OF_CLASS,
              "(?i)(?:(?:^|[\\s_-])(?:(?:log[_-]?in|sign[_-]?(?:in|up)|"
              "account)|user[_-](?:info|profile|settings|actions))(?:\\z|"
              "[\\s_-]))|(?:(?:^|[\\s_-])(?:(?:post|entry|article(?:page)?|"
              "content|story|section)[_-]*(?:text[_-]*)?(?:footer|teaser|"
              "meta(?:[_-]?data)?|subline|sidebar|author(?:name)?|published|"
              "timestamp|date|posted[_-]?on|info|labels?|tags?|keywords|"
              "category)|by[_-]?line|date[_-]?line|author-date|"
              "submitted(?:-by)?)|meta[_-]?data(?:\\z|[\\s_-]))|(?:(?:^|\\s|"
              "__|--|mobile-|desktop-|l-|m-|c-)(?:social(?:media|search)?|"
              "share(?:daddy)?|syndication|newsletter|sharing|follow|email|"
              "likes?|(?:give[_-]?)?feedback|(?:brand[_-])?engagement|"
              "facebook|twitter|subscribe|wa|jp|aptf-follow)(?:[_-]?(?:post|"
              "links?|section|icons?|btn|buttons?|target))?(?:\\z|[\\s_-]))"},
             {HTML_SAYS_ADVERT, OF_BOTH,
              "(?i)(?:(?:brand(?:ing)?[_-]*)?logo(?:\\z|\\s))|(?:(?:^|"
              "\\s)(?:(?:google|wide)[_-]?ads?|ad(?:vert|vertise(?:ment|"
              "link)?|\\z|_[a-f0-9]+)|sponsor(?:ed)?|promoted|paid|"
              "(?:wide)?banner|donate)(?:\\z|[\\s_-]))"},
             {HTML_SAYS_ARTICLE, OF_BOTH,
              "(?i)(?:^|[\\s_-])(?:article|entry|post|story|single[_-]?post|"
              "main[_-]content)(?:content|body|text|page)?(?:\\z|[\\s_-])"},
             {HTML_SAYS_LANDMARK, OF_ID,
              "(?i)^(?:(?:l|wp|global|page|site|full|"
              "sticky)[_-]*)?(?:(?:head|foot)(?:er)?|right)\\z"},
             {HTML_SAYS_CHROME, OF_BOTH,
              "(?i)(?:(?:^|\\s)(?:l|m|wp|global|page|site|full|"
              "sticky)[_-]*header(?:[_-]?wrap(?:per)?|bar)?(?:\\z|\\s))|"
              "(?:(?:^|[\\s_-])(?:global|page|site|copyright)?(?:footer|"
              "copyright|cookie|consent|legal|fcontainer)(?:\\z|[\\s_-]))|"
              "(?:(?:^|\\s)(?:(?:l|m|wp|main|site|page|sub|article|global|"
              "sticky|main)[_-]*)?(?:nav(?:igation)?|menu(?:[_-]item)?|"
              "drop[_-]?down|bread[_-]?crumbs?)|(?:links?[_-]?(?:bar|box|"
              "list|container|section|wrapp(?:er))?)(?:\\z|[\\s_-]))|(?:(?:^|"
              "[\\s_-])(?:trends|trending|recommended|featured|popular|"
              "editors?[_-]picks|related|read-next|(?:related|more|"
              "other)[_-]?(?:links|articles|posts|guides|stories))(?:\\z|"
              "[\\s_-]))|(?:(?:^|[\\s_-])search(?:[_-]?(?:bar|facility|"
              "box))?(?:\\z|\\s))|(?:(?:^|\\s)(?:(?:l|wp|right|left|global|"
              "sticky)[_-]*)?(?:(?:side|sticky)[_-]?(?:bars?|box)|"
              "one-third)(?:\\z|[\\s_-]))|(?:(?:^|\\s)(?:wp-|p-|-l)?(?:modal|"
              "popup|lightbox)(?:[_-]*(?:window|pane|box))?(?:\\z|[\\s_-]))|"
              "(?:(?:^|[\\s_-])(?:gallery|carousel)(?:\\z|[\\s_-]))|(?:(?:^|"
              "\\s)print[_-])"}};

static const char style_expression[] =
    "(?i)(?:^|;\\s*)(?:display\\s?:\\s?none|"
    "visibility\\s?:\\s?hidden)(?:\\z|\\s?;)";

enum { N_RULE = sizeof rules / sizeof *rules, CACHE_SIZE = 1 << 12 };

/* A pair of names that has been judged. */
struct judged {
    uint64_t hash; /* 0: none */
    int said;
};

struct html_classes {
    struct oy_regex *rule[N_RULE];
    struct oy_regex *style;
    struct oy_regex_matcher *matcher;
    struct judged judged[CACHE_SIZE];
    struct oy_buffer both;
};

static struct oy_regex *compile(const char *expression)
{
    struct oy_error err = {0};
    struct oy_regex *regex =
        oy_regex_new(expression, strlen(expression), OY_REGEX_PCRE2, &err);

    OY_ASSERT(regex);
    return regex;
}

struct html_classes *html_classes_new(void)
{
    struct html_classes *classes = oy_calloc(1, sizeof *classes);

    for (int i = 0; i < N_RULE; i++)
        classes->rule[i] = compile(rules[i].expression);
    classes->style = compile(style_expression);
    classes->matcher = oy_regex_matcher_new();
    return classes;
}

void html_classes_free(struct html_classes *classes)
{
    if (!classes)
        return;
    for (int i = 0; i < N_RULE; i++)
        oy_regex_free(classes->rule[i]);
    oy_regex_free(classes->style);
    oy_regex_matcher_free(classes->matcher);
    oy_buffer_release(&classes->both);
    oy_free(classes);
}

/* A search that is given up says nothing. */
static int matches(struct html_classes *classes, const struct oy_regex *regex,
                   const char *text, size_t len)
{
    struct oy_regex_match match;
    struct oy_error err = {0};

    return oy_regex_find(regex, classes->matcher, text, len, 0, &match, &err) >
           0;
}

/* `both` is class, space, id. */
static int judge(struct html_classes *classes, const struct oy_buffer *both,
                 size_t class_len)
{
    int said = 0;

    for (int i = 0; i < N_RULE; i++) {
        const char *text = both->data;
        size_t len = both->len;
        if (rules[i].source == OF_CLASS)
            len = class_len;
        if (rules[i].source == OF_ID) {
            text += class_len + 1;
            len -= class_len + 1;
        }
        if (matches(classes, classes->rule[i], text, len))
            said |= rules[i].says;
    }
    return said;
}

int html_classes_judge(struct html_classes *classes, const char *class,
                       size_t class_len, const char *id, size_t id_len)
{
    struct oy_buffer *both = &classes->both;

    oy_buffer_clear(both);
    oy_buffer_append(both, class, class_len);
    oy_buffer_append_char(both, ' ');
    oy_buffer_append(both, id, id_len);
    const uint64_t hash =
        (oy_hash64(both->data, both->len) ^ oy_mix64(class_len)) | 1;
    struct judged *judged = &classes->judged[hash >> 52];
    if (judged->hash != hash) {
        judged->hash = hash;
        judged->said = judge(classes, both, class_len);
    }
    return judged->said;
}

int html_classes_hides(struct html_classes *classes, const char *style,
                       size_t len)
{
    return matches(classes, classes->style, style, len);
}
