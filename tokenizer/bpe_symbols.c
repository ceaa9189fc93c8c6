/* SPDX-License-Identifier: Apache-2.0
 *
 * What merging begins with: the symbols of a word's bytes or characters. */
#include <stdio.h>

#include "core/alloc.h"
#include "core/utf8.h"
#include "tokenizer/bpe_internal.h"

/* ---- tables ---- */

/* What is added to a character in this place. */
static struct oy_text prefix_at(const struct vocab *vocab, int place)
{
    return place & BPE_BEHIND ? vocab->prefix : (struct oy_text){"", 0};
}

static struct oy_text suffix_at(const struct vocab *vocab, int place)
{
    return place & BPE_AT_END ? vocab->suffix : (struct oy_text){"", 0};
}

/* The code point that, in this place, is all of a token, or -1. */
static int64_t only_character(const struct vocab *vocab,
                              const struct vocab_token *token, int place)
{
    const struct oy_text prefix = prefix_at(vocab, place);
    const struct oy_text suffix = suffix_at(vocab, place);
    const char *text = vocab->text + token->at;
    const size_t affixes = prefix.len + suffix.len;
    size_t at = prefix.len;

    if (!token->is_used || token->len <= affixes || token->len > affixes + 4 ||
        memcmp(text, prefix.at, prefix.len) ||
        memcmp(text + token->len - suffix.len, suffix.at, suffix.len))
        return -1;
    const uint32_t character = oy_utf8_next(text, &at);
    return at == token->len - suffix.len ? (int64_t)character : -1;
}

/* Added tokens that are not the model's have no say in it, so ids come from
 * vocab_find(). */
static int32_t *new_characters(const struct bpe *bpe, int place)
{
    const struct vocab *vocab = bpe->vocab;
    const uint32_t n = bpe->characters.n;
    int32_t *id = oy_alloc_array(n, sizeof *id);

    for (uint32_t c = 0; c < n; c++)
        id[c] = -1;
    for (int32_t i = 0; i < vocab->n_id; i++) {
        const struct vocab_token *token = &vocab->token[i];
        const int64_t c = only_character(vocab, token, place);
        if (c >= 0)
            id[c] = vocab_find(vocab, vocab->text + token->at, token->len);
    }
    return id;
}

static void fill_characters(struct bpe *bpe)
{
    struct bpe_characters *characters = &bpe->characters;
    const struct vocab *vocab = bpe->vocab;
    int64_t last = -1;

    for (int32_t i = 0; i < vocab->n_id; i++) {
        for (int place = 0; place < BPE_N_PLACE; place++) {
            const int64_t c = only_character(vocab, &vocab->token[i], place);
            last = c > last ? c : last;
        }
    }
    characters->n = (uint32_t)(last + 1);
    for (int place = 0; place < BPE_N_PLACE; place++) {
        const int same = place & ((vocab->prefix.len ? BPE_BEHIND : 0) |
                                  (vocab->suffix.len ? BPE_AT_END : 0));
        characters->id[place] =
            same < place ? characters->id[same] : new_characters(bpe, place);
    }
}

void bpe_release_symbols(struct bpe *bpe)
{
    int32_t **id = bpe->characters.id;

    for (int place = BPE_N_PLACE - 1; place >= 0; place--) {
        int is_shared = 0;
        for (int other = 0; other < place; other++)
            is_shared |= id[other] == id[place];
        if (!is_shared)
            oy_free(id[place]);
    }
}

/* Returns whether all 256 are there. */
static int fill_fallback(struct bpe *bpe)
{
    int n = 0;

    for (int byte = 0; byte < 256; byte++) {
        char name[8];
        snprintf(name, sizeof name, "<0x%02X>", byte);
        const int32_t id =
            bpe->vocab->byte_fallback ? vocab_find(bpe->vocab, name, 6) : -1;
        bpe->characters.byte_id[byte] = id;
        n += id >= 0;
    }
    return n == 256;
}

static int fill_bytes(struct bpe *bpe)
{
    int n = 0;

    for (int byte = 0; byte < 256; byte++) {
        const char c = (char)byte;
        bpe->byte_id[byte] = vocab_find(bpe->vocab, &c, 1);
        n += bpe->byte_id[byte] >= 0;
    }
    return n == 256;
}

/* Whether the symbols of unknown characters take part in merges: such a token
 * is not spelled as the text that it covers, on which bpe_can_cut() relies. */
