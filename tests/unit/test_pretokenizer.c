/* SPDX-License-Identifier: Apache-2.0
 *
 * Chains of pre-tokenizers: Hugging Face's own pieces, and what the header
 * promises.
 *
 * tests/data/tokenizer/pretokenizers.jsonl was written by the peer
 * (tests/peers/pretokenizers.py): a pre_tokenizer and texts with their pieces
 * a line. OYSTER_PRETOKENIZERS names another file of that form.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/json.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/pretokenizer.h"

struct bench {
    struct oy_arena arena;
    struct pretokenizer_work work;
    struct oy_buffer spelled;
};

static struct oy_json_value parse(const char *text, size_t len)
{
    struct oy_json_value value;
    const char *why = NULL;

    if (oy_json_value_of(text, len, &value, &why))
        fail_msg("%.*s: %s", (int)len, text, why);
    return value;
}

static struct oy_text text_of(struct bench *bench,
                              const struct oy_json_value *value)
{
    struct oy_text text;
    uint64_t n_repaired = 0;
    const char *why = NULL;

    assert_int_equal(
        oy_json_text(value, &bench->arena, &text, &n_repaired, &why), 0);
    return text;
}

/* Whether the pieces are those of the list. */
static int has_pieces(struct bench *bench, const struct oy_json_value *want,
                      int is_byte_level)
{
    struct oy_json_cursor cursor;
    struct oy_json_value element;
    size_t i = 0;

    oy_json_enter(&cursor, want);
    for (; oy_json_next_element(&cursor, &element) > 0; i++) {
        const struct oy_text text = text_of(bench, &element);

        if (i == bench->work.n)
            return 0;
        oy_buffer_clear(&bench->spelled);
        if (is_byte_level)
            byte_alphabet_put(bench->work.piece[i].at, bench->work.piece[i].len,
                              &bench->spelled);
        else
            oy_buffer_append(&bench->spelled, bench->work.piece[i].at,
                             bench->work.piece[i].len);
        if (bench->spelled.len != text.len ||
            memcmp(bench->spelled.data, text.at, text.len) != 0)
            return 0;
    }
    return i == bench->work.n;
}

static void fail_with_pieces(const struct bench *bench,
                             const struct oy_json_value *component,
                             const struct oy_json_value *case_)
{
    fprintf(stderr, "%.*s\n%.*s\nhave:", (int)component->len, component->at,
            (int)case_->len, case_->at);
    for (size_t i = 0; i < bench->work.n; i++)
        fprintf(stderr, " [%.*s]", (int)bench->work.piece[i].len,
                bench->work.piece[i].at);
    fail_msg("other pieces than Hugging Face's");
}

static int check_case(struct bench *bench, const struct pretokenizer *chain,
                      const struct oy_json_value *component,
                      const struct oy_json_value *case_)
{
    const struct oy_json_value text = oy_json_member(case_, "text");
    const struct oy_json_value pieces = oy_json_member(case_, "pieces");

    pretokenizer_run(chain, text_of(bench, &text), 1, &bench->work);
    if (!has_pieces(bench, &pieces, pretokenizer_has_byte_level(component)))
        fail_with_pieces(bench, component, case_);
    oy_arena_clear(&bench->arena);
    return 1;
}

static int check_line(struct bench *bench, const char *line, size_t len)
{
    const struct oy_json_value root = parse(line, len);
    const struct oy_json_value component =
        oy_json_member(&root, "pre_tokenizer");
    const struct oy_json_value cases = oy_json_member(&root, "cases");
    struct oy_error err = {0};
    struct pretokenizer *const chain = pretokenizer_read(&component, &err);
    struct oy_json_cursor cursor;
    struct oy_json_value case_;
    int n = 0;

    if (!chain)
        fail_msg("%.*s: %s", (int)component.len, component.at, err.message);
    oy_json_enter(&cursor, &cases);
    while (oy_json_next_element(&cursor, &case_) > 0)
        n += check_case(bench, chain, &component, &case_);
    pretokenizer_free(chain);
    return n;
}

