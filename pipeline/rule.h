/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules that judge a document, as one table. A new rule is one file with a
 * `const struct rule`, one row in rule.c, one test.
 *
 * A rule's parameters are a struct of its own, described by a table of names
 * and types: presets and --set fill it through rule_set(). judge() is pure: it
 * may be called from many threads at once, each with its own document.
 */
#ifndef PIPELINE_RULE_H
#define PIPELINE_RULE_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "core/run.h"
#include "pipeline/document.h"

/* ---- parameters ---- */

enum rule_type {
    RULE_NUMBER,  /* double; null is 0 */
    RULE_BOUND,   /* double; null: NAN, no bound */
    RULE_COUNT,   /* int64_t, not negative; null is 0 */
    RULE_LIMIT,   /* int64_t, negative (and null) for none */
    RULE_BOOL,    /* int */
    RULE_CHOICE,  /* int: which of the names in `choice`; true, false and null
                    are names, numbers too */
    RULE_TEXT,    /* const char *: a string without NUL; null: "" */
    RULE_TEXTS,   /* struct rule_texts: a list of strings; null: none */
    RULE_PHRASES, /* the same, or one string alone */
    RULE_PAIRS,   /* struct rule_pairs: a list of [n, limit]; null: none */
    RULE_REGEX,   /* const char *: as RULE_TEXT, a sound expression of
                    OY_REGEX_PCRE2 */
};

struct rule_texts {
    const char *const *item;
    size_t n;
};

enum { RULE_MAX_PAIRS = 16 };

struct rule_pairs {
    int n;
    int size[RULE_MAX_PAIRS];
    double limit[RULE_MAX_PAIRS];
};

struct rule_param {
    const char *name; /* the peer's */
    enum rule_type type;
    size_t offset;
    const char *const *choice; /* of RULE_CHOICE; ends with NULL */
};

/* clang-format off */
#define RULE_PARAM(type, kind, field) {#field, kind, offsetof(type, field)}
/* clang-format on */

/* ---- what was measured ---- */

/* The inside of a JSON object. A name that an earlier rule has taken is
 * written RULE.NAME. */
struct measures {
    const char *rule; /* whose measures come now */
    struct oy_buffer json;
    const char *name[256];
    int n_name;
};

/* All accept NULL for `out` and do nothing then. Names must live as long as
 * *out. */
void measure_count(struct measures *out, const char *name, size_t count);
void measure_number(struct measures *out, const char *name, double number);
/* `json` is a value that is serialised already. */
void measure_json(struct measures *out, const char *name, const char *json,
                  size_t len);

/* ---- rules ---- */

enum { RULE_N_TURN = 2 }; /* words of document->turn */

struct rule {
    const char *name;
    int needs_words;
    int needs_language_model;
    /* Another member of the record that it looks at, as a path: "" when none
     * was named, which is a failure at the begin. NULL, here or as an answer:
     * it looks at none. */
    const char *(*field)(const void *params);
    size_t params_size;
    const void *defaults;
    const struct rule_param *param; /* ends with a NULL name */
    /* Or NULL: makes of the parameters what judge() works with and keeps it
     * in members of *params that no row of `param` names, NULL until then.
     * Called once, when all are set. -1 after a failure: 64 for parameters
     * that do not fit together, 66 for files that are not there. Files become
     * resources of `run` (may be NULL). */
    int (*load)(void *params, struct oy_run *run, struct oy_error *err);
    /* Frees that; what load() left half-made, or was never made, too. */
    void (*unload)(void *params);
    /* Returns why the document is dropped (a static string, the peer's word
     * for it) or NULL to keep it. With `out` everything is measured, else it
     * may stop at the first answer.
     * What it makes of the document may depend on document->turn, which it
     * counts on then: such a record is judged again in the order of the
     * input. Only a rule that has takes_turns() may do so. */
    const char *(*judge)(const void *params, struct document *document,
                         struct measures *out);
    /* Whether judge() may count on document->turn; NULL: it never does. */
    int (*takes_turns)(const void *params);
};

/* The rule of that name, or NULL. */
const struct rule *rule_find(const char *name);
/* Row i, NULL behind the last. */
const struct rule *rule_row(size_t i);

/* Sets a parameter from a JSON value (text padded). Lists are kept in
 * `arena`. -1 with a failure of that code when the name is unknown or the
 * value does not fit. */
int rule_set(const struct rule *rule, void *params, const char *name,
             const struct oy_json_value *value, struct oy_arena *arena,
             int code, struct oy_error *err);
/* a / b > limit, with a limit of 0 meaning "off". */
static inline int rule_exceeds(double a, double b, double limit)
{
    return limit != 0 && a / b > limit;
}

#endif
