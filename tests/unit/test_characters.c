/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of tokenizers whose merges begin with characters.
 *
 * tests/data/tokenizer/characters.jsonl holds random tokenizers, each with
 * texts, their ids and what these decode to, all from Hugging Face's
 * tokenizers 0.23.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <time.h>

#include "core/random.h"
#include "tests/unit/tokenizer_peer.h"

static void all_is_as_the_peer_has_it(void **state)
{
    (void)state;
    assert_true(check_peer_file("tests/data/tokenizer/characters.jsonl") > 150);
}

/* ---- damage ---- */

static void encode_something(struct tokenizer *tokenizer)
{
    static const char text[64 + OY_PADDING] = "a b\xc3\xa9 <s>\n\xe7\x8c\xab"
                                              " \xe2\x96\x81 ab";
    struct tokenizer_worker *worker = tokenizer_worker_new(tokenizer);
    struct token_ids ids = {0};
    struct oy_buffer out = {0};

    tokenizer_encode(worker, text, strlen(text), TOKENIZER_TOKEN, &ids, NULL);
    tokenizer_decode(tokenizer, ids.id, ids.n, 1, &out);
    oy_buffer_release(&out);
    token_ids_release(&ids);
    tokenizer_worker_free(worker);
}

/* A damaged file is refused or read, never more. */
static void mutated_files_are_harmless(void **state)
{
    const char *path = "tests/data/tokenizer/characters.jsonl";
    struct oy_error err = {0};
    struct oy_random random = oy_random_at(7, 0);
    size_t len;
    char *data = oy_input_slurp(path, 1 << 24, &len, &err);
    int n_read = 0;

    (void)state;
    assert_non_null(data);
    for (size_t i = 0; i < 300; i++) {
        size_t at = oy_random_below(&random, len / 2);
        while (memcmp(data + at, "{\"tokenizer\":", 13))
            at++;
        at += 13;
        const size_t n =
            (size_t)((char *)memchr(data + at, '\n', len - at) - data - at - 1);
        char *copy = oy_strndup(data + at, n);
        for (size_t k = 0; k <= i % 3; k++)
            copy[oy_random_below(&random, n)] =
                "\"{}[],:0a\\\xe2\x96"[oy_random_below(&random, 12)];
        char *name = write_file(copy, n);
        struct oy_error failure = {0};
        struct tokenizer *tokenizer = tokenizer_load(name, &failure);
        if (tokenizer)
            encode_something(tokenizer);
        else
            assert_int_equal(failure.code, OY_DATA);
        n_read += tokenizer != NULL;
        tokenizer_free(tokenizer);
        drop_file(name);
        oy_free(copy);
    }
    assert_true(n_read > 10);
    oy_free(data);
}

/* ---- single files ---- */

#define MODEL(options, pre)                                                    \
    "{\"pre_tokenizer\":" pre ",\"model\":{\"type\":\"BPE\"," options          \
    "\"vocab\":{\"<unk>\":0,\"a\":1,\"b\":2,\"aa\":3,\"aaaa\":4},"             \
    "\"merges\":[\"a a\",\"aa aa\"]}}"

static void refuse(const char *json, const char *what)
{
    struct oy_error err = {0};
    char *name = write_file(json, strlen(json));

    assert_null(tokenizer_load(name, &err));
    assert_int_equal(err.code, OY_DATA);
    if (!strstr(err.message, what))
        fail_msg("'%s' does not name '%s'", err.message, what);
    drop_file(name);
}

static void unsupported_is_named(void **state)
{
    (void)state;
    refuse(MODEL("", "{\"type\":\"Other\"}"), "Other");
    refuse(MODEL("\"unk_token\":\"<no>\",", "null"), "<no>");
    refuse("{\"decoder\":{\"type\":\"CTC\"},\"model\":{\"vocab\":{},"
           "\"merges\":[]}}",
           "decoder.pad_token");
    refuse("{\"normalizer\":{\"type\":\"Other\"},\"model\":{\"vocab\":{},"
           "\"merges\":[]}}",
           "normalizer: type \"Other\"");
}

/* One piece of a million letters takes n log n. */
static void long_pieces_are_fast(void **state)
{
    const char *json = MODEL("\"unk_token\":\"<unk>\",", "null");
    const size_t len = 1 << 20;
    struct oy_error err = {0};
    char *name = write_file(json, strlen(json));
    struct tokenizer *tokenizer = tokenizer_load(name, &err);
    struct tokenizer_worker *worker = tokenizer_worker_new(tokenizer);
    char *text = oy_calloc(len + OY_PADDING, 1);
    struct token_ids ids = {0};

    (void)state;
    memset(text, 'a', len);
    text[len / 2] = 'c';
    const clock_t start = clock();
    tokenizer_encode(worker, text, len, TOKENIZER_TOKEN, &ids, NULL);
    assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
    assert_int_equal(ids.n, len / 4 + 2);
    assert_int_equal(ids.id[len / 8], 0);
    assert_int_equal(ids.id[0], 4);
    token_ids_release(&ids);
    oy_free(text);
    tokenizer_worker_free(worker);
    tokenizer_free(tokenizer);
    drop_file(name);
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(all_is_as_the_peer_has_it),
        cmocka_unit_test(mutated_files_are_harmless),
        cmocka_unit_test(unsupported_is_named),
        cmocka_unit_test(long_pieces_are_fast),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}
