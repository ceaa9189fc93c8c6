/* SPDX-License-Identifier: Apache-2.0
 *
 * Documents into rows: best fit against a plain oracle, lengths, counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/alloc.h"
#include "core/random.h"
#include "tokenizer/pack_fit.h"
#include "tokenizer/pack_rows.h"

/* ---- best fit ---- */

/* The rule of pack_fit.h by looking at every row: which row each piece is in,
 * rows numbered as they are opened. */
static size_t fit_plainly(const uint32_t *length, size_t n, uint32_t row_len,
                          size_t *row)
{
    size_t *gap = oy_alloc_array(n + 1, sizeof *gap);
    size_t *touched = oy_alloc_array(n + 1, sizeof *touched);
    uint8_t *is_placed = oy_calloc(n + 1, 1);
    size_t n_row = 0;

    for (size_t step = 0; step < n; step++) {
        size_t piece = n, best = n;
        for (size_t i = 0; i < n; i++) {
            if (!is_placed[i] && (piece == n || length[i] > length[piece]))
                piece = i;
        }
        for (size_t r = 0; r < n_row; r++) {
            if (gap[r] >= length[piece] &&
                (best == n || gap[r] < gap[best] ||
                 (gap[r] == gap[best] && touched[r] > touched[best])))
                best = r;
        }
        if (best == n) {
            best = n_row++;
            gap[best] = row_len;
        }
        gap[best] -= length[piece];
        touched[best] = step;
        row[piece] = best;
        is_placed[piece] = 1;
    }
    oy_free(gap);
    oy_free(touched);
    oy_free(is_placed);
    return n_row;
}

static void expect_fit(const uint32_t *length, size_t n, uint32_t row_len)
{
    size_t *row = oy_alloc_array(n + 1, sizeof *row);
    size_t *mine = oy_alloc_array(n + 1, sizeof *mine);
    uint8_t *is_seen = oy_calloc(n + 1, 1);
    const size_t n_row = fit_plainly(length, n, row_len, row);
    struct pack_fit fit = pack_fit(length, n, row_len);

    assert_int_equal(fit.n_row, n_row);
    assert_int_equal(fit.first[0], 0);
    assert_int_equal(fit.first[n_row], n);
    for (size_t i = 0; i < n_row; i++) {
        uint64_t sum = 0;
        assert_true(fit.first[i] < fit.first[i + 1]);
        for (size_t j = fit.first[i]; j < fit.first[i + 1]; j++) {
            const size_t piece = fit.piece[j];
            assert_false(is_seen[piece]);
            is_seen[piece] = 1;
            sum += length[piece];
            mine[piece] = i;
            assert_true(j == fit.first[i] || piece > fit.piece[j - 1]);
            /* The same pieces are together. */
            assert_int_equal(row[piece], row[fit.piece[fit.first[i]]]);
        }
        assert_true(sum <= row_len);
        if (i)
            assert_true(fit.piece[fit.first[i]] > fit.piece[fit.first[i - 1]]);
    }
    pack_fit_release(&fit);
    oy_free(row);
    oy_free(mine);
    oy_free(is_seen);
}

static void test_best_fit(void **state)
{
    static const uint32_t row_len[] = {1, 2, 63, 64, 65, 1000, 4096, 300000};
    uint32_t length[300];

    (void)state;
    for (uint64_t i = 0; i < 400; i++) {
        struct oy_random random = oy_random_at(1, i);
        const uint32_t most = row_len[i % 8];
        const size_t n = (size_t)oy_random_below(&random, 301);
        /* All sizes, or small ones only. */
        const uint64_t large = i & 8 ? most : most / 7 + 1;
        for (size_t j = 0; j < n; j++)
            length[j] = 1 + (uint32_t)oy_random_below(&random, large);
        expect_fit(length, n, most);
    }
}

/* ---- rows ---- */

enum { MAX_TOKEN = 4096, MAX_ROW = 256 };

