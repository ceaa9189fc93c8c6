/* SPDX-License-Identifier: Apache-2.0
 *
 * Training of byte-pair merges from counted words.
 */
#include "tokenizer/bpe_train.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/utf8.h"
#include "tokenizer/pair_queue.h"

enum { N_CODE_POINT = 0x110000 };

/* What one step learns of the pairs with one neighbour on one side of the
 * merged pair: left of it (x, a) is lost and (x, new) won, right of it
 * (b, y) and (new, y). */
struct neighbour {
    int64_t lost, won;
    size_t list;        /* of the won pair, while they are laid out */
    uint32_t n_words;   /* in that list */
    uint32_t last_word; /* that came into the list, plus one */
    int touched;
};

enum { LEFT, RIGHT };

/* A word that holds the pair won with a neighbour. */
struct posting {
    uint32_t neighbour; /* id << 1 | side */
    uint32_t word;
};

/* The words as runs of ids that shrink in place. */
struct corpus {
    uint32_t *symbol;
    size_t n_symbol, symbol_cap;
    struct word {
        size_t start;
        size_t len;
        int64_t count;
    } * word;
    size_t n_word, word_cap;
};

struct trainer {
    const struct bpe_train_options *options;
    struct bpe_trained *out;
    struct word_count by_text; /* token -> id + 1 */
    struct oy_buffer text;     /* of the token that is being made */
    uint32_t *token_len;       /* [n_token] in symbols */
    size_t token_len_cap;

    struct corpus corpus;
    struct pair_table pairs;
    struct pair_queue queue;
    int64_t least;  /* the bar for both; 0 before the first time */
    uint32_t *list; /* words of all queued pairs */
    size_t n_list, list_cap;

    struct neighbour *neighbour; /* [id << 1 | side] */
    size_t neighbour_cap;
    uint32_t *touched; /* those in use in this step */
    size_t n_touched, touched_cap;
    struct posting *posting;
    size_t n_posting, posting_cap;
};

/* ---- the vocabulary ---- */

static uint32_t add_token(struct trainer *t, const char *text, size_t len,
                          uint32_t n_symbol)
{
    struct bpe_trained *const out = t->out;
    const size_t id = out->n_token;

    word_count_add(&t->by_text, text, len, id + 1);
    OY_GROW(out->text, out->text_cap, out->text_len + len);
    memcpy(out->text + out->text_len, text, len);
    out->text_len += len;
    OY_GROW(out->start, out->start_cap, id + 2);
    out->start[id + 1] = out->text_len;
    OY_GROW(t->token_len, t->token_len_cap, id + 1);
    t->token_len[id] = n_symbol;
    out->n_token++;
    OY_ASSERT(out->n_token < INT32_MAX);
    return (uint32_t)id;
}

/* The id of the token with the text in t->text: a new one, or the old one,
 * which is as long as the symbols that now make it. */
static uint32_t find_or_add_token(struct trainer *t, uint32_t n_symbol)
{
    const uint64_t have =
        word_count_find(&t->by_text, t->text.data, t->text.len);

    if (!have)
        return add_token(t, t->text.data, t->text.len, n_symbol);
    t->token_len[have - 1] = n_symbol;
    return (uint32_t)(have - 1);
}

static void add_special_tokens(struct trainer *t)
{
    OY_GROW(t->out->start, t->out->start_cap, 1);
    t->out->start[0] = 0;
    for (size_t i = 0; i < t->options->n_special; i++) {
        oy_buffer_clear(&t->text);
        oy_buffer_append_string(&t->text, t->options->special[i]);
        find_or_add_token(t, 1);
    }
    t->out->n_special = t->out->n_token;
}

/* ---- the alphabet ---- */

/* The letter that stands for a byte: itself where it is printable Latin-1,
 * else the next one from U+0100 on (GPT-2, encoder.py, bytes_to_unicode). */
static uint32_t letter_of_byte(unsigned char byte)
{
    uint32_t n_before = 0;

    for (int b = 0; b <= byte; b++) {
        const int printable =
            (b >= 0x21 && b <= 0x7e) || (b >= 0xa1 && b <= 0xac) || b >= 0xae;

        if (b == byte)
            return printable ? byte : 0x100 + n_before;
        n_before += !printable;
    }
    return 0;
}

/* How words are read: code points, or bytes as letters. */
struct alphabet {
    int by_character;
    uint32_t letter[256];
    uint64_t *count; /* [code point] */
    uint32_t *id;    /* [code point] id + 1, or 0: not in the alphabet */
};

