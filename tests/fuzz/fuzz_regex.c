/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes regular expressions: what is accepted must walk over a text in order,
 * what is not must say so.
 *
 *     clang -fsanitize=fuzzer,address ...        libFuzzer
 *     gcc -DFUZZ_STANDALONE -fsanitize=address ... N random inputs */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "core/regex.h"
#include "core/utf8.h"

/* Long ones may take for ever, and rightly. */
enum { MAX_PATTERN = 60, MAX_TEXT = 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk_text(const struct oy_regex *regex, const char *text,
                      size_t len)
{
    struct oy_regex_matcher *const matcher = oy_regex_matcher_new();
    struct oy_regex_walk walk = {0};
    struct oy_regex_match match;
    struct oy_error err = {0};
    size_t at = 0;
    int found;

    while ((found = oy_regex_next(regex, matcher, text, len, &walk, &match,
                                  &err)) > 0) {
        OY_ASSERT(match.begin >= at && match.end >= match.begin);
        OY_ASSERT(match.end <= len);
        at = match.end;
    }
    OY_ASSERT(found == 0 || err.code == OY_DATA);
    oy_regex_matcher_free(matcher);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t n_text = size < MAX_TEXT ? size / 2 : MAX_TEXT;
    const size_t n_rest = size - n_text;
    const size_t n_pattern = n_rest < MAX_PATTERN ? n_rest : MAX_PATTERN;
    struct oy_buffer text = {0}, pattern = {0};
    struct oy_error err = {0};

    (void)oy_utf8_repair((const char *)data, n_text, &text);
    (void)oy_utf8_repair((const char *)data + n_text, n_pattern, &pattern);
    struct oy_regex *const regex = oy_regex_new(
        oy_buffer_string(&pattern), pattern.len, OY_REGEX_ONIGURUMA, &err);
    OY_ASSERT(regex ? err.code == 0 : err.code == OY_DATA);
    if (regex)
        walk_text(regex, oy_buffer_string(&text), text.len);
    oy_regex_free(regex);
    oy_buffer_release(&text);
    oy_buffer_release(&pattern);
    return 0;
}

#ifdef FUZZ_STANDALONE
/* Bits of expressions, so that many are accepted. */
static size_t random_input(uint64_t number, uint8_t *out)
{
    static const char *const part[] = {
        "(",     ")",       "[",    "]",   "{1,2}",       "|",
        "*",     "+",       "?",    "^",   "$",           ".",
        "\\",    "-",       "&&",   ":",   "a",           "bc",
        "1",     "\\p{L}",  "\\s",  "\\w", "(?:",         "(?i:",
        "(?=",   "(?<!",    "(?<",  "[^",  "[[:alpha:]]", "\\x{",
        "4e2d}", "\\u00e9", "}",    ",",   "\xc3\xa9",    "\xe4\xb8\xad",
        "\\b",   "(?#",     "\\p{", "Han}"};
    struct oy_random random = oy_random_at(3, number);
    size_t len = 0;

    for (uint64_t n = oy_random_below(&random, 20); n > 0; n--) {
        const char *const p =
            part[oy_random_below(&random, sizeof part / sizeof *part)];

        memcpy(out + len, p, strlen(p));
        len += strlen(p);
    }
    if (len && oy_random_below(&random, 4) == 0)
        out[oy_random_below(&random, len)] = (uint8_t)oy_random_next(&random);
    return len;
}

int main(int argc, char **argv)
{
    const uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 10000;
    uint8_t data[400];

    for (uint64_t i = 0; i < n; i++)
        (void)LLVMFuzzerTestOneInput(data, random_input(i, data));
    printf("%llu inputs\n", (unsigned long long)n);
    return 0;
}
#endif
