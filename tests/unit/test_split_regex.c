/* SPDX-License-Identifier: Apache-2.0
 *
 * The hand-written splitters against the regular expressions they stand for.
 *
 * Every kind of tokenizer/split.h is compared with its expressions, run by
 * PCRE2 after core/regex.h wrote out their classes, on random texts: both
 * lists of borders must be the same list. That is a proof in both directions.
 * A border that only the splitter has is a piece that the expression would not
 * have ended; a border that only the expression has is one that the splitter
 * ran over; and as every text is compared whole, to its last byte, no text is
 * cut short by either. The two ways share nothing but the table of general
 * categories (whose classes are compared with Hugging Face's elsewhere): one
 * is code on bits of classes, the other a translation and a foreign engine.
 * So the same test tells that core/regex.h translates these expressions
 * rightly, which files with unknown expressions depend on.
 *
 * Texts are mixes of what the expressions tell apart: pieces of their own
 * alternatives, one code point of every mixture of classes there is, runs
 * longer than the blocks that vector code works in. 60,000 texts each time,
 * ten million when OYSTER_SLOW is set (a tenth under sanitizers). A failure
 * prints its text, which is a function of its number.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/random.h"
#include "core/regex.h"
#include "core/unicode.h"
#include "core/utf8.h"
#include "tokenizer/split.h"

enum { MAX_TEXT = 6000, MAX_PARTS = 3, SEED = 20260 };

/* ---- random texts ---- */

/* One list of code points for each mixture of classes. */
struct alphabet {
    uint32_t *point; /* sorted by mixture */
    size_t n_point;
    size_t *first; /* [n_mixture + 1] */
    size_t n_mixture, cap_first;
};

struct tagged {
    uint32_t mixture, c;
};

static int by_mixture(const void *left, const void *right)
{
    const struct tagged *const a = left, *const b = right;

    if (a->mixture != b->mixture)
        return a->mixture < b->mixture ? -1 : 1;
    return (a->c > b->c) - (a->c < b->c);
}

static void alphabet_init(struct alphabet *alphabet)
{
    struct tagged *const all = oy_alloc_array(0x110000, sizeof *all);
    size_t n = 0;

    memset(alphabet, 0, sizeof *alphabet);
    for (uint32_t c = 0; c < 0x110000; c++) {
        if (c >= 0xd800 && c < 0xe000)
            continue;
        all[n++] = (struct tagged){(uint32_t)oy_unicode_class16(c) << 2 |
                                       (c >= 0x80) << 1 | (c >= 0x10000),
                                   c};
    }
    qsort(all, n, sizeof *all, by_mixture);
    alphabet->point = oy_alloc_array(n, sizeof *alphabet->point);
    alphabet->n_point = n;
    for (size_t i = 0; i < n; i++) {
        if (!i || all[i].mixture != all[i - 1].mixture) {
            OY_GROW(alphabet->first, alphabet->cap_first,
                    alphabet->n_mixture + 2);
            alphabet->first[alphabet->n_mixture++] = i;
        }
        alphabet->point[i] = all[i].c;
    }
    alphabet->first[alphabet->n_mixture] = n;
    oy_free(all);
}

static void alphabet_release(struct alphabet *alphabet)
{
    oy_free(alphabet->point);
    oy_free(alphabet->first);
}

static uint32_t random_point(const struct alphabet *alphabet,
                             struct oy_random *random)
{
    const size_t mixture = oy_random_below(random, alphabet->n_mixture);
    const size_t first = alphabet->first[mixture];

    return alphabet
        ->point[first +
                oy_random_below(random, alphabet->first[mixture + 1] - first)];
}

