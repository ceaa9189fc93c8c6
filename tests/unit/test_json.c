/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON scanner: queries, cursors, texts, the whole grammar, writing; the
 * vectorised inner loops against the plain ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/cpu.h"
#include "core/json.h"
#include "core/json_internal.h"
#include "core/utf8.h"

/* ---- texts with padding, and cases in base64 ---- */

/* A copy of the text with OY_PADDING bytes of something unhelpful behind. */
static char *padded(const char *text, size_t len)
{
    char *copy = oy_alloc(len + OY_PADDING);

    memcpy(copy, text, len);
    memset(copy + len, '"', OY_PADDING);
    return copy;
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

static void decode_base64(const struct oy_text *text, struct oy_buffer *out)
{
    uint32_t bits = 0;
    int n_bits = 0;

    oy_buffer_clear(out);
    for (size_t i = 0; i < text->len; i++) {
        const int digit = base64_digit(text->at[i]);
        if (digit < 0)
            break;
        bits = bits << 6 | (uint32_t)digit;
        n_bits += 6;
        if (n_bits >= 8)
            oy_buffer_append_char(out, (char)(bits >> (n_bits -= 8)));
    }
    oy_buffer_reserve(out, OY_PADDING);
}

struct line_case {
    struct oy_text name, verdict, data, text;
    int has_text;
};

static struct oy_text text_of(const struct oy_json_value *object,
                              const char *key, struct oy_arena *arena)
{
    const struct oy_json_value value = oy_json_member(object, key);
    struct oy_text text = {"", 0};
    uint64_t n_repaired = 0;
    const char *why;

    if (value.kind == OY_JSON_STRING)
        assert_int_equal(oy_json_text(&value, arena, &text, &n_repaired, &why),
                         0);
    return text;
}

/* Calls check() for each line of a file of cases; returns how many. */
static int for_each_case(const char *path, const char *data_key,
                         void (*check)(const struct line_case *))
{
    struct oy_arena arena = {0};
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0;
    int n = 0;

    assert_non_null(file);
    for (ssize_t len; (len = getline(&line, &cap, file)) > 0; n++) {
        struct oy_json_value object;
        const char *why;
        char *copy = padded(line, (size_t)len);
        assert_int_equal(oy_json_value_of(copy, (size_t)len, &object, &why), 0);
        const struct line_case it = {
            .name = text_of(&object, "name", &arena),
            .verdict = text_of(&object, "verdict", &arena),
            .data = text_of(&object, data_key, &arena),
            .text = text_of(&object, "text", &arena),
            .has_text = oy_json_member(&object, "text").kind == OY_JSON_STRING,
        };
        check(&it);
        free(copy);
    }
    fclose(file);
    free(line);
    oy_arena_release(&arena);
    return n;
}

static int is_verdict(const struct line_case *it, const char *verdict)
{
    return it->verdict.len == strlen(verdict) &&
           memcmp(it->verdict.at, verdict, it->verdict.len) == 0;
}

/* ---- queries ---- */

struct scanned {
    struct oy_json_query query;
    struct oy_json_value found[OY_JSON_MAX_PATHS];
    struct oy_json_line line;
    char *text;
    size_t len;
};

static int scan(struct scanned *s, const char *text)
{
    s->len = strlen(text);
    s->text = padded(text, s->len);
    return oy_json_scan(&s->query, s->text, s->len, s->found, &s->line);
}

static void release(struct scanned *s)
{
    oy_json_query_release(&s->query);
    free(s->text);
    *s = (struct scanned){0};
}

static void assert_found(const struct scanned *s, int i, const char *want)
{
    if (!want) {
        assert_int_equal(s->found[i].kind, OY_JSON_MISSING);
        return;
    }
    assert_int_equal(s->found[i].len, strlen(want));
    assert_memory_equal(s->found[i].at, want, strlen(want));
}

static void query_gives_numbers_to_paths(void **state)
{
    struct oy_json_query query = {0};
    char name[16];

    (void)state;
    assert_int_equal(oy_json_query_add(&query, "text"), 0);
    assert_int_equal(oy_json_query_add(&query, "a.b"), 1);
    assert_int_equal(oy_json_query_add(&query, "text"), 0);
    assert_int_equal(oy_json_query_add(&query, ""), -1);
    assert_int_equal(oy_json_query_add(&query, "a..b"), -1);
    assert_int_equal(oy_json_query_add(&query, "a."), -1);
    assert_int_equal(oy_json_query_add(&query, "a.b.c.d.e.f.g.h.i"), -1);
    for (int i = 2; i < OY_JSON_MAX_PATHS; i++) {
        snprintf(name, sizeof name, "n%d", i);
        assert_int_equal(oy_json_query_add(&query, name), i);
    }
    assert_int_equal(oy_json_query_add(&query, "more"), -1);
    oy_json_query_release(&query);
}

static void scan_finds_members_in_place(void **state)
{
    struct scanned s = {0};

    (void)state;
    oy_json_query_add(&s.query, "text");
    oy_json_query_add(&s.query, "n");
    oy_json_query_add(&s.query, "gone");
    assert_int_equal(scan(&s,
                          " {\"id\": [1,{\"text\":0}], \"text\" : \"a\\\"b\" ,"
                          "\"n\":1e400}\r"),
                     0);
    assert_found(&s, 0, "\"a\\\"b\"");
    assert_int_equal(s.found[0].kind, OY_JSON_STRING);
    assert_found(&s, 1, "1e400");
    assert_int_equal(s.found[1].kind, OY_JSON_NUMBER);
    assert_found(&s, 2, NULL);
    assert_int_equal(*s.line.close, '}');
    assert_int_equal(s.line.close - s.text, s.len - 2);
    assert_int_equal(s.line.has_member, 1);
    release(&s);
}

static void scan_takes_the_last_of_duplicates(void **state)
{
    struct scanned s = {0};

    (void)state;
    oy_json_query_add(&s.query, "a");
    oy_json_query_add(&s.query, "a.b");
    assert_int_equal(
        scan(&s, "{\"a\":1,\"a\":{\"b\":2},\"a\":{\"c\":{},\"b\":3}}"), 0);
    assert_found(&s, 0, "{\"c\":{},\"b\":3}");
    assert_found(&s, 1, "3");
    release(&s);
    oy_json_query_add(&s.query, "a.b");
    assert_int_equal(scan(&s, "{\"a\":{\"b\":2},\"a\":[]}"), 0);
    assert_found(&s, 0, NULL);
    release(&s);
}

static void scan_compares_keys_unescaped(void **state)
{
    struct scanned s = {0};

    (void)state;
    oy_json_query_add(&s.query, "te\"xt\xf0\x9f\x98\x80");
    assert_int_equal(
        scan(&s, "{\"te\\\"\\u0078t\\ud83d\\ude00\":7,\"te\\\\\\\"\":8}"), 0);
    assert_found(&s, 0, "7");
    release(&s);
}

static void scan_knows_the_empty_object(void **state)
{
    struct scanned s = {0};

    (void)state;
    oy_json_query_add(&s.query, "a");
    assert_int_equal(scan(&s, "{ }"), 0);
    assert_int_equal(s.line.has_member, 0);
    assert_int_equal(s.line.close - s.text, 2);
    release(&s);
}

static void assert_scan_fails(const char *text, const char *why, size_t where)
{
    struct scanned s = {0};

    oy_json_query_add(&s.query, "a.b");
    assert_int_equal(scan(&s, text), -1);
    assert_string_equal(s.line.why, why);
    assert_int_equal(s.line.where, where);
    release(&s);
}

static void scan_names_what_is_wrong(void **state)
{
    (void)state;
    assert_scan_fails("", "not a JSON object", 0);
    assert_scan_fails(" [1]", "not a JSON object", 1);
    assert_scan_fails("{\"a\":1", "unterminated object", 6);
    assert_scan_fails("{\"a\":\"1", "unterminated string", 5);
    assert_scan_fails("{\"a\":[1", "unterminated object or array", 5);
    assert_scan_fails("{\"a\":1,}", "expected a member name", 7);
    assert_scan_fails("{\"a\" 1}", "expected ':'", 5);
    assert_scan_fails("{\"a\":1 2}", "expected ',' or '}'", 7);
    assert_scan_fails("{\"a\":+1}", "expected a value", 5);
    assert_scan_fails("{\"a\":01}", "malformed number", 5);
    assert_scan_fails("{\"a\":1}x", "text behind the object", 7);
    assert_scan_fails("{\"a\":{\"b\":tru}}", "expected a value", 10);
}

/* A line filter's verdict on one of the cases: the text or a refusal. */
static void check_line_case(const struct line_case *it)
{
    struct oy_buffer data = {0}, want = {0};
    struct oy_json_query query = {0};
    struct oy_json_value found;
    struct oy_arena arena = {0};
    struct oy_json_line line;
    struct oy_text text;
    uint64_t n_repaired = 0;
    const char *why;

    decode_base64(&it->data, &data);
    decode_base64(&it->text, &want);
    oy_json_query_add(&query, "text");
    const int good =
        !oy_json_scan(&query, data.data, data.len, &found, &line) &&
        !oy_json_text(&found, &arena, &text, &n_repaired, &why);
    if (good == is_verdict(it, "reject") && !is_verdict(it, "either"))
        fail_msg("%.*s: wrong verdict", (int)it->name.len, it->name.at);
    if (good && it->has_text) {
        assert_int_equal(text.len, want.len);
        if (want.len)
            assert_memory_equal(text.at, want.data, want.len);
    }
    oy_json_query_release(&query);
    oy_buffer_release(&data);
    oy_buffer_release(&want);
    oy_arena_release(&arena);
}

static void lines_have_their_verdicts(void **state)
{
    (void)state;
    assert_true(for_each_case("tests/data/json/lines.jsonl", "line",
                              check_line_case) > 100);
}

/* ---- the whole grammar ---- */

static void check_suite_case(const struct line_case *it)
{
    struct oy_buffer data = {0};
    const char *why = NULL;
    size_t where = 0;

    decode_base64(&it->data, &data);
    const int good = !oy_json_validate(data.data, data.len, &why, &where);
    if (good == is_verdict(it, "reject") && !is_verdict(it, "either"))
        fail_msg("%.*s: wrong verdict", (int)it->name.len, it->name.at);
    if (!good) {
        assert_non_null(why);
        assert_true(where <= data.len);
    }
    oy_buffer_release(&data);
}

static void grammar_suite_is_obeyed(void **state)
{
    (void)state;
    assert_true(for_each_case("tests/data/json/suite.jsonl", "base64",
                              check_suite_case) > 100);
}

static void nesting_is_not_limited(void **state)
{
    enum { DEPTH = 1000000 };
    char *text = oy_alloc(2 * DEPTH + OY_PADDING);
    const char *why;
    size_t where;

    (void)state;
    memset(text, '[', DEPTH);
    memset(text + DEPTH, ']', DEPTH);
    assert_int_equal(oy_json_validate(text, 2 * DEPTH, &why, &where), 0);
    text[DEPTH + 5000] = '}';
    assert_int_equal(oy_json_validate(text, 2 * DEPTH, &why, &where), -1);
    assert_string_equal(why, "expected ',' or ']'");
    assert_int_equal(where, DEPTH + 5000);
    assert_int_equal(oy_json_validate(text, DEPTH, &why, &where), -1);
    free(text);
}

static void validation_includes_utf8(void **state)
{
    static const char text[] = "[\"ab\xc3\xa9\xff\"]";
    char *copy = padded(text, sizeof text - 1);
    const char *why;
    size_t where;

    (void)state;
    assert_int_equal(oy_json_validate(copy, sizeof text - 1, &why, &where), -1);
    assert_string_equal(why, "invalid UTF-8");
    assert_int_equal(where, 6);
    free(copy);
}

/* ---- values ---- */

static struct oy_json_value value_of(const char *text)
{
    struct oy_json_value value;
    const char *why;

    assert_int_equal(oy_json_value_of(text, strlen(text), &value, &why), 0);
    return value;
}

static void plain_texts_are_borrowed(void **state)
{
    char line[200] = "\"Gr\xc3\xbc\xc3\x9f"
                     "e\"";
    const struct oy_json_value value = value_of(line);
    struct oy_arena arena = {0};
    struct oy_text text;
    uint64_t n_repaired = 0;
    const char *why;

    (void)state;
    assert_int_equal(oy_json_text(&value, &arena, &text, &n_repaired, &why), 0);
    assert_ptr_equal(text.at, line + 1);
    assert_int_equal(text.len, 7);
    assert_int_equal(n_repaired, 0);
    assert_null(arena.block);
}

static void repairs_are_counted(void **state)
{
    char line[200] = "\"\\ud800x\xff\\udc00\\u0000\\n\"";
    const struct oy_json_value value = value_of(line);
    struct oy_arena arena = {0};
    struct oy_text text;
    uint64_t n_repaired = 0;
    const char *why;

    (void)state;
    assert_int_equal(oy_json_text(&value, &arena, &text, &n_repaired, &why), 0);
    assert_int_equal(text.len, 12);
    assert_memory_equal(text.at, "\xef\xbf\xbdx\xef\xbf\xbd\xef\xbf\xbd\0\n",
                        12);
    assert_int_equal(n_repaired, 3);
    oy_arena_release(&arena);
}

static void malformed_escapes_are_named(void **state)
{
    static const char *const bad[] = {"\"\\x\"", "\"\\u12g4\"", "\"\\u12\""};
    struct oy_arena arena = {0};
    struct oy_text text;
    uint64_t n_repaired = 0;
    const char *why;

    (void)state;
    for (int i = 0; i < 3; i++) {
        char line[100] = "";
        strcpy(line, bad[i]);
        const struct oy_json_value value = value_of(line);
        assert_int_equal(oy_json_text(&value, &arena, &text, &n_repaired, &why),
                         -1);
        assert_string_equal(why, "malformed escape in a string");
    }
    oy_arena_release(&arena);
}

static void assert_int(const char *text, int good, int64_t want)
{
    char line[100] = "";
    int64_t number = 0;

    strcpy(line, text);
    const struct oy_json_value value = value_of(line);
    assert_int_equal(oy_json_int64(&value, &number), good ? 0 : -1);
    if (good)
        assert_true(number == want);
}

static void integers_fit_or_fail(void **state)
{
    (void)state;
    assert_int("0", 1, 0);
    assert_int("-0", 1, 0);
    assert_int("-17", 1, -17);
    assert_int("9223372036854775807", 1, INT64_MAX);
    assert_int("9223372036854775808", 0, 0);
    assert_int("-9223372036854775808", 1, INT64_MIN);
    assert_int("-9223372036854775809", 0, 0);
    assert_int("12345678901234567890123", 0, 0);
    assert_int("1.5", 0, 0);
    assert_int("1.0", 1, 1);
    assert_int("1e3", 1, 1000);
    assert_int("\"1\"", 0, 0);
    assert_int("true", 0, 0);
}

static void other_kinds_are_refused(void **state)
{
    char text[100] = "{\"a\":1.5,\"b\":true,\"c\":\"x\"}";
    const struct oy_json_value object = value_of(text);
    const struct oy_json_value a = oy_json_member(&object, "a");
    const struct oy_json_value b = oy_json_member(&object, "b");
    const struct oy_json_value c = oy_json_member(&object, "c");
    double number;
    int truth;

    (void)state;
    assert_int_equal(oy_json_double(&a, &number), 0);
    assert_true(number == 1.5);
    assert_int_equal(oy_json_double(&b, &number), -1);
    assert_int_equal(oy_json_bool(&b, &truth), 0);
    assert_int_equal(truth, 1);
    assert_int_equal(oy_json_bool(&c, &truth), -1);
    assert_true(oy_json_equals(&c, "x"));
    assert_false(oy_json_equals(&c, "xy"));
    assert_false(oy_json_equals(&c, ""));
    assert_false(oy_json_equals(&a, "1.5"));
    assert_int_equal(oy_json_member(&a, "a").kind, OY_JSON_MISSING);
}

/* ---- cursors ---- */

static void cursors_step_through_containers(void **state)
{
    char text[100] = " { \"a\" : [1 , \"]\", {}] ,\"a\":null} ";
    const struct oy_json_value object = value_of(text);
    struct oy_json_value key, value;
    struct oy_json_cursor cursor, inner;

    (void)state;
    oy_json_enter(&cursor, &object);
    assert_int_equal(oy_json_next_member(&cursor, &key, &value), 1);
    assert_true(oy_json_equals(&key, "a"));
    oy_json_enter(&inner, &value);
    assert_int_equal(oy_json_next_element(&inner, &value), 1);
    assert_int_equal(value.kind, OY_JSON_NUMBER);
    assert_int_equal(oy_json_next_element(&inner, &value), 1);
    assert_int_equal(value.kind, OY_JSON_STRING);
    assert_int_equal(oy_json_next_element(&inner, &value), 1);
    assert_int_equal(value.kind, OY_JSON_OBJECT);
    assert_int_equal(oy_json_next_element(&inner, &value), 0);
    assert_int_equal(oy_json_next_element(&inner, &value), 0);
    assert_int_equal(oy_json_next_member(&cursor, &key, &value), 1);
    assert_int_equal(value.kind, OY_JSON_NULL);
    assert_int_equal(oy_json_next_member(&cursor, &key, &value), 0);
    assert_null(cursor.why);
    assert_int_equal(oy_json_member(&object, "a").kind, OY_JSON_NULL);
}

static void cursors_stop_at_trouble(void **state)
{
    static const char *const bad[] = {"{\"a\" 1}", "{\"a\":1,}",
                                      "{1:2}",     "{\"a\":1 \"b\":2}",
                                      "{\"a\":1]", "7"};
    struct oy_json_value key, value;
    struct oy_json_cursor cursor;

    (void)state;
    for (int i = 0; i < 6; i++) {
        char text[100] = "";
        int more;
        strcpy(text, bad[i]);
        const struct oy_json_value object = value_of(text);
        oy_json_enter(&cursor, &object);
        do
            more = oy_json_next_member(&cursor, &key, &value);
        while (more == 1);
        assert_int_equal(more, -1);
        assert_non_null(cursor.why);
        assert_int_equal(oy_json_next_member(&cursor, &key, &value), -1);
    }
}

static void value_of_refuses_more_than_one(void **state)
{
    char text[100] = "1 2";
    struct oy_json_value value;
    const char *why;

    (void)state;
    assert_int_equal(oy_json_value_of(text, 3, &value, &why), -1);
    assert_string_equal(why, "text behind the value");
    assert_int_equal(oy_json_value_of(text, 0, &value, &why), -1);
}

/* ---- writing ---- */

static void strings_are_written_like_pythons(void **state)
{
    static const char text[] = "a\"\\/\b\f\n\r\t\x01\x1f\x7f\0\xc3\xa9";
    static const char want[] = "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f"
                               "\\u0000\xc3\xa9\"";
    struct oy_buffer out = {0};

    (void)state;
    oy_json_put_string(&out, text, sizeof text - 1);
    assert_string_equal(oy_buffer_string(&out), want);
    oy_buffer_clear(&out);
    oy_json_put_string(&out, "", 0);
    assert_string_equal(oy_buffer_string(&out), "\"\"");
    oy_buffer_clear(&out);
    oy_json_put_name(&out, "a\xff\"\xc3");
    assert_string_equal(oy_buffer_string(&out),
                        "\"a\xef\xbf\xbd\\\"\xef\xbf\xbd\"");
    oy_buffer_clear(&out);
    oy_json_put_name(&out, "");
    assert_string_equal(oy_buffer_string(&out), "\"\"");
    oy_buffer_release(&out);
}

static void integers_are_written(void **state)
{
    struct oy_buffer out = {0};

    (void)state;
    oy_json_put_int(&out, INT64_MIN);
    oy_buffer_append_char(&out, ' ');
    oy_json_put_int(&out, INT64_MAX);
    oy_buffer_append_char(&out, ' ');
    oy_json_put_int(&out, 0);
    assert_string_equal(oy_buffer_string(&out),
                        "-9223372036854775808 9223372036854775807 0");
    oy_buffer_release(&out);
}

/* ---- vectorised against plain ---- */

enum { PAGE = 4096, ROOM = 2 * PAGE };

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return *state >> 33;
}

