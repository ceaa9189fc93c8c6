/* SPDX-License-Identifier: Apache-2.0
 *
 * Rotary positions: read from config.json, and their frequencies. */
#include <math.h>
#include <string.h>

#include "model/config_internal.h"

/* ---- reading ---- */

static int read_llama3(const struct reading *reading,
                       const struct oy_json_value *scaling,
                       struct rope_config *rope)
{
    if (config_positive(reading, scaling, "low_freq_factor", 0,
                        &rope->low_freq_factor) ||
        config_positive(reading, scaling, "high_freq_factor", 0,
                        &rope->high_freq_factor))
        return -1;
    if (rope->high_freq_factor <= rope->low_freq_factor)
        return oy_fail(reading->err, OY_DATA,
                       "rope's high_freq_factor is not above low_freq_factor");
    return 0;
}

/* The 0.1 m ln(s) + 1 of YaRN. */
static double yarn_scale(double factor, double m)
{
    return factor <= 1 ? 1 : 0.1 * m * log(factor) + 1;
}

/* Numbers that may be absent come out as 0. */
static int read_optional(const struct reading *reading,
                         const struct oy_json_value *scaling, const char *key,
                         double *number)
{
    const struct oy_json_value value = oy_json_member(scaling, key);

    *number = 0;
    if (!config_is_present(&value))
        return 0;
    if (value.kind != OY_JSON_NUMBER || oy_json_double(&value, number) ||
        !(*number >= 0) || !isfinite(*number))
        return oy_fail(reading->err, OY_DATA, "'%s' is not a positive number",
                       key);
    return 0;
}

static int read_yarn(const struct reading *reading,
                     const struct oy_json_value *scaling,
                     struct rope_config *rope)
{
    const struct oy_json_value truncate = oy_json_member(scaling, "truncate");
    double mscale, all_dim;
    int is_rounded = 1;

    if (read_optional(reading, scaling, "attention_factor",
                      &rope->attention_factor) ||
        read_optional(reading, scaling, "mscale", &mscale) ||
        read_optional(reading, scaling, "mscale_all_dim", &all_dim) ||
        config_positive(reading, scaling, "beta_fast", 32, &rope->beta_fast) ||
        config_positive(reading, scaling, "beta_slow", 1, &rope->beta_slow))
        return -1;
    if (config_is_present(&truncate) && oy_json_bool(&truncate, &is_rounded))
        return oy_fail(reading->err, OY_DATA,
                       "'truncate' is not true or "
                       "false");
    rope->is_exact = !is_rounded;
    if (rope->attention_factor == 0)
        rope->attention_factor = mscale > 0 && all_dim > 0
                                     ? yarn_scale(rope->factor, mscale) /
                                           yarn_scale(rope->factor, all_dim)
                                     : yarn_scale(rope->factor, 1);
    return 0;
}

static int read_factors(const struct reading *reading,
                        const struct oy_json_value *scaling, const char *key,
                        int n, float *factor)
{
    const struct oy_json_value list = oy_json_member(scaling, key);
    struct oy_json_cursor cursor;
    struct oy_json_value item;
    double number;
    int i = 0;

    if (list.kind != OY_JSON_ARRAY)
        return oy_fail(reading->err, OY_DATA, "'%s' is no list", key);
    oy_json_enter(&cursor, &list);
    while (oy_json_next_element(&cursor, &item) > 0) {
        if (i == n || item.kind != OY_JSON_NUMBER ||
            oy_json_double(&item, &number) || !(number > 0) ||
            !isfinite(number))
            return oy_fail(reading->err, OY_DATA,
                           "'%s' is not a list of %d positive numbers", key, n);
        factor[i++] = (float)number;
    }
    if (i < n)
        return oy_fail(reading->err, OY_DATA,
                       "'%s' is not a list of %d positive numbers", key, n);
    return 0;
}

static int read_long(const struct reading *reading,
                     const struct oy_json_value *scaling,
                     struct rope_config *rope)
{
    const struct decoder_config *c = reading->config;
    const int n = ((rope->dim ? rope->dim : c->head_dim) + 1) / 2;

