/* SPDX-License-Identifier: Apache-2.0
 *
 * The pairs of a corpus that training works on.
 */
#include "tokenizer/bpe_pairs.h"

#include <string.h>

#include "core/alloc.h"
#include "core/hash.h"

enum {
    /* Up to so many tokens pairs are numbered in a square table. */
    SQUARE_SIDE = 1024,
    /* Bytes that a pair takes in the queue and in the table of counts. */
    PAIR_SIZE = 80,
    /* Bytes that it takes while pairs are found. */
    FOUND_SIZE = 96,
    /* Counts are told apart by their power of two and 3 bits more. */
    SUB_BITS = 3,
    N_CLASS = 64 << SUB_BITS,
};

/* A pair, while its words are counted and then listed. */
struct found_pair {
    struct pair_entry entry;
    uint32_t last_word; /* that was counted, plus one */
};

struct finder {
    struct bpe_pairs *pairs;
    const struct bpe_corpus *corpus;
    const struct bpe_pair_rules *rules;
    size_t first, end; /* of the words that it reads */
    struct found_pair *pair;
    size_t n, cap;
    size_t n_kept; /* pair[0 .. n_kept) are of the parts before this one */
    size_t part;
    /* Number in `pair`, plus one: of few tokens in a square, else a table. */
    uint32_t *square;
    struct pair_table number;
    uint64_t size[N_CLASS]; /* bytes that pairs of such counts take */
};

void bpe_pairs_release(struct bpe_pairs *pairs)
{
    pair_table_release(&pairs->count);
    pair_queue_release(&pairs->queue);
    oy_free(pairs->list);
    *pairs = (struct bpe_pairs){0};
}

uint64_t bpe_pairs_size(const struct bpe_pairs *pairs)
{
    return pairs->n_list * sizeof *pairs->list +
           pairs->count.n_pair * (uint64_t)PAIR_SIZE;
}

/* ---- finding ---- */

static int takes_square(const struct finder *finder)
{
    return finder->rules->n_token <= SQUARE_SIDE && finder->pairs->n_part == 1;
}

static void forget_numbers(struct finder *finder)
{
    const size_t side = finder->rules->n_token;

    pair_table_release(&finder->number);
    oy_free(finder->square);
    finder->square = takes_square(finder)
                         ? oy_calloc(side * side, sizeof *finder->square)
                         : NULL;
}

/* The pair's entry; a new one has a count of 0. */
static struct found_pair *find_pair(struct finder *finder, uint32_t left,
                                    uint32_t right)
{
    int64_t number;

    if (finder->square) {
        uint32_t *const at =
            &finder->square[left * finder->rules->n_token + right];

        number = *at ? *at : (*at = (uint32_t)finder->n + 1);
    } else {
        int64_t *const at =
            pair_table_at(&finder->number, pair_key(left, right));

        number = *at ? *at : (*at = (int64_t)finder->n + 1);
    }
    if ((size_t)number > finder->n) {
        OY_GROW(finder->pair, finder->cap, finder->n + 1);
        finder->pair[finder->n++] =
            (struct found_pair){.entry.key = pair_key(left, right)};
    }
    return &finder->pair[number - 1];
}

/* Whether the pair may be merged and is of the present part. */
static int is_wanted(const struct finder *finder, uint32_t left, uint32_t right)
{
    const struct bpe_pair_rules *const rules = finder->rules;
    const size_t n_part = finder->pairs->n_part;

    if (n_part > 1 &&
        (oy_mix64(pair_key(left, right)) >> 32) % n_part != finder->part)
        return 0;
    if (!rules->longest)
        return 1;
    const size_t len = rules->token_len[left] + rules->token_len[right];

    return len < rules->longest || len == 2;
}

