/* SPDX-License-Identifier: Apache-2.0
 *
 * Counted words in files: sorted runs.
 */
#include "tokenizer/word_run.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
    WRITE_SIZE = 1 << 20,
    NUMBER_MAX = 10, /* bytes of a LEB128 number */
};

/* ---- writing ---- */

void word_writer_init(struct word_writer *writer, int fd, uint64_t at)
{
    *writer = (struct word_writer){
        .run = {.fd = fd, .at = at},
        .hasher = oy_hasher_new(),
    };
}

void word_writer_release(struct word_writer *writer)
{
    oy_buffer_release(&writer->out);
    oy_buffer_release(&writer->last);
    oy_hasher_free(writer->hasher);
    *writer = (struct word_writer){0};
}

static int write_all(int fd, const char *data, size_t len, uint64_t at,
                     struct oy_error *err)
{
    while (len) {
        const ssize_t n = pwrite(fd, data, len, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return oy_fail_errno(err, OY_SYSTEM,
                                 "temporary file: cannot write");
        data += n;
        len -= (size_t)n;
        at += (uint64_t)n;
    }
    return 0;
}

static int write_out(struct word_writer *writer, struct oy_error *err)
{
    struct word_run *const run = &writer->run;
    const size_t len = writer->out.len;

    oy_hasher_update(writer->hasher, writer->out.data, len);
    if (write_all(run->fd, writer->out.data, len, run->at + run->size, err))
        return -1;
    run->size += len;
    oy_buffer_clear(&writer->out);
    return 0;
}

static void put_number(struct oy_buffer *out, uint64_t number)
{
    char *const to = oy_buffer_reserve(out, NUMBER_MAX);
    size_t n = 0;

    for (; number >= 0x80; number >>= 7)
        to[n++] = (char)(number | 0x80);
    to[n++] = (char)number;
    out->len += n;
}

static size_t shared_length(const char *a, size_t a_len, const char *b,
                            size_t b_len)
{
    const size_t len = a_len < b_len ? a_len : b_len;
    size_t n = 0;

    while (n < len && a[n] == b[n])
        n++;
    return n;
}

int word_writer_add(struct word_writer *writer, const struct word_entry *word,
                    struct oy_error *err)
{
    struct oy_buffer *const last = &writer->last;
    const size_t shared =
        shared_length(last->data, last->len, word->at, word->len);

    put_number(&writer->out, shared);
    put_number(&writer->out, word->len - shared);
    oy_buffer_append(&writer->out, word->at + shared, word->len - shared);
    put_number(&writer->out, word->count);
    last->len = shared;
    oy_buffer_append(last, word->at + shared, word->len - shared);
    writer->run.n_word++;
    return writer->out.len < WRITE_SIZE ? 0 : write_out(writer, err);
}

int word_writer_close(struct word_writer *writer, struct oy_error *err)
{
    if (writer->out.len && write_out(writer, err))
        return -1;
    writer->run.hash = oy_hasher_digest(writer->hasher);
    return 0;
}

static struct word_entry spell(const struct word_entry *word,
                               const unsigned char *rank,
                               struct oy_buffer *text)
{
    oy_buffer_clear(text);
    char *const to = oy_buffer_reserve(text, word->len);

    for (size_t i = 0; i < word->len; i++)
        to[i] = (char)rank[(unsigned char)word->at[i]];
    return (struct word_entry){to, word->len, word->count};
}

int word_run_write(const struct word_count *words, const unsigned char *rank,
                   int fd, uint64_t at, struct word_run *run,
                   struct oy_error *err)
{
    struct oy_pair *const order = word_count_order(words, rank);
    struct word_writer writer;
    struct oy_buffer text = {0};
    int rc = 0;

    word_writer_init(&writer, fd, at);
    for (size_t i = 0; !rc && i < words->n_word; i++) {
        struct word_entry word = word_count_at(words, order[i].value);

        if (rank)
            word = spell(&word, rank, &text);
        rc = word_writer_add(&writer, &word, err);
    }
    if (!rc)
        rc = word_writer_close(&writer, err);
    *run = writer.run;
    word_writer_release(&writer);
    oy_buffer_release(&text);
    oy_free(order);
    return rc;
}

/* ---- reading ---- */

/* 0 at the end. */
static ssize_t read_some(int fd, char *to, size_t size, uint64_t at,
                         struct oy_error *err)
{
    ssize_t n;

