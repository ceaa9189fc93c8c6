/* SPDX-License-Identifier: Apache-2.0
 *
 * A main for every fuzz driver where libFuzzer is not: mutates files for so
 * many seconds.
 *
 *     fuzz_NAME SECONDS LAST FILE...
 *
 * LAST always holds the bytes that are being tried: after a crash they are the
 * ones to look at. The runs are the same each time, but for their number. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/random.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 1 << 18, MAX_SEED = 256 };

struct seeds {
    struct oy_buffer file[MAX_SEED];
    size_t n;
};

static void read_seed(struct seeds *seeds, const char *path)
{
    FILE *file = fopen(path, "rb");

    OY_ASSERT(file);
    if (seeds->n < MAX_SEED) {
        struct oy_buffer *seed = &seeds->file[seeds->n++];
        char *at = oy_buffer_reserve(seed, MOST);
        seed->len = fread(at, 1, MOST, file);
    }
    fclose(file);
}

/* Flips, sets, cuts, doubles or brings in bytes of another seed. */
static size_t mutate(uint8_t *data, size_t size, const struct seeds *seeds,
                     struct oy_random *random)
{
    const struct oy_buffer *other =
        &seeds->file[oy_random_below(random, seeds->n)];
    const size_t at = oy_random_below(random, size + 1);
    size_t n = oy_random_below(random, 1 + oy_random_below(random, 64));

    switch (oy_random_below(random, 6)) {
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
    for (; time(NULL) < end; n_run++) {
        const struct oy_buffer *seed =
            &seeds.file[oy_random_below(&random, seeds.n)];
        size_t size = seed->len;
        memcpy(data, seed->data, size);
        for (uint64_t i = oy_random_below(&random, 8); i > 0; i--)
            size = mutate(data, size, &seeds, &random);
        /* A block of its own, so that reading beyond is noticed. */
        uint8_t *copy = oy_alloc(size);
        memcpy(copy, data, size);
        LLVMFuzzerTestOneInput(copy, size);
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
