/* SPDX-License-Identifier: Apache-2.0
 *
 * The tree of shared beginnings as requests of a batch. */
#include "eval/tree.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "model/rows.h"

/* Tokens between two branchings: positions from .. to - 1 of every sequence
 * of order[low .. high - 1]. */
struct node {
    const struct walk *walk;
    size_t from, to;
    size_t low, high;
};

struct walk {
    struct batch *batch;
    const struct tree_options *options;
    struct tree_sequence **order; /* sorted */
    struct node *node;
    size_t n_node, cap_node;
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

static const int32_t *key_of(const struct tree_sequence *sequence)
{
    return sequence->key ? sequence->key : sequence->id;
}

static int compare_sequences(const void *a, const void *b)
{
    const struct tree_sequence *one = *(const void *const *)a;
    const struct tree_sequence *two = *(const void *const *)b;
    const int order = compare_tokens(key_of(one), one->n, key_of(two), two->n);

    return order ? order : (one > two) - (one < two);
}

static size_t common_length(const struct tree_sequence *a,
                            const struct tree_sequence *b)
{
    const size_t both = a->n < b->n ? a->n : b->n;
    const int32_t *x = key_of(a), *y = key_of(b);
    size_t i = 0;

    while (i < both && x[i] == y[i])
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

/* The numbers of the nodes of the sequence that was added last, root first. */
struct path {
    size_t *node;
    size_t n, cap;
};

static size_t add_node(struct walk *walk, size_t from, size_t to, size_t low)
{
    OY_GROW(walk->node, walk->cap_node, walk->n_node + 1);
    walk->node[walk->n_node] =
        (struct node){.walk = walk, .from = from, .to = to, .low = low};
    return walk->n_node++;
}

/* Ends the path at `depth`; cuts a node in two if need be. What is below is
 * finished: no sequence from `high` on goes through it. */
static void cut_path(struct walk *walk, struct path *path, size_t depth,
                     size_t high)
{
    while (path->n && walk->node[path->node[path->n - 1]].from >= depth)
        walk->node[path->node[--path->n]].high = high;
    if (!path->n)
        return;
    const size_t top = path->node[path->n - 1];
    const struct node whole = walk->node[top];
    if (whole.to <= depth)
        return;
    const size_t lower = add_node(walk, depth, whole.to, whole.low);
    walk->node[lower].high = high;
    walk->node[top].to = depth;
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
    const struct decoder_config *config =
        engine_config(batch_engine(walk->batch));

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
    OY_GROW(path->node, path->cap, path->n + 1);
    path->node[path->n++] = add_node(walk, depth, sequence->n, i);
}

/* Parents before their children, a branch whole before the next one. */
static int compare_nodes(const void *a, const void *b)
{
    const struct node *one = a, *two = b;

    if (one->low != two->low)
        return one->low < two->low ? -1 : 1;
    return (one->from > two->from) - (one->from < two->from);
}

static void build(struct walk *walk, size_t n)
{
    struct path path = {0};

    for (size_t i = 0; i < n; i++)
        add_sequence(walk, &path, i);
    cut_path(walk, &path, 0, n);
    oy_free(path.node);
    if (walk->n_node)
        qsort(walk->node, walk->n_node, sizeof *walk->node, compare_nodes);
}

/* ---- answers ---- */

/* The logits behind a token, and what all who ask need of them. */
struct row {
    const float *logits; /* [n_vocab] */
    size_t n_vocab;
    float lse;
    size_t best;
};

/* A row's log-probabilities of the tokens that are asked for. */
static void answer(const struct tree_sequence *s, size_t k,
                   const struct row *row)
{
    const int32_t target = s->id[s->n - s->n_scored + 1 + k];

    s->logprob[k] = row->logits[target] - row->lse;
    s->greedy[k] = (size_t)target == row->best;
    if (s->logits)
        memcpy(s->logits + k * row->n_vocab, row->logits,
               row->n_vocab * sizeof *row->logits);
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

static void put_top(const struct tree_sequence *s, size_t k,
                    const struct row *row, size_t n_top)
{
    int32_t *id = s->top_id + k * n_top;
    float *value = s->top_logprob + k * n_top;

    find_top(row->logits, row->n_vocab, n_top, id, value);
    for (size_t i = 0; i < n_top; i++)
        value[i] -= row->lse;
}

static void read_row(void *arg, size_t position, float *logits, int worker)
{
    const struct node *node = arg;
    const struct walk *walk = node->walk;
    const struct row row = {logits, walk->n_vocab,
                            rows_log_sum_exp(logits, walk->n_vocab),
                            rows_argmax(logits, walk->n_vocab)};

    (void)worker;
    for (size_t i = node->low; i < node->high; i++) {
        struct tree_sequence *s = walk->order[i];
        const size_t first = s->n - s->n_scored;
        if (position < first)
            continue;
        answer(s, position - first, &row);
        if (s->top_id)
            put_top(s, position - first, &row, walk->options->n_top);
        if (position + 1 == s->n)
            s->is_done = 1;
    }
}

/* ---- the run ---- */

static struct batch_request make_request(struct node *node)
{
    struct tree_sequence *const *order = node->walk->order;
    size_t first = node->to;

    for (size_t i = node->low; i < node->high; i++) {
        const size_t from = order[i]->n - order[i]->n_scored;
        first = from < first ? from : first;
    }
    return (struct batch_request){.id = order[node->low]->id,
                                  .n = node->to,
                                  .first =
                                      first < node->from ? node->from : first,
                                  .text_len = text_len(order[node->low]),
                                  .embed = order[node->low]->embed,
                                  .row = read_row,
                                  .arg = node};
}

static int add_requests(struct walk *walk, struct oy_error *err)
{
    const size_t n = walk->n_node;
    struct batch_request *request = oy_calloc(n, sizeof *request);
    int32_t *parent = oy_alloc_array(n, sizeof *parent);
    struct path path = {0}; /* of the node before */

    for (size_t i = 0; i < n; i++) {
        const struct node *node = &walk->node[i];
        while (path.n && walk->node[path.node[path.n - 1]].high <= node->low)
            path.n--;
        parent[i] = path.n ? (int32_t)path.node[path.n - 1] : -1;
        OY_GROW(path.node, path.cap, path.n + 1);
        path.node[path.n++] = i;
        request[i] = make_request(&walk->node[i]);
    }
    const int status = batch_add_tree(walk->batch, request, parent, n, err);
    oy_free(path.node);
    oy_free(parent);
    oy_free(request);
    return status;
}

static int run_batch(const struct walk *walk, struct oy_error *err)
{
    const struct tree_options *options = walk->options;
    uint64_t n_row = batch_counts(walk->batch).n_row;
    int status = 1;

    while (status > 0) {
        status = batch_step(walk->batch, err);
        const uint64_t now = batch_counts(walk->batch).n_row;
        if (options->progress && now > n_row)
            options->progress(options->arg, now - n_row);
        n_row = now;
    }
    return status;
}

int tree_score(struct batch *batch, struct tree_sequence *sequence, size_t n,
               const struct tree_options *options, struct oy_error *err)
{
    struct walk walk = {.batch = batch, .options = options};

    walk.n_vocab = (size_t)engine_config(batch_engine(batch))->n_vocab;
    walk.order = sort_sequences(sequence, n);
    build(&walk, n);
    const int status = add_requests(&walk, err) || run_batch(&walk, err);
    oy_free(walk.order);
    oy_free(walk.node);
    return -status;
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
