/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoders with experts and other mixers: a row's bits are its own, and files
 * may hold experts in several ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/random.h"
#include "model/engine.h"
#include "model/safetensors.h"
#include "model/weights_mixed.h"

enum { VOCAB = 31, DIM = 32, LEN = 70 };

#define SHAPE                                                                  \
    "\"vocab_size\":31,\"hidden_size\":32,\"intermediate_size\":24,"           \
    "\"num_hidden_layers\":4,\"num_attention_heads\":4,"                       \
    "\"num_key_value_heads\":2,\"head_dim\":8,\"num_experts_per_tok\":2,"      \
    "\"num_local_experts\":6,"
#define QWEN                                                                   \
    SHAPE "\"moe_intermediate_size\":10,\"shared_expert_intermediate_size\":"  \
          "14,"

static const char *const family_json[] = {
    "{\"model_type\":\"qwen2_moe\"," QWEN "\"mlp_only_layers\":[1]}",
    "{\"model_type\":\"minimax\"," SHAPE "\"mlp_alpha_factor\":1.2}",
    "{\"model_type\":\"qwen3_next\"," QWEN "\"linear_num_key_heads\":2,"
    "\"linear_num_value_heads\":4,\"linear_key_head_dim\":6,"
    "\"linear_value_head_dim\":9,\"partial_rotary_factor\":0.5,"
    "\"layer_types\":[\"linear_attention\",\"full_attention\","
    "\"linear_attention\",\"linear_attention\"]}",
    "{\"model_type\":\"deepseek_v3\"," SHAPE "\"moe_intermediate_size\":10,"
    "\"kv_lora_rank\":8,\"q_lora_rank\":12,\"qk_rope_head_dim\":4,"
    "\"qk_nope_head_dim\":5,\"v_head_dim\":12,\"n_group\":3,\"topk_group\":2,"
    "\"first_k_dense_replace\":1}",
    "{\"model_type\":\"gpt_oss\"," SHAPE "\"sliding_window\":9,"
    "\"rope_scaling\":{\"rope_type\":\"yarn\",\"factor\":4,"
    "\"original_max_position_embeddings\":16,\"truncate\":false}}",
};

enum { N_FAMILY = sizeof family_json / sizeof *family_json };

/* ---- an engine over random weights ---- */

struct fixture {
    struct weight_layout layout;
    float *weights;
    struct oy_pool *pool;
    struct engine *engine;
    int32_t id[LEN];
    float want[LEN * DIM];
};

static void parse(struct decoder_config *config, const char *json)
{
    struct oy_error err = {0};

    if (config_parse(config, "config.json", json, strlen(json), &err))
        fail_msg("%s", err.message);
}

/* Vectors are about 1, with signs that keep decays and norms in range. */
static void fill(const struct weight_layout *layout, float *weights)
{
    struct oy_random random = oy_random_at(9, 1);

    for (int i = 0; i < layout->n_tensor; i++) {
        const struct weight_tensor *tensor = &layout->tensor[i];
        for (size_t j = 0; j < tensor->n_row * tensor->n_column; j++) {
            const double x = oy_random_normal(&random);
            weights[tensor->at + j] =
                (float)(tensor->n_dim == 1 ? 1 + 0.2 * x : 0.3 * x);
        }
    }
}

static void open_fixture(struct fixture *f, const char *json, int n_thread)
{
    struct oy_random random = oy_random_at(1, 2);
    struct decoder_config config;
    struct oy_error err = {0};

    parse(&config, json);
    assert_int_equal(weight_layout_init(&f->layout, &config, &err), 0);
    f->weights = weights_new(&f->layout, &err);
    fill(&f->layout, f->weights);
    f->pool = oy_pool_new(n_thread, &err);
    f->engine = engine_new(&f->layout, f->weights, NULL, 0, f->pool, &err);
    assert_non_null(f->engine);
    for (int i = 0; i < LEN; i++)
        f->id[i] = (int32_t)oy_random_below(&random, VOCAB);
}

static void close_fixture(struct fixture *f)
{
    assert_int_equal(kv_used_blocks(engine_kv(f->engine)), 0);
    engine_free(f->engine);
    oy_pool_free(f->pool);
    oy_free(f->weights);
    weight_layout_release(&f->layout);
}

