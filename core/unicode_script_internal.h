/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables that unicode_script.c shares with their generator
 * unicode_script_table.py.
 */
#ifndef CORE_UNICODE_SCRIPT_INTERNAL_H
#define CORE_UNICODE_SCRIPT_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "core/unicode_script.h"

struct oy_unicode_script_name {
    const char *name;
    char code[5]; /* ISO 15924 */
};
extern const struct oy_unicode_script_name oy_unicode_scripts[];
extern const int oy_unicode_n_script;
/* Sorted; the first is U+0000. */
extern const uint32_t oy_unicode_script_run[];
extern const size_t oy_unicode_n_script_run;

#endif
