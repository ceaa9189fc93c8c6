/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of decoding: the table against the steps, texts against themselves.
 * That it is Hugging Face's is test_components.c's matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "core/random.h"
#include "core/utf8.h"
#include "tests/unit/tokenizer_fixture.h"
#include "tokenizer/decode.h"
#include "tokenizer/tokenizer.h"

static const char *const token[] = {
    "a",
    "\xe2\x96\x81the",
    "\xe2\x96\x81",
    "<0x41>",
    "<0xC3>",
    "<0xA9>",
    "<0xFF>",
    "<0x0A>",
    "##ing",
    "word</w>",
    "\xc4\xa0",
    "\xc3\xa9",
    " ",
    "fifteen bytes!!",
    "sixteen bytes !!",
    "a very long token, longer than any entry holds"};

enum { N_TOKEN = sizeof token / sizeof *token, SPECIAL_ID = N_TOKEN };

static struct vocab *make_vocab(const char *decoder)
{
    struct oy_buffer json = {0};
    struct oy_error err = {0};

    oy_buffer_append_format(
        &json,
        "{\"version\":\"1.0\",\"added_tokens\":[{\"id\":%d,\"content\":"
        "\"<s>\",\"special\":true,\"normalized\":false}],\"decoder\":%s,"
        "\"model\":{\"type\":\"BPE\",\"merges\":[],\"vocab\":{",
        SPECIAL_ID, decoder);
    for (int i = 0; i < N_TOKEN; i++) {
        oy_buffer_append_string(&json, i ? "," : "");
        oy_json_put_string(&json, token[i], strlen(token[i]));
        oy_buffer_append_format(&json, ":%d", i);
    }
    oy_buffer_append_string(&json, "}}}");
    char *name = write_file(json.data, json.len);
    struct vocab *vocab = vocab_load(name, &err);
    if (!vocab)
        fail_msg("%s", err.message);
    drop_file(name);
    oy_buffer_release(&json);
    return vocab;
}

/* The whole chain on the spelled tokens. */
static void decode_slowly(const struct vocab *vocab, const int32_t *id,
                          size_t n, int skip, struct oy_buffer *out)
{
    struct decode_texts work[2] = {{{0}}, {{0}}};

    for (size_t i = 0; i < n; i++) {
        if (id[i] < 0 || id[i] > SPECIAL_ID || (skip && id[i] == SPECIAL_ID))
            continue;
        if (!vocab->decoder.is_given && work[0].n)
            oy_buffer_append_char(&work[0].text, ' ');
        oy_buffer_append_string(&work[0].text,
                                id[i] < N_TOKEN ? token[id[i]] : "<s>");
        decode_texts_close(&work[0]);
    }
    const int last =
        decode_chain_run(&vocab->decoder, 0, vocab->decoder.n, work);
    oy_buffer_append(out, work[last].text.data, work[last].text.len);
    decode_texts_release(&work[0]);
    decode_texts_release(&work[1]);
}

#define REPLACE                                                                \
    "{\"type\":\"Replace\",\"pattern\":{\"String\":\"\xe2\x96\x81\"},"         \
    "\"content\":\" \"}"
#define FALLBACK "{\"type\":\"ByteFallback\"}"
#define FUSE     "{\"type\":\"Fuse\"}"
#define STRIP    "{\"type\":\"Strip\",\"content\":\" \",\"start\":2,\"stop\":1}"
#define METASPACE                                                              \
    "{\"type\":\"Metaspace\",\"replacement\":\"\xe2\x96\x81\","                \
    "\"prepend_scheme\":\"always\"}"
#define WORDPIECE "{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":true}"
#define SUFFIX    "{\"type\":\"BPEDecoder\",\"suffix\":\"</w>\"}"
#define CTC                                                                    \
    "{\"type\":\"CTC\",\"pad_token\":\"a\",\"word_delimiter_token\":\" \"}"
#define LEVEL          "{\"type\":\"ByteLevel\"}"
#define SEQUENCE(list) "{\"type\":\"Sequence\",\"decoders\":[" list "]}"

