/* SPDX-License-Identifier: Apache-2.0
 *
 * Token streams, the reading half: front to back through core/input, and by
 * position through a mapping of plain files. */
#include "tokenizer/tokens.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/input.h"
#include "core/random.h"
#include "tokenizer/tokens_internal.h"

/* Where in which file something is wrong. */
#define AT "%s: byte %llu: "

/* ---- one file, front to back ---- */

struct scan {
    struct oy_input *input;
    const char *name;
    uint64_t at; /* bytes taken */
    struct tokens_header header;
    struct tokens_info info;
    uint64_t previous; /* hash of the part before */
    uint64_t n_token, n_document, text_bytes;
    uint64_t *offset; /* of each block */
    size_t n_block, cap_block;
    struct oy_buffer part;
    int ended;
};

/* The block that was read last, unpacked. */
struct block {
    int32_t *id;   /* [TOKENS_BLOCK] */
    uint8_t *flag; /* [TOKENS_BLOCK] */
    size_t n;
};

static int fail_at(const struct scan *scan, struct oy_error *err,
                   const char *what)
{
    return oy_fail(err, OY_DATA, AT "%s", scan->name,
                   (unsigned long long)scan->at, what);
}

/* Takes exactly `size` bytes. */
static int take(struct scan *scan, void *data, size_t size,
                struct oy_error *err)
{
    const ssize_t got = oy_input_read(scan->input, data, size, err);

    if (got < 0)
        return -1;
    scan->at += (uint64_t)got;
    if ((size_t)got < size)
        return fail_at(scan, err, "token stream is truncated");
    return 0;
}

static const char *header_fault(const struct tokens_header *header)
{
    if (memcmp(header->magic, TOKENS_MAGIC, 8))
        return "not a token stream";
    if (header->major != TOKENS_MAJOR)
        return "token stream of another major version";
    if (header->hash != oy_hash64(header, offsetof(struct tokens_header, hash)))
        return "damaged header of a token stream";
    if (header->header_size != TOKENS_HEADER_SIZE ||
        header->block_tokens != TOKENS_BLOCK || header->vocab_size > INT32_MAX)
        return "header of a token stream out of range";
    if (header->token_size != 4 &&
        (header->token_size != 2 || header->vocab_size > 65536))
        return "header of a token stream out of range";
    return NULL;
}

static struct tokens_info info_of(const struct tokens_header *header)
{
    return (struct tokens_info){
        .vocab_size = header->vocab_size,
        .row_len = header->row_len,
        .has_mask = !!(header->flags & TOKENS_FLAG_MASK),
        .shuffle = !!(header->flags & TOKENS_FLAG_SHUFFLE),
        .seed = header->seed,
        .tokenizer = {header->tokenizer[0], header->tokenizer[1]},
        .bos = header->bos,
        .eos = header->eos,
    };
}

/* Takes the header from scan->input. */
static int scan_begin(struct scan *scan, struct oy_error *err)
{
    const char *fault;

    scan->name = oy_input_name(scan->input);
    const ssize_t got =
        oy_input_read(scan->input, &scan->header, sizeof scan->header, err);
    if (got < 0)
        return -1;
    if ((size_t)got < sizeof scan->header) {
        const int begins = got >= 8 && tokens_is_magic(scan->header.magic);
        return oy_fail(err, OY_DATA, "%s: %s", scan->name,
                       begins ? "token stream is truncated"
                              : "not a token stream");
    }
    fault = header_fault(&scan->header);
    if (fault)
        return oy_fail(err, OY_DATA, "%s: %s", scan->name, fault);
    scan->at = sizeof scan->header;
    scan->previous = scan->header.hash;
    scan->info = info_of(&scan->header);
    return 0;
}

static int scan_open(struct scan *scan, const char *path, struct oy_error *err)
{
    scan->input = oy_input_open(path, err);
    return scan->input ? scan_begin(scan, err) : -1;
}

static void scan_release(struct scan *scan)
{
    oy_input_close(scan->input);
    oy_free(scan->offset);
    oy_buffer_release(&scan->part);
    *scan = (struct scan){0};
}

