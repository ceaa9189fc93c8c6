/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-pack as a filter: texts are encoded by many threads and written in
 * order. */
#include "tokenizer/pack.h"

#include <string.h>

#include "core/filter.h"
#include "core/log.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokens.h"

/* One stream among several: unnamed until their number is known. */
struct shard {
    struct oy_output *output;
    uint64_t bytes;
    struct oy_hash128 hash;
    char *path; /* its name in the end */
};

struct pack {
    struct pack_settings *settings;
    const struct oy_run *run;
    struct tokenizer *tokenizer;
    struct tokens_info info;
    int32_t front, back; /* ids around a document, -1: none */
    struct tokens_writer *writer;
    uint64_t n_token, n_byte, n_empty;

    struct shard *shard; /* only with split_tokens */
    size_t n_shard, cap_shard;
    struct oy_manifest_file *made; /* [n_shard] */
};

struct pack_worker {
    struct tokenizer_worker *worker;
    struct token_ids ids;
};

static void *worker_new(void *self)
{
    const struct pack *pack = self;
    struct pack_worker *worker = oy_calloc(1, sizeof *worker);

    worker->worker = tokenizer_worker_new(pack->tokenizer);
    return worker;
}

static void worker_free(void *self, void *state)
{
    struct pack_worker *worker = state;

    (void)self;
    if (!worker)
        return;
    tokenizer_worker_free(worker->worker);
    token_ids_release(&worker->ids);
    oy_free(worker);
}

/* Leaves the framed ids of the document as the record's blob. */
static int judge(void *self, void *state, struct oy_record *record, int pass,
                 struct oy_error *err)
{
    const struct pack *pack = self;
    struct pack_worker *worker = state;
    struct token_ids *ids = &worker->ids;

    (void)pass;
    (void)err;
    ids->n = 0;
    if (pack->front >= 0)
        token_ids_append(ids, &pack->front, 1);
    tokenizer_encode(worker->worker, record->text.at, record->text.len,
                     TOKENIZER_TEXT, ids, NULL);
    if (pack->back >= 0)
        token_ids_append(ids, &pack->back, 1);
    if (!record->text.len)
        ids->n = 0;
    record->blob_len = ids->n * sizeof *ids->id;
    record->blob = oy_arena_copy(record->arena, ids->id, record->blob_len);
    record->word[0] = record->text.len;
    return 0;
}

/* ---- shards ---- */

/* Ends the stream that is being written. */
static int end_stream(struct pack *pack, struct oy_error *err)
{
    if (!pack->writer)
        return 0;
    const int failed = tokens_writer_finish(pack->writer, err);
    tokens_writer_free(pack->writer);
    pack->writer = NULL;
    if (failed || !pack->n_shard)
        return failed;
    struct shard *shard = &pack->shard[pack->n_shard - 1];
    shard->bytes = oy_output_bytes(shard->output);
    shard->hash = oy_output_digest(shard->output);
    return oy_output_finish(shard->output, err);
}

static int next_shard(struct pack *pack, struct oy_error *err)
{
    if (end_stream(pack, err))
        return -1;
    char *path = oy_asprintf("%s-%05zu.tok", pack->run->output, pack->n_shard);
    struct oy_output *output = oy_run_open_output_at(pack->run, path, err);
    oy_free(path);
    if (!output)
        return -1;
    OY_GROW(pack->shard, pack->cap_shard, pack->n_shard + 1);
    pack->shard[pack->n_shard++] = (struct shard){.output = output};
    pack->writer = tokens_writer_new(&pack->info, output);
    return 0;
}

/* The stream that the next document goes to. */
static int open_stream(struct pack *pack, struct oy_output *output,
                       struct oy_error *err)
{
    const int64_t most = pack->settings->split_tokens;

    if (!most) {
        if (!pack->writer)
            pack->writer = tokens_writer_new(&pack->info, output);
        return 0;
    }
    if (pack->writer && tokens_writer_count(pack->writer) < (uint64_t)most)
        return 0;
    return next_shard(pack, err);
}

/* All shards become visible together, after the last one is whole. */
static int commit_shards(struct pack *pack, struct oy_filter_context *context,
                         struct oy_error *err)
{
    pack->made = oy_calloc(pack->n_shard + 1, sizeof *pack->made);
    for (size_t i = 0; i < pack->n_shard; i++) {
        struct shard *shard = &pack->shard[i];
        struct oy_manifest_file *file = &pack->made[i];
        struct oy_output *output = shard->output;
        shard->path = oy_asprintf("%s-%05zu-of-%05zu.tok", pack->run->output, i,
                                  pack->n_shard);
        const char *slash = strrchr(shard->path, '/');
        file->path = shard->path;
        file->name = slash ? slash + 1 : shard->path;
        file->kind = "tokens";
        file->bytes = shard->bytes;
        oy_hash128_text(shard->hash, file->hash);
        shard->output = NULL;
        if (oy_output_commit_as(output, shard->path, err))
            return -1;
    }
    context->made = pack->made;
    context->n_made = (int)pack->n_shard;
    return 0;
}

/* ---- the filter ---- */

static int settle(void *self, struct oy_record *record,
                  struct oy_filter_context *context, struct oy_error *err)
{
    struct pack *pack = self;
    const size_t n = record->blob_len / sizeof(int32_t);

