/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalizers, decoders and post-processors against what Hugging Face's
 * tokenizers made of the same texts (tests/peers/normalizers.py --freeze), and
 * what is said of those that are damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/input.h"
#include "core/random.h"
#include "core/utf8.h"
#include "tests/unit/tokenizer_fixture.h"
#include "tokenizer/tokenizer.h"

enum {
    NORMALIZER,
    TEXT,
    NORMAL,
    VOCAB,
    DECODER,
    IDS,
    POST_PROCESSOR,
    BEFORE,
    BEHIND,
    N_FIELD
};

static const char *const field[N_FIELD] = {
    "normalizer", "text",           "normal", "vocab", "decoder",
    "ids",        "post_processor", "before", "behind"};

struct line {
    struct oy_json_value value[N_FIELD];
    struct oy_arena arena;
};

/* A tokenizer of characters with one component; the vocabulary is that of
 * bytes when it is NULL. */
static char *document_of(const char *name, struct oy_text component,
                         const struct oy_json_value *vocab)
{
    struct oy_buffer json = {0};

    oy_buffer_append_format(&json, "{\"version\":\"1.0\",\"%s\":", name);
    oy_buffer_append(&json, component.at, component.len);
    oy_buffer_append_string(&json, ",\"model\":{\"type\":\"BPE\","
                                   "\"byte_fallback\":true,\"merges\":[],"
                                   "\"vocab\":");
    if (vocab)
        oy_buffer_append(&json, vocab->at, vocab->len);
    for (int i = 0; !vocab && i < 256; i++)
        oy_buffer_append_format(&json, "%c\"<0x%02X>\":%d", i ? ',' : '{', i,
                                i);
    oy_buffer_append_string(&json, vocab ? "}}" : "}}}");
    char *file = write_file(json.data, json.len);
    oy_buffer_release(&json);
    return file;
}

static struct tokenizer *load(const char *name,
                              const struct oy_json_value *component,
                              const struct oy_json_value *vocab)
{
    struct oy_error err = {0};
    char *file = document_of(
        name, (struct oy_text){component->at, component->len}, vocab);
    struct tokenizer *tokenizer = tokenizer_load(file, &err);

    if (!tokenizer)
        fail_msg("%.*s: %s", (int)component->len, component->at, err.message);
    drop_file(file);
    return tokenizer;
}

static struct oy_text text_of(struct line *line,
                              const struct oy_json_value *value)
{
    uint64_t n_repaired = 0;
    const char *why;
    struct oy_text text;

    assert_int_equal(
        oy_json_text(value, &line->arena, &text, &n_repaired, &why), 0);
    return text;
}

static void expect_text(const struct line *line, int part, struct oy_text got,
                        struct oy_text want)
{
    const struct oy_json_value *component = &line->value[part];

    if (got.len == want.len && (!got.len || !memcmp(got.at, want.at, got.len)))
        return;
    fail_msg("%.*s: '%.*s' for '%.*s'", (int)component->len, component->at,
             (int)got.len, got.at, (int)want.len, want.at);
}

/* Ids of a vocabulary of bytes are the text. */
static void check_normal(struct line *line, struct tokenizer_worker *worker,
                         struct oy_text text, struct oy_text want)
{
    struct token_ids ids = {0};
    struct oy_buffer got = {0};

    tokenizer_encode(worker, text.at, text.len, TOKENIZER_TOKEN, &ids, NULL);
    for (size_t i = 0; i < ids.n; i++)
        oy_buffer_append_char(&got, (char)ids.id[i]);
    expect_text(line, NORMALIZER, (struct oy_text){got.data, got.len}, want);
    token_ids_release(&ids);
    oy_buffer_release(&got);
}

static void check_normalizer(struct line *line)
{
    struct tokenizer *tokenizer =
        load("normalizer", &line->value[NORMALIZER], NULL);
    struct tokenizer_worker *worker = tokenizer_worker_new(tokenizer);
    struct oy_json_cursor texts, normals;
    struct oy_json_value text, normal;

    oy_json_enter(&texts, &line->value[TEXT]);
    oy_json_enter(&normals, &line->value[NORMAL]);
    while (oy_json_next_element(&texts, &text) > 0) {
        assert_int_equal(oy_json_next_element(&normals, &normal), 1);
        check_normal(line, worker, text_of(line, &text),
                     text_of(line, &normal));
    }
    tokenizer_worker_free(worker);
    tokenizer_free(tokenizer);
}

