/* SPDX-License-Identifier: Apache-2.0
 *
 * The names of tensors, family by family. */
#include <string.h>

#include "model/weights_internal.h"

/* What most families share with Llama. */
#define LLAMA_ENDS                                                             \
    .embedding = "model.embed_tokens", .final_norm = "model.norm",             \
    .head = "lm_head", .layer = "model.layers"
#define LLAMA_ATTENTION                                                        \
    .q = "self_attn.q_proj", .k = "self_attn.k_proj", .v = "self_attn.v_proj", \
    .o = "self_attn.o_proj", .q_norm = "self_attn.q_norm",                     \
    .k_norm = "self_attn.k_norm"
#define LLAMA_FFN                                                              \
    .gate = "mlp.gate_proj", .up = "mlp.up_proj", .down = "mlp.down_proj"
#define LLAMA_NORMS                                                            \
    .input_norm = "input_layernorm", .ffn_norm = "post_attention_layernorm"
#define AFTER_NORMS                                                            \
    .mixer_after = "post_attention_layernorm",                                 \
    .ffn_after = "post_feedforward_layernorm"

static const struct tensor_names names_table[] = {
    {.family = "llama", LLAMA_ENDS, LLAMA_ATTENTION, LLAMA_FFN, LLAMA_NORMS},
    {.family = "gpt2",
     .embedding = "transformer.wte",
     .positions = "transformer.wpe",
     .final_norm = "transformer.ln_f",
     .head = "lm_head",
     .layer = "transformer.h",
     .input_norm = "ln_1",
     .ffn_norm = "ln_2",
     .qkv = "attn.c_attn",
     .qkv_form = WEIGHT_TRANSPOSED,
     .o = "attn.c_proj",
     .up = "mlp.c_fc",
     .down = "mlp.c_proj",
     .other_form = WEIGHT_TRANSPOSED},
    {.family = "gpt_neox",
     .embedding = "gpt_neox.embed_in",
     .final_norm = "gpt_neox.final_layer_norm",
     .head = "embed_out",
     .layer = "gpt_neox.layers",
     LLAMA_NORMS,
     .qkv = "attention.query_key_value",
     .qkv_form = WEIGHT_PER_HEAD,
     .o = "attention.dense",
     .up = "mlp.dense_h_to_4h",
     .down = "mlp.dense_4h_to_h"},
    {.family = "gemma2",
     LLAMA_ENDS,
     LLAMA_ATTENTION,
     LLAMA_FFN,
     AFTER_NORMS,
     .input_norm = "input_layernorm",
     .ffn_norm = "pre_feedforward_layernorm"},
    {.family = "gemma3_text",
     LLAMA_ENDS,
     LLAMA_ATTENTION,
     LLAMA_FFN,
     AFTER_NORMS,
     .input_norm = "input_layernorm",
     .ffn_norm = "pre_feedforward_layernorm"},
    {.family = "olmo2", LLAMA_ENDS, LLAMA_ATTENTION, LLAMA_FFN, AFTER_NORMS},
    {.family = "olmo3", LLAMA_ENDS, LLAMA_ATTENTION, LLAMA_FFN, AFTER_NORMS},
    {.family = "exaone4", LLAMA_ENDS, LLAMA_ATTENTION, LLAMA_FFN, AFTER_NORMS},
    {.family = "phi3",
     LLAMA_ENDS,
     LLAMA_NORMS,
     .qkv = "self_attn.qkv_proj",
     .o = "self_attn.o_proj",
     .gate_up = "mlp.gate_up_proj",
     .down = "mlp.down_proj"},
    {.family = "starcoder2",
     LLAMA_ENDS,
     LLAMA_ATTENTION,
     LLAMA_NORMS,
     .up = "mlp.c_fc",
     .down = "mlp.c_proj"},
    {.family = "stablelm",
     LLAMA_ENDS,
     LLAMA_FFN,
     LLAMA_NORMS,
     .q = "self_attn.q_proj",
     .k = "self_attn.k_proj",
     .v = "self_attn.v_proj",
     .o = "self_attn.o_proj",
     .q_norm = "self_attn.q_layernorm.norms",
     .k_norm = "self_attn.k_layernorm.norms"},
};

const struct tensor_names *weights_names(const char *family)
{
    for (size_t i = 0; i < sizeof names_table / sizeof *names_table; i++) {
        if (!strcmp(names_table[i].family, family))
            return &names_table[i];
    }
    return &names_table[0];
}

const char *weights_head_name(const struct weight_layout *layout)
{
    const char *head = weights_names(layout->config.family)->head;

    return strcmp(head, "embed_out") ? "lm_head.weight" : "embed_out.weight";
}
