/* SPDX-License-Identifier: Apache-2.0
 *
 * From a text to labels: the rows of its words and of the parts of its words
 * are added up, and the sum is asked for labels. */
#include "pipeline/fasttext.h"

#include <math.h>
#include <string.h>

#include "pipeline/fasttext_internal.h"

enum {
    CACHE_BITS = 16, /* words whose rows are remembered */
    CACHE_WORD = 48, /* bytes of a word that may be */
    CACHE_ROWS = 1 << 20,
    WORD_NGRAM_FACTOR = 116049371,
};

/* A word, and where its rows are. */
struct cached {
    char word[CACHE_WORD];
    uint32_t len, row, n_row; /* len 0: free */
};

/* A node of the tree that is still to be looked at. */
struct waiting {
    int32_t node;
    float score;
};

struct fasttext_work {
    const struct fasttext *model;
    float *hidden;        /* [dim] */
    size_t n_row;         /* that were added to it */
    struct cached *cache; /* [1 << CACHE_BITS] */
    int32_t *row;         /* of cached words */
    size_t n_cached, cap_row;
    int is_recording; /* rows go to `row`, too */
    int32_t *hash;    /* of the words, where pairs of them count */
    size_t n_hash, cap_hash;
    struct oy_buffer word; /* "<word>" */
    float *score;          /* [n_label], where all are asked */
    struct waiting *stack; /* [n_label + 1]: one node of each level waits */
};

struct fasttext_work *fasttext_work_new(const struct fasttext *model)
{
    struct fasttext_work *work = oy_calloc(1, sizeof *work);

    work->model = model;
    work->hidden = oy_alloc_array((size_t)model->dim, sizeof *work->hidden);
    work->cache = oy_calloc((size_t)1 << CACHE_BITS, sizeof *work->cache);
    work->score = oy_alloc_array((size_t)model->n_label, sizeof *work->score);
    work->stack =
        oy_alloc_array((size_t)model->n_label + 1, sizeof *work->stack);
    return work;
}

void fasttext_work_free(struct fasttext_work *work)
{
    if (!work)
        return;
    oy_free(work->hidden);
    oy_free(work->cache);
    oy_free(work->row);
    oy_free(work->hash);
    oy_free(work->score);
    oy_free(work->stack);
    oy_buffer_release(&work->word);
    oy_free(work);
}

/* ---- rows ---- */

typedef float four __attribute__((vector_size(16), aligned(4), may_alias));

static void add_row(struct fasttext_work *work, int32_t row)
{
    const int32_t dim = work->model->dim;
    const float *from = work->model->input + (int64_t)row * dim;
    float *to = work->hidden;
    int32_t i = 0;

    for (; i + 4 <= dim; i += 4)
        *(four *)(to + i) += *(const four *)(from + i);
    for (; i < dim; i++)
        to[i] += from[i];
    work->n_row++;
    if (!work->is_recording)
        return;
    OY_GROW(work->row, work->cap_row, work->n_cached + 1);
    work->row[work->n_cached++] = row;
}

/* Rows of 16, as those of lid.176: the sum stays in registers. */
static void add_rows_16(struct fasttext_work *work, const int32_t *row,
                        size_t n)
{
    four *to = (four *)work->hidden;
    four a = to[0], b = to[1], c = to[2], d = to[3];

    for (size_t i = 0; i < n; i++) {
        const four *from =
            (const four *)(work->model->input + (int64_t)row[i] * 16);
        a += from[0];
        b += from[1];
        c += from[2];
        d += from[3];
    }
    to[0] = a;
    to[1] = b;
    to[2] = c;
    to[3] = d;
    work->n_row += n;
}

