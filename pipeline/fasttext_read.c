/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading fastText's model files. */
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "core/input.h"
#include "pipeline/fasttext_internal.h"

enum {
    MAGIC = 793712314,
    MAX_DIM = 1 << 14,
    MAX_ENTRY = 1 << 28,
    MAX_BUCKET = 1 << 28,
    MAX_NGRAM = 64,
    N_CENTROID = 256,
    SUPERVISED = 3,
    DENSEST = 1100, /* bytes that one may become when gzip unpacks it */
};

static const char label_prefix[] = "__label__";

/* A file on its way in; little-endian, nothing aligned. */
struct reader {
    struct oy_input *input;
    struct oy_error *err;
    const char *part; /* what is being read, for messages */
    uint64_t most;    /* bytes that the file can hold */
};

/* ---- numbers ---- */

static int fail(const struct reader *reader, const char *why)
{
    return oy_fail(reader->err, OY_DATA, "%s: %s: %s",
                   oy_input_name(reader->input), reader->part, why);
}

static int take(struct reader *reader, void *to, size_t size)
{
    const ssize_t n = oy_input_read(reader->input, to, size, reader->err);

    if (n < 0)
        return -1;
    return (size_t)n < size ? fail(reader, "the file ends here") : 0;
}

/* Numbers are the file's bytes: machines with another byte order than the
 * file's are not served. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "fastText's files are little-endian");

/* An int32 within bounds. */
static int take_int(struct reader *reader, int32_t low, int32_t high,
                    int32_t *number)
{
    if (take(reader, number, sizeof *number))
        return -1;
    return *number < low || *number > high ? fail(reader, "number out of range")
                                           : 0;
}

static void *take_array(struct reader *reader, size_t n, size_t size)
{
    /* A count may be damage: memory for it would be touched for nothing. */
    if (n > reader->most / size) {
        fail(reader, "the file ends here");
        return NULL;
    }
    void *array = oy_try_alloc(n, size);
    if (!array) {
        oy_fail(reader->err, OY_SYSTEM, "%s: no memory for its %s",
                oy_input_name(reader->input), reader->part);
        return NULL;
    }
    if (take(reader, array, n * size)) {
        oy_free(array);
        return NULL;
    }
    return array;
}

/* ---- settings and dictionary ---- */

static int read_settings(struct fasttext *model, struct reader *reader)
{
    int32_t magic, version, kind, loss, unused;
    double t;

    reader->part = "header";
    if (take_int(reader, INT32_MIN, INT32_MAX, &magic))
        return -1;
    if (magic != MAGIC)
        return fail(reader, "not a fastText model");
    if (take_int(reader, 11, 12, &version) ||
        take_int(reader, 1, MAX_DIM, &model->dim))
        return -1;
    for (int i = 0; i < 4; i++) { /* ws, epoch, minCount, neg */
        if (take_int(reader, INT32_MIN, INT32_MAX, &unused))
            return -1;
    }
    if (take_int(reader, 0, MAX_NGRAM, &model->word_ngrams) ||
        take_int(reader, FASTTEXT_HS, FASTTEXT_N_LOSS - 1, &loss) ||
        take_int(reader, 1, SUPERVISED, &kind) ||
        take_int(reader, 0, MAX_BUCKET, &model->bucket) ||
        take_int(reader, 0, MAX_NGRAM, &model->minn) ||
        take_int(reader, 0, MAX_NGRAM, &model->maxn) ||
        take_int(reader, INT32_MIN, INT32_MAX, &unused) || /* lrUpdateRate */
        take(reader, &t, sizeof t))
        return -1;
    if (kind != SUPERVISED)
        return fail(reader, "not a model that classifies");
    if (version == 11)
        model->maxn = 0;
    if (!model->bucket && (model->maxn || model->word_ngrams > 1))
        return fail(reader, "no buckets");
    model->loss = (enum fasttext_loss)loss;
    return 0;
}

/* A text up to its NUL, appended with it. */
static int take_text(struct reader *reader, struct oy_buffer *text)
{
    for (;;) {
        char *at = oy_buffer_reserve(text, 1);
        if (take(reader, at, 1))
            return -1;
        text->len++;
        if (!*at)
            return 0;
        if (text->len > UINT32_MAX / 2)
            return fail(reader, "too long");
    }
}