/* Whether the header's numbers can be those of a block at this place. */
static const char *block_fault(const struct tokens_header *stream,
                               const struct tokens_block_header *header,
                               uint64_t first)
{
    const int has_mask = !!(stream->flags & TOKENS_FLAG_MASK);

    if (header->mark != TOKENS_BLOCK_MARK)
        return "no token block where one should be";
    if (!header->n_token || header->n_token > TOKENS_BLOCK ||
        header->n_start > header->n_token ||
        header->payload_size !=
            tokens_payload_size(header->n_token, header->n_start,
                                stream->token_size, has_mask))
        return "damaged header of a token block";
    if (header->first != first)
        return "token block out of place";
    return NULL;
}

static uint64_t block_hash(struct oy_buffer *scratch,
                           const struct tokens_block_header *header,
                           const void *payload)
{
    oy_buffer_clear(scratch);
    oy_buffer_append(scratch, header,
                     offsetof(struct tokens_block_header, hash));
    oy_buffer_append(scratch, payload, header->payload_size);
    return oy_hash64(scratch->data, scratch->len);
}

/* Unpacks tokens from .. from+n-1 of a block whose hash is right. */
static void unpack_ids(const struct tokens_header *stream,
                       const unsigned char *payload, size_t from, size_t n,
                       int32_t *id)
{
    if (stream->token_size == 4) {
        memcpy(id, payload + 4 * from, 4 * n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        uint16_t narrow;
        memcpy(&narrow, payload + 2 * (from + i), sizeof narrow);
        id[i] = narrow;
    }
}

static void unpack_flags(const struct tokens_header *stream,
                         const struct tokens_block_header *header,
                         const unsigned char *payload, size_t from, size_t n,
                         uint8_t *flag)
{
    const unsigned char *start =
        payload + tokens_starts_at(header->n_token, stream->token_size);
    const unsigned char *mask = start + 4UL * header->n_start;

    memset(flag, TOKENS_LOSS, n);
    for (size_t i = 0; (stream->flags & TOKENS_FLAG_MASK) && i < n; i++) {
        const size_t bit = from + i;
        flag[i] = mask[bit / 8] >> bit % 8 & 1 ? TOKENS_LOSS : 0;
    }
    for (uint32_t i = 0; i < header->n_start; i++) {
        uint32_t place;
        memcpy(&place, start + 4UL * i, sizeof place);
        if (place >= from && place - from < n)
            flag[place - from] |= TOKENS_START;
    }
}

/* Ids within the vocabulary, starts ascending: only a broken writer or a
 * forged file gets past the hash and fails here. */
static const char *content_fault(const struct tokens_header *stream,
                                 const struct tokens_block_header *header,
                                 const unsigned char *payload,
                                 const int32_t *id)
{
    const unsigned char *start =
        payload + tokens_starts_at(header->n_token, stream->token_size);
    uint32_t largest = 0, place;
    uint64_t next = 0;

    for (uint32_t i = 0; i < header->n_token; i++)
        largest = (uint32_t)id[i] > largest ? (uint32_t)id[i] : largest;
    if (largest >= stream->vocab_size)
        return "token id outside the vocabulary";
    for (uint32_t i = 0; i < header->n_start; i++) {
        memcpy(&place, start + 4UL * i, sizeof place);
        if (place < next || place >= header->n_token)
            return "document starts out of order";
        next = place + 1UL;
    }
    return NULL;
}

/* Reads the footer whose mark was taken, and proves the end. */
static int scan_end(struct scan *scan, const void *begin, size_t n_begin,
                    struct oy_error *err)
{
    const uint64_t at = scan->at - n_begin;
    const size_t size = TOKENS_FOOT_SIZE + scan->n_block * 8 + TOKENS_TAIL_SIZE;
    struct tokens_foot foot;
    uint64_t tail[2];
    char more;

    oy_buffer_clear(&scan->part);
    char *data = oy_buffer_reserve(&scan->part, size);
    memcpy(data, begin, n_begin);
    if (take(scan, data + n_begin, size - n_begin, err))
        return -1;
    memcpy(&foot, data, sizeof foot);
    memcpy(tail, data + size - TOKENS_TAIL_SIZE, sizeof tail);
    if (foot.n_token != scan->n_token || foot.n_document != scan->n_document ||
        foot.n_block != scan->n_block || foot.last_hash != scan->previous ||
        tail[0] != oy_hash64(data, size - TOKENS_TAIL_SIZE) || tail[1] != at ||
        memcmp(data + size - 8, TOKENS_END_MAGIC, 8) ||
        (scan->n_block &&
         memcmp(data + TOKENS_FOOT_SIZE, scan->offset, scan->n_block * 8)))
        return fail_at(scan, err, "footer does not fit the token stream");
    scan->text_bytes = foot.text_bytes;
    const ssize_t behind = oy_input_read(scan->input, &more, 1, err);
    if (behind)
        return behind < 0 ? -1
                          : fail_at(scan, err, "bytes behind a token stream");
    scan->ended = 1;
    return 0;
}

/* 1 and the next block in `block`, 0 at the proven end, -1. */
static int scan_block(struct scan *scan, struct block *block,
                      struct oy_error *err)
{
    struct tokens_block_header header;
    const uint64_t at = scan->at;
    const size_t fixed = offsetof(struct tokens_block_header, hash);

    if (take(scan, &header, sizeof header, err))
        return -1;
    if (header.mark == TOKENS_FOOT_MARK)
        return scan_end(scan, &header, sizeof header, err);
    const char *fault = block_fault(&scan->header, &header, scan->n_token);
    if (!fault && scan->n_token % TOKENS_BLOCK)
        fault = "token block behind one that is not full";
    if (fault)
        return fail_at(scan, err, fault);
    oy_buffer_clear(&scan->part);
    oy_buffer_append(&scan->part, &header, fixed);
    char *payload = oy_buffer_reserve(&scan->part, header.payload_size);
    if (take(scan, payload, header.payload_size, err))
        return -1;
    if (header.previous != scan->previous ||
        header.hash != oy_hash64(scan->part.data, fixed + header.payload_size))
        return fail_at(scan, err, "token block with a wrong hash");
    const unsigned char *bytes = (const unsigned char *)payload;
    unpack_ids(&scan->header, bytes, 0, header.n_token, block->id);
    fault = content_fault(&scan->header, &header, bytes, block->id);
    if (fault)
        return fail_at(scan, err, fault);
    unpack_flags(&scan->header, &header, bytes, 0, header.n_token, block->flag);
    block->n = header.n_token;
    OY_GROW(scan->offset, scan->cap_block, scan->n_block + 1);
    scan->offset[scan->n_block++] = at;
    scan->previous = header.hash;
    scan->n_token += header.n_token;
    scan->n_document += header.n_start;
    return 1;
}

/* ---- one plain file, by position ---- */

struct map {
    const unsigned char *base; /* NULL: not mapped */
    size_t size;
    struct tokens_header header;
    struct tokens_foot foot;
    const unsigned char *index; /* n_block offsets */
    uint64_t first;             /* number of its first token in the reader */
    unsigned char *proven;      /* one a block */
};

/* The footer as the tail of the file says; what is wrong, or NULL. */
static const char *map_fault(struct map *map)
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
    const uint64_t n_block = (end - at - TOKENS_FOOT_SIZE) / 8;
    if (map->foot.mark != TOKENS_FOOT_MARK || map->foot.n_block != n_block ||
        (map->foot.n_token + TOKENS_BLOCK - 1) / TOKENS_BLOCK != n_block)
        return "damaged footer of a token stream";
    map->index = map->base + at + TOKENS_FOOT_SIZE;
    return NULL;
}

