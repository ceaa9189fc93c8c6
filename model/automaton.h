/* SPDX-License-Identifier: Apache-2.0
 *
 * The texts of a grammar read byte by byte: a pushdown automaton, made
 * deterministic as far as texts come.
 *
 * A state here is the set of all places of the network in which a text may
 * stand, each with the rules that wait behind it. Sets that were met before
 * are found again, and each keeps a table of where a byte leads, so that a
 * step over known ground is one look. States that can come to no end are left
 * out: from every state but AUTOMATON_DEAD some text leads to the end of the
 * grammar.
 *
 * States are numbers that last until automaton_clear(). Not for two threads at
 * once.
 */
#ifndef MODEL_AUTOMATON_H
#define MODEL_AUTOMATON_H

#include <stddef.h>
#include <stdint.h>

#include "model/grammar.h"

enum { AUTOMATON_DEAD = -1 };

struct automaton;

/* The grammar is borrowed. */
struct automaton *automaton_new(const struct grammar *grammar);
void automaton_free(struct automaton *automaton);

/* Before the first byte. */
int32_t automaton_start(struct automaton *automaton);
/* Behind one more byte. A grammar so ambiguous that a text could stand in more
 * than 100,000 places is dead there. */
int32_t automaton_step(struct automaton *automaton, int32_t state,
                       unsigned char byte);
/* Whether the text may end here; whether it may go on. */
int automaton_may_end(const struct automaton *automaton, int32_t state);
int automaton_may_go_on(const struct automaton *automaton, int32_t state);

/* States so far, and the bytes they take. */
int32_t automaton_count(const struct automaton *automaton);
size_t automaton_memory(const struct automaton *automaton);
/* Forgets all states. */
void automaton_clear(struct automaton *automaton);

#endif
