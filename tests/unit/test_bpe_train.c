/* SPDX-License-Identifier: Apache-2.0
 *
 * Training of merges: rules one by one, a plain trainer as oracle, and the
 * file that is written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/json.h"
#include "core/random.h"
#include "tokenizer/bpe_train.h"
#include "tokenizer/tokenizer_write.h"

/* "word count word count ..." */
static void count_words(struct word_count *words, const char *text)
{
    struct oy_buffer copy = {0};

    oy_buffer_append_string(&copy, text);
    oy_buffer_string(&copy);
    for (char *word = strtok(copy.data, " "); word; word = strtok(NULL, " ")) {
        const char *const number = strtok(NULL, " ");

        word_count_add(words, word, strlen(word), strtoull(number, NULL, 10));
    }
    oy_buffer_release(&copy);
}

static void put_text(const struct bpe_trained *trained, size_t id,
                     struct oy_buffer *out)
{
    oy_buffer_append(out, trained->text + trained->start[id],
                     trained->start[id + 1] - trained->start[id]);
}

/* "token token ... | left+right left+right ..." */
static void describe(const struct bpe_trained *trained, struct oy_buffer *out)
{
    for (size_t i = 0; i < trained->n_token; i++) {
        put_text(trained, i, out);
        oy_buffer_append_char(out, ' ');
    }
    oy_buffer_append_char(out, '|');
    for (size_t i = 0; i < trained->n_merge; i++) {
        oy_buffer_append_char(out, ' ');
        put_text(trained, trained->merge[i][0], out);
        oy_buffer_append_char(out, '+');
        put_text(trained, trained->merge[i][1], out);
    }
}

/* Trains on the words of a table and empties it. */
static void train_table(const struct bpe_train_options *options,
                        struct word_count *words, struct bpe_trained *trained)
{
    struct word_store store = {.table = *words};
    struct oy_error err = {0};

    *words = (struct word_count){0};
    assert_int_equal(bpe_train(options, &store, trained, &err), 0);
    assert_int_equal(store.table.n_word, 0);
}

static void assert_trained(struct bpe_train_options options, const char *text,
                           const char *want)
{
    struct word_count words = {0};
    struct bpe_trained trained = {0};
    struct oy_buffer got = {0};

    count_words(&words, text);
    train_table(&options, &words, &trained);
    describe(&trained, &got);
    assert_string_equal(oy_buffer_string(&got), want);
    oy_buffer_release(&got);
    bpe_trained_release(&trained);
}

#define OPTIONS(...) ((struct bpe_train_options){.vocab_size = 30, __VA_ARGS__})

static void commonest_pairs_are_merged(void **state)
{
    (void)state;
    assert_trained(OPTIONS(), "abc 5 ab 2 c 9", "a b c ab abc | a+b ab+c");
    /* Equal counts: the smaller ids first. */
    assert_trained(OPTIONS(), "zy 2 ab 2", "a b y z ab zy | a+b z+y");
    /* `aaa` holds `aa` twice and is merged once, from the left. */
    assert_trained(OPTIONS(), "aaa 2 bc 3", "a b c aa bc aaa | a+a b+c aa+a");
}

static void limits_are_kept(void **state)
{
    static const char *const special[] = {"<s>", "b", "<s>", "abc"};

    (void)state;
    assert_trained((struct bpe_train_options){.vocab_size = 4}, "abc 5",
                   "a b c ab | a+b");
    assert_trained((struct bpe_train_options){0}, "abc 5", "a b c |");
    assert_trained(OPTIONS(.min_frequency = 3), "ab 3 cd 2",
                   "a b c d ab | a+b");
    /* Shorter than 4, not up to 4; two symbols always merge. */
    assert_trained(OPTIONS(.max_token_length = 4), "abcd 5",
                   "a b c d ab cd | a+b c+d");
    assert_trained(OPTIONS(.max_token_length = 1), "abcd 5",
                   "a b c d ab cd | a+b c+d");
    /* Letters that are left out make neighbours of those beside them. */
    assert_trained(OPTIONS(.limits_alphabet = 1, .limit_alphabet = 2),
                   "axb 5 a 1 b 1", "a b ab | a+b");
    /* One of them that is a special token is not left out. */
    assert_trained(OPTIONS(.limits_alphabet = 1, .limit_alphabet = 1,
                           .special = special, .n_special = 4),
                   "axb 5 a 1", "<s> b abc a ab | a+b");
    /* A merge whose text is a special token takes its id. */
    assert_trained(OPTIONS(.special = special, .n_special = 4), "abc 5",
                   "<s> b abc a c bc | b+c a+bc");
    assert_trained(OPTIONS(), "", "|");
}

