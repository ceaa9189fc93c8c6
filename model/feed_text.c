/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts into tokens on the way: framed as oy-pack does, then cut into rows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/json.h"
#include "core/output.h"
#include "model/feed_internal.h"
#include "tokenizer/tokenizer.h"

/* Documents out of lines. */
struct documents {
    struct feed_lines lines;
    const char *field;
    struct oy_json_query query;
    struct oy_arena arena;
    struct tokenizer *tokenizer;
    struct tokenizer_worker *worker;
    struct token_ids ids; /* of the document read last, framed */
    uint64_t text_bytes;  /* of the document read last */
};

static int documents_init(struct documents *d, struct feed_lines *lines,
                          const struct feed_options *options,
                          struct oy_error *err)
{
    *d = (struct documents){.lines = *lines, .field = options->field};
    if (oy_json_query_add(&d->query, d->field) < 0)
        return oy_fail(err, OY_USAGE, "--field '%s' is not a path", d->field);
    if (!options->tokenizer)
        return oy_fail(err, OY_USAGE,
                       "texts need a tokenizer: give -t TOKENIZER");
    d->tokenizer = tokenizer_load(options->tokenizer, err);
    if (!d->tokenizer)
        return -1;
    d->worker = tokenizer_worker_new(d->tokenizer);
    return 0;
}

static void documents_release(struct documents *d)
{
    feed_lines_release(&d->lines);
    oy_json_query_release(&d->query);
    oy_arena_release(&d->arena);
    tokenizer_worker_free(d->worker);
    tokenizer_free(d->tokenizer);
    token_ids_release(&d->ids);
}

static int fail_here(struct documents *d, struct oy_error *err,
                     const char *what)
{
    return oy_fail(err, OY_DATA, "%s:%llu: %s", feed_lines_name(&d->lines),
                   (unsigned long long)d->lines.line_number, what);
}

/* Begin token, text, end token; in front only where both are one token
 * (tokenizer/pack.h). */
static void encode(struct documents *d, const struct oy_text *text)
{
    const int32_t bos = tokenizer_bos(d->tokenizer);
    const int32_t eos = tokenizer_eos(d->tokenizer);

    d->ids.n = 0;
    if (bos >= 0)
        token_ids_append(&d->ids, &bos, 1);
    tokenizer_encode(d->worker, text->at, text->len, TOKENIZER_TEXT, &d->ids,
                     NULL);
    if (eos >= 0 && eos != bos)
        token_ids_append(&d->ids, &eos, 1);
    d->text_bytes = text->len;
}

/* 1 and a document in d->ids, 0 at the end, -1. */
static int next_document(struct documents *d, struct oy_error *err)
{
    struct oy_json_value found;
    struct oy_json_line outline;
    struct oy_text text;
    const char *line, *why;
    size_t len;
    uint64_t n_repaired = 0;
    const int got = feed_lines_next(&d->lines, &line, &len, err);

    if (got <= 0)
        return got;
    oy_arena_clear(&d->arena);
    if (oy_json_scan(&d->query, line, len, &found, &outline) != 0)
        return fail_here(d, err, outline.why);
    if (found.kind != OY_JSON_STRING)
        return oy_fail(err, OY_DATA, "%s:%llu: field '%s' is %s",
                       feed_lines_name(&d->lines),
                       (unsigned long long)d->lines.line_number, d->field,
                       found.kind == OY_JSON_MISSING ? "missing"
                                                     : "not a string");
    if (oy_json_text(&found, &d->arena, &text, &n_repaired, &why) != 0)
        return fail_here(d, err, why);
    encode(d, &text);
    return 1;
}

static struct tokens_info info_of(const struct documents *d)
{
    return (struct tokens_info){.vocab_size =
                                    (uint32_t)tokenizer_size(d->tokenizer),
                                .tokenizer = tokenizer_hash(d->tokenizer),
                                .bos = tokenizer_bos(d->tokenizer),
                                .eos = tokenizer_eos(d->tokenizer)};
}

/* ---- a pipe: tokens as they come ---- */

