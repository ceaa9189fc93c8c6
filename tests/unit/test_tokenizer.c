/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of tokenizers as a whole: files, added tokens, special texts,
 * decoding, and every golden line of the families. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "core/input.h"
#include "core/random.h"
#include "tests/unit/tokenizer_fixture.h"
#include "tokenizer/tokenizer.h"

static struct tokenizer *load(const struct fixture *fixture)
{
    struct oy_error err = {0};
    char *name = write_fixture(fixture);
    struct tokenizer *tokenizer = tokenizer_load(name, &err);

    if (!tokenizer)
        print_message("%s\n", err.message);
    assert_non_null(tokenizer);
    drop_file(name);
    return tokenizer;
}

/* Loading must fail with 65 and a message that holds `what`. */
static void refuse(const struct fixture *fixture, const char *what)
{
    struct oy_error err = {0};
    char *name = write_fixture(fixture);

    assert_null(tokenizer_load(name, &err));
    assert_int_equal(err.code, OY_DATA);
    if (!strstr(err.message, what))
        fail_msg("'%s' does not name '%s'", err.message, what);
    assert_non_null(strstr(err.message, name));
    drop_file(name);
}

/* The tokens of a text, spelled and joined by '|'. */
static char *show(struct tokenizer *tokenizer, const char *text,
                  enum tokenizer_special special)
{
    struct tokenizer_worker *worker = tokenizer_worker_new(tokenizer);
    struct token_ids ids = {0};
    struct oy_buffer shown = {0};
    const size_t len = strlen(text);
    char *padded = oy_calloc(len + 1 + OY_PADDING, 1);
    int32_t found = -1;

    memcpy(padded, text, len);
    if (tokenizer_encode(worker, padded, len, special, &ids, &found))
        oy_buffer_append_format(&shown, "refused %d", found);
    for (size_t i = 0; i < ids.n; i++) {
        size_t n;
        const char *bytes = tokenizer_bytes(tokenizer, ids.id[i], &n);
        oy_buffer_append_string(&shown, i ? "|" : "");
        oy_buffer_append(&shown, bytes, n);
    }
    char *copy = strdup(oy_buffer_string(&shown));
    oy_buffer_release(&shown);
    token_ids_release(&ids);
    tokenizer_worker_free(worker);
    oy_free(padded);
    return copy;
}

static void expect_as(struct tokenizer *tokenizer, const char *text,
                      enum tokenizer_special special, const char *want)
{
    char *got = show(tokenizer, text, special);

    assert_string_equal(got, want);
    free(got);
}

static void expect(struct tokenizer *tokenizer, const char *text,
                   const char *want)
{
    expect_as(tokenizer, text, TOKENIZER_TOKEN, want);
}

static const char *const merges[] = {"a", "b",  "ab", "c", "b", "c",
                                     " ", "ab", "c",  "a", NULL};

static void test_both_forms_of_merges(void **state)
{
    (void)state;
    for (int as_strings = 0; as_strings < 2; as_strings++) {
        const struct fixture fixture = {.merge = merges,
                                        .as_strings = as_strings};
        struct tokenizer *tokenizer = load(&fixture);
        expect(tokenizer, "abc ab cab", "abc| ab| |c|ab");
        assert_int_equal(tokenizer_size(tokenizer), 261);
        tokenizer_free(tokenizer);
    }
}

#define ADDED(id, content, more)                                               \
    "{\"id\":" #id ",\"content\":\"" content "\"" more "}"
#define SPECIAL ",\"special\":true,\"normalized\":false"
#define PLAIN   ",\"special\":false,\"normalized\":false"

static void test_special_text(void **state)
{
    (void)state;
    const struct fixture fixture = {
        .merge = merges,
        .added = "[" ADDED(900, "<end>", SPECIAL) "," ADDED(901, "<tool>",
                                                            PLAIN) "]"};
    struct tokenizer *tokenizer = load(&fixture);

    expect(tokenizer, "ab<end>c<tool>", "ab|<end>|c|<tool>");
    expect_as(tokenizer, "ab<end>", TOKENIZER_TEXT, "ab|<|e|n|d|>");
    expect_as(tokenizer, "<tool>ab", TOKENIZER_TEXT, "<tool>|ab");
    expect_as(tokenizer, "ab<end>", TOKENIZER_ERROR, "refused 261");
    expect_as(tokenizer, "ab<tool>", TOKENIZER_ERROR, "ab|<tool>");
    assert_true(tokenizer_is_special(tokenizer, 261));
    assert_false(tokenizer_is_special(tokenizer, 262));
    assert_false(tokenizer_is_special(tokenizer, 5));
    tokenizer_free(tokenizer);
}

