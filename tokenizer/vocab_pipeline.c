/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading tokenizer.json: the components around the model. */
#include <string.h>

#include "core/alloc.h"
#include "core/log.h"
#include "core/utf8.h"
#include "tokenizer/vocab_internal.h"

int vocab_is_type(const struct oy_json_value *component, const char *name)
{
    const struct oy_json_value type = oy_json_member(component, "type");

    return oy_json_equals(&type, name);
}

int vocab_not_supported(const char *kind, const struct oy_json_value *component,
                        struct oy_error *err)
{
    const struct oy_json_value type = oy_json_member(component, "type");

    if (type.kind != OY_JSON_STRING)
        return oy_fail(err, OY_DATA, "%s without a type", kind);
    return oy_fail(err, OY_DATA, "%s %.*s is not supported as it is used here",
                   kind, (int)type.len, type.at);
}

int vocab_take_apart(const struct oy_json_value *component, const char *list,
                     struct vocab_steps *steps, int depth, struct oy_error *err)
{
    struct oy_json_cursor cursor;
    struct oy_json_value element;
    int more;

    if (vocab_is_absent(component))
        return 0;
    if (!vocab_is_type(component, "Sequence")) {
        if (steps->n == VOCAB_MAX_STEPS || component->kind != OY_JSON_OBJECT)
            return oy_fail(err, OY_DATA, "bad list '%s'", list);
        steps->step[steps->n++] = *component;
        return 0;
    }
    const struct oy_json_value inner = oy_json_member(component, list);
    if (inner.kind != OY_JSON_ARRAY || depth == VOCAB_MAX_STEPS)
        return oy_fail(err, OY_DATA, "bad list '%s'", list);
    oy_json_enter(&cursor, &inner);
    while ((more = oy_json_next_element(&cursor, &element)) > 0) {
        if (vocab_take_apart(&element, list, steps, depth + 1, err))
            return -1;
    }
    return more < 0 ? oy_fail(err, OY_DATA, "bad list '%s'", list) : 0;
}

int vocab_text_member(struct vocab *vocab, const struct oy_json_value *object,
                      const char *name, struct oy_text *text)
{
    const struct oy_json_value value = oy_json_member(object, name);
    uint64_t n_repaired = 0;
    const char *why = NULL;

    if (value.kind != OY_JSON_STRING ||
        oy_json_text(&value, &vocab->arena, text, &n_repaired, &why))
        return -1;
    /* What is borrowed from the document does not outlive it. */
    text->at = oy_arena_copy(&vocab->arena, text->at, text->len);
    return 0;
}

int vocab_read_replace(struct vocab *vocab, const struct oy_json_value *step,
                       struct oy_text *from, struct oy_text *to)
{
    const struct oy_json_value pattern = oy_json_member(step, "pattern");

    return pattern.kind != OY_JSON_OBJECT ||
                   vocab_text_member(vocab, &pattern, "String", from) ||
                   !from->len || vocab_text_member(vocab, step, "content", to)
               ? -1
               : 0;
}

int vocab_read_metaspace(struct vocab *vocab, const struct oy_json_value *step,
                         struct oy_text *mark, enum vocab_prepend *prepend)
{
    const struct oy_json_value scheme = oy_json_member(step, "prepend_scheme");

    if (vocab_text_member(vocab, step, "replacement", mark) ||
        oy_utf8_count(mark->at, mark->len) != 1)
        return -1;
    *prepend = VOCAB_ALWAYS;
    /* Old files have a flag only. */
    if (oy_json_equals(&scheme, "never") ||
        !vocab_bool(step, "add_prefix_space", 1))
        *prepend = VOCAB_NEVER;
    else if (oy_json_equals(&scheme, "first"))
        *prepend = VOCAB_FIRST;
    else if (!vocab_is_absent(&scheme) && !oy_json_equals(&scheme, "always"))
        return -1;
    return 0;
}

/* The text of the regular expression of a Split whose pieces are kept and
 * touch; 0 when the component is something else. */
