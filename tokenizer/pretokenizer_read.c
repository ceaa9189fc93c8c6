/* SPDX-License-Identifier: Apache-2.0
 *
 * Pre-tokenizers in general: reading them from a tokenizer.json.
 */
#include <stdio.h>
#include <string.h>

#include "core/unicode_script.h"
#include "core/utf8.h"
#include "tokenizer/pretokenizer_internal.h"

enum { MAX_DEPTH = 64, MAX_PATH = 400 };

/* One component on the way down. */
struct reader {
    struct pretokenizer *chain;
    struct oy_arena arena; /* for texts with escapes */
    struct oy_error *err;
    int is_spelled;   /* a ByteLevel was read */
    int is_rewritten; /* something was put in front of pieces */
    size_t path_len;
    char path[MAX_PATH]; /* "pre_tokenizer.pretokenizers[2]" */
};

static int refuse(struct reader *reader, const char *member, const char *why)
{
    return oy_fail(reader->err, OY_DATA, "%s%s%s: %s", reader->path,
                   member ? "." : "", member ? member : "", why);
}

static int is_given(const struct oy_json_value *value)
{
    return value->kind != OY_JSON_MISSING && value->kind != OY_JSON_NULL;
}

/* ---- members ---- */

/* The text of a string, borrowed until the reader ends. */
static int read_text(struct reader *reader, const struct oy_json_value *value,
                     const char *member, struct oy_text *text)
{
    uint64_t n_repaired = 0;
    const char *why = "not a string";

    if (value->kind != OY_JSON_STRING ||
        oy_json_text(value, &reader->arena, text, &n_repaired, &why))
        return refuse(reader, member, why);
    return 0;
}

static int read_bool(struct reader *reader, const struct oy_json_value *object,
                     const char *member, int otherwise, int *truth)
{
    const struct oy_json_value value = oy_json_member(object, member);

    *truth = otherwise;
    if (!is_given(&value))
        return 0;
    return oy_json_bool(&value, truth) ? refuse(reader, member, "not a boolean")
                                       : 0;
}

/* A string of one character. */
static int read_character(struct reader *reader,
                          const struct oy_json_value *object,
                          const char *member, struct oy_text *text)
{
    const struct oy_json_value value = oy_json_member(object, member);

    if (read_text(reader, &value, member, text))
        return -1;
    return oy_utf8_count(text->at, text->len) == 1
               ? 0
               : refuse(reader, member, "not one character");
}

static int read_behavior(struct reader *reader,
                         const struct oy_json_value *object, int is_needed,
                         enum pretokenizer_behavior *behavior)
{
    static const char *const name[] = {"Removed", "Isolated",
                                       "MergedWithPrevious", "MergedWithNext",
                                       "Contiguous"};
    const struct oy_json_value value = oy_json_member(object, "behavior");

    *behavior = PRETOKENIZER_ISOLATED;
    if (!is_needed && !is_given(&value))
        return 0;
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        if (oy_json_equals(&value, name[i])) {
            *behavior = (enum pretokenizer_behavior)i;
            return 0;
        }
    }
    return refuse(reader, "behavior", "none of the five that there are");
}

/* ---- components ---- */

static struct pretokenizer_step *add_step(struct reader *reader,
                                          enum pretokenizer_kind kind)
{
    return pretokenizer_add(reader->chain, kind, reader->is_spelled);
}

static void add_class(struct reader *reader, enum pretokenizer_class class,
                      enum pretokenizer_behavior behavior, uint32_t character)
{
    struct pretokenizer_step *const step = add_step(reader, PRETOKENIZER_CLASS);

    step->class = class;
    step->behavior = behavior;
    step->character = character;
    pretokenizer_fill_table(step);
}

static uint32_t first_character(struct oy_text text)
{
    size_t at = 0;

    return oy_utf8_next(text.at, &at);
}

