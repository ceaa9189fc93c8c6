/* SPDX-License-Identifier: Apache-2.0
 *
 * A local model that answers windows of requests. */
#include "eval/scorer.h"

#include <string.h>
#include <unistd.h>

#include "core/hash.h"
#include "core/json.h"
#include "core/manifest.h"
#include "core/model_name.h"
#include "eval/command_model.h"
#include "eval/tree.h"
#include "model/embed_keys.h"
#include "model/embeds.h"
#include "model/engine.h"
#include "model/model_file.h"
#include "model/safetensors.h"
#include "tokenizer/tokenizer.h"

/* Logits of one request, kept for the file. */
struct kept {
    uint64_t number;
    size_t n_row;
    float *logits;
};

struct scorer {
    struct scorer_options options;
    struct oy_pool *pool;
    struct engine *engine;         /* NULL when dry */
    struct batch *batch;           /* of all windows; NULL when dry */
    struct tokenizer *tokenizer;   /* NULL: requests must carry ids */
    struct command_model *command; /* answers instead of an engine; or NULL */
    struct profile *profile;       /* NULL: none is wanted */
    struct decoder_config config;
    size_t max_length;
    int32_t prefix;
    struct oy_buffer prefix_text;
    struct embed_keys embed_keys;

    uint64_t n_request, n_naive, n_row, n_truncated;
    struct oy_arena arena; /* tokens of a dry run */
    struct tree_sequence *sequence;
    size_t n_sequence, cap_sequence;

    struct kept *kept;
    size_t n_kept, cap_kept;
    char *model; /* where it was found */
};

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

/* ---- answering ---- */

/* Whether the tree has to score it. */
static int is_open(const struct scorer_item *item)
{
    return !item->answer.given && !item->plan.generate;
}

static size_t count_parts(const struct scorer_item *item, size_t n)
{
    size_t n_part = 0;

    for (size_t i = 0; i < n; i++) {
        if (is_open(&item[i]))
            n_part += item[i].plan.n_part;
    }
    return n_part;
}

static size_t scored_rows(const struct plan *plan)
{
    size_t n = 0;

    for (size_t i = 0; i < plan->n_part; i++)
        n += plan->part[i].n_scored;
    return n;
}

/* Memory for the logits of an item; its parts write one behind the other. */
static int keep_logits(struct scorer *scorer, const struct scorer_item *item,
                       struct oy_error *err)
{
    const size_t n_row = scored_rows(&item->plan);
    float *logits =
        oy_try_alloc(n_row * (size_t)scorer->config.n_vocab, sizeof *logits);

    if (!logits)
        return oy_fail(err, OY_SYSTEM, "no memory for logits");
    OY_GROW(scorer->kept, scorer->cap_kept, scorer->n_kept + 1);
    scorer->kept[scorer->n_kept++] = (struct kept){item->number, n_row, logits};
    return 0;
}

