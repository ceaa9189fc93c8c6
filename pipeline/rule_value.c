/* SPDX-License-Identifier: Apache-2.0
 *
 * Rule `value`: a number that another program wrote into the record, say a
 * classifier's score, must lie within bounds. */
#include <math.h>

#include "pipeline/rule_internal.h"

struct value {
    const char *field; /* its path, "oyster.lm.ppl" */
    double min, max;   /* NAN: no bound */
};

static const struct value defaults = {.field = "", .min = NAN, .max = NAN};

static const struct rule_param param[] = {
    RULE_PARAM(struct value, RULE_TEXT, field),
    RULE_PARAM(struct value, RULE_BOUND, min),
    RULE_PARAM(struct value, RULE_BOUND, max),
    {0},
};

static const char *field(const void *params)
{
    const struct value *p = params;

    return p->field;
}

static const char *judge(const void *params, struct document *document,
                         struct measures *out)
{
    const struct value *p = params;
    double number;

    if (!document->member || oy_json_double(document->member, &number))
        return "no_value";
    measure_number(out, p->field, number);
    if (number < p->min)
        return "too_low";
    return number > p->max ? "too_high" : NULL;
}

const struct rule rule_value = {
    .name = "value",
    .params_size = sizeof(struct value),
    .defaults = &defaults,
    .param = param,
    .field = field,
    .judge = judge,
};
