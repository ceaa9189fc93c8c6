/* SPDX-License-Identifier: Apache-2.0
 *
 * Token streams, the reading half: several files as one. */
#include "tokenizer/tokens.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/input.h"
#include "core/random.h"
#include "tokenizer/tokens_internal.h"

struct tokens_reader {
    char **path;
    int n_path;
    struct tokens_info info;

    struct tokens_map *map; /* [n_path], NULL when not seekable */
    uint64_t total, total_document, total_row, total_bytes;

    struct tokens_scan scan; /* of path[file], opened when input is set */
    int file;
    uint64_t carry; /* what the files before hashed to */
    struct tokens_block block;
    size_t taken;    /* tokens of the block handed out */
    uint64_t before; /* hash of everything before the block */
    uint64_t position;
};

int tokens_is_magic(const void *magic)
{
    return !memcmp(magic, TOKENS_MAGIC, 8);
}

static int same_stream(const struct tokens_info *a, const struct tokens_info *b)
{
    return a->vocab_size == b->vocab_size && a->row_len == b->row_len &&
           a->has_mask == b->has_mask && a->has_rows == b->has_rows &&
           a->shuffle == b->shuffle && a->seed == b->seed && a->bos == b->bos &&
           a->eos == b->eos && a->tokenizer.high == b->tokenizer.high &&
           a->tokenizer.low == b->tokenizer.low;
}

/* 1 when path is a regular file that is a plain token stream, 0 when it is
 * something else that may be readable, -1 when it cannot be opened. */
static int is_plain_stream(const char *path, struct oy_error *err)
{
    struct stat st;
    char magic[8] = {0};

    if (!strcmp(path, "-"))
        return 0;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st)) {
        oy_fail_errno(err, OY_NOINPUT, "%s", path);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    /* A fifo must not lose bytes to a look. */
    const int regular = S_ISREG(st.st_mode);
    const ssize_t got = regular ? pread(fd, magic, sizeof magic, 0) : 0;
    close(fd);
    return got == sizeof magic && tokens_is_magic(magic);
}

static int map_all(struct tokens_reader *reader, struct oy_error *err)
{
    reader->map = oy_calloc((size_t)reader->n_path, sizeof *reader->map);
    for (int i = 0; i < reader->n_path; i++) {
        struct tokens_map *map = &reader->map[i];
        if (tokens_map_open(map, reader->path[i], err))
            return -1;
        const struct tokens_info info = tokens_info_of(&map->header);
        if (!i)
            reader->info = info;
        else if (!same_stream(&reader->info, &info))
            return oy_fail(err, OY_DATA, "%s: token stream does not fit '%s'",
                           reader->path[i], reader->path[0]);
        map->first = reader->total;
        map->first_row = reader->total_row;
        reader->total += map->foot.n_token;
        reader->total_row += map->n_row;
        reader->total_document += map->foot.n_document;
        reader->total_bytes += map->foot.text_bytes;
    }
    return 0;
}

/* Opens the scan of path[file]. */
static int open_scan(struct tokens_reader *reader, struct oy_error *err)
{
    if (tokens_scan_open(&reader->scan, reader->path[reader->file], err))
        return -1;
    if (!reader->map && !reader->file)
        reader->info = reader->scan.info;
    if (!same_stream(&reader->info, &reader->scan.info))
        return oy_fail(err, OY_DATA, "%s: token stream does not fit '%s'",
                       reader->scan.name, reader->path[0]);
    return 0;
}

/* An empty reader of n_path inputs. */
static struct tokens_reader *new_reader(int n_path)
{
    struct tokens_reader *reader = oy_calloc(1, sizeof *reader);

    reader->n_path = n_path;
    reader->path = oy_calloc((size_t)n_path, sizeof *reader->path);
    reader->block.id = oy_alloc_array(TOKENS_BLOCK, sizeof(int32_t));
    reader->block.flag = oy_alloc_array(TOKENS_BLOCK, 1);
    return reader;
}

struct tokens_reader *tokens_open_input(struct oy_input *input,
                                        struct oy_error *err)
{
    struct tokens_reader *reader = new_reader(1);

    reader->path[0] = oy_strdup(oy_input_name(input));
    reader->scan.input = input;
    if (tokens_scan_begin(&reader->scan, err)) {
        tokens_close(reader);
        return NULL;
    }
    reader->info = reader->scan.info;
    reader->before = oy_mix64(reader->scan.previous);
    return reader;
}

struct tokens_reader *tokens_open(const char *const *path, int n_path,
                                  struct oy_error *err)
{
    struct tokens_reader *reader = new_reader(n_path ? n_path : 1);
    int plain = 1;

    for (int i = 0; i < reader->n_path; i++)
        reader->path[i] = oy_strdup(n_path ? path[i] : "-");
    for (int i = 0; i < reader->n_path; i++) {
        const int is_plain = is_plain_stream(reader->path[i], err);
        if (is_plain < 0)
            goto fail;
        plain &= is_plain;
    }
    if ((plain && map_all(reader, err)) || open_scan(reader, err))
        goto fail;
    reader->before = oy_mix64(reader->scan.previous);
    return reader;
fail:
    tokens_close(reader);
    return NULL;
}

void tokens_close(struct tokens_reader *reader)
{
    if (!reader)
        return;
    tokens_scan_release(&reader->scan);
    for (int i = 0; i < reader->n_path; i++) {
        if (reader->map)
            tokens_map_release(&reader->map[i]);
        oy_free(reader->path[i]);
    }
    oy_free(reader->map);
    oy_free(reader->path);
    oy_free(reader->block.id);
    oy_free(reader->block.flag);
    oy_free(reader);
}

