/* SPDX-License-Identifier: Apache-2.0
 *
 * A lazy scanner of JSON: finds values in place and touches nothing else.
 *
 * Two uses. A *query* walks one line of JSONL once and notes where the wanted
 * members lie; the line is never copied, numbers are never re-written. A
 * *cursor* steps through a large document (a tokenizer.json of 150,000
 * entries, a safetensors header) member by member. For small documents that
 * are edited there is cJSON.
 *
 * The scanner trusts what it skips: it counts brackets and passes over
 * strings. oy_json_validate() checks the whole grammar of RFC 8259 instead
 * (programs call it with --strict). All functions are pure and thread-safe.
 * Texts given in must have OY_PADDING readable bytes behind them. AVX2 and
 * plain forms are chosen at run time (core/cpu.h); the plain one is the
 * oracle of the tests. How it works: blocks of 32 bytes compared with `"`,
 * `\` and controls; strings are jumped over by the first hit.
 */
#ifndef CORE_JSON_H
#define CORE_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"

enum oy_json_kind {
    OY_JSON_MISSING = 0,
    OY_JSON_STRING,
    OY_JSON_NUMBER,
    OY_JSON_OBJECT,
    OY_JSON_ARRAY,
    OY_JSON_TRUE,
    OY_JSON_FALSE,
    OY_JSON_NULL,
};

/* A value as it stands: `at` is its first byte ('"', '{', a digit ...), `len`
 * all of it. Borrowed from the text that was scanned. */
struct oy_json_value {
    enum oy_json_kind kind;
    const char *at;
    size_t len;
};

/* ---- queries over one line ---- */

enum { OY_JSON_MAX_PATHS = 16, OY_JSON_MAX_DEPTH = 8 };

/* The members to look for. Paths such as `a.b` reach into objects; a path
 * may be the prefix of another. */
struct oy_json_query {
    int n_path;
    struct oy_json_path {
        int n_key;
        char *key[OY_JSON_MAX_DEPTH];
        size_t key_len[OY_JSON_MAX_DEPTH];
    } path[OY_JSON_MAX_PATHS];
};

/* Adds a path (copied) and returns its number, the old one if it is there
 * already; -1 when it is empty, too deep or there are too many. */
int oy_json_query_add(struct oy_json_query *query, const char *path);
void oy_json_query_release(struct oy_json_query *query);

/* What a scan says of the line as a whole. */
struct oy_json_line {
    const char *close; /* the '}' that ends the object */
    int has_member;    /* 0: the object is {} */
    const char *why;   /* on failure: "unterminated string" ... */
    size_t where;      /* on failure: offset of the trouble */
};

/* Walks the object in line[0..len), white space around it allowed, and fills
 * found[0 .. n_path-1] (kind MISSING where a path is absent). The last of
 * duplicate keys wins. Keys are compared unescaped. Returns 0, or -1 when the
 * line is not one object: line->why tells. */
int oy_json_scan(const struct oy_json_query *query, const char *text,
                 size_t len, struct oy_json_value *found,
                 struct oy_json_line *line);

/* The whole grammar of one value (any kind) and its UTF-8; nesting is not
 * limited by the stack. 0, or -1 with why and where. */
int oy_json_validate(const char *text, size_t len, const char **why,
                     size_t *where);

/* ---- values ---- */

/* A text that may hold NUL bytes. */
struct oy_text {
    const char *at;
    size_t len;
};

/* The bytes of a string value, unescaped, as valid UTF-8. Without escapes or
 * faults they are borrowed from the line itself, else they lie in `arena`;
 * OY_PADDING bytes behind are readable either way. Lone surrogates and
 * invalid bytes become U+FFFD and are added to *n_repaired; malformed escapes
 * make it return -1 with *why. */
int oy_json_text(const struct oy_json_value *value, struct oy_arena *arena,
                 struct oy_text *text, uint64_t *n_repaired, const char **why);

/* A number or boolean. -1 when it is another kind, or (int64) does not fit
 * or has a fraction. Doubles are correctly rounded; independent of locale. */
int oy_json_int64(const struct oy_json_value *value, int64_t *number);
int oy_json_double(const struct oy_json_value *value, double *number);
int oy_json_bool(const struct oy_json_value *value, int *truth);

/* Whether a string value, unescaped, equals the C string. */
int oy_json_equals(const struct oy_json_value *value, const char *text);

/* ---- cursors over a document ---- */

/* Steps through one object or array. Zero `why` means all is well. */
struct oy_json_cursor {
    const char *at;
    const char *end;
    const char *why;
    int started;
};

/* Opens a value of kind OBJECT or ARRAY (or a whole document in text form
 * with oy_json_value_of). */
void oy_json_enter(struct oy_json_cursor *cursor,
                   const struct oy_json_value *value);
/* 1 and the next member or element; 0 at the end; -1 on malformed text
 * (cursor->why). The value is passed over whole. */
int oy_json_next_member(struct oy_json_cursor *cursor,
                        struct oy_json_value *key, struct oy_json_value *value);
int oy_json_next_element(struct oy_json_cursor *cursor,
                         struct oy_json_value *value);
/* The one value that text[0..len) holds, white space around it allowed. -1
 * with *why if there is none or more follows. */
int oy_json_value_of(const char *text, size_t len, struct oy_json_value *value,
                     const char **why);
/* The member `key` of an object value (the last one of that name), or kind
 * MISSING. Linear. */
struct oy_json_value oy_json_member(const struct oy_json_value *object,
                                    const char *key);

/* ---- writing ---- */

/* Appends a string in quotes: `"` `\` and controls escaped (\b \f \n \r \t,
 * else \u00xx), everything else as it is, like Python's json.dumps with
 * ensure_ascii=False. */
void oy_json_put_string(struct oy_buffer *out, const char *text, size_t len);
/* The same of a C string from outside, such as the name of a file: bytes that
 * are not UTF-8 become U+FFFD. */
void oy_json_put_name(struct oy_buffer *out, const char *name);
/* The shortest decimal that reads back equal, as Python's repr: 0.1, 1e-05,
 * 3.0, 1e+16; NaN and infinities as null. */
void oy_json_put_double(struct oy_buffer *out, double number);
/* The same for a float: the shortest text that reads back as that float. */
void oy_json_put_float(struct oy_buffer *out, float number);
void oy_json_put_int(struct oy_buffer *out, int64_t number);

#endif
