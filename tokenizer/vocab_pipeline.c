/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading tokenizer.json: the components around the model. */
#include <string.h>

#include "core/alloc.h"
#include "tokenizer/vocab_internal.h"

enum { MAX_STEPS = 8 };

/* The components of a list in file order: a Sequence is taken apart, null is
 * none. */
struct steps {
    struct oy_json_value step[MAX_STEPS];
    int n;
};

static int is_type(const struct oy_json_value *component, const char *name)
{
    const struct oy_json_value type = oy_json_member(component, "type");

    return oy_json_equals(&type, name);
}

static int not_supported(const char *kind,
                         const struct oy_json_value *component,
                         struct oy_error *err)
{
    const struct oy_json_value type = oy_json_member(component, "type");

    if (type.kind != OY_JSON_STRING)
        return oy_fail(err, OY_DATA, "%s without a type", kind);
    return oy_fail(err, OY_DATA, "%s %.*s is not supported as it is used here",
                   kind, (int)type.len, type.at);
}

static int take_apart(const struct oy_json_value *component, const char *list,
                      struct steps *steps, int depth, struct oy_error *err)
{
    struct oy_json_cursor cursor;
    struct oy_json_value element;
    int more;

    if (vocab_is_absent(component))
        return 0;
    if (!is_type(component, "Sequence")) {
        if (steps->n == MAX_STEPS || component->kind != OY_JSON_OBJECT)
            return oy_fail(err, OY_DATA, "bad list '%s'", list);
        steps->step[steps->n++] = *component;
        return 0;
    }
    const struct oy_json_value inner = oy_json_member(component, list);
    if (inner.kind != OY_JSON_ARRAY || depth == MAX_STEPS)
        return oy_fail(err, OY_DATA, "bad list '%s'", list);
    oy_json_enter(&cursor, &inner);
    while ((more = oy_json_next_element(&cursor, &element)) > 0) {
        if (take_apart(&element, list, steps, depth + 1, err))
            return -1;
    }
    return more < 0 ? oy_fail(err, OY_DATA, "bad list '%s'", list) : 0;
}

static int read_normalizer(struct vocab *vocab,
                           const struct oy_json_value *component,
                           struct oy_error *err)
{
    struct steps steps = {.n = 0};

    if (take_apart(component, "normalizers", &steps, 0, err))
        return -1;
    if (!steps.n)
        return 0;
    const struct oy_json_value type = oy_json_member(&steps.step[0], "type");
    const int kind = type.kind == OY_JSON_STRING
                         ? normalize_kind_from_name(type.at + 1, type.len - 2)
                         : -1;
    if (kind < 0)
        return not_supported("normalizer", &steps.step[0], err);
    if (steps.n > 1)
        return not_supported("normalizer", &steps.step[1], err);
    vocab->normalize = (enum normalize_kind)kind;
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

    if (!is_type(split, "Split") || pattern.kind != OY_JSON_OBJECT)
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

static int is_deepseek3(const struct steps *steps, struct oy_arena *arena)
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
static enum split_kind kind_of_steps(const struct steps *steps,
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
    if (is_type(&steps->step[0], "Digits"))
        return has_regex && vocab_bool(&steps->step[0], "individual_digits", 0)
                   ? SPLIT_SMOLLM
                   : SPLIT_UNKNOWN;
    return has_regex ? SPLIT_UNKNOWN : kind_of_split(&steps->step[0], arena);
}

static int read_pre_tokenizer(struct vocab *vocab,
                              const struct oy_json_value *component,
                              struct oy_error *err)
{
    struct steps steps = {.n = 0};
    struct oy_arena arena = {0};

    if (take_apart(component, "pretokenizers", &steps, 0, err))
        return -1;
    if (!steps.n)
        return oy_fail(err, OY_DATA,
                       "a tokenizer without pre_tokenizer is not supported");
    const struct oy_json_value *last = &steps.step[steps.n - 1];
    if (!is_type(last, "ByteLevel"))
        return not_supported("pre_tokenizer", last, err);
    vocab->split = kind_of_steps(&steps, &arena);
    oy_arena_release(&arena);
    vocab->add_prefix_space = vocab_bool(last, "add_prefix_space", 1);
    if (vocab->split == SPLIT_UNKNOWN ||
        (vocab->add_prefix_space && steps.n > 1))
        return not_supported("pre_tokenizer", &steps.step[0], err);
    return 0;
}

static int read_decoder(struct vocab *vocab,
                        const struct oy_json_value *component,
                        struct oy_error *err)
{
    struct steps steps = {.n = 0};

    if (take_apart(component, "decoders", &steps, 0, err))
        return -1;
    for (int i = 0; i < steps.n; i++) {
        if (i || !is_type(&steps.step[i], "ByteLevel"))
            return not_supported("decoder", &steps.step[i], err);
    }
    vocab->decodes_bytes = steps.n > 0;
    return 0;
}

/* ---- the post-processor ---- */

/* Ids collected on one side of the text. */
struct side {
    int32_t *id;
    size_t n, cap;
};

static int add_id(struct side *side, const struct oy_json_value *value,
                  struct oy_error *err)
{
    int64_t id;

    if (oy_json_int64(value, &id) || id < 0 || id >= VOCAB_MAX_ID)
        return oy_fail(err, OY_DATA, "post_processor: bad token id");
    OY_GROW(side->id, side->cap, side->n + 1);
    side->id[side->n++] = (int32_t)id;
    return 0;
}

/* All ids that `special_tokens` gives the name of a template's part. */
static int add_special(const struct oy_json_value *template,
                       const struct oy_json_value *part, struct side *side,
                       struct oy_error *err)
{
    const struct oy_json_value name = oy_json_member(part, "id");
    const struct oy_json_value map = oy_json_member(template, "special_tokens");
    struct oy_arena arena = {0};
    struct oy_json_cursor cursor;
    struct oy_json_value id;
    uint64_t n_repaired = 0;
    const char *why = NULL;
    struct oy_text text;