/* What came out. */
struct collected {
    struct pack_sink sink;
    int32_t id[MAX_TOKEN];
    uint8_t loss[MAX_TOKEN];
    size_t begin[MAX_ROW], length[MAX_ROW]; /* of each document */
    int begins_row[MAX_ROW];
    uint64_t text_bytes;
    size_t n_token, n_document, n_row;
};

static int collect(struct pack_sink *sink, const struct pack_document *document,
                   int begins_row, struct oy_error *err)
{
    struct collected *all = (struct collected *)sink;

    (void)err;
    memcpy(all->id + all->n_token, document->id,
           document->n * sizeof *document->id);
    if (document->loss)
        memcpy(all->loss + all->n_token, document->loss, document->n);
    all->begin[all->n_document] = all->n_token;
    all->length[all->n_document] = document->n;
    all->begins_row[all->n_document++] = begins_row;
    all->n_token += document->n;
    all->n_row += (size_t)begins_row;
    all->text_bytes += document->text_bytes;
    return 0;
}

/* Documents of the given lengths, with ids 100, 101, ...; loss on all but the
 * first `n_silent` of each, or no mask with -1. */
static struct oy_counters pack(struct collected *all,
                               const struct pack_rows_options *options,
                               const size_t *length, size_t n, int n_silent)
{
    struct oy_error err = {0};
    struct oy_counters counter = {0};
    struct pack_rows *rows;
    int32_t id[MAX_TOKEN];
    uint8_t loss[MAX_TOKEN];

    memset(all, 0, sizeof *all);
    all->sink.add = collect;
    rows = pack_rows_new(options, &all->sink);
    for (size_t i = 0, next = 100; i < n; i++) {
        for (size_t j = 0; j < length[i]; j++) {
            id[j] = (int32_t)next++;
            loss[j] = (int)j >= n_silent;
        }
        const struct pack_document document = {
            .id = id,
            .loss = n_silent < 0 ? NULL : loss,
            .n = length[i],
            .text_bytes = 10,
        };
        assert_int_equal(pack_rows_add(rows, &document, &err), 0);
    }
    assert_int_equal(pack_rows_finish(rows, &err), 0);
    pack_rows_report(rows, &counter);
    pack_rows_free(rows);
    return counter;
}

#define COUNT(list) (sizeof(list) / sizeof *(list))

static void test_concat(void **state)
{
    static const size_t length[] = {3, 30, 1};
    const struct pack_rows_options options = {.packing = PACK_CONCAT,
                                              .overlong = PACK_TRUNCATE,
                                              .row_len = 8,
                                              .back = -1};
    struct collected all;
    struct oy_counters counter =
        pack(&all, &options, length, COUNT(length), -1);

    (void)state;
    assert_int_equal(all.n_document, 3);
    assert_int_equal(all.n_row, 0);
    assert_int_equal(oy_counter_get(&counter, "tokens"), 34);
    for (size_t i = 0; i < 34; i++)
        assert_int_equal(all.id[i], 100 + i);
    oy_counters_release(&counter);
}

static void test_one_a_row(void **state)
{
    static const size_t length[] = {3, 8, 10, 1};
    struct pack_rows_options options = {.packing = PACK_NONE,
                                        .overlong = PACK_TRUNCATE,
                                        .row_len = 8,
                                        .back = 7};
    struct collected all;
    struct oy_counters counter =
        pack(&all, &options, length, COUNT(length), -1);

    (void)state;
    assert_int_equal(all.n_row, 4);
    assert_int_equal(all.length[2], 8);
    /* What closes a document closes a shorter one too. */
    assert_int_equal(all.id[all.begin[2] + 7], 7);
    assert_int_equal(all.id[all.begin[2] + 6], 100 + 3 + 8 + 6);
    assert_int_equal(oy_counter_get(&counter, "truncated_documents"), 1);
    assert_int_equal(oy_counter_get(&counter, "truncated_tokens"), 2);
    assert_int_equal(oy_counter_get(&counter, "padding_tokens"), 32 - 20);
    oy_counters_release(&counter);

    options.overlong = PACK_DROP;
    counter = pack(&all, &options, length, COUNT(length), -1);
    assert_int_equal(all.n_row, 3);
    assert_int_equal(oy_counter_get(&counter, "overlong_documents"), 1);
    oy_counters_release(&counter);
}

