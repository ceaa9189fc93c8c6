/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of normalizers, of replacing and of character maps. That they are
 * Hugging Face's is test_components.c's matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "core/random.h"
#include "core/utf8.h"
#include "tokenizer/normalize.h"

static struct oy_text text_of(const char *text)
{
    return (struct oy_text){text, strlen(text)};
}

static struct normalize_step *step_of(struct normalizer *normalizer,
                                      enum normalize_kind kind,
                                      const char *from, const char *to)
{
    struct normalize_step *step = normalizer_add(normalizer, kind);
    struct oy_error err = {0};

    step->from = text_of(from);
    step->to = text_of(to);
    if (kind == NORMALIZE_REGEX) {
        step->regex = replace_regex_new(step->from, &err);
        assert_non_null(step->regex);
    }
    return step;
}

/* What one step makes of a text, and whether its begin is lost. */
static void check(enum normalize_kind kind, const char *from, const char *to,
                  const char *text, const char *want, int want_cut)
{
    struct normalizer normalizer = {0};
    struct oy_buffer work[2] = {{0}, {0}};
    int is_cut = 0;

    struct normalize_step *step = step_of(&normalizer, kind, from, to);
    step->left = step->right = 1;
    const struct oy_text got =
        normalize_text(&normalizer, text_of(text), work, &is_cut);
    if (got.len != strlen(want) || memcmp(got.at, want, got.len))
        fail_msg("kind %d of '%s': '%.*s', not '%s'", kind, text, (int)got.len,
                 got.at, want);
    if (is_cut != want_cut)
        fail_msg("kind %d of '%s': cut %d", kind, text, is_cut);
    oy_buffer_release(&work[0]);
    oy_buffer_release(&work[1]);
    normalizer_release(&normalizer);
}

static void test_steps(void **state)
{
    (void)state;
    check(NORMALIZE_NFC, "", "", "e\xcc\x81", "\xc3\xa9", 0);
    check(NORMALIZE_LOWER, "", "", "HELLO World \xc4\xb0\xce\xa3",
          "hello world i\xcc\x87\xcf\x83", 0);
    check(NORMALIZE_COMBINING, "", "", "e\xcc\x81\xe0\xa4\x83", "e", 0);
    check(NORMALIZE_COMBINING, "", "", "\xcc\x81z", "z", 1);
    check(NORMALIZE_NONSPACING, "", "", "e\xcc\x81\xe0\xa4\x83",
          "e\xe0\xa4\x83", 0);
    check(NORMALIZE_CLEAN, "", "", "a\tb\x01\xc2\xa0\xef\xbf\xbd\xc2\x85z",
          "a b z", 0);
    check(NORMALIZE_CLEAN, "", "", "\x01z", "z", 1);
    check(NORMALIZE_CLEAN, "", "", "\tz", " z", 0);
    check(NORMALIZE_CHINESE, "", "", "a\xe4\xb8\xad\xe3\x81\x82",
          "a \xe4\xb8\xad \xe3\x81\x82", 0);
    check(NORMALIZE_NMT, "", "", "a\x0b\xe2\x96\x81\n\x7f", "a  ", 0);
    check(NORMALIZE_NMT, "", "", "\x0b", "", 1);
    check(NORMALIZE_BYTES, "", "", " \xc3\xa9", "\xc4\xa0\xc3\x83\xc2\xa9", 0);
    check(NORMALIZE_PREPEND, "", "x", "xa", "xxa", 0);
    check(NORMALIZE_PREPEND_MISSING, "", "x", "xa", "xa", 0);
    check(NORMALIZE_PREPEND_MISSING, "", "x", "a", "xa", 0);
    check(NORMALIZE_STRIP, "", "", " \xe3\x80\x80 a \n", "a", 1);
    check(NORMALIZE_STRIP, "", "", "a ", "a", 0);
}

