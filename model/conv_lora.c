/* SPDX-License-Identifier: Apache-2.0
 *
 * Adapters that are added to weights: LoRA and DoRA as peft stores them
 * (peft/tuners/lora), and MiniMind's (model/model_lora.py). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/input.h"
#include "core/regex.h"
#include "model/conv_internal.h"
#include "model/model_file.h"

enum { MAX_CONFIG = 4 << 20, MAX_NAME = 512 };

struct conv_lora {
    const char *path;
    struct conv_source source;
    struct oy_buffer text; /* adapter_config.json */
    struct oy_json_value config;
    int is_minimind;
    int is_rank_stable, is_dora;
    double alpha;
};

/* ---- the configuration ---- */

/* Ways that peft has and that are not a product added to a weight. */
static int check_ways(const struct conv_lora *lora, struct oy_error *err)
{
    static const char *const unknown[] = {
        "lora_bias",         "use_qalora",
        "layer_replication", "alora_invocation_tokens",
        "use_bdlora",        "trainable_token_indices",
        "target_parameters", "arrow_config"};
    const struct oy_json_value type =
        oy_json_member(&lora->config, "peft_type");
    const struct oy_json_value init =
        oy_json_member(&lora->config, "init_lora_weights");

    if (type.kind != OY_JSON_STRING || !oy_json_equals(&type, "LORA"))
        return oy_fail(err, OY_DATA, "peft_type: %.*s is not supported",
                       type.at ? (int)type.len : 7,
                       type.at ? type.at : "nothing");
    /* These move a part of the weights into the adapter when training
     * begins, so the adapter does not fit the weights on disk. */
    if (init.kind == OY_JSON_STRING && !oy_json_equals(&init, "gaussian") &&
        !oy_json_equals(&init, "orthogonal") && !oy_json_equals(&init, "eva"))
        return oy_fail(err, OY_DATA, "init_lora_weights: %.*s is not supported",
                       (int)init.len, init.at);
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        const struct oy_json_value value =
            oy_json_member(&lora->config, unknown[i]);
        if (value.kind != OY_JSON_MISSING && value.kind != OY_JSON_NULL &&
            value.kind != OY_JSON_FALSE)
            return oy_fail(err, OY_DATA, "%s is not supported", unknown[i]);
    }
    return 0;
}

static int is_true(const struct conv_lora *lora, const char *name)
{
    return oy_json_member(&lora->config, name).kind == OY_JSON_TRUE;
}

static int read_config(struct conv_lora *lora, struct oy_error *err)
{
    char *path = oy_asprintf("%s/adapter_config.json", lora->path);
    const char *why = "not an object";
    size_t len, where = 0;
    char *text = oy_input_slurp(path, MAX_CONFIG, &len, err);
    int status = text ? 0 : -1;

    if (text) {
        oy_buffer_append(&lora->text, text, len);
        oy_buffer_reserve(&lora->text, 1);
        if (oy_json_validate(lora->text.data, len, &why, &where) ||
            oy_json_value_of(lora->text.data, len, &lora->config, &why) ||
            lora->config.kind != OY_JSON_OBJECT)
            status = oy_fail(err, OY_DATA, "byte %zu: %s", where, why);
    }
    if (!status) {
        const struct oy_json_value alpha =
            oy_json_member(&lora->config, "lora_alpha");
        status = check_ways(lora, err);
        lora->alpha = 8; /* LoraConfig's default */
        if (!status && alpha.kind == OY_JSON_NUMBER &&
            (oy_json_double(&alpha, &lora->alpha) || !isfinite(lora->alpha)))
            status = oy_fail(err, OY_DATA, "lora_alpha is not a number");
        lora->is_rank_stable = is_true(lora, "use_rslora");
        lora->is_dora = is_true(lora, "use_dora");
    }
    if (status && text)
        oy_fail_at(err, "%s", path);
    oy_free(text);
    oy_free(path);
    return status;
}

/* ---- scales ---- */

/* get_pattern_key() of peft: the key as an expression is the module's name or
 * the end of it behind a dot. */
