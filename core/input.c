/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening, recognising and reading of inputs. */
#include "core/input.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/ahead.h"
#include "core/alloc.h"
#include "core/codec.h"

enum {
    MAGIC_SIZE = 6,     /* of xz, the longest */
    MAX_READ = 1 << 30, /* Linux gives at most 2 GiB at once */
    PIPE_SIZE = 1 << 20,
    SLURP_FIRST = 64 << 10,
};

/* A run of bytes in memory that is being used up. */
struct bytes {
    const unsigned char *at;
    size_t len;
};

struct oy_input {
    char *name;
    int fd; /* -1: from memory */
    int owns_fd;
    int64_t size; /* of a regular file, else -1 */
    atomic_uint_fast64_t taken;

    oy_input_stream stream; /* NULL: from fd or memory */
    void *stream_arg;
    struct bytes memory; /* all that is left of an input in memory */
    unsigned char magic_data[MAGIC_SIZE];
    struct bytes magic; /* first bytes, read to know the codec */

    enum oy_codec codec;
    struct oy_ahead *ahead; /* NULL for plain */

    int started; /* the byte-order mark has been looked for */
    int had_mark;
    struct oy_hasher *hasher; /* NULL: nobody asked */
    uint64_t given;
    unsigned char front_data[OY_INPUT_PEEK];
    struct bytes front; /* decoded bytes that were peeked at */
};

static size_t take_bytes(struct bytes *from, void *buf, size_t size)
{
    const size_t n = from->len < size ? from->len : size;

    if (n) {
        memcpy(buf, from->at, n);
        from->at += n;
        from->len -= n;
    }
    return n;
}

/* ---- bytes as they lie in the file ---- */

/* The only place where a decoding thread may be cancelled: it holds no lock
 * and no memory here. */
static ssize_t read_once(int fd, void *buf, size_t size)
{
    int old, unused;

    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
    const ssize_t n = read(fd, buf, size < MAX_READ ? size : MAX_READ);
    const int saved = errno;
    pthread_setcancelstate(old, &unused);
    errno = saved;
    return n;
}

static ssize_t read_file(struct oy_input *input, char *buf, size_t size,
                         struct oy_error *err)
{
    size_t done = 0;

