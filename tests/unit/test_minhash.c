/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of MinHash: permutations, vector forms, datatrove's signatures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/cpu.h"
#include "core/hash.h"
#include "core/random.h"
#include "pipeline/minhash.h"
#include "pipeline/minhash_internal.h"
#include "pipeline/simplify.h"
#include "tests/unit/golden_lines.h"

/* The first values that numpy draws with seed 1. */
static void permutations_are_those_of_numpy(void **state)
{
    struct minhash minhash;

    (void)state;
    minhash_init(&minhash, 14, 8, 5, MINHASH_XXH64, 1);
    assert_true(minhash.a[0] == 775169054918279404);
    assert_true(minhash.a[1] == 1758426461858698313);
    assert_true(minhash.b[0] == 1062448801025099917);
    minhash_release(&minhash);
}

static void vector_forms_equal_the_plain_one(void **state)
{
    static const int shape[][2] = {{14, 8}, {9, 13}, {1, 1}, {50, 4}, {3, 3}};
    struct oy_random random = oy_random_at(1, 2);
    uint64_t hash[300], plain[1024], other[1024];

    (void)state;
    for (int kind = MINHASH_XXH64; kind <= MINHASH_SHA1; kind++) {
        for (size_t s = 0; s < 5; s++) {
            struct minhash minhash;
            minhash_init(&minhash, shape[s][0], shape[s][1], 5,
                         (enum minhash_hash)kind, s);
            for (size_t i = 0; i < 300; i++)
                hash[i] = oy_random_next(&random) >> (i % 40);
            hash[7] = UINT64_MAX;
            hash[8] = 0;
            for (size_t n = 1; n < 300; n += 37) {
                minhash_sign_plain(&minhash, hash, n, plain);
                minhash_sign(&minhash, hash, n, other);
                assert_memory_equal(plain, other, minhash.n * 8);
#ifdef __x86_64__
                if (oy_cpu_level() >= OY_CPU_AVX2) {
                    minhash_least_avx2(&minhash, hash, n, other);
                    assert_memory_equal(plain, other, minhash.n * 8);
                }
#endif
            }
            minhash_release(&minhash);
        }
    }
}

static void short_texts_have_no_shingles(void **state)
{
    static const char text[128] = "one two three four";
    struct minhash minhash;
    struct minhash_work work = {0};

    (void)state;
    minhash_init(&minhash, 14, 8, 5, MINHASH_XXH64, 1);
    assert_int_equal(minhash_shingles(&minhash, &work, WORDS_WS, text, 18), 0);
    assert_int_equal(minhash_simple_shingles(&minhash, &work, text, 18), 0);
    assert_int_equal(minhash_shingles(&minhash, &work, WORDS_WS, text, 0), 0);
    minhash_release(&minhash);
    minhash_init(&minhash, 14, 8, 4, MINHASH_XXH64, 1);
    assert_int_equal(minhash_shingles(&minhash, &work, WORDS_WS, text, 18), 1);
    assert_true(work.hash[0] == oy_xxh64(text, 18, 0));
    assert_int_equal(minhash_simple_shingles(&minhash, &work, text, 18), 1);
    assert_true(work.hash[0] == oy_xxh64(text, 18, 0));
    minhash_release(&minhash);
    minhash_work_release(&work);
}

static void words_are_joined_by_one_space(void **state)
{
    static const char text[128] = "a  b\tseventeenletterss\n c ";
    static const char want[] = "a b seventeenletterss c";
    static const char twice[128] = "a  b c d"; /* padded, as texts must be */
    struct minhash minhash;
    struct minhash_work work = {0};

    (void)state;
    minhash_init(&minhash, 2, 2, 4, MINHASH_XXH64, 1);
    assert_int_equal(
        minhash_shingles(&minhash, &work, WORDS_WS, text, strlen(text)), 1);
    assert_true(work.hash[0] == oy_xxh64(want, strlen(want), 0));
    assert_int_equal(minhash_simple_shingles(&minhash, &work, twice, 8), 1);
    assert_true(work.hash[0] == oy_xxh64("a b c d", 7, 0));
    minhash_release(&minhash);
    minhash_work_release(&work);
}

/* ---- datatrove's own ---- */

