/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts with places for values: Python's % and str.format. */
#include <string.h>

#include "tokenizer/template_internal.h"

/* One directive: spec holds "%" and flags, n characters, with room for the
 * letter. -1 when it does not fit the value. */
static int put_format(const struct template_value *value, char *spec, size_t n,
                      char letter, struct oy_buffer *out)
{
    struct oy_buffer text = {0};

    if (letter == 's' || letter == 'r') {
        (letter == 's' ? template_put_text : template_put_repr)(value, &text);
        memcpy(spec + n, "s", 2);
        if (n == 1)
            oy_buffer_append(out, text.data, text.len);
        else
            oy_buffer_append_format(out, spec, oy_buffer_string(&text));
        oy_buffer_release(&text);
        return 0;
    }
    if (!template_is_number(value))
        return -1;
    if (strchr("dix", letter)) {
        spec[n] = 'l';
        spec[n + 1] = letter;
        spec[n + 2] = '\0';
        oy_buffer_append_format(out, spec, (long)template_number(value));
        return 0;
    }
    if (!strchr("feg", letter))
        return -1;
    spec[n] = letter;
    spec[n + 1] = '\0';
    oy_buffer_append_format(out, spec, template_number(value));
    return 0;
}

/* %s %r %d %i %f %g %e %x with flags, width, precision. */
int template_format(struct state *state, struct oy_text text,
                    const struct arguments *arguments,
                    struct template_value *result)
{
    struct oy_buffer out = {0};
    int next = 0;

    for (size_t i = 0; i < text.len; i++) {
        char spec[24] = "%";
        size_t n = 1;
        if (text.at[i] != '%' || i + 1 == text.len) {
            oy_buffer_append_char(&out, text.at[i]);
            continue;
        }
        while (++i < text.len && n < 8 && text.at[i] &&
               strchr("-+ 0123456789.#", text.at[i]))
            spec[n++] = text.at[i];
        const char letter = i < text.len ? text.at[i] : 0;
        if (letter == '%') {
            oy_buffer_append_char(&out, '%');
            continue;
        }
        const struct template_value *value =
            argument_at(arguments, next++, NULL);
        if (!value || !letter || template_charge(state, value) ||
            out.len > TEMPLATE_MAX_OUTPUT ||
            put_format(value, spec, n, letter, &out)) {
            oy_buffer_release(&out);
            return template_fail(state, "malformed format");
        }
    }
    if (next < arguments->n_positional) {
        oy_buffer_release(&out);
        return template_fail(state, "more values than the format has");
    }
    return template_take(state, &out, result);
}

/* ---- str.format ---- */

/* The value of a place: its number, its name, or the next one. NULL: there
 * is none. */
static const struct template_value *field_value(
    const struct arguments *arguments, struct oy_text name, int *next)
{
    int number = 0;

    if (!name.len)
        return argument_at(arguments, (*next)++, NULL);
    for (size_t i = 0; i < name.len && number < 1000; i++) {
        if (name.at[i] < '0' || name.at[i] > '9') {
            number = -1;
            break;
        }
        number = number * 10 + name.at[i] - '0';
    }
    if (number >= 0)
        return argument_at(arguments, number, NULL);
    for (int i = arguments->n_positional; i < arguments->n; i++) {
        if (arguments->name[i].len == name.len &&
            !memcmp(arguments->name[i].at, name.at, name.len))
            return &arguments->value[i];
    }
    return NULL;
}

/* `{}`, `{0}`, `{name}`, each with `!r` or `!s`; -1 for what is more. */
static int put_field(struct state *state, struct oy_text field,
                     const struct arguments *arguments, int *next,
                     struct oy_buffer *out)
{
    const int is_repr = field.len >= 2 && field.at[field.len - 2] == '!' &&
                        field.at[field.len - 1] == 'r';
    const int is_text = field.len >= 2 && field.at[field.len - 2] == '!' &&
                        field.at[field.len - 1] == 's';

    if (is_repr || is_text)
        field.len -= 2;
    const struct template_value *value = field_value(arguments, field, next);
    if (!value)
        return -1;
    if (template_charge(state, value))
        return -1;
    (is_repr ? template_put_repr : template_put_text)(value, out);
    return 0;
}

int template_format_fields(struct state *state, struct oy_text format,
                           const struct arguments *arguments,
                           struct template_value *value)
{
    struct oy_buffer out = {0};
    int next = 0;

    for (size_t i = 0; i < format.len; i++) {
        const char c = format.at[i];
        const int is_twice = i + 1 < format.len && format.at[i + 1] == c;
        if (c != '{' && c != '}') {
            oy_buffer_append_char(&out, c);
            continue;
        }
        if (is_twice) {
            oy_buffer_append_char(&out, c);
            i++;
            continue;
        }
        const char *end =
            c == '{' ? memchr(format.at + i, '}', format.len - i) : NULL;
        const size_t len = end ? (size_t)(end - format.at) - i - 1 : 0;
        if (!end || put_field(state, (struct oy_text){format.at + i + 1, len},
                              arguments, &next, &out)) {
            oy_buffer_release(&out);
            return template_fail(state, "malformed or unknown format");
        }
        i += len + 1;
    }
    return template_take(state, &out, value);
}