    while (done < size) {
        const ssize_t n = read_once(input->fd, buf + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return oy_fail_errno(err, OY_IO, "%s: cannot read", input->name);
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

static ssize_t read_raw(void *arg, void *buf, size_t size, struct oy_error *err)
{
    struct oy_input *input = arg;
    const size_t first = take_bytes(&input->magic, buf, size);
    char *at = (char *)buf + first;
    ssize_t n = 0;

    if (first == size)
        n = 0;
    else if (input->fd >= 0)
        n = read_file(input, at, size - first, err);
    else if (input->stream)
        n = input->stream(input->stream_arg, at, size - first, err);
    else
        n = (ssize_t)take_bytes(&input->memory, at, size - first);
    if (n < 0)
        return -1;
    n += (ssize_t)first;
    atomic_fetch_add_explicit(&input->taken, (uint64_t)n, memory_order_relaxed);
    return n;
}

/* ---- the codec ---- */

static int is_zstd(const unsigned char *m)
{
    const int frame =
        m[0] == 0x28 && m[1] == 0xb5 && m[2] == 0x2f && m[3] == 0xfd;
    const int skippable =
        (m[0] & 0xf0) == 0x50 && m[1] == 0x2a && m[2] == 0x4d && m[3] == 0x18;

    return frame || skippable;
}

static enum oy_codec know_codec(const unsigned char *m, size_t n)
{
    if (n >= 4 && is_zstd(m))
        return OY_CODEC_ZSTD;
    if (n >= 2 && m[0] == 0x1f && m[1] == 0x8b)
        return OY_CODEC_GZIP;
    if (n >= 6 && memcmp(m,
                         "\xfd"
                         "7zXZ",
                         6) == 0)
        return OY_CODEC_XZ;
    /* "BZh" could be a word; the block mark behind the level is pi, or the
     * square root of pi in a stream without blocks. */
    if (n >= 6 && memcmp(m, "BZh", 3) == 0 && m[3] >= '1' && m[3] <= '9' &&
        ((m[4] == 0x31 && m[5] == 0x41) || (m[4] == 0x17 && m[5] == 0x72)))
        return OY_CODEC_BZIP2;
    return OY_CODEC_PLAIN;
}

static struct oy_decoder *new_decoder(enum oy_codec codec)
{
    switch (codec) {
    case OY_CODEC_ZSTD: return oy_zstd_decoder_new();
    case OY_CODEC_GZIP: return oy_gzip_decoder_new();
    case OY_CODEC_XZ: return oy_xz_decoder_new();
    case OY_CODEC_BZIP2: return oy_bzip2_decoder_new();
    case OY_CODEC_PLAIN: break;
    }
    return NULL;
}

/* Reads the magic and starts the decoder. Frees the input on failure. */
static struct oy_input *begin(struct oy_input *input, struct oy_error *err)
{
    const ssize_t n = read_raw(input, input->magic_data, MAGIC_SIZE, err);

    if (n < 0)
        goto failed;
    atomic_store(&input->taken, 0);
    input->magic = (struct bytes){input->magic_data, (size_t)n};
    input->codec = know_codec(input->magic_data, (size_t)n);
    if (input->codec == OY_CODEC_PLAIN)
        return input;
    input->ahead = oy_ahead_new(new_decoder(input->codec), input->name,
                                read_raw, input, err);
    if (input->ahead)
        return input;
failed:
    oy_input_close(input);
    return NULL;
}

/* ---- opening ---- */

static struct oy_input *new_input(const char *name, int fd)
{
    struct oy_input *input = oy_calloc(1, sizeof *input);

    input->name = oy_strdup(name);
    input->fd = fd;
    input->size = -1;
    return input;
}

int oy_input_check(const char *path, struct oy_error *err)
{
    struct stat st;

    if (strcmp(path, "-") == 0)
        return 0;
    if (stat(path, &st))
        return oy_fail_errno(err, OY_NOINPUT, "%s", path);
    if (S_ISDIR(st.st_mode))
        return oy_fail(err, OY_NOINPUT, "%s: is a folder", path);
    if (access(path, R_OK))
        return oy_fail_errno(err, OY_NOINPUT, "%s", path);
    return 0;
}

struct oy_input *oy_input_open_fd(const char *name, int fd, int owned,
                                  struct oy_error *err)
{
    struct oy_input *input = new_input(name, fd);
    struct stat st;

    input->owns_fd = owned;
    if (fstat(fd, &st)) {
        oy_fail_errno(err, OY_NOINPUT, "%s", name);
        oy_input_close(input);
        return NULL;
    }
    if (S_ISDIR(st.st_mode)) {
        oy_fail(err, OY_NOINPUT, "%s: is a folder", name);
        oy_input_close(input);
        return NULL;
    }
    if (S_ISREG(st.st_mode)) {
        input->size = st.st_size;
        posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    } else if (S_ISFIFO(st.st_mode)) {
        fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE); /* a wish: fewer switches */
    }
    return begin(input, err);
}

struct oy_input *oy_input_open(const char *path, struct oy_error *err)
{
    if (strcmp(path, "-") == 0)
        return oy_input_open_fd("stdin", STDIN_FILENO, 0, err);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        oy_fail_errno(err, OY_NOINPUT, "%s", path);
        return NULL;
    }
    return oy_input_open_fd(path, fd, 1, err);
}

struct oy_input *oy_input_open_memory(const char *name, const void *data,
                                      size_t len, struct oy_error *err)
{
    struct oy_input *input = new_input(name, -1);

    input->memory = (struct bytes){data, len};
    return begin(input, err);
}

struct oy_input *oy_input_open_stream(const char *name, oy_input_stream read,
                                      void *arg, struct oy_error *err)
{
    struct oy_input *input = new_input(name, -1);

    input->stream = read;
    input->stream_arg = arg;
    return begin(input, err);
}

void oy_input_close(struct oy_input *input)
{
    if (!input)
        return;
    oy_ahead_free(input->ahead);
    oy_hasher_free(input->hasher);
    if (input->owns_fd)
        close(input->fd);
    oy_free(input->name);
    oy_free(input);
}

/* ---- reading ---- */

static ssize_t read_decoded(struct oy_input *input, void *buf, size_t size,
                            struct oy_error *err)
{
    if (input->ahead)
        return oy_ahead_read(input->ahead, buf, size, err);
    return read_raw(input, buf, size, err);
}

/* Brings at least `want` decoded bytes into the front, if there are so many. */
static int fill_front(struct oy_input *input, size_t want, struct oy_error *err)
{
    struct bytes *front = &input->front;

    if (front->len >= want)
        return 0;
    if (front->len)
        memmove(input->front_data, front->at, front->len);
    front->at = input->front_data;
    const ssize_t n = read_decoded(input, input->front_data + front->len,
                                   want - front->len, err);
    if (n < 0)
        return -1;
    front->len += (size_t)n;
    return 0;
}

static void count_given(struct oy_input *input, const void *data, size_t len)
{
    if (input->hasher)
        oy_hasher_update(input->hasher, data, len);
    input->given += len;
}

/* Looks for the byte-order mark and drops it. */
static int start(struct oy_input *input, struct oy_error *err)
{
    input->started = 1;
    if (fill_front(input, 3, err))
        return -1;
    if (input->front.len >= 3 &&
        memcmp(input->front.at, "\xef\xbb\xbf", 3) == 0) {
        input->had_mark = 1;
        count_given(input, input->front.at, 3);
        input->front.at += 3;
        input->front.len -= 3;
    }
    return 0;
}

ssize_t oy_input_read(struct oy_input *input, void *buf, size_t size,
                      struct oy_error *err)
{
    ssize_t n = 0;