static int read_byte_level(struct reader *reader,
                           const struct oy_json_value *object)
{
    int prefix, has_regex, ignored;

    if (read_bool(reader, object, "add_prefix_space", 1, &prefix) ||
        read_bool(reader, object, "trim_offsets", 1, &ignored) ||
        read_bool(reader, object, "use_regex", 1, &has_regex))
        return -1;
    /* The second ByteLevel of a chain spells what the first one spelled. */
    if (reader->is_spelled)
        (void)add_step(reader, PRETOKENIZER_SPELL);
    reader->is_spelled = 0;
    if (prefix)
        (void)add_step(reader, PRETOKENIZER_PREFIX);
    if (has_regex)
        add_step(reader, PRETOKENIZER_SPLIT)->split = SPLIT_GPT2;
    reader->is_spelled = 1;
    reader->is_rewritten = 1;
    return 0;
}

/* Whether matches of an expression that matches everything stay. */
static int keeps_matches(const struct pretokenizer_step *step)
{
    return step->behavior == PRETOKENIZER_ISOLATED ||
           (step->behavior == PRETOKENIZER_REMOVED && step->invert);
}

static int set_pattern(struct reader *reader, struct pretokenizer_step *step,
                       struct oy_text text, int is_regex)
{
    const enum split_kind kind =
        is_regex ? split_kind_from_regex(text.at, text.len) : SPLIT_UNKNOWN;

    if (kind != SPLIT_UNKNOWN && keeps_matches(step)) {
        step->kind = PRETOKENIZER_SPLIT;
        step->split = kind;
        return 0;
    }
    if (!is_regex && text.len) {
        step->kind = PRETOKENIZER_STRING;
        step->text = oy_strndup(text.at, text.len);
        step->text_len = text.len;
        return 0;
    }
    /* An empty string matches as an empty expression does. */
    step->regex =
        oy_regex_new(text.at, text.len, OY_REGEX_ONIGURUMA, reader->err);
    if (!step->regex)
        return oy_fail_at(reader->err, "%s.pattern", reader->path);
    pretokenizer_fill_table(step);
    return 0;
}

static int read_split(struct reader *reader, const struct oy_json_value *object)
{
    const struct oy_json_value pattern = oy_json_member(object, "pattern");
    struct pretokenizer_step *const step = add_step(reader, PRETOKENIZER_REGEX);
    struct oy_text text;

    if (pattern.kind != OY_JSON_OBJECT)
        return refuse(reader, "pattern", "not an object");
    if (read_behavior(reader, object, 1, &step->behavior) ||
        read_bool(reader, object, "invert", 0, &step->invert))
        return -1;
    const struct oy_json_value string = oy_json_member(&pattern, "String");
    const struct oy_json_value regex = oy_json_member(&pattern, "Regex");
    const int is_regex = regex.kind != OY_JSON_MISSING;
    if (is_regex == (string.kind != OY_JSON_MISSING))
        return refuse(reader, "pattern", "neither Regex nor String");
    if (read_text(reader, is_regex ? &regex : &string,
                  is_regex ? "pattern.Regex" : "pattern.String", &text))
        return -1;
    return set_pattern(reader, step, text, is_regex);
}

static int read_digits(struct reader *reader,
                       const struct oy_json_value *object)
{
    int alone;

    if (read_bool(reader, object, "individual_digits", 0, &alone))
        return -1;
    add_class(reader, PRETOKENIZER_DIGITS,
              alone ? PRETOKENIZER_ISOLATED : PRETOKENIZER_CONTIGUOUS, 0);
    return 0;
}

static int read_punctuation(struct reader *reader,
                            const struct oy_json_value *object)
{
    enum pretokenizer_behavior behavior;

    if (read_behavior(reader, object, 0, &behavior))
        return -1;
    add_class(reader, PRETOKENIZER_PUNCTUATION, behavior, 0);
    return 0;
}

static int read_scheme(struct reader *reader,
                       const struct oy_json_value *object,
                       enum pretokenizer_scheme *scheme)
{
    const struct oy_json_value value = oy_json_member(object, "prepend_scheme");
    int prefix;

