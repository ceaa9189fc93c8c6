/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of manifests: chains found by hashes, equal runs, broken files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/input.h"
#include "core/json.h"
#include "core/manifest.h"
#include "core/output.h"

static char folder[] = "/tmp/oy-manifest-XXXXXX";

static const struct oy_option option[] = {{0}};

/* Writes NAME.manifest.json in the folder: `in` to `out`, where the letters
 * stand for hashes. */
static void write_link(const char *name, char in, char out, int from_pipe)
{
    char *path = oy_asprintf("%s/%s.manifest.json", folder, name);
    char *input_path = oy_asprintf("%s/%c.jsonl", folder, in);
    const struct oy_program program = {.name = name, .option = option};
    struct oy_manifest_file input = {.kind = "records",
                                     .path = from_pipe ? NULL : input_path,
                                     .bytes = 10,
                                     .records = 2};
    struct oy_manifest_file output = {
        .kind = "records", .path = "/x/y/out.jsonl", .bytes = 5, .records = 1};
    struct oy_counters counter = {0}, reason = {0};
    struct oy_error err = {0};

    memset(input.hash, in, 32);
    memset(output.hash, out, 32);
    oy_counter_add(&counter, "records", 2);
    oy_counter_add(&reason, "short", 1);
    const struct oy_manifest manifest = {.program = &program,
                                         .input = &input,
                                         .n_input = 1,
                                         .output = &output,
                                         .n_output = 1,
                                         .counter = &counter,
                                         .reason = &reason};
    assert_int_equal(oy_manifest_write(path, &manifest, &err), 0);
    oy_counters_release(&counter);
    oy_counters_release(&reason);
    oy_free(input_path);
    oy_free(path);
}

static char *read_manifest(const char *name, struct oy_json_value *document,
                           struct oy_error *err)
{
    char *path = oy_asprintf("%s/%s.manifest.json", folder, name);
    char *text = oy_manifest_read(path, document, err);

    oy_free(path);
    return text;
}

/* The programs in the history of a manifest, with spaces between. */
static void list_history(const char *name, char *names, size_t size)
{
    struct oy_json_value document, entry;
    struct oy_json_cursor cursor;
    struct oy_error err = {0};
    char *text = read_manifest(name, &document, &err);

    assert_non_null(text);
    const struct oy_json_value past = oy_json_member(&document, "history");
    *names = '\0';
    oy_json_enter(&cursor, &past);
    while (oy_json_next_element(&cursor, &entry) > 0) {
        const struct oy_json_value program = oy_json_member(&entry, "program");
        const size_t len = strlen(names);
        snprintf(names + len, size - len, "%.*s ", (int)program.len,
                 program.at);
        assert_int_equal(oy_json_member(&entry, "history").kind,
                         OY_JSON_MISSING);
        assert_int_equal(oy_json_member(&entry, "outputs").kind, OY_JSON_ARRAY);
    }
    oy_free(text);
}

static void histories_are_found_by_hash(void **state)
{
    char names[200];

    (void)state;
    write_link("one", 'a', 'b', 0);
    write_link("two", 'b', 'c', 0);
    write_link("three", 'c', 'd', 1);
    write_link("other", 'x', 'y', 1);
    write_link("four", 'd', 'e', 1);
    list_history("one", names, sizeof names);
    assert_string_equal(names, "");
    list_history("two", names, sizeof names);
    assert_string_equal(names, "\"one\" ");
    list_history("four", names, sizeof names);
    assert_string_equal(names, "\"one\" \"two\" \"three\" ");
}

static void equal_runs_write_equal_manifests(void **state)
{
    struct oy_json_value document;
    struct oy_error err = {0};

    (void)state;
    char *first = read_manifest("two", &document, &err);
    write_link("two", 'b', 'c', 0);
    char *second = read_manifest("two", &document, &err);
    assert_string_equal(first, second);
    oy_free(first);
    oy_free(second);
    /* A run that changes nothing is no history of itself. */
    char names[200];
    write_link("same", 'q', 'q', 1);
    write_link("same", 'q', 'q', 1);
    list_history("same", names, sizeof names);
    assert_string_equal(names, "");
}

static void every_flipped_bit_is_found(void **state)
{
    struct oy_json_value document;
    struct oy_error err = {0};
    char *path = oy_asprintf("%s/flipped.manifest.json", folder);
    char *text = read_manifest("two", &document, &err);
    const size_t len = strlen(text);

    (void)state;
    for (size_t i = 0; i < len * 8; i += 3) {
        FILE *file = fopen(path, "wb");
        text[i / 8] ^= (char)(1 << i % 8);
        fwrite(text, 1, len, file);
        fclose(file);
        text[i / 8] ^= (char)(1 << i % 8);
        err = (struct oy_error){0};
        assert_null(oy_manifest_read(path, &document, &err));
        assert_int_equal(err.code, OY_DATA);
    }
    oy_free(text);
    unlink(path);
    oy_free(path);
}

static void files_are_hashed(void **state)
{
    char *path = oy_asprintf("%s/file", folder);
    struct oy_manifest_file file = {.path = path};
    struct oy_error err = {0};
    char want[33];

    (void)state;
    assert_int_equal(oy_output_write_file(path, "hello", 5, &err), 0);
    assert_int_equal(oy_manifest_hash_file(&file, &err), 0);
    oy_hash128_text(oy_hash128("hello", 5), want);
    assert_string_equal(file.hash, want);
    assert_int_equal(file.bytes, 5);
    unlink(path);
    assert_int_equal(oy_manifest_hash_file(&file, &err), -1);
    assert_int_equal(err.code, OY_NOINPUT);
    oy_free(path);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char *command = oy_asprintf("rm -rf '%s'", folder);

    (void)state;
    const int status = system(command);
    oy_free(command);
    return status;
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(histories_are_found_by_hash),
        cmocka_unit_test(equal_runs_write_equal_manifests),
        cmocka_unit_test(every_flipped_bit_is_found),
        cmocka_unit_test(files_are_hashed),
    };

    return cmocka_run_group_tests(test, make_folder, remove_folder);
}