static int read_entry(struct fasttext *model, struct reader *reader,
                      int32_t number, struct oy_buffer *text)
{
    const size_t at = text->len;
    const size_t n_prefix = sizeof label_prefix - 1;
    const int is_label = number >= model->n_word;
    int64_t count;
    int8_t kind;

    if (take_text(reader, text) || take(reader, &count, sizeof count) ||
        take(reader, &kind, sizeof kind))
        return -1;
    if (kind != is_label)
        return fail(reader, "words must come before labels");
    model->text_at[number] = (uint32_t)at;
    if (!is_label)
        return 0;
    model->label_count[number - model->n_word] = count;
    if (!strncmp(text->data + at, label_prefix, n_prefix))
        model->text_at[number] += (uint32_t)n_prefix;
    return 0;
}

static void build_words(struct fasttext *model)
{
    uint32_t size = 16;

    while (size < 2 * (uint32_t)model->n_word)
        size *= 2;
    model->word_mask = size - 1;
    model->word_slot = oy_alloc_array(size, sizeof *model->word_slot);
    memset(model->word_slot, 0xff, size * sizeof *model->word_slot);
    for (int32_t id = 0; id < model->n_word; id++) {
        const char *word = model->text + model->text_at[id];
        uint32_t i = fasttext_hash(word, strlen(word));
        while (model->word_slot[i & model->word_mask] >= 0)
            i++;
        model->word_slot[i & model->word_mask] = id;
    }
}

int32_t fasttext_find_word(const struct fasttext *model, const char *word,
                           size_t len, uint32_t hash)
{
    for (uint32_t i = hash;; i++) {
        const int32_t id = model->word_slot[i & model->word_mask];
        if (id < 0)
            return -1;
        const char *text = model->text + model->text_at[id];
        if (!strncmp(text, word, len) && !text[len])
            return id;
    }
}

/* Pairs of a bucket and the row that it has kept. */
static int read_pruned(struct fasttext *model, struct reader *reader, int64_t n)
{
    int32_t pair[2];

    if (n < 0)
        return 0;
    if (n > model->bucket)
        return fail(reader, "more pairs than buckets");
    model->pruned =
        oy_alloc_array((size_t)model->bucket, sizeof *model->pruned);
    memset(model->pruned, 0xff, (size_t)model->bucket * sizeof *model->pruned);
    for (int64_t i = 0; i < n; i++) {
        if (take(reader, pair, sizeof pair))
            return -1;
        if (pair[0] < 0 || pair[0] >= model->bucket || pair[1] < 0)
            return fail(reader, "bucket out of range");
        model->pruned[pair[0]] = pair[1];
    }
    return 0;
}

static int read_dictionary(struct fasttext *model, struct reader *reader)
{
    struct oy_buffer text = {0};
    size_t cap_at = 0, cap_count = 0;
    int64_t n_token, n_pruned;
    int32_t n;
    int failed = 0;

    reader->part = "dictionary";
    if (take_int(reader, 0, MAX_ENTRY, &n) ||
        take_int(reader, 0, MAX_ENTRY, &model->n_word) ||
        take_int(reader, 1, MAX_ENTRY, &model->n_label) ||
        take(reader, &n_token, sizeof n_token) ||
        take(reader, &n_pruned, sizeof n_pruned))
        return -1;
    if (model->n_word + model->n_label != n)
        return fail(reader, "counts that do not add up");
    /* Grown as entries come: a count may be damage. */
    for (int32_t i = 0; i < n && !failed; i++) {
        OY_GROW(model->text_at, cap_at, (size_t)i + 1);
        if (i >= model->n_word)
            OY_GROW(model->label_count, cap_count,
                    (size_t)(i - model->n_word) + 1);
        failed = read_entry(model, reader, i, &text);
    }
    oy_buffer_reserve(&text, 1);
    model->text = text.data;
    if (failed)
        return -1;
    build_words(model);
    model->eos = fasttext_find_word(model, "</s>", 4, fasttext_hash("</s>", 4));
    return read_pruned(model, reader, n_pruned);
}

/* ---- matrices ---- */

/* A product quantiser: a vector is cut into parts, each told by the number of
 * its centroid. */