static void add_rows(struct fasttext_work *work, const int32_t *row, size_t n)
{
    if (work->model->dim == 16) {
        add_rows_16(work, row, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        add_row(work, row[i]);
}

/* The row of a hash (Dictionary::pushHash). */
static void add_bucket(struct fasttext_work *work, uint32_t bucket)
{
    const struct fasttext *model = work->model;
    const int32_t kept =
        model->pruned ? model->pruned[bucket] : (int32_t)bucket;

    if (kept >= 0)
        add_row(work, model->n_word + kept);
}

static size_t next_character(const char *word, size_t len, size_t at)
{
    do
        at++;
    while (at < len && (word[at] & 0xc0) == 0x80);
    return at;
}

/* The n-grams of characters of "<word>" (Dictionary::computeSubwords). */
static void add_parts(struct fasttext_work *work, const char *word, size_t len)
{
    const struct fasttext *model = work->model;

    for (size_t i = 0; i < len; i++) {
        uint32_t hash = fasttext_hash("", 0);
        size_t end = i;
        if ((word[i] & 0xc0) == 0x80)
            continue;
        for (int32_t n = 1; end < len && n <= model->maxn; n++) {
            const size_t next = next_character(word, len, end);
            for (; end < next; end++)
                hash = (hash ^ (uint32_t)(int8_t)word[end]) * 16777619U;
            if (n >= model->minn && !(n == 1 && (i == 0 || end == len)))
                add_bucket(work, hash % (uint32_t)model->bucket);
        }
    }
}

/* A word's own row and those of its parts. */
static void add_word(struct fasttext_work *work, const char *word, size_t len,
                     int32_t id)
{
    const struct fasttext *model = work->model;
    struct oy_buffer *bracketed = &work->word;

    if (id >= 0)
        add_row(work, id);
    if (model->maxn <= 0 || (id >= 0 && id == model->eos))
        return;
    oy_buffer_clear(bracketed);
    oy_buffer_append_char(bracketed, '<');
    oy_buffer_append(bracketed, word, len);
    oy_buffer_append_char(bracketed, '>');
    add_parts(work, bracketed->data, bracketed->len);
}

/* ---- words ---- */

static void forget_words(struct fasttext_work *work)
{
    memset(work->cache, 0, sizeof *work->cache << CACHE_BITS);
    work->n_cached = 0;
}

/* The same by the cache: rows are added in the order of the first time. */
static void add_known_word(struct fasttext_work *work, const char *word,
                           size_t len, uint32_t hash)
{
    struct cached *cached =
        &work->cache[hash * 0x9e3779b1U >> (32 - CACHE_BITS)];

    if (cached->len == len && !memcmp(cached->word, word, len)) {
        add_rows(work, work->row + cached->row, cached->n_row);
        return;
    }
    if (work->n_cached > CACHE_ROWS)
        forget_words(work);
    const size_t row = work->n_cached;
    work->is_recording = 1;
    add_word(work, word, len, fasttext_find_word(work->model, word, len, hash));
    work->is_recording = 0;
    memcpy(cached->word, word, len);
    cached->len = (uint32_t)len;
    cached->row = (uint32_t)row;
    cached->n_row = (uint32_t)(work->n_cached - row);
}

static int is_label_name(const char *word, size_t len)
{
    return len >= 9 && !memcmp(word, "__label__", 9);
}

/* One token of a line (Dictionary::getLine). Returns whether it ends it. */
static int add_token(struct fasttext_work *work, const char *word, size_t len)
{
    const struct fasttext *model = work->model;
    const uint32_t hash = fasttext_hash(word, len);
    const int ends = len == 4 && !memcmp(word, "</s>", 4);

    if (is_label_name(word, len) &&
        fasttext_find_word(model, word, len, hash) < 0)
        return 0;
    if (ends) {
        if (model->eos >= 0)
            add_row(work, model->eos);
    } else if (len <= CACHE_WORD) {
        add_known_word(work, word, len, hash);
    } else {
        add_word(work, word, len, fasttext_find_word(model, word, len, hash));
    }
    if (model->word_ngrams > 1) {
        OY_GROW(work->hash, work->cap_hash, work->n_hash + 1);
        work->hash[work->n_hash++] = (int32_t)hash;
    }
    return ends;
}

/* Words in sequence (Dictionary::addWordNgrams). */
static void add_word_ngrams(struct fasttext_work *work)
{
    const size_t n = (size_t)work->model->word_ngrams;

    for (size_t i = 0; i < work->n_hash; i++) {
        uint64_t hash = (uint64_t)(int64_t)work->hash[i];
        for (size_t j = i + 1; j < work->n_hash && j < i + n; j++) {
            hash = hash * WORD_NGRAM_FACTOR + (uint64_t)(int64_t)work->hash[j];
            add_bucket(work, (uint32_t)(hash % (uint64_t)work->model->bucket));
        }
    }
}

static int is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || !c;
}

/* The mean of the rows of a text and of the end of its line. */
static void read_text(struct fasttext_work *work, const char *text, size_t len)
{
    size_t at = 0;
    int ended = 0;

    memset(work->hidden, 0, (size_t)work->model->dim * sizeof *work->hidden);
    work->n_row = work->n_hash = 0;
    while (at < len && !ended) {
        const size_t begin = at;
        while (at < len && !is_space(text[at]))
            at++;
        if (at > begin)
            ended = add_token(work, text + begin, at - begin);
        at++;
    }
    if (!ended)
        add_token(work, "</s>", 4);
    if (work->model->word_ngrams > 1)
        add_word_ngrams(work);
    const float share = (float)(1.0 / (double)work->n_row);
    for (int32_t i = 0; work->n_row && i < work->model->dim; i++)
        work->hidden[i] *= share;
}

/* ---- labels ---- */

/* The best so far, sorted. */
struct ranking {
    struct fasttext_label *best;
    size_t n, k;
};

static void offer(const struct fasttext *model, struct ranking *ranking,
                  int32_t label, float score)
{
    size_t i = ranking->n;

    if (i == ranking->k && !(score > ranking->best[i - 1].score))
        return;
    if (i < ranking->k)
        ranking->n++;
    else
        i--;
    for (; i && score > ranking->best[i - 1].score; i--)
        ranking->best[i] = ranking->best[i - 1];
    ranking->best[i].name = model->text + model->text_at[model->n_word + label];
    ranking->best[i].score = score;
}

/* fastText's products are sums in order, of floats. */
static float ask(const struct fasttext_work *work, int32_t row)
{
    const int32_t dim = work->model->dim;
    const float *output = work->model->output + (int64_t)row * dim;
    float sum = 0;

    for (int32_t i = 0; i < dim; i++)
        sum += output[i] * work->hidden[i];
    return sum;
}

/* Its logarithms have a floor. */
static float log_of(float x)
{
    return (float)log((double)x + 1e-5);
}

/* Goes down the tree, leaving out what is not among the best yet, and what is
 * as good as impossible. Going down, a score may rise a little (log_of(1) is
 * above 0), so both are asked at every node, as in fastText's dfs(). */
static void rank_by_tree(struct fasttext_work *work, struct ranking *ranking)
{
    const struct fasttext *model = work->model;
    const int32_t n_label = model->n_label;
    struct waiting *stack = work->stack;
    size_t n = 0;

    stack[n++] = (struct waiting){2 * n_label - 2, 0};
    while (n) {
        const struct waiting top = stack[--n];
        if (top.score < log_of(0) ||
            (ranking->n == ranking->k &&
             top.score < ranking->best[ranking->k - 1].score))
            continue;
        if (top.node < n_label) {
            offer(model, ranking, top.node, top.score);
            continue;
        }
        const struct fasttext_node *node = &model->node[top.node - n_label];
        const float x = ask(work, top.node - n_label);
        const float right = (float)(1.0 / (double)(1.0F + expf(-x)));
        stack[n++] = (struct waiting){node->right, top.score + log_of(right)};
        stack[n++] = (struct waiting){
            node->left, top.score + log_of((float)(1.0 - (double)right))};
    }
}

/* A step function of 512 steps between -8 and 8 (Loss::sigmoid). */
static float rough_sigmoid(float x)
{
    if (!(x >= -8)) /* or no number, of a damaged model */
        return 0;
    if (x > 8)
        return 1;
    const int step = (int)((x + 8) * 512 / 8 / 2);
    const float at = (float)(step * 2 * 8) / 512 - 8;
    return (float)(1.0 / (1.0 + (double)expf(-at)));
}

static void take_softmax(float *score, int32_t n)
{
    float most = score[0], sum = 0;

    for (int32_t i = 0; i < n; i++)
        most = score[i] > most ? score[i] : most;
    for (int32_t i = 0; i < n; i++) {
        score[i] = expf(score[i] - most);
        sum += score[i];
    }
    for (int32_t i = 0; i < n; i++)
        score[i] /= sum;
}

static void rank_all(struct fasttext_work *work, struct ranking *ranking)
{
    const struct fasttext *model = work->model;
    const int32_t n = model->n_label;

    for (int32_t i = 0; i < n; i++)
        work->score[i] = ask(work, i);
    if (model->loss == FASTTEXT_SOFTMAX)
        take_softmax(work->score, n);
    for (int32_t i = 0; i < n; i++) {
        if (model->loss != FASTTEXT_SOFTMAX)
            work->score[i] = rough_sigmoid(work->score[i]);
        offer(model, ranking, i, log_of(work->score[i]));
    }
}

size_t fasttext_predict(struct fasttext_work *work, const char *text,
                        size_t len, struct fasttext_label *best, size_t k)
{
    struct ranking ranking = {.best = best, .k = k};

    if (k > (size_t)work->model->n_label)
        ranking.k = (size_t)work->model->n_label;
    if (!ranking.k)
        return 0;
    read_text(work, text, len);
    if (!work->n_row)
        return 0;
    if (work->model->loss == FASTTEXT_HS)
        rank_by_tree(work, &ranking);
    else
        rank_all(work, &ranking);
    for (size_t i = 0; i < ranking.n; i++)
        best[i].score = expf(best[i].score);
    return ranking.n;
}
