/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of tokenizer_document with published tokenizers: whatever form they
 * are kept in, their ids are those of Hugging Face; and llama.cpp's own
 * vocabularies give the ids that lie beside them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/input.h"
#include "tests/unit/golden_lines.h"
#include "tokenizer/tokenizer.h"

static char *shared_path(const char *relative)
{
    const char *shared = getenv("OYSTER_SHARED");

    return oy_asprintf("%s/data/tokenizers/%s", shared ? shared : "../shared",
                       relative);
}

static struct tokenizer *load(const char *relative)
{
    char *path = shared_path(relative);
    struct oy_error err = {0};
    struct tokenizer *tokenizer = tokenizer_load(path, &err);

    if (!tokenizer)
        fail_msg("%s", err.message);
    oy_free(path);
    return tokenizer;
}

/* Whether the ids of a text are the numbers in `want`. */
static int has_ids(struct tokenizer_worker *worker, struct oy_text text,
                   const char *want, const char *end)
{
    struct token_ids ids = {0};
    char *next;
    size_t n = 0;

    tokenizer_encode(worker, text.at, text.len, TOKENIZER_TOKEN, &ids, NULL);
    int same = 1;
    for (; want < end; want = next) {
        while (want < end && (*want < '0' || *want > '9'))
            want++;
        if (want == end)
            break;
        const long id = strtol(want, &next, 10);
        same = same && n < ids.n && ids.id[n] == id;
        n++;
    }
    same = same && n == ids.n;
    token_ids_release(&ids);
    return same;
}

/* ---- goldens ---- */

static void check_form(const char *relative, const char *name)
{
    struct tokenizer *tokenizer = load(relative);
    struct tokenizer_worker *worker = tokenizer_worker_new(tokenizer);
    struct oy_json_value object;
    struct golden golden;
    int n = 0, n_bad = 0;

    assert_int_equal(golden_open(&golden, name), 0);
    while (golden_next(&golden, &object)) {
        const struct oy_json_value ids = oy_json_member(&object, "ids");
        const struct oy_text text = golden_text(&golden, &object, "text");
        n_bad += !has_ids(worker, text, ids.at, ids.at + ids.len);
        n++;
    }
    print_message("%s: %d lines, %d differ\n", relative, n, n_bad);
    assert_true(n > 300);
    assert_int_equal(n_bad, 0);
    golden_close(&golden);
    tokenizer_worker_free(worker);
    tokenizer_free(tokenizer);
}

static int is_there(void)
{
    char *path = shared_path("cl100k/tokenizer.json.zst");
    struct oy_error err = {0};
    const int failed = oy_input_check(path, &err);

    if (failed)
        print_message("SKIPPED: no %s\n", path);
    oy_free(path);
    return !failed;
}

static void test_forms(void **state)
{
    (void)state;
    if (!is_there())
        skip();
    check_form("tiktoken/cl100k_base.json.zst",
               "golden/tokenizer/cl100k.jsonl");
    check_form("tiktoken/o200k_base.json.zst", "golden/tokenizer/o200k.jsonl");
    check_form("tiktoken/gpt2.json.zst", "golden/tokenizer/gpt2.jsonl");
    check_form("ggml-vocab/ggml-vocab-gpt-2.gguf.zst",
               "golden/tokenizer/gpt2.jsonl");
}

/* ---- llama.cpp's pairs of texts and ids ---- */

static char *slurp(const char *name, const char *suffix, size_t *len)
{
    char *relative = oy_asprintf("ggml-vocab/ggml-vocab-%s%s", name, suffix);
    char *path = shared_path(relative);
    struct oy_error err = {0};
    char *data = oy_input_slurp(path, 1 << 20, len, &err);

    if (!data)
        fail_msg("%s", err.message);
    oy_free(relative);
    oy_free(path);
    return data;
}

static void check_pairs(const char *relative, const char *name)
{
    static const char between[] = "\n__ggml_vocab_test__\n";
    struct tokenizer *tokenizer = load(relative);
    struct tokenizer_worker *worker = tokenizer_worker_new(tokenizer);
    size_t n_texts, n_ids;
    char *texts = slurp(name, ".gguf.inp", &n_texts);
    char *ids = slurp(name, ".gguf.out", &n_ids);
    const char *text = texts, *line = ids;
    int n = 0, n_bad = 0;

    while (text < texts + n_texts) {
        const char *end = strstr(text, between);
        const char *stop = end ? end : texts + n_texts;
        const size_t n_line = strcspn(line, "\n");
        char *copy = oy_calloc((size_t)(stop - text) + OY_PADDING, 1);
        memcpy(copy, text, (size_t)(stop - text));
        n_bad += !has_ids(worker, (struct oy_text){copy, (size_t)(stop - text)},
                          line, line + n_line);
        oy_free(copy);
        line += n_line + 1;
        text = end ? end + sizeof between - 1 : stop;
        n++;
    }
    print_message("%s: %d of %s, %d differ\n", relative, n, name, n_bad);
    assert_true(n > 40);
    assert_int_equal(n_bad, 0);
    oy_free(texts);
    oy_free(ids);
    tokenizer_worker_free(worker);
    tokenizer_free(tokenizer);
}

static void test_pairs(void **state)
{
    static const char *const name[] = {
        "bert-bge",  "deepseek-coder", "deepseek-llm", "gpt-2",
        "llama-spm", "phi-3",          "starcoder"};

    (void)state;
    if (!is_there())
        skip();
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        char *file = oy_asprintf("ggml-vocab/ggml-vocab-%s.gguf.zst", name[i]);
        check_pairs(file, name[i]);
        oy_free(file);
    }
    check_pairs("qwen2.5", "qwen2");
    check_pairs("llama2c", "llama-spm");
    check_pairs("llama2c/tokenizer.bin.zst", "llama-spm");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_pairs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
