/* SPDX-License-Identifier: Apache-2.0
 *
 * What a fuzz driver gives to the loop that runs it: libFuzzer's, or
 * fuzz_loop.c where that is not (`make fuzz`).
 *
 * A driver must define LLVMFuzzerTestOneInput. What else stands here it may
 * define, for fuzz_loop.c alone. */
#ifndef TESTS_FUZZ_LOOP_H
#define TESTS_FUZZ_LOOP_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"

/* Tries the bytes; returns 0. What must hold is asserted. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What inputs are made of, ended by NULL: one input in three is such pieces
 * alone, others get some here and there. */
extern const char *const fuzz_piece[] __attribute__((weak));

/* Appends the i-th seed of the driver's own to an empty buffer; 0 when there
 * is none. Seeds stand beside the files of the command line. */
int fuzz_seed(size_t i, struct oy_buffer *seed) __attribute__((weak));

#endif
