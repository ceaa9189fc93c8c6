/* SPDX-License-Identifier: Apache-2.0
 *
 * A tokenizer from the cache folder gives the ids of one that was read: of a
 * large one made on the spot, and of real ones where they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/output.h"
#include "core/random.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/tokenizer.h"

static char folder[] = "/tmp/oy-keep-XXXXXX";

/* A letter of the visible byte alphabet that needs no escape. */
static void put_letter(struct oy_buffer *json, int i)
{
    const char letter = (char)(0xc0 + i % 64);
    const char ascii = (char)('A' + i);

    if (i < 26)
        oy_buffer_append_char(json, ascii);
    else
        byte_alphabet_put(&letter, 1, json);
}

enum { N_LETTER = 90 };

/* All letters, all pairs and their merges, and pairs of pairs with A. */
static char *write_tokenizer(void)
{
    struct oy_buffer json = {0}, merges = {0};
    struct oy_error err = {0};
    char *path = oy_asprintf("%s/tokenizer.json", folder);
    int id = 0;

    oy_buffer_append_string(
        &json, "{\"added_tokens\":[{\"id\":99999,\"content\":\"<|end|>\","
               "\"special\":true},{\"id\":100000,\"content\":\"A\","
               "\"normalized\":false}],\"normalizer\":{\"type\":\"NFC\"},"
               "\"pre_tokenizer\":{\"type\":\"ByteLevel\","
               "\"add_prefix_space\":false},\"decoder\":{\"type\":"
               "\"ByteLevel\"},\"model\":{\"type\":\"BPE\",\"vocab\":{");
    for (int a = 0; a < N_LETTER; a++) {
        oy_buffer_append_string(&json, a ? ",\"" : "\"");
        put_letter(&json, a);
        oy_buffer_append_format(&json, "\":%d", id++);
    }
    for (int i = 0; i < 2 * N_LETTER * N_LETTER; i++) {
        const int a = i % N_LETTER, b = i / N_LETTER % N_LETTER;
        const int is_long = i >= N_LETTER * N_LETTER;
        oy_buffer_append_string(&json, ",\"");
        oy_buffer_append_string(&merges, i ? ",[\"" : "[\"");
        for (int k = 0; k < 2 + is_long; k++) {
            put_letter(&json, k == 1 ? b : a);
            put_letter(&merges, k == 1 ? b : a);
            if (k == is_long)
                oy_buffer_append_string(&merges, "\",\"");
        }
        oy_buffer_append_format(&json, "\":%d", id++);
        oy_buffer_append_string(&merges, "\"]");
    }
    oy_buffer_append_string(&json, "},\"merges\":[");
    oy_buffer_append(&json, merges.data, merges.len);
    oy_buffer_append_string(&json, "]}}");
    assert_int_equal(oy_output_write_file(path, json.data, json.len, &err), 0);
    oy_buffer_release(&json);
    oy_buffer_release(&merges);
    return path;
}

static void use_cache(int is_on)
{
    setenv("OYSTER_CACHE", is_on ? folder : "", 1);
}

static int count_kept(const char *kind)
{
    DIR *directory = opendir(folder);
    const struct dirent *item;
    int n = 0;

    while ((item = readdir(directory)))
        n += !strncmp(item->d_name, kind, strlen(kind));
    closedir(directory);
    return n;
}

/* What a tokenizer makes of the text, and what it says about itself. */
static void encode(const char *path, const struct oy_buffer *text,
                   struct token_ids *ids)
{
    struct oy_error err = {0};
    struct tokenizer *tokenizer = tokenizer_load(path, &err);
    struct oy_buffer decoded = {0};

    assert_non_null(tokenizer);
    struct tokenizer_worker *worker = tokenizer_worker_new(tokenizer);
    ids->n = 0;
    assert_int_equal(tokenizer_encode(worker, text->data, text->len,
                                      TOKENIZER_TOKEN, ids, NULL),
                     0);
    const int32_t size = tokenizer_size(tokenizer);
    token_ids_append(ids, &size, 1);
    tokenizer_decode(tokenizer, ids->id, ids->n - 1, 1, &decoded);
    for (size_t i = 0; i < decoded.len; i++) {
        const int32_t byte = decoded.data[i];
        token_ids_append(ids, &byte, 1);
    }
    oy_buffer_release(&decoded);
    tokenizer_worker_free(worker);
    tokenizer_free(tokenizer);
}