static void alphabet_init(struct alphabet *alphabet, int by_character)
{
    alphabet->by_character = by_character;
    for (int b = 0; b < 256; b++)
        alphabet->letter[b] = letter_of_byte((unsigned char)b);
    alphabet->count = oy_calloc(N_CODE_POINT, sizeof *alphabet->count);
    alphabet->id = oy_calloc(N_CODE_POINT, sizeof *alphabet->id);
}

static void alphabet_release(struct alphabet *alphabet)
{
    oy_free(alphabet->count);
    oy_free(alphabet->id);
}

static uint32_t next_letter(const struct alphabet *alphabet, const char *word,
                            size_t *at)
{
    if (alphabet->by_character)
        return oy_utf8_next(word, at);
    return alphabet->letter[(unsigned char)word[(*at)++]];
}

static void count_letters(struct alphabet *alphabet,
                          const struct bpe_train_options *options,
                          const struct word_count *words)
{
    const char *word;
    size_t at = 0, len;
    uint64_t count;

    while (word_count_next(words, &at, &word, &len, &count)) {
        for (size_t i = 0; i < len;)
            alphabet->count[next_letter(alphabet, word, &i)] += count;
    }
    for (int b = 0; options->initial_bytes && b < 256; b++)
        alphabet->count[alphabet->letter[b]] = UINT64_MAX;
}

struct letter {
    uint64_t count;
    uint32_t c;
};

/* Commonest first, then by code point. */
static int compare_letters(const void *left, const void *right)
{
    const struct letter *const a = left, *const b = right;

    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return a->c < b->c ? -1 : a->c > b->c;
}

/* Forgets all letters but the commonest. */
static void limit_letters(struct trainer *t, struct alphabet *alphabet)
{
    const size_t limit = t->options->limit_alphabet;
    struct letter *letter = NULL;
    size_t n = 0, cap = 0;

    for (uint32_t c = 0; c < N_CODE_POINT; c++) {
        if (!alphabet->count[c])
            continue;
        OY_GROW(letter, cap, n + 1);
        letter[n++] = (struct letter){alphabet->count[c], c};
    }
    if (n > limit) {
        qsort(letter, n, sizeof *letter, compare_letters);
        for (size_t i = limit; i < n; i++)
            alphabet->count[letter[i].c] = 0;
        t->out->tie_was_cut =
            limit > 0 && letter[limit - 1].count == letter[limit].count;
    }
    oy_free(letter);
}

static void add_letters(struct trainer *t, struct alphabet *alphabet)
{
    for (uint32_t c = 0; c < N_CODE_POINT; c++) {
        if (!alphabet->count[c])
            continue;
        oy_buffer_clear(&t->text);
        t->text.len = oy_utf8_put(oy_buffer_reserve(&t->text, 4), c);
        alphabet->id[c] = find_or_add_token(t, 1) + 1;
    }
}

/* ---- words as ids ---- */

static void add_word(struct corpus *corpus, const struct alphabet *alphabet,
                     const char *word, size_t len, uint64_t count)
{
    const size_t start = corpus->n_symbol;

    OY_GROW(corpus->symbol, corpus->symbol_cap, start + len);
    for (size_t i = 0; i < len;) {
        const uint32_t id = alphabet->id[next_letter(alphabet, word, &i)];

        if (id)
            corpus->symbol[corpus->n_symbol++] = id - 1;
    }
    if (corpus->n_symbol - start < 2) {
        corpus->n_symbol = start;
        return;
    }
    OY_GROW(corpus->word, corpus->word_cap, corpus->n_word + 1);
    corpus->word[corpus->n_word++] = (struct word){
        .start = start,
        .len = corpus->n_symbol - start,
        .count = (int64_t)count,
    };
    OY_ASSERT(corpus->n_word < UINT32_MAX);
}

static void prepare_words(struct trainer *t, const struct word_count *words)
{
    struct alphabet alphabet;
    const char *word;
    size_t at = 0, len;
    uint64_t count;

    alphabet_init(&alphabet, t->options->by_character);
    count_letters(&alphabet, t->options, words);
    if (t->options->limits_alphabet)
        limit_letters(t, &alphabet);
    add_letters(t, &alphabet);
    while (word_count_next(words, &at, &word, &len, &count))
        add_word(&t->corpus, &alphabet, word, len, count);
    alphabet_release(&alphabet);
}

/* ---- all pairs of the words as they stand ---- */

/* Only pairs of at least `least` are in the table and in the queue: most are
 * rarer and are never merged. When the queue runs dry the bar is lowered and
 * the words are read anew. Counting positions anew gives what adding up the
 * steps gave, since a pair that was merged has none left. */

