/* SPDX-License-Identifier: Apache-2.0
 *
 * Passes, threads and outputs of the engine. */
#include "core/filter.h"

#include <string.h>

#include "core/filter_internal.h"
#include "core/progress.h"

/* One pass: threads take batches and tickets with them, and settle in the
 * order of the tickets. */
struct pass {
    struct oy_engine *engine;
    int n_thread;
    struct oy_slot *slot; /* [n_thread] */

    pthread_mutex_t read_lock; /* the source, the next ticket, `ended` */
    uint64_t next_ticket;
    int ended;

    pthread_mutex_t turn_lock; /* `turn` */
    /* [n_thread]; ticket t waits at t % n_thread. There are no more tickets
     * than threads, so each waits alone. */
    pthread_cond_t *turn_moved;
    uint64_t turn;

    atomic_int failed;    /* set in turn */
    struct oy_error *err; /* written in turn */
};

struct thread {
    pthread_t id;
    struct pass *pass;
    struct oy_slot *slot;
};

/* ---- one thread ---- */

static void note_taken(struct oy_engine *engine)
{
    const double fraction = oy_source_progress(engine->source);
    const uint64_t taken =
        fraction < 0 ? UINT64_MAX : (uint64_t)(fraction * 0x1p32);

    atomic_store_explicit(&engine->taken, taken, memory_order_relaxed);
}

/* 1 and a ticket for a batch, or for the failure in slot->err (then n_record
 * and the batch are empty); 0 when there is nothing more to do. */
static int take_batch(struct pass *pass, struct oy_slot *slot, uint64_t *ticket)
{
    struct oy_source *source = pass->engine->source;
    int status = 0;

    pthread_mutex_lock(&pass->read_lock);
    if (!pass->ended && !atomic_load(&pass->failed)) {
        slot->err = (struct oy_error){0};
        status = source->next(source, &slot->batch, &slot->err);
        note_taken(pass->engine);
        pass->ended = status <= 0;
        *ticket = pass->next_ticket;
        pass->next_ticket += status != 0;
    }
    pthread_mutex_unlock(&pass->read_lock);
    return status;
}

static void await_turn(struct pass *pass, uint64_t ticket)
{
    pthread_mutex_lock(&pass->turn_lock);
    while (pass->turn != ticket)
        pthread_cond_wait(&pass->turn_moved[ticket % (uint64_t)pass->n_thread],
                          &pass->turn_lock);
    pthread_mutex_unlock(&pass->turn_lock);
}

static void pass_turn(struct pass *pass)
{
    pthread_mutex_lock(&pass->turn_lock);
    pass->turn++;
    pthread_cond_signal(
        &pass->turn_moved[pass->turn % (uint64_t)pass->n_thread]);
    pthread_mutex_unlock(&pass->turn_lock);
}

static void work(struct pass *pass, struct oy_slot *slot)
{
    uint64_t ticket;
    int status;

    while ((status = take_batch(pass, slot, &ticket)) != 0) {
        if (status > 0)
            oy_slot_judge(pass->engine, slot);
        await_turn(pass, ticket);
        /* After a failure only the turn goes round, until all have left. */
        if (!atomic_load(&pass->failed)) {
            int failed = status < 0;
            if (failed)
                *pass->err = slot->err;
            else
                failed = oy_slot_settle(pass->engine, slot, pass->err) != 0;
            atomic_store(&pass->failed, failed);
        }
        pass_turn(pass);
    }
}

static void *thread_main(void *arg)
{
    struct thread *thread = arg;

    work(thread->pass, thread->slot);
    return NULL;
}

/* ---- one pass ---- */

/* Starts threads 1 and up, which wait for the read lock; returns how many
 * there are then, with thread 0. Fewer than asked for is a failure, and none
 * finds anything to do. */
