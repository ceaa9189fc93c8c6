/* SPDX-License-Identifier: Apache-2.0
 *
 * What a compression library has to do for us: one decoder and one encoder
 * behind the same two small structures, whatever the format.
 *
 * Private to core: core/input and core/output choose the codec, programs
 * never see it. Each library is included by its own codec_NAME.c alone.
 * A decoder or encoder is used by one thread at a time.
 */
#ifndef CORE_CODEC_H
#define CORE_CODEC_H

#include <stddef.h>

#include "core/alloc.h"

/* The bytes that lie ready and the room there is; a step moves both. */
struct oy_codec_io {
    const unsigned char *in;
    size_t n_in;
    unsigned char *out;
    size_t n_out;
    int last; /* nothing comes behind `in` */
};

enum oy_codec_state {
    OY_CODEC_BAD = -1,   /* corrupt data, a checksum that differs, garbage */
    OY_CODEC_INSIDE = 0, /* more must follow: the end here is a truncation */
    OY_CODEC_BETWEEN = 1 /* a frame or member is whole: the end is allowed */
};

struct oy_decoder {
    /* Decodes until `in` is used up or `out` is full. Further frames or
     * members are taken up without being asked. *why explains BAD. */
    enum oy_codec_state (*step)(struct oy_decoder *decoder,
                                struct oy_codec_io *io, const char **why);
    void (*free)(struct oy_decoder *decoder);
};

/* Windows up to 2^27, skippable frames, checksums. */
struct oy_decoder *oy_zstd_decoder_new(void);
struct oy_decoder *oy_gzip_decoder_new(void);
struct oy_decoder *oy_xz_decoder_new(void);
struct oy_decoder *oy_bzip2_decoder_new(void);

struct oy_encoder {
    /* Appends `len` bytes as one whole frame or member that stands alone. Its
     * bytes depend on the data and the level only. */
    void (*encode)(struct oy_encoder *encoder, const void *data, size_t len,
                   struct oy_buffer *out);
    void (*free)(struct oy_encoder *encoder);
};

/* Level 0 is the default: 3 for zstd, 6 for gzip. Levels are brought into the
 * library's range. */
struct oy_encoder *oy_zstd_encoder_new(int level);
struct oy_encoder *oy_gzip_encoder_new(int level);

#endif
