/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that appear whole or not at all. */
#include "core/output.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/frames.h"
#include "core/scratch.h"

enum {
    BUFFER_SIZE = 256 << 10, /* small writes are gathered up to this */
    MAX_WRITE = 1 << 30,
};

struct oy_output {
    char *name;      /* for messages */
    char *target;    /* where it appears; NULL: written in place */
    char *temporary; /* listed in core/scratch while it stands */
    int fd;
    int owns_fd;
    int failed;
    struct oy_buffer waiting;
    struct oy_frames *frames; /* NULL: plain */
    struct oy_hasher *hasher;
    uint64_t n_byte;
};

/* ---- bytes to the kernel ---- */

static int write_all(struct oy_output *output, const char *data, size_t len,
                     struct oy_error *err)
{
    while (len) {
        const size_t piece = len < MAX_WRITE ? len : MAX_WRITE;
        const ssize_t n = write(output->fd, data, piece);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            output->failed = 1;
            return oy_fail_errno(err, OY_IO, "%s: cannot write", output->name);
        }
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

static int write_waiting(struct oy_output *output, struct oy_error *err)
{
    const size_t len = output->waiting.len;

    output->waiting.len = 0;
    return write_all(output, output->waiting.data, len, err);
}

static int write_plain(void *arg, const void *data, size_t len,
                       struct oy_error *err)
{
    struct oy_output *output = arg;

    if (output->waiting.len + len > BUFFER_SIZE && write_waiting(output, err))
        return -1;
    if (len >= BUFFER_SIZE)
        return write_all(output, data, len, err);
    oy_buffer_append(&output->waiting, data, len);
    return 0;
}

int oy_output_write(struct oy_output *output, const void *data, size_t len,
                    struct oy_error *err)
{
    if (output->hasher)
        oy_hasher_update(output->hasher, data, len);
    output->n_byte += len;
    const int rc = output->frames
                       ? oy_frames_write(output->frames, data, len, err)
                       : write_plain(output, data, len, err);
    output->failed |= rc != 0;
    return rc;
}

int oy_output_flush(struct oy_output *output, struct oy_error *err)
{
    if (output->frames && oy_frames_flush(output->frames, err)) {
        output->failed = 1;
        return -1;
    }
    return write_waiting(output, err);
}

/* ---- opening ---- */

static int has_suffix(const char *name, const char *suffix)
{
    const size_t n = strlen(name), m = strlen(suffix);

    return n > m && strcmp(name + n - m, suffix) == 0;
}

/* The codec that is asked for, or that the name means; -1 with a failure when
 * we cannot write it. */
static int choose_codec(const char *path,
                        const struct oy_output_options *options,
                        struct oy_error *err)
{
    if (options->codec >= 0) {
        OY_ASSERT(options->codec <= OY_CODEC_GZIP);
        return options->codec;
    }
    if (has_suffix(path, ".zst"))
        return OY_CODEC_ZSTD;
    if (has_suffix(path, ".gz"))
        return OY_CODEC_GZIP;
    if (has_suffix(path, ".xz") || has_suffix(path, ".bz2"))
        return oy_fail(err, OY_USAGE,
                       "%s: this compression is only read: use .zst or .gz",
                       path);
    return OY_CODEC_PLAIN;
}

static int is_stdout(const char *path)
{
    return !path || strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0;
}

/* The path that a symbolic link names, seen from the link's folder; NULL when
 * `path` is no link. Yours. */
static char *read_link(const char *path)
{
    char text[PATH_MAX];
    const ssize_t len = readlink(path, text, sizeof text - 1);
    const char *slash = strrchr(path, '/');

    if (len < 0)
        return NULL;
    text[len] = '\0';
    if (text[0] == '/' || !slash)
        return oy_strdup(text);
    return oy_asprintf("%.*s%s", (int)(slash + 1 - path), path, text);
}

/* Where a file of this name is to be made: links are followed, also those
 * that lead to nothing yet. NULL for a circle of links. Yours. */
static char *find_target(const char *path)
{
    enum { MAX_LINKS = 40 }; /* path_resolution(7) */
    char *at = oy_strdup(path);

    for (int i = 0; i < MAX_LINKS; i++) {
        char *next = read_link(at);
        if (!next)
            return at;
        oy_free(at);
        at = next;
    }
    oy_free(at);
    errno = ELOOP;
    return NULL;
}

/* Beside the target, with the permissions of the file that it replaces. */
static int open_temporary(struct oy_output *output, const char *path,
                          const struct stat *old, struct oy_error *err)
{
    output->target = find_target(path);
    if (!output->target)
        return oy_fail_errno(err, OY_CANTCREAT, "%s: cannot create", path);
    output->owns_fd = 1;
    output->fd = oy_scratch_file(output->target, &output->temporary);
    if (output->fd < 0)
        return oy_fail_errno(err, OY_CANTCREAT, "%s: cannot create", path);
    if (old)
        fchmod(output->fd, old->st_mode & 0777);
    return 0;
}

static int open_target(struct oy_output *output, const char *path,
                       struct oy_error *err)
{
    struct stat st;

