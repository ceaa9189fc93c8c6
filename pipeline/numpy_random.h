/* SPDX-License-Identifier: Apache-2.0
 *
 * numpy.random.default_rng(seed).uniform(), number for number: what datatrove
 * draws from.
 *
 * The generator is PCG64 (O'Neill 2014: a linear congruence of 128 bits, XSL
 * RR output), seeded through numpy's SeedSequence (bit_generator.pyx, 1.17 and
 * later). Any number of the stream is had without those before it, so that
 * there is no state.
 */
#ifndef PIPELINE_NUMPY_RANDOM_H
#define PIPELINE_NUMPY_RANDOM_H

#include <stdint.h>

/* What the (n + 1)-th call of uniform() gives: even in [0, 1), 53 bits. */
double numpy_random_unit(uint64_t seed, uint64_t n);

#endif
