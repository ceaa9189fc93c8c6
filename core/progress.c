/* SPDX-License-Identifier: Apache-2.0
 *
 * A thread that waits for SIGUSR1 or the next tick. */
#include "core/progress.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/log.h"

enum { TICK_MS = 200, MINUTE_MS = 60000, FOREVER_MS = 3600000 };

struct oy_progress {
    oy_progress_describe describe;
    void *arg;
    int draws;    /* a line that is drawn again and again */
    int tick_ms;  /* time between two lines */
    int is_drawn; /* a line stands on the terminal */
    int has_thread;
    atomic_int stop;
    pthread_t thread;
    struct oy_buffer text;
};

int oy_progress_on_terminal(void)
{
    return isatty(STDERR_FILENO);
}

double oy_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static size_t terminal_width(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || size.ws_col < 20)
        return 80;
    return size.ws_col;
}

static void wipe(struct oy_progress *progress)
{
    if (progress->is_drawn)
        fputs("\r\033[K", stderr);
    progress->is_drawn = 0;
}

static void draw(struct oy_progress *progress)
{
    const size_t width = terminal_width() - 1;
    struct oy_buffer *text = &progress->text;

    fprintf(stderr, "\r\033[K%.*s",
            (int)(text->len < width ? text->len : width), text->data);
    fflush(stderr);
    progress->is_drawn = 1;
}

static void tell(struct oy_progress *progress, int full)
{
    oy_buffer_clear(&progress->text);
    if (!full && progress->draws)
        oy_buffer_append_format(&progress->text, "%s: ", oy_program_name());
    progress->describe(progress->arg, full, &progress->text);
    oy_buffer_string(&progress->text);
    if (full) {
        wipe(progress);
        fprintf(stderr, "%s", progress->text.data);
    } else if (progress->draws) {
        draw(progress);
    } else {
        oy_note("%s", progress->text.data);
    }
}

static void *watch(void *arg)
{
    struct oy_progress *progress = arg;
    const struct timespec tick = {
        .tv_sec = progress->tick_ms / 1000,
        .tv_nsec = progress->tick_ms % 1000 * 1000000L,
    };
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    for (;;) {
        const int number = sigtimedwait(&set, NULL, &tick);
        if (atomic_load(&progress->stop))
            break;
        if (number == SIGUSR1)
            tell(progress, 1);
        else if (progress->tick_ms != FOREVER_MS)
            tell(progress, 0);
    }
    wipe(progress);
    return NULL;
}

struct oy_progress *oy_progress_start(const struct oy_run *run,
                                      oy_progress_describe describe, void *arg)
{
    struct oy_progress *progress = oy_calloc(1, sizeof *progress);

    progress->describe = describe;
    progress->arg = arg;
    progress->draws = run->progress == OY_PROGRESS_ON ||
                      (run->progress == OY_PROGRESS_AUTO && !run->quiet &&
                       oy_progress_on_terminal());
    progress->tick_ms = progress->draws ? TICK_MS
                        : run->verbose && run->progress != OY_PROGRESS_OFF
                            ? MINUTE_MS
                            : FOREVER_MS;
    const int status = pthread_create(&progress->thread, NULL, watch, progress);
    progress->has_thread = !status;
    if (status)
        oy_note("no progress is shown: %s", strerror(status));
    return progress;
}

void oy_progress_stop(struct oy_progress *progress)
{
    if (!progress)
        return;
    if (progress->has_thread) {
        atomic_store(&progress->stop, 1);
        pthread_kill(progress->thread, SIGUSR1);
        pthread_join(progress->thread, NULL);
    }
    oy_buffer_release(&progress->text);
    oy_free(progress);
}

void oy_put_count(struct oy_buffer *out, uint64_t count)
{
    char digits[24];
    const int n =
        snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);

    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            oy_buffer_append_char(out, ',');
        oy_buffer_append_char(out, digits[i]);
    }
}

void oy_put_bytes(struct oy_buffer *out, uint64_t bytes)
{
    static const char *const unit[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    double value = (double)bytes;
    size_t i = 0;

    for (; value >= 999.5 && i + 1 < sizeof unit / sizeof *unit; i++)
        value /= 1000;
    oy_buffer_append_format(out, i && value < 99.95 ? "%.1f %s" : "%.0f %s",
                            value, unit[i]);
}

void oy_put_duration(struct oy_buffer *out, double seconds)
{
    const long whole = (long)(seconds + 0.5);

    if (seconds < 9.95)
        oy_buffer_append_format(out, "%.1f s", seconds);
    else if (whole < 60)
        oy_buffer_append_format(out, "%ld s", whole);
    else if (whole < 3600)
        oy_buffer_append_format(out, "%ld:%02ld", whole / 60, whole % 60);
    else
        oy_buffer_append_format(out, "%ld:%02ld:%02ld", whole / 3600,
                                whole / 60 % 60, whole % 60);
}
