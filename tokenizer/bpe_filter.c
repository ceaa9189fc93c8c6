/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-bpe as a filter: records or counts in, one tokenizer.json out, or counts.
 */
#include "tokenizer/bpe_filter.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/filter.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/output.h"
#include "core/progress.h"
#include "core/utf8.h"
#include "tokenizer/bpe_chat.h"
#include "tokenizer/bpe_count.h"
#include "tokenizer/bpe_train.h"
#include "tokenizer/count_source.h"
#include "tokenizer/tokenizer_write.h"

struct bpe_filter {
    const struct bpe_settings *settings;
    struct bpe_cut cut;
    struct bpe_chat chat;
    struct word_journal *journal;    /* NULL: none is kept */
    struct word_store words;         /* of all workers, after merge() */
    struct oy_output_folder *folder; /* NULL: the output is one file */
    struct oy_manifest_file made;
    uint64_t memory;
    atomic_uint_fast64_t n_merged;
};

static void *worker_new(void *self)
{
    struct bpe_filter *const filter = self;
    struct bpe_counter *const counter = oy_alloc(sizeof *counter);

    bpe_counter_init(counter, &filter->cut, &filter->words);
    return counter;
}

static void worker_free(void *self, void *worker)
{
    (void)self;
    bpe_counter_release(worker);
    oy_free(worker);
}

/* ---- one record ---- */

/* The count beside a word that came out of a file of counts: 1; 0: the record
 * is a text. */
static int find_count(const struct oy_record *record, uint64_t *count,
                      struct oy_error *err)
{
    struct oy_text text;
    uint64_t n_repaired;
    const char *why;

    if (record->found[1].kind != OY_JSON_STRING)
        return 0;
    if (oy_json_text(&record->found[1], record->arena, &text, &n_repaired,
                     &why))
        return oy_fail(err, OY_DATA, "%s", why);
    return bpe_count_read(text, count, err) ? -1 : 1;
}

/* What is wrong with the data is the record's trouble, all else the run's. */
static int give_up(struct oy_record *record, struct oy_error *err)
{
    if (err->code != OY_DATA)
        return -1;
    oy_record_fail(record, "%s", err->message);
    *err = (struct oy_error){0};
    return 0;
}

static int judge(void *self, void *worker, struct oy_record *record, int pass,
                 struct oy_error *err)
{
    struct bpe_counter *const counter = worker;
    uint64_t count = 0;
    const int is_word = find_count(record, &count, err);

    (void)self;
    (void)pass;
    if (is_word < 0)
        return give_up(record, err);
    const int known = word_tally_begin(&counter->tally, record->number,
                                       record->text, count, err);

    if (known)
        return known < 0 ? -1 : 0;
    if (is_word ? bpe_counter_add_word(counter, record->text, count, err)
                : bpe_counter_add_text(counter, record->text, err))
        return give_up(record, err);
    return 0;
}

static int merge(void *self, void *worker, int pass, struct oy_error *err)
{
    struct bpe_counter *const counter = worker;

    (void)self;
    (void)pass;
    return word_tally_close(&counter->tally, err);
}

/* ---- what is made ---- */

/* About two thirds of the budget are for words and pairs: the rest is for
 * what a merge notes, for finding pairs and what else the program holds
 * (measured: 1.9 million words, 100 to 400 MiB). */
static uint64_t training_memory(const struct oy_run *run)
{
    return run->memory / 16 * 11;
}

static struct bpe_train_options train_options(struct bpe_filter *filter,
                                              struct oy_pool *pool)
{
    const struct bpe_settings *const s = filter->settings;
    const int by_character = bpe_cut_is_by_character(&filter->cut);

