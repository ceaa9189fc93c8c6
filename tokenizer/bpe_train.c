/* SPDX-License-Identifier: Apache-2.0
 *
 * Training of byte-pair merges from counted words.
 */
#include "tokenizer/bpe_train.h"

#include <malloc.h>
#include <string.h>

#include "core/alloc.h"
#include "tokenizer/bpe_alphabet.h"
#include "tokenizer/bpe_corpus.h"
#include "tokenizer/bpe_pairs.h"
#include "tokenizer/bpe_step.h"

enum {
    /* Lists of so many words are worth more than one thread. */
    LONG_LIST = 2048,
    LONG_WORD = 1024,
    AT_ONCE = 256, /* neighbours whose counts are asked for together */
};

struct trainer {
    const struct bpe_train_options *options;
    struct bpe_trained *out;
    struct word_count by_text; /* token -> id + 1 */
    struct oy_buffer text;     /* of the token that is being made */
    uint32_t *token_len;       /* [n_token] in symbols */
    size_t token_len_cap;

    struct bpe_corpus corpus;
    struct bpe_pairs pairs;

    struct bpe_lane *lane; /* [n_lane], one a thread */
    size_t n_lane;
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

/* ---- words as ids ---- */

/* What the words take. */
struct extent {
    uint64_t n_word, n_symbol;
    size_t longest;
    uint64_t n_long, n_long_symbol; /* of words of more than LONG_WORD bytes */
};

static int count_letters(const struct bpe_train_options *options,
                         struct bpe_alphabet *alphabet,
                         struct word_store *words, struct extent *extent,
                         struct oy_error *err)
{
    /* All bytes come in, as the commonest letters, however often they were
     * seen. */
    const int is_known = options->initial_bytes && !options->by_character;
    struct word_entry word;
    int rc;

    if (word_store_begin(words, 0, err))
        return -1;
    while ((rc = word_store_next(words, &word, err)) > 0) {
        const size_t n =
            is_known ? word.len : bpe_alphabet_count(alphabet, &word);

        extent->n_word++;
        extent->n_symbol += n;
        extent->longest = n > extent->longest ? n : extent->longest;
        if (word.len > LONG_WORD) {
            extent->n_long++;
            extent->n_long_symbol += n;
        }
    }
    if (options->initial_bytes)
        bpe_alphabet_add_bytes(alphabet);
    return rc;
}

static void add_letters(struct trainer *t, struct bpe_alphabet *alphabet)
{
    for (uint32_t c = 0; c < alphabet->n_letter; c++) {
        if (!alphabet->count[c])
            continue;
        oy_buffer_clear(&t->text);
        t->text.len = oy_utf8_put(oy_buffer_reserve(&t->text, 4), c);
        alphabet->id[c] = find_or_add_token(t, 1) + 1;
    }
    /* A letter that was limited away stays in its words when it is a special
     * token: the peer looks letters up by their text. */
    for (size_t id = 0; id < t->out->n_special; id++) {
        const struct oy_text text = bpe_trained_token(t->out, id);
        size_t len = 0;
        const uint32_t c = oy_utf8_next(text.at, &len);

        if (len == text.len && c < alphabet->n_letter)
            alphabet->id[c] = (uint32_t)id + 1;
    }
}

static void add_word(struct bpe_corpus *corpus,
                     const struct bpe_alphabet *alphabet,
                     const struct word_entry *word, uint32_t *symbol)
{
    size_t n = 0;

    for (size_t i = 0; i < word->len;) {
        const uint32_t id =
            alphabet->id[bpe_next_letter(alphabet, word->at, &i)];

        if (id)
            symbol[n++] = id - 1;
    }
    if (n > 1)
        bpe_corpus_add(corpus, symbol, n, word->count);
}

/* The words must fit, and beside them a list of all of them (that of a pair
 * that is in every word) and the longest one while it is read. */
static int make_room(struct trainer *t, const struct extent *extent,
                     struct oy_error *err)
{
    const struct bpe_train_options *const o = t->options;
    const size_t n_id =
        o->vocab_size > t->out->n_token ? o->vocab_size : t->out->n_token;
    const int is_wide = n_id > BPE_NARROW_IDS;
    const uint64_t size =
        bpe_corpus_size(extent->n_word, extent->n_symbol, is_wide);
    const uint64_t list = extent->n_word * sizeof *t->pairs.list +
                          extent->longest * sizeof(uint32_t);

