/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-tok info: what a tokenizer is. */
#include <stdio.h>
#include <string.h>

#include "core/output.h"
#include "core/unicode.h"
#include "core/unicode_script.h"
#include "core/utf8.h"
#include "tokenizer/template_value.h"
#include "tokenizer/tok_filter.h"
#include "tokenizer/vocab.h"

enum {
    MAX_VALUE = 400, /* bytes of a component's member that are shown */
    WIDTH = 22,      /* of the names in the table */
};

/* ---- components ---- */

static void describe(const struct oy_json_value *json, struct oy_buffer *out);

static void describe_list(const struct oy_json_value *list,
                          struct oy_buffer *out)
{
    struct oy_json_cursor cursor;
    struct oy_json_value item;
    const char *gap = "";

    oy_buffer_append_char(out, '[');
    oy_json_enter(&cursor, list);
    while (oy_json_next_element(&cursor, &item) > 0) {
        oy_buffer_append_string(out, gap);
        describe(&item, out);
        gap = ", ";
    }
    oy_buffer_append_char(out, ']');
}

/* A member's value on one line, a long one cut at a character. */
static void describe_value(const struct oy_json_value *value,
                           struct oy_buffer *out)
{
    const struct template_json_style style = {.indent = -1};
    struct oy_arena arena = {0};
    struct oy_buffer text = {0};
    struct template_value plain;
    const char *why;

    if (template_from_json(value, &arena, &plain, &why) == 0)
        template_put_json(&plain, &style, &text);
    size_t len = text.len;
    if (len > MAX_VALUE)
        len = oy_utf8_valid_prefix(text.data, MAX_VALUE);
    oy_buffer_append(out, text.data, len);
    if (len < text.len)
        oy_buffer_append_format(out, "... (%zu bytes)", text.len);
    oy_buffer_release(&text);
    oy_arena_release(&arena);
}

static int holds_components(const struct oy_json_value *key)
{
    return oy_json_equals(key, "normalizers") ||
           oy_json_equals(key, "pretokenizers") ||
           oy_json_equals(key, "processors") || oy_json_equals(key, "decoders");
}

/* Type(member=value, ...), or Type[component, ...] of a Sequence. */
static void describe(const struct oy_json_value *json, struct oy_buffer *out)
{
    struct oy_json_cursor cursor;
    struct oy_json_value key, value;
    const char *gap = "(";

    if (json->kind != OY_JSON_OBJECT) {
        oy_buffer_append_string(out, "none");
        return;
    }
    const struct oy_json_value type = oy_json_member(json, "type");
    if (type.kind == OY_JSON_STRING)
        oy_buffer_append(out, type.at + 1, type.len - 2);
    oy_json_enter(&cursor, json);
    while (oy_json_next_member(&cursor, &key, &value) > 0) {
        if (oy_json_equals(&key, "type"))
            continue;
        if (holds_components(&key) && value.kind == OY_JSON_ARRAY) {
            describe_list(&value, out);
            continue;
        }
        oy_buffer_append_string(out, gap);
        oy_buffer_append(out, key.at + 1, key.len - 2);
        oy_buffer_append_char(out, '=');
        describe_value(&value, out);
        gap = ", ";
    }
    if (*gap == ',')
        oy_buffer_append_char(out, ')');
}

/* ---- facts ---- */

struct info {
    struct oy_arena arena;
    struct template_value facts; /* a dictionary, in the order of the table */
    const struct vocab *vocab;
    struct oy_json_value root; /* of the document */
};

static void put_number(struct info *info, const char *name, uint64_t number)
{
    template_put_name(&info->facts, &info->arena, name,
                      template_int((int64_t)number));
}

static void put_text(struct info *info, const char *name, const char *text,
                     size_t len)
{
    template_put_name(
        &info->facts, &info->arena, name,
        template_string(oy_arena_copy(&info->arena, text, len), len));
}

static void put_component(struct info *info, const char *name)
{
    const struct oy_json_value json = oy_json_member(&info->root, name);
    struct oy_buffer text = {0};

    describe(&json, &text);
    put_text(info, name, text.data, text.len);
    oy_buffer_release(&text);
}

