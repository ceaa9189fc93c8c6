/* SPDX-License-Identifier: Apache-2.0
 *
 * Which kind a file is, and the checks of the simple kinds. */
#include "pipeline/check.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/input.h"
#include "core/json.h"
#include "core/log.h"
#include "core/source.h"
#include "pipeline/check_internal.h"
#include "tokenizer/token_export.h"
#include "tokenizer/tokens.h"

enum { HEAD_SIZE = 64, MAX_DOCUMENT = 1 << 30 };

enum kind {
    KIND_MANIFEST,
    KIND_TOKENS,
    KIND_LLMC,
    KIND_MEGATRON,
    KIND_SAFETENSORS,
    KIND_JSON,
    KIND_RECORDS,
    KIND_OTHER,
};

/* ---- faults ---- */

int check_fault(struct check *check, struct oy_error *err, const char *format,
                ...)
{
    char line[1200];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    strcat(line, "\n");
    check->n_fault++;
    return oy_output_write(check->output, line, strlen(line), err);
}

int check_failure(struct check *check, const struct oy_error *failure,
                  struct oy_error *err)
{
    if (failure->code == OY_DATA)
        return check_fault(check, err, "%s", failure->message);
    *err = *failure;
    return -1;
}

int check_is_new(struct check *check, const char *path)
{
    struct stat st;

    if (stat(path, &st))
        return 1;
    for (size_t i = 0; i < check->n_seen; i++) {
        if (check->seen[i].device == st.st_dev &&
            check->seen[i].inode == st.st_ino)
            return 0;
    }
    OY_GROW(check->seen, check->cap_seen, check->n_seen + 1);
    check->seen[check->n_seen++] =
        (struct check_seen){.device = st.st_dev, .inode = st.st_ino};
    return 1;
}

/* ---- simple kinds ---- */

static struct oy_source *open_records(const struct check *check,
                                      const char *path, struct oy_error *err)
{
    const struct oy_source_options options = {.max_record =
                                                  check->run->max_record};

    return oy_source_open(&path, 1, &options, err);
}

static int check_line(struct check *check, const struct oy_batch *batch,
                      size_t i, struct oy_error *err)
{
    const struct oy_line *line = &batch->line[i];
    const unsigned long long number = batch->line_number[i];
    const char *text = batch->data + line->at, *why;
    size_t where;

    if (line->len == SIZE_MAX)
        return check_fault(check, err, "%s:%llu: longer than --max-record",
                           batch->file, number);
    if (oy_json_validate(text, line->len, &why, &where))
        return check_fault(check, err, "%s:%llu: %s at byte %zu", batch->file,
                           number, why, where + 1);
    if (text[strspn(text, " \t")] != '{')
        return check_fault(check, err, "%s:%llu: not a JSON object",
                           batch->file, number);
    return 0;
}

static int check_records(struct check *check, const char *path,
                         struct oy_error *err)
{
    struct oy_error failure = {0};
    struct oy_batch batch = {0};
    struct oy_source *source = open_records(check, path, &failure);
    int status = source ? 1 : -1;

    while (status > 0) {
        status = source->next(source, &batch, &failure);
        for (size_t i = 0; status > 0 && i < batch.n_line; i++) {
            if (check_line(check, &batch, i, err))
                goto out;
        }
    }
    if (status < 0)
        status = check_failure(check, &failure, err);
out:
    oy_batch_release(&batch);
    if (source)
        source->close(source);
    return err->code ? -1 : status;
}

static int check_json(struct check *check, const char *path,
                      struct oy_error *err)
{
    struct oy_error failure = {0};
    size_t len, where;
    const char *why;
    char *text = oy_input_slurp(path, MAX_DOCUMENT, &len, &failure);
    int status = 0;

    if (!text)
        return check_failure(check, &failure, err);
    if (oy_json_validate(text, len, &why, &where))
        status =
            check_fault(check, err, "%s: %s at byte %zu", path, why, where + 1);
    oy_free(text);
    return status;
}

static int check_tokens(struct check *check, const char *path,
                        struct oy_error *err)
{
    struct tokens_summary summary;
    struct oy_error failure = {0};

    if (tokens_check(path, &summary, &failure))
        return check_failure(check, &failure, err);
    return 0;
}

/* Token files of other projects. */
static int check_export(struct check *check, const char *path,
                        enum token_export_kind kind, struct oy_error *err)
{
    struct oy_error failure = {0};

    if (token_export_check(path, kind, &failure))
        return check_failure(check, &failure, err);
    return 0;
}

static int check_other(struct check *check, const char *path,
                       struct oy_error *err)
{
    struct oy_manifest_file file = {.path = path};
    struct oy_error failure = {0};

    if (oy_manifest_hash_file(&file, &failure))
        return check_failure(check, &failure, err);
    return 0;
}

static int count_records(const struct check *check, const char *path,
                         struct oy_manifest_file *file, struct oy_error *err)
{
    struct oy_batch batch = {0};
    struct oy_source *source = open_records(check, path, err);
    int status = 1, n_file;

    if (!source)
        return -1;
    while (status > 0)
        status = source->next(source, &batch, err);
    if (!status) {
        const struct oy_source_file *read = oy_source_files(source, &n_file);
        file->bytes = read->bytes;
        file->records = read->lines;
        memcpy(file->hash, read->hash, sizeof file->hash);
    }
    oy_batch_release(&batch);
    source->close(source);
    return status;
}

