/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes the draft of a tokenizer as the text of a tokenizer.json. */
#include <stdlib.h>
#include <string.h>

#include "core/decimal.h"
#include "core/json.h"
#include "tokenizer/document_internal.h"

static void put(struct oy_buffer *out, const char *text)
{
    oy_buffer_append_string(out, text);
}

static void put_text(struct oy_buffer *out, struct oy_text text)
{
    oy_json_put_string(out, text.at, text.len);
}

static void put_bool(struct oy_buffer *out, const char *name, int truth)
{
    oy_buffer_append_format(out, ",\"%s\":%s", name, truth ? "true" : "false");
}

/* ---- components ---- */

void draft_put_byte_level(struct oy_buffer *out, int add_prefix_space,
                          int trim_offsets, int use_regex)
{
    put(out, "{\"type\":\"ByteLevel\"");
    put_bool(out, "add_prefix_space", add_prefix_space);
    put_bool(out, "trim_offsets", trim_offsets);
    put_bool(out, "use_regex", use_regex);
    put(out, "}");
}

void draft_put_split(struct oy_buffer *out, const char *regex)
{
    put(out, "{\"type\":\"Split\",\"pattern\":{\"Regex\":");
    oy_json_put_string(out, regex, strlen(regex));
    put(out, "},\"behavior\":\"Isolated\",\"invert\":false}");
}

void draft_put_splits(struct oy_buffer *out, const char *const *regex, size_t n,
                      int use_regex)
{
    if (!n) {
        draft_put_byte_level(out, 0, 1, use_regex);
        return;
    }
    put(out, "{\"type\":\"Sequence\",\"pretokenizers\":[");
    for (size_t i = 0; i < n; i++) {
        draft_put_split(out, regex[i]);
        put(out, ",");
    }
    draft_put_byte_level(out, 0, 1, use_regex);
    put(out, "]}");
}

/* ---- the post-processor ---- */

/* A name of a pattern with its type, and the id of its token; -1: a text. */
struct part {
    struct oy_text name;
    int32_t id;
    int type;
};

enum { MAX_PARTS = 8 };

struct parts {
    struct part part[MAX_PARTS];
    size_t n;
};

static int32_t id_of(const struct draft *draft, struct oy_text name)
{
    const struct draft_added *added = draft_find_added(draft, name);
    const struct draft_token *token =
        added ? NULL : draft_find(draft, name.at, name.len);

    if (added)
        return added->id;
    return token ? token->id : -1;
}

static int add_part(const struct draft *draft, struct parts *parts,
                    struct oy_text name, int type, struct oy_error *err)
{
    const int is_text = name.len == 2 && name.at[0] == '$';
    const int32_t id = is_text ? -1 : id_of(draft, name);

    OY_ASSERT(parts->n < MAX_PARTS);
    if (!is_text && id < 0)
        return oy_fail(err, OY_DATA,
                       "'%.*s' is to frame texts and not in the vocabulary",
                       (int)name.len, name.at);
    parts->part[parts->n++] = (struct part){name, id, type};
    return 0;
}

static void put_part(struct oy_buffer *out, const struct part *part)
{
    if (part->id < 0)
        oy_buffer_append_format(out, "{\"Sequence\":{\"id\":\"%c\"",
                                part->name.at[1]);
    else {
        put(out, "{\"SpecialToken\":{\"id\":");
        put_text(out, part->name);
    }
    oy_buffer_append_format(out, ",\"type_id\":%d}}", part->type);
}

static void put_list(struct oy_buffer *out, const struct parts *parts)
{
    put(out, "[");
    for (size_t i = 0; i < parts->n; i++) {
        put(out, i ? "," : "");
        put_part(out, &parts->part[i]);
    }
    put(out, "]");
}

static int is_repeated(const struct parts *parts, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (parts->part[j].id == parts->part[i].id)
            return 1;
    }
    return 0;
}

static int part_by_name(const void *left, const void *right)
{
    const struct oy_text *a = &((const struct part *)left)->name;
    const struct oy_text *b = &((const struct part *)right)->name;
    const int order = memcmp(a->at, b->at, a->len < b->len ? a->len : b->len);

    return order ? order : (a->len > b->len) - (a->len < b->len);
}

/* What the names stand for, in their order. */
static void put_special_tokens(struct oy_buffer *out, struct parts *parts)
{
    const char *comma = "";

    qsort(parts->part, parts->n, sizeof *parts->part, part_by_name);
    for (size_t i = 0; i < parts->n; i++) {
        const struct part *part = &parts->part[i];
        if (part->id < 0 || is_repeated(parts, i))
            continue;
        put(out, comma);
        put_text(out, part->name);
        put(out, ":{\"id\":");
        put_text(out, part->name);
        oy_buffer_append_format(out, ",\"ids\":[%d],\"tokens\":[", part->id);
        put_text(out, part->name);
        put(out, "]}");
        comma = ",";
    }
}

