/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of tokenizer_document: every form gives the same ids, what lies beside
 * a vocabulary decides, folders and the cache lead to files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "tests/unit/document_fixture.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_document.h"

/* ---- helpers ---- */

static struct tokenizer *load(const char *folder, const char *name)
{
    char *path = name ? oy_asprintf("%s/%s", folder, name) : oy_strdup(folder);
    struct oy_error err = {0};
    struct tokenizer *tokenizer = tokenizer_load(path, &err);

    if (!tokenizer)
        fail_msg("%s", err.message);
    oy_free(path);
    return tokenizer;
}

/* The ids of a text, with what frames it, as numbers between spaces. */
static char *ids_of(struct tokenizer *tokenizer, const char *text, int framed)
{
    struct tokenizer_worker *worker = tokenizer_worker_new(tokenizer);
    struct token_ids ids = {0};
    struct oy_buffer shown = {0};
    const size_t len = strlen(text);
    char *padded = oy_calloc(len + 1 + OY_PADDING, 1);
    size_t n;

    memcpy(padded, text, len);
    const int32_t *around = tokenizer_before(tokenizer, &n);
    if (framed)
        token_ids_append(&ids, around, n);
    tokenizer_encode(worker, padded, len, TOKENIZER_TOKEN, &ids, NULL);
    around = tokenizer_behind(tokenizer, &n);
    if (framed)
        token_ids_append(&ids, around, n);
    for (size_t i = 0; i < ids.n; i++)
        oy_buffer_append_format(&shown, i ? " %d" : "%d", ids.id[i]);
    char *copy = strdup(oy_buffer_string(&shown));
    oy_buffer_release(&shown);
    token_ids_release(&ids);
    tokenizer_worker_free(worker);
    oy_free(padded);
    return copy;
}

static void expect(const char *folder, const char *name, const char *text,
                   int framed, const char *want)
{
    struct tokenizer *tokenizer = load(folder, name);
    char *got = ids_of(tokenizer, text, framed);

    assert_string_equal(got, want);
    free(got);
    tokenizer_free(tokenizer);
}

/* Must fail with this code and a message that holds `what`. */
static void refuse(const char *folder, const char *name, int code,
                   const char *what)
{
    char *path = name ? oy_asprintf("%s/%s", folder, name) : oy_strdup(folder);
    struct oy_error err = {0};

    assert_null(tokenizer_load(path, &err));
    if (err.code != code || !strstr(err.message, what))
        fail_msg("%d '%s' is not %d '%s'", err.code, err.message, code, what);
    oy_free(path);
}

/* ---- vocabularies of bytes ---- */

static void test_ranks(void **state)
{
    char *folder = new_folder();
    struct oy_buffer bytes = {0};

    (void)state;
    put_ranks(&bytes);
    put_in(folder, "a.tiktoken", &bytes);
    expect(folder, "a.tiktoken", "hello hello", 0, "259 260");
    /* A piece that is a token stays whole, and digits go by three. */
    expect(folder, "a.tiktoken", "hell1234", 0, "258 49 50 51 52");
    expect(folder, NULL, "hello", 0, "259");
    put_ranks(&bytes);
    put_in(folder, "b.tiktoken.zst", &bytes);
    expect(folder, "b.tiktoken.zst", "hello", 0, "259");
    refuse(folder, NULL, OY_DATA, "2 files end with '.tiktoken'");
    /* The form is told by the content. */
    put_ranks(&bytes);
    put_in(folder, "tokenizer.model", &bytes);
    expect(folder, NULL, "hello", 0, "259");
    drop_folder(folder);
}

static void test_ranks_with_configuration(void **state)
{
    char *folder = new_folder();
    struct oy_buffer bytes = {0};

    (void)state;
    put_ranks(&bytes);
    put_in(folder, "tokenizer.model", &bytes);
    put_text_in(folder, "tokenizer_config.json",
                "{\"bos_token\":{\"content\":\"<s>\"},\"added_tokens_decoder\":"
                "{\"300\":{\"content\":\"<s>\",\"special\":true},"
                "\"261\":{\"content\":\"<x>\"}},"
                "\"chat_template\":\"T\"}");
    expect(folder, NULL, "<s>hello<x>", 0, "300 259 261");
    struct tokenizer *tokenizer = load(folder, NULL);
    assert_int_equal(tokenizer_bos(tokenizer), 300);
    assert_string_equal(tokenizer_chat_template(tokenizer), "T");
    assert_int_equal(tokenizer_size(tokenizer), 301);
    tokenizer_free(tokenizer);
    drop_folder(folder);
}

