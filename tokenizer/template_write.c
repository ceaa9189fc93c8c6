/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of templates as text: Python's str, repr and json.dumps. */
#include <math.h>
#include <string.h>

#include "core/unicode.h"
#include "core/utf8.h"
#include "tokenizer/template_value.h"

/* repr of a float; JSON's writer gives null for what is not finite. */
static void put_float(double number, struct oy_buffer *out)
{
    if (isnan(number))
        oy_buffer_append_string(out, "nan");
    else if (isinf(number))
        oy_buffer_append_string(out, number < 0 ? "-inf" : "inf");
    else
        oy_json_put_double(out, number);
}

/* Python escapes what is not printable: categories C and Z but for the
 * space (Objects/unicodectype.c, _PyUnicode_IsPrintable; Unicode 14). */
static int is_printable(uint32_t c)
{
    switch (oy_unicode_category(c, 14)) {
    case OY_CN:
    case OY_CC:
    case OY_CF:
    case OY_CS:
    case OY_CO:
    case OY_ZL:
    case OY_ZP: return 0;
    case OY_ZS: return c == ' ';
    default: return 1;
    }
}

static void put_repr_char(uint32_t c, char quote, struct oy_buffer *out)
{
    if (c == (unsigned char)quote || c == '\\')
        oy_buffer_append_format(out, "\\%c", (int)c);
    else if (c == '\n')
        oy_buffer_append_string(out, "\\n");
    else if (c == '\r')
        oy_buffer_append_string(out, "\\r");
    else if (c == '\t')
        oy_buffer_append_string(out, "\\t");
    else if (c >= 0x20 && c < 0x7f)
        oy_buffer_append_char(out, (char)c);
    else if (c < 0x100 && !is_printable(c))
        oy_buffer_append_format(out, "\\x%02x", c);
    else if (is_printable(c))
        out->len += oy_utf8_put(oy_buffer_reserve(out, 4), c);
    else
        oy_buffer_append_format(out, c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
}

static void put_repr_string(struct oy_text text, struct oy_buffer *out)
{
    const int has_single = text.len && memchr(text.at, '\'', text.len);
    const int has_double = text.len && memchr(text.at, '"', text.len);
    const char quote = has_single && !has_double ? '"' : '\'';

    oy_buffer_append_char(out, quote);
    for (size_t at = 0; at < text.len;)
        put_repr_char(oy_utf8_next(text.at, &at), quote, out);
    oy_buffer_append_char(out, quote);
}

static void put_repr_list(const struct template_value *value,
                          struct oy_buffer *out)
{
    const int is_tuple = value->kind == TEMPLATE_TUPLE;

    oy_buffer_append_char(out, is_tuple ? '(' : '[');
    for (size_t i = 0; i < value->list->n_item; i++) {
        if (i)
            oy_buffer_append_string(out, ", ");
        template_put_repr(&value->list->item[i], out);
    }
    if (is_tuple && value->list->n_item == 1)
        oy_buffer_append_char(out, ',');
    oy_buffer_append_char(out, is_tuple ? ')' : ']');
}

static void put_repr_dict(const struct template_dict *dict,
                          struct oy_buffer *out)
{
    oy_buffer_append_char(out, '{');
    for (size_t i = 0; i < dict->n_entry; i++) {
        if (i)
            oy_buffer_append_string(out, ", ");
        template_put_repr(&dict->entry[i].key, out);
        oy_buffer_append_string(out, ": ");
        template_put_repr(&dict->entry[i].value, out);
    }
    oy_buffer_append_char(out, '}');
}

void template_put_repr(const struct template_value *value,
                       struct oy_buffer *out)
{
    switch (value->kind) {
    case TEMPLATE_UNDEFINED: oy_buffer_append_string(out, "Undefined"); break;
    case TEMPLATE_NONE: oy_buffer_append_string(out, "None"); break;
    case TEMPLATE_BOOL:
        oy_buffer_append_string(out, value->integer ? "True" : "False");
        break;
    case TEMPLATE_INT: oy_json_put_int(out, value->integer); break;
    case TEMPLATE_FLOAT: put_float(value->number, out); break;
    case TEMPLATE_STRING: put_repr_string(value->text, out); break;
    case TEMPLATE_BIG_INT:
        oy_buffer_append(out, value->text.at, value->text.len);
        break;
    case TEMPLATE_LIST:
    case TEMPLATE_TUPLE: put_repr_list(value, out); break;
    case TEMPLATE_DICT: put_repr_dict(value->dict, out); break;
    case TEMPLATE_GENERATOR: oy_buffer_append_string(out, "<generator>"); break;
    case TEMPLATE_NAMESPACE: oy_buffer_append_string(out, "<Namespace>"); break;
    case TEMPLATE_CALLABLE: oy_buffer_append_string(out, "<macro>"); break;
    }
}

void template_put_text(const struct template_value *value,
                       struct oy_buffer *out)
{
    if (value->kind == TEMPLATE_STRING)
        oy_buffer_append(out, value->text.at, value->text.len);
    else if (value->kind != TEMPLATE_UNDEFINED)
        template_put_repr(value, out);
}

/* ---- JSON ---- */

static void put_json(const struct template_value *value,
                     const struct template_json_style *style, int level,
                     struct oy_buffer *out);

static void put_line(const struct template_json_style *style, int level,
                     struct oy_buffer *out)
{
    if (style->indent < 0)
        return;
    oy_buffer_append_char(out, '\n');
    for (int i = 0; i < level * style->indent; i++)
        oy_buffer_append_char(out, ' ');
}

static void put_separator(const struct template_json_style *style,
                          struct oy_buffer *out)
{
    const char *item = style->item;

    if (!item)
        item = style->indent < 0 ? ", " : ",";
    oy_buffer_append_string(out, item);
}

static void put_ascii_char(uint32_t c, struct oy_buffer *out)
{
    char small[4];

    if (c < 0x80) {
        /* One character in quotes; the quotes are taken off again. */
        struct oy_buffer quoted = {0};
        small[0] = (char)c;
        oy_json_put_string(&quoted, small, 1);
        oy_buffer_append(out, quoted.data + 1, quoted.len - 2);
        oy_buffer_release(&quoted);
        return;
    }
    if (c >= 0x10000) {
        oy_buffer_append_format(out, "\\u%04x", 0xd7c0 + (c >> 10));
        c = 0xdc00 + (c & 0x3ff);
    }
    oy_buffer_append_format(out, "\\u%04x", c);
}

static void put_json_string(struct oy_text text,
                            const struct template_json_style *style,
                            struct oy_buffer *out)
{
    if (!style->ascii) {
        oy_json_put_string(out, text.at, text.len);
        return;
    }
    oy_buffer_append_char(out, '"');
    for (size_t at = 0; at < text.len;)
        put_ascii_char(oy_utf8_next(text.at, &at), out);
    oy_buffer_append_char(out, '"');
}

static void put_json_list(const struct template_list *list,
                          const struct template_json_style *style, int level,
                          struct oy_buffer *out)
{
    oy_buffer_append_char(out, '[');
    for (size_t i = 0; i < list->n_item; i++) {
        if (i)
            put_separator(style, out);
        put_line(style, level + 1, out);
        put_json(&list->item[i], style, level + 1, out);
    }
    if (list->n_item)
        put_line(style, level, out);
    oy_buffer_append_char(out, ']');
}

/* JSON's keys are strings: json.dumps writes other scalars as texts. */
static void put_json_key(const struct template_value *key,
                         const struct template_json_style *style,
                         struct oy_buffer *out)
{
    if (key->kind == TEMPLATE_STRING) {
        put_json_string(key->text, style, out);
    } else {
        oy_buffer_append_char(out, '"');
        put_json(key, style, 0, out);
        oy_buffer_append_char(out, '"');
    }
    oy_buffer_append_string(out, style->key ? style->key : ": ");
}

/* The smallest key above `last` (NULL: the smallest of all). Quadratic, and
 * good enough for the few keys of a tool's description. */
static const struct template_entry *next_key(const struct template_dict *dict,
                                             const struct template_entry *last)
{
    const struct template_entry *best = NULL;
    int order;

    for (size_t i = 0; i < dict->n_entry; i++) {
        const struct template_entry *entry = &dict->entry[i];
        if (last &&
            (template_compare(&entry->key, &last->key, &order) || order <= 0))
            continue;
        if (!best || (template_compare(&entry->key, &best->key, &order) == 0 &&
                      order < 0))
            best = entry;
    }
    return best;
}

static void put_json_dict(const struct template_dict *dict,
                          const struct template_json_style *style, int level,
                          struct oy_buffer *out)
{
    const struct template_entry *entry = NULL;

    oy_buffer_append_char(out, '{');
    for (size_t i = 0; i < dict->n_entry; i++) {
        entry = style->sort_keys ? next_key(dict, entry) : &dict->entry[i];
        if (!entry)
            break;
        if (i)
            put_separator(style, out);
        put_line(style, level + 1, out);
        put_json_key(&entry->key, style, out);
        put_json(&entry->value, style, level + 1, out);
    }
    if (dict->n_entry)
        put_line(style, level, out);
    oy_buffer_append_char(out, '}');
}

/* What JSON has no word for: json.dumps writes NaN, Infinity, -Infinity. */
static void put_json_float(double number, struct oy_buffer *out)
{
    if (isnan(number))
        oy_buffer_append_string(out, "NaN");
    else if (isinf(number))
        oy_buffer_append_string(out, number < 0 ? "-Infinity" : "Infinity");
    else
        oy_json_put_double(out, number);
}

static void put_json(const struct template_value *value,
                     const struct template_json_style *style, int level,
                     struct oy_buffer *out)
{
    switch (value->kind) {
    case TEMPLATE_BOOL:
        oy_buffer_append_string(out, value->integer ? "true" : "false");
        break;
    case TEMPLATE_INT: oy_json_put_int(out, value->integer); break;
    case TEMPLATE_FLOAT: put_json_float(value->number, out); break;
    case TEMPLATE_STRING: put_json_string(value->text, style, out); break;
    case TEMPLATE_BIG_INT:
        oy_buffer_append(out, value->text.at, value->text.len);
        break;
    case TEMPLATE_LIST:
    case TEMPLATE_TUPLE: put_json_list(value->list, style, level, out); break;
    case TEMPLATE_DICT: put_json_dict(value->dict, style, level, out); break;
    case TEMPLATE_NONE:
    case TEMPLATE_UNDEFINED:
    case TEMPLATE_GENERATOR:
    case TEMPLATE_NAMESPACE:
    case TEMPLATE_CALLABLE: oy_buffer_append_string(out, "null"); break;
    }
}

void template_put_json(const struct template_value *value,
                       const struct template_json_style *style,
                       struct oy_buffer *out)
{
    put_json(value, style, 0, out);
}