static void test_table_equals_steps(void **state)
{
    static const char *const decoder[] = {
        "null",
        SEQUENCE(""),
        SEQUENCE(REPLACE "," FALLBACK "," FUSE),
        SEQUENCE(REPLACE "," FALLBACK "," FUSE "," STRIP),
        SEQUENCE(REPLACE "," FALLBACK),
        SEQUENCE(REPLACE "," FALLBACK "," STRIP),
        SEQUENCE(REPLACE "," STRIP "," FUSE "," REPLACE "," METASPACE),
        LEVEL,
        SEQUENCE(LEVEL "," REPLACE),
        SEQUENCE(REPLACE "," LEVEL),
        METASPACE,
        SEQUENCE(METASPACE "," FALLBACK),
        WORDPIECE,
        SUFFIX,
        SEQUENCE(SUFFIX "," WORDPIECE),
        SEQUENCE(WORDPIECE "," FUSE "," STRIP),
        CTC,
    };
    struct oy_random random = oy_random_at(9, 0);

    (void)state;
    for (size_t d = 0; d < sizeof decoder / sizeof *decoder; d++) {
        struct vocab *vocab = make_vocab(decoder[d]);
        struct decode *decode = decode_new(vocab);
        for (int i = 0; i < 400; i++) {
            int32_t id[40];
            const size_t n = (size_t)oy_random_below(&random, i % 8 ? 6 : 40);
            const int skip = i & 1;
            size_t n_unknown = 0;
            struct oy_buffer got = {0}, want = {0};
            for (size_t k = 0; k < n; k++) {
                id[k] = (int32_t)oy_random_below(&random, N_TOKEN + 3) - 1;
                n_unknown += id[k] < 0 || id[k] > SPECIAL_ID;
            }
            oy_buffer_append_string(&got, "before");
            assert_int_equal(decode_ids(decode, id, n, skip, &got), n_unknown);
            oy_buffer_append_string(&want, "before");
            decode_slowly(vocab, id, n, skip, &want);
            if (got.len != want.len || memcmp(got.data, want.data, got.len))
                fail_msg("%s: '%s' for '%s'", decoder[d],
                         oy_buffer_string(&got), oy_buffer_string(&want));
            oy_buffer_release(&got);
            oy_buffer_release(&want);
        }
        decode_free(decode);
        vocab_free(vocab);
    }
}

/* ---- threads ---- */

struct shared {
    struct decode *decode;
    const char *want;
};

static void *decode_often(void *self)
{
    static const int32_t id[] = {1, 0, 4, 5, 2, 15, 9};
    const struct shared *shared = self;
    struct oy_buffer out = {0};
    int n_wrong = 0;

    for (int i = 0; i < 200; i++) {
        oy_buffer_clear(&out);
        decode_ids(shared->decode, id, sizeof id / sizeof *id, 0, &out);
        n_wrong += strcmp(oy_buffer_string(&out), shared->want) != 0;
    }
    oy_buffer_release(&out);
    return n_wrong ? self : NULL;
}

