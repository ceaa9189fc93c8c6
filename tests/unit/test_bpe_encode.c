/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of byte-level merging against the plainest possible form of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "core/random.h"
#include "tests/unit/cpu_levels.h"
#include "tests/unit/tokenizer_fixture.h"
#include "tokenizer/bpe_encode.h"

/* Lowest rank first, the leftmost of equals, until nothing merges. */
static size_t merge_plainly(const struct vocab *vocab, const char *piece,
                            size_t len, int32_t *id)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        const int32_t one = vocab_find(vocab, piece + i, 1);
        if (one >= 0)
            id[n++] = one;
    }
    for (;;) {
        size_t best = vocab->n_merge, place = 0;
        for (size_t i = 0; i + 1 < n; i++) {
            for (size_t rank = 0; rank < best; rank++) {
                if (vocab->merge[rank].left == id[i] &&
                    vocab->merge[rank].right == id[i + 1]) {
                    best = rank;
                    place = i;
                }
            }
        }
        if (best == vocab->n_merge)
            return n;
        id[place] = vocab->merge[best].result;
        memmove(id + place + 1, id + place + 2, (n - place - 2) * sizeof *id);
        n--;
    }
}

static size_t encode_plainly(const struct vocab *vocab, const char *text,
                             size_t len, int32_t *id)
{
    size_t n = 0;

    for (size_t at = 0; at < len;) {
        const size_t end = split_piece(vocab->split, text, len, at);
        const int32_t whole =
            vocab->ignore_merges ? vocab_find(vocab, text + at, end - at) : -1;
        if (whole >= 0)
            id[n++] = whole;
        else
            n += merge_plainly(vocab, text + at, end - at, id + n);
        at = end;
    }
    return n;
}

static struct vocab *load(const struct fixture *fixture)
{
    struct oy_error err = {0};
    char *name = write_fixture(fixture);
    struct vocab *vocab = vocab_load(name, &err);

    if (!vocab)
        print_message("%s\n", err.message);
    assert_non_null(vocab);
    drop_file(name);
    return vocab;
}

/* Merges over a small alphabet with many ties, long and crossing tokens. */
static const char *const merges[] = {
    "a",    "b",    "b",        "a",    "a",    "a",    "ab",   "ab",
    "c",    "d",    "aa",       "b",    "aa",   "aa",   "cd",   "ab",
    "d",    "c",    "dc",       "dc",   " ",    "a",    " a",   "b",
    " ab",  "ab",   "aaaa",     "b",    "\xc3", "\xa9", "b",    "cd",
    "abab", "cdab", "\xe4\xbd", "\xa0", "\xe4", "\xbd", "\xa0", "\xe5",
    "\xe5", "\xa5", "\xe5\xa5", "\xbd", NULL,
};

/* "\xe4\xbd" + "\xa0" must follow the merge that makes its left half. */
static const char *const sound_merges[] = {
    "a",    "b",    "b",        "a",    "a",        "a",    "ab",   "ab",
    "c",    "d",    "aa",       "b",    "aa",       "aa",   "cd",   "ab",
    "d",    "c",    "dc",       "dc",   " ",        "a",    " a",   "b",
    " ab",  "ab",   "aaaa",     "b",    "\xc3",     "\xa9", "b",    "cd",
    "abab", "cdab", "\xe4",     "\xbd", "\xe4\xbd", "\xa0", "\xa0", "\xe5",
    "\xe5", "\xa5", "\xe5\xa5", "\xbd", NULL,
};

/* Tokens across the borders of characters of three bytes: two of them, one and
 * a half, two halves; the last two are reached by no merge. */
static const char *const crossing_merges[] = {
    "\xe4",         "\xbd",         "\xe4\xbd",     "\xa0",
    "\xe5",         "\xa5",         "\xe5\xa5",     "\xbd",
    "\xe4\xbd\xa0", "\xe5\xa5\xbd", "\xe5",         "\x90",
    "\xe5\x90",     "\x97",         "\xe5\xa5\xbd", "\xe5",
    "\x97",         "\xe4\xbd\xa0", "\x82",         "\xe5",
    "\xe5\x90\x97", "\xe3",         "\x80",         "\x82",
    "\xe3",         "\x80\x82",     "\xe3\x80\x82", "\xe3\x80\x82",
    "\x90",         "\x97",         "\xe5",         "\x90\x97",
    NULL,
};