static void test_rank_json(void **state)
{
    char *folder = new_folder();
    struct oy_buffer bytes = {0};

    (void)state;
    put_rank_json(&bytes);
    put_in(folder, "x.json", &bytes);
    expect(folder, "x.json", "hello<|endoftext|> hello", 0, "259 300 260");
    drop_folder(folder);
}

static void test_vocab_and_merges(void **state)
{
    char *folder = new_folder();
    struct oy_buffer bytes = {0};

    (void)state;
    put_vocab_json(&bytes);
    put_in(folder, "vocab.json", &bytes);
    refuse(folder, "vocab.json", OY_NOINPUT, "no merges.txt");
    put_merges_txt(&bytes);
    put_in(folder, "merges.txt.gz", &bytes);
    expect(folder, NULL, "hello hello", 0, "259 260");
    expect(folder, "vocab.json", "hell1234", 0, "258 49 50 51 52");
    put_merges_txt(&bytes);
    put_in(folder, "merges.txt", &bytes);
    expect(folder, "merges.txt", "hello", 0, "259");
    put_text_in(folder, "tokenizer_config.json",
                "{\"tokenizer_class\":\"Qwen2TokenizerFast\"}");
    /* NFC: e and an acute are one character of two bytes. */
    expect(folder, NULL, "e\xcc\x81", 0, "195 169");
    put_text_in(folder, "tokenizer_config.json",
                "{\"tokenizer_class\":\"GPT2Tokenizer\",\"bos_token\":\"!\","
                "\"add_bos_token\":true,\"add_prefix_space\":true}");
    expect(folder, NULL, "hello", 1, "33 260");
    put_text_in(folder, "tokenizer_config.json",
                "{\"tokenizer_class\":\"OysterTokenizer\"}");
    refuse(folder, NULL, OY_DATA, "'OysterTokenizer'");
    drop_folder(folder);
}

static void test_class_of_the_model(void **state)
{
    char *folder = new_folder();
    struct oy_buffer bytes = {0};

    (void)state;
    put_vocab_json(&bytes);
    put_in(folder, "vocab.json", &bytes);
    put_merges_txt(&bytes);
    put_in(folder, "merges.txt", &bytes);
    put_text_in(folder, "config.json", "{\"model_type\":\"qwen3\"}");
    expect(folder, NULL, "e\xcc\x81", 0, "195 169");
    put_text_in(folder, "config.json", "damaged");
    expect(folder, NULL, "e\xcc\x81", 0, "101 204 129");
    put_text_in(folder, "added_tokens.json", "{\"<im>\":261}");
    expect(folder, NULL, "<im>", 0, "261");
    drop_folder(folder);
}

static void test_roberta(void **state)
{
    char *folder = new_folder();
    struct oy_buffer bytes = {0};

    (void)state;
    put_vocab_json(&bytes);
    bytes.len--;
    oy_buffer_append_string(&bytes, ",\"<s>\":261,\"</s>\":262}");
    put_in(folder, "vocab.json", &bytes);
    put_merges_txt(&bytes);
    put_in(folder, "merges.txt", &bytes);
    put_text_in(folder, "tokenizer_config.json",
                "{\"tokenizer_class\":\"RobertaTokenizer\"}");
    expect(folder, NULL, "hello</s>", 1, "261 259 262 262");
    drop_folder(folder);
}

