/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts of benchmarks into the index. */
#include <inttypes.h>
#include <string.h>

#include "core/alloc.h"
#include "core/log.h"
#include "core/source.h"
#include "core/unicode.h"
#include "core/utf8.h"
#include "pipeline/decon.h"

enum field { TEXT, LABEL, QUERY, TASK, ID, DOC_ID, N_FIELD };

struct reader {
    struct decon_index *index;
    const struct decon_rule *rule;
    const struct oy_run *run;
    struct oy_json_query query;
    int field[N_FIELD]; /* in the query */
    struct decon_words words;
    struct oy_arena arena;
    struct oy_buffer repaired;
    const char *file;
    int is_json; /* -1: not known yet */
    uint32_t task;
    const char *id;
};

/* ---- items ---- */

/* Whether a letter or number is in it. */
static int has_letter(const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        if (oy_py_isalnum(oy_utf8_next(text, &at)))
            return 1;
    }
    return 0;
}

int decon_paragraphs(struct words *words, size_t n, const char *text,
                     size_t len,
                     int (*visit)(void *arg, const char *paragraph, size_t len,
                                  size_t n_word),
                     void *arg)
{
    for (size_t at = 0; at < len;) {
        const char *feed = memchr(text + at, '\n', len - at);
        const char *paragraph = text + at;
        const size_t size = feed ? (size_t)(feed - paragraph) : len - at;

        at += size + 1;
        /* A word has a byte at least. */
        if (size < n)
            continue;
        words_split(WORDS_UAX29, paragraph, size, words);
        if (words->n < n || !has_letter(paragraph, size))
            continue;
        const int rc = visit(arg, paragraph, size, words->n);
        if (rc)
            return rc;
    }
    return 0;
}

static int add_paragraph(void *arg, const char *paragraph, size_t len,
                         size_t n_word)
{
    const struct reader *reader = arg;

    decon_index_add(reader->index, reader->task,
                    (struct oy_text){paragraph, len}, n_word, reader->id);
    return 0;
}

static void add_words(struct reader *reader, struct oy_text text)
{
    const struct decon_rule *rule = reader->rule;

    decon_words_add(&reader->words, rule->form, rule->splitter, text.at,
                    text.len);
}

static void add_item(struct reader *reader, struct oy_text query,
                     struct oy_text text)
{
    const struct decon_rule *rule = reader->rule;
    struct decon_words *words = &reader->words;

    if (rule->method == DECON_DOLMA) {
        decon_paragraphs(&words->split, rule->n, text.at, text.len,
                         add_paragraph, reader);
        return;
    }
    decon_words_clear(words);
    if (query.at)
        add_words(reader, query);
    /* N-grams across the border, but none of the query alone. */
    if (query.at && !rule->query && rule->method == DECON_DATATROVE)
        decon_words_keep_last(words, rule->n - 1);
    add_words(reader, text);
    const struct oy_text joined =
        words->n ? decon_words_gram(words, 0, words->n) : (struct oy_text){0};
    decon_index_add(reader->index, reader->task, joined, words->n, reader->id);
}

/* ---- lines ---- */

static int get_text(struct reader *reader, const struct oy_json_value *value,
                    struct oy_text *text, const char **why)
{
    uint64_t n_repaired = 0;

    *text = (struct oy_text){0};
    if (value->kind == OY_JSON_MISSING || value->kind == OY_JSON_NULL)
        return 0;
    if (value->kind != OY_JSON_STRING) {
        *text = (struct oy_text){value->at, value->len};
        return 0;
    }
    return oy_json_text(value, &reader->arena, text, &n_repaired, why);
}

