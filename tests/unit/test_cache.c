/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/cache.h"

struct state {
    char folder[64];
    char *path; /* of the one entry */
};

static const struct oy_cache_name name = {
    .kind = "thing",
    .version = 7,
    .key = {0x0123456789abcdefULL, 42},
};

static const struct oy_cache_section section[] = {
    {"alpha", 5},
    {"", 0},
    {"a longer one, of more than sixty-four bytes, so that it crosses lines",
     69},
};

static int set_up(void **out)
{
    struct state *state = calloc(1, sizeof *state);

    strcpy(state->folder, "/tmp/oy-cache-XXXXXX");
    assert_non_null(mkdtemp(state->folder));
    char *deep = oy_asprintf("%s/a/b", state->folder);
    setenv("OYSTER_CACHE", deep, 1);
    state->path =
        oy_asprintf("%s/thing-7-0123456789abcdef000000000000002a", deep);
    oy_free(deep);
    *out = state;
    return 0;
}

static int tear_down(void **in)
{
    struct state *state = *in;
    char *command = oy_asprintf("rm -rf %s", state->folder);

    assert_int_equal(system(command), 0);
    oy_free(command);
    oy_free(state->path);
    free(state);
    unsetenv("OYSTER_CACHE");
    return 0;
}

static void assert_is_there(void)
{
    struct oy_cache_entry entry;

    assert_int_equal(oy_cache_open(&name, &entry), 0);
    assert_int_equal(entry.n, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(entry.section[i].size, section[i].size);
        assert_memory_equal(entry.section[i].data, section[i].data,
                            section[i].size);
        assert_int_equal((uintptr_t)entry.section[i].data % 64, 0);
    }
    oy_cache_close(&entry);
}

static void test_keeps(void **in)
{
    struct oy_cache_entry entry;

    (void)in;
    assert_int_equal(oy_cache_open(&name, &entry), -1);
    assert_int_equal(oy_cache_store(&name, section, 3), 0);
    assert_is_there();
    /* Writing to what was read changes no file. */
    assert_int_equal(oy_cache_open(&name, &entry), 0);
    memset(entry.section[0].data, 'x', 5);
    oy_cache_close(&entry);
    assert_is_there();
}

static void test_other_names(void **in)
{
    struct oy_cache_name other = name;
    struct oy_cache_entry entry;

    (void)in;
    assert_int_equal(oy_cache_store(&name, section, 3), 0);
    other.version = 8;
    assert_int_equal(oy_cache_open(&other, &entry), -1);
    other = name;
    other.key.low++;
    assert_int_equal(oy_cache_open(&other, &entry), -1);
}

/* The file as bytes. */
static char *slurp(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    char *data = malloc(4096);

    assert_non_null(file);
    *len = fread(data, 1, 4096, file);
    fclose(file);
    return data;
}

static void spit(const char *path, const char *data, size_t len)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    fclose(file);
}

static void test_damage(void **in)
{
    const struct state *state = *in;
    struct oy_cache_entry entry;
    size_t len;

    assert_int_equal(oy_cache_store(&name, section, 3), 0);
    char *data = slurp(state->path, &len);
    for (size_t i = 0; i < len; i++) {
        if (i == 56)
            i = 64; /* unused */
        data[i] ^= 1;
        spit(state->path, data, len);
        assert_int_equal(oy_cache_open(&name, &entry), -1);
        data[i] ^= 1;
        spit(state->path, data, i);
        assert_int_equal(oy_cache_open(&name, &entry), -1);
    }
    /* What is damaged is made anew. */
    assert_int_equal(oy_cache_store(&name, section, 3), 0);
    assert_is_there();
    free(data);
}

static void *store_and_open(void *none)
{
    struct oy_cache_entry entry;

    (void)none;
    for (int i = 0; i < 100; i++) {
        oy_cache_store(&name, section, 3);
        if (oy_cache_open(&name, &entry))
            return "not there";
        if (entry.n != 3 || memcmp(entry.section[0].data, "alpha", 5))
            return "wrong";
        oy_cache_close(&entry);
    }
    return NULL;
}

static void test_races(void **in)
{
    pthread_t thread[4];
    void *why;

    (void)in;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, store_and_open, NULL),
                         0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(thread[i], &why), 0);
        assert_null(why);
    }
}

static void test_turned_off(void **in)
{
    struct oy_cache_entry entry;

    (void)in;
    setenv("OYSTER_CACHE", "", 1);
    assert_int_equal(oy_cache_store(&name, section, 3), -1);
    assert_int_equal(oy_cache_open(&name, &entry), -1);
}

static void test_no_room(void **in)
{
    struct oy_cache_entry entry;

    (void)in;
    setenv("OYSTER_CACHE", "/dev/null/cache", 1);
    assert_int_equal(oy_cache_store(&name, section, 3), -1);
    assert_int_equal(oy_cache_open(&name, &entry), -1);
}

static int exists(const char *folder, const char *file)
{
    char *path = oy_asprintf("%s/a/b/%s", folder, file);
    const int is_there = access(path, F_OK) == 0;

    oy_free(path);
    return is_there;
}

/* A file without contents of a given size and age. */
static void make_old(const char *folder, const char *file, off_t size)
{
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    char *path = oy_asprintf("%s/a/b/%s", folder, file);

    spit(path, "", 0);
    assert_int_equal(truncate(path, size), 0);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    oy_free(path);
}

static void test_limit(void **in)
{
    const struct state *state = *in;
    const char *const old = "thing-6-00000000000000000000000000000000";

    assert_int_equal(oy_cache_store(&name, section, 3), 0);
    make_old(state->folder, old, (off_t)3 << 30);
    make_old(state->folder, "letters.txt", (off_t)3 << 30);
    assert_int_equal(oy_cache_store(&name, section, 3), 0);
    assert_false(exists(state->folder, old));
    assert_true(exists(state->folder, "letters.txt"));
    assert_is_there();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_keeps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_races, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_turned_off, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_limit, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
