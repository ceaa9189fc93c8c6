/* SPDX-License-Identifier: Apache-2.0
 *
 * Words by ICU's dictionaries: small texts of many scripts, long texts in
 * windows, threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/json.h"
#include "core/utf8.h"
#include "pipeline/words_internal.h"

/* The words with a bar between them, in `out`. */
static void join(const struct words *words, const char *text,
                 struct oy_buffer *out)
{
    oy_buffer_clear(out);
    for (size_t i = 0; i < words->n; i++) {
        if (i)
            oy_buffer_append_char(out, '|');
        oy_buffer_append(out, text + words->item[i].at, words->item[i].len);
    }
}

static void assert_words_of(struct words *words, const char *text,
                            const char *want)
{
    struct oy_buffer copy = {0}, out = {0};

    oy_buffer_append(&copy, text, strlen(text));
    oy_buffer_reserve(&copy, OY_PADDING);
    words_split(WORDS_ICU, copy.data, copy.len, words);
    join(words, copy.data, &out);
    assert_string_equal(oy_buffer_string(&out), want);
    oy_buffer_release(&copy);
    oy_buffer_release(&out);
}

static void assert_words(const char *text, const char *want)
{
    struct words words = {0};

    assert_words_of(&words, text, want);
    words_release(&words);
}

static void has_a_name_and_a_label(void **state)
{
    char label[WORDS_LABEL];
    struct oy_error err = {0};

    (void)state;
    assert_int_equal(words_splitter_of("icu"), WORDS_ICU);
    assert_string_equal(words_splitter_name(WORDS_ICU), "icu");
    assert_int_equal(strncmp(words_label(WORDS_ICU, label), "icu ", 4), 0);
    assert_true(atof(label + 4) > 50);
    assert_int_equal(words_splitter_of(label), WORDS_ICU);
    assert_int_equal(words_splitter_of("icu 1.0"), WORDS_NONE);
    assert_string_equal(words_label(WORDS_WS, label), "ws");
    assert_int_equal(words_check(WORDS_ICU, &err), 0);
    assert_int_equal(words_check(WORDS_UAX29, &err), 0);
}

static void cuts_by_dictionaries(void **state)
{
    (void)state;
    assert_words("東京大学で勉強。", "東京|大学|で|勉強|。");
    assert_words("ภาษาไทยเป็นภาษา", "ภาษา|ไทย|เป็น|ภาษา");
    assert_words("ພາສາລາວ", "ພາສາ|ລາວ");
    assert_words("ខ្ញុំទៅសាលា", "ខ្ញុំ|ទៅ|សាលា");
    assert_words("စာအုပ်ကျောင်း", "စာအုပ်|ကျောင်း");
}

static void cuts_others_as_uax29(void **state)
{
    (void)state;
    assert_words("", "");
    assert_words(" \t\r\n\u3000\u00a0 \u2028", "");
    assert_words("I don't, 3.14!", "I|don't|,|3.14|!");
    assert_words(" a  b\r\n\u3000c", "a|b|c");
    assert_words("iPhoneを買う", "iPhone|を|買う");
    /* A family joined by ZWJ, two flags, a letter with a mark. */
    assert_words("\U0001f468\u200d\U0001f469\u200d\U0001f467x",
                 "\U0001f468\u200d\U0001f469\u200d\U0001f467|x");
    assert_words("\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7",
                 "\U0001f1e9\U0001f1ea|\U0001f1eb\U0001f1f7");
    assert_words("e\u0301t", "e\u0301t");
}

static void one_iterator_takes_many_texts(void **state)
{
    struct words words = {0};

    (void)state;
    assert_words_of(&words, "ภาษาไทย", "ภาษา|ไทย");
    assert_words_of(&words, "", "");
    assert_words_of(&words, "a b", "a|b");
    assert_words_of(&words, "ภาษาไทย", "ภาษา|ไทย");
    words_release(&words);
    assert_null(words.icu);
}

/* `unit` until there are n bytes. */
static void repeat(struct oy_buffer *text, const char *unit, size_t n)
{
    oy_buffer_clear(text);
    while (text->len < n)
        oy_buffer_append(text, unit, strlen(unit));
    oy_buffer_reserve(text, OY_PADDING);
}