struct text_source {
    struct feed_source base;
    struct documents documents;
    struct feed_cutter cutter;
    size_t taken; /* of documents.ids */
};

static int64_t pull_text(void *arg, size_t n, int32_t *id, uint8_t *flag,
                         struct oy_error *err)
{
    struct text_source *const s = arg;
    struct token_ids *const ids = &s->documents.ids;
    size_t done = 0;

    while (done < n) {
        if (s->taken == ids->n) {
            const int got = next_document(&s->documents, err);
            if (got < 0)
                return -1;
            if (got == 0)
                break;
            s->taken = 0;
        }
        for (; done < n && s->taken < ids->n; done++, s->taken++) {
            id[done] = ids->id[s->taken];
            flag[done] =
                s->taken == 0 ? TOKENS_START | TOKENS_LOSS : TOKENS_LOSS;
        }
    }
    return (int64_t)done;
}

static int text_next(struct feed_source *base, struct feed_row *row,
                     struct oy_error *err)
{
    struct text_source *const s = (struct text_source *)base;
    const int got = feed_cutter_next(&s->cutter, row, err);

    snprintf(base->place, sizeof base->place, "%s:%llu",
             feed_lines_name(&s->documents.lines),
             (unsigned long long)s->documents.lines.line_number);
    return got;
}

static void text_close(struct feed_source *base)
{
    struct text_source *const s = (struct text_source *)base;

    documents_release(&s->documents);
    feed_cutter_release(&s->cutter);
    oy_free(s);
}

struct feed_source *feed_text_stream(struct feed_lines *lines,
                                     const struct feed_options *options,
                                     struct oy_error *err)
{
    struct text_source *const s = oy_calloc(1, sizeof *s);

    s->base.close = text_close;
    s->base.next = text_next;
    if (documents_init(&s->documents, lines, options, err) != 0) {
        text_close(&s->base);
        return NULL;
    }
    s->base.info.n_vocab = (uint32_t)tokenizer_size(s->documents.tokenizer);
    feed_cutter_init(&s->cutter, pull_text, s, options->seq_len,
                     tokenizer_eos(s->documents.tokenizer));
    return &s->base;
}

/* ---- files: into a temporary token file ---- */

static int write_all(struct documents *d, const char *path,
                     struct oy_error *err)
{
    const struct tokens_info info = info_of(d);
    struct oy_output *const output = oy_output_open(path, NULL, err);
    struct tokens_writer *writer;
    int got;

    if (!output)
        return -1;
    writer = tokens_writer_new(&info, output);
    for (;;) {
        got = next_document(d, err);
        if (got <= 0)
            break;
        got =
            tokens_write(writer, d->ids.id, d->ids.n, NULL, d->text_bytes, err);
        if (got != 0)
            break;
    }
    if (got == 0)
        got = tokens_writer_finish(writer, err);
    tokens_writer_free(writer);
    if (got == 0)
        return oy_output_commit(output, err);
    oy_output_discard(output);
    return -1;
}

/* The file is removed as soon as it is open: it cannot be left behind. */
static struct tokens_reader *pack(struct documents *d, const char *tmpdir,
                                  struct oy_error *err)
{
    const char *const system = getenv("TMPDIR");
    char *const path = oy_asprintf("%s/oy-train-%ld.tokens",
                                   tmpdir   ? tmpdir
                                   : system ? system
                                            : "/tmp",
                                   (long)getpid());
    struct tokens_reader *reader = NULL;

    if (write_all(d, path, err) == 0)
        reader = tokens_open((const char *const[]){path}, 1, err);
    unlink(path);
    oy_free(path);
    return reader;
}

struct feed_source *feed_text_load(struct feed_lines *lines,
                                   const struct feed_options *options,
                                   struct oy_error *err)
{
    struct documents d;
    struct tokens_reader *reader = NULL;

    if (documents_init(&d, lines, options, err) == 0)
        reader = pack(&d, options->tmpdir, err);
    documents_release(&d);
    return reader ? feed_tokens_at(reader, options->seq_len) : NULL;
}
