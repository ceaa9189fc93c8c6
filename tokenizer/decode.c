/* SPDX-License-Identifier: Apache-2.0
 *
 * From token ids back to text. */
#include "tokenizer/decode.h"

#include "core/utf8.h"

static void put_token(const struct vocab *vocab,
                      const struct vocab_token *token, int is_first,
                      struct oy_buffer *out)
{
    const char *bytes = vocab->text + token->at;

    if (vocab->decodes_bytes) {
        oy_buffer_append(out, bytes, token->len);
        return;
    }
    if (!is_first)
        oy_buffer_append_char(out, ' ');
    if (token->is_bytes)
        vocab_put_alphabet(bytes, token->len, out);
    else
        oy_buffer_append(out, bytes, token->len);
}

size_t decode_ids(const struct vocab *vocab, const int32_t *id, size_t n,
                  int skip_special, struct oy_buffer *out)
{
    struct oy_buffer bytes = {0};
    size_t n_unknown = 0;
    int is_first = 1;

    for (size_t i = 0; i < n; i++) {
        if (id[i] < 0 || id[i] >= vocab->n_id || !vocab->token[id[i]].is_used) {
            n_unknown++;
            continue;
        }
        const struct vocab_token *token = &vocab->token[id[i]];
        if (skip_special && token->is_special)
            continue;
        put_token(vocab, token, is_first, &bytes);
        is_first = 0;
    }
    oy_utf8_repair(bytes.data, bytes.len, out);
    oy_buffer_release(&bytes);
    return n_unknown;
}