static void put_template(struct oy_buffer *out, const struct parts *single,
                         struct parts *pair)
{
    oy_buffer_clear(out);
    put(out, "{\"type\":\"TemplateProcessing\",\"single\":");
    put_list(out, single);
    put(out, ",\"pair\":");
    put_list(out, pair);
    put(out, ",\"special_tokens\":{");
    put_special_tokens(out, pair);
    put(out, "}}");
}

/* Names between spaces, each with its type behind a colon or of type 0. */
static int read_pattern(const struct draft *draft, const char *pattern,
                        struct parts *parts, struct oy_error *err)
{
    while (*pattern) {
        struct oy_text name = {pattern, strcspn(pattern, " ")};
        pattern += name.len;
        pattern += *pattern == ' ';
        const int is_second =
            name.len > 2 && !memcmp(name.at + name.len - 2, ":1", 2);
        name.len -= is_second ? 2 : 0;
        if (add_part(draft, parts, name, is_second, err))
            return -1;
    }
    return 0;
}

int draft_put_template(struct draft *draft, const char *single,
                       const char *pair, struct oy_error *err)
{
    struct parts one = {.n = 0}, two = {.n = 0};

    if (read_pattern(draft, single, &one, err) ||
        read_pattern(draft, pair, &two, err))
        return -1;
    put_template(&draft->post_processor, &one, &two);
    return 0;
}

int draft_put_cls_sep(struct draft *draft, const char *cls, const char *sep,
                      int is_roberta, struct oy_error *err)
{
    char *single = oy_asprintf("%s $A %s", cls, sep);
    char *pair = is_roberta ? oy_asprintf("%s %s $B %s", single, sep, sep)
                            : oy_asprintf("%s $B:1 %s:1", single, sep);
    const int failed = draft_put_template(draft, single, pair, err);

    oy_free(single);
    oy_free(pair);
    return failed;
}

/* A text of this letter between the two. */
static int add_framed(const struct draft *draft, struct parts *parts,
                      const char *const frame[2], int type,
                      struct oy_error *err)
{
    const struct oy_text name = {type ? "$B" : "$A", 2};

    for (int i = 0; i < 2; i++) {
        if (i && add_part(draft, parts, name, type, err))
            return -1;
        if (frame[i] &&
            add_part(draft, parts, (struct oy_text){frame[i], strlen(frame[i])},
                     type, err))
            return -1;
    }
    return 0;
}

int draft_frame(struct draft *draft, const char *before, const char *behind,
                struct oy_error *err)
{
    const char *const frame[2] = {before, behind};
    struct parts one = {.n = 0}, two = {.n = 0};

    if (!before && !behind)
        return 0;
    if (add_framed(draft, &one, frame, 0, err) ||
        add_framed(draft, &two, frame, 0, err) ||
        add_framed(draft, &two, frame, 1, err))
        return -1;
    put_template(&draft->post_processor, &one, &two);
    return 0;
}

/* ---- added tokens ---- */

static int added_by_id(const void *left, const void *right)
{
    const struct draft_added *a = left, *b = right;

    return (a->id > b->id) - (a->id < b->id);
}

/* Loading gives an added token that the model does not know the next free id,
 * whatever is written (tokenizer/added_vocabulary.rs of tokenizers). Where
 * that is another one the model is to know it. */
static int settle_ids(struct draft *draft, struct oy_error *err)
{
    size_t next = draft->n_token;
    int agrees = 1;

    for (size_t i = 0; i < draft->n_added; i++) {
        const struct draft_added *added = &draft->added[i];
        const struct draft_token *token =
            draft_find(draft, added->content.at, added->content.len);
        if (i && added->id == draft->added[i - 1].id)
            return oy_fail(err, OY_DATA, "two added tokens have the id %d",
                           added->id);
        if (token && token->id != added->id)
            return oy_fail(err, OY_DATA, "added token '%.*s' has two ids",
                           (int)added->content.len, added->content.at);
        agrees &= token || (size_t)added->id == next++;
    }
    for (size_t i = 0; !agrees && i < draft->n_added; i++) {
        const struct draft_added *added = &draft->added[i];
        if (!draft_find(draft, added->content.at, added->content.len) &&
            draft_add_token(draft, added->content, added->id, 0, err))
            return -1;
    }
    return 0;
}

static void put_added(struct oy_buffer *out, const struct draft_added *added)
{
    oy_buffer_append_format(out, "{\"id\":%d,\"content\":", added->id);
    put_text(out, added->content);
    put_bool(out, "single_word", added->single_word);
    put_bool(out, "lstrip", added->lstrip);
    put_bool(out, "rstrip", added->rstrip);
    put_bool(out, "normalized", added->normalized);
    put_bool(out, "special", added->special);
    put(out, "}");
}

/* ---- the model ---- */