    return (struct bpe_train_options){
        .vocab_size = (size_t)s->vocab_size,
        .min_frequency = s->min_frequency,
        .max_token_length =
            s->max_token_length < 0 ? 0 : (size_t)s->max_token_length,
        .limits_alphabet = s->limit_alphabet >= 0,
        .limit_alphabet = s->limit_alphabet < 0 ? 0 : (size_t)s->limit_alphabet,
        .initial_bytes =
            s->initial_alphabet == BPE_INITIAL_BYTES ||
            (s->initial_alphabet == BPE_INITIAL_AUTO && !by_character),
        .by_character = by_character,
        .special = filter->chat.special.item,
        .n_special = filter->chat.special.n_item,
        .memory = filter->memory,
        .pool = pool,
        .n_merged = &filter->n_merged,
    };
}

/* PATH/NAME, whole. */
static int write_member(const struct bpe_filter *filter, const char *name,
                        const struct oy_buffer *text, struct oy_error *err)
{
    char *path =
        oy_asprintf("%s/%s", oy_output_folder_path(filter->folder), name);
    const int rc = oy_output_write_file(path, text->data, text->len, err);

    oy_free(path);
    return rc;
}

static int write_folder(struct bpe_filter *filter,
                        struct oy_filter_context *context,
                        const struct bpe_trained *trained,
                        const struct oy_buffer *text, struct oy_error *err)
{
    struct oy_buffer config = {0};

    filter->made = (struct oy_manifest_file){
        .path = "tokenizer.json", .kind = "tokenizer", .bytes = text->len};
    oy_hash128_text(oy_hash128(text->data, text->len), filter->made.hash);
    context->made = &filter->made;
    context->n_made = 1;
    bpe_chat_put_config(&filter->chat, trained, &config);
    const int rc =
        write_member(filter, "tokenizer.json", text, err) ||
                write_member(filter, "tokenizer_config.json", &config, err)
            ? -1
            : 0;
    oy_buffer_release(&config);
    return rc;
}

static int write_tokenizer(struct bpe_filter *filter,
                           struct oy_filter_context *context,
                           const struct bpe_trained *trained,
                           struct oy_error *err)
{
    const struct tokenizer_write_options options = {
        .kind = filter->cut.kind,
        .pattern = filter->cut.pattern,
        .plain = filter->chat.plain.item,
        .n_plain = filter->chat.plain.n_item,
    };
    struct oy_buffer out = {0};

    tokenizer_write(&options, trained, &out);
    const int rc =
        filter->folder
            ? write_folder(filter, context, trained, &out, err)
            : oy_output_write(context->output, out.data, out.len, err);

    oy_buffer_release(&out);
    return rc;
}

static void tell(const struct bpe_trained *trained, uint64_t n_word)
{
    if (trained->tie_was_cut)
        oy_warn("--limit-alphabet cuts inside a group of equally common "
                "characters; those of lower code points stay");
    if (trained->n_long_word)
        oy_warn("%llu of %llu distinct words are longer than 1 KB and make up "
                "most of the symbols: time and memory grow with the text "
                "itself; another --pre cuts it",
                (unsigned long long)trained->n_long_word,
                (unsigned long long)n_word);
    oy_note("%llu distinct words took %llu bytes, %.1f each, and their lists "
            "%llu bytes",
            (unsigned long long)n_word, (unsigned long long)trained->words_size,
            n_word ? (double)trained->words_size / (double)n_word : 0.0,
            (unsigned long long)trained->lists_size);
}

static int train(struct bpe_filter *filter, struct oy_filter_context *context,
                 struct oy_error *err)
{
    const uint64_t n_word = word_store_count(&filter->words);
    struct oy_pool *const pool = oy_pool_new(oy_run_threads(context->run), err);
    struct bpe_trained trained = {0};
    int rc = -1;

    if (!pool)
        return -1;
    const struct bpe_train_options options = train_options(filter, pool);

    if (bpe_train(&options, &filter->words, &trained, err))
        goto out;
    oy_counter_add(context->counter, "tokens", trained.n_token);
    oy_counter_add(context->counter, "merges", trained.n_merge);
    tell(&trained, n_word);
    rc = write_tokenizer(filter, context, &trained, err);
out:
    oy_pool_free(pool);
    bpe_trained_release(&trained);
    return rc;
}

