/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups of documents that belong together, by union-find.
 *
 * Documents are added in input order; pairs are joined in any order, which
 * decides the root: the bigger tree's root stays, of equal ones the first
 * argument's (datatrove, MinhashDedupCluster). cluster_close() then finds of
 * each group its first member and its size.
 */
#ifndef PIPELINE_CLUSTER_H
#define PIPELINE_CLUSTER_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

struct cluster {
    uint64_t *number; /* [n] of the document in the input */
    uint32_t *parent; /* [n] */
    uint32_t *size;   /* [n]; of a root: its tree's */
    uint32_t *first;  /* [n] after cluster_close: of a root: its first member */
    size_t n;
    size_t cap_number, cap_parent, cap_size;
    size_t at; /* of cluster_find */
};

/* What a document's group says of it. */
struct cluster_answer {
    int is_member;  /* 0: it was never added, or is alone */
    int is_first;   /* of its group, in input order */
    int is_root;    /* of its tree */
    uint64_t first; /* number of the first member */
    uint64_t size;  /* members; 1 when alone */
};

void cluster_release(struct cluster *cluster);

/* Adds a document of a higher number than all before; its index is the count
 * so far. -1 after a failure (71): more than 2^32 - 2 documents. */
int cluster_add(struct cluster *cluster, uint64_t number, struct oy_error *err);
/* Joins the groups of two documents, named by index. */
void cluster_join(struct cluster *cluster, uint32_t a, uint32_t b);
/* No more joins. */
void cluster_close(struct cluster *cluster);
/* Number of groups of two or more, after cluster_close(). */
uint64_t cluster_count(const struct cluster *cluster);

/* What is known of document `number`; asked in ascending order. */
struct cluster_answer cluster_find(struct cluster *cluster, uint64_t number);

#endif
