/* SPDX-License-Identifier: Apache-2.0
 *
 * All words of a corpus and their counts, in memory or on disk.
 */
#include "tokenizer/word_store.h"

#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/hash.h"
#include "core/spool.h"

/* With a journal a run is written after so much text at the latest: what a
 * kill may cost. */
static const uint64_t RUN_TEXT = 256 << 20;

/* Half of the budget is for the tallies; the rest is for what else the
 * program holds, and for sorting. */
static uint64_t tally_limit(const struct word_store *store)
{
    const struct word_store_options *const o = &store->options;

    return o->memory ? o->memory / 2 / (uint64_t)o->n_thread : UINT64_MAX;
}

static void add_run(struct word_store *store, const struct word_run *run)
{
    OY_GROW(store->run, store->run_cap, store->n_run + 1);
    store->run[store->n_run++] = *run;
}

void word_store_init(struct word_store *store,
                     const struct word_store_options *options)
{
    *store = (struct word_store){.options = *options};
    pthread_mutex_init(&store->lock, NULL);
    store->has_lock = 1;
    for (int b = 0; options->rank && b < 256; b++)
        store->byte[options->rank[b]] = (unsigned char)b;
    if (!options->journal)
        return;
    const size_t n = word_journal_count(options->journal);

    for (size_t i = 0; i < n; i++)
        add_run(store, word_journal_run(options->journal, i));
    store->n_again = n;
    store->again = oy_calloc(n + 1, sizeof *store->again);
}

static void close_files(struct word_store *store, size_t n)
{
    for (size_t i = 0; i < n; i++)
        close(store->fd[i]);
    store->n_fd -= n;
    memmove(store->fd, store->fd + n, store->n_fd * sizeof *store->fd);
}

void word_store_release(struct word_store *store)
{
    word_merger_release(&store->merger);
    word_count_release(&store->table);
    oy_buffer_release(&store->text);
    if (store->n_fd)
        close_files(store, store->n_fd);
    if (store->has_lock)
        pthread_mutex_destroy(&store->lock);
    oy_free(store->fd);
    oy_free(store->run);
    oy_free(store->order);
    oy_free(store->again);
    *store = (struct word_store){0};
}

/* A new temporary file of the store's; -1. */
static int new_file(struct word_store *store, struct oy_error *err)
{
    const int fd = oy_spool_file(oy_spool_folder(store->options.tmpdir), err);

    if (fd < 0)
        return -1;
    OY_GROW(store->fd, store->fd_cap, store->n_fd + 1);
    store->fd[store->n_fd++] = fd;
    return fd;
}

/* ---- tallies ---- */

void word_tally_init(struct word_tally *tally, struct word_store *store)
{
    *tally = (struct word_tally){.store = store, .fd = -1};
    if (store->options.journal)
        tally->again = oy_calloc(word_journal_count(store->options.journal) + 1,
                                 sizeof *tally->again);
}

void word_tally_release(struct word_tally *tally)
{
    word_count_release(&tally->words);
    word_cover_release(&tally->cover);
    oy_free(tally->again);
    *tally = (struct word_tally){.fd = -1};
}

static int open_file(struct word_tally *tally, struct oy_error *err)
{
    struct word_store *const store = tally->store;

    if (store->options.journal) {
        tally->fd =
            word_journal_new_part(store->options.journal, &tally->part, err);
    } else {
        pthread_mutex_lock(&store->lock);
        tally->fd = new_file(store, err);
        pthread_mutex_unlock(&store->lock);
    }
    return tally->fd < 0 ? -1 : 0;
}

/* Its words as a run. */
static int spill(struct word_tally *tally, struct oy_error *err)
{
    struct word_store *const store = tally->store;
    struct word_run run;

    if ((tally->fd < 0 && open_file(tally, err)) ||
        word_run_write(&tally->words, store->options.rank, tally->fd, tally->at,
                       &run, err))
        return -1;
    if (store->options.journal &&
        word_journal_add(store->options.journal, tally->part, &run,
                         &tally->cover, err))
        return -1;
    tally->at += run.size;
    tally->n_byte = 0;
    word_count_clear(&tally->words);
    word_cover_clear(&tally->cover);
    pthread_mutex_lock(&store->lock);
    add_run(store, &run);
    store->n_spilled++;
    pthread_mutex_unlock(&store->lock);
    return 0;
}

static int is_full(const struct word_tally *tally, size_t more)
{
    const struct word_store *const store = tally->store;

    return store->options.memory &&
           word_count_is_full(&tally->words, more, tally_limit(store));
}

int word_tally_begin(struct word_tally *tally, uint64_t number,
                     struct oy_text text, uint64_t count, struct oy_error *err)
{
    const struct word_journal *const journal = tally->store->options.journal;

    if (!journal)
        return 0;
    const uint64_t hash = oy_hash64(text.at, text.len) + count;
    const int64_t run = word_journal_find(journal, number);

    if (run >= 0) {
        word_digest_add(&tally->again[run], number, hash);
        return 1;
    }
    /* About one word in eight bytes is new to a table that is not large. */
    if ((is_full(tally, text.len / 8) || tally->n_byte >= RUN_TEXT) &&
        spill(tally, err))
        return -1;
    tally->n_byte += text.len;
    word_cover_add(&tally->cover, number, hash);
    return 0;
}

int word_tally_make_room(struct word_tally *tally, size_t more,
                         struct oy_error *err)
{
    if (tally->store->options.journal || !is_full(tally, more))
        return 0;
    return spill(tally, err);
}

