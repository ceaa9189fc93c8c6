/* SPDX-License-Identifier: Apache-2.0
 *
 * What the kernels with AMX tiles share; to be included behind their choice
 * of a target. */
#ifndef MODEL_AMX_INTERNAL_H
#define MODEL_AMX_INTERNAL_H

#include <immintrin.h>
#include <stdint.h>

enum {
    AMX_TILES = 8,
    AMX_SIDE = 16, /* rows of a tile, and elements of 4 bytes of a row */
    AMX_LINE = 64, /* bytes of a row */
};

/* What ldtilecfg reads (Intel SDM volume 1, 18.3: palette 1). */
struct amx_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
} __attribute__((aligned(64)));

/* GCC does not see what loads of tiles and of their configuration read: to be
 * called with local memory before they do. */
static inline void amx_reads(const void *memory)
{
    __asm__ volatile("" ::"r"(memory) : "memory");
}

static inline void amx_configure(const struct amx_config *config)
{
    amx_reads(config);
    _tile_loadconfig(config);
}

#endif