/* A pair, while its words are counted and then listed. */
struct found_pair {
    struct pair_entry entry;
    uint32_t last_word; /* plus one */
};

struct found_pairs {
    struct found_pair *pair;
    size_t n, cap;
};

static int is_short_enough(const struct trainer *t, uint32_t left,
                           uint32_t right)
{
    const size_t longest = t->options->max_token_length;
    const size_t len = t->token_len[left] + t->token_len[right];

    return !longest || len < longest || len == 2;
}

static void count_pair(struct trainer *t, struct found_pairs *found,
                       uint64_t key, size_t w)
{
    int64_t *const number = pair_table_at(&t->pairs, key);

    if (!*number) {
        OY_GROW(found->pair, found->cap, found->n + 1);
        found->pair[found->n++] = (struct found_pair){.entry.key = key};
        *number = (int64_t)found->n;
    }
    struct found_pair *const pair = &found->pair[*number - 1];

    pair->entry.count += t->corpus.word[w].count;
    pair->entry.n_words += pair->last_word != w + 1;
    pair->last_word = (uint32_t)w + 1;
}

/* In this stage the table's counts are numbers in `found`, plus one. */
static void count_pairs(struct trainer *t, struct found_pairs *found)
{
    for (size_t w = 0; w < t->corpus.n_word; w++) {
        const struct word *const word = &t->corpus.word[w];
        const uint32_t *const symbol = t->corpus.symbol + word->start;

        for (size_t i = 0; i + 1 < word->len; i++) {
            if (is_short_enough(t, symbol[i], symbol[i + 1]))
                count_pair(t, found, pair_key(symbol[i], symbol[i + 1]), w);
        }
    }
}

static void list_word(struct trainer *t, struct found_pairs *found,
                      uint64_t key, size_t w)
{
    const int64_t *const number = pair_table_find(&t->pairs, key);

    if (!number)
        return;
    struct found_pair *const pair = &found->pair[*number - 1];

    if (pair->entry.count < t->least || pair->last_word == w + 1)
        return;
    t->list[pair->entry.list++] = (uint32_t)w;
    pair->last_word = (uint32_t)w + 1;
}

static void list_words(struct trainer *t, struct found_pairs *found)
{
    t->n_list = 0;
    for (size_t i = 0; i < found->n; i++) {
        struct found_pair *const pair = &found->pair[i];

        pair->last_word = 0;
        pair->entry.list = t->n_list;
        if (pair->entry.count >= t->least)
            t->n_list += pair->entry.n_words;
    }
    OY_GROW(t->list, t->list_cap, t->n_list);
    for (size_t w = 0; w < t->corpus.n_word; w++) {
        const struct word *const word = &t->corpus.word[w];
        const uint32_t *const symbol = t->corpus.symbol + word->start;

        for (size_t i = 0; i + 1 < word->len; i++)
            list_word(t, found, pair_key(symbol[i], symbol[i + 1]), w);
    }
}

/* Pairs below this are never merged. */
static int64_t lowest_bar(const struct trainer *t)
{
    return t->options->min_frequency > 1 ? t->options->min_frequency : 1;
}

/* The count of the n-th merge is about that of the first, divided by n (Zipf);
 * half of that for safety. A bad guess costs time, nothing else. */
static int64_t first_bar(const struct trainer *t,
                         const struct found_pairs *found)
{
    const size_t n_token = t->out->n_token;
    const size_t n_wanted =
        t->options->vocab_size > n_token ? t->options->vocab_size - n_token : 1;
    int64_t most = 0;

    for (size_t i = 0; i < found->n; i++) {
        if (found->pair[i].entry.count > most)
            most = found->pair[i].entry.count;
    }
    const int64_t bar = most / (int64_t)n_wanted / 2;

    return bar > lowest_bar(t) ? bar : lowest_bar(t);
}

/* Fills table, queue and lists. */
static void find_pairs(struct trainer *t)
{
    struct found_pairs found = {0};

    pair_table_release(&t->pairs);
    pair_queue_release(&t->queue);
    count_pairs(t, &found);
    if (!t->least)
        t->least = first_bar(t, &found);
    list_words(t, &found);
    pair_table_release(&t->pairs);
    for (size_t i = 0; i < found.n; i++) {
        struct pair_entry *const entry = &found.pair[i].entry;

        if (entry->count < t->least)
            continue;
        entry->list -= entry->n_words;
        *pair_table_at(&t->pairs, entry->key) = entry->count;
        pair_queue_push(&t->queue, entry);
    }
    oy_free(found.pair);
}