const struct tokens_info *tokens_reader_info(const struct tokens_reader *reader)
{
    return &reader->info;
}

/* Makes the next block the current one. 1, 0 at the end of all files, -1. */
static int next_block(struct tokens_reader *reader, struct oy_error *err)
{
    for (;;) {
        if (reader->scan.ended) {
            if (reader->file + 1 == reader->n_path)
                return 0;
            reader->carry = oy_mix64(reader->carry ^ reader->scan.previous) + 1;
            tokens_scan_release(&reader->scan);
            reader->file++;
            if (open_scan(reader, err))
                return -1;
        }
        const uint64_t before = reader->scan.previous;
        const int got = tokens_scan_block(&reader->scan, &reader->block, err);
        if (got < 0)
            return -1;
        if (got) {
            reader->taken = 0;
            reader->before = oy_mix64(reader->carry ^ before);
            return 1;
        }
    }
}

int64_t tokens_read(struct tokens_reader *reader, size_t n, int32_t *id,
                    uint8_t *flag, struct oy_error *err)
{
    size_t done = 0;

    while (done < n) {
        if (reader->taken == reader->block.n) {
            const int got = next_block(reader, err);
            if (got < 0)
                return -1;
            if (!got)
                break;
        }
        const size_t left = reader->block.n - reader->taken;
        const size_t take_n = n - done < left ? n - done : left;
        if (id)
            memcpy(id + done, reader->block.id + reader->taken,
                   take_n * sizeof *id);
        if (flag)
            memcpy(flag + done, reader->block.flag + reader->taken, take_n);
        reader->taken += take_n;
        reader->position += take_n;
        done += take_n;
    }
    return (int64_t)done;
}

int64_t tokens_skip(struct tokens_reader *reader, uint64_t n,
                    struct oy_error *err)
{
    uint64_t done = 0;

    while (done < n) {
        const uint64_t left = n - done;
        const size_t step = left < TOKENS_BLOCK ? (size_t)left : TOKENS_BLOCK;
        const int64_t got = tokens_read(reader, step, NULL, NULL, err);
        if (got < 0)
            return -1;
        done += (uint64_t)got;
        if ((size_t)got < step)
            break;
    }
    return (int64_t)done;
}

uint64_t tokens_position(const struct tokens_reader *reader)
{
    return reader->position;
}

uint64_t tokens_position_hash(const struct tokens_reader *reader)
{
    const uint64_t ids =
        oy_hash64(reader->block.id, reader->taken * sizeof(int32_t));
    const uint64_t flags = oy_hash64(reader->block.flag, reader->taken);

    return oy_mix64(reader->before ^ oy_mix64(ids) ^
                    oy_mix64(flags + reader->taken));
}

int tokens_is_seekable(const struct tokens_reader *reader)
{
    return reader->map != NULL;
}

uint64_t tokens_total(const struct tokens_reader *reader)
{
    return reader->total;
}

uint64_t tokens_total_documents(const struct tokens_reader *reader)
{
    return reader->total_document;
}

uint64_t tokens_total_bytes(const struct tokens_reader *reader)
{
    return reader->total_bytes;
}

uint64_t tokens_total_rows(const struct tokens_reader *reader)
{
    return reader->total_row;
}

int tokens_read_at(struct tokens_reader *reader, uint64_t at, size_t n,
                   int32_t *id, uint8_t *flag, struct oy_error *err)
{
    OY_ASSERT(reader->map && at <= reader->total && n <= reader->total - at);
    struct tokens_map *map = reader->map;

    while (n) {
        size_t got;
        while (at - map->first >= map->foot.n_token)
            map++;
        if (tokens_map_read(map, at - map->first, n, id, flag, &got, err))
            return -1;
        id += id ? got : 0;
        flag += flag ? got : 0;
        at += got;
        n -= got;
    }
    return 0;
}

int tokens_find_row(struct tokens_reader *reader, uint64_t row, uint64_t *at,
                    size_t *n, struct oy_error *err)
{
    OY_ASSERT(row < reader->total_row);
    struct tokens_map *map = reader->map;

    while (row - map->first_row >= map->n_row)
        map++;
    if (tokens_map_row(map, row - map->first_row, at, n, err))
        return -1;
    *at += map->first;
    return 0;
}

uint64_t tokens_row_at(uint64_t seed, uint64_t epoch, uint64_t n_row,
                       uint64_t index)
{
    const uint64_t key =
        oy_mix64(seed + 0x9e3779b97f4a7c15ULL) ^ oy_mix64(epoch + 1);

    return oy_random_permute(key, n_row, index);
}

int tokens_check(const char *path, struct tokens_summary *summary,
                 struct oy_error *err)
{
    struct tokens_scan scan = {0};
    struct tokens_block block = {
        .id = oy_alloc_array(TOKENS_BLOCK, sizeof(int32_t)),
        .flag = oy_alloc_array(TOKENS_BLOCK, 1),
    };
    int got = tokens_scan_open(&scan, path, err) ? -1 : 1;

    while (got > 0)
        got = tokens_scan_block(&scan, &block, err);
    if (!got)
        *summary = (struct tokens_summary){
            .info = scan.info,
            .n_token = scan.n_token,
            .n_document = scan.n_document,
            .n_row = scan.n_row,
            .n_block = scan.n_block,
            .text_bytes = scan.text_bytes,
        };
    tokens_scan_release(&scan);
    oy_free(block.id);
    oy_free(block.flag);
    return got;
}
