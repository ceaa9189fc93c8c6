/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules that work with a list of strings, and what they are made of: strings
 * found in a text, lists read from files, numpy's random numbers, counts that
 * one rule leaves for another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/random.h"
#include "pipeline/chain.h"
#include "pipeline/needles.h"
#include "pipeline/numpy_random.h"
#include "pipeline/text_list.h"

/* ---- numpy's numbers ---- */

/* numpy 2.4.6: default_rng(seed).uniform(), the n-th. */
static void numbers_are_those_of_numpy(void **state)
{
    static const struct {
        uint64_t seed, n;
        double want;
    } number[] = {
        {0ULL, 0, 0x1.461fd79fb3850p-1},
        {0ULL, 1, 0x1.1442f7e20b674p-2},
        {0ULL, 2, 0x1.4fa7b529d9bd0p-5},
        {0ULL, 1000, 0x1.aa3c45deffd40p-7},
        {1ULL, 0, 0x1.060d7be6f245cp-1},
        {1ULL, 1, 0x1.e6a32d7782a55p-1},
        {1ULL, 2, 0x1.273d27b04760cp-3},
        {1ULL, 1000, 0x1.15abd1b741cbep-1},
        {42ULL, 0, 0x1.8c43f79a2db24p-1},
        {42ULL, 1, 0x1.c16959869e47ep-2},
        {42ULL, 2, 0x1.b79a2584ddb42p-1},
        {42ULL, 1000, 0x1.fc6bc49c19a50p-5},
        {2147483648ULL, 0, 0x1.ce44c51c4671ep-1},
        {2147483648ULL, 1, 0x1.c39b9dc7c5b20p-5},
        {2147483648ULL, 2, 0x1.eef708dd64c9ep-1},
        {2147483648ULL, 1000, 0x1.30eba0e10524cp-2},
        {4294967301ULL, 0, 0x1.8c647d8643bd7p-1},
        {4294967301ULL, 1, 0x1.e20520871ce80p-2},
        {4294967301ULL, 2, 0x1.644a6db1c1d82p-1},
        {4294967301ULL, 1000, 0x1.bf86f70a09480p-7},
        {4611686018427400249ULL, 0, 0x1.15adbdaf7eba0p-5},
        {4611686018427400249ULL, 1, 0x1.32a4ecb818659p-1},
        {4611686018427400249ULL, 2, 0x1.b1a8f42bd5546p-2},
        {4611686018427400249ULL, 1000, 0x1.2adcccc171524p-2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof number / sizeof *number; i++)
        assert_true(numpy_random_unit(number[i].seed, number[i].n) ==
                    number[i].want);
}

/* ---- needles ---- */

struct found {
    size_t at[64], len[64], n, stop;
};

static int note(void *arg, size_t at, size_t len)
{
    struct found *found = arg;

    found->at[found->n] = at;
    found->len[found->n++] = len;
    return found->n == found->stop;
}

static void make_needles(struct needles *needles, const char *const *string)
{
    *needles = (struct needles){0};
    for (; *string; string++)
        needles_add(needles, *string, strlen(*string));
    needles_finish(needles);
}

static void strings_are_found(void **state)
{
    static const char *const string[] = {"he", "she", "his", "hers", "", NULL};
    struct needles needles;
    struct found found = {0};

    (void)state;
    make_needles(&needles, string);
    assert_int_equal(needles_find(&needles, "ushers", 6, note, &found), 0);
    assert_int_equal(found.n, 3);
    assert_int_equal(found.at[0], 1); /* the longest first of one end */
    assert_int_equal(found.len[0], 3);
    assert_int_equal(found.at[1], 2);
    assert_int_equal(found.len[1], 2);
    assert_int_equal(found.len[2], 4);
    found = (struct found){.stop = 1};
    assert_int_equal(needles_find(&needles, "ushers", 6, note, &found), 1);
    assert_int_equal(found.n, 1);
    found = (struct found){0};
    assert_int_equal(needles_find_at(&needles, "ushers", 6, 2, note, &found),
                     0);
    assert_int_equal(found.n, 2);
    assert_int_equal(found.len[0], 2); /* the shortest first */
    assert_int_equal(found.len[1], 4);
    found = (struct found){0};
    needles_find_at(&needles, "ushers", 6, 0, note, &found);
    assert_int_equal(found.n, 0);
    needles_release(&needles);
}

static void no_list_finds_nothing(void **state)
{
    static const char *const none[] = {NULL};
    struct needles needles = {0};
    struct found found = {0};

    (void)state;
    assert_int_equal(needles_find(&needles, "a", 1, note, &found), 0);
    make_needles(&needles, none);
    assert_int_equal(needles_find(&needles, "a", 1, note, &found), 0);
    assert_int_equal(needles_find_at(&needles, "a", 1, 0, note, &found), 0);
    needles_release(&needles);
    needles_release(&needles);
}

/* As many as a look at every place for every string finds. */
static void places_are_all_there(void **state)
{
    struct oy_random random = oy_random_at(1, 2);

    (void)state;
    for (int round = 0; round < 300; round++) {
        struct needles needles = {0};
        struct found found = {0};
        char string[4][5] = {{0}}, text[13] = {0};
        size_t n = 0;

        for (int i = 0; i < 4; i++) {
            const size_t len = 1 + oy_random_next(&random) % 4;
            for (size_t j = 0; j < len; j++)
                string[i][j] = (char)('a' + oy_random_next(&random) % 2);
            needles_add(&needles, string[i], len);
        }
        for (int i = 0; i < 12; i++)
            text[i] = (char)('a' + oy_random_next(&random) % 2);
        needles_finish(&needles);
        for (int i = 0; i < 4; i++) {
            int is_first = 1;
            for (int j = 0; j < i; j++)
                is_first &= strcmp(string[i], string[j]) != 0;
            for (const char *at = text;
                 is_first && (at = strstr(at, string[i])); at++)
                n++;
        }
        needles_find(&needles, text, 12, note, &found);
        assert_int_equal(found.n, n);
        needles_release(&needles);
    }
}

/* ---- lists ---- */

static char folder[] = "/tmp/oy-lists-XXXXXX";

static char *put_file(const char *name, const char *text, size_t len)
{
    char *path = oy_asprintf("%s/%s", folder, name);
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    return path;
}

static void add_line(void *arg, const char *line, size_t len)
{
    oy_buffer_append(arg, line, len);
    oy_buffer_append_char(arg, '|');
}

static void assert_list(const char *text, size_t len, int strip,
                        const char *want)
{
    char *path = put_file("list", text, len);
    struct oy_buffer lines = {0};
    struct oy_error err = {0};

    if (text_list_read(path, strip, NULL, add_line, &lines, &err)) {
        assert_int_equal(err.code, OY_DATA);
        assert_string_equal(err.message + strlen(path), want);
    } else {
        assert_string_equal(oy_buffer_string(&lines), want);
    }
    oy_buffer_release(&lines);
    oy_free(path);
}

static void lists_are_read(void **state)
{
    (void)state;
    assert_list("a\nb c \r\n#d", 10, 0, "a|b c |#d|");
    assert_list(" a\n\xc2\xa0"
                "b\n",
                7, 1, "a|b|");
}

static void bad_lines_are_named(void **state)
{
    (void)state;
    assert_list("a\n\nb", 4, 0, ":2: an empty line");
    assert_list("a\n \nb", 5, 1, ":2: an empty line");
    assert_list("a\nb\xff\n", 5, 0, ":2: not UTF-8");
    assert_list("a\0b", 3, 0, ":1: a NUL");
    assert_list("a\nb\nc\rd", 7, 0, ":3: a line end within the line");
    assert_list("a\xe2\x80\xa8", 4, 0, ":1: a line end within the line");
    assert_list("", 0, 0, ": an empty list");
}

/* ---- rules ---- */

/* What the first rule that drops says; NULL: none. The text is what is left.
 * A failure's words come with a '!'. */
static const char *run(const struct chain *chain, const char *text,
                       const char *language, uint64_t *turn,
                       struct oy_buffer *left)
{
    struct document document = {.splitter = WORDS_WS, .turn = turn};
    struct oy_buffer copy = {0}, json = {0};
    struct oy_json_value value;
    const char *why, *reason = NULL;

    oy_buffer_append_string(&copy, text);
    oy_buffer_reserve(&copy, OY_PADDING);
    oy_json_put_string(&json, language ? language : "",
                       language ? strlen(language) : 0);
    oy_buffer_reserve(&json, OY_PADDING);
    assert_int_equal(oy_json_value_of(json.data, json.len, &value, &why), 0);
    document_start(&document, (struct oy_text){copy.data, copy.len});
    for (size_t i = 0; i < chain->n_step && !reason; i++) {
        const struct chain_step *step = &chain->step[i];
        document.member = language ? &value : NULL;
        reason = step->rule->judge(step->params, &document, NULL);
        if (document.failure)
            reason = "!";
    }
    oy_buffer_clear(left);
    oy_buffer_append(left, document.text.at, document.text.len);
    document_release(&document);
    oy_buffer_release(&copy);
    oy_buffer_release(&json);
    return reason;
}

static void make(struct chain *chain, const char *rules,
                 const char *const *setting)
{
    struct oy_error err = {0};

    *chain = (struct chain){0};
    assert_int_equal(chain_set_rules(chain, rules, &err), 0);
    for (; *setting; setting++)
        assert_int_equal(chain_set_param(chain, *setting, &err), 0);
    if (chain_load(chain, NULL, &err))
        fail_msg("%s", err.message);
}

/* Whether the text is dropped. */
static int drops(const struct chain *chain, const char *text,
                 const char *language)
{
    struct oy_buffer left = {0};
    uint64_t turn[RULE_N_TURN] = {0};
    const char *reason = run(chain, text, language, turn, &left);

    oy_buffer_release(&left);
    assert_true(!reason || strcmp(reason, "!") != 0);
    return reason != NULL;
}

static void badwords_stand_alone(void **state)
{
    char *path = put_file("en", " bad\nvery bad\nsm\nBAD\n", 21);
    char *other = put_file("ja", "\xe6\x82\xaa\n", 4);
    char *setting = oy_asprintf("c4_badwords.badwords=%s", folder);
    struct chain chain;

    (void)state;
    make(&chain, "c4_badwords", (const char *const[]){setting, NULL});
    assert_true(drops(&chain, "so BAD.", NULL));
    assert_true(drops(&chain, "bad", "en"));
    assert_false(drops(&chain, "badly", "en"));
    assert_false(drops(&chain,
                       "bad_ \xc3\xa9"
                       "bad",
                       "en"));
    assert_false(drops(&chain, "sm", "en")); /* allowed */
    assert_false(drops(&chain, "bad", "ja"));
    assert_true(drops(&chain,
                      "a\xe6\x82\xaa"
                      "b",
                      "ja"));
    chain_release(&chain);
    oy_free(setting);
    oy_free(path);
    oy_free(other);
}

static void badwords_draw_in_turn(void **state)
{
    char *path = put_file("en", "bad", 3);
    char *setting = oy_asprintf("c4_badwords.badwords=%s", path);
    uint64_t turn[RULE_N_TURN] = {0};
    struct oy_buffer left = {0};
    struct chain chain;

    (void)state;
    make(&chain, "c4_badwords",
         (const char *const[]){setting, "c4_badwords.keep_fraction=0.5",
                               "c4_badwords.seed=7", NULL});
    for (uint64_t i = 0; i < 50; i++) {
        assert_null(run(&chain, "good", NULL, turn, &left));
        assert_int_equal(turn[0], i);
        const char *reason = run(&chain, "bad", NULL, turn, &left);
        assert_int_equal(reason == NULL, numpy_random_unit(7, i) < 0.5);
    }
    assert_string_equal(run(&chain, "a", "xx", turn, &left), "!");
    assert_int_equal(
        chain_set_param(&chain, "c4_badwords.fail_on_missing_language=false",
                        &(struct oy_error){0}),
        0);
    assert_null(run(&chain, "bad", "xx", turn, &left));
    chain_release(&chain);
    oy_buffer_release(&left);
    oy_free(setting);
    oy_free(path);
}

static void substrings_drop(void **state)
{
    struct chain chain;

    (void)state;
    make(&chain, "dclm_substring_filter",
         (const char *const[]){"dclm_substring_filter.banlist=[\"Ab\",\"x.z\"]",
                               NULL});
    assert_true(drops(&chain, "cAB", NULL));
    assert_true(drops(&chain, "-x\xc3\xa9z-", NULL));
    assert_false(drops(&chain, "x\nz", NULL));
    chain_release(&chain);
    make(&chain, "dclm_substring_filter",
         (const char *const[]){"dclm_substring_filter.banlist=ab",
                               "dclm_substring_filter.location=suffix",
                               "dclm_substring_filter.exact_word=true",
                               "dclm_substring_filter.case_sensitive=true",
                               NULL});
    assert_true(drops(&chain, "an ab\n", NULL));
    assert_false(drops(&chain, "an aab", NULL));
    assert_false(drops(&chain, "an AB", NULL));
    assert_false(drops(&chain, "ab an", NULL));
    chain_release(&chain);
}

static void lists_must_be_named(void **state)
{
    static const char *const rule[] = {"c4_badwords", "dclm_substring_filter",
                                       "dclm_url_removal_modifier"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct chain chain = {0};
        struct oy_error err = {0};
        assert_int_equal(chain_set_rules(&chain, rule[i], &err), 0);
        assert_int_equal(chain_load(&chain, NULL, &err), -1);
        assert_int_equal(err.code, OY_USAGE);
        chain_release(&chain);
    }
}

static void urls_are_taken_out(void **state)
{
    static const char *const pair[][2] = {
        {"com see http://a.com/x?y=(1), ok", "com see, ok"},
        {"see http://a.com", "see http://a.com"}, /* match() at the begin */
        {"Com a.commune b.com\n c.com", "Com a.commune"},
        {"com 1.2.3.4:80/a x", "com x"},
        {"no com 356.1.1.1 but ftp://12.0.0.1.", "no com 356.1.1.1 but"},
        {"com            a.com", "com  "}, /* ten blanks go */
    };
    char *path = put_file("tlds", "com", 3);
    char *setting =
        oy_asprintf("dclm_url_removal_modifier.tlds_filepath=%s", path);
    uint64_t turn[RULE_N_TURN] = {0};
    struct oy_buffer left = {0};
    struct chain chain;

    (void)state;
    make(&chain, "dclm_url_removal_modifier",
         (const char *const[]){setting, NULL});
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++) {
        assert_null(run(&chain, pair[i][0], NULL, turn, &left));
        assert_string_equal(oy_buffer_string(&left), pair[i][1]);
    }
    assert_non_null(run(&chain, "1.2.3.4", NULL, turn, &left));
    chain_release(&chain);
    oy_buffer_release(&left);
    oy_free(setting);
    oy_free(path);
}

