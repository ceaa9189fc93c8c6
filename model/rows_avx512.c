/* SPDX-License-Identifier: Apache-2.0
 *
 * The row kernels for AVX-512.
 */
#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")
#define ROWS_TABLE rows_avx512
#include "model/rows_kernels.h"
#endif