static size_t read_ids(const struct oy_json_value *list, int32_t *id)
{
    struct oy_json_cursor cursor;
    struct oy_json_value value;
    int64_t number;
    size_t n = 0;

    oy_json_enter(&cursor, list);
    while (oy_json_next_element(&cursor, &value) > 0) {
        assert_int_equal(oy_json_int64(&value, &number), 0);
        assert_true(n < 1000);
        id[n++] = (int32_t)number;
    }
    return n;
}

static void check_decoder(struct line *line, const struct oy_json_value *vocab)
{
    struct tokenizer *tokenizer = load("decoder", &line->value[DECODER], vocab);
    struct oy_json_cursor lists, texts;
    struct oy_json_value list, text;
    struct oy_buffer got = {0};
    int32_t id[1000];

    oy_json_enter(&lists, &line->value[IDS]);
    oy_json_enter(&texts, &line->value[TEXT]);
    while (oy_json_next_element(&lists, &list) > 0) {
        const size_t n = read_ids(&list, id);
        assert_int_equal(oy_json_next_element(&texts, &text), 1);
        oy_buffer_clear(&got);
        assert_int_equal(tokenizer_decode(tokenizer, id, n, 0, &got), 0);
        expect_text(line, DECODER, (struct oy_text){got.data, got.len},
                    text_of(line, &text));
    }
    oy_buffer_release(&got);
    tokenizer_free(tokenizer);
}

