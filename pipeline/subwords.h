/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether any word of a list occurs in a text, when of both only the letters
 * and digits of ASCII count, whatever their case: "A-b" is "ab".
 *
 * An automaton of Aho and Corasick (1975) in which every state knows all its
 * followers: one look-up a character, whatever the list. It takes 144 bytes
 * for each character of the list that no other word begins with, at most.
 */
#ifndef PIPELINE_SUBWORDS_H
#define PIPELINE_SUBWORDS_H

#include <stddef.h>
#include <stdint.h>

enum { SUBWORDS_N_SYMBOL = 36 };

struct subwords_state {
    uint32_t next[SUBWORDS_N_SYMBOL];
};

/* Zero-initialised is empty. */
struct subwords {
    struct subwords_state *state; /* [n]; 0 is the start */
    size_t n, cap;
};

/* A word without letters and digits adds nothing. */
void subwords_add(struct subwords *subwords, const char *word, size_t len);
/* Call once, behind the last word; after this it does not change and may be
 * shared by threads. */
void subwords_finish(struct subwords *subwords);
int subwords_occur(const struct subwords *subwords, const char *text,
                   size_t len);
void subwords_release(struct subwords *subwords);

#endif