/* ---- one merge ---- */

struct merge {
    uint32_t left, right, made;
    size_t room; /* neighbours must be shorter than this, or 0: any */
};

/* The neighbour's entry for this step. */
static struct neighbour *touch(struct trainer *t, uint32_t id, int side)
{
    const uint32_t at = id << 1 | (uint32_t)side;
    struct neighbour *const neighbour = &t->neighbour[at];

    if (!neighbour->touched) {
        neighbour->touched = 1;
        OY_GROW(t->touched, t->touched_cap, t->n_touched + 1);
        t->touched[t->n_touched++] = at;
    }
    return neighbour;
}

static void meet(struct trainer *t, const struct merge *merge, uint32_t id,
                 int side, uint32_t w)
{
    struct neighbour *const neighbour = touch(t, id, side);
    const int64_t count = t->corpus.word[w].count;

    neighbour->lost += count;
    if (merge->room && t->token_len[id] >= merge->room)
        return;
    neighbour->won += count;
    if (neighbour->last_word == w + 1)
        return;
    neighbour->last_word = w + 1;
    neighbour->n_words++;
    OY_GROW(t->posting, t->posting_cap, t->n_posting + 1);
    t->posting[t->n_posting++] = (struct posting){id << 1 | (uint32_t)side, w};
}

/* Replaces the pair in one word, from the left. The left neighbour is the one
 * already made, the right one as it stood. */
static void merge_in_word(struct trainer *t, const struct merge *merge,
                          uint32_t w)
{
    struct word *const word = &t->corpus.word[w];
    uint32_t *const symbol = t->corpus.symbol + word->start;
    const size_t len = word->len;
    size_t out = 0;

    for (size_t i = 0; i < len; i++) {
        if (symbol[i] != merge->left || i + 1 == len ||
            symbol[i + 1] != merge->right) {
            symbol[out++] = symbol[i];
            continue;
        }
        if (out > 0)
            meet(t, merge, symbol[out - 1], LEFT, w);
        if (i + 2 < len)
            meet(t, merge, symbol[i + 2], RIGHT, w);
        symbol[out++] = merge->made;
        i++;
    }
    word->len = out;
}

static uint64_t lost_key(const struct merge *merge, uint32_t at)
{
    return (at & 1) == LEFT ? pair_key(at >> 1, merge->left)
                            : pair_key(merge->right, at >> 1);
}

static uint64_t won_key(const struct merge *merge, uint32_t at)
{
    return (at & 1) == LEFT ? pair_key(at >> 1, merge->made)
                            : pair_key(merge->made, at >> 1);
}

/* First all that is won, then all that is lost: a pair (made, left) may be
 * both, in `left right left right`. */
static void settle_counts(struct trainer *t, const struct merge *merge)
{
    for (size_t i = 0; i < t->n_touched; i++) {
        const struct neighbour *const neighbour = &t->neighbour[t->touched[i]];

        if (neighbour->won >= t->least)
            *pair_table_at(&t->pairs, won_key(merge, t->touched[i])) +=
                neighbour->won;
    }
    for (size_t i = 0; i < t->n_touched; i++) {
        int64_t *const count =
            pair_table_find(&t->pairs, lost_key(merge, t->touched[i]));

        if (count)
            *count -= t->neighbour[t->touched[i]].lost;
    }
}

/* Lays out the word lists of the pairs that were won and queues them. */
static void queue_won_pairs(struct trainer *t, const struct merge *merge)
{
    for (size_t i = 0; i < t->n_touched; i++) {
        const uint32_t at = t->touched[i];
        struct neighbour *const neighbour = &t->neighbour[at];
        const uint64_t key = won_key(merge, at);
        const int64_t count =
            neighbour->won >= t->least ? *pair_table_find(&t->pairs, key) : 0;

        neighbour->list = SIZE_MAX;
        if (count < t->least)
            continue;
        neighbour->list = t->n_list;
        t->n_list += neighbour->n_words;
        pair_queue_push(&t->queue,
                        &(struct pair_entry){.key = key,
                                             .count = count,
                                             .list = neighbour->list,
                                             .n_words = neighbour->n_words});
    }
    OY_GROW(t->list, t->list_cap, t->n_list);
    for (size_t i = 0; i < t->n_posting; i++) {
        const struct posting *const posting = &t->posting[i];
        size_t *const list = &t->neighbour[posting->neighbour].list;

        if (*list != SIZE_MAX)
            t->list[(*list)++] = posting->word;
    }
}