static int split_pattern(const struct oy_json_value *split,
                         struct oy_arena *arena, struct oy_text *regex)
{
    const struct oy_json_value pattern = oy_json_member(split, "pattern");
    const struct oy_json_value behavior = oy_json_member(split, "behavior");
    const int inverted = vocab_bool(split, "invert", 0);
    uint64_t n_repaired = 0;
    const char *why = NULL;

    if (!vocab_is_type(split, "Split") || pattern.kind != OY_JSON_OBJECT)
        return 0;
    /* "Removed" and inverted throws away what no alternative matches; the
     * expressions known to split.h match everything. */
    if (!(oy_json_equals(&behavior, "Isolated") ||
          (inverted && oy_json_equals(&behavior, "Removed"))))
        return 0;
    const struct oy_json_value text = oy_json_member(&pattern, "Regex");
    return text.kind == OY_JSON_STRING &&
           !oy_json_text(&text, arena, regex, &n_repaired, &why);
}

static enum split_kind kind_of_split(const struct oy_json_value *split,
                                     struct oy_arena *arena)
{
    struct oy_text regex;

    if (!split_pattern(split, arena, &regex))
        return SPLIT_UNKNOWN;
    return split_kind_from_regex(regex.at, regex.len);
}

static int is_deepseek3(const struct vocab_steps *steps, struct oy_arena *arena)
{
    struct oy_text regex;

    if (steps->n != 4)
        return 0;
    for (int i = 0; i < 3; i++) {
        if (!split_pattern(&steps->step[i], arena, &regex) ||
            !split_is_deepseek3_part(regex.at, regex.len, i))
            return 0;
    }
    return 1;
}

/* What the steps before the ByteLevel one and its own expression amount to. */
static enum split_kind kind_of_steps(const struct vocab_steps *steps,
                                     struct oy_arena *arena)
{
    const struct oy_json_value *last = &steps->step[steps->n - 1];
    const int has_regex = vocab_bool(last, "use_regex", 1);

    if (steps->n == 1)
        return has_regex ? SPLIT_GPT2 : SPLIT_NONE;
    if (is_deepseek3(steps, arena))
        return has_regex ? SPLIT_UNKNOWN : SPLIT_DEEPSEEK3;
    if (steps->n > 2)
        return SPLIT_UNKNOWN;
    if (vocab_is_type(&steps->step[0], "Digits"))
        return has_regex && vocab_bool(&steps->step[0], "individual_digits", 0)
                   ? SPLIT_SMOLLM
                   : SPLIT_UNKNOWN;
    return has_regex ? SPLIT_UNKNOWN : kind_of_split(&steps->step[0], arena);
}

/* The steps end with ByteLevel. */
static int read_byte_level(struct vocab *vocab, const struct vocab_steps *steps,
                           struct oy_arena *arena)
{
    const struct oy_json_value *last = &steps->step[steps->n - 1];

    vocab->split = kind_of_steps(steps, arena);
    vocab->add_prefix_space = vocab_bool(last, "add_prefix_space", 1);
    return vocab->split == SPLIT_UNKNOWN ||
                   (vocab->add_prefix_space && steps->n > 1)
               ? -1
               : 0;
}

/* Spaces become marks, a mark is put in front where it is wanted, and pieces
 * begin with marks. */
static int read_metaspace(struct vocab *vocab, const struct oy_json_value *step)
{
    const struct oy_text space = {" ", 1};
    enum vocab_prepend prepend;
    struct oy_text mark;

    if (vocab_read_metaspace(vocab, step, &mark, &prepend))
        return -1;
    vocab->split = SPLIT_NONE;
    if (vocab_bool(step, "split", 1)) {
        if (!split_is_mark(mark.at, mark.len))
            return -1;
        vocab->split = SPLIT_METASPACE;
    }
    for (int is_first = 0; is_first < 2; is_first++) {
        struct normalizer *marker = &vocab->marker[is_first];
        struct normalize_step *replace =
            normalizer_add(marker, NORMALIZE_REPLACE);
        replace->from = space;
        replace->to = mark;
        if (prepend == VOCAB_ALWAYS || (prepend == VOCAB_FIRST && is_first))
            normalizer_add(marker, NORMALIZE_PREPEND_MISSING)->to = mark;
    }
    return 0;
}

