/* SPDX-License-Identifier: Apache-2.0
 *
 * One plain token stream, by position through a mapping. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tokenizer/tokens_internal.h"

static uint64_t index_at(const struct tokens_map *map, uint64_t i)
{
    uint64_t number;

    memcpy(&number, map->index + 8 * i, sizeof number);
    return number;
}

/* The footer as the tail of the file says; what is wrong, or NULL. */
static const char *map_fault(struct tokens_map *map)
{
    const unsigned char *tail = map->base + map->size - TOKENS_TAIL_SIZE;
    uint64_t hash, at;

    if (map->size < TOKENS_HEADER_SIZE + TOKENS_FOOT_SIZE + TOKENS_TAIL_SIZE ||
        map->size % 8 || memcmp(tail + 16, TOKENS_END_MAGIC, 8))
        return "token stream is truncated";
    memcpy(&hash, tail, sizeof hash);
    memcpy(&at, tail + 8, sizeof at);
    const size_t end = map->size - TOKENS_TAIL_SIZE;
    if (at % 8 || at < TOKENS_HEADER_SIZE || at > end - TOKENS_FOOT_SIZE ||
        hash != oy_hash64(map->base + at, end - at))
        return "damaged footer of a token stream";
    memcpy(&map->foot, map->base + at, sizeof map->foot);
    const int has_rows = !!(map->header.flags & TOKENS_FLAG_ROWS);
    const uint64_t n_block = map->foot.n_block;
    const uint64_t n_index = (end - at - TOKENS_FOOT_SIZE) / 8;
    if (map->foot.mark != TOKENS_FOOT_MARK || n_block > n_index ||
        tokens_index_size(n_block, has_rows) != n_index ||
        map->foot.n_token > UINT64_MAX - TOKENS_BLOCK ||
        (map->foot.n_token + TOKENS_BLOCK - 1) / TOKENS_BLOCK != n_block)
        return "damaged footer of a token stream";
    map->index = map->base + at + TOKENS_FOOT_SIZE;
    if (has_rows)
        map->n_row = index_at(map, 2 * n_block);
    return NULL;
}

int tokens_map_open(struct tokens_map *map, const char *path,
                    struct oy_error *err)
{
    const char *fault = NULL;
    struct stat st;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st)) {
        if (fd >= 0)
            close(fd);
        return oy_fail_errno(err, OY_NOINPUT, "%s", path);
    }
    map->name = path;
    map->size = (size_t)st.st_size;
    void *base = map->size ? mmap(NULL, map->size, PROT_READ, MAP_SHARED, fd, 0)
                           : MAP_FAILED;
    close(fd);
    if (base == MAP_FAILED)
        return oy_fail_errno(err, OY_NOINPUT, "%s: cannot be mapped", path);
    map->base = base;
    if (map->size < TOKENS_HEADER_SIZE)
        fault = "token stream is truncated";
    if (!fault) {
        memcpy(&map->header, base, sizeof map->header);
        fault = tokens_header_fault(&map->header);
    }
    if (!fault)
        fault = map_fault(map);
    if (fault)
        return oy_fail(err, OY_DATA, "%s: %s", path, fault);
    map->proven = oy_calloc(map->foot.n_block + 1, 1);
    return 0;
}

void tokens_map_release(struct tokens_map *map)
{
    if (map->base)
        munmap((void *)map->base, map->size);
    oy_free(map->proven);
    oy_buffer_release(&map->scratch);
    *map = (struct tokens_map){0};
}
/* The block's header and payload, after its hash was proven once. */
static int map_block(struct tokens_map *map, uint64_t number,
                     const unsigned char **payload,
                     struct tokens_block_header *header, struct oy_error *err)
{
    const uint64_t end = (uint64_t)(map->index - map->base);
    const uint64_t at = index_at(map, number);

    if (at % 8 || at < TOKENS_HEADER_SIZE || at > end - sizeof *header)
        return oy_fail(err, OY_DATA, "%s: damaged index", map->name);
    memcpy(header, map->base + at, sizeof *header);
    *payload = map->base + at + sizeof *header;
    if (map->proven[number])
        return 0;
    const char *fault =
        tokens_block_fault(&map->header, header, number * TOKENS_BLOCK);
    if (!fault && header->payload_size > end - at - sizeof *header)
        fault = "token block reaches behind the file";
    if (!fault &&
        header->hash != tokens_block_hash(&map->scratch, header, *payload))
        fault = "token block with a wrong hash";
    if (fault)
        return oy_fail(err, OY_DATA, TOKENS_AT "%s", map->name,
                       (unsigned long long)at, fault);
    map->proven[number] = 1;
    return 0;
}

int tokens_map_read(struct tokens_map *map, uint64_t at, size_t n, int32_t *id,
                    uint8_t *flag, size_t *got, struct oy_error *err)
{
    const size_t from = (size_t)(at % TOKENS_BLOCK);
    struct tokens_block_header header;
    const unsigned char *payload = NULL;

    if (map_block(map, at / TOKENS_BLOCK, &payload, &header, err))
        return -1;
    if (from >= header.n_token)
        return oy_fail(err, OY_DATA, "%s: token block is short", map->name);
    *got = header.n_token - from;
    *got = n < *got ? n : *got;
    if (id)
        tokens_unpack_ids(&map->header, payload, from, *got, id);
    if (flag)
        tokens_unpack_flags(&map->header, &header, payload, from, *got, flag);
    return 0;
}

/* ---- rows ---- */

/* The block in which row `row` begins: the last one in front of which no more
 * rows begin. */
static uint64_t block_of_row(const struct tokens_map *map, uint64_t row)
{
    uint64_t low = 0, high = map->foot.n_block;

    while (high - low > 1) {
        const uint64_t middle = low + (high - low) / 2;
        if (index_at(map, map->foot.n_block + middle) <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Where the k-th row of a block begins: 1; 0 when it has fewer; -1. */
static int find_row(struct tokens_map *map, uint64_t block, uint64_t k,
                    uint64_t *at, struct oy_error *err)
{
    struct tokens_block_header header;
    const unsigned char *payload = NULL;

    if (map_block(map, block, &payload, &header, err))
        return -1;
    for (uint32_t i = 0; i < header.n_start; i++) {
        const uint32_t start =
            tokens_start_of(&map->header, &header, payload, i);
        if (!(start & TOKENS_ROW_MARK) || k--)
            continue;
        *at = header.first + (start & ~TOKENS_ROW_MARK);
        return 1;
    }
    return 0;
}

int tokens_map_row(struct tokens_map *map, uint64_t row, uint64_t *at,
                   size_t *n, struct oy_error *err)
{
    uint64_t block = block_of_row(map, row);
    uint64_t k = row - index_at(map, map->foot.n_block + block);
    uint64_t end = 0;
    int found = find_row(map, block, k, at, err);

    if (found < 0)
        return -1;
    if (!found)
        return oy_fail(err, OY_DATA, "%s: damaged index", map->name);
    for (found = 0, k++; !found && block < map->foot.n_block; block++, k = 0) {
        found = find_row(map, block, k, &end, err);
        if (found < 0)
            return -1;
    }
    if (!found)
        end = map->foot.n_token;
    if (end <= *at || end - *at > map->header.row_len ||
        end > map->foot.n_token)
        return oy_fail(err, OY_DATA, "%s: row out of place", map->name);
    *n = (size_t)(end - *at);
    return 0;
}