static const char *const part[] = {
    "a",
    "Z",
    "the",
    "Word",
    "HTTP",
    "aB",
    " ",
    "  ",
    "\n",
    "\r",
    "\r\n",
    "\n\n",
    "\t",
    "\v",
    "0",
    "7",
    "42",
    "123",
    "1234",
    "'",
    "'s",
    "'S",
    "'t",
    "'re",
    "'VE",
    "'m",
    "'ll",
    "'lL",
    "'d",
    "'D",
    "'l",
    "'r",
    "''",
    "!",
    "?!",
    "/",
    "//",
    "-",
    "_",
    "(",
    "<|",
    "=",
    "+",
    "$",
    "^",
    "~",
    "\x01",
    "\x7f",
    "\xc5\xbf",
    "'\xc5\xbf",
    "\xe2\x80\x99s", /* ſ, ’s */
    "\xc3\xa9",
    "\xc3\x89",
    "e\xcc\x81",
    "\xcc\x81",
    "\xc2\xa0",
    "\xe3\x80\x80",
    "\xe2\x80\x8b",
    "\xe2\x80\x8d",
    "\xe1\xa0\x8e",
    "\xc2\x85",
    "\xe2\x80\xa8", /* é É é ́  nbsp 3000 zwsp zwj 180e nel ls */
    "\xe4\xb8\xad",
    "\xe4\xb8\xad\xe6\x96\x87",
    "\xe3\x81\x82",
    "\xe3\x82\xab",
    "\xe3\x83\xbc",
    "\xef\xbc\x8c",
    "\xed\x95\x9c", /* 中 中文 あ カ ー ， 한 */
    "\xd0\x96",
    "\xd0\xb6",
    "\xce\xa3",
    "\xcf\x82",
    "\xd7\x90",
    "\xd8\xa7",
    "\xd9\xa3",
    "\xe0\xa4\x95\xe0\xa4\xbe",
    "\xe0\xb9\x81", /* Ж ж Σ ς א ا ٣ */
    "\xc7\x85",
    "\xca\xb0",
    "\xc2\xaa",
    "\xe2\x85\xa7",
    "\xc2\xbd",
    "\xf0\x9f\x91\x8d",
    "\xf0\x9f\x91\xa9\xe2\x80\x8d",
    "\xf0\x9d\x9f\x98",
    "\xf0\xb2\x8e\xb0",
    "\xe2\x96\x81",
    "\xe2\x96\x81\xe2\x96\x81",
};

enum { N_PART = sizeof part / sizeof *part };

static size_t put_item(const struct alphabet *alphabet,
                       struct oy_random *random, char *out)
{
    const uint64_t dice = oy_random_below(random, 100);

    if (dice < 70) {
        const char *const p = part[oy_random_below(random, N_PART)];

        memcpy(out, p, strlen(p));
        return strlen(p);
    }
    if (dice < 92)
        return oy_utf8_put(out, random_point(alphabet, random));
    return oy_utf8_put(
        out, alphabet->point[oy_random_below(random, alphabet->n_point)]);
}

/* Runs of one item, as long as several blocks of vector code. */
static size_t put_run(const struct alphabet *alphabet, struct oy_random *random,
                      char *out)
{
    const size_t size = put_item(alphabet, random, out);
    const size_t n = 1 + oy_random_below(random, 150 / size + 1);

    for (size_t i = 1; i < n; i++)
        memcpy(out + i * size, out, size);
    return n * size;
}

/* Most are short: then they fail where they can be understood. */
static size_t random_text(const struct alphabet *alphabet, uint64_t number,
                          char *out)
{
    struct oy_random random = oy_random_at(SEED, number);
    const uint64_t dice = oy_random_below(&random, 100);
    const uint64_t n = oy_random_below(&random, dice < 80   ? 12
                                                : dice < 97 ? 40
                                                            : 120);
    const uint64_t one_run_in = dice % 2 ? 10 : 100;
    size_t len = 0;

    for (uint64_t i = 0; i < n && len + 200 < MAX_TEXT; i++) {
        if (oy_random_below(&random, one_run_in))
            len += put_item(alphabet, &random, out + len);
        else
            len += put_run(alphabet, &random, out + len);
    }
    /* What lies behind the text must not matter. */
    memset(out + len, part[number % N_PART][0], OY_PADDING);
    return len;
}

/* ---- the expressions ---- */

struct borders {
    size_t end[MAX_TEXT + 1];
    size_t n;
};

struct peer {
    enum split_kind kind;
    struct oy_regex *regex[MAX_PARTS]; /* each on the parts of the one before */
    int n;
    int drops; /* what does not match is thrown away */
};

struct bench {
    struct alphabet alphabet;
    struct oy_regex_matcher *matcher;
    struct borders have, want, before;
    char text[MAX_TEXT + OY_PADDING];
};

