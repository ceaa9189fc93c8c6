/* SPDX-License-Identifier: Apache-2.0
 *
 * Streams of requests merged. */
#include "eval/parts.h"

#include <string.h>

#include "core/alloc.h"

/* A file, and the line that it offers. */
struct file {
    struct oy_source *source;
    struct oy_batch batch;
    size_t next; /* line of the batch */
    struct oy_arena arena;
    int has_line;
    struct parts_line line;
    size_t task; /* its number in the header */
};

/* Files that follow each other. */
struct part {
    size_t file, end;
};

struct parts {
    struct file *file;
    size_t n_file;
    struct part *part;
    size_t n_part;
    size_t given; /* file whose line is out; n_file: none */

    struct oy_arena arena;
    struct oy_json_value run; /* the header; kind MISSING: none */
    const char *header_file;
    struct oy_json_value *task; /* [n_task]: names, as the header has them */
    size_t n_task, cap_task;

    /* Without a header: whose turn it is, and what of. */
    size_t turn;
    int has_begun; /* a document of that part */
    struct oy_buffer task_name;
    int64_t doc_id;
};

/* ---- files ---- */

static int parse_line(struct file *file, struct oy_error *err)
{
    const struct oy_line *at = &file->batch.line[file->next];
    struct parts_line *line = &file->line;

    *line = (struct parts_line){.file = file->batch.file,
                                .number = file->batch.line_number[file->next]};
    file->next++;
    oy_arena_clear(&file->arena);
    if (at->len == SIZE_MAX)
        return oy_fail(err, OY_DATA, "line longer than --max-record");
    line->text = (struct oy_text){file->batch.data + at->at, at->len};
    line->is_header =
        request_is_header(line->text.at, line->text.len, &line->run);
    if (line->is_header)
        return 0;
    return request_parse(line->text.at, line->text.len, &file->arena,
                         &line->request, err);
}

static int fail_line(const struct parts_line *line, struct oy_error *err)
{
    return oy_fail_at(err, "%s:%llu", line->file,
                      (unsigned long long)line->number);
}

/* The number of the line's task, by which parts are put in order. */
static int find_task(const struct parts *parts, struct file *file,
                     struct oy_error *err)
{
    const struct oy_text name = file->line.request.task;

    file->task = 0;
    if (parts->n_part < 2 || parts->run.kind == OY_JSON_MISSING ||
        file->line.is_header)
        return 0;
    for (; file->task < parts->n_task; file->task++) {
        const struct oy_json_value *known = &parts->task[file->task];
        if (known->len == name.len + 2 &&
            !memcmp(known->at + 1, name.at, name.len))
            return 0;
    }
    return oy_fail(err, OY_DATA, "task '%.*s' is not in the header",
                   (int)name.len, name.at);
}

/* The next line of a file into its `line`, or none at its end. */
static int advance(const struct parts *parts, struct file *file,
                   struct oy_error *err)
{
    file->has_line = 0;
    if (file->next == file->batch.n_line) {
        file->next = 0;
        const int more = file->source->next(file->source, &file->batch, err);
        if (more != 1) {
            file->batch.n_line = 0;
            return more;
        }
    }
    if (parse_line(file, err) || find_task(parts, file, err))
        return fail_line(&file->line, err);
    file->has_line = 1;
    return 0;
}

/* ---- headers ---- */

static int keep_header(struct parts *parts, const struct parts_line *line,
                       struct oy_error *err)
{
    struct oy_json_cursor cursor;
    struct oy_json_value key, value;

    parts->run = line->run;
    parts->run.at = oy_arena_copy(&parts->arena, line->run.at, line->run.len);
    parts->header_file = line->file;
    const struct oy_json_value tasks = oy_json_member(&parts->run, "tasks");
    if (tasks.kind != OY_JSON_OBJECT)
        return oy_fail(err, OY_DATA, "%s: a header without tasks", line->file);
    oy_json_enter(&cursor, &tasks);
    while (oy_json_next_member(&cursor, &key, &value) == 1) {
        OY_GROW(parts->task, parts->cap_task, parts->n_task + 1);
        parts->task[parts->n_task++] = key;
    }
    return 0;
}