static void count_pairs_of_word(struct finder *finder, size_t word)
{
    const int is_wide = finder->corpus->is_wide;
    int64_t count;
    const void *const symbols = bpe_corpus_word(finder->corpus, word, &count);
    uint32_t left = bpe_symbol(symbols, 0, is_wide), right;

    for (size_t i = 1;; i++, left = right) {
        right = bpe_symbol(symbols, i, is_wide);
        if (right == bpe_end_mark(is_wide))
            return;
        if (!is_wanted(finder, left, right))
            continue;
        struct found_pair *const pair = find_pair(finder, left, right);

        pair->entry.count += count;
        pair->entry.n_words += pair->last_word != word + 1;
        pair->last_word = (uint32_t)word + 1;
    }
}

static size_t class_of(int64_t count)
{
    const int log2 = 63 - __builtin_clzll((unsigned long long)count);
    const uint64_t sub = log2 < SUB_BITS ? (uint64_t)count << (SUB_BITS - log2)
                                         : (uint64_t)count >> (log2 - SUB_BITS);

    return ((size_t)log2 << SUB_BITS) | (sub & ((1 << SUB_BITS) - 1));
}

/* The lowest count of a class, where there is one. */
static int64_t lowest_of_class(size_t class)
{
    const int log2 = (int)(class >> SUB_BITS);
    const uint64_t sub = (class & ((1 << SUB_BITS) - 1)) | (uint64_t)1
                                                               << SUB_BITS;

    return (int64_t)(log2 < SUB_BITS ? sub >> (SUB_BITS - log2)
                                     : sub << (log2 - SUB_BITS));
}

/* Adds what the part's pairs would take, and keeps those above the bar. */
static void keep_part(struct finder *finder)
{
    const int64_t least = finder->pairs->least;
    size_t n = finder->n_kept;

    for (size_t i = n; i < finder->n; i++) {
        const struct pair_entry *const entry = &finder->pair[i].entry;

        finder->size[class_of(entry->count)] +=
            PAIR_SIZE + entry->n_words * sizeof *finder->pairs->list;
        if (entry->count >= least)
            finder->pair[n++] = finder->pair[i];
    }
    finder->n = finder->n_kept = n;
}

/* Counts the pairs of the present part in its words: 1; 0: they are too
 * many. */
static int count_words(struct finder *finder)
{
    const uint64_t room = finder->pairs->room;
    const size_t most =
        room ? finder->n_kept + (size_t)(room / 4 / FOUND_SIZE) + 1024
             : SIZE_MAX;

    for (size_t w = finder->first; w < finder->end;
         w = bpe_corpus_next(finder->corpus, w)) {
        count_pairs_of_word(finder, w);
        if (finder->n > most)
            return 0;
    }
    return 1;
}

struct halves {
    struct finder finder[2];
    int fits[2];
};

static void count_half(void *arg, size_t tile, int worker)
{
    struct halves *const halves = arg;

    (void)worker;
    halves->fits[tile] = count_words(&halves->finder[tile]);
}

static void join_half(struct finder *finder, const struct finder *other)
{
    for (size_t i = 0; i < other->n; i++) {
        const struct pair_entry *const from = &other->pair[i].entry;
        struct pair_entry *const to =
            &find_pair(finder, (uint32_t)(from->key >> 32), (uint32_t)from->key)
                 ->entry;

        to->count += from->count;
        to->n_words += from->n_words;
    }
}

/* A square is small: the second half of the words has one of its own. */
static int count_in_halves(struct finder *finder)
{
    struct halves halves = {.finder = {*finder, *finder}};

    halves.finder[0].end = finder->corpus->middle;
    halves.finder[1].first = finder->corpus->middle;
    forget_numbers(&halves.finder[0]);
    halves.finder[1].square = NULL;
    forget_numbers(&halves.finder[1]);
    halves.finder[1].pair = NULL;
    halves.finder[1].cap = 0;
    oy_pool_run(finder->pairs->pool, 2, count_half, &halves);
    join_half(&halves.finder[0], &halves.finder[1]);
    oy_free(halves.finder[1].square);
    oy_free(halves.finder[1].pair);
    halves.finder[0].end = finder->end;
    *finder = halves.finder[0];
    return halves.fits[0] && halves.fits[1];
}

