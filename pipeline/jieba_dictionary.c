/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading jieba's dictionary and the numbers of its model. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/input.h"
#include "core/run.h"
#include "core/utf8.h"
#include "pipeline/jieba_internal.h"

enum {
    MAX_SIZE = 1 << 30,
    TREE_VERSION = 2, /* of the sections kept in the cache */
    N_FIRST = 1 << 16,
    ROOT = 1,
};

static const char debian_path[] =
    "/usr/lib/python3/dist-packages/jieba/dict.txt";

/* ---- making the tree ---- */

struct maker {
    struct jieba_tree tree;
    size_t cap_node;
    double sum; /* of all frequencies, below 2^53 */
};

static void put_edge(struct jieba_tree *tree, uint64_t key, uint64_t node)
{
    uint64_t i = jieba_edge_hash(key);

    while (tree->edge[i & tree->mask].key)
        i++;
    tree->edge[i & tree->mask] = (struct jieba_edge){key, node};
}

static void grow_edges(struct jieba_tree *tree)
{
    const struct jieba_edge *old = tree->edge;
    const uint64_t n_old = tree->mask + 1;

    tree->mask = 2 * n_old - 1;
    tree->edge = oy_calloc(2 * n_old, sizeof *tree->edge);
    for (uint64_t i = 0; i < n_old; i++) {
        if (old[i].key)
            put_edge(tree, old[i].key, old[i].node);
    }
    oy_free((void *)old);
}

/* The node behind `node` for this character, made when it is not there. */
static uint64_t step(struct maker *maker, uint64_t node, uint32_t c)
{
    struct jieba_tree *tree = &maker->tree;
    const uint64_t key = node << 21 | c;
    uint64_t i = jieba_edge_hash(key);

    for (; tree->edge[i & tree->mask].key; i++) {
        if (tree->edge[i & tree->mask].key == key)
            return tree->edge[i & tree->mask].node;
    }
    if (2 * tree->n_node > tree->mask)
        grow_edges(tree);
    OY_GROW(tree->weight, maker->cap_node, tree->n_node + 1);
    tree->weight[tree->n_node] = 0;
    put_edge(tree, key, tree->n_node);
    if (node == ROOT && c < N_FIRST)
        tree->first[c] = (uint32_t)tree->n_node;
    return tree->n_node++;
}

static void maker_start(struct maker *maker)
{
    struct jieba_tree *tree = &maker->tree;

    tree->mask = (1 << 16) - 1;
    tree->edge = oy_calloc(tree->mask + 1, sizeof *tree->edge);
    tree->first = oy_calloc(N_FIRST, sizeof *tree->first);
    tree->n_node = ROOT + 1;
    OY_GROW(tree->weight, maker->cap_node, tree->n_node);
    tree->weight[0] = tree->weight[ROOT] = 0;
}

/* "word frequency tag"; while the file is read, a weight is a frequency. 0,
 * or -1 with why. */
static int add_line(struct maker *maker, const char *line, size_t len,
                    const char **why)
{
    const char *space = memchr(line, ' ', len);
    const size_t n_word = space ? (size_t)(space - line) : 0;
    uint64_t node = ROOT, frequency = 0;
    size_t at = 0;

    *why = "not WORD FREQUENCY";
    if (!n_word || !oy_utf8_valid(line, n_word))
        return -1;
    for (size_t i = n_word + 1; i < len && line[i] != ' '; i++) {
        if ((unsigned char)(line[i] - '0') > 9 || frequency > 1ULL << 40)
            return -1;
        frequency = 10 * frequency + (uint64_t)(line[i] - '0');
    }
    uint64_t n_code = 0;
    for (; at < n_word; n_code++)
        node = step(maker, node, oy_utf8_next(line, &at));
    if (maker->tree.longest < n_code)
        maker->tree.longest = n_code;
    *why = "too many words";
    if (maker->tree.n_node > UINT32_MAX - 1)
        return -1;
    maker->tree.weight[node] = (double)frequency;
    maker->sum += (double)frequency;
    return 0;
}

static int read_lines(struct maker *maker, const char *path, const char *data,
                      size_t len, struct oy_error *err)
{
    size_t number = 1;
    const char *why;

    for (size_t at = 0; at < len; number++) {
        const char *feed = memchr(data + at, '\n', len - at);
        const size_t end = feed ? (size_t)(feed - data) : len;
        size_t n = end - at;
        if (n && data[end - 1] == '\r')
            n--;
        if (n && add_line(maker, data + at, n, &why))
            return oy_fail(err, OY_DATA, "%s:%zu: %s", path, number, why);
        at = end + 1;
    }
    return maker->sum > 0 ? 0 : oy_fail(err, OY_DATA, "%s: no words", path);
}

/* Frequencies become weights; nodes without a word get one above 0. */
static void weigh(struct maker *maker)
{
    struct jieba_tree *tree = &maker->tree;
    const double log_sum = log(maker->sum);

    for (uint64_t i = 0; i < tree->n_node; i++)
        tree->weight[i] =
            tree->weight[i] > 0 ? log(tree->weight[i]) - log_sum : 1;
    tree->unknown = log(1) - log_sum;
}

static void tree_release(struct jieba_tree *tree)
{
    oy_free(tree->edge);
    oy_free(tree->weight);
    oy_free(tree->first);
}

/* ---- keeping it ---- */

enum { EDGES, WEIGHTS, FIRST, REST, N_SECTION };

struct rest {
    uint64_t mask, n_node, longest;
    double unknown;
};

