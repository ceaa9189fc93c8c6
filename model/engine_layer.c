/* SPDX-License-Identifier: Apache-2.0
 *
 * A layer over the rows of a pass: what its block says, half by half. */
#include <math.h>
#include <string.h>

#include "core/alloc.h"
#include "model/engine_internal.h"
#include "model/rows.h"

void engine_norm(const struct engine *engine, float *y, const float *x,
                 size_t weight, size_t bias)
{
    const struct decoder_config *c = &engine->layout->config;
    const float *w = engine->weights;

    if (c->norm == NORM_LAYER)
        rows_layer_norm(y, x, w + weight, bias == SIZE_MAX ? NULL : w + bias,
                        (size_t)c->dim, c->norm_eps);
    else
        rows_rms_norm(y, x, w + weight, (size_t)c->dim, c->norm_eps);
}

/* y[row][n] = x[row][k] by a matrix (+ y). */
static void multiply(struct engine *engine, size_t weight, size_t n, size_t k,
                     const float *x, float *y, int accumulate)
{
    const struct matrix matrix = engine_matrix(engine, weight, n, k);

    matrix_multiply(&engine->multiplier, &matrix, engine->n_row, x, k, y, n,
                    accumulate);
}

/* ---- into a half ---- */

static void norm_rows(const struct engine *engine, size_t task, size_t weight,
                      size_t bias)
{
    const struct range range = engine_range(engine, task);
    const size_t dim = (size_t)engine->layout->config.dim;

    for (size_t i = range.from; i < range.to; i++) {
        float *normed = engine->normed + i * dim;
        engine_norm(engine, normed, engine->x + i * dim, weight, bias);
        if (layer_block(engine)->residual_is_normed)
            memcpy(engine->x + i * dim, normed, dim * sizeof *normed);
    }
}

static void norm_input(void *arg, size_t task, int worker)
{
    const struct engine *engine = arg;
    const struct layer_layout *part = layer_part(engine);

    (void)worker;
    norm_rows(engine, task, part->input_norm, part->input_norm_bias);
}

static void norm_post(void *arg, size_t task, int worker)
{
    const struct engine *engine = arg;
    const struct layer_layout *part = layer_part(engine);

    (void)worker;
    norm_rows(engine, task, part->post_norm, part->post_norm_bias);
}

/* What a half reads: normed rows, or the residual where no norm stands. */
static void enter(struct engine *engine, size_t weight, oy_pool_task norm)
{
    engine->input = engine->x;
    if (weight == SIZE_MAX)
        return;
    engine_rows(engine, norm);
    engine_mark(engine, PROFILE_NORM, 2 * (size_t)engine->layout->config.dim);
    engine->input = engine->normed;
}

/* ---- out of a half ---- */

static int is_one(float multiplier)
{
    return multiplier == 0 || multiplier == 1;
}

/* branch = scale norm(branch + bias); x = keep x + branch, unless another half
 * has to see x first. */
static void close_row(const struct engine *engine, float *x, float *branch,
                      const struct block_half *half, size_t norm)
{
    const struct decoder_config *c = &engine->layout->config;
    const size_t dim = (size_t)c->dim;

    if (norm != SIZE_MAX)
        engine_norm(engine, branch, branch, norm, SIZE_MAX);
    if (!is_one(half->scale))
        rows_scale(branch, dim, half->scale);
    if (!is_one(half->keep))
        rows_scale(x, dim, half->keep);
    rows_add(x, branch, dim);
}

static void add_bias(const struct engine *engine, size_t task, float *rows,
                     size_t bias)
{
    const struct range range = engine_range(engine, task);
    const size_t dim = (size_t)engine->layout->config.dim;

    for (size_t i = range.from; bias != SIZE_MAX && i < range.to; i++)
        rows_add(rows + i * dim, engine->weights + bias, dim);
}

static void close_rows(const struct engine *engine, size_t task,
                       const struct block_half *half, size_t norm)
{
    const struct range range = engine_range(engine, task);
    const size_t dim = (size_t)engine->layout->config.dim;

    for (size_t i = range.from; i < range.to; i++)
        close_row(engine, engine->x + i * dim, engine->branch + i * dim, half,
                  norm);
}

