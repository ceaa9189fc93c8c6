/* SPDX-License-Identifier: Apache-2.0
 *
 * Every rule of the table is linear in the text: what it does for a text of
 * twice the length is at most twice as much, whatever the text is made of.
 *
 * Counted is what is executed, not time: the archive that this program is
 * linked with is compiled with -fsanitize-coverage=trace-pc, which calls a
 * function at each basic block, and the functions of the C library that walk
 * over memory are wrapped (Makefile: COUNTED) and count the bytes they pass.
 * The regular expressions of the rule `match` (PCRE2) and ICU are not seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pipeline/chain.h"
#include "pipeline/fasttext.h"

/* ---- counting ---- */

static uint64_t n_op;

#define UNCOUNTED __attribute__((no_sanitize_coverage))

void __sanitizer_cov_trace_pc(void);
void *__real_memchr(const void *at, int c, size_t len);
void *__real_memrchr(const void *at, int c, size_t len);
void *__real_memmem(const void *at, size_t len, const void *what, size_t n);
void *__real_memcpy(void *to, const void *from, size_t len);
void *__real_memmove(void *to, const void *from, size_t len);
void *__real_memset(void *to, int c, size_t len);
int __real_memcmp(const void *a, const void *b, size_t len);
size_t __real_strlen(const char *at);
void *__wrap_memchr(const void *at, int c, size_t len);
void *__wrap_memrchr(const void *at, int c, size_t len);
void *__wrap_memmem(const void *at, size_t len, const void *what, size_t n);
void *__wrap_memcpy(void *to, const void *from, size_t len);
void *__wrap_memmove(void *to, const void *from, size_t len);
void *__wrap_memset(void *to, int c, size_t len);
int __wrap_memcmp(const void *a, const void *b, size_t len);
size_t __wrap_strlen(const char *at);

UNCOUNTED void __sanitizer_cov_trace_pc(void)
{
    n_op++;
}

UNCOUNTED void *__wrap_memchr(const void *at, int c, size_t len)
{
    const char *found = __real_memchr(at, c, len);

    n_op += found ? (uint64_t)(found - (const char *)at) : len;
    return (void *)found;
}

UNCOUNTED void *__wrap_memrchr(const void *at, int c, size_t len)
{
    const char *found = __real_memrchr(at, c, len);

    n_op += found ? (uint64_t)((const char *)at + len - found) : len;
    return (void *)found;
}

UNCOUNTED void *__wrap_memmem(const void *at, size_t len, const void *what,
                              size_t n)
{
    const char *found = __real_memmem(at, len, what, n);

    n_op += found ? (uint64_t)(found - (const char *)at) + n : len;
    return (void *)found;
}

UNCOUNTED void *__wrap_memcpy(void *to, const void *from, size_t len)
{
    n_op += len;
    return __real_memcpy(to, from, len);
}

UNCOUNTED void *__wrap_memmove(void *to, const void *from, size_t len)
{
    n_op += len;
    return __real_memmove(to, from, len);
}

UNCOUNTED void *__wrap_memset(void *to, int c, size_t len)
{
    n_op += len;
    return __real_memset(to, c, len);
}

/* Only as far as both are equal. */
UNCOUNTED int __wrap_memcmp(const void *a, const void *b, size_t len)
{
    const char *x = a, *y = b;
    size_t n = 0;

    while (n < len && x[n] == y[n])
        n++;
    n_op += n;
    return __real_memcmp(a, b, len);
}

UNCOUNTED size_t __wrap_strlen(const char *at)
{
    const size_t len = __real_strlen(at);

    n_op += len;
    return len;
}

/* ---- texts ---- */

/* A text repeats a unit. In one with a mark of 1 the units are different: a
 * counter stands for the character. */
