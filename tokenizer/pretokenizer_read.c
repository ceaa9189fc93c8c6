/* SPDX-License-Identifier: Apache-2.0
 *
 * Pre-tokenizers in general: reading them from a tokenizer.json.
 */
#include <string.h>

#include "core/unicode_script.h"
#include "core/utf8.h"
#include "tokenizer/pretokenizer_internal.h"
#include "tokenizer/vocab_component.h"

/* What was read so far. */
struct reader {
    struct pretokenizer *chain;
    int is_spelled;   /* a ByteLevel was read */
    int is_rewritten; /* something was put in front of pieces */
};

static int read_behavior(const struct vocab_component *component, int is_needed,
                         enum pretokenizer_behavior *behavior)
{
    static const char *const name[] = {"Removed", "Isolated",
                                       "MergedWithPrevious", "MergedWithNext",
                                       "Contiguous"};
    const struct oy_json_value value =
        oy_json_member(component->json, "behavior");

    *behavior = PRETOKENIZER_ISOLATED;
    if (!is_needed && value.kind == OY_JSON_MISSING)
        return 0;
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        if (oy_json_equals(&value, name[i])) {
            *behavior = (enum pretokenizer_behavior)i;
            return 0;
        }
    }
    return vocab_component_fail(component, "behavior",
                                "none of the five that there are");
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
                           const struct vocab_component *component)
{
    int prefix, has_regex, ignored;

    if (vocab_component_flag(component, "add_prefix_space", 1, &prefix) ||
        vocab_component_flag(component, "trim_offsets", 1, &ignored) ||
        vocab_component_flag(component, "use_regex", 1, &has_regex))
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

/* Expressions are compiled when all are known. */
static void set_pattern(const struct vocab_component *component,
                        struct pretokenizer_step *step, struct oy_text text,
                        int is_regex)
{
    const enum split_kind kind =
        is_regex ? split_kind_from_regex(text.at, text.len) : SPLIT_UNKNOWN;

    if (kind != SPLIT_UNKNOWN && keeps_matches(step)) {
        step->kind = PRETOKENIZER_SPLIT;
        step->split = kind;
        return;
    }
    /* An empty string matches as an empty expression does. */
    if (!is_regex && text.len)
        step->kind = PRETOKENIZER_STRING;
    step->text = oy_strndup(text.at, text.len);
    step->text_len = text.len;
    step->path = oy_asprintf("%s.pattern.%s", component->path,
                             is_regex ? "Regex" : "String");
}

static int read_split(struct reader *reader,
                      const struct vocab_component *component)
{
    struct pretokenizer_step *const step = add_step(reader, PRETOKENIZER_REGEX);
    struct oy_text text;
    int is_regex;

    if (vocab_component_pattern(component, &text, &is_regex) ||
        read_behavior(component, 1, &step->behavior) ||
        vocab_component_flag(component, "invert", 0, &step->invert))
        return -1;
    set_pattern(component, step, text, is_regex);
    return 0;
}

static int read_digits(struct reader *reader,
                       const struct vocab_component *component)
{
    int alone;

    if (vocab_component_flag(component, "individual_digits", 0, &alone))
        return -1;
    add_class(reader, PRETOKENIZER_DIGITS,
              alone ? PRETOKENIZER_ISOLATED : PRETOKENIZER_CONTIGUOUS, 0);
    return 0;
}

static int read_punctuation(struct reader *reader,
                            const struct vocab_component *component)
{
    enum pretokenizer_behavior behavior;

    if (read_behavior(component, 0, &behavior))
        return -1;
    add_class(reader, PRETOKENIZER_PUNCTUATION, behavior, 0);
    return 0;
}

static int read_scheme(const struct vocab_component *component,
                       enum pretokenizer_scheme *scheme)
{
    const struct oy_json_value value =
        oy_json_member(component->json, "prepend_scheme");
    int prefix;

    if (vocab_component_flag(component, "add_prefix_space", 1, &prefix))
        return -1;
    *scheme = PRETOKENIZER_ALWAYS;
    /* Old files have a flag only. */
    if (oy_json_equals(&value, "never") || !prefix)
        *scheme = PRETOKENIZER_NEVER;
    else if (oy_json_equals(&value, "first"))
        *scheme = PRETOKENIZER_FIRST;
    else if (value.kind != OY_JSON_MISSING && !oy_json_equals(&value, "always"))
        return vocab_component_fail(component, "prepend_scheme",
                                    "not always, first or never");
    return 0;
}

static int read_metaspace(struct reader *reader,
                          const struct vocab_component *component)
{
    struct pretokenizer_step *step;
    enum pretokenizer_scheme scheme;
    struct oy_text mark;
    int splits;

    if (reader->is_spelled)
        return vocab_component_fail(component, NULL,
                                    "Metaspace behind ByteLevel is not "
                                    "supported");
    if (vocab_component_character(component, "replacement", &mark) ||
        read_scheme(component, &scheme) ||
        vocab_component_flag(component, "split", 1, &splits))
        return -1;
    /* Where the text begins is not known any more. */
    if (scheme == PRETOKENIZER_FIRST && reader->is_rewritten)
        return vocab_component_fail(
            component, "prepend_scheme",
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
                           const struct vocab_component *component)
{
    (void)component;
    add_step(reader, PRETOKENIZER_SPLIT)->split = SPLIT_WHITESPACE;
    return 0;
}

static int read_whitespace_split(struct reader *reader,
                                 const struct vocab_component *component)
{
    (void)component;
    add_class(reader, PRETOKENIZER_SPACE, PRETOKENIZER_REMOVED, 0);
    return 0;
}

static int read_bert(struct reader *reader,
                     const struct vocab_component *component)
{
    (void)component;
    add_class(reader, PRETOKENIZER_SPACE, PRETOKENIZER_REMOVED, 0);
    add_class(reader, PRETOKENIZER_PUNCTUATION, PRETOKENIZER_ISOLATED, 0);
    return 0;
}

static int read_delimiter(struct reader *reader,
                          const struct vocab_component *component)
{
    struct oy_text text;

    if (vocab_component_character(component, "delimiter", &text))
        return -1;
    add_class(reader, PRETOKENIZER_CHARACTER, PRETOKENIZER_REMOVED,
              first_character(text));
    return 0;
}

static int read_scripts(struct reader *reader,
                        const struct vocab_component *component)
{
    (void)component;
    struct pretokenizer_step *const step =
        add_step(reader, PRETOKENIZER_SCRIPTS);

    step->han = oy_unicode_find_script("Han", 3);
    step->hiragana = oy_unicode_find_script("Hiragana", 8);
    step->katakana = oy_unicode_find_script("Katakana", 8);
    return 0;
}

static int read_length(struct reader *reader,
                       const struct vocab_component *component)
{
    const struct oy_json_value value =
        oy_json_member(component->json, "length");
    int64_t length = 5; /* HF's default */

    if (value.kind != OY_JSON_MISSING &&
        (oy_json_int64(&value, &length) || length < 1))
        return vocab_component_fail(component, "length",
                                    "not a length above 0");
    add_step(reader, PRETOKENIZER_LENGTH)->length = (size_t)length;
    return 0;
}

/* ---- all of them ---- */

static int read_one(void *self, const struct vocab_component *component)
{
    static const struct {
        const char *name;
        int (*read)(struct reader *, const struct vocab_component *);
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

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (vocab_component_is(component, known[i].name))
            return known[i].read(self, component);
    }
    return vocab_component_unknown(component);
}

/* ---- steps that are one ---- */

static int is_deepseek3(const struct pretokenizer_step *step, size_t n)
{
    for (int i = 0; i < 3; i++) {
        if (n < 3 || step[i].kind != PRETOKENIZER_REGEX || step[i].is_spelled ||
            step[i].behavior != PRETOKENIZER_ISOLATED ||
            !split_is_deepseek3_part(step[i].text, step[i].text_len, i))
            return 0;
    }
    return 1;
}

static int is_smollm(const struct pretokenizer_step *step, size_t n)
{
    return n > 1 && step[0].kind == PRETOKENIZER_CLASS &&
           step[0].class == PRETOKENIZER_DIGITS &&
           step[0].behavior == PRETOKENIZER_ISOLATED &&
           step[1].kind == PRETOKENIZER_SPLIT && step[1].split == SPLIT_GPT2 &&
           !step[1].is_spelled;
}

/* Steps that a kind of split is the equal of become one. */
static void join_steps(struct pretokenizer *chain)
{
    const size_t n = chain->n;
    size_t out = 0, used = 0;

    for (size_t i = 0; i < n; i += used) {
        struct pretokenizer_step *const step = &chain->step[i];
        enum split_kind kind = SPLIT_UNKNOWN;

        used = 1;
        if (is_deepseek3(step, n - i)) {
            kind = SPLIT_DEEPSEEK3;
            used = 3;
        } else if (is_smollm(step, n - i)) {
            kind = SPLIT_SMOLLM;
            used = 2;
        }
        for (size_t k = 0; kind != SPLIT_UNKNOWN && k < used; k++)
            pretokenizer_release_step(&step[k]);
        if (kind != SPLIT_UNKNOWN)
            *step = (struct pretokenizer_step){.kind = PRETOKENIZER_SPLIT,
                                               .split = kind};
        chain->step[out++] = *step;
    }
    chain->n = out;
}

static int compile_steps(struct pretokenizer *chain, struct oy_error *err)
{
    for (size_t i = 0; i < chain->n; i++) {
        struct pretokenizer_step *const step = &chain->step[i];

        if (step->kind != PRETOKENIZER_REGEX)
            continue;
        step->regex =
            oy_regex_new(step->text, step->text_len, OY_REGEX_ONIGURUMA, err);
        if (!step->regex)
            return oy_fail_at(err, "%s", step->path);
        pretokenizer_fill_table(step);
    }
    return 0;
}

/* ---- the door ---- */

static int each(const struct oy_json_value *component, vocab_component_fn *call,
                void *self, struct oy_error *err)
{
    struct oy_arena arena = {0};
    const int failed = vocab_each_component(
        component, "pre_tokenizer", "pretokenizers", call, self, &arena, err);

    oy_arena_release(&arena);
    return failed;
}

struct pretokenizer *pretokenizer_read(const struct oy_json_value *component,
                                       struct oy_error *err)
{
    struct reader reader = {.chain = oy_calloc(1, sizeof *reader.chain)};

    int failed = each(component, read_one, &reader, err);
    if (!failed) {
        join_steps(reader.chain);
        failed = compile_steps(reader.chain, err);
    }
    if (!failed)
        return reader.chain;
    pretokenizer_free(reader.chain);
    return NULL;
}

static int look_for_byte_level(void *self,
                               const struct vocab_component *component)
{
    int *const found = self;

    *found |= vocab_component_is(component, "ByteLevel");
    return 0;
}

int pretokenizer_has_byte_level(const struct oy_json_value *component)
{
    /* What is wrong is told by pretokenizer_read(). */
    struct oy_error ignored = {0};
    int found = 0;

    (void)each(component, look_for_byte_level, &found, &ignored);
    return found;
}
