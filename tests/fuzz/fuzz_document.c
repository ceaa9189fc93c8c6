/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes every form of a tokenizer: tokenizer.json, vocab.json with merges.txt,
 * vocab.txt, tiktoken's ranks, SentencePiece, llama2.c, GGUF. What is not
 * refused as damaged must encode and decode, and be the same when read again.
 * Bytes 1E part vocab.json, merges.txt and tokenizer_config.json; a file
 * without any is one of the other forms. */
#include <stdint.h>

#include "core/input.h"
#include "tests/fuzz/fuzz_loop.h"
#include "tests/unit/document_fixture.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_document.h"

static const char text[] =
    " hello hell12345 aba<user>ab!\n\n  e\xcc\x81 \xe4\xbd\xa0\xe5\xa5\xbd"
    "<|endoftext|>A[UNK]\t\xf0\x9f\x98\x80 </s>";

/* Ids are those of tokens, and come back as some text. */
static void use(const struct tokenizer *tokenizer)
{
    struct tokenizer_worker *worker = tokenizer_worker_new(tokenizer);
    struct token_ids ids = {0};
    struct oy_buffer out = {0};
    char *padded = oy_calloc(sizeof text + OY_PADDING, 1);

    memcpy(padded, text, sizeof text);
    for (int special = 0; special < 2; special++)
        tokenizer_encode(worker, padded, sizeof text - 1,
                         special ? TOKENIZER_TEXT : TOKENIZER_TOKEN, &ids,
                         NULL);
    for (size_t i = 0; i < ids.n; i++)
        OY_ASSERT(ids.id[i] >= 0 && ids.id[i] < tokenizer_size(tokenizer));
    tokenizer_decode(tokenizer, ids.id, ids.n, 1, &out);
    oy_free(padded);
    oy_buffer_release(&out);
    token_ids_release(&ids);
    tokenizer_worker_free(worker);
}

static void check(const char *path)
{
    struct oy_error err = {0};
    struct tokenizer *tokenizer = tokenizer_load(path, &err);
    struct tokenizer_document document = {0};

    if (!tokenizer) {
        /* 66: the other file of a vocabulary is not there. */
        OY_ASSERT((err.code == OY_DATA || err.code == OY_NOINPUT) &&
                  err.message[0]);
        return;
    }
    use(tokenizer);
    OY_ASSERT(tokenizer_document_read(path, &document, &err) == 0);
    const struct oy_hash128 hash =
        oy_hash128(document.json.data, document.json.len);
    OY_ASSERT(hash.low == tokenizer_hash(tokenizer).low &&
              hash.high == tokenizer_hash(tokenizer).high);
    tokenizer_document_release(&document);
    tokenizer_free(tokenizer);
}

static void put_bytes(const char *folder, const char *name, const void *data,
                      size_t len)
{
    struct oy_buffer bytes = {0};

    oy_buffer_append(&bytes, data, len);
    put_in(folder, name, &bytes);
}

static void check_parts(const char *folder, const char *data, size_t size)
{
    static const char *const name[] = {"vocab.json", "merges.txt",
                                       "tokenizer_config.json"};

    for (int i = 0; i < 3; i++) {
        const char *end = memchr(data, 0x1e, size);
        const size_t len = end ? (size_t)(end - data) : size;
        put_bytes(folder, name[i], data, len);
        data += len + (end != NULL);
        size -= len + (end != NULL);
    }
    check(folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *tmp = getenv("TMPDIR");
    char *folder = oy_asprintf("%s/fuzz_document.XXXXXX", tmp ? tmp : "/tmp");

    OY_ASSERT(mkdtemp(folder));
    if (size && memchr(data, 0x1e, size)) {
        check_parts(folder, (const char *)data, size);
    } else {
        char *path = oy_asprintf("%s/tokenizer.x", folder);
        put_bytes(folder, "tokenizer.x", data, size);
        check(path);
        oy_free(path);
    }
    static const char *const name[] = {"vocab.json", "merges.txt",
                                       "tokenizer_config.json", "tokenizer.x"};
    for (int i = 0; i < 4; i++) {
        char *path = oy_asprintf("%s/%s", folder, name[i]);
        unlink(path);
        oy_free(path);
    }
    rmdir(folder);
    oy_free(folder);
    return 0;
}

/* ---- seeds ---- */

enum { N_FORM = 9, N_JSON = 9 };

static void put_form(struct oy_buffer *out, int form)
{
    switch (form) {
    case 0: put_ranks(out); break;
    case 1: put_rank_json(out); break;
    case 2: put_sentencepiece(out, 1, 0); break;
    case 3: put_sentencepiece(out, 2, 1); break;
    case 4: put_llama2c(out); break;
    case 5: put_gguf_of_bytes(out, "gpt-2"); break;
    case 6: put_gguf_of_bytes(out, "deepseek-v3"); break;
    case 7: put_gguf_of_pieces(out, "t5"); break;
    default:
        oy_buffer_append_string(
            out, "[PAD]\n[UNK]\n[CLS]\n[SEP]\nab\n##a\nA\nhello\n##1\n");
    }
}

static void put_parts(struct oy_buffer *out)
{
    put_vocab_json(out);
    oy_buffer_append_char(out, 0x1e);
    put_merges_txt(out);
    oy_buffer_append_string(
        out, "\x1e{\"tokenizer_class\":\"Qwen2Tokenizer\",\"bos_token\":"
             "{\"content\":\"!\"},\"added_tokens_decoder\":{\"261\":"
             "{\"content\":\"<user>\",\"special\":true,\"lstrip\":true}}}");
}

/* The tokenizer.json that a form becomes. */
static void put_json(struct oy_buffer *out, int form)
{
    struct tokenizer_document document = {0};
    struct oy_buffer bytes = {0};
    struct oy_error err = {0};
    char *folder = new_folder();
    char *path = oy_asprintf("%s/x", folder);

    put_form(&bytes, form);
    put_in(folder, "x", &bytes);
    OY_ASSERT(tokenizer_document_read(path, &document, &err) == 0);
    *out = document.json;
    document.json = (struct oy_buffer){0};
    tokenizer_document_release(&document);
    oy_free(path);
    drop_folder(folder);
}

int fuzz_seed(size_t i, struct oy_buffer *seed)
{
    if (i < N_FORM)
        put_form(seed, (int)i);
    else if (i < N_FORM + N_JSON)
        put_json(seed, (int)i - N_FORM);
    else if (i == N_FORM + N_JSON)
        put_parts(seed);
    return i <= N_FORM + N_JSON;
}

/* What readers may trip over. */
const char *const fuzz_piece[] = {
    "null",    "-1",           "\"\"",
    "{}",      "[]",           "1e999",
    "\\ud800", "\"",           "18446744073709551615",
    "false",   "\xff",         "[[",
    "}",       "\xe2\x96\x81", "Sequence",
    "Regex",   "(?:a*)*b",     "16777215",
    "0",       NULL,
};