static int token_by_id(const void *left, const void *right)
{
    const struct draft_token *a = left, *b = right;

    return (a->id > b->id) - (a->id < b->id);
}

static int check_ids(const struct draft *draft, struct oy_error *err)
{
    const size_t n = draft->n_token;

    /* A Unigram model has no ids but places. */
    if (draft->model == DRAFT_UNIGRAM && n &&
        (size_t)draft->token[n - 1].id != n - 1)
        return oy_fail(err, OY_DATA, "ids of a Unigram model have holes");
    for (size_t i = 1; i < n; i++) {
        if (draft->token[i].id == draft->token[i - 1].id)
            return oy_fail(err, OY_DATA, "two tokens have the id %d",
                           draft->token[i].id);
    }
    return 0;
}

static void put_vocab(struct oy_buffer *out, const struct draft *draft)
{
    put(out, ",\"vocab\":{");
    for (size_t i = 0; i < draft->n_token; i++) {
        put(out, i ? "," : "");
        put_text(out, draft->token[i].text);
        put(out, ":");
        oy_json_put_int(out, draft->token[i].id);
    }
    put(out, "}");
}

static void put_scores(struct oy_buffer *out, const struct draft *draft)
{
    put(out, ",\"vocab\":[");
    for (size_t i = 0; i < draft->n_token; i++) {
        put(out, i ? ",[" : "[");
        put_text(out, draft->token[i].text);
        put(out, ",");
        oy_json_put_double(out, (double)draft->token[i].score);
        put(out, "]");
    }
    put(out, "]");
}

static void put_merges(struct oy_buffer *out, const struct draft *draft)
{
    put(out, ",\"merges\":[");
    for (size_t i = 0; i < draft->n_merge; i++) {
        put(out, i ? ",[" : "[");
        put_text(out, draft->merge[i].left);
        put(out, ",");
        put_text(out, draft->merge[i].right);
        put(out, "]");
    }
    put(out, "]");
}

static void put_unk(struct oy_buffer *out, const struct draft *draft)
{
    put(out, ",\"unk_token\":");
    if (draft->unk.at)
        put_text(out, draft->unk);
    else
        put(out, "null");
}

static void put_bpe(struct oy_buffer *out, const struct draft *draft)
{
    put(out, "{\"type\":\"BPE\",\"dropout\":null");
    put_unk(out, draft);
    put(out, ",\"continuing_subword_prefix\":null"
             ",\"end_of_word_suffix\":null");
    put_bool(out, "fuse_unk", draft->fuse_unk);
    put_bool(out, "byte_fallback", draft->byte_fallback);
    put_bool(out, "ignore_merges", draft->ignore_merges);
    put_vocab(out, draft);
    put_merges(out, draft);
    put(out, "}");
}

static void put_model(struct oy_buffer *out, const struct draft *draft)
{
    switch (draft->model) {
    case DRAFT_BPE: put_bpe(out, draft); return;
    case DRAFT_WORDPIECE:
        put(out, "{\"type\":\"WordPiece\"");
        put_unk(out, draft);
        put(out, ",\"continuing_subword_prefix\":\"##\""
                 ",\"max_input_chars_per_word\":100");
        put_vocab(out, draft);
        break;
    case DRAFT_UNIGRAM:
        put(out, "{\"type\":\"Unigram\",\"unk_id\":");
        if (draft->unk_id < 0)
            put(out, "null");
        else
            oy_json_put_int(out, draft->unk_id);
        put_scores(out, draft);
        put_bool(out, "byte_fallback", draft->byte_fallback);
        break;
    }
    put(out, "}");
}

/* ---- the document ---- */

static void put_component(struct oy_buffer *out, const char *name,
                          const struct oy_buffer *component)
{
    oy_buffer_append_format(out, ",\"%s\":", name);
    if (component->len)
        oy_buffer_append(out, component->data, component->len);
    else
        put(out, "null");
}

int draft_write(struct draft *draft, struct oy_buffer *json,
                struct oy_error *err)
{
    if (draft->n_added)
        qsort(draft->added, draft->n_added, sizeof *draft->added, added_by_id);
    if (settle_ids(draft, err))
        return -1;
    if (draft->n_token)
        qsort(draft->token, draft->n_token, sizeof *draft->token, token_by_id);
    if (check_ids(draft, err))
        return -1;
    put(json, "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null"
              ",\"added_tokens\":[");
    for (size_t i = 0; i < draft->n_added; i++) {
        put(json, i ? "," : "");
        put_added(json, &draft->added[i]);
    }
    put(json, "]");
    put_component(json, "normalizer", &draft->normalizer);
    put_component(json, "pre_tokenizer", &draft->pre_tokenizer);
    put_component(json, "post_processor", &draft->post_processor);
    put_component(json, "decoder", &draft->decoder);
    put(json, ",\"model\":");
    put_model(json, draft);
    put(json, "}");
    return 0;
}