static int map_open(struct map *map, const char *path, struct oy_error *err)
{
    const char *fault = NULL;
    struct stat st;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st)) {
        if (fd >= 0)
            close(fd);
        return oy_fail_errno(err, OY_NOINPUT, "%s", path);
    }
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
        fault = header_fault(&map->header);
    }
    if (!fault)
        fault = map_fault(map);
    if (fault)
        return oy_fail(err, OY_DATA, "%s: %s", path, fault);
    map->proven = oy_calloc(map->foot.n_block + 1, 1);
    return 0;
}

static void map_release(struct map *map)
{
    if (map->base)
        munmap((void *)map->base, map->size);
    oy_free(map->proven);
    *map = (struct map){0};
}

/* ---- the reader ---- */

struct tokens_reader {
    char **path;
    int n_path;
    struct tokens_info info;

    struct map *map; /* [n_path], NULL when not seekable */
    uint64_t total, total_document, total_bytes;
    struct oy_buffer scratch;

    struct scan scan; /* of path[file], opened when input is set */
    int file;
    uint64_t carry; /* what the files before hashed to */
    struct block block;
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
           a->has_mask == b->has_mask && a->shuffle == b->shuffle &&
           a->seed == b->seed && a->bos == b->bos && a->eos == b->eos &&
           a->tokenizer.high == b->tokenizer.high &&
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
        struct map *map = &reader->map[i];
        if (map_open(map, reader->path[i], err))
            return -1;
        const struct tokens_info info = info_of(&map->header);
        if (!i)
            reader->info = info;
        else if (!same_stream(&reader->info, &info))
            return oy_fail(err, OY_DATA, "%s: token stream does not fit '%s'",
                           reader->path[i], reader->path[0]);
        map->first = reader->total;
        reader->total += map->foot.n_token;
        reader->total_document += map->foot.n_document;
        reader->total_bytes += map->foot.text_bytes;
    }
    return 0;
}

