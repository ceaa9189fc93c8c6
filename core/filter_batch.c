/* SPDX-License-Identifier: Apache-2.0
 *
 * One batch on its way through the engine: judged, settled, written. */
#include <stdio.h>
#include <string.h>

#include "core/base64.h"
#include "core/filter_internal.h"
#include "core/utf8.h"

static int is_last_pass(const struct oy_engine *engine)
{
    return engine->context.pass == engine->n_pass - 1;
}

/* ---- judging ---- */

/* found[] as filter `f` knows it. The first filter's is the query's own
 * order, so that most runs copy nothing. */
static void show_fields(const struct oy_engine *engine, struct oy_slot *slot,
                        struct oy_record *record, int f)
{
    const struct oy_field_map *map = &engine->map[f];

    if (f == 0) {
        record->found = record->value;
        return;
    }
    for (int i = 0; i < map->n_field; i++)
        slot->found[i] = record->value[map->index[i]];
    record->found = slot->found;
}

static void check_strictly(struct oy_record *record)
{
    const char *why;
    size_t where;

    if (oy_json_validate(record->line, record->len, &why, &where))
        oy_record_fail(record, "%s at byte %zu", why, where + 1);
}

static void unescape_text(const struct oy_engine *engine,
                          struct oy_record *record)
{
    const struct oy_json_value *value = &record->value[0];
    const char *field = engine->run->field, *why;

    if (value->kind == OY_JSON_MISSING)
        oy_record_fail(record, "missing field '%s'", field);
    else if (value->kind != OY_JSON_STRING)
        oy_record_fail(record, "field '%s' is not a string", field);
    else if (oy_json_text(value, record->arena, &record->text,
                          &record->n_repaired, &why))
        oy_record_fail(record, "field '%s': %s", field, why);
    else if (engine->run->strict && record->n_repaired)
        oy_record_fail(record, "field '%s' is not valid UTF-8", field);
}

/* Finds the fields; a record that is not fit for any filter is bad. */
static void open_record(const struct oy_engine *engine,
                        struct oy_record *record)
{
    if (record->len == SIZE_MAX) {
        record->line = "";
        record->len = 0;
        oy_record_fail(record, "longer than --max-record (%llu bytes)",
                       (unsigned long long)engine->run->max_record);
        return;
    }
    if (engine->run->strict)
        check_strictly(record);
    if (record->fate == OY_KEEP &&
        oy_json_scan(&engine->query, record->line, record->len, record->value,
                     &record->outline))
        oy_record_fail(record, "%s at byte %zu", record->outline.why,
                       record->outline.where + 1);
    if (record->fate == OY_KEEP && engine->wants_text)
        unescape_text(engine, record);
}

static int judge_record(const struct oy_engine *engine, struct oy_slot *slot,
                        struct oy_record *record)
{
    open_record(engine, record);
    for (int f = 0; f < engine->n_filter && record->fate == OY_KEEP; f++) {
        const struct oy_filter *filter = &engine->filter[f];

        record->last_judge = f;
        if (!filter->judge)
            continue;
        show_fields(engine, slot, record, f);
        if (filter->judge(filter->self, slot->worker[f], record,
                          engine->context.pass, &slot->err))
            return -1;
    }
    return 0;
}

static void fail_at_record(const struct oy_record *record, struct oy_error *err)
{
    if (err->code == OY_DATA)
        oy_fail_at(err, "%s:%llu", record->file,
                   (unsigned long long)record->line_number);
}

static void fill_record(const struct oy_engine *engine, struct oy_slot *slot,
                        size_t i, struct oy_json_value *value)
{
    const struct oy_batch *batch = &slot->batch;

    slot->record[i] = (struct oy_record){
        .line = batch->data + batch->line[i].at,
        .len = batch->line[i].len,
        .number = batch->first_record + i,
        .line_number = batch->line_number[i],
        .file = batch->file,
        .arena = &slot->arena,
        .query = &engine->query,
        .value = value,
        .oyster = engine->oyster,
    };
}

/* ---- gathering what goes out ---- */

static void flush_span(struct oy_slot *slot)
{
    oy_buffer_append(&slot->kept, slot->span, slot->span_len);
    slot->span_len = 0;
}