/* A configured token and its id. */
static void put_token(struct info *info, const char *name, const char *text)
{
    struct template_value token = template_new_dict(&info->arena);

    if (!text) {
        template_put_name(&info->facts, &info->arena, name, template_none());
        return;
    }
    template_put_name(
        &token, &info->arena, "content",
        template_string(oy_arena_copy(&info->arena, text, strlen(text)),
                        strlen(text)));
    template_put_name(
        &token, &info->arena, "id",
        template_int(vocab_find_content(info->vocab, text, strlen(text))));
    template_put_name(&info->facts, &info->arena, name, token);
}

/* ---- the vocabulary ---- */

/* What a token is written in; names of Unicode scripts first. */
static const char *const script_name[] = {
    "Latin",    "Han",      "Cyrillic", "Arabic",  "Devanagari",
    "Hangul",   "Hiragana", "Katakana", "Greek",   "Hebrew",
    "Thai",     "Bengali",  "Tamil",    "Telugu",  "Georgian",
    "Armenian", "Ethiopic", "Khmer",    "Myanmar", "Sinhala",
};
enum {
    N_SCRIPT = sizeof script_name / sizeof *script_name,
    OTHER_LETTERS = N_SCRIPT,
    DIGITS,
    SPACES,
    SIGNS,
    PARTS,
    N_CLASS
};
static const char *const class_name[] = {"other letters", "digits", "spaces",
                                         "punctuation and symbols",
                                         "parts of characters"};

struct census {
    int script[N_SCRIPT];
    uint64_t n[N_CLASS];
    uint64_t n_used, n_special, n_hole, n_byte;
    int32_t longest;
};

static int is_letter(uint32_t c)
{
    const enum oy_category category = oy_unicode_category(c, 16);

    return category >= OY_LU && category <= OY_LO;
}

/* The script of the first letter, else the first class that is there. */
static int class_of(const struct census *census, struct oy_text text)
{
    int class = SPACES;

    if (!oy_utf8_valid(text.at, text.len))
        return PARTS;
    for (size_t at = 0; at < text.len;) {
        const uint32_t c = oy_utf8_next(text.at, &at);
        if (is_letter(c)) {
            const int script = oy_unicode_script(c);
            for (int i = 0; i < N_SCRIPT; i++) {
                if (census->script[i] == script)
                    return i;
            }
            return OTHER_LETTERS;
        }
        if (oy_py_isdigit(c))
            class = DIGITS;
        else if (class == SPACES && !oy_py_isspace(c) && c != 0x2581)
            class = SIGNS;
    }
    return class;
}

static void count_tokens(const struct vocab *vocab, struct census *census)
{
    uint32_t most = 0;

    for (int i = 0; i < N_SCRIPT; i++)
        census->script[i] =
            oy_unicode_find_script(script_name[i], strlen(script_name[i]));
    census->longest = -1;
    for (int32_t i = 0; i < vocab->n_id; i++) {
        const struct vocab_token *token = &vocab->token[i];
        census->n_hole += !token->is_used;
        census->n_special += token->is_used && token->is_special;
        if (!token->is_used || token->is_added)
            continue;
        const struct oy_text text = {vocab->text + token->at, token->len};
        census->n[class_of(census, text)]++;
        census->n_used++;
        census->n_byte += token->len;
        if (token->len > most) {
            most = token->len;
            census->longest = i;
        }
    }
}

static void put_longest(struct info *info, int32_t id)
{
    struct template_value token = template_new_dict(&info->arena);
    struct oy_buffer text = {0};

    if (id < 0)
        return;
    const struct vocab_token *found = &info->vocab->token[id];
    oy_utf8_repair(info->vocab->text + found->at, found->len, &text);
    template_put_name(
        &token, &info->arena, "content",
        template_string(oy_arena_copy(&info->arena, text.data, text.len),
                        text.len));
    template_put_name(&token, &info->arena, "id", template_int(id));
    template_put_name(&token, &info->arena, "bytes", template_int(found->len));
    template_put_name(&info->facts, &info->arena, "longest_token", token);
    oy_buffer_release(&text);
}

/* Bytes that no text can be encoded with; of byte-level files. */
static void put_missing_bytes(struct info *info)
{
    struct template_value list = template_new_list(&info->arena);
    char hex[3];

    for (int i = 0; i < 256 && info->vocab->is_byte_level; i++) {
        const char byte = (char)i;
        if (vocab_find(info->vocab, &byte, 1) >= 0)
            continue;
        snprintf(hex, sizeof hex, "%02X", i);
        template_push(&list, &info->arena,
                      template_string(oy_arena_copy(&info->arena, hex, 2), 2));
    }
    template_put_name(&info->facts, &info->arena, "bytes_without_token", list);
}

