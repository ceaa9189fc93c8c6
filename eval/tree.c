/* SPDX-License-Identifier: Apache-2.0
 *
 * The tree of shared beginnings and its walk. */
#include "eval/tree.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "model/rows.h"

/* Tokens between two branchings: positions from .. to - 1 of every sequence
 * of order[low .. high - 1]. */
struct node {
    size_t from, to;
    size_t low, high;
    int32_t parent, child, sibling; /* -1: none */
    int32_t n_waiting;              /* children that have not started */
    size_t done;                    /* positions computed, at least from */
    struct kv_sequence cache;
};

/* Who wants to know of a row: the sequence and the number of the score. */
struct ask {
    size_t row;
    struct tree_sequence *sequence;
    size_t score;
};

struct walk {
    struct engine *engine;
    const struct tree_options *options;
    struct tree_sequence **order; /* sorted */
    struct node *node;
    size_t n_node, cap_node;
    int32_t *ready; /* a stack */
    size_t n_ready, cap_ready;
    int32_t *active; /* nodes of this pass */
    struct engine_piece *piece;
    size_t n_active, cap_active, cap_piece;
    uint8_t *wanted; /* [ENGINE_ROWS] */
    float *hidden;   /* [ENGINE_ROWS][dim] */
    struct ask *ask; /* of this pass, by row */
    size_t n_ask, cap_ask;
    size_t *first_ask; /* [row]: its first; one more at the end */
    size_t n_row, cap_row;
    size_t n_vocab;
};

/* ---- building ---- */

static int compare_tokens(const int32_t *a, size_t n, const int32_t *b,
                          size_t m)
{
    const size_t both = n < m ? n : m;

    for (size_t i = 0; i < both; i++) {
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    }
    return (n > m) - (n < m);
}

static int compare_sequences(const void *a, const void *b)
{
    const struct tree_sequence *one = *(const void *const *)a;
    const struct tree_sequence *two = *(const void *const *)b;
    const int order = compare_tokens(one->id, one->n, two->id, two->n);

    return order ? order : (one > two) - (one < two);
}

static size_t common_length(const struct tree_sequence *a,
                            const struct tree_sequence *b)
{
    const size_t both = a->n < b->n ? a->n : b->n;
    size_t i = 0;

    while (i < both && a->id[i] == b->id[i])
        i++;
    return i;
}

static struct tree_sequence **sort_sequences(struct tree_sequence *sequence,
                                             size_t n)
{
    struct tree_sequence **order = oy_alloc_array(n, sizeof *order);

    for (size_t i = 0; i < n; i++)
        order[i] = &sequence[i];
    if (n)
        qsort(order, n, sizeof *order, compare_sequences);
    return order;
}

static int32_t add_node(struct walk *walk, size_t from, size_t to, size_t low)
{
    OY_GROW(walk->node, walk->cap_node, walk->n_node + 1);
    walk->node[walk->n_node] = (struct node){.from = from,
                                             .to = to,
                                             .low = low,
                                             .done = from,
                                             .parent = -1,
                                             .child = -1,
                                             .sibling = -1};
    return (int32_t)walk->n_node++;
}

/* The nodes of the sequence that was added last, root first. */
struct path {
    int32_t *node;
    size_t n, cap;
};

/* The node that ends at `depth` on the path; cuts one in two if need be. */
static void cut_path(struct walk *walk, struct path *path, size_t depth,
                     size_t high)
{
    while (path->n && walk->node[path->node[path->n - 1]].from >= depth)
        walk->node[path->node[--path->n]].high = high;
    if (!path->n)
        return;
    const int32_t top = path->node[path->n - 1];
    if (walk->node[top].to <= depth)
        return;
    /* The lower part becomes a new node, which is finished: only the upper
     * one stays on the path. */
    const int32_t low =
        add_node(walk, depth, walk->node[top].to, walk->node[top].low);
    struct node *upper = &walk->node[top], *lower = &walk->node[low];
    lower->high = high;
    lower->parent = top;
    lower->child = upper->child;
    for (int32_t c = lower->child; c >= 0; c = walk->node[c].sibling)
        walk->node[c].parent = low;
    upper->child = low;
    upper->to = depth;
}

/* Tokens of a text, with the last one that is only looked for. */
static size_t text_len(const struct tree_sequence *sequence)
{
    return sequence->n + 1;
}

/* Whether the same tokens get the same keys in both. */
static int turn_alike(const struct walk *walk, const struct tree_sequence *a,
                      const struct tree_sequence *b)
{
    const struct decoder_config *config = engine_config(walk->engine);

    return config_rope_regime(config, text_len(a)) ==
           config_rope_regime(config, text_len(b));
}