static void test_replace(void **state)
{
    (void)state;
    check(NORMALIZE_REPLACE, " ", "\xe2\x96\x81", "a b  c",
          "a\xe2\x96\x81"
          "b\xe2\x96\x81\xe2\x96\x81"
          "c",
          0);
    check(NORMALIZE_REPLACE, "a", "", "abab", "bb", 1);
    check(NORMALIZE_REPLACE, "a", "", "aa", "", 1);
    check(NORMALIZE_REPLACE, "aa", "a", "aaaaa", "aaa", 1);
    check(NORMALIZE_REPLACE, "b", "a long text for it", "ab",
          "aa long text for it", 0);
    check(NORMALIZE_REPLACE, "", "-", "a\xc3\xa9", "-a-\xc3\xa9-", 0);
    check(NORMALIZE_REGEX, "a+", "-", "aab", "-b", 1);
    check(NORMALIZE_REGEX, "a", "-", "aab", "--b", 0);
    check(NORMALIZE_REGEX, "a", "", "ab", "b", 1);
    check(NORMALIZE_REGEX, "x*", "-", "ab", "-a-b-", 0);
}

/* Nothing is copied where nothing changes; an empty text stays so. */
static void test_idle(void **state)
{
    const struct oy_text text = text_of("nothing to be done \xe4\xb8\xad here");
    struct normalizer normalizer = {0};
    struct oy_buffer work[2] = {{0}, {0}};

    (void)state;
    assert_ptr_equal(normalize_text(&normalizer, text, work, NULL).at, text.at);
    for (int kind = NORMALIZE_NFC; kind <= NORMALIZE_NMT; kind++) {
        if (kind != NORMALIZE_CHINESE)
            step_of(&normalizer, (enum normalize_kind)kind, "", "");
    }
    step_of(&normalizer, NORMALIZE_REPLACE, "x", "y");
    step_of(&normalizer, NORMALIZE_PREPEND, "", "");
    assert_ptr_equal(normalize_text(&normalizer, text, work, NULL).at, text.at);
    step_of(&normalizer, NORMALIZE_PREPEND, "", "x");
    step_of(&normalizer, NORMALIZE_REPLACE, "", "x");
    step_of(&normalizer, NORMALIZE_REGEX, "", "x");
    step_of(&normalizer, NORMALIZE_BYTES, "", "");
    assert_int_equal(normalize_text(&normalizer, text_of(""), work, NULL).len,
                     0);
    oy_buffer_release(&work[0]);
    oy_buffer_release(&work[1]);
    normalizer_release(&normalizer);
}

/* A byte by a short text, against the general way. */
static void test_replace_byte(void **state)
{
    struct oy_random random = oy_random_at(11, 0);
    struct oy_buffer fast = {0}, slow = {0};
    char text[200];

    (void)state;
    for (int i = 0; i < 500; i++) {
        struct oy_text all = {text, (size_t)oy_random_below(&random, 200)};
        const struct oy_text to = {"12345678",
                                   (size_t)oy_random_below(&random, 9)};
        for (size_t k = 0; k < all.len; k++)
            text[k] = "a b"[oy_random_below(&random, 3)];
        oy_buffer_clear(&fast);
        oy_buffer_clear(&slow);
        replace_string(all, text_of(" "), to, &fast);
        for (size_t k = 0; k < all.len; k++) {
            if (text[k] == ' ')
                oy_buffer_append(&slow, to.at, to.len);
            else
                oy_buffer_append_char(&slow, text[k]);
        }
        assert_int_equal(fast.len, slow.len);
        assert_true(!slow.len || !memcmp(fast.data, slow.data, slow.len));
    }
    oy_buffer_release(&fast);
    oy_buffer_release(&slow);
}

/* ---- character maps ---- */

/* A trie of one letter: its unit, the leaf behind it, in the places that the
 * double array gives them. */