static void pieces_are_the_peers(void **state)
{
    const char *const other = getenv("OYSTER_PRETOKENIZERS");
    FILE *const file =
        fopen(other ? other : "tests/data/tokenizer/pretokenizers.jsonl", "r");
    struct bench bench = {.work = {0}};
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    int n = 0;

    (void)state;
    assert_non_null(file);
    while ((len = getline(&line, &cap, file)) > 0) {
        char *const copy = oy_alloc((size_t)len + OY_PADDING);

        memset(copy, 0, (size_t)len + OY_PADDING);
        memcpy(copy, line, (size_t)len);
        n += check_line(&bench, copy, (size_t)len);
        oy_free(copy);
    }
    assert_true(n > 100);
    free(line);
    fclose(file);
    pretokenizer_work_release(&bench.work);
    oy_buffer_release(&bench.spelled);
    oy_arena_release(&bench.arena);
}

/* ---- errors ---- */

static struct pretokenizer *read_literal(const char *json, struct oy_error *err)
{
    const size_t len = strlen(json);
    char *const copy = oy_alloc(len + OY_PADDING);

    memset(copy, 0, len + OY_PADDING);
    memcpy(copy, json, len);
    const struct oy_json_value component = parse(copy, len);
    struct pretokenizer *const chain = pretokenizer_read(&component, err);
    oy_free(copy);
    return chain;
}

#define IN_SEQUENCE(component)                                                 \
    "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Whitespace\"},"     \
    "{\"type\":\"Sequence\",\"pretokenizers\":[" component "]}]}"
#define AT "pre_tokenizer.pretokenizers[1].pretokenizers[0]"

