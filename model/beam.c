/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of a beam search (transformers, GenerationMixin._beam_search). */
#include "model/beam.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/stop_text.h"

/* A running completion. */
struct beam {
    struct token_ids ids; /* with the prompt */
    struct kv_sequence cache;
    struct constraint_cursor cursor;
    float score;
};

/* A beam and the token that may come next. */
struct choice {
    float score;
    int32_t parent, id;
    int is_end;  /* it ends here */
    int is_stop; /* by a stop text */
};

struct search {
    struct engine *engine;
    const struct beam_options *options;
    size_t n_prompt, n_choice, n_vocab;
    struct beam *beam, *next; /* [n_beam] */
    size_t n_running;
    struct choice *choice; /* [n_beam][n_choice], then the best n_choice */
    size_t *n_found;       /* [n_beam] */
    struct beam_completion *done; /* [n_beam], best first */
    size_t *n_done;
    int can_improve;
    float *hidden;     /* [n_beam][dim] */
    float *scratch;    /* [worker][n_vocab] */
    uint64_t *allowed; /* [worker][words] */
};

static int is_end_token(const struct search *search, int32_t id)
{
    const struct decoder_config *config = engine_config(search->engine);

    for (int i = 0; i < config->n_eos && !search->options->ignore_eos; i++) {
        if (config->eos_id[i] == id)
            return 1;
    }
    return 0;
}

/* ---- choices of a beam ---- */

static void make_log_probabilities(float *logits, size_t n)
{
    float best = -INFINITY;
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        if (logits[i] > best)
            best = logits[i];
    }
    for (size_t i = 0; i < n; i++)
        sum += exp((double)logits[i] - (double)best);
    const float norm = best + (float)log(sum);
    for (size_t i = 0; i < n; i++)
        logits[i] -= norm;
}

static int comes_before(const struct choice *a, const struct choice *b)
{
    if (a->score != b->score)
        return a->score > b->score;
    if (a->parent != b->parent)
        return a->parent < b->parent;
    return a->id < b->id;
}

/* Puts a choice into list[n], which is in order and holds `most`. */
static size_t insert(struct choice *list, size_t n, size_t most,
                     const struct choice *choice)
{
    size_t at = n;

    if (n == most && !comes_before(choice, &list[n - 1]))
        return n;
    if (n == most)
        at--;
    else
        n++;
    for (; at > 0 && comes_before(choice, &list[at - 1]); at--)
        list[at] = list[at - 1];
    list[at] = *choice;
    return n;
}

static void choose_row(void *arg, size_t row, float *logits, int worker)
{
    struct search *search = arg;
    const struct beam_options *options = search->options;
    struct beam *beam = &search->beam[row];
    struct choice *list = search->choice + row * search->n_choice;
    struct sampler_past past = {beam->ids.id, beam->ids.n, search->n_prompt,
                                NULL};
    size_t n = 0;

    if (options->constraint) {
        uint64_t *mask = search->allowed +
                         (size_t)worker * constraint_words(options->constraint);
        constraint_allow(options->constraint, &beam->cursor,
                         beam->ids.id + search->n_prompt,
                         beam->ids.n - search->n_prompt, mask);
        past.allowed = mask;
    }
    make_log_probabilities(logits, search->n_vocab);
    sampler_process(options->sampler, &past, logits, search->n_vocab,
                    search->scratch + (size_t)worker * search->n_vocab);
    for (size_t i = 0; i < search->n_vocab; i++) {
        const struct choice choice = {.score = logits[i] + beam->score,
                                      .parent = (int32_t)row,
                                      .id = (int32_t)i};
        if (logits[i] > -INFINITY)
            n = insert(list, n, search->n_choice, &choice);
    }
    search->n_found[row] = n;
}

static int by_score(const void *a, const void *b)
{
    return comes_before(a, b) ? -1 : 1;
}

/* Whether the text of a beam and the token behind it holds a stop text. */
static int holds_stop(struct search *search, const struct choice *choice)
{
    const struct beam_options *options = search->options;
    struct token_ids *ids = &search->beam[choice->parent].ids;
    struct oy_buffer text = {0};

    if (!options->n_stop)
        return 0;
    token_ids_append(ids, &choice->id, 1);
    tokenizer_decode(options->tokenizer, ids->id + search->n_prompt,
                     ids->n - search->n_prompt, 1, &text);
    ids->n--;
    const size_t at =
        stop_text_find(options->stop, options->n_stop, text.data, text.len);
    oy_buffer_release(&text);
    return at != SIZE_MAX;
}

