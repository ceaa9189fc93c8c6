/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiling and matching by PCRE2.
 */
#include "core/regex.h"

#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "core/regex_internal.h"
#include "core/utf8.h"

enum {
    /* Twenty times PCRE2's default and Oniguruma's; as much memory as PCRE2
     * takes by default when the stack of compiled code is not enough. */
    MATCH_LIMIT = 200000000,
    STACK_START = 32 << 10,
    STACK_LIMIT = 32 << 20,
};

struct oy_regex {
    pcre2_code *code;
    unsigned char may_begin[256];
};

struct oy_regex_matcher {
    pcre2_match_context *context;
    pcre2_match_data *data;
    pcre2_jit_stack *stack;
};

/* ---- compiling ---- */

/* The whole version of Unicode of the linked PCRE2: 14 of "14.0.0". */
static int unicode_version(void)
{
    char text[64] = "";

    if (pcre2_config(PCRE2_CONFIG_UNICODE_VERSION, NULL) > (int)sizeof text)
        return 0;
    (void)pcre2_config(PCRE2_CONFIG_UNICODE_VERSION, text);
    return atoi(text);
}

/* What PCRE2 found out about the first byte of a match. */
static void find_begins(struct oy_regex *regex)
{
    const uint8_t *bits = NULL;
    uint32_t kind = 0, byte = 0;

    memset(regex->may_begin, 1, sizeof regex->may_begin);
    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_FIRSTCODETYPE, &kind);
    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_FIRSTCODEUNIT, &byte);
    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_FIRSTBITMAP, &bits);
    if (kind != 1 && !bits)
        return;
    /* It does not say whether the one byte stands for both cases. */
    for (unsigned i = 0; i < 256; i++)
        regex->may_begin[i] =
            bits ? bits[i / 8] >> i % 8 & 1
                 : (i | 0x20) == (byte | 0x20) || (i & byte & 0x80);
}

static int compile(struct oy_regex *regex, const char *pattern, size_t len,
                   uint32_t options, struct oy_error *err)
{
    pcre2_compile_context *const context = pcre2_compile_context_create(NULL);
    char why[200] = "";
    PCRE2_SIZE where = 0;
    int code = 0;

    if (!context)
        return oy_fail(err, OY_SYSTEM, "no memory for a regular expression");
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    regex->code = pcre2_compile((PCRE2_SPTR)pattern, len,
                                options | PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C,
                                &code, &where, context);
    pcre2_compile_context_free(context);
    if (regex->code) {
        /* Without the compiler (a hardened system) matching is slow. */
        (void)pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);
        find_begins(regex);
        return 0;
    }
    (void)pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
    /* A place in a translated expression says nothing to its author. */
    return options & PCRE2_MULTILINE
               ? oy_fail(err, OY_DATA, "regular expression: %s", why)
               : oy_fail(err, OY_DATA, "regular expression, byte %zu: %s",
                         (size_t)where, why);
}

struct oy_regex *oy_regex_new(const char *pattern, size_t len,
                              enum oy_regex_language language,
                              struct oy_error *err)
{
    struct oy_regex *regex = oy_calloc(1, sizeof *regex);
    struct oy_buffer translated = {0};
    const size_t valid = oy_utf8_valid_prefix(pattern, len);
    int failed;

    if (valid < len)
        failed = oy_fail(err, OY_DATA,
                         "regular expression, byte %zu: not UTF-8", valid);
    else if (language == OY_REGEX_PCRE2)
        failed = compile(regex, pattern, len, 0, err);
    else
        failed = oy_regex_translate(pattern, len, unicode_version(),
                                    &translated, err) ||
                 compile(regex, translated.data ? translated.data : "",
                         translated.len, PCRE2_MULTILINE, err);
    oy_buffer_release(&translated);
    if (!failed)
        return regex;
    oy_free(regex);
    return NULL;
}

void oy_regex_free(struct oy_regex *regex)
{
    if (!regex)
        return;
    pcre2_code_free(regex->code);
    oy_free(regex);
}

size_t oy_regex_n_group(const struct oy_regex *regex)
{
    uint32_t n = 0;

    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &n);
    return n;
}

int oy_regex_may_begin(const struct oy_regex *regex, unsigned char byte)
{
    return regex->may_begin[byte];
}

/* ---- matching ---- */

struct oy_regex_matcher *oy_regex_matcher_new(void)
{
    struct oy_regex_matcher *matcher = oy_calloc(1, sizeof *matcher);

    matcher->context = pcre2_match_context_create(NULL);
    matcher->data = pcre2_match_data_create(OY_REGEX_MAX_GROUP + 1, NULL);
    OY_ASSERT(matcher->context && matcher->data);
    pcre2_set_match_limit(matcher->context, MATCH_LIMIT);
    pcre2_set_depth_limit(matcher->context, MATCH_LIMIT);
    /* NULL where there is no compiler: then it is not asked for. */
    matcher->stack = pcre2_jit_stack_create(STACK_START, STACK_LIMIT, NULL);
    pcre2_jit_stack_assign(matcher->context, NULL, matcher->stack);
    return matcher;
}

void oy_regex_matcher_free(struct oy_regex_matcher *matcher)
{
    if (!matcher)
        return;
    pcre2_match_data_free(matcher->data);
    pcre2_match_context_free(matcher->context);
    pcre2_jit_stack_free(matcher->stack);
    oy_free(matcher);
}

int oy_regex_find(const struct oy_regex *regex,
                  struct oy_regex_matcher *matcher, const char *text,
                  size_t len, size_t at, struct oy_regex_match *match,
                  struct oy_error *err)
{
    char why[200] = "";
    int code = pcre2_match(regex->code, (PCRE2_SPTR)text, len, at,
                           PCRE2_NO_UTF_CHECK, matcher->data, matcher->context);

    /* The interpreter has the heap. */
    if (code == PCRE2_ERROR_JIT_STACKLIMIT)
        code = pcre2_match(regex->code, (PCRE2_SPTR)text, len, at,
                           PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, matcher->data,
                           matcher->context);
    if (code == PCRE2_ERROR_NOMATCH)
        return 0;
    if (code < 0) {
        (void)pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
        return oy_fail(err, OY_DATA, "regular expression on a text: %s", why);
    }
    const PCRE2_SIZE *const place = pcre2_get_ovector_pointer(matcher->data);
    match->begin = place[0];
    match->end = place[1];
    return 1;
}

int oy_regex_group(const struct oy_regex_matcher *matcher, int i,
                   struct oy_regex_match *group)
{
    const PCRE2_SIZE *const place = pcre2_get_ovector_pointer(matcher->data);

    OY_ASSERT(i >= 0 && i <= OY_REGEX_MAX_GROUP);
    if (place[2 * i] == PCRE2_UNSET)
        return 0;
    *group = (struct oy_regex_match){place[2 * i], place[2 * i + 1]};
    return 1;
}

int oy_regex_next(const struct oy_regex *regex,
                  struct oy_regex_matcher *matcher, const char *text,
                  size_t len, struct oy_regex_walk *walk,
                  struct oy_regex_match *match, struct oy_error *err)
{
    while (walk->at <= len) {
        const int found =
            oy_regex_find(regex, matcher, text, len, walk->at, match, err);

        if (found <= 0)
            return found;
        if (match->end == match->begin && walk->started &&
            walk->end == match->end) {
            if (walk->at == len)
                break;
            (void)oy_utf8_next(text, &walk->at);
            continue;
        }
        walk->started = 1;
        walk->end = match->end;
        walk->at = match->end;
        return 1;
    }
    walk->at = len + 1;
    return 0;
}