static void run(struct fixture *f, const struct engine_piece *piece, size_t n,
                float *hidden)
{
    struct oy_error err = {0};

    if (engine_run(f->engine, piece, n, hidden, &err))
        fail_msg("%s", err.message);
}

/* All states of one whole pass. */
static void make_want(struct fixture *f)
{
    struct kv_sequence sequence = {0};
    uint8_t wanted[LEN];
    const struct engine_piece piece = {
        .sequence = &sequence, .id = f->id, .n = LEN, .wanted = wanted};

    memset(wanted, 1, sizeof wanted);
    run(f, &piece, 1, f->want);
    kv_release(engine_kv(f->engine), &sequence);
    for (size_t i = 0; i < LEN * DIM; i++)
        assert_true(isfinite(f->want[i]));
}

static void assert_states(const struct fixture *f, const float *got,
                          size_t from, size_t n)
{
    assert_memory_equal(got, f->want + from * DIM, n * DIM * sizeof *got);
}

/* In pieces of `step`, only the last of each asked for, beside a sequence
 * that is some tokens ahead. */
static void check_step(struct fixture *f, size_t step)
{
    struct kv_sequence one = {0}, two = {0};
    const size_t ahead = LEN % step;
    float hidden[2 * DIM];

    if (ahead) {
        const struct engine_piece first = {
            .sequence = &two, .id = f->id, .n = ahead};
        run(f, &first, 1, hidden);
        assert_states(f, hidden, ahead - 1, 1);
    }
    for (size_t at = 0; at + ahead < LEN; at += step) {
        const struct engine_piece both[] = {
            {.sequence = &one, .id = f->id + at, .n = step},
            {.sequence = &two, .id = f->id + at + ahead, .n = step}};
        run(f, both, 2, hidden);
        assert_states(f, hidden, at + step - 1, 1);
        assert_states(f, hidden + DIM, at + ahead + step - 1, 1);
    }
    kv_release(engine_kv(f->engine), &one);
    kv_release(engine_kv(f->engine), &two);
}

static void test_rows_are_their_own(void **state)
{
    static const size_t steps[] = {1, 3, 16, 32, 33, 60, LEN};

    (void)state;
    for (int i = 0; i < N_FAMILY; i++) {
        struct fixture f = {0};
        open_fixture(&f, family_json[i], 2);
        make_want(&f);
        for (size_t j = 0; j < sizeof steps / sizeof *steps; j++)
            check_step(&f, steps[j]);
        close_fixture(&f);
    }
}

/* A state goes with the whole of its sequence; a part begins anew. */
static void test_fork(void **state)
{
    struct fixture f = {0};
    struct oy_error err = {0};
    struct kv_sequence one = {0}, two = {0};
    float hidden[DIM];

    (void)state;
    open_fixture(&f, family_json[2], 1);
    make_want(&f);
    const struct engine_piece first = {.sequence = &one, .id = f.id, .n = 40};
    run(&f, &first, 1, hidden);
    assert_int_equal(kv_fork(engine_kv(f.engine), &one, 39, &two, &err), 0);
    assert_int_equal(two.len, 0);
    assert_int_equal(kv_fork(engine_kv(f.engine), &one, 40, &two, &err), 0);
    assert_int_equal(two.len, 40);
    const struct engine_piece rest[] = {
        {.sequence = &two, .id = f.id + 40, .n = LEN - 40},
        {.sequence = &one, .id = f.id + 40, .n = 1}};
    run(&f, &rest[0], 1, hidden);
    assert_states(&f, hidden, LEN - 1, 1);
    run(&f, &rest[1], 1, hidden);
    assert_states(&f, hidden, 40, 1);
    kv_release(engine_kv(f.engine), &one);
    kv_release(engine_kv(f.engine), &two);
    close_fixture(&f);
}

/* ---- files ---- */

struct files {
    struct weight_layout layout;
    float *want, *got;
    char folder[64], path[96];
    struct safetensors_entry entry[256];
    char name[256][96];
    int n;
};

