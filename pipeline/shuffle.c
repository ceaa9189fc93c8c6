/* SPDX-License-Identifier: Apache-2.0
 *
 * An external sort by random keys: parts by leading bits, then memory. */
#include "pipeline/shuffle.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/spool.h"

enum {
    PART_BITS = 4,
    N_PART = 1 << PART_BITS,
    CHUNK_MAX = 1 << 20, /* bytes of a part that wait for their file */
    CHUNK_MIN = 1 << 14,
    HEAD = 16, /* key and length before each line of a part */
};
static const uint64_t MEMORY_DEFAULT = (uint64_t)1 << 30;
static const uint64_t MEMORY_MIN = (uint64_t)1 << 20;

struct entry {
    uint64_t key;
    size_t at; /* ascends with the order of adding */
    size_t len;
};

struct part {
    struct oy_spool *spool;
    struct oy_buffer waiting;
};

struct shuffle {
    const char *tmpdir;
    uint64_t memory;
    int shift; /* the part of a key: key >> shift & (N_PART - 1) */
    struct oy_buffer text;
    struct entry *entry;
    size_t n_entry, cap_entry;
    struct part *part; /* [N_PART], or NULL while all is in memory */
};

static struct shuffle *new_at(const char *tmpdir, uint64_t memory, int shift)
{
    struct shuffle *shuffle = oy_calloc(1, sizeof *shuffle);

    shuffle->tmpdir = tmpdir;
    shuffle->memory = memory;
    shuffle->shift = shift;
    return shuffle;
}

struct shuffle *shuffle_new(const char *tmpdir, uint64_t memory)
{
    if (!memory)
        memory = MEMORY_DEFAULT;
    return new_at(tmpdir, memory < MEMORY_MIN ? MEMORY_MIN : memory,
                  64 - PART_BITS);
}

static void release_memory(struct shuffle *shuffle)
{
    oy_buffer_release(&shuffle->text);
    oy_free(shuffle->entry);
    shuffle->entry = NULL;
    shuffle->n_entry = shuffle->cap_entry = 0;
}

void shuffle_free(struct shuffle *shuffle)
{
    if (!shuffle)
        return;
    for (int i = 0; shuffle->part && i < N_PART; i++) {
        oy_spool_free(shuffle->part[i].spool);
        oy_buffer_release(&shuffle->part[i].waiting);
    }
    oy_free(shuffle->part);
    release_memory(shuffle);
    oy_free(shuffle);
}

int shuffle_has_spilled(const struct shuffle *shuffle)
{
    return shuffle->part != NULL;
}

/* ---- parts ---- */

static size_t chunk_size(const struct shuffle *shuffle)
{
    const uint64_t size = shuffle->memory / (N_PART * 4);

    if (size > CHUNK_MAX)
        return CHUNK_MAX;
    return size < CHUNK_MIN ? CHUNK_MIN : (size_t)size;
}

static int flush(struct shuffle *shuffle, struct part *part,
                 struct oy_error *err)
{
    if (!part->waiting.len)
        return 0;
    if (!part->spool)
        part->spool = oy_spool_new(shuffle->tmpdir, err);
    if (!part->spool ||
        oy_spool_write(part->spool, part->waiting.data, part->waiting.len, err))
        return -1;
    oy_buffer_clear(&part->waiting);
    return 0;
}

static int add_to_part(struct shuffle *shuffle, uint64_t key, const char *line,
                       size_t len, struct oy_error *err)
{
    struct part *part = &shuffle->part[key >> shuffle->shift & (N_PART - 1)];
    const uint64_t head[2] = {key, len};

    oy_buffer_append(&part->waiting, head, sizeof head);
    oy_buffer_append(&part->waiting, line, len);
    if (part->waiting.len < chunk_size(shuffle))
        return 0;
    return flush(shuffle, part, err);
}

static int spill(struct shuffle *shuffle, struct oy_error *err)
{
    int rc = 0;

    shuffle->part = oy_calloc(N_PART, sizeof *shuffle->part);
    for (size_t i = 0; i < shuffle->n_entry && rc == 0; i++) {
        const struct entry *entry = &shuffle->entry[i];
        rc = add_to_part(shuffle, entry->key, shuffle->text.data + entry->at,
                         entry->len, err);
    }
    release_memory(shuffle);
    return rc;
}

