/* SPDX-License-Identifier: Apache-2.0
 *
 * xz behind core/codec.h: reading only. */
#include "core/codec.h"

#include <lzma.h>

#include "core/error.h"

/* xz -9 needs 65 MiB to decode; a file that asks for more than this is
 * hostile. */
static const uint64_t MEMORY_LIMIT = (uint64_t)512 << 20;

struct xz_decoder {
    struct oy_decoder base;
    lzma_stream stream;
    enum oy_codec_state state;
};

static const char *why_bad(lzma_ret rc)
{
    switch (rc) {
    case LZMA_FORMAT_ERROR: return "garbage behind the last stream";
    case LZMA_OPTIONS_ERROR: return "unsupported options";
    case LZMA_MEMLIMIT_ERROR: return "needs more than 512M to decode";
    default: return "corrupt data";
    }
}

/* LZMA_CONCATENATED: streams follow one another until LZMA_FINISH, which is
 * why the last piece must be announced. */
static enum oy_codec_state decode(struct oy_decoder *base,
                                  struct oy_codec_io *io, const char **why)
{
    struct xz_decoder *decoder = (struct xz_decoder *)base;
    lzma_stream *z = &decoder->stream;

    if (decoder->state == OY_CODEC_BETWEEN && !io->n_in)
        return decoder->state;
    z->next_in = io->in;
    z->avail_in = io->n_in;
    z->next_out = io->out;
    z->avail_out = io->n_out;
    const lzma_ret rc = lzma_code(z, io->last ? LZMA_FINISH : LZMA_RUN);
    io->in = z->next_in;
    io->n_in = z->avail_in;
    io->out = z->next_out;
    io->n_out = z->avail_out;
    if (rc != LZMA_OK && rc != LZMA_STREAM_END && rc != LZMA_BUF_ERROR) {
        *why = why_bad(rc);
        return OY_CODEC_BAD;
    }
    decoder->state = rc == LZMA_STREAM_END ? OY_CODEC_BETWEEN : OY_CODEC_INSIDE;
    return decoder->state;
}

static void free_decoder(struct oy_decoder *base)
{
    struct xz_decoder *decoder = (struct xz_decoder *)base;

    lzma_end(&decoder->stream);
    oy_free(decoder);
}

struct oy_decoder *oy_xz_decoder_new(void)
{
    struct xz_decoder *decoder = oy_calloc(1, sizeof *decoder);

    decoder->base = (struct oy_decoder){decode, free_decoder};
    decoder->stream = (lzma_stream)LZMA_STREAM_INIT;
    OY_ASSERT(lzma_stream_decoder(&decoder->stream, MEMORY_LIMIT,
                                  LZMA_CONCATENATED) == LZMA_OK);
    return &decoder->base;
}
