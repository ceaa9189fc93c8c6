/* SPDX-License-Identifier: Apache-2.0
 *
 * The network of a grammar: states, edges, and what makes it unfit. */
#include "model/grammar.h"

#include <string.h>

#include "core/alloc.h"
#include "core/utf8.h"
#include "model/grammar_internal.h"

void grammar_free(struct grammar *grammar)
{
    if (!grammar)
        return;
    for (size_t i = 0; i < grammar->n_rule; i++)
        oy_free(grammar->rule[i].name);
    oy_free(grammar->rule);
    oy_free(grammar->state);
    oy_free(grammar->edge);
    oy_free(grammar);
}

/* ---- building ---- */

int32_t grammar_add_state(struct grammar *grammar)
{
    OY_GROW(grammar->state, grammar->cap_state, grammar->n_state + 1);
    grammar->state[grammar->n_state] = (struct grammar_state){.edge = -1};
    return (int32_t)grammar->n_state++;
}

static void add_edge(struct grammar *grammar, int32_t from,
                     struct grammar_edge edge)
{
    OY_GROW(grammar->edge, grammar->cap_edge, grammar->n_edge + 1);
    edge.next = grammar->state[from].edge;
    grammar->edge[grammar->n_edge] = edge;
    grammar->state[from].edge = (int32_t)grammar->n_edge++;
}

void grammar_add_free(struct grammar *grammar, int32_t from, int32_t to)
{
    add_edge(grammar, from,
             (struct grammar_edge){.kind = GRAMMAR_FREE, .target = to});
}

void grammar_add_call(struct grammar *grammar, int32_t from, int32_t to,
                      int32_t rule)
{
    add_edge(grammar, from,
             (struct grammar_edge){
                 .kind = GRAMMAR_CALL, .rule = rule, .target = to});
}

static void add_bytes(struct grammar *grammar, int32_t from, int32_t to,
                      uint8_t low, uint8_t high)
{
    add_edge(
        grammar, from,
        (struct grammar_edge){
            .kind = GRAMMAR_BYTES, .low = low, .high = high, .target = to});
}

/* Sequences of n bytes, byte i of low[i] .. high[i]. */
static void add_sequence(struct grammar *grammar, int32_t from, int32_t to,
                         const char *low, const char *high, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const int32_t next = i + 1 < n ? grammar_add_state(grammar) : to;
        add_bytes(grammar, from, next, (uint8_t)low[i], (uint8_t)high[i]);
        from = next;
    }
}

/* The last code point up to `high` such that low .. last is one sequence of
 * byte ranges: they have the same length, and where their bytes differ, all
 * bytes behind run over their whole range. */
static uint32_t end_of_sequence(uint32_t low, uint32_t high)
{
    static const uint32_t border[] = {0x7f, 0x7ff, 0xd7ff, 0xffff, 0x10ffff};

    for (size_t i = 0; i < sizeof border / sizeof *border; i++) {
        if (low <= border[i] && border[i] < high)
            high = border[i];
    }
    for (int bits = 6; bits < 24; bits += 6) {
        const uint32_t mask = ((uint32_t)1 << bits) - 1;
        if (high < 0x80 || (low & ~mask) == (high & ~mask))
            break;
        if (low & mask)
            return low | mask;
        if ((high & mask) != mask)
            high = (high & ~mask) - 1;
    }
    return high;
}

void grammar_add_characters(struct grammar *grammar, int32_t from, int32_t to,
                            uint32_t low, uint32_t high)
{
    char first[4], last[4];

    if (low >= 0xd800 && low < 0xe000)
        low = 0xe000;
    if (high >= 0xd800 && high < 0xe000)
        high = 0xd7ff;
    while (low <= high) {
        const uint32_t end = end_of_sequence(low, high);
        const size_t n = oy_utf8_put(first, low);
        oy_utf8_put(last, end);
        add_sequence(grammar, from, to, first, last, n);
        low = end == 0xd7ff ? 0xe000 : end + 1;
    }
}