    if (n > ROPE_MAX_PAIR)
        return oy_fail(reading->err, OY_DATA,
                       "longrope over more than %d pairs is not supported",
                       ROPE_MAX_PAIR);
    if (read_factors(reading, scaling, "short_factor", n, rope->short_factor) ||
        read_factors(reading, scaling, "long_factor", n, rope->long_factor) ||
        read_optional(reading, scaling, "attention_factor",
                      &rope->attention_factor))
        return -1;
    if (rope->original_position < 2)
        return oy_fail(reading->err, OY_DATA,
                       "'original_max_position_embeddings' of longrope is 1");
    if (rope->attention_factor == 0 && rope->factor > 1)
        rope->attention_factor =
            sqrt(1 + log(rope->factor) / log(rope->original_position));
    return 0;
}

/* What may stand in a scaling object beside what is read: the names of other
 * types' keys are harmless, since transformers does not look at them. */
static const char *const scaling_key[] = {
    "rope_type",
    "type",
    "rope_theta",
    "factor",
    "low_freq_factor",
    "high_freq_factor",
    "original_max_position_embeddings",
    "partial_rotary_factor",
    "attention_factor",
    "beta_fast",
    "beta_slow",
    "mscale",
    "mscale_all_dim",
    "truncate",
    "short_factor",
    "long_factor",
    "short_mscale",
    "long_mscale",
    "finetuned",
};

static int check_scaling_keys(const struct reading *reading,
                              const struct oy_json_value *scaling)
{
    const int n = sizeof scaling_key / sizeof *scaling_key;
    struct oy_json_cursor cursor;
    struct oy_json_value key, value;

    oy_json_enter(&cursor, scaling);
    while (oy_json_next_member(&cursor, &key, &value) > 0) {
        int i = 0;
        while (i < n && !oy_json_equals(&key, scaling_key[i]))
            i++;
        if (i == n && config_is_present(&value))
            return oy_fail(reading->err, OY_DATA,
                           "key %.*s of rope's scaling is not understood",
                           (int)(key.len < 60 ? key.len : 60), key.at);
    }
    return 0;
}

static const struct {
    const char *name;
    enum rope_scaling scaling;
    int (*read)(const struct reading *reading,
                const struct oy_json_value *scaling, struct rope_config *rope);
} scaling_table[] = {
    {"default", ROPE_PLAIN, NULL},   {"linear", ROPE_LINEAR, NULL},
    {"dynamic", ROPE_DYNAMIC, NULL}, {"llama3", ROPE_LLAMA3, read_llama3},
    {"yarn", ROPE_YARN, read_yarn},  {"longrope", ROPE_LONG, read_long},
    {"su", ROPE_LONG, read_long}, /* of before Phi-3's release */
};

/* The share of a head that is rotated. */
static int read_rotary(const struct reading *reading,
                       const struct oy_json_value *scaling,
                       struct rope_config *rope)
{
    const struct family *family = reading->family;
    const int head_dim = reading->config->head_dim;
    const char *key =
        family->rotary_key ? family->rotary_key : "partial_rotary_factor";
    double share = family->rotary_default > 0 ? family->rotary_default : 1;

    if (config_positive(reading, &reading->all, key, share, &share) ||
        config_positive(reading, scaling, "partial_rotary_factor", share,
                        &share))
        return -1;
    if (share == 1)
        return 0;
    if (family->rotary_default == 0)
        return oy_fail(reading->err, OY_DATA,
                       "'partial_rotary_factor' is not supported for '%s'",
                       family->name);
    rope->dim = share < 1 ? (int)(head_dim * share) : 0;
    if (rope->dim < 1 || (rope->dim + 1) / 2 * 2 > head_dim)
        return oy_fail(reading->err, OY_DATA, "'%s' rotates no part of a head",
                       key);
    return 0;
}

static int read_original(const struct reading *reading,
                         const struct oy_json_value *scaling,
                         struct rope_config *rope)
{
    static const char key[] = "original_max_position_embeddings";
    const int max = reading->config->max_position;
    const int is_needed = rope->scaling == ROPE_LLAMA3;

    if (config_int(reading, scaling, key, 1, 1 << 24, is_needed ? -1 : max,
                   &rope->original_position))
        return -1;
    return config_int(reading, &reading->all, key, 1, 1 << 24,
                      rope->original_position, &rope->original_position);
}

/* `scaling` is rope_scaling, or rope_parameters in the spelling of
 * transformers 5; missing: plain. */