/* Why the line is of no use, or NULL. */
static const char *read_json(struct reader *reader, const char *line,
                             size_t len)
{
    struct oy_json_value found[OY_JSON_MAX_PATHS];
    struct oy_text text[N_FIELD];
    struct oy_json_line outline;
    const char *why = NULL;

    if (oy_json_scan(&reader->query, line, len, found, &outline))
        return outline.why;
    for (int i = 0; i < N_FIELD; i++) {
        const struct oy_json_value *value = &found[reader->field[i]];
        if (i <= QUERY && value->kind > OY_JSON_STRING &&
            value->kind != OY_JSON_NULL)
            return i == TEXT ? "the text is not a string"
                             : "label or query is not a string";
        if (get_text(reader, value, &text[i], &why))
            return why;
    }
    if (!text[LABEL].at && !text[TEXT].at)
        return "neither a text nor a label";
    if (text[TASK].at)
        reader->task =
            decon_index_task(reader->index, text[TASK].at, text[TASK].len);
    const struct oy_text id = text[ID].at ? text[ID] : text[DOC_ID];
    reader->id = id.at ? oy_arena_copy(&reader->arena, id.at, id.len) : NULL;
    if (text[LABEL].at)
        add_item(reader, text[QUERY], text[LABEL]);
    else
        add_item(reader, (struct oy_text){0}, text[TEXT]);
    return NULL;
}

static void read_plain(struct reader *reader, const char *line, size_t len)
{
    oy_buffer_clear(&reader->repaired);
    oy_utf8_repair(line, len, &reader->repaired);
    reader->id = NULL;
    add_item(reader, (struct oy_text){0},
             (struct oy_text){reader->repaired.data, reader->repaired.len});
}

static int read_line(struct reader *reader, const struct oy_batch *batch,
                     size_t i, struct oy_error *err)
{
    const struct oy_line *line = &batch->line[i];
    const char *why = NULL, *at = batch->data + line->at;

    oy_arena_clear(&reader->arena);
    if (line->len == SIZE_MAX || line->len >= UINT32_MAX) {
        why = "longer than --max-record";
    } else {
        if (reader->is_json < 0)
            reader->is_json = line->len && at[strspn(at, " \t")] == '{';
        if (reader->is_json)
            why = read_json(reader, at, line->len);
        else
            read_plain(reader, at, line->len);
    }
    if (!why)
        return 0;
    return oy_fail(err, OY_DATA, "%s:%" PRIu64 ": %s", reader->file,
                   batch->line_number[i], why);
}

/* ---- files ---- */

/* "mmlu" of "dir/mmlu.jsonl.zst": the task of texts that name none. */
static uint32_t task_of_file(struct decon_index *index, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const size_t len = strcspn(base, ".");

    return decon_index_task(index, base, len ? len : strlen(base));
}

static int read_file(struct reader *reader, const char *path,
                     struct oy_error *err)
{
    const struct oy_source_options options = {
        .max_record = reader->run->max_record, .unhashed = 1};
    struct oy_source *source = oy_source_open(&path, 1, &options, err);
    struct oy_batch batch = {0};
    int rc = -1;

    if (!source)
        return -1;
    const uint32_t task = task_of_file(reader->index, path);
    reader->file = path;
    reader->is_json = -1;
    while ((rc = source->next(source, &batch, err)) > 0) {
        for (size_t i = 0; i < batch.n_line; i++) {
            reader->task = task;
            if (read_line(reader, &batch, i, err)) {
                rc = -1;
                goto out;
            }
        }
    }
out:
    oy_batch_release(&batch);
    source->close(source);
    return rc;
}

int decon_read(struct decon_index *index, const struct decon_rule *rule,
               const struct oy_list *against, struct oy_run *run,
               struct oy_error *err)
{
    const char *const name[N_FIELD] = {run->field, "label", "query",
                                       "task",     "id",    "doc_id"};
    struct reader reader = {.index = index, .rule = rule, .run = run};
    int rc = 0;

    reader.words.split.jieba = rule->jieba;
    for (int i = 0; i < N_FIELD; i++)
        reader.field[i] = oy_json_query_add(&reader.query, name[i]);
    for (size_t i = 0; i < against->n_item && rc == 0; i++) {
        rc = read_file(&reader, against->item[i], err);
        if (rc == 0)
            rc = oy_run_add_resource(run, "benchmark", against->item[i], err);
    }
    oy_json_query_release(&reader.query);
    decon_words_release(&reader.words);
    oy_arena_release(&reader.arena);
    oy_buffer_release(&reader.repaired);
    return rc;
}
