/* SPDX-License-Identifier: Apache-2.0
 *
 * The row kernels for AVX2.
 */
#if defined(__x86_64__)
#pragma GCC target("avx2")
#define ROWS_TABLE rows_avx2
#include "model/rows_kernels.h"
#endif
