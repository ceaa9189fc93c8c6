/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of token streams: round trips, position, proof of the end, damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/output.h"
#include "core/random.h"
#include "tokenizer/tokens.h"

/* A stream in memory: what went in. */
struct content {
    int32_t *id;
    uint8_t *flag;
    size_t n;
    uint64_t n_document, text_bytes;
};

static struct tokens_info info_for(uint32_t vocab_size, int has_mask)
{
    return (struct tokens_info){
        .vocab_size = vocab_size,
        .row_len = 16,
        .has_mask = has_mask,
        .tokenizer = {0x1122334455667788ULL, 0x99aabbccddeeff00ULL},
        .bos = 1,
        .eos = -1,
    };
}

/* Writes `n` tokens in documents of pseudo-random length to `path`. */
static struct content write_stream(const char *path,
                                   const struct tokens_info *info, size_t n,
                                   uint64_t seed)
{
    struct content content = {.n = n};
    struct oy_random random = oy_random_at(seed, 0);
    struct oy_error err = {0};
    struct oy_output *output = oy_output_open(path, NULL, &err);
    struct tokens_writer *writer = tokens_writer_new(info, output);
    uint8_t *loss = oy_alloc(n + 1);

    assert_non_null(output);
    content.id = oy_alloc_array(n + 1, sizeof *content.id);
    content.flag = oy_alloc(n + 1);
    for (size_t at = 0; at < n;) {
        size_t len = 1 + (size_t)oy_random_below(&random, 3000);
        len = len < n - at ? len : n - at;
        for (size_t i = at; i < at + len; i++) {
            content.id[i] = (int32_t)oy_random_below(&random, info->vocab_size);
            loss[i] = (uint8_t)oy_random_below(&random, 2);
            content.flag[i] = (uint8_t)(i == at ? TOKENS_START : 0);
            if (!info->has_mask || loss[i])
                content.flag[i] |= TOKENS_LOSS;
        }
        assert_int_equal(tokens_write(writer, content.id + at, len,
                                      info->has_mask ? loss + at : NULL,
                                      len * 3, &err),
                         0);
        content.n_document++;
        content.text_bytes += len * 3;
        at += len;
    }
    assert_int_equal(tokens_writer_finish(writer, &err), 0);
    assert_int_equal(tokens_writer_count(writer), n);
    assert_int_equal(tokens_writer_documents(writer), content.n_document);
    tokens_writer_free(writer);
    assert_int_equal(oy_output_commit(output, &err), 0);
    oy_free(loss);
    return content;
}

static void content_release(struct content *content)
{
    oy_free(content->id);
    oy_free(content->flag);
}

static char *new_path(const char *suffix)
{
    char name[] = "/tmp/oy-test-XXXXXX";
    const int fd = mkstemp(name);

    assert_true(fd >= 0);
    close(fd);
    unlink(name);
    return oy_asprintf("%s%s", name, suffix);
}

static void drop(char *path)
{
    unlink(path);
    oy_free(path);
}

/* Reads all of it in steps of `step` and compares. */
static void expect_content(const char *const *path, int n_path,
                           const struct content *content, size_t step)
{
    struct oy_error err = {0};
    struct tokens_reader *reader = tokens_open(path, n_path, &err);
    int32_t *id = oy_alloc_array(step, sizeof *id);
    uint8_t *flag = oy_alloc(step);
    size_t at = 0;
    int64_t got;

    assert_non_null(reader);
    while ((got = tokens_read(reader, step, id, flag, &err)) > 0) {
        assert_true(at + (size_t)got <= content->n);
        assert_memory_equal(id, content->id + at, (size_t)got * sizeof *id);
        assert_memory_equal(flag, content->flag + at, (size_t)got);
        at += (size_t)got;
        assert_int_equal(tokens_position(reader), at);
    }
    assert_int_equal(got, 0);
    assert_int_equal(at, content->n);
    assert_int_equal(tokens_read(reader, step, id, flag, &err), 0);
    tokens_close(reader);
    oy_free(id);
    oy_free(flag);
}

