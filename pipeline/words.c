/* SPDX-License-Identifier: Apache-2.0
 *
 * Words between white space, and the choice of a splitter. */
#include "pipeline/words.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/unicode.h"
#include "core/utf8.h"
#include "pipeline/words_internal.h"

static const char *const splitter_name[] = {
    [WORDS_NONE] = "none",
    [WORDS_WS] = "ws",
    [WORDS_UAX29] = "uax29",
};

enum words_splitter words_splitter_of(const char *name)
{
    if (!strcmp(name, splitter_name[WORDS_WS]))
        return WORDS_WS;
    if (!strcmp(name, splitter_name[WORDS_UAX29]))
        return WORDS_UAX29;
    return WORDS_NONE;
}

const char *words_splitter_name(enum words_splitter splitter)
{
    return splitter_name[splitter];
}

void words_release(struct words *words)
{
    oy_free(words->item);
    *words = (struct words){0};
}

/* White space of one byte is SPACE; a lead byte that may begin white space
 * (85, A0, 1680, 2000-205F, 3000) is MAYBE. */
enum { INSIDE, SPACE, MAYBE };

static const unsigned char byte_kind[256] = {
    ['\t'] = SPACE, ['\n'] = SPACE, ['\v'] = SPACE, ['\f'] = SPACE,
    ['\r'] = SPACE, [0x1c] = SPACE, [0x1d] = SPACE, [0x1e] = SPACE,
    [0x1f] = SPACE, [' '] = SPACE,  [0xc2] = MAYBE, [0xe1] = MAYBE,
    [0xe2] = MAYBE, [0xe3] = MAYBE,
};

/* Bytes of the white space at `at`; 0 when there is none. */
static inline size_t space_len(const char *text, size_t at)
{
    const unsigned char kind = byte_kind[(unsigned char)text[at]];
    size_t next = at;

    if (kind != MAYBE)
        return kind;
    return oy_py_isspace(oy_utf8_next(text, &next)) ? next - at : 0;
}

static void split_ws(const char *text, size_t len, struct words *words)
{
    size_t at = 0;

    while (at < len) {
        const size_t space = space_len(text, at);
        if (space) {
            at += space;
            continue;
        }
        const size_t start = at;
        do
            at++;
        while (at < len && !space_len(text, at));
        words_push(words, start, at - start);
    }
}

void words_strip(const char *text, size_t *at, size_t *len)
{
    size_t end = *at + *len;

    while (*at < end) {
        const size_t space = space_len(text, *at);
        if (!space)
            break;
        *at += space;
    }
    while (end > *at) {
        size_t last = end;
        if (!oy_py_isspace(oy_utf8_previous(text, &last)))
            break;
        end = last;
    }
    *len = end - *at;
}

void words_split(enum words_splitter splitter, const char *text, size_t len,
                 struct words *words)
{
    OY_ASSERT(splitter != WORDS_NONE && len < UINT32_MAX);
    words->n = 0;
    if (splitter == WORDS_WS)
        split_ws(text, len, words);
    else
        words_split_uax29(text, len, words);
}