static int read_scaling(const struct reading *reading,
                        const struct oy_json_value *scaling,
                        struct rope_config *rope)
{
    const size_t n = sizeof scaling_table / sizeof *scaling_table;
    struct oy_json_value type = oy_json_member(scaling, "rope_type");
    const struct oy_json_value factor = oy_json_member(scaling, "factor");
    size_t i = 0;

    if (!config_is_present(&type))
        type = oy_json_member(scaling, "type");
    while (config_is_present(&type) && i < n &&
           (type.kind != OY_JSON_STRING ||
            !oy_json_equals(&type, scaling_table[i].name)))
        i++;
    if (i == n)
        return oy_fail(reading->err, OY_DATA,
                       "rope scaling of type %.*s is not supported",
                       (int)(type.len < 60 ? type.len : 60), type.at);
    rope->scaling = scaling_table[i].scaling;
    if (rope->scaling == ROPE_PLAIN)
        return 0;
    if (read_original(reading, scaling, rope))
        return -1;
    /* DeepSeek and Phi-3 leave it out. */
    rope->factor = (double)rope->max_position / rope->original_position;
    if ((config_is_present(&factor) ||
         (rope->scaling != ROPE_YARN && rope->scaling != ROPE_LONG)) &&
        config_positive(reading, scaling, "factor", 0, &rope->factor))
        return -1;
    return scaling_table[i].read ? scaling_table[i].read(reading, scaling, rope)
                                 : 0;
}

static int read_table(const struct reading *reading,
                      const struct oy_json_value *scaling, double theta,
                      struct rope_config *rope)
{
    rope->max_position = reading->config->max_position;
    if (config_is_present(scaling) && scaling->kind != OY_JSON_OBJECT)
        return oy_fail(reading->err, OY_DATA, "rope's scaling is no object");
    if (!config_is_present(scaling)) {
        rope->theta = theta;
        return read_rotary(reading, scaling, rope);
    }
    if (config_positive(reading, scaling, "rope_theta", theta, &rope->theta) ||
        check_scaling_keys(reading, scaling) ||
        read_rotary(reading, scaling, rope))
        return -1;
    return read_scaling(reading, scaling, rope);
}

int config_read_rope(const struct reading *reading)
{
    const struct oy_json_value *all = &reading->all;
    struct oy_json_value scaling = oy_json_member(all, "rope_parameters");
    const struct family *family = reading->family;
    struct rope_config *rope = reading->config->rope;
    double theta = family->rope_theta > 0 ? family->rope_theta : 10000;
    double local = family->local_theta;

    if (config_positive(reading, all, "rope_theta", theta, &theta) ||
        (family->theta_key &&
         config_positive(reading, all, family->theta_key, theta, &theta)) ||
        config_positive(reading, all, "rope_local_base_freq",
                        local > 0 ? local : theta, &local))
        return -1;
    if (!config_is_present(&scaling))
        scaling = oy_json_member(all, "rope_scaling");
    const struct oy_json_value full =
        oy_json_member(&scaling, "full_attention");
    const struct oy_json_value sliding =
        oy_json_member(&scaling, "sliding_attention");
    if (!config_is_present(&full) && !config_is_present(&sliding)) {
        const struct oy_json_value none = {.kind = OY_JSON_MISSING};
        return read_table(reading, &scaling, theta, &rope[0]) ||
                       read_table(reading, &none, local, &rope[1])
                   ? -1
                   : 0;
    }
    return read_table(reading, &full, theta, &rope[0]) ||
                   read_table(reading, &sliding, local, &rope[1])
               ? -1
               : 0;
}

/* ---- frequencies ---- */

/* The divisor of exponents: it may be odd. */
static int dim_of(const struct decoder_config *config, int rope)
{
    return config->rope[rope].dim ? config->rope[rope].dim : config->head_dim;
}

int config_rope_dim(const struct decoder_config *config, int rope)
{
    return (dim_of(config, rope) + 1) / 2 * 2;
}

