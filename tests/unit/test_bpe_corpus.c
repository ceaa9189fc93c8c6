/* SPDX-License-Identifier: Apache-2.0
 *
 * Words as runs of symbols, steps of merging in them, and the pairs found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/alloc.h"
#include "core/random.h"
#include "tokenizer/bpe_corpus.h"
#include "tokenizer/bpe_pairs.h"
#include "tokenizer/bpe_step.h"

static void add(struct bpe_corpus *corpus, const char *text, uint64_t count)
{
    uint32_t symbol[64];
    size_t len = 0;

    for (; text[len]; len++)
        symbol[len] = (uint32_t)(text[len] - 'a');
    bpe_corpus_add(corpus, symbol, len, count);
}

static void put_word(const struct bpe_corpus *corpus, size_t word,
                     struct oy_buffer *out)
{
    const int is_wide = corpus->is_wide;
    int64_t count;
    const void *const symbols = bpe_corpus_word(corpus, word, &count);

    for (size_t i = 0; bpe_symbol(symbols, i, is_wide) != bpe_end_mark(is_wide);
         i++)
        oy_buffer_append_char(out,
                              (char)('a' + bpe_symbol(symbols, i, is_wide)));
    oy_buffer_append_format(out, " %lld ", (long long)count);
}

static void assert_words(const struct bpe_corpus *corpus, const char *want)
{
    struct oy_buffer got = {0};

    for (size_t w = bpe_corpus_first(corpus); w != SIZE_MAX;
         w = bpe_corpus_next(corpus, w))
        put_word(corpus, w, &got);
    assert_string_equal(oy_buffer_string(&got), want);
    oy_buffer_release(&got);
}

static void open_corpus(struct bpe_corpus *corpus, int is_wide)
{
    struct oy_error err = {0};

    assert_int_equal(bpe_corpus_init(corpus, 4, 20, is_wide, &err), 0);
    add(corpus, "abab", 5);
    add(corpus, "ab", 0xfffdffff);
    add(corpus, "babab", 0xfffeffff);
    add(corpus, "cabc", (uint64_t)1 << 40);
}

static void words_keep_any_count(void **state)
{
    (void)state;
    for (int is_wide = 0; is_wide < 2; is_wide++) {
        struct bpe_corpus corpus;

        open_corpus(&corpus, is_wide);
        assert_int_equal(corpus.n_word, 4);
        assert_words(&corpus, "abab 5 ab 4294836223 babab 4294901759 "
                              "cabc 1099511627776 ");
        bpe_corpus_release(&corpus);
    }
}

/* Merges a and b to d in all words, by two lanes. */
static void merge_ab(struct bpe_corpus *corpus, struct bpe_lane *lane)
{
    const struct bpe_merge merge = {.left = 0, .right = 1, .made = 3};
    uint32_t list[4];
    size_t n = 0;

    for (size_t w = bpe_corpus_first(corpus); w != SIZE_MAX;
         w = bpe_corpus_next(corpus, w))
        list[n++] = (uint32_t)w;
    bpe_lane_reserve(&lane[0], 4);
    bpe_lane_reserve(&lane[1], 4);
    bpe_lane_merge(&lane[0], &merge, corpus, list, 2);
    bpe_lane_merge(&lane[1], &merge, corpus, list + 2, n - 2);
    bpe_lane_join(&lane[0], &lane[1]);
}

