/* SPDX-License-Identifier: Apache-2.0
 *
 * MXFP4 as safetensors files of gpt_oss hold it: two tensors, one of nibbles
 * (*_blocks, U8, 16 bytes for 32 numbers) and one of scales (*_scales, U8, a
 * byte for 32 numbers).
 *
 * A nibble is an E2M1 number, the low one of a byte first; a scale is a power
 * of two, 2^(byte - 127), 255 not a number (OCP Microscaling Formats 1.0,
 * 5.3.3 and 5.4.1). GGUF's blocks of the same name lie in another order and
 * are read by model/quant.h.
 */
#ifndef MODEL_MXFP4_H
#define MODEL_MXFP4_H

#include <stddef.h>
#include <stdint.h>

enum {
    MXFP4_BLOCK = 32, /* numbers with one scale */
    MXFP4_BYTES = 16, /* of their nibbles */
};

/* out[n_block * MXFP4_BLOCK]. Every number is exact. */
void mxfp4_unpack(float *out, const uint8_t *blocks, const uint8_t *scales,
                  size_t n_block);

#endif
