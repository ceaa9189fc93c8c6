/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes tokenizer.json: whatever the document says, it is refused with a
 * message, or it encodes and decodes within its own ids.
 *
 *     clang -fsanitize=fuzzer,address ...        libFuzzer
 *     gcc -DFUZZ_STANDALONE -fsanitize=address ...
 *         FILE..., or --mutations N JSONL of {"tokenizer":...} */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/json.h"
#include "core/utf8.h"
#include "tokenizer/decode.h"
#include "tokenizer/encoder.h"
#include "tokenizer/vocab.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

#ifdef FUZZ_STANDALONE
#include "core/input.h"
#include "core/random.h"

/* Something else in the place of a byte, of a value, or of all that follows. */
static void mutate(struct oy_buffer *json, struct oy_random *random)
{
    static const char *const value[] = {
        "null",  "true", "-1", "0",    "1e9",     "16777215",  "\"\"",
        "\"a\"", "[]",   "{}", "[[]]", "[\"a\"]", "\"\\ud8\"", "\"\xff\"",
    };
    const size_t n_value = sizeof value / sizeof *value;
    char *const at = json->data + oy_random_below(random, json->len);
    char *const end = json->data + json->len;
    struct oy_buffer copy = {0};

    if (oy_random_below(random, 3) == 0) {
        *at = "{}[]\",:0a\\\xe2\x96"[oy_random_below(random, 12)];
        return;
    }
    const char *colon = memchr(at, ':', (size_t)(end - at));
    const char *comma =
        colon ? memchr(colon, ',', (size_t)(end - colon)) : NULL;
    if (!comma)
        return;
    oy_buffer_append(&copy, json->data, (size_t)(colon + 1 - json->data));
    oy_buffer_append_string(&copy, value[oy_random_below(random, n_value)]);
    oy_buffer_append(&copy, comma, (size_t)(end - comma));
    oy_buffer_release(json);
    *json = copy;
}

static void run_mutation(struct oy_text tokenizer, uint64_t number)
{
    struct oy_random random = oy_random_at(1, number);
    struct oy_buffer json = {0};

    oy_buffer_append(&json, tokenizer.at, tokenizer.len);
    for (uint64_t n = oy_random_below(&random, 4); n && json.len; n--)
        mutate(&json, &random);
    if (oy_random_below(&random, 20) == 0)
        json.len = oy_random_below(&random, json.len + 1);
    LLVMFuzzerTestOneInput((const uint8_t *)json.data, json.len);
    oy_buffer_release(&json);
}

/* Each tokenizer of the file in turn. */
static void run_mutations(uint64_t n, const char *data, size_t len)
{
    const char *at = data, *end = data + len, *why;

    for (uint64_t i = 0; i < n;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        struct oy_json_value line;
        if (!newline) {
            at = data;
            continue;
        }
        OY_ASSERT(!oy_json_value_of(at, (size_t)(newline - at), &line, &why));
        const struct oy_json_value tokenizer =
            oy_json_member(&line, "tokenizer");
        if (tokenizer.kind == OY_JSON_OBJECT)
            run_mutation((struct oy_text){tokenizer.at, tokenizer.len}, i++);
        at = newline + 1;
    }
}

int main(int argc, char **argv)
{
    const int mutates = argc == 4 && !strcmp(argv[1], "--mutations");

    for (int i = mutates ? 3 : 1; i < argc; i++) {
        struct oy_error err = {0};
        size_t size;
        char *data = oy_input_slurp(argv[i], 1 << 26, &size, &err);
        if (!data)
            return 66;
        if (mutates)
            run_mutations(strtoull(argv[2], NULL, 10), data, size);
        else
            LLVMFuzzerTestOneInput((const uint8_t *)data, size);
        oy_free(data);
    }
    return 0;
}
#endif
