/* SPDX-License-Identifier: Apache-2.0
 *
 * Where any string of a list occurs in a text, byte for byte.
 *
 * An automaton of Aho and Corasick (1975) in which every state knows all its
 * followers: one look-up a byte, however long the list is. A state (a byte of
 * the list that no other string begins with) takes four bytes for each
 * different byte of the list, and 16.
 */
#ifndef PIPELINE_NEEDLES_H
#define PIPELINE_NEEDLES_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"

struct needles_state {
    uint32_t depth;   /* bytes of what led here */
    uint32_t len;     /* the same, when it is a string of the list; else 0 */
    uint32_t hit;     /* this state, or its longest end that has a len; 0 */
    uint32_t shorter; /* the next shorter one behind that; 0 */
};

/* Zero-initialised is empty. */
struct needles {
    struct oy_buffer bytes; /* the strings, each behind its size_t length */
    uint16_t symbol[256];   /* 0: in no string */
    size_t n_symbol;
    uint32_t *next; /* [n_state][n_symbol] */
    size_t cap_next;
    struct needles_state *state; /* 0 is the start */
    size_t n_state, cap_state;
};

/* Whether this place is the one that is looked for. */
typedef int (*needles_accept)(void *arg, size_t at, size_t len);

/* Empty strings are none; less than 4 GiB in all. */
void needles_add(struct needles *needles, const char *string, size_t len);
/* Call once, behind the last string; after this it does not change and may be
 * shared by threads. */
void needles_finish(struct needles *needles);
/* Asks `accept` for every place, overlapping ones too, in the order of their
 * ends, until it says yes; returns whether it did. */
int needles_find(const struct needles *needles, const char *text, size_t len,
                 needles_accept accept, void *arg);
/* The same for the places that begin at `at`, the shortest first. */
int needles_find_at(const struct needles *needles, const char *text, size_t len,
                    size_t at, needles_accept accept, void *arg);
void needles_release(struct needles *needles);

#endif
