/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables behind core/unicode_case.h, ascending by code point. */
#ifndef CORE_UNICODE_CASE_INTERNAL_H
#define CORE_UNICODE_CASE_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

/* first, first + step, ... last change by delta. */
struct case_run {
    uint32_t first;
    uint32_t last;
    uint32_t step;
    int32_t delta;
};

/* One becomes several; 0 ends them. */
struct case_special {
    uint32_t from;
    uint32_t to[3];
};

extern const struct case_run oy_case_upper_run[];
extern const size_t oy_case_upper_n_run;
extern const struct case_special oy_case_upper_special[];
extern const size_t oy_case_upper_n_special;
extern const struct case_run oy_case_title_run[];
extern const size_t oy_case_title_n_run;
extern const struct case_special oy_case_title_special[];
extern const size_t oy_case_title_n_special;

#endif
