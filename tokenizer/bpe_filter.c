/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-bpe as a filter: records in, one tokenizer.json out.
 */
#include "tokenizer/bpe_filter.h"

#include <string.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/filter.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/output.h"
#include "tokenizer/bpe_train.h"
#include "tokenizer/split.h"
#include "tokenizer/tokenizer_write.h"
#include "tokenizer/word_count.h"

enum { BATCH = 256 };

struct bpe_filter {
    const struct bpe_settings *settings;
    enum split_kind kind;
    struct word_count words;         /* of all workers, after merge() */
    struct oy_output_folder *folder; /* NULL: the output is one file */
    struct oy_manifest_file made;
};

struct bpe_counter {
    struct word_count words;
    struct oy_buffer line; /* a last line with the LF that it lacked */
};

static void *worker_new(void *self)
{
    (void)self;
    return oy_calloc(1, sizeof(struct bpe_counter));
}

static void worker_free(void *self, void *worker)
{
    struct bpe_counter *const counter = worker;

    (void)self;
    word_count_release(&counter->words);
    oy_buffer_release(&counter->line);
    oy_free(counter);
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

static void count_pieces(enum split_kind kind, struct word_count *words,
                         const char *text, size_t len)
{
    size_t end[BATCH];

    for (size_t at = 0; at < len;) {
        const size_t n = split_batch(kind, text, len, at, end, BATCH);

        if (kind == SPLIT_WHITESPACE)
            count_kept_pieces(kind, words, text, at, end, n);
        else
            word_count_add_pieces(words, text, at, end, n);
        at = end[n - 1];
    }
}

/* Every line with its LF by itself; the text ends with one LF more, as if it
 * stood in a file of its own. */
static void count_lines(enum split_kind kind, struct bpe_counter *counter,
                        const char *text, size_t len)
{
    size_t at = 0;

    while (at < len) {
        const char *const lf = memchr(text + at, '\n', len - at);

        if (!lf)
            break;
        const size_t end = (size_t)(lf - text) + 1;

        count_pieces(kind, &counter->words, text + at, end - at);
        at = end;
    }
    oy_buffer_clear(&counter->line);
    oy_buffer_append(&counter->line, text + at, len - at);
    oy_buffer_append_char(&counter->line, '\n');
    count_pieces(kind, &counter->words, counter->line.data, counter->line.len);
}

static int judge(void *self, void *worker, struct oy_record *record, int pass,
                 struct oy_error *err)
{
    const struct bpe_filter *const filter = self;
    struct bpe_counter *const counter = worker;
    const struct oy_text *const text = &record->text;

    (void)pass;
    (void)err;
    if (filter->settings->unit == BPE_UNIT_LINE)
        count_lines(filter->kind, counter, text->at, text->len);
    else
        count_pieces(filter->kind, &counter->words, text->at, text->len);
    return 0;
}

static int merge(void *self, void *worker, int pass, struct oy_error *err)
{
    struct bpe_filter *const filter = self;
    struct bpe_counter *const counter = worker;
    const struct word_count none = {0};

    (void)pass;
    (void)err;
    if (filter->words.n_word) {
        word_count_merge(&filter->words, &counter->words);
        return 0;
    }
    word_count_release(&filter->words);
    filter->words = counter->words;
    counter->words = none;
    return 0;
}

static struct bpe_train_options train_options(const struct bpe_filter *filter)
{
    const struct bpe_settings *const s = filter->settings;
    const int by_character = filter->kind == SPLIT_WHITESPACE;

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
        .special = s->special.item,
        .n_special = s->special.n_item,
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
                        const struct oy_buffer *text, struct oy_error *err)
{
    const struct bpe_settings *const s = filter->settings;
    const char *const first = s->special.n_item ? s->special.item[0] : NULL;
    struct oy_buffer config = {0};

    filter->made = (struct oy_manifest_file){
        .path = "tokenizer.json", .kind = "tokenizer", .bytes = text->len};
    oy_hash128_text(oy_hash128(text->data, text->len), filter->made.hash);
    context->made = &filter->made;
    context->n_made = 1;
    tokenizer_write_config(s->bos ? s->bos : first, s->eos ? s->eos : first,
                           &config);
    const int rc =
        write_member(filter, "tokenizer.json", text, err) ||
                write_member(filter, "tokenizer_config.json", &config, err)
            ? -1
            : 0;
    oy_buffer_release(&config);
    return rc;
}

static int finish(void *self, struct oy_filter_context *context,
                  struct oy_error *err)
{
    struct bpe_filter *const filter = self;
    const struct bpe_train_options options = train_options(filter);
    struct bpe_trained trained = {0};
    struct oy_buffer out = {0};

    oy_counter_add(context->counter, "distinct_words", filter->words.n_word);
    bpe_train(&options, &filter->words, &trained);
    oy_counter_add(context->counter, "tokens", trained.n_token);
    oy_counter_add(context->counter, "merges", trained.n_merge);
    if (trained.tie_was_cut)
        oy_warn("--limit-alphabet cuts inside a group of equally common "
                "characters; those of lower code points stay");
    tokenizer_write(filter->kind, &trained, &out);
    const int rc = filter->folder ? write_folder(filter, context, &out, err)
                                  : oy_output_write(context->output, out.data,
                                                    out.len, err);

    oy_buffer_release(&out);
    bpe_trained_release(&trained);
    return rc;
}

static int check_framing(const char *option, const char *token,
                         const struct bpe_settings *settings,
                         struct oy_error *err)
{
    if (!token)
        return 0;
    for (size_t i = 0; i < settings->special.n_item; i++) {
        if (!strcmp(token, settings->special.item[i]))
            return 0;
    }
    return oy_fail(err, OY_USAGE, "%s: '%s' is not a --special token", option,
                   token);
}

static int check(const struct bpe_settings *settings, enum split_kind kind,
                 struct oy_error *err)
{
    if (settings->vocab_size < 0)
        return oy_fail(err, OY_USAGE, "--vocab-size is required");
    if (kind == SPLIT_UNKNOWN)
        return oy_fail(err, OY_USAGE, "--pre: unknown pre-tokeniser '%s'",
                       settings->pre);
    for (size_t i = 0; i < settings->special.n_item; i++) {
        if (!*settings->special.item[i])
            return oy_fail(err, OY_USAGE, "--special: the token is empty");
    }
    return check_framing("--bos", settings->bos, settings, err) ||
                   check_framing("--eos", settings->eos, settings, err)
               ? -1
               : 0;
}

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

int bpe_filter_run(const struct bpe_settings *settings, struct oy_run *run,
                   struct oy_error *err)
{
    struct bpe_filter self = {
        .settings = settings,
        .kind = split_kind_from_name(settings->pre),
    };
    const int in_folder = is_folder_name(run->output);
    const struct oy_filter filter = {
        .self = &self,
        .wants_text = 1,
        .n_pass = 1,
        .output_kind = "tokenizer",
        .opens_no_output = in_folder,
        .worker_new = worker_new,
        .worker_free = worker_free,
        .judge = judge,
        .merge = merge,
        .finish = finish,
    };

    if (check(settings, self.kind, err))
        return -1;
    if (!in_folder && (settings->bos || settings->eos))
        return oy_fail(err, OY_USAGE,
                       "--bos and --eos are written to a folder: give -o DIR");
    if (in_folder) {
        self.folder = oy_output_folder_open(run->output, err);
        if (!self.folder)
            return -1;
    }
    int rc = oy_filter_run(&filter, 1, run, NULL, err);

    if (rc)
        oy_output_folder_discard(self.folder);
    else if (in_folder)
        rc = oy_output_folder_commit(self.folder, err);
    word_count_release(&self.words);
    return rc;
}