static void add_regex(struct peer *peer, const char *pattern)
{
    struct oy_error err = {0};
    struct oy_regex *const regex =
        oy_regex_new(pattern, strlen(pattern), OY_REGEX_ONIGURUMA, &err);

    if (!regex)
        fail_msg("%s: %s", pattern, err.message);
    peer->regex[peer->n++] = regex;
}

/* HF's `\w` in Whitespace is that of Rust, which has the joiners. U+2581 is
 * Metaspace's mark. */
#define JOINERS "\\x{200c}\\x{200d}"

static void peer_init(struct peer *peer, enum split_kind kind)
{
    memset(peer, 0, sizeof *peer);
    peer->kind = kind;
    peer->drops = split_drops(kind);
    for (int i = 0; split_regex(kind, i); i++)
        add_regex(peer, split_regex(kind, i));
    if (kind == SPLIT_SMOLLM) {
        /* Digits: the numbers of Unicode 16 and those of 17 that
         * char::is_numeric knows. */
        char *digits = oy_strdup("[\\p{N}");

        for (uint32_t c = 0; c < 0x110000; c++) {
            const uint16_t class = oy_unicode_class16(c);

            if (class & OY_IS_DIGITS && !(class & OY_IS_N)) {
                char *const longer =
                    oy_asprintf("%s\\x{%x}", digits, (unsigned)c);

                oy_free(digits);
                digits = longer;
            }
        }
        char *const bracket = oy_asprintf("%s]", digits);
        add_regex(peer, bracket);
        add_regex(peer, split_regex(SPLIT_GPT2, 0));
        oy_free(digits);
        oy_free(bracket);
    }
    if (kind == SPLIT_WHITESPACE)
        add_regex(peer, "[\\w" JOINERS "]+|[^\\w\\s" JOINERS "]+");
    if (kind == SPLIT_METASPACE)
        add_regex(peer, "\xe2\x96\x81[^\xe2\x96\x81]*|[^\xe2\x96\x81]+");
    if (kind == SPLIT_AFTER_SPACE)
        add_regex(peer, "[^ ]* |[^ ]+");
    if (kind == SPLIT_NONE)
        add_regex(peer, "(?m:.+)");
}

static void peer_release(struct peer *peer)
{
    for (int i = 0; i < peer->n; i++)
        oy_regex_free(peer->regex[i]);
}

static void add_border(struct borders *borders, size_t end)
{
    if (end > (borders->n ? borders->end[borders->n - 1] : 0))
        borders->end[borders->n++] = end;
}

/* Matches and what lies between them, from text[at] to `end`, which is all
 * that the expression may see. */
static void cut_part(const struct oy_regex *regex, struct bench *bench,
                     size_t at, size_t end)
{
    struct oy_regex_walk walk = {0};
    struct oy_regex_match match;
    struct oy_error err = {0};
    int found;

    while ((found = oy_regex_next(regex, bench->matcher, bench->text + at,
                                  end - at, &walk, &match, &err)) > 0) {
        add_border(&bench->want, at + match.begin);
        add_border(&bench->want, at + match.end);
    }
    if (found < 0)
        fail_msg("%s", err.message);
    add_border(&bench->want, end);
}

static void cut_by_regex(const struct peer *peer, struct bench *bench,
                         size_t len)
{
    bench->want.n = 0;
    add_border(&bench->want, len);
    for (int i = 0; i < peer->n; i++) {
        size_t at = 0;

        bench->before = bench->want;
        bench->want.n = 0;
        for (size_t k = 0; k < bench->before.n; k++) {
            cut_part(peer->regex[i], bench, at, bench->before.end[k]);
            at = bench->before.end[k];
        }
    }
}

/* In calls of varying size. */
static void cut_by_split(const struct peer *peer, struct bench *bench,
                         size_t len, size_t cap)
{
    struct borders *const have = &bench->have;
    size_t at = 0, n;

    have->n = 0;
    while (
        (n = split_batch(peer->kind, bench->text, len, at, have->end + have->n,
                         cap < len - have->n ? cap : len - have->n)) > 0) {
        have->n += n;
        at = have->end[have->n - 1];
        if (at == len)
            break;
    }
}

static void print_borders(const char *name, const struct borders *borders)
{
    fprintf(stderr, "%s:", name);
    for (size_t i = 0; i < borders->n; i++)
        fprintf(stderr, " %zu", borders->end[i]);
    fputc('\n', stderr);
}