/* Bytes that matter to the scanner, more often than others. */
static void fill_random(char *at, size_t len, uint64_t *seed)
{
    static const char favourite[] = "\"\\\\\\{}[]/bnu0041dDcC8\x01\n\xe2\x82";
    const uint64_t dense = next_random(seed) % 4;

    for (size_t i = 0; i < len; i++) {
        const uint64_t r = next_random(seed);
        at[i] = r % 8 < dense * 2 ? favourite[(r >> 8) % (sizeof favourite - 1)]
                                  : (char)('a' + (r >> 8) % 26);
    }
}

/* A string of good escapes of all kinds, most of them simple ones. */
static void fill_escapes(char *at, size_t len, uint64_t *seed)
{
    static const char *const piece[] = {
        "\\n", "\\\\", "\\\"",     "abc",     "x",
        "\\t", "\\/",  "\xc3\xa9", "\\u00e9", "\\ud83d\\ude00"};
    size_t n = 0;

    while (n < len) {
        const uint64_t r = next_random(seed);
        const char *more = piece[r % 64 < 62 ? r % 8 : 8 + (r >> 6) % 2];
        const size_t room = len - n;
        const size_t more_len = strlen(more);
        memcpy(at + n, more, more_len < room ? more_len : room);
        n += more_len;
    }
}

