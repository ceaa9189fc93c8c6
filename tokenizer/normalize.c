/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalizers. */
#include "tokenizer/normalize.h"

#include <stdint.h>
#include <string.h>

#include "core/unicode.h"
#include "core/unicode_sets.h"
#include "core/utf8.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/normalize_internal.h"

struct normalize_step *normalizer_add(struct normalizer *normalizer,
                                      enum normalize_kind kind)
{
    OY_GROW(normalizer->step, normalizer->cap, normalizer->n + 1);
    struct normalize_step *step = &normalizer->step[normalizer->n++];
    *step = (struct normalize_step){.kind = kind};
    return step;
}

void normalizer_release(struct normalizer *normalizer)
{
    for (size_t i = 0; i < normalizer->n; i++) {
        replace_regex_free(normalizer->step[i].regex);
        charsmap_free(normalizer->step[i].map);
    }
    oy_free(normalizer->step);
    *normalizer = (struct normalizer){0};
}

/* What a match at the begin of the text does to *is_cut: what replaces it has
 * the offset of its last character, in front of the first character 0
 * (transform() of HF's tokenizer/normalizer.rs, measured). */
static void replace_begin(struct oy_text match, struct oy_text to, int *is_cut)
{
    if (!match.len && to.len)
        *is_cut = 0;
    else if (match.len && (!to.len || oy_utf8_count(match.at, match.len) > 1))
        *is_cut = 1;
}

static int begins_with(struct oy_text text, struct oy_text part)
{
    return text.len >= part.len && !memcmp(text.at, part.at, part.len);
}

static int has_none(const struct oy_utf8_set *set, struct oy_text text)
{
    return oy_utf8_set_find(set, text.at, text.len, 0) == text.len;
}

/* Whether the step surely leaves the text as it is. */
static int is_idle(const struct normalize_step *step, struct oy_text text)
{
    if (!text.len)
        return 1;
    switch (step->kind) {
    case NORMALIZE_NFC: return oy_unicode_is_nfc(text.at, text.len);
    case NORMALIZE_NFD: return has_none(&oy_set_nfd, text);
    case NORMALIZE_NFKC: return has_none(&oy_set_nfkc, text);
    case NORMALIZE_NFKD: return has_none(&oy_set_nfkd, text);
    case NORMALIZE_PRECOMPILED:
        return charsmap_find(step->map, text, 0) == text.len;
    case NORMALIZE_REPLACE:
        return step->from.len && replace_find(text, 0, step->from) == text.len;
    case NORMALIZE_PREPEND: return !step->to.len;
    case NORMALIZE_PREPEND_MISSING: return begins_with(text, step->to);
    case NORMALIZE_BYTES:
    case NORMALIZE_REGEX:
    case NORMALIZE_STRIP: return 0;
    default: return has_none(normalize_set_of(step->kind), text);
    }
}

static int is_space(uint32_t c)
{
    return (oy_unicode_class16(c) & OY_IS_SPACE) != 0;
}

static struct oy_text strip(const struct normalize_step *step,
                            struct oy_text text)
{
    size_t begin = 0, end = text.len, at = 0;

    while (step->left && begin < end && is_space(oy_utf8_next(text.at, &at)))
        begin = at;
    at = end;
    while (step->right && end > begin &&
           is_space(oy_utf8_previous(text.at, &at)))
        end = at;
    return (struct oy_text){text.at + begin, end - begin};
}

/* What the step does to *is_cut, as far as that can be told beforehand. */
static void mark_begin(const struct normalize_step *step, struct oy_text text,
                       int *is_cut)
{
    const struct oy_utf8_set *set = normalize_set_of(step->kind);
    size_t at = 0;
    const uint32_t first = oy_utf8_next(text.at, &at);

    if (step->kind == NORMALIZE_REPLACE) {
        if (begins_with(text, step->from))
            replace_begin(step->from, step->to, is_cut);
    } else if (step->kind == NORMALIZE_STRIP) {
        *is_cut |= step->left && is_space(first);
    } else if (set) {
        *is_cut |=
            oy_utf8_set_has(set, first) && normalize_removes(step->kind, first);
    }
}

static void prepend(struct oy_text text, struct oy_text to,
                    struct oy_buffer *out)
{
    oy_buffer_append(out, to.at, to.len);
    oy_buffer_append(out, text.at, text.len);
}

static void replace_matches(const struct normalize_step *step,
                            struct oy_text text, struct oy_buffer *out,
                            int *is_cut)
{
    size_t first;

    replace_regex_run(step->regex, text, step->to, out, &first);
    if (first != SIZE_MAX)
        replace_begin((struct oy_text){text.at, first}, step->to, is_cut);
}

static void do_step(const struct normalize_step *step, struct oy_text text,
                    struct oy_buffer *out, int *is_cut)
{
    static const enum oy_normal_form form[] = {
        [NORMALIZE_NFC] = OY_NFC,
        [NORMALIZE_NFD] = OY_NFD,
        [NORMALIZE_NFKC] = OY_NFKC,
        [NORMALIZE_NFKD] = OY_NFKD,
    };

    oy_buffer_clear(out);
    oy_buffer_reserve(out, text.len); /* so that it is there when empty */
    switch (step->kind) {
    case NORMALIZE_NFC:
    case NORMALIZE_NFD:
    case NORMALIZE_NFKC:
    case NORMALIZE_NFKD:
        oy_unicode_normalize(form[step->kind], OY_UNICODE_HF, text.at, text.len,
                             out);
        break;
    case NORMALIZE_BYTES: byte_alphabet_put(text.at, text.len, out); break;
    case NORMALIZE_PRECOMPILED: charsmap_apply(step->map, text, out); break;
    case NORMALIZE_REPLACE:
        replace_string(text, step->from, step->to, out);
        break;
    case NORMALIZE_REGEX: replace_matches(step, text, out, is_cut); break;
    case NORMALIZE_PREPEND:
    case NORMALIZE_PREPEND_MISSING: prepend(text, step->to, out); break;
    default: normalize_characters(step->kind, text, out);
    }
}

struct oy_text normalize_text(const struct normalizer *normalizer,
                              struct oy_text text, struct oy_buffer work[2],
                              int *is_cut)
{
    int next = 0, ignored = 0;

    if (!is_cut)
        is_cut = &ignored;
    for (size_t i = 0; i < normalizer->n; i++) {
        const struct normalize_step *step = &normalizer->step[i];
        if (is_idle(step, text))
            continue;
        mark_begin(step, text, is_cut);
        if (step->kind == NORMALIZE_STRIP) {
            text = strip(step, text);
            continue;
        }
        do_step(step, text, &work[next], is_cut);
        text = (struct oy_text){work[next].data, work[next].len};
        next = !next;
    }
    return text;
}