static void steps_tell_what_changed(void **state)
{
    (void)state;
    for (int is_wide = 0; is_wide < 2; is_wide++) {
        struct bpe_corpus corpus;
        struct bpe_lane lane[2] = {0};

        open_corpus(&corpus, is_wide);
        merge_ab(&corpus, lane);
        assert_words(&corpus, "dd 5 d 4294836223 bdd 4294901759 "
                              "cdc 1099511627776 ");
        /* (d, a) was lost where `abab` stood, on the left of the second. */
        const struct bpe_neighbour *const n = lane[0].neighbour;

        assert_int_equal(n[3 << 1 | BPE_LEFT].lost, 5 + 0xfffeffffll);
        assert_int_equal(n[3 << 1 | BPE_LEFT].n_words, 2);
        assert_int_equal(n[0 << 1 | BPE_RIGHT].lost, 5 + 0xfffeffffll);
        assert_int_equal(n[2 << 1 | BPE_LEFT].won, 1ll << 40);
        assert_int_equal(n[2 << 1 | BPE_RIGHT].won, 1ll << 40);
        assert_int_equal(n[1 << 1 | BPE_LEFT].lost, 0xfffeffffll);
        bpe_lane_clear(&lane[0]);
        assert_int_equal(n[2 << 1 | BPE_LEFT].lost, 0);
        bpe_corpus_compact(&corpus);
        assert_int_equal(corpus.n_word, 3);
        assert_words(&corpus, "dd 5 bdd 4294901759 cdc 1099511627776 ");
        bpe_lane_release(&lane[0]);
        bpe_lane_release(&lane[1]);
        bpe_corpus_release(&corpus);
    }
}

/* Words of `side` symbols at random. */
static void add_random(struct bpe_corpus *corpus, uint32_t side, size_t n_word)
{
    struct oy_random random = oy_random_at(1, side);
    struct oy_error err = {0};

    assert_int_equal(bpe_corpus_init(corpus, n_word, n_word * 9, 0, &err), 0);
    for (size_t w = 0; w < n_word; w++) {
        uint32_t symbol[9];
        const size_t len = 2 + oy_random_below(&random, 7);

        for (size_t i = 0; i < len; i++)
            symbol[i] = (uint32_t)(oy_random_below(&random, side) *
                                   oy_random_below(&random, side) / side);
        bpe_corpus_add(corpus, symbol, len, 1 + oy_random_below(&random, 50));
    }
}

/* What a queue gives, with the words of each pair, down to `least`. */
static void drain(struct bpe_pairs *pairs, int64_t least, struct oy_buffer *out)
{
    struct pair_entry entry;

    while (pair_queue_pop(&pairs->queue, &entry)) {
        if (entry.count < least)
            continue;
        oy_buffer_append_format(out,
                                "%llx %lld:", (unsigned long long)entry.key,
                                (long long)entry.count);
        for (uint32_t i = 0; i < entry.n_words; i++)
            oy_buffer_append_format(out, " %u", pairs->list[entry.list + i]);
        oy_buffer_append_char(out, '\n');
    }
}

/* Whatever the room and the parts, pairs above the bar are the same. */
static void pairs_are_found_in_any_room(void **state)
{
    static const uint32_t sides[] = {50, 2000};

    (void)state;
    for (int s = 0; s < 2; s++) {
        struct bpe_corpus corpus;
        uint32_t *const len = oy_calloc(sides[s], sizeof *len);

        add_random(&corpus, sides[s], 20000);
        for (uint64_t room = 1 << 14; room < 1 << 24; room <<= 3) {
            const struct bpe_pair_rules rules = {
                .n_token = sides[s],
                .token_len = len,
                .n_wanted = 1,
                .lowest = 1,
            };
            struct bpe_pairs all = {.least = 1};
            struct bpe_pairs some = {.least = 1, .room = room};
            struct oy_buffer want = {0}, got = {0};

            bpe_pairs_find(&some, &corpus, &rules);
            bpe_pairs_find(&all, &corpus, &rules);
            assert_true(some.n_list > 0);
            const int64_t least = some.least;

            drain(&all, least, &want);
            drain(&some, least, &got);
            assert_int_equal(got.len, want.len);
            assert_memory_equal(got.data, want.data, want.len);
            oy_buffer_release(&want);
            oy_buffer_release(&got);
            bpe_pairs_release(&all);
            bpe_pairs_release(&some);
        }
        oy_free(len);
        bpe_corpus_release(&corpus);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_keep_any_count),
        cmocka_unit_test(steps_tell_what_changed),
        cmocka_unit_test(pairs_are_found_in_any_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
