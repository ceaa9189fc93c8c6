/* SPDX-License-Identifier: Apache-2.0
 *
 * How a failure travels: the code that a program will exit with, and one
 * line of text for its user.
 *
 * Three kinds of trouble are kept apart. When the world fails (a file, its
 * data, an endpoint) a function calls oy_fail() and returns -1; nothing is
 * printed until the main does it. When the program is wrong, OY_ASSERT names
 * the place and ends it with 70. When the answer is "no", it is a value and
 * does not come here.
 */
#ifndef CORE_ERROR_H
#define CORE_ERROR_H

#include <stdarg.h>

/* Exit codes of every program; the numbers are those of BSD sysexits.h. */
enum oy_exit {
    OY_OK = 0,
    OY_NO = 1,           /* the answer is no: a regression, a fault found */
    OY_USAGE = 64,       /* unknown option, value out of range */
    OY_DATA = 65,        /* truncated, corrupt or contradictory input */
    OY_NOINPUT = 66,     /* a named file is missing or may not be read */
    OY_UNAVAILABLE = 69, /* an endpoint or scheduler does not answer */
    OY_BUG = 70,         /* a failed assertion */
    OY_SYSTEM = 71,      /* no memory, no threads, no temporary space */
    OY_CANTCREAT = 73,   /* an output cannot be created */
    OY_IO = 74,          /* write, fsync or close failed */
};

/* The first failure of a run. Zero-initialised means "none". `code` is an
 * enum oy_exit; `message` has no program name, no newline, no full stop. A
 * closed pipe is OY_IO with `closed_pipe` set: mains end silently then. */
struct oy_error {
    int code;
    int closed_pipe;
    char message[1000];
};

/* Fills `err` (unless it already holds a failure: the first cause wins) and
 * returns -1, so that a caller may write `return oy_fail(err, ...)`. */
int oy_fail(struct oy_error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, with `: ` and the text of errno at the end. An errno of EPIPE
 * sets closed_pipe. */
int oy_fail_errno(struct oy_error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "PREFIX: " before the message of a failure, to say where it happened
 * (a file, a line). Does nothing when there is no failure. Returns -1. */
int oy_fail_at(struct oy_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Ends the program with 70 after naming the place; never returns. */
void oy_assert_failed(const char *file, int line, const char *what)
    __attribute__((noreturn, cold));

/* Stays on in release builds. */
#define OY_ASSERT(condition)                                                   \
    do {                                                                       \
        if (__builtin_expect(!(condition), 0))                                 \
            oy_assert_failed(__FILE__, __LINE__, #condition);                  \
    } while (0)

/* For inner loops of kernels: only with -DOY_DEBUG. */
#ifdef OY_DEBUG
#define OY_DEBUG_ASSERT(condition) OY_ASSERT(condition)
#else
#define OY_DEBUG_ASSERT(condition) ((void)0)
#endif

#endif