/* Counts the pairs of the present part: 1; 0: they are too many. */
static int count_part(struct finder *finder)
{
    if (oy_pool_size(finder->pairs->pool) > 1 && takes_square(finder))
        return count_in_halves(finder);
    forget_numbers(finder);
    return count_words(finder);
}

static void count_pairs(struct finder *finder)
{
    struct bpe_pairs *const pairs = finder->pairs;

    if (!pairs->n_part)
        pairs->n_part = 1;
    while (finder->part < pairs->n_part) {
        if (count_part(finder)) {
            keep_part(finder);
            finder->part++;
            continue;
        }
        pairs->n_part *= 2;
        finder->part = 0;
        finder->n = finder->n_kept = 0;
        memset(finder->size, 0, sizeof finder->size);
    }
}

/* ---- the bar ---- */

/* The count of the n-th merge is about that of the first, divided by n (Zipf);
 * half of that for safety. A bad guess costs time, nothing else. */
static int64_t first_bar(const struct finder *finder)
{
    int64_t most = 0;

    for (size_t i = 0; i < finder->n; i++) {
        if (finder->pair[i].entry.count > most)
            most = finder->pair[i].entry.count;
    }
    return most / (int64_t)finder->rules->n_wanted / 2;
}

/* The lowest bar above which pairs take half of the room; the class of the
 * commonest is taken in any case. */
static int64_t bar_that_fits(const struct finder *finder)
{
    uint64_t size = 0;
    int64_t bar = 0;

    for (size_t class = N_CLASS; class -- > 0;) {
        if (!finder->size[class])
            continue;
        size += finder->size[class];
        if (bar && size > finder->pairs->room / 2)
            return bar;
        bar = lowest_of_class(class);
    }
    return 0;
}

static void choose_bar(struct finder *finder)
{
    struct bpe_pairs *const pairs = finder->pairs;

    if (!pairs->least)
        pairs->least = first_bar(finder);
    if (pairs->least < finder->rules->lowest)
        pairs->least = finder->rules->lowest;
    if (!pairs->room)
        return;
    const int64_t bar = bar_that_fits(finder);

    if (bar > pairs->least)
        pairs->least = bar;
}

/* ---- lists ---- */

/* Leaves only pairs above the bar, numbers them anew and gives each its place
 * for a list. */
static void lay_out_lists(struct finder *finder)
{
    struct bpe_pairs *const pairs = finder->pairs;
    const size_t n_found = finder->n;

    finder->n = 0;
    pairs->n_list = 0;
    pair_table_release(&finder->number);
    if (finder->square)
        memset(finder->square, 0,
               finder->rules->n_token * finder->rules->n_token *
                   sizeof *finder->square);
    for (size_t i = 0; i < n_found; i++) {
        struct found_pair pair = finder->pair[i];
        const uint64_t key = pair.entry.key;

        if (pair.entry.count < pairs->least)
            continue;
        pair.entry.list = pairs->n_list;
        pairs->n_list += pair.entry.n_words;
        if (finder->square)
            finder
                ->square[(key >> 32) * finder->rules->n_token + (uint32_t)key] =
                (uint32_t)finder->n + 1;
        else
            *pair_table_at(&finder->number, key) = (int64_t)finder->n + 1;
        finder->pair[finder->n++] = pair;
    }
    OY_GROW(pairs->list, pairs->list_cap, pairs->n_list);
}

/* The number of a pair above the bar, plus one, or 0. */
static size_t number_of(const struct finder *finder, uint32_t left,
                        uint32_t right)
{
    if (finder->square)
        return finder->square[left * finder->rules->n_token + right];
    const int64_t *const number =
        pair_table_find(&finder->number, pair_key(left, right));

    return number ? (size_t)*number : 0;
}

/* Where the next word of a pair's list goes. */
struct list_end {
    size_t at;
    uint32_t last_word; /* plus one */
};

/* Words of one half of the corpus. The first half fills lists from their
 * beginnings and the second from their ends, so that they meet and need not
 * know of each other. */
