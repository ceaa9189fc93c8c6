/* SPDX-License-Identifier: Apache-2.0
 *
 * Building the network of a grammar. */
#ifndef MODEL_GRAMMAR_INTERNAL_H
#define MODEL_GRAMMAR_INTERNAL_H

#include "model/grammar.h"

enum { GRAMMAR_MAX_STATES = 1 << 22 };

int32_t grammar_add_state(struct grammar *grammar);
void grammar_add_free(struct grammar *grammar, int32_t from, int32_t to);
void grammar_add_call(struct grammar *grammar, int32_t from, int32_t to,
                      int32_t rule);
/* The bytes of the characters low .. high; surrogates are left out. */
void grammar_add_characters(struct grammar *grammar, int32_t from, int32_t to,
                            uint32_t low, uint32_t high);
/* A rule with two new states; the name is copied, or NULL. */
int32_t grammar_add_rule(struct grammar *grammar, const char *name, size_t len);
/* -1: no such rule. */
int32_t grammar_find_rule(const struct grammar *grammar, const char *name,
                          size_t len);
/* Checks the whole and shortens free ways. -1 with err (65). */
int grammar_finish(struct grammar *grammar, struct oy_error *err);

#endif