/* Both arrays grow by half: at the worst moment two and a half times what
 * they hold is taken. Keys that agree in all bits cannot be parted. */
static int is_full(const struct shuffle *shuffle, size_t len)
{
    const uint64_t held = (uint64_t)shuffle->text.len + len +
                          shuffle->n_entry * sizeof *shuffle->entry;

    return shuffle->n_entry && shuffle->shift >= 0 &&
           held > shuffle->memory * 2 / 5;
}

int shuffle_add(struct shuffle *shuffle, uint64_t key, const char *line,
                size_t len, struct oy_error *err)
{
    if (!shuffle->part && is_full(shuffle, len) && spill(shuffle, err))
        return -1;
    if (shuffle->part)
        return add_to_part(shuffle, key, line, len, err);
    OY_GROW(shuffle->entry, shuffle->cap_entry, shuffle->n_entry + 1);
    shuffle->entry[shuffle->n_entry++] =
        (struct entry){key, shuffle->text.len, len};
    oy_buffer_append(&shuffle->text, line, len);
    return 0;
}

/* ---- out again ---- */

/* Fills buf whole; 1, 0 at the end, -1 after a failure. */
static int take(struct oy_input *input, void *buf, size_t size,
                struct oy_error *err)
{
    const ssize_t n = oy_input_read(input, buf, size, err);

    if (n < 0)
        return -1;
    if (n != 0 && (size_t)n != size)
        return oy_fail(err, OY_SYSTEM, "a temporary file ends early");
    return n != 0 || size == 0;
}

static int read_part(struct shuffle *below, struct oy_input *input,
                     struct oy_error *err)
{
    struct oy_buffer line = {0};
    uint64_t head[2];
    int rc;

    while ((rc = take(input, head, HEAD, err)) > 0) {
        oy_buffer_clear(&line);
        rc = take(input, oy_buffer_reserve(&line, head[1]), head[1], err);
        if (rc <= 0 || shuffle_add(below, head[0], line.data, head[1], err)) {
            rc = rc ? -1
                    : oy_fail(err, OY_SYSTEM, "a temporary file ends early");
            break;
        }
    }
    oy_buffer_release(&line);
    return rc;
}

static int drain_part(struct shuffle *shuffle, struct part *part,
                      int (*put)(void *, const char *, size_t,
                                 struct oy_error *),
                      void *arg, struct oy_error *err)
{
    if (!part->spool)
        return 0;
    struct oy_input *input = oy_spool_read(part->spool, "temporary", err);
    if (!input)
        return -1;
    struct shuffle *below =
        new_at(shuffle->tmpdir, shuffle->memory, shuffle->shift - PART_BITS);
    int rc = read_part(below, input, err);
    oy_input_close(input);
    oy_spool_free(part->spool);
    part->spool = NULL;
    if (rc == 0)
        rc = shuffle_drain(below, put, arg, err);
    shuffle_free(below);
    return rc;
}

static int compare(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

static int drain_memory(struct shuffle *shuffle,
                        int (*put)(void *, const char *, size_t,
                                   struct oy_error *),
                        void *arg, struct oy_error *err)
{
    if (!shuffle->n_entry)
        return 0;
    qsort(shuffle->entry, shuffle->n_entry, sizeof *shuffle->entry, compare);
    for (size_t i = 0; i < shuffle->n_entry; i++) {
        const struct entry *entry = &shuffle->entry[i];
        if (put(arg, shuffle->text.data + entry->at, entry->len, err))
            return -1;
    }
    return 0;
}

int shuffle_drain(struct shuffle *shuffle,
                  int (*put)(void *arg, const char *line, size_t len,
                             struct oy_error *err),
                  void *arg, struct oy_error *err)
{
    if (!shuffle->part)
        return drain_memory(shuffle, put, arg, err);
    /* All that waits goes to the files first: the parts need the memory. */
    for (int i = 0; i < N_PART; i++) {
        if (flush(shuffle, &shuffle->part[i], err))
            return -1;
        oy_buffer_release(&shuffle->part[i].waiting);
    }
    for (int i = 0; i < N_PART; i++) {
        if (drain_part(shuffle, &shuffle->part[i], put, arg, err))
            return -1;
    }
    return 0;
}
