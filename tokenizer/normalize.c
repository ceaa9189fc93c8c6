/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalizers. */
#include "tokenizer/normalize.h"

#include <stdint.h>
#include <string.h>

#include "core/unicode.h"
#include "core/utf8.h"

struct normalize_step *normalizer_add(struct normalizer *normalizer,
                                      enum normalize_kind kind)
{
    if (normalizer->n == NORMALIZE_MAX_STEPS)
        return NULL;
    struct normalize_step *step = &normalizer->step[normalizer->n++];
    *step = (struct normalize_step){.kind = kind};
    return step;
}

size_t normalize_find(struct oy_text text, size_t at, struct oy_text part)
{
    while (text.len - at >= part.len) {
        const char *hit =
            memchr(text.at + at, part.at[0], text.len - at - part.len + 1);
        if (!hit)
            break;
        if (!memcmp(hit, part.at, part.len))
            return (size_t)(hit - text.at);
        at = (size_t)(hit - text.at) + 1;
    }
    return text.len;
}

static int begins_with(struct oy_text text, struct oy_text part)
{
    return text.len >= part.len && !memcmp(text.at, part.at, part.len);
}

/* Whether the step surely leaves the text as it is. */
static int is_idle(const struct normalize_step *step, struct oy_text text)
{
    if (!text.len)
        return 1;
    switch (step->kind) {
    case NORMALIZE_NFC:
        return oy_utf8_is_ascii(text.at, text.len) ||
               oy_unicode_is_nfc(text.at, text.len);
    case NORMALIZE_NFD:
    case NORMALIZE_NFKC:
    case NORMALIZE_NFKD: return oy_utf8_is_ascii(text.at, text.len);
    case NORMALIZE_REPLACE:
        return normalize_find(text, 0, step->from) == text.len;
    case NORMALIZE_PREPEND_MISSING: return begins_with(text, step->to);
    default: return 0;
    }
}

void normalize_replace(struct oy_text text, struct oy_text from,
                       struct oy_text to, struct oy_buffer *out)
{
    size_t at = 0;

    while (at < text.len) {
        const size_t hit = normalize_find(text, at, from);
        if (hit == text.len)
            break;
        oy_buffer_append(out, text.at + at, hit - at);
        oy_buffer_append(out, to.at, to.len);
        at = hit + from.len;
    }
    oy_buffer_append(out, text.at + at, text.len - at);
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

/* A replaced match has the offset of its last character (transform() of HF's
 * tokenizer/normalizer.rs, measured). */
static int loses_begin(const struct normalize_step *step, struct oy_text text)
{
    size_t at = 0;

    if (step->kind == NORMALIZE_STRIP)
        return step->left && is_space(oy_utf8_next(text.at, &at));
    return step->kind == NORMALIZE_REPLACE && begins_with(text, step->from) &&
           (!step->to.len || oy_utf8_count(step->from.at, step->from.len) > 1);
}

static void do_step(const struct normalize_step *step, struct oy_text text,
                    struct oy_buffer *out)
{
    static const enum oy_normal_form form[] = {
        [NORMALIZE_NFC] = OY_NFC,
        [NORMALIZE_NFD] = OY_NFD,
        [NORMALIZE_NFKC] = OY_NFKC,
        [NORMALIZE_NFKD] = OY_NFKD,
    };

    oy_buffer_clear(out);
    switch (step->kind) {
    case NORMALIZE_REPLACE:
        normalize_replace(text, step->from, step->to, out);
        break;
    case NORMALIZE_PREPEND:
    case NORMALIZE_PREPEND_MISSING:
        oy_buffer_append(out, step->to.at, step->to.len);
        oy_buffer_append(out, text.at, text.len);
        break;
    default:
        oy_unicode_normalize(form[step->kind], OY_UNICODE_HF, text.at, text.len,
                             out);
    }
}

struct oy_text normalize_text(const struct normalizer *normalizer,
                              struct oy_text text, struct oy_buffer work[2],
                              int *is_cut)
{
    int next = 0;

    for (int i = 0; i < normalizer->n; i++) {
        const struct normalize_step *step = &normalizer->step[i];
        if (is_idle(step, text))
            continue;
        if (is_cut && loses_begin(step, text))
            *is_cut = 1;
        if (step->kind == NORMALIZE_STRIP) {
            text = strip(step, text);
            continue;
        }
        do_step(step, text, &work[next]);
        text = (struct oy_text){work[next].data, work[next].len};
        next = !next;
    }
    return text;
}