int32_t grammar_add_rule(struct grammar *grammar, const char *name, size_t len)
{
    struct grammar_rule rule = {.name = name ? oy_strndup(name, len) : NULL};

    rule.start = grammar_add_state(grammar);
    rule.end = grammar_add_state(grammar);
    grammar->state[rule.end].is_end = 1;
    OY_GROW(grammar->rule, grammar->cap_rule, grammar->n_rule + 1);
    grammar->rule[grammar->n_rule] = rule;
    return (int32_t)grammar->n_rule++;
}

int32_t grammar_find_rule(const struct grammar *grammar, const char *name,
                          size_t len)
{
    for (size_t i = 0; i < grammar->n_rule; i++) {
        const char *other = grammar->rule[i].name;
        if (other && !strncmp(other, name, len) && !other[len])
            return (int32_t)i;
    }
    return -1;
}

/* ---- finishing ---- */

/* A state from which there is but one free way is the state behind it. */
static int32_t shorten(const struct grammar *grammar, int32_t state)
{
    for (size_t i = 0; i < grammar->n_state; i++) {
        const int32_t at = grammar->state[state].edge;
        if (at < 0 || grammar->edge[at].next >= 0 ||
            grammar->edge[at].kind != GRAMMAR_FREE)
            break;
        state = grammar->edge[at].target;
    }
    return state;
}

/* Whether an edge can be passed, as far as is known. */
static int is_open(const struct grammar *grammar,
                   const struct grammar_edge *edge)
{
    const int32_t start =
        edge->kind == GRAMMAR_CALL ? grammar->rule[edge->rule].start : -1;

    return grammar->state[edge->target].can_end &&
           (start < 0 || grammar->state[start].can_end);
}

static int update_can_end(struct grammar *grammar, size_t i)
{
    struct grammar_state *state = &grammar->state[i];

    if (state->can_end)
        return 0;
    state->can_end = state->is_end;
    for (int32_t e = state->edge; e >= 0; e = grammar->edge[e].next)
        state->can_end |= (uint8_t)is_open(grammar, &grammar->edge[e]);
    return state->can_end;
}

/* Most ways lead to states of higher numbers, so the way back is quick. */
static void find_ends(struct grammar *grammar)
{
    int changed = 1;

    while (changed) {
        changed = 0;
        for (size_t i = grammar->n_state; i-- > 0;)
            changed |= update_can_end(grammar, i);
    }
}

/* Looks for rules that begin with themselves. */
struct left {
    const struct grammar *grammar;
    uint8_t *nullable; /* [rule] */
    uint8_t *seen;     /* [state], in one walk */
    uint8_t *colour;   /* [rule]: 1 on the way, 2 done */
    int32_t *pending;
    size_t n_pending, cap_pending;
};

static void push(struct left *left, int32_t state)
{
    if (left->seen[state])
        return;
    left->seen[state] = 1;
    OY_GROW(left->pending, left->cap_pending, left->n_pending + 1);
    left->pending[left->n_pending++] = state;
}

/* All states that a rule reaches without a byte, in pending[0 .. n_pending). */
static void walk_left(struct left *left, int32_t rule)
{
    const struct grammar *grammar = left->grammar;

    for (size_t i = 0; i < left->n_pending; i++)
        left->seen[left->pending[i]] = 0;
    left->n_pending = 0;
    push(left, grammar->rule[rule].start);
    for (size_t i = 0; i < left->n_pending; i++) {
        for (int32_t e = grammar->state[left->pending[i]].edge; e >= 0;
             e = grammar->edge[e].next) {
            const struct grammar_edge *edge = &grammar->edge[e];
            if (edge->kind == GRAMMAR_FREE ||
                (edge->kind == GRAMMAR_CALL && left->nullable[edge->rule]))
                push(left, edge->target);
        }
    }
}

