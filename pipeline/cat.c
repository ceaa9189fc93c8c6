/* SPDX-License-Identifier: Apache-2.0
 *
 * Ranges and shards over the ingested records. */
#include "pipeline/cat.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/filter.h"
#include "pipeline/charset.h"
#include "pipeline/ingest.h"
#include "pipeline/shards.h"

struct cat {
    uint64_t first; /* records before it are not wanted */
    struct oy_source *source;
    char charset[CHARSET_MAX]; /* --charset, if it is not auto */
    struct shards *shards;     /* NULL: the engine writes */
    struct oy_buffer line;
    struct oy_manifest_file *made;
};

static int parse_number(const char *text, size_t len, uint64_t *number)
{
    char *end, copy[32];

    if (len == 0)
        return 0;
    if (len >= sizeof copy || text[0] < '0' || text[0] > '9')
        return -1;
    memcpy(copy, text, len);
    copy[len] = '\0';
    *number = strtoull(copy, &end, 10);
    return *end ? -1 : 0;
}

int cat_parse_range(const char *text, uint64_t *first, uint64_t *end)
{
    const char *colon = strchr(text, ':');

    *first = 0;
    *end = UINT64_MAX;
    if (!colon || parse_number(text, (size_t)(colon - text), first) ||
        parse_number(colon + 1, strlen(colon + 1), end))
        return -1;
    return *first <= *end ? 0 : -1;
}

static int settle(void *self, struct oy_record *record,
                  struct oy_filter_context *context, struct oy_error *err)
{
    struct cat *cat = self;

    (void)context;
    if (record->number < cat->first) {
        record->fate = OY_SKIP;
        return 0;
    }
    if (!cat->shards)
        return 0;
    oy_buffer_clear(&cat->line);
    if (oy_record_write(record, 0, &cat->line))
        return oy_fail(err, OY_DATA, "member 'oyster' is not an object");
    return shards_write(cat->shards, cat->line.data, cat->line.len, err);
}

/* The shards as the manifest wants them. */
static void list_made(struct cat *cat, struct oy_filter_context *context)
{
    size_t n;
    const struct shards_file *file = shards_files(cat->shards, &n);

    cat->made = oy_calloc(n, sizeof *cat->made);
    for (size_t i = 0; i < n; i++) {
        struct oy_manifest_file *made = &cat->made[i];
        made->name = made->path = file[i].path;
        made->kind = "records";
        made->bytes = file[i].bytes;
        made->records = file[i].records;
        oy_hash128_text(file[i].hash, made->hash);
    }
    context->made = cat->made;
    context->n_made = (int)n;
}

static int finish(void *self, struct oy_filter_context *context,
                  struct oy_error *err)
{
    struct cat *cat = self;
    const struct oy_counters *counter = ingest_counters(cat->source);

    for (int i = 0; i < counter->n_item; i++)
        oy_counter_add(context->counter, counter->item[i].name,
                       counter->item[i].count);
    if (!cat->shards)
        return 0;
    if (shards_commit(cat->shards, err))
        return -1;
    list_made(cat, context);
    return 0;
}

/* --split-...: what is asked, checked. */
static int open_shards(struct cat *cat, const struct cat_options *options,
                       const struct oy_run *run, struct oy_error *err)
{
    const struct shards_options shards = {
        .prefix = run->output,
        .n_record = (uint64_t)options->split_records,
        .size = options->split_size,
        .output = {run->codec < 0 ? OY_CODEC_ZSTD : run->codec, run->level,
                   oy_run_threads(run)},
    };

    if (!options->split_records && !options->split_size)
        return 0;
    if (!run->output || strcmp(run->output, "-") == 0)
        return oy_fail(err, OY_USAGE,
                       "splitting needs a prefix for the names: -o PREFIX");
    cat->shards = shards_new(&shards);
    return 0;
}

static int open_source(struct cat *cat, const struct cat_options *options,
                       const struct oy_run *run, struct oy_error *err)
{
    struct ingest_options ingest = {.from = options->from,
                                    .page.html = (enum page_html)options->html,
                                    .max_record = run->max_record,
                                    .end = UINT64_MAX,
                                    .unhashed = !run->manifest};

    if (strcmp(options->charset, "auto") != 0) {
        if (!charset_find(options->charset, cat->charset))
            return oy_fail(err, OY_USAGE, "--charset: unknown name '%s'",
                           options->charset);
        ingest.page.charset = cat->charset;
    }
    if (options->records &&
        cat_parse_range(options->records, &cat->first, &ingest.end))
        return oy_fail(err, OY_USAGE, "--records: '%s' is not a range A:B",
                       options->records);
    cat->source = ingest_open(run->input.item, run->input.n_item, &ingest, err);
    return cat->source ? 0 : -1;
}

int cat_run(const struct cat_options *options, struct oy_run *run,
            struct oy_error *err)
{
    struct cat cat = {0};
    int rc = -1;

    if (open_shards(&cat, options, run, err) == 0 &&
        open_source(&cat, options, run, err) == 0) {
        const int settles = cat.first > 0 || cat.shards;
        const struct oy_filter filter = {
            .self = &cat,
            .n_pass = 1,
            .writes_records = !cat.shards,
            .opens_no_output = cat.shards != NULL,
            .settle = settles ? settle : NULL,
            .finish = finish,
        };
        rc = oy_filter_run(&filter, 1, run, cat.source, err);
    }
    shards_free(cat.shards);
    oy_buffer_release(&cat.line);
    oy_free(cat.made);
    return rc;
}