    t->out->words_size = size;
    if (extent->n_long_symbol > extent->n_symbol / 2)
        t->out->n_long_word = extent->n_long;
    if (o->memory && size + list > o->memory)
        return oy_fail(err, OY_SYSTEM,
                       "%llu distinct words need %.1f MiB to be trained on, "
                       "and --memory leaves %.1f: give more, or fewer words "
                       "(--counts writes them: leave the rarest out)",
                       (unsigned long long)extent->n_word,
                       (double)(size + list) / (1 << 20),
                       (double)o->memory / (1 << 20));
    t->pairs.room = o->memory ? o->memory - size : 0;
    return bpe_corpus_init(&t->corpus, extent->n_word, extent->n_symbol,
                           is_wide, err);
}

static int read_words(struct trainer *t, const struct bpe_alphabet *alphabet,
                      struct word_store *words, const struct extent *extent,
                      struct oy_error *err)
{
    uint32_t *const symbol = oy_alloc_array(extent->longest, sizeof *symbol);
    struct word_entry word;
    int rc = word_store_begin(words, 0, err);

    while (!rc && (rc = word_store_next(words, &word, err)) > 0) {
        add_word(&t->corpus, alphabet, &word, symbol);
        rc = 0;
    }
    oy_free(symbol);
    return rc;
}

static int prepare_words(struct trainer *t, struct word_store *words,
                         struct oy_error *err)
{
    struct bpe_alphabet alphabet = {0};
    struct extent extent = {0};
    int rc = -1;

