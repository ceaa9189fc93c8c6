/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes fastText's files: refused with a message, or they predict. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"
#include "pipeline/fasttext.h"
#include "tests/fuzz/fuzz_loop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char text[] = "A text, k\xc3\xbcrzer \xe4\xb8\xad\n</s> the";
    struct fasttext_label best[3];
    struct oy_error err = {0};
    char path[64];
    const int fd = memfd_create("fuzz", 0);

    OY_ASSERT(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct fasttext *model = fasttext_load(path, &err);
    OY_ASSERT(!model == !!err.code);
    if (model) {
        struct fasttext_work *work = fasttext_work_new(model);
        struct oy_buffer padded = {0};
        oy_buffer_append(&padded, text, sizeof text - 1);
        OY_ASSERT(fasttext_predict(work, padded.data, padded.len, best, 3) <=
                  3);
        oy_buffer_release(&padded);
        fasttext_work_free(work);
    }
    fasttext_free(model);
    close(fd);
    return 0;
}
