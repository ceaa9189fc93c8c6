/* SPDX-License-Identifier: Apache-2.0
 *
 * From token ids back to text. */
#include "tokenizer/decode.h"

#include "core/utf8.h"
#include "tokenizer/byte_alphabet.h"

/* The token of an id that is wanted, or NULL. */
static const struct vocab_token *find_token(const struct vocab *vocab,
                                            int32_t id, int skip_special,
                                            size_t *n_unknown)
{
    if (id < 0 || id >= vocab->n_id || !vocab->token[id].is_used) {
        ++*n_unknown;
        return NULL;
    }
    const struct vocab_token *token = &vocab->token[id];
    return skip_special && token->is_special ? NULL : token;
}

/* Tokens are the bytes that the decoder would make of them. */
static size_t decode_bytes(const struct vocab *vocab, const int32_t *id,
                           size_t n, int skip_special, struct oy_buffer *out)
{
    struct oy_buffer bytes = {0};
    size_t n_unknown = 0;

    for (size_t i = 0; i < n; i++) {
        const struct vocab_token *token =
            find_token(vocab, id[i], skip_special, &n_unknown);
        if (token)
            oy_buffer_append(&bytes, vocab->text + token->at, token->len);
    }
    oy_utf8_repair(bytes.data, bytes.len, out);
    oy_buffer_release(&bytes);
    return n_unknown;
}

static void put_spelled(const struct vocab *vocab, int32_t id,
                        struct decode_texts *texts)
{
    const struct vocab_token *token = &vocab->token[id];
    const char *bytes = vocab->text + token->at;

    /* Without a decoder the texts are joined with spaces. */
    if (!vocab->decoder.n && texts->n)
        oy_buffer_append_char(&texts->text, ' ');
    if (token->is_renamed) {
        const struct oy_text text = vocab_find_added(vocab, id)->normal;
        oy_buffer_append(&texts->text, text.at, text.len);
    } else if (vocab->is_byte_level && token->is_bytes) {
        byte_alphabet_put(bytes, token->len, &texts->text);
    } else {
        oy_buffer_append(&texts->text, bytes, token->len);
    }
    decode_texts_close(texts);
}

static size_t decode_texts(const struct vocab *vocab, const int32_t *id,
                           size_t n, int skip_special, struct oy_buffer *out)
{
    struct decode_texts work[2] = {{{0}}, {{0}}};
    size_t n_unknown = 0;

    for (size_t i = 0; i < n; i++) {
        const struct vocab_token *token =
            find_token(vocab, id[i], skip_special, &n_unknown);
        if (token)
            put_spelled(vocab, id[i], &work[0]);
    }
    const int last = decode_chain_run(&vocab->decoder, work);
    oy_buffer_append(out, work[last].text.data, work[last].text.len);
    decode_texts_release(&work[0]);
    decode_texts_release(&work[1]);
    return n_unknown;
}

size_t decode_ids(const struct vocab *vocab, const int32_t *id, size_t n,
                  int skip_special, struct oy_buffer *out)
{
    const struct decode_chain *chain = &vocab->decoder;
    const int is_plain = vocab->is_byte_level && !vocab->has_renamed &&
                         chain->n == 1 &&
                         chain->step[0].kind == DECODE_BYTE_LEVEL;

    return is_plain ? decode_bytes(vocab, id, n, skip_special, out)
                    : decode_texts(vocab, id, n, skip_special, out);
}
