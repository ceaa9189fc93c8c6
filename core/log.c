/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines on standard error. */
#include "core/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"

static const char *program_name = "oyster";
static enum oy_verbosity log_verbosity = OY_NORMAL;

void oy_log_init(const char *name)
{
    const char *slash = strrchr(name, '/');

    program_name = slash ? slash + 1 : name;
}

void oy_log_set_verbosity(enum oy_verbosity verbosity)
{
    log_verbosity = verbosity;
}

enum oy_verbosity oy_log_verbosity(void)
{
    return log_verbosity;
}

const char *oy_program_name(void)
{
    return program_name;
}

/* One fprintf a line: stdio locks the stream, so that lines of two threads
 * never mix. */
static void say(const char *kind, const char *format, va_list args)
{
    char text[1200];

    vsnprintf(text, sizeof text, format, args);
    fprintf(stderr, "%s: %s%s\n", program_name, kind, text);
}

void oy_log_error(const struct oy_error *err)
{
    if (!err->closed_pipe)
        fprintf(stderr, "%s: %s\n", program_name, err->message);
}

void oy_warn(const char *format, ...)
{
    va_list args;

    if (log_verbosity < OY_NORMAL)
        return;
    va_start(args, format);
    say("warning: ", format, args);
    va_end(args);
}

void oy_note(const char *format, ...)
{
    va_list args;

    if (log_verbosity < OY_VERBOSE)
        return;
    va_start(args, format);
    say("", format, args);
    va_end(args);
}