struct quantiser {
    int32_t dim, n_part, size, last_size; /* sizes of the parts */
    float *centroid;                      /* [dim * N_CENTROID] */
};

static int read_quantiser(struct reader *reader, int32_t dim,
                          struct quantiser *q)
{
    if (take_int(reader, dim, dim, &q->dim) ||
        take_int(reader, 1, dim, &q->n_part) ||
        take_int(reader, 1, dim, &q->size) ||
        take_int(reader, 1, dim, &q->last_size))
        return -1;
    if ((int64_t)(q->n_part - 1) * q->size + q->last_size != dim ||
        q->last_size > q->size)
        return fail(reader, "parts that do not add up");
    q->centroid = take_array(reader, (size_t)dim * N_CENTROID, sizeof(float));
    return q->centroid ? 0 : -1;
}

static const float *centroid_of(const struct quantiser *q, int32_t part,
                                uint8_t code)
{
    const int32_t size = part == q->n_part - 1 ? q->last_size : q->size;

    return q->centroid + (size_t)part * N_CENTROID * (size_t)q->size +
           (size_t)code * (size_t)size;
}

/* A row is norm times its centroids. */
static void write_row(const struct quantiser *q, const uint8_t *code,
                      float norm, float *row)
{
    for (int32_t part = 0; part < q->n_part; part++) {
        const float *from = centroid_of(q, part, code[part]);
        const int32_t size = part == q->n_part - 1 ? q->last_size : q->size;
        for (int32_t i = 0; i < size; i++)
            *row++ = norm * from[i];
    }
}

static int read_size(struct reader *reader, int32_t dim, int64_t *n_row)
{
    int64_t n_column;

    if (take(reader, n_row, sizeof *n_row) ||
        take(reader, &n_column, sizeof n_column))
        return -1;
    if (n_column != dim || *n_row < 1 || *n_row > (int64_t)1 << 40)
        return fail(reader, "a matrix of another size");
    return 0;
}

/* Codes, quantisers and norms are there: writes all rows. */
static int write_rows(struct reader *reader, const struct quantiser *part,
                      const struct quantiser *norm, const uint8_t *code,
                      const uint8_t *norm_code, int64_t n_row, float **matrix)
{
    *matrix = oy_try_alloc((size_t)n_row, (size_t)part->dim * sizeof(float));
    if (!*matrix)
        return oy_fail(reader->err, OY_SYSTEM, "%s: no memory for its %s",
                       oy_input_name(reader->input), reader->part);
    for (int64_t i = 0; i < n_row; i++)
        write_row(part, code + i * part->n_part,
                  norm_code ? *centroid_of(norm, 0, norm_code[i]) : 1,
                  *matrix + i * part->dim);
    return 0;
}

static int read_quantised(struct reader *reader, int32_t dim, float **matrix,
                          int64_t *n_row)
{
    struct quantiser part = {.centroid = NULL}, norm = {.centroid = NULL};
    uint8_t has_norm, *code = NULL, *norm_code = NULL;
    int32_t n_code;
    int failed = -1;

    if (take(reader, &has_norm, 1) || read_size(reader, dim, n_row) ||
        take_int(reader, 1, INT32_MAX, &n_code))
        return -1;
    code = take_array(reader, (size_t)n_code, 1);
    if (!code || read_quantiser(reader, dim, &part))
        goto out;
    if ((int64_t)part.n_part * *n_row != n_code) {
        fail(reader, "codes that do not add up");
        goto out;
    }
    if (has_norm) {
        norm_code = take_array(reader, (size_t)*n_row, 1);
        if (!norm_code || read_quantiser(reader, 1, &norm))
            goto out;
    }
    failed = write_rows(reader, &part, &norm, code, norm_code, *n_row, matrix);
out:
    oy_free(code);
    oy_free(norm_code);
    oy_free(part.centroid);
    oy_free(norm.centroid);
    return failed;
}

static int read_matrix(struct reader *reader, int is_quantised, int32_t dim,
                       float **matrix, int64_t *n_row)
{
    if (is_quantised)
        return read_quantised(reader, dim, matrix, n_row);
    if (read_size(reader, dim, n_row))
        return -1;
    *matrix = take_array(reader, (size_t)*n_row, (size_t)dim * sizeof **matrix);
    return *matrix ? 0 : -1;
}