/* Ids in the list of added tokens are not believed. */
static void test_ids_of_added_tokens(void **state)
{
    (void)state;
    const struct fixture fixture = {
        .merge = merges,
        .added = "[" ADDED(7000, "abc", SPECIAL) "," ADDED(
            9, "<x>",
            SPECIAL) "," ADDED(9, "<y>",
                               SPECIAL) "," ADDED(8, "",
                                                  SPECIAL) "," ADDED(5, "<x>",
                                                                     PLAIN) "]"};
    struct tokenizer *tokenizer = load(&fixture);

    assert_int_equal(tokenizer_id(tokenizer, "abc", 3), 257);
    assert_int_equal(tokenizer_id(tokenizer, "<x>", 3), 261);
    assert_int_equal(tokenizer_id(tokenizer, "<y>", 3), 262);
    assert_int_equal(tokenizer_id(tokenizer, "<z>", 3), -1);
    assert_int_equal(tokenizer_id(tokenizer, "\xc4\xa0", 2), 32);
    assert_int_equal(tokenizer_size(tokenizer), 263);
    assert_true(tokenizer_is_special(tokenizer, 257));
    /* Once special, always special (special_tokens_set of HF). */
    assert_true(tokenizer_is_special(tokenizer, 261));
    tokenizer_free(tokenizer);
}

static void test_strip_flags(void **state)
{
    (void)state;
    const struct fixture fixture = {
        .added = "[" ADDED(1, "<l>", PLAIN ",\"lstrip\":true") "," ADDED(
            2, "<r>",
            PLAIN ",\"rstrip\":true") "," ADDED(3, "<b>",
                                                PLAIN
                                                ",\"lstrip\":true,\"rstrip\":"
                                                "true") "," ADDED(4, "<n>",
                                                                  PLAIN) "]"};
    struct tokenizer *tokenizer = load(&fixture);

    expect(tokenizer, "x \t<l> y", "x|<l>| |y");
    expect(tokenizer, "x <r> \xe3\x80\x80y", "x| |<r>|y");
    expect(tokenizer, "x  <b>  y", "x|<b>|y");
    expect(tokenizer, "x <n> y", "x| |<n>| |y");
    expect(tokenizer, "<r>  <l>", "<r>|<l>");
    expect(tokenizer, " <l>", "<l>");
    tokenizer_free(tokenizer);
}

/* A match inside white space that the match before took is no more. */
static void test_swallowed_match(void **state)
{
    (void)state;
    const struct fixture fixture = {
        .added = "[" ADDED(1, "<r>", PLAIN ",\"rstrip\":true") "," ADDED(
            2, "\\n", PLAIN ",\"lstrip\":true") "]"};
    struct tokenizer *tokenizer = load(&fixture);

    expect(tokenizer, "<r> \ny", "<r>|y");
    expect(tokenizer, "x \ny", "x|\n|y");
    tokenizer_free(tokenizer);
}

static void test_single_word(void **state)
{
    (void)state;
    const struct fixture fixture = {
        .added = "[" ADDED(1, "cat", PLAIN ",\"single_word\":true") "]"};
    struct tokenizer *tokenizer = load(&fixture);

    expect(tokenizer, "cat-cat", "cat|-|cat");
    expect(tokenizer, "cats", "c|a|t|s");
    expect(tokenizer, "_cat", "_|c|a|t");
    expect(tokenizer,
           "\xe7\x8c\xab"
           "cat",
           "\xe7|\x8c|\xab|c|a|t");
    expect(tokenizer, "cat\xe2\x82\xac", "cat|\xe2|\x82|\xac");
    tokenizer_free(tokenizer);
}

static void test_longest_match_wins(void **state)
{
    (void)state;
    const struct fixture fixture = {
        .added = "[" ADDED(1, "<a", PLAIN) "," ADDED(
            2, "<ab>", PLAIN) "," ADDED(3, "b>", PLAIN) "]"};
    struct tokenizer *tokenizer = load(&fixture);

    expect(tokenizer, "<ab>", "<ab>");
    expect(tokenizer, "<ab", "<a|b");
    expect(tokenizer, "<acb>", "<a|c|b>");
    tokenizer_free(tokenizer);
}

/* Tokens with `normalized` are found in the normalised text, in their
 * normalised form; the others in the text as it came. */