/* A text of pieces that these merges know, and some that they do not. */
static size_t make_text(struct oy_random *random, char *text, size_t most)
{
    static const char *const part[] = {
        "a",
        "b",
        "c",
        "d",
        " ",
        "aa",
        "ab",
        "abab",
        "cd",
        "dc",
        "x",
        "\n",
        "12",
        "\xc3\xa9",
        "\xe4\xbd\xa0",
        "\xe5\xa5\xbd",
        "\xe5\x90\x97",
        "\xe3\x80\x82",
        "\xf0\x9f\x98\x80",
        "aaaaaaaa",
    };
    const size_t n_part = sizeof part / sizeof *part;
    const size_t want = (size_t)oy_random_below(random, most - 8);
    const uint64_t narrow = 1 + oy_random_below(random, n_part);
    size_t len = 0;

    while (len < want) {
        const char *next = part[oy_random_below(random, narrow)];
        memcpy(text + len, next, strlen(next));
        len += strlen(next);
    }
    return len;
}

static void compare_many(const struct fixture *fixture, uint64_t seed)
{
    enum { MOST = 300 };
    struct vocab *vocab = load(fixture);
    struct bpe *bpe = bpe_new(vocab);
    struct bpe_worker *worker = bpe_worker_new(bpe);
    struct oy_random random = oy_random_at(seed, 1);
    struct token_ids ids = {0};
    char text[MOST + 16 + OY_PADDING] = {0};
    int32_t want[MOST + 16];

    for (int i = 0; i < 3000; i++) {
        const size_t len = make_text(&random, text, MOST);
        const size_t n = encode_plainly(vocab, text, len, want);
        ids.n = 0;
        bpe_encode(worker, text, len, &ids);
        assert_int_equal(ids.n, n);
        if (n)
            assert_memory_equal(ids.id, want, n * sizeof *want);
    }
    token_ids_release(&ids);
    bpe_worker_free(worker);
    bpe_free(bpe);
    vocab_free(vocab);
}

static void test_equals_plain_form(void **state)
{
    (void)state;
    compare_many(&(struct fixture){.merge = sound_merges}, 1);
}

static void test_equals_plain_form_in_one_piece(void **state)
{
    (void)state;
    compare_many(&(struct fixture){.merge = sound_merges,
                                   .pre_tokenizer = BYTE_LEVEL_WHOLE},
                 2);
}

static void test_equals_plain_form_ignoring_merges(void **state)
{
    (void)state;
    compare_many(&(struct fixture){.merge = sound_merges,
                                   .model = "\"ignore_merges\":true,"},
                 3);
}

/* Bytes without a token vanish, and their neighbours meet. */
static void test_equals_plain_form_lacking_bytes(void **state)
{
    (void)state;
    compare_many(&(struct fixture){.merge = sound_merges,
                                   .missing = "x\xf0\x98",
                                   .pre_tokenizer = BYTE_LEVEL_WHOLE},
                 4);
    compare_many(&(struct fixture){.merge = sound_merges, .missing = "x\xf0"},
                 5);
}

/* A merge whose halves come later in the list is never reached first. */
static void test_unordered_ranks(void **state)
{
    (void)state;
    compare_many(
        &(struct fixture){.merge = merges, .pre_tokenizer = BYTE_LEVEL_WHOLE},
        6);
}

static void test_tokens_across_characters(void **state)
{
    (void)state;
    compare_many(&(struct fixture){.merge = crossing_merges}, 7);
    compare_many(&(struct fixture){.merge = crossing_merges,
                                   .model = "\"ignore_merges\":true,"},
                 8);
    compare_many(&(struct fixture){.merge = crossing_merges,
                                   .pre_tokenizer = BYTE_LEVEL_WHOLE},
                 9);
}

