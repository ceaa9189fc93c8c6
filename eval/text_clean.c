/* SPDX-License-Identifier: Apache-2.0
 *
 * Cleaning of benchmark texts. */
#include "eval/text_clean.h"

#include <string.h>

#include "core/unicode.h"
#include "core/utf8.h"
#include "eval/answer_math.h"
#include "eval/answer_text.h"
#include "eval/python_literal.h"

static void replace(struct oy_text text, const char *from, const char *to,
                    struct oy_buffer *out)
{
    const size_t from_len = strlen(from);
    const char *found;

    if (text.len == 0)
        return;
    while ((found = memmem(text.at, text.len, from, from_len)) != NULL) {
        const size_t before = (size_t)(found - text.at);
        oy_buffer_append(out, text.at, before);
        oy_buffer_append_string(out, to);
        text.at += before + from_len;
        text.len -= before + from_len;
    }
    oy_buffer_append(out, text.at, text.len);
}

/* In place, through a spare buffer. */
void text_replace_all(struct oy_buffer *text, const char *from, const char *to)
{
    struct oy_buffer out = {0};

    replace((struct oy_text){text->data, text->len}, from, to, &out);
    oy_buffer_release(text);
    *text = out;
}

/* The regex `\[.*?\]` replaced by nothing: the dot does not match an LF. */
static void delete_brackets(struct oy_text text, struct oy_buffer *out)
{
    size_t at = 0;

    while (at < text.len) {
        size_t end = at + 1;
        if (text.at[at] != '[') {
            oy_buffer_append_char(out, text.at[at++]);
            continue;
        }
        while (end < text.len && text.at[end] != ']' && text.at[end] != '\n')
            end++;
        if (end < text.len && text.at[end] == ']')
            at = end + 1;
        else
            oy_buffer_append_char(out, text.at[at++]);
    }
}

void text_clean_wikihow(const char *text, size_t len, struct oy_buffer *out)
{
    const struct oy_text stripped = answer_strip((struct oy_text){text, len});
    struct oy_buffer titled = {0}, bare = {0};

    replace(stripped, " [title]", ". ", &titled);
    delete_brackets((struct oy_text){titled.data, titled.len}, &bare);
    replace((struct oy_text){bare.data, bare.len}, "  ", " ", out);
    oy_buffer_release(&titled);
    oy_buffer_release(&bare);
}

/* The regex OPEN\s*([^CLOSE]*?)\s*CLOSE replaced by OPEN\1CLOSE: what is
 * between an opening mark and the next closing one is stripped. An opening
 * mark without a closing one stays, and no later one can have one either. */
static void strip_between(struct oy_buffer *text, char open, char close)
{
    struct oy_buffer out = {0};
    const char *at = text->data;
    const char *end = text->data + text->len;

    while (at < end) {
        const char *start = memchr(at, open, (size_t)(end - at));
        const char *stop =
            start ? memchr(start + 1, close, (size_t)(end - start) - 1) : NULL;
        if (!stop)
            break;
        const struct oy_text inner = answer_strip(
            (struct oy_text){start + 1, (size_t)(stop - start) - 1});
        oy_buffer_append(&out, at, (size_t)(start + 1 - at));
        oy_buffer_append(&out, inner.at, inner.len);
        oy_buffer_append_char(&out, close);
        at = stop + 1;
    }
    if (at < end)
        oy_buffer_append(&out, at, (size_t)(end - at));
    oy_buffer_release(text);
    *text = out;
}

struct pair {
    const char *from;
    const char *to;
};

static void replace_pairs(struct oy_buffer *text, const struct pair *pair)
{
    for (; pair->from; pair++)
        text_replace_all(text, pair->from, pair->to);
}

void text_clean_wikitext(const char *text, size_t len, struct oy_buffer *out)
{
    /* lm-eval's second rule, the regex "/' [0-9]/", has slashes that no text
     * has and a replacement that would be wrong: left out. */
    static const struct pair before[] = {
        {"s '", "s'"}, {" @-@ ", "-"}, {" @,@ ", ","}, {" @.@ ", "."},
        {" : ", ": "}, {" ; ", "; "},  {" . ", ". "},  {" ! ", "! "},
        {" ? ", "? "}, {" , ", ", "},  {NULL, NULL},
    };
    static const struct pair after[] = {
        {"= = = =", "===="},    {"= = =", "==="}, {"= =", "=="},
        {" \u00b0 ", "\u00b0"}, {" \n", "\n"},    {"\n ", "\n"},
        {" N ", " 1 "},         {" 's", "'s"},    {NULL, NULL},
    };
    struct oy_buffer work = {0};

    oy_buffer_append(&work, text, len);
    replace_pairs(&work, before);
    strip_between(&work, '(', ')');
    strip_between(&work, '[', ']');
    strip_between(&work, '{', '}');
    strip_between(&work, '"', '"');
    strip_between(&work, '\'', '\'');
    replace_pairs(&work, after);
    oy_buffer_append(out, work.data, work.len);
    oy_buffer_release(&work);
}

int64_t text_count_words(const char *text, size_t len)
{
    int64_t n = 1;
    int inside = 0;

    for (size_t at = 0; at < len;) {
        const int space = oy_py_isspace(oy_utf8_next(text, &at));
        n += space && !inside;
        inside = space;
    }
    return n;
}

int64_t text_count_bytes(const char *text, size_t len)
{
    (void)text;
    return (int64_t)len;
}

static const struct template_text_filter text_filters[] = {
    {"wikihow_clean", text_clean_wikihow},
    {"wikitext_detokenize", text_clean_wikitext},
    {"math_boxed", answer_math_boxed},
    {NULL, NULL},
};

static const struct template_count_filter counts[] = {
    {"split_count", text_count_words},
    {"byte_count", text_count_bytes},
    {NULL, NULL},
};

static const struct template_value_filter values[] = {
    {"python_literal", python_literal},
    {NULL, NULL},
};

const struct template_options text_clean_options = {
    .flags = TEMPLATE_PROMPT,
    .text_filter = text_filters,
    .count_filter = counts,
    .value_filter = values,
};
