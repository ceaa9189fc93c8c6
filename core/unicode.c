/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole texts under Unicode's rules: Python's lower case, the normal forms.
 */
#include "core/unicode.h"

#include <string.h>

#include "core/alloc.h"
#include "core/bytes8.h"
#include "core/unicode_internal.h"
#include "core/unicode_sets.h"
#include "core/utf8.h"

enum {
    CAPITAL_SIGMA = 0x3a3,
    FINAL_SIGMA = 0x3c2,
    CAPITAL_I_DOT = 0x130, /* the only letter that lower() makes two of */
    /* Hangul syllables, Unicode 15, section 3.12. */
    HANGUL_S = 0xac00,
    HANGUL_L = 0x1100,
    HANGUL_V = 0x1161,
    HANGUL_T = 0x11a7,
    N_HANGUL_L = 19,
    N_HANGUL_V = 21,
    N_HANGUL_T = 28,
    N_HANGUL_S = N_HANGUL_L * N_HANGUL_V * N_HANGUL_T,
};

/* ---- lower case ---- */

static int cased_before(const char *text, size_t at)
{
    while (at > 0) {
        const uint16_t bits = oy_py_bits(oy_utf8_previous(text, &at));

        if (!(bits & OY_PY_IGNORABLE))
            return (bits & OY_PY_CASED) != 0;
    }
    return 0;
}

static int cased_after(const char *text, size_t len, size_t at)
{
    while (at < len) {
        const uint16_t bits = oy_py_bits(oy_utf8_next(text, &at));

        if (!(bits & OY_PY_IGNORABLE))
            return (bits & OY_PY_CASED) != 0;
    }
    return 0;
}

/* The lower case of the code point c, which lies at text[at..next). */
static size_t put_lower(char *out, uint32_t c, const char *text, size_t len,
                        size_t at, size_t next)
{
    const uint32_t block = oy_unicode_lower_block[c >> 8];
    const uint32_t index = oy_unicode_lower_index[block << 8 | (c & 255)];

    if (c == CAPITAL_I_DOT) {
        memcpy(out, "i\xcc\x87", 3);
        return 3;
    }
    if (c == CAPITAL_SIGMA && cased_before(text, at) &&
        !cased_after(text, len, next))
        return oy_utf8_put(out, FINAL_SIGMA);
    return oy_utf8_put(out, c + (uint32_t)oy_unicode_lower_delta[index]);
}

void oy_py_lower(const char *text, size_t len, struct oy_buffer *out)
{
    /* Two bytes become three at the worst (U+0130, U+023A). */
    char *to = oy_buffer_reserve(out, len + len / 2 + 8);
    size_t at = 0;

    while (at < len) {
        while (len - at >= 8 && !(oy_load8(text + at) & OY_HIGH_BITS)) {
            const uint64_t lower = oy_lower8(oy_load8(text + at));

            memcpy(to, &lower, 8);
            to += 8;
            at += 8;
        }
        if (at == len)
            break;
        size_t next = at;
        const uint32_t c = oy_utf8_next(text, &next);

        to += put_lower(to, c, text, len, at, next);
        at = next;
    }
    out->len = (size_t)(to - out->data);
}

/* ---- normal forms ---- */

/* How a text is normalised, and the stretch of it that is being reordered:
 * code points, each with its combining class in the highest byte. */
struct normalizer {
    int version;
    int compat;                    /* NFKC, NFKD */
    int compose;                   /* NFC, NFKC */
    uint8_t not_in_form;           /* OY_NOT_NFC ... */
    const struct oy_utf8_set *set; /* no starter that is in the form */
    uint32_t *cp;
    size_t n, cap;
    uint32_t own[120]; /* long enough for most stretches */
};

enum { CODE_POINT = 0x1fffff };

static const struct oy_unicode_normal *normal_of(uint32_t c, int version)
{
    static const struct oy_unicode_normal unassigned;
    const uint32_t block = oy_unicode_normal_block[c >> 8];
    const struct oy_unicode_normal *const normal =
        &oy_unicode_normals[oy_unicode_normal_index[block << 8 | (c & 255)]];

    return normal->age <= version ? normal : &unassigned;
}

static void push(struct normalizer *nf, uint32_t c, uint8_t ccc)
{
    if (nf->n == nf->cap) {
        uint32_t *const old = nf->cp == nf->own ? NULL : nf->cp;
        uint32_t *const cp = oy_realloc_array(old, nf->cap * 2, sizeof *nf->cp);

        if (!old)
            memcpy(cp, nf->own, sizeof nf->own);
        nf->cp = cp;
        nf->cap *= 2;
    }
    nf->cp[nf->n++] = c | (uint32_t)ccc << 24;
}

/* The last of the sorted entries that is not above `key`. */
static size_t find_last(const uint64_t *entry, size_t n, uint64_t key)
{
    size_t first = 0;

    while (n > 1) {
        const size_t half = n / 2;

        first += entry[first + half] <= key ? half : 0;
        n -= half;
    }
    return first;
}