static void test_normalized_flag(void **state)
{
    (void)state;
    const struct fixture fixture = {
        .normalizer = "{\"type\":\"NFC\"}",
        .added = "[" ADDED(1, "<e\xcc\x81>", ",\"normalized\":true") "," ADDED(
            2, "<o\xcc\x81>", PLAIN) "]"};
    struct tokenizer *tokenizer = load(&fixture);

    expect(tokenizer, "<\xc3\xa9>", "<e\xcc\x81>");
    expect(tokenizer, "<e\xcc\x81>", "<e\xcc\x81>");
    expect(tokenizer, "<o\xcc\x81>", "<o\xcc\x81>");
    expect(tokenizer, "<\xc3\xb3>", "<|\xc3|\xb3|>");
    tokenizer_free(tokenizer);
}

static void test_post_processors(void **state)
{
    (void)state;
    const struct fixture fixture = {
        .post_processor =
            "{\"type\":\"Sequence\",\"processors\":[{\"type\":\"ByteLevel\"},"
            "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{"
            "\"id\":\"B\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\","
            "\"type_id\":0}},{\"SpecialToken\":{\"id\":\"E\",\"type_id\":0}}],"
            "\"pair\":[],\"special_tokens\":{\"B\":{\"id\":\"B\",\"ids\":[7,8],"
            "\"tokens\":[]},\"E\":{\"id\":\"E\",\"ids\":[9],\"tokens\":[]}}}]"
            "}"};
    struct tokenizer *tokenizer = load(&fixture);
    size_t n;

    const int32_t *before = tokenizer_before(tokenizer, &n);
    assert_int_equal(n, 2);
    assert_int_equal(before[0], 7);
    assert_int_equal(before[1], 8);
    const int32_t *behind = tokenizer_behind(tokenizer, &n);
    assert_int_equal(n, 1);
    assert_int_equal(behind[0], 9);
    tokenizer_free(tokenizer);

    const struct fixture bert = {
        .post_processor = "{\"type\":\"RobertaProcessing\",\"sep\":[\"s\",3],"
                          "\"cls\":[\"c\",4]}"};
    tokenizer = load(&bert);
    assert_int_equal(tokenizer_before(tokenizer, &n)[0], 4);
    assert_int_equal(tokenizer_behind(tokenizer, &n)[0], 3);
    tokenizer_free(tokenizer);
}

static void expect_decoded(struct tokenizer *tokenizer, const int32_t *id,
                           size_t n, int skip, const char *want,
                           size_t n_unknown)
{
    struct oy_buffer text = {0};

    assert_int_equal(tokenizer_decode(tokenizer, id, n, skip, &text),
                     n_unknown);
    assert_string_equal(oy_buffer_string(&text), want);
    oy_buffer_release(&text);
}

static void test_decoding(void **state)
{
    (void)state;
    const struct fixture fixture = {
        .merge = merges,
        .added = "[" ADDED(1, "<end>", SPECIAL) "," ADDED(
            2, "<\xef\xbd\x9cu\xef\xbd\x9c>", PLAIN) "]"};
    struct tokenizer *tokenizer = load(&fixture);
    const int32_t some[] = {257, 261, 'x', 262, 99999, -1};
    const int32_t half[] = {0xe4, 0xbd, 'a', 0xe4, 0xbd, 0xa0};

    expect_decoded(tokenizer, some, 6, 0,
                   "abc<end>x<\xef\xbd\x9cu\xef\xbd\x9c>", 2);
    expect_decoded(tokenizer, some, 3, 1, "abcx", 0);
    expect_decoded(tokenizer, half, 6, 0,
                   "\xef\xbf\xbd"
                   "a\xe4\xbd\xa0",
                   0);
    tokenizer_free(tokenizer);

    const struct fixture bare = {.merge = merges, .no_decoder = 1};
    const int32_t spaced[] = {257, 259};
    tokenizer = load(&bare);
    expect_decoded(tokenizer, spaced, 2, 0,
                   "abc \xc4\xa0"
                   "ab",
                   0);
    tokenizer_free(tokenizer);
}

