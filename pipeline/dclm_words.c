/* SPDX-License-Identifier: Apache-2.0
 *
 * Words as DCLM splits and counts them. */
#include "pipeline/dclm_words.h"

#include "core/unicode.h"
#include "core/utf8.h"

const char *const dclm_words_models[] = {"fasttext", "uniseg", "split", NULL};

/* Whether split_words() counts the piece; DCLM asks for its first character,
 * or whether anything is left of it when it is stripped. */
static int is_counted(const struct dclm_words *p, const char *text, size_t at,
                      size_t len)
{
    size_t next = at;
    const uint32_t c = oy_utf8_next(text, &next);

    /* The first letter of "</s>" is none. */
    if (p->model == DCLM_FASTTEXT && c == '\n')
        return !p->ignore_punctuation;
    if (p->ignore_punctuation)
        return oy_py_isalnum(c) || (!p->ignore_whitespace && oy_py_isspace(c));
    if (!p->ignore_whitespace)
        return 1;
    words_strip(text, &at, &len);
    return len > 0;
}

/* Bytes at which fastText cuts. */
static int is_fasttext_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}

/* The end of the token that begins at *at or behind; *at at the end of the
 * text when there is none. */
static size_t fasttext_end(struct oy_text text, size_t *at)
{
    while (*at < text.len && is_fasttext_space(text.at[*at]) &&
           text.at[*at] != '\n')
        ++*at;
    size_t end = *at;
    while (end < text.len && !is_fasttext_space(text.at[end]))
        end++;
    return end == *at && end < text.len ? end + 1 : end;
}

static size_t split_end(struct oy_text text, size_t *at)
{
    size_t end = *at;

    for (size_t next = *at; next < text.len; *at = end = next) {
        if (!oy_py_isspace(oy_utf8_next(text.at, &next)))
            break;
    }
    for (size_t next = end; next < text.len; end = next) {
        if (oy_py_isspace(oy_utf8_next(text.at, &next)))
            break;
    }
    return end;
}

static size_t piece_end(const struct dclm_words *p, struct oy_text text,
                        size_t *at)
{
    switch (p->model) {
    case DCLM_FASTTEXT: return fasttext_end(text, at);
    case DCLM_UNISEG: return words_segment_end(text.at, text.len, *at);
    default: return split_end(text, at);
    }
}

int dclm_words_next(const struct dclm_words *words, struct oy_text text,
                    size_t *at, struct oy_text *word)
{
    while (*at < text.len) {
        const size_t end = piece_end(words, text, at), start = *at;
        *at = end;
        if (end > start && is_counted(words, text.at, start, end - start)) {
            *word = (struct oy_text){text.at + start, end - start};
            return 1;
        }
    }
    return 0;
}

size_t dclm_words_count(const struct dclm_words *words,
                        struct document *document)
{
    struct oy_text word;
    size_t n = 0;

    if (words->model == DCLM_UNISEG && words->ignore_punctuation &&
        words->ignore_whitespace)
        return document_uniseg_words(document)->n;
    if (words->model == DCLM_SPLIT && !words->ignore_punctuation)
        return document_ws_words(document)->n;
    for (size_t at = 0; dclm_words_next(words, document->text, &at, &word);)
        n++;
    return n;
}
