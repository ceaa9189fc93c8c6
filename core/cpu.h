/* SPDX-License-Identifier: Apache-2.0
 *
 * Which vector instructions this process may use.
 *
 * Kernels are chosen at run time by these levels; each level includes those
 * before it. OYSTER_CPU=plain|avx2|avx512|avx512bf16|amx in the environment
 * lowers the level (never raises it): tests run every form on one machine.
 */
#ifndef CORE_CPU_H
#define CORE_CPU_H

enum oy_cpu {
    OY_CPU_PLAIN = 0,  /* baseline x86-64, or any other machine */
    OY_CPU_AVX2,       /* AVX2, FMA, BMI2, F16C */
    OY_CPU_AVX512,     /* F, BW, DQ, VL, CD */
    OY_CPU_AVX512BF16, /* and BF16, VNNI */
    OY_CPU_AMX,        /* and AMX tiles for int8 and bf16, granted by Linux */
};

/* Found once at the first call; thread-safe. */
enum oy_cpu oy_cpu_level(void);
const char *oy_cpu_name(enum oy_cpu level);

#endif
