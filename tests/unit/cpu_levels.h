/* SPDX-License-Identifier: Apache-2.0
 *
 * A test of code that has several forms, run once with each. */
#ifndef TESTS_CPU_LEVELS_H
#define TESTS_CPU_LEVELS_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Starts this program anew with the next lower level; returns when there is
 * none, with what main() is to return. `failed` is what this run gave. */
static int run_lower_level(char **argv, int failed)
{
    const char *level = getenv("OYSTER_CPU");

    if (failed || (level && !strcmp(level, "plain")))
        return failed;
    setenv("OYSTER_CPU", level && !strcmp(level, "avx2") ? "plain" : "avx2", 1);
    execv("/proc/self/exe", argv);
    return 1;
}

#endif
