/* SPDX-License-Identifier: Apache-2.0
 *
 * What makes a trained vocabulary a ready tokenizer folder: special tokens,
 * the tokens that frame a text, a chat template.
 *
 * --chat-template names a preset, tokenizer/chat_templates/NAME.json among the
 * data files (core/run.h): an object with `special_tokens`, `plain_tokens`
 * (those of them that decoding keeps) and `config`, the members of a
 * tokenizer_config.json. Or it names a file: a preset of one's own, a
 * tokenizer_config.json, of which only the template is taken, or a template.
 */
#ifndef TOKENIZER_BPE_CHAT_H
#define TOKENIZER_BPE_CHAT_H

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "core/options.h"
#include "tokenizer/bpe_train.h"

struct bpe_chat_options {
    const char *name;              /* NULL: no template */
    const struct oy_list *special; /* behind those of the preset */
    const char *bos, *eos; /* NULL: the preset's, else the first special */
};

/* Zero-initialised may be released. */
struct bpe_chat {
    struct oy_list special;      /* all special tokens, in their order */
    struct oy_list plain;        /* those that are not special when decoding */
    const char *bos, *eos;       /* NULL: as the preset says */
    char *file;                  /* the text of what was named */
    struct oy_json_value config; /* of a preset, in `file`, or MISSING */
    struct oy_buffer chat_template; /* as a JSON string, where there is no
                                       preset; empty: none */
    struct oy_arena arena;
};

/* Strings of the options are borrowed. -1: 64 --bos or --eos is not a special
 * token; 66 no such template; 65 malformed. To be released in any case. */
int bpe_chat_init(struct bpe_chat *chat, const struct bpe_chat_options *options,
                  struct oy_error *err);
void bpe_chat_release(struct bpe_chat *chat);

/* Appends the tokenizer_config.json. */
void bpe_chat_put_config(const struct bpe_chat *chat,
                         const struct bpe_trained *trained,
                         struct oy_buffer *out);

#endif
