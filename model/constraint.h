/* SPDX-License-Identifier: Apache-2.0
 *
 * Which tokens a grammar allows next.
 *
 * A completion is the bytes that its tokens add. A token is allowed where some
 * text of the grammar goes on with its bytes, an end token where a text of the
 * grammar ends, and nothing else ever: so a completion that came to its end is
 * a text of the grammar, and one that was cut off is the beginning of one. (A
 * decoder that takes the first space of a text away does so here too.)
 *
 * What is allowed depends on the state of the automaton alone and is kept for
 * each; states and masks together are held below 64 MiB. A constraint may be
 * used by many threads and completions at once.
 */
#ifndef MODEL_CONSTRAINT_H
#define MODEL_CONSTRAINT_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "model/grammar.h"
#include "model/token_walk.h"

struct constraint;

/* Takes the grammar; the walk is borrowed, the ids of the end tokens are
 * copied. */
struct constraint *constraint_new(struct grammar *grammar,
                                  const struct token_walk *walk,
                                  const int32_t *end, size_t n_end);
void constraint_free(struct constraint *constraint);

/* Where a completion stands; zero-initialised is its beginning. */
struct constraint_cursor {
    int32_t state;
    uint64_t epoch; /* of the numbers of states; 0: none yet */
    size_t n_id;    /* tokens that were read */
};

/* Reads a completion's tokens id[n], those that are new to the cursor, and
 * fills the words of a mask: bit i of word i / 64 for token i. Returns how
 * many are allowed: 0 where the tokenizer has no token to go on with. */
size_t constraint_allow(struct constraint *constraint,
                        struct constraint_cursor *cursor, const int32_t *id,
                        size_t n, uint64_t *mask);
/* Words of a mask. */
size_t constraint_words(const struct constraint *constraint);

/* Whether the completion is a text of the grammar, and whether it is one that
 * cannot go on. */
int constraint_may_end(struct constraint *constraint,
                       struct constraint_cursor *cursor, const int32_t *id,
                       size_t n);
int constraint_is_over(struct constraint *constraint,
                       struct constraint_cursor *cursor, const int32_t *id,
                       size_t n);

#endif
