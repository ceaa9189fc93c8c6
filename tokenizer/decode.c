/* SPDX-License-Identifier: Apache-2.0
 *
 * From token ids back to text. */
#include "tokenizer/decode.h"

#include <stdatomic.h>
#include <string.h>

#include "core/utf8.h"
#include "tokenizer/decode_chain.h"
#include "tokenizer/decode_table.h"

enum { CHUNK = 1024, ENTRY = sizeof(struct decode_entry) };

struct decode {
    const struct vocab *vocab;
    _Atomic(struct decode_table *) table; /* NULL until somebody decodes */
};

/* One text being decoded. */
struct run {
    const struct vocab *vocab;
    const struct decode_table *table;
    const int32_t *id;
    size_t n;
    int skip_special;
    struct oy_buffer *out;
    size_t n_unknown;
};

struct decode *decode_new(const struct vocab *vocab)
{
    struct decode *decode = oy_calloc(1, sizeof *decode);

    decode->vocab = vocab;
    atomic_init(&decode->table, NULL);
    return decode;
}

void decode_free(struct decode *decode)
{
    if (!decode)
        return;
    decode_table_free(atomic_load(&decode->table));
    oy_free(decode);
}

/* Threads that come here together may all make one; the first is kept. */
static const struct decode_table *find_table(struct decode *decode)
{
    struct decode_table *table = atomic_load(&decode->table), *none = NULL;

    if (table)
        return table;
    table = decode_table_new(decode->vocab);
    if (atomic_compare_exchange_strong(&decode->table, &none, table))
        return table;
    decode_table_free(table);
    return none;
}

/* ---- by the table ---- */

static const struct decode_entry *entry_of(const struct run *run, int32_t id)
{
    static const struct decode_entry unknown = {.kind = DECODE_UNKNOWN};

    return (uint32_t)id < (uint32_t)run->table->n ? &run->table->entry[id]
                                                  : &unknown;
}

static int is_kept(const struct run *run, const struct decode_entry *entry)
{
    return entry->kind != DECODE_UNKNOWN &&
           !(run->skip_special && entry->kind & DECODE_SPECIAL);
}

static void put_entry(const struct decode_entry *entry, const char *text,
                      struct oy_buffer *out)
{
    const uint8_t kind = entry->kind & ~DECODE_SPECIAL;
    uint32_t where[2];

    if (kind <= DECODE_INLINE) {
        oy_buffer_append(out, entry->byte, kind);
        return;
    }
    memcpy(where, entry->byte, sizeof where);
    oy_buffer_append(out, text + where[0], where[1]);
}

static int is_byte(const struct decode_entry *entry)
{
    return (entry->kind & ~DECODE_SPECIAL) == DECODE_BYTE;
}

/* The run of bytes that begins with token number i; returns where it ends.
 * Tokens that are left out do not end it. */
static size_t put_bytes(struct run *run, size_t i)
{
    const size_t begin = run->out->len;

    for (; i < run->n; i++) {
        const struct decode_entry *entry = entry_of(run, run->id[i]);
        if (!is_kept(run, entry))
            run->n_unknown += entry->kind == DECODE_UNKNOWN;
        else if (is_byte(entry))
            oy_buffer_append_char(run->out, entry->byte[0]);
        else
            break;
    }
    const size_t n_byte = run->out->len - begin;
    if (oy_utf8_valid(run->out->data + begin, n_byte))
        return i;
    run->out->len = begin;
    for (size_t k = 0; k < n_byte; k++)
        oy_buffer_append(run->out, "\xef\xbf\xbd", 3);
    return i;
}

/* Token number i, which is not short and plain; returns the next. */
static size_t put_odd(struct run *run, size_t i)
{
    const struct decode_entry *entry = entry_of(run, run->id[i]);

    if (!is_kept(run, entry)) {
        run->n_unknown += entry->kind == DECODE_UNKNOWN;
        return i + 1;
    }
    if (is_byte(entry))
        return put_bytes(run, i);
    put_entry(entry, run->table->text.data, run->out);
    return i + 1;
}

/* The usual run of bytes: valid, and before a short plain token or the end.
 * Writes it to *to, and returns where it ends; i when it is of another kind. */
static size_t put_short_bytes(const struct run *run, size_t i, size_t end,
                              char **to)
{
    const struct decode_entry *entry = NULL;
    char *at = *to;
    size_t next = i;

    for (; next < end; next++) {
        entry = entry_of(run, run->id[next]);
        if (entry->kind != DECODE_BYTE)
            break;
        *at++ = entry->byte[0];
    }
    const int is_whole =
        next == end ? end == run->n : entry->kind <= DECODE_INLINE;
    if (!is_whole || !oy_utf8_valid_plain(*to, (size_t)(at - *to)))
        return i;
    *to = at;
    return next;
}

/* Tokens from number i up to `end`; a run of bytes may reach further. Returns
 * the next. */
static size_t put_chunk(struct run *run, size_t i, size_t end)
{
    const struct decode_entry *const entry = run->table->entry;
    const uint32_t n_entry = (uint32_t)run->table->n;
    char *to = oy_buffer_reserve(run->out, (end - i) * ENTRY + ENTRY);

    while (i < end) {
        const uint32_t id = (uint32_t)run->id[i];
        if (id >= n_entry)
            break;
        if (entry[id].kind > DECODE_INLINE) {
            const size_t next = entry[id].kind == DECODE_BYTE
                                    ? put_short_bytes(run, i, end, &to)
                                    : i;
            if (next == i)
                break;
            i = next;
            continue;
        }
        memcpy(to, &entry[id], ENTRY);
        to += entry[id].kind;
        i++;
    }
    run->out->len = (size_t)(to - run->out->data);
    return i < end ? put_odd(run, i) : i;
}