static void open_files(struct files *files, const char *json)
{
    struct decoder_config config;
    struct oy_error err = {0};

    memset(files, 0, sizeof *files);
    parse(&config, json);
    assert_int_equal(weight_layout_init(&files->layout, &config, &err), 0);
    files->want = weights_new(&files->layout, &err);
    files->got = weights_new(&files->layout, &err);
    fill(&files->layout, files->want);
    strcpy(files->folder, "/tmp/test_mixed_XXXXXX");
    assert_non_null(mkdtemp(files->folder));
    snprintf(files->path, sizeof files->path, "%s/model.safetensors",
             files->folder);
}

static void close_files(struct files *files)
{
    unlink(files->path);
    rmdir(files->folder);
    oy_free(files->want);
    oy_free(files->got);
    weight_layout_release(&files->layout);
}

static struct safetensors_entry *add(struct files *files, const char *name,
                                     const void *data)
{
    struct safetensors_entry *entry = &files->entry[files->n];

    assert_true(files->n < 256);
    snprintf(files->name[files->n], sizeof *files->name, "%s", name);
    *entry = (struct safetensors_entry){
        .name = files->name[files->n], .type = TENSOR_F32, .data = data};
    files->n++;
    return entry;
}

/* A tensor of the layout as it is. */
static void add_plain(struct files *files, const struct weight_tensor *tensor)
{
    struct safetensors_entry *entry =
        add(files, tensor->name, files->want + tensor->at);

    entry->n_dim = tensor->n_dim;
    entry->shape[0] = tensor->n_dim == 1 ? tensor->n_column : tensor->n_row;
    entry->shape[1] = tensor->n_column;
}

static int read_files(struct files *files, struct oy_error *err)
{
    struct oy_error write_err = {0};

    assert_int_equal(
        safetensors_write(files->path, files->entry, files->n, &write_err), 0);
    return weights_read(&files->layout, files->got, files->folder, err);
}

static void assert_read(struct files *files)
{
    struct oy_error err = {0};

    if (read_files(files, &err))
        fail_msg("%s", err.message);
    assert_memory_equal(files->got, files->want,
                        files->layout.n_float * sizeof *files->want);
}

/* The layout's experts touch: the first of a kind begins the joint tensor. */
static void add_joint(struct files *files, const struct weight_tensor *tensor)
{
    const struct moe_config *moe = &files->layout.config.moe;
    struct safetensors_entry *entry;
    struct weight_fused fused;

    assert_int_equal(weights_find_fused(&files->layout, tensor, &fused), 0);
    if (fused.at)
        return;
    entry = add(files, fused.name, files->want + tensor->at);
    entry->n_dim = 3;
    entry->shape[0] = (uint64_t)moe->n_expert;
    entry->shape[1] = fused.n / entry->shape[0] / tensor->n_column;
    entry->shape[2] = tensor->n_column;
}

/* Experts as wide as the model: no shape tells gate from down. */
static const char moe_json[] =
    "{\"model_type\":\"qwen3_moe\"," SHAPE "\"moe_intermediate_size\":32}";

static void test_single_experts(void **state)
{
    static struct files files;

    (void)state;
    open_files(&files, moe_json);
    for (int i = 0; i < files.layout.n_tensor; i++)
        add_plain(&files, &files.layout.tensor[i]);
    assert_read(&files);
    close_files(&files);
}

/* GGUF has the gate of the shared expert as a vector. */
static void test_vector_for_row(void **state)
{
    static struct files files;

    (void)state;
    open_files(&files, family_json[0]);
    for (int i = 0; i < files.layout.n_tensor; i++) {
        add_plain(&files, &files.layout.tensor[i]);
        if (!strstr(files.entry[i].name, "shared_expert_gate"))
            continue;
        files.entry[i].n_dim = 1;
        files.entry[i].shape[0] = DIM;
    }
    assert_read(&files);
    close_files(&files);
}