static void test_gguf_of_bytes(void **state)
{
    char *folder = new_folder();
    struct oy_buffer bytes = {0};

    (void)state;
    put_gguf_of_bytes(&bytes, "gpt-2");
    put_in(folder, "m.gguf", &bytes);
    expect(folder, "m.gguf", "hello hello", 0, "259 260");
    expect(folder, NULL, "12", 0, "49 50");
    struct tokenizer *tokenizer = load(folder, NULL);
    assert_string_equal(tokenizer_chat_template(tokenizer), "{{ messages }}");
    tokenizer_free(tokenizer);
    put_gguf_of_bytes(&bytes, "qwen2");
    put_in(folder, "q.gguf.zst", &bytes);
    expect(folder, "q.gguf.zst", "e\xcc\x81", 0, "195 169");
    put_gguf_of_bytes(&bytes, "oyster");
    put_in(folder, "o.gguf", &bytes);
    refuse(folder, "o.gguf", OY_DATA, "tokenizer.ggml.pre: 'oyster'");
    put_gguf_of_bytes(&bytes, NULL);
    put_in(folder, "n.gguf", &bytes);
    refuse(folder, "n.gguf", OY_DATA, "tokenizer.ggml.pre: missing");
    drop_folder(folder);
}

/* ---- vocabularies of pieces ---- */

/* Three forms of one vocabulary: "ab a!" is ▁ab ▁ a <0x21>. */
static void test_pieces(void **state)
{
    static const char *const name[] = {"t.model", "t.bin", "t.gguf"};
    char *folder = new_folder();
    struct oy_buffer bytes = {0};

    (void)state;
    put_sentencepiece(&bytes, 2, 0);
    put_in(folder, name[0], &bytes);
    put_llama2c(&bytes);
    put_in(folder, name[1], &bytes);
    put_gguf_of_pieces(&bytes, "llama");
    put_in(folder, name[2], &bytes);
    for (int i = 0; i < 3; i++) {
        expect(folder, name[i], "ab a!", 0, "6 5 3");
        expect(folder, name[i], "ab", 1, "1 6");
        /* A space more is a mark more; what is not known is unknown. */
        expect(folder, name[i], " ab?", 0, "7 6 0");
        /* The highest score goes first: ab before ▁a. */
        expect(folder, name[i], "aba", 0, "6 8");
        struct tokenizer *tokenizer = load(folder, name[i]);
        assert_int_equal(tokenizer_bos(tokenizer), 1);
        assert_int_equal(tokenizer_eos(tokenizer), 2);
        tokenizer_free(tokenizer);
    }
    /* A piece of the user is cut out first; llama2.c forgot which are. */
    expect(folder, name[0], "a<user>", 0, "5 10");
    expect(folder, name[2], "a<user>", 0, "5 10");
    drop_folder(folder);
}

static void test_spaces(void **state)
{
    char *folder = new_folder();
    struct oy_buffer bytes = {0};

    (void)state;
    put_sentencepiece(&bytes, 2, 1);
    put_in(folder, "tokenizer.model", &bytes);
    expect(folder, NULL, "  ab  ab ", 0, "6 6");
    put_text_in(folder, "tokenizer_config.json",
                "{\"tokenizer_class\":\"LlamaTokenizer\",\"legacy\":false,"
                "\"add_bos_token\":false}");
    expect(folder, NULL, "ab</s>ab", 1, "6 2 4");
    drop_folder(folder);
}

static void test_unigram(void **state)
{
    char *folder = new_folder();
    struct oy_buffer bytes = {0};

    (void)state;
    put_sentencepiece(&bytes, 1, 0);
    put_in(folder, "spiece.model", &bytes);
    expect(folder, NULL, "ab a!", 0, "6 5 3");
    put_text_in(folder, "tokenizer_config.json",
                "{\"tokenizer_class\":\"T5Tokenizer\",\"extra_ids\":2}");
    expect(folder, NULL, "ab<extra_id_1>", 1, "6 11 2");
    put_text_in(folder, "tokenizer_config.json",
                "{\"tokenizer_class\":\"XLMRobertaTokenizer\"}");
    expect(folder, NULL, "ab<mask>", 1, "0 7 12 2");
    put_text_in(folder, "tokenizer_config.json",
                "{\"tokenizer_class\":\"LlamaTokenizer\"}");
    refuse(folder, NULL, OY_DATA, "'LlamaTokenizer'");
    drop_folder(folder);
}

/* ---- words ---- */