struct lister {
    const struct finder *finder;
    size_t first, end;
    int is_second;
    struct list_end *list_end; /* [finder->n] */
};

static void note_word(struct lister *lister, size_t number, size_t word)
{
    struct list_end *const to = &lister->list_end[number];
    uint32_t *const list = lister->finder->pairs->list;

    if (to->last_word == word + 1)
        return;
    if (lister->is_second)
        list[--to->at] = (uint32_t)word;
    else
        list[to->at++] = (uint32_t)word;
    to->last_word = (uint32_t)word + 1;
}

static void list_word(struct lister *lister, size_t word)
{
    const struct finder *const finder = lister->finder;
    const int is_wide = finder->corpus->is_wide;
    int64_t count;
    const void *const symbols = bpe_corpus_word(finder->corpus, word, &count);
    uint32_t left = bpe_symbol(symbols, 0, is_wide), right;

    for (size_t i = 1;; i++, left = right) {
        right = bpe_symbol(symbols, i, is_wide);
        if (right == bpe_end_mark(is_wide))
            return;
        const size_t number = number_of(finder, left, right);

        if (number)
            note_word(lister, number - 1, word);
    }
}

/* What was filled from the end descends. */
static void turn_lists(const struct lister *lister)
{
    const struct finder *const finder = lister->finder;

    for (size_t i = 0; i < finder->n; i++) {
        const struct pair_entry *const entry = &finder->pair[i].entry;
        uint32_t *low = finder->pairs->list + lister->list_end[i].at;
        uint32_t *high = finder->pairs->list + entry->list + entry->n_words;

        while (low < high) {
            const uint32_t word = *low;

            *low++ = *--high;
            *high = word;
        }
    }
}

static void list_half(void *arg, size_t tile, int worker)
{
    struct lister *const lister = (struct lister *)arg + tile;
    const struct finder *const finder = lister->finder;

    (void)worker;
    lister->list_end = oy_alloc_array(finder->n, sizeof *lister->list_end);
    for (size_t i = 0; i < finder->n; i++) {
        const struct pair_entry *const entry = &finder->pair[i].entry;

        lister->list_end[i] = (struct list_end){
            .at = entry->list + (lister->is_second ? entry->n_words : 0)};
    }
    for (size_t w = lister->first; w < lister->end;
         w = bpe_corpus_next(finder->corpus, w))
        list_word(lister, w);
    if (lister->is_second)
        turn_lists(lister);
    oy_free(lister->list_end);
}

static void list_words(const struct finder *finder)
{
    struct oy_pool *const pool = finder->pairs->pool;
    const int is_shared = oy_pool_size(pool) > 1;
    const size_t middle = is_shared ? finder->corpus->middle : finder->end;
    struct lister lister[2] = {
        {.finder = finder, .end = middle},
        {.finder = finder, .first = middle, .end = finder->end, .is_second = 1},
    };

    oy_pool_run(pool, is_shared ? 2 : 1, list_half, lister);
}

static void queue_pairs(struct finder *finder)
{
    for (size_t i = 0; i < finder->n; i++) {
        const struct pair_entry *const entry = &finder->pair[i].entry;

        *pair_table_at(&finder->pairs->count, entry->key) = entry->count;
        pair_queue_push(&finder->pairs->queue, entry);
    }
}

void bpe_pairs_find(struct bpe_pairs *pairs, struct bpe_corpus *corpus,
                    const struct bpe_pair_rules *rules)
{
    struct finder finder = {.pairs = pairs, .corpus = corpus, .rules = rules};

    pair_table_release(&pairs->count);
    pair_queue_release(&pairs->queue);
    oy_free(pairs->list);
    pairs->list = NULL;
    pairs->list_cap = 0;
    bpe_corpus_compact(corpus);
    finder.end = corpus->n_unit;
    count_pairs(&finder);
    choose_bar(&finder);
    lay_out_lists(&finder);
    list_words(&finder);
    pair_table_release(&finder.number);
    oy_free(finder.square);
    queue_pairs(&finder);
    oy_free(finder.pair);
}
