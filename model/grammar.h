/* SPDX-License-Identifier: Apache-2.0
 *
 * Grammars that generated text must follow, as a network of states over
 * bytes.
 *
 * The language is llama.cpp's GBNF: rules `name ::= alternatives`, literals
 * "..." and classes [a-z] [^"] with the escapes \n \r \t \\ \" \[ \] \- \xHH
 * \uHHHH \UHHHHHHHH, `.` for any character, groups ( ), alternatives |,
 * repetitions * + ? {m} {m,} {m,n} {,n}, comments from # on. A rule ends with
 * its line; inside a group and behind `|` it goes on. Text begins with the
 * rule `root`. Names are of letters, digits, - and _.
 *
 * Characters become their bytes in UTF-8, so that a token may end in the
 * middle of one. A rule that begins with itself (left recursion), that can
 * never end, or that is not there is refused by name.
 *
 * A grammar does not change once it was read and is shared by threads.
 */
#ifndef MODEL_GRAMMAR_H
#define MODEL_GRAMMAR_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

enum grammar_edge_kind {
    GRAMMAR_FREE,  /* over nothing */
    GRAMMAR_BYTES, /* over a byte of low .. high */
    GRAMMAR_CALL,  /* over a text of another rule */
};

struct grammar_edge {
    enum grammar_edge_kind kind;
    uint8_t low, high;
    int32_t rule; /* that is called */
    int32_t target;
    int32_t next; /* of the same state; -1: the last */
};

/* A rule is the texts between two states; nothing leaves the end. */
struct grammar_rule {
    char *name; /* NULL: one without a name, made of a repetition */
    int32_t start, end;
};

struct grammar_state {
    int32_t edge; /* the first one; -1: none */
    uint8_t is_end;
    uint8_t can_end; /* some text leads from here to the end of its rule */
};

struct grammar {
    struct grammar_state *state;
    size_t n_state, cap_state;
    struct grammar_edge *edge;
    size_t n_edge, cap_edge;
    struct grammar_rule *rule;
    size_t n_rule, cap_rule;
    int32_t root; /* a rule */
};

/* NULL after a failure (65) that names line and reason. */
struct grammar *grammar_read(const char *text, size_t len,
                             struct oy_error *err);
void grammar_free(struct grammar *grammar);

#endif