static int same_value(const struct oy_json_value *a,
                      const struct oy_json_value *b)
{
    return a->len == b->len && !memcmp(a->at, b->at, a->len);
}

static int check_header(const struct parts *parts,
                        const struct parts_line *line, struct oy_error *err)
{
    struct oy_json_cursor cursor;
    struct oy_json_value key, value;

    if (same_value(&parts->run, &line->run))
        return 0;
    oy_json_enter(&cursor, &parts->run);
    while (oy_json_next_member(&cursor, &key, &value) == 1) {
        char name[64];
        const size_t len = key.len - 2 < sizeof name ? key.len - 2 : 0;
        memcpy(name, key.at + 1, len);
        name[len] = '\0';
        const struct oy_json_value other = oy_json_member(&line->run, name);
        if (other.kind == OY_JSON_MISSING || !same_value(&value, &other))
            return oy_fail(err, OY_DATA,
                           "%s and %s are not of one run: '%s' differs",
                           parts->header_file, line->file, name);
    }
    return oy_fail(err, OY_DATA, "%s and %s are not of one run",
                   parts->header_file, line->file);
}

/* ---- opening ---- */

static int open_file(struct parts *parts, const char *const *path,
                     size_t max_record, struct oy_error *err)
{
    const struct oy_source_options options = {.max_record = max_record};
    struct file *file = &parts->file[parts->n_file];

    file->source = oy_source_open(path, path ? 1 : 0, &options, err);
    if (!file->source)
        return -1;
    parts->n_file++;
    return advance(parts, file, err);
}

/* Files become parts; headers are compared, and passed over but for one. */
static int take_file(struct parts *parts, size_t i, int is_chain,
                     struct oy_error *err)
{
    struct file *file = &parts->file[i];
    const int has_header = file->has_line && file->line.is_header;

    if (is_chain && i && !has_header) {
        parts->part[parts->n_part - 1].end = i + 1;
        return 0;
    }
    parts->part[parts->n_part++] = (struct part){i, i + 1};
    if (!has_header) {
        if (parts->run.kind == OY_JSON_MISSING || !file->has_line)
            return 0;
        return oy_fail(err, OY_DATA, "%s has no header, %s has one",
                       file->line.file, parts->header_file);
    }
    if (i == 0)
        return keep_header(parts, &file->line, err);
    if (parts->run.kind == OY_JSON_MISSING)
        return oy_fail(err, OY_DATA, "%s has no header, %s has one",
                       parts->file[0].line.file, file->line.file);
    return check_header(parts, &file->line, err) || advance(parts, file, err)
               ? -1
               : 0;
}

/* Files that go on with a part are met with their tasks unknown. */
static int find_tasks(struct parts *parts, struct oy_error *err)
{
    for (size_t i = 0; i < parts->n_file; i++) {
        struct file *file = &parts->file[i];
        if (file->has_line && find_task(parts, file, err))
            return fail_line(&file->line, err);
    }
    return 0;
}

struct parts *parts_open(const char *const *path, size_t n_path,
                         size_t max_record, int is_chain, struct oy_error *err)
{
    struct parts *parts = oy_calloc(1, sizeof *parts);
    const size_t n = n_path ? n_path : 1;
    int failed = 0;

    parts->file = oy_calloc(n, sizeof *parts->file);
    parts->part = oy_calloc(n, sizeof *parts->part);
    for (size_t i = 0; i < n && !failed; i++)
        failed = open_file(parts, n_path ? path + i : NULL, max_record, err) ||
                 take_file(parts, i, is_chain, err);
    parts->given = parts->n_file;
    if (!failed && !find_tasks(parts, err))
        return parts;
    parts_close(parts);
    return NULL;
}