static int merges_stand_ins(const struct bpe *bpe)
{
    const struct vocab *vocab = bpe->vocab;
    uint8_t *is_stand_in = oy_calloc((size_t)vocab->n_id + 1, 1);
    int found = 0;

    if (vocab->unk_id >= 0)
        is_stand_in[vocab->unk_id] = 1;
    for (int byte = 0; byte < 256; byte++) {
        if (bpe->characters.byte_id[byte] >= 0)
            is_stand_in[bpe->characters.byte_id[byte]] = 1;
    }
    for (size_t i = 0; i < vocab->n_merge; i++) {
        found |= is_stand_in[vocab->merge[i].left];
        found |= is_stand_in[vocab->merge[i].right];
    }
    oy_free(is_stand_in);
    return found;
}

void bpe_prepare_symbols(struct bpe *bpe)
{
    const struct vocab *vocab = bpe->vocab;

    if (vocab->is_byte_level) {
        bpe->knows_all = fill_bytes(bpe);
        bpe->begins_with_bytes = bpe->knows_all || vocab->unk_id < 0;
    } else {
        memset(bpe->byte_id, 0xff, sizeof bpe->byte_id);
        fill_characters(bpe);
    }
    const int has_fallback = fill_fallback(bpe);
    bpe->knows_all |= has_fallback;
    /* With a prefix or a suffix no token is spelled as what it covers. */
    const int is_plain = !vocab->prefix.len && !vocab->suffix.len;
    bpe->may_cut =
        bpe->begins_with_bytes || (is_plain && !merges_stand_ins(bpe));
}

/* ---- words ---- */

/* The symbol at word[*at], or -1; moves *at behind what it stands for. */
static int32_t symbol_at(const struct bpe *bpe, const unsigned char *word,
                         size_t len, size_t *at)
{
    const struct bpe_characters *characters = &bpe->characters;
    const int is_behind = *at ? BPE_BEHIND : 0;

    if (bpe->vocab->is_byte_level)
        return bpe->byte_id[word[(*at)++]];
    const uint32_t c = oy_utf8_next((const char *)word, at);
    const int place = is_behind | (*at == len ? BPE_AT_END : 0);
    return c < characters->n ? characters->id[place][c] : -1;
}

/* The tokens of a character's bytes; 0 when one is not there. */
static size_t fall_back(const struct bpe *bpe, const unsigned char *character,
                        size_t len, int32_t *id)
{
    for (size_t i = 0; i < len; i++) {
        id[i] = bpe->characters.byte_id[character[i]];
        if (id[i] < 0)
            return 0;
    }
    return len;
}

/* As merge_word() of HF's models/bpe/model.rs: an unknown token waits until
 * something known comes, and the bytes of a fallback go before it. */
size_t bpe_first_symbols(const struct bpe *bpe, const unsigned char *word,
                         size_t len, int32_t *id)
{
    const int32_t unknown = bpe->vocab->unk_id;
    size_t n = 0, at = 0;
    int waits = 0;

    while (at < len) {
        const size_t begin = at;
        const int32_t known = symbol_at(bpe, word, len, &at);

        if (known >= 0) {
            if (waits)
                id[n++] = unknown;
            waits = 0;
            id[n++] = known;
            continue;
        }
        const size_t n_byte = fall_back(bpe, word + begin, at - begin, id + n);
        n += n_byte;
        if (n_byte || unknown < 0)
            continue;
        if (waits && !bpe->vocab->fuse_unk)
            id[n++] = unknown;
        waits = 1;
    }
    if (waits)
        id[n++] = unknown;
    return n;
}

static int lacks_byte(const struct bpe *bpe, const unsigned char *word,
                      size_t len)
{
    int32_t any = 0;

    for (size_t i = 0; i < len; i++)
        any |= bpe->byte_id[word[i]];
    return any < 0;
}

int bpe_has_gap(const struct bpe *bpe, const unsigned char *word, size_t len)
{
    int32_t bytes[4];
    size_t at = 0;

    if (bpe->knows_all)
        return 0;
    if (bpe->vocab->is_byte_level)
        return lacks_byte(bpe, word, len);
    while (at < len) {
        const size_t begin = at;
        if (symbol_at(bpe, word, len, &at) < 0 &&
            !fall_back(bpe, word + begin, at - begin, bytes))
            return 1;
    }
    return 0;
}
