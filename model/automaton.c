/* SPDX-License-Identifier: Apache-2.0
 *
 * Sets of places of a grammar, found again by their hash. */
#include "model/automaton.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/hash.h"

enum { UNKNOWN = -2, NO_PLACE = -1, MAX_PLACES = 100000, FIRST_SLOTS = 1024 };

/* A state of the network and the place that is gone on from when its rule
 * ends; NO_PLACE: the grammar ends. */
struct place {
    int32_t state;
    int32_t behind;
};

/* Places place_list[first .. first + n), in order. */
struct set {
    size_t first, n;
    uint64_t hash;
    int may_end;
    int32_t *next; /* [256], or NULL: nothing was asked */
};

/* Hash tables of numbers from 1 on; 0 is free. */
struct index {
    uint32_t *slot;
    size_t n, n_slot;
};

struct automaton {
    const struct grammar *grammar;
    struct place *place;
    size_t n_place, cap_place;
    uint32_t *stamp; /* [place]: the closure that saw it */
    size_t cap_stamp, n_stamp;
    struct index place_index;
    struct set *set;
    size_t n_set, cap_set;
    struct index set_index;
    int32_t *list; /* of the sets */
    size_t n_list, cap_list;
    /* Of a closure. */
    uint32_t closure;
    int32_t *pending, *kept;
    size_t n_pending, cap_pending, n_kept, cap_kept;
    int may_end;
    size_t n_table; /* tables of steps */
};

struct automaton *automaton_new(const struct grammar *grammar)
{
    struct automaton *automaton = oy_calloc(1, sizeof *automaton);

    automaton->grammar = grammar;
    return automaton;
}

void automaton_clear(struct automaton *automaton)
{
    for (size_t i = 0; i < automaton->n_set; i++)
        oy_free(automaton->set[i].next);
    oy_free(automaton->place_index.slot);
    oy_free(automaton->set_index.slot);
    automaton->place_index = automaton->set_index = (struct index){0};
    automaton->n_set = automaton->n_place = automaton->n_list = 0;
    automaton->n_stamp = automaton->n_table = 0;
    automaton->closure = 0;
}

void automaton_free(struct automaton *automaton)
{
    if (!automaton)
        return;
    automaton_clear(automaton);
    oy_free(automaton->place);
    oy_free(automaton->stamp);
    oy_free(automaton->set);
    oy_free(automaton->list);
    oy_free(automaton->pending);
    oy_free(automaton->kept);
    oy_free(automaton);
}

/* ---- indexes ---- */

static uint64_t hash_of_place(const struct automaton *automaton, uint32_t i)
{
    const struct place *place = &automaton->place[i];

    return oy_mix64((uint64_t)(uint32_t)place->state << 32 |
                    (uint32_t)place->behind);
}

static uint64_t hash_of_set(const struct automaton *automaton, uint32_t i)
{
    return automaton->set[i].hash;
}

typedef uint64_t (*hash_function)(const struct automaton *, uint32_t);

/* Makes room for one number more. */
static void grow_index(const struct automaton *automaton, struct index *index,
                       hash_function hash)
{
    struct index old = *index;

    if (2 * (index->n + 1) <= index->n_slot)
        return;
    index->n_slot = old.n_slot ? 2 * old.n_slot : FIRST_SLOTS;
    index->slot = oy_calloc(index->n_slot, sizeof *index->slot);
    for (size_t i = 0; i < old.n_slot; i++) {
        if (!old.slot[i])
            continue;
        size_t at = hash(automaton, old.slot[i] - 1) & (index->n_slot - 1);
        while (index->slot[at])
            at = (at + 1) & (index->n_slot - 1);
        index->slot[at] = old.slot[i];
    }
    oy_free(old.slot);
}

