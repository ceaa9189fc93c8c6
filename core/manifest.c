/* SPDX-License-Identifier: Apache-2.0
 *
 * Manifests written, and the history of their inputs found. */
#include "core/manifest.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/hash.h"
#include "core/input.h"
#include "core/log.h"
#include "core/output.h"

enum {
    FORMAT_VERSION = 1,
    MAX_SIZE = 256 << 20, /* of a manifest that is read */
    READ_SIZE = 1 << 20,
};

static const char suffix[] = ".manifest.json";

/* Entries of a history as they will stand in the file. */
struct history {
    char **entry;
    size_t n_entry;
    size_t cap_entry;
};

/* ---- reading ---- */

/* The comma before the member that a value belongs to. */
static const char *comma_before(const struct oy_json_value *document,
                                const struct oy_json_value *value)
{
    const char *at = value->at;

    while (*at != ',' && at > document->at + 1)
        at--;
    return at;
}

/* Whether the bytes are those that were written. */
static int is_intact(const struct oy_json_value *document, const char *text,
                     size_t len)
{
    const struct oy_json_value checksum = oy_json_member(document, "checksum");
    char hash[33];

    if (checksum.kind != OY_JSON_STRING)
        return 0;
    const char *end = comma_before(document, &checksum);
    oy_hash128_text(oy_hash128(text, (size_t)(end - text)), hash);
    if (!oy_json_equals(&checksum, hash))
        return 0;
    const char *tail = checksum.at + checksum.len;
    return (size_t)(text + len - tail) == 3 && !memcmp(tail, "\n}\n", 3);
}

char *oy_manifest_read(const char *path, struct oy_json_value *document,
                       struct oy_error *err)
{
    size_t len, where;
    const char *why;
    int64_t version = 0;
    char *text = oy_input_slurp(path, MAX_SIZE, &len, err);

    if (!text)
        return NULL;
    if (oy_json_validate(text, len, &why, &where)) {
        oy_fail(err, OY_DATA, "%s: %s at byte %zu", path, why, where + 1);
        goto bad;
    }
    if (oy_json_value_of(text, len, document, &why) ||
        document->kind != OY_JSON_OBJECT)
        goto not_one;
    const struct oy_json_value format =
        oy_json_member(document, "oyster_manifest");
    if (oy_json_int64(&format, &version))
        goto not_one;
    if (version != FORMAT_VERSION) {
        oy_fail(err, OY_DATA, "%s: manifest of the unknown version %lld", path,
                (long long)version);
        goto bad;
    }
    if (is_intact(document, text, len))
        return text;
    oy_fail(err, OY_DATA, "%s: its checksum does not fit", path);
    goto bad;
not_one:
    oy_fail(err, OY_DATA, "%s: not a manifest", path);
bad:
    oy_free(text);
    return NULL;
}

int oy_manifest_makes(const struct oy_json_value *manifest, const char *hash)
{
    const struct oy_json_value output = oy_json_member(manifest, "outputs");
    struct oy_json_cursor cursor;
    struct oy_json_value file;

    if (output.kind != OY_JSON_ARRAY)
        return 0;
    oy_json_enter(&cursor, &output);
    while (oy_json_next_element(&cursor, &file) > 0) {
        if (file.kind != OY_JSON_OBJECT)
            continue;
        const struct oy_json_value value = oy_json_member(&file, "hash");
        if (value.kind == OY_JSON_STRING && oy_json_equals(&value, hash))
            return 1;
    }
    return 0;
}

int oy_manifest_hash_file(struct oy_manifest_file *file, struct oy_error *err)
{
    struct oy_input *input = oy_input_open(file->path, err);
    struct oy_hasher *hasher;
    char *block;
    ssize_t n;

    if (!input)
        return -1;
    hasher = oy_hasher_new();
    block = oy_alloc(READ_SIZE);
    file->bytes = 0;
    while ((n = oy_input_read(input, block, READ_SIZE, err)) > 0) {
        oy_hasher_update(hasher, block, (size_t)n);
        file->bytes += (uint64_t)n;
    }
    oy_hash128_text(oy_hasher_digest(hasher), file->hash);
    oy_free(block);
    oy_hasher_free(hasher);
    oy_input_close(input);
    return n < 0 ? -1 : 0;
}