/* The best of all beams, in order, at the front; how many. */
static size_t gather_choices(struct search *search)
{
    const size_t length = search->beam[0].ids.n + 1 - search->n_prompt;
    size_t n = 0;

    for (size_t i = 0; i < search->n_running; i++) {
        memmove(search->choice + n, search->choice + i * search->n_choice,
                search->n_found[i] * sizeof *search->choice);
        n += search->n_found[i];
    }
    if (n)
        qsort(search->choice, n, sizeof *search->choice, by_score);
    if (n > search->n_choice)
        n = search->n_choice;
    for (size_t i = 0; i < n; i++) {
        struct choice *choice = &search->choice[i];
        choice->is_stop = holds_stop(search, choice);
        choice->is_end = choice->is_stop ||
                         length >= search->options->max_tokens ||
                         is_end_token(search, choice->id);
    }
    return n;
}

/* ---- finished ones ---- */

static void finish_choice(struct search *search, const struct choice *choice)
{
    const struct token_ids *from = &search->beam[choice->parent].ids;
    const size_t n_beam = search->options->n_beam;
    const size_t length = from->n + 1 - search->n_prompt;
    const float score =
        choice->score /
        (float)pow((double)length, search->options->length_penalty);
    struct beam_completion new = {.score = score};
    size_t at = *search->n_done;

    if (at == n_beam && score <= search->done[at - 1].score)
        return;
    const int ends = is_end_token(search, choice->id);
    new.is_ended = ends || choice->is_stop;
    token_ids_append(&new.ids, from->id + search->n_prompt, length - 1);
    if (!ends)
        token_ids_append(&new.ids, &choice->id, 1);
    if (at == n_beam)
        token_ids_release(&search->done[--at].ids);
    *search->n_done = at + 1;
    for (; at > 0 && score > search->done[at - 1].score; at--)
        search->done[at] = search->done[at - 1];
    search->done[at] = new;
}

/* Only the first n_beam of the choices may finish. */
static void finish_choices(struct search *search, size_t n)
{
    const size_t n_beam = search->options->n_beam;
    const int is_full = *search->n_done == n_beam &&
                        search->options->stopping == BEAM_STOP_EARLY;

    for (size_t i = 0; i < n && i < n_beam; i++) {
        if (search->choice[i].is_end && search->can_improve && !is_full)
            finish_choice(search, &search->choice[i]);
    }
}

/* Whether the best running one may still become better than the worst
 * finished one; once not, never again. */
static void judge_progress(struct search *search)
{
    const struct beam_options *options = search->options;
    const size_t so_far = search->beam[0].ids.n - search->n_prompt;
    const size_t length =
        options->stopping == BEAM_STOP_NEVER && options->length_penalty > 0
            ? options->max_tokens
            : so_far;
    const float hoped = search->beam[0].score /
                        (float)pow((double)length, options->length_penalty);

    if (*search->n_done == options->n_beam &&
        hoped <= search->done[options->n_beam - 1].score)
        search->can_improve = 0;
}

/* ---- a step ---- */

static void release_beam(struct search *search, struct beam *beam)
{
    token_ids_release(&beam->ids);
    kv_release(engine_kv(search->engine), &beam->cache);
    *beam = (struct beam){0};
}

static int follow_choice(struct search *search, const struct choice *choice,
                         struct beam *to, struct oy_error *err)
{
    const struct beam *from = &search->beam[choice->parent];

    *to = (struct beam){.cursor = from->cursor, .score = choice->score};
    token_ids_append(&to->ids, from->ids.id, from->ids.n);
    token_ids_append(&to->ids, &choice->id, 1);
    return kv_fork(engine_kv(search->engine), &from->cache, from->cache.len,
                   &to->cache, err);
}

/* The best choices that do not end become the running beams. */
static int go_on(struct search *search, size_t n, struct oy_error *err)
{
    size_t n_next = 0;
    int failed = 0;

    for (size_t i = 0; !failed && i < n && n_next < search->options->n_beam;
         i++) {
        if (!search->choice[i].is_end)
            failed = follow_choice(search, &search->choice[i],
                                   &search->next[n_next++], err);
    }
    for (size_t i = 0; i < search->n_running; i++)
        release_beam(search, &search->beam[i]);
    struct beam *swap = search->beam;
    search->beam = search->next;
    search->next = swap;
    search->n_running = n_next;
    return failed;
}

/* Where the keys of a text depend on how long it is, all of them are made
 * anew when it outgrows theirs. */
static void drop_outgrown(struct search *search)
{
    const struct decoder_config *config = engine_config(search->engine);

    for (size_t i = 0; i < search->n_running; i++) {
        struct beam *beam = &search->beam[i];
        if (config_rope_regime(config, beam->cache.len) !=
            config_rope_regime(config, beam->ids.n))
            kv_release(engine_kv(search->engine), &beam->cache);
    }
}

/* Runs what each beam has not in its cache yet: its last token, at first the
 * prompt. */
