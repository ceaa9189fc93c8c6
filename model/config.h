/* SPDX-License-Identifier: Apache-2.0
 *
 * The description of a decoder, as config.json gives it.
 *
 * One struct serves trainer and engine. It is read from a Hugging Face
 * config.json or made from a preset; a key that would change arithmetic and
 * is not understood is an error that names it, never ignored. Llama, Qwen3
 * and MiniMind shapes are described by the same few numbers: RMSNorm before
 * each half of a block, grouped-query attention with rotary positions,
 * optionally RMSNorm on each head's q and k, SwiGLU, tied or untied head.
 */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/error.h"

enum { DECODER_MAX_EOS = 8 };

enum rope_scaling { ROPE_PLAIN, ROPE_LINEAR, ROPE_LLAMA3 };

struct decoder_config {
    char family[32];  /* model_type: "llama", "qwen3", "minimind" */
    int n_vocab;      /* vocab_size */
    int dim;          /* hidden_size */
    int n_layer;      /* num_hidden_layers */
    int n_head;       /* num_attention_heads */
    int n_kv_head;    /* num_key_value_heads, divides n_head */
    int head_dim;     /* explicit, or dim / n_head; even */
    int n_hidden;     /* intermediate_size */
    int max_position; /* max_position_embeddings */
    float norm_eps;   /* rms_norm_eps */
    int has_qk_norm;  /* q_norm, k_norm [head_dim] before the rotation */
    int is_tied;      /* the head is the embedding */
    double rope_theta;
    enum rope_scaling rope_scaling;
    double rope_factor, rope_low_freq_factor, rope_high_freq_factor;
    int rope_original_position; /* original_max_position_embeddings */
    int bos_id;                 /* -1: none */
    int eos_id[DECODER_MAX_EOS];
    int n_eos;
};

/* Reads config.json (and generation_config.json beside it for eos ids) of a
 * checkpoint folder, or what a model's file (model/model_file.h) says in
 * their place. 66 when missing, 65 when damaged or not understood. Every
 * number is bounded. */
int config_read(struct decoder_config *config, const char *folder,
                struct oy_error *err);
/* The same from text; `name` for errors. */
int config_parse(struct decoder_config *config, const char *name,
                 const char *json, size_t len, struct oy_error *err);

/* The config.json and generation_config.json that transformers opens as
 * LlamaForCausalLM or Qwen3ForCausalLM (has_qk_norm decides). */
void config_put_json(const struct decoder_config *config,
                     struct oy_buffer *out);
void config_put_generation_json(const struct decoder_config *config,
                                struct oy_buffer *out);

/* "minimind-26m" (512, 8 layers, 8/2 heads, 1408), "minimind-64m" (768, 8,
 * 8/4, head_dim 96, 2432, q/k norm), "tiny" (a demo size: 192, 4 layers, 6/2
 * heads, 512) ...: spec of MiniMind, model/model_minimind.py. n_vocab is left
 * 0 for the tokenizer to fill. 0, or -1 for an unknown name. */
int config_preset(struct decoder_config *config, const char *name);
/* NULL-terminated list of preset names. */
const char *const *config_preset_names(void);

/* rope_inv_freq[head_dim / 2], after scaling, in double as transformers does
 * (angles are then position * inv_freq). */
void config_rope_frequencies(const struct decoder_config *config,
                             double *inv_freq);

/* Number of weights; floating-point operations of one token's forward matrix
 * products (twice the weights that are multiplied). */
uint64_t config_count_weights(const struct decoder_config *config);

#endif