static void close_mixer(void *arg, size_t task, int worker)
{
    const struct engine *engine = arg;

    (void)worker;
    close_rows(engine, task, &layer_block(engine)->mixer_half,
               layer_part(engine)->mixer_norm);
}

static void close_ffn(void *arg, size_t task, int worker)
{
    const struct engine *engine = arg;

    (void)worker;
    close_rows(engine, task, &layer_block(engine)->ffn_half,
               layer_part(engine)->ffn_norm);
}

/* The biases of o and down, where the product went to x or to branch. */
static void add_o_to_x(void *arg, size_t task, int worker)
{
    const struct engine *engine = arg;

    (void)worker;
    add_bias(engine, task, engine->x, layer_part(engine)->o_bias);
}

static void add_o_to_branch(void *arg, size_t task, int worker)
{
    const struct engine *engine = arg;

    (void)worker;
    add_bias(engine, task, engine->branch, layer_part(engine)->o_bias);
}

static void add_down_to_x(void *arg, size_t task, int worker)
{
    const struct engine *engine = arg;

    (void)worker;
    add_bias(engine, task, engine->x, layer_part(engine)->down_bias);
}

static void add_down_to_branch(void *arg, size_t task, int worker)
{
    const struct engine *engine = arg;

    (void)worker;
    add_bias(engine, task, engine->branch, layer_part(engine)->down_bias);
}

static void run_bias(struct engine *engine, size_t bias, oy_pool_task task)
{
    if (bias == SIZE_MAX)
        return;
    engine_rows(engine, task);
    engine_mark(engine, PROFILE_BIAS, 2 * (size_t)engine->layout->config.dim);
}

/* Whether what a half gives may be added to x as it is. */
static int is_direct(const struct block_half *half, size_t norm)
{
    return norm == SIZE_MAX && is_one(half->scale) && is_one(half->keep);
}

static int has_keys(const struct engine *engine)
{
    const enum mixer_kind mixer = layer_block(engine)->mixer;

    return mixer == MIXER_ATTENTION || mixer == MIXER_MLA;
}

static int mixer_is_direct(const struct engine *engine)
{
    const struct decoder_block *block = layer_block(engine);

    return has_keys(engine) && !block->is_parallel &&
           is_direct(&block->mixer_half, layer_part(engine)->mixer_norm);
}

static int ffn_is_direct(const struct engine *engine)
{
    const struct decoder_block *block = layer_block(engine);

    return block->ffn != FFN_MOE &&
           is_direct(&block->ffn_half, layer_part(engine)->ffn_norm);
}

/* ---- attention ---- */

static void norm_head(const struct engine *engine, float *head, size_t norm,
                      size_t number)
{
    const struct decoder_config *c = &engine->layout->config;
    const size_t dim = (size_t)c->head_dim;
    const float *weight = engine->weights + norm;

    if (c->qk_norm == QK_HEAD_OWN)
        rows_layer_norm(head, head, weight + number * dim, NULL, dim,
                        c->norm_eps);
    else if (c->qk_norm == QK_HEAD)
        rows_rms_norm(head, head, weight, dim, c->norm_eps);
}

/* Norm (where there is one) and rotation of heads that touch. */
static void turn_heads(const struct engine *engine, const struct row *row,
                       float *heads, int n_head, size_t norm)
{
    const struct decoder_config *c = &engine->layout->config;
    const size_t dim = (size_t)c->head_dim;
    const int rope = layer_block(engine)->rope;
    const struct angles *angles =
        rope == ROPE_NONE ? NULL : &engine->angles[row->angles[rope]];
    const size_t turned = angles ? (size_t)config_rope_dim(c, rope) : 0;
    const size_t at = row->position * turned / 2;

    if (norm != SIZE_MAX && c->qk_norm == QK_WHOLE)
        rows_rms_norm(heads, heads, engine->weights + norm,
                      (size_t)n_head * dim, c->norm_eps);
    for (size_t i = 0; i < (size_t)n_head; i++) {
        if (norm != SIZE_MAX)
            norm_head(engine, heads + i * dim, norm, i);
        if (angles)
            rows_rope(heads + i * dim, angles->cosine + at, angles->sine + at,
                      turned, 1);
    }
}

