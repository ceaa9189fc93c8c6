/* SPDX-License-Identifier: Apache-2.0
 *
 * What the processors at hand can do at most, measured.
 *
 * Arithmetic is a loop of multiply-adds on registers, with the instructions
 * of core/cpu.h's level that the kernels use (where a level has none for a
 * type, that type is computed as f32 and has its ceiling). Memory is a
 * reading pass over a block that no inner cache holds. All threads of a pool
 * work at once, and the best of several short rounds counts: other programs
 * on the machine can only lower it.
 */
#ifndef MODEL_PEAK_H
#define MODEL_PEAK_H

#include "core/pool.h"

enum peak_type { PEAK_F32, PEAK_BF16, PEAK_INT8, PEAK_TYPES };

struct peak {
    double operation[PEAK_TYPES]; /* a second; a multiply-add is two */
    double read;                  /* bytes a second */
};

/* Takes about a fifth of a second, and 64 MiB a thread while it lasts; without
 * that memory `read` is 0. The pool must be idle; NULL: this thread. */
void peak_measure(struct peak *peak, struct oy_pool *pool);

#endif