static int read_matrices(struct fasttext *model, struct reader *reader)
{
    uint8_t is_quantised, is_output_quantised, more;

    reader->part = "input matrix";
    if (take(reader, &is_quantised, 1) ||
        read_matrix(reader, is_quantised, model->dim, &model->input,
                    &model->n_row))
        return -1;
    reader->part = "output matrix";
    if (take(reader, &is_output_quantised, 1) ||
        read_matrix(reader, is_quantised && is_output_quantised, model->dim,
                    &model->output, &model->n_output))
        return -1;
    if (oy_input_read(reader->input, &more, 1, reader->err) != 0)
        return fail(reader, "bytes behind the end");
    return 0;
}

/* Every row that a text can lead to must be there. */
static int check_rows(const struct fasttext *model, struct reader *reader)
{
    const int uses_buckets = model->maxn > 0 || model->word_ngrams > 1;
    int64_t n = model->n_word;

    if (uses_buckets && !model->pruned)
        n += model->bucket;
    for (int32_t i = 0; model->pruned && i < model->bucket; i++) {
        if ((int64_t)model->n_word + model->pruned[i] + 1 > n)
            n = (int64_t)model->n_word + model->pruned[i] + 1;
    }
    reader->part = "input matrix";
    if (n > model->n_row)
        return fail(reader, "too few rows");
    reader->part = "output matrix";
    return model->n_output < model->n_label ? fail(reader, "too few rows") : 0;
}

/* ---- the tree ---- */

/* Two queues, of labels from the rarest on and of inner nodes in the order in
 * which they are made: the smaller of the two ends is taken, of equals the
 * inner node (HierarchicalSoftmaxLoss::buildTree). */
static int build_tree(struct fasttext *model, struct reader *reader)
{
    const int32_t n = model->n_label;
    int64_t *count = oy_alloc_array((size_t)n, sizeof *count);
    int32_t leaf = n - 1, inner = 0;

    model->node = oy_alloc_array((size_t)n, sizeof *model->node);
    for (int32_t made = 0; made + 1 < n; made++) {
        int32_t child[2];
        count[made] = 0;
        for (int i = 0; i < 2; i++) {
            const int64_t inner_count =
                inner < made ? count[inner] : (int64_t)1e15;
            const int takes_leaf =
                leaf >= 0 && model->label_count[leaf] < inner_count;
            if (!takes_leaf && inner >= made) {
                oy_free(count);
                return fail(reader, "counts of labels that make no tree");
            }
            const int64_t part =
                takes_leaf ? model->label_count[leaf] : count[inner];
            child[i] = takes_leaf ? leaf-- : n + inner++;
            count[made] += part;
        }
        model->node[made] = (struct fasttext_node){child[0], child[1]};
    }
    oy_free(count);
    return 0;
}

static int read_all(struct fasttext *model, struct reader *reader)
{
    if (read_settings(model, reader) || read_dictionary(model, reader) ||
        read_matrices(model, reader) || check_rows(model, reader))
        return -1;
    reader->part = "dictionary";
    return model->loss == FASTTEXT_HS ? build_tree(model, reader) : 0;
}

/* More than any file of that size holds, packed or not. */
static uint64_t most_of(const char *path)
{
    struct stat info;

    if (stat(path, &info) || !S_ISREG(info.st_mode))
        return UINT64_MAX;
    return (uint64_t)info.st_size * DENSEST + DENSEST;
}

struct fasttext *fasttext_load(const char *path, struct oy_error *err)
{
    struct reader reader = {.err = err, .most = most_of(path)};

    reader.input = oy_input_open(path, err);
    if (!reader.input)
        return NULL;
    struct fasttext *model = oy_calloc(1, sizeof *model);
    if (read_all(model, &reader)) {
        fasttext_free(model);
        model = NULL;
    }
    oy_input_close(reader.input);
    return model;
}

void fasttext_free(struct fasttext *model)
{
    if (!model)
        return;
    oy_free(model->input);
    oy_free(model->output);
    oy_free(model->text);
    oy_free(model->text_at);
    oy_free(model->word_slot);
    oy_free(model->label_count);
    oy_free(model->pruned);
    oy_free(model->node);
    oy_free(model);
}

size_t fasttext_n_label(const struct fasttext *model)
{
    return (size_t)model->n_label;
}
