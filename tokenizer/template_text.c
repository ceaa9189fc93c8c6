/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts and slices for templates, as Python's str has them. */
#include <string.h>

#include "core/unicode.h"
#include "core/utf8.h"
#include "tokenizer/template_internal.h"

static int is_stripped(uint32_t c, struct oy_text chars)
{
    if (!chars.at)
        return oy_py_isspace(c);
    for (size_t at = 0; at < chars.len;) {
        if (oy_utf8_next(chars.at, &at) == c)
            return 1;
    }
    return 0;
}

struct oy_text template_strip(struct oy_text text, struct oy_text chars,
                              int left, int right)
{
    size_t start = 0, end = text.len;

    while (left && start < end) {
        size_t next = start;
        if (!is_stripped(oy_utf8_next(text.at, &next), chars))
            break;
        start = next;
    }
    while (right && end > start) {
        size_t previous = end;
        if (!is_stripped(oy_utf8_previous(text.at, &previous), chars))
            break;
        end = previous;
    }
    return (struct oy_text){text.at + start, end - start};
}

static size_t search_last(struct oy_text text, struct oy_text part)
{
    for (size_t at = text.len - part.len + 1; at-- > 0;) {
        if (!memcmp(text.at + at, part.at, part.len))
            return at;
    }
    return SIZE_MAX;
}

size_t template_search(struct oy_text text, struct oy_text part, int last)
{
    const char *found;

    if (part.len > text.len)
        return SIZE_MAX;
    if (part.len == 0)
        return last ? text.len : 0;
    if (last)
        return search_last(text, part);
    found = memmem(text.at, text.len, part.at, part.len);
    return found ? (size_t)(found - text.at) : SIZE_MAX;
}

/* Python puts the new text around every character when the old is empty. */
static void replace_nothing(struct oy_text text, struct oy_text to, int64_t max,
                            struct oy_buffer *out)
{
    size_t at = 0;

    for (; at < text.len && max != 0; max--) {
        const size_t start = at;
        oy_buffer_append(out, to.at, to.len);
        oy_utf8_next(text.at, &at);
        oy_buffer_append(out, text.at + start, at - start);
    }
    if (max != 0)
        oy_buffer_append(out, to.at, to.len);
    oy_buffer_append(out, text.at + at, text.len - at);
}

void template_replace(struct oy_text text, struct oy_text from,
                      struct oy_text to, int64_t max, struct oy_buffer *out)
{
    size_t at;

    if (from.len == 0) {
        replace_nothing(text, to, max, out);
        return;
    }
    while (max-- != 0 && (at = template_search(text, from, 0)) != SIZE_MAX) {
        oy_buffer_append(out, text.at, at);
        oy_buffer_append(out, to.at, to.len);
        text.at += at + from.len;
        text.len -= at + from.len;
    }
    oy_buffer_append(out, text.at, text.len);
}

/* ---- slices ---- */

/* Python's slice.indices(): bounds clipped to what is there. */
static int64_t clip(const struct template_value *bound, int64_t missing,
                    int64_t n, int backward)
{
    int64_t at;

    if (!bound)
        return missing;
    at = bound->integer < 0 ? bound->integer + n : bound->integer;
    if (at < 0)
        return backward ? -1 : 0;
    return at >= n ? n - backward : at;
}

static size_t *character_starts(struct oy_arena *arena, struct oy_text text,
                                int64_t n)
{
    size_t *start = oy_arena_array(arena, (size_t)n + 1, sizeof *start);
    size_t at = 0;

    for (int64_t i = 0; i < n; i++) {
        start[i] = at;
        oy_utf8_next(text.at, &at);
    }
    start[n] = at;
    return start;
}

static int slice_text(struct state *state, struct oy_text text,
                      const int64_t bound[3], struct template_value *value)
{
    const int64_t n = (int64_t)oy_utf8_count(text.at, text.len);
    const size_t *start;
    struct oy_buffer out = {0};

    if (template_step(state, (size_t)n / 16))
        return -1;
    start = character_starts(state->arena, text, n);
    if (bound[2] == 1) {
        *value = bound[0] < bound[1]
                     ? template_string(text.at + start[bound[0]],
                                       start[bound[1]] - start[bound[0]])
                     : template_string("", 0);
        return 0;
    }
    for (int64_t i = bound[0]; bound[2] > 0 ? i < bound[1] : i > bound[1];
         i += bound[2])
        oy_buffer_append(&out, text.at + start[i], start[i + 1] - start[i]);
    return template_take(state, &out, value);
}

static int slice_list(struct state *state, const struct template_value *list,
                      const int64_t bound[3], struct template_value *value)
{
    if (template_step(state, list->list->n_item))
        return -1;
    *value = template_new_list(state->arena);
    value->kind = list->kind;
    for (int64_t i = bound[0]; bound[2] > 0 ? i < bound[1] : i > bound[1];
         i += bound[2])
        template_push(value, state->arena, list->list->item[i]);
    return 0;
}

int template_slice(struct state *state, const struct template_value *object,
                   const struct template_value *start,
                   const struct template_value *stop,
                   const struct template_value *step,
                   struct template_value *value)
{
    const int64_t n = template_length(object);
    int64_t bound[3] = {0, 0, step ? step->integer : 1};
    int backward;

    if (object->kind != TEMPLATE_STRING && object->kind != TEMPLATE_LIST &&
        object->kind != TEMPLATE_TUPLE)
        return template_fail(state, "'%s' cannot be sliced",
                             template_kind_name(object));
    if (bound[2] == 0)
        return template_fail(state, "a slice's step is zero");
    /* A longer step meets nothing more; this keeps the sums in range. */
    if (bound[2] > n + 1)
        bound[2] = n + 1;
    if (bound[2] < -n - 1)
        bound[2] = -n - 1;
    backward = bound[2] < 0;
    bound[0] = clip(start, backward ? n - 1 : 0, n, backward);
    bound[1] = clip(stop, backward ? -1 : n, n, backward);
    if (object->kind == TEMPLATE_STRING)
        return slice_text(state, object->text, bound, value);
    return slice_list(state, object, bound, value);
}
