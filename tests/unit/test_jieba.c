/* SPDX-License-Identifier: Apache-2.0
 *
 * Chinese words by a small dictionary, and the goldens by jieba's own where it
 * is installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/input.h"
#include "core/json.h"
#include "core/output.h"
#include "pipeline/jieba.h"

static char folder[] = "/tmp/oy-jieba-XXXXXX";

/* A dictionary of these lines; borrowed name. */
static const char *write_dictionary(const char *lines)
{
    static char path[64];
    struct oy_error err = {0};

    snprintf(path, sizeof path, "%s/dict.txt", folder);
    assert_int_equal(oy_output_write_file(path, lines, strlen(lines), &err), 0);
    return path;
}

static struct jieba *load(const char *lines)
{
    struct oy_error err = {0};
    struct jieba *jieba = jieba_load(write_dictionary(lines), &err);

    assert_non_null(jieba);
    return jieba;
}

/* The words with a bar between them, in `out`. */
static void split(const struct jieba *jieba, const char *text, size_t len,
                  struct oy_buffer *out)
{
    struct words words = {.jieba = jieba};
    struct oy_buffer copy = {0};

    oy_buffer_append(&copy, text, len);
    oy_buffer_reserve(&copy, OY_PADDING);
    words_split(WORDS_JIEBA, copy.data, copy.len, &words);
    oy_buffer_clear(out);
    for (size_t i = 0; i < words.n; i++) {
        if (i)
            oy_buffer_append_char(out, '|');
        oy_buffer_append(out, copy.data + words.item[i].at, words.item[i].len);
    }
    words_release(&words);
    oy_buffer_release(&copy);
}

static void assert_words(const struct jieba *jieba, const char *text,
                         const char *want)
{
    struct oy_buffer out = {0};

    split(jieba, text, strlen(text), &out);
    assert_string_equal(oy_buffer_string(&out), want);
    oy_buffer_release(&out);
}

static const char small[] = "我们 100 r\n"
                            "来到 50 v\n"
                            "来 10\n"
                            "到 10\n"
                            "北京 80 ns\n"
                            "北京大学 40 nt\n"
                            "大学 60 n\n"
                            "大学生 30 n\n"
                            "AT&T 5 nz\n";

static void finds_the_best_way(void **state)
{
    struct jieba *jieba = load(small);

    (void)state;
    assert_words(jieba, "", "");
    assert_words(jieba, "我们来到北京大学", "我们|来到|北京大学");
    assert_words(jieba, "北京大学生", "北京|大学生");
    assert_words(jieba, "AT&T大学", "AT&T|大学");
    /* Twice from the cache. */
    jieba_free(jieba);
    jieba = load(small);
    assert_words(jieba, "我们来到北京大学", "我们|来到|北京大学");
    jieba_free(jieba);
}

static void cuts_what_it_does_not_know(void **state)
{
    struct jieba *jieba = load(small);

    (void)state;
    /* Letters and numbers hold together, marks stand alone. */
    assert_words(jieba, "abc12.5% x-y", "abc12.5%|x|-|y");
    assert_words(jieba, "3.x", "3|.|x");
    assert_words(jieba, "我们，\t我们\r\n", "我们|，|我们");
    assert_words(jieba, "\xf0\xa0\xae\xb7é", "\xf0\xa0\xae\xb7|é");
    /* The model joins a name; one character alone is not asked about. */
    assert_words(jieba, "我们王小明来到", "我们|王小明|来到");
    assert_words(jieba, "我们王来到", "我们|王|来到");
    jieba_free(jieba);
}

/* A run that is decided in parts is cut as its sentences are, wherever in a
 * word the parts end. */
static void long_runs_are_cut_as_short_ones(void **state)
{
    struct jieba *jieba = load(small);
    struct oy_buffer text = {0}, want = {0};

    (void)state;
    for (int n_first = 1; n_first < 9; n_first++) {
        oy_buffer_clear(&text);
        oy_buffer_clear(&want);
        oy_buffer_append_format(&text, "%.*s", n_first, "12345678");
        oy_buffer_append_format(&want, "%.*s", n_first, "12345678");
        for (int i = 0; i < 5000; i++) {
            oy_buffer_append_format(&text, "我们来到北京大学王小");
            oy_buffer_append_format(&want, "|我们|来到|北京大学|王小");
        }
        assert_words(jieba, oy_buffer_string(&text), oy_buffer_string(&want));
    }
    oy_buffer_release(&text);
    oy_buffer_release(&want);
    jieba_free(jieba);
}