static void test_round_trip(void **state)
{
    (void)state;
    static const size_t length[] = {0, 1, 65536, 140001};

    for (int variant = 0; variant < 4; variant += 3) {
        const struct tokens_info info =
            info_for(variant & 1 ? 70000 : 65536, variant >> 1);
        for (size_t i = 0; i < sizeof length / sizeof *length; i++) {
            char *path = new_path(".tok");
            const char *const one = path;
            struct content content = write_stream(path, &info, length[i], i);
            expect_content(&one, 1, &content, 1000);
            expect_content(&one, 1, &content, 100000);
            content_release(&content);
            drop(path);
        }
    }
}

static void test_header_is_read(void **state)
{
    (void)state;
    struct oy_error err = {0};
    struct tokens_info info = info_for(300, 0);
    char *path = new_path(".tok");
    const char *const one = path;

    info.shuffle = 1;
    info.seed = 77;
    struct content content = write_stream(path, &info, 5000, 3);
    struct tokens_reader *reader = tokens_open(&one, 1, &err);
    const struct tokens_info *back = tokens_reader_info(reader);
    assert_int_equal(back->vocab_size, 300);
    assert_int_equal(back->row_len, 16);
    assert_int_equal(back->shuffle, 1);
    assert_int_equal(back->seed, 77);
    assert_true(back->tokenizer.high == info.tokenizer.high);
    assert_true(back->tokenizer.low == info.tokenizer.low);
    assert_int_equal(back->bos, 1);
    assert_int_equal(back->eos, -1);
    assert_true(tokens_is_seekable(reader));
    assert_int_equal(tokens_total(reader), 5000);
    assert_int_equal(tokens_total_documents(reader), content.n_document);
    assert_int_equal(tokens_total_bytes(reader), content.text_bytes);
    tokens_close(reader);
    content_release(&content);
    drop(path);
}

static void test_by_position(void **state)
{
    (void)state;
    struct oy_error err = {0};
    const struct tokens_info info = info_for(1000, 1);
    struct oy_random random = oy_random_at(9, 9);
    char *path = new_path(".tok");
    const char *const one = path;
    struct content content = write_stream(path, &info, 150001, 3);
    struct tokens_reader *reader = tokens_open(&one, 1, &err);
    int32_t id[700];
    uint8_t flag[700];

    for (int i = 0; i < 2000; i++) {
        const size_t n = (size_t)oy_random_below(&random, 700);
        const size_t at = (size_t)oy_random_below(&random, content.n - n + 1);
        assert_int_equal(tokens_read_at(reader, at, n, id, flag, &err), 0);
        assert_memory_equal(id, content.id + at, n * sizeof *id);
        assert_memory_equal(flag, content.flag + at, n);
    }
    tokens_close(reader);
    content_release(&content);
    drop(path);
}

/* Two shards read like one stream; a stranger is refused. */
static void test_shards(void **state)
{
    (void)state;
    struct oy_error err = {0};
    struct tokens_info info = info_for(1000, 0);
    char *path[3] = {new_path(".tok"), new_path(".tok"), new_path(".tok")};
    struct content part[2] = {write_stream(path[0], &info, 70000, 1),
                              write_stream(path[1], &info, 30000, 2)};
    struct content all = {.n = 100000};
    int32_t id[1000];

    all.id = oy_alloc_array(all.n, sizeof *all.id);
    all.flag = oy_alloc(all.n);
    memcpy(all.id, part[0].id, 70000 * sizeof *all.id);
    memcpy(all.id + 70000, part[1].id, 30000 * sizeof *all.id);
    memcpy(all.flag, part[0].flag, 70000);
    memcpy(all.flag + 70000, part[1].flag, 30000);
    expect_content((const char *const *)path, 2, &all, 999);
    struct tokens_reader *reader =
        tokens_open((const char *const *)path, 2, &err);
    assert_int_equal(tokens_total(reader), 100000);
    assert_int_equal(tokens_read_at(reader, 69500, 1000, id, NULL, &err), 0);
    assert_memory_equal(id, all.id + 69500, sizeof id);
    tokens_close(reader);

    info.tokenizer.low++;
    struct content other = write_stream(path[2], &info, 10, 1);
    assert_null(tokens_open((const char *const *)path, 3, &err));
    assert_int_equal(err.code, OY_DATA);
    assert_non_null(strstr(err.message, path[2]));
    content_release(&other);
    content_release(&part[0]);
    content_release(&part[1]);
    content_release(&all);
    for (int i = 0; i < 3; i++)
        drop(path[i]);
}