static int write_counts(struct bpe_filter *filter, struct oy_output *output,
                        struct oy_error *err)
{
    enum { WRITE_SIZE = 1 << 18 };
    struct oy_buffer out = {0};
    struct word_entry word;
    int rc = word_store_begin(&filter->words, 1, err);

    while (!rc && (rc = word_store_next(&filter->words, &word, err)) > 0) {
        bpe_counter_put_word(&filter->cut, &word, &out);
        rc = 0;
        if (out.len < WRITE_SIZE)
            continue;
        rc = oy_output_write(output, out.data, out.len, err);
        oy_buffer_clear(&out);
    }
    if (!rc)
        rc = oy_output_write(output, out.data, out.len, err);
    oy_buffer_release(&out);
    return rc;
}

static int finish(void *self, struct oy_filter_context *context,
                  struct oy_error *err)
{
    struct bpe_filter *const filter = self;

    if (word_store_close(&filter->words, err))
        return -1;
    oy_counter_add(context->counter, "distinct_words",
                   word_store_count(&filter->words));
    if (filter->words.n_spilled)
        oy_note("%llu times words were spilled to disk",
                (unsigned long long)filter->words.n_spilled);
    return filter->settings->counts ? write_counts(filter, context->output, err)
                                    : train(filter, context, err);
}

static void describe(void *self, struct oy_buffer *out)
{
    struct bpe_filter *const filter = self;
    const uint64_t n_merged = atomic_load(&filter->n_merged);

    if (!n_merged)
        return;
    oy_buffer_append_string(out, "; ");
    oy_put_count(out, n_merged);
    oy_buffer_append_string(out, " merges");
}

/* ---- options ---- */

/* Whether -o names a folder: everything does that is neither standard output,
 * nor called like a file, nor one already (a device, say). */
static int is_folder_name(const char *path)
{
    struct stat st;

    if (!path || !strcmp(path, "-"))
        return 0;
    if (!stat(path, &st))
        return S_ISDIR(st.st_mode);
    const char *const slash = strrchr(path, '/');
    return !strstr(slash ? slash : path, ".json");
}

static int check(const struct bpe_settings *s, const struct oy_run *run,
                 int in_folder, struct oy_error *err)
{
    const int has_name = run->output && strcmp(run->output, "-");

    if (s->vocab_size < 0 && !s->counts)
        return oy_fail(err, OY_USAGE, "--vocab-size is required");
    for (size_t i = 0; i < s->special.n_item; i++) {
        const char *const token = s->special.item[i];

        if (!*token)
            return oy_fail(err, OY_USAGE, "--special: the token is empty");
        if (!oy_utf8_valid_plain(token, strlen(token)))
            return oy_fail(err, OY_USAGE, "--special: '%s' is not UTF-8",
                           token);
    }
    if (!in_folder && (s->bos || s->eos || s->chat_template))
        return oy_fail(err, OY_USAGE,
                       "--bos, --eos and --chat-template are written to a "
                       "folder: give -o DIR");
    if (s->resume && !has_name)
        return oy_fail(err, OY_USAGE,
                       "--resume keeps its counts beside the output: give -o");
    return 0;
}

/* What decides how words are counted; one line. */
static void put_identity(const struct bpe_settings *s, const struct oy_run *run,
                         struct oy_buffer *out)
{
    static const char *const unit[] = {"record", "line"};
    const char *const shard = run->shard ? run->shard : "";

    oy_buffer_append_string(out,
                            "{\"oy-bpe counts\":\"" OYSTER_VERSION "\",\"pre"
                            "\":");
    oy_json_put_name(out, s->pre);
    oy_buffer_append_format(out, ",\"unit\":\"%s\",\"field\":", unit[s->unit]);
    oy_json_put_name(out, run->field);
    oy_buffer_append_string(out, ",\"shard\":");
    oy_json_put_name(out, shard);
    oy_buffer_append_char(out, '}');
    oy_buffer_string(out);
}

