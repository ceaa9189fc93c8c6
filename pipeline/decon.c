/* SPDX-License-Identifier: Apache-2.0
 *
 * Decontamination as a filter of the engine. */
#include "pipeline/decon.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/filter.h"
#include "core/log.h"

/* GPT-3, appendix C. */
enum { CUT = 200, LEAST_PIECE = 200, MOST_CUTS = 10 };
/* How far ahead of its use a place of the table is fetched. */
enum { AHEAD = 16 };

struct decon {
    const struct decon_options *options;
    struct decon_rule rule;
    struct decon_index index;
    int tells;           /* records carry oyster.decon */
    uint64_t *n_of_task; /* contaminated documents */
    uint64_t n_cut;
};

/* A place of the document where something of a benchmark stands. */
struct hit {
    uint32_t entry;
    uint32_t n; /* words */
    size_t word;
};

struct cut {
    size_t at, end;
};

struct worker {
    struct decon_words words;
    struct hit *hit;
    size_t n_hit, cap_hit;
    uint64_t *key; /* scratch of what is sorted */
    size_t n_key, cap_key;
    struct cut *cut;
    size_t n_cut, cap_cut;
    uint64_t *n_of_task;
    uint64_t n_rewritten;
};

/* What is told of a document. */
struct verdict {
    int keep;
    const struct decon_entry *entry; /* NULL: nothing was found */
    uint32_t item;
    size_t word;   /* of the n-gram in the document, or of the paragraph */
    double ratio;  /* of llama3, else -1 */
    int64_t n_cut; /* of gpt3, else -1 */
};

/* ---- workers ---- */

static void *worker_new(void *self)
{
    const struct decon *decon = self;
    struct worker *worker = oy_calloc(1, sizeof *worker);

    worker->words.split.jieba = decon->rule.jieba;
    worker->n_of_task =
        oy_calloc(decon->index.n_task, sizeof *worker->n_of_task);
    return worker;
}

static void worker_free(void *self, void *arg)
{
    struct worker *worker = arg;

    (void)self;
    decon_words_release(&worker->words);
    oy_free(worker->hit);
    oy_free(worker->key);
    oy_free(worker->cut);
    oy_free(worker->n_of_task);
    oy_free(worker);
}

static int merge(void *self, void *arg, int pass, struct oy_error *err)
{
    struct decon *decon = self;
    const struct worker *worker = arg;

    (void)pass;
    (void)err;
    for (size_t t = 0; t < decon->index.n_task; t++)
        decon->n_of_task[t] += worker->n_of_task[t];
    decon->n_cut += worker->n_rewritten;
    return 0;
}

/* ---- hits ---- */

static int is_common(const struct decon *decon, const struct decon_entry *entry)
{
    const size_t i = (size_t)(entry - decon->index.entry);

    return decon->options->common &&
           atomic_load_explicit(&decon->index.n_doc[i], memory_order_relaxed) >
               (uint64_t)decon->options->common;
}

static void add_hit(const struct decon *decon, struct worker *worker,
                    const struct decon_entry *entry, size_t word, size_t n)
{
    OY_GROW(worker->hit, worker->cap_hit, worker->n_hit + 1);
    worker->hit[worker->n_hit++] =
        (struct hit){(uint32_t)(entry - decon->index.entry), (uint32_t)n, word};
}

/* All hits of n-grams of n words, or the first one. */
static void find_hits(const struct decon *decon, struct worker *worker,
                      size_t n, int only_first)
{
    const struct decon_index *index = &decon->index;
    struct decon_words *words = &worker->words;
    const size_t n_gram = decon_words_hash(words, n);

    for (size_t i = 0; i < n_gram; i++) {
        if (i + AHEAD < n_gram)
            decon_index_prefetch(index, words->hash[i + AHEAD]);
        const struct oy_text gram = decon_words_gram(words, i, n);
        const struct decon_entry *entry =
            decon_index_find(index, words->hash[i], gram.at, gram.len);
        if (!entry)
            continue;
        add_hit(decon, worker, entry, i, n);
        if (only_first)
            return;
    }
}

