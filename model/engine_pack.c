/* SPDX-License-Identifier: Apache-2.0
 *
 * Packing the weights that an engine has read. */
#include "core/alloc.h"
#include "model/engine_internal.h"

enum { PARTS = 4 /* of a layer, at most */ };

/* The matrices to be packed. */
struct list {
    struct matrix *matrix;
    size_t n;
    enum matrix_form form;
};

static void add(struct engine *engine, struct list *list, size_t at, int n,
                int k)
{
    list->matrix[list->n++] = engine_matrix(engine, at, (size_t)n, (size_t)k);
}

static void add_layer(struct engine *engine, struct list *list)
{
    const struct decoder_config *c = &engine->layout->config;
    const struct layer_layout *part = layer_part(engine);
    const enum mixer_kind mixer = layer_block(engine)->mixer;
    const int value_dim = kv_pool_shape(engine->kv)->value_dim;

    if (mixer == MIXER_ATTENTION)
        add(engine, list, part->qkv, (int)engine_qkv_width(engine), c->dim);
    if (mixer == MIXER_ATTENTION || mixer == MIXER_MLA)
        add(engine, list, part->o, c->dim, c->n_head * value_dim);
    if (layer_block(engine)->ffn == FFN_MOE)
        return;
    add(engine, list, part->gate_up,
        layer_block(engine)->ffn == FFN_GATED ? 2 * c->n_hidden : c->n_hidden,
        c->dim);
    add(engine, list, part->down, c->dim, c->n_hidden);
}

static void pack_one(void *arg, size_t task, int worker)
{
    struct list *list = arg;

    (void)worker;
    matrix_pack(&list->matrix[task], list->form);
}

void engine_pack(struct engine *engine)
{
    const struct decoder_config *c = &engine->layout->config;
    struct list list = {.form = engine->form};

    if (engine->is_packed || engine->form == MATRIX_ROWS)
        return;
    engine->hash = engine_weights_hash(engine);
    list.matrix =
        oy_alloc_array(PARTS * (size_t)c->n_layer + 1, sizeof *list.matrix);
    add(engine, &list, engine->layout->head, c->n_vocab, c->dim);
    for (engine->layer = 0; engine->layer < c->n_layer; engine->layer++)
        add_layer(engine, &list);
    oy_pool_run(engine->pool, list.n, pack_one, &list);
    oy_free(list.matrix);
    engine->is_packed = 1;
}