/* OUTPUT.counting, beside the output. */
static int open_journal(struct bpe_filter *filter, const struct oy_run *run,
                        struct oy_error *err)
{
    size_t len = strlen(run->output);
    struct oy_buffer identity = {0};

    while (len > 1 && run->output[len - 1] == '/')
        len--;
    char *const folder = oy_asprintf("%.*s.counting", (int)len, run->output);

    put_identity(filter->settings, run, &identity);
    filter->journal = word_journal_open(folder, identity.data, err);
    if (filter->journal && word_journal_count(filter->journal))
        oy_note("%s: goes on with %zu runs", folder,
                word_journal_count(filter->journal));
    oy_free(folder);
    oy_buffer_release(&identity);
    return filter->journal ? 0 : -1;
}

static struct oy_source *open_source(const struct oy_run *run,
                                     struct oy_error *err)
{
    const struct oy_source_options options = {
        .max_record = run->max_record,
        .tmpdir = run->tmpdir,
        .unhashed = !run->manifest,
    };
    struct oy_source *const lines =
        oy_source_open(run->input.item, (int)run->input.n_item, &options, err);

    return lines ? count_source_open(lines, run->field) : NULL;
}

static int run_filter(struct bpe_filter *self, struct oy_run *run,
                      struct oy_error *err)
{
    static const char *const field[] = {COUNT_FIELD, NULL};
    const struct word_store_options store = {
        .memory = run->memory,
        .tmpdir = run->tmpdir,
        .n_thread = oy_run_threads(run),
        .rank = bpe_cut_rank(&self->cut),
        .journal = self->journal,
    };
    const struct oy_filter filter = {
        .self = self,
        .field = field,
        .wants_text = 1,
        .n_pass = 1,
        .output_kind = self->settings->counts ? "counts" : "tokenizer",
        .opens_no_output = self->folder != NULL,
        .worker_new = worker_new,
        .worker_free = worker_free,
        .judge = judge,
        .merge = merge,
        .finish = finish,
        .describe = describe,
    };
    struct oy_source *const source = open_source(run, err);

    if (!source)
        return -1;
    word_store_init(&self->words, &store);
    const int rc = oy_filter_run(&filter, 1, run, source, err);

    word_store_release(&self->words);
    return rc;
}

static int prepare(struct bpe_filter *self, const struct oy_run *run,
                   struct oy_error *err)
{
    const struct bpe_settings *const s = self->settings;
    const int in_folder = !s->counts && is_folder_name(run->output);

    self->memory = training_memory(run);
    if (check(s, run, in_folder, err) ||
        bpe_cut_init(&self->cut, s->pre, s->unit == BPE_UNIT_LINE, err) ||
        bpe_chat_init(&self->chat,
                      &(struct bpe_chat_options){
                          .name = s->chat_template,
                          .special = &s->special,
                          .bos = s->bos,
                          .eos = s->eos,
                      },
                      err) ||
        (s->resume && open_journal(self, run, err)))
        return -1;
    if (in_folder) {
        self->folder = oy_output_folder_open(run->output, err);
        if (!self->folder)
            return -1;
    }
    return 0;
}

int bpe_filter_run(const struct bpe_settings *settings, struct oy_run *run,
                   struct oy_error *err)
{
    struct bpe_filter self = {.settings = settings};
    int rc = prepare(&self, run, err);

    if (!rc)
        rc = run_filter(&self, run, err);
    if (rc)
        oy_output_folder_discard(self.folder);
    else if (self.folder)
        rc = oy_output_folder_commit(self.folder, err);
    if (rc)
        word_journal_close(self.journal);
    else
        word_journal_remove(self.journal);
    bpe_cut_release(&self.cut);
    bpe_chat_release(&self.chat);
    return rc;
}
