/* SPDX-License-Identifier: Apache-2.0
 *
 * From text to ids: pieces by the hundred, each looked up in a cache that is
 * keyed by its bytes, and merged only when it is not there. */
#include "tokenizer/bpe_encode.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "tokenizer/bpe_internal.h"

enum {
    KEY_MAX = 15,        /* bytes of a piece that fit a key */
    INLINE_IDS = 4,      /* ids that fit an entry */
    SPILLED = 0xff,      /* count of an entry whose ids lie in the spill */
    COUNT_SHIFT = 24,    /* VOCAB_MAX_ID: ids leave the upper byte free */
    SPILL_MAX = 4 << 20, /* ids; then cache and spill start anew */
    WAYS = 2,
    BATCH = 256,
    WORD_FLAG = 0x80, /* in a key's length: a part of a longer piece */
};

enum { LINE_BITS = 15 }; /* 32,768 lines of two entries: 2 MiB, one L2 */

/* A piece of up to 15 bytes, its length in the last, and its ids. The upper
 * byte of id[0] is their count. A free entry has a key of 0. */
struct entry {
    uint64_t key[2];
    uint32_t id[INLINE_IDS];
};

struct line {
    struct entry way[WAYS];
};

struct bpe_worker {
    const struct bpe *bpe;
    struct line *line; /* [1 << LINE_BITS] */
    struct token_ids spill;
    struct bpe_scratch scratch;
    struct oy_buffer text; /* a copy with a space in front */
    size_t end[BATCH];
    struct piece_key {
        uint64_t key[2];
        uint32_t line;
    } key[BATCH];
};

/* ---- lists of ids ---- */

void token_ids_release(struct token_ids *ids)
{
    oy_free(ids->id);
    *ids = (struct token_ids){0};
}

/* Room for `more` ids behind the last; they are written and added to n. */
static int32_t *reserve_ids(struct token_ids *ids, size_t more)
{
    OY_GROW(ids->id, ids->cap, ids->n + more);
    return ids->id + ids->n;
}

void token_ids_append(struct token_ids *ids, const int32_t *id, size_t n)
{
    if (!n)
        return;
    memcpy(reserve_ids(ids, n), id, n * sizeof *id);
    ids->n += n;
}

/* ---- the cache ---- */

/* Reads 16 bytes at `piece`, whatever its length. */
static void make_key(const char *piece, size_t len, unsigned flag,
                     struct piece_key *key)
{
    uint64_t low, high;

    memcpy(&low, piece, 8);
    memcpy(&high, piece + 8, 8);
    if (len < 8) {
        low &= (1ULL << 8 * len) - 1;
        high = 0;
    } else {
        high &= (1ULL << 8 * (len - 8)) - 1;
    }
    high |= (uint64_t)(len | flag) << 56;
    key->key[0] = low;
    key->key[1] = high;
    uint64_t h = (low ^ high >> 29) * 0x9e3779b97f4a7c15ULL;
    h = (h ^ h >> 32 ^ high) * 0xd1342543de82ef95ULL;
    key->line = (uint32_t)(h >> (64 - LINE_BITS));
}

static int is_entry(const struct entry *entry, const struct piece_key *key)
{
    return entry->key[0] == key->key[0] && entry->key[1] == key->key[1];
}

/* The entry of a piece, or NULL. One that is found in the second place goes
 * to the first, so that only the less used of two is ever replaced. */
static const struct entry *find_entry(struct bpe_worker *worker,
                                      const struct piece_key *key)
{
    struct line *line = &worker->line[key->line];

    if (is_entry(&line->way[0], key))
        return &line->way[0];
    if (!is_entry(&line->way[1], key))
        return NULL;
    const struct entry second = line->way[1];
    line->way[1] = line->way[0];
    line->way[0] = second;
    return &line->way[0];
}

static void forget_all(struct bpe_worker *worker)
{
    memset(worker->line, 0, sizeof *worker->line << LINE_BITS);
    worker->spill.n = 0;
}

static void add_entry(struct bpe_worker *worker, const struct piece_key *key,
                      const int32_t *id, size_t n)
{
    if (n > INLINE_IDS && worker->spill.n + n > SPILL_MAX)
        forget_all(worker);
    struct line *line = &worker->line[key->line];
    struct entry *entry = &line->way[line->way[0].key[1] ? 1 : 0];
    memcpy(entry->key, key->key, sizeof entry->key);
    memset(entry->id, 0, sizeof entry->id);
    if (n <= INLINE_IDS) {
        memcpy(entry->id, id, n * sizeof *id);
        entry->id[0] |= (uint32_t)n << COUNT_SHIFT;
        return;
    }
    entry->id[0] = (uint32_t)SPILLED << COUNT_SHIFT;
    entry->id[1] = (uint32_t)worker->spill.n;
    entry->id[2] = (uint32_t)n;
    token_ids_append(&worker->spill, id, n);
}

/* ---- pieces ---- */

/* A piece, or a part of one, that is not in the cache. */
static void merge_new(struct bpe_worker *worker, const char *piece, size_t len,
                      struct token_ids *ids)
{
    int32_t *at = reserve_ids(ids, len);

    ids->n += bpe_merge(worker->bpe, &worker->scratch,
                        (const unsigned char *)piece, len, at);
}

/* The id of a whole piece under ignore_merges, or -1. */
static int32_t whole_piece(const struct bpe *bpe, const char *piece, size_t len)
{
    return bpe->vocab->ignore_merges ? vocab_find(bpe->vocab, piece, len) : -1;
}