static void expect_ids(const struct oy_json_value *want, const int32_t *got,
                       size_t n)
{
    int32_t id[1000];

    assert_int_equal(read_ids(want, id), n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(got[i], id[i]);
}

static void check_post_processor(struct line *line)
{
    struct tokenizer *tokenizer =
        load("post_processor", &line->value[POST_PROCESSOR], NULL);
    size_t n;

    const int32_t *before = tokenizer_before(tokenizer, &n);
    expect_ids(&line->value[BEFORE], before, n);
    const int32_t *behind = tokenizer_behind(tokenizer, &n);
    expect_ids(&line->value[BEHIND], behind, n);
    tokenizer_free(tokenizer);
}

static void test_frozen(void **state)
{
    struct oy_error err = {0};
    size_t len, n = 0;
    char *const data = oy_input_slurp("tests/data/tokenizer/components.jsonl",
                                      1 << 24, &len, &err);
    struct oy_json_query query = {0};
    struct oy_json_value vocab = {0};

    (void)state;
    assert_non_null(data);
    for (int i = 0; i < N_FIELD; i++)
        oy_json_query_add(&query, field[i]);
    for (char *at = data, *end; at < data + len; at = end + 1, n++) {
        struct line line = {.arena = {0}};
        struct oy_json_line found;
        end = memchr(at, '\n', (size_t)(data + len - at));
        assert_int_equal(
            oy_json_scan(&query, at, (size_t)(end - at), line.value, &found),
            0);
        if (line.value[VOCAB].kind == OY_JSON_OBJECT)
            vocab = line.value[VOCAB];
        else if (line.value[NORMALIZER].kind == OY_JSON_OBJECT)
            check_normalizer(&line);
        else if (line.value[DECODER].kind == OY_JSON_OBJECT)
            check_decoder(&line, &vocab);
        else
            check_post_processor(&line);
        oy_arena_release(&line.arena);
    }
    assert_true(n > 200);
    oy_json_query_release(&query);
    oy_free(data);
}

/* ---- what is damaged ---- */

static void refuse(const char *name, const char *component, const char *what)
{
    struct oy_error err = {0};
    char *file =
        document_of(name, (struct oy_text){component, strlen(component)}, NULL);

    assert_null(tokenizer_load(file, &err));
    if (err.code != OY_DATA || !strstr(err.message, what))
        fail_msg("'%s' does not say '%s'", err.message, what);
    drop_file(file);
}

#define SEQUENCE(list, inner) "{\"type\":\"Sequence\",\"" list "\":[" inner "]}"
#define NFC                   "{\"type\":\"NFC\"},"

static void test_normalizers_are_refused(void **state)
{
    static const char *const bad[][2] = {
        {"3", "normalizer: not an object"},
        {"{}", "normalizer.type: not a string"},
        {"{\"type\":\"Nfc\"}", "normalizer: type \"Nfc\" is not supported"},
        {SEQUENCE("normalizers", NFC "{\"type\":\"Nope\"}"),
         "normalizer.normalizers[1]: type \"Nope\""},
        {SEQUENCE("normalizers",
                  NFC SEQUENCE("normalizers", NFC NFC "{\"type\":4}")),
         "normalizer.normalizers[1].normalizers[2].type: not a string"},
        {"{\"type\":\"Sequence\"}", "normalizer.normalizers: not a list"},
        {"{\"type\":\"Prepend\"}", "normalizer.prepend: not a string"},
        {"{\"type\":\"Strip\",\"strip_left\":1}",
         "normalizer.strip_left: not true or false"},
        {"{\"type\":\"Replace\",\"content\":\"\"}",
         "normalizer.pattern: not an object"},
        {"{\"type\":\"Replace\",\"pattern\":{},\"content\":\"\"}",
         "normalizer.pattern: neither a String nor a Regex"},
        {"{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"(\"},"
         "\"content\":\"\"}",
         "normalizer.pattern.Regex: "},
        {"{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"}}",
         "normalizer.content: not a string"},
        {"{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"a\"}",
         "normalizer.precompiled_charsmap: the character map is not base64"},
        {"{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"\"}",
         "normalizer.precompiled_charsmap: the character map is cut short"},
        {"{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"CAAAAAAAAAA=\"}",
         "normalizer.precompiled_charsmap: the character map is cut short"},
        {"{\"type\":\"BertNormalizer\",\"lowercase\":\"no\"}",
         "normalizer.lowercase: not true or false"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuse("normalizer", bad[i][0], bad[i][1]);
}

static void test_decoders_are_refused(void **state)
{
    static const char *const bad[][2] = {
        {"{\"type\":\"Other\"}", "decoder: type \"Other\" is not supported"},
        {SEQUENCE("decoders", "{\"type\":\"Fuse\"},{\"type\":\"Strip\","
                              "\"content\":\"ab\",\"start\":1,\"stop\":0}"),
         "decoder.decoders[1].content: not one character"},
        {"{\"type\":\"Strip\",\"content\":\"a\",\"start\":-1,\"stop\":0}",
         "decoder.start: not a count"},
        {"{\"type\":\"WordPiece\",\"cleanup\":true}",
         "decoder.prefix: not a string"},
        {"{\"type\":\"CTC\",\"pad_token\":\"\"}",
         "decoder.word_delimiter_token: not a string"},
        {"{\"type\":\"Metaspace\",\"replacement\":\"\"}",
         "decoder.replacement: not one character"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuse("decoder", bad[i][0], bad[i][1]);
}

#define TEMPLATE(single)                                                       \
    "{\"type\":\"TemplateProcessing\",\"single\":[" single                     \
    "],\"pair\":[],\"special_tokens\":{\"s\":{\"ids\":[1]},\"t\":{}}}"
#define SPECIAL(name) "{\"SpecialToken\":{\"id\":\"" name "\"}}"
#define TEXT_A        "{\"Sequence\":{\"id\":\"A\"}}"

static void test_post_processors_are_refused(void **state)
{
    static const char *const bad[][2] = {
        {"{\"type\":\"Other\"}", "post_processor: type \"Other\""},
        {TEMPLATE(SPECIAL("u") "," TEXT_A),
         "post_processor.special_tokens: 'u' is not there"},
        {TEMPLATE(SPECIAL("t") "," TEXT_A),
         "post_processor.special_tokens: a token without ids"},
        {TEMPLATE(SPECIAL("s")), "post_processor: the text is not in it"},
        {TEMPLATE(TEXT_A "," TEXT_A), "post_processor: the text is not in it"},
        {TEMPLATE("{\"Sequence\":{\"id\":\"B\"}}"),
         "post_processor.single: there is no second sequence"},
        {TEMPLATE("{}"), "post_processor: a piece is neither"},
        {"{\"type\":\"BertProcessing\",\"sep\":[\"a\",1]}",
         "post_processor.cls: not a list"},
        {"{\"type\":\"BertProcessing\",\"cls\":[\"a\",1],\"sep\":[\"a\"]}",
         "post_processor.sep: not a token id"},
        {SEQUENCE("processors", TEMPLATE(SPECIAL("s") "," TEXT_A "," SPECIAL(
                                    "s")) "," TEMPLATE(TEXT_A)),
         "post_processor.processors[1]: a template behind one"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuse("post_processor", bad[i][0], bad[i][1]);
}

/* A damaged component is refused, or does something, never harm. */
static void check_damaged(const char *name, struct oy_text component,
                          struct oy_random *random)
{
    char *copy = oy_strndup(component.at, component.len);
    char text[64 + OY_PADDING] = "The \xc3\xa9 e\xcc\x81 <s>\xe4\xb8\xad ";
    static const int32_t id[] = {'a', 0xc3, 0xa9, 0xff, 'b', 300};
    struct oy_error err = {0};
    struct oy_buffer out = {0};

    for (int i = 0; i < 3; i++)
        copy[oy_random_below(random, component.len)] =
            "\"{}[],:0a\\"[oy_random_below(random, 10)];
    char *file = document_of(name, (struct oy_text){copy, component.len}, NULL);
    struct tokenizer *tokenizer = tokenizer_load(file, &err);
    if (tokenizer) {
        struct tokenizer_worker *worker = tokenizer_worker_new(tokenizer);
        struct token_ids ids = {0};
        tokenizer_encode(worker, text, strlen(text), TOKENIZER_TOKEN, &ids,
                         NULL);
        tokenizer_decode(tokenizer, id, sizeof id / sizeof *id, 0, &out);
        assert_true(oy_utf8_valid(out.data, out.len));
        token_ids_release(&ids);
        tokenizer_worker_free(worker);
    } else {
        assert_int_equal(err.code, OY_DATA);
    }
    tokenizer_free(tokenizer);
    oy_buffer_release(&out);
    drop_file(file);
    oy_free(copy);
}

/* Expressions stand aside: a damaged one may take its time. */
static void test_damage_is_harmless(void **state)
{
    struct oy_error err = {0};
    struct oy_random random = oy_random_at(17, 0);
    size_t len;
    char *const data = oy_input_slurp("tests/data/tokenizer/components.jsonl",
                                      1 << 24, &len, &err);
    static const int part[] = {NORMALIZER, DECODER, POST_PROCESSOR};

    (void)state;
    assert_non_null(data);
    for (char *at = data, *end; at < data + len; at = end + 1) {
        struct oy_json_value line, value;
        const char *why;
        end = memchr(at, '\n', (size_t)(data + len - at));
        assert_int_equal(oy_json_value_of(at, (size_t)(end - at), &line, &why),
                         0);
        for (int i = 0; i < 3; i++) {
            value = oy_json_member(&line, field[part[i]]);
            if (value.kind == OY_JSON_OBJECT &&
                !memmem(value.at, value.len, "Regex", 5))
                check_damaged(field[part[i]],
                              (struct oy_text){value.at, value.len}, &random);
        }
    }
    oy_free(data);
}

/* Lists are as long as they are, nested as deep as 64. */
static void test_many_steps(void **state)
{
    struct oy_buffer json = {0};
    struct oy_json_value component = {OY_JSON_OBJECT, NULL, 0};

    (void)state;
    for (int i = 0; i < 60; i++)
        oy_buffer_append_string(&json, "{\"type\":\"Sequence\","
                                       "\"normalizers\":[" NFC);
    for (int i = 0; i < 1000; i++)
        oy_buffer_append_string(&json, NFC);
    oy_buffer_append_string(&json, "{\"type\":\"Lowercase\"}");
    for (int i = 0; i < 60; i++)
        oy_buffer_append_string(&json, "]}");
    component.at = json.data;
    component.len = json.len;
    struct line line = {.value = {[NORMALIZER] = component}};
    struct tokenizer *tokenizer = load("normalizer", &component, NULL);
    struct tokenizer_worker *worker = tokenizer_worker_new(tokenizer);
    char text[OY_PADDING + 2] = "A";
    check_normal(&line, worker, (struct oy_text){text, 1},
                 (struct oy_text){"a", 1});
    tokenizer_worker_free(worker);
    tokenizer_free(tokenizer);
    oy_buffer_release(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frozen),
        cmocka_unit_test(test_normalizers_are_refused),
        cmocka_unit_test(test_decoders_are_refused),
        cmocka_unit_test(test_post_processors_are_refused),
        cmocka_unit_test(test_many_steps),
        cmocka_unit_test(test_damage_is_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
