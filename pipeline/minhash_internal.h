/* SPDX-License-Identifier: Apache-2.0
 *
 * The vector forms of minhash_sign, before the mask of 32-bit hashes.
 */
#ifndef PIPELINE_MINHASH_INTERNAL_H
#define PIPELINE_MINHASH_INTERNAL_H

#include "pipeline/minhash.h"

static const uint64_t MINHASH_PRIME = ((uint64_t)1 << 61) - 1;

void minhash_least_plain(const struct minhash *minhash, const uint64_t *hash,
                         size_t n_hash, uint64_t *least);
#ifdef __x86_64__
void minhash_least_avx2(const struct minhash *minhash, const uint64_t *hash,
                        size_t n_hash, uint64_t *least);
void minhash_least_avx512(const struct minhash *minhash, const uint64_t *hash,
                          size_t n_hash, uint64_t *least);
#endif

#endif