    if (name.kind != OY_JSON_STRING || map.kind != OY_JSON_OBJECT ||
        oy_json_text(&name, &arena, &text, &n_repaired, &why)) {
        oy_arena_release(&arena);
        return oy_fail(err, OY_DATA, "post_processor: bad template");
    }
    char *key = oy_strndup(text.at, text.len);
    const struct oy_json_value token = oy_json_member(&map, key);
    oy_free(key);
    oy_arena_release(&arena);
    const struct oy_json_value ids = oy_json_member(&token, "ids");
    if (ids.kind != OY_JSON_ARRAY)
        return oy_fail(err, OY_DATA, "post_processor: unknown special token");
    oy_json_enter(&cursor, &ids);
    while (oy_json_next_element(&cursor, &id) > 0) {
        if (add_id(side, &id, err))
            return -1;
    }
    return 0;
}

/* The `single` list: special tokens around one sequence A. */
static int read_template(const struct oy_json_value *template,
                         struct side side[2], struct oy_error *err)
{
    const struct oy_json_value single = oy_json_member(template, "single");
    struct oy_json_cursor cursor;
    struct oy_json_value entry;
    int n_sequence = 0;

    if (single.kind != OY_JSON_ARRAY)
        return oy_fail(err, OY_DATA, "post_processor: bad template");
    oy_json_enter(&cursor, &single);
    while (oy_json_next_element(&cursor, &entry) > 0) {
        const struct oy_json_value special =
            oy_json_member(&entry, "SpecialToken");
        if (special.kind == OY_JSON_MISSING)
            n_sequence++;
        else if (add_special(template, &special, &side[n_sequence > 0], err))
            return -1;
    }
    if (n_sequence != 1)
        return oy_fail(err, OY_DATA,
                       "post_processor: the template has not one sequence");
    return 0;
}

/* RobertaProcessing and BertProcessing: `cls` A `sep`, each [token, id]. */
static int read_bert(const struct oy_json_value *component, struct side side[2],
                     struct oy_error *err)
{
    static const char *const name[2] = {"cls", "sep"};
    struct oy_json_cursor cursor;
    struct oy_json_value token, id;

    for (int i = 0; i < 2; i++) {
        const struct oy_json_value pair = oy_json_member(component, name[i]);
        if (pair.kind != OY_JSON_ARRAY)
            return oy_fail(err, OY_DATA, "post_processor: no '%s'", name[i]);
        oy_json_enter(&cursor, &pair);
        if (oy_json_next_element(&cursor, &token) != 1 ||
            oy_json_next_element(&cursor, &id) != 1)
            return oy_fail(err, OY_DATA, "post_processor: bad '%s'", name[i]);
        if (add_id(&side[i], &id, err))
            return -1;
    }
    return 0;
}

/* Puts what one step adds outside of what the steps before added. */
static void wrap(struct vocab *vocab, const struct side side[2])
{
    const size_t n_before = side[0].n + vocab->n_before;
    const size_t n_behind = side[1].n + vocab->n_behind;
    int32_t *before = oy_alloc_array(n_before, sizeof *before);

    if (side[0].n)
        memcpy(before, side[0].id, side[0].n * sizeof *before);
    if (vocab->n_before)
        memcpy(before + side[0].n, vocab->before,
               vocab->n_before * sizeof *before);
    oy_free(vocab->before);
    vocab->before = before;
    vocab->n_before = n_before;
    vocab->behind =
        oy_realloc_array(vocab->behind, n_behind, sizeof *vocab->behind);
    if (side[1].n)
        memcpy(vocab->behind + vocab->n_behind, side[1].id,
               side[1].n * sizeof *vocab->behind);
    vocab->n_behind = n_behind;
}

static int read_post_step(struct vocab *vocab, const struct oy_json_value *step,
                          struct oy_error *err)
{
    struct side side[2] = {{0}, {0}};
    int failed;

    if (is_type(step, "ByteLevel")) /* touches offsets only */
        return 0;
    if (is_type(step, "TemplateProcessing"))
        failed = read_template(step, side, err);
    else if (is_type(step, "RobertaProcessing") ||
             is_type(step, "BertProcessing"))
        failed = read_bert(step, side, err);
    else
        failed = not_supported("post_processor", step, err);
    if (!failed)
        wrap(vocab, side);
    oy_free(side[0].id);
    oy_free(side[1].id);
    return failed;
}

static int read_post_processor(struct vocab *vocab,
                               const struct oy_json_value *component,
                               struct oy_error *err)
{
    struct steps steps = {.n = 0};

    if (take_apart(component, "processors", &steps, 0, err))
        return -1;
    for (int i = 0; i < steps.n; i++) {
        if (read_post_step(vocab, &steps.step[i], err))
            return -1;
    }
    return 0;
}

int vocab_read_pipeline(struct vocab *vocab,
                        const struct oy_json_value part[VOCAB_N_PART],
                        struct oy_error *err)
{
    if (read_normalizer(vocab, &part[VOCAB_NORMALIZER], err) ||
        read_pre_tokenizer(vocab, &part[VOCAB_PRE_TOKENIZER], err) ||
        read_decoder(vocab, &part[VOCAB_DECODER], err) ||
        read_post_processor(vocab, &part[VOCAB_POST_PROCESSOR], err))
        return -1;
    return 0;
}