static int is_match(const struct oy_json_value *key, const char *module)
{
    struct oy_arena arena = {0};
    struct oy_error none = {0};
    struct oy_regex_match match;
    struct oy_text text;
    uint64_t n_repaired = 0;
    const char *why;
    int found = 0;

    if (oy_json_text(key, &arena, &text, &n_repaired, &why)) {
        oy_arena_release(&arena);
        return 0;
    }
    char *pattern = oy_asprintf("^(?:.*\\.)?(?:%.*s)$", (int)text.len, text.at);
    struct oy_regex *regex =
        oy_regex_new(pattern, strlen(pattern), OY_REGEX_PCRE2, &none);
    struct oy_regex_matcher *matcher = oy_regex_matcher_new();
    if (regex)
        found = oy_regex_find(regex, matcher, module, strlen(module), 0, &match,
                              &none) > 0;
    oy_regex_matcher_free(matcher);
    oy_regex_free(regex);
    oy_free(pattern);
    oy_arena_release(&arena);
    return found;
}

static double alpha_of(const struct conv_lora *lora, const char *module)
{
    const struct oy_json_value all =
        oy_json_member(&lora->config, "alpha_pattern");
    struct oy_json_cursor cursor;
    struct oy_json_value key, value;
    double alpha;

    if (all.kind != OY_JSON_OBJECT)
        return lora->alpha;
    oy_json_enter(&cursor, &all);
    while (oy_json_next_member(&cursor, &key, &value) > 0) {
        if (value.kind == OY_JSON_NUMBER && is_match(&key, module) &&
            !oy_json_double(&value, &alpha))
            return alpha;
    }
    return lora->alpha;
}

static double scale_of(const struct conv_lora *lora, const char *module,
                       uint64_t rank)
{
    if (lora->is_minimind)
        return 1;
    const double r = (double)rank;

    return alpha_of(lora, module) / (lora->is_rank_stable ? sqrt(r) : r);
}

/* ---- names ---- */

/* "base_model.model." MODULE ENDING, or without what stands before. */
static const struct safetensor *find(const struct conv_lora *lora,
                                     const char *module, const char *ending)
{
    char name[MAX_NAME];

    snprintf(name, sizeof name, "%s%s%s",
             lora->is_minimind ? "" : "base_model.model.", module, ending);
    return conv_source_find(&lora->source, name);
}

/* The name without ".weight". */
static int module_of(const char *name, char module[MAX_NAME])
{
    const size_t len = strlen(name);

    if (len <= 7 || len >= MAX_NAME || strcmp(name + len - 7, ".weight"))
        return -1;
    memcpy(module, name, len - 7);
    module[len - 7] = '\0';
    return 0;
}

struct factors {
    const struct safetensor *a, *b, *magnitude;
    int is_embedding;
};

static struct factors find_factors(const struct conv_lora *lora,
                                   const char *module)
{
    struct factors factors = {
        .a = find(lora, module,
                  lora->is_minimind ? ".lora.A.weight" : ".lora_A.weight"),
        .b = find(lora, module,
                  lora->is_minimind ? ".lora.B.weight" : ".lora_B.weight"),
        .magnitude = find(lora, module, ".lora_magnitude_vector")};

    if (!factors.magnitude)
        factors.magnitude = find(lora, module, ".lora_magnitude_vector.weight");
    if (factors.a || factors.b)
        return factors;
    factors.a = find(lora, module, ".lora_embedding_A");
    factors.b = find(lora, module, ".lora_embedding_B");
    factors.is_embedding = factors.a && factors.b;
    return factors;
}

/* A tensor that was trained whole: modules_to_save, or a bias. */
static const struct safetensor *find_whole(const struct conv_lora *lora,
                                           const char *name)
{
    return lora->is_minimind ? NULL : find(lora, name, "");
}

int conv_lora_has(const struct conv_lora *lora, const char *name)
{
    char module[MAX_NAME];

    if (find_whole(lora, name))
        return 1;
    return !module_of(name, module) && find_factors(lora, module).a;
}

/* ---- checks ---- */

static int is_matrix(const struct safetensor *tensor, uint64_t n_row,
                     uint64_t n_column)
{
    return tensor->n_dim == 2 && tensor->shape[0] == n_row &&
           tensor->shape[1] == n_column;
}

