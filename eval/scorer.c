/* SPDX-License-Identifier: Apache-2.0
 *
 * A local model opened; requests encoded and counted. */
#include "eval/scorer.h"

#include <string.h>
#include <unistd.h>

#include "core/hash.h"
#include "core/json.h"
#include "core/manifest.h"
#include "core/model_name.h"
#include "eval/scorer_internal.h"
#include "model/embed_keys.h"
#include "model/embeds.h"
#include "model/engine.h"
#include "model/model_file.h"
#include "model/safetensors.h"
#include "tokenizer/tokenizer.h"

struct scorer_worker {
    const struct scorer *scorer;
    struct tokenizer_worker *tokenizer;
    struct token_ids ids;
    struct plan_rules rules;
};

/* ---- life ---- */

/* The model's own tokenizer may be missing; a named one may not. */
static int open_tokenizer(struct scorer *scorer, struct oy_error *err)
{
    const char *path = scorer->options.tokenizer;

    if (!path) {
        struct oy_error missing = {0};
        path = scorer->options.model;
        if (!model_file_has_tokenizer(path))
            return 0;
        scorer->tokenizer = tokenizer_load(path, &missing);
        if (!scorer->tokenizer && missing.code != OY_NOINPUT)
            *err = missing;
        return scorer->tokenizer || missing.code == OY_NOINPUT ? 0 : -1;
    }
    scorer->tokenizer = tokenizer_load(path, err);
    return scorer->tokenizer ? 0 : -1;
}

static void choose_prefix(struct scorer *scorer)
{
    const struct tokenizer *tokenizer = scorer->tokenizer;

    scorer->prefix = scorer->config.bos_id;
    if (tokenizer) {
        scorer->prefix = tokenizer_bos(tokenizer);
        if (scorer->prefix < 0)
            scorer->prefix = tokenizer_eos(tokenizer);
    }
    if (tokenizer && scorer->prefix >= 0)
        tokenizer_decode(tokenizer, &scorer->prefix, 1, 0,
                         &scorer->prefix_text);
}

static int open_model(struct scorer *scorer, struct oy_error *err)
{
    const struct scorer_options *options = &scorer->options;

    scorer->config.bos_id = -1;
    if (options->model && config_read(&scorer->config, options->model, err))
        return -1;
    if (options->max_length)
        scorer->max_length = (size_t)options->max_length;
    else if (options->model)
        scorer->max_length = (size_t)config_max_text(&scorer->config);
    else
        scorer->max_length = 2048; /* lm-eval's default */
    if (options->dry_run)
        return 0;
    scorer->engine =
        engine_open(options->model, options->kernel,
                    (enum engine_type)(options->type / ENGINE_TYPE_SPELLINGS),
                    options->kv_memory, scorer->pool, err);
    if (!scorer->engine)
        return -1;
    engine_set_kv_type(scorer->engine, (enum kv_type)options->kv_type);
    if (options->profile)
        scorer->profile = profile_new(scorer->pool);
    engine_set_profile(scorer->engine, scorer->profile);
    scorer->batch = batch_new(scorer->engine, NULL);
    if (options->top_logprobs > scorer->config.n_vocab)
        return oy_fail(err, OY_USAGE, "the model has but %d tokens",
                       scorer->config.n_vocab);
    return 0;
}

static int check_fit(const struct scorer *scorer, struct oy_error *err)
{
    const int n = scorer->config.n_vocab;

    if (scorer->tokenizer && n && tokenizer_size(scorer->tokenizer) > n)
        return oy_fail(err, OY_DATA,
                       "the tokenizer has %d tokens, the model but %d",
                       tokenizer_size(scorer->tokenizer), n);
    return 0;
}

/* The model's name becomes the folder of its snapshot. */
static int find_model(struct scorer *scorer, struct oy_error *err)
{
    const char *const command = command_model_of(scorer->options.model);

    if (!scorer->options.model)
        return 0;
    if (command) {
        scorer->command = command_model_open(command, err);
        return scorer->command ? 0 : -1;
    }
    scorer->model = oy_model_find(scorer->options.model, err);
    scorer->options.model = scorer->model;
    return scorer->model ? 0 : -1;
}

