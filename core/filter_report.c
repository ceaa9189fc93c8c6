/* SPDX-License-Identifier: Apache-2.0
 *
 * What a filter's run tells: progress, closing table, stats, manifest. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/filter_internal.h"
#include "core/log.h"
#include "core/progress.h"

/* ---- lines for people ---- */

static void put_share(struct oy_buffer *out, uint64_t part, uint64_t whole)
{
    oy_buffer_append_format(out, "%6.2f %%",
                            whole ? 100.0 * (double)part / (double)whole : 0.0);
}

/* "3,000 records, 2,900 kept, 98 dropped, 2 bad" */
static void put_counts(const struct oy_engine *engine, struct oy_buffer *out)
{
    const struct oy_filter_counts *counts = &engine->counts;
    const uint64_t dropped = counts->dropped, bad = counts->bad;

    oy_put_count(out, counts->record);
    oy_buffer_append_string(out, " records");
    if (engine->writes_records) {
        oy_buffer_append_string(out, ", ");
        oy_put_count(out, counts->kept);
        oy_buffer_append_string(out, " kept");
    }
    if (dropped) {
        oy_buffer_append_string(out, ", ");
        oy_put_count(out, dropped);
        oy_buffer_append_string(out, " dropped");
    }
    if (bad) {
        oy_buffer_append_string(out, ", ");
        oy_put_count(out, bad);
        oy_buffer_append_string(out, " bad");
    }
}

static void put_speed(const struct oy_engine *engine, struct oy_buffer *out)
{
    const double seconds = oy_now() - engine->start;
    const uint64_t n_byte = engine->counts.byte;

    oy_put_bytes(out, n_byte);
    oy_buffer_append_string(out, " in ");
    oy_put_duration(out, seconds);
    if (seconds > 0.05) {
        oy_buffer_append_string(out, ", ");
        oy_put_bytes(out, (uint64_t)((double)n_byte / seconds));
        oy_buffer_append_string(out, "/s");
    }
}

static void put_remaining(const struct oy_engine *engine, struct oy_buffer *out)
{
    const uint64_t taken = atomic_load(&engine->taken);
    const double fraction = (double)taken * 0x1p-32;

    if (taken == UINT64_MAX || fraction <= 0.001)
        return;
    oy_buffer_append_format(out, ", %.1f %%, ", 100 * fraction);
    oy_put_duration(out,
                    (oy_now() - engine->start) * (1 - fraction) / fraction);
    oy_buffer_append_string(out, " to go");
}

static size_t widest_name(const struct oy_counters *counters, size_t width)
{
    for (int i = 0; i < counters->n_item; i++) {
        const size_t len = strlen(counters->item[i].name);
        width = len > width ? len : width;
    }
    return width;
}

static void put_table(const struct oy_counters *counters, size_t width,
                      uint64_t whole, struct oy_buffer *out)
{
    for (int i = 0; i < counters->n_item; i++) {
        const struct oy_counter *item = &counters->item[i];
        struct oy_buffer number = {0};

        oy_put_count(&number, item->count);
        oy_buffer_append_format(out, "  %-*s %15s", (int)width, item->name,
                                oy_buffer_string(&number));
        if (whole) {
            oy_buffer_append_string(out, "  ");
            put_share(out, item->count, whole);
        }
        oy_buffer_append_char(out, '\n');
        oy_buffer_release(&number);
    }
}

/* The counts, and under them the reasons in the order of their first use. */
static void put_account(struct oy_engine *engine, struct oy_buffer *out)
{
    size_t width = 20;

    oy_buffer_append_format(out, "%s: ", oy_program_name());
    put_counts(engine, out);
    oy_buffer_append_string(out, " (");
    put_speed(engine, out);
    oy_buffer_append_string(out, ")\n");
    width = widest_name(&engine->reason, width);
    width = widest_name(&engine->counter, width);
    put_table(&engine->reason, width, engine->counts.record, out);
    put_table(&engine->counter, width, 0, out);
}

void oy_filter_describe(void *arg, int full, struct oy_buffer *out)
{
    struct oy_engine *engine = arg;

    if (full) {
        pthread_mutex_lock(&engine->count_lock);
        put_account(engine, out);
        pthread_mutex_unlock(&engine->count_lock);
        return;
    }
    put_counts(engine, out);
    oy_buffer_append_string(out, ", ");
    put_speed(engine, out);
    put_remaining(engine, out);
    for (int i = 0; i < engine->n_filter; i++) {
        if (engine->filter[i].describe)
            engine->filter[i].describe(engine->filter[i].self, out);
    }
}

/* ---- for programs ---- */