/* Whether a Split cuts behind each space. */
static int is_after_space(const struct oy_json_value *split)
{
    const struct oy_json_value pattern = oy_json_member(split, "pattern");
    const struct oy_json_value behavior = oy_json_member(split, "behavior");

    if (!vocab_is_type(split, "Split") || pattern.kind != OY_JSON_OBJECT ||
        vocab_bool(split, "invert", 0))
        return 0;
    const struct oy_json_value text = oy_json_member(&pattern, "String");
    return oy_json_equals(&text, " ") &&
           oy_json_equals(&behavior, "MergedWithPrevious");
}

/* The one step of a model of characters. */
static int read_step(struct vocab *vocab, const struct oy_json_value *step,
                     struct oy_arena *arena)
{
    if (vocab_is_type(step, "Metaspace"))
        return read_metaspace(vocab, step);
    if (vocab_is_type(step, "Whitespace"))
        vocab->split = SPLIT_WHITESPACE;
    else if (is_after_space(step))
        vocab->split = SPLIT_AFTER_SPACE;
    else
        vocab->split = kind_of_split(step, arena);
    return vocab->split == SPLIT_UNKNOWN ? -1 : 0;
}

/* 0 when a kind of split is the equal of the component, else -1. */
static int read_known(struct vocab *vocab,
                      const struct oy_json_value *component)
{
    struct vocab_steps steps = {.n = 0};
    struct oy_arena arena = {0};
    /* What is wrong is told by pretokenizer_read(). */
    struct oy_error ignored = {0};
    int failed = -1;

    if (vocab_take_apart(component, "pretokenizers", &steps, 0, &ignored))
        return -1;
    const struct oy_json_value *last = &steps.step[steps.n ? steps.n - 1 : 0];
    vocab->split = SPLIT_NONE;
    if (!steps.n)
        failed = 0;
    else if (vocab_is_type(last, "ByteLevel"))
        failed = read_byte_level(vocab, &steps, &arena);
    else if (steps.n == 1)
        failed = read_step(vocab, last, &arena);
    oy_arena_release(&arena);
    return failed;
}

static int read_pre_tokenizer(struct vocab *vocab,
                              const struct oy_json_value *component,
                              struct oy_error *err)
{
    if (!read_known(vocab, component))
        return 0;
    vocab->split = SPLIT_NONE;
    vocab->add_prefix_space = 0;
    vocab->chain = pretokenizer_read(component, err);
    return vocab->chain ? 0 : -1;
}

int vocab_has_byte_level(const struct oy_json_value *pre_tokenizer)
{
    return pretokenizer_has_byte_level(pre_tokenizer);
}

/* A corpus is encoded whole, and packing is another program's work. */
static void note_ignored(const struct oy_json_value *component,
                         const char *name)
{
    if (!vocab_is_absent(component))
        oy_note("the %s that the tokenizer asks for is not done", name);
}

int vocab_read_pipeline(struct vocab *vocab,
                        const struct oy_json_value part[VOCAB_N_PART],
                        struct oy_error *err)
{
    if (vocab_read_normalizer(vocab, &part[VOCAB_NORMALIZER], err) ||
        read_pre_tokenizer(vocab, &part[VOCAB_PRE_TOKENIZER], err) ||
        vocab_read_decoder(vocab, &part[VOCAB_DECODER], err) ||
        vocab_read_post_processor(vocab, &part[VOCAB_POST_PROCESSOR], err))
        return -1;
    note_ignored(&part[VOCAB_TRUNCATION], "truncation");
    note_ignored(&part[VOCAB_PADDING], "padding");
    return 0;
}
