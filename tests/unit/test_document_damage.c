/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of tokenizer_document with damaged files: each is refused with 65 and
 * the place; no cut and no changed byte makes a reader go wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>

#include "core/random.h"
#include "tests/unit/document_fixture.h"
#include "tokenizer/tokenizer.h"

/* ---- helpers ---- */

/* Loads FOLDER/NAME: 0, or the code of the failure with its message. */
static int try_load(const char *folder, const char *name, char *message)
{
    char *path = oy_asprintf("%s/%s", folder, name);
    struct oy_error err = {0};
    struct tokenizer *tokenizer = tokenizer_load(path, &err);

    assert_true((tokenizer != NULL) == (err.code == 0));
    tokenizer_free(tokenizer);
    oy_free(path);
    if (message)
        strcpy(message, err.message);
    return err.code;
}

/* The bytes must be refused with 65, naming the file and `what`. */
static void refuse_bytes(struct oy_buffer *bytes, const char *name,
                         const char *what)
{
    char *folder = new_folder();
    char message[1000];

    put_in(folder, name, bytes);
    const int code = try_load(folder, name, message);
    if (code != OY_DATA || !strstr(message, what) || !strstr(message, name))
        fail_msg("%d '%s' is not 65 '%s'", code, message, what);
    drop_folder(folder);
}

static void refuse(const char *text, const char *name, const char *what)
{
    struct oy_buffer bytes = {0};

    oy_buffer_append_string(&bytes, text);
    refuse_bytes(&bytes, name, what);
}

/* ---- each form ---- */

static void test_ranks(void **state)
{
    (void)state;
    refuse("IQ== 0\nIg==\n", "a", "line 2: not a token and its rank");
    refuse("IQ== 0\nIg== -1\n", "a", "line 2: not a token and its rank");
    refuse("IQ== 0\nIg== 1x\n", "a", "line 2: not a token and its rank");
    refuse("IQ== 0\nIg= 1\n", "a", "line 2: bad base64");
    refuse("IQ== 0\nI!== 1\n", "a", "line 2: bad base64");
    refuse("IQ== 0\n 1\n", "a", "line 2: bad base64");
    refuse("IQ== 0\nIQ== 1\n", "a", "line 2: token 1: '!' is token 0 too");
    refuse("IQ== 0\nIg== 0\n", "a", "two tokens have the id 0");
    refuse("IQ== 0\nIg== 16777216\n", "a", "line 2: id 16777216 is");
    refuse("IQ== 0\nIg== 99999999999999999999\n", "a", "line 2: not");
}

static void test_rank_json(void **state)
{
    (void)state;
    refuse("{\"pat_str\":\"x\",\"bpe_ranks\":5}", "a", "bpe_ranks");
    refuse("{\"bpe_ranks\":\"! 0 IQ==\",\"pat_str\":5}", "a", "pat_str");
    refuse("{\"pat_str\":\"x\",\"bpe_ranks\":\"! 0 IQ==\"}", "a",
           "special_tokens");
    refuse("{\"pat_str\":\"x\",\"bpe_ranks\":\"! -1 IQ==\"}", "a",
           "bpe_ranks: not a run");
    refuse("{\"pat_str\":\"x\",\"bpe_ranks\":\"! 0 IQ== Ig=\"}", "a",
           "rank 1: bad base64");
    refuse("{\"pat_str\":\"x\",\"special_tokens\":{\"s\":-1},"
           "\"bpe_ranks\":\"! 0 IQ==\"}",
           "a", "special_tokens.\"s\"");
    refuse("{\"pat_str\":\"x\",\"bpe_ranks\":\"! 0 IQ==", "a", "a");
}