static void make_text(struct oy_buffer *text)
{
    struct oy_random random = oy_random_at(7, 0);

    for (int i = 0; i < 20000; i++) {
        const uint64_t draw = oy_random_next(&random);
        if (draw % 11 == 0)
            oy_buffer_append_string(text, " <|end|>");
        else if (draw % 7 == 0)
            oy_buffer_append_string(text, "e\xcc\x81 \xe4\xb8\xad");
        else
            oy_buffer_append_char(text, (char)('A' + draw / 64 % 26));
    }
    oy_buffer_reserve(text, OY_PADDING);
}

static void assert_equal(const struct token_ids *a, const struct token_ids *b)
{
    assert_int_equal(a->n, b->n);
    assert_memory_equal(a->id, b->id, a->n * sizeof *a->id);
}

/* Read without a cache, read and kept, found: all the same. */
static void assert_kept(const char *path, const struct oy_buffer *text)
{
    struct token_ids want = {0}, got = {0};
    const int before = count_kept("tokenizer-");

    use_cache(0);
    encode(path, text, &want);
    assert_int_equal(count_kept("tokenizer-"), before);
    use_cache(1);
    for (int i = 0; i < 3; i++) {
        encode(path, text, &got);
        assert_equal(&want, &got);
        assert_int_equal(count_kept("tokenizer-"), before + 1);
    }
    token_ids_release(&want);
    token_ids_release(&got);
}

static void is_the_same(void **state)
{
    struct oy_buffer text = {0};
    char *path = write_tokenizer();

    (void)state;
    make_text(&text);
    assert_kept(path, &text);
    unlink(path);
    oy_free(path);
    oy_buffer_release(&text);
}

/* A rank file: all bytes, pairs of letters, and those with a third one. */
static char *write_ranks(void)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789+/";
    struct oy_buffer out = {0};
    struct oy_error err = {0};
    char *path = oy_asprintf("%s/ranks.tiktoken", folder);
    int rank = 0;

    for (int i = 0; i < 256; i++)
        oy_buffer_append_format(&out, "%c%c== %d\n", digit[i >> 2],
                                digit[(i & 3) << 4], rank++);
    for (int i = 0; i < 26 * 26; i++) {
        const int pair = ('a' + i / 26) << 8 | ('a' + i % 26);
        oy_buffer_append_format(&out, "%c%c%c= %d\n", digit[pair >> 10],
                                digit[pair >> 4 & 63], digit[(pair & 15) << 2],
                                rank++);
    }
    for (int i = 0; i < 26 * 26 * 26; i++) {
        const int three =
            ('a' + i / 676) << 16 | ('a' + i / 26 % 26) << 8 | ('a' + i % 26);
        oy_buffer_append_format(&out, "%c%c%c%c %d\n", digit[three >> 18],
                                digit[three >> 12 & 63], digit[three >> 6 & 63],
                                digit[three & 63], rank++);
    }
    assert_int_equal(oy_output_write_file(path, out.data, out.len, &err), 0);
    oy_buffer_release(&out);
    return path;
}

static void converted_ones_are_the_same(void **state)
{
    const int before = count_kept("document-");
    struct oy_buffer text = {0};
    char *path = write_ranks();

    (void)state;
    make_text(&text);
    assert_kept(path, &text);
    assert_int_equal(count_kept("document-"), before + 1);
    unlink(path);
    oy_free(path);
    oy_buffer_release(&text);
}

static void real_ones_are_the_same(void **state)
{
    static const char *const name[] = {"llama3", "gemma3", "smollm2",
                                       "deepseek_v3", "llama2"};
    const char *shared = getenv("OYSTER_SHARED");
    struct oy_buffer text = {0};
    int n = 0;

    (void)state;
    make_text(&text);
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        char *path = oy_asprintf("%s/data/tokenizers/%s/tokenizer.json.zst",
                                 shared ? shared : "../shared", name[i]);
        if (!access(path, R_OK)) {
            assert_kept(path, &text);
            n++;
        }
        oy_free(path);
    }
    oy_buffer_release(&text);
    if (!n) {
        printf("SKIPPED: no tokenizers\n");
        skip();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_same),
        cmocka_unit_test(converted_ones_are_the_same),
        cmocka_unit_test(real_ones_are_the_same),
    };

    if (!mkdtemp(folder))
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char *command = oy_asprintf("rm -rf %s", folder);
    const int rc = system(command);
    oy_free(command);
    return failed + rc;
}
