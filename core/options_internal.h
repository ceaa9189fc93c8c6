/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parser of options and the printers of their table share.
 */
#ifndef CORE_OPTIONS_INTERNAL_H
#define CORE_OPTIONS_INTERNAL_H

#include "core/alloc.h"
#include "core/options.h"

/* All options of a program in the order in which they are shown: its own, the
 * common ones that it does not replace, and the built-in ones. */
struct oy_option_set {
    const struct oy_option **item;
    int n_item;
    int n_own;
    int n_valued; /* own and common: those that have a value */
};

void oy_option_set_init(struct oy_option_set *set,
                        const struct oy_program *program);
void oy_option_set_release(struct oy_option_set *set);

/* Names of choice `index` in "a|b|c": its bytes, or NULL behind the last. */
const char *oy_option_choice(const char *range, int index, size_t *len);

/* The value that the option holds now, as --config takes it (a list as an
 * array). */
void oy_option_put_json(const struct oy_option *option, struct oy_buffer *out);

void oy_option_print_help(const struct oy_program *program,
                          struct oy_buffer *out);
void oy_option_print_man(const struct oy_program *program,
                         struct oy_buffer *out);
void oy_option_print_completion(const struct oy_program *program,
                                struct oy_buffer *out);

#endif