/* The number of a place, the same for equal ones. */
static int32_t number_place(struct automaton *automaton, int32_t state,
                            int32_t behind)
{
    struct index *index = &automaton->place_index;

    OY_GROW(automaton->place, automaton->cap_place, automaton->n_place + 1);
    const uint32_t new = (uint32_t)automaton->n_place;
    automaton->place[new] = (struct place){state, behind};
    grow_index(automaton, index, hash_of_place);
    size_t at = hash_of_place(automaton, new) & (index->n_slot - 1);
    for (; index->slot[at]; at = (at + 1) & (index->n_slot - 1)) {
        const struct place *place = &automaton->place[index->slot[at] - 1];
        if (place->state == state && place->behind == behind)
            return (int32_t)index->slot[at] - 1;
    }
    automaton->n_place++;
    index->slot[at] = new + 1;
    index->n++;
    return (int32_t) new;
}

/* ---- closures: all that is reached without a byte ---- */

static void begin_closure(struct automaton *automaton)
{
    automaton->closure++;
    automaton->n_pending = automaton->n_kept = 0;
    automaton->may_end = 0;
}

static void add_place(struct automaton *automaton, int32_t place)
{
    const size_t n = (size_t)place + 1;

    if (automaton->n_stamp < n) {
        OY_GROW(automaton->stamp, automaton->cap_stamp, n);
        memset(automaton->stamp + automaton->n_stamp, 0,
               (n - automaton->n_stamp) * sizeof *automaton->stamp);
        automaton->n_stamp = n;
    }
    if (automaton->stamp[place] == automaton->closure)
        return;
    automaton->stamp[place] = automaton->closure;
    OY_GROW(automaton->pending, automaton->cap_pending,
            automaton->n_pending + 1);
    automaton->pending[automaton->n_pending++] = place;
}

/* Behind nothing but the end of a rule, the place behind it is gone on from:
 * a rule that ends with itself then needs no memory. */
static int32_t call(struct automaton *automaton,
                    const struct grammar_edge *edge, int32_t behind)
{
    const struct grammar *grammar = automaton->grammar;
    const int32_t start = grammar->rule[edge->rule].start;

    if (!grammar->state[edge->target].is_end)
        behind = number_place(automaton, edge->target, behind);
    return number_place(automaton, start, behind);
}

static void follow(struct automaton *automaton, int32_t number)
{
    const struct grammar *grammar = automaton->grammar;
    const struct place place = automaton->place[number];
    const struct grammar_state *state = &grammar->state[place.state];
    int has_bytes = 0;

    if (state->is_end && place.behind == NO_PLACE)
        automaton->may_end = 1;
    else if (state->is_end)
        add_place(automaton, place.behind);
    for (int32_t e = state->edge; e >= 0; e = grammar->edge[e].next) {
        const struct grammar_edge *edge = &grammar->edge[e];
        if (!grammar->state[edge->target].can_end)
            continue;
        has_bytes |= edge->kind == GRAMMAR_BYTES;
        if (edge->kind == GRAMMAR_FREE)
            add_place(automaton,
                      number_place(automaton, edge->target, place.behind));
        else if (edge->kind == GRAMMAR_CALL)
            add_place(automaton, call(automaton, edge, place.behind));
    }
    if (!has_bytes)
        return;
    OY_GROW(automaton->kept, automaton->cap_kept, automaton->n_kept + 1);
    automaton->kept[automaton->n_kept++] = number;
}

static int by_number(const void *a, const void *b)
{
    const int32_t one = *(const int32_t *)a, two = *(const int32_t *)b;

    return (one > two) - (one < two);
}

