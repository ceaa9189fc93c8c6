/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading tokenizer.json: the decoder. */
#include "core/alloc.h"
#include "tokenizer/vocab_component.h"
#include "tokenizer/vocab_internal.h"

typedef int read_fn(const struct vocab_component *component,
                    struct decode_step *step);

static int read_replace(const struct vocab_component *component,
                        struct decode_step *step)
{
    if (vocab_component_replace(component, &step->from, &step->to,
                                &step->regex))
        return -1;
    if (step->regex)
        step->kind = DECODE_REGEX;
    return 0;
}

static int read_strip(const struct vocab_component *component,
                      struct decode_step *step)
{
    return vocab_component_character(component, "content", &step->from) ||
                   vocab_component_count(component, "start", &step->n_left) ||
                   vocab_component_count(component, "stop", &step->n_right)
               ? -1
               : 0;
}

static int read_metaspace(const struct vocab_component *component,
                          struct decode_step *step)
{
    const struct oy_json_value scheme =
        oy_json_member(component->json, "prepend_scheme");
    int prefix;

    if (vocab_component_character(component, "replacement", &step->from) ||
        /* Old files have a flag only. */
        vocab_component_flag(component, "add_prefix_space", 1, &prefix))
        return -1;
    step->n_left = prefix && !oy_json_equals(&scheme, "never");
    return 0;
}

static int read_wordpiece(const struct vocab_component *component,
                          struct decode_step *step)
{
    return vocab_component_text(component, "prefix", &step->from) ||
                   vocab_component_flag(component, "cleanup", 1, &step->cleanup)
               ? -1
               : 0;
}

static int read_suffix(const struct vocab_component *component,
                       struct decode_step *step)
{
    return vocab_component_text(component, "suffix", &step->from);
}

static int read_ctc(const struct vocab_component *component,
                    struct decode_step *step)
{
    return vocab_component_text(component, "pad_token", &step->from) ||
                   vocab_component_text(component, "word_delimiter_token",
                                        &step->to) ||
                   vocab_component_flag(component, "cleanup", 1, &step->cleanup)
               ? -1
               : 0;
}

/* Those without a reader have no members that matter. */
static const struct {
    const char *name;
    enum decode_kind kind;
    read_fn *read;
} known[] = {
    {"ByteLevel", DECODE_BYTE_LEVEL, NULL},
    {"ByteFallback", DECODE_BYTE_FALLBACK, NULL},
    {"Fuse", DECODE_FUSE, NULL},
    {"Replace", DECODE_REPLACE, read_replace},
    {"Strip", DECODE_STRIP, read_strip},
    {"Metaspace", DECODE_METASPACE, read_metaspace},
    {"WordPiece", DECODE_WORDPIECE, read_wordpiece},
    {"BPEDecoder", DECODE_SUFFIX, read_suffix},
    {"CTC", DECODE_CTC, read_ctc},
};

static int read_step(void *self, const struct vocab_component *component)
{
    struct decode_chain *chain = self;

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!vocab_component_is(component, known[i].name))
            continue;
        struct decode_step *step = decode_chain_add(chain, known[i].kind);
        return known[i].read ? known[i].read(component, step) : 0;
    }
    return vocab_component_unknown(component);
}

int vocab_read_decoder(struct vocab *vocab,
                       const struct oy_json_value *component,
                       struct oy_error *err)
{
    vocab->decoder.is_given = !vocab_is_absent(component);
    return vocab_each_component(component, "decoder", "decoders", read_step,
                                &vocab->decoder, &vocab->arena, err);
}