static void alphabets_are_bytes_or_characters(void **state)
{
    struct bpe_trained trained = {0};
    struct word_count none = {0};
    struct bpe_train_options options = OPTIONS(.initial_bytes = 1);

    (void)state;
    assert_trained(OPTIONS(), "\xc3\xa9 2",
                   "\xc2\xa9 \xc3\x83 \xc3\x83\xc2\xa9"
                   " | \xc3\x83+\xc2\xa9");
    assert_trained(OPTIONS(.by_character = 1), "\xc3\xa9z 2",
                   "z \xc3\xa9 \xc3\xa9z | \xc3\xa9+z");
    train_table(&options, &none, &trained);
    assert_int_equal(trained.n_token, 256);
    assert_memory_equal(trained.text, "!\"#$", 4);
    assert_memory_equal(trained.text + trained.start[255], "\xc5\x83", 2);
    bpe_trained_release(&trained);
}

static void ties_at_the_cut_are_told(void **state)
{
    const struct bpe_train_options options =
        OPTIONS(.limits_alphabet = 1, .limit_alphabet = 1);
    struct word_count words = {0};
    struct bpe_trained trained = {0};

    (void)state;
    count_words(&words, "b 2 a 2");
    train_table(&options, &words, &trained);
    assert_int_equal(trained.tie_was_cut, 1);
    assert_memory_equal(trained.text, "a", 1);
    bpe_trained_release(&trained);
}

/* ---- a plain trainer: counts all pairs anew for every merge ---- */

enum { MAX_ID = 128, MAX_WORDS = 40, MAX_LEN = 24 };

struct plain {
    size_t n_word;
    int symbol[MAX_WORDS][MAX_LEN];
    size_t len[MAX_WORDS];
    int64_t count[MAX_WORDS];
    size_t token_len[MAX_ID];
    int n_token;
};

/* The pair to merge next; 0 when none is left. */
static int best_pair(const struct plain *plain, int64_t least, size_t longest,
                     int *left, int *right)
{
    static int64_t count[MAX_ID][MAX_ID];
    int64_t best = least > 1 ? least - 1 : 0;

    memset(count, 0, sizeof count);
    for (size_t w = 0; w < plain->n_word; w++) {
        for (size_t i = 0; i + 1 < plain->len[w]; i++)
            count[plain->symbol[w][i]][plain->symbol[w][i + 1]] +=
                plain->count[w];
    }
    *left = -1;
    for (int a = 0; a < plain->n_token; a++) {
        for (int b = 0; b < plain->n_token; b++) {
            const size_t len = plain->token_len[a] + plain->token_len[b];

            if (count[a][b] <= best || (longest && len > 2 && len >= longest))
                continue;
            best = count[a][b];
            *left = a;
            *right = b;
        }
    }
    return *left >= 0;
}

static void merge_plainly(struct plain *plain, int left, int right)
{
    const int made = plain->n_token++;

    plain->token_len[made] = plain->token_len[left] + plain->token_len[right];
    for (size_t w = 0; w < plain->n_word; w++) {
        int *const symbol = plain->symbol[w];
        size_t out = 0;

        for (size_t i = 0; i < plain->len[w]; i++) {
            const int hit = symbol[i] == left && i + 1 < plain->len[w] &&
                            symbol[i + 1] == right;

            symbol[out++] = hit ? made : symbol[i];
            i += (size_t)hit;
        }
        plain->len[w] = out;
    }
}