    if (is_stdout(path)) {
        output->fd = STDOUT_FILENO;
        return 0;
    }
    const int exists = stat(path, &st) == 0;
    if (exists && S_ISDIR(st.st_mode))
        return oy_fail(err, OY_CANTCREAT, "%s: is a folder", path);
    if (!exists || S_ISREG(st.st_mode))
        return open_temporary(output, path, exists ? &st : NULL, err);
    output->owns_fd = 1;
    output->fd = open(path, O_WRONLY | O_CLOEXEC);
    if (output->fd < 0)
        return oy_fail_errno(err, OY_CANTCREAT, "%s: cannot open", path);
    return 0;
}

struct oy_output *oy_output_open(const char *path,
                                 const struct oy_output_options *options,
                                 struct oy_error *err)
{
    static const struct oy_output_options defaults = {.codec = -1};
    const char *name = is_stdout(path) ? "stdout" : path;

    if (!options)
        options = &defaults;
    const int codec = choose_codec(name, options, err);
    if (codec < 0)
        return NULL;
    struct oy_output *output = oy_calloc(1, sizeof *output);
    output->name = oy_strdup(name);
    output->fd = -1;
    output->hasher = options->unhashed ? NULL : oy_hasher_new();
    if (open_target(output, path, err))
        goto failed;
    if (codec == OY_CODEC_PLAIN)
        return output;
    output->frames = oy_frames_new((enum oy_codec)codec, options->level,
                                   options->n_thread, write_plain, output, err);
    if (output->frames)
        return output;
failed:
    oy_output_discard(output);
    return NULL;
}

/* ---- the end ---- */

static void free_output(struct oy_output *output)
{
    oy_frames_free(output->frames);
    oy_hasher_free(output->hasher);
    oy_buffer_release(&output->waiting);
    oy_free(output->name);
    oy_free(output->target);
    oy_free(output);
}

void oy_output_discard(struct oy_output *output)
{
    if (!output)
        return;
    if (output->owns_fd && output->fd >= 0)
        close(output->fd);
    oy_scratch_discard(output->temporary);
    free_output(output);
}

static int sync_folder_of(const char *path, struct oy_error *err)
{
    char *copy = oy_strdup(path);
    const int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = 0;

    /* A folder that may be written but not read cannot be synced, and some
     * file systems have nothing to sync: neither is a failed write. */
    if (fd >= 0 && fsync(fd) && errno != EINVAL && errno != EBADF)
        rc = oy_fail_errno(err, OY_IO, "%s: cannot sync its folder", path);
    if (fd >= 0)
        close(fd);
    oy_free(copy);
    return rc;
}

/* Some file systems tell of a failed write only when a file is closed. */
static int close_checked(struct oy_output *output, struct oy_error *err)
{
    const int fd = output->owns_fd ? output->fd : dup(output->fd);

    output->fd = -1;
    if (fd >= 0 && close(fd) && errno != EINTR)
        return oy_fail_errno(err, OY_IO, "%s: cannot close", output->name);
    return 0;
}

/* A device that takes nothing (/dev/full) is found out although no byte came:
 * a write of no bytes is answered by it. */
static int ask_device(struct oy_output *output, struct oy_error *err)
{
    struct stat st;

    if (output->n_byte || fstat(output->fd, &st) || !S_ISCHR(st.st_mode) ||
        !write(output->fd, "", 0))
        return 0;
    return oy_fail_errno(err, OY_IO, "%s: cannot write", output->name);
}

static int end_stream(struct oy_output *output, struct oy_error *err)
{
    if (output->failed)
        return oy_fail(err, OY_IO, "%s: cannot write", output->name);
    if (output->frames && oy_frames_finish(output->frames, err))
        return -1;
    if (write_waiting(output, err) || ask_device(output, err))
        return -1;
    if (output->temporary && fsync(output->fd))
        return oy_fail_errno(err, OY_IO, "%s: cannot sync", output->name);
    return close_checked(output, err);
}

int oy_output_finish(struct oy_output *output, struct oy_error *err)
{
    OY_ASSERT(output->temporary);
    const int rc = end_stream(output, err);

    output->failed |= rc != 0;
    oy_frames_free(output->frames);
    output->frames = NULL;
    oy_buffer_release(&output->waiting);
    return rc;
}

static int make_visible(struct oy_output *output, const char *path,
                        struct oy_error *err)
{
    if (oy_scratch_rename(output->temporary, path))
        return oy_fail_errno(err, OY_CANTCREAT, "%s: cannot rename", path);
    output->temporary = NULL;
    return sync_folder_of(path, err);
}

int oy_output_commit_as(struct oy_output *output, const char *path,
                        struct oy_error *err)
{
    int rc = -1;