/* ---- history ---- */

/* Takes `entry`; one that is there already is freed. */
static void add_entry(struct history *history, char *entry)
{
    for (size_t i = 0; i < history->n_entry; i++) {
        if (!strcmp(history->entry[i], entry)) {
            oy_free(entry);
            return;
        }
    }
    OY_GROW(history->entry, history->cap_entry, history->n_entry + 1);
    history->entry[history->n_entry++] = entry;
}

/* The document without its history, which stands last, as an element of an
 * array two levels deep: its lines move in by 4. JSON has no newline inside
 * of strings. */
static char *make_entry(const struct oy_json_value *document)
{
    const struct oy_json_value past = oy_json_member(document, "history");
    const char *end = past.kind == OY_JSON_MISSING
                          ? document->at + document->len - 1
                          : comma_before(document, &past);
    struct oy_buffer out = {0};

    while (strchr(" \t\r\n", end[-1]))
        end--;
    for (const char *at = document->at; at < end; at++) {
        oy_buffer_append_char(&out, *at);
        if (*at == '\n')
            oy_buffer_append_string(&out, "    ");
    }
    oy_buffer_append_string(&out, "\n    }");
    return (char *)(uintptr_t)oy_buffer_string(&out);
}

/* Adds the manifest at `path` and its history when it made `hash`. Returns
 * whether it did. */
static int add_manifest(struct history *history, const char *path,
                        const char *hash)
{
    struct oy_json_value document, past, entry;
    struct oy_json_cursor cursor;
    struct oy_error err = {0};
    char *text = oy_manifest_read(path, &document, &err);

    if (!text) {
        if (err.code != OY_NOINPUT)
            oy_warn("%s; left out of the history", err.message);
        return 0;
    }
    const int found = oy_manifest_makes(&document, hash);
    if (found) {
        past = oy_json_member(&document, "history");
        if (past.kind == OY_JSON_ARRAY) {
            oy_json_enter(&cursor, &past);
            while (oy_json_next_element(&cursor, &entry) > 0)
                add_entry(history, oy_strndup(entry.at, entry.len));
        }
        add_entry(history, make_entry(&document));
    }
    oy_free(text);
    return found;
}

static int has_suffix(const struct dirent *entry)
{
    const size_t len = strlen(entry->d_name), n = sizeof suffix - 1;

    return len > n && !strcmp(entry->d_name + len - n, suffix);
}

static int is_same_file(const char *a, const char *b)
{
    struct stat x, y;

    return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}

/* In the order of names, so that equal folders give equal histories; passes
 * over two files. */
static int search_folder(struct history *history, const char *folder,
                         const char *hash, const char *const skip[2])
{
    struct dirent **entry;
    const int n = scandir(folder, &entry, has_suffix, alphasort);
    int found = 0;

    for (int i = 0; i < n; i++) {
        char *path = oy_asprintf("%s/%s", folder, entry[i]->d_name);
        found = found ||
                (!is_same_file(path, skip[0]) && !is_same_file(path, skip[1]) &&
                 add_manifest(history, path, hash));
        oy_free(path);
        free(entry[i]);
    }
    if (n >= 0)
        free(entry);
    return found;
}

