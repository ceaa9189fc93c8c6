/* SPDX-License-Identifier: Apache-2.0
 *
 * Parameters of a rule as a chain would make them. */
#ifndef TESTS_RULE_PARAMS_H
#define TESTS_RULE_PARAMS_H

#include <string.h>

#include "core/alloc.h"
#include "pipeline/rule.h"

/* The defaults of a rule, ready to judge. Give to free_params(). */
static void *load_params(const struct rule *rule)
{
    void *params = oy_alloc_array(1, rule->params_size + 1);
    struct oy_error err = {0};

    memcpy(params, rule->defaults, rule->params_size);
    if (rule->load)
        assert_int_equal(rule->load(params, NULL, &err), 0);
    return params;
}

static void free_params(const struct rule *rule, void *params)
{
    if (rule->unload)
        rule->unload(params);
    oy_free(params);
}

#endif
