/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading tokenizer.json: the post-processor. */
#include <string.h>

#include "core/alloc.h"
#include "tokenizer/vocab_internal.h"

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

    if (vocab_is_type(step, "ByteLevel")) /* touches offsets only */
        return 0;
    if (vocab_is_type(step, "TemplateProcessing"))
        failed = read_template(step, side, err);
    else if (vocab_is_type(step, "RobertaProcessing") ||
             vocab_is_type(step, "BertProcessing"))
        failed = read_bert(step, side, err);
    else
        failed = vocab_not_supported("post_processor", step, err);
    if (!failed)
        wrap(vocab, side);
    oy_free(side[0].id);
    oy_free(side[1].id);
    return failed;
}

int vocab_read_post_processor(struct vocab *vocab,
                              const struct oy_json_value *component,
                              struct oy_error *err)
{
    struct vocab_steps steps = {.n = 0};

    if (vocab_take_apart(component, "processors", &steps, 0, err))
        return -1;
    for (int i = 0; i < steps.n; i++) {
        if (read_post_step(vocab, &steps.step[i], err))
            return -1;
    }
    return 0;
}