static void test_compressed_reads_forward(void **state)
{
    (void)state;
    struct oy_error err = {0};
    const struct tokens_info info = info_for(1000, 0);
    char *path = new_path(".tok.zst");
    const char *const one = path;
    struct content content = write_stream(path, &info, 70000, 1);

    expect_content(&one, 1, &content, 512);
    struct tokens_reader *reader = tokens_open(&one, 1, &err);
    assert_false(tokens_is_seekable(reader));
    assert_int_equal(tokens_total(reader), 0);
    tokens_close(reader);
    content_release(&content);
    drop(path);
}

/* The hash of a position is a function of what lies before it. */
static void test_position_hash(void **state)
{
    (void)state;
    struct oy_error err = {0};
    const struct tokens_info info = info_for(1000, 0);
    char *path = new_path(".tok");
    const char *const one = path;
    struct content content = write_stream(path, &info, 140000, 1);
    static const size_t stop[] = {0, 1, 65535, 65536, 65537, 131072, 140000};
    uint64_t last = 1;

    for (size_t i = 0; i < sizeof stop / sizeof *stop; i++) {
        struct tokens_reader *a = tokens_open(&one, 1, &err);
        struct tokens_reader *b = tokens_open(&one, 1, &err);
        assert_int_equal(tokens_skip(a, stop[i], &err), stop[i]);
        for (size_t at = 0; at < stop[i];) {
            const size_t left = stop[i] - at;
            const size_t step = left < 777 ? left : 777;
            assert_int_equal(tokens_read(b, step, NULL, NULL, &err), step);
            at += step;
        }
        assert_true(tokens_position_hash(a) == tokens_position_hash(b));
        assert_true(tokens_position_hash(a) != last);
        last = tokens_position_hash(a);
        tokens_close(a);
        tokens_close(b);
    }
    content_release(&content);
    drop(path);
}

static char *slurp(const char *path, size_t *len)
{
    struct oy_error err = {0};
    char *data = oy_input_slurp(path, 1 << 30, len, &err);

    assert_non_null(data);
    return data;
}

/* Reads to the end; 0 when that works. */
static int read_all(const char *path, struct oy_error *err)
{
    struct tokens_reader *reader = tokens_open(&path, 1, err);
    int64_t got = reader ? 1 : -1;

    while (got > 0)
        got = tokens_read(reader, 4096, NULL, NULL, err);
    tokens_close(reader);
    return got ? -1 : 0;
}

static void write_bytes(const char *path, const char *data, size_t len)
{
    FILE *file = fopen(path, "wb");

    assert_int_equal(fwrite(data, 1, len, file), len);
    fclose(file);
}

/* Every prefix of a stream is truncated: never a shorter stream. */
static void test_truncation_is_an_error(void **state)
{
    (void)state;
    const struct tokens_info info = info_for(1000, 0);
    char *path = new_path(".tok");
    char *cut = new_path(".tok");
    struct content content = write_stream(path, &info, 66000, 1);
    size_t len;
    char *data = slurp(path, &len);
    struct tokens_summary summary;

    for (size_t keep = 0; keep < len;
         keep += keep < 200 || len - keep < 200 ? 1 : 1009) {
        struct oy_error err = {0};
        write_bytes(cut, data, keep);
        assert_int_equal(read_all(cut, &err), -1);
        assert_int_equal(err.code, OY_DATA);
        assert_non_null(strstr(err.message, cut));
        struct oy_error again = {0};
        assert_int_equal(tokens_check(cut, &summary, &again), -1);
        assert_int_equal(again.code, OY_DATA);
    }
    oy_free(data);
    content_release(&content);
    drop(path);
    drop(cut);
}

/* Reading by position finds what is wrong with what it touches; only the
 * reading of the rest may go well. */