/* Pieces share a token; every token but the first is behind another. */
static void test_split(void **state)
{
    struct pack_rows_options options = {
        .packing = PACK_NONE, .overlong = PACK_SPLIT, .row_len = 8, .back = 7};
    struct collected all;

    (void)state;
    for (size_t n = 9; n < 60; n++) {
        struct oy_counters counter = pack(&all, &options, &n, 1, -1);
        int32_t next = 100;
        for (size_t i = 0; i < all.n_document; i++) {
            assert_true(all.length[i] > 1);
            assert_int_equal(all.id[all.begin[i]], i ? next - 1 : next);
            next = all.id[all.begin[i] + all.length[i] - 1] + 1;
        }
        assert_int_equal(next, 100 + n);
        assert_int_equal(all.text_bytes, 10);
        assert_int_equal(oy_counter_get(&counter, "split_documents"), 1);
        oy_counters_release(&counter);
    }
}

/* Whole documents, every one once, rows in the order of their first. */
static void test_windows(void **state)
{
    static const size_t length[] = {5, 8, 3, 6, 2, 7, 1, 4, 4};
    struct pack_rows_options options = {.packing = PACK_BEST_FIT,
                                        .overlong = PACK_SPLIT,
                                        .row_len = 8,
                                        .window = 1000,
                                        .back = -1};
    struct collected all;
    struct oy_counters counter =
        pack(&all, &options, length, COUNT(length), -1);

    (void)state;
    /* 5+3, 8, 6+2, 7+1, 4+4: no padding at all. */
    static const size_t want[] = {5, 3, 8, 6, 2, 7, 1, 4, 4};
    static const int begins[] = {1, 0, 1, 1, 0, 1, 0, 1, 0};
    for (size_t i = 0; i < COUNT(want); i++) {
        assert_int_equal(all.length[i], want[i]);
        assert_int_equal(all.begins_row[i], begins[i]);
    }
    assert_int_equal(oy_counter_get(&counter, "rows"), 5);
    assert_int_equal(oy_counter_get(&counter, "padding_tokens"), 0);
    oy_counters_release(&counter);

    /* A window of one token is one document a row. */
    options.window = 1;
    counter = pack(&all, &options, length, COUNT(length), -1);
    assert_int_equal(oy_counter_get(&counter, "rows"), COUNT(length));
    oy_counters_release(&counter);
}

/* What has nothing to be learnt behind its first token is left out. */
static void test_without_target(void **state)
{
    static const size_t length[] = {3, 6, 20};
    struct pack_rows_options options = {.packing = PACK_NONE,
                                        .overlong = PACK_TRUNCATE,
                                        .row_len = 8,
                                        .back = -1};
    struct collected all;
    struct oy_counters counter = pack(&all, &options, length, COUNT(length), 5);

    (void)state;
    assert_int_equal(all.n_document, 2);
    assert_int_equal(all.length[0], 6);
    assert_int_equal(all.loss[4], 0);
    assert_int_equal(all.loss[5], 1);
    assert_int_equal(oy_counter_get(&counter, "without_target"), 1);
    assert_int_equal(oy_counter_get(&counter, "targets"), 1 + 3);
    oy_counters_release(&counter);
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(test_best_fit),  cmocka_unit_test(test_concat),
        cmocka_unit_test(test_one_a_row), cmocka_unit_test(test_split),
        cmocka_unit_test(test_windows),   cmocka_unit_test(test_without_target),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}
