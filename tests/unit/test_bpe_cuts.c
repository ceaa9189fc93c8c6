/* SPDX-License-Identifier: Apache-2.0
 *
 * Borders that no token crosses, against all tokens in all places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/random.h"
#include "tests/unit/cpu_levels.h"
#include "tests/unit/tokenizer_fixture.h"
#include "tokenizer/bpe_internal.h"
#include "tokenizer/split_internal.h"

/* Two characters, one and the begin of another, the end of one and another,
 * the end of one and the begin of another. */
static const char *const merges[] = {
    "\xe4",         "\xbd",     "\xe4\xbd",     "\xa0",         "\xe5",
    "\xa5",         "\xe5\xa5", "\xbd",         "\xe4\xbd\xa0", "\xe5\xa5\xbd",
    "\xe5\xa5\xbd", "\xe5",     "\x97",         "\xe4\xbd\xa0", "\x82",
    "\xe5",         "a",        "\xe4\xbd\xa0", NULL,
};

static const char *const part[] = {
    "\xe4\xbd\xa0",
    "\xe5\xa5\xbd",
    "\xe5\x90\x97",
    "\xe3\x80\x82",
    "\xe4\xb8\xad",
    "\xe6\x96\x87",
    "a",
    "\xc3\xa9",
};

enum { N_PART = sizeof part / sizeof *part, MOST = 700 };

static int crosses(const struct vocab *vocab, const char *text, size_t len,
                   size_t border)
{
    for (int32_t id = 0; id < vocab->n_id; id++) {
        const struct vocab_token *token = &vocab->token[id];
        for (size_t left = 1; left < token->len && left <= border; left++) {
            if (border - left + token->len <= len &&
                !memcmp(text + border - left, vocab->text + token->at,
                        token->len))
                return 1;
        }
    }
    return 0;
}

static void check_text(const struct bpe *bpe, const char *text, size_t len,
                       size_t *n_open)
{
    uint64_t mark[SPLIT_N_BLOCK] = {0};

    bpe_cuts_mark(&bpe->cuts, text, len, mark);
    for (size_t at = 0; at < SPLIT_WINDOW; at++) {
        if (!(mark[at / 64] >> at % 64 & 1))
            continue;
        assert_true(at >= 3 && at + 3 <= len);
        assert_int_equal((unsigned char)text[at] >> 4, 0xe);
        assert_int_equal((unsigned char)text[at - 3] >> 4, 0xe);
        assert_false(crosses(bpe->vocab, text, len, at));
        ++*n_open;
    }
}

static struct vocab *load(const struct fixture *fixture)
{
    struct oy_error err = {0};
    char *name = write_fixture(fixture);
    struct vocab *vocab = vocab_load(name, &err);

    assert_non_null(vocab);
    drop_file(name);
    return vocab;
}

static void test_no_token_crosses(void **state)
{
    struct vocab *vocab = load(&(struct fixture){.merge = merges});
    struct bpe *bpe = bpe_new(vocab);
    struct oy_random random = oy_random_at(3, 1);
    char text[MOST + 8 + OY_PADDING] = {0};
    size_t n_open = 0;

    (void)state;
    assert_non_null(bpe->cuts.pair);
    for (int i = 0; i < 300; i++) {
        const size_t want = (size_t)oy_random_below(&random, MOST);
        size_t len = 0;
        while (len < want) {
            const char *next = part[oy_random_below(&random, N_PART)];
            memcpy(text + len, next, strlen(next));
            len += strlen(next);
        }
        check_text(bpe, text, len, &n_open);
    }
    assert_true(n_open > 5000);
    bpe_free(bpe);
    vocab_free(vocab);
}

/* Where a byte of such characters has no token, nothing is asked for. */
static void test_missing_bytes(void **state)
{
    struct vocab *vocab =
        load(&(struct fixture){.merge = merges, .missing = "\x99"});
    struct bpe *bpe = bpe_new(vocab);

    (void)state;
    assert_null(bpe->cuts.pair);
    bpe_free(bpe);
    vocab_free(vocab);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(test_no_token_crosses),
        cmocka_unit_test(test_missing_bytes),
    };

    (void)argc;
    return run_lower_level(argv, cmocka_run_group_tests(test, NULL, NULL));
}
