/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of outputs: whole or absent, the same bytes for any thread count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/output.h"

struct place {
    char folder[32];
    char file[64];
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    strcpy(place->folder, "/tmp/oy-test-XXXXXX");
    if (!mkdtemp(place->folder))
        return -1;
    snprintf(place->file, sizeof place->file, "%s/out", place->folder);
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;
    char command[64];

    snprintf(command, sizeof command, "rm -rf %s", place->folder);
    const int rc = system(command);
    free(place);
    return rc;
}

static int count_entries(const char *path)
{
    DIR *folder = opendir(path);
    int n = -2;

    assert_non_null(folder);
    while (readdir(folder))
        n++;
    closedir(folder);
    return n;
}

static void assert_holds(const char *path, const char *want)
{
    struct oy_error err = {0};
    size_t len;
    char *text = oy_input_slurp(path, 1 << 20, &len, &err);

    assert_non_null(text);
    assert_string_equal(text, want);
    oy_free(text);
}

static void a_file_appears_when_it_is_committed(void **state)
{
    const struct place *place = *state;
    struct oy_error err = {0};
    struct oy_output *output = oy_output_open(place->file, NULL, &err);

    assert_non_null(output);
    assert_int_equal(oy_output_write(output, "abc\n", 4, &err), 0);
    assert_int_equal(access(place->file, F_OK), -1);
    assert_int_equal(oy_output_bytes(output), 4);
    assert_true(oy_output_digest(output).low == oy_hash128("abc\n", 4).low);
    assert_int_equal(oy_output_commit(output, &err), 0);
    assert_holds(place->file, "abc\n");
    assert_int_equal(count_entries(place->folder), 1);
}

static void a_digest_that_nobody_wants_is_zero(void **state)
{
    const struct oy_output_options options = {.codec = -1, .unhashed = 1};
    const struct place *place = *state;
    struct oy_error err = {0};
    struct oy_output *output = oy_output_open(place->file, &options, &err);

    assert_int_equal(oy_output_write(output, "abc\n", 4, &err), 0);
    assert_true(!oy_output_digest(output).low &&
                !oy_output_digest(output).high);
    assert_int_equal(oy_output_commit(output, &err), 0);
    assert_holds(place->file, "abc\n");
}

