/* SPDX-License-Identifier: Apache-2.0
 *
 * A manifest against the files beside it. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/json.h"
#include "core/log.h"
#include "pipeline/check_internal.h"

/* A file that the manifest or its history names. */
struct named {
    char *name;
    int is_output; /* of the manifest itself, which has the last word */
    int counts_records;
    uint64_t bytes, records;
    char hash[33];
};

struct names {
    struct named *item;
    size_t n_item, cap_item;
};

/* ---- what it names ---- */

/* A string member unescaped, or NULL; yours. */
static char *get_string(const struct oy_json_value *object, const char *key)
{
    const struct oy_json_value value = oy_json_member(object, key);
    struct oy_arena arena = {0};
    struct oy_text text;
    uint64_t n_repaired = 0;
    const char *why;
    char *copy = NULL;

    if (value.kind == OY_JSON_STRING &&
        !oy_json_text(&value, &arena, &text, &n_repaired, &why))
        copy = oy_strndup(text.at, text.len);
    oy_arena_release(&arena);
    return copy;
}

static uint64_t get_count(const struct oy_json_value *object, const char *key)
{
    const struct oy_json_value value = oy_json_member(object, key);
    int64_t count = 0;

    return oy_json_int64(&value, &count) || count < 0 ? 0 : (uint64_t)count;
}

static int is_record_kind(const char *kind)
{
    return !strcmp(kind, "records") || !strcmp(kind, "dropped") ||
           !strcmp(kind, "rejects");
}

/* Names come from a file: none may lead out of the folder. */
static int is_base_name(const char *name)
{
    return *name && !strchr(name, '/') && strcmp(name, "..") &&
           strcmp(name, ".");
}

static void add_name(struct names *names, const struct oy_json_value *file,
                     int is_output)
{
    char *name = get_string(file, "name");
    char *kind = get_string(file, "kind");
    char *hash = get_string(file, "hash");

    if (name && kind && hash && strlen(hash) == 32 && is_base_name(name)) {
        OY_GROW(names->item, names->cap_item, names->n_item + 1);
        struct named *item = &names->item[names->n_item++];
        *item = (struct named){
            .name = name,
            .is_output = is_output,
            .counts_records = is_record_kind(kind),
            .bytes = get_count(file, "bytes"),
            .records = get_count(file, "records"),
        };
        memcpy(item->hash, hash, sizeof item->hash);
        name = NULL;
    }
    oy_free(name);
    oy_free(kind);
    oy_free(hash);
}

static void add_names(struct names *names, const struct oy_json_value *manifest,
                      const char *key, int is_output)
{
    const struct oy_json_value array = oy_json_member(manifest, key);
    struct oy_json_cursor cursor;
    struct oy_json_value file;

    if (array.kind != OY_JSON_ARRAY)
        return;
    oy_json_enter(&cursor, &array);
    while (oy_json_next_element(&cursor, &file) > 0) {
        if (file.kind == OY_JSON_OBJECT)
            add_name(names, &file, is_output);
    }
}

/* Its own outputs first, so that they are the first of their names. */
static void collect_names(struct names *names,
                          const struct oy_json_value *document)
{
    const struct oy_json_value past = oy_json_member(document, "history");
    struct oy_json_cursor cursor;
    struct oy_json_value entry;

    add_names(names, document, "outputs", 1);
    add_names(names, document, "inputs", 0);
    if (past.kind != OY_JSON_ARRAY)
        return;
    oy_json_enter(&cursor, &past);
    while (oy_json_next_element(&cursor, &entry) > 0) {
        if (entry.kind != OY_JSON_OBJECT)
            continue;
        add_names(names, &entry, "outputs", 0);
        add_names(names, &entry, "inputs", 0);
    }
}

/* ---- what lies there ---- */

static int tell_difference(struct check *check, const char *path,
                           const struct named *want,
                           const struct oy_manifest_file *have,
                           struct oy_error *err)
{
    const unsigned long long bytes = have->bytes, records = have->records;