/* Lines that stand behind one another with a single LF stay one piece. */
static void gather_unchanged(struct oy_slot *slot,
                             const struct oy_record *record)
{
    const char *end = record->line + record->len;

    if (slot->span_len && slot->span + slot->span_len != record->line)
        flush_span(slot);
    if (end < slot->batch.data + slot->batch.size && *end == '\n') {
        if (!slot->span_len)
            slot->span = record->line;
        slot->span_len += record->len + 1;
        return;
    }
    flush_span(slot);
    oy_buffer_append(&slot->kept, record->line, record->len);
    oy_buffer_append_char(&slot->kept, '\n');
}

static void gather_reject(struct oy_slot *slot, const struct oy_record *record)
{
    struct oy_buffer *out = &slot->rejects;

    oy_buffer_append_string(out, "{\"file\":");
    oy_json_put_name(out, record->file);
    oy_buffer_append_format(out, ",\"line\":%llu,\"error\":",
                            (unsigned long long)record->line_number);
    oy_json_put_name(out, record->error);
    if (oy_utf8_valid(record->line, record->len)) {
        oy_buffer_append_string(out, ",\"raw\":");
        oy_json_put_string(out, record->line, record->len);
        oy_buffer_append_string(out, "}\n");
    } else {
        oy_buffer_append_string(out, ",\"raw_base64\":\"");
        oy_base64_put(out, record->line, record->len);
        oy_buffer_append_string(out, "\"}\n");
    }
}

static void gather_kept(struct oy_slot *slot, struct oy_record *record)
{
    if (!oy_record_is_edited(record, 0)) {
        gather_unchanged(slot, record);
        return;
    }
    flush_span(slot);
    if (oy_record_write(record, 0, &slot->kept))
        oy_record_fail(record, "member 'oyster' is not an object");
}

/* Serialises one record as its fate says. */
static void gather_record(const struct oy_engine *engine, struct oy_slot *slot,
                          struct oy_record *record)
{
    if (!is_last_pass(engine))
        return;
    if (record->fate == OY_KEEP && engine->writes_records)
        gather_kept(slot, record);
    if (record->fate == OY_DROP && engine->run->dropped &&
        oy_record_write(record, 1, &slot->dropped))
        oy_record_fail(record, "member 'oyster' is not an object");
    if (record->fate == OY_BAD && engine->run->rejects)
        gather_reject(slot, record);
}

static int stops_run(const struct oy_engine *engine,
                     const struct oy_record *record)
{
    return record->fate == OY_BAD && engine->run->bad == OY_BAD_STOP;
}

/* ---- settling ---- */

/* Each filter that judged the record settles it, with the fate that its own
 * judge() gave: those before the last one kept it. */
static int settle_record(struct oy_engine *engine, struct oy_slot *slot,
                         struct oy_record *record, struct oy_error *err)
{
    const enum oy_fate fate = record->fate;
    const char *reason = record->reason;

    if (fate == OY_BAD || fate == OY_SKIP)
        return 0;
    record->fate = OY_KEEP;
    for (int f = 0; f <= record->last_judge && record->fate == OY_KEEP; f++) {
        const struct oy_filter *filter = &engine->filter[f];

        if (f == record->last_judge) {
            record->fate = fate;
            record->reason = reason;
        }
        if (!filter->settle)
            continue;
        show_fields(engine, slot, record, f);
        if (filter->settle(filter->self, record, &engine->context, err)) {
            fail_at_record(record, err);
            return -1;
        }
    }
    return 0;
}

static void add_count(atomic_uint_fast64_t *count, uint64_t more)
{
    atomic_fetch_add_explicit(count, more, memory_order_relaxed);
}

