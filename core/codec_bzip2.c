/* SPDX-License-Identifier: Apache-2.0
 *
 * bzip2 behind core/codec.h: reading only. */
#include "core/codec.h"

#include <bzlib.h>
#include <limits.h>

#include "core/error.h"

struct bzip2_decoder {
    struct oy_decoder base;
    bz_stream stream;
    int open; /* the stream is initialised */
    enum oy_codec_state state;
};

static unsigned piece(size_t len)
{
    return len > UINT_MAX ? UINT_MAX : (unsigned)len;
}

static void begin_stream(struct bzip2_decoder *decoder)
{
    decoder->stream = (bz_stream){0};
    OY_ASSERT(BZ2_bzDecompressInit(&decoder->stream, 0, 0) == BZ_OK);
    decoder->open = 1;
    decoder->state = OY_CODEC_INSIDE;
}

static void end_stream(struct bzip2_decoder *decoder)
{
    if (decoder->open)
        BZ2_bzDecompressEnd(&decoder->stream);
    decoder->open = 0;
}

static int decompress_some(struct bzip2_decoder *decoder,
                           struct oy_codec_io *io)
{
    bz_stream *z = &decoder->stream;
    const unsigned n_in = piece(io->n_in), n_out = piece(io->n_out);

    z->next_in = (char *)io->in;
    z->avail_in = n_in;
    z->next_out = (char *)io->out;
    z->avail_out = n_out;
    const int rc = BZ2_bzDecompress(z);
    io->in += n_in - z->avail_in;
    io->n_in -= n_in - z->avail_in;
    io->out += n_out - z->avail_out;
    io->n_out -= n_out - z->avail_out;
    return rc;
}

static enum oy_codec_state decode(struct oy_decoder *base,
                                  struct oy_codec_io *io, const char **why)
{
    struct bzip2_decoder *decoder = (struct bzip2_decoder *)base;

    while (io->n_out) {
        const size_t in_before = io->n_in, out_before = io->n_out;

        if (decoder->state == OY_CODEC_BETWEEN) {
            if (!io->n_in)
                break;
            begin_stream(decoder);
        }
        const int rc = decompress_some(decoder, io);
        if (rc == BZ_STREAM_END) {
            end_stream(decoder);
            decoder->state = OY_CODEC_BETWEEN;
        } else if (rc != BZ_OK) {
            *why = rc == BZ_DATA_ERROR_MAGIC ? "garbage behind the last stream"
                                             : "corrupt data";
            return OY_CODEC_BAD;
        } else if (io->n_in == in_before && io->n_out == out_before) {
            break;
        }
    }
    return decoder->state;
}

static void free_decoder(struct oy_decoder *base)
{
    struct bzip2_decoder *decoder = (struct bzip2_decoder *)base;

    end_stream(decoder);
    oy_free(decoder);
}

struct oy_decoder *oy_bzip2_decoder_new(void)
{
    struct bzip2_decoder *decoder = oy_calloc(1, sizeof *decoder);

    decoder->base = (struct oy_decoder){decode, free_decoder};
    decoder->state = OY_CODEC_BETWEEN;
    return &decoder->base;
}