    if (!input->started && start(input, err))
        return -1;
    const size_t first = take_bytes(&input->front, buf, size);
    if (first < size)
        n = read_decoded(input, (char *)buf + first, size - first, err);
    if (n < 0)
        return -1;
    n += (ssize_t)first;
    count_given(input, buf, (size_t)n);
    return n;
}

const unsigned char *oy_input_peek(struct oy_input *input, size_t want,
                                   size_t *len, struct oy_error *err)
{
    OY_ASSERT(want <= OY_INPUT_PEEK);
    if (!input->started && start(input, err))
        return NULL;
    if (fill_front(input, want, err))
        return NULL;
    *len = input->front.len < want ? input->front.len : want;
    return *len ? input->front.at : input->front_data;
}

const char *oy_input_name(const struct oy_input *input)
{
    return input->name;
}

enum oy_codec oy_input_codec(const struct oy_input *input)
{
    return input->codec;
}

int oy_input_had_mark(const struct oy_input *input)
{
    return input->had_mark;
}

void oy_input_hash(struct oy_input *input)
{
    OY_ASSERT(!input->given);
    if (!input->hasher)
        input->hasher = oy_hasher_new();
}

struct oy_hash128 oy_input_digest(const struct oy_input *input)
{
    OY_ASSERT(input->hasher);
    return oy_hasher_digest(input->hasher);
}

uint64_t oy_input_given(const struct oy_input *input)
{
    return input->given;
}

uint64_t oy_input_taken(const struct oy_input *input)
{
    return atomic_load_explicit(&input->taken, memory_order_relaxed);
}

int64_t oy_input_size(const struct oy_input *input)
{
    return input->size;
}

/* ---- whole files ---- */

static int slurp(struct oy_input *input, size_t max, struct oy_buffer *into,
                 struct oy_error *err)
{
    size_t step = input->codec == OY_CODEC_PLAIN && input->size > 0 &&
                          (uint64_t)input->size < max
                      ? (size_t)input->size + 1
                      : SLURP_FIRST;

    if (max == SIZE_MAX)
        max--;
    for (;;) {
        if (step > max - into->len + 1)
            step = max - into->len + 1;
        char *at = oy_buffer_reserve(into, step);
        const ssize_t n = oy_input_read(input, at, step, err);
        if (n < 0)
            return -1;
        into->len += (size_t)n;
        if (into->len > max)
            return oy_fail(err, OY_DATA, "%s: larger than %zu bytes",
                           input->name, max);
        if ((size_t)n < step)
            return 0;
        step = into->len;
    }
}

char *oy_input_slurp(const char *path, size_t max, size_t *len,
                     struct oy_error *err)
{
    struct oy_input *input = oy_input_open(path, err);
    struct oy_buffer buffer = {0};

    if (!input)
        return NULL;
    if (slurp(input, max, &buffer, err)) {
        oy_buffer_release(&buffer);
    } else {
        *len = buffer.len;
        oy_buffer_string(&buffer);
    }
    oy_input_close(input);
    return buffer.data;
}
