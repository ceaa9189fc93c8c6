/* SPDX-License-Identifier: Apache-2.0
 *
 * Masks of tokens, one for each state of a grammar's automaton. */
#include "model/constraint.h"

#include <pthread.h>
#include <string.h>

#include "model/automaton.h"

enum { MAX_MEMORY = 64 << 20 };

struct constraint {
    struct grammar *grammar;
    const struct token_walk *walk;
    int32_t *end;
    size_t n_end;
    size_t n_word;
    pthread_mutex_t lock; /* of all below */
    struct automaton *automaton;
    int32_t start;
    uint64_t epoch;  /* counts from 1, on when states are forgotten */
    uint64_t **mask; /* [state], NULL: not asked for yet */
    size_t n_mask, cap_mask, n_made;
    int32_t *state_at; /* [max_depth + 1], of a walk */
};

struct constraint *constraint_new(struct grammar *grammar,
                                  const struct token_walk *walk,
                                  const int32_t *end, size_t n_end)
{
    struct constraint *constraint = oy_calloc(1, sizeof *constraint);

    constraint->grammar = grammar;
    constraint->walk = walk;
    constraint->end = oy_alloc_array(n_end + 1, sizeof *end);
    for (size_t i = 0; i < n_end; i++)
        constraint->end[i] = end[i];
    constraint->n_end = n_end;
    constraint->n_word = ((size_t)walk->n_id + 63) / 64;
    pthread_mutex_init(&constraint->lock, NULL);
    constraint->automaton = automaton_new(grammar);
    constraint->start = automaton_start(constraint->automaton);
    constraint->epoch = 1;
    constraint->state_at =
        oy_alloc_array(walk->max_depth + 1, sizeof *constraint->state_at);
    return constraint;
}

static void forget_masks(struct constraint *constraint)
{
    for (size_t i = 0; i < constraint->n_mask; i++)
        oy_free(constraint->mask[i]);
    constraint->n_mask = constraint->n_made = 0;
}

void constraint_free(struct constraint *constraint)
{
    if (!constraint)
        return;
    forget_masks(constraint);
    oy_free(constraint->mask);
    oy_free(constraint->state_at);
    oy_free(constraint->end);
    automaton_free(constraint->automaton);
    grammar_free(constraint->grammar);
    pthread_mutex_destroy(&constraint->lock);
    oy_free(constraint);
}

size_t constraint_words(const struct constraint *constraint)
{
    return constraint->n_word;
}

/* ---- reading tokens ---- */

static int32_t read_token(struct constraint *constraint, int32_t state,
                          int32_t id)
{
    const struct token_walk *walk = constraint->walk;

    if (id < 0 || id >= walk->n_id)
        return AUTOMATON_DEAD;
    for (uint32_t i = walk->at[id]; i < walk->at[id + 1]; i++)
        state = automaton_step(constraint->automaton, state,
                               (unsigned char)walk->text.data[i]);
    return state;
}

/* A cursor from before states were forgotten, or of another completion that
 * was begun anew, reads from the start. */
static void follow(struct constraint *constraint,
                   struct constraint_cursor *cursor, const int32_t *id,
                   size_t n)
{
    if (cursor->epoch != constraint->epoch || cursor->n_id > n)
        *cursor =
            (struct constraint_cursor){constraint->start, constraint->epoch, 0};
    while (cursor->n_id < n)
        cursor->state =
            read_token(constraint, cursor->state, id[cursor->n_id++]);
}

static void limit_memory(struct constraint *constraint)
{
    const size_t used = automaton_memory(constraint->automaton) +
                        constraint->n_made * constraint->n_word * 8;

    if (used <= MAX_MEMORY)
        return;
    forget_masks(constraint);
    automaton_clear(constraint->automaton);
    constraint->start = automaton_start(constraint->automaton);
    constraint->epoch++;
}

/* ---- masks ---- */

static void set_bit(uint64_t *mask, int32_t id)
{
    mask[id / 64] |= (uint64_t)1 << id % 64;
}

static void walk_tokens(struct constraint *constraint, int32_t state,
                        uint64_t *mask)
{
    const struct token_walk *walk = constraint->walk;
    int32_t *state_at = constraint->state_at;

    state_at[0] = state;
    for (size_t i = 0; i < walk->n_node;) {
        const struct token_walk_node *node = &walk->node[i];
        const int32_t next = automaton_step(
            constraint->automaton, state_at[node->depth - 1], node->byte);
        if (next == AUTOMATON_DEAD) {
            i = node->skip;
            continue;
        }
        state_at[node->depth] = next;
        for (uint32_t t = node->token; t < node[1].token; t++)
            set_bit(mask, walk->token[t]);
        i++;
    }
}

static const uint64_t *find_mask(struct constraint *constraint, int32_t state)
{
    const size_t at = (size_t)state;

    if (constraint->n_mask <= at) {
        OY_GROW(constraint->mask, constraint->cap_mask, at + 1);
        memset(constraint->mask + constraint->n_mask, 0,
               (at + 1 - constraint->n_mask) * sizeof *constraint->mask);
        constraint->n_mask = at + 1;
    }
    if (constraint->mask[at])
        return constraint->mask[at];
    uint64_t *mask = oy_calloc(constraint->n_word, sizeof *mask);
    walk_tokens(constraint, state, mask);
    for (size_t i = 0; i < constraint->n_end; i++) {
        const int32_t id = constraint->end[i];
        if (id < 0 || id >= constraint->walk->n_id)
            continue;
        mask[id / 64] &= ~((uint64_t)1 << id % 64);
        if (automaton_may_end(constraint->automaton, state))
            set_bit(mask, id);
    }
    constraint->mask[at] = mask;
    constraint->n_made++;
    return mask;
}

size_t constraint_allow(struct constraint *constraint,
                        struct constraint_cursor *cursor, const int32_t *id,
                        size_t n, uint64_t *mask)
{
    size_t n_allowed = 0;

    memset(mask, 0, constraint->n_word * sizeof *mask);
    pthread_mutex_lock(&constraint->lock);
    limit_memory(constraint);
    follow(constraint, cursor, id, n);
    if (cursor->state != AUTOMATON_DEAD)
        memcpy(mask, find_mask(constraint, cursor->state),
               constraint->n_word * sizeof *mask);
    pthread_mutex_unlock(&constraint->lock);
    for (size_t i = 0; i < constraint->n_word; i++)
        n_allowed += (size_t)__builtin_popcountll(mask[i]);
    return n_allowed;
}

int constraint_may_end(struct constraint *constraint,
                       struct constraint_cursor *cursor, const int32_t *id,
                       size_t n)
{
    pthread_mutex_lock(&constraint->lock);
    follow(constraint, cursor, id, n);
    const int may = automaton_may_end(constraint->automaton, cursor->state);
    pthread_mutex_unlock(&constraint->lock);
    return may;
}

int constraint_is_over(struct constraint *constraint,
                       struct constraint_cursor *cursor, const int32_t *id,
                       size_t n)
{
    pthread_mutex_lock(&constraint->lock);
    follow(constraint, cursor, id, n);
    const int over = automaton_may_end(constraint->automaton, cursor->state) &&
                     !automaton_may_go_on(constraint->automaton, cursor->state);
    pthread_mutex_unlock(&constraint->lock);
    return over;
}
