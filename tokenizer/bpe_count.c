/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts cut into words, and these counted.
 */
#include "tokenizer/bpe_count.h"

#include <string.h>

enum { BATCH = 256 };

/* ---- where texts are cut ---- */

/* Names are made of these; an expression that were would match only itself. */
static int looks_like_name(const char *pre)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

    return !pre[strspn(pre, letters)];
}

/* Printable Latin-1 comes first, then the letters from U+0100 on: the order of
 * their code points, and of their UTF-8. */
static void rank_bytes(unsigned char rank[256])
{
    struct byte_alphabet alphabet;
    unsigned char next = 0;

    byte_alphabet_init(&alphabet);
    for (int c = 0; c <= BYTE_ALPHABET_LAST; c++) {
        if (alphabet.byte_of[c] >= 0)
            rank[alphabet.byte_of[c]] = next++;
    }
}

int bpe_cut_init(struct bpe_cut *cut, const char *pre, int by_line,
                 struct oy_error *err)
{
    struct oy_error why = {0};

    *cut = (struct bpe_cut){
        .kind = split_kind_from_name(pre),
        .by_line = by_line,
    };
    rank_bytes(cut->rank);
    if (cut->kind != SPLIT_UNKNOWN)
        return 0;
    if (looks_like_name(pre))
        return oy_fail(err, OY_USAGE, "--pre: unknown pre-tokeniser '%s'", pre);
    cut->pattern = pre;
    cut->kind = split_kind_from_regex(pre, strlen(pre));
    if (cut->kind != SPLIT_UNKNOWN)
        return 0;
    cut->regex = oy_regex_new(pre, strlen(pre), OY_REGEX_ONIGURUMA, &why);
    if (!cut->regex)
        return oy_fail(err, OY_USAGE, "--pre: %s", why.message);
    return 0;
}

void bpe_cut_release(struct bpe_cut *cut)
{
    oy_regex_free(cut->regex);
    *cut = (struct bpe_cut){0};
}

int bpe_cut_is_by_character(const struct bpe_cut *cut)
{
    return cut->kind == SPLIT_WHITESPACE;
}

const unsigned char *bpe_cut_rank(const struct bpe_cut *cut)
{
    return bpe_cut_is_by_character(cut) ? NULL : cut->rank;
}

/* ---- counting ---- */

void bpe_counter_init(struct bpe_counter *counter, const struct bpe_cut *cut,
                      struct word_store *store)
{
    *counter = (struct bpe_counter){.cut = cut};
    word_tally_init(&counter->tally, store);
    byte_alphabet_init(&counter->alphabet);
    if (cut->regex)
        counter->matcher = oy_regex_matcher_new();
}

void bpe_counter_release(struct bpe_counter *counter)
{
    word_tally_release(&counter->tally);
    oy_regex_matcher_free(counter->matcher);
    oy_buffer_release(&counter->line);
    counter->matcher = NULL;
}

static void count_kept_pieces(enum split_kind kind, struct word_count *words,
                              const char *text, size_t at, const size_t *end,
                              size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!split_is_dropped(kind, text, at))
            word_count_add(words, text + at, end[i] - at, 1);
        at = end[i];
    }
}

static int count_pieces(struct bpe_counter *counter, const char *text,
                        size_t len, struct oy_error *err)
{
    const enum split_kind kind = counter->cut->kind;
    struct word_tally *const tally = &counter->tally;
    const int drops = split_drops(kind);
    size_t end[BATCH];

    for (size_t at = 0; at < len;) {
        const size_t n = split_batch(kind, text, len, at, end, BATCH);

        if (word_tally_make_room(tally, n, err))
            return -1;
        if (drops)
            count_kept_pieces(kind, &tally->words, text, at, end, n);
        else
            word_count_add_pieces(&tally->words, text, at, end, n);
        at = end[n - 1];
    }
    return 0;
}

static int count_piece(struct bpe_counter *counter, const char *piece,
                       size_t len, struct oy_error *err)
{
    if (!len)
        return 0;
    if (word_tally_make_room(&counter->tally, 1, err))
        return -1;
    word_count_add(&counter->tally.words, piece, len, 1);
    return 0;
}