static void expect_damage_by_position(const char *path)
{
    struct oy_error err = {0};
    int32_t id[3000];
    uint8_t flag[3000];
    struct tokens_reader *reader = tokens_open(&path, 1, &err);

    if (reader && tokens_is_seekable(reader) && tokens_total(reader) == 3000)
        assert_int_equal(tokens_read_at(reader, 0, 3000, id, flag, &err), -1);
    else
        assert_null(reader);
    assert_int_equal(err.code, OY_DATA);
    tokens_close(reader);
}

/* Any flipped bit is found, also bytes behind the end. */
static void test_damage_is_found(void **state)
{
    (void)state;
    const struct tokens_info info = info_for(1000, 1);
    char *path = new_path(".tok");
    char *bad = new_path(".tok");
    struct content content = write_stream(path, &info, 3000, 1);
    struct tokens_summary summary;
    struct oy_error err = {0};
    size_t len;
    char *data = slurp(path, &len);

    assert_int_equal(tokens_check(path, &summary, &err), 0);
    assert_int_equal(summary.n_token, 3000);
    assert_int_equal(summary.n_document, content.n_document);
    assert_int_equal(summary.text_bytes, content.text_bytes);
    for (size_t i = 0; i < len; i++) {
        struct oy_error found = {0};
        data[i] ^= (char)(1 << i % 8);
        write_bytes(bad, data, len);
        assert_int_equal(tokens_check(bad, &summary, &found), -1);
        assert_int_equal(found.code, OY_DATA);
        expect_damage_by_position(bad);
        data[i] ^= (char)(1 << i % 8);
    }
    char *more = oy_alloc(len + 8);
    memcpy(more, data, len);
    memset(more + len, 0, 8);
    write_bytes(bad, more, len + 8);
    assert_int_equal(tokens_check(bad, &summary, &err), -1);
    oy_free(more);
    oy_free(data);
    content_release(&content);
    drop(path);
    drop(bad);
}

static void test_other_version_is_refused(void **state)
{
    (void)state;
    const struct tokens_info info = info_for(1000, 0);
    char *path = new_path(".tok");
    struct content content = write_stream(path, &info, 100, 1);
    struct oy_error err = {0};
    size_t len;
    char *data = slurp(path, &len);

    data[8]++;
    write_bytes(path, data, len);
    assert_int_equal(read_all(path, &err), -1);
    assert_non_null(strstr(err.message, "version"));
    oy_free(data);
    content_release(&content);
    drop(path);
}

static void test_missing_and_foreign_files(void **state)
{
    (void)state;
    struct oy_error missing = {0}, foreign = {0};
    const char *const none = "/tmp/oy-test-none/none.tok";
    char *path = new_path(".jsonl");
    const char *const one = path;

    assert_null(tokens_open(&none, 1, &missing));
    assert_int_equal(missing.code, OY_NOINPUT);
    write_bytes(path, "{\"text\":\"not a token stream\"}\n", 30);
    assert_null(tokens_open(&one, 1, &foreign));
    assert_int_equal(foreign.code, OY_DATA);
    assert_true(tokens_is_magic("OYTOKENS"));
    assert_false(tokens_is_magic("{\"text\":"));
    drop(path);
}

/* ---- rows ---- */

/* A stream of rows: where they begin, beside what is in them. */
struct rows {
    struct content content;
    uint64_t *at; /* [n + 1] */
    size_t n;
};

