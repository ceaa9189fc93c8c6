/* SPDX-License-Identifier: Apache-2.0
 *
 * Loops that do nothing but arithmetic, or nothing but reading. */
#include "model/peak.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "core/alloc.h"
#include "core/cpu.h"

enum {
    N_SUM = 12,      /* accumulators: enough to hide the latency of one */
    ROUNDS = 5,      /* of which the best counts */
    TASKS = 16,      /* of a thread in a round: late starters catch up */
    PASSES = 100000, /* over the accumulators, in a task */
    LINE = 64,
};
static const size_t READ_BYTES = (size_t)64 << 20; /* of a thread */

/* A loop of n passes; returns the operations that it did. */
typedef double (*peak_loop)(size_t n);

/* ---- loops ---- */

typedef float float4 __attribute__((vector_size(16)));

static double f32_plain(size_t n)
{
    float4 sum[N_SUM] = {{0}}, a = {0}, b = {0};

    for (size_t i = 0; i < n; i++) {
        __asm__ volatile("" : "+m"(a));
#pragma GCC unroll 12
        for (int j = 0; j < N_SUM; j++)
            sum[j] += a * b;
    }
    __asm__ volatile("" ::"m"(sum));
    return (double)n * N_SUM * 2 * 4;
}

#ifdef __x86_64__
#define TARGET(features) __attribute__((target(features)))

/* A loop that takes each accumulator one step on, which is so many operations.
 * The compiler may not know that operands stay as they are. */
#define REGISTER_LOOP(name, features, vec, zero, operand, one, step, n_op)     \
    TARGET(features) static double name(size_t n)                              \
    {                                                                          \
        vec sum[N_SUM];                                                        \
        operand a = one, b = one;                                              \
                                                                               \
        for (int j = 0; j < N_SUM; j++)                                        \
            sum[j] = zero;                                                     \
        for (size_t i = 0; i < n; i++) {                                       \
            _Pragma("GCC unroll 12") for (int j = 0; j < N_SUM; j++)           \
            {                                                                  \
                __asm__ volatile("" : "+v"(a));                                \
                sum[j] = step;                                                 \
            }                                                                  \
        }                                                                      \
        for (int j = 0; j < N_SUM; j++)                                        \
            __asm__ volatile("" ::"v"(sum[j]), "v"(b));                        \
        return (double)n * N_SUM * (n_op);                                     \
    }

REGISTER_LOOP(f32_avx2, "avx2,fma", __m256, _mm256_setzero_ps(), __m256,
              _mm256_set1_ps(1e-9F), _mm256_fmadd_ps(a, b, sum[j]), 2 * 8)
/* As kernels without VNNI do it: three instructions. */
REGISTER_LOOP(
    int8_avx2, "avx2", __m256i, _mm256_setzero_si256(), __m256i,
    _mm256_set1_epi16(1),
    _mm256_add_epi32(sum[j], _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), b)),
    2 * 32)
REGISTER_LOOP(f32_avx512, "avx512f", __m512, _mm512_setzero_ps(), __m512,
              _mm512_set1_ps(1e-9F), _mm512_fmadd_ps(a, b, sum[j]), 2 * 16)
REGISTER_LOOP(bf16_avx512, "avx512f,avx512bw,avx512vl,avx512bf16", __m512,
              _mm512_setzero_ps(), __m512i, _mm512_setzero_si512(),
              _mm512_dpbf16_ps(sum[j], (__m512bh)a, (__m512bh)b), 2 * 32)
REGISTER_LOOP(int8_avx512, "avx512f,avx512vnni", __m512i,
              _mm512_setzero_si512(), __m512i, _mm512_set1_epi8(1),
              _mm512_dpbusd_epi32(sum[j], a, b), 2 * 64)

/* All tiles of 16 rows of 64 bytes (Intel SDM volume 1, 18.3), of zeros. */
TARGET("amx-tile") static void open_tiles(void)
{
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } __attribute__((aligned(64))) config = {.palette = 1};

    for (int i = 0; i < 8; i++) {
        config.bytes[i] = 64;
        config.rows[i] = 16;
    }
    /* GCC 12 believes that only the first eight bytes are read. */
    __asm__ volatile("" ::"m"(config));
    _tile_loadconfig(&config);
}

