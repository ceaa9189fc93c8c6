/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules `dclm_word_counter_enricher` and `dclm_word_removal_ratio_filter`:
 * words counted before the modifiers of lines, and the documents dropped that
 * lost too many to them (DCLM's baselines/mappers at 361714b). The count is
 * noted under its `key` with the document, for the rules behind; it is also
 * measured. */
#include <math.h>

#include "pipeline/dclm_words.h"
#include "pipeline/rule_internal.h"

/* ---- dclm_word_counter_enricher ---- */

struct counter {
    const char *key;
    int overwrite;
    struct dclm_words words;
};

static const struct counter counter_defaults = {
    .key = "word_count",
    .words = {.ignore_punctuation = 1, .ignore_whitespace = 1},
};

static const struct rule_param counter_param[] = {
    RULE_PARAM(struct counter, RULE_TEXT, key),
    RULE_PARAM(struct counter, RULE_BOOL, overwrite),
    DCLM_WORDS_PARAM(struct counter),
    {0},
};

static const char *judge_counter(const void *params, struct document *document,
                                 struct measures *out)
{
    const struct counter *p = params;

    if (!p->overwrite && (document->member || document_noted(document, p->key)))
        document_fail(document, "the count has a value already");
    const size_t n = dclm_words_count(&p->words, document);
    document_note(document, p->key, n);
    measure_count(out, p->key, n);
    return NULL;
}

static const char *counter_field(const void *params)
{
    const struct counter *p = params;

    return p->key;
}

const struct rule rule_dclm_word_counter_enricher = {
    .name = "dclm_word_counter_enricher",
    .params_size = sizeof(struct counter),
    .defaults = &counter_defaults,
    .param = counter_param,
    .field = counter_field,
    .judge = judge_counter,
};

/* ---- dclm_word_removal_ratio_filter ---- */

struct removal {
    const char *prev_word_count_key;
    const char *new_word_count_key; /* "": counted now */
    double max_removed_ratio;
    struct dclm_words words;
};

static const struct removal removal_defaults = {
    .prev_word_count_key = "",
    .new_word_count_key = "",
    .max_removed_ratio = 0.05,
    .words = {.ignore_punctuation = 1, .ignore_whitespace = 1},
};

static const struct rule_param removal_param[] = {
    RULE_PARAM(struct removal, RULE_TEXT, prev_word_count_key),
    RULE_PARAM(struct removal, RULE_TEXT, new_word_count_key),
    RULE_PARAM(struct removal, RULE_NUMBER, max_removed_ratio),
    DCLM_WORDS_PARAM(struct removal),
    {0},
};

/* What was noted, or stands in the record; NAN: neither. */
static double previous_count(const struct removal *p, struct document *document)
{
    const size_t *noted = document_noted(document, p->prev_word_count_key);
    double number;

    if (noted)
        return (double)*noted;
    if (document->member && !oy_json_double(document->member, &number))
        return number;
    return NAN;
}

static const char *judge_removal(const void *params, struct document *document,
                                 struct measures *out)
{
    const struct removal *p = params;
    const double before = previous_count(p, document);
    const size_t *noted = document_noted(document, p->new_word_count_key);

    if (isnan(before)) {
        document_fail(document, "no word count of that key");
        return NULL;
    }
    if (before == 0)
        return "dclm_word_removal_ratio_filter";
    const size_t n = noted ? *noted : dclm_words_count(&p->words, document);
    const double ratio = (before - (double)n) / before;
    measure_number(out, "removed_word_ratio", ratio);
    return ratio > p->max_removed_ratio ? "dclm_word_removal_ratio_filter"
                                        : NULL;
}

static const char *removal_field(const void *params)
{
    const struct removal *p = params;

    return p->prev_word_count_key;
}

const struct rule rule_dclm_word_removal_ratio_filter = {
    .name = "dclm_word_removal_ratio_filter",
    .params_size = sizeof(struct removal),
    .defaults = &removal_defaults,
    .param = removal_param,
    .field = removal_field,
    .judge = judge_removal,
};