static void counts_are_handed_on(void **state)
{
    uint64_t turn[RULE_N_TURN] = {0};
    struct oy_buffer left = {0};
    struct chain chain;

    (void)state;
    make(&chain,
         "dclm_word_counter_enricher,dclm_line_length_modifier,"
         "dclm_word_removal_ratio_filter",
         (const char *const[]){
             "dclm_word_counter_enricher.key=n",
             "dclm_line_length_modifier.min_length=2",
             "dclm_word_removal_ratio_filter.prev_word_count_key=n",
             "dclm_word_removal_ratio_filter.max_removed_ratio=0.25", NULL});
    assert_null(run(&chain, "a b c\nd", NULL, turn, &left));
    assert_string_equal(oy_buffer_string(&left), "a b c");
    assert_string_equal(run(&chain, "a b\nc", NULL, turn, &left),
                        "dclm_word_removal_ratio_filter");
    assert_string_equal(run(&chain, "a b", "5", turn, &left), "!");
    chain_release(&chain);
    make(&chain, "dclm_word_removal_ratio_filter",
         (const char *const[]){
             "dclm_word_removal_ratio_filter.prev_word_count_key=n", NULL});
    assert_string_equal(run(&chain, "a", NULL, turn, &left), "!");
    chain_release(&chain);
    oy_buffer_release(&left);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
    char *command = oy_asprintf("rm -r '%s'", folder);
    const int failed = system(command);

    (void)state;
    oy_free(command);
    return failed;
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(numbers_are_those_of_numpy),
        cmocka_unit_test(strings_are_found),
        cmocka_unit_test(no_list_finds_nothing),
        cmocka_unit_test(places_are_all_there),
        cmocka_unit_test(lists_are_read),
        cmocka_unit_test(bad_lines_are_named),
        cmocka_unit_test(badwords_stand_alone),
        cmocka_unit_test(badwords_draw_in_turn),
        cmocka_unit_test(substrings_drop),
        cmocka_unit_test(lists_must_be_named),
        cmocka_unit_test(urls_are_taken_out),
        cmocka_unit_test(counts_are_handed_on),
    };

    return cmocka_run_group_tests(test, make_folder, drop_folder);
}