static void add_sequence(struct walk *walk, struct path *path, size_t i)
{
    const struct tree_sequence *sequence = walk->order[i];
    const size_t depth = i && turn_alike(walk, walk->order[i - 1], sequence)
                             ? common_length(walk->order[i - 1], sequence)
                             : 0;

    cut_path(walk, path, depth, i);
    if (depth == sequence->n)
        return; /* the same tokens as the one before */
    const int32_t made = add_node(walk, depth, sequence->n, i);
    if (path->n) {
        struct node *parent = &walk->node[path->node[path->n - 1]];
        walk->node[made].parent = path->node[path->n - 1];
        walk->node[made].sibling = parent->child;
        parent->child = made;
    }
    OY_GROW(path->node, path->cap, path->n + 1);
    path->node[path->n++] = made;
}

static void build(struct walk *walk, size_t n)
{
    struct path path = {0};

    for (size_t i = 0; i < n; i++)
        add_sequence(walk, &path, i);
    cut_path(walk, &path, 0, n);
    oy_free(path.node);
    for (size_t i = 0; i < walk->n_node; i++) {
        if (walk->node[i].parent >= 0)
            walk->node[walk->node[i].parent].n_waiting++;
    }
    OY_GROW(walk->ready, walk->cap_ready, walk->n_node);
    /* The first root lies on top of the stack. */
    for (size_t i = walk->n_node; i-- > 0;) {
        if (walk->node[i].parent < 0)
            walk->ready[walk->n_ready++] = (int32_t)i;
    }
}

/* ---- a pass ---- */

/* Gives a node its past: a copy of its parent's cache, or that cache itself
 * for the last child. */
static int start_node(struct walk *walk, struct node *node,
                      struct oy_error *err)
{
    if (node->parent < 0)
        return 0;
    struct node *parent = &walk->node[node->parent];
    if (parent->n_waiting > 1) {
        if (kv_fork(engine_kv(walk->engine), &parent->cache, node->from,
                    &node->cache, err))
            return -1;
    } else {
        node->cache = parent->cache;
        parent->cache = (struct kv_sequence){0};
    }
    parent->n_waiting--;
    return 0;
}

static void push_active(struct walk *walk, int32_t number)
{
    OY_GROW(walk->active, walk->cap_active, walk->n_active + 1);
    OY_GROW(walk->piece, walk->cap_piece, walk->n_active + 1);
    walk->active[walk->n_active++] = number;
}

/* Notes who asks for the rows of this part of a node. */
static void add_asks(struct walk *walk, const struct node *node, size_t n,
                     uint8_t *wanted)
{
    for (size_t p = node->done; p < node->done + n; p++) {
        const size_t before = walk->n_ask;
        for (size_t i = node->low; i < node->high; i++) {
            struct tree_sequence *s = walk->order[i];
            if (p >= s->n || p < s->n - s->n_scored)
                continue;
            OY_GROW(walk->ask, walk->cap_ask, walk->n_ask + 1);
            walk->ask[walk->n_ask++] =
                (struct ask){walk->n_row, s, p - (s->n - s->n_scored)};
        }
        wanted[p - node->done] = walk->n_ask > before;
        if (walk->n_ask == before)
            continue;
        OY_GROW(walk->first_ask, walk->cap_row, walk->n_row + 2);
        walk->first_ask[walk->n_row++] = before;
        walk->first_ask[walk->n_row] = walk->n_ask;
    }
}

/* Fills the pass with pieces of started and ready nodes. */
static int fill_pass(struct walk *walk, struct oy_error *err)
{
    struct oy_error full = {0};
    size_t n_row = 0, i = 0;

    walk->n_ask = walk->n_row = 0;
    while (n_row < ENGINE_ROWS) {
        if (i == walk->n_active) {
            if (!walk->n_ready)
                break;
            const int32_t next = walk->ready[walk->n_ready - 1];
            if (start_node(walk, &walk->node[next], &full))
                break;
            walk->n_ready--;
            push_active(walk, next);
        }
        struct node *node = &walk->node[walk->active[i]];
        const size_t left = node->to - node->done, room = ENGINE_ROWS - n_row;
        const size_t n = left < room ? left : room;
        if (kv_reserve(engine_kv(walk->engine), &node->cache, n, &full))
            break;
        add_asks(walk, node, n, walk->wanted + n_row);
        walk->piece[i++] = (struct engine_piece){
            &node->cache, walk->order[node->low]->id + node->done, n,
            walk->wanted + n_row, text_len(walk->order[node->low])};
        n_row += n;
    }
    if (!n_row && full.code)
        *err = full;
    return n_row ? (int)i : -1;
}

/* A row's log-probabilities of the tokens that are asked for. */
static void answer(const struct ask *ask, const float *logits, float lse,
                   size_t best, size_t n_vocab)
{
    struct tree_sequence *s = ask->sequence;
    const size_t k = ask->score;
    const int32_t target = s->id[s->n - s->n_scored + 1 + k];

    s->logprob[k] = logits[target] - lse;
    s->greedy[k] = (size_t)target == best;
    if (s->logits)
        memcpy(s->logits + k * n_vocab, logits, n_vocab * sizeof *logits);
}

