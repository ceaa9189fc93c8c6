/* SPDX-License-Identifier: Apache-2.0
 *
 * A file without a name, written behind a buffer. */
#include "tokenizer/temporary.h"

#include <errno.h>
#include <unistd.h>

#include "core/spool.h"

enum { MUCH = 1 << 18 };

int temporary_open(struct temporary *temporary, const char *tmpdir,
                   struct oy_error *err)
{
    *temporary =
        (struct temporary){.file = oy_spool_file(oy_spool_folder(tmpdir), err)};
    return temporary->file < 0 ? -1 : 0;
}

void temporary_close(struct temporary *temporary)
{
    if (temporary->file >= 0)
        close(temporary->file);
    oy_buffer_release(&temporary->waiting);
    temporary->file = -1;
}

int temporary_flush(struct temporary *temporary, struct oy_error *err)
{
    const char *at = temporary->waiting.data;
    size_t left = temporary->waiting.len;

    while (left) {
        const ssize_t put = write(temporary->file, at, left);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return oy_fail_errno(err, OY_SYSTEM, "temporary file");
        at += put;
        left -= (size_t)put;
        temporary->size += (uint64_t)put;
    }
    oy_buffer_clear(&temporary->waiting);
    return 0;
}

int temporary_spill(struct temporary *temporary, struct oy_error *err)
{
    return temporary->waiting.len < MUCH ? 0 : temporary_flush(temporary, err);
}

int temporary_read(const struct temporary *temporary, uint64_t at, void *data,
                   size_t n, struct oy_error *err)
{
    char *into = data;

    OY_ASSERT(at <= temporary->size && n <= temporary->size - at);
    while (n) {
        const ssize_t got = pread(temporary->file, into, n, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return oy_fail_errno(err, OY_SYSTEM, "temporary file");
        into += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return 0;
}

int temporary_clear(struct temporary *temporary, struct oy_error *err)
{
    oy_buffer_clear(&temporary->waiting);
    temporary->size = 0;
    if (ftruncate(temporary->file, 0) || lseek(temporary->file, 0, SEEK_SET))
        return oy_fail_errno(err, OY_SYSTEM, "temporary file");
    return 0;
}
