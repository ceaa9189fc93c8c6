/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the time of training or answering goes, kernel by kernel.
 *
 * The thread that gives out work says after each kernel what that was:
 * profile_mark() books the time since the mark before. So all time is booked
 * once, waiting for the pool's threads included, and code between kernels
 * goes to the kernel behind it. Each kernel's arithmetic and its operands'
 * bytes, each read or written once, are held against what peak_measure()
 * found in the same process: the roofline (Williams and others 2009). Data
 * that stay in a cache may be faster than that. Without a profile (NULL)
 * nothing is done and no clock is read.
 */
#ifndef MODEL_PROFILE_H
#define MODEL_PROFILE_H

#include <stddef.h>

#include "core/pool.h"
#include "model/peak.h"

enum profile_kernel {
    PROFILE_FORWARD,        /* y = x w^T */
    PROFILE_INPUT_GRADIENT, /* dx = dy w */
    PROFILE_WEIGHT_GRADIENT,
    PROFILE_ATTENTION,
    PROFILE_ATTENTION_BACK,
    PROFILE_NORM,
    PROFILE_NORM_BACK,
    PROFILE_ROTATION, /* and norms of heads, and putting them in a cache */
    PROFILE_ROTATION_BACK,
    PROFILE_ACTIVATION,
    PROFILE_ACTIVATION_BACK,
    PROFILE_EXPERTS, /* all of a layer's but its products */
    PROFILE_MIXER,   /* linear attention, convolutions, states */
    PROFILE_BIAS,
    PROFILE_LOSS, /* log-sum-exp and gradient of logits */
    PROFILE_EMBEDDING,
    PROFILE_GRADIENT_NORM,
    PROFILE_UPDATE, /* the optimiser */
    PROFILE_DATA,   /* reading, planning */
    PROFILE_OTHER,  /* the rest: checkpoints, logs */
    PROFILE_KERNELS
};

struct profile;

/* Measures the ceilings; the pool must be idle. Time counts from then on. */
struct profile *profile_new(struct oy_pool *pool);
void profile_free(struct profile *profile);

/* The time since the last mark was `kernel`'s, which did so many operations
 * of a type and moved so many bytes. */
void profile_mark(struct profile *profile, enum profile_kernel kernel,
                  enum peak_type type, double operations, double bytes);
/* A product of m x n sums over k; all three matrices lie in memory as f32. */
void profile_product(struct profile *profile, enum profile_kernel kernel,
                     enum peak_type type, size_t m, size_t n, size_t k);
/* Something that moves n floats. */
void profile_floats(struct profile *profile, enum profile_kernel kernel,
                    size_t n);

/* The table, a kernel a line, as text: yours, free with oy_free. */
char *profile_table(const struct profile *profile);
/* The same on standard error; nothing for NULL. */
void profile_print(const struct profile *profile);

#endif
