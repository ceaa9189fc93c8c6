/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading tokenizer.json: the decoder. */
#include "core/alloc.h"
#include "core/utf8.h"
#include "tokenizer/vocab_internal.h"

static const struct {
    const char *name;
    enum decode_kind kind;
} known[] = {
    {"ByteLevel", DECODE_BYTE_LEVEL},
    {"Replace", DECODE_REPLACE},
    {"ByteFallback", DECODE_BYTE_FALLBACK},
    {"Fuse", DECODE_FUSE},
    {"Strip", DECODE_STRIP},
    {"Metaspace", DECODE_METASPACE},
};

static int count_member(const struct oy_json_value *component, const char *name,
                        size_t *n)
{
    const struct oy_json_value value = oy_json_member(component, name);
    int64_t number;

    if (oy_json_int64(&value, &number) || number < 0)
        return -1;
    *n = (size_t)number;
    return 0;
}

static int read_strip(struct vocab *vocab,
                      const struct oy_json_value *component,
                      struct decode_step *step)
{
    if (vocab_text_member(vocab, component, "content", &step->from) ||
        oy_utf8_count(step->from.at, step->from.len) != 1)
        return -1;
    return count_member(component, "start", &step->n_left) ||
                   count_member(component, "stop", &step->n_right)
               ? -1
               : 0;
}

static int read_metaspace(struct vocab *vocab,
                          const struct oy_json_value *component,
                          struct decode_step *step)
{
    enum vocab_prepend prepend;

    if (vocab_read_metaspace(vocab, component, &step->from, &prepend))
        return -1;
    step->n_left = prepend != VOCAB_NEVER;
    return 0;
}

static int read_step(struct vocab *vocab, const struct oy_json_value *component,
                     struct decode_step *step)
{
    size_t i = 0;

    while (i < sizeof known / sizeof *known &&
           !vocab_is_type(component, known[i].name))
        i++;
    if (i == sizeof known / sizeof *known)
        return -1;
    *step = (struct decode_step){.kind = known[i].kind};
    switch (step->kind) {
    case DECODE_REPLACE:
        return vocab_read_replace(vocab, component, &step->from, &step->to);
    case DECODE_STRIP: return read_strip(vocab, component, step);
    case DECODE_METASPACE: return read_metaspace(vocab, component, step);
    default: return 0;
    }
}

int vocab_read_decoder(struct vocab *vocab,
                       const struct oy_json_value *component,
                       struct oy_error *err)
{
    struct decode_chain *chain = &vocab->decoder;
    struct vocab_steps steps = {.n = 0};

    if (vocab_take_apart(component, "decoders", &steps, 0, err))
        return -1;
    for (int i = 0; i < steps.n; i++) {
        if (i == DECODE_MAX_STEPS ||
            read_step(vocab, &steps.step[i], &chain->step[chain->n++]))
            return vocab_not_supported("decoder", &steps.step[i], err);
    }
    return 0;
}
