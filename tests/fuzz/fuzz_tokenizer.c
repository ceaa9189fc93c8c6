/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes tokenizer.json: whatever the document says, it is refused with a
 * message, or it encodes and decodes within its own ids. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/json.h"
#include "core/utf8.h"
#include "tests/fuzz/fuzz_loop.h"
#include "tokenizer/decode.h"
#include "tokenizer/encoder.h"
#include "tokenizer/vocab.h"

static const char *const text[] = {
    "",
    " ",
    "a",
    "Hello,  world! ab<s>\n\n\tx",
    "e\xcc\x81 \xc3\xa9\xe4\xb8\xad\xe6\x96\x87\xe5\xad\x97 1234 3.14",
    "\xe2\x96\x81 \xe3\x80\x80\xf0\x9f\x91\x8d\xc4\xa0 don't I'LL ##",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
};

static void check_ids(const struct vocab *vocab, const struct token_ids *ids)
{
    struct decode *decode = decode_new(vocab);
    struct oy_buffer out = {0};

    for (size_t i = 0; i < ids->n; i++) {
        OY_ASSERT(ids->id[i] >= 0 && ids->id[i] < vocab->n_id);
        OY_ASSERT(vocab->token[ids->id[i]].is_used);
    }
    decode_ids(decode, ids->id, ids->n, 0, &out);
    OY_ASSERT(oy_utf8_valid(out.data, out.len));
    decode_free(decode);
    oy_buffer_release(&out);
}

static void encode_all(const struct vocab *vocab)
{
    struct encoder *encoder = encoder_new(vocab);
    struct encoder_worker *worker = encoder_worker_new(encoder);
    struct token_ids ids = {0};
    struct oy_buffer copy = {0};

    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        oy_buffer_clear(&copy);
        oy_buffer_reserve(&copy, 1);
        oy_buffer_append_string(&copy, text[i]);
        ids.n = 0;
        encoder_run(worker, (struct oy_text){copy.data, copy.len}, i & 1, &ids);
        check_ids(vocab, &ids);
    }
    oy_buffer_release(&copy);
    token_ids_release(&ids);
    encoder_worker_free(worker);
    encoder_free(encoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tokenizer_document document = {.path = oy_strdup("fuzz")};
    struct oy_error err = {0};

    oy_buffer_append(&document.json, data, size);
    oy_buffer_reserve(&document.json, 1);
    struct vocab *vocab = vocab_new(&document, &err);
    tokenizer_document_release(&document);
    if (vocab)
        encode_all(vocab);
    else
        OY_ASSERT(err.code == OY_DATA && !strncmp(err.message, "fuzz: ", 6));
    vocab_free(vocab);
    return 0;
}

/* Something else in the place of a value. */
const char *const fuzz_piece[] = {
    "null", "true", "-1",   "0",       "1e9",       "16777215", "\"\"", "\"a\"",
    "[]",   "{}",   "[[]]", "[\"a\"]", "\"\\ud8\"", "\"\xff\"", NULL,
};
