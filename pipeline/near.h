/* SPDX-License-Identifier: Apache-2.0
 *
 * Which documents are near duplicates: band keys gathered in input order,
 * sorted band by band, neighbours joined.
 *
 * Memory: 8 bytes a band and document, 20 for its cluster and 32 for the sort
 * of one band: 164 with 14 bands. To choose the survivors that datatrove
 * would, pairs are joined in its order, which is that of the whole
 * signatures: they are kept then (8 bytes a permutation more). Too short
 * documents are not added.
 */
#ifndef PIPELINE_NEAR_H
#define PIPELINE_NEAR_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "pipeline/cluster.h"

struct near {
    int n_band, n_row;
    int keeps_signatures;
    struct cluster cluster;
    uint64_t *key; /* [cluster.n][n_band] */
    size_t cap_key;
    uint64_t *signature; /* [cluster.n][n_band * n_row], if kept */
    size_t cap_signature;
    uint64_t budget; /* bytes; 0: none */
};

void near_init(struct near *near, int n_band, int n_row, int keeps_signatures,
               uint64_t budget);
void near_release(struct near *near);

/* Adds a document, numbers ascending. -1 after a failure (71: over budget). */
int near_add(struct near *near, uint64_t number, const uint64_t *key,
             const uint64_t *signature, struct oy_error *err);
/* Joins all candidates and closes near->cluster; keys and signatures are
 * freed. -1 after a failure (71). */
int near_cluster(struct near *near, struct oy_error *err);

#endif
