/* SPDX-License-Identifier: Apache-2.0
 *
 * Rule `language`: the language of a text by the run's fastText model, and
 * whether it is one to keep. datatrove's LanguageFilter (language_filter.py):
 * the best label must be one of those and its score above the threshold. */
#include <stdlib.h>
#include <string.h>

#include "pipeline/fasttext.h"
#include "pipeline/rule_internal.h"

enum { N_MEASURED = 3 };

struct language {
    const char *keep; /* "en:0.65,de": labels and thresholds; "": all */
    double threshold; /* where `keep` says none */
};

static const struct language defaults = {.keep = "", .threshold = 0.65};

static const struct rule_param param[] = {
    RULE_PARAM(struct language, RULE_TEXT, keep),
    RULE_PARAM(struct language, RULE_NUMBER, threshold),
    {0},
};

static int is_kept(const struct language *p, const struct fasttext_label *best)
{
    const size_t n_name = strlen(best->name);

    for (const char *at = p->keep, *end; *at; at = *end ? end + 1 : end) {
        end = at + strcspn(at, ",");
        const size_t n = strcspn(at, ":,");
        if (n != n_name || memcmp(at, best->name, n))
            continue;
        const double limit =
            at[n] == ':' ? strtod(at + n + 1, NULL) : p->threshold;
        return (double)best->score > limit;
    }
    return 0;
}

/* [[label, score], ...], best first. */
static void tell(struct measures *out, const struct fasttext_label *best,
                 size_t n)
{
    struct oy_buffer json = {0};

    oy_buffer_append_char(&json, '[');
    for (size_t i = 0; i < n; i++) {
        oy_buffer_append_string(&json, i ? ",[" : "[");
        oy_json_put_string(&json, best[i].name, strlen(best[i].name));
        oy_buffer_append_char(&json, ',');
        oy_json_put_float(&json, best[i].score);
        oy_buffer_append_char(&json, ']');
    }
    oy_buffer_append_char(&json, ']');
    measure_json(out, "languages", json.data, json.len);
    oy_buffer_release(&json);
}

static const char *judge(const void *params, struct document *document,
                         struct measures *out)
{
    const struct language *p = params;
    struct fasttext_label best[N_MEASURED];
    const size_t n =
        fasttext_predict(document->languages, document->text.at,
                         document->text.len, best, out ? N_MEASURED : 1);

    if (out)
        tell(out, best, n);
    return !*p->keep || (n && is_kept(p, &best[0])) ? NULL : "language";
}

const struct rule rule_language = {
    .name = "language",
    .needs_language_model = 1,
    .params_size = sizeof(struct language),
    .defaults = &defaults,
    .param = param,
    .judge = judge,
};
