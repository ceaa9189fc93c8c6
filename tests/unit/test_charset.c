/* SPDX-License-Identifier: Apache-2.0
 *
 * Encodings of texts that do not say theirs. */
#include <iconv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "pipeline/charset.h"
#include "pipeline/charset_detect.h"

static const struct {
    const char *name; /* iconv's */
    const char *text;
} sample[] = {
    {"CP1251", "Съешь ещё этих мягких французских булок, да выпей чаю."},
    {"KOI8-R", "Съешь ещё этих мягких французских булок, да выпей чаю."},
    {"SHIFT_JIS", "これは日本語の文章です。文字コードの判定を確かめるために"
                  "書きました。"},
    {"EUC-JP", "これは日本語の文章です。文字コードの判定を確かめるために"
               "書きました。"},
    {"ISO-2022-JP", "これは日本語の文章です。"},
    {"GB18030", "这是一个中文网页，没有声明任何编码。我们希望程序能够自己"
                "判断出来。"},
    {"BIG5", "這是一個中文網頁，沒有聲明任何編碼。我們希望程式能夠自己"
             "判斷出來。"},
    {"EUC-KR", "이것은 한국어 문서입니다. 인코딩을 선언하지 않았지만 "
               "알아내야 합니다."},
    {"ISO-8859-7", "Αυτή είναι μια ελληνική σελίδα χωρίς δήλωση "
                   "κωδικοποίησης. Το πρόγραμμα πρέπει να τη βρει."},
    {"CP1252", "Été comme hiver, les élèves préfèrent être près de la forêt "
               "où règne une fraîcheur très agréable."},
};

/* The text of a sample in its encoding; returns its length. */
static size_t encode(size_t i, char *to, size_t room)
{
    const iconv_t conversion = iconv_open(sample[i].name, "UTF-8");
    char *from = (char *)sample[i].text, *at = to;
    size_t len = strlen(from);

    assert_true(conversion != (iconv_t)-1);
    assert_int_equal(iconv(conversion, &from, &len, &at, &room), 0);
    iconv(conversion, NULL, NULL, &at, &room);
    iconv_close(conversion);
    return (size_t)(at - to);
}

static void test_samples(void **state)
{
    char text[512 + OY_PADDING] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof sample / sizeof *sample; i++) {
        struct oy_buffer out = {0};
        const size_t len = encode(i, text, 512);
        const struct charset_guess guess = charset_guess(text, len, "", 1);
        charset_convert(guess.name, text, len, &out);
        assert_string_equal(oy_buffer_string(&out), sample[i].text);
        oy_buffer_release(&out);
    }
}

/* A label says more than bytes; broken UTF-8 is UTF-8; a long text is judged
 * by its ends. */
static void test_order(void **state)
{
    static const char broken[] = "\xc3\xa9t\xc3\xa9 \xff caf\xc3\xa9";
    enum { LONG = 400000 };
    char *text = oy_calloc(1, LONG + OY_PADDING);

    (void)state;
    const size_t len = encode(0, text, 512);
    assert_string_equal(charset_guess(text, len, "x; charset=koi8-r", 1).name,
                        "KOI8-R");
    assert_string_equal(charset_detect(broken, sizeof broken - 1), "UTF-8");
    assert_string_equal(charset_detect("", 0), "UTF-8");
    memset(text, 'a', LONG);
    assert_string_equal(charset_detect(text, LONG), "UTF-8");
    for (size_t at = LONG - 60000; at < LONG - 512; at += len)
        encode(0, text + at, 512);
    assert_string_equal(charset_detect(text, LONG), "CP1251");
    oy_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
