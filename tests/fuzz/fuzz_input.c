/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes what comes from outside before it is JSON: codecs, lines, archives,
 * web archives and the HTTP answers in them. Nothing may crash, hang or leak;
 * lines found in batches must be those found by hand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/archive.h"
#include "core/http_payload.h"
#include "core/input.h"
#include "core/source.h"
#include "core/warc.h"
#include "tests/fuzz/fuzz_loop.h"

enum { MAX_RECORD = 1 << 16 };

/* Decodes all; -1 when it is damaged. Stops at a MiB: bombs are harmless. */
static int decode(const uint8_t *data, size_t size, struct oy_buffer *out)
{
    enum { STEP = 4096, MOST = 1 << 20 };
    struct oy_error err = {0};
    struct oy_input *input = oy_input_open_memory("fuzz", data, size, &err);
    ssize_t n = STEP;

    while (input && n == STEP && out->len < MOST) {
        n = oy_input_read(input, oy_buffer_reserve(out, STEP), STEP, &err);
        out->len += n > 0 ? (size_t)n : 0;
    }
    oy_input_close(input);
    return err.code ? -1 : 0;
}

/* Plain bytes only: there the lines can be counted here, too. */
static void check_lines(const uint8_t *data, size_t size)
{
    const struct oy_source_options options = {.max_record = 100};
    struct oy_error err = {0};
    struct oy_input *input = oy_input_open_memory("fuzz", data, size, &err);
    struct oy_batch batch = {0};
    uint64_t last = 0;
    int rc;

    if (!input)
        return;
    const int plain = oy_input_codec(input) == OY_CODEC_PLAIN;
    struct oy_source *source = oy_source_open_input(input, &options);
    while ((rc = source->next(source, &batch, &err)) > 0) {
        for (size_t i = 0; i < batch.n_line; i++) {
            const struct oy_line line = batch.line[i];
            OY_ASSERT(batch.line_number[i] > last);
            last = batch.line_number[i];
            OY_ASSERT(line.len == SIZE_MAX ||
                      (line.len <= 100 && line.at + line.len <= batch.size));
            OY_ASSERT(line.len == SIZE_MAX ||
                      !memchr(batch.data + line.at, '\n', line.len));
        }
    }
    OY_ASSERT(!plain || rc == 0);
    source->close(source);
    oy_batch_release(&batch);
}

static void read_warc(const uint8_t *data, size_t size)
{
    struct oy_error err = {0};
    struct oy_input *input = oy_input_open_memory("fuzz", data, size, &err);
    struct oy_buffer block = {0}, scratch = {0};
    struct oy_warc_record record;
    struct oy_http_payload payload;

    if (!input)
        return;
    struct oy_warc *warc = oy_warc_new(input);
    while (oy_warc_next(warc, &record, &err) > 0) {
        oy_buffer_clear(&block);
        if (oy_warc_read(warc, MAX_RECORD, &block, &err) < 0)
            break;
        if (block.len)
            oy_http_payload_parse(block.data, block.len, MAX_RECORD, &scratch,
                                  &payload);
    }
    oy_warc_free(warc);
    oy_input_close(input);
    oy_buffer_release(&block);
    oy_buffer_release(&scratch);
}

static void read_archive(const uint8_t *data, size_t size)
{
    enum { STEP = 4096, MOST = 256 };
    struct oy_error err = {0};
    struct oy_input *input = oy_input_open_memory("fuzz", data, size, &err);
    struct oy_archive *archive =
        input ? oy_archive_open(input, NULL, &err) : NULL;
    const char *name;
    char buf[STEP];

    while (archive && oy_archive_next(archive, &name, &err) > 0) {
        ssize_t n = STEP;
        for (int i = 0; i < MOST && n == STEP; i++)
            n = oy_archive_read(archive, buf, STEP, &err);
        if (n < 0)
            break;
    }
    oy_archive_close(archive);
    oy_input_close(input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oy_buffer plain = {0};

    check_lines(data, size);
    if (decode(data, size, &plain) == 0 && plain.len) {
        const uint8_t *bytes = (const uint8_t *)plain.data;
        read_warc(bytes, plain.len);
        if (oy_archive_is(bytes, plain.len))
            read_archive(bytes, plain.len);
        char *copy = oy_strndup(plain.data, plain.len);
        struct oy_buffer scratch = {0};
        struct oy_http_payload payload;
        oy_http_payload_parse(copy, plain.len, MAX_RECORD, &scratch, &payload);
        oy_buffer_release(&scratch);
        oy_free(copy);
    }
    oy_buffer_release(&plain);
    return 0;
}