/* The token number i where it is the first or last of those that are kept. */
static void put_edge(struct run *run, size_t i, int is_first, int is_last)
{
    struct decode_entry entry = {.kind = 0};
    struct oy_buffer text = {0};

    decode_table_edge(run->table, run->vocab, run->id[i], is_first, is_last,
                      &entry, &text);
    put_entry(&entry, text.data, run->out);
    oy_buffer_release(&text);
}

/* All tokens. Where the first and the last are special cases, those that are
 * left out at the ends are passed over first. */
static void put_tokens(struct run *run)
{
    size_t i = 0, end = run->n;

    while (run->table->has_last && end &&
           !is_kept(run, entry_of(run, run->id[end - 1])))
        run->n_unknown += entry_of(run, run->id[--end])->kind == DECODE_UNKNOWN;
    while (run->table->has_first && i < end &&
           !is_kept(run, entry_of(run, run->id[i])))
        run->n_unknown += entry_of(run, run->id[i++])->kind == DECODE_UNKNOWN;
    const size_t first = i, last = end - 1;
    if (run->table->has_first && i < end)
        put_edge(run, i++, 1, first == last);
    const size_t middle = end - (run->table->has_last && i < end);
    while (i < middle)
        i = put_chunk(run, i, middle - i > CHUNK ? i + CHUNK : middle);
    if (i < end)
        put_edge(run, last, first == last, 1);
}

/* ---- the whole text ---- */

/* The usual last step, in place. */
static void strip(const struct decode_step *step, struct oy_buffer *out,
                  size_t begin)
{
    const struct oy_text all = {out->data + begin, out->len - begin};
    const struct oy_text kept = decode_strip(step, all);

    if (kept.at > all.at)
        memmove(out->data + begin, kept.at, kept.len);
    out->len = begin + kept.len;
}

static void repair(struct oy_buffer *out, size_t begin)
{
    struct oy_buffer bytes = {0};

    if (oy_utf8_valid(out->data + begin, out->len - begin))
        return;
    oy_buffer_append(&bytes, out->data + begin, out->len - begin);
    out->len = begin;
    oy_utf8_repair(bytes.data, bytes.len, out);
    oy_buffer_release(&bytes);
}

/* Steps from `first` on, of the text that begins at `begin`. */
static void run_rest(const struct decode_chain *chain, size_t first,
                     struct oy_buffer *out, size_t begin)
{
    struct decode_texts work[2] = {{{0}}, {{0}}};

    if (first == chain->n)
        return;
    if (first + 1 == chain->n && chain->step[first].kind == DECODE_STRIP) {
        strip(&chain->step[first], out, begin);
        return;
    }
    oy_buffer_append(&work[0].text, out->data + begin, out->len - begin);
    decode_texts_close(&work[0]);
    const int last = decode_chain_run(chain, first, chain->n, work);
    out->len = begin;
    oy_buffer_append(out, work[last].text.data, work[last].text.len);
    decode_texts_release(&work[0]);
    decode_texts_release(&work[1]);
}

static void decode_by_table(struct run *run)
{
    const size_t begin = run->out->len;

    oy_buffer_reserve(run->out, ENTRY);
    put_tokens(run);
    if (run->table->join == DECODE_JOIN_BYTES)
        repair(run->out, begin);
    run_rest(&run->vocab->decoder, run->table->rest, run->out, begin);
}

/* ---- step by step ---- */

static void decode_by_steps(struct run *run)
{
    const struct vocab *vocab = run->vocab;
    struct decode_texts work[2] = {{{0}}, {{0}}};

    for (size_t i = 0; i < run->n; i++) {
        const int32_t id = run->id[i];
        if (id < 0 || id >= vocab->n_id || !vocab->token[id].is_used) {
            run->n_unknown++;
            continue;
        }
        if (run->skip_special && vocab->token[id].is_special)
            continue;
        decode_put_spelled(vocab, id, &work[0].text);
        decode_texts_close(&work[0]);
    }
    const int last =
        decode_chain_run(&vocab->decoder, 0, vocab->decoder.n, work);
    oy_buffer_append(run->out, work[last].text.data, work[last].text.len);
    decode_texts_release(&work[0]);
    decode_texts_release(&work[1]);
}

size_t decode_ids(struct decode *decode, const int32_t *id, size_t n,
                  int skip_special, struct oy_buffer *out)
{
    const struct decode_table *table = find_table(decode);
    struct run run = {decode->vocab, table, id, n, skip_special, out, 0};

    if (table->entry)
        decode_by_table(&run);
    else
        decode_by_steps(&run);
    return run.n_unknown;
}

int decode_piece(struct decode *decode, int32_t id, struct oy_buffer *out)
{
    const struct decode_table *table = find_table(decode);

    if (!table->entry || (uint32_t)id >= (uint32_t)table->n)
        return -1;
    const struct decode_entry *entry = &table->entry[id];
    if (entry->kind == DECODE_UNKNOWN || entry->kind & DECODE_SPECIAL)
        return -1;
    if (is_byte(entry))
        oy_buffer_append_char(out, entry->byte[0]);
    else
        put_entry(entry, table->text.data, out);
    return 0;
}