static void test_wordpiece(void **state)
{
    char *folder = new_folder();

    (void)state;
    put_text_in(folder, "vocab.txt",
                "[PAD]\n[UNK]\r\n[CLS]\n[SEP]\nab\n##a\nA\n");
    expect(folder, NULL, "AB aba x", 1, "2 4 4 5 1 3");
    put_text_in(folder, "tokenizer_config.json", "{\"do_lower_case\":false}");
    expect(folder, NULL, "ab A", 0, "4 6");
    put_text_in(folder, "vocab.txt", "a\nb\n");
    refuse(folder, NULL, OY_DATA, "no token '[UNK]'");
    drop_folder(folder);
}

/* ---- finding ---- */

static void test_order_in_a_folder(void **state)
{
    char *folder = new_folder();
    struct oy_buffer bytes = {0};

    (void)state;
    refuse(folder, NULL, OY_NOINPUT, "no tokenizer");
    assert_false(tokenizer_document_is_in(folder));
    put_gguf_of_pieces(&bytes, "llama");
    put_in(folder, "a.gguf", &bytes);
    assert_true(tokenizer_document_is_in(folder));
    expect(folder, NULL, "ab", 0, "6");
    put_text_in(folder, "vocab.txt", "[UNK]\n[CLS]\n[SEP]\nab\n");
    expect(folder, NULL, "ab", 0, "3");
    put_ranks(&bytes);
    put_in(folder, "tokenizer.model", &bytes);
    expect(folder, NULL, "ab", 0, "97 98");
    put_text_in(folder, "tokenizer.json", "{\"model\":{}}");
    refuse(folder, NULL, OY_DATA, "tokenizer.json");
    drop_folder(folder);
}

static void test_cache(void **state)
{
    char *folder = new_folder();
    char *deep = oy_asprintf("%s/models--org--name/snapshots/0a1b", folder);
    char *refs = oy_asprintf("%s/models--org--name/refs", folder);
    char *command = oy_asprintf("mkdir -p '%s' '%s'", deep, refs);
    struct oy_buffer bytes = {0};

    (void)state;
    assert_int_equal(system(command), 0);
    setenv("HF_HUB_CACHE", folder, 1);
    put_ranks(&bytes);
    put_in(deep, "tokenizer.model", &bytes);
    refuse("org/name", NULL, OY_NOINPUT, "org/name");
    put_text_in(refs, "main", "0a1b\n");
    expect("org/name", NULL, "hello", 0, "259");
    refuse("org/other", NULL, OY_NOINPUT, "org/other");
    put_text_in(refs, "main", "../../../..");
    refuse("org/name", NULL, OY_NOINPUT, "org/name");
    unsetenv("HF_HUB_CACHE");
    oy_free(deep);
    oy_free(refs);
    oy_free(command);
    drop_folder(folder);
}

/* A document read twice is the same, and says where it came from. */
static void test_document(void **state)
{
    struct tokenizer_document one = {0}, two = {0};
    char *folder = new_folder();
    struct oy_buffer bytes = {0};
    struct oy_error err = {0};

    (void)state;
    put_ranks(&bytes);
    put_in(folder, "tokenizer.model", &bytes);
    assert_int_equal(tokenizer_document_read(folder, &one, &err), 0);
    assert_int_equal(tokenizer_document_read(folder, &two, &err), 0);
    assert_int_equal(one.json.len, two.json.len);
    assert_memory_equal(one.json.data, two.json.data, one.json.len);
    assert_true(one.is_converted);
    assert_string_equal(one.folder, folder);
    /* It is a tokenizer.json. */
    put_in(folder, "tokenizer.json", &one.json);
    expect(folder, NULL, "hello", 0, "259");
    tokenizer_document_release(&two);
    assert_int_equal(tokenizer_document_read(folder, &two, &err), 0);
    assert_false(two.is_converted);
    tokenizer_document_release(&one);
    tokenizer_document_release(&two);
    drop_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_ranks_with_configuration),
        cmocka_unit_test(test_rank_json),
        cmocka_unit_test(test_vocab_and_merges),
        cmocka_unit_test(test_class_of_the_model),
        cmocka_unit_test(test_roberta),
        cmocka_unit_test(test_gguf_of_bytes),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_spaces),
        cmocka_unit_test(test_unigram),
        cmocka_unit_test(test_wordpiece),
        cmocka_unit_test(test_order_in_a_folder),
        cmocka_unit_test(test_cache),
        cmocka_unit_test(test_document),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