static void encode_missed(struct bpe_worker *worker, const char *piece,
                          size_t len, const struct piece_key *key,
                          struct token_ids *ids)
{
    const int is_word = (key->key[1] >> 56 & WORD_FLAG) != 0;
    const size_t before = ids->n;
    const int32_t whole = is_word ? -1 : whole_piece(worker->bpe, piece, len);

    if (whole >= 0)
        token_ids_append(ids, &whole, 1);
    else
        merge_new(worker, piece, len, ids);
    add_entry(worker, key, ids->id + before, ids->n - before);
}

static void emit_entry(const struct bpe_worker *worker,
                       const struct entry *entry, struct token_ids *ids)
{
    const uint32_t n = entry->id[0] >> COUNT_SHIFT;
    int32_t *at = reserve_ids(ids, INLINE_IDS);

    if (n == SPILLED) {
        token_ids_append(ids, worker->spill.id + entry->id[1], entry->id[2]);
        return;
    }
    memcpy(at, entry->id, sizeof entry->id);
    at[0] &= VOCAB_MAX_ID - 1;
    ids->n += n;
}

static void encode_key(struct bpe_worker *worker, const char *piece, size_t len,
                       const struct piece_key *key, struct token_ids *ids)
{
    const struct entry *entry = find_entry(worker, key);

    if (entry)
        emit_entry(worker, entry, ids);
    else
        encode_missed(worker, piece, len, key, ids);
}

/* A part of a long piece, between two cuts. */
static void encode_part(struct bpe_worker *worker, const char *part, size_t len,
                        struct token_ids *ids)
{
    struct piece_key key;

    if (len > KEY_MAX) {
        merge_new(worker, part, len, ids);
        return;
    }
    make_key(part, len, WORD_FLAG, &key);
    encode_key(worker, part, len, &key, ids);
}

/* Long pieces are cut where no token reaches across: Chinese, without spaces
 * between its words, falls apart into words that the cache knows. A piece
 * that can be cut is no token itself. */
static void encode_long(struct bpe_worker *worker, const char *piece,
                        size_t len, struct token_ids *ids)
{
    const struct bpe *bpe = worker->bpe;
    const unsigned char *s = (const unsigned char *)piece;
    const size_t last = bpe->may_cut && !bpe_has_gap(bpe, s, len) ? len - 2 : 0;
    size_t begin = 0;

    for (size_t at = 2; at <= last; at++) {
        if ((s[at] & 0xc0) == 0x80 || !bpe_can_cut(bpe, s, at))
            continue;
        encode_part(worker, piece + begin, at - begin, ids);
        begin = at;
    }
    const int32_t whole = begin ? -1 : whole_piece(bpe, piece, len);
    if (whole >= 0)
        token_ids_append(ids, &whole, 1);
    else
        encode_part(worker, piece + begin, len - begin, ids);
}

/* ---- texts ---- */

/* Keys first, so that all their cache lines are on the way when they are
 * looked at. */
static void prepare_batch(struct bpe_worker *worker, const char *text,
                          size_t begin, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const size_t len = worker->end[i] - begin;
        if (len <= KEY_MAX) {
            make_key(text + begin, len, 0, &worker->key[i]);
            __builtin_prefetch(&worker->line[worker->key[i].line]);
        }
        begin = worker->end[i];
    }
}

static void encode_text(struct bpe_worker *worker, const char *text, size_t len,
                        struct token_ids *ids)
{
    const enum split_kind kind = worker->bpe->vocab->split;
    const int may_drop = split_drops(kind);
    size_t n;

    for (size_t at = 0; at < len;) {
        n = split_batch(kind, text, len, at, worker->end, BATCH);
        prepare_batch(worker, text, at, n);
        for (size_t i = 0; i < n; i++) {
            const size_t n_byte = worker->end[i] - at;
            if (may_drop && split_is_dropped(kind, text, at))
                ; /* nothing comes of it */
            else if (n_byte <= KEY_MAX)
                encode_key(worker, text + at, n_byte, &worker->key[i], ids);
            else
                encode_long(worker, text + at, n_byte, ids);
            at = worker->end[i];
        }
    }
}

struct bpe_worker *bpe_worker_new(const struct bpe *bpe)
{
    struct bpe_worker *worker = oy_calloc(1, sizeof *worker);

    worker->bpe = bpe;
    worker->line = oy_try_alloc((size_t)1 << LINE_BITS, sizeof *worker->line);
    if (!worker->line)
        worker->line = oy_calloc((size_t)1 << LINE_BITS, sizeof *worker->line);
    return worker;
}

void bpe_worker_free(struct bpe_worker *worker)
{
    if (!worker)
        return;
    oy_free(worker->line);
    token_ids_release(&worker->spill);
    bpe_scratch_release(&worker->scratch);
    oy_buffer_release(&worker->text);
    oy_free(worker);
}

void bpe_encode(struct bpe_worker *worker, const char *text, size_t len,
                struct token_ids *ids)
{
    OY_ASSERT(len < UINT32_MAX);
    if (len && worker->bpe->vocab->add_prefix_space && text[0] != ' ') {
        oy_buffer_clear(&worker->text);
        oy_buffer_reserve(&worker->text, len + 1 + OY_PADDING);
        oy_buffer_append_char(&worker->text, ' ');
        oy_buffer_append(&worker->text, text, len);
        text = worker->text.data;
        len++;
    }
    encode_text(worker, text, len, ids);
}

void bpe_encode_piece(struct bpe_worker *worker, const char *piece, size_t len,
                      struct token_ids *ids)
{
    struct piece_key key;

    OY_ASSERT(len < UINT32_MAX);
    if (len > KEY_MAX) {
        encode_long(worker, piece, len, ids);
        return;
    }
    make_key(piece, len, 0, &key);
    encode_key(worker, piece, len, &key, ids);
}
