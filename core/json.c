/* SPDX-License-Identifier: Apache-2.0
 *
 * Queries: one walk over a line that notes where the wanted members lie. */
#include "core/json.h"

#include <string.h>

#include "core/error.h"
#include "core/json_internal.h"

/* ---- single values ---- */

static const char *digits_end(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

const char *oy_json_number_end(const char *at, const char *end)
{
    const char *part;

    if (at < end && *at == '-')
        at++;
    part = at;
    at = digits_end(at, end);
    if (at == part || (*part == '0' && at > part + 1))
        return NULL;
    if (at < end && *at == '.') {
        part = ++at;
        at = digits_end(at, end);
        if (at == part)
            return NULL;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        part = at;
        at = digits_end(at, end);
        if (at == part)
            return NULL;
    }
    return at;
}

static const char *word_end(const char *at, const char *end, const char *word)
{
    const size_t len = strlen(word);

    if ((size_t)(end - at) < len || memcmp(at, word, len) != 0)
        return NULL;
    return at + len;
}

const char *oy_json_pass(const struct oy_json_kernel *kernel, const char *at,
                         const char *end, struct oy_json_value *value,
                         const char **why)
{
    const char *behind = NULL;
    uint64_t escapes = 0;

    *why = "expected a value";
    value->kind = OY_JSON_MISSING;
    value->at = at;
    value->len = 0;
    if (at >= end)
        return NULL;
    switch (*at) {
    case '"':
        value->kind = OY_JSON_STRING;
        *why = "unterminated string";
        behind = kernel->string_end(at + 1, end, &escapes);
        behind = behind ? behind + 1 : NULL;
        break;
    case '{':
    case '[':
        value->kind = *at == '{' ? OY_JSON_OBJECT : OY_JSON_ARRAY;
        *why = "unterminated object or array";
        behind = kernel->container_end(at + 1, end);
        break;
    case 't':
        value->kind = OY_JSON_TRUE;
        behind = word_end(at, end, "true");
        break;
    case 'f':
        value->kind = OY_JSON_FALSE;
        behind = word_end(at, end, "false");
        break;
    case 'n':
        value->kind = OY_JSON_NULL;
        behind = word_end(at, end, "null");
        break;
    default:
        value->kind = OY_JSON_NUMBER;
        behind = oy_json_number_end(at, end);
        if (*at == '-' || (*at >= '0' && *at <= '9'))
            *why = "malformed number";
    }
    value->len = behind ? (size_t)(behind - at) : 0;
    return behind;
}

/* ---- queries ---- */

static int same_path(const struct oy_json_path *a, const struct oy_json_path *b)
{
    if (a->n_key != b->n_key)
        return 0;
    for (int i = 0; i < a->n_key; i++) {
        if (a->key_len[i] != b->key_len[i] ||
            memcmp(a->key[i], b->key[i], a->key_len[i]) != 0)
            return 0;
    }
    return 1;
}

static void free_keys(struct oy_json_path *path)
{
    for (int i = 0; i < path->n_key; i++)
        oy_free(path->key[i]);
    path->n_key = 0;
}

/* Cuts `a.b.c` into its keys; -1 when one is empty or there are too many. */
static int split_path(struct oy_json_path *path, const char *text)
{
    path->n_key = 0;
    for (;;) {
        const size_t len = strcspn(text, ".");
        if (len == 0 || path->n_key == OY_JSON_MAX_DEPTH) {
            free_keys(path);
            return -1;
        }
        path->key[path->n_key] = oy_strndup(text, len);
        path->key_len[path->n_key++] = len;
        if (!text[len])
            return 0;
        text += len + 1;
    }
}

int oy_json_query_add(struct oy_json_query *query, const char *path)
{
    struct oy_json_path fresh;

    if (split_path(&fresh, path))
        return -1;
    for (int i = 0; i < query->n_path; i++) {
        if (same_path(&query->path[i], &fresh)) {
            free_keys(&fresh);
            return i;
        }
    }
    if (query->n_path == OY_JSON_MAX_PATHS) {
        free_keys(&fresh);
        return -1;
    }
    query->path[query->n_path] = fresh;
    return query->n_path++;
}

void oy_json_query_release(struct oy_json_query *query)
{
    for (int i = 0; i < query->n_path; i++)
        free_keys(&query->path[i]);
    query->n_path = 0;
}

/* ---- the walk ---- */

struct walk {
    const struct oy_json_kernel *kernel;
    const struct oy_json_query *query;
    const char *text;
    const char *end;
    struct oy_json_value *found;
    struct oy_json_line *line;
};

static const char *fail(const struct walk *walk, const char *at,
                        const char *why)
{
    walk->line->why = why;
    walk->line->where = (size_t)(at - walk->text);
    return NULL;
}

/* A key of the line and how it was written. */
struct key {
    const char *at; /* behind the quote */
    size_t len;
    uint64_t escapes;
};

static int key_is(const struct key *key, const char *want, size_t len)
{
    if (key->len == len && memcmp(key->at, want, len) == 0)
        return 1;
    return key->escapes && oy_json_raw_equals(key->at, key->len, want, len);
}

/* Those of the `active` paths (a bit each) that go through this key. */
static unsigned match_key(const struct walk *walk, const struct key *key,
                          int depth, unsigned active)
{
    unsigned hit = 0;

    for (unsigned rest = active; rest; rest &= rest - 1) {
        const int i = __builtin_ctz(rest);
        const struct oy_json_path *path = &walk->query->path[i];
        if (key_is(key, path->key[depth], path->key_len[depth]))
            hit |= 1u << i;
    }
    return hit;
}

/* Of the paths in `hit`, those that end at this depth. The others lose what
 * an earlier member of the same name gave them. */
static unsigned split_hit(const struct walk *walk, unsigned hit, int depth)
{
    unsigned ends = 0;

    for (; hit; hit &= hit - 1) {
        const int i = __builtin_ctz(hit);
        if (walk->query->path[i].n_key == depth + 1)
            ends |= 1u << i;
        else
            walk->found[i] = (struct oy_json_value){0};
    }
    return ends;
}

/* The key and the colon; returns where the value begins. */
static const char *read_key(const struct walk *walk, const char *at,
                            struct key *key)
{
    if (at >= walk->end || *at != '"')
        return fail(walk, at, "expected a member name");
    key->at = at + 1;
    key->escapes = 0;
    const char *quote =
        walk->kernel->string_end(key->at, walk->end, &key->escapes);
    if (!quote)
        return fail(walk, at, "unterminated string");
    key->len = (size_t)(quote - key->at);
    at = oy_json_skip_space(quote + 1, walk->end);
    if (at >= walk->end || *at != ':')
        return fail(walk, at, "expected ':'");
    return oy_json_skip_space(at + 1, walk->end);
}

static const char *walk_object(const struct walk *walk, const char *at,
                               int depth, unsigned active);

/* One member whose name stands at `at`; returns the byte behind its value. */
static const char *walk_member(const struct walk *walk, const char *at,
                               int depth, unsigned active)
{
    struct oy_json_value value;
    struct key key;
    unsigned hit, ends;
    const char *why;

    at = read_key(walk, at, &key);
    if (!at)
        return NULL;
    hit = active ? match_key(walk, &key, depth, active) : 0;
    ends = hit ? split_hit(walk, hit, depth) : 0;
    if (hit != ends && at < walk->end && *at == '{') {
        const char *behind = walk_object(walk, at + 1, depth + 1, hit & ~ends);
        if (!behind)
            return NULL;
        value =
            (struct oy_json_value){OY_JSON_OBJECT, at, (size_t)(behind - at)};
        at = behind;
    } else {
        const char *behind =
            oy_json_pass(walk->kernel, at, walk->end, &value, &why);
        if (!behind)
            return fail(walk, at, why);
        at = behind;
    }
    for (; ends; ends &= ends - 1)
        walk->found[__builtin_ctz(ends)] = value;
    return at;
}

/* `at` is behind the `{`; returns the byte behind its `}`. */
static const char *walk_object(const struct walk *walk, const char *at,
                               int depth, unsigned active)
{
    at = oy_json_skip_space(at, walk->end);
    if (at < walk->end && *at == '}')
        return at + 1;
    for (;;) {
        at = walk_member(walk, at, depth, active);
        if (!at)
            return NULL;
        at = oy_json_skip_space(at, walk->end);
        if (at >= walk->end)
            return fail(walk, at, "unterminated object");
        if (*at == '}')
            return at + 1;
        if (*at != ',')
            return fail(walk, at, "expected ',' or '}'");
        at = oy_json_skip_space(at + 1, walk->end);
    }
}

int oy_json_scan(const struct oy_json_query *query, const char *text,
                 size_t len, struct oy_json_value *found,
                 struct oy_json_line *line)
{
    const struct walk walk = {
        oy_json_kernel(), query, text, text + len, found, line,
    };
    const char *at = oy_json_skip_space(text, walk.end);

    memset(found, 0, (size_t)query->n_path * sizeof *found);
    *line = (struct oy_json_line){0};
    if (at >= walk.end || *at != '{') {
        fail(&walk, at, "not a JSON object");
        return -1;
    }
    const char *first = oy_json_skip_space(at + 1, walk.end);
    line->has_member = first < walk.end && *first != '}';
    at = walk_object(&walk, at + 1, 0, (1u << query->n_path) - 1);
    if (!at)
        return -1;
    line->close = at - 1;
    at = oy_json_skip_space(at, walk.end);
    if (at < walk.end) {
        fail(&walk, at, "text behind the object");
        return -1;
    }
    return 0;
}