static void a_discarded_output_leaves_the_old_file(void **state)
{
    const struct place *place = *state;
    struct oy_error err = {0};

    assert_int_equal(oy_output_write_file(place->file, "old", 3, &err), 0);
    assert_int_equal(chmod(place->file, 0640), 0);
    struct oy_output *output = oy_output_open(place->file, NULL, &err);
    assert_int_equal(oy_output_write(output, "new", 3, &err), 0);
    oy_output_discard(output);
    assert_holds(place->file, "old");
    assert_int_equal(count_entries(place->folder), 1);

    struct stat st;
    assert_int_equal(oy_output_write_file(place->file, "new", 3, &err), 0);
    assert_holds(place->file, "new");
    assert_int_equal(stat(place->file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
}

static void a_link_stays_a_link(void **state)
{
    const struct place *place = *state;
    struct oy_error err = {0};
    struct stat st;
    char name[96];

    snprintf(name, sizeof name, "%s/link", place->folder);
    assert_int_equal(oy_output_write_file(place->file, "old", 3, &err), 0);
    assert_int_equal(symlink("out", name), 0);
    assert_int_equal(oy_output_write_file(name, "new", 3, &err), 0);
    assert_int_equal(lstat(name, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_holds(place->file, "new");
}

static void failures_have_their_codes(void **state)
{
    const struct place *place = *state;
    struct oy_error none = {0}, folder = {0}, full = {0}, codec = {0};

    assert_null(oy_output_open("/no/such/folder/x", NULL, &none));
    assert_int_equal(none.code, OY_CANTCREAT);
    assert_null(oy_output_open(place->folder, NULL, &folder));
    assert_int_equal(folder.code, OY_CANTCREAT);
    assert_null(oy_output_open("x.xz", NULL, &codec));
    assert_int_equal(codec.code, OY_USAGE);
    assert_int_equal(oy_output_write_file("/dev/full", "x", 1, &full), -1);
    assert_int_equal(full.code, OY_IO);
    assert_non_null(strstr(full.message, "/dev/full"));
}

/* 20 MB of lines, so that there are several frames. */
static void write_lines(const char *path, int codec, int n_thread, int piece)
{
    const struct oy_output_options options = {codec, 1, n_thread};
    struct oy_error err = {0};
    struct oy_output *output = oy_output_open(path, &options, &err);
    struct oy_buffer text = {0};

    assert_non_null(output);
    for (int i = 0; i < 400000; i++)
        oy_buffer_append_format(&text, "line %d of a longer text, %d\n", i,
                                i % 1000 * 7919);
    for (size_t at = 0; at < text.len; at += (size_t)piece) {
        const size_t left = text.len - at;
        const size_t n = left < (size_t)piece ? left : (size_t)piece;
        assert_int_equal(oy_output_write(output, text.data + at, n, &err), 0);
    }
    assert_int_equal(oy_output_commit(output, &err), 0);
    oy_buffer_release(&text);
}

static struct oy_hash128 digest_of(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct oy_hasher *hasher = oy_hasher_new();
    char data[4096];
    size_t n;

    assert_non_null(file);
    while ((n = fread(data, 1, sizeof data, file)) > 0)
        oy_hasher_update(hasher, data, n);
    fclose(file);
    const struct oy_hash128 hash = oy_hasher_digest(hasher);
    oy_hasher_free(hasher);
    return hash;
}

static void frames_do_not_depend_on_threads_or_pieces(void **state)
{
    const struct place *place = *state;
    static const int codec[] = {OY_CODEC_ZSTD, OY_CODEC_GZIP};

    for (int i = 0; i < 2; i++) {
        write_lines(place->file, codec[i], 1, 1 << 30);
        const struct oy_hash128 one = digest_of(place->file);
        write_lines(place->file, codec[i], 3, 100003);
        const struct oy_hash128 three = digest_of(place->file);
        assert_true(one.low == three.low && one.high == three.high);

        struct oy_error err = {0};
        size_t len;
        char *text = oy_input_slurp(place->file, 1 << 28, &len, &err);
        assert_non_null(text);
        assert_non_null(strstr(text, "line 399999 of"));
        oy_free(text);
    }
}

static uint32_t u32_at(const char *data)
{
    uint32_t value;

    memcpy(&value, data, 4);
    return value;
}

/* As contrib/seekable_format of zstd describes it, and frames end at LF. */
static void zstd_ends_in_a_seek_table(void **state)
{
    const struct place *place = *state;
    const struct oy_output_options plain = {OY_CODEC_PLAIN, 0, 1};

    write_lines(place->file, OY_CODEC_ZSTD, 2, 1 << 20);
    FILE *file = fopen(place->file, "rb");
    char foot[9], entry[8];
    assert_int_equal(fseek(file, -9, SEEK_END), 0);
    assert_int_equal(fread(foot, 1, 9, file), 9);
    assert_int_equal(u32_at(foot + 5), 0x8F92EAB1);
    const uint32_t n_frame = u32_at(foot);
    assert_true(n_frame >= 2);
    assert_int_equal(fseek(file, -9 - 8 * (long)n_frame, SEEK_END), 0);
    assert_int_equal(fread(entry, 1, 8, file), 8);
    const uint32_t packed = u32_at(entry), size = u32_at(entry + 4);
    assert_true(size >= 8 << 20 && size < (8 << 20) + 100);

    /* The first frame alone decodes to whole lines of that size. */
    char *data = malloc(packed);
    rewind(file);
    assert_int_equal(fread(data, 1, packed, file), packed);
    fclose(file);
    struct oy_error err = {0};
    struct oy_output *output = oy_output_open(place->file, &plain, &err);
    assert_int_equal(oy_output_write(output, data, packed, &err), 0);
    assert_int_equal(oy_output_commit(output, &err), 0);
    free(data);
    size_t len;
    char *text = oy_input_slurp(place->file, 1 << 28, &len, &err);
    assert_int_equal(len, size);
    assert_int_equal(text[len - 1], '\n');
    oy_free(text);
}

static void an_empty_stream_is_a_frame(void **state)
{
    const struct place *place = *state;
    const struct oy_output_options options = {OY_CODEC_ZSTD, 0, 1};
    struct oy_error err = {0};
    struct stat st;

    assert_int_equal(
        oy_output_commit(oy_output_open(place->file, &options, &err), &err), 0);
    assert_int_equal(stat(place->file, &st), 0);
    assert_true(st.st_size > 0);
    assert_holds(place->file, "");
}

/* In a child, which ends by the signal and leaves nothing. */
static void run_child(const struct place *place, int number)
{
    static struct oy_output *volatile output; /* in sight of the leak checker */
    static struct oy_output_folder *volatile folder;
    struct oy_error err = {0};
    char name[96];

    oy_output_init_signals();
    output = oy_output_open(place->file, NULL, &err);
    assert_non_null(output);
    snprintf(name, sizeof name, "%s/model", place->folder);
    folder = oy_output_folder_open(name, &err);
    char *inside = oy_asprintf("%s/x", oy_output_folder_path(folder));
    oy_output_write_file(inside, "x", 1, &err);
    oy_free(inside);
    if (number)
        raise(number);
    exit(0);
}

static void signals_and_exit_remove_what_is_half_made(void **state)
{
    const struct place *place = *state;
    static const int number[] = {SIGINT, SIGTERM, SIGHUP, 0};

    for (int i = 0; i < 4; i++) {
        int status;
        const pid_t child = fork();
        if (child == 0) {
            signal(number[i] ? number[i] : SIGINT, SIG_DFL);
            run_child(place, number[i]);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (number[i])
            assert_true(WIFSIGNALED(status) && WTERMSIG(status) == number[i]);
        assert_int_equal(count_entries(place->folder), 0);
    }
}

static void put_in(struct oy_output_folder *folder, const char *text)
{
    struct oy_error err = {0};
    char *name = oy_asprintf("%s/a", oy_output_folder_path(folder));

    assert_int_equal(oy_output_write_file(name, text, strlen(text), &err), 0);
    oy_free(name);
}

static void folders_appear_whole_and_replace_ours_only(void **state)
{
    const struct place *place = *state;
    struct oy_error err = {0};
    char inside[96];

    snprintf(inside, sizeof inside, "%s/a", place->file);
    for (int i = 0; i < 3; i++) {
        const char *text = i == 0 ? "one" : i == 1 ? "two" : "three";
        struct oy_output_folder *folder =
            oy_output_folder_open(place->file, &err);
        assert_non_null(folder);
        put_in(folder, text);
        if (i == 2) {
            oy_output_folder_discard(folder);
            text = "two";
        } else {
            assert_int_equal(oy_output_folder_commit(folder, &err), 0);
        }
        assert_holds(inside, text);
        assert_int_equal(count_entries(place->folder), 1);
    }
    snprintf(inside, sizeof inside, "%s/.oyster", place->file);
    assert_int_equal(unlink(inside), 0);
    assert_null(oy_output_folder_open(place->file, &err));
    assert_int_equal(err.code, OY_CANTCREAT);
}

static void links_to_nothing_are_followed(void **state)
{
    const struct place *place = *state;
    struct oy_error err = {0};
    char name[64];
    struct stat st;

    snprintf(name, sizeof name, "%s/link", place->folder);
    assert_int_equal(symlink("second", name), 0);
    snprintf(name, sizeof name, "%s/second", place->folder);
    assert_int_equal(symlink(place->file, name), 0);
    snprintf(name, sizeof name, "%s/link", place->folder);
    assert_int_equal(oy_output_write_file(name, "x", 1, &err), 0);
    assert_holds(place->file, "x");
    assert_int_equal(lstat(name, &st), 0);
    assert_true(S_ISLNK(st.st_mode));

    snprintf(name, sizeof name, "%s/circle", place->folder);
    assert_int_equal(symlink("circle", name), 0);
    assert_int_equal(oy_output_write_file(name, "x", 1, &err), -1);
    assert_int_equal(err.code, OY_CANTCREAT);
}

static void trying_leaves_no_trace(void **state)
{
    const struct place *place = *state;
    struct oy_error err = {0};

    assert_int_equal(oy_output_try(place->file, &err), 0);
    assert_int_equal(count_entries(place->folder), 0);
    assert_int_equal(oy_output_write_file(place->file, "old", 3, &err), 0);
    assert_int_equal(oy_output_try(place->file, &err), 0);
    assert_holds(place->file, "old");
    assert_int_equal(oy_output_try("/dev/full", &err), 0);
    assert_int_equal(oy_output_try(place->folder, &err), -1);
    assert_int_equal(err.code, OY_CANTCREAT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)

int main(void)
{
    const struct CMUnitTest test[] = {
        TEST(a_digest_that_nobody_wants_is_zero),
        TEST(a_file_appears_when_it_is_committed),
        TEST(a_discarded_output_leaves_the_old_file),
        TEST(a_link_stays_a_link),
        TEST(links_to_nothing_are_followed),
        TEST(trying_leaves_no_trace),
        TEST(failures_have_their_codes),
        TEST(frames_do_not_depend_on_threads_or_pieces),
        TEST(zstd_ends_in_a_seek_table),
        TEST(an_empty_stream_is_a_frame),
        TEST(signals_and_exit_remove_what_is_half_made),
        TEST(folders_appear_whole_and_replace_ours_only),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}