/* The same random words for both: letters a to d, all of them there. */
static void make_words(struct oy_random *random, struct plain *plain,
                       struct word_count *words)
{
    plain->n_word = 1 + oy_random_below(random, MAX_WORDS - 1);
    plain->n_token = 4;
    for (int i = 0; i < 4; i++)
        plain->token_len[i] = 1;
    for (size_t w = 0; w < plain->n_word; w++) {
        char text[MAX_LEN + OY_PADDING] = {0};
        const size_t len = w ? 1 + oy_random_below(random, MAX_LEN - 1) : 4;

        for (size_t i = 0; i < len; i++) {
            plain->symbol[w][i] = w ? (int)oy_random_below(random, 4) : (int)i;
            text[i] = (char)('a' + plain->symbol[w][i]);
        }
        plain->len[w] = len;
        plain->count[w] = 1 + (int64_t)oy_random_below(random, 30);
        word_count_add(words, text, len, (uint64_t)plain->count[w]);
    }
}

static void a_plain_trainer_agrees(void **state)
{
    struct oy_error err = {0};
    struct oy_pool *const pool = oy_pool_new(3, &err);

    (void)state;
    assert_non_null(pool);
    for (uint64_t run = 0; run < 2000; run++) {
        struct oy_random random = oy_random_at(5, run);
        const struct bpe_train_options options = {
            .vocab_size = 4 + oy_random_below(&random, MAX_ID - 4),
            .min_frequency = (int64_t)(run % 4),
            .max_token_length = run % 3 ? 0 : oy_random_below(&random, 9),
            /* So little that pairs are found anew again and again. */
            .memory = run % 2 ? 0 : 4096,
            .pool = run % 4 < 2 ? pool : NULL,
        };
        struct plain plain = {0};
        struct word_count words = {0};
        struct bpe_trained trained = {0};
        int left, right;
        size_t n = 0;

        make_words(&random, &plain, &words);
        train_table(&options, &words, &trained);
        while ((size_t)plain.n_token < options.vocab_size &&
               best_pair(&plain, options.min_frequency,
                         options.max_token_length, &left, &right)) {
            merge_plainly(&plain, left, right);
            assert_true(n < trained.n_merge);
            assert_int_equal(trained.merge[n][0], left);
            assert_int_equal(trained.merge[n++][1], right);
        }
        assert_int_equal(trained.n_merge, n);
        bpe_trained_release(&trained);
    }
    oy_pool_free(pool);
}

static void file_reads_back(void **state)
{
    static const char *const special[] = {"<\"\n>"};
    const struct bpe_train_options options =
        OPTIONS(.special = special, .n_special = 1);

    (void)state;
    for (int kind = 0; kind < SPLIT_N_KIND; kind++) {
        struct word_count words = {0};
        struct bpe_trained trained = {0};
        struct oy_buffer out = {0};
        const char *why = NULL;
        size_t where;

        if (kind)
            count_words(&words, "ab 3");
        train_table(&options, &words, &trained);
        tokenizer_write(&(struct tokenizer_write_options){.kind = kind},
                        &trained, &out);
        oy_buffer_string(&out);
        assert_int_equal(oy_json_validate(out.data, out.len, &why, &where), 0);
        assert_non_null(strstr(out.data, "\"content\": \"<\\\"\\n>\""));
        assert_non_null(
            strstr(out.data, kind ? "\"ab\": 3\n    },\n    \"merges\": [\n"
                                    "      [\n        \"a\",\n"
                                  : "\"merges\": []\n  }\n}"));
        oy_buffer_release(&out);
        bpe_trained_release(&trained);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commonest_pairs_are_merged),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(alphabets_are_bytes_or_characters),
        cmocka_unit_test(ties_at_the_cut_are_told),
        cmocka_unit_test(a_plain_trainer_agrees),
        cmocka_unit_test(file_reads_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
