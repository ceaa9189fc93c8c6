/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading tokenizer.json: the normalizer. */
#include "core/alloc.h"
#include "tokenizer/vocab_internal.h"

static const struct {
    const char *name;
    enum normalize_kind kind;
} known[] = {
    {"NFC", NORMALIZE_NFC},         {"NFD", NORMALIZE_NFD},
    {"NFKC", NORMALIZE_NFKC},       {"NFKD", NORMALIZE_NFKD},
    {"Replace", NORMALIZE_REPLACE}, {"Prepend", NORMALIZE_PREPEND},
    {"Strip", NORMALIZE_STRIP},
};

static struct normalize_step *add_step(struct normalizer *normalizer,
                                       const struct oy_json_value *component)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (vocab_is_type(component, known[i].name))
            return normalizer_add(normalizer, known[i].kind);
    }
    return NULL;
}

static int read_step(struct vocab *vocab, const struct oy_json_value *component)
{
    struct normalize_step *step = add_step(&vocab->normalizer, component);

    if (!step)
        return -1;
    switch (step->kind) {
    case NORMALIZE_REPLACE:
        return vocab_read_replace(vocab, component, &step->from, &step->to);
    case NORMALIZE_PREPEND:
        return vocab_text_member(vocab, component, "prepend", &step->to);
    case NORMALIZE_STRIP:
        step->left = vocab_bool(component, "strip_left", 1);
        step->right = vocab_bool(component, "strip_right", 1);
        return 0;
    default: return 0;
    }
}

int vocab_read_normalizer(struct vocab *vocab,
                          const struct oy_json_value *component,
                          struct oy_error *err)
{
    struct vocab_steps steps = {.n = 0};

    if (vocab_take_apart(component, "normalizers", &steps, 0, err))
        return -1;
    for (int i = 0; i < steps.n; i++) {
        if (read_step(vocab, &steps.step[i]))
            return vocab_not_supported("normalizer", &steps.step[i], err);
    }
    return 0;
}