/* A [r][in], B [out][r]; W [out][in], of Conv1D and embeddings [in][out]. */
static int fits(const struct conv_lora *lora, const struct factors *factors,
                const struct safetensor *weight)
{
    const struct safetensor *a = factors->a, *b = factors->b;
    const int is_turned =
        factors->is_embedding || is_true(lora, "fan_in_fan_out");

    if (weight->n_dim != 2 || !a || !b || a->n_dim != 2 || !a->shape[0])
        return 0;
    return is_matrix(a, a->shape[0], weight->shape[is_turned ? 0 : 1]) &&
           is_matrix(b, weight->shape[is_turned ? 1 : 0], a->shape[0]) &&
           (!factors->magnitude ||
            (!is_turned &&
             factors->magnitude->n_element == weight->shape[0])) &&
           (!lora->is_dora || factors->magnitude);
}

static int check_module(const struct conv_lora *lora,
                        const struct conv_source *base, const char *module,
                        struct oy_error *err)
{
    char name[MAX_NAME + 8];
    const struct factors factors = find_factors(lora, module);

    snprintf(name, sizeof name, "%s.weight", module);
    const struct safetensor *weight = conv_source_find(base, name);
    if (!weight)
        return oy_fail(err, OY_DATA, "module '%s' is not in the model", module);
    if (!fits(lora, &factors, weight))
        return oy_fail(err, OY_DATA,
                       "module '%s': its factors do not fit the weight",
                       module);
    return 0;
}

static const char *const ending[] = {".lora_A.weight",
                                     ".lora_B.weight",
                                     ".lora_embedding_A",
                                     ".lora_embedding_B",
                                     ".lora_magnitude_vector",
                                     ".lora_magnitude_vector.weight",
                                     ".lora.A.weight",
                                     ".lora.B.weight",
                                     NULL};

static int check_whole(const struct conv_source *base, const char *name,
                       const struct safetensor *tensor, struct oy_error *err)
{
    const struct safetensor *weight = conv_source_find(base, name);

    if (!weight || weight->n_element != tensor->n_element)
        return oy_fail(err, OY_DATA, "'%s' does not fit the model",
                       tensor->name);
    return 0;
}

static int check_tensor(const struct conv_lora *lora,
                        const struct conv_source *base,
                        const struct safetensor *tensor, struct oy_error *err)
{
    static const char before[] = "base_model.model.";
    const size_t n = lora->is_minimind ? 0 : sizeof before - 1;
    const char *name = tensor->name + n;
    const size_t len = strlen(tensor->name);
    char module[MAX_NAME];

    if (strncmp(tensor->name, before, n) || len >= MAX_NAME)
        return oy_fail(err, OY_DATA, "'%s' is not understood", tensor->name);
    /* peft keeps the embedding itself beside its factors. */
    if (strstr(name, ".base_layer."))
        return 0;
    for (int i = 0; ending[i]; i++) {
        const size_t m = strlen(ending[i]);
        if (len - n <= m || strcmp(name + len - n - m, ending[i]))
            continue;
        memcpy(module, name, len - n - m);
        module[len - n - m] = '\0';
        return check_module(lora, base, module, err);
    }
    if (lora->is_minimind)
        return oy_fail(err, OY_DATA, "'%s' is not understood", tensor->name);
    return check_whole(base, name, tensor, err);
}

static int check_all(const struct conv_lora *lora,
                     const struct conv_source *base, struct oy_error *err)
{
    float first;

    for (size_t i = 0; i < lora->source.n_tensor; i++) {
        const struct safetensor *tensor = lora->source.tensor[i];
        if (check_tensor(lora, base, tensor, err))
            return -1;
        if (safetensor_to_f32(tensor, 0, tensor->n_element ? 1 : 0, &first))
            return oy_fail(err, OY_DATA, "tensor '%s' is of type %s",
                           tensor->name, tensor->type_name);
    }
    if (!lora->source.n_tensor)
        return oy_fail(err, OY_DATA, "the adapter is empty");
    return 0;
}

/* ---- life ---- */

static int ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);

    return n >= m && !strcmp(text + n - m, end);
}