static void test_unsupported_is_named(void **state)
{
    (void)state;
    refuse(&(struct fixture){.normalizer = "{\"type\":\"Uppercase\"}"},
           "normalizer: type \"Uppercase\"");
    refuse(&(struct fixture){.pre_tokenizer = "{\"type\":\"Metaspace\"}"},
           "pre_tokenizer.replacement");
    refuse(&(struct fixture){.pre_tokenizer = "{\"type\":\"Other\"}"}, "Other");
    refuse(&(struct fixture){.post_processor = "{\"type\":\"Other\"}"},
           "Other");
    refuse(&(struct fixture){.model = "\"byte_fallback\":true,"
                                      "\"end_of_word_suffix\":\"x\","},
           "byte_fallback");
    refuse(
        &(struct fixture){.model = "\"unk_token\":\"<unk>\",", .missing = "x"},
        "unk_token");
    refuse(&(struct fixture){.model = "\"dropout\":0.1,"}, "dropout");
}

/* null and "" mean "none" wherever they are found in published files. */
static void test_absent_options(void **state)
{
    (void)state;
    const struct fixture fixture = {
        .merge = merges,
        .model = "\"dropout\":null,\"unk_token\":null,\"ignore_merges\":null,"
                 "\"byte_fallback\":null,\"continuing_subword_prefix\":\"\","
                 "\"end_of_word_suffix\":\"\",\"fuse_unk\":false,"};
    struct tokenizer *tokenizer = load(&fixture);

    expect(tokenizer, "abc", "abc");
    tokenizer_free(tokenizer);
}

static void refuse_text(const char *text)
{
    struct oy_error err = {0};
    char *name = write_file(text, strlen(text));

    assert_null(tokenizer_load(name, &err));
    assert_int_equal(err.code, OY_DATA);
    assert_non_null(strstr(err.message, name));
    drop_file(name);
}

static void test_damaged_files(void **state)
{
    (void)state;
    struct oy_buffer json = {0};
    const struct fixture fixture = {
        .merge = merges, .added = "[" ADDED(1, "<end>", SPECIAL) "]"};

    refuse_text("");
    refuse_text("[]");
    refuse_text("{}");
    refuse_text("{\"model\":{}}");
    refuse_text("{\"model\":{\"vocab\":{\"a\":-1},\"merges\":[]}}");
    refuse_text("{\"model\":{\"vocab\":{\"a\":0},\"merges\":[[\"a\"]]}}");
    refuse_text("{\"model\":{\"vocab\":{\"a\":0},\"merges\":[\"a\"]}}");
    refuse_text("{\"model\":{\"vocab\":{\"a\":0},\"merges\":[\"a b\"]}}");
    refuse_text("{\"model\":{\"vocab\":{\"a\":0},\"merges\":[\"a a\"]}}");
    refuse_text("{\"model\":{\"vocab\":{\"a\":99999999},\"merges\":[]}}");
    put_fixture(&json, &fixture);
    for (size_t len = 0; len < json.len; len += 97) {
        struct oy_error err = {0};
        char *name = write_file(json.data, len);
        assert_null(tokenizer_load(name, &err));
        assert_int_equal(err.code, OY_DATA);
        drop_file(name);
    }
    oy_buffer_release(&json);
}

/* Whatever bytes are changed, loading ends with a tokenizer or an error; one
 * that loads can be used. */
static void test_mutated_files(void **state)
{
    (void)state;
    const struct fixture fixture = {
        .merge = merges, .added = "[" ADDED(1, "<end>", SPECIAL) "]"};
    struct oy_random random = oy_random_at(5, 5);
    struct oy_buffer json = {0};
    int n_loaded = 0;

    put_fixture(&json, &fixture);
    for (int i = 0; i < 1500; i++) {
        struct oy_error err = {0};
        char *copy = oy_strndup(json.data, json.len);
        for (uint64_t n = oy_random_below(&random, 4) + 1; n; n--) {
            const uint64_t at = oy_random_below(&random, json.len);
            copy[at] = "\"\\{}[]:,0-\xff"
                       "a"[oy_random_below(&random, 12)];
        }
        char *name = write_file(copy, json.len);
        struct tokenizer *tokenizer = tokenizer_load(name, &err);
        if (tokenizer) {
            free(show(tokenizer, "abc ab<end> \xe4\xbd\xa0", TOKENIZER_TOKEN));
            n_loaded++;
        } else {
            assert_int_equal(err.code, OY_DATA);
        }
        tokenizer_free(tokenizer);
        drop_file(name);
        oy_free(copy);
    }
    assert_true(n_loaded > 0);
    oy_buffer_release(&json);
}

static void write_at(const char *folder, const char *name, const char *data,
                     size_t len)
{
    char *path = oy_asprintf("%s/%s", folder, name);
    FILE *file = fopen(path, "wb");

    assert_int_equal(fwrite(data, 1, len, file), len);
    fclose(file);
    oy_free(path);
}