static int start_threads(struct pass *pass, struct thread *thread)
{
    int n = 1, status = 0;

    pthread_mutex_lock(&pass->read_lock);
    for (; n < pass->n_thread; n++) {
        thread[n] = (struct thread){.pass = pass, .slot = &pass->slot[n]};
        status = pthread_create(&thread[n].id, NULL, thread_main, &thread[n]);
        if (status)
            break;
    }
    if (status) {
        oy_fail(pass->err, OY_SYSTEM, "cannot start thread %d of %d (-T): %s",
                n + 1, pass->n_thread, strerror(status));
        atomic_store(&pass->failed, 1);
    }
    pthread_mutex_unlock(&pass->read_lock);
    return n;
}

static void run_threads(struct pass *pass)
{
    struct thread *thread = oy_calloc((size_t)pass->n_thread, sizeof *thread);
    int n = start_threads(pass, thread);

    work(pass, &pass->slot[0]);
    while (--n > 0)
        pthread_join(thread[n].id, NULL);
    oy_free(thread);
}

static void open_workers(struct pass *pass)
{
    const struct oy_engine *engine = pass->engine;

    for (int i = 0; i < pass->n_thread; i++) {
        struct oy_slot *slot = &pass->slot[i];
        slot->worker =
            oy_calloc((size_t)engine->n_filter, sizeof *slot->worker);
        for (int f = 0; f < engine->n_filter; f++) {
            const struct oy_filter *filter = &engine->filter[f];
            if (filter->worker_new)
                slot->worker[f] = filter->worker_new(filter->self);
        }
    }
}

static int merge_workers(struct pass *pass, struct oy_error *err)
{
    struct oy_engine *engine = pass->engine;

    for (int f = 0; f < engine->n_filter; f++) {
        const struct oy_filter *filter = &engine->filter[f];
        for (int i = 0; filter->merge && i < pass->n_thread; i++) {
            if (filter->merge(filter->self, pass->slot[i].worker[f],
                              engine->context.pass, err))
                return -1;
        }
    }
    for (int f = 0; f < engine->n_filter; f++) {
        const struct oy_filter *filter = &engine->filter[f];
        if (filter->finish &&
            filter->finish(filter->self, &engine->context, err))
            return -1;
    }
    return 0;
}

static void close_workers(struct pass *pass)
{
    const struct oy_engine *engine = pass->engine;

    for (int i = 0; i < pass->n_thread; i++) {
        for (int f = 0; f < engine->n_filter; f++) {
            const struct oy_filter *filter = &engine->filter[f];
            if (filter->worker_free)
                filter->worker_free(filter->self, pass->slot[i].worker[f]);
        }
        oy_slot_release(&pass->slot[i]);
    }
}

static int run_pass(struct oy_engine *engine, struct oy_error *err)
{
    struct pass pass = {
        .engine = engine,
        .n_thread = oy_run_threads(engine->run),
        .err = err,
    };
    const size_t n = (size_t)pass.n_thread;
    int status;

    pass.slot = oy_calloc(n, sizeof *pass.slot);
    pass.turn_moved = oy_calloc(n, sizeof *pass.turn_moved);
    pthread_mutex_init(&pass.read_lock, NULL);
    pthread_mutex_init(&pass.turn_lock, NULL);
    for (size_t i = 0; i < n; i++)
        pthread_cond_init(&pass.turn_moved[i], NULL);
    open_workers(&pass);
    run_threads(&pass);
    status = atomic_load(&pass.failed) ? -1 : merge_workers(&pass, err);
    close_workers(&pass);
    for (size_t i = 0; i < n; i++)
        pthread_cond_destroy(&pass.turn_moved[i]);
    pthread_mutex_destroy(&pass.turn_lock);
    pthread_mutex_destroy(&pass.read_lock);
    oy_free(pass.turn_moved);
    oy_free(pass.slot);
    return status;
}

static int run_passes(struct oy_engine *engine, struct oy_error *err)
{
    for (int pass = 0; pass < engine->n_pass; pass++) {
        engine->context.pass = pass;
        engine->context.output =
            pass == engine->n_pass - 1 ? engine->output : NULL;
        if (pass && engine->source->rewind(engine->source, err))
            return -1;
        if (run_pass(engine, err))
            return -1;
    }
    return 0;
}

