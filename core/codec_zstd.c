/* SPDX-License-Identifier: Apache-2.0
 *
 * zstd behind core/codec.h. */
#include "core/codec.h"

#include <zstd.h>

#include "core/error.h"

enum { WINDOW_LOG_MAX = 27 }; /* what `zstd -d` accepts unasked */

struct zstd_decoder {
    struct oy_decoder base;
    ZSTD_DCtx *context;
    enum oy_codec_state state;
};

struct zstd_encoder {
    struct oy_encoder base;
    ZSTD_CCtx *context;
};

static enum oy_codec_state decode(struct oy_decoder *base,
                                  struct oy_codec_io *io, const char **why)
{
    struct zstd_decoder *decoder = (struct zstd_decoder *)base;
    ZSTD_inBuffer in = {io->in, io->n_in, 0};
    ZSTD_outBuffer out = {io->out, io->n_out, 0};

    /* A full output may hide bytes that the library still holds, so it is
     * asked again even when no input is left. */
    while (out.pos < out.size) {
        const size_t in_before = in.pos, out_before = out.pos;
        const size_t hint = ZSTD_decompressStream(decoder->context, &out, &in);

        if (ZSTD_isError(hint)) {
            *why = ZSTD_getErrorName(hint);
            return OY_CODEC_BAD;
        }
        if (in.pos == in_before && out.pos == out_before)
            break;
        decoder->state = hint ? OY_CODEC_INSIDE : OY_CODEC_BETWEEN;
        if (in.pos == in.size && !hint)
            break;
    }
    io->in += in.pos;
    io->n_in -= in.pos;
    io->out += out.pos;
    io->n_out -= out.pos;
    return decoder->state;
}

static void free_decoder(struct oy_decoder *base)
{
    struct zstd_decoder *decoder = (struct zstd_decoder *)base;

    ZSTD_freeDCtx(decoder->context);
    oy_free(decoder);
}

struct oy_decoder *oy_zstd_decoder_new(void)
{
    struct zstd_decoder *decoder = oy_calloc(1, sizeof *decoder);

    decoder->base = (struct oy_decoder){decode, free_decoder};
    decoder->state = OY_CODEC_BETWEEN;
    decoder->context = ZSTD_createDCtx();
    OY_ASSERT(decoder->context);
    ZSTD_DCtx_setParameter(decoder->context, ZSTD_d_windowLogMax,
                           WINDOW_LOG_MAX);
    return &decoder->base;
}

static void encode(struct oy_encoder *base, const void *data, size_t len,
                   struct oy_buffer *out)
{
    struct zstd_encoder *encoder = (struct zstd_encoder *)base;
    const size_t bound = ZSTD_compressBound(len);
    char *at = oy_buffer_reserve(out, bound);
    const size_t size = ZSTD_compress2(encoder->context, at, bound, data, len);

    OY_ASSERT(!ZSTD_isError(size));
    out->len += size;
}

static void free_encoder(struct oy_encoder *base)
{
    struct zstd_encoder *encoder = (struct zstd_encoder *)base;

    ZSTD_freeCCtx(encoder->context);
    oy_free(encoder);
}

static int within(int level, int low, int high)
{
    return level < low ? low : level > high ? high : level;
}

struct oy_encoder *oy_zstd_encoder_new(int level)
{
    struct zstd_encoder *encoder = oy_calloc(1, sizeof *encoder);

    encoder->base = (struct oy_encoder){encode, free_encoder};
    encoder->context = ZSTD_createCCtx();
    OY_ASSERT(encoder->context);
    level = level ? within(level, ZSTD_minCLevel(), ZSTD_maxCLevel())
                  : ZSTD_CLEVEL_DEFAULT;
    ZSTD_CCtx_setParameter(encoder->context, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(encoder->context, ZSTD_c_checksumFlag, 1);
    return &encoder->base;
}
