/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys of a GGUF for a checkpoint's tokenizer. */
#include <string.h>

#include "model/conv_internal.h"
#include "model/model_file.h"
#include "tokenizer/gguf_vocab.h"
#include "tokenizer/tokenizer_document.h"

#define KEY "tokenizer.ggml."

static void put_texts(struct conv_keys *keys, const char *key,
                      const struct oy_text *text, size_t n)
{
    conv_put_array(keys, key, OY_GGUF_STRING, n);
    for (size_t i = 0; i < n; i++) {
        conv_put_raw(&keys->bytes, text[i].len, 8);
        oy_buffer_append(&keys->bytes, text[i].at, text[i].len);
    }
}

static void put_id(struct conv_keys *keys, const char *key, int32_t id)
{
    if (id >= 0)
        conv_put_u32(keys, key, (uint32_t)id);
}

static void put_scores(struct conv_keys *keys, const struct gguf_vocab *vocab)
{
    uint32_t bits;

    conv_put_array(keys, KEY "scores", OY_GGUF_F32, vocab->n_token);
    for (size_t i = 0; i < vocab->n_token; i++) {
        memcpy(&bits, &vocab->score[i], sizeof bits);
        conv_put_raw(&keys->bytes, bits, 4);
    }
}

static void put_vocab(struct conv_keys *keys, const struct gguf_vocab *vocab)
{
    conv_put_text(keys, KEY "model", vocab->model, strlen(vocab->model));
    if (vocab->pre)
        conv_put_text(keys, KEY "pre", vocab->pre, strlen(vocab->pre));
    put_texts(keys, KEY "tokens", vocab->token, vocab->n_token);
    if (!vocab->pre)
        put_scores(keys, vocab);
    conv_put_array(keys, KEY "token_type", OY_GGUF_I32, vocab->n_token);
    for (size_t i = 0; i < vocab->n_token; i++)
        conv_put_raw(&keys->bytes, (uint64_t)vocab->type[i], 4);
    if (vocab->pre)
        put_texts(keys, KEY "merges", vocab->merge, vocab->n_merge);
    put_id(keys, KEY "bos_token_id", vocab->bos_id);
    put_id(keys, KEY "eos_token_id", vocab->eos_id);
    put_id(keys, KEY "unknown_token_id", vocab->unk_id);
    conv_put_bool(keys, KEY "add_bos_token", vocab->add_bos);
    conv_put_bool(keys, KEY "add_eos_token", vocab->add_eos);
    if (!vocab->pre)
        conv_put_bool(keys, KEY "add_space_prefix", vocab->add_space_prefix);
}

int conv_put_tokenizer(struct conv_keys *keys, const char *path, size_t n_token,
                       struct oy_error *err)
{
    struct tokenizer_document document = {0};
    struct gguf_vocab vocab = {0};
    struct oy_error missing = {0};
    int status = 0;

    if (!model_file_has_tokenizer(path) ||
        tokenizer_document_read(path, &document, &missing)) {
        tokenizer_document_release(&document);
        if (missing.code && missing.code != OY_NOINPUT) {
            *err = missing;
            return -1;
        }
        conv_put_text(keys, KEY "model", "no_vocab", 8);
        return 0;
    }
    status = gguf_vocab_read(&vocab, &document.json, n_token,
                             document.bos_token, document.eos_token, err);
    if (status)
        oy_fail_at(err, "%s", document.path);
    else
        put_vocab(keys, &vocab);
    if (!status && document.chat_template)
        conv_put_text(keys, "tokenizer.chat_template", document.chat_template,
                      strlen(document.chat_template));
    gguf_vocab_release(&vocab);
    tokenizer_document_release(&document);
    return status;
}