    OY_ASSERT(output->temporary && output->fd < 0);
    if (output->failed)
        oy_fail(err, OY_IO, "%s: cannot write", output->name);
    else
        rc = make_visible(output, path, err);
    oy_output_discard(output);
    return rc;
}

int oy_output_commit(struct oy_output *output, struct oy_error *err)
{
    if (!output)
        return 0;
    int rc = end_stream(output, err);
    if (rc == 0 && output->temporary)
        rc = make_visible(output, output->target, err);
    oy_output_discard(output);
    return rc;
}

uint64_t oy_output_bytes(const struct oy_output *output)
{
    return output->n_byte;
}

struct oy_hash128 oy_output_digest(const struct oy_output *output)
{
    static const struct oy_hash128 none = {0, 0};

    return output->hasher ? oy_hasher_digest(output->hasher) : none;
}

void oy_output_init_signals(void)
{
    oy_scratch_init_signals();
}

void oy_output_die_of_pipe(void)
{
    sigset_t pipe_only;

    fflush(NULL);
    oy_scratch_remove_all();
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &pipe_only, NULL);
    raise(SIGPIPE);
    _exit(128 + SIGPIPE);
}

int oy_output_write_file(const char *path, const void *data, size_t len,
                         struct oy_error *err)
{
    struct oy_output *output = oy_output_open(path, NULL, err);

    if (!output)
        return -1;
    if (oy_output_write(output, data, len, err) == 0)
        return oy_output_commit(output, err);
    oy_output_discard(output);
    return -1;
}

int oy_output_try(const char *path, struct oy_error *err)
{
    static const struct oy_output_options plain = {.codec = OY_CODEC_PLAIN};
    struct stat st;

    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return 0;
    struct oy_output *output = oy_output_open(path, &plain, err);
    oy_output_discard(output);
    return output ? 0 : -1;
}
