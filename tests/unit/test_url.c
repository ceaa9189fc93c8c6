/* SPDX-License-Identifier: Apache-2.0
 *
 * What the rule url is made of: hosts, registered domains, words in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/random.h"
#include "pipeline/registered_domain.h"
#include "pipeline/subwords.h"

static struct oy_text text_of(const char *string)
{
    return (struct oy_text){string, strlen(string)};
}

static void hosts_of_urls(void **state)
{
    static const char *const pair[][2] = {
        {"http://a.com/x", "a.com"},
        {"//a.com?x", "a.com"},
        {"a.com:80/x", "a.com"},
        {"http://u:p@x@a.com#", "a.com"},
        {"svn+ssh://A.com..", "A.com"},
        {"x y://a.com", "x y"},
        {"a.com//b.com", "a.com"},
        {"http:// a.com\xe3\x80\x82 ", "a.com"},
        {"http://[::1]:80/", "[::1]"},
        {"http://[a.com:80/", "[a.com"},
        {"://a", ""},
        {"http://", ""},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++) {
        const struct oy_text host = url_host(text_of(pair[i][0]));
        assert_int_equal(host.len, strlen(pair[i][1]));
        assert_memory_equal(host.at, pair[i][1], host.len);
    }
}

static void registered_domains(void **state)
{
    static const char *const pair[][2] = {
        {"forums.bbc.co.uk", "bbc.co.uk"},
        {"BBC.Co.UK", "BBC.Co.UK"},
        {"a.blogspot.com", "blogspot.com"},
        {"x.y.ck", "x.y.ck"},
        {"z.x.y.ck", "x.y.ck"},
        {"www.ck", "www.ck"},
        {"co.uk", ""},
        {"localhost", ""},
        {".com", ""},
        {"1.2.3.4", ""},
        {"a.invalid", ""},
        {"", ""},
        {"a..com", ""},
    };
    char path[] = "/tmp/oy-test-XXXXXX";
    const int fd = mkstemp(path);
    static const char list[] =
        "// ===BEGIN ICANN DOMAINS===\ncom\nuk\nco.uk\n*.ck\n!www.ck\n"
        "// ===END ICANN DOMAINS===\n// ===BEGIN PRIVATE DOMAINS===\n"
        "blogspot.com\n// ===END PRIVATE DOMAINS===\n";
    struct oy_error err = {0};

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, list, sizeof list - 1), sizeof list - 1);
    close(fd);
    struct public_suffixes *suffixes = public_suffixes_load(path, &err);
    assert_non_null(suffixes);
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++) {
        const struct oy_text domain =
            registered_domain(suffixes, text_of(pair[i][0]));
        assert_int_equal(domain.len, strlen(pair[i][1]));
        assert_memory_equal(domain.at, pair[i][1], domain.len);
    }
    public_suffixes_free(suffixes);
    assert_int_equal(truncate(path, 0), 0);
    assert_null(public_suffixes_load(path, &err));
    assert_int_equal(err.code, OY_DATA);
    unlink(path);
    err = (struct oy_error){0};
    assert_null(public_suffixes_load(path, &err));
    assert_int_equal(err.code, OY_NOINPUT);
    public_suffixes_free(NULL);
}

/* Nothing but labels: as many steps as bytes, and no suffix of that length. */
static void long_hosts_are_harmless(void **state)
{
    struct oy_error err = {0};
    struct public_suffixes *suffixes = public_suffixes_load("", &err);
    struct oy_buffer host = {0};

    (void)state;
    assert_non_null(suffixes);
    for (int i = 0; i < 500000; i++)
        oy_buffer_append_string(&host, "a.");
    oy_buffer_append_string(&host, "com");
    const struct oy_text domain =
        registered_domain(suffixes, (struct oy_text){host.data, host.len});
    assert_int_equal(domain.len, 5);
    oy_buffer_release(&host);
    public_suffixes_free(suffixes);
}

static void words_within_words(void **state)
{
    struct subwords subwords = {0};

    (void)state;
    assert_false(subwords_occur(&subwords, "abc", 3));
    subwords_add(&subwords, "-", 1);
    subwords_finish(&subwords);
    assert_false(subwords_occur(&subwords, "-", 1));
    subwords_release(&subwords);
    subwords_add(&subwords, "He-R\xc3\xa9s", 7);
    subwords_add(&subwords, "ushe9", 5);
    subwords_add(&subwords, "ushe9x", 6);
    subwords_finish(&subwords);
    assert_true(subwords_occur(&subwords, "us/HERS", 7));
    assert_true(subwords_occur(&subwords, "uushe-9", 7));
    assert_false(subwords_occur(&subwords, "ushe her", 8));
    subwords_release(&subwords);
}

static size_t make_word(struct oy_random *random, char *word, size_t most)
{
    const size_t n = 1 + (size_t)oy_random_below(random, most);

    for (size_t i = 0; i < n; i++)
        word[i] = "ab"[oy_random_below(random, 2)];
    word[n] = '\0';
    return n;
}

static void words_are_found_as_by_hand(void **state)
{
    struct oy_random random = oy_random_at(42, 0);
    char word[6][8], text[32];

    (void)state;
    for (int run = 0; run < 3000; run++) {
        struct subwords subwords = {0};
        int want = 0;
        for (int i = 0; i < 6; i++)
            subwords_add(&subwords, word[i], make_word(&random, word[i], 7));
        subwords_finish(&subwords);
        for (int t = 0; t < 20; t++) {
            const size_t n = make_word(&random, text, 30);
            want = 0;
            for (int i = 0; i < 6; i++)
                want |= strstr(text, word[i]) != NULL;
            assert_int_equal(subwords_occur(&subwords, text, n), want);
        }
        subwords_release(&subwords);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_of_urls),
        cmocka_unit_test(registered_domains),
        cmocka_unit_test(long_hosts_are_harmless),
        cmocka_unit_test(words_within_words),
        cmocka_unit_test(words_are_found_as_by_hand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
