/* SPDX-License-Identifier: Apache-2.0
 *
 * The unnamed temporary file behind two passes. */
#include "core/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/codec.h"

enum { LEVEL = 1, FRAME_MAX = 4 << 20 };

struct oy_spool {
    int fd;
    char *folder;
    struct oy_encoder *encoder;
    struct oy_buffer packed;
};

/* O_TMPFILE where the file system has it, else a name that is removed at
 * once. */
static int open_unnamed(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);

    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
        return fd;
    char *name = oy_asprintf("%s/oyster-XXXXXX", folder);
    fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        unlink(name);
    oy_free(name);
    return fd;
}

const char *oy_spool_folder(const char *tmpdir)
{
    const char *folder = tmpdir ? tmpdir : getenv("TMPDIR");

    return folder && folder[0] ? folder : "/tmp";
}

int oy_spool_file(const char *folder, struct oy_error *err)
{
    const int fd = open_unnamed(folder);

    if (fd < 0)
        oy_fail_errno(err, OY_SYSTEM, "%s: no temporary space", folder);
    return fd;
}

struct oy_spool *oy_spool_new(const char *tmpdir, struct oy_error *err)
{
    const char *folder = oy_spool_folder(tmpdir);
    const int fd = oy_spool_file(folder, err);

    if (fd < 0)
        return NULL;
    struct oy_spool *spool = oy_calloc(1, sizeof *spool);
    spool->fd = fd;
    spool->folder = oy_strdup(folder);
    spool->encoder = oy_zstd_encoder_new(LEVEL);
    return spool;
}

void oy_spool_free(struct oy_spool *spool)
{
    if (!spool)
        return;
    close(spool->fd);
    spool->encoder->free(spool->encoder);
    oy_buffer_release(&spool->packed);
    oy_free(spool->folder);
    oy_free(spool);
}

static int write_packed(struct oy_spool *spool, struct oy_error *err)
{
    const char *at = spool->packed.data;
    size_t len = spool->packed.len;

    while (len) {
        const ssize_t n = write(spool->fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return oy_fail_errno(err, OY_SYSTEM, "%s: no temporary space",
                                 spool->folder);
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

int oy_spool_write(struct oy_spool *spool, const void *data, size_t len,
                   struct oy_error *err)
{
    const char *at = data;

    while (len) {
        const size_t n = len < FRAME_MAX ? len : FRAME_MAX;
        oy_buffer_clear(&spool->packed);
        spool->encoder->encode(spool->encoder, at, n, &spool->packed);
        if (write_packed(spool, err))
            return -1;
        at += n;
        len -= n;
    }
    return 0;
}

struct oy_input *oy_spool_read(struct oy_spool *spool, const char *name,
                               struct oy_error *err)
{
    if (lseek(spool->fd, 0, SEEK_SET) < 0) {
        oy_fail_errno(err, OY_SYSTEM, "%s: cannot read again", spool->folder);
        return NULL;
    }
    return oy_input_open_fd(name, spool->fd, 0, err);
}