/* peft's folder. */
static int open_folder(struct conv_lora *lora, struct oy_error *err)
{
    char *path = oy_asprintf("%s/adapter_model.safetensors", lora->path);
    const int status = read_config(lora, err) ||
                       conv_source_open_file(&lora->source, path, err);

    lora->source.path = lora->path;
    oy_free(path);
    return status ? -1 : 0;
}

static int open_adapter(struct conv_lora *lora, struct oy_error *err)
{
    lora->is_minimind = model_file_is(lora->path);
    if (!lora->is_minimind)
        return open_folder(lora, err);
    if (!ends_with(lora->path, ".safetensors"))
        return oy_fail(err, OY_DATA,
                       "%s: not a safetensors file (a .pth is a program that "
                       "builds tensors: save its tensors as safetensors)",
                       lora->path);
    return conv_source_open_file(&lora->source, lora->path, err);
}

struct conv_lora *conv_lora_open(const char *path,
                                 const struct conv_source *base,
                                 struct oy_error *err)
{
    struct conv_lora *lora = oy_calloc(1, sizeof *lora);

    lora->path = path;
    if (!open_adapter(lora, err)) {
        if (!check_all(lora, base, err))
            return lora;
        oy_fail_at(err, "%s", path);
    }
    conv_lora_free(lora);
    return NULL;
}

void conv_lora_free(struct conv_lora *lora)
{
    if (!lora)
        return;
    conv_source_close(&lora->source);
    oy_buffer_release(&lora->text);
    oy_free(lora);
}

/* ---- the sum ---- */

static float *load(const struct safetensor *tensor)
{
    float *value = oy_alloc_array((size_t)tensor->n_element, sizeof *value);

    safetensor_to_f32(tensor, 0, tensor->n_element, value);
    return value;
}

/* W + s B A; is_turned: W has [in][out]. Sums in double, one rounding. */
static void add_product(const struct factors *factors, double scale,
                        int is_turned, float *weight)
{
    const size_t rank = (size_t)factors->a->shape[0];
    const size_t n_in = (size_t)factors->a->shape[1];
    const size_t n_out = (size_t)factors->b->shape[0];
    float *a = load(factors->a), *b = load(factors->b);
    double *row = oy_alloc_array(n_in, sizeof *row);

    for (size_t i = 0; i < n_out; i++) {
        memset(row, 0, n_in * sizeof *row);
        for (size_t r = 0; r < rank; r++) {
            const double left = (double)b[i * rank + r] * scale;
            for (size_t j = 0; j < n_in; j++)
                row[j] += left * (double)a[r * n_in + j];
        }
        for (size_t j = 0; j < n_in; j++) {
            float *to = weight + (is_turned ? j * n_out + i : i * n_in + j);
            *to = (float)((double)*to + row[j]);
        }
    }
    oy_free(a);
    oy_free(b);
    oy_free(row);
}

/* DoRA: each row gets the length that was trained for it. */
static void set_lengths(const struct safetensor *magnitude, float *weight,
                        uint64_t n_row, uint64_t n_column)
{
    float *length = load(magnitude);

    for (uint64_t i = 0; i < n_row; i++) {
        float *row = weight + i * n_column;
        double sum = 0;
        for (uint64_t j = 0; j < n_column; j++)
            sum += (double)row[j] * (double)row[j];
        const double factor = (double)length[i] / sqrt(sum);
        for (uint64_t j = 0; j < n_column; j++)
            row[j] = (float)((double)row[j] * factor);
    }
    oy_free(length);
}

void conv_lora_apply(const struct conv_lora *lora,
                     const struct safetensor *tensor, float *value)
{
    const struct safetensor *whole = find_whole(lora, tensor->name);
    char module[MAX_NAME];

    if (whole) {
        safetensor_to_f32(whole, 0, whole->n_element, value);
        return;
    }
    if (module_of(tensor->name, module))
        return;
    const struct factors factors = find_factors(lora, module);
    if (!factors.a)
        return;
    add_product(&factors, scale_of(lora, module, factors.a->shape[0]),
                factors.is_embedding || is_true(lora, "fan_in_fan_out"), value);
    if (lora->is_dora)
        set_lengths(factors.magnitude, value, tensor->shape[0],
                    tensor->shape[1]);
}