    if (read_bool(reader, object, "add_prefix_space", 1, &prefix))
        return -1;
    *scheme = PRETOKENIZER_ALWAYS;
    /* Old files have a flag only. */
    if (oy_json_equals(&value, "never") || !prefix)
        *scheme = PRETOKENIZER_NEVER;
    else if (oy_json_equals(&value, "first"))
        *scheme = PRETOKENIZER_FIRST;
    else if (is_given(&value) && !oy_json_equals(&value, "always"))
        return refuse(reader, "prepend_scheme", "not always, first or never");
    return 0;
}

static int read_metaspace(struct reader *reader,
                          const struct oy_json_value *object)
{
    struct pretokenizer_step *step;
    enum pretokenizer_scheme scheme;
    struct oy_text mark;
    int splits;

    if (reader->is_spelled)
        return refuse(reader, NULL,
                      "Metaspace behind ByteLevel is not "
                      "supported");
    if (read_character(reader, object, "replacement", &mark) ||
        read_scheme(reader, object, &scheme) ||
        read_bool(reader, object, "split", 1, &splits))
        return -1;
    /* Where the text begins is not known any more. */
    if (scheme == PRETOKENIZER_FIRST && reader->is_rewritten)
        return refuse(reader, "prepend_scheme",
                      "first behind another Metaspace is not supported");
    step = add_step(reader, PRETOKENIZER_MARK);
    step->scheme = scheme;
    step->text = oy_strndup(mark.at, mark.len);
    step->text_len = mark.len;
    reader->is_rewritten = 1;
    if (splits)
        add_class(reader, PRETOKENIZER_CHARACTER, PRETOKENIZER_MERGED_WITH_NEXT,
                  first_character(mark));
    return 0;
}

static int read_whitespace(struct reader *reader,
                           const struct oy_json_value *object)
{
    (void)object;
    add_step(reader, PRETOKENIZER_SPLIT)->split = SPLIT_WHITESPACE;
    return 0;
}

static int read_whitespace_split(struct reader *reader,
                                 const struct oy_json_value *object)
{
    (void)object;
    add_class(reader, PRETOKENIZER_SPACE, PRETOKENIZER_REMOVED, 0);
    return 0;
}

static int read_bert(struct reader *reader, const struct oy_json_value *object)
{
    (void)object;
    add_class(reader, PRETOKENIZER_SPACE, PRETOKENIZER_REMOVED, 0);
    add_class(reader, PRETOKENIZER_PUNCTUATION, PRETOKENIZER_ISOLATED, 0);
    return 0;
}

static int read_delimiter(struct reader *reader,
                          const struct oy_json_value *object)
{
    struct oy_text text;

    if (read_character(reader, object, "delimiter", &text))
        return -1;
    add_class(reader, PRETOKENIZER_CHARACTER, PRETOKENIZER_REMOVED,
              first_character(text));
    return 0;
}

static int read_scripts(struct reader *reader,
                        const struct oy_json_value *object)
{
    (void)object;
    struct pretokenizer_step *const step =
        add_step(reader, PRETOKENIZER_SCRIPTS);

    step->han = oy_unicode_find_script("Han", 3);
    step->hiragana = oy_unicode_find_script("Hiragana", 8);
    step->katakana = oy_unicode_find_script("Katakana", 8);
    return 0;
}

static int read_length(struct reader *reader,
                       const struct oy_json_value *object)
{
    const struct oy_json_value value = oy_json_member(object, "length");
    int64_t length = 5; /* HF's default */

    if (is_given(&value) && (oy_json_int64(&value, &length) || length < 1))
        return refuse(reader, "length", "not a length above 0");
    add_step(reader, PRETOKENIZER_LENGTH)->length = (size_t)length;
    return 0;
}

/* ---- the tree ---- */

static int read_component(struct reader *reader,
                          const struct oy_json_value *component, int depth);