/* ---- beginning ---- */

static int add_path(struct oy_engine *engine, const char *path,
                    struct oy_error *err)
{
    const int index = oy_json_query_add(&engine->query, path);

    if (index < 0)
        return oy_fail(err, OY_USAGE,
                       "field '%s' is empty, too deep or one too many", path);
    return index;
}

/* The fields of all filters as one query. The first filter's come first, so
 * that its found[] is the query's. */
static int make_query(struct oy_engine *engine, struct oy_error *err)
{
    if (add_path(engine, engine->run->field, err) < 0)
        return -1;
    for (int f = 0; f < engine->n_filter; f++) {
        const char *const *field = engine->filter[f].field;
        struct oy_field_map *map = &engine->map[f];

        map->n_field = 1;
        for (; field && *field; field++) {
            const int index = add_path(engine, *field, err);
            if (index < 0)
                return -1;
            OY_ASSERT(map->n_field < OY_JSON_MAX_PATHS);
            map->index[map->n_field++] = index;
        }
    }
    engine->oyster = add_path(engine, "oyster", err);
    return engine->oyster < 0 ? -1 : 0;
}

static void read_filters(struct oy_engine *engine)
{
    engine->n_pass = 1;
    engine->writes_records = 1;
    for (int f = 0; f < engine->n_filter; f++) {
        const struct oy_filter *filter = &engine->filter[f];

        engine->wants_text |= filter->wants_text;
        engine->writes_records &= filter->writes_records;
        engine->settles |= filter->settle != NULL;
        if (filter->n_pass > engine->n_pass)
            engine->n_pass = filter->n_pass;
    }
    for (int f = 0; f < engine->n_filter; f++)
        OY_ASSERT(engine->filter[f].n_pass >= engine->n_pass ||
                  !engine->filter[f].settle);
}

static int open_source(struct oy_engine *engine, struct oy_error *err)
{
    const struct oy_run *run = engine->run;
    const struct oy_source_options options = {
        .max_record = run->max_record,
        .two_passes = engine->n_pass > 1,
        .tmpdir = run->tmpdir,
        .unhashed = !run->manifest,
    };

    if (!engine->source) {
        engine->source = oy_source_open(run->input.item, (int)run->input.n_item,
                                        &options, err);
        engine->is_own_source = 1;
    }
    if (!engine->source)
        return -1;
    OY_ASSERT(engine->n_pass == 1 || engine->source->rewind);
    return 0;
}

static int opens_output(const struct oy_engine *engine)
{
    for (int f = 0; f < engine->n_filter; f++) {
        if (engine->filter[f].opens_no_output)
            return 0;
    }
    return 1;
}

static int is_stdout(const char *path)
{
    return path && (!strcmp(path, "-") || !strcmp(path, "/dev/stdout"));
}

/* Two streams in one would be of no use to anybody. */
static int check_stdout(const struct oy_run *run, struct oy_error *err)
{
    const struct {
        const char *name, *path;
    } at[] = {{"dropped", run->dropped},
              {"rejects", run->rejects},
              {"manifest", run->manifest}};

    for (int i = 0; i < 3; i++) {
        if (is_stdout(at[i].path) && (!run->output || is_stdout(run->output)))
            return oy_fail(err, OY_USAGE,
                           "option '--%s %s' needs another place for the "
                           "output: -o",
                           at[i].name, at[i].path);
    }
    return 0;
}

static int open_outputs(struct oy_engine *engine, struct oy_error *err)
{
    const struct oy_run *run = engine->run;

    if (engine->writes_records && check_stdout(run, err))
        return -1;
    if (opens_output(engine)) {
        engine->output = oy_run_open_output(run, err);
        if (!engine->output)
            return -1;
    }
    if (run->dropped) {
        engine->dropped = oy_run_open_output_at(run, run->dropped, err);
        if (!engine->dropped)
            return -1;
    }
    if (run->rejects) {
        engine->rejects = oy_run_open_output_at(run, run->rejects, err);
        if (!engine->rejects)
            return -1;
    }
    return 0;
}

