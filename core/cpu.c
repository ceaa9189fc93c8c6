/* SPDX-License-Identifier: Apache-2.0
 *
 * Detection of vector instructions. */
#include "core/cpu.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const level_name[] = {"plain", "avx2", "avx512",
                                         "avx512bf16", "amx"};

enum { N_LEVEL = sizeof level_name / sizeof *level_name };

const char *oy_cpu_name(enum oy_cpu level)
{
    return level_name[level];
}

#ifdef __x86_64__

/* From Linux's asm/prctl.h and arch/x86: tile data are the state component
 * 18, which a process must ask for before its first use. */
enum { REQUEST_STATE = 0x1023, TILE_DATA = 18 };

static int amx_granted(void)
{
    return __builtin_cpu_supports("amx-tile") &&
           __builtin_cpu_supports("amx-int8") &&
           __builtin_cpu_supports("amx-bf16") &&
           syscall(SYS_arch_prctl, REQUEST_STATE, TILE_DATA) == 0;
}

/* The builtins also look at what the system saves on a context switch. */
static enum oy_cpu find_level(void)
{
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
        !__builtin_cpu_supports("bmi2") || !__builtin_cpu_supports("f16c"))
        return OY_CPU_PLAIN;
    if (!__builtin_cpu_supports("avx512f") ||
        !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") ||
        !__builtin_cpu_supports("avx512vl") ||
        !__builtin_cpu_supports("avx512cd"))
        return OY_CPU_AVX2;
    if (!__builtin_cpu_supports("avx512bf16") ||
        !__builtin_cpu_supports("avx512vnni"))
        return OY_CPU_AVX512;
    return amx_granted() ? OY_CPU_AMX : OY_CPU_AVX512BF16;
}

#else

static enum oy_cpu find_level(void)
{
    return OY_CPU_PLAIN;
}

#endif

/* The level named by the environment; the highest when it names none. */
static enum oy_cpu wanted_level(void)
{
    const char *name = getenv("OYSTER_CPU");

    for (int i = 0; name && i < N_LEVEL; i++) {
        if (!strcmp(name, level_name[i]))
            return (enum oy_cpu)i;
    }
    return (enum oy_cpu)(N_LEVEL - 1);
}

enum oy_cpu oy_cpu_level(void)
{
    /* Level + 1; two threads that meet here find the same. */
    static atomic_int known;
    int level = atomic_load_explicit(&known, memory_order_relaxed) - 1;

    if (level < 0) {
        const enum oy_cpu wanted = wanted_level(), found = find_level();
        level = (int)(wanted < found ? wanted : found);
        atomic_store_explicit(&known, level + 1, memory_order_relaxed);
    }
    return (enum oy_cpu)level;
}