static int read_sequence(struct reader *reader,
                         const struct oy_json_value *component, int depth)
{
    const struct oy_json_value list =
        oy_json_member(component, "pretokenizers");
    const size_t path_len = reader->path_len;
    struct oy_json_cursor cursor;
    struct oy_json_value element;
    int more;

    if (list.kind != OY_JSON_ARRAY)
        return refuse(reader, "pretokenizers", "not a list");
    oy_json_enter(&cursor, &list);
    for (int i = 0; (more = oy_json_next_element(&cursor, &element)) > 0; i++) {
        const int n = snprintf(reader->path + path_len, MAX_PATH - path_len,
                               ".pretokenizers[%d]", i);

        if (n < 0 || (size_t)n >= MAX_PATH - path_len)
            return refuse(reader, NULL, "nested too deeply");
        reader->path_len = path_len + (size_t)n;
        if (read_component(reader, &element, depth + 1))
            return -1;
    }
    reader->path_len = path_len;
    reader->path[path_len] = '\0';
    return more < 0 ? refuse(reader, "pretokenizers", cursor.why) : 0;
}

static int read_component(struct reader *reader,
                          const struct oy_json_value *component, int depth)
{
    static const struct {
        const char *name;
        int (*read)(struct reader *, const struct oy_json_value *);
    } known[] = {
        {"ByteLevel", read_byte_level},
        {"Split", read_split},
        {"Digits", read_digits},
        {"Punctuation", read_punctuation},
        {"Metaspace", read_metaspace},
        {"Whitespace", read_whitespace},
        {"WhitespaceSplit", read_whitespace_split},
        {"BertPreTokenizer", read_bert},
        {"CharDelimiterSplit", read_delimiter},
        {"UnicodeScripts", read_scripts},
        {"FixedLength", read_length},
    };

    if (component->kind != OY_JSON_OBJECT)
        return refuse(reader, NULL, "not an object");
    const struct oy_json_value type = oy_json_member(component, "type");
    if (type.kind != OY_JSON_STRING)
        return refuse(reader, "type", "not a string");
    if (oy_json_equals(&type, "Sequence"))
        return depth < MAX_DEPTH ? read_sequence(reader, component, depth)
                                 : refuse(reader, NULL, "nested too deeply");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (oy_json_equals(&type, known[i].name))
            return known[i].read(reader, component);
    }
    return oy_fail(reader->err, OY_DATA, "%s: pre_tokenizer %.*s is not known",
                   reader->path, (int)(type.len < 80 ? type.len : 80), type.at);
}

struct pretokenizer *pretokenizer_read(const struct oy_json_value *component,
                                       struct oy_error *err)
{
    struct reader reader = {.err = err, .path = "pre_tokenizer"};

    reader.path_len = strlen(reader.path);
    reader.chain = oy_calloc(1, sizeof *reader.chain);
    if (is_given(component) && read_component(&reader, component, 0)) {
        pretokenizer_free(reader.chain);
        reader.chain = NULL;
    }
    oy_arena_release(&reader.arena);
    return reader.chain;
}

static int has_byte_level(const struct oy_json_value *component, int depth)
{
    const struct oy_json_value type = oy_json_member(component, "type");
    struct oy_json_cursor cursor;
    struct oy_json_value element;

    if (!oy_json_equals(&type, "Sequence"))
        return oy_json_equals(&type, "ByteLevel");
    const struct oy_json_value list =
        oy_json_member(component, "pretokenizers");
    if (list.kind != OY_JSON_ARRAY || depth == MAX_DEPTH)
        return 0;
    oy_json_enter(&cursor, &list);
    while (oy_json_next_element(&cursor, &element) > 0) {
        if (element.kind == OY_JSON_OBJECT &&
            has_byte_level(&element, depth + 1))
            return 1;
    }
    return 0;
}

int pretokenizer_has_byte_level(const struct oy_json_value *component)
{
    return component->kind == OY_JSON_OBJECT && has_byte_level(component, 0);
}
