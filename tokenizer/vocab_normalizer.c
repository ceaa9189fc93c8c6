/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading tokenizer.json: the normalizer. */
#include "core/alloc.h"
#include "tokenizer/vocab_component.h"
#include "tokenizer/vocab_internal.h"

typedef int read_fn(struct normalizer *normalizer,
                    const struct vocab_component *component);

static int read_strip(struct normalizer *normalizer,
                      const struct vocab_component *component)
{
    struct normalize_step *step = normalizer_add(normalizer, NORMALIZE_STRIP);

    return vocab_component_flag(component, "strip_left", 1, &step->left) ||
                   vocab_component_flag(component, "strip_right", 1,
                                        &step->right)
               ? -1
               : 0;
}

static int read_prepend(struct normalizer *normalizer,
                        const struct vocab_component *component)
{
    struct normalize_step *step = normalizer_add(normalizer, NORMALIZE_PREPEND);

    return vocab_component_text(component, "prepend", &step->to);
}

static int read_replace(struct normalizer *normalizer,
                        const struct vocab_component *component)
{
    struct normalize_step *step = normalizer_add(normalizer, NORMALIZE_REPLACE);
    if (vocab_component_replace(component, &step->from, &step->to,
                                &step->regex))
        return -1;
    if (step->regex)
        step->kind = NORMALIZE_REGEX;
    return 0;
}

static int read_precompiled(struct normalizer *normalizer,
                            const struct vocab_component *component)
{
    struct normalize_step *step =
        normalizer_add(normalizer, NORMALIZE_PRECOMPILED);
    const char *member = "precompiled_charsmap", *why = NULL;
    struct oy_text base64;

    if (vocab_component_text(component, member, &base64))
        return -1;
    step->map = charsmap_new(base64, &why);
    return step->map ? 0 : vocab_component_fail(component, member, why);
}

/* Its parts in the order in which it does them. Accents go when letters become
 * small, unless the file says otherwise. */
static int read_bert(struct normalizer *normalizer,
                     const struct vocab_component *component)
{
    int clean, chinese, strip, lower;

    if (vocab_component_flag(component, "clean_text", 1, &clean) ||
        vocab_component_flag(component, "handle_chinese_chars", 1, &chinese) ||
        vocab_component_flag(component, "lowercase", 1, &lower) ||
        vocab_component_flag(component, "strip_accents", lower, &strip))
        return -1;
    if (clean)
        normalizer_add(normalizer, NORMALIZE_CLEAN);
    if (chinese)
        normalizer_add(normalizer, NORMALIZE_CHINESE);
    if (strip) {
        normalizer_add(normalizer, NORMALIZE_NFD);
        normalizer_add(normalizer, NORMALIZE_NONSPACING);
    }
    if (lower)
        normalizer_add(normalizer, NORMALIZE_LOWER);
    return 0;
}

/* Those without a reader have no members. */
static const struct {
    const char *name;
    enum normalize_kind kind;
    read_fn *read;
} known[] = {
    {"NFC", NORMALIZE_NFC, NULL},
    {"NFD", NORMALIZE_NFD, NULL},
    {"NFKC", NORMALIZE_NFKC, NULL},
    {"NFKD", NORMALIZE_NFKD, NULL},
    {"Lowercase", NORMALIZE_LOWER, NULL},
    {"StripAccents", NORMALIZE_COMBINING, NULL},
    {"Nmt", NORMALIZE_NMT, NULL},
    {"ByteLevel", NORMALIZE_BYTES, NULL},
    {.name = "Strip", .read = read_strip},
    {.name = "Prepend", .read = read_prepend},
    {.name = "Replace", .read = read_replace},
    {.name = "Precompiled", .read = read_precompiled},
    {.name = "BertNormalizer", .read = read_bert},
};

static int read_step(void *self, const struct vocab_component *component)
{
    struct normalizer *normalizer = self;

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!vocab_component_is(component, known[i].name))
            continue;
        if (known[i].read)
            return known[i].read(normalizer, component);
        normalizer_add(normalizer, known[i].kind);
        return 0;
    }
    return vocab_component_unknown(component);
}

int vocab_read_normalizer(struct vocab *vocab,
                          const struct oy_json_value *component,
                          struct oy_error *err)
{
    return vocab_each_component(component, "normalizer", "normalizers",
                                read_step, &vocab->normalizer, &vocab->arena,
                                err);
}
