/* SPDX-License-Identifier: Apache-2.0
 *
 * Formatting of failures. */
#include "core/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"

static int fail_v(struct oy_error *err, int code, const char *format,
                  va_list args)
{
    if (err->code)
        return -1;
    err->code = code;
    vsnprintf(err->message, sizeof err->message, format, args);
    return -1;
}

int oy_fail(struct oy_error *err, int code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail_v(err, code, format, args);
    va_end(args);
    return -1;
}

int oy_fail_errno(struct oy_error *err, int code, const char *format, ...)
{
    const int number = errno;
    va_list args;

    if (err->code)
        return -1;
    va_start(args, format);
    fail_v(err, code, format, args);
    va_end(args);
    err->closed_pipe = number == EPIPE;
    const size_t len = strlen(err->message);
    snprintf(err->message + len, sizeof err->message - len, ": %s",
             strerror(number));
    return -1;
}

int oy_fail_at(struct oy_error *err, const char *format, ...)
{
    char text[sizeof err->message];
    const size_t size = sizeof text;
    va_list args;

    if (!err->code)
        return -1;
    memcpy(text, err->message, size);
    va_start(args, format);
    vsnprintf(err->message, size, format, args);
    va_end(args);
    const size_t used = strlen(err->message);
    if (used + 3 > size)
        return -1;
    char *at = stpcpy(err->message + used, ": ");
    const size_t len = strnlen(text, size - used - 3);
    memcpy(at, text, len);
    at[len] = '\0';
    return -1;
}

void oy_assert_failed(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s: bug at %s:%d: %s does not hold\n", oy_program_name(),
            file, line, what);
    exit(OY_BUG);
}
