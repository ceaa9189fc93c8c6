/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the components of a tokenizer.json (normalizer, decoder and so on),
 * each with its place, so that a failure names what is wrong:
 * `normalizer.normalizers[1].content: not a string`.
 */
#ifndef TOKENIZER_VOCAB_COMPONENT_H
#define TOKENIZER_VOCAB_COMPONENT_H

#include <stddef.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "tokenizer/replace.h"

/* An object with a type. */
struct vocab_component {
    const struct oy_json_value *json;
    const char *path;
    struct oy_arena *arena; /* for texts, which outlive the document */
    struct oy_error *err;
};

typedef int vocab_component_fn(void *self,
                               const struct vocab_component *component);

/* Calls `each` for the component at `path` of the document; where it is a
 * Sequence, for those in its member `list`, in order, however deep. None for
 * null. 0, or -1 when a call failed or a list is damaged. */
int vocab_each_component(const struct oy_json_value *json, const char *path,
                         const char *list, vocab_component_fn *each, void *self,
                         struct oy_arena *arena, struct oy_error *err);

int vocab_component_is(const struct vocab_component *component,
                       const char *type);
/* "PATH: why", with a member "PATH.MEMBER: why". Returns -1. */
int vocab_component_fail(const struct vocab_component *component,
                         const char *member, const char *why);
/* Names the type, which nobody knows. Returns -1. */
int vocab_component_unknown(const struct vocab_component *component);

/* Members. 0, or -1 after a failure that names them. */

/* A string. */
int vocab_component_text(const struct vocab_component *component,
                         const char *member, struct oy_text *text);
/* One character. */
int vocab_component_character(const struct vocab_component *component,
                              const char *member, struct oy_text *text);
/* true or false; `otherwise` when it is absent or null. */
int vocab_component_flag(const struct vocab_component *component,
                         const char *member, int otherwise, int *flag);
/* A number that is not negative. */
int vocab_component_count(const struct vocab_component *component,
                          const char *member, size_t *count);
/* A `pattern`: {"String": ...} or {"Regex": ...}. */
int vocab_component_pattern(const struct vocab_component *component,
                            struct oy_text *pattern, int *is_regex);
/* The members of a Replace: `pattern` and `content`. *regex is the caller's;
 * NULL where the pattern is a string. */
int vocab_component_replace(const struct vocab_component *component,
                            struct oy_text *from, struct oy_text *to,
                            struct replace_regex **regex);

#endif