    if (want->counts_records && have->records != want->records)
        return check_fault(check, err,
                           "%s: %llu records, its manifest has %llu", path,
                           records, (unsigned long long)want->records);
    if (have->bytes != want->bytes)
        return check_fault(check, err, "%s: %llu bytes, its manifest has %llu",
                           path, bytes, (unsigned long long)want->bytes);
    return check_fault(check, err,
                       "%s: its bytes are not those of its manifest (%s, not "
                       "%s)",
                       path, have->hash, want->hash);
}

/* Whether the file is one of those that have this name: a step of a pipeline
 * may keep the name of its input. */
static int is_any_of(const struct names *names, size_t first,
                     const struct oy_manifest_file *have)
{
    const struct named *named = &names->item[first];

    for (size_t i = first; i < names->n_item; i++) {
        if (!strcmp(names->item[i].name, named->name) &&
            !strcmp(names->item[i].hash, have->hash))
            return 1;
        if (named->is_output)
            break;
    }
    return 0;
}

static int check_named(struct check *check, const struct names *names, size_t i,
                       const char *path, struct oy_error *err)
{
    const struct named *named = &names->item[i];
    struct oy_error failure = {0};
    struct check_measured *have =
        check_measure(check, path, named->counts_records, &failure);
    char *manifest;
    int status = 0;

    if (!have)
        return check_failure(check, &failure, err);
    if (!have->is_told && !is_any_of(names, i, &have->file)) {
        have->is_told = 1;
        status = tell_difference(check, path, named, &have->file, err);
    }
    manifest = oy_asprintf("%s.manifest.json", path);
    if (!status && !access(manifest, F_OK) && check_is_new(check, manifest))
        status = check_manifest(check, manifest, err);
    oy_free(manifest);
    return status;
}

static int is_first_of_name(const struct names *names, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (!strcmp(names->item[k].name, names->item[i].name))
            return 0;
    }
    return 1;
}

static int check_names(struct check *check, const struct names *names,
                       const char *manifest, struct oy_error *err)
{
    const char *slash = strrchr(manifest, '/');
    const int n_folder = slash ? (int)(slash - manifest) + 1 : 0;
    int status = 0;

    for (size_t i = 0; i < names->n_item && !status; i++) {
        char *path =
            oy_asprintf("%.*s%s", n_folder, manifest, names->item[i].name);
        if (!is_first_of_name(names, i))
            ; /* told with the first */
        else if (!access(path, F_OK))
            status = check_named(check, names, i, path, err);
        else
            oy_note("%s: not here, not checked", path);
        oy_free(path);
    }
    return status;
}

static int check_counts(struct check *check, const char *path,
                        const struct oy_json_value *document,
                        struct oy_error *err)
{
    const struct oy_json_value counts = oy_json_member(document, "counts");

    if (counts.kind != OY_JSON_OBJECT ||
        oy_json_member(&counts, "records").kind == OY_JSON_MISSING)
        return 0;
    const uint64_t n = get_count(&counts, "records");
    const uint64_t sum = get_count(&counts, "kept") +
                         get_count(&counts, "dropped") +
                         get_count(&counts, "bad");
    if (n == sum)
        return 0;
    return check_fault(check, err, "%s: its counts do not add up", path);
}

int check_manifest(struct check *check, const char *path, struct oy_error *err)
{
    struct oy_error failure = {0};
    struct oy_json_value document;
    struct names names = {0};
    char *text = oy_manifest_read(path, &document, &failure);
    int status;

    if (!text)
        return check_failure(check, &failure, err);
    collect_names(&names, &document);
    status = check_counts(check, path, &document, err);
    if (!status)
        status = check_names(check, &names, path, err);
    for (size_t i = 0; i < names.n_item; i++)
        oy_free(names.item[i].name);
    oy_free(names.item);
    oy_free(text);
    return status;
}