/* The matches, and what lies between them. */
static int count_matches(struct bpe_counter *counter, const char *text,
                         size_t len, struct oy_error *err)
{
    struct oy_regex_walk walk = {0};
    struct oy_regex_match match;
    size_t at = 0;
    int rc;

    while ((rc = oy_regex_next(counter->cut->regex, counter->matcher, text, len,
                               &walk, &match, err)) > 0) {
        if (count_piece(counter, text + at, match.begin - at, err) ||
            count_piece(counter, text + match.begin, match.end - match.begin,
                        err))
            return -1;
        at = match.end;
    }
    return rc ? -1 : count_piece(counter, text + at, len - at, err);
}

static int count_sequence(struct bpe_counter *counter, const char *text,
                          size_t len, struct oy_error *err)
{
    return counter->cut->regex ? count_matches(counter, text, len, err)
                               : count_pieces(counter, text, len, err);
}

/* Every line with its LF by itself; the text ends with one LF more, as if it
 * stood in a file of its own. */
static int count_lines(struct bpe_counter *counter, struct oy_text text,
                       struct oy_error *err)
{
    size_t at = 0;

    while (at < text.len) {
        const char *const lf = memchr(text.at + at, '\n', text.len - at);

        if (!lf)
            break;
        const size_t end = (size_t)(lf - text.at) + 1;

        if (count_sequence(counter, text.at + at, end - at, err))
            return -1;
        at = end;
    }
    oy_buffer_clear(&counter->line);
    oy_buffer_append(&counter->line, text.at + at, text.len - at);
    oy_buffer_append_char(&counter->line, '\n');
    return count_sequence(counter, counter->line.data, counter->line.len, err);
}

int bpe_counter_add_text(struct bpe_counter *counter, struct oy_text text,
                         struct oy_error *err)
{
    if (counter->cut->by_line)
        return count_lines(counter, text, err);
    return count_sequence(counter, text.at, text.len, err);
}

/* ---- files of counts ---- */

int bpe_count_read(struct oy_text text, uint64_t *count, struct oy_error *err)
{
    uint64_t sum = 0;
    size_t i = 0;

    for (; i < text.len && text.at[i] >= '0' && text.at[i] <= '9'; i++) {
        if (__builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(text.at[i] - '0'), &sum))
            break;
    }
    *count = sum;
    if (text.len && i == text.len && sum <= INT64_MAX)
        return 0;
    return oy_fail(err, OY_DATA, "count '%.*s' is not from 0 to 2^63 - 1",
                   (int)(text.len < 40 ? text.len : 40), text.at);
}

int bpe_counter_add_word(struct bpe_counter *counter, struct oy_text word,
                         uint64_t count, struct oy_error *err)
{
    struct oy_buffer *const bytes = &counter->line;

    if (!bpe_cut_is_by_character(counter->cut)) {
        oy_buffer_clear(bytes);
        const int64_t len =
            byte_alphabet_map(&counter->alphabet, word.at, word.len,
                              oy_buffer_reserve(bytes, word.len));

        if (len < 0)
            return oy_fail(err, OY_DATA,
                           "word '%.*s' is not spelled in the byte alphabet",
                           (int)(word.len < 80 ? word.len : 80), word.at);
        word = (struct oy_text){bytes->data, (size_t)len};
    }
    if (!word.len)
        return oy_fail(err, OY_DATA, "the word is empty");
    if (!count)
        return 0;
    if (word_tally_make_room(&counter->tally, 1, err))
        return -1;
    return word_tally_add(&counter->tally, word.at, word.len, count, err);
}

void bpe_counter_put_word(const struct bpe_cut *cut,
                          const struct word_entry *word, struct oy_buffer *out)
{
    if (bpe_cut_is_by_character(cut))
        oy_buffer_append(out, word->at, word->len);
    else
        byte_alphabet_put(word->at, word->len, out);
    oy_buffer_append_format(out, "\t%llu\n", (unsigned long long)word->count);
}
