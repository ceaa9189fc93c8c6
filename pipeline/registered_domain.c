/* SPDX-License-Identifier: Apache-2.0
 *
 * Registered domains by libpsl. */
#include "pipeline/registered_domain.h"

#include <string.h>

#include <libpsl.h>

#include "core/alloc.h"
#include "core/input.h"
#include "pipeline/words.h"

/* No public suffix is longer: names of the DNS have 253 bytes. */
enum { MAX_SUFFIX = 253 };

struct public_suffixes {
    const psl_ctx_t *list;
    psl_ctx_t *own; /* NULL: libpsl's */
};

struct public_suffixes *public_suffixes_load(const char *path,
                                             struct oy_error *err)
{
    struct public_suffixes suffixes = {.list = psl_builtin()};
    struct public_suffixes *kept;

    if (*path) {
        if (oy_input_check(path, err))
            return NULL;
        suffixes.own = psl_load_file(path);
        suffixes.list = suffixes.own;
    }
    if (!suffixes.list || psl_suffix_count(suffixes.list) == 0) {
        oy_fail(err, *path ? OY_DATA : OY_NOINPUT,
                *path ? "%s: not a list of public suffixes"
                      : "%slibpsl has no list of public suffixes: name one",
                path);
        psl_free(suffixes.own);
        return NULL;
    }
    kept = oy_alloc(sizeof *kept);
    *kept = suffixes;
    return kept;
}

void public_suffixes_free(struct public_suffixes *suffixes)
{
    if (suffixes)
        psl_free(suffixes->own);
    oy_free(suffixes);
}

/* ---- hosts ---- */

static int is_of_scheme(char c)
{
    return (unsigned char)((c | 0x20) - 'a') < 26 ||
           (unsigned char)(c - '0') < 10 || c == '+' || c == '-' || c == '.';
}

/* Where the authority begins: behind "//" at the start or behind a scheme. */
static size_t skip_scheme(struct oy_text url)
{
    const char *slashes = memmem(url.at, url.len, "//", 2);
    const size_t at = slashes ? (size_t)(slashes - url.at) : 1;

    if (at == 0)
        return 2;
    if (at < 2 || url.at[at - 1] != ':')
        return 0;
    for (size_t i = 0; i + 1 < at; i++) {
        if (!is_of_scheme(url.at[i]))
            return 0;
    }
    return at + 2;
}

/* The dots at the end that mean the root: "." and U+3002, U+FF0E, U+FF61. */
static size_t strip_dots(const char *at, size_t len)
{
    static const char wide[][4] = {"\xe3\x80\x82", "\xef\xbc\x8e",
                                   "\xef\xbd\xa1"};
    int again = 1;

    while (again) {
        again = len && at[len - 1] == '.';
        len -= (size_t)again;
        for (int i = 0; i < 3 && len >= 3 && !again; i++) {
            again = !memcmp(at + len - 3, wide[i], 3);
            len -= again ? 3 : 0;
        }
    }
    return len;
}

struct oy_text url_host(struct oy_text url)
{
    const size_t start = skip_scheme(url);
    const char *at = url.at + start, *end = at;
    const char *user, *port, *bracket;
    size_t where = 0, len;

    while (end < url.at + url.len && *end != '/' && *end != '?' && *end != '#')
        end++;
    user = memrchr(at, '@', (size_t)(end - at));
    if (user)
        at = user + 1;
    bracket =
        at < end && *at == '[' ? memchr(at, ']', (size_t)(end - at)) : NULL;
    if (bracket)
        return (struct oy_text){at, (size_t)(bracket + 1 - at)};
    port = memchr(at, ':', (size_t)(end - at));
    len = (size_t)((port ? port : end) - at);
    words_strip(at, &where, &len);
    at += where;
    return (struct oy_text){at, strip_dots(at, len)};
}

/* ---- suffixes ---- */

/* The start of the label that ends at `end`. */
static size_t label_start(struct oy_text host, size_t end)
{
    const char *dot = end ? memrchr(host.at, '.', end) : NULL;

    return dot ? (size_t)(dot + 1 - host.at) : 0;
}

/* Puts host[start..end) with a dot in front of what `name` holds from *first
 * on; -1 when it cannot be a suffix any more. */
static int put_label(struct oy_text host, size_t start, size_t end, char *name,
                     size_t *first)
{
    const size_t len = end - start;
    const int has_dot = *first < MAX_SUFFIX;

    if (len == 0 || len + 1 > *first || memchr(host.at + start, '\0', len))
        return -1;
    if (has_dot)
        name[--*first] = '.';
    *first -= len;
    for (size_t i = 0; i < len; i++) {
        const char c = host.at[start + i];
        name[*first + i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    return 0;
}

struct oy_text registered_domain(const struct public_suffixes *suffixes,
                                 struct oy_text host)
{
    char name[MAX_SUFFIX + 1];
    size_t first = MAX_SUFFIX, end = host.len, suffix = host.len;

    name[MAX_SUFFIX] = '\0';
    while (end) {
        const size_t start = label_start(host, end);
        if (put_label(host, start, end, name, &first))
            break;
        if (psl_is_public_suffix2(suffixes->list, name + first,
                                  PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE))
            suffix = start;
        end = start ? start - 1 : 0;
    }
    if (suffix == host.len || suffix == 0)
        return (struct oy_text){host.at, 0};
    end = suffix - 1;
    const size_t start = label_start(host, end);
    return (struct oy_text){host.at + start,
                            start == end ? 0 : host.len - start};
}
