/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole grammar of RFC 8259, checked without recursion. */
#include <string.h>

#include "core/json_internal.h"
#include "core/utf8.h"

/* The containers that are open: a bit each, 1 for an object. The first
 * thousand lie in place. */
struct check {
    const struct oy_json_kernel *kernel;
    const char *at;
    const char *end;
    const char *why;
    uint64_t near[16];
    uint64_t *far;
    size_t far_cap;
    size_t depth;
};

enum { NEAR_BITS = 64 * 16 };

static int refuse(struct check *check, const char *at, const char *why)
{
    check->at = at;
    check->why = why;
    return -1;
}

static void push(struct check *check, int is_object)
{
    const size_t level = check->depth++;
    uint64_t *word = &check->near[level / 64 % 16];

    if (level >= NEAR_BITS) {
        const size_t i = (level - NEAR_BITS) / 64;
        OY_GROW(check->far, check->far_cap, i + 1);
        word = &check->far[i];
    }
    const uint64_t bit = 1ULL << level % 64;
    *word = is_object ? *word | bit : *word & ~bit;
}

static int in_object(const struct check *check)
{
    const size_t level = check->depth - 1;
    const uint64_t word = level < NEAR_BITS
                              ? check->near[level / 64]
                              : check->far[(level - NEAR_BITS) / 64];

    return word >> level % 64 & 1;
}

static void skip_space(struct check *check)
{
    check->at = oy_json_skip_space(check->at, check->end);
}

/* The next byte, or -1 at the end. */
static int peek(const struct check *check)
{
    return check->at < check->end ? (unsigned char)*check->at : -1;
}

static int is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
           (c >= 'A' && c <= 'F');
}

/* The length of the escape at `at`, 0 when it is malformed. */
static size_t escape_len(const char *at, const char *end)
{
    if (end - at >= 2 && at[1] != '\0' && strchr("\"\\/bfnrt", at[1]))
        return 2;
    if (end - at < 6 || at[1] != 'u')
        return 0;
    for (int i = 2; i < 6; i++) {
        if (!is_hex(at[i]))
            return 0;
    }
    return 6;
}

static int check_string(struct check *check)
{
    const char *at = check->at + 1;
    uint64_t high = 0;

    for (;;) {
        at = check->kernel->plain_end(at, check->end, &high);
        if (at == check->end)
            return refuse(check, at, "unterminated string");
        if (*at == '"')
            break;
        if (*at != '\\')
            return refuse(check, at, "control character in a string");
        const size_t len = escape_len(at, check->end);
        if (!len)
            return refuse(check, at, "malformed escape in a string");
        at += len;
    }
    check->at = at + 1;
    return 0;
}

/* A member's name and colon; the value is next. */
static int check_key(struct check *check)
{
    skip_space(check);
    if (peek(check) != '"')
        return refuse(check, check->at, "expected a member name");
    if (check_string(check))
        return -1;
    skip_space(check);
    if (peek(check) != ':')
        return refuse(check, check->at, "expected ':'");
    check->at++;
    return 0;
}

/* Opens a container. 1: a value is next; 0: it was empty. */
static int open_container(struct check *check)
{
    const int is_object = *check->at == '{';

    check->at++;
    skip_space(check);
    if (peek(check) == (is_object ? '}' : ']')) {
        check->at++;
        return 0;
    }
    push(check, is_object);
    return is_object && check_key(check) ? -1 : 1;
}

/* One value. 1: it was the opening of a container, another value is next. */
static int check_value(struct check *check)
{
    struct oy_json_value value;
    const char *why;

    skip_space(check);
    const int c = peek(check);
    if (c == '{' || c == '[')
        return open_container(check);
    if (c == '"')
        return check_string(check);
    const char *behind =
        oy_json_pass(check->kernel, check->at, check->end, &value, &why);
    if (!behind)
        return refuse(check, check->at, why);
    check->at = behind;
    return 0;
}

/* What stands behind a value: closing brackets, a comma. 1: a value is next;
 * 0: all is closed. */
static int check_behind(struct check *check)
{
    while (check->depth) {
        const int is_object = in_object(check);
        skip_space(check);
        const int c = peek(check);
        if (c == ',') {
            check->at++;
            return is_object && check_key(check) ? -1 : 1;
        }
        if (c != (is_object ? '}' : ']'))
            return refuse(check, check->at,
                          is_object ? "expected ',' or '}'"
                                    : "expected ',' or ']'");
        check->at++;
        check->depth--;
    }
    return 0;
}

static int check_document(struct check *check)
{
    int more;

    do {
        do
            more = check_value(check);
        while (more == 1);
        if (more == 0)
            more = check_behind(check);
    } while (more == 1);
    if (more)
        return -1;
    skip_space(check);
    if (check->at < check->end)
        return refuse(check, check->at, "text behind the value");
    return 0;
}

int oy_json_validate(const char *text, size_t len, const char **why,
                     size_t *where)
{
    struct check check = {
        .kernel = oy_json_kernel(),
        .at = text,
        .end = text + len,
    };
    int result = check_document(&check);

    oy_free(check.far);
    if (!result && !oy_utf8_valid(text, len))
        result = refuse(&check, text + oy_utf8_valid_prefix(text, len),
                        "invalid UTF-8");
    if (result) {
        *why = check.why;
        *where = (size_t)(check.at - text);
    }
    return result;
}