/* What the tokens of a part are known by; NULL: their ids. */
static const int32_t *find_keys(struct scorer *scorer,
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

static void make_sequence(struct scorer *scorer, const struct plan_part *part,
                          float *logits, struct oy_arena *arena,
                          struct tree_sequence *out)
{
    const size_t n = part->n_scored;
    const size_t n_top = (size_t)scorer->options.top_logprobs;

    *out = (struct tree_sequence){.id = part->id,
                                  .n = part->n,
                                  .embed = part->embed,
                                  .key = find_keys(scorer, part, arena),
                                  .n_scored = n,
                                  .logits = logits};
    out->logprob = oy_arena_array(arena, n, sizeof *out->logprob);
    out->greedy = oy_arena_array(arena, n, sizeof *out->greedy);
    if (n_top) {
        out->top_id = oy_arena_array(arena, n * n_top, sizeof *out->top_id);
        out->top_logprob =
            oy_arena_array(arena, n * n_top, sizeof *out->top_logprob);
    }
}

static int make_sequences(struct scorer *scorer, const struct scorer_item *item,
                          size_t n, struct oy_arena *arena,
                          struct tree_sequence *sequence, struct oy_error *err)
{
    for (size_t i = 0; i < n; i++) {
        float *logits = NULL;
        if (!is_open(&item[i]))
            continue;
        if (scorer->options.keep_logits) {
            if (keep_logits(scorer, &item[i], err))
                return -1;
            logits = scorer->kept[scorer->n_kept - 1].logits;
        }
        for (size_t j = 0; j < item[i].plan.n_part; j++) {
            const struct plan_part *part = &item[i].plan.part[j];
            make_sequence(scorer, part, logits, arena, sequence++);
            if (logits)
                logits += part->n_scored * (size_t)scorer->config.n_vocab;
        }
    }
    return 0;
}

static void put_token_logprobs(const struct tree_sequence *sequence,
                               size_t n_part, struct oy_buffer *out)
{
    oy_buffer_append_char(out, '[');
    for (size_t i = 0; i < n_part; i++) {
        for (size_t k = 0; k < sequence[i].n_scored; k++) {
            if (i || k)
                oy_buffer_append_char(out, ',');
            oy_json_put_float(out, sequence[i].logprob[k]);
        }
    }
    oy_buffer_append_char(out, ']');
}

static void put_top(const struct tree_sequence *sequence, size_t k,
                    size_t n_top, struct oy_buffer *out)
{
    oy_buffer_append_char(out, '{');
    for (size_t i = k * n_top; i < (k + 1) * n_top; i++) {
        oy_buffer_append_format(out, "%s\"%d\":", i > k * n_top ? "," : "",
                                sequence->top_id[i]);
        oy_json_put_float(out, sequence->top_logprob[i]);
    }
    oy_buffer_append_char(out, '}');
}

static void put_top_logprobs(const struct tree_sequence *sequence,
                             size_t n_part, size_t n_top, struct oy_buffer *out)
{
    oy_buffer_append_char(out, '[');
    for (size_t i = 0; i < n_part; i++) {
        for (size_t k = 0; k < sequence[i].n_scored; k++) {
            if (i || k)
                oy_buffer_append_char(out, ',');
            put_top(&sequence[i], k, n_top, out);
        }
    }
    oy_buffer_append_char(out, ']');
}

static void to_arena(struct oy_buffer *buffer, struct oy_arena *arena,
                     struct oy_text *text)
{
    text->at = oy_arena_copy(arena, buffer->data, buffer->len);
    text->len = buffer->len;
    oy_buffer_clear(buffer);
}

/* As lm-eval: a float32 sum of each part, parts added in Python's floats. */
static void sum_parts(const struct tree_sequence *sequence, size_t n_part,
                      struct request_answer *answer)
{
    answer->given = 1;
    answer->logprob = 0;
    answer->is_greedy = 1;
    for (size_t i = 0; i < n_part; i++) {
        double sum = 0;
        for (size_t k = 0; k < sequence[i].n_scored; k++) {
            sum += (double)sequence[i].logprob[k];
            answer->is_greedy &= sequence[i].greedy[k];
        }
        answer->logprob += (double)(float)sum;
    }
}

static void put_answers(const struct scorer *scorer, struct scorer_item *item,
                        size_t n, const struct tree_sequence *sequence,
                        struct oy_arena *arena)
{
    const size_t n_top = (size_t)scorer->options.top_logprobs;
    struct oy_buffer buffer = {0};

    for (size_t i = 0; i < n; i++) {
        const size_t n_part = item[i].plan.n_part;
        struct request_answer *answer = &item[i].answer;
        if (!is_open(&item[i]))
            continue;
        sum_parts(sequence, n_part, answer);
        if (scorer->options.per_token) {
            put_token_logprobs(sequence, n_part, &buffer);
            to_arena(&buffer, arena, &answer->token_logprobs);
        }
        if (n_top) {
            put_top_logprobs(sequence, n_part, n_top, &buffer);
            to_arena(&buffer, arena, &answer->top_logprobs);
        }
        sequence += n_part;
    }
    oy_buffer_release(&buffer);
}

/* ---- completions ---- */

/* The random stream of a prompt is a function of its tokens and of which of
 * its completions it is. */
static struct generate_job make_job(const struct plan *plan)
{
    const struct plan_part *part = &plan->part[0];

    return (struct generate_job){
        .prompt = part->id,
        .n_prompt = part->n,
        .embed = part->embed,
        .record = oy_hash64(part->id, part->n * sizeof *part->id),
        .sample = plan->sample,
        .options = plan->generate};
}

static int wants_completion(const struct scorer_item *item)
{
    return !item->answer.given && item->plan.generate;
}

/* --max-length may promise more than the model can take. */
static int check_prompts(const struct scorer *scorer,
                         const struct generate_job *job, size_t n,
                         struct oy_error *err)
{
    const size_t most = (size_t)config_max_text(&scorer->config);

    for (size_t i = 0; i < n; i++) {
        if (job[i].n_prompt > most)
            return oy_fail(err, OY_DATA,
                           "a prompt of %zu tokens, more than the model's %zu",
                           job[i].n_prompt, most);
    }
    return 0;
}

/* The batch gives way: its blocks are the generator's. */
static int run_jobs(struct scorer *scorer, struct generate_job *job, size_t n,
                    struct oy_error *err)
{
    int status;

    if (check_prompts(scorer, job, n, err))
        return -1;
    batch_free(scorer->batch);
    scorer->batch = NULL;
    status = generate_run(scorer->engine, scorer->tokenizer, job[0].options,
                          job, n, err);
    scorer->batch = batch_new(scorer->engine, NULL);
    return status;
}

static int complete(struct scorer *scorer, struct scorer_item *item, size_t n,
                    struct oy_arena *arena, struct oy_error *err)
{
    struct generate_job *job = oy_arena_array(arena, n + 1, sizeof *job);
    size_t n_job = 0;
    int status;

    for (size_t i = 0; i < n; i++) {
        if (wants_completion(&item[i]))
            job[n_job++] = make_job(&item[i].plan);
    }
    if (!n_job)
        return 0;
    status = run_jobs(scorer, job, n_job, err);
    for (size_t i = 0, j = 0; i < n; i++) {
        if (!wants_completion(&item[i]))
            continue;
        to_arena(&job[j].text, arena, &item[i].answer.completion);
        item[i].answer.given = 1;
        generate_job_release(&job[j++]);
    }
    return status;
}

/* The lines that have no answer go to the command, and theirs come back. */
static int ask_command(const struct scorer *scorer, struct scorer_item *item,
                       size_t n, struct oy_arena *arena, struct oy_error *err)
{
    struct oy_text *const line = oy_arena_array(arena, n + 1, sizeof *line);
    struct request_answer *const answer =
        oy_arena_array(arena, n + 1, sizeof *answer);
    size_t n_open = 0;

    for (size_t i = 0; i < n; i++) {
        if (!item[i].answer.given)
            line[n_open++] = item[i].line;
    }
    if (command_model_answer(scorer->command, line, n_open, answer, arena, err))
        return -1;
    n_open = 0;
    for (size_t i = 0; i < n; i++) {
        if (!item[i].answer.given)
            item[i].answer = answer[n_open++];
    }
    if (scorer->options.progress)
        scorer->options.progress(scorer->options.progress_arg, n_open);
    return 0;
}

int scorer_answer(struct scorer *scorer, struct scorer_item *item, size_t n,
                  struct oy_arena *arena, struct oy_error *err)
{
    const struct tree_options options = {
        .n_top = (size_t)scorer->options.top_logprobs,
        .progress = scorer->options.progress,
        .arg = scorer->options.progress_arg};
    const size_t n_part = count_parts(item, n);
    struct tree_sequence *sequence =
        oy_arena_array(arena, n_part ? n_part : 1, sizeof *sequence);

    if (scorer->command)
        return ask_command(scorer, item, n, arena, err);
    OY_ASSERT(scorer->engine);
    profile_mark(scorer->profile, PROFILE_DATA, PEAK_F32, 0, 0);
    if (make_sequences(scorer, item, n, arena, sequence, err) ||
        tree_score(scorer->batch, sequence, n_part, &options, err))
        return -1;
    put_answers(scorer, item, n, sequence, arena);
    profile_mark(scorer->profile, PROFILE_OTHER, PEAK_F32, 0, 0);
    return complete(scorer, item, n, arena, err);
}

/* ---- counts ---- */

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
            .key = find_keys(scorer, part, &scorer->arena),
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

/* ---- who answers ---- */

static void put_token(struct oy_buffer *out, const char *name, const char *text,
                      int32_t id)
{
    oy_buffer_append_format(out, ",\"%s\":", name);
    if (!text || id < 0) {
        oy_buffer_append_string(out, "null");
        return;
    }
    oy_buffer_append_char(out, '[');
    oy_json_put_string(out, text, strlen(text));
    oy_buffer_append_format(out, ",\"%d\"]", id);
}

/* The last part of a path. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash && slash[1] ? slash + 1 : path;
}

/* "manifest": the hash of the checkpoint's manifest, through which a score is
 * followed back to the text that the model was trained on. */
static void put_manifest(const char *model, struct oy_buffer *out)
{
    struct oy_error absent = {0};
    char *path = oy_asprintf("%s/manifest.json", model ? model : "");
    struct oy_manifest_file file = {.path = path};

    if (!oy_manifest_hash_file(&file, &absent))
        oy_buffer_append_format(out, ",\"manifest\":\"%s\"", file.hash);
    oy_free(path);
}

/* A command is known by its text: what it runs is its own affair. */
static void put_command(const struct scorer *scorer, struct oy_buffer *out)
{
    const char *const command = command_model_of(scorer->options.model);

    oy_buffer_append_string(out, "{\"command\":");
    oy_json_put_string(out, command, strlen(command));
    oy_buffer_append_char(out, '}');
}

void scorer_put_model(const struct scorer *scorer, struct oy_buffer *out)
{
    const struct tokenizer *t = scorer->tokenizer;
    const char *name =
        scorer->options.model ? base_name(scorer->options.model) : "";

    if (scorer->command) {
        oy_buffer_append_string(out, "{\"model\":\"cmd\",\"model_args\":");
        put_command(scorer, out);
        oy_buffer_append_string(out, ",\"model_source\":\"cmd\",\"identity\":");
        put_command(scorer, out);
        oy_buffer_append_char(out, '}');
        return;
    }
    oy_buffer_append_string(out, "{\"model\":\"oyster\",\"model_args\":{"
                                 "\"pretrained\":");
    oy_json_put_string(out, name, strlen(name));
    oy_buffer_append_format(
        out,
        ",\"dtype\":\"float32\"},\"model_num_parameters\":%llu,"
        "\"model_dtype\":\"torch.float32\",\"batch_size\":1,"
        "\"device\":\"cpu\"",
        (unsigned long long)config_count_weights(&scorer->config));
    put_token(out, "tokenizer_eos_token", t ? tokenizer_eos_text(t) : NULL,
              t ? tokenizer_eos(t) : -1);
    put_token(out, "tokenizer_bos_token", t ? tokenizer_bos_text(t) : NULL,
              t ? tokenizer_bos(t) : -1);
    if (t && tokenizer_eos(t) >= 0)
        oy_buffer_append_format(out, ",\"eot_token_id\":%d", tokenizer_eos(t));
    oy_buffer_append_format(out, ",\"max_length\":%zu,", scorer->max_length);
    oy_buffer_append_string(out, "\"model_source\":\"oyster\","
                                 "\"model_name\":");
    oy_json_put_string(out, name, strlen(name));
    oy_buffer_append_string(out, ",\"identity\":");
    scorer_put_identity(scorer, out);
    put_manifest(scorer->options.model, out);
    oy_buffer_append_char(out, '}');
}

/* Said only where it differs from how journals have always been. */
static void put_kv_type(const struct scorer *scorer, struct oy_buffer *out)
{
    const enum kv_type type = (enum kv_type)scorer->options.kv_type;

    if (type != KV_F32)
        oy_buffer_append_format(out, ",\"kv_dtype\":\"%s\"",
                                kv_type_name(type));
}

void scorer_put_identity(const struct scorer *scorer, struct oy_buffer *out)
{
    struct oy_buffer config = {0};
    char text[33];

    if (scorer->command) {
        put_command(scorer, out);
        return;
    }
    config_put_json(&scorer->config, &config);
    oy_hash128_text(oy_hash128(config.data, config.len), text);
    oy_buffer_release(&config);
    oy_buffer_append_format(out, "{\"config\":\"%s\"", text);
    if (scorer->engine) {
        oy_hash128_text(engine_weights_hash(scorer->engine), text);
        oy_buffer_append_format(out, ",\"weights\":\"%s\",\"kernel\":\"%s\"",
                                text, engine_kernel_name(scorer->engine));
        put_kv_type(scorer, out);
    }
    if (scorer->tokenizer) {
        oy_hash128_text(tokenizer_hash(scorer->tokenizer), text);
        oy_buffer_append_format(out, ",\"tokenizer\":\"%s\"", text);
    }
    oy_buffer_append_format(out, ",\"max_length\":%zu}", scorer->max_length);
}
