/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes the headers of web archives: plain bytes, record by record, until
 * the end or a failure. */
#include <stdint.h>

#include "core/alloc.h"
#include "core/input.h"
#include "core/warc.h"
#include "tests/fuzz/fuzz_loop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { MAX_RECORD = 1 << 16 };
    struct oy_error err = {0};
    struct oy_input *input = oy_input_open_memory("fuzz", data, size, &err);
    struct oy_buffer block = {0};
    struct oy_warc_record record;

    if (!input)
        return 0;
    struct oy_warc *warc = oy_warc_new(input);
    while (oy_warc_next(warc, &record, &err) > 0) {
        oy_buffer_clear(&block);
        if (oy_warc_read(warc, MAX_RECORD, &block, &err) < 0)
            break;
    }
    oy_warc_free(warc);
    oy_input_close(input);
    oy_buffer_release(&block);
    return 0;
}
