/* SPDX-License-Identifier: Apache-2.0
 *
 * gzip behind core/codec.h. */
#include "core/codec.h"

#include <limits.h>
#include <string.h>
#include <zlib.h>

#include "core/error.h"

/* windowBits of 15 + 16: a gzip wrapper, with its CRC and length checked. */
enum { GZIP_WINDOW = 15 + 16, MEMORY_LEVEL = 8, DEFAULT_LEVEL = 6 };

struct gzip_decoder {
    struct oy_decoder base;
    z_stream stream;
    enum oy_codec_state state;
};

struct gzip_encoder {
    struct oy_encoder base;
    z_stream stream;
};

static uInt piece(size_t len)
{
    return len > UINT_MAX ? UINT_MAX : (uInt)len;
}

static const char *why_bad(const struct gzip_decoder *decoder, int rc)
{
    if (decoder->stream.msg)
        return decoder->stream.msg;
    return rc == Z_NEED_DICT ? "needs a dictionary" : "corrupt deflate data";
}

/* Between members only another member may begin. */
static int begin_member(struct gzip_decoder *decoder, const unsigned char *in)
{
    if (in[0] != 0x1f)
        return -1;
    inflateReset(&decoder->stream);
    decoder->state = OY_CODEC_INSIDE;
    return 0;
}

static int inflate_some(struct gzip_decoder *decoder, struct oy_codec_io *io)
{
    z_stream *z = &decoder->stream;
    const uInt n_in = piece(io->n_in), n_out = piece(io->n_out);

    z->next_in = (unsigned char *)io->in;
    z->avail_in = n_in;
    z->next_out = io->out;
    z->avail_out = n_out;
    const int rc = inflate(z, Z_NO_FLUSH);
    io->in += n_in - z->avail_in;
    io->n_in -= n_in - z->avail_in;
    io->out += n_out - z->avail_out;
    io->n_out -= n_out - z->avail_out;
    return rc;
}

static enum oy_codec_state decode(struct oy_decoder *base,
                                  struct oy_codec_io *io, const char **why)
{
    struct gzip_decoder *decoder = (struct gzip_decoder *)base;

    while (io->n_out) {
        if (decoder->state == OY_CODEC_BETWEEN) {
            if (!io->n_in)
                break;
            if (begin_member(decoder, io->in)) {
                *why = "garbage behind the last member";
                return OY_CODEC_BAD;
            }
        }
        const int rc = inflate_some(decoder, io);
        if (rc == Z_STREAM_END) {
            decoder->state = OY_CODEC_BETWEEN;
        } else if (rc == Z_BUF_ERROR) {
            break; /* wants more input */
        } else if (rc != Z_OK) {
            *why = why_bad(decoder, rc);
            return OY_CODEC_BAD;
        }
    }
    return decoder->state;
}

static void free_decoder(struct oy_decoder *base)
{
    struct gzip_decoder *decoder = (struct gzip_decoder *)base;

    inflateEnd(&decoder->stream);
    oy_free(decoder);
}

struct oy_decoder *oy_gzip_decoder_new(void)
{
    struct gzip_decoder *decoder = oy_calloc(1, sizeof *decoder);

    decoder->base = (struct oy_decoder){decode, free_decoder};
    decoder->state = OY_CODEC_BETWEEN;
    OY_ASSERT(inflateInit2(&decoder->stream, GZIP_WINDOW) == Z_OK);
    return &decoder->base;
}

static void encode(struct oy_encoder *base, const void *data, size_t len,
                   struct oy_buffer *out)
{
    struct gzip_encoder *encoder = (struct gzip_encoder *)base;
    z_stream *z = &encoder->stream;

    OY_ASSERT(len <= UINT_MAX / 2);
    deflateReset(z);
    const uLong bound = deflateBound(z, len);
    z->next_in = (unsigned char *)data;
    z->avail_in = (uInt)len;
    z->next_out = (unsigned char *)oy_buffer_reserve(out, bound);
    z->avail_out = (uInt)bound;
    OY_ASSERT(deflate(z, Z_FINISH) == Z_STREAM_END);
    out->len += bound - z->avail_out;
}

static void free_encoder(struct oy_encoder *base)
{
    struct gzip_encoder *encoder = (struct gzip_encoder *)base;

    deflateEnd(&encoder->stream);
    oy_free(encoder);
}

struct oy_encoder *oy_gzip_encoder_new(int level)
{
    struct gzip_encoder *encoder = oy_calloc(1, sizeof *encoder);

    encoder->base = (struct oy_encoder){encode, free_encoder};
    if (level < 1 || level > Z_BEST_COMPRESSION)
        level = level > Z_BEST_COMPRESSION ? Z_BEST_COMPRESSION : DEFAULT_LEVEL;
    OY_ASSERT(deflateInit2(&encoder->stream, level, Z_DEFLATED, GZIP_WINDOW,
                           MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK);
    return &encoder->base;
}