    if (record->fate != OY_KEEP)
        return 0;
    if (!n) {
        pack->n_empty++;
        return 0;
    }
    if (open_stream(pack, context->output, err))
        return -1;
    pack->n_token += n;
    pack->n_byte += record->word[0];
    return tokens_write(pack->writer, record->blob, n, NULL, record->word[0],
                        err);
}

static int finish(void *self, struct oy_filter_context *context,
                  struct oy_error *err)
{
    struct pack *pack = self;

    oy_counter_add(context->counter, "bytes", pack->n_byte);
    oy_counter_add(context->counter, "tokens", pack->n_token);
    if (pack->n_empty)
        oy_counter_add(context->counter, "empty_documents", pack->n_empty);
    if (!pack->writer && open_stream(pack, context->output, err))
        return -1;
    if (end_stream(pack, err))
        return -1;
    if (pack->settings->split_tokens)
        return commit_shards(pack, context, err);
    return 0;
}

/* ---- the run ---- */

/* The id of a framing token: the option's, else the configuration's. */
static int find_frame(const struct pack *pack, const char *option,
                      int32_t configured, int32_t *id, struct oy_error *err)
{
    *id = configured;
    if (!option)
        return 0;
    *id = -1;
    if (!*option)
        return 0;
    *id = tokenizer_id(pack->tokenizer, option, strlen(option));
    if (*id < 0)
        return oy_fail(err, OY_USAGE, "token '%s' is not in the vocabulary",
                       option);
    return 0;
}

/* Without a configuration: the one token that nearly all tokenizers of that
 * kind (GPT-2's, oy-bpe's) keep between documents. */
static void guess_frame(struct pack *pack)
{
    static const char separator[] = "<|endoftext|>";
    const int32_t id =
        tokenizer_id(pack->tokenizer, separator, strlen(separator));

    if (id >= 0 && tokenizer_is_special(pack->tokenizer, id)) {
        pack->settings->bos = pack->settings->eos = separator;
        return;
    }
    oy_warn("%s names no bos_token and no eos_token: documents are not framed",
            pack->settings->tokenizer);
}

static int prepare(struct pack *pack, struct oy_error *err)
{
    struct pack_settings *settings = pack->settings;
    struct tokenizer *tokenizer = pack->tokenizer;
    struct tokens_info *info = &pack->info;

    if (!settings->bos && !settings->eos && tokenizer_bos(tokenizer) < 0 &&
        tokenizer_eos(tokenizer) < 0)
        guess_frame(pack);
    if (find_frame(pack, settings->bos, tokenizer_bos(tokenizer), &info->bos,
                   err) ||
        find_frame(pack, settings->eos, tokenizer_eos(tokenizer), &info->eos,
                   err))
        return -1;
    /* The manifest tells the tokens that are used. */
    if (!settings->bos)
        settings->bos = tokenizer_bos_text(tokenizer);
    if (!settings->eos)
        settings->eos = tokenizer_eos_text(tokenizer);
    info->vocab_size = (uint32_t)tokenizer_size(tokenizer);
    info->row_len = (uint32_t)settings->seq_len;
    info->shuffle = settings->shuffle;
    info->seed = settings->shuffle ? (uint64_t)pack->run->seed : 0;
    info->tokenizer = tokenizer_hash(tokenizer);
    pack->front = info->bos;
    pack->back = info->eos == info->bos ? -1 : info->eos;
    return 0;
}

static int check_usage(const struct pack_settings *settings,
                       const struct oy_run *run, struct oy_error *err)
{
    const int has_file = run->output && strcmp(run->output, "-");

    if (!settings->tokenizer)
        return oy_fail(err, OY_USAGE, "a tokenizer must be named with -t");
    if (settings->shuffle && !has_file)
        return oy_fail(err, OY_USAGE,
                       "--shuffle needs -o: a pipe is read in its order");
    if (settings->split_tokens && !has_file)
        return oy_fail(err, OY_USAGE,
                       "--split-tokens needs -o: the prefix of the shards");
    return 0;
}

static void release(struct pack *pack)
{
    tokens_writer_free(pack->writer);
    for (size_t i = 0; i < pack->n_shard; i++) {
        oy_output_discard(pack->shard[i].output);
        oy_free(pack->shard[i].path);
    }
    oy_free(pack->shard);
    oy_free(pack->made);
    tokenizer_free(pack->tokenizer);
}

int pack_run(struct pack_settings *settings, struct oy_run *run,
             struct oy_error *err)
{
    struct pack pack = {.settings = settings, .run = run};
    const struct oy_filter filter = {
        .self = &pack,
        .wants_text = 1,
        .n_pass = 1,
        .output_kind = "tokens",
        .opens_no_output = settings->split_tokens > 0,
        .worker_new = worker_new,
        .worker_free = worker_free,
        .judge = judge,
        .settle = settle,
        .finish = finish,
    };
    int failed = -1;

    if (check_usage(settings, run, err))
        return -1;
    pack.tokenizer = tokenizer_load(settings->tokenizer, err);
    if (pack.tokenizer && !prepare(&pack, err) &&
        !oy_run_add_resource(run, "tokenizer", tokenizer_path(pack.tokenizer),
                             err))
        failed = oy_filter_run(&filter, 1, run, NULL, err);
    settings->bos = settings->eos = NULL; /* perhaps the tokenizer's own */
    release(&pack);
    return failed;
}