static void fail_with_text(const struct peer *peer, const struct bench *bench,
                           uint64_t number, size_t len)
{
    fprintf(stderr, "text %llu, %zu bytes:", (unsigned long long)number, len);
    for (size_t i = 0; i < len; i++)
        fprintf(stderr, " %02x", (unsigned char)bench->text[i]);
    fputc('\n', stderr);
    print_borders("splitter", &bench->have);
    print_borders("expression", &bench->want);
    fail_msg("kind %d cuts text %llu in its own way", (int)peer->kind,
             (unsigned long long)number);
}

static void compare(const struct peer *peer, struct bench *bench,
                    uint64_t number)
{
    static const size_t caps[] = {1, 2, 3, 7, 64, MAX_TEXT};
    const size_t len = random_text(&bench->alphabet, number, bench->text);
    size_t at = 0;

    cut_by_regex(peer, bench, len);
    cut_by_split(peer, bench, len, caps[number / 10 % 6]);
    if (bench->have.n != bench->want.n ||
        memcmp(bench->have.end, bench->want.end,
               bench->have.n * sizeof *bench->have.end) != 0)
        fail_with_text(peer, bench, number, len);
    for (size_t i = 0; number % 4 == 0 && i < bench->want.n; i++) {
        if (split_piece(peer->kind, bench->text, len, at) != bench->want.end[i])
            fail_with_text(peer, bench, number, len);
        at = bench->want.end[i];
    }
}

static uint64_t n_texts(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    const uint64_t n = 1000000, n_quick = 6000;
#else
    const uint64_t n = 10000000, n_quick = 60000;
#endif
    return getenv("OYSTER_SLOW") ? n : n_quick;
}

static void splitters_cut_as_their_expressions(void **state)
{
    struct bench *const bench = oy_calloc(1, sizeof *bench);
    struct peer peer[SPLIT_N_KIND];
    const uint64_t n = n_texts();

    (void)state;
    alphabet_init(&bench->alphabet);
    bench->matcher = oy_regex_matcher_new();
    for (int k = 0; k < SPLIT_N_KIND; k++)
        peer_init(&peer[k], (enum split_kind)k);
    for (uint64_t i = 0; i < n; i++)
        compare(&peer[i % SPLIT_N_KIND], bench, i);
    for (int k = 0; k < SPLIT_N_KIND; k++)
        peer_release(&peer[k]);
    oy_regex_matcher_free(bench->matcher);
    alphabet_release(&bench->alphabet);
    oy_free(bench);
}

/* Other spellings of the same, from published files and tiktoken. */
static void spellings_are_equal(void **state)
{
    static const struct {
        enum split_kind kind;
        const char *regex;
    } spelling[] = {
        {SPLIT_GPT2, "'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++|"
                     " ?[^\\s\\p{L}\\p{N}]++|\\s++$|\\s+(?!\\S)|\\s"},
        {SPLIT_GPT2, "'s|'t|'re|'ve|'m|'ll|'d| ?[\\p{L}]+| ?[\\p{N}]+|"
                     " ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"},
        {SPLIT_CL100K, "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|"
                       "\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|"
                       "\\s*[\\r\\n]|\\s+(?!\\S)|\\s+"},
    };
    enum { N = sizeof spelling / sizeof *spelling };
    struct bench *const bench = oy_calloc(1, sizeof *bench);
    struct peer peer[N] = {0};

    (void)state;
    alphabet_init(&bench->alphabet);
    bench->matcher = oy_regex_matcher_new();
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(
            split_kind_from_regex(spelling[i].regex, strlen(spelling[i].regex)),
            spelling[i].kind);
        peer[i].kind = spelling[i].kind;
        add_regex(&peer[i], spelling[i].regex);
    }
    for (uint64_t i = 0; i < n_texts() / 10; i++)
        compare(&peer[i % N], bench, ~i);
    for (size_t i = 0; i < N; i++)
        peer_release(&peer[i]);
    oy_regex_matcher_free(bench->matcher);
    alphabet_release(&bench->alphabet);
    oy_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splitters_cut_as_their_expressions),
        cmocka_unit_test(spellings_are_equal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