static void keep(const struct oy_cache_name *name,
                 const struct jieba_tree *tree)
{
    const struct rest rest = {tree->mask, tree->n_node, tree->longest,
                              tree->unknown};
    const struct oy_cache_section section[N_SECTION] = {
        [EDGES] = {tree->edge, (tree->mask + 1) * sizeof *tree->edge},
        [WEIGHTS] = {tree->weight, tree->n_node * sizeof *tree->weight},
        [FIRST] = {tree->first, N_FIRST * sizeof *tree->first},
        [REST] = {&rest, sizeof rest},
    };

    oy_cache_store(name, section, N_SECTION);
}

static int find_kept(const struct oy_cache_name *name, struct jieba *jieba)
{
    struct jieba_tree *tree = &jieba->tree;

    if (oy_cache_open(name, &jieba->cache))
        return -1;
    const struct rest *rest = jieba->cache.section[REST].data;
    *tree = (struct jieba_tree){
        .edge = jieba->cache.section[EDGES].data,
        .mask = rest->mask,
        .weight = jieba->cache.section[WEIGHTS].data,
        .n_node = rest->n_node,
        .first = jieba->cache.section[FIRST].data,
        .longest = rest->longest,
        .unknown = rest->unknown,
    };
    return 0;
}

/* ---- loading ---- */

static int load_dictionary(struct jieba *jieba, struct oy_error *err)
{
    struct maker maker = {.sum = 0};
    size_t len;
    char *data = oy_input_slurp(jieba->path, MAX_SIZE, &len, err);

    if (!data)
        return -1;
    const struct oy_cache_name name = {"jieba", TREE_VERSION,
                                       oy_hash128(data, len)};
    int failed = 0;
    if (find_kept(&name, jieba)) {
        maker_start(&maker);
        failed = read_lines(&maker, jieba->path, data, len, err);
        weigh(&maker);
        jieba->tree = maker.tree;
        if (!failed)
            keep(&name, &jieba->tree);
    }
    oy_free(data);
    return failed;
}

/* A line of the model: the code point in hexadecimal, and the weights of
 * begin, end, middle, single; "-" for none. */
static int read_emission(struct jieba *jieba, const char *line)
{
    char *at;
    const unsigned long c = strtoul(line, &at, 16);

    if (at == line || c < JIEBA_HAN || c >= JIEBA_HAN + JIEBA_N_HAN)
        return -1;
    for (int state = 0; state < JIEBA_N_STATE; state++) {
        if (*at++ != ' ')
            return -1;
        if (*at == '-' && (at[1] == ' ' || at[1] == '\n')) {
            at++;
            continue;
        }
        line = at;
        jieba->emission[c - JIEBA_HAN][state] = strtod(line, &at);
        if (at == line)
            return -1;
    }
    return *at == '\n' ? 0 : -1;
}

static int read_model(struct jieba *jieba, const char *path, char *data,
                      size_t len, struct oy_error *err)
{
    size_t number = 1;

    jieba->emission = oy_alloc_array(JIEBA_N_HAN, sizeof *jieba->emission);
    for (int c = 0; c < JIEBA_N_HAN; c++) {
        for (int state = 0; state < JIEBA_N_STATE; state++)
            jieba->emission[c][state] = -3.14e100;
    }
    for (char *at = data, *feed; at < data + len; at = feed + 1, number++) {
        feed = memchr(at, '\n', (size_t)(data + len - at));
        if (!feed || read_emission(jieba, at))
            return oy_fail(err, OY_DATA, "%s:%zu: not a line of weights", path,
                           number);
    }
    return 0;
}

static int load_model(struct jieba *jieba, struct oy_error *err)
{
    static const char relative[] = "pipeline/words/jieba_hmm.txt.zst";
    char *path = oy_find_data(relative);
    size_t len;

    if (!path)
        return oy_fail(err, OY_NOINPUT, "no %s", relative);
    char *data = oy_input_slurp(path, MAX_SIZE, &len, err);
    const int failed = data ? read_model(jieba, path, data, len, err) : -1;
    oy_free(data);
    oy_free(path);
    return failed;
}

struct jieba *jieba_load(const char *path, struct oy_error *err)
{
    struct jieba *jieba = oy_calloc(1, sizeof *jieba);

    jieba->path = oy_strdup(path ? path : debian_path);
    if (!path && access(debian_path, R_OK))
        oy_fail(err, OY_NOINPUT,
                "no dictionary: install python3-jieba (%s), or name one in "
                "its form with --dictionary",
                debian_path);
    else if (!load_dictionary(jieba, err) && !load_model(jieba, err))
        return jieba;
    jieba_free(jieba);
    return NULL;
}

void jieba_free(struct jieba *jieba)
{
    if (!jieba)
        return;
    if (jieba->cache.map)
        oy_cache_close(&jieba->cache);
    else
        tree_release(&jieba->tree);
    oy_free(jieba->emission);
    oy_free(jieba->path);
    oy_free(jieba);
}

int jieba_load_for(enum words_splitter splitter, const char *path,
                   struct oy_run *run, struct jieba **jieba,
                   struct oy_error *err)
{
    *jieba = NULL;
    if (splitter != WORDS_JIEBA)
        return path
                   ? oy_fail(err, OY_USAGE, "--dictionary is for --words jieba")
                   : 0;
    *jieba = jieba_load(path, err);
    if (!*jieba)
        return -1;
    return oy_run_add_resource(run, "dictionary", (*jieba)->path, err);
}