/* A page between two that may not be touched, filled by a text and the padding
 * behind it. */
static void test_nothing_else_is_read(void **state)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const struct fixture fixture = {.merge = crossing_merges};
    struct vocab *vocab = load(&fixture);
    struct bpe *bpe = bpe_new(vocab);
    struct bpe_worker *worker = bpe_worker_new(bpe);
    struct token_ids ids = {0};
    char *map =
        mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)state;
    assert_ptr_not_equal(map, MAP_FAILED);
    assert_int_equal(mprotect(map + page, page, PROT_READ | PROT_WRITE), 0);
    for (size_t cut = 0; cut < 70; cut++) {
        const size_t len = page - OY_PADDING - 3 * (cut + 1);
        char *text = map + page + (cut % 2 ? 3 * (cut + 1) : 0);
        for (size_t i = 0; i < page; i++)
            map[page + i] = "\xe5\x90\x97"[i % 3];
        ids.n = 0;
        bpe_encode(worker, text, len - len % 3, &ids);
        assert_true(ids.n > 0);
    }
    munmap(map, 3 * page);
    token_ids_release(&ids);
    bpe_worker_free(worker);
    bpe_free(bpe);
    vocab_free(vocab);
}

/* Quadratic methods take minutes here. */
static void test_long_word_is_fast(void **state)
{
    (void)state;
    const size_t len = 1 << 20;
    const struct fixture fixture = {.merge = sound_merges};
    struct vocab *vocab = load(&fixture);
    struct bpe *bpe = bpe_new(vocab);
    struct bpe_worker *worker = bpe_worker_new(bpe);
    struct token_ids ids = {0};
    char *text = oy_calloc(len + OY_PADDING, 1);

    memset(text, 'a', len);
    const clock_t start = clock();
    bpe_encode(worker, text, len, &ids);
    const double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    assert_int_equal(ids.n, len / 4);
    assert_int_equal(ids.id[0], vocab_find(vocab, "aaaa", 4));
    assert_true(seconds < 5.0); /* sanitizers take their share */
    oy_free(text);
    token_ids_release(&ids);
    bpe_worker_free(worker);
    bpe_free(bpe);
    vocab_free(vocab);
}

static void test_prefix_space(void **state)
{
    (void)state;
    const struct fixture fixture = {
        .merge = sound_merges,
        .pre_tokenizer = "{\"type\":\"ByteLevel\",\"add_prefix_space\":true}"};
    struct vocab *vocab = load(&fixture);
    struct bpe *bpe = bpe_new(vocab);
    struct bpe_worker *worker = bpe_worker_new(bpe);
    struct token_ids ids = {0};
    char text[16 + OY_PADDING] = "ab";

    bpe_encode(worker, text, 2, &ids);
    assert_int_equal(ids.n, 2);
    assert_int_equal(ids.id[0], vocab_find(vocab, " ", 1));
    assert_int_equal(ids.id[1], vocab_find(vocab, "ab", 2));
    ids.n = 0;
    memcpy(text, " ab", 3);
    bpe_encode(worker, text, 3, &ids);
    assert_int_equal(ids.n, 2);
    ids.n = 0;
    bpe_encode(worker, text, 0, &ids);
    assert_int_equal(ids.n, 0);
    token_ids_release(&ids);
    bpe_worker_free(worker);
    bpe_free(bpe);
    vocab_free(vocab);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(test_equals_plain_form),
        cmocka_unit_test(test_equals_plain_form_in_one_piece),
        cmocka_unit_test(test_equals_plain_form_ignoring_merges),
        cmocka_unit_test(test_equals_plain_form_lacking_bytes),
        cmocka_unit_test(test_unordered_ranks),
        cmocka_unit_test(test_tokens_across_characters),
        cmocka_unit_test(test_nothing_else_is_read),
        cmocka_unit_test(test_long_word_is_fast),
        cmocka_unit_test(test_prefix_space),
    };

    (void)argc;
    return run_lower_level(argv, cmocka_run_group_tests(test, NULL, NULL));
}