    do
        n = pread(fd, to, size, (off_t)at);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        oy_fail_errno(err, OY_SYSTEM, "temporary file: cannot read");
    return n;
}

int word_run_is_whole(const struct word_run *run, struct oy_error *err)
{
    struct oy_hasher *const hasher = oy_hasher_new();
    char *const buf = oy_alloc(WRITE_SIZE);
    uint64_t at = 0;
    ssize_t n = 1;

    while (at < run->size) {
        const uint64_t left = run->size - at;

        n = read_some(run->fd, buf, left < WRITE_SIZE ? left : WRITE_SIZE,
                      run->at + at, err);
        if (n <= 0)
            break;
        oy_hasher_update(hasher, buf, (size_t)n);
        at += (uint64_t)n;
    }
    const struct oy_hash128 hash = oy_hasher_digest(hasher);

    oy_hasher_free(hasher);
    oy_free(buf);
    if (n < 0)
        return -1;
    return at == run->size && hash.high == run->hash.high &&
           hash.low == run->hash.low;
}

void word_reader_init(struct word_reader *reader, const struct word_run *run)
{
    *reader =
        (struct word_reader){.at = run->at, .left = run->size, .fd = run->fd};
}

void word_reader_release(struct word_reader *reader)
{
    oy_buffer_release(&reader->in);
    oy_buffer_release(&reader->text);
    *reader = (struct word_reader){0};
}

/* What was not taken yet moves to the front; more is read behind it. */
static int fill(struct word_reader *reader, struct oy_error *err)
{
    struct oy_buffer *const in = &reader->in;
    const size_t kept = in->len - reader->next;

    if (!in->cap)
        oy_buffer_reserve(in, WORD_READER_SIZE);
    memmove(in->data, in->data + reader->next, kept);
    in->len = kept;
    reader->next = 0;
    const size_t room = WORD_READER_SIZE - kept;
    const size_t size = reader->left < room ? (size_t)reader->left : room;
    const ssize_t n =
        read_some(reader->fd, in->data + kept, size, reader->at, err);

    if (n < 0)
        return -1;
    if (!n && size)
        return oy_fail(err, OY_SYSTEM, "temporary file: it was cut off");
    in->len += (size_t)n;
    reader->at += (uint64_t)n;
    reader->left -= (uint64_t)n;
    return 0;
}

static int take_number(struct word_reader *reader, uint64_t *number,
                       struct oy_error *err)
{
    *number = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (reader->next == reader->in.len && fill(reader, err))
            return -1;
        if (reader->next == reader->in.len)
            break;
        const unsigned char byte =
            (unsigned char)reader->in.data[reader->next++];

        *number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return 0;
    }
    return oy_fail(err, OY_SYSTEM, "temporary file: it is damaged");
}

static int take_bytes(struct word_reader *reader, uint64_t len,
                      struct oy_error *err)
{
    while (len) {
        const size_t have = reader->in.len - reader->next;
        const size_t n = have < len ? have : (size_t)len;

        if (!n) {
            if (!reader->left)
                return oy_fail(err, OY_SYSTEM, "temporary file: it is damaged");
            if (fill(reader, err))
                return -1;
            continue;
        }
        oy_buffer_append(&reader->text, reader->in.data + reader->next, n);
        reader->next += n;
        len -= n;
    }
    return 0;
}

int word_reader_next(struct word_reader *reader, struct oy_error *err)
{
    uint64_t shared, own, count;

    if (reader->next == reader->in.len && !reader->left)
        return 0;
    if (take_number(reader, &shared, err) || take_number(reader, &own, err))
        return -1;
    if (shared > reader->text.len)
        return oy_fail(err, OY_SYSTEM, "temporary file: it is damaged");
    reader->text.len = shared;
    if (take_bytes(reader, own, err) || take_number(reader, &count, err))
        return -1;
    reader->word = (struct word_entry){
        .at = reader->text.data, .len = reader->text.len, .count = count};
    reader->prefix = word_prefix(reader->word.at, reader->word.len);
    return 1;
}

/* ---- merging ---- */

static int is_before(const struct word_merger *merger, uint8_t a, uint8_t b)
{
    const struct word_reader *const x = &merger->reader[a];
    const struct word_reader *const y = &merger->reader[b];

    if (x->prefix != y->prefix)
        return x->prefix < y->prefix;
    return word_compare(x->word.at, x->word.len, y->word.at, y->word.len) < 0;
}

static void sift_down(struct word_merger *merger, size_t at)
{
    uint8_t *const heap = merger->heap;
    const uint8_t top = heap[at];

    for (size_t child = 2 * at + 1; child < merger->n_heap;
         child = 2 * at + 1) {
        if (child + 1 < merger->n_heap &&
            is_before(merger, heap[child + 1], heap[child]))
            child++;
        if (!is_before(merger, heap[child], top))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = top;
}

int word_merger_init(struct word_merger *merger, const struct word_run *run,
                     size_t n_run, struct oy_error *err)
{
    OY_ASSERT(n_run <= WORD_FAN_IN);
    *merger = (struct word_merger){.n_reader = n_run};
    for (size_t i = 0; i < n_run; i++) {
        word_reader_init(&merger->reader[i], &run[i]);
        const int rc = word_reader_next(&merger->reader[i], err);

        if (rc < 0)
            return -1;
        if (rc)
            merger->heap[merger->n_heap++] = (uint8_t)i;
    }
    for (size_t i = merger->n_heap / 2; i-- > 0;)
        sift_down(merger, i);
    return 0;
}

void word_merger_release(struct word_merger *merger)
{
    for (size_t i = 0; i < merger->n_reader; i++)
        word_reader_release(&merger->reader[i]);
    oy_buffer_release(&merger->text);
    *merger = (struct word_merger){0};
}

/* The reader on top goes on to its next word. */
static int step(struct word_merger *merger, struct oy_error *err)
{
    const int rc = word_reader_next(&merger->reader[merger->heap[0]], err);

    if (rc < 0)
        return -1;
    if (!rc)
        merger->heap[0] = merger->heap[--merger->n_heap];
    if (merger->n_heap)
        sift_down(merger, 0);
    return 0;
}

int word_merger_next(struct word_merger *merger, struct oy_error *err)
{
    uint64_t count = 0;

    if (!merger->n_heap)
        return 0;
    const struct word_reader *top = &merger->reader[merger->heap[0]];

    oy_buffer_clear(&merger->text);
    oy_buffer_append(&merger->text, top->word.at, top->word.len);
    do {
        count += top->word.count;
        if (step(merger, err))
            return -1;
        top = &merger->reader[merger->heap[0]];
    } while (merger->n_heap &&
             !word_compare(top->word.at, top->word.len, merger->text.data,
                           merger->text.len));
    merger->word = (struct word_entry){
        .at = merger->text.data, .len = merger->text.len, .count = count};
    return 1;
}