void parts_close(struct parts *parts)
{
    if (!parts)
        return;
    for (size_t i = 0; i < parts->n_file; i++) {
        struct file *file = &parts->file[i];
        file->source->close(file->source);
        oy_batch_release(&file->batch);
        oy_arena_release(&file->arena);
    }
    oy_arena_release(&parts->arena);
    oy_buffer_release(&parts->task_name);
    oy_free(parts->file);
    oy_free(parts->part);
    oy_free(parts->task);
    oy_free(parts);
}

size_t parts_source_count(const struct parts *parts)
{
    return parts->n_file;
}

const struct oy_source *parts_source(const struct parts *parts, size_t i)
{
    return parts->file[i].source;
}

/* ---- the whole ---- */

/* The file of a part that has a line; NULL at its end. */
static struct file *front(struct parts *parts, size_t i)
{
    struct part *part = &parts->part[i];

    while (part->file < part->end && !parts->file[part->file].has_line)
        part->file++;
    return part->file < part->end ? &parts->file[part->file] : NULL;
}

static int compare_lines(const struct file *a, const struct file *b)
{
    const struct request *x = &a->line.request, *y = &b->line.request;

    if (a->line.is_header != b->line.is_header)
        return a->line.is_header ? -1 : 1;
    if (a->task != b->task)
        return a->task < b->task ? -1 : 1;
    if (x->doc_id != y->doc_id)
        return x->doc_id < y->doc_id ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* The first of all lines. */
static int choose_first(struct parts *parts, struct file **first,
                        struct oy_error *err)
{
    *first = NULL;
    for (size_t i = 0; i < parts->n_part; i++) {
        struct file *file = front(parts, i);
        if (!file)
            continue;
        const int order = *first ? compare_lines(file, *first) : -1;
        if (order == 0)
            return oy_fail(err, OY_DATA, "%s:%llu: this request is in %s too",
                           file->line.file,
                           (unsigned long long)file->line.number,
                           (*first)->line.file);
        if (order < 0)
            *first = file;
    }
    return 0;
}

static int is_same_document(const struct parts *parts,
                            const struct request *request)
{
    return request->task.len && request->doc_id == parts->doc_id &&
           parts->task_name.len == request->task.len &&
           !memcmp(parts->task_name.data, request->task.at, request->task.len);
}

/* The part whose turn it is, which changes with each document. */
static int choose_in_turn(struct parts *parts, struct file **chosen,
                          struct oy_error *err)
{
    struct file *file = front(parts, parts->turn);

    if (parts->has_begun &&
        (!file || !is_same_document(parts, &file->line.request))) {
        parts->turn = (parts->turn + 1) % parts->n_part;
        parts->has_begun = 0;
        file = front(parts, parts->turn);
    }
    *chosen = file;
    for (size_t i = 0; !file && i < parts->n_part; i++) {
        const struct file *other = front(parts, i);
        if (other)
            return oy_fail(err, OY_DATA,
                           "%s:%llu: more documents than the parts before"
                           " have: are all there, in their order?",
                           other->line.file,
                           (unsigned long long)other->line.number);
    }
    if (!file || parts->has_begun)
        return 0;
    const struct request *request = &file->line.request;
    parts->has_begun = 1;
    parts->doc_id = request->doc_id;
    oy_buffer_clear(&parts->task_name);
    oy_buffer_append(&parts->task_name, request->task.at, request->task.len);
    return 0;
}

int parts_next(struct parts *parts, struct parts_line *line,
               struct oy_error *err)
{
    struct file *file;

    if (parts->given < parts->n_file &&
        advance(parts, &parts->file[parts->given], err))
        return -1;
    if (parts->n_part == 1)
        file = front(parts, 0);
    else if (parts->run.kind != OY_JSON_MISSING
                 ? choose_first(parts, &file, err)
                 : choose_in_turn(parts, &file, err))
        return -1;
    parts->given = file ? (size_t)(file - parts->file) : parts->n_file;
    if (!file)
        return 0;
    *line = file->line;
    return 1;
}