/* The number of the set in kept[], which is in order. */
static int32_t number_set(struct automaton *automaton)
{
    struct index *index = &automaton->set_index;
    const size_t n = automaton->n_kept;
    const size_t size = n * sizeof *automaton->kept;
    const uint64_t hash =
        oy_xxh64(automaton->kept, size, (uint64_t)automaton->may_end);

    grow_index(automaton, index, hash_of_set);
    size_t at = hash & (index->n_slot - 1);
    for (; index->slot[at]; at = (at + 1) & (index->n_slot - 1)) {
        const struct set *set = &automaton->set[index->slot[at] - 1];
        if (set->hash == hash && set->n == n &&
            set->may_end == automaton->may_end &&
            (!n ||
             !memcmp(automaton->list + set->first, automaton->kept, size)))
            return (int32_t)index->slot[at] - 1;
    }
    OY_GROW(automaton->list, automaton->cap_list, automaton->n_list + n + 1);
    if (n)
        memcpy(automaton->list + automaton->n_list, automaton->kept, size);
    OY_GROW(automaton->set, automaton->cap_set, automaton->n_set + 1);
    automaton->set[automaton->n_set++] =
        (struct set){automaton->n_list, n, hash, automaton->may_end, NULL};
    automaton->n_list += n;
    index->slot[at] = (uint32_t)automaton->n_set;
    index->n++;
    return (int32_t)automaton->n_set - 1;
}

static int32_t end_closure(struct automaton *automaton)
{
    for (size_t i = 0; i < automaton->n_pending; i++) {
        if (automaton->n_pending > MAX_PLACES)
            return AUTOMATON_DEAD;
        follow(automaton, automaton->pending[i]);
    }
    if (!automaton->n_kept && !automaton->may_end)
        return AUTOMATON_DEAD;
    if (automaton->n_kept)
        qsort(automaton->kept, automaton->n_kept, sizeof *automaton->kept,
              by_number);
    return number_set(automaton);
}

/* ---- steps ---- */

int32_t automaton_start(struct automaton *automaton)
{
    const struct grammar *grammar = automaton->grammar;

    begin_closure(automaton);
    add_place(
        automaton,
        number_place(automaton, grammar->rule[grammar->root].start, NO_PLACE));
    return end_closure(automaton);
}

static void step_place(struct automaton *automaton, int32_t number,
                       unsigned char byte)
{
    const struct grammar *grammar = automaton->grammar;
    const struct place place = automaton->place[number];

    for (int32_t e = grammar->state[place.state].edge; e >= 0;
         e = grammar->edge[e].next) {
        const struct grammar_edge *edge = &grammar->edge[e];
        if (edge->kind == GRAMMAR_BYTES && edge->low <= byte &&
            byte <= edge->high && grammar->state[edge->target].can_end)
            add_place(automaton,
                      number_place(automaton, edge->target, place.behind));
    }
}

static int32_t find_step(struct automaton *automaton, int32_t state,
                         unsigned char byte)
{
    const struct set set = automaton->set[state];

    begin_closure(automaton);
    for (size_t i = 0; i < set.n; i++)
        step_place(automaton, automaton->list[set.first + i], byte);
    return end_closure(automaton);
}

int32_t automaton_step(struct automaton *automaton, int32_t state,
                       unsigned char byte)
{
    if (state == AUTOMATON_DEAD)
        return AUTOMATON_DEAD;
    int32_t *next = automaton->set[state].next;
    if (!next) {
        next = oy_alloc_array(256, sizeof *next);
        for (int i = 0; i < 256; i++)
            next[i] = UNKNOWN;
        automaton->set[state].next = next;
        automaton->n_table++;
    }
    if (next[byte] == UNKNOWN)
        next[byte] = find_step(automaton, state, byte);
    return next[byte];
}

int automaton_may_end(const struct automaton *automaton, int32_t state)
{
    return state != AUTOMATON_DEAD && automaton->set[state].may_end;
}

int automaton_may_go_on(const struct automaton *automaton, int32_t state)
{
    return state != AUTOMATON_DEAD && automaton->set[state].n > 0;
}

int32_t automaton_count(const struct automaton *automaton)
{
    return (int32_t)automaton->n_set;
}

size_t automaton_memory(const struct automaton *automaton)
{
    return automaton->cap_place * sizeof *automaton->place +
           automaton->cap_stamp * sizeof *automaton->stamp +
           automaton->cap_list * sizeof *automaton->list +
           automaton->cap_set * sizeof *automaton->set +
           automaton->n_table * 256 * sizeof(int32_t);
}