static void decompose(struct normalizer *nf, uint32_t c);

static void decompose_hangul(struct normalizer *nf, uint32_t c)
{
    const uint32_t s = c - HANGUL_S;

    push(nf, HANGUL_L + s / (N_HANGUL_V * N_HANGUL_T), 0);
    push(nf, HANGUL_V + s / N_HANGUL_T % N_HANGUL_V, 0);
    if (s % N_HANGUL_T)
        push(nf, HANGUL_T + s % N_HANGUL_T, 0);
}

static int decompose_canonical(struct normalizer *nf, uint32_t c)
{
    const uint64_t key = (((uint64_t)c + 1) << 42) - 1;
    const uint64_t entry = oy_unicode_canonical[find_last(oy_unicode_canonical,
                                                          OY_N_CANONICAL, key)];

    if (entry >> 42 != c)
        return 0;
    decompose(nf, entry >> 21 & CODE_POINT);
    if (entry & CODE_POINT)
        decompose(nf, entry & CODE_POINT);
    return 1;
}

static int decompose_compat(struct normalizer *nf, uint32_t c)
{
    const uint64_t key = (((uint64_t)c + 1) << 43) - 1;
    const uint64_t entry =
        oy_unicode_compat[find_last(oy_unicode_compat, OY_N_COMPAT, key)];
    const uint32_t first = entry >> 43;
    const uint32_t length = entry >> 16 & 255;
    const uint32_t *to = oy_unicode_compat_pool + (entry & 0xffff);

    if (c - first >= (entry >> 32 & 0x7ff))
        return 0;
    if (entry >> 24 & 1) {
        decompose(nf, *to + (c - first));
        return 1;
    }
    to += (size_t)(c - first) * length;
    for (uint32_t i = 0; i < length; i++)
        decompose(nf, to[i]);
    return 1;
}

static void decompose(struct normalizer *nf, uint32_t c)
{
    const struct oy_unicode_normal *const normal = normal_of(c, nf->version);

    if (c - HANGUL_S < N_HANGUL_S) {
        decompose_hangul(nf, c);
        return;
    }
    if (normal->flags & OY_NOT_NFD && decompose_canonical(nf, c))
        return;
    if (nf->compat && normal->flags & OY_NOT_NFKD && decompose_compat(nf, c))
        return;
    push(nf, c, normal->ccc);
}

/* Counting sort: a hostile text may hold a million marks in a row. */
static void sort_long(uint32_t *mark, size_t n)
{
    size_t start[257] = {0};
    uint32_t *const sorted = oy_alloc_array(n, sizeof *sorted);

    for (size_t i = 0; i < n; i++)
        start[(mark[i] >> 24) + 1]++;
    for (int i = 1; i < 257; i++)
        start[i] += start[i - 1];
    for (size_t i = 0; i < n; i++)
        sorted[start[mark[i] >> 24]++] = mark[i];
    memcpy(mark, sorted, n * sizeof *mark);
    oy_free(sorted);
}

static void sort_marks(uint32_t *mark, size_t n)
{
    if (n > 32) {
        sort_long(mark, n);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        const uint32_t m = mark[i];
        size_t at = i;

        for (; at > 0 && mark[at - 1] >> 24 > m >> 24; at--)
            mark[at] = mark[at - 1];
        mark[at] = m;
    }
}

/* The Canonical Ordering Algorithm. */
static void order(struct normalizer *nf)
{
    for (size_t i = 0; i < nf->n;) {
        size_t end = i;

        while (end < nf->n && nf->cp[end] >> 24)
            end++;
        if (end - i > 1)
            sort_marks(nf->cp + i, end - i);
        i = end + 1;
    }
}

static uint32_t compose_hangul(uint32_t first, uint32_t second)
{
    const uint32_t s = first - HANGUL_S;

    if (first - HANGUL_L < N_HANGUL_L && second - HANGUL_V < N_HANGUL_V)
        return HANGUL_S +
               ((first - HANGUL_L) * N_HANGUL_V + (second - HANGUL_V)) *
                   N_HANGUL_T;
    if (s < N_HANGUL_S && s % N_HANGUL_T == 0 && second > HANGUL_T &&
        second - HANGUL_T < N_HANGUL_T)
        return first + (second - HANGUL_T);
    return 0;
}

/* The primary composite of two code points, or 0. */
static uint32_t compose_pair(uint32_t first, uint32_t second, int version)
{
    const uint64_t pair = (uint64_t)first << 21 | second;
    const uint64_t low = ((uint64_t)1 << 42) - 1;
    size_t from = 0, to = OY_N_COMPOSITION;

    if (first - HANGUL_L < N_HANGUL_L || first - HANGUL_S < N_HANGUL_S)
        return compose_hangul(first, second);
    if (!(normal_of(second, version)->flags & OY_MAY_COMPOSE))
        return 0;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        const uint64_t entry =
            oy_unicode_canonical[oy_unicode_composition[middle]];

        if ((entry & low) == pair)
            return normal_of(entry >> 42, version)->flags ? entry >> 42 : 0;
        if ((entry & low) < pair)
            from = middle + 1;
        else
            to = middle;
    }
    return 0;
}