/* Opens the scan of path[file]. */
static int open_scan(struct tokens_reader *reader, struct oy_error *err)
{
    if (scan_open(&reader->scan, reader->path[reader->file], err))
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
    if (scan_begin(&reader->scan, err)) {
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
    scan_release(&reader->scan);
    for (int i = 0; i < reader->n_path; i++) {
        if (reader->map)
            map_release(&reader->map[i]);
        oy_free(reader->path[i]);
    }
    oy_free(reader->map);
    oy_free(reader->path);
    oy_free(reader->block.id);
    oy_free(reader->block.flag);
    oy_buffer_release(&reader->scratch);
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
            scan_release(&reader->scan);
            reader->file++;
            if (open_scan(reader, err))
                return -1;
        }
        const uint64_t before = reader->scan.previous;
        const int got = scan_block(&reader->scan, &reader->block, err);
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

/* The block's header, after its hash was proven once. */
static int map_block(struct tokens_reader *reader, struct map *map,
                     size_t number, const unsigned char **payload,
                     struct tokens_block_header *header, struct oy_error *err)
{
    const char *name = reader->path[map - reader->map];
    const uint64_t end = (uint64_t)(map->index - map->base);
    uint64_t at;

    memcpy(&at, map->index + 8 * number, sizeof at);
    if (at % 8 || at < TOKENS_HEADER_SIZE || at > end - sizeof *header)
        return oy_fail(err, OY_DATA, "%s: damaged index", name);
    memcpy(header, map->base + at, sizeof *header);
    *payload = map->base + at + sizeof *header;
    if (map->proven[number])
        return 0;
    const char *fault =
        block_fault(&map->header, header, (uint64_t)number * TOKENS_BLOCK);
    if (!fault && header->payload_size > end - at - sizeof *header)
        fault = "token block reaches behind the file";
    if (!fault &&
        header->hash != block_hash(&reader->scratch, header, *payload))
        fault = "token block with a wrong hash";
    if (fault)
        return oy_fail(err, OY_DATA, AT "%s", name, (unsigned long long)at,
                       fault);
    map->proven[number] = 1;
    return 0;
}

int tokens_read_at(struct tokens_reader *reader, uint64_t at, size_t n,
                   int32_t *id, uint8_t *flag, struct oy_error *err)
{
    OY_ASSERT(reader->map && at <= reader->total && n <= reader->total - at);
    struct map *map = reader->map;
    struct tokens_block_header header;
    const unsigned char *payload = NULL;

    while (n) {
        while (at - map->first >= map->foot.n_token)
            map++;
        const uint64_t local = at - map->first;
        const size_t number = (size_t)(local / TOKENS_BLOCK);
        const size_t from = (size_t)(local % TOKENS_BLOCK);
        if (map_block(reader, map, number, &payload, &header, err))
            return -1;
        if (from >= header.n_token)
            return oy_fail(err, OY_DATA, "%s: token block is short",
                           reader->path[map - reader->map]);
        const size_t left = header.n_token - from;
        const size_t step = n < left ? n : left;
        if (id)
            unpack_ids(&map->header, payload, from, step, id);
        if (flag)
            unpack_flags(&map->header, &header, payload, from, step, flag);
        id += id ? step : 0;
        flag += flag ? step : 0;
        at += step;
        n -= step;
    }
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
    struct scan scan = {0};
    struct block block = {
        .id = oy_alloc_array(TOKENS_BLOCK, sizeof(int32_t)),
        .flag = oy_alloc_array(TOKENS_BLOCK, 1),
    };
    int got = scan_open(&scan, path, err) ? -1 : 1;

    while (got > 0)
        got = scan_block(&scan, &block, err);
    if (!got)
        *summary = (struct tokens_summary){
            .info = scan.info,
            .n_token = scan.n_token,
            .n_document = scan.n_document,
            .n_block = scan.n_block,
            .text_bytes = scan.text_bytes,
        };
    scan_release(&scan);
    oy_free(block.id);
    oy_free(block.flag);
    return got;
}
