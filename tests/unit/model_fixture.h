/* SPDX-License-Identifier: Apache-2.0
 *
 * A small random decoder for unit tests. */
#ifndef TESTS_MODEL_FIXTURE_H
#define TESTS_MODEL_FIXTURE_H

#include "core/alloc.h"
#include "core/random.h"
#include "model/engine.h"

enum { FIXTURE_VOCAB = 67 };

struct model_fixture {
    struct weight_layout layout;
    float *weights;
    struct oy_pool *pool;
    struct engine *engine;
};

static void model_fixture_open(struct model_fixture *f, uint64_t kv_bytes,
                               int n_thread)
{
    struct decoder_config config;
    struct oy_error err = {0};

    OY_ASSERT(config_preset(&config, "tiny") == 0);
    config.n_vocab = FIXTURE_VOCAB;
    config.n_layer = 2;
    config.dim = 32;
    config.n_hidden = 48;
    OY_ASSERT(weight_layout_init(&f->layout, &config, &err) == 0);
    f->weights = weights_new(&f->layout, &err);
    weights_init_random(&f->layout, f->weights, 3);
    for (size_t i = 0; i < f->layout.n_float; i++)
        f->weights[i] *= 8; /* so that attention is not flat */
    f->pool = oy_pool_new(n_thread, &err);
    f->engine =
        engine_new(&f->layout, f->weights, NULL, kv_bytes, f->pool, &err);
    OY_ASSERT(f->engine != NULL);
}

static void model_fixture_close(struct model_fixture *f)
{
    OY_ASSERT(kv_used_blocks(engine_kv(f->engine)) == 0);
    engine_free(f->engine);
    oy_pool_free(f->pool);
    oy_free(f->weights);
    weight_layout_release(&f->layout);
}

#endif