/* Percentages of the model's tokens, with one place. */
static void put_shares(struct info *info, const struct census *census)
{
    struct template_value shares = template_new_dict(&info->arena);

    for (int i = 0; i < N_CLASS; i++) {
        if (!census->n[i])
            continue;
        const uint64_t tenths =
            (census->n[i] * 1000 + census->n_used / 2) / census->n_used;
        template_put_name(&shares, &info->arena,
                          i < N_SCRIPT ? script_name[i]
                                       : class_name[i - N_SCRIPT],
                          template_float((double)tenths / 10));
    }
    template_put_name(&info->facts, &info->arena, "percent_of_tokens", shares);
}

static void put_vocabulary(struct info *info)
{
    const struct vocab *vocab = info->vocab;
    struct census census = {0};

    count_tokens(vocab, &census);
    put_number(info, "embedding_rows", (uint64_t)vocab->n_id);
    put_number(info, "model_tokens", (uint64_t)vocab->n_model);
    put_number(info, "merges", vocab->n_merge);
    put_number(info, "added_tokens", vocab->n_added);
    put_number(info, "special_tokens", census.n_special);
    put_number(info, "ids_without_token", census.n_hole);
    put_missing_bytes(info);
    if (census.n_used)
        template_put_name(
            &info->facts, &info->arena, "mean_bytes",
            template_float((double)(census.n_byte * 100 / census.n_used) /
                           100));
    put_longest(info, census.longest);
    put_shares(info, &census);
}

/* ---- the model and what is around it ---- */

static const char *const split_name[SPLIT_N_KIND] = {
    [SPLIT_NONE] = "none",           [SPLIT_GPT2] = "gpt2",
    [SPLIT_CL100K] = "cl100k",       [SPLIT_QWEN2] = "qwen2",
    [SPLIT_SMOLLM] = "smollm",       [SPLIT_O200K] = "o200k",
    [SPLIT_DEEPSEEK3] = "deepseek3", [SPLIT_WHITESPACE] = "whitespace",
    [SPLIT_METASPACE] = "metaspace", [SPLIT_AFTER_SPACE] = "after_space",
};

static void put_model(struct info *info)
{
    static const char *const option[] = {"byte_fallback", "fuse_unk",
                                         "ignore_merges"};
    const struct oy_json_value model = oy_json_member(&info->root, "model");
    const struct vocab *vocab = info->vocab;
    const int on[] = {vocab->byte_fallback, vocab->fuse_unk,
                      vocab->ignore_merges};
    struct template_value options = template_new_list(&info->arena);
    const struct oy_json_value type = oy_json_member(&model, "type");

    if (type.kind == OY_JSON_STRING)
        put_text(info, "model", type.at + 1, type.len - 2);
    else /* old files do not say it */
        put_text(info, "model", vocab->n_merge ? "BPE" : "unnamed",
                 vocab->n_merge ? 3 : 7);
    if (vocab->is_byte_level)
        template_push(&options, &info->arena, template_literal("byte-level"));
    for (size_t i = 0; i < sizeof on / sizeof *on; i++) {
        if (on[i])
            template_push(&options, &info->arena, template_literal(option[i]));
    }
    template_put_name(&info->facts, &info->arena, "model_options", options);
}

static void put_components(struct info *info)
{
    const struct vocab *vocab = info->vocab;

    put_component(info, "normalizer");
    put_component(info, "pre_tokenizer");
    template_put_name(&info->facts, &info->arena, "fast_splitter",
                      vocab->chain || vocab->split < 0 ||
                              vocab->split >= SPLIT_N_KIND ||
                              !split_name[vocab->split]
                          ? template_none()
                          : template_literal(split_name[vocab->split]));
    put_component(info, "post_processor");
    put_component(info, "decoder");
    put_token(info, "bos_token", vocab->bos_token);
    put_token(info, "eos_token", vocab->eos_token);
    template_put_name(&info->facts, &info->arena, "chat_template_bytes",
                      vocab->chat_template
                          ? template_int((int64_t)strlen(vocab->chat_template))
                          : template_none());
}

/* ---- writing ---- */