/* A checkpoint carries its own, in its folder. */
static int try_folder(struct history *history, const char *folder,
                      const char *hash, const char *own)
{
    char *path = oy_asprintf("%s/manifest.json", folder);
    const int found =
        !is_same_file(path, own) && add_manifest(history, path, hash);

    oy_free(path);
    return found;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return oy_strdup(".");
    return oy_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* `own` is where the new manifest will stand; what an earlier run left there
 * is no history of this one. */
static void find_history(struct history *history,
                         const struct oy_manifest_file *input, const char *own)
{
    char *own_folder = folder_of(own);
    char *beside = oy_asprintf("%s%s", input->path ? input->path : "", suffix);
    char *folder = folder_of(beside);
    const char *const skip[2] = {own, beside};
    int found = 0;

    if (input->path)
        found = (!is_same_file(beside, own) &&
                 add_manifest(history, beside, input->hash)) ||
                try_folder(history, folder, input->hash, own) ||
                search_folder(history, folder, input->hash, skip);
    if (!found && (!input->path || !is_same_file(folder, own_folder)))
        search_folder(history, own_folder, input->hash, skip);
    oy_free(folder);
    oy_free(beside);
    oy_free(own_folder);
}

/* ---- writing ---- */

static void put_string(struct oy_buffer *out, const char *text)
{
    oy_json_put_name(out, text);
}

static void put_name(struct oy_buffer *out, const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;

    if (path)
        put_string(out, slash ? slash + 1 : path);
    else
        oy_buffer_append_string(out, "null");
}

static void put_files(struct oy_buffer *out, const char *name,
                      const struct oy_manifest_file *file, int n_file)
{
    oy_buffer_append_format(out, ",\n  \"%s\": [", name);
    for (int i = 0; i < n_file; i++) {
        oy_buffer_append_string(out, i ? ",\n    {" : "\n    {");
        oy_buffer_append_string(out, "\"kind\": ");
        put_string(out, file[i].kind);
        oy_buffer_append_string(out, ", \"name\": ");
        put_name(out, file[i].path);
        oy_buffer_append_format(out,
                                ", \"bytes\": %llu, \"records\": %llu, "
                                "\"hash\": \"%s\"}",
                                (unsigned long long)file[i].bytes,
                                (unsigned long long)file[i].records,
                                file[i].hash);
    }
    oy_buffer_append_string(out, n_file ? "\n  ]" : "]");
}

static void put_counters(struct oy_buffer *out, const char *name,
                         const struct oy_counters *counters)
{
    const int n = counters ? counters->n_item : 0;

    oy_buffer_append_format(out, ",\n  \"%s\": {", name);
    for (int i = 0; i < n; i++) {
        oy_buffer_append_string(out, i ? ",\n    " : "\n    ");
        put_string(out, counters->item[i].name);
        oy_buffer_append_format(out, ": %llu",
                                (unsigned long long)counters->item[i].count);
    }
    oy_buffer_append_string(out, n ? "\n  }" : "}");
}

/* The options' own lines move in by 2. */
static void put_options(struct oy_buffer *out, const struct oy_program *program)
{
    struct oy_buffer options = {0};

    oy_options_put_json(program, 1, &options);
    oy_buffer_append_string(out, ",\n  \"options\": ");
    for (size_t i = 0; i < options.len; i++) {
        oy_buffer_append_char(out, options.data[i]);
        if (options.data[i] == '\n')
            oy_buffer_append_string(out, "  ");
    }
    oy_buffer_release(&options);
}

static void put_history(struct oy_buffer *out, const struct history *history)
{
    oy_buffer_append_string(out, ",\n  \"history\": [");
    for (size_t i = 0; i < history->n_entry; i++) {
        oy_buffer_append_string(out, i ? ",\n    " : "\n    ");
        oy_buffer_append_string(out, history->entry[i]);
    }
    oy_buffer_append_string(out, history->n_entry ? "\n  ]" : "]");
}

static void put_checksum(struct oy_buffer *out)
{
    char hash[33];

    oy_hash128_text(oy_hash128(out->data, out->len), hash);
    oy_buffer_append_format(out, ",\n  \"checksum\": \"%s\"\n}\n", hash);
}

int oy_manifest_write(const char *path, const struct oy_manifest *manifest,
                      struct oy_error *err)
{
    struct oy_buffer out = {0};
    struct history history = {0};

    for (int i = 0; i < manifest->n_input; i++)
        find_history(&history, &manifest->input[i], path);
    oy_buffer_append_format(&out,
                            "{\n  \"oyster_manifest\": %d,\n"
                            "  \"program\": \"%s\",\n  \"version\": \"%s\"",
                            FORMAT_VERSION, manifest->program->name,
                            OYSTER_VERSION);
    put_options(&out, manifest->program);
    put_files(&out, "inputs", manifest->input, manifest->n_input);
    put_files(&out, "outputs", manifest->output, manifest->n_output);
    put_counters(&out, "counts", manifest->counter);
    put_counters(&out, "reasons", manifest->reason);
    put_history(&out, &history);
    put_checksum(&out);
    const int status = oy_output_write_file(path, out.data, out.len, err);
    for (size_t i = 0; i < history.n_entry; i++)
        oy_free(history.entry[i]);
    oy_free(history.entry);
    oy_buffer_release(&out);
    return status;
}