/* The largest logits, best first, of equal ones the lower id; an insertion
 * into a short list. */
static void find_top(const float *logits, size_t n_vocab, size_t n_top,
                     int32_t *id, float *value)
{
    size_t n = 0;

    for (size_t i = 0; i < n_vocab; i++) {
        if (n == n_top && !(logits[i] > value[n - 1]))
            continue;
        size_t at = n < n_top ? n++ : n - 1;
        for (; at && logits[i] > value[at - 1]; at--) {
            id[at] = id[at - 1];
            value[at] = value[at - 1];
        }
        id[at] = (int32_t)i;
        value[at] = logits[i];
    }
}

static void put_top(const struct ask *ask, const float *logits, float lse,
                    size_t n_top, size_t n_vocab)
{
    int32_t *id = ask->sequence->top_id + ask->score * n_top;
    float *value = ask->sequence->top_logprob + ask->score * n_top;

    find_top(logits, n_vocab, n_top, id, value);
    for (size_t i = 0; i < n_top; i++)
        value[i] -= lse;
}

static void read_row(void *arg, size_t row, float *logits, int worker)
{
    const struct walk *walk = arg;
    const float lse = rows_log_sum_exp(logits, walk->n_vocab);
    const size_t best = rows_argmax(logits, walk->n_vocab);

    (void)worker;
    for (size_t i = walk->first_ask[row]; i < walk->first_ask[row + 1]; i++) {
        answer(&walk->ask[i], logits, lse, best, walk->n_vocab);
        if (walk->ask[i].sequence->top_id)
            put_top(&walk->ask[i], logits, lse, walk->options->n_top,
                    walk->n_vocab);
    }
}

static void finish_node(struct walk *walk, int32_t number)
{
    struct node *node = &walk->node[number];

    if (!node->n_waiting)
        kv_release(engine_kv(walk->engine), &node->cache);
    for (int32_t c = node->child; c >= 0; c = walk->node[c].sibling)
        walk->ready[walk->n_ready++] = c;
}

/* Nodes that are not done stay in front. */
static void advance(struct walk *walk, size_t n_piece)
{
    size_t n_left = 0;

    for (size_t i = 0; i < n_piece; i++)
        walk->node[walk->active[i]].done += walk->piece[i].n;
    for (size_t i = 0; i < walk->n_active; i++) {
        const int32_t number = walk->active[i];
        if (walk->node[number].done < walk->node[number].to)
            walk->active[n_left++] = number;
        else
            finish_node(walk, number);
    }
    walk->n_active = n_left;
}

static int run_pass(struct walk *walk, struct oy_error *err)
{
    const int n_piece = fill_pass(walk, err);
    uint64_t n_row = 0;

    if (n_piece < 0)
        return -1;
    if (engine_run(walk->engine, walk->piece, (size_t)n_piece, walk->hidden,
                   err) ||
        engine_logits(walk->engine, walk->hidden, walk->n_row, read_row, walk,
                      err))
        return -1;
    for (int i = 0; i < n_piece; i++)
        n_row += walk->piece[i].n;
    advance(walk, (size_t)n_piece);
    if (walk->options->progress)
        walk->options->progress(walk->options->arg, n_row);
    return 0;
}

static void release_walk(struct walk *walk)
{
    for (size_t i = 0; i < walk->n_node; i++)
        kv_release(engine_kv(walk->engine), &walk->node[i].cache);
    oy_free(walk->order);
    oy_free(walk->node);
    oy_free(walk->ready);
    oy_free(walk->active);
    oy_free(walk->piece);
    oy_free(walk->wanted);
    oy_free(walk->hidden);
    oy_free(walk->ask);
    oy_free(walk->first_ask);
}

int tree_score(struct engine *engine, struct tree_sequence *sequence, size_t n,
               const struct tree_options *options, struct oy_error *err)
{
    const struct decoder_config *config = engine_config(engine);
    struct walk walk = {.engine = engine, .options = options};
    int status = 0;

    walk.n_vocab = (size_t)config->n_vocab;
    walk.order = sort_sequences(sequence, n);
    walk.wanted = oy_alloc_array(ENGINE_ROWS, 1);
    walk.hidden =
        oy_alloc_array(ENGINE_ROWS * (size_t)config->dim, sizeof *walk.hidden);
    build(&walk, n);
    while (!status && (walk.n_ready || walk.n_active))
        status = run_pass(&walk, err);
    release_walk(&walk);
    return status;
}

uint64_t tree_count(const struct tree_sequence *sequence, size_t n)
{
    struct tree_sequence **order =
        sort_sequences((struct tree_sequence *)sequence, n);
    uint64_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += order[i]->n - (i ? common_length(order[i - 1], order[i]) : 0);
    oy_free(order);
    return count;
}