static void singles_that_are_a_word_stay_single(void **state)
{
    /* "ab" is a word of the dictionary, but too rare to be taken. */
    struct jieba *jieba = load("甲 1000000\n乙 1000000\n甲乙 1\n");

    (void)state;
    assert_words(jieba, "甲乙", "甲|乙");
    jieba_free(jieba);
}

static void assert_damaged(const char *lines, const char *where)
{
    struct oy_error err = {0};
    struct jieba *jieba = jieba_load(write_dictionary(lines), &err);

    assert_null(jieba);
    assert_int_equal(err.code, OY_DATA);
    assert_non_null(strstr(err.message, where));
}

static void damage_is_told(void **state)
{
    struct oy_error err = {0};

    (void)state;
    assert_damaged("", "no words");
    assert_damaged("甲 1\n乙\n", "dict.txt:2");
    assert_damaged("甲 x\n", "dict.txt:1");
    assert_damaged(" 1\n", "dict.txt:1");
    assert_damaged("\xff 1\n", "dict.txt:1");
    assert_damaged("甲 99999999999999999999\n", "dict.txt:1");
    assert_null(jieba_load("/nowhere/dict.txt", &err));
    assert_int_equal(err.code, OY_NOINPUT);
}

/* Words of a golden row, as split() writes them. */
static void join_words(const struct oy_json_value *row, struct oy_arena *arena,
                       struct oy_buffer *out)
{
    const struct oy_json_value list = oy_json_member(row, "words");
    struct oy_json_cursor cursor;
    struct oy_json_value value;
    uint64_t n_repaired = 0;
    struct oy_text text;
    const char *why;

    oy_buffer_clear(out);
    oy_json_enter(&cursor, &list);
    while (oy_json_next_element(&cursor, &value) > 0) {
        if (out->len)
            oy_buffer_append_char(out, '|');
        assert_int_equal(oy_json_text(&value, arena, &text, &n_repaired, &why),
                         0);
        oy_buffer_append(out, text.at, text.len);
    }
}

static void check_row(const struct jieba *jieba, const char *line, size_t len)
{
    struct oy_arena arena = {0};
    struct oy_buffer got = {0}, want = {0};
    struct oy_json_value row;
    uint64_t n_repaired = 0;
    struct oy_text text;
    const char *why;

    assert_int_equal(oy_json_value_of(line, len, &row, &why), 0);
    const struct oy_json_value member = oy_json_member(&row, "text");
    assert_int_equal(oy_json_text(&member, &arena, &text, &n_repaired, &why),
                     0);
    join_words(&row, &arena, &want);
    split(jieba, text.at, text.len, &got);
    assert_string_equal(oy_buffer_string(&got), oy_buffer_string(&want));
    oy_buffer_release(&got);
    oy_buffer_release(&want);
    oy_arena_release(&arena);
}

static void equals_jieba(void **state)
{
    const char *shared = getenv("OYSTER_SHARED");
    struct oy_error err = {0};
    struct jieba *jieba = jieba_load(NULL, &err);
    size_t len;

    (void)state;
    char *path = oy_asprintf("%s/golden/pipeline/words_spacy_zh_jieba.jsonl",
                             shared ? shared : "../shared");
    char *data = jieba ? oy_input_slurp(path, 1 << 30, &len, &err) : NULL;
    oy_free(path);
    if (!data) {
        printf("SKIPPED: %s\n", err.message);
        jieba_free(jieba);
        skip();
    }
    for (char *at = data, *feed; at < data + len; at = feed + 1) {
        feed = memchr(at, '\n', (size_t)(data + len - at));
        assert_non_null(feed);
        check_row(jieba, at, (size_t)(feed - at));
    }
    oy_free(data);
    jieba_free(jieba);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_best_way),
        cmocka_unit_test(cuts_what_it_does_not_know),
        cmocka_unit_test(long_runs_are_cut_as_short_ones),
        cmocka_unit_test(singles_that_are_a_word_stay_single),
        cmocka_unit_test(damage_is_told),
        cmocka_unit_test(equals_jieba),
    };

    if (!mkdtemp(folder))
        return 1;
    setenv("OYSTER_CACHE", folder, 1);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char *command = oy_asprintf("rm -rf %s", folder);
    const int rc = system(command);
    oy_free(command);
    return failed + rc;
}