/* The Canonical Composition Algorithm. */
static void compose(struct normalizer *nf)
{
    size_t out = 0, starter = 0;
    uint32_t last = 0; /* combining class of cp[out - 1] */
    int has_starter = 0;

    for (size_t i = 0; i < nf->n; i++) {
        const uint32_t c = nf->cp[i] & CODE_POINT, ccc = nf->cp[i] >> 24;

        if (has_starter && (out == starter + 1 || last < ccc)) {
            const uint32_t both = compose_pair(nf->cp[starter], c, nf->version);

            if (both) {
                nf->cp[starter] = both;
                continue;
            }
        }
        if (!ccc) {
            starter = out;
            has_starter = 1;
        }
        last = ccc;
        nf->cp[out++] = nf->cp[i];
    }
    nf->n = out;
}

static void put_code_points(const struct normalizer *nf, struct oy_buffer *out)
{
    char *const to = oy_buffer_reserve(out, nf->n * 4);
    size_t len = 0;

    for (size_t i = 0; i < nf->n; i++)
        len += oy_utf8_put(to + len, nf->cp[i] & CODE_POINT);
    out->len += len;
}

/* Looks from *at on for the first code point that may not be in the form;
 * returns where it lies (or len), and in *at the last place before it from
 * which on the text may be worked on by itself: a starter that is in the form
 * takes nothing from what stands before it. */
static size_t find_trouble(const struct normalizer *nf, const char *text,
                           size_t len, size_t *at)
{
    uint8_t last = 0;
    size_t i = *at;

    while (i < len) {
        const size_t plain = last ? i : oy_utf8_set_find(nf->set, text, len, i);

        if (plain == len)
            return len;
        if (plain > i) {
            i = *at = plain;
            (void)oy_utf8_previous(text, at);
        }
        size_t next = i;
        const uint32_t c = oy_utf8_next(text, &next);
        const struct oy_unicode_normal *const normal =
            normal_of(c, nf->version);

        if (normal->flags & nf->not_in_form ||
            (normal->ccc && normal->ccc < last))
            return i;
        last = normal->ccc;
        if (!last)
            *at = i;
        i = next;
    }
    return len;
}

/* Normalises text[at..) behind `trouble` up to the next starter that is in
 * the form; returns where that begins. */
static size_t rework(struct normalizer *nf, const char *text, size_t len,
                     size_t at, size_t trouble, struct oy_buffer *out)
{
    nf->n = 0;
    while (at < len) {
        size_t next = at;
        const uint32_t c = oy_utf8_next(text, &next);
        const struct oy_unicode_normal *const normal =
            normal_of(c, nf->version);

        if (at > trouble && !normal->ccc && !(normal->flags & nf->not_in_form))
            break;
        decompose(nf, c);
        at = next;
    }
    order(nf);
    if (nf->compose)
        compose(nf);
    put_code_points(nf, out);
    return at;
}

static void set_up(struct normalizer *nf, enum oy_normal_form form, int version)
{
    static const uint8_t flag[] = {OY_NOT_NFC, OY_NOT_NFD, OY_NOT_NFKC,
                                   OY_NOT_NFKD};
    static const struct oy_utf8_set *const set[] = {&oy_set_nfc, &oy_set_nfd,
                                                    &oy_set_nfkc, &oy_set_nfkd};

    nf->version = version;
    nf->compat = form == OY_NFKC || form == OY_NFKD;
    nf->compose = form == OY_NFC || form == OY_NFKC;
    nf->not_in_form = flag[form];
    nf->set = set[form];
    nf->cp = nf->own;
    nf->n = 0;
    nf->cap = sizeof nf->own / sizeof *nf->own;
}

void oy_unicode_normalize(enum oy_normal_form form, int version,
                          const char *text, size_t len, struct oy_buffer *out)
{
    struct normalizer nf;
    size_t done = 0;

    set_up(&nf, form, version);
    while (done < len) {
        size_t safe = done;
        const size_t trouble = find_trouble(&nf, text, len, &safe);

        if (trouble == len)
            safe = len;
        oy_buffer_append(out, text + done, safe - done);
        done = safe;
        if (trouble < len)
            done = rework(&nf, text, len, safe, trouble, out);
    }
    if (nf.cp != nf.own)
        oy_free(nf.cp);
}

int oy_unicode_is_nfc(const char *text, size_t len)
{
    struct normalizer nf;
    size_t safe = 0;

    set_up(&nf, OY_NFC, 15);
    return find_trouble(&nf, text, len, &safe) == len;
}