/* What a command cannot be asked for. */
static int check_command(const struct scorer_options *options,
                         struct oy_error *err)
{
    if (command_model_of(options->model) &&
        (options->dry_run || options->per_token || options->top_logprobs ||
         options->keep_logits || options->type || options->kv_memory))
        return oy_fail(err, OY_USAGE,
                       "a command answers by its own means: no --dry-run, "
                       "--per-token, --top-logprobs, --logits, --dtype or "
                       "--kv-memory");
    return 0;
}

struct scorer *scorer_new(const struct scorer_options *options,
                          struct oy_pool *pool, struct oy_error *err)
{
    struct scorer *scorer = oy_calloc(1, sizeof *scorer);

    scorer->options = *options;
    scorer->pool = pool;
    if (check_command(options, err) || find_model(scorer, err) ||
        (!scorer->command &&
         (open_model(scorer, err) || open_tokenizer(scorer, err) ||
          check_fit(scorer, err)))) {
        scorer_free(scorer);
        return NULL;
    }
    choose_prefix(scorer);
    return scorer;
}

void scorer_free(struct scorer *scorer)
{
    struct oy_error ignored = {0};

    if (!scorer)
        return;
    for (size_t i = 0; i < scorer->n_kept; i++)
        oy_free(scorer->kept[i].logits);
    oy_free(scorer->kept);
    oy_free(scorer->sequence);
    oy_arena_release(&scorer->arena);
    oy_buffer_release(&scorer->prefix_text);
    embed_keys_release(&scorer->embed_keys);
    tokenizer_free(scorer->tokenizer);
    batch_free(scorer->batch);
    engine_free(scorer->engine);
    profile_free(scorer->profile);
    scorer_finish(scorer, &ignored);
    oy_free(scorer->model);
    oy_free(scorer);
}

int scorer_is_command(const struct scorer *scorer)
{
    return scorer->command != NULL;
}

void scorer_print_profile(const struct scorer *scorer)
{
    profile_mark(scorer->profile, PROFILE_OTHER, PEAK_F32, 0, 0);
    profile_print(scorer->profile);
}

int scorer_finish(struct scorer *scorer, struct oy_error *err)
{
    struct command_model *const command = scorer->command;

    scorer->command = NULL;
    return command_model_close(command, err);
}

/* ---- encoding ---- */

static void encode_text(void *arg, const char *text, size_t len, int special,
                        struct oy_arena *arena, struct plan_ids *ids)
{
    struct scorer_worker *worker = arg;
    const struct tokenizer *tokenizer = worker->scorer->tokenizer;
    size_t n_before = 0, n_behind = 0;
    const int32_t *before = tokenizer_before(tokenizer, &n_before);
    const int32_t *behind = tokenizer_behind(tokenizer, &n_behind);

    worker->ids.n = 0;
    if (special)
        token_ids_append(&worker->ids, before, n_before);
    tokenizer_encode(worker->tokenizer, text, len, TOKENIZER_TOKEN,
                     &worker->ids, NULL);
    if (special)
        token_ids_append(&worker->ids, behind, n_behind);
    ids->n = worker->ids.n;
    ids->id = oy_arena_array(arena, ids->n ? ids->n : 1, sizeof *ids->id);
    if (ids->n)
        memcpy(ids->id, worker->ids.id, ids->n * sizeof *ids->id);
}

struct scorer_worker *scorer_worker_new(const struct scorer *scorer)
{
    struct scorer_worker *worker = oy_calloc(1, sizeof *worker);

    worker->scorer = scorer;
    if (scorer->tokenizer)
        worker->tokenizer = tokenizer_worker_new(scorer->tokenizer);
    worker->rules = (struct plan_rules){
        .encode = scorer->tokenizer ? encode_text : NULL,
        .arg = worker,
        .prefix = scorer->prefix,
        .prefix_text = scorer->prefix_text.data,
        .prefix_len = scorer->prefix_text.len,
        .eos_text =
            scorer->tokenizer ? tokenizer_eos_text(scorer->tokenizer) : NULL,
        .max_length = scorer->max_length,
        .n_vocab = scorer->config.n_vocab,
        .dim = (size_t)scorer->config.dim};
    return worker;
}

void scorer_worker_free(struct scorer_worker *worker)
{
    if (!worker)
        return;
    tokenizer_worker_free(worker->tokenizer);
    token_ids_release(&worker->ids);
    oy_free(worker);
}

size_t scorer_plan_size(const struct scorer *scorer, const struct plan *plan)
{
    const size_t dim = (size_t)scorer->config.dim;
    size_t size = 0;

    for (size_t i = 0; i < plan->n_part; i++)
        size += plan->part[i].n +
                embeds_count(plan->part[i].embed, plan->part[i].n) * dim;
    return size;
}