/* Turns q and k of a row and puts k and v into the cache. */
static void turn_row(const struct engine *engine, const struct row *row,
                     float *qkv)
{
    const struct decoder_config *c = &engine->layout->config;
    const struct layer_layout *part = layer_part(engine);
    const size_t dim = (size_t)c->head_dim;
    const size_t n_query = (size_t)(c->has_output_gate ? 2 : 1) *
                           (size_t)c->n_head; /* heads of q, then gates */
    const int kv_layer = mixed_kv_layer(c, engine->layer);
    const float *k = qkv + n_query * dim;
    const float *v = k + (size_t)c->n_kv_head * dim;

    if (part->qkv_bias != SIZE_MAX)
        rows_add(qkv, engine->weights + part->qkv_bias,
                 engine_qkv_width(engine));
    turn_heads(engine, row, qkv, c->n_head, part->q_norm);
    turn_heads(engine, row, qkv + n_query * dim, c->n_kv_head, part->k_norm);
    for (int head = 0; head < c->n_kv_head; head++, k += dim, v += dim)
        kv_put(engine->kv, row->piece->sequence, row->position, kv_layer, head,
               k, v);
}

static void turn_rows(void *arg, size_t task, int worker)
{
    const struct engine *engine = arg;
    const struct range range = engine_range(engine, task);

    (void)worker;
    for (size_t i = range.from; i < range.to; i++)
        turn_row(engine, &engine->row[i],
                 engine->qkv + i * engine_qkv_width(engine));
}

static size_t engine_value_dim(const struct engine *engine)
{
    return (size_t)kv_pool_shape(engine->kv)->value_dim;
}

/* What a row's heads found, times the sigmoid of their gates. */
static void gate_rows(void *arg, size_t task, int worker)
{
    const struct engine *engine = arg;
    const struct decoder_config *c = &engine->layout->config;
    const struct range range = engine_range(engine, task);
    const size_t width = (size_t)(c->n_head * c->head_dim);

    (void)worker;
    for (size_t i = range.from; i < range.to; i++)
        rows_gate(engine->mixed + i * width,
                  engine->qkv + i * engine_qkv_width(engine) + width, width);
}

static void attend_tile(void *arg, size_t task, int worker)
{
    const struct engine *engine = arg;
    const struct decoder_config *c = &engine->layout->config;
    const struct layer_layout *part = layer_part(engine);
    const size_t n_kv = (size_t)c->n_kv_head, head = task % n_kv;
    const struct query_tile *tile = &engine->tile[task / n_kv];
    const struct row *row = &engine->row[tile->row];
    const size_t group = (size_t)c->n_head / n_kv;
    const size_t dim = (size_t)c->head_dim, width = engine_qkv_width(engine);
    const size_t value_dim = engine_value_dim(engine);
    const struct attend_job job = {
        .gemm = engine->gemm,
        .panel = engine->form == MATRIX_BF16
                     ? multiplier_attention(&engine->multiplier)
                     : NULL,
        .kv = engine->kv,
        .sequence = row->piece->sequence,
        .layer = mixed_kv_layer(c, engine->layer),
        .kv_head = (int)head,
        .first = row->position,
        .n = tile->n,
        .group = group,
        .scale =
            c->attention_scale > 0 ? c->attention_scale : 1 / sqrtf((float)dim),
        .window = (size_t)layer_block(engine)->window,
        .soft_cap = c->attention_cap,
        .sink = part->sinks == SIZE_MAX
                    ? NULL
                    : engine->weights + part->sinks + head * group,
        .q = engine->qkv + tile->row * width + head * group * dim,
        .q_stride = width,
        .out = engine->mixed +
               (tile->row * (size_t)c->n_head + head * group) * value_dim,
        .out_stride = (size_t)c->n_head * value_dim};

    attend(&job, &engine->attend[worker]);
}

