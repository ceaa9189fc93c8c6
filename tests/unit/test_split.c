/* SPDX-License-Identifier: Apache-2.0
 *
 * Pre-tokenisers: the peer's pieces, and what the header promises.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/random.h"
#include "tokenizer/split.h"

static size_t unhex(const char *hex, char *out)
{
    size_t len = 0;

    for (; hex[2 * len] && hex[2 * len] != '\t'; len++) {
        const char pair[3] = {hex[2 * len], hex[2 * len + 1], 0};

        out[len] = (char)strtol(pair, NULL, 16);
    }
    return len;
}

/* The pieces that are not dropped as "begin-end begin-end ...". */
static void put_pieces(enum split_kind kind, const char *text, size_t len,
                       struct oy_buffer *out)
{
    for (size_t at = 0; at < len;) {
        const size_t end = split_piece(kind, text, len, at);

        if (!split_is_dropped(kind, text, at))
            oy_buffer_append_format(out, "%s%zu-%zu", out->len ? " " : "", at,
                                    end);
        at = end;
    }
}

static void pieces_are_the_peers(void **state)
{
    FILE *const file = fopen("tests/data/tokenizer/split_pieces.tsv", "r");
    char line[4096], text[2048 + OY_PADDING];
    int n = 0;

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        char *const hex = strchr(line, '\t');
        struct oy_buffer got = {0};

        if (*line == '#')
            continue;
        *hex = '\0';
        char *const want = strchr(hex + 1, '\t') + 1;
        want[strcspn(want, "\n")] = '\0';
        const size_t len = unhex(hex + 1, text);
        const enum split_kind kind = split_kind_from_name(line);

        assert_int_not_equal(kind, SPLIT_UNKNOWN);
        put_pieces(kind, text, len, &got);
        if (strcmp(oy_buffer_string(&got), want) != 0)
            fail_msg("%s %s: %s, want %s", line, hex + 1, got.data, want);
        oy_buffer_release(&got);
        n++;
    }
    fclose(file);
    assert_true(n > 200);
}

/* Texts of pieces that matter to the expressions. */
static size_t random_text(uint64_t number, char *out)
{
    static const char *const part[] = {
        "a",
        "Bc",
        "  ",
        "\n",
        "\r\n",
        "1",
        "\xd9\xa3",
        "'s",
        "'LL",
        "\xc5\xbf",
        "!",
        "/",
        "\t",
        "\xe4\xb8\xad",
        "\xe3\x82\xab",
        "\xc3\xa9",
        "\xcc\x81",
        "\xc2\xa0",
        "\xf0\x9f\x91\x8d",
        "\x01",
    };
    struct oy_random random = oy_random_at(7, number);
    size_t len = 0;

    for (uint64_t n = oy_random_below(&random, 40); n > 0; n--) {
        const char *const p =
            part[oy_random_below(&random, sizeof part / sizeof *part)];

        memcpy(out + len, p, strlen(p));
        len += strlen(p);
    }
    memset(out + len, 'x', OY_PADDING);
    return len;
}

static void batches_cut_as_single_calls(void **state)
{
    char text[256 + OY_PADDING];
    size_t end[256];

    (void)state;
    for (uint64_t i = 0; i < 20000; i++) {
        const enum split_kind kind = (enum split_kind)(i % SPLIT_N_KIND);
        const size_t len = random_text(i, text), cap = 1 + i % 9;
        size_t at = 0;

        while (at < len) {
            const size_t n = split_batch(kind, text, len, at, end, cap);

            assert_true(n > 0 && n <= cap);
            for (size_t k = 0; k < n; k++) {
                assert_int_equal(split_piece(kind, text, len, at), end[k]);
                assert_true(end[k] > at && end[k] <= len);
                at = end[k];
            }
        }
        assert_int_equal(split_batch(kind, text, len, len, end, cap), 0);
    }
}

static void long_texts_take_linear_time(void **state)
{
    enum { LEN = 1 << 21 };
    static const char *const unit[] = {
        "a", " ", "\n", "!", "'", "\xcc\x81", "aB", " \n", "A\xe4\xb8\xad"};
    char *const text = oy_alloc(LEN + OY_PADDING);

    (void)state;
    for (size_t u = 0; u < sizeof unit / sizeof *unit; u++) {
        const size_t n = strlen(unit[u]);
        const size_t len = LEN / n * n;

        for (size_t i = 0; i < LEN + OY_PADDING; i++)
            text[i] = i < len ? unit[u][i % n] : 'x';
        for (int k = 0; k < SPLIT_N_KIND; k++) {
            size_t at = 0;

            while (at < len)
                at = split_piece((enum split_kind)k, text, len, at);
            assert_int_equal(at, len);
        }
    }
    oy_free(text);
}

static void names_and_expressions(void **state)
{
    (void)state;
    assert_int_equal(split_kind_from_name("llama3"), SPLIT_CL100K);
    assert_int_equal(split_kind_from_name("gpt3"), SPLIT_UNKNOWN);
    for (int k = 0; k < SPLIT_N_KIND; k++) {
        const char *const regex = split_regex((enum split_kind)k, 0);

        if (!regex || k == SPLIT_DEEPSEEK3)
            continue;
        assert_int_equal(split_kind_from_regex(regex, strlen(regex)), k);
        assert_null(split_regex((enum split_kind)k, 1));
    }
    for (int part = 0; part < 3; part++) {
        const char *const regex = split_regex(SPLIT_DEEPSEEK3, part);

        assert_true(split_is_deepseek3_part(regex, strlen(regex), part));
        assert_false(split_is_deepseek3_part(regex, strlen(regex), part + 1));
    }
    assert_null(split_regex(SPLIT_DEEPSEEK3, 3));
    assert_null(split_regex(SPLIT_SMOLLM, 0));
    assert_int_equal(split_kind_from_regex("\\p{L}+", 6), SPLIT_UNKNOWN);
}

static void white_space_is_dropped_by_one_kind(void **state)
{
    (void)state;
    assert_true(split_is_dropped(SPLIT_WHITESPACE, " a", 0));
    assert_false(split_is_dropped(SPLIT_WHITESPACE, " a", 1));
    assert_false(split_is_dropped(SPLIT_GPT2, " a", 0));
    assert_int_equal(split_piece(SPLIT_NONE, "a b\n", 4, 0), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_the_peers),
        cmocka_unit_test(batches_cut_as_single_calls),
        cmocka_unit_test(long_texts_take_linear_time),
        cmocka_unit_test(names_and_expressions),
        cmocka_unit_test(white_space_is_dropped_by_one_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