/* Sums of counts stay below 2^63, so that no count of a pair overflows. */
static int add_symbols(uint64_t *sum, uint64_t more, struct oy_error *err)
{
    if (__builtin_add_overflow(*sum, more, sum) || *sum > INT64_MAX)
        return oy_fail(err, OY_DATA, "counts add up to more than 2^63");
    return 0;
}

int word_tally_add(struct word_tally *tally, const char *word, size_t len,
                   uint64_t count, struct oy_error *err)
{
    uint64_t n_symbol;

    if (__builtin_mul_overflow(count, len, &n_symbol))
        n_symbol = UINT64_MAX;
    if (add_symbols(&tally->n_symbol, n_symbol, err))
        return -1;
    word_count_add(&tally->words, word, len, count);
    return 0;
}

/* Whether the words of all tallies are too many to be added up in memory. */
static int spills_at_the_end(const struct word_tally *tally)
{
    const struct word_store *const store = tally->store;
    const uint64_t size =
        word_count_bytes(&store->table) + word_count_bytes(&tally->words);

    return store->options.journal || store->n_run ||
           (store->options.memory && size > store->options.memory / 4);
}

int word_tally_close(struct word_tally *tally, struct oy_error *err)
{
    struct word_store *const store = tally->store;
    const struct word_count none = {0};

    if (add_symbols(&store->n_symbol, tally->n_symbol, err))
        return -1;
    for (size_t i = 0; store->again && i < store->n_again; i++) {
        store->again[i].n_record += tally->again[i].n_record;
        store->again[i].sum += tally->again[i].sum;
    }
    if (!tally->words.n_word && !tally->cover.digest.n_record)
        return 0;
    if (spills_at_the_end(tally)) {
        const int rc = spill(tally, err);

        word_count_release(&tally->words);
        return rc;
    }
    if (store->table.n_word) {
        word_count_merge(&store->table, &tally->words);
        return 0;
    }
    word_count_release(&store->table);
    store->table = tally->words;
    tally->words = none;
    return 0;
}

/* ---- merging ---- */

static int merge_runs(struct word_store *store, const struct word_run *from,
                      size_t n_from, struct word_run *to, struct oy_error *err)
{
    struct word_merger merger = {0};
    struct word_writer writer = {0};
    const int fd = new_file(store, err);
    int rc = -1;

    if (fd < 0)
        return -1;
    word_writer_init(&writer, fd, 0);
    if (word_merger_init(&merger, from, n_from, err))
        goto out;
    while ((rc = word_merger_next(&merger, err)) > 0) {
        rc = word_writer_add(&writer, &merger.word, err);
        if (rc)
            break;
    }
    if (!rc)
        rc = word_writer_close(&writer, err);
    *to = writer.run;
out:
    word_merger_release(&merger);
    word_writer_release(&writer);
    return rc;
}

/* Every WORD_FAN_IN runs become one. */
static int merge_once(struct word_store *store, struct oy_error *err)
{
    const size_t n_old_fd = store->n_fd;
    size_t n = 0;

    for (size_t at = 0; at < store->n_run; at += WORD_FAN_IN) {
        const size_t left = store->n_run - at;
        struct word_run made;

        if (merge_runs(store, &store->run[at],
                       left < WORD_FAN_IN ? left : WORD_FAN_IN, &made, err))
            return -1;
        store->run[n++] = made;
    }
    store->n_run = n;
    close_files(store, n_old_fd);
    return 0;
}

/* Words that were in memory before the first run. */
static int spill_table(struct word_store *store, struct oy_error *err)
{
    const int fd = new_file(store, err);
    struct word_run run;

    if (fd < 0 ||
        word_run_write(&store->table, store->options.rank, fd, 0, &run, err))
        return -1;
    add_run(store, &run);
    word_count_release(&store->table);
    return 0;
}

int word_store_close(struct word_store *store, struct oy_error *err)
{
    if (store->again &&
        word_journal_check(store->options.journal, store->again, err))
        return -1;
    if (store->n_run && store->table.n_word && spill_table(store, err))
        return -1;
    while (store->n_run > 1) {
        if (merge_once(store, err))
            return -1;
    }
    return 0;
}

/* ---- reading ---- */

int word_store_is_spilled(const struct word_store *store)
{
    return store->n_run > 0;
}

uint64_t word_store_count(const struct word_store *store)
{
    return store->n_run ? store->run[0].n_word : store->table.n_word;
}

int word_store_begin(struct word_store *store, int in_order,
                     struct oy_error *err)
{
    store->next = 0;
    store->in_order = in_order;
    if (store->n_run) {
        word_merger_release(&store->merger);
        return word_merger_init(&store->merger, store->run, 1, err);
    }
    if (in_order && !store->order)
        store->order = word_count_order(&store->table, store->options.rank);
    return 0;
}

/* The present word of the run, its bytes as they were. */
static void spell(struct word_store *store, struct word_entry *word)
{
    const struct word_entry *const from = &store->merger.word;
    char *to;

    *word = *from;
    if (!store->options.rank)
        return;
    oy_buffer_clear(&store->text);
    to = oy_buffer_reserve(&store->text, from->len);
    for (size_t i = 0; i < from->len; i++)
        to[i] = (char)store->byte[(unsigned char)from->at[i]];
    word->at = to;
}

int word_store_next(struct word_store *store, struct word_entry *word,
                    struct oy_error *err)
{
    if (store->n_run) {
        const int rc = word_merger_next(&store->merger, err);

        if (rc > 0)
            spell(store, word);
        return rc;
    }
    if (!store->in_order)
        return word_count_next(&store->table, &store->next, word);
    if (store->next == store->table.n_word)
        return 0;
    *word = word_count_at(&store->table, store->order[store->next++].value);
    return 1;
}
