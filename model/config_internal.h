/* SPDX-License-Identifier: Apache-2.0
 *
 * Between config.c, which reads what all families share, config_family.c,
 * which knows how each differs, and config_rope.c.
 *
 * All readers return 0, or -1 with an error that names the key. A key that is
 * absent or null gives the fallback.
 */
#ifndef MODEL_CONFIG_INTERNAL_H
#define MODEL_CONFIG_INTERNAL_H

#include "core/json.h"
#include "model/config.h"

struct family;

struct reading {
    struct decoder_config *config;
    const struct family *family;
    struct oy_json_value all; /* the document */
    struct oy_error *err;
};

/* How config.json spells the shape. */
struct shape_keys {
    const char *dim, *n_layer, *n_head, *n_hidden, *max_position;
    const char *activation;
    int may_lack_hidden; /* 4 times dim then */
};

/* A model_type: what its class in transformers takes for granted, and what
 * it changes in the description. */
struct family {
    const char *name;
    int (*read)(const struct reading *reading); /* NULL: Llama's blocks */
    /* Keys that `read` looks at, NULL-terminated; those of config.c's table
     * (vocab_size ...) are known to every family. */
    const char *const *keys;
    const struct shape_keys *shape; /* NULL: the usual ones */
    const char *eps_key;            /* NULL: "rms_norm_eps" */
    double norm_eps;                /* 0: 1e-6 */
    double rope_theta;              /* 0: 10000 */
    const char *theta_key;          /* NULL: "rope_theta" */
    double local_theta;             /* of table 1; 0: as table 0 */
    const char *rotary_key;         /* share of a head that is rotated */
    double rotary_default;          /* 0: others than 1 are refused */
    int is_tied;
    int has_windows; /* `read` cares for sliding_window and layer_types */
    enum activation activation;
};

/* The families of config_mixed.c; the last has no name. */
extern const struct family mixed_families[];

/* NULL after an error that lists what there is. */
const struct family *family_find(const struct reading *reading);

int config_is_present(const struct oy_json_value *value);
/* A whole number within bounds; a negative fallback makes it needed. */
int config_int(const struct reading *reading,
               const struct oy_json_value *object, const char *key, int low,
               int high, int fallback, int *number);
/* A positive finite number; fallback 0 makes it needed. */
int config_positive(const struct reading *reading,
                    const struct oy_json_value *object, const char *key,
                    double fallback, double *number);
/* A multiplier or cap of the document as a float: positive, else 0 when
 * absent. */
int config_factor(const struct reading *reading, const char *key,
                  float *number);
int config_bool(const struct reading *reading, const char *key, int fallback,
                int *truth);
/* layer_types: the blocks of the layers by name, block i being name[i] (NULL
 * ends the list). *found: whether the key is there. */
int config_layer_types(const struct reading *reading, const char *const *name,
                       int *found);
/* rope_theta, rope_scaling and rope_parameters in both spellings. */
int config_read_rope(const struct reading *reading);

#endif