static const char *const shape[] = {
    " ",
    "a",
    "\n",
    "a\n",
    "\r\n",
    "A line that is there again, and again, and again.\n",
    "\1 is a line of its own, unlike the others.\n",
    "\1 ",
    "\1\n\n",
    "word ",
    "One sentence follows another. ",
    "http://www.example.com/path?x=1&y=2 ",
    "http://",
    "www.",
    "name@example.com ",
    "a@",
    "@",
    "a.b.",
    ".",
    "... ",
    "\xe2\x80\xa6",
    "-",
    "- ",
    "7",
    "1.",
    "1.2.3.4 ",
    "555-555-5555 ",
    "<",
    "<a ",
    "&",
    "&#1",
    "&amp;amp;",
    "[",
    "[1",
    "(",
    "\"'",
    "{",
    "#",
    "_",
    "x/y-",
    "\xc3\x83\xc2\xa9 ",                    /* UTF-8 read as Latin-1 */
    "\xc3\xa9",                             /* e with acute */
    "e\xcc\x81\xcc\xa3\xcc\x81",            /* marks on a letter */
    "\xcc\x81",                             /* marks on none */
    "\xce\xa3",                             /* sigma, whose small form */
    "\xce\xa3'",                            /* asks what is beside it */
    "\xe4\xb8\xad\xe6\x96\x87",             /* Han */
    "\xe3\x81\x82\xe3\x82\xab",             /* Kana */
    "\xe0\xb8\xa0\xe0\xb8\xb2",             /* Thai */
    "\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8", /* Jamo */
    "\xf0\x9f\x87\xa9",                     /* half a flag */
    "\xf0\x9f\x91\xa9\xe2\x80\x8d",         /* joined */
    "\xe2\x80\xa8",                         /* U+2028 */
    "\xe2\x80\xaf"
    "a", /* U+202F within words */
    "\x1b[",
    "don't ",
    "ab ab! aab ",
    "bad wor",
    "3 likes ",
    "the \1 of ",
};

enum { N_SHAPE = sizeof shape / sizeof *shape };

static void put_unit(struct oy_buffer *text, const char *unit, size_t number)
{
    for (; *unit; unit++) {
        if (*unit == 1)
            oy_buffer_append_format(text, "w%08x",
                                    (unsigned)number * 2654435761U);
        else
            oy_buffer_append_char(text, *unit);
    }
}

static void make_text(struct oy_buffer *text, size_t i, size_t n_unit)
{
    oy_buffer_clear(text);
    for (size_t number = 0; number < n_unit; number++)
        put_unit(text, shape[i], number);
    oy_buffer_reserve(text, OY_PADDING);
}

/* ---- rules ---- */

static char folder[] = "/tmp/oy-linear-XXXXXX";

/* What a rule needs to run at all; %s: the folder. */
static const struct need {
    const char *rule;
    const char *setting[8];
} need[] = {
    {"c4_badwords", {"c4_badwords.badwords=%s/list"}},
    {"dolma_c4_v1", {"dolma_c4_v1.naughty_words=%s/list"}},
    {"dolma_c4_v2", {"dolma_c4_v2.naughty_words=%s/list"}},
    {"dclm_substring_filter",
     {"dclm_substring_filter.banlist_from_fname=%s/list",
      "dclm_substring_filter.exact_word=true"}},
    {"dclm_substring_line_modifier",
     {"dclm_substring_line_modifier.banlist=[\"a.c\",\"1.\",\"bad word\"]",
      "dclm_substring_line_modifier.remove_substring_only=true"}},
    {"dclm_url_removal_modifier",
     {"dclm_url_removal_modifier.tlds_filepath=%s/tlds"}},
    {"dclm_word_counter_enricher",
     {"dclm_word_counter_enricher.model=uniseg",
      "dclm_word_counter_enricher.ignore_punctuation=false"}},
    {"dclm_word_removal_ratio_filter",
     {"dclm_word_removal_ratio_filter.prev_word_count_key=n"}},
    {"dclm_repetition_filter",
     {"dclm_repetition_filter.granularity=5",
      "dclm_repetition_filter.ignore_case=true"}},
    {"dclm_page_length_filter",
     {"dclm_page_length_filter.length_type=sentence"}},
    {"match", {"match.match=(?:bad)"}},
    {"url",
     {"url.banned_words=%s/list", "url.soft_banned_words=%s/list",
      "url.banned_subwords=%s/list"}},
    {"value", {"value.field=n"}},
};

static void put_file(const char *name, const char *text)
{
    char *path = oy_asprintf("%s/%s", folder, name);
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fputs(text, file) < 0 || fclose(file), 0);
    oy_free(path);
}

static void set_needs(struct chain *chain, const char *rule)
{
    struct oy_error err = {0};

    for (size_t i = 0; i < sizeof need / sizeof *need; i++) {
        if (strcmp(need[i].rule, rule) != 0)
            continue;
        for (const char *const *at = need[i].setting; *at; at++) {
            const char *hole = strstr(*at, "%s");
            char *setting = oy_asprintf(
                "%.*s%s%s", (int)(hole ? hole - *at : (long)strlen(*at)), *at,
                hole ? folder : "", hole ? hole + 2 : "");
            if (chain_set_param(chain, setting, &err))
                fail_msg("%s", err.message);
            oy_free(setting);
        }
    }
}