static struct rows write_rows(const char *path, const struct tokens_info *info,
                              size_t n_row, uint64_t seed)
{
    struct rows rows = {.n = n_row};
    struct oy_random random = oy_random_at(seed, 1);
    struct oy_error err = {0};
    struct oy_output *output = oy_output_open(path, NULL, &err);
    struct tokens_writer *writer = tokens_writer_new(info, output);
    const size_t most = n_row * info->row_len;
    struct content *const c = &rows.content;

    c->id = oy_alloc_array(most + 1, sizeof *c->id);
    c->flag = oy_calloc(most + 1, 1);
    rows.at = oy_alloc_array(n_row + 1, sizeof *rows.at);
    for (size_t i = 0; i < n_row; i++) {
        size_t room = 1 + (size_t)oy_random_below(&random, info->row_len);
        rows.at[i] = c->n;
        tokens_begin_row(writer);
        for (int first = 1; room; first = 0) {
            const size_t len = 1 + (size_t)oy_random_below(&random, room);
            for (size_t j = c->n; j < c->n + len; j++) {
                c->id[j] = (int32_t)oy_random_below(&random, info->vocab_size);
                c->flag[j] = TOKENS_LOSS;
            }
            c->flag[c->n] |= first ? TOKENS_START | TOKENS_ROW : TOKENS_START;
            assert_int_equal(
                tokens_write(writer, c->id + c->n, len, NULL, 1, &err), 0);
            c->n += len;
            c->n_document++;
            room -= len;
        }
    }
    rows.at[n_row] = c->n;
    assert_int_equal(tokens_writer_finish(writer, &err), 0);
    tokens_writer_free(writer);
    assert_int_equal(oy_output_commit(output, &err), 0);
    return rows;
}

static void rows_release(struct rows *rows)
{
    content_release(&rows->content);
    oy_free(rows->at);
}

static struct tokens_info rows_info(uint32_t row_len)
{
    struct tokens_info info = info_for(1000, 0);

    info.row_len = row_len;
    info.has_rows = 1;
    return info;
}

/* Short rows, rows over block borders, and rows longer than a block. */
static void test_rows(void **state)
{
    (void)state;
    static const uint32_t length[] = {1, 40, 1000, 200000};
    static const size_t number[] = {70000, 5000, 300, 7};

    for (size_t i = 0; i < sizeof length / sizeof *length; i++) {
        const struct tokens_info info = rows_info(length[i]);
        char *path = new_path(".tok");
        const char *const one = path;
        struct rows rows = write_rows(path, &info, number[i], i);
        struct tokens_summary summary;
        struct oy_error err = {0};
        expect_content(&one, 1, &rows.content, 999);
        assert_int_equal(tokens_check(path, &summary, &err), 0);
        assert_int_equal(summary.n_row, rows.n);
        assert_int_equal(summary.n_document, rows.content.n_document);
        assert_true(summary.info.has_rows);
        struct tokens_reader *reader = tokens_open(&one, 1, &err);
        assert_int_equal(tokens_total_rows(reader), rows.n);
        for (size_t row = 0; row < rows.n; row++) {
            uint64_t at;
            size_t n;
            assert_int_equal(tokens_find_row(reader, row, &at, &n, &err), 0);
            assert_int_equal(at, rows.at[row]);
            assert_int_equal(n, rows.at[row + 1] - rows.at[row]);
        }
        tokens_close(reader);
        rows_release(&rows);
        drop(path);
    }
}

/* Rows are numbered through all shards. */
static void test_rows_in_shards(void **state)
{
    (void)state;
    const struct tokens_info info = rows_info(50);
    char *path[3] = {new_path(".tok"), new_path(".tok"), new_path(".tok")};
    struct rows part[3] = {write_rows(path[0], &info, 3000, 1),
                           write_rows(path[1], &info, 0, 2),
                           write_rows(path[2], &info, 20, 3)};
    struct oy_error err = {0};
    struct tokens_reader *reader =
        tokens_open((const char *const *)path, 3, &err);
    uint64_t at;
    size_t n;

    assert_int_equal(tokens_total_rows(reader), 3020);
    assert_int_equal(tokens_find_row(reader, 2999, &at, &n, &err), 0);
    assert_int_equal(at + n, part[0].content.n);
    assert_int_equal(tokens_find_row(reader, 3007, &at, &n, &err), 0);
    assert_int_equal(at, part[0].content.n + part[2].at[7]);
    assert_int_equal(n, part[2].at[8] - part[2].at[7]);
    tokens_close(reader);
    for (int i = 0; i < 3; i++) {
        rows_release(&part[i]);
        drop(path[i]);
    }
}

/* A flipped bit is found by the check, and does not lead a reader by position
 * out of the file. */
