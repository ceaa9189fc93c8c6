/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading tokenizer.json: the components around the model. */
#include "core/alloc.h"
#include "core/log.h"
#include "tokenizer/pretokenizer_internal.h"
#include "tokenizer/vocab_internal.h"

/* Spaces become marks and one is put in front where it is wanted. */
static void add_marker(struct vocab *vocab,
                       const struct pretokenizer_step *step)
{
    const struct oy_text space = {" ", 1};
    const struct oy_text mark = {
        oy_arena_copy(&vocab->arena, step->text, step->text_len),
        step->text_len};

    for (int is_first = 0; is_first < 2; is_first++) {
        struct normalizer *marker = &vocab->marker[is_first];
        struct normalize_step *replace =
            normalizer_add(marker, NORMALIZE_REPLACE);

        replace->from = space;
        replace->to = mark;
        if (step->scheme == PRETOKENIZER_ALWAYS ||
            (step->scheme == PRETOKENIZER_FIRST && is_first))
            normalizer_add(marker, NORMALIZE_PREPEND_MISSING)->to = mark;
    }
}

/* Whether the step cuts before each mark of SPLIT_METASPACE. */
static int cuts_at_marks(const struct pretokenizer_step *step,
                         const struct pretokenizer_step *mark)
{
    return step->kind == PRETOKENIZER_CLASS &&
           step->class == PRETOKENIZER_CHARACTER &&
           step->behavior == PRETOKENIZER_MERGED_WITH_NEXT &&
           split_is_mark(mark->text, mark->text_len);
}

static int cuts_after_spaces(const struct pretokenizer_step *step)
{
    return step->kind == PRETOKENIZER_STRING && step->text_len == 1 &&
           step->text[0] == ' ' && !step->invert &&
           step->behavior == PRETOKENIZER_MERGED_WITH_PREVIOUS;
}

/* 1 when a kind of split is the equal of the chain: it is set. */
static int set_split(struct vocab *vocab, const struct pretokenizer *chain)
{
    const struct pretokenizer_step *step = chain->step;
    size_t n = chain->n;
    const int has_prefix = n && step->kind == PRETOKENIZER_PREFIX;
    const int has_mark = n && step->kind == PRETOKENIZER_MARK;

    step += has_prefix || has_mark;
    n -= has_prefix || has_mark;
    if (!n)
        vocab->split = SPLIT_NONE;
    else if (n == 1 && step->kind == PRETOKENIZER_SPLIT && !step->is_spelled)
        vocab->split = step->split;
    else if (n == 1 && has_mark && cuts_at_marks(step, chain->step))
        vocab->split = SPLIT_METASPACE;
    else if (n == 1 && !has_prefix && !has_mark && cuts_after_spaces(step))
        vocab->split = SPLIT_AFTER_SPACE;
    else
        return 0;
    vocab->add_prefix_space = has_prefix;
    if (has_mark)
        add_marker(vocab, chain->step);
    return 1;
}

static int read_pre_tokenizer(struct vocab *vocab,
                              const struct oy_json_value *component,
                              struct oy_error *err)
{
    struct pretokenizer *const chain = pretokenizer_read(component, err);

    if (!chain)
        return -1;
    vocab->split = SPLIT_NONE;
    if (set_split(vocab, chain))
        pretokenizer_free(chain);
    else
        vocab->chain = chain;
    return 0;
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