/* -1 when it is bad and ends the run. */
static int count_record(struct oy_engine *engine,
                        const struct oy_record *record, struct oy_error *err)
{
    struct oy_filter_counts *counts = &engine->counts;

    if (stops_run(engine, record))
        return oy_fail(err, OY_DATA, "%s:%llu: %s", record->file,
                       (unsigned long long)record->line_number, record->error);
    if (record->fate == OY_SKIP || !is_last_pass(engine))
        return 0;
    add_count(&counts->record, 1);
    add_count(&counts->repaired, record->n_repaired);
    if (record->fate == OY_KEEP) {
        add_count(&counts->kept, 1);
    } else if (record->fate == OY_BAD) {
        add_count(&counts->bad, 1);
    } else {
        add_count(&counts->dropped, 1);
        oy_counter_add(&engine->reason,
                       record->reason ? record->reason : "dropped", 1);
    }
    return 0;
}

static int settle_all(struct oy_engine *engine, struct oy_slot *slot,
                      struct oy_error *err)
{
    for (size_t i = 0; i < slot->n_record; i++) {
        struct oy_record *record = &slot->record[i];

        if (engine->settles && settle_record(engine, slot, record, err))
            return -1;
        if (i >= slot->n_gathered)
            gather_record(engine, slot, record);
        if (count_record(engine, record, err))
            return -1;
    }
    if (slot->err.code) {
        *err = slot->err;
        return -1;
    }
    return 0;
}

/* ---- writing ---- */

static int write_buffer(struct oy_output *output, struct oy_buffer *buffer,
                        struct oy_error *err)
{
    if (!output || !buffer->len)
        return 0;
    return oy_output_write(output, buffer->data, buffer->len, err);
}

/* A batch of which nothing was changed goes out without being copied. */
static int write_slot(struct oy_engine *engine, struct oy_slot *slot,
                      struct oy_error *err)
{
    if (engine->output && slot->span_len && !slot->kept.len) {
        if (oy_output_write(engine->output, slot->span, slot->span_len, err))
            return -1;
    } else {
        flush_span(slot);
        if (write_buffer(engine->output, &slot->kept, err))
            return -1;
    }
    return write_buffer(engine->dropped, &slot->dropped, err) ||
                   write_buffer(engine->rejects, &slot->rejects, err)
               ? -1
               : 0;
}

void oy_slot_judge(const struct oy_engine *engine, struct oy_slot *slot)
{
    const size_t n = slot->batch.n_line, n_path = (size_t)engine->query.n_path;
    const struct oy_run *run = engine->run;

    OY_GROW(slot->record, slot->cap_record, n);
    oy_arena_clear(&slot->arena);
    struct oy_json_value *value =
        oy_arena_array(&slot->arena, n * n_path, sizeof *value);
    slot->err = (struct oy_error){0};
    for (slot->n_record = 0; slot->n_record < n; slot->n_record++) {
        const size_t i = slot->n_record;
        struct oy_record *record = &slot->record[i];

        fill_record(engine, slot, i, value + i * n_path);
        if (record->number % run->shard_count != run->shard_index) {
            record->fate = OY_SKIP;
        } else if (judge_record(engine, slot, record)) {
            fail_at_record(record, &slot->err);
            break;
        }
    }
    slot->kept.len = slot->dropped.len = slot->rejects.len = 0;
    slot->span_len = 0;
    slot->n_gathered = 0;
    while (!engine->settles && slot->n_gathered < slot->n_record) {
        struct oy_record *record = &slot->record[slot->n_gathered++];
        gather_record(engine, slot, record);
        if (stops_run(engine, record))
            break;
    }
}

int oy_slot_settle(struct oy_engine *engine, struct oy_slot *slot,
                   struct oy_error *err)
{
    struct oy_error write_err = {0};

    pthread_mutex_lock(&engine->count_lock);
    const int status = settle_all(engine, slot, err);
    pthread_mutex_unlock(&engine->count_lock);
    add_count(&engine->counts.byte, slot->batch.size);
    /* What came before a failure is written; that failure is the one told. */
    if (write_slot(engine, slot, &write_err) && !status) {
        *err = write_err;
        return -1;
    }
    return status;
}

void oy_slot_release(struct oy_slot *slot)
{
    oy_batch_release(&slot->batch);
    oy_free(slot->record);
    oy_arena_release(&slot->arena);
    oy_free(slot->worker);
    oy_buffer_release(&slot->kept);
    oy_buffer_release(&slot->dropped);
    oy_buffer_release(&slot->rejects);
}