static void test_damaged_rows(void **state)
{
    (void)state;
    const struct tokens_info info = rows_info(50);
    char *path = new_path(".tok");
    char *bad = new_path(".tok");
    const char *const one = bad;
    struct rows rows = write_rows(path, &info, 40, 1);
    size_t len;
    char *data = slurp(path, &len);

    for (size_t i = 0; i < len; i++) {
        struct tokens_summary summary;
        struct oy_error err = {0}, found = {0};
        uint64_t at;
        size_t n;
        data[i] ^= (char)(1 << i % 8);
        write_bytes(bad, data, len);
        assert_int_equal(tokens_check(bad, &summary, &err), -1);
        struct tokens_reader *reader = tokens_open(&one, 1, &found);
        if (reader && tokens_is_seekable(reader))
            assert_int_equal(tokens_find_row(reader, 7, &at, &n, &found), -1);
        tokens_close(reader);
        data[i] ^= (char)(1 << i % 8);
    }
    oy_free(data);
    rows_release(&rows);
    drop(path);
    drop(bad);
}

/* A start that lies behind its block, under hashes that are right. */
static void test_forged_rows(void **state)
{
    (void)state;
    enum { HEADER = 96, BLOCK_HEADER = 40, ROW = 3 };
    const struct tokens_info info = rows_info(50);
    char *path = new_path(".tok");
    const char *const one = path;
    struct rows rows = write_rows(path, &info, 40, 1);
    struct oy_buffer part = {0};
    struct oy_error err = {0};
    struct tokens_summary summary;
    uint32_t n_token, n_start, size, place = 0;
    uint64_t at;
    size_t len, n;
    char *data = slurp(path, &len), *block = data + HEADER;

    memcpy(&n_token, block + 4, 4);
    memcpy(&n_start, block + 8, 4);
    memcpy(&size, block + 12, 4);
    char *start = block + BLOCK_HEADER + (n_token * 2 + 3) / 4 * 4;
    for (int row = -1; row < ROW; start += 4) {
        memcpy(&place, start, 4);
        row += place >> 31;
    }
    place = 1U << 31 | (n_token + 7);
    memcpy(start - 4, &place, 4);
    oy_buffer_append(&part, block, 32);
    oy_buffer_append(&part, block + BLOCK_HEADER, size);
    const uint64_t hash = oy_hash64(part.data, part.len);
    memcpy(block + 32, &hash, 8);
    write_bytes(path, data, len);
    assert_int_equal(tokens_check(path, &summary, &err), -1);
    struct tokens_reader *reader = tokens_open(&one, 1, &err);
    assert_non_null(reader);
    assert_int_equal(tokens_find_row(reader, ROW, &at, &n, &err), -1);
    err = (struct oy_error){0};
    assert_int_equal(tokens_find_row(reader, ROW - 1, &at, &n, &err), -1);
    assert_int_equal(err.code, OY_DATA);
    tokens_close(reader);
    oy_buffer_release(&part);
    oy_free(data);
    rows_release(&rows);
    drop(path);
}

/* A permutation, another one in every epoch and for every seed. */
static void test_rows_are_permuted(void **state)
{
    (void)state;
    enum { N = 1000 };
    unsigned char seen[N] = {0};
    int moved = 0;

    for (uint64_t i = 0; i < N; i++) {
        const uint64_t row = tokens_row_at(42, 3, N, i);
        assert_true(row < N);
        assert_false(seen[row]);
        seen[row] = 1;
        moved += row != tokens_row_at(42, 4, N, i);
        moved += row != tokens_row_at(43, 3, N, i);
    }
    assert_true(moved > 1900);
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_header_is_read),
        cmocka_unit_test(test_by_position),
        cmocka_unit_test(test_shards),
        cmocka_unit_test(test_compressed_reads_forward),
        cmocka_unit_test(test_position_hash),
        cmocka_unit_test(test_truncation_is_an_error),
        cmocka_unit_test(test_damage_is_found),
        cmocka_unit_test(test_other_version_is_refused),
        cmocka_unit_test(test_missing_and_foreign_files),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_rows_in_shards),
        cmocka_unit_test(test_damaged_rows),
        cmocka_unit_test(test_forged_rows),
        cmocka_unit_test(test_rows_are_permuted),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}