/* A value on one line. */
static void put_plain(const struct template_value *value, struct oy_buffer *out)
{
    const struct template_json_style style = {.indent = -1};
    const int is_list = value->kind == TEMPLATE_LIST;

    if (value->kind == TEMPLATE_NONE || (is_list && !value->list->n_item))
        oy_buffer_append_string(out, "none");
    else if (value->kind != TEMPLATE_DICT && !is_list)
        template_put_text(value, out);
    for (size_t i = 0; is_list && i < value->list->n_item; i++) {
        oy_buffer_append_string(out, i ? ", " : "");
        template_put_text(&value->list->item[i], out);
    }
    for (size_t i = 0; value->kind == TEMPLATE_DICT && i < value->dict->n_entry;
         i++) {
        oy_buffer_append_string(out, i ? ", " : "");
        template_put_text(&value->dict->entry[i].key, out);
        oy_buffer_append_char(out, ' ');
        template_put_json(&value->dict->entry[i].value, &style, out);
    }
}

static void put_table(const struct template_value *facts, struct oy_buffer *out)
{
    for (size_t i = 0; i < facts->dict->n_entry; i++) {
        const struct template_entry *entry = &facts->dict->entry[i];
        struct oy_buffer value = {0};
        for (size_t c = 0; c < WIDTH; c++) {
            const char *key = entry->key.text.at;
            const char here = c < entry->key.text.len ? key[c] : ' ';
            oy_buffer_append_char(out, here == '_' ? ' ' : here);
        }
        put_plain(&entry->value, &value);
        for (size_t c = 0; c < value.len; c++)
            oy_buffer_append_char(out,
                                  value.data[c] == '\n' ? ' ' : value.data[c]);
        oy_buffer_append_char(out, '\n');
        oy_buffer_release(&value);
    }
}

static void put_facts(const struct vocab *vocab,
                      const struct tokenizer_document *document, int as_json,
                      struct oy_buffer *out)
{
    const struct template_json_style style = {.indent = -1};
    struct info info = {.vocab = vocab};
    struct oy_buffer path = {0};
    const char *why;
    char hash[33];

    info.facts = template_new_dict(&info.arena);
    oy_json_value_of(document->json.data, document->json.len, &info.root, &why);
    oy_hash128_text(vocab->hash, hash);
    oy_utf8_repair(vocab->path, strlen(vocab->path), &path);
    put_text(&info, "path", path.data, path.len);
    oy_buffer_release(&path);
    put_text(&info, "hash", hash, strlen(hash));
    put_model(&info);
    put_vocabulary(&info);
    put_components(&info);
    if (as_json) {
        template_put_json(&info.facts, &style, out);
        oy_buffer_append_char(out, '\n');
    } else {
        put_table(&info.facts, out);
    }
    oy_arena_release(&info.arena);
}

static int tell(const char *path, int as_json, struct oy_buffer *out,
                struct oy_error *err)
{
    struct tokenizer_document document = {0};
    struct vocab *vocab = NULL;

    if (!tokenizer_document_read(path, &document, err))
        vocab = vocab_new(&document, err);
    if (vocab)
        put_facts(vocab, &document, as_json, out);
    tokenizer_document_release(&document);
    vocab_free(vocab);
    return vocab ? 0 : -1;
}

static int write_out(const struct oy_run *run, const struct oy_buffer *text,
                     struct oy_error *err)
{
    struct oy_output *output = oy_run_open_output(run, err);

    if (!output)
        return -1;
    if (!oy_output_write(output, text->data, text->len, err))
        return oy_output_commit(output, err);
    oy_output_discard(output);
    return -1;
}

int tok_info_run(const struct tok_settings *settings, struct oy_run *run,
                 struct oy_error *err)
{
    const int as_json = settings->format == TOK_JSON;
    struct oy_buffer out = {0};
    int failed = 0;

    if (run->input.n_item)
        return oy_fail(err, OY_USAGE, "info reads no records: '%s'",
                       run->input.item[0]);
    for (size_t i = 0; i < settings->tokenizer.n_item && !failed; i++) {
        if (i && !as_json)
            oy_buffer_append_char(&out, '\n');
        failed = tell(settings->tokenizer.item[i], as_json, &out, err);
    }
    if (!failed)
        failed = write_out(run, &out, err);
    oy_buffer_release(&out);
    return failed;
}