/* Memory whose last readable byte is followed by a page that is not. */
static char *guarded_end(void)
{
    char *map = mmap(NULL, ROOM + PAGE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_true(map != MAP_FAILED);
    assert_int_equal(mprotect(map + ROOM, PAGE, PROT_NONE), 0);
    return map + ROOM;
}

static void compare_unescape(const struct oy_json_kernel *kernel,
                             const char *at, const char *end)
{
    struct oy_json_unescaped plain = {0}, fast = {0};
    char a[512 + OY_PADDING], b[512 + OY_PADDING];
    const char *a_end = oy_json_plain.unescape(at, end, a, &plain);
    const char *b_end = kernel->unescape(at, end, b, &fast);

    if (!a_end || !b_end) {
        assert_true(!a_end && !b_end);
        assert_string_equal(plain.why, fast.why);
        return;
    }
    assert_int_equal(a_end - a, b_end - b);
    assert_memory_equal(a, b, (size_t)(a_end - a));
    assert_int_equal(plain.n_repaired, fast.n_repaired);
    assert_true(fast.has_high || !plain.has_high);
}

static void compare_kernel(const struct oy_json_kernel *kernel, const char *at,
                           const char *end)
{
    uint64_t plain = 0, fast = 0;

    assert_ptr_equal(oy_json_plain.string_end(at, end, &plain),
                     kernel->string_end(at, end, &fast));
    assert_true(fast || !plain);
    plain = fast = 0;
    assert_ptr_equal(oy_json_plain.plain_end(at, end, &plain),
                     kernel->plain_end(at, end, &fast));
    assert_true(fast || !plain);
    assert_ptr_equal(oy_json_plain.container_end(at, end),
                     kernel->container_end(at, end));
    compare_unescape(kernel, at, end);
}

static void compare_kernels(const char *at, const char *end)
{
    compare_kernel(&oy_json_avx2, at, end);
    if (oy_cpu_level() >= OY_CPU_AVX512 && oy_json_has_vbmi2())
        compare_kernel(&oy_json_avx512, at, end);
}

static void kernels_agree(void **state)
{
    char *guard = guarded_end();
    const char *end = guard - OY_PADDING;
    const char *rounds = getenv("OYSTER_TEST_ROUNDS");
    const int n = rounds ? atoi(rounds) : 60;
    uint64_t seed = 42;

    (void)state;
    if (oy_cpu_level() < OY_CPU_AVX2)
        skip();
    for (int round = 0; round < n; round++) {
        for (size_t len = 0; len <= 300; len++) {
            char *at = guard - OY_PADDING - len;
            fill_random(at, len + OY_PADDING, &seed);
            compare_kernels(at, end);
            fill_escapes(at, len, &seed);
            compare_kernels(at, end);
        }
        for (size_t shift = 0; shift < 64; shift++) {
            char *at = guard - 1024 + shift;
            fill_random(at, 400, &seed);
            compare_kernels(at, at + 200);
        }
    }
    munmap(guard - ROOM, ROOM + PAGE);
}

/* What is written reads back, whatever the bytes. */
static void strings_make_the_round_trip(void **state)
{
    struct oy_arena arena = {0};
    struct oy_buffer out = {0};
    uint64_t seed = 7, n_repaired = 0;
    char text[301];

    (void)state;
    for (size_t len = 0; len <= 300; len++) {
        struct oy_json_value value;
        struct oy_text back;
        const char *why;
        fill_random(text, len, &seed);
        for (size_t i = 0; i < len; i++)
            text[i] &= 0x7f;
        oy_buffer_clear(&out);
        oy_json_put_string(&out, text, len);
        assert_int_equal(oy_json_value_of(out.data, out.len, &value, &why), 0);
        assert_int_equal(oy_json_text(&value, &arena, &back, &n_repaired, &why),
                         0);
        assert_int_equal(back.len, len);
        assert_memory_equal(back.at, text, len);
    }
    oy_buffer_release(&out);
    oy_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(query_gives_numbers_to_paths),
        cmocka_unit_test(scan_finds_members_in_place),
        cmocka_unit_test(scan_takes_the_last_of_duplicates),
        cmocka_unit_test(scan_compares_keys_unescaped),
        cmocka_unit_test(scan_knows_the_empty_object),
        cmocka_unit_test(scan_names_what_is_wrong),
        cmocka_unit_test(lines_have_their_verdicts),
        cmocka_unit_test(grammar_suite_is_obeyed),
        cmocka_unit_test(nesting_is_not_limited),
        cmocka_unit_test(validation_includes_utf8),
        cmocka_unit_test(plain_texts_are_borrowed),
        cmocka_unit_test(repairs_are_counted),
        cmocka_unit_test(malformed_escapes_are_named),
        cmocka_unit_test(integers_fit_or_fail),
        cmocka_unit_test(other_kinds_are_refused),
        cmocka_unit_test(cursors_step_through_containers),
        cmocka_unit_test(cursors_stop_at_trouble),
        cmocka_unit_test(value_of_refuses_more_than_one),
        cmocka_unit_test(strings_are_written_like_pythons),
        cmocka_unit_test(integers_are_written),
        cmocka_unit_test(kernels_agree),
        cmocka_unit_test(strings_make_the_round_trip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