static void test_joint_experts(void **state)
{
    static struct files files;
    struct oy_error err = {0};

    (void)state;
    open_files(&files, moe_json);
    for (int i = 0; i < files.layout.n_tensor; i++) {
        const struct weight_tensor *tensor = &files.layout.tensor[i];
        if (strstr(tensor->name, ".experts."))
            add_joint(&files, tensor);
        else
            add_plain(&files, tensor);
    }
    assert_read(&files);
    /* One expert less. */
    for (int i = 0; i < files.n; i++) {
        if (strstr(files.entry[i].name, "layers.2") &&
            strstr(files.entry[i].name, "experts.down_proj"))
            files.entry[i].shape[0]--;
    }
    assert_int_equal(read_files(&files, &err), -1);
    assert_non_null(strstr(
        err.message, "layers.2.mlp.experts.down_proj' has another shape"));
    close_files(&files);
}

/* What a file of gpt_oss holds of a tensor: columns are the arena's rows, the
 * two halves of a part in turn. Yours. */
static float *turned(const struct files *files,
                     const struct weight_tensor *tensor)
{
    const size_t rows = tensor->part_rows, columns = tensor->n_column;
    const float *from = files->want + tensor->at;
    float *to = oy_alloc_array(tensor->n_row * columns, sizeof *to);

    for (size_t i = 0; i < tensor->n_row * columns; i++) {
        const size_t part = i / (rows * columns), row = i / columns % rows;
        const size_t there =
            tensor->is_paired ? row % (rows / 2) * 2 + row / (rows / 2) : row;
        to[(part * columns + i % columns) * rows + there] = from[i];
    }
    return to;
}

static void test_turned_experts(void **state)
{
    static struct files files;
    float *owned[64];
    int n_owned = 0;

    (void)state;
    open_files(&files, family_json[4]);
    for (int i = 0; i < files.layout.n_tensor; i++) {
        const struct weight_tensor *tensor = &files.layout.tensor[i];
        struct safetensors_entry *entry;
        if (tensor->form != WEIGHT_EXPERTS) {
            add_plain(&files, tensor);
            continue;
        }
        owned[n_owned] = turned(&files, tensor);
        entry = add(&files, tensor->name, owned[n_owned++]);
        entry->n_dim = tensor->n_dim;
        entry->shape[0] = tensor->n_part;
        entry->shape[1] =
            tensor->n_dim == 3 ? tensor->n_column : tensor->part_rows;
        entry->shape[2] = tensor->part_rows;
    }
    assert_read(&files);
    close_files(&files);
    while (n_owned)
        oy_free(owned[--n_owned]);
}

static void test_blocks(void **state)
{
    enum { PARTS = 2, ROWS = 4, COLUMNS = 64, BLOCKS = PARTS * ROWS * 2 };
    const struct weight_tensor tensor = {.n_row = PARTS * ROWS,
                                         .n_column = COLUMNS,
                                         .n_part = PARTS,
                                         .part_rows = ROWS,
                                         .is_paired = 1};
    uint8_t blocks[BLOCKS * 16], scales[BLOCKS];
    float got[PARTS * ROWS * COLUMNS];

    (void)state;
    memset(blocks, 0x22, sizeof blocks); /* ones */
    for (int i = 0; i < BLOCKS; i++)
        scales[i] = (uint8_t)(127 + i);
    weights_read_mxfp4(&tensor, blocks, scales, got);
    for (int row = 0; row < PARTS * ROWS; row++) {
        /* Rows 0, 2, 1, 3 of each part of four. */
        static const int place[] = {0, 2, 1, 3};
        const int there = row / ROWS * ROWS + place[row % ROWS];
        assert_true(got[row * COLUMNS] == ldexpf(1, there * 2));
        assert_true(got[row * COLUMNS + 63] == ldexpf(1, there * 2 + 1));
    }
}

static void test_idle(void **state)
{
    static struct files files;

    (void)state;
    open_files(&files, family_json[3]);
    assert_false(weights_is_idle(&files.layout, "model.layers.3.x.weight"));
    assert_true(weights_is_idle(&files.layout, "model.layers.4.x.weight"));
    assert_false(weights_is_idle(&files.layout, "mtp.fc.weight"));
    close_files(&files);
    open_files(&files, family_json[2]);
    assert_false(weights_is_idle(&files.layout, "model.layers.4.x.weight"));
    assert_true(weights_is_idle(&files.layout, "mtp.fc.weight"));
    close_files(&files);
    open_files(&files, family_json[1]);
    assert_true(weights_is_idle(&files.layout, "model.layers.1.self_attn."
                                               "slope_rate"));
    close_files(&files);
}