static void find_nullable(struct left *left)
{
    const struct grammar *grammar = left->grammar;
    int changed = 1;

    while (changed) {
        changed = 0;
        for (size_t i = grammar->n_rule; i-- > 0;) {
            if (left->nullable[i])
                continue;
            walk_left(left, (int32_t)i);
            left->nullable[i] = left->seen[grammar->rule[i].end];
            changed |= left->nullable[i];
        }
    }
}

/* The rules that a rule may begin with; how many. */
static size_t first_rules(struct left *left, int32_t rule, int32_t **list)
{
    const struct grammar *grammar = left->grammar;
    size_t n = 0, cap = 0;

    *list = NULL;
    walk_left(left, rule);
    for (size_t i = 0; i < left->n_pending; i++) {
        for (int32_t e = grammar->state[left->pending[i]].edge; e >= 0;
             e = grammar->edge[e].next) {
            if (grammar->edge[e].kind != GRAMMAR_CALL)
                continue;
            OY_GROW(*list, cap, n + 1);
            (*list)[n++] = grammar->edge[e].rule;
        }
    }
    return n;
}

/* A rule on the way down, and which of its first rules is next. */
struct visit {
    int32_t rule;
    int32_t *first;
    size_t n, at;
};

/* A rule on a circle that `start` leads to, or -1: depth first, without the
 * machine's stack. */
static int32_t find_circle(struct left *left, int32_t start)
{
    struct visit *way = NULL;
    size_t n = 0, cap = 0;
    int32_t found = -1, next = start;

    while (next >= 0 && found < 0) {
        OY_GROW(way, cap, n + 1);
        left->colour[next] = 1;
        way[n] = (struct visit){.rule = next};
        way[n].n = first_rules(left, next, &way[n].first);
        n++;
        next = -1;
        while (n && next < 0 && found < 0) {
            struct visit *top = &way[n - 1];
            const int32_t rule = top->at < top->n ? top->first[top->at++] : -1;
            if (rule < 0) {
                left->colour[top->rule] = 2;
                oy_free(way[--n].first);
            } else if (left->colour[rule] == 1) {
                found = rule;
            } else if (left->colour[rule] == 0) {
                next = rule;
            }
        }
    }
    while (n)
        oy_free(way[--n].first);
    oy_free(way);
    return found;
}

static int32_t find_left_recursion(const struct grammar *grammar)
{
    struct left left = {.grammar = grammar};
    int32_t found = -1;

    left.nullable = oy_calloc(grammar->n_rule, 1);
    left.colour = oy_calloc(grammar->n_rule, 1);
    left.seen = oy_calloc(grammar->n_state, 1);
    find_nullable(&left);
    for (size_t i = 0; i < grammar->n_rule && found < 0; i++) {
        if (!left.colour[i])
            found = find_circle(&left, (int32_t)i);
    }
    oy_free(left.nullable);
    oy_free(left.colour);
    oy_free(left.seen);
    oy_free(left.pending);
    return found;
}

static const char *name_of(const struct grammar *grammar, int32_t rule)
{
    const char *name = grammar->rule[rule].name;

    return name ? name : "a repetition";
}

int grammar_finish(struct grammar *grammar, struct oy_error *err)
{
    const int32_t root = grammar_find_rule(grammar, "root", 4);

    if (root < 0)
        return oy_fail(err, OY_DATA, "no rule 'root'");
    grammar->root = root;
    for (size_t i = 0; i < grammar->n_edge; i++)
        grammar->edge[i].target = shorten(grammar, grammar->edge[i].target);
    find_ends(grammar);
    for (size_t i = 0; i < grammar->n_rule; i++) {
        if (!grammar->state[grammar->rule[i].start].can_end)
            return oy_fail(err, OY_DATA, "rule '%s' can never end",
                           name_of(grammar, (int32_t)i));
    }
    const int32_t left = find_left_recursion(grammar);
    if (left >= 0)
        return oy_fail(err, OY_DATA, "rule '%s' begins with itself",
                       name_of(grammar, left));
    return 0;
}