static size_t put_map(unsigned char letter, const char *texts, size_t n_text,
                      char *out)
{
    uint32_t unit[512] = {0};
    const uint32_t n_byte = sizeof unit;

    unit[0] = 256 << 10;                   /* the root's children at 256 */
    unit[256 ^ letter] = letter | 1 << 8 | /* a leaf, */
                         ((256 ^ letter) << 10); /* which is at 0 ^ ... */
    memcpy(out, &n_byte, 4);
    memcpy(out + 4, unit, sizeof unit);
    memcpy(out + 4 + sizeof unit, texts, n_text);
    return 4 + sizeof unit + n_text;
}

static void check_map(const struct charsmap *map, const char *text,
                      const char *want)
{
    struct oy_buffer out = {0};

    charsmap_apply(map, text_of(text), &out);
    assert_string_equal(oy_buffer_string(&out), want);
    oy_buffer_release(&out);
}

static void test_charsmap(void **state)
{
    char bytes[4096];
    const char *why = NULL;
    /* Unit 0 is root and leaf: its value as a leaf is 256 << 10. */
    struct oy_buffer texts = {0};
    struct charsmap *map;

    (void)state;
    for (int i = 0; i < 256 << 10; i++)
        oy_buffer_append_char(&texts, 'z');
    oy_buffer_append(&texts, "yes\0no", 6);
    char *all = oy_alloc(4096 + texts.len);
    const size_t len = put_map('a', texts.data, texts.len, all);
    map = charsmap_new_of_bytes(all, len, &why);
    assert_non_null(map);
    check_map(map, "bcd", "bcd");
    assert_int_equal(charsmap_find(map, text_of("bcd"), 0), 3);
    assert_int_equal(charsmap_find(map, text_of("bada"), 0), 1);
    assert_int_equal(charsmap_find(map, text_of("bada"), 2), 3);
    check_map(map, "bab", "byesb");
    /* A cluster of less than six bytes is one; longer ones are not. */
    check_map(map, "a\xcc\x81.", "yes.");
    check_map(map, "a\xcc\x81\xcc\x81.", "yes.");
    check_map(map, "a\xcc\x81\xe2\x80\x8d.", "yes\xcc\x81\xe2\x80\x8d.");
    charsmap_free(map);
    charsmap_free(NULL);
    /* Cut anywhere before the texts it is damaged. */
    for (size_t n = 0; n < 2052; n += 13)
        assert_null(charsmap_new_of_bytes(all, n, &why));
    assert_non_null(why);
    /* A value behind the texts is none. */
    memcpy(bytes, all, 2052 + 3);
    map = charsmap_new_of_bytes(bytes, 2055, &why);
    assert_non_null(map);
    check_map(map, "bab", "bab");
    charsmap_free(map);
    oy_free(all);
    oy_buffer_release(&texts);
}

/* Whatever the bytes are, texts stay valid. */
static void test_damaged_charsmaps(void **state)
{
    struct oy_random random = oy_random_at(5, 0);
    const struct oy_text text =
        text_of("The \xc3\xa9 e\xcc\x81 \xe4\xb8\xad \xf0\x9f\x91\x8d\r\n a");
    struct oy_buffer out = {0};

    (void)state;
    for (int i = 0; i < 300; i++) {
        const size_t len = 4 + 1024 + (size_t)oy_random_below(&random, 64);
        char *bytes = oy_alloc(len);
        for (size_t k = 0; k < len; k++)
            bytes[k] = (char)oy_random_below(&random, i % 2 ? 128 : 16);
        memcpy(bytes, "\0\4\0\0", 4);
        const char *why = NULL;
        struct charsmap *map = charsmap_new_of_bytes(bytes, len, &why);
        if (map) {
            oy_buffer_clear(&out);
            charsmap_apply(map, text, &out);
            assert_true(oy_utf8_valid(out.data, out.len));
        }
        charsmap_free(map);
        oy_free(bytes);
    }
    oy_buffer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_replace),
        cmocka_unit_test(test_idle),
        cmocka_unit_test(test_replace_byte),
        cmocka_unit_test(test_charsmap),
        cmocka_unit_test(test_damaged_charsmaps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
