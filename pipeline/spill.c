/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists as chains of chunks.
 *
 * A chunk is the offset of the next one and up to `room` entries. So that the
 * chain runs forward without going back to a chunk, each list reserves the
 * place of its next chunk when it writes one. Words are in the machine's own
 * order: nobody else ever reads them. */
#include "pipeline/spill.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/spool.h"

/* Chunks of 200 bytes to 64 KiB: reads and writes stay worth their call. */
enum { ROOM_MIN = 8, ROOM_MAX = 2730 };

static size_t chunk_words(const struct spill *spill)
{
    return 1 + spill->room * SPILL_WORDS;
}

static uint64_t reserve_chunk(struct spill *spill)
{
    const uint64_t at = spill->end;

    spill->end += chunk_words(spill) * sizeof(uint64_t);
    return at;
}

int spill_init(struct spill *spill, int shift, const char *tmpdir,
               uint64_t memory, struct oy_error *err)
{
    const uint64_t room =
        memory / (SPILL_LISTS * SPILL_WORDS * sizeof(uint64_t));

    *spill = (struct spill){.folder = oy_spool_folder(tmpdir), .shift = shift};
    spill->room = room < ROOM_MIN   ? ROOM_MIN
                  : room > ROOM_MAX ? ROOM_MAX
                                    : (size_t)room;
    spill->fd = oy_spool_file(spill->folder, err);
    if (spill->fd < 0)
        return -1;
    spill->is_open = 1;
    spill->buffer =
        oy_alloc_array(SPILL_LISTS * chunk_words(spill), sizeof *spill->buffer);
    for (int i = 0; i < SPILL_LISTS; i++)
        spill->list[i].first = spill->list[i].place = reserve_chunk(spill);
    return 0;
}

void spill_release(struct spill *spill)
{
    if (spill->is_open)
        close(spill->fd);
    oy_free(spill->buffer);
    *spill = (struct spill){0};
}

/* ---- writing ---- */

static int write_at(const struct spill *spill, const void *data, size_t size,
                    uint64_t offset, struct oy_error *err)
{
    const char *at = data;

    while (size) {
        const ssize_t n = pwrite(spill->fd, at, size, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return oy_fail_errno(err, OY_SYSTEM, "%s: no temporary space",
                                 spill->folder);
        at += n;
        size -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

static int write_chunk(struct spill *spill, int i, struct oy_error *err)
{
    struct spill_list *list = &spill->list[i];
    uint64_t *chunk = spill->buffer + (size_t)i * chunk_words(spill);
    const size_t n_word = 1 + list->n_buffered * SPILL_WORDS;
    const uint64_t place = list->place;

    list->place = chunk[0] = reserve_chunk(spill);
    list->n_buffered = 0;
    return write_at(spill, chunk, n_word * sizeof *chunk, place, err);
}

int spill_add(struct spill *spill, const uint64_t word[SPILL_WORDS],
              struct oy_error *err)
{
    const int i = (int)(word[0] >> spill->shift & (SPILL_LISTS - 1));
    struct spill_list *list = &spill->list[i];
    uint64_t *chunk = spill->buffer + (size_t)i * chunk_words(spill);

    OY_ASSERT(spill->buffer);
    memcpy(chunk + 1 + list->n_buffered * SPILL_WORDS, word,
           SPILL_WORDS * sizeof *word);
    list->n++;
    list->n_buffered++;
    return list->n_buffered == spill->room ? write_chunk(spill, i, err) : 0;
}

int spill_close(struct spill *spill, struct oy_error *err)
{
    for (int i = 0; i < SPILL_LISTS; i++) {
        if (spill->list[i].n_buffered && write_chunk(spill, i, err))
            return -1;
    }
    oy_free(spill->buffer);
    spill->buffer = NULL;
    return 0;
}

/* ---- reading ---- */

void spill_reader_init(struct spill_reader *reader, const struct spill *spill,
                       int list)
{
    OY_ASSERT(!spill->buffer);
    *reader = (struct spill_reader){
        .spill = spill,
        .left = spill->list[list].n,
        .next = spill->list[list].first,
        .chunk = oy_alloc_array(chunk_words(spill), sizeof(uint64_t)),
    };
}

void spill_reader_release(struct spill_reader *reader)
{
    oy_free(reader->chunk);
    *reader = (struct spill_reader){0};
}

static int read_chunk(struct spill_reader *reader, struct oy_error *err)
{
    const struct spill *spill = reader->spill;
    const size_t n = reader->left < spill->room ? reader->left : spill->room;
    size_t size = (1 + n * SPILL_WORDS) * sizeof(uint64_t);
    uint64_t offset = reader->next;

    for (char *at = (char *)reader->chunk; size;) {
        const ssize_t got = pread(spill->fd, at, size, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return oy_fail_errno(err, OY_SYSTEM, "%s: cannot read again",
                                 spill->folder);
        if (got == 0)
            return oy_fail(err, OY_SYSTEM, "%s: a temporary file was cut",
                           spill->folder);
        at += got;
        size -= (size_t)got;
        offset += (uint64_t)got;
    }
    reader->next = reader->chunk[0];
    reader->left -= n;
    reader->n = n;
    reader->at = 0;
    return 0;
}

int spill_read(struct spill_reader *reader, const uint64_t **word,
               struct oy_error *err)
{
    if (reader->at == reader->n) {
        if (!reader->left)
            return 0;
        if (read_chunk(reader, err))
            return -1;
    }
    *word = reader->chunk + 1 + reader->at++ * SPILL_WORDS;
    return 1;
}

int spill_part(struct spill *to, const struct spill *from, int list,
               uint64_t memory, struct oy_error *err)
{
    struct spill_reader reader;
    const uint64_t *word;
    int rc;

    OY_ASSERT(from->shift >= SPILL_BITS);
    if (spill_init(to, from->shift - SPILL_BITS, from->folder, memory, err))
        return -1;
    spill_reader_init(&reader, from, list);
    while ((rc = spill_read(&reader, &word, err)) > 0) {
        if (spill_add(to, word, err)) {
            rc = -1;
            break;
        }
    }
    spill_reader_release(&reader);
    return rc == 0 ? spill_close(to, err) : -1;
}