static void put_members(const struct oy_counters *counters,
                        struct oy_buffer *out)
{
    oy_buffer_append_string(out, counters->n_item ? "{\n" : "{");
    for (int i = 0; i < counters->n_item; i++) {
        const struct oy_counter *item = &counters->item[i];
        oy_buffer_append_string(out, "    ");
        oy_json_put_string(out, item->name, strlen(item->name));
        oy_buffer_append_format(out, ": %llu%s\n",
                                (unsigned long long)item->count,
                                i + 1 < counters->n_item ? "," : "");
    }
    oy_buffer_append_string(out, counters->n_item ? "  }" : "}");
}

static void add_totals(const struct oy_engine *engine,
                       struct oy_counters *total)
{
    const struct oy_filter_counts *counts = &engine->counts;

    oy_counter_add(total, "records", counts->record);
    oy_counter_add(total, "kept", counts->kept);
    oy_counter_add(total, "dropped", counts->dropped);
    oy_counter_add(total, "bad", counts->bad);
    oy_counter_add(total, "repaired", counts->repaired);
}

static void put_stats(const struct oy_engine *engine, struct oy_buffer *out)
{
    struct oy_counters total = {0};

    add_totals(engine, &total);
    oy_buffer_append_format(out,
                            "{\n  \"program\": \"%s\",\n"
                            "  \"version\": \"%s\"",
                            engine->run->program->name, OYSTER_VERSION);
    for (int i = 0; i < total.n_item; i++)
        oy_buffer_append_format(out, ",\n  \"%s\": %llu", total.item[i].name,
                                (unsigned long long)total.item[i].count);
    oy_buffer_append_string(out, ",\n  \"reasons\": ");
    put_members(&engine->reason, out);
    oy_buffer_append_string(out, ",\n  \"counts\": ");
    put_members(&engine->counter, out);
    oy_buffer_append_string(out, "\n}\n");
    oy_counters_release(&total);
}

static int write_stats(const struct oy_engine *engine, struct oy_error *err)
{
    struct oy_buffer out = {0};
    int status = 0;

    put_stats(engine, &out);
    if (strcmp(engine->run->stats, "-"))
        status =
            oy_output_write_file(engine->run->stats, out.data, out.len, err);
    else if (fwrite(out.data, 1, out.len, stderr) != out.len)
        status = oy_fail_errno(err, OY_IO, "stderr");
    oy_buffer_release(&out);
    return status;
}

/* ---- the manifest ---- */

/* The records that were read, then tokenizers, presets and the like. */
static struct oy_manifest_file *list_inputs(const struct oy_engine *engine,
                                            int *n_input)
{
    const struct oy_run *run = engine->run;
    const struct oy_source_file *file = NULL;
    int n_file = 0;

    if (engine->is_own_source)
        file = oy_source_files(engine->source, &n_file);
    else if (engine->source->files)
        file = engine->source->files(engine->source, &n_file);
    struct oy_manifest_file *input =
        oy_calloc((size_t)n_file + (size_t)run->n_resource, sizeof *input);
    for (int i = 0; i < n_file; i++) {
        input[i] = (struct oy_manifest_file){
            .path = strcmp(file[i].name, "stdin") ? file[i].name : NULL,
            .kind = "records",
            .bytes = file[i].bytes,
            .records = file[i].lines,
        };
        memcpy(input[i].hash, file[i].hash, sizeof input[i].hash);
    }
    for (int i = 0; i < run->n_resource; i++)
        input[n_file + i] = run->resource[i];
    *n_input = n_file + run->n_resource;
    return input;
}

static int write_manifest(const struct oy_engine *engine,
                          const struct oy_manifest_file *file, int n_file,
                          struct oy_error *err)
{
    struct oy_counters total = {0};
    int n_input;
    struct oy_manifest_file *input = list_inputs(engine, &n_input);

    add_totals(engine, &total);
    for (int i = 0; i < engine->counter.n_item; i++)
        oy_counter_add(&total, engine->counter.item[i].name,
                       engine->counter.item[i].count);
    const struct oy_manifest manifest = {
        .program = engine->run->program,
        .input = input,
        .n_input = n_input,
        .output = file,
        .n_output = n_file,
        .counter = &total,
        .reason = &engine->reason,
    };
    const int status = oy_manifest_write(engine->run->manifest, &manifest, err);
    oy_counters_release(&total);
    oy_free(input);
    return status;
}

int oy_filter_report(struct oy_engine *engine,
                     const struct oy_manifest_file *file, int n_file,
                     struct oy_error *err)
{
    const struct oy_run *run = engine->run;
    struct oy_buffer account = {0};

    if (run->stats && write_stats(engine, err))
        return -1;
    if (run->manifest && write_manifest(engine, file, n_file, err))
        return -1;
    if (run->verbose || (!run->quiet && oy_progress_on_terminal())) {
        put_account(engine, &account);
        fputs(oy_buffer_string(&account), stderr);
        oy_buffer_release(&account);
    }
    return 0;
}