TARGET("amx-tile,amx-bf16") static double bf16_amx(size_t n)
{
    open_tiles();
    for (size_t i = 0; i < n / 8; i++) {
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_release();
    return (double)(n / 8) * 4 * 2 * 16 * 16 * 32;
}

TARGET("amx-tile,amx-int8") static double int8_amx(size_t n)
{
    open_tiles();
    for (size_t i = 0; i < n / 8; i++) {
        _tile_dpbusd(0, 4, 6);
        _tile_dpbusd(1, 4, 7);
        _tile_dpbusd(2, 5, 6);
        _tile_dpbusd(3, 5, 7);
    }
    _tile_release();
    return (double)(n / 8) * 4 * 2 * 16 * 16 * 64;
}
#endif

/* The loops of a level, those of levels below where it has none. */
static void find_loops(peak_loop loop[PEAK_TYPES])
{
    for (int i = 0; i < PEAK_TYPES; i++)
        loop[i] = f32_plain;
#ifdef __x86_64__
    const enum oy_cpu level = oy_cpu_level();

    if (level >= OY_CPU_AVX2) {
        loop[PEAK_F32] = loop[PEAK_BF16] = f32_avx2;
        loop[PEAK_INT8] = int8_avx2;
    }
    if (level >= OY_CPU_AVX512)
        loop[PEAK_F32] = loop[PEAK_BF16] = f32_avx512;
    if (level >= OY_CPU_AVX512BF16) {
        loop[PEAK_BF16] = bf16_avx512;
        loop[PEAK_INT8] = int8_avx512;
    }
    if (level >= OY_CPU_AMX) {
        loop[PEAK_BF16] = bf16_amx;
        loop[PEAK_INT8] = int8_amx;
    }
#endif
}

/* ---- measuring ---- */

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

struct measuring {
    peak_loop loop;
    double *done; /* [task] operations */
    const unsigned char *block;
};

static void run_loop(void *arg, size_t task, int worker)
{
    const struct measuring *const m = arg;

    (void)worker;
    m->done[task] = m->loop(PASSES / TASKS);
}

/* A part of the block; eight sums, so that loads do not wait. */
static void read_block(void *arg, size_t task, int worker)
{
    typedef uint64_t vec __attribute__((vector_size(64)));
    const struct measuring *const m = arg;
    const size_t n = READ_BYTES / TASKS / LINE;
    const vec *const part = (const vec *)m->block + task * n;
    vec sum[8] = {{0}};

    (void)worker;
    for (size_t i = 0; i < n; i += 8) {
        for (size_t j = 0; j < 8; j++)
            sum[j] += part[i + j];
    }
    __asm__ volatile("" ::"m"(sum));
}

static double best_seconds(struct oy_pool *pool, size_t n, oy_pool_task task,
                           struct measuring *m)
{
    double best = 1e9;

    for (int i = 0; i < ROUNDS; i++) {
        const double began = seconds_now();
        oy_pool_run(pool, n, task, m);
        const double seconds = seconds_now() - began;
        if (seconds < best)
            best = seconds;
    }
    return best;
}

void peak_measure(struct peak *peak, struct oy_pool *pool)
{
    const size_t n_thread = pool ? (size_t)oy_pool_size(pool) : 1;
    const size_t n = n_thread * TASKS;
    struct measuring m = {.done = oy_calloc(n, sizeof *m.done)};
    peak_loop loop[PEAK_TYPES];

    *peak = (struct peak){0};
    find_loops(loop);
    for (int type = 0; type < PEAK_TYPES; type++) {
        m.loop = loop[type];
        const double seconds = best_seconds(pool, n, run_loop, &m);
        for (size_t i = 0; i < n; i++)
            peak->operation[type] += m.done[i] / seconds;
    }
    m.block = oy_try_alloc(n_thread, READ_BYTES);
    if (m.block) {
        memset((void *)m.block, 1, n_thread * READ_BYTES);
        peak->read = (double)(n_thread * READ_BYTES) /
                     best_seconds(pool, n, read_block, &m);
    }
    oy_free((void *)m.block);
    oy_free(m.done);
}