/* ---- end ---- */

static void describe_output(struct oy_manifest_file *file, const char *kind,
                            const char *path, uint64_t records,
                            const struct oy_output *output)
{
    *file = (struct oy_manifest_file){
        .path = path && strcmp(path, "-") ? path : NULL,
        .kind = kind,
        .bytes = oy_output_bytes(output),
        .records = records,
    };
    oy_hash128_text(oy_output_digest(output), file->hash);
}

static const char *output_kind(const struct oy_engine *engine)
{
    for (int f = 0; f < engine->n_filter; f++) {
        if (engine->filter[f].output_kind)
            return engine->filter[f].output_kind;
    }
    return "records";
}

static int commit(struct oy_output **output, struct oy_error *err)
{
    struct oy_output *last = *output;

    *output = NULL;
    return oy_output_commit(last, err);
}

/* Outputs become visible before the manifest that vouches for them. */
static int finish_run(struct oy_engine *engine, struct oy_error *err)
{
    const struct oy_run *run = engine->run;
    const struct oy_filter_counts *counts = &engine->counts;
    const size_t n_made = (size_t)engine->context.n_made;
    struct oy_manifest_file *file = oy_calloc(n_made + 3, sizeof *file);
    int n = 0, status = -1;

    if (engine->output)
        describe_output(&file[n++], output_kind(engine), run->output,
                        engine->writes_records ? counts->kept
                                               : engine->context.n_written,
                        engine->output);
    if (engine->dropped)
        describe_output(&file[n++], "dropped", run->dropped, counts->dropped,
                        engine->dropped);
    if (engine->rejects)
        describe_output(&file[n++], "rejects", run->rejects, counts->bad,
                        engine->rejects);
    for (size_t i = 0; i < n_made; i++)
        file[n++] = engine->context.made[i];
    if (commit(&engine->dropped, err) || commit(&engine->rejects, err) ||
        commit(&engine->output, err))
        goto out;
    status = oy_filter_report(engine, file, n, err);
out:
    oy_free(file);
    return status;
}

/* What came before a failure goes out where somebody may be reading it. */
static void hand_over(struct oy_engine *engine)
{
    struct oy_error ignored = {0};

    if (engine->output)
        oy_output_flush(engine->output, &ignored);
}

static void release(struct oy_engine *engine)
{
    oy_output_discard(engine->output);
    oy_output_discard(engine->dropped);
    oy_output_discard(engine->rejects);
    if (engine->source)
        engine->source->close(engine->source);
    oy_json_query_release(&engine->query);
    oy_counters_release(&engine->counter);
    oy_counters_release(&engine->reason);
    pthread_mutex_destroy(&engine->count_lock);
    oy_free(engine->map);
}

int oy_filter_run(const struct oy_filter *filter, int n_filter,
                  struct oy_run *run, struct oy_source *source,
                  struct oy_error *err)
{
    struct oy_engine engine = {
        .filter = filter,
        .n_filter = n_filter,
        .run = run,
        .source = source,
        .start = oy_now(),
        .taken = UINT64_MAX,
    };
    struct oy_progress *progress;
    int status = -1;

    engine.map = oy_calloc((size_t)n_filter, sizeof *engine.map);
    engine.context =
        (struct oy_filter_context){.counter = &engine.counter, .run = run};
    pthread_mutex_init(&engine.count_lock, NULL);
    read_filters(&engine);
    if (make_query(&engine, err) || open_source(&engine, err) ||
        open_outputs(&engine, err))
        goto out;
    progress = oy_progress_start(run, oy_filter_describe, &engine);
    status = run_passes(&engine, err);
    oy_progress_stop(progress);
    if (!status)
        status = finish_run(&engine, err);
    else
        hand_over(&engine);
out:
    release(&engine);
    return status;
}