/* Words of a text of many windows are those of its unit again and again. */
static void check_long(const char *unit, size_t n_byte)
{
    struct words one = {0}, all = {0};
    struct oy_buffer text = {0};

    repeat(&text, unit, n_byte);
    const size_t len = strlen(unit);
    words_split(WORDS_ICU, text.data, len, &one);
    words_split(WORDS_ICU, text.data, text.len, &all);
    assert_int_equal(all.n, one.n * (text.len / len));
    for (size_t i = 0; i < all.n; i++) {
        assert_int_equal(all.item[i].at,
                         one.item[i % one.n].at + i / one.n * len);
        assert_int_equal(all.item[i].len, one.item[i % one.n].len);
    }
    oy_buffer_release(&text);
    words_release(&one);
    words_release(&all);
}

static void windows_change_no_word(void **state)
{
    (void)state;
    check_long("東京大学で勉強しています。", 3 << 20);
    check_long("ภาษาไทยเป็นภาษา e.g. don't 3.14 \u0301 x\n", 3 << 20);
    check_long("a,b\u3000\r\n", (2 << 20) + 7);
}

/* Nothing but white space between the words, which come in order. */
static void assert_covers(const struct words *words, const char *text,
                          size_t len)
{
    size_t at = 0;

    for (size_t i = 0; i <= words->n; i++) {
        const size_t next = i < words->n ? words->item[i].at : len;
        size_t gap_at = at, gap = next - at;
        assert_true(next >= at);
        words_strip(text, &gap_at, &gap);
        assert_int_equal(gap, 0);
        at = i < words->n ? next + words->item[i].len : at;
    }
}

static void runs_without_end_are_covered(void **state)
{
    static const char *const unit[] = {"学", "ก", "a", "\u0301", "a\u00a0"};
    struct words words = {0};
    struct oy_buffer text = {0};

    (void)state;
    for (size_t i = 0; i < sizeof unit / sizeof *unit; i++) {
        repeat(&text, unit[i], (2 << 20) + 100);
        words_split(WORDS_ICU, text.data, text.len, &words);
        assert_covers(&words, text.data, text.len);
    }
    oy_buffer_release(&text);
    words_release(&words);
}

/* Bytes by chance out of what scripts, marks and blanks are made of. */
static void any_text_is_covered(void **state)
{
    static const char piece[] = "aZ9_.,:'\"- \n\r\t\0\x7f\x80\x81\x93\x99\xa0"
                                "\xb8\xb9\xbd\xc2\xcc\xe0\xe1\xe2\xe3\xe4\xe7"
                                "\xf0\x9f\x8f\xef\xff";
    struct words words = {0};
    struct oy_buffer text = {0};
    char bytes[64];

    (void)state;
    srand(1);
    for (int round = 0; round < 20000; round++) {
        const size_t n = (size_t)rand() % sizeof bytes;
        for (size_t i = 0; i < n; i++)
            bytes[i] = piece[(size_t)rand() % (sizeof piece - 1)];
        oy_buffer_clear(&text);
        oy_utf8_repair(bytes, n, &text);
        oy_buffer_reserve(&text, OY_PADDING);
        words_split(WORDS_ICU, text.data, text.len, &words);
        assert_covers(&words, text.data, text.len);
    }
    oy_buffer_release(&text);
    words_release(&words);
}

static void *split_often(void *arg)
{
    struct words words = {0};
    const struct oy_buffer *text = arg;
    size_t n = 0;

    for (int i = 0; i < 20; i++) {
        words_split(WORDS_ICU, text->data, text->len, &words);
        n += words.n;
    }
    words_release(&words);
    return (void *)n;
}

static void threads_split_at_once(void **state)
{
    struct oy_buffer text = {0};
    pthread_t thread[3];
    void *n;

    (void)state;
    repeat(&text, "ภาษาไทยเป็นภาษา東京大学で勉強し x", 10000);
    const size_t want = (size_t)split_often(&text);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, split_often, &text),
                         0);
    for (int i = 0; i < 3; i++) {
        pthread_join(thread[i], &n);
        assert_int_equal((size_t)n, want);
    }
    oy_buffer_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_a_name_and_a_label),
        cmocka_unit_test(cuts_by_dictionaries),
        cmocka_unit_test(cuts_others_as_uax29),
        cmocka_unit_test(one_iterator_takes_many_texts),
        cmocka_unit_test(windows_change_no_word),
        cmocka_unit_test(runs_without_end_are_covered),
        cmocka_unit_test(any_text_is_covered),
        cmocka_unit_test(threads_split_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