static void test_folder_with_configuration(void **state)
{
    (void)state;
    struct oy_error err = {0}, missing = {0}, strange = {0};
    const struct fixture fixture = {
        .merge = merges, .added = "[" ADDED(1, "<end>", SPECIAL) "]"};
    const char *config =
        "{\"bos_token\":{\"content\":\"abc\"},\"eos_token\":\"<end>\","
        "\"chat_template\":[{\"name\":\"x\",\"template\":\"no\"},"
        "{\"name\":\"default\",\"template\":\"hello\"}]}";
    char folder[] = "/tmp/oy-test-XXXXXX";
    struct oy_buffer json = {0};

    assert_non_null(mkdtemp(folder));
    assert_null(tokenizer_load(folder, &missing));
    assert_int_equal(missing.code, OY_NOINPUT);
    put_fixture(&json, &fixture);
    write_at(folder, "tokenizer.json", json.data, json.len);
    struct tokenizer *tokenizer = tokenizer_load(folder, &err);
    assert_int_equal(tokenizer_bos(tokenizer), -1);
    assert_int_equal(tokenizer_eos(tokenizer), -1);
    assert_null(tokenizer_chat_template(tokenizer));
    tokenizer_free(tokenizer);

    write_at(folder, "tokenizer_config.json", config, strlen(config));
    tokenizer = tokenizer_load(folder, &err);
    assert_int_equal(tokenizer_bos(tokenizer), 257);
    assert_int_equal(tokenizer_eos(tokenizer), 261);
    assert_string_equal(tokenizer_bos_text(tokenizer), "abc");
    assert_string_equal(tokenizer_eos_text(tokenizer), "<end>");
    assert_string_equal(tokenizer_chat_template(tokenizer), "hello");
    const struct oy_hash128 want = oy_hash128(json.data, json.len);
    assert_true(tokenizer_hash(tokenizer).high == want.high);
    assert_true(tokenizer_hash(tokenizer).low == want.low);
    tokenizer_free(tokenizer);

    write_at(folder, "tokenizer_config.json", "{\"bos_token\":\"<none>\"}", 22);
    assert_null(tokenizer_load(folder, &strange));
    assert_int_equal(strange.code, OY_DATA);
    assert_non_null(strstr(strange.message, "<none>"));
    oy_buffer_release(&json);
    char *clean = oy_asprintf("rm -r %s", folder);
    assert_int_equal(system(clean), 0);
    oy_free(clean);
}

/* ---- goldens ---- */

struct golden {
    struct tokenizer *tokenizer;
    struct tokenizer_worker *worker;
    struct oy_json_query query;
    struct token_ids ids, want;
    int n_line, n_bad;
};

enum { TEXT, IDS, DECODED, SKIPPED, WITH_SPECIAL, N_FIELD };

static void read_list(const struct oy_json_value *list, struct token_ids *ids)
{
    struct oy_json_cursor cursor;
    struct oy_json_value value;
    int64_t number;

    ids->n = 0;
    oy_json_enter(&cursor, list);
    while (oy_json_next_element(&cursor, &value) > 0) {
        assert_int_equal(oy_json_int64(&value, &number), 0);
        const int32_t id = (int32_t)number;
        token_ids_append(ids, &id, 1);
    }
}

static int same_ids(const struct token_ids *a, const struct token_ids *b)
{
    return a->n == b->n &&
           (!a->n || !memcmp(a->id, b->id, a->n * sizeof *a->id));
}

static void text_of(const struct oy_json_value *value, struct oy_arena *arena,
                    struct oy_text *text)
{
    uint64_t n_repaired = 0;
    const char *why = NULL;

    assert_int_equal(oy_json_text(value, arena, text, &n_repaired, &why), 0);
}

static int decodes_to(struct golden *golden, int skip,
                      const struct oy_json_value *want, struct oy_arena *arena)
{
    struct oy_buffer text = {0};
    struct oy_text expected;

    text_of(want, arena, &expected);
    tokenizer_decode(golden->tokenizer, golden->want.id, golden->want.n, skip,
                     &text);
    const int same = text.len == expected.len &&
                     (!text.len || !memcmp(text.data, expected.at, text.len));
    oy_buffer_release(&text);
    return same;
}