static void test_vocab_and_merges(void **state)
{
    char *folder = new_folder();
    char message[1000];
    static const char *const bad[][3] = {
        {"{\"a\":0,\"b\":\"x\"}", "", "token 'b'"},
        {"{\"a\":0,\"b\":-1}", "", "id -1 is out of range"},
        {"{\"a\":0,\"b\":99999999}", "", "id 99999999 is out of range"},
        {"{\"a\":0,\"b\":0}", "", "two tokens have the id 0"},
        {"{\"a\":0,\"a\":1}", "", "'a' is token 0 too"},
        {"{\"a\":0,", "", "vocab.json"},
        {"{\"a\":0,\"b\":1}", "a b\nab\n", "merges: line 2"},
        {"{\"a\":0,\"b\":1}", "a b c\n", "merges: line 1"},
        {"{\"a\":0,\"b\":1}", "a \n", "merges: line 1"},
        {"{\"a\":0,\"b\":1}", "a \xff\n", "merges: not UTF-8"},
        {"{\"a\":0,\"b\":1}", "a b\n", "vocab.json"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put_text_in(folder, "vocab.json", bad[i][0]);
        put_text_in(folder, "merges.txt", bad[i][1]);
        assert_int_equal(try_load(folder, "vocab.json", message), OY_DATA);
        if (!strstr(message, bad[i][2]))
            fail_msg("'%s' does not say '%s'", message, bad[i][2]);
    }
    drop_folder(folder);
}

static void test_configuration(void **state)
{
    char *folder = new_folder();
    struct oy_buffer bytes = {0};
    char message[1000];
    static const char *const bad[][2] = {
        {"[]", "tokenizer_config.json"},
        {"{\"added_tokens_decoder\":{\"x\":{\"content\":\"y\"}}}",
         "added_tokens_decoder.\"x\""},
        {"{\"added_tokens_decoder\":{\"7\":{\"content\":5}}}",
         "added_tokens_decoder.\"7\""},
        {"{\"added_tokens_decoder\":{\"99999999\":{\"content\":\"y\"}}}",
         "added_tokens_decoder.\"99999999\""},
        {"{\"added_tokens_decoder\":{\"500\":{\"content\":\"<y>\"},"
         "\"500\":{\"content\":\"<z>\"}}}",
         "two added tokens have the id 500"},
    };

    (void)state;
    put_ranks(&bytes);
    put_in(folder, "tokenizer.model", &bytes);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put_text_in(folder, "tokenizer_config.json", bad[i][0]);
        assert_int_equal(try_load(folder, "tokenizer.model", message), OY_DATA);
        if (!strstr(message, bad[i][1]))
            fail_msg("'%s' does not say '%s'", message, bad[i][1]);
    }
    drop_folder(folder);
}

static void test_wordpiece(void **state)
{
    (void)state;
    refuse("[UNK]\n[CLS]\n[SEP]\na\na\n", "v", "line 5");
    refuse("[UNK]\n\xff\n", "v", "not a tokenizer");
    refuse("[UNK]\na\n", "v", "'[CLS]'");
    refuse("hello\n", "v", "not a tokenizer");
    refuse("", "v", "not a tokenizer");
    refuse("\x01", "v", "not a tokenizer");
}

