/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading tokenizer.json: the post-processor.
 *
 * What it will do to any text is found out once, by doing it to a stand-in.
 * Hugging Face hands a list of sequences from step to step: of one text at
 * first, but a template leaves each of its pieces as a sequence of its own, so
 * that a template behind a template takes them for a pair. */
#include <string.h>

#include "core/alloc.h"
#include "tokenizer/vocab_component.h"
#include "tokenizer/vocab_internal.h"

enum {
    TEXT = -1,         /* stands for the ids of the text */
    MAX_IDS = 1 << 16, /* more around a text is taken for damage */
};

struct sequence {
    int32_t *id; /* ids and TEXT */
    size_t n, cap;
};

struct sequences {
    struct sequence *item;
    size_t n, cap;
    size_t n_id;
};

static struct sequence *add_sequence(struct sequences *list)
{
    OY_GROW(list->item, list->cap, list->n + 1);
    struct sequence *added = &list->item[list->n++];
    *added = (struct sequence){0};
    return added;
}

static void release_sequences(struct sequences *list)
{
    for (size_t i = 0; i < list->n; i++)
        oy_free(list->item[i].id);
    oy_free(list->item);
}

static void put(struct sequences *list, struct sequence *to, const int32_t *id,
                size_t n)
{
    if (!n)
        return;
    OY_GROW(to->id, to->cap, to->n + n);
    memcpy(to->id + to->n, id, n * sizeof *id);
    to->n += n;
    list->n_id += n;
}

static int read_id(const struct vocab_component *component, const char *member,
                   const struct oy_json_value *value, int32_t *id)
{
    int64_t number;

    if (oy_json_int64(value, &number) || number < 0 || number >= VOCAB_MAX_ID)
        return vocab_component_fail(component, member, "not a token id");
    *id = (int32_t)number;
    return 0;
}

/* ---- templates ---- */

/* Appends the `ids` of a special token of the template. */
static int put_special(const struct vocab_component *component,
                       const struct oy_json_value *token,
                       struct sequences *list, struct sequence *to)
{
    static const char *const member = "special_tokens";
    const struct oy_json_value ids = oy_json_member(token, "ids");
    struct oy_json_cursor cursor;
    struct oy_json_value value;
    int32_t id = 0;

    if (ids.kind != OY_JSON_ARRAY)
        return vocab_component_fail(component, member, "a token without ids");
    oy_json_enter(&cursor, &ids);
    while (oy_json_next_element(&cursor, &value) > 0) {
        if (read_id(component, member, &value, &id))
            return -1;
        put(list, to, &id, 1);
    }
    return 0;
}

/* A piece {"SpecialToken": {"id": NAME}}. */
static int add_special(const struct vocab_component *component,
                       const struct oy_json_value *piece,
                       struct sequences *list)
{
    const struct vocab_component inner = {piece, component->path,
                                          component->arena, component->err};
    const struct oy_json_value map =
        oy_json_member(component->json, "special_tokens");
    struct oy_text name;

    if (vocab_component_text(&inner, "id", &name))
        return -1;
    const struct oy_json_value token =
        map.kind == OY_JSON_OBJECT && !memchr(name.at, 0, name.len)
            ? oy_json_member(&map, name.at)
            : (struct oy_json_value){0};
    if (token.kind != OY_JSON_OBJECT)
        return oy_fail(component->err, OY_DATA,
                       "%s.special_tokens: '%.*s' is not there",
                       component->path, (int)name.len, name.at);
    return put_special(component, &token, list, add_sequence(list));
}

/* A piece {"Sequence": {"id": "A" or "B"}}. */
static int add_given(const struct vocab_component *component,
                     const struct oy_json_value *piece,
                     const struct sequences *given, struct sequences *list)
{
    const struct oy_json_value id = oy_json_member(piece, "id");
    const size_t i = oy_json_equals(&id, "B");

    if (!i && !oy_json_equals(&id, "A"))
        return vocab_component_fail(component, NULL,
                                    "a piece is neither SpecialToken nor "
                                    "Sequence A or B");
    if (i >= given->n)
        return vocab_component_fail(component, "single",
                                    "there is no second sequence");
    struct sequence *to = add_sequence(list);
    put(list, to, given->item[i].id, given->item[i].n);
    return 0;
}

