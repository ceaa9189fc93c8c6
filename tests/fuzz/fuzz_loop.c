/* SPDX-License-Identifier: Apache-2.0
 *
 * A main for every fuzz driver where libFuzzer is not: mutates files, and what
 * the driver gives (fuzz_loop.h), for so many seconds.
 *
 *     fuzz_NAME SECONDS LAST FILE...
 *
 * LAST always holds the bytes that are being tried: after a crash they are the
 * ones to look at. What takes longer than a minute is stopped as a hang. The
 * runs are the same each time, but for their number. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "core/error.h"
#include "core/random.h"
#include "tests/fuzz/fuzz_loop.h"

enum { MOST = 1 << 18, MAX_SEED = 1024, MAX_PIECE = 64, HANG = 60 };

struct seeds {
    struct oy_buffer file[MAX_SEED];
    size_t n;
};

static void read_seed(struct seeds *seeds, const char *path)
{
    FILE *file = fopen(path, "rb");

    OY_ASSERT(file && seeds->n < MAX_SEED);
    struct oy_buffer *seed = &seeds->file[seeds->n++];
    char *at = oy_buffer_reserve(seed, MOST);
    seed->len = fread(at, 1, MOST, file);
    fclose(file);
}

static void make_seeds(struct seeds *seeds)
{
    if (!fuzz_seed)
        return;
    for (size_t i = 0; seeds->n < MAX_SEED; i++) {
        if (!fuzz_seed(i, &seeds->file[seeds->n]))
            return;
        OY_ASSERT(seeds->file[seeds->n++].len <= MOST);
    }
}

/* Puts a piece of the driver's at a place, in front of what is there or over
 * it; the new size. */
static size_t put_piece(uint8_t *data, size_t size, size_t at,
                        struct oy_random *random)
{
    size_t n_piece = 0;

    while (fuzz_piece[n_piece])
        n_piece++;
    const char *piece = fuzz_piece[oy_random_below(random, n_piece)];
    const size_t n = strlen(piece);
    if (at + n > MOST || size + n > MOST)
        return size;
    if (oy_random_below(random, 2)) {
        memmove(data + at + n, data + at, size - at);
        size += n;
    }
    memcpy(data + at, piece, n);
    return at + n > size ? at + n : size;
}

static size_t make_of_pieces(uint8_t *data, struct oy_random *random)
{
    size_t size = 0;

    for (uint64_t n = oy_random_below(random, MAX_PIECE); n > 0; n--)
        size = put_piece(data, size, size, random);
    return size;
}

/* Flips, sets, cuts, doubles or brings in bytes of another seed. */
static size_t mutate(uint8_t *data, size_t size, const struct seeds *seeds,
                     struct oy_random *random)
{
    const struct oy_buffer *other =
        &seeds->file[oy_random_below(random, seeds->n)];
    const size_t at = oy_random_below(random, size + 1);
    size_t n = oy_random_below(random, 1 + oy_random_below(random, 64));

    switch (oy_random_below(random, fuzz_piece ? 7 : 6)) {
    case 0:
        if (at < size)
            data[at] ^= (uint8_t)(1 << oy_random_below(random, 8));
        return size;
    case 1:
        if (at < size)
            data[at] = (uint8_t)oy_random_next(random);
        return size;
    case 2: return oy_random_below(random, 8) ? size : at;
    case 3:
        n = n < size - at ? n : size - at;
        memmove(data + at, data + at + n, size - at - n);
        return size - n;
    case 4:
        n = n < MOST - size ? n : MOST - size;
        memmove(data + at + n, data + at, size - at);
        return size + n;
    case 6: return put_piece(data, size, at, random);
    default:
        if (!other->len)
            return size;
        const size_t from = oy_random_below(random, other->len);
        n = n < other->len - from ? n : other->len - from;
        n = n < MOST - at ? n : MOST - at;
        memcpy(data + at, other->data + from, n);
        return at + n > size ? at + n : size;
    }
}

/* A seed or a text of pieces, changed in up to seven places. */
static size_t make_input(uint8_t *data, const struct seeds *seeds,
                         struct oy_random *random)
{
    const struct oy_buffer *seed =
        &seeds->file[oy_random_below(random, seeds->n)];
    size_t size = seed->len;

    if (fuzz_piece && oy_random_below(random, 3) == 0)
        size = make_of_pieces(data, random);
    else
        memcpy(data, seed->data, size);
    for (uint64_t i = oy_random_below(random, 8); i > 0; i--)
        size = mutate(data, size, seeds, random);
    return size;
}

int main(int argc, char **argv)
{
    struct oy_random random = oy_random_at(42, 0);
    static struct seeds seeds;
    uint64_t n_run = 0;

    OY_ASSERT(argc > 3);
    const time_t end = time(NULL) + atol(argv[1]);
    const int fd = open(argv[2], O_RDWR | O_CREAT, 0600);
    OY_ASSERT(fd >= 0 && !ftruncate(fd, MOST));
    uint8_t *data = mmap(NULL, MOST, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    OY_ASSERT(data != MAP_FAILED);
    for (int i = 3; i < argc; i++)
        read_seed(&seeds, argv[i]);
    make_seeds(&seeds);
    for (; time(NULL) < end; n_run++) {
        const size_t size = make_input(data, &seeds, &random);
        /* A block of its own, so that reading beyond is noticed. */
        uint8_t *copy = oy_alloc(size);
        memcpy(copy, data, size);
        alarm(HANG);
        LLVMFuzzerTestOneInput(copy, size);
        alarm(0);
        oy_free(copy);
    }
    for (size_t i = 0; i < seeds.n; i++)
        oy_buffer_release(&seeds.file[i]);
    munmap(data, MOST);
    close(fd);
    unlink(argv[2]);
    printf("%llu runs\n", (unsigned long long)n_run);
    return 0;
}
