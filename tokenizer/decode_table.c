/* SPDX-License-Identifier: Apache-2.0
 *
 * What each token becomes in decoding. */
#include "tokenizer/decode_table.h"

#include <string.h>

#include "tokenizer/byte_alphabet.h"
#include "tokenizer/decode_chain.h"

void decode_put_spelled(const struct vocab *vocab, int32_t id,
                        struct oy_buffer *out)
{
    const struct vocab_token *token = &vocab->token[id];
    const char *bytes = vocab->text + token->at;

    if (token->is_renamed) {
        const struct oy_text text = vocab_find_added(vocab, id)->normal;
        oy_buffer_append(out, text.at, text.len);
    } else if (vocab->is_byte_level && token->is_bytes) {
        byte_alphabet_put(bytes, token->len, out);
    } else {
        oy_buffer_append(out, bytes, token->len);
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    const char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Rust's from_str_radix takes a sign, and so do we. */
int decode_byte_of(struct oy_text text)
{
    if (text.len != 6 || memcmp(text.at, "<0x", 3) || text.at[5] != '>')
        return -1;
    const int upper = text.at[3] == '+' ? 0 : hex_digit(text.at[3]);
    const int lower = hex_digit(text.at[4]);
    return upper < 0 || lower < 0 ? -1 : upper << 4 | lower;
}

/* ---- the form of a decoder ---- */

/* Whether a step looks at one token at a time. */
static int is_own(const struct decode_step *step, struct decode_table *table)
{
    switch (step->kind) {
    case DECODE_REPLACE:
    case DECODE_REGEX:
    case DECODE_STRIP: return 1;
    case DECODE_METASPACE: table->has_first |= step->n_left > 0; return 1;
    case DECODE_WORDPIECE: table->has_first = 1; return 1;
    case DECODE_SUFFIX: table->has_last = 1; return 1;
    default: return 0;
    }
}

/* -1 when the decoder is of none of the known forms. */
static int find_form(const struct decode_chain *chain,
                     struct decode_table *table)
{
    size_t i = 0;

    if (!chain->is_given)
        table->has_first = 1; /* spaces between tokens */
    while (i < chain->n && is_own(&chain->step[i], table))
        i++;
    table->n_own = i;
    table->rest = i < chain->n ? i + 1 : i;
    if (i == chain->n || chain->step[i].kind == DECODE_FUSE)
        return 0;
    if (chain->step[i].kind == DECODE_BYTE_LEVEL) {
        table->join = DECODE_JOIN_BYTES;
        return 0;
    }
    table->join = DECODE_JOIN_FALLBACK;
    if (chain->step[i].kind != DECODE_BYTE_FALLBACK || table->has_first ||
        table->has_last)
        return -1;
    if (table->rest == chain->n)
        return 0;
    return chain->step[table->rest++].kind == DECODE_FUSE ? 0 : -1;
}

/* ---- entries ---- */

static void fill_entry(struct decode_entry *entry, const char *bytes,
                       size_t len, struct oy_buffer *text)
{
    if (len <= DECODE_INLINE) {
        if (len)
            memcpy(entry->byte, bytes, len);
        entry->kind = (uint8_t)len;
        return;
    }
    const uint32_t where[2] = {(uint32_t)text->len, (uint32_t)len};
    memcpy(entry->byte, where, sizeof where);
    entry->kind = DECODE_LONG;
    oy_buffer_append(text, bytes, len);
}

/* Of what the token's own steps left. */
static void make_entry(enum decode_join join,
                       const struct byte_alphabet *alphabet, struct oy_text own,
                       struct decode_entry *entry, struct oy_buffer *text)
{
    if (join == DECODE_JOIN_FALLBACK) {
        const int byte = decode_byte_of(own);
        if (byte >= 0) {
            entry->byte[0] = (char)byte;
            entry->kind = DECODE_BYTE;
            return;
        }
    }
    if (join == DECODE_JOIN_BYTES) {
        struct oy_buffer bytes = {0};
        char *at = oy_buffer_reserve(&bytes, own.len);
        const int64_t n = byte_alphabet_map(alphabet, own.at, own.len, at);
        if (n >= 0)
            fill_entry(entry, at, (size_t)n, text);
        else
            fill_entry(entry, own.at, own.len, text);
        oy_buffer_release(&bytes);
        return;
    }
    fill_entry(entry, own.at, own.len, text);
}

/* Where ByteLevel is all there is, tokens are kept as what they become. */
static void fill_with_bytes(struct decode_table *table,
                            const struct vocab *vocab)
{
    for (int32_t id = 0; id < table->n; id++) {
        const struct vocab_token *token = &vocab->token[id];
        if (token->is_used)
            fill_entry(&table->entry[id], vocab->text + token->at, token->len,
                       &table->text);
    }
}

/* All tokens as a list of texts, with one before and one behind, so that none
 * is the first or last. */
static void fill_with_texts(struct decode_table *table,
                            const struct vocab *vocab)
{
    struct decode_texts work[2] = {{{0}}, {{0}}};
    struct byte_alphabet alphabet;

    decode_texts_close(&work[0]);
    for (int32_t id = 0; id < table->n; id++) {
        if (!vocab->decoder.is_given)
            oy_buffer_append_char(&work[0].text, ' ');
        if (vocab->token[id].is_used)
            decode_put_spelled(vocab, id, &work[0].text);
        decode_texts_close(&work[0]);
    }
    decode_texts_close(&work[0]);
    const int last = decode_chain_run(&vocab->decoder, 0, table->n_own, work);
    byte_alphabet_init(&alphabet);
    for (int32_t id = 0; id < table->n; id++)
        make_entry(table->join, &alphabet,
                   decode_texts_at(&work[last], (size_t)id + 1),
                   &table->entry[id], &table->text);
    decode_texts_release(&work[0]);
    decode_texts_release(&work[1]);
}

static void mark_entries(struct decode_table *table, const struct vocab *vocab)
{
    for (int32_t id = 0; id < table->n; id++) {
        if (!vocab->token[id].is_used)
            table->entry[id].kind = DECODE_UNKNOWN;
        else if (vocab->token[id].is_special)
            table->entry[id].kind |= DECODE_SPECIAL;
    }
}

struct decode_table *decode_table_new(const struct vocab *vocab)
{
    struct decode_table *table = oy_calloc(1, sizeof *table);

    table->n = vocab->n_id;
    if (find_form(&vocab->decoder, table))
        return table;
    table->entry = oy_calloc((size_t)table->n, sizeof *table->entry);
    if (table->join == DECODE_JOIN_BYTES && !table->n_own &&
        vocab->is_byte_level && !vocab->has_renamed)
        fill_with_bytes(table, vocab);
    else
        fill_with_texts(table, vocab);
    mark_entries(table, vocab);
    return table;
}

void decode_table_free(struct decode_table *table)
{
    if (!table)
        return;
    oy_free(table->entry);
    oy_buffer_release(&table->text);
    oy_free(table);
}

void decode_table_edge(const struct decode_table *table,
                       const struct vocab *vocab, int32_t id, int is_first,
                       int is_last, struct decode_entry *entry,
                       struct oy_buffer *text)
{
    struct decode_texts work[2] = {{{0}}, {{0}}};
    struct byte_alphabet alphabet;

    byte_alphabet_init(&alphabet);
    if (!is_first)
        decode_texts_close(&work[0]);
    if (!is_first && !vocab->decoder.is_given)
        oy_buffer_append_char(&work[0].text, ' ');
    decode_put_spelled(vocab, id, &work[0].text);
    decode_texts_close(&work[0]);
    if (!is_last)
        decode_texts_close(&work[0]);
    const int last = decode_chain_run(&vocab->decoder, 0, table->n_own, work);
    oy_buffer_clear(text);
    make_entry(table->join, &alphabet, decode_texts_at(&work[last], !is_first),
               entry, text);
    decode_texts_release(&work[0]);
    decode_texts_release(&work[1]);
}