static int run_template(const struct vocab_component *component,
                        const struct sequences *given, struct sequences *list)
{
    const char *member = given->n == 1 ? "single" : "pair";
    const struct oy_json_value pieces = oy_json_member(component->json, member);
    struct oy_json_cursor cursor;
    struct oy_json_value entry;

    if (given->n > 2)
        return vocab_component_fail(component, NULL,
                                    "a template behind one of several pieces "
                                    "is not supported");
    if (pieces.kind != OY_JSON_ARRAY)
        return vocab_component_fail(component, member, "not a list");
    oy_json_enter(&cursor, &pieces);
    while (oy_json_next_element(&cursor, &entry) > 0) {
        const struct oy_json_value special =
            oy_json_member(&entry, "SpecialToken");
        const struct oy_json_value sequence =
            oy_json_member(&entry, "Sequence");
        if (special.kind == OY_JSON_OBJECT
                ? add_special(component, &special, list)
                : add_given(component, &sequence, given, list))
            return -1;
        if (list->n_id > MAX_IDS)
            return vocab_component_fail(component, member, "too long");
    }
    return 0;
}

/* ---- BertProcessing, RobertaProcessing ---- */

/* A pair [token, id]. */
static int read_pair(const struct vocab_component *component,
                     const char *member, int32_t *id)
{
    const struct oy_json_value pair = oy_json_member(component->json, member);
    struct oy_json_cursor cursor;
    struct oy_json_value token, value = {0};

    if (pair.kind != OY_JSON_ARRAY)
        return vocab_component_fail(component, member, "not a list");
    oy_json_enter(&cursor, &pair);
    if (oy_json_next_element(&cursor, &token) == 1)
        (void)oy_json_next_element(&cursor, &value);
    return read_id(component, member, &value, id);
}

/* The first sequence becomes `cls` A `sep`, others B `sep`; Roberta's have
 * another `sep` in front. */
static int run_bert(const struct vocab_component *component, int is_roberta,
                    const struct sequences *given, struct sequences *list)
{
    int32_t cls, sep;

    if (read_pair(component, "cls", &cls) || read_pair(component, "sep", &sep))
        return -1;
    for (size_t i = 0; i < given->n; i++) {
        struct sequence *to = add_sequence(list);
        if (!i || is_roberta)
            put(list, to, i ? &sep : &cls, 1);
        put(list, to, given->item[i].id, given->item[i].n);
        put(list, to, &sep, 1);
    }
    return 0;
}

/* ---- the whole ---- */

static int run_step(void *self, const struct vocab_component *component)
{
    struct sequences *given = self, made = {0};
    int failed;

    if (vocab_component_is(component, "ByteLevel")) /* touches offsets only */
        return 0;
    if (vocab_component_is(component, "TemplateProcessing"))
        failed = run_template(component, given, &made);
    else if (vocab_component_is(component, "RobertaProcessing"))
        failed = run_bert(component, 1, given, &made);
    else if (vocab_component_is(component, "BertProcessing"))
        failed = run_bert(component, 0, given, &made);
    else
        failed = vocab_component_unknown(component);
    release_sequences(given);
    *given = made;
    return failed;
}

static int32_t *copy_ids(const int32_t *id, size_t n)
{
    int32_t *copy = oy_alloc_array(n, sizeof *copy);

    if (n)
        memcpy(copy, id, n * sizeof *copy);
    return copy;
}

/* All sequences as one, cut at the text. */
static int keep(struct vocab *vocab, const struct sequences *list,
                struct oy_error *err)
{
    struct sequences joined = {0};
    struct sequence *all = add_sequence(&joined);
    size_t n_text = 0, at = 0;

    for (size_t i = 0; i < list->n; i++)
        put(&joined, all, list->item[i].id, list->item[i].n);
    for (size_t i = 0; i < all->n; i++) {
        if (all->id[i] != TEXT)
            continue;
        at = i;
        n_text++;
    }
    if (n_text == 1) {
        vocab->n_before = at;
        vocab->before = copy_ids(all->id, at);
        vocab->n_behind = all->n - at - 1;
        vocab->behind = copy_ids(all->id + at + 1, vocab->n_behind);
    }
    release_sequences(&joined);
    return n_text == 1 ? 0
                       : oy_fail(err, OY_DATA,
                                 "post_processor: the text is not in it "
                                 "exactly once");
}

int vocab_read_post_processor(struct vocab *vocab,
                              const struct oy_json_value *component,
                              struct oy_error *err)
{
    static const int32_t text = TEXT;
    struct sequences list = {0};

    put(&list, add_sequence(&list), &text, 1);
    int failed = vocab_each_component(component, "post_processor", "processors",
                                      run_step, &list, &vocab->arena, err);
    if (!failed)
        failed = keep(vocab, &list, err);
    release_sequences(&list);
    return failed;
}