struct plan scorer_keep_plan(const struct scorer *scorer,
                             const struct plan *plan, struct oy_arena *arena)
{
    return plan_copy(plan, (size_t)scorer->config.dim, arena);
}

int scorer_plan(struct scorer_worker *worker, const struct request *request,
                struct oy_arena *arena, struct plan *plan, struct oy_error *err)
{
    *plan = (struct plan){0};
    if (worker->scorer->command) /* which knows its own tokens */
        return 0;
    return plan_request(&worker->rules, request, arena, plan, err);
}

/* ---- counts ---- */

const int32_t *scorer_find_keys(struct scorer *scorer,
                                const struct plan_part *part,
                                struct oy_arena *arena)
{
    if (!part->embed)
        return NULL;
    int32_t *key = oy_arena_array(arena, part->n + 1, sizeof *key);
    embed_keys_of(&scorer->embed_keys, part->id, part->embed, part->n,
                  (size_t)scorer->config.dim, key);
    key[part->n] = part->id[part->n];
    return key;
}

void scorer_count(struct scorer *scorer, const struct plan *plan)
{
    if (plan->generate)
        return;
    scorer->n_request += plan->n_part;
    scorer->n_truncated += plan->n_truncated;
    for (size_t i = 0; i < plan->n_part; i++) {
        const struct plan_part *part = &plan->part[i];
        scorer->n_naive += part->n;
        scorer->n_row += part->n_scored;
        if (!scorer->options.dry_run)
            continue;
        OY_GROW(scorer->sequence, scorer->cap_sequence, scorer->n_sequence + 1);
        int32_t *id = oy_arena_array(&scorer->arena, part->n + 1, sizeof *id);
        memcpy(id, part->id, (part->n + 1) * sizeof *id);
        scorer->sequence[scorer->n_sequence++] = (struct tree_sequence){
            .id = id,
            .n = part->n,
            .key = scorer_find_keys(scorer, part, &scorer->arena),
            .n_scored = part->n_scored};
    }
}

static void put_count(struct oy_buffer *out, const char *name, uint64_t n)
{
    oy_buffer_append_format(out, "\"%s\":%llu", name, (unsigned long long)n);
}

void scorer_put_counts(const struct scorer *scorer, struct oy_buffer *out)
{
    oy_buffer_append_char(out, '{');
    put_count(out, "requests", scorer->n_request);
    oy_buffer_append_char(out, ',');
    put_count(out, "naive_tokens", scorer->n_naive);
    if (scorer->options.dry_run) {
        oy_buffer_append_char(out, ',');
        put_count(out, "unique_prefix_tokens",
                  tree_count(scorer->sequence, scorer->n_sequence));
    }
    oy_buffer_append_char(out, ',');
    put_count(out, "scored_rows", scorer->n_row);
    oy_buffer_append_char(out, ',');
    put_count(out, "truncated_requests", scorer->n_truncated);
    oy_buffer_append_char(out, '}');
}

void scorer_add_counts(const struct scorer *scorer, struct oy_counters *counter)
{
    oy_counter_add(counter, "naive_tokens", scorer->n_naive);
    oy_counter_add(counter, "computed_tokens", scorer->n_computed);
}

int scorer_write_logits(const struct scorer *scorer, const char *path,
                        struct oy_error *err)
{
    struct safetensors_entry *entry =
        oy_calloc(scorer->n_kept + 1, sizeof *entry);
    struct oy_arena arena = {0};

    for (size_t i = 0; i < scorer->n_kept; i++) {
        char *name = oy_arena_alloc(&arena, 32);
        struct oy_buffer text = {0};
        oy_buffer_append_format(&text, "logits.%llu",
                                (unsigned long long)scorer->kept[i].number);
        memcpy(name, oy_buffer_string(&text), text.len + 1);
        oy_buffer_release(&text);
        entry[i] = (struct safetensors_entry){
            .name = name,
            .type = TENSOR_F32,
            .n_dim = 2,
            .shape = {scorer->kept[i].n_row, (uint64_t)scorer->config.n_vocab},
            .data = scorer->kept[i].logits};
    }
    const int status = safetensors_write(path, entry, (int)scorer->n_kept, err);
    oy_arena_release(&arena);
    oy_free(entry);
    return status;
}