    bpe_alphabet_init(&alphabet, t->options->by_character);
    if (count_letters(t->options, &alphabet, words, &extent, err))
        goto out;
    if (t->options->limits_alphabet)
        t->out->tie_was_cut =
            bpe_alphabet_limit(&alphabet, t->options->limit_alphabet);
    add_letters(t, &alphabet);
    if (make_room(t, &extent, err) ||
        read_words(t, &alphabet, words, &extent, err))
        goto out;
    rc = 0;
out:
    bpe_alphabet_release(&alphabet);
    return rc;
}

/* ---- pairs ---- */

/* Pairs below this are never merged. */
static int64_t lowest_bar(const struct trainer *t)
{
    return t->options->min_frequency > 1 ? t->options->min_frequency : 1;
}

static int is_done(const struct trainer *t)
{
    return t->out->n_token >= t->options->vocab_size;
}

static void find_pairs(struct trainer *t)
{
    const size_t n_token = t->out->n_token;

    bpe_pairs_find(&t->pairs, &t->corpus,
                   &(struct bpe_pair_rules){
                       .n_token = n_token,
                       .token_len = t->token_len,
                       .longest = t->options->max_token_length,
                       .n_wanted = t->options->vocab_size - n_token,
                       .lowest = lowest_bar(t),
                   });
}

/* ---- one merge ---- */

static uint64_t lost_key(const struct bpe_merge *merge, uint32_t at)
{
    return (at & 1) == BPE_LEFT ? pair_key(at >> 1, merge->left)
                                : pair_key(merge->right, at >> 1);
}

static uint64_t won_key(const struct bpe_merge *merge, uint32_t at)
{
    return (at & 1) == BPE_LEFT ? pair_key(at >> 1, merge->made)
                                : pair_key(merge->made, at >> 1);
}

/* The places of the next counts are asked for before any is needed: a portion
 * whose lines fit into the first cache. */
static void prefetch_counts(const struct trainer *t,
                            const struct bpe_merge *merge, size_t first)
{
    const struct bpe_lane *const lane = &t->lane[0];
    const size_t end =
        lane->n_met - first < AT_ONCE ? lane->n_met : first + AT_ONCE;

    for (size_t i = first; i < end; i++) {
        const uint32_t at = lane->met[i];

        pair_table_prefetch(&t->pairs.count, lost_key(merge, at));
        if (lane->neighbour[at].won >= t->pairs.least)
            pair_table_prefetch(&t->pairs.count, won_key(merge, at));
    }
}

/* First all that is won, then all that is lost: a pair (made, left) may be
 * both, in `left right left right`. */
static void settle_counts(struct trainer *t, const struct bpe_merge *merge)
{
    const struct bpe_lane *const lane = &t->lane[0];

    for (size_t i = 0; i < lane->n_met; i++) {
        if (i % AT_ONCE == 0)
            prefetch_counts(t, merge, i);
        const int64_t won = lane->neighbour[lane->met[i]].won;

        if (won >= t->pairs.least)
            *pair_table_at(&t->pairs.count, won_key(merge, lane->met[i])) +=
                won;
    }
    for (size_t i = 0; i < lane->n_met; i++) {
        int64_t *const count =
            pair_table_find(&t->pairs.count, lost_key(merge, lane->met[i]));

        if (count)
            *count -= lane->neighbour[lane->met[i]].lost;
    }
}

/* Queues the pairs that were won and gives each its place for a list. */
static void queue_won_pairs(struct trainer *t, const struct bpe_merge *merge)
{
    const struct bpe_lane *const lane = &t->lane[0];

    for (size_t i = 0; i < lane->n_met; i++) {
        const uint32_t at = lane->met[i];
        struct bpe_neighbour *const neighbour = &lane->neighbour[at];
        const uint64_t key = won_key(merge, at);
        const int64_t count = neighbour->won >= t->pairs.least
                                  ? *pair_table_find(&t->pairs.count, key)
                                  : 0;

        neighbour->list = SIZE_MAX;
        if (count < t->pairs.least)
            continue;
        neighbour->list = t->pairs.n_list;
        t->pairs.n_list += neighbour->n_words;
        pair_queue_push(&t->pairs.queue,
                        &(struct pair_entry){.key = key,
                                             .count = count,
                                             .list = neighbour->list,
                                             .n_words = neighbour->n_words});
    }
    OY_GROW(t->pairs.list, t->pairs.list_cap, t->pairs.n_list);
}

static void list_won_pairs(struct trainer *t, size_t n_lane)
{
    for (size_t l = 0; l < n_lane; l++) {
        const struct bpe_lane *const lane = &t->lane[l];

        for (size_t i = 0; i < lane->n_posting; i++) {
            const struct bpe_posting *const posting = &lane->posting[i];
            size_t *const list = &t->lane[0].neighbour[posting->at].list;

            if (*list != SIZE_MAX)
                t->pairs.list[(*list)++] = posting->word;
        }
    }
}

/* The id of the pair's text, new or old; notes the merge. */
static uint32_t make_token(struct trainer *t, uint32_t left, uint32_t right)
{
    struct bpe_trained *const out = t->out;
    const uint32_t part[2] = {left, right};

    oy_buffer_clear(&t->text);
    for (int i = 0; i < 2; i++) {
        const struct oy_text text = bpe_trained_token(out, part[i]);

        oy_buffer_append(&t->text, text.at, text.len);
    }
    OY_GROW(out->merge, out->merge_cap, out->n_merge + 1);
    memcpy(out->merge[out->n_merge++], part, sizeof part);
    return find_or_add_token(t, t->token_len[left] + t->token_len[right]);
}

/* A list that several threads share, each a part of it. */
struct shared_list {
    struct trainer *trainer;
    const struct bpe_merge *merge;
    const uint32_t *list;
    size_t n;
};

/* Lists ascend. Each part is of one stretch of the corpus, the same in every
 * merge, so that its words stay in one processor's cache. */
static size_t begin_of_part(const struct shared_list *shared, size_t part)
{
    const struct trainer *const t = shared->trainer;
    const size_t border = t->corpus.n_unit * part / t->n_lane;
    size_t low = 0, high = shared->n;

    while (low < high) {
        const size_t at = (low + high) / 2;

        if (shared->list[at] < border)
            low = at + 1;
        else
            high = at;
    }
    return low;
}

static void merge_part(void *arg, size_t tile, int worker)
{
    const struct shared_list *const shared = arg;
    struct trainer *const t = shared->trainer;
    const size_t first = begin_of_part(shared, tile);
    const size_t end = begin_of_part(shared, tile + 1);

    (void)worker;
    bpe_lane_reserve(&t->lane[tile], t->out->n_token);
    bpe_lane_merge(&t->lane[tile], shared->merge, &t->corpus,
                   shared->list + first, end - first);
}

/* Merges in the words of the pair; returns how many lanes took part. */
static size_t merge_in_words(struct trainer *t, const struct bpe_merge *merge,
                             const struct pair_entry *entry)
{
    struct shared_list shared = {
        .trainer = t,
        .merge = merge,
        .list = t->pairs.list + entry->list,
        .n = entry->n_words,
    };

    if (t->n_lane == 1 || shared.n < LONG_LIST) {
        bpe_lane_reserve(&t->lane[0], t->out->n_token);
        bpe_lane_merge(&t->lane[0], merge, &t->corpus, shared.list, shared.n);
        return 1;
    }
    oy_pool_run(t->options->pool, t->n_lane, merge_part, &shared);
    for (size_t i = 1; i < t->n_lane; i++)
        bpe_lane_join(&t->lane[0], &t->lane[i]);
    return t->n_lane;
}

static void merge_pair(struct trainer *t, const struct pair_entry *entry)
{
    const size_t longest = t->options->max_token_length;
    struct bpe_merge merge = {.left = (uint32_t)(entry->key >> 32),
                              .right = (uint32_t)entry->key};

    merge.made = make_token(t, merge.left, merge.right);
    merge.token_len = t->token_len;
    /* Two parts must be shorter than `longest` together. */
    const size_t made_len =
        t->token_len[merge.left] + t->token_len[merge.right];

    if (longest)
        merge.room = longest > made_len ? longest - made_len : 1;
    const size_t n_lane = merge_in_words(t, &merge, entry);

    settle_counts(t, &merge);
    queue_won_pairs(t, &merge);
    list_won_pairs(t, n_lane);
    for (size_t i = 0; i < n_lane; i++)
        bpe_lane_clear(&t->lane[i]);
    if (t->options->n_merged)
        atomic_store_explicit(t->options->n_merged, t->out->n_merge,
                              memory_order_relaxed);
}

/* Beyond its room, and so much that finding the pairs anew is worth it. */
static int has_outgrown(const struct trainer *t, uint64_t first_size)
{
    const uint64_t room = t->pairs.room;

    if (!room)
        return 0;
    const uint64_t size = bpe_pairs_size(&t->pairs);

    return size > room && size > 2 * first_size;
}

/* Merges until the vocabulary is full or no pair is left above the bar: 1; or
 * until they have outgrown their room: 0. */
static int merge_down_to_bar(struct trainer *t)
{
    const uint64_t first_size = bpe_pairs_size(&t->pairs);
    struct pair_entry entry;

    while (!is_done(t) && pair_queue_pop(&t->pairs.queue, &entry)) {
        const int64_t count = *pair_table_find(&t->pairs.count, entry.key);

        if (count == entry.count) {
            merge_pair(t, &entry);
            if (has_outgrown(t, first_size))
                return 0;
            continue;
        }
        entry.count = count;
        if (count >= t->pairs.least)
            pair_queue_push(&t->pairs.queue, &entry);
    }
    return 1;
}

static void merge_all(struct trainer *t)
{
    const int64_t lowest = lowest_bar(t);

    while (!is_done(t)) {
        find_pairs(t);
        const int is_dry = merge_down_to_bar(t);

        if (is_dry && t->pairs.least <= lowest)
            return;
        if (is_dry)
            t->pairs.least =
                t->pairs.least / 16 > lowest ? t->pairs.least / 16 : lowest;
    }
}

static void release(struct trainer *t)
{
    t->out->lists_size = t->pairs.list_cap * sizeof *t->pairs.list;
    word_count_release(&t->by_text);
    oy_buffer_release(&t->text);
    oy_free(t->token_len);
    bpe_corpus_release(&t->corpus);
    bpe_pairs_release(&t->pairs);
    for (size_t i = 0; i < t->n_lane; i++)
        bpe_lane_release(&t->lane[i]);
    oy_free(t->lane);
}

int bpe_train(const struct bpe_train_options *options, struct word_store *words,
              struct bpe_trained *trained, struct oy_error *err)
{
    struct trainer t = {
        .options = options, .out = trained, .pairs.pool = options->pool};

    t.n_lane = options->pool ? (size_t)oy_pool_size(options->pool) : 1;
    t.lane = oy_calloc(t.n_lane, sizeof *t.lane);
    add_special_tokens(&t);
    malloc_trim(0); /* what the counting gave back goes to the system */
    const int rc = prepare_words(&t, words, err);

    word_store_release(words);
    if (!rc)
        merge_all(&t);
    release(&t);
    return rc;
}

struct oy_text bpe_trained_token(const struct bpe_trained *trained, size_t id)
{
    const size_t start = trained->start[id];

    return (struct oy_text){trained->text + start,
                            trained->start[id + 1] - start};
}

void bpe_trained_release(struct bpe_trained *trained)
{
    oy_free(trained->text);
    oy_free(trained->start);
    oy_free(trained->merge);
    *trained = (struct bpe_trained){0};
}