static void check_line(struct golden *golden, const char *line, size_t len)
{
    struct oy_json_value found[N_FIELD];
    struct oy_json_line outline;
    struct oy_arena arena = {0};
    struct oy_text text;
    size_t n;

    assert_int_equal(oy_json_scan(&golden->query, line, len, found, &outline),
                     0);
    text_of(&found[TEXT], &arena, &text);
    golden->ids.n = 0;
    tokenizer_encode(golden->worker, text.at, text.len, TOKENIZER_TOKEN,
                     &golden->ids, NULL);
    read_list(&found[IDS], &golden->want);
    int good = same_ids(&golden->ids, &golden->want);
    good &= decodes_to(golden, 0, &found[DECODED], &arena);
    if (found[SKIPPED].kind == OY_JSON_STRING)
        good &= decodes_to(golden, 1, &found[SKIPPED], &arena);
    if (found[WITH_SPECIAL].kind == OY_JSON_ARRAY) {
        struct token_ids framed = {0};
        const int32_t *before = tokenizer_before(golden->tokenizer, &n);
        token_ids_append(&framed, before, n);
        token_ids_append(&framed, golden->ids.id, golden->ids.n);
        const int32_t *behind = tokenizer_behind(golden->tokenizer, &n);
        token_ids_append(&framed, behind, n);
        read_list(&found[WITH_SPECIAL], &golden->want);
        good &= same_ids(&framed, &golden->want);
        token_ids_release(&framed);
    }
    golden->n_line++;
    golden->n_bad += !good;
    oy_arena_release(&arena);
}

static void check_family(const char *shared, const char *name)
{
    static const char *const field[N_FIELD] = {
        [TEXT] = "text",
        [IDS] = "ids",
        [DECODED] = "decoded",
        [SKIPPED] = "decoded_skip_special",
        [WITH_SPECIAL] = "ids_with_special",
    };
    struct oy_error err = {0};
    struct golden golden = {0};
    char *folder = oy_asprintf("%s/data/tokenizers/%s", shared, name);
    char *file = oy_asprintf("%s/golden/tokenizer/%s.jsonl", shared, name);
    size_t len;
    char *data = oy_input_slurp(file, 1 << 30, &len, &err);

    golden.tokenizer = tokenizer_load(folder, &err);
    if (!data || !golden.tokenizer)
        fail_msg("%s", err.message);
    golden.worker = tokenizer_worker_new(golden.tokenizer);
    for (int i = 0; i < N_FIELD; i++)
        oy_json_query_add(&golden.query, field[i]);
    for (char *at = data; at < data + len;) {
        const char *end = memchr(at, '\n', (size_t)(data + len - at));
        end = end ? end : data + len;
        check_line(&golden, at, (size_t)(end - at));
        at += end - at + 1;
    }
    print_message("%s: %d lines, %d differ\n", name, golden.n_line,
                  golden.n_bad);
    assert_true(golden.n_line > 300);
    assert_int_equal(golden.n_bad, 0);
    oy_json_query_release(&golden.query);
    token_ids_release(&golden.ids);
    token_ids_release(&golden.want);
    tokenizer_worker_free(golden.worker);
    tokenizer_free(golden.tokenizer);
    oy_free(data);
    oy_free(folder);
    oy_free(file);
}

static void test_goldens(void **state)
{
    (void)state;
    static const char *const family[] = {
        "gpt2",  "minimind", "llama3",      "smollm2", "qwen3", "cl100k",
        "o200k", "gptoss",   "deepseek_v3", "llama2",  "gemma3"};
    const char *shared = getenv("OYSTER_SHARED");
    struct stat st;

    if (!shared)
        shared = "../shared";
    if (stat(shared, &st)) {
        print_message("SKIPPED: no goldens of tokenizers at '%s'\n", shared);
        return;
    }
    for (size_t i = 0; i < sizeof family / sizeof *family; i++)
        check_family(shared, family[i]);
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(test_both_forms_of_merges),
        cmocka_unit_test(test_special_text),
        cmocka_unit_test(test_ids_of_added_tokens),
        cmocka_unit_test(test_strip_flags),
        cmocka_unit_test(test_swallowed_match),
        cmocka_unit_test(test_single_word),
        cmocka_unit_test(test_longest_match_wins),
        cmocka_unit_test(test_normalized_flag),
        cmocka_unit_test(test_post_processors),
        cmocka_unit_test(test_decoding),
        cmocka_unit_test(test_unsupported_is_named),
        cmocka_unit_test(test_absent_options),
        cmocka_unit_test(test_damaged_files),
        cmocka_unit_test(test_mutated_files),
        cmocka_unit_test(test_folder_with_configuration),
        cmocka_unit_test(test_goldens),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}
