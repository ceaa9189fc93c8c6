/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the JSON scanner share: the vectorised primitives, chosen
 * once a call, and the passing over of single values.
 */
#ifndef CORE_JSON_INTERNAL_H
#define CORE_JSON_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "core/json.h"

/* What an unescaping leaves beside the text. */
struct oy_json_unescaped {
    uint64_t n_repaired; /* lone surrogates, now U+FFFD */
    int has_high;        /* 1: bytes of 0x80 and above may be there */
    const char *why;     /* of a failure */
};

/* The inner loops in two forms. All may read OY_PADDING bytes behind `end`,
 * and answer as if they had not. */
struct oy_json_kernel {
    /* The quote that closes the string whose first inner byte is `at`, or
   * NULL. *escapes becomes non-zero if the string holds a backslash (it may
   * be so if the bytes behind it do); it is never cleared. */
    const char *(*string_end)(const char *at, const char *end,
                              uint64_t *escapes);
    /* The byte behind the bracket that closes the object or array whose first
   * inner byte is `at`, or NULL. Brackets are counted, not matched. */
    const char *(*container_end)(const char *at, const char *end);
    /* The first quote, backslash or control, or `end`. *high becomes non-zero
   * if a byte before it is not ASCII (or one behind it). */
    const char *(*plain_end)(const char *at, const char *end, uint64_t *high);
    /* Writes the inside of a string unescaped; `out` has room for end - at +
   * OY_PADDING bytes. Returns the end of the output, NULL when malformed. */
    char *(*unescape)(const char *at, const char *end, char *out,
                      struct oy_json_unescaped *result);
};

extern const struct oy_json_kernel oy_json_plain;
extern const struct oy_json_kernel oy_json_avx2; /* plain elsewhere */

/* All by 64 bytes at once; needs VBMI2. */
extern const struct oy_json_kernel oy_json_avx512;
int oy_json_has_vbmi2(void);

/* The byte that `\c` stands for; 0 where c is no simple escape. */
extern const unsigned char oy_json_simple_escape[256];
/* Writes what the escape at `*at` stands for (4 bytes of room) and moves
 * behind it. NULL when it is malformed. */
char *oy_json_put_escape(char *out, const char **at, const char *end,
                         struct oy_json_unescaped *result);

/* The bytes that stand behind an odd run of backslashes (the idea is Langdale
 * and Lemire's, "Parsing Gigabytes of JSON per Second", 3.1.1): adding the
 * starts of runs at odd places to the runs makes a carry run out behind each,
 * which tells where it ends. *carry is 1 when the next block's first byte is
 * escaped. */
static inline uint64_t oy_json_escaped(uint64_t backslash, uint64_t *carry)
{
    const uint64_t even = 0x5555555555555555ULL;
    uint64_t ends;

    backslash &= ~*carry;
    const uint64_t follows = backslash << 1 | *carry;
    const uint64_t odd_start = backslash & ~even & ~follows;
    *carry = __builtin_add_overflow(odd_start, backslash, &ends);
    return (even ^ ends << 1) & follows;
}

/* The best one for this machine. */
const struct oy_json_kernel *oy_json_kernel(void);

static inline int oy_json_is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline const char *oy_json_skip_space(const char *at, const char *end)
{
    while (at < end && oy_json_is_space(*at))
        at++;
    return at;
}

/* The byte behind the number that begins at `at`, by the grammar of RFC 8259,
 * or NULL. */
const char *oy_json_number_end(const char *at, const char *end);

/* Passes over the value that begins at `at`: fills *value and returns the
 * byte behind it, or NULL with *why. What lies inside objects and arrays is
 * only counted. */
const char *oy_json_pass(const struct oy_json_kernel *kernel, const char *at,
                         const char *end, struct oy_json_value *value,
                         const char **why);

/* Whether the inside of a string (raw, with escapes) stands for these bytes. */
int oy_json_raw_equals(const char *raw, size_t raw_len, const char *text,
                       size_t len);

#endif
