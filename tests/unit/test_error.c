/* SPDX-License-Identifier: Apache-2.0
 *
 * Failures: the first cause wins, places come before, assertions end with 70.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/log.h"

static void the_first_cause_wins(void **state)
{
    struct oy_error err = {0};

    (void)state;
    assert_int_equal(oy_fail(&err, OY_DATA, "line %d", 7), -1);
    assert_int_equal(oy_fail(&err, OY_IO, "later"), -1);
    assert_int_equal(err.code, OY_DATA);
    assert_string_equal(err.message, "line 7");
}

static void errno_is_told(void **state)
{
    struct oy_error err = {0};

    (void)state;
    errno = ENOSPC;
    oy_fail_errno(&err, OY_IO, "cannot write");
    assert_string_equal(err.message, "cannot write: No space left on device");
    assert_false(err.closed_pipe);

    struct oy_error pipe = {0};
    errno = EPIPE;
    oy_fail_errno(&pipe, OY_IO, "cannot write");
    assert_true(pipe.closed_pipe);
}

static void places_come_before(void **state)
{
    struct oy_error err = {0};

    (void)state;
    oy_fail_at(&err, "a.jsonl:%d", 3);
    assert_int_equal(err.code, 0);
    oy_fail(&err, OY_DATA, "not JSON");
    assert_int_equal(oy_fail_at(&err, "a.jsonl:%d", 3), -1);
    assert_string_equal(err.message, "a.jsonl:3: not JSON");
}

static void long_messages_are_cut(void **state)
{
    static char text[3000];
    struct oy_error err = {0};

    (void)state;
    memset(text, 'x', sizeof text - 1);
    oy_fail(&err, OY_DATA, "%s", text);
    oy_fail_at(&err, "place");
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_memory_equal(err.message, "place: xxx", 10);
    oy_fail_at(&err, "%s", text);
    assert_true(strlen(err.message) < sizeof err.message);
}

/* Runs the assertion in a child; returns its exit code and what it said. */
static int assert_in_child(char *said, size_t size)
{
    int end[2], status;

    assert_int_equal(pipe(end), 0);
    const pid_t child = fork();
    if (!child) {
        dup2(end[1], STDERR_FILENO);
        oy_log_init("oy-test");
        OY_ASSERT(size == 0);
        _exit(0);
    }
    close(end[1]);
    const ssize_t n = read(end[0], said, size - 1);
    said[n > 0 ? n : 0] = '\0';
    close(end[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_bug_ends_with_70_and_its_place(void **state)
{
    char said[300];

    (void)state;
    assert_int_equal(assert_in_child(said, sizeof said), OY_BUG);
    assert_non_null(strstr(said, "oy-test: bug at "));
    assert_non_null(strstr(said, "test_error.c:"));
    assert_non_null(strstr(said, "size == 0 does not hold"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_cause_wins),
        cmocka_unit_test(errno_is_told),
        cmocka_unit_test(places_come_before),
        cmocka_unit_test(long_messages_are_cut),
        cmocka_unit_test(a_bug_ends_with_70_and_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