enum { MAX_TEXT = 1000 };

/* By the number in their ids, "d0123"; NULL where there is none. */
struct texts {
    char **at;
    size_t *len;
};

static int load_texts(struct texts *texts)
{
    struct golden docs;
    struct oy_json_value doc;

    *texts = (struct texts){calloc(MAX_TEXT, sizeof(char *)),
                            calloc(MAX_TEXT, sizeof(size_t))};
    if (golden_open(&docs, "golden/pipeline/docs.jsonl"))
        return -1;
    while (golden_next(&docs, &doc)) {
        const struct oy_text text = golden_text(&docs, &doc, "text");
        const size_t n = (size_t)atoi(golden_text(&docs, &doc, "id").at + 1);
        assert_true(n < MAX_TEXT);
        texts->at[n] = calloc(text.len + OY_PADDING, 1);
        memcpy(texts->at[n], text.at, text.len);
        texts->len[n] = text.len;
    }
    golden_close(&docs);
    return 0;
}

static void free_texts(struct texts *texts)
{
    for (size_t i = 0; i < MAX_TEXT; i++)
        free(texts->at[i]);
    free(texts->at);
    free(texts->len);
}

static enum minhash_hash hash_of(struct golden *want,
                                 const struct oy_json_value *line)
{
    if (golden_is(want, line, "hash", "xxhash64"))
        return MINHASH_XXH64;
    return golden_is(want, line, "hash", "xxhash32") ? MINHASH_XXH32
                                                     : MINHASH_SHA1;
}

static void check_signature(struct golden *want,
                            const struct oy_json_value *line, const char *text,
                            size_t len)
{
    const enum words_splitter splitter =
        golden_is(want, line, "tokenizer", "uax29") ? WORDS_UAX29 : WORDS_WS;
    struct minhash minhash;
    struct minhash_work work = {0};
    struct simplify simplify = {0};
    uint64_t signature[112];
    unsigned char digest[20];
    char hex[41], number[32];

    minhash_init(&minhash, 14, 8, 5, hash_of(want, line), 1);
    text = simplify_text(&simplify, text, len, &len);
    const size_t n = minhash_shingles(&minhash, &work, splitter, text, len);
    snprintf(number, sizeof number, "%zu", n);
    assert_true(golden_is(want, line, "n_shingles", number));
    if (splitter == WORDS_WS)
        assert_int_equal(minhash_simple_shingles(&minhash, &work, text, len),
                         n);
    if (n) {
        minhash_sign(&minhash, work.hash, n, signature);
        snprintf(number, sizeof number, "%llu",
                 (unsigned long long)work.hash[0]);
        assert_true(golden_is(want, line, "first_shingle", number));
        oy_sha1(signature, sizeof signature, digest);
        for (int i = 0; i < 20; i++)
            snprintf(hex + 2 * i, 3, "%02x", digest[i]);
        assert_true(golden_is(want, line, "sha1_all_buckets_le", hex));
    }
    minhash_release(&minhash);
    minhash_work_release(&work);
    simplify_release(&simplify);
}

static void signatures_equal_datatrove(void **state)
{
    struct golden want;
    struct oy_json_value line;
    struct texts texts;
    int n = 0;

    (void)state;
    if (load_texts(&texts)) {
        free_texts(&texts);
        return;
    }
    if (golden_open(&want,
                    "golden/pipeline/datatrove_minhash_signature.jsonl") == 0) {
        while (golden_next(&want, &line)) {
            const size_t doc =
                (size_t)atoi(golden_text(&want, &line, "id").at + 1);
            if (golden_is(&want, &line, "tokenizer", "spacy-en"))
                continue; /* its splitter is not one of ours */
            assert_true(doc < MAX_TEXT && texts.at[doc]);
            check_signature(&want, &line, texts.at[doc], texts.len[doc]);
            n++;
        }
        assert_true(n > 1800);
        golden_close(&want);
    }
    free_texts(&texts);
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(permutations_are_those_of_numpy),
        cmocka_unit_test(vector_forms_equal_the_plain_one),
        cmocka_unit_test(short_texts_have_no_shingles),
        cmocka_unit_test(words_are_joined_by_one_space),
        cmocka_unit_test(signatures_equal_datatrove),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}
