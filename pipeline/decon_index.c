/* SPDX-License-Identifier: Apache-2.0
 *
 * A table of n-grams. */
#include "pipeline/decon_index.h"

#include <stdlib.h>
#include <string.h>

#include "core/hash.h"

/* GPT-3, appendix C. */
enum { LEAST_N = 8, MOST_N = 13, PERCENT = 5 };

void decon_index_release(struct decon_index *index)
{
    for (size_t i = 0; i < index->n_task; i++)
        oy_free(index->task[i].name);
    for (size_t i = 0; i < index->n_item; i++)
        oy_free(index->item[i].id);
    oy_buffer_release(&index->store);
    oy_free(index->task);
    oy_free(index->item);
    oy_free(index->entry);
    oy_free(index->posting);
    oy_free(index->slot);
    oy_free(index->n_doc);
    *index = (struct decon_index){0};
}

uint32_t decon_index_task(struct decon_index *index, const char *name,
                          size_t len)
{
    /* Items of a task mostly follow each other. */
    for (size_t i = index->n_task; i-- > 0;) {
        const char *old = index->task[i].name;
        if (strlen(old) == len && !memcmp(old, name, len))
            return (uint32_t)i;
    }
    OY_GROW(index->task, index->cap_task, index->n_task + 1);
    index->task[index->n_task] =
        (struct decon_task){.name = oy_strndup(name, len)};
    return (uint32_t)index->n_task++;
}

void decon_index_add(struct decon_index *index, uint32_t task,
                     struct oy_text joined, size_t n_word, const char *id)
{
    OY_GROW(index->item, index->cap_item, index->n_item + 1);
    index->item[index->n_item++] = (struct decon_item){
        .at = index->store.len,
        .len = joined.len,
        .n_word = (uint32_t)n_word,
        .task = task,
        .id = id ? oy_strdup(id) : NULL,
    };
    oy_buffer_append(&index->store, joined.at, joined.len);
    index->task[task].n_item++;
}

/* ---- how long n-grams are ---- */

static int compare_lengths(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static size_t fitting_n(const struct decon_index *index, uint32_t task)
{
    const size_t n = index->task[task].n_item;
    uint32_t *length = oy_alloc_array(n, sizeof *length);
    size_t k = 0;

    for (size_t i = 0; i < index->n_item; i++) {
        if (index->item[i].task == task)
            length[k++] = index->item[i].n_word;
    }
    qsort(length, k, sizeof *length, compare_lengths);
    const size_t found = k ? length[(k - 1) * PERCENT / 100] : 0;
    oy_free(length);
    return found < LEAST_N ? LEAST_N : found > MOST_N ? MOST_N : found;
}

static void choose_n(struct decon_index *index, size_t n)
{
    for (size_t t = 0; t < index->n_task; t++) {
        struct decon_task *task = &index->task[t];
        task->n = n ? n : fitting_n(index, (uint32_t)t);
        index->has_n[task->n] = 1;
    }
}

/* ---- the table ---- */

static void put_slot(struct decon_index *index, uint64_t hash, size_t entry)
{
    size_t i = hash & index->mask;

    while (index->slot[i].entry)
        i = (i + 1) & index->mask;
    index->slot[i] =
        (struct decon_slot){(uint32_t)(hash >> 32), (uint32_t)entry + 1};
}

static void make_table(struct decon_index *index, size_t n)
{
    size_t size = 64;

    while (size < n + n / 2)
        size *= 2;
    index->slot = oy_zeroed(size, sizeof *index->slot);
    index->mask = size - 1;
}

static int is_same(const struct decon_index *index,
                   const struct decon_entry *entry, const char *gram,
                   size_t len)
{
    return entry->len == len &&
           !memcmp(index->store.data + entry->at, gram, len);
}

const struct decon_entry *decon_index_find(const struct decon_index *index,
                                           uint64_t hash, const char *gram,
                                           size_t len)
{
    const uint32_t tag = (uint32_t)(hash >> 32);

    for (size_t i = hash & index->mask;; i = (i + 1) & index->mask) {
        const struct decon_slot slot = index->slot[i];
        if (!slot.entry)
            return NULL;
        const struct decon_entry *entry = &index->entry[slot.entry - 1];
        if (slot.tag == tag && is_same(index, entry, gram, len))
            return entry;
    }
}

static const char *task_of(const struct decon_index *index, uint32_t item)
{
    return index->task[index->item[item].task].name;
}

static void add_posting(struct decon_index *index, struct decon_entry *entry,
                        uint32_t item, size_t word)
{
    if (!index->keeps_postings)
        return;
    OY_GROW(index->posting, index->cap_posting, index->n_posting + 1);
    index->posting[index->n_posting] =
        (struct decon_posting){item, (uint32_t)word, entry->posting};
    entry->posting = (uint32_t)++index->n_posting;
}

/* The bytes lie in the store already: as part of their item. */
static void add_gram(struct decon_index *index, uint64_t hash, uint64_t at,
                     size_t len, uint32_t item, size_t word)
{
    struct decon_entry *entry = (struct decon_entry *)decon_index_find(
        index, hash, index->store.data + at, len);

    if (!entry) {
        entry = &index->entry[index->n_entry];
        *entry = (struct decon_entry){at, (uint32_t)len, item, 0};
        put_slot(index, hash, index->n_entry++);
    } else if (strcmp(task_of(index, item), task_of(index, entry->item)) > 0) {
        entry->item = item;
    }
    add_posting(index, entry, item, word);
}

uint64_t decon_index_whole_hash(const char *text, size_t len)
{
    return oy_mix64(oy_hash64(text, len));
}

static void add_item(struct decon_index *index, uint32_t i, int whole,
                     struct decon_words *words)
{
    const struct decon_item *item = &index->item[i];
    struct decon_task *task = &index->task[item->task];
    const char *text = index->store.data + item->at;

    if (whole) {
        add_gram(index, decon_index_whole_hash(text, item->len), item->at,
                 item->len, i, 0);
        return;
    }
    decon_words_clear(words);
    decon_words_add_joined(words, text, item->len);
    const size_t n = decon_words_hash(words, task->n);
    task->n_short += !n;
    for (size_t k = 0; k < n; k++) {
        const struct oy_text gram = decon_words_gram(words, k, task->n);
        add_gram(index, words->hash[k], item->at + words->start[k], gram.len, i,
                 k);
    }
}

/* No fewer than there will be. */
static uint64_t count_grams(const struct decon_index *index, int whole)
{
    uint64_t n = 0;

    for (size_t i = 0; i < index->n_item; i++)
        n += whole ? 1 : index->item[i].n_word;
    return n;
}

int decon_index_close(struct decon_index *index, size_t n, int whole,
                      struct oy_error *err)
{
    const uint64_t n_gram = count_grams(index, whole);
    struct decon_words words = {0};

    if (n_gram >= UINT32_MAX)
        return oy_fail(err, OY_SYSTEM,
                       "--against: more than 4,294,967,294 n-grams");
    choose_n(index, n);
    make_table(index, (size_t)n_gram);
    OY_GROW(index->entry, index->cap_entry, (size_t)n_gram);
    for (size_t i = 0; i < index->n_item; i++)
        add_item(index, (uint32_t)i, whole, &words);
    decon_words_release(&words);
    index->n_doc = oy_calloc(index->n_entry, sizeof *index->n_doc);
    return 0;
}