static int run_beams(struct search *search, struct oy_error *err)
{
    struct engine_piece piece[BEAM_MAX];
    struct beam *first = &search->beam[0];
    int failed = 0;

    drop_outgrown(search);
    while (!failed && first->ids.n - first->cache.len > ENGINE_ROWS) {
        const struct engine_piece part = {&first->cache,
                                          first->ids.id + first->cache.len,
                                          ENGINE_ROWS, NULL, first->ids.n};
        failed = engine_run(search->engine, &part, 1, search->hidden, err);
    }
    for (size_t i = 0; i < search->n_running; i++) {
        struct beam *beam = &search->beam[i];
        piece[i] =
            (struct engine_piece){&beam->cache, beam->ids.id + beam->cache.len,
                                  beam->ids.n - beam->cache.len, NULL, 0};
    }
    return failed ||
                   engine_run(search->engine, piece, search->n_running,
                              search->hidden, err) ||
                   engine_logits(search->engine, search->hidden,
                                 search->n_running, choose_row, search, err)
               ? -1
               : 0;
}

static int run_steps(struct search *search, struct oy_error *err)
{
    int is_over = 0;

    while (!is_over) {
        if (run_beams(search, err))
            return -1;
        const size_t n = gather_choices(search);
        finish_choices(search, n);
        if (go_on(search, n, err))
            return -1;
        if (!search->n_running)
            break;
        judge_progress(search);
        is_over = !search->can_improve ||
                  (search->options->stopping == BEAM_STOP_EARLY &&
                   *search->n_done == search->options->n_beam);
    }
    return 0;
}

/* Blocks of the prompt are shared; while beams are exchanged each has a copy
 * of its last block beside it. */
static int check_budget(struct engine *engine,
                        const struct beam_options *options, size_t n_prompt,
                        struct oy_error *err)
{
    const struct kv_pool *kv = engine_kv(engine);
    const struct kv_shape *shape = kv_pool_shape(kv);
    const size_t own = (n_prompt % KV_BLOCK + options->max_tokens) / KV_BLOCK;
    const size_t n_block = n_prompt / KV_BLOCK + options->n_beam * (own + 2);
    const uint64_t need = (uint64_t)n_block * KV_BLOCK * kv_token_bytes(kv) +
                          2 * options->n_beam * shape->n_state * sizeof(float);

    if (!shape->max_bytes || need <= shape->max_bytes)
        return 0;
    return oy_fail(err, OY_SYSTEM,
                   "%zu beams of %zu tokens need more keys and values than the "
                   "allowed %llu bytes hold",
                   options->n_beam, n_prompt + options->max_tokens,
                   (unsigned long long)shape->max_bytes);
}

int beam_run(struct engine *engine, const struct beam_options *options,
             const int32_t *prompt, size_t n_prompt,
             struct beam_completion *result, size_t *n_result,
             struct oy_error *err)
{
    const struct decoder_config *config = engine_config(engine);
    const size_t n_worker = (size_t)oy_pool_size(engine_pool(engine));
    const size_t n_end = (size_t)config->n_eos;
    const size_t n_word =
        options->constraint ? constraint_words(options->constraint) : 0;
    struct search search = {.engine = engine,
                            .options = options,
                            .n_prompt = n_prompt,
                            .n_vocab = (size_t)config->n_vocab,
                            .n_running = 1,
                            .done = result,
                            .n_done = n_result,
                            .can_improve = 1};

    OY_ASSERT(n_prompt && options->max_tokens && options->n_beam &&
              options->n_beam <= BEAM_MAX);
    OY_ASSERT(!options->n_stop || options->tokenizer);
    *n_result = 0;
    if (check_budget(engine, options, n_prompt, err))
        return -1;
    search.n_choice = (n_end > 1 ? 1 + n_end : 2) * options->n_beam;
    search.beam = oy_calloc(options->n_beam, sizeof *search.beam);
    search.next = oy_calloc(options->n_beam, sizeof *search.next);
    search.choice = oy_alloc_array(options->n_beam * search.n_choice,
                                   sizeof *search.choice);
    search.n_found = oy_calloc(options->n_beam, sizeof *search.n_found);
    search.hidden = oy_alloc_array(options->n_beam * (size_t)config->dim,
                                   sizeof *search.hidden);
    search.scratch =
        oy_alloc_array(n_worker * search.n_vocab, sizeof *search.scratch);
    search.allowed = oy_alloc_array(n_worker * n_word, sizeof *search.allowed);
    token_ids_append(&search.beam[0].ids, prompt, n_prompt);
    const int status = run_steps(&search, err);
    for (size_t i = 0; i < options->n_beam; i++) {
        release_beam(&search, &search.beam[i]);
        release_beam(&search, &search.next[i]);
    }
    oy_free(search.beam);
    oy_free(search.next);
    oy_free(search.choice);
    oy_free(search.n_found);
    oy_free(search.hidden);
    oy_free(search.scratch);
    oy_free(search.allowed);
    return status;
}
