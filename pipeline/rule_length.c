/* SPDX-License-Identifier: Apache-2.0
 *
 * Rule `length`: code points of the text. */
#include "pipeline/rule_internal.h"

struct length {
    int64_t min;
    int64_t max;
};

static const struct length defaults = {0};

static const struct rule_param param[] = {
    RULE_PARAM(struct length, RULE_COUNT, min),
    RULE_PARAM(struct length, RULE_COUNT, max),
    {0},
};

static const char *judge(const void *params, struct document *document,
                         struct measures *out)
{
    const struct length *p = params;
    const size_t n = document_n_code(document);

    measure_count(out, "n_chars", n);
    if (p->min && n < (size_t)p->min)
        return "too_short";
    if (p->max && n > (size_t)p->max)
        return "too_long";
    return NULL;
}

const struct rule rule_length = {
    .name = "length",
    .params_size = sizeof(struct length),
    .defaults = &defaults,
    .param = param,
    .judge = judge,
};