static void forget_step(struct trainer *t)
{
    for (size_t i = 0; i < t->n_touched; i++)
        t->neighbour[t->touched[i]] = (struct neighbour){0};
    t->n_touched = 0;
    t->n_posting = 0;
}

/* The id of the pair's text, new or old; notes the merge. */
static uint32_t make_token(struct trainer *t, uint32_t left, uint32_t right)
{
    struct bpe_trained *const out = t->out;
    const uint32_t part[2] = {left, right};

    oy_buffer_clear(&t->text);
    for (int i = 0; i < 2; i++) {
        const size_t start = out->start[part[i]];

        oy_buffer_append(&t->text, out->text + start,
                         out->start[part[i] + 1] - start);
    }
    OY_GROW(out->merge, out->merge_cap, out->n_merge + 1);
    memcpy(out->merge[out->n_merge++], part, sizeof part);
    return find_or_add_token(t, t->token_len[left] + t->token_len[right]);
}

static void make_room_for_neighbours(struct trainer *t)
{
    const size_t n_old = t->neighbour_cap;

    OY_GROW(t->neighbour, t->neighbour_cap, t->out->n_token * 2);
    memset(t->neighbour + n_old, 0,
           (t->neighbour_cap - n_old) * sizeof *t->neighbour);
}

/* Merges in all words of a list. They lie anywhere in memory: what the next
 * ones need is asked for in time. */
static void merge_in_words(struct trainer *t, const struct merge *merge,
                           const struct pair_entry *entry)
{
    enum { AHEAD = 8 };
    const uint32_t *const list = t->list + entry->list;
    const struct corpus *const corpus = &t->corpus;

    for (uint32_t i = 0; i < entry->n_words; i++) {
        if (i + 2 * AHEAD < entry->n_words)
            __builtin_prefetch(&corpus->word[list[i + 2 * AHEAD]]);
        if (i + AHEAD < entry->n_words)
            __builtin_prefetch(corpus->symbol +
                               corpus->word[list[i + AHEAD]].start);
        merge_in_word(t, merge, list[i]);
    }
}

static void merge_pair(struct trainer *t, const struct pair_entry *entry)
{
    const size_t longest = t->options->max_token_length;
    struct merge merge = {.left = (uint32_t)(entry->key >> 32),
                          .right = (uint32_t)entry->key};

    merge.made = make_token(t, merge.left, merge.right);
    /* Two parts must be shorter than `longest` together. */
    const size_t made_len =
        t->token_len[merge.left] + t->token_len[merge.right];

    if (longest)
        merge.room = longest > made_len ? longest - made_len : 1;
    make_room_for_neighbours(t);
    merge_in_words(t, &merge, entry);
    settle_counts(t, &merge);
    queue_won_pairs(t, &merge);
    forget_step(t);
}

/* Merges until the vocabulary is full or no pair is left above the bar. */
static void merge_down_to_bar(struct trainer *t)
{
    struct pair_entry entry;

    while (t->out->n_token < t->options->vocab_size &&
           pair_queue_pop(&t->queue, &entry)) {
        const int64_t count = *pair_table_find(&t->pairs, entry.key);

        if (count == entry.count) {
            merge_pair(t, &entry);
            continue;
        }
        entry.count = count;
        if (count >= t->least)
            pair_queue_push(&t->queue, &entry);
    }
}

static void merge_all(struct trainer *t)
{
    const int64_t lowest = lowest_bar(t);

    find_pairs(t);
    merge_down_to_bar(t);
    while (t->out->n_token < t->options->vocab_size && t->least > lowest) {
        t->least = t->least / 16 > lowest ? t->least / 16 : lowest;
        find_pairs(t);
        merge_down_to_bar(t);
    }
}

void bpe_train(const struct bpe_train_options *options,
               struct word_count *words, struct bpe_trained *trained)
{
    struct trainer t = {.options = options, .out = trained};

    add_special_tokens(&t);
    prepare_words(&t, words);
    word_count_release(words);
    merge_all(&t);
    word_count_release(&t.by_text);
    oy_buffer_release(&t.text);
    oy_free(t.token_len);
    oy_free(t.corpus.symbol);
    oy_free(t.corpus.word);
    pair_table_release(&t.pairs);
    pair_queue_release(&t.queue);
    oy_free(t.list);
    oy_free(t.neighbour);
    oy_free(t.touched);
    oy_free(t.posting);
}

void bpe_trained_release(struct bpe_trained *trained)
{
    oy_free(trained->text);
    oy_free(trained->start);
    oy_free(trained->merge);
    *trained = (struct bpe_trained){0};
}
