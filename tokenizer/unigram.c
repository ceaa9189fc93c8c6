/* SPDX-License-Identifier: Apache-2.0
 *
 * The best way through a piece, by Viterbi's algorithm over a trie. */
#include "tokenizer/unigram.h"

#include <stdio.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/utf8.h"
#include "tokenizer/token_trie.h"

/* kUnkPenalty of sentencepiece's unigram_model.cc. */
#define UNKNOWN_PENALTY 10.0

#define NOT_REACHED UINT32_MAX

struct unigram {
    const struct vocab *vocab;
    struct token_trie trie;
    double unknown_score;
    int32_t byte_id[256]; /* -1: not there */
};

/* The best way to a place of the piece: its score, and its last token. */
struct unigram_place {
    double score;
    uint32_t begin;
    int32_t id;
};

static void fill_fallback(struct unigram *unigram)
{
    for (int byte = 0; byte < 256; byte++) {
        char name[8];
        snprintf(name, sizeof name, "<0x%02X>", byte);
        unigram->byte_id[byte] = vocab_find(unigram->vocab, name, 6);
    }
}

struct unigram *unigram_new(const struct vocab *vocab)
{
    struct unigram *unigram = oy_calloc(1, sizeof *unigram);
    double lowest = 1.0 / 0.0;

    unigram->vocab = vocab;
    token_trie_init(&unigram->trie, vocab);
    for (int32_t id = 0; id < vocab->n_model; id++) {
        if (vocab->score[id] < lowest)
            lowest = vocab->score[id];
    }
    unigram->unknown_score = lowest - UNKNOWN_PENALTY;
    if (vocab->byte_fallback)
        fill_fallback(unigram);
    return unigram;
}

void unigram_free(struct unigram *unigram)
{
    if (!unigram)
        return;
    token_trie_release(&unigram->trie);
    oy_free(unigram);
}

void unigram_scratch_release(struct unigram_scratch *scratch)
{
    oy_free(scratch->place);
    *scratch = (struct unigram_scratch){0};
}

/* ---- forward ---- */

/* A way to `place` whose last token begins at `begin`. */
static inline void offer(struct unigram_place *place, double score,
                         uint32_t begin, int32_t id)
{
    if (place->begin == NOT_REACHED || score > place->score)
        *place = (struct unigram_place){score, begin, id};
}

/* All tokens that begin with the character at piece[at .. at + width). */
static void offer_tokens(const struct unigram *unigram, const char *piece,
                         size_t len, size_t at, size_t width,
                         struct unigram_place *place)
{
    const struct token_trie *trie = &unigram->trie;
    const double *score = unigram->vocab->score;
    const double before = place[at].score;
    uint32_t node = TOKEN_TRIE_ROOT;
    int has_single = 0;

    for (size_t i = at; i < len; i++) {
        if (!token_trie_step(trie, &node, (unsigned char)piece[i]))
            break;
        const int32_t id = token_trie_id(trie, node);
        if (id < 0)
            continue;
        offer(&place[i + 1], score[id] + before, (uint32_t)at, id);
        has_single |= i + 1 == at + width;
    }
    if (!has_single)
        offer(&place[at + width], unigram->unknown_score + before, (uint32_t)at,
              unigram->vocab->unk_id);
}

static void find_ways(const struct unigram *unigram, const char *piece,
                      size_t len, struct unigram_place *place)
{
    size_t at = 0;

    place[0] = (struct unigram_place){0, NOT_REACHED, -1};
    for (size_t i = 1; i <= len; i++)
        place[i].begin = NOT_REACHED;
    while (at < len) {
        size_t end = at;
        oy_utf8_next(piece, &end);
        offer_tokens(unigram, piece, len, at, end - at, place);
        at = end;
    }
}

/* ---- backward ---- */

/* Appends the tokens of a stretch of unknown characters, last first. */
static void put_unknown(const struct unigram *unigram, const char *text,
                        size_t len, struct token_ids *ids)
{
    const struct vocab *vocab = unigram->vocab;
    const int32_t whole = vocab_find(vocab, text, len);
    const size_t before = ids->n;

    if (whole >= 0) {
        token_ids_append(ids, &whole, 1);
        return;
    }
    for (size_t i = len; vocab->byte_fallback && i-- > 0;) {
        const int32_t id = unigram->byte_id[(unsigned char)text[i]];
        if (id < 0) {
            ids->n = before;
            break;
        }
        token_ids_append(ids, &id, 1);
    }
    if (ids->n == before)
        token_ids_append(ids, &vocab->unk_id, 1);
}

static void reverse(int32_t *id, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        const int32_t other = id[i];
        id[i] = id[n - 1 - i];
        id[n - 1 - i] = other;
    }
}

/* Text that spells the unknown token counts as unknown too, so neighbours
 * join it. */
static void put_way(const struct unigram *unigram, const char *piece,
                    size_t len, const struct unigram_place *place,
                    struct token_ids *ids)
{
    const int32_t unknown = unigram->vocab->unk_id;
    const size_t before = ids->n;
    size_t end = len;

    while (end) {
        size_t begin = place[end].begin;
        if (place[end].id != unknown) {
            token_ids_append(ids, &place[end].id, 1);
        } else {
            while (begin && place[begin].id == unknown)
                begin = place[begin].begin;
            put_unknown(unigram, piece + begin, end - begin, ids);
        }
        end = begin;
    }
    reverse(ids->id + before, ids->n - before);
}

void unigram_encode(const struct unigram *unigram,
                    struct unigram_scratch *scratch, const char *piece,
                    size_t len, struct token_ids *ids)
{
    OY_ASSERT(len < UINT32_MAX);
    OY_GROW(scratch->place, scratch->cap_place, len + 1);
    find_ways(unigram, piece, len, scratch->place);
    put_way(unigram, piece, len, scratch->place, ids);
}