static void test_sentencepiece(void **state)
{
    struct oy_buffer bytes = {0};

    (void)state;
    put_piece(&bytes, "a", 0, 9);
    refuse_bytes(&bytes, "m", "pieces: byte 12: a piece of an unknown type");
    put_piece(&bytes, "a\xff", 0, 1);
    refuse_bytes(&bytes, "m", "empty or not UTF-8");
    put_piece(&bytes, "ab", __builtin_inff(), 1);
    refuse_bytes(&bytes, "m", "a score that is no number");
    put_piece(&bytes, "ab", 0, 2);
    put_piece(&bytes, "ab", 0, 1);
    refuse_bytes(&bytes, "m", "'ab' is token 0 too");
    put_piece(&bytes, "ab", 0, 1);
    refuse_bytes(&bytes, "m", "none is the unknown one");
    put_piece(&bytes, "ab", 0, 2);
    put_piece(&bytes, "c", 0, 2);
    refuse_bytes(&bytes, "m", "two are the unknown one");
    put_piece(&bytes, "ab", 0, 2);
    put_number(&bytes, 2, 7); /* trainer_spec as a number */
    refuse_bytes(&bytes, "m", "field 2 has a wrong wire type");
    put_piece(&bytes, "ab", 0, 2);
    oy_buffer_append(&bytes, "\x0b", 1);
    refuse_bytes(&bytes, "m", "a wire type");
    put_piece(&bytes, "ab", 0, 2);
    oy_buffer_append(&bytes, "\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10);
    refuse_bytes(&bytes, "m", "a length that is too large");
    put_piece(&bytes, "ab", 0, 2);
    oy_buffer_append(&bytes, "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1",
                     12);
    refuse_bytes(&bytes, "m", "a number that is too long");
    char *longest = oy_calloc(5001, 1);
    memset(longest, 'x', 5000);
    put_piece(&bytes, "ab", 0, 2);
    put_piece(&bytes, longest, 0, 1);
    oy_buffer_append(&bytes, "\x12\2\x18\2", 4); /* BPE */
    refuse_bytes(&bytes, "m", "token 1: longer than 4096 bytes");
    oy_free(longest);
    put_sentencepiece(&bytes, 3, 0);
    refuse_bytes(&bytes, "m", "model_type 3");
}

static void test_llama2c(void **state)
{
    struct oy_buffer bytes = {0};

    (void)state;
    put_llama2c(&bytes);
    bytes.len -= 3;
    refuse_bytes(&bytes, "t", "token 10");
    put_llama2c(&bytes);
    bytes.data[8] = 6; /* the length of the first */
    refuse_bytes(&bytes, "t", "token");
    put_llama2c(&bytes);
    memset(bytes.data + 4, 0xff, 4);
    refuse_bytes(&bytes, "t", "byte 4: token 0: a bad score");
}

static void put_pair_of(struct oy_buffer *out, const char *key)
{
    gguf_put_head(out, 0, 3);
    gguf_put_string(out, "tokenizer.ggml.model", "llama");
    gguf_put_array(out, "tokenizer.ggml.tokens", OY_GGUF_STRING, 2);
    gguf_put_text(out, "<unk>");
    gguf_put_text(out, "a");
    if (key)
        gguf_put_number(out, key, OY_GGUF_U32, 2, 4);
}

static void test_gguf(void **state)
{
    struct oy_buffer bytes = {0};

    (void)state;
    gguf_put_head(&bytes, 0, 0);
    refuse_bytes(&bytes, "g", "tokenizer.ggml.model: missing");
    gguf_put_head(&bytes, 0, 1);
    gguf_put_string(&bytes, "tokenizer.ggml.model", "llama");
    refuse_bytes(&bytes, "g", "tokenizer.ggml.tokens: missing");
    gguf_put_head(&bytes, 0, 2);
    gguf_put_string(&bytes, "tokenizer.ggml.model", "rwkv");
    gguf_put_array(&bytes, "tokenizer.ggml.tokens", OY_GGUF_STRING, 1);
    gguf_put_text(&bytes, "a");
    refuse_bytes(&bytes, "g", "tokenizer.ggml.model: 'rwkv'");
    put_pair_of(&bytes, "tokenizer.ggml.bos_token_id");
    refuse_bytes(&bytes, "g", "tokenizer.ggml.bos_token_id: 2 is no token");
    put_pair_of(&bytes, "tokenizer.ggml.scores");
    refuse_bytes(&bytes, "g", "tokenizer.ggml.scores: not an array");
    put_pair_of(&bytes, "tokenizer.ggml.add_bos_token");
    refuse_bytes(&bytes, "g", "tokenizer.ggml.add_bos_token: not a boolean");
    put_pair_of(&bytes, NULL);
    gguf_put_array(&bytes, "tokenizer.ggml.scores", OY_GGUF_F32, 1);
    gguf_put(&bytes, 0, 4);
    refuse_bytes(&bytes, "g", "1 elements for 2 tokens");
    put_pair_of(&bytes, NULL);
    gguf_put_array(&bytes, "tokenizer.ggml.scores", OY_GGUF_U8, 2);
    gguf_put(&bytes, 0, 2);
    refuse_bytes(&bytes, "g", "not of floats");
    put_pair_of(&bytes, NULL);
    gguf_put_array(&bytes, "tokenizer.ggml.token_type", OY_GGUF_I32, 2);
    gguf_put(&bytes, 2, 4);
    gguf_put(&bytes, 6, 4);
    refuse_bytes(&bytes, "g", "tokens[1]: not the name of a byte");
    put_pair_of(&bytes, NULL);
    gguf_put_array(&bytes, "tokenizer.ggml.token_type", OY_GGUF_I32, 2);
    gguf_put(&bytes, 2, 4);
    gguf_put(&bytes, 7, 4);
    refuse_bytes(&bytes, "g", "token_type[1]");
}

/* ---- any damage ---- */

static void make(int form, struct oy_buffer *bytes)
{
    switch (form) {
    case 0: put_ranks(bytes); break;
    case 1: put_rank_json(bytes); break;
    case 2: put_sentencepiece(bytes, 1, 0); break;
    case 3: put_sentencepiece(bytes, 2, 1); break;
    case 4: put_llama2c(bytes); break;
    case 5: put_gguf_of_bytes(bytes, "gpt-2"); break;
    case 6: put_gguf_of_pieces(bytes, "llama"); break;
    default: put_gguf_of_pieces(bytes, "t5"); break;
    }
}

enum { N_FORM = 8 };

/* A file that is cut is refused, or it is one that ends there. */
static void test_cut(void **state)
{
    char *folder = new_folder();
    struct oy_buffer bytes = {0}, part = {0};

    (void)state;
    for (int form = 0; form < N_FORM; form++) {
        make(form, &bytes);
        const size_t step = bytes.len / 60 + 1;
        for (size_t len = 0; len < bytes.len; len += step) {
            oy_buffer_append(&part, bytes.data, len);
            put_in(folder, "x", &part);
            const int code = try_load(folder, "x", NULL);
            assert_true(code == 0 || code == OY_DATA);
            assert_true(code || form < 5);
        }
        oy_buffer_release(&bytes);
    }
    drop_folder(folder);
}

static void test_changed(void **state)
{
    struct oy_random random = oy_random_at(11, 0);
    char *folder = new_folder();
    struct oy_buffer bytes = {0};

    (void)state;
    for (int round = 0; round < 400; round++) {
        make(round % N_FORM, &bytes);
        for (int i = 0; i < 2; i++)
            bytes.data[oy_random_below(&random, bytes.len)] =
                (char)oy_random_below(&random, 256);
        put_in(folder, "x", &bytes);
        const int code = try_load(folder, "x", NULL);
        assert_true(code == 0 || code == OY_DATA);
    }
    drop_folder(folder);
}

/* Files made to be refused hold no tokenizer at best. */
static void test_bad_models(void **state)
{
    const char *shared = getenv("OYSTER_SHARED");
    char folder[1000];

    (void)state;
    snprintf(folder, sizeof folder, "%s/data/badmodels",
             shared ? shared : "../shared");
    DIR *dir = opendir(folder);
    if (!dir) {
        print_message("SKIPPED: no %s\n", folder);
        skip();
    }
    for (struct dirent *entry; (entry = readdir(dir));) {
        const char *suffix = strrchr(entry->d_name, '.');
        if (!suffix || strcmp(suffix, ".gguf"))
            continue;
        if (try_load(folder, entry->d_name, NULL) != OY_DATA)
            fail_msg("%s was not refused", entry->d_name);
    }
    closedir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_rank_json),
        cmocka_unit_test(test_vocab_and_merges),
        cmocka_unit_test(test_configuration),
        cmocka_unit_test(test_wordpiece),
        cmocka_unit_test(test_sentencepiece),
        cmocka_unit_test(test_llama2c),
        cmocka_unit_test(test_gguf),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_bad_models),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
