/* SPDX-License-Identifier: Apache-2.0
 *
 * Books time by kernel, and says how much of the machine it used. */
#include "model/profile.h"

#include <stdio.h>
#include <time.h>

#include "core/alloc.h"

struct account {
    double seconds;
    double least; /* seconds that the roofline allows */
    double operations, bytes;
    unsigned long long n;
};

struct profile {
    struct peak peak;
    double last; /* time of the last mark */
    struct account account[PROFILE_KERNELS];
};

static const char *const kernel_name[PROFILE_KERNELS] = {
    [PROFILE_FORWARD] = "product, forward",
    [PROFILE_INPUT_GRADIENT] = "product, input gradient",
    [PROFILE_WEIGHT_GRADIENT] = "product, weight gradient",
    [PROFILE_ATTENTION] = "attention",
    [PROFILE_ATTENTION_BACK] = "attention, backward",
    [PROFILE_NORM] = "residual and norm",
    [PROFILE_NORM_BACK] = "norm, backward",
    [PROFILE_ROTATION] = "rotation",
    [PROFILE_ROTATION_BACK] = "rotation, backward",
    [PROFILE_ACTIVATION] = "activation",
    [PROFILE_ACTIVATION_BACK] = "activation, backward",
    [PROFILE_EXPERTS] = "routing of experts",
    [PROFILE_MIXER] = "other mixers",
    [PROFILE_BIAS] = "bias",
    [PROFILE_LOSS] = "loss",
    [PROFILE_EMBEDDING] = "embedding",
    [PROFILE_GRADIENT_NORM] = "gradient norm",
    [PROFILE_UPDATE] = "update",
    [PROFILE_DATA] = "data",
    [PROFILE_OTHER] = "other"};

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

struct profile *profile_new(struct oy_pool *pool)
{
    struct profile *const profile = oy_calloc(1, sizeof *profile);

    peak_measure(&profile->peak, pool);
    profile->last = seconds_now();
    return profile;
}

void profile_free(struct profile *profile)
{
    oy_free(profile);
}

void profile_mark(struct profile *profile, enum profile_kernel kernel,
                  enum peak_type type, double operations, double bytes)
{
    if (!profile)
        return;
    const struct peak *const peak = &profile->peak;
    struct account *const account = &profile->account[kernel];
    const double now = seconds_now();
    const double computing = operations / peak->operation[type];
    const double moving = peak->read > 0 ? bytes / peak->read : 0;

    account->seconds += now - profile->last;
    account->least += computing > moving ? computing : moving;
    account->operations += operations;
    account->bytes += bytes;
    account->n++;
    profile->last = now;
}

void profile_product(struct profile *profile, enum profile_kernel kernel,
                     enum peak_type type, size_t m, size_t n, size_t k)
{
    const double rows = (double)m, columns = (double)n, depth = (double)k;

    profile_mark(profile, kernel, type, 2 * rows * columns * depth,
                 sizeof(float) *
                     (rows * depth + columns * depth + rows * columns));
}

void profile_floats(struct profile *profile, enum profile_kernel kernel,
                    size_t n)
{
    profile_mark(profile, kernel, PEAK_F32, 0, sizeof(float) * (double)n);
}

/* ---- the table ---- */

/* "-" where a kernel has no such figure. */
static void put_figure(struct oy_buffer *out, int is_there, double figure)
{
    if (is_there)
        oy_buffer_append_format(out, " %9.1f", figure);
    else
        oy_buffer_append_string(out, "         -");
}

static void put_line(struct oy_buffer *out, const char *name,
                     const struct account *a, double all)
{
    const int is_known = a->least > 0 && a->seconds > 0;

    oy_buffer_append_format(out, "%-24s %9.3f %6.1f %9llu", name, a->seconds,
                            all > 0 ? 100 * a->seconds / all : 0, a->n);
    put_figure(out, a->operations > 0 && is_known,
               1e-9 * a->operations / a->seconds);
    put_figure(out, a->bytes > 0 && is_known, 1e-9 * a->bytes / a->seconds);
    put_figure(out, is_known, 100 * a->least / a->seconds);
    oy_buffer_append_char(out, '\n');
}

char *profile_table(const struct profile *profile)
{
    const struct peak *const peak = &profile->peak;
    struct oy_buffer out = {0};
    struct account all = {0};

    for (int i = 0; i < PROFILE_KERNELS; i++) {
        all.seconds += profile->account[i].seconds;
        all.least += profile->account[i].least;
        all.operations += profile->account[i].operations;
        all.n += profile->account[i].n;
    }
    oy_buffer_append_format(
        &out,
        "ceilings: f32 %.0f, bf16 %.0f, int8 %.0f Gop/s, reading %.1f GB/s\n"
        "%-24s %9s %6s %9s %9s %9s %9s\n",
        1e-9 * peak->operation[PEAK_F32], 1e-9 * peak->operation[PEAK_BF16],
        1e-9 * peak->operation[PEAK_INT8], 1e-9 * peak->read, "kernel",
        "seconds", "%", "calls", "Gop/s", "GB/s", "% of roof");
    for (int i = 0; i < PROFILE_KERNELS; i++) {
        if (profile->account[i].n > 0)
            put_line(&out, kernel_name[i], &profile->account[i], all.seconds);
    }
    put_line(&out, "all", &all, all.seconds);
    oy_buffer_append(&out, "", 1);
    return out.data;
}

void profile_print(const struct profile *profile)
{
    char *const table = profile ? profile_table(profile) : NULL;

    if (table)
        fputs(table, stderr);
    oy_free(table);
}