/* Blocks of a wrong size are named. */
static void test_damaged_blocks(void **state)
{
    static struct files files;
    static const uint8_t zero[8];
    struct oy_error err = {0};

    (void)state;
    open_files(&files, family_json[4]);
    for (int i = 0; i < files.layout.n_tensor; i++) {
        if (files.layout.tensor[i].form != WEIGHT_EXPERTS)
            add_plain(&files, &files.layout.tensor[i]);
    }
    struct safetensors_entry *entry =
        add(&files, "model.layers.0.mlp.experts.gate_up_proj_blocks", zero);
    entry->type = TENSOR_U8;
    entry->n_dim = 1;
    entry->shape[0] = sizeof zero;
    assert_int_equal(read_files(&files, &err), -1);
    assert_non_null(strstr(err.message, "gate_up_proj_blocks' is not U8 of"));
    close_files(&files);
}

/* ---- what is refused ---- */

static void refuse(const char *json, const char *why)
{
    struct decoder_config config;
    struct oy_error err = {0};

    assert_int_equal(
        config_parse(&config, "config.json", json, strlen(json), &err), -1);
    assert_int_equal(err.code, 65);
    if (!strstr(err.message, why))
        fail_msg("'%s' is not in '%s'", why, err.message);
}

static void test_refusals(void **state)
{
    (void)state;
    refuse("{\"model_type\":\"mixtral\"," SHAPE "\"router_jitter_noise\":0.1}",
           "'router_jitter_noise' has a value");
    refuse("{\"model_type\":\"qwen3_moe\"," SHAPE "\"norm_topk_prob\":true}",
           "'moe_intermediate_size' is missing");
    refuse("{\"model_type\":\"qwen3_moe\"," QWEN "\"mlp_only_layers\":3}",
           "key 'shared_expert_intermediate_size' is not understood");
    refuse("{\"model_type\":\"qwen2_moe\"," QWEN "\"mlp_only_layers\":3}",
           "'mlp_only_layers' has a value");
    refuse("{\"model_type\":\"qwen3_next\"," QWEN
           "\"linear_num_key_heads\":3,\"linear_num_value_heads\":4}",
           "linear_num_key_heads 3 does not divide");
    refuse("{\"model_type\":\"deepseek_v3\"," SHAPE
           "\"moe_intermediate_size\":10,\"n_group\":4}",
           "n_group 4 does not divide n_routed_experts 6");
    refuse("{\"model_type\":\"deepseek_v3\"," SHAPE
           "\"moe_intermediate_size\":10,\"n_group\":6,\"topk_group\":1}",
           "1 groups have fewer than num_experts_per_tok 2");
    refuse("{\"model_type\":\"deepseek_v3\"," SHAPE
           "\"moe_intermediate_size\":10,\"n_group\":1,\"topk_group\":1,"
           "\"scoring_func\":\"softmax\"}",
           "'scoring_func' has a value");
    refuse("{\"model_type\":\"gpt_oss\"," SHAPE "\"sliding_window\":9}",
           "'rope_scaling' is missing");
    refuse("{\"model_type\":\"gpt_oss\"," SHAPE "\"rope_scaling\":{\"type\":"
           "\"linear\",\"factor\":2},\"quantization_config\":{"
           "\"quant_method\":\"fp8\"}}",
           "'quantization_config' has a value");
    refuse("{\"model_type\":\"minimind\"," SHAPE "\"use_moe\":true,"
           "\"n_routed_experts\":4}",
           "'n_routed_experts' is not supported");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_their_own),
        cmocka_unit_test(test_fork),
        cmocka_unit_test(test_single_experts),
        cmocka_unit_test(test_vector_for_row),
        cmocka_unit_test(test_joint_experts),
        cmocka_unit_test(test_turned_experts),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_idle),
        cmocka_unit_test(test_damaged_blocks),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