/* transformers, modeling_rope_utils.py, _compute_llama3_parameters. */
static double scale_llama3(const struct rope_config *rope, double freq)
{
    const double wave = 2 * M_PI / freq;
    const double original = rope->original_position;
    const double low = rope->low_freq_factor;
    const double high = rope->high_freq_factor;

    if (wave > original / low)
        return freq / rope->factor;
    if (wave < original / high)
        return freq;
    const double smooth = (original / wave - low) / (high - low);
    return (1 - smooth) * freq / rope->factor + smooth * freq;
}

/* The pair that turns `turns` times within the original length. */
static double yarn_pair(const struct rope_config *rope, int dim, double turns)
{
    return dim * log(rope->original_position / (turns * 2 * M_PI)) /
           (2 * log(rope->theta));
}

/* Pairs below `low` keep their frequency, those above `high` are slowed. */
static void scale_yarn(const struct rope_config *rope, int dim,
                       double *inv_freq)
{
    double low = yarn_pair(rope, dim, rope->beta_fast);
    double high = yarn_pair(rope, dim, rope->beta_slow);

    if (!rope->is_exact) {
        low = floor(low);
        high = ceil(high);
    }
    low = fmax(low, 0);
    high = fmin(high, dim - 1);
    if (low == high)
        high += 0.001;
    for (int i = 0; i < (dim + 1) / 2; i++) {
        const double ramp = fmin(fmax((i - low) / (high - low), 0), 1);
        inv_freq[i] =
            inv_freq[i] / rope->factor * ramp + inv_freq[i] * (1 - ramp);
    }
}

/* NTK: the base grows with the length beyond what was trained. */
static double dynamic_theta(const struct rope_config *rope, int dim,
                            size_t length)
{
    const double ratio = (double)length / rope->max_position;

    if (ratio <= 1 || dim <= 2)
        return rope->theta;
    return rope->theta * pow(rope->factor * ratio - (rope->factor - 1),
                             (double)dim / (dim - 2));
}

double config_rope_table(const struct decoder_config *config, int number,
                         size_t length, double *inv_freq)
{
    const struct rope_config *rope = &config->rope[number];
    const int dim = dim_of(config, number);
    const float *divisor = length > (size_t)rope->original_position
                               ? rope->long_factor
                               : rope->short_factor;
    const double theta = rope->scaling == ROPE_DYNAMIC
                             ? dynamic_theta(rope, dim, length)
                             : rope->theta;

    for (int i = 0; i < (dim + 1) / 2; i++) {
        const double freq = pow(theta, -2.0 * i / dim);
        inv_freq[i] = freq;
        if (rope->scaling == ROPE_LINEAR)
            inv_freq[i] = freq / rope->factor;
        if (rope->scaling == ROPE_LLAMA3)
            inv_freq[i] = scale_llama3(rope, freq);
        if (rope->scaling == ROPE_LONG)
            inv_freq[i] = freq / (double)divisor[i];
    }
    if (rope->scaling == ROPE_YARN)
        scale_yarn(rope, dim, inv_freq);
    return rope->attention_factor > 0 ? rope->attention_factor : 1;
}

void config_rope_frequencies(const struct decoder_config *config,
                             double *inv_freq)
{
    config_rope_table(config, 0, 0, inv_freq);
}

size_t config_rope_regime(const struct decoder_config *config, size_t length)
{
    size_t regime = 0;

    for (int i = 0; i < DECODER_ROPES; i++) {
        const struct rope_config *rope = &config->rope[i];
        if (rope->scaling == ROPE_DYNAMIC &&
            length > (size_t)rope->max_position)
            return length;
        if (rope->scaling == ROPE_LONG &&
            length > (size_t)rope->original_position)
            regime = (size_t)rope->original_position + 1;
    }
    return regime;
}

int config_turns_by_length(const struct decoder_config *config)
{
    for (int i = 0; i < DECODER_ROPES; i++) {
        if (config->rope[i].scaling == ROPE_DYNAMIC ||
            config->rope[i].scaling == ROPE_LONG)
            return 1;
    }
    return 0;
}

int config_max_text(const struct decoder_config *config)
{
    const struct rope_config *rope = &config->rope[0];
    double n = config->max_position;

    if (rope->scaling == ROPE_DYNAMIC)
        n = fmax(n, n * rope->factor);
    if (rope->scaling == ROPE_YARN)
        n = fmax(n, rope->original_position * rope->factor);
    return n < 1 << 28 ? (int)n : 1 << 28;
}