/* Two products of what each query sees, of keys and of values, which are read
 * once for each tile. */
static void book_attention(const struct engine *engine)
{
    const struct decoder_config *c = &engine->layout->config;
    const double width = c->head_dim + (double)engine_value_dim(engine);
    const size_t window = (size_t)layer_block(engine)->window;
    struct profile *profile = gemm_profile(engine->gemm);
    double seen = 0, read = 0;

    for (size_t i = 0; profile && i < engine->n_tile; i++) {
        const struct query_tile *tile = &engine->tile[i];
        size_t n = engine->row[tile->row].position + tile->n;
        if (window && n > window)
            n = window;
        seen += (double)n * (double)tile->n;
        read += (double)n;
    }
    profile_mark(profile, PROFILE_ATTENTION, PEAK_F32,
                 2 * seen * c->n_head * width,
                 sizeof(float) * read * c->n_kv_head * width);
}

/* ---- the rows that are asked for ---- */

static int is_wanted(const struct row *row)
{
    const struct engine_piece *piece = row->piece;
    const size_t i = row->position - piece->sequence->len;

    return piece->wanted ? piece->wanted[i] : i + 1 == piece->n;
}

/* Adds a row to the last tile if it is the next token of it. */
static void add_to_tile(struct engine *engine, size_t i)
{
    struct query_tile *tile = engine->tile + engine->n_tile - 1;

    if (engine->n_tile && tile->n < ATTEND_QUERIES &&
        engine->row[i].piece == engine->row[i - 1].piece &&
        engine->row[i].position == engine->row[i - 1].position + 1)
        tile->n++;
    else
        engine->tile[engine->n_tile++] = (struct query_tile){i, 1};
}

static void move_row(float *rows, size_t to, size_t from, size_t width)
{
    memmove(rows + to * width, rows + from * width, width * sizeof *rows);
}

/* Behind the last layer's keys and values nobody looks at rows that are not
 * asked for: the others move to the front. */
static void keep_wanted(struct engine *engine)
{
    const size_t dim = (size_t)engine->layout->config.dim;
    const int is_attention = has_keys(engine);
    const size_t n = engine->n_row;

    OY_GROW(engine->tile, engine->cap_tile, n);
    engine->n_row = engine->n_tile = 0;
    for (size_t i = 0; i < n; i++) {
        const size_t to = engine->n_row;
        if (!is_wanted(&engine->row[i]))
            continue;
        engine->row[to] = engine->row[i];
        move_row(engine->x, to, i, dim);
        if (is_attention)
            move_row(engine->qkv, to, i, engine_qkv_width(engine));
        else
            move_row(engine->branch, to, i, dim);
        engine->n_row++;
        add_to_tile(engine, to);
    }
}

static int is_last(const struct engine *engine)
{
    return engine->layer + 1 == engine->layout->config.n_layer;
}

/* ---- the halves ---- */

static void run_attention(struct engine *engine)
{
    const struct decoder_config *c = &engine->layout->config;
    const struct layer_layout *part = layer_part(engine);
    const size_t dim = (size_t)c->dim;
    const size_t q = (size_t)c->n_head * engine_value_dim(engine);
    const int is_direct = mixer_is_direct(engine);

    if (layer_block(engine)->mixer == MIXER_MLA) {
        mixed_run_mla(engine);
    } else {
        multiply(engine, part->qkv, engine_qkv_width(engine), dim,
                 engine->input, engine->qkv, 0);
        engine_rows(engine, turn_rows);
        engine_mark(engine, PROFILE_ROTATION, 2 * engine_qkv_width(engine));
    }
    if (is_last(engine))
        keep_wanted(engine);
    oy_pool_run(engine->pool, engine->n_tile * (size_t)c->n_kv_head,
                attend_tile, engine);
    if (c->has_output_gate)
        engine_rows(engine, gate_rows);
    book_attention(engine);
    multiply(engine, part->o, dim, q, engine->mixed,
             is_direct ? engine->x : engine->branch, is_direct);
    run_bias(engine, part->o_bias, is_direct ? add_o_to_x : add_o_to_branch);
}