struct check_measured *check_measure(struct check *check, const char *path,
                                     int counts_records, struct oy_error *err)
{
    struct check_measured new = {.counts_records = counts_records,
                                 .file.path = path};
    struct stat st;

    if (stat(path, &st)) {
        oy_fail_errno(err, OY_NOINPUT, "%s", path);
        return NULL;
    }
    new.id = (struct check_seen){.device = st.st_dev, .inode = st.st_ino};
    for (size_t i = 0; i < check->n_measured; i++) {
        struct check_measured *old = &check->measured[i];
        if (old->id.device == new.id.device && old->id.inode == new.id.inode &&
            old->counts_records == counts_records)
            return old;
    }
    if (counts_records ? count_records(check, path, &new.file, err)
                       : oy_manifest_hash_file(&new.file, err))
        return NULL;
    new.file.path = NULL;
    OY_GROW(check->measured, check->cap_measured, check->n_measured + 1);
    check->measured[check->n_measured] = new;
    return &check->measured[check->n_measured++];
}

/* ---- which kind ---- */

static int ends_in(const char *path, const char *suffix)
{
    const size_t len = strlen(path), n = strlen(suffix);

    return len > n && !strcmp(path + len - n, suffix);
}

static int is_manifest(const char *path, const char *head, size_t n)
{
    static const char key[] = "\"oyster_manifest\"";

    return ends_in(path, ".manifest.json") ||
           memmem(head, n, key, sizeof key - 1) != NULL;
}

/* A file's first bytes and its name. */
static enum kind find_kind(const char *path, const char *head, size_t n)
{
    if (is_manifest(path, head, n))
        return KIND_MANIFEST;
    if (n >= 8 && tokens_is_magic(head))
        return KIND_TOKENS;
    if (token_export_kind(head, n) == TOKEN_EXPORT_LLMC)
        return KIND_LLMC;
    if (token_export_kind(head, n) == TOKEN_EXPORT_MEGATRON_INDEX)
        return KIND_MEGATRON;
    if (ends_in(path, ".safetensors"))
        return KIND_SAFETENSORS;
    if (ends_in(path, ".json") || ends_in(path, ".json.zst"))
        return KIND_JSON;
    if (ends_in(path, ".jsonl") || memmem(path, strlen(path), ".jsonl.", 7))
        return KIND_RECORDS;
    return n && *head == '{' ? KIND_RECORDS : KIND_OTHER;
}

static int read_head(const char *path, char *head, size_t *n,
                     struct oy_error *err)
{
    struct oy_input *input = oy_input_open(path, err);

    if (!input)
        return -1;
    const ssize_t got = oy_input_read(input, head, HEAD_SIZE, err);
    oy_input_close(input);
    *n = got < 0 ? 0 : (size_t)got;
    return got < 0 ? -1 : 0;
}

static int check_file(struct check *check, const char *path,
                      struct oy_error *err)
{
    struct oy_error failure = {0};
    char head[HEAD_SIZE];
    size_t n;

    if (read_head(path, head, &n, &failure))
        return check_failure(check, &failure, err);
    switch (find_kind(path, head, n)) {
    case KIND_MANIFEST: return check_manifest(check, path, err);
    case KIND_TOKENS: return check_tokens(check, path, err);
    case KIND_LLMC: return check_export(check, path, TOKEN_EXPORT_LLMC, err);
    case KIND_MEGATRON:
        return check_export(check, path, TOKEN_EXPORT_MEGATRON_INDEX, err);
    case KIND_SAFETENSORS: return check_safetensors(check, path, err);
    case KIND_JSON: return check_json(check, path, err);
    case KIND_RECORDS: return check_records(check, path, err);
    case KIND_OTHER: return check_other(check, path, err);
    }
    return 0;
}

/* ---- paths ---- */

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int check_folder(struct check *check, const char *path,
                        struct oy_error *err)
{
    struct dirent **entry;
    const int n = scandir(path, &entry, is_visible, alphasort);
    int status = 0;

    if (n < 0)
        return oy_fail_errno(err, OY_NOINPUT, "%s", path);
    for (int i = 0; i < n; i++) {
        char *inner = oy_asprintf("%s/%s", path, entry[i]->d_name);
        if (!status)
            status = check_path(check, inner, err);
        oy_free(inner);
        free(entry[i]);
    }
    free(entry);
    return status;
}

/* A file whose manifest lies beside it is held to that too. */
static int check_beside(struct check *check, const char *path,
                        struct oy_error *err)
{
    char *manifest = oy_asprintf("%s.manifest.json", path);
    struct stat st;
    int status = 0;

    if (!stat(manifest, &st))
        status = check_path(check, manifest, err);
    oy_free(manifest);
    return status;
}

int check_path(struct check *check, const char *path, struct oy_error *err)
{
    const uint64_t n_before = check->n_fault;
    struct stat st;
    int status;

    if (!strcmp(path, "-"))
        return check_records(check, path, err);
    if (!check_is_new(check, path))
        return 0;
    if (!stat(path, &st) && S_ISDIR(st.st_mode))
        return check_folder(check, path, err);
    status = check_file(check, path, err);
    if (!status)
        status = check_beside(check, path, err);
    if (!status && check->n_fault == n_before)
        oy_note("%s: good", path);
    return status;
}

int check_run(struct oy_run *run, uint64_t *n_fault, struct oy_error *err)
{
    struct check check = {.run = run};
    int status = 0;

    *n_fault = 0;
    if (!run->input.n_item)
        return oy_fail(err, OY_USAGE, "no file to check");
    check.output = oy_run_open_output(run, err);
    if (!check.output)
        return -1;
    for (size_t i = 0; i < run->input.n_item && !status; i++)
        status = check_path(&check, run->input.item[i], err);
    if (status)
        oy_output_discard(check.output);
    else
        status = oy_output_commit(check.output, err);
    oy_free(check.seen);
    oy_free(check.measured);
    *n_fault = check.n_fault;
    return status;
}