/* What judging the text takes, with everything measured. */
static uint64_t count(const struct chain *chain, enum words_splitter splitter,
                      const struct fasttext *model,
                      const struct oy_buffer *text)
{
    uint64_t turn[RULE_N_TURN] = {0};
    struct measures out = {.rule = chain->step[0].label};
    struct oy_buffer member = {0};
    struct oy_json_value value;
    const char *why;

    oy_json_put_string(&member, text->data, text->len);
    oy_buffer_reserve(&member, OY_PADDING);
    assert_int_equal(oy_json_value_of(member.data, member.len, &value, &why),
                     0);
    struct document document = {.splitter = splitter,
                                .languages =
                                    model ? fasttext_work_new(model) : NULL,
                                .member = &value,
                                .turn = turn};
    document_start(&document, (struct oy_text){text->data, text->len});
    document_note(&document, "n", 100);
    document.member = strcmp(chain->step[0].rule->name, "url") ? NULL : &value;
    n_op = 0;
    chain->step[0].rule->judge(chain->step[0].params, &document, &out);
    const uint64_t n = n_op;
    fasttext_work_free(document.languages);
    document_release(&document);
    oy_buffer_release(&out.json);
    oy_buffer_release(&member);
    return n;
}

enum { SIZE = 1 << 13 };

/* From four units of length to two it is at most twice as much less as from
 * two to one: so fixed costs count for nothing. A twentieth and some blocks
 * are for the digits of numbers, for what is left over behind vectors and for
 * a cache that grows once; a count with a ten thousandth of SIZE squared in it
 * is far above. */
static int check(const struct chain *chain, enum words_splitter splitter,
                 const struct fasttext *model)
{
    struct oy_buffer text = {0};
    int bad = 0;

    for (size_t i = 0; i < N_SHAPE; i++) {
        const size_t n_unit = SIZE / strlen(shape[i]);
        int64_t n[3];
        for (int j = 0; j < 3; j++) {
            make_text(&text, i, n_unit << j);
            n[j] = (int64_t)count(chain, splitter, model, &text);
        }
        const int64_t step = n[1] - n[0];
        if (n[2] - n[1] <= 2 * step + step / 20 + 4 * SIZE)
            continue;
        print_error("%s (%s), '%s': %ld, %ld, %ld\n", chain->step[0].rule->name,
                    words_splitter_name(splitter), shape[i], (long)n[0],
                    (long)n[1], (long)n[2]);
        bad++;
    }
    oy_buffer_release(&text);
    return bad;
}

static int check_rule(const struct rule *rule, const struct fasttext *model)
{
    struct chain chain = {0};
    struct oy_error err = {0};
    int bad = 0;

    assert_int_equal(chain_set_rules(&chain, rule->name, &err), 0);
    set_needs(&chain, rule->name);
    if (chain_load(&chain, NULL, &err))
        fail_msg("%s", err.message);
    bad += check(&chain, WORDS_WS, model);
    if (rule->needs_words) {
        bad += check(&chain, WORDS_UAX29, model);
        bad += check(&chain, WORDS_SPACY, model);
    }
    chain_release(&chain);
    return bad;
}

static void every_rule_is_linear(void **state)
{
    struct oy_error err = {0};
    struct fasttext *model = fasttext_load("tests/data/fasttext/hs.bin", &err);
    int bad = 0;

    (void)state;
    if (!model)
        fail_msg("%s", err.message);
    assert_non_null(mkdtemp(folder));
    put_file("list", "bad\nbad word\na.b\nab!\n!\n\xcf\x83\nhttp\n7\n");
    put_file("tlds", "com\nco\na\nb\nwww\n");
    for (size_t i = 0; rule_row(i); i++)
        bad += check_rule(rule_row(i), model);
    fasttext_free(model);
    char *command = oy_asprintf("rm -r '%s'", folder);
    assert_int_equal(system(command), 0);
    oy_free(command);
    assert_int_equal(bad, 0);
}

/* Looks behind every hundredth letter for what is not there. */
static const char *judge_squarely(const void *params, struct document *document,
                                  struct measures *out)
{
    const struct oy_text text = document->text;
    size_t n = 0;

    (void)params;
    for (size_t i = 0; i < text.len; i += 100)
        n += memchr(text.at + i, '\3', text.len - i) != NULL;
    measure_count(out, "n", n);
    return NULL;
}

/* A count that would see nothing would find everything linear. */
static void what_is_not_linear_is_seen(void **state)
{
    static const struct rule rule = {.name = "square", .judge = judge_squarely};
    struct chain_step step = {.rule = &rule, .label = rule.name};
    const struct chain chain = {.step = &step, .n_step = 1};

    (void)state;
    assert_int_equal(check(&chain, WORDS_WS, NULL), N_SHAPE);
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(what_is_not_linear_is_seen),
        cmocka_unit_test(every_rule_is_linear),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}