static void find_all_hits(const struct decon *decon, struct worker *worker,
                          const struct oy_text *text)
{
    worker->n_hit = 0;
    decon_words_clear(&worker->words);
    decon_words_add(&worker->words, decon->rule.form, decon->rule.splitter,
                    text->at, text->len);
    for (size_t n = 1; n <= DECON_MAX_N; n++) {
        if (decon->index.has_n[n])
            find_hits(decon, worker, n, decon->rule.method == DECON_DATATROVE);
    }
}

static int compare_keys(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

static void add_key(struct worker *worker, uint64_t key)
{
    OY_GROW(worker->key, worker->cap_key, worker->n_key + 1);
    worker->key[worker->n_key++] = key;
}

/* Sorts the keys, each once. */
static void sort_keys(struct worker *worker)
{
    size_t n = 0;

    if (!worker->n_key)
        return;
    qsort(worker->key, worker->n_key, sizeof *worker->key, compare_keys);
    for (size_t i = 0; i < worker->n_key; i++) {
        if (!n || worker->key[i] != worker->key[n - 1])
            worker->key[n++] = worker->key[i];
    }
    worker->n_key = n;
}

/* The entries that were hit, each once. */
static void list_entries(struct worker *worker)
{
    worker->n_key = 0;
    for (size_t i = 0; i < worker->n_hit; i++)
        add_key(worker, worker->hit[i].entry);
    sort_keys(worker);
}

/* ---- datatrove ---- */

static void tell_hit(const struct decon *decon, const struct hit *hit,
                     struct verdict *verdict)
{
    verdict->entry = &decon->index.entry[hit->entry];
    verdict->item = verdict->entry->item;
    verdict->word = hit->word;
}

static void judge_datatrove(const struct decon *decon, struct worker *worker,
                            struct verdict *verdict)
{
    if (!worker->n_hit)
        return;
    verdict->keep = 0;
    tell_hit(decon, &worker->hit[0], verdict);
}

/* ---- dolma ---- */

struct search {
    const struct decon *decon;
    struct verdict *verdict;
};

static int find_paragraph(void *arg, const char *paragraph, size_t len,
                          size_t n_word)
{
    struct search *search = arg;
    const struct decon_entry *entry = decon_index_find(
        &search->decon->index, decon_index_whole_hash(paragraph, len),
        paragraph, len);

    if (entry) {
        search->verdict->keep = 0;
        search->verdict->entry = entry;
        search->verdict->item = entry->item;
        return 1;
    }
    search->verdict->word += n_word;
    return 0;
}

static void judge_dolma(const struct decon *decon, struct worker *worker,
                        const struct oy_text *text, struct verdict *verdict)
{
    struct search search = {decon, verdict};

    decon_paragraphs(&worker->words.split, decon->rule.n, text->at, text->len,
                     find_paragraph, &search);
}

/* ---- llama3 ---- */

/* key[from .. to) are places within one item: how many of its words lie in
 * n-grams that begin there. */
static size_t covered_words(const uint64_t *key, size_t from, size_t to,
                            size_t n)
{
    size_t covered = 0, end = 0;

    for (size_t i = from; i < to; i++) {
        const size_t at = (uint32_t)key[i];
        covered += at + n - (at > end ? at : end);
        end = at + n;
    }
    return covered;
}

static void list_places(const struct decon *decon, struct worker *worker)
{
    const struct decon_index *index = &decon->index;

    list_entries(worker);
    const size_t n_entry = worker->n_key;
    for (size_t i = 0; i < n_entry; i++) {
        uint32_t p = index->entry[worker->key[i]].posting;
        for (; p; p = index->posting[p - 1].next) {
            const struct decon_posting *at = &index->posting[p - 1];
            add_key(worker, (uint64_t)at->item << 32 | at->word);
        }
    }
    worker->n_key -= n_entry;
    memmove(worker->key, worker->key + n_entry,
            worker->n_key * sizeof *worker->key);
    sort_keys(worker);
}

static void judge_llama3(const struct decon *decon, struct worker *worker,
                         struct verdict *verdict)
{
    const size_t n = decon->rule.n;
    size_t end;

    verdict->ratio = 0;
    if (!worker->n_hit)
        return;
    list_places(decon, worker);
    tell_hit(decon, &worker->hit[0], verdict);
    for (size_t at = 0; at < worker->n_key; at = end) {
        const uint32_t item = (uint32_t)(worker->key[at] >> 32);
        for (end = at; end < worker->n_key && worker->key[end] >> 32 == item;)
            end++;
        const double ratio = (double)covered_words(worker->key, at, end, n) /
                             decon->index.item[item].n_word;
        if (ratio > verdict->ratio) {
            verdict->ratio = ratio;
            verdict->item = item;
        }
    }
    verdict->keep = verdict->ratio < decon->options->ratio;
}

/* ---- gpt3 ---- */

static void count_documents(struct decon *decon, struct worker *worker)
{
    list_entries(worker);
    for (size_t i = 0; i < worker->n_key; i++)
        atomic_fetch_add_explicit(&decon->index.n_doc[worker->key[i]], 1,
                                  memory_order_relaxed);
}

static int is_inside(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t go_back(const struct oy_text *text, size_t at, size_t n)
{
    while (at && n--) {
        do
            at--;
        while (at && is_inside(text->at[at]));
    }
    return at;
}

static size_t go_on(const struct oy_text *text, size_t at, size_t n)
{
    while (at < text->len && n--) {
        do
            at++;
        while (at < text->len && is_inside(text->at[at]));
    }
    return at;
}

static int compare_cuts(const void *a, const void *b)
{
    const struct cut *x = a, *y = b;

    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

/* Sorts cuts and joins those that touch. */
static void join_cuts(struct worker *worker)
{
    size_t n = 0;

    if (worker->n_cut)
        qsort(worker->cut, worker->n_cut, sizeof *worker->cut, compare_cuts);
    for (size_t i = 0; i < worker->n_cut; i++) {
        const struct cut cut = worker->cut[i];
        if (!n || cut.at > worker->cut[n - 1].end)
            worker->cut[n++] = cut;
        else if (cut.end > worker->cut[n - 1].end)
            worker->cut[n - 1].end = cut.end;
    }
    worker->n_cut = n;
}

static void list_cuts(const struct decon *decon, struct worker *worker,
                      const struct oy_text *text, struct verdict *verdict)
{
    worker->n_cut = 0;
    for (size_t i = 0; i < worker->n_hit; i++) {
        const struct hit *hit = &worker->hit[i];
        const struct word first = worker->words.origin[hit->word];
        const struct word last = worker->words.origin[hit->word + hit->n - 1];
        if (is_common(decon, &decon->index.entry[hit->entry]))
            continue;
        if (!verdict->entry)
            tell_hit(decon, hit, verdict);
        OY_GROW(worker->cut, worker->cap_cut, worker->n_cut + 1);
        worker->cut[worker->n_cut++] = (struct cut){
            go_back(text, first.at, CUT), go_on(text, last.at + last.len, CUT)};
    }
    join_cuts(worker);
}

static void put_piece(const struct oy_text *text, size_t at, size_t end,
                      struct oy_buffer *out)
{
    const struct oy_text piece = {text->at + at, end - at};

    if (at == end || (go_on(&piece, 0, LEAST_PIECE - 1) == piece.len))
        return;
    if (out->len)
        oy_buffer_append(out, "\n\n", 2);
    oy_buffer_append(out, piece.at, piece.len);
}

/* What is left between the cuts; NULL: nothing. */
static const char *put_pieces(struct worker *worker, struct oy_record *record,
                              size_t *len)
{
    struct oy_buffer *out = &worker->words.bare;
    size_t at = 0;

    oy_buffer_clear(out);
    for (size_t i = 0; i < worker->n_cut; i++) {
        put_piece(&record->text, at, worker->cut[i].at, out);
        at = worker->cut[i].end;
    }
    put_piece(&record->text, at, record->text.len, out);
    *len = out->len;
    return out->len ? oy_arena_copy(record->arena, out->data, out->len) : NULL;
}

static void judge_gpt3(const struct decon *decon, struct worker *worker,
                       struct oy_record *record, struct verdict *verdict)
{
    size_t len;

    list_cuts(decon, worker, &record->text, verdict);
    verdict->n_cut = (int64_t)worker->n_cut;
    if (!worker->n_cut)
        return;
    const char *left = put_pieces(worker, record, &len);
    verdict->keep = left && worker->n_cut <= MOST_CUTS;
    if (!verdict->keep || decon->options->annotate)
        return;
    oy_record_set_text(record, 0, left, len);
    worker->n_rewritten++;
}

/* ---- verdicts ---- */

static void put_where(const struct decon *decon, const struct verdict *verdict,
                      struct oy_buffer *json)
{
    const struct decon_index *index = &decon->index;
    const struct decon_item *item = &index->item[verdict->item];
    const char *task = index->task[item->task].name;

    oy_buffer_append_string(json, ",\"task\":");
    oy_json_put_string(json, task, strlen(task));
    oy_buffer_append_string(json, ",\"id\":");
    if (item->id)
        oy_json_put_string(json, item->id, strlen(item->id));
    else
        oy_buffer_append_string(json, "null");
    oy_buffer_append_string(json, ",\"ngram\":");
    oy_json_put_string(json, index->store.data + verdict->entry->at,
                       verdict->entry->len);
    oy_buffer_append_format(json, ",\"word\":%zu", verdict->word);
}

static void tell(const struct decon *decon, struct oy_record *record,
                 const struct verdict *verdict)
{
    struct oy_buffer json = {0};

    oy_buffer_append_format(&json, "{\"keep\":%s,\"reason\":%s",
                            verdict->keep ? "true" : "false",
                            verdict->keep ? "null" : "\"contaminated\"");
    if (verdict->entry)
        put_where(decon, verdict, &json);
    else
        oy_buffer_append_string(
            &json, ",\"task\":null,\"id\":null,\"ngram\":null,\"word\":null");
    if (verdict->ratio >= 0) {
        oy_buffer_append_string(&json, ",\"ratio\":");
        oy_json_put_double(&json, verdict->ratio);
    }
    if (verdict->n_cut >= 0)
        oy_buffer_append_format(&json, ",\"cuts\":%" PRId64, verdict->n_cut);
    oy_buffer_append_char(&json, '}');
    oy_record_set_part(record, "decon",
                       oy_arena_copy(record->arena, json.data, json.len),
                       json.len);
    oy_buffer_release(&json);
}

static void decide(const struct decon *decon, struct worker *worker,
                   struct oy_record *record, struct verdict *verdict)
{
    switch (decon->rule.method) {
    case DECON_DATATROVE: judge_datatrove(decon, worker, verdict); break;
    case DECON_GPT3: judge_gpt3(decon, worker, record, verdict); break;
    case DECON_DOLMA: judge_dolma(decon, worker, &record->text, verdict); break;
    case DECON_LLAMA3: judge_llama3(decon, worker, verdict); break;
    }
}

static int judge(void *self, void *arg, struct oy_record *record, int pass,
                 struct oy_error *err)
{
    struct decon *decon = self;
    struct worker *worker = arg;
    struct verdict verdict = {.keep = 1, .ratio = -1, .n_cut = -1};
    const int counts =
        decon->rule.method == DECON_GPT3 && decon->options->common && !pass;

    (void)err;
    if (record->text.len >= UINT32_MAX) {
        oy_record_fail(record, "text of 4 GiB or more");
        return 0;
    }
    if (decon->rule.method != DECON_DOLMA)
        find_all_hits(decon, worker, &record->text);
    if (counts) {
        count_documents(decon, worker);
        return 0;
    }
    decide(decon, worker, record, &verdict);
    if (verdict.entry && !verdict.keep)
        worker->n_of_task[decon->index.item[verdict.item].task]++;
    if (decon->options->annotate || (decon->tells && !verdict.keep))
        tell(decon, record, &verdict);
    if (!verdict.keep && !decon->options->annotate) {
        record->fate = OY_DROP;
        record->reason = "contaminated";
    }
    return 0;
}

static int finish(void *self, struct oy_filter_context *context,
                  struct oy_error *err)
{
    const struct decon *decon = self;
    const struct decon_index *index = &decon->index;

    (void)err;
    if (!context->output)
        return 0;
    oy_counter_add(context->counter, "benchmark_items", index->n_item);
    oy_counter_add(context->counter, "benchmark_ngrams", index->n_entry);
    if (decon->rule.method == DECON_GPT3)
        oy_counter_add(context->counter, "cut", decon->n_cut);
    for (size_t t = 0; t < index->n_task; t++) {
        if (!decon->n_of_task[t])
            continue;
        char *name = oy_asprintf("contaminated_%s", index->task[t].name);
        oy_counter_add(context->counter, name, decon->n_of_task[t]);
        oy_free(name);
    }
    return 0;
}

/* ---- the program ---- */

static int choose_rule(struct decon *decon, struct oy_error *err)
{
    static const size_t WORDS[] = {12, 0, 13, 8}; /* by method */
    const struct decon_options *options = decon->options;
    struct decon_rule *rule = &decon->rule;
    const int simple = options->method == DECON_DATATROVE;

    rule->method = (enum decon_method)options->method;
    rule->form = simple ? DECON_SIMPLE : DECON_PLAIN;
    rule->n = options->ngram ? (size_t)options->ngram : WORDS[rule->method];
    rule->query = options->query;
    if (!options->against.n_item)
        return oy_fail(err, OY_USAGE, "--against FILE is needed");
    if (!simple && (options->words || options->query))
        return oy_fail(err, OY_USAGE,
                       "--words and --query are for --method datatrove");
    if (!simple)
        return 0;
    rule->splitter =
        options->words ? words_splitter_of(options->words) : WORDS_SPACY;
    if (rule->splitter == WORDS_NONE)
        return oy_fail(err, OY_USAGE, "--words: there is no splitter '%s'",
                       options->words);
    return words_check(rule->splitter, err);
}

/* A benchmark that cannot be found must not look clean. */
static void warn_of_short(const struct decon_index *index)
{
    for (size_t t = 0; t < index->n_task; t++) {
        const struct decon_task *task = &index->task[t];
        if (task->n_short)
            oy_warn("--against: %" PRIu64 " of the %" PRIu64
                    " texts of '%s' have fewer than %zu words and find "
                    "nothing",
                    task->n_short, task->n_item, task->name, task->n);
    }
    if (!index->n_entry)
        oy_warn("--against: there is nothing to look for");
}

static int run_engine(struct decon *decon, struct oy_run *run,
                      struct oy_error *err)
{
    const int twice =
        decon->rule.method == DECON_GPT3 && decon->options->common;
    const struct oy_filter filter = {
        .self = decon,
        .wants_text = 1,
        .n_pass = twice ? 2 : 1,
        .writes_records = 1,
        .worker_new = worker_new,
        .worker_free = worker_free,
        .judge = judge,
        .merge = merge,
        .finish = finish,
    };

    decon->n_of_task = oy_calloc(decon->index.n_task, sizeof *decon->n_of_task);
    return oy_filter_run(&filter, 1, run, NULL, err);
}

int decon_run(const struct decon_options *options, struct oy_run *run,
              struct oy_error *err)
{
    struct decon decon = {.options = options};
    struct jieba *jieba = NULL;
    int rc = choose_rule(&decon, err);

    decon.tells = options->annotate || run->dropped;
    decon.index.keeps_postings = options->method == DECON_LLAMA3;
    if (rc == 0)
        rc = jieba_load_for(decon.rule.splitter, options->dictionary, run,
                            &jieba, err);
    decon.rule.jieba = jieba;
    if (rc == 0)
        rc = decon_read(&decon.index, &decon.rule, &options->against, run, err);
    if (rc == 0)
        rc = decon_index_close(&decon.index, decon.rule.n,
                               options->method == DECON_DOLMA, err);
    if (rc == 0) {
        warn_of_short(&decon.index);
        rc = run_engine(&decon, run, err);
    }
    oy_free(decon.n_of_task);
    decon_index_release(&decon.index);
    jieba_free(jieba);
    return rc;
}