static void run_mixer(struct engine *engine)
{
    const struct decoder_block *block = layer_block(engine);

    enter(engine, layer_part(engine)->input_norm, norm_input);
    if (has_keys(engine)) {
        run_attention(engine);
    } else {
        mixed_run_linear(engine);
        if (is_last(engine))
            keep_wanted(engine);
    }
    if (!mixer_is_direct(engine) && !block->is_parallel)
        engine_rows(engine, close_mixer);
    engine_mark(engine, PROFILE_NORM, 0);
}

static void activate(enum activation activation, float *x, size_t n)
{
    if (activation == ACT_SILU)
        rows_silu(x, n);
    else if (activation == ACT_GELU)
        rows_gelu(x, n);
    else if (activation == ACT_GELU_TANH)
        rows_gelu_tanh(x, n);
    else
        for (size_t i = 0; i < n; i++) {
            const float positive = x[i] > 0 ? x[i] : 0 * x[i];
            x[i] = activation == ACT_RELU ? positive : positive * positive;
        }
}

/* inner = act(gate) up, or act(up) where there is no gate. */
static void activate_row(const struct engine *engine, float *gate, float *inner)
{
    const struct decoder_config *c = &engine->layout->config;
    const size_t n = (size_t)c->n_hidden,
                 bias = layer_part(engine)->gate_up_bias;
    const int is_gated = layer_block(engine)->ffn == FFN_GATED;

    if (bias != SIZE_MAX)
        rows_add(gate, engine->weights + bias, is_gated ? 2 * n : n);
    if (is_gated && c->activation == ACT_SILU) {
        rows_swiglu(inner, gate, gate + n, n);
        return;
    }
    activate(c->activation, gate, n);
    memcpy(inner, gate, n * sizeof *inner);
    if (is_gated)
        rows_multiply(inner, gate + n, n);
}

static void activate_rows(void *arg, size_t task, int worker)
{
    const struct engine *engine = arg;
    const struct range range = engine_range(engine, task);
    const size_t n = (size_t)engine->layout->config.n_hidden;
    const size_t width = layer_block(engine)->ffn == FFN_GATED ? 2 * n : n;

    (void)worker;
    for (size_t i = range.from; i < range.to; i++)
        activate_row(engine, engine->gate_up + i * width,
                     engine->inner + i * n);
}

/* The mixer's part of a parallel layer waits in branch, and x takes both. */
static void run_dense(struct engine *engine)
{
    const struct decoder_config *c = &engine->layout->config;
    const struct layer_layout *part = layer_part(engine);
    const size_t dim = (size_t)c->dim, hidden = (size_t)c->n_hidden;
    const size_t n_matrix = layer_block(engine)->ffn == FFN_GATED ? 2 : 1;
    const int is_direct = ffn_is_direct(engine);

    multiply(engine, part->gate_up, n_matrix * hidden, dim, engine->input,
             engine->gate_up, 0);
    engine_rows(engine, activate_rows);
    engine_mark(engine, PROFILE_ACTIVATION, (n_matrix + 1) * hidden);
    multiply(engine, part->down, dim, hidden, engine->inner,
             is_direct ? engine->x : engine->branch, is_direct);
    run_bias(engine, part->down_bias,
             is_direct ? add_down_to_x : add_down_to_branch);
}

static void run_ffn(struct engine *engine)
{
    const struct decoder_block *block = layer_block(engine);

    enter(engine, layer_part(engine)->post_norm, norm_post);
    OY_ASSERT(!block->is_parallel || ffn_is_direct(engine));
    if (block->ffn == FFN_MOE)
        mixed_run_experts(engine);
    else
        run_dense(engine);
    if (block->is_parallel)
        engine_rows(engine, close_mixer);
    else if (!ffn_is_direct(engine))
        engine_rows(engine, close_ffn);
    engine_mark(engine, PROFILE_NORM, 0);
}

void engine_run_layer(struct engine *engine)
{
    run_mixer(engine);
    run_ffn(engine);
}
