/* SPDX-License-Identifier: Apache-2.0
 *
 * Words by ICU's dictionaries: its word boundaries in the root locale, which
 * cut Chinese, Japanese, Thai, Lao, Khmer and Burmese too. ICU reads the UTF-8
 * as it stands. */
#include <stdio.h>
#include <unicode/ubrk.h>
#include <unicode/utext.h>
#include <unicode/uversion.h>

#include "core/alloc.h"
#include "core/unicode.h"
#include "core/utf8.h"
#include "pipeline/words_internal.h"

/* ICU counts bytes in 31 bits and takes about twenty for each character of a
 * run that it looks up: it is shown a long text in windows of this size. */
enum { WINDOW = 1 << 20 };

enum { FULL_STOP = 0x3002 };

struct words_icu {
    UBreakIterator *iterator;
    UText text;
};

void words_icu_free(struct words_icu *icu)
{
    if (!icu)
        return;
    ubrk_close(icu->iterator);
    utext_close(&icu->text);
    oy_free(icu);
}

static struct words_icu *icu_new(UErrorCode *status)
{
    struct words_icu *icu = oy_calloc(1, sizeof *icu);

    icu->text = (UText)UTEXT_INITIALIZER;
    icu->iterator = ubrk_open(UBRK_WORD, "", NULL, 0, status);
    return icu;
}

int words_icu_check(struct oy_error *err)
{
    UErrorCode status = U_ZERO_ERROR;
    struct words_icu *icu = icu_new(&status);

    words_icu_free(icu);
    if (U_FAILURE(status))
        return oy_fail(err, OY_NOINPUT,
                       "--words icu: ICU has no word boundaries here (%s)",
                       u_errorName(status));
    return 0;
}

void words_icu_label(char label[WORDS_LABEL])
{
    char number[U_MAX_VERSION_STRING_LENGTH];
    UVersionInfo version;

    u_getVersion(version);
    u_versionToString(version, number);
    snprintf(label, WORDS_LABEL, "icu %s", number);
}

/* Whether the segments on both sides of `at` are the same when the text is
 * taken apart there: behind a line feed, and behind a blank or a full stop
 * that nothing is joined to. No dictionary has these. */
static int is_safe_cut(const char *text, size_t at)
{
    const enum oy_word_break behind =
        oy_unicode_word_break(oy_utf8_next(text, &(size_t){at}));
    const uint32_t before = oy_utf8_previous(text, &(size_t){at});

    if (before == '\n')
        return 1;
    return (before == ' ' || before == FULL_STOP) && behind != OY_WB_EXTEND &&
           behind != OY_WB_FORMAT && behind != OY_WB_ZWJ &&
           behind != OY_WB_WSEGSPACE;
}

/* The end of the window that begins at `at`: the last safe cut, or the last
 * character when there is none. */
static size_t window_end(const char *text, size_t len, size_t at)
{
    if (len - at <= WINDOW)
        return len;
    size_t last = at + WINDOW;
    while (((unsigned char)text[last] & 0xc0) == 0x80)
        last--;
    for (size_t end = last; end > at; oy_utf8_previous(text, &end)) {
        if (is_safe_cut(text, end))
            return end;
    }
    return last;
}

/* The words of text[at, at + len). */
static void split_window(struct words_icu *icu, const char *text, size_t at,
                         size_t len, struct words *words)
{
    UErrorCode status = U_ZERO_ERROR;
    size_t begin = 0;
    int32_t end;

    utext_openUTF8(&icu->text, text + at, (int64_t)len, &status);
    ubrk_setUText(icu->iterator, &icu->text, &status);
    OY_ASSERT(U_SUCCESS(status));
    while ((end = ubrk_next(icu->iterator)) != UBRK_DONE) {
        size_t start = at + begin, n = (size_t)end - begin;
        words_strip(text, &start, &n);
        if (n)
            words_push(words, start, n);
        begin = (size_t)end;
    }
    /* ICU stops early when it is out of memory. */
    OY_ASSERT(begin == len);
}

void words_split_icu(struct words_icu **icu, const char *text, size_t len,
                     struct words *words)
{
    UErrorCode status = U_ZERO_ERROR;
    size_t end;

    if (!*icu)
        *icu = icu_new(&status);
    OY_ASSERT(U_SUCCESS(status));
    for (size_t at = 0; at < len; at = end) {
        end = window_end(text, len, at);
        split_window(*icu, text, at, end - at, words);
    }
}