/* The table is made by whoever comes first; an expression is shared. */
static void test_threads(void **state)
{
    static const char *const decoder =
        SEQUENCE(REPLACE "," FALLBACK "," FUSE ",{\"type\":\"Replace\","
                         "\"pattern\":{\"Regex\":\"[aeiou]+\"},"
                         "\"content\":\"_\"}");
    struct vocab *vocab = make_vocab(decoder);
    struct shared shared = {decode_new(vocab),
                            " th_\xc3\xa9 _ v_ry l_ng t_k_n, l_ng_r th_n _ny "
                            "_ntry h_ldsw_rd</w>"};
    pthread_t thread[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(
            pthread_create(&thread[i], NULL, decode_often, &shared), 0);
    for (int i = 0; i < 4; i++) {
        void *wrong;
        pthread_join(thread[i], &wrong);
        assert_null(wrong);
    }
    decode_free(shared.decode);
    vocab_free(vocab);
}

static void expect(struct tokenizer *tokenizer, const int32_t *id, size_t n,
                   const char *want)
{
    struct oy_buffer out = {0};

    tokenizer_decode(tokenizer, id, n, 0, &out);
    assert_string_equal(oy_buffer_string(&out), want);
    oy_buffer_release(&out);
}

/* A character in several tokens is one; half of one is U+FFFD. */
static void test_bytes_of_several_tokens(void **state)
{
    static const int32_t id[] = {0xe4, 0xb8, 0xad, 'a', 0xe4, 0xb8, 'b', 0xff};
    const struct fixture fixture = {.merge = NULL};
    struct oy_error err = {0};
    char *name = write_fixture(&fixture);
    struct tokenizer *tokenizer = tokenizer_load(name, &err);

    (void)state;
    assert_non_null(tokenizer);
    drop_file(name);
    expect(tokenizer, id, 3, "\xe4\xb8\xad");
    expect(tokenizer, id, 4,
           "\xe4\xb8\xad"
           "a");
    expect(tokenizer, id, 8,
           "\xe4\xb8\xad"
           "a\xef\xbf\xbd"
           "b\xef\xbf\xbd");
    expect(tokenizer, id, 0, "");
    tokenizer_free(tokenizer);
}

/* ---- decode(encode(x)) == x ---- */

static size_t put_random(struct oy_random *random, char *out, size_t n)
{
    static const uint32_t limit[] = {0x80,   0x80,   0x800,
                                     0x3100, 0xa000, 0x110000};
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        const uint64_t kind = oy_random_below(random, 9);
        const uint32_t c =
            kind < 6 ? (uint32_t)oy_random_below(random, limit[kind])
                     : (uint32_t) " the\n1'"[oy_random_below(random, 7)];
        len += oy_utf8_put(out + len, c);
    }
    return len;
}

static void check_round_trips(const char *path, int n_text)
{
    struct oy_random random = oy_random_at(21, 0);
    struct oy_error err = {0};
    struct tokenizer *tokenizer = tokenizer_load(path, &err);

    if (!tokenizer)
        fail_msg("%s", err.message);
    struct tokenizer_worker *worker = tokenizer_worker_new(tokenizer);
    struct token_ids ids = {0};
    struct oy_buffer out = {0};
    char text[4 * 300 + OY_PADDING] = {0};
    for (int i = 0; i < n_text; i++) {
        const size_t len =
            put_random(&random, text, (size_t)oy_random_below(&random, 300));
        ids.n = 0;
        oy_buffer_clear(&out);
        tokenizer_encode(worker, text, len,
                         i & 1 ? TOKENIZER_TEXT : TOKENIZER_TOKEN, &ids, NULL);
        assert_int_equal(tokenizer_decode(tokenizer, ids.id, ids.n, 0, &out),
                         0);
        assert_int_equal(out.len, len);
        assert_true(!len || !memcmp(out.data, text, len));
    }
    token_ids_release(&ids);
    oy_buffer_release(&out);
    tokenizer_worker_free(worker);
    tokenizer_free(tokenizer);
}

static void test_round_trip_of_a_fixture(void **state)
{
    static const char *const merge[] = {"t", "h",  "th", "e",  " ", "the",
                                        "a", "\n", "1",  "1",  " ", "t",
                                        "e", "e",  "ee", "ee", NULL};
    const struct fixture fixture = {.merge = merge};
    char *name = write_fixture(&fixture);

    (void)state;
    check_round_trips(name, 3000);
    drop_file(name);
}

/* All byte-level ones that have every byte and change nothing before. */
static void test_round_trips_of_real_ones(void **state)
{
    static const char *const known[] = {"gpt2",    "llama3", "cl100k",
                                        "o200k",   "gptoss", "deepseek_v3",
                                        "minimind"};
    const char *shared = getenv("OYSTER_SHARED");

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char *path = oy_asprintf("%s/data/tokenizers/%s/tokenizer.json.zst",
                                 shared ? shared : "../shared", known[i]);
        if (access(path, R_OK))
            print_message("SKIPPED: %s\n", path);
        else
            check_round_trips(path, 300);
        oy_free(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_equals_steps),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_bytes_of_several_tokens),
        cmocka_unit_test(test_round_trip_of_a_fixture),
        cmocka_unit_test(test_round_trips_of_real_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