static void errors_name_the_place(void **state)
{
    static const char *const wrong[][2] = {
        {"7", "pre_tokenizer: not an object"},
        {"{}", "pre_tokenizer.type: not a string"},
        {"{\"type\":\"Sequence\"}", "pre_tokenizer.pretokenizers: not a list"},
        {"{\"type\":\"Nonsense\"}",
         "pre_tokenizer: type \"Nonsense\" is not supported"},
        {IN_SEQUENCE("[]"), AT ": not an object"},
        {IN_SEQUENCE("{\"type\":\"Split\",\"pattern\":\" \"}"),
         AT ".pattern: not an object"},
        {IN_SEQUENCE("{\"type\":\"Split\",\"pattern\":{\"String\":1},"
                     "\"behavior\":\"Isolated\"}"),
         AT ".pattern.String: not a string"},
        {IN_SEQUENCE("{\"type\":\"Split\",\"pattern\":{},"
                     "\"behavior\":\"Isolated\"}"),
         AT ".pattern: neither a String nor a Regex"},
        {IN_SEQUENCE("{\"type\":\"Split\",\"pattern\":{\"String\":\" \"},"
                     "\"behavior\":\"isolated\"}"),
         AT ".behavior: none of the five that there are"},
        {IN_SEQUENCE("{\"type\":\"Split\",\"pattern\":{\"String\":\" \"},"
                     "\"behavior\":\"Isolated\",\"invert\":1}"),
         AT ".invert: not true or false"},
        {IN_SEQUENCE("{\"type\":\"Split\",\"pattern\":{\"Regex\":\"a(b\"},"
                     "\"behavior\":\"Isolated\"}"),
         AT
         ".pattern.Regex: regular expression, byte 1: a group without its end"},
        {IN_SEQUENCE("{\"type\":\"Split\",\"pattern\":{\"Regex\":"
                     "\"\\\\p{Emoji}\"},\"behavior\":\"Isolated\"}"),
         AT
         ".pattern.Regex: regular expression, byte 3: a property that is not "
         "supported"},
        {IN_SEQUENCE("{\"type\":\"Metaspace\",\"replacement\":\"ab\"}"),
         AT ".replacement: not one character"},
        {IN_SEQUENCE("{\"type\":\"Metaspace\",\"replacement\":\"_\","
                     "\"prepend_scheme\":\"last\"}"),
         AT ".prepend_scheme: not always, first or never"},
        {IN_SEQUENCE("{\"type\":\"ByteLevel\"},{\"type\":\"Metaspace\","
                     "\"replacement\":\"_\"}"),
         "pre_tokenizer.pretokenizers[1].pretokenizers[1]: Metaspace behind "
         "ByteLevel is not supported"},
        {IN_SEQUENCE("{\"type\":\"CharDelimiterSplit\"}"),
         AT ".delimiter: not a string"},
        {IN_SEQUENCE("{\"type\":\"FixedLength\",\"length\":0}"),
         AT ".length: not a length above 0"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct oy_error err = {0};

        assert_null(read_literal(wrong[i][0], &err));
        assert_string_equal(err.message, wrong[i][1]);
        assert_int_equal(err.code, OY_DATA);
    }
}

/* ---- the rest of the header ---- */

static void run_literal(const char *json, const char *text, int is_first,
                        struct pretokenizer_work *work, char *out)
{
    struct oy_error err = {0};
    struct pretokenizer *const chain = read_literal(json, &err);
    char padded[100 + OY_PADDING] = "";

    assert_non_null(chain);
    strcpy(padded, text);
    pretokenizer_run(chain, (struct oy_text){padded, strlen(text)}, is_first,
                     work);
    *out = '\0';
    for (size_t i = 0; i < work->n; i++)
        sprintf(out + strlen(out), "%s%.*s", i ? "|" : "",
                (int)work->piece[i].len, work->piece[i].at);
    pretokenizer_free(chain);
}

static void bytes_are_not_spelled(void **state)
{
    struct pretokenizer_work work = {0};
    char out[200];

    (void)state;
    run_literal("{\"type\":\"ByteLevel\"}", "a b\xc3\xa9 1", 1, &work, out);
    assert_string_equal(out, " a| b\xc3\xa9| 1");
    /* A step behind ByteLevel sees "Ġ". */
    run_literal("{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":"
                "\"ByteLevel\",\"use_regex\":false},{\"type\":\"Split\","
                "\"pattern\":{\"String\":\"\xc4\xa0\"},\"behavior\":"
                "\"Removed\"}]}",
                "a b", 1, &work, out);
    assert_string_equal(out, "a|b");
    pretokenizer_work_release(&work);
}

static void first_asks_what_stands_before(void **state)
{
    static const char json[] = "{\"type\":\"Metaspace\",\"replacement\":\"_\","
                               "\"prepend_scheme\":\"first\"}";
    struct pretokenizer_work work = {0};
    char out[200];

    (void)state;
    run_literal(json, "a b", 1, &work, out);
    assert_string_equal(out, "_a|_b");
    run_literal(json, "a b", 0, &work, out);
    assert_string_equal(out, "a|_b");
    run_literal(json, "", 1, &work, out);
    assert_string_equal(out, "");
    pretokenizer_work_release(&work);
    pretokenizer_work_release(&work);
}

static void null_is_one_piece(void **state)
{
    struct pretokenizer_work work = {0};
    char out[200];

    (void)state;
    run_literal("null", "a b", 1, &work, out);
    assert_string_equal(out, "a b");
    run_literal("{\"type\":\"Sequence\",\"pretokenizers\":[]}", "a b", 1, &work,
                out);
    assert_string_equal(out, "a b");
    pretokenizer_work_release(&work);
    pretokenizer_free(NULL);
}

static void *run_often(void *chain)
{
    struct pretokenizer_work work = {0};
    char text[] = "one two 34  five-six\n\n7" /* padding */
                  "                                                          "
                  "                                                          ";
    size_t n = 0;

    for (int i = 0; i < 200; i++) {
        pretokenizer_run(chain, (struct oy_text){text, 23}, 1, &work);
        n += work.n;
    }
    pretokenizer_work_release(&work);
    return (void *)n; /* NOLINT: a number for the joiner */
}

static void threads_share_a_chain(void **state)
{
    struct oy_error err = {0};
    struct pretokenizer *const chain = read_literal(
        "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\","
        "\"pattern\":{\"Regex\":\"\\\\d{1,2}|\\\\s\"},\"behavior\":"
        "\"Isolated\"},{\"type\":\"ByteLevel\",\"add_prefix_space\":false}]}",
        &err);
    pthread_t thread[4];
    void *n[4];

    (void)state;
    assert_non_null(chain);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, run_often, chain), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(thread[i], &n[i]), 0);
    for (int i = 1; i < 4; i++)
        assert_ptr_equal(n[i], n[0]);
    pretokenizer_free(chain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_the_peers),
        cmocka_unit_test(errors_name_the_place),
        cmocka_unit_test(bytes_are_not_spelled),
        cmocka_unit_test(first_asks_what_stands_before),
        cmocka_unit_test(null_is_one_piece),
        cmocka_unit_test(threads_share_a_chain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
