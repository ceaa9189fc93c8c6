/* SPDX-License-Identifier: Apache-2.0
 *
 * Upper, title and capital letters as Python makes them. */
#include "core/unicode_case.h"

#include "core/unicode.h"
#include "core/unicode_case_internal.h"
#include "core/utf8.h"

struct table {
    const struct case_run *run;
    size_t n_run;
    const struct case_special *special;
    size_t n_special;
};

static struct table upper_table(void)
{
    return (struct table){oy_case_upper_run, oy_case_upper_n_run,
                          oy_case_upper_special, oy_case_upper_n_special};
}

static struct table title_table(void)
{
    return (struct table){oy_case_title_run, oy_case_title_n_run,
                          oy_case_title_special, oy_case_title_n_special};
}

static const struct case_special *find_special(const struct table *table,
                                               uint32_t c)
{
    size_t low = 0, high = table->n_special;

    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (table->special[middle].from == c)
            return &table->special[middle];
        if (table->special[middle].from < c)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static uint32_t map_single(const struct table *table, uint32_t c)
{
    size_t low = 0, high = table->n_run;

    while (low < high) {
        const size_t middle = (low + high) / 2;
        const struct case_run *run = &table->run[middle];
        if (c < run->first)
            high = middle;
        else if (c > run->last)
            low = middle + 1;
        else if ((c - run->first) % run->step)
            return c;
        else
            return (uint32_t)((int64_t)c + run->delta);
    }
    return c;
}

static void put(struct oy_buffer *out, uint32_t c)
{
    out->len += oy_utf8_put(oy_buffer_reserve(out, 4), c);
}

static void put_mapped(const struct table *table, uint32_t c,
                       struct oy_buffer *out)
{
    const struct case_special *special = find_special(table, c);

    if (!special) {
        put(out, map_single(table, c));
        return;
    }
    for (int i = 0; i < 3 && special->to[i]; i++)
        put(out, special->to[i]);
}

void oy_py_upper(const char *text, size_t len, struct oy_buffer *out)
{
    const struct table table = upper_table();

    for (size_t at = 0; at < len;)
        put_mapped(&table, oy_utf8_next(text, &at), out);
}

/* Whether a letter of any case (Python's word for it is "cased"). */
static int is_cased(uint32_t c)
{
    return oy_py_isupper(c) || oy_py_islower(c) ||
           oy_unicode_category(c, 14) == OY_LT;
}

/* text[from..len) in lower case, as a part of the whole: a final sigma is
 * known by its neighbours. Lower-casing works character by character, so the
 * bytes before can be cut off again. */
static void put_lower_tail(const char *text, size_t len, size_t from,
                           struct oy_buffer *out)
{
    struct oy_buffer before = {0}, whole = {0};

    oy_py_lower(text, from, &before);
    oy_py_lower(text, len, &whole);
    oy_buffer_append(out, whole.data + before.len, whole.len - before.len);
    oy_buffer_release(&before);
    oy_buffer_release(&whole);
}

void oy_py_capitalize(const char *text, size_t len, struct oy_buffer *out)
{
    const struct table table = title_table();
    size_t at = 0;

    if (!len)
        return;
    put_mapped(&table, oy_utf8_next(text, &at), out);
    put_lower_tail(text, len, at, out);
}

void oy_py_title(const char *text, size_t len, struct oy_buffer *out)
{
    const struct table table = title_table();
    struct oy_buffer lower = {0};
    int after_cased = 0;
    size_t from = 0; /* in `lower`, in step with `at` */

    oy_py_lower(text, len, &lower);
    for (size_t at = 0; at < len;) {
        const size_t start = at;
        const uint32_t c = oy_utf8_next(text, &at);
        struct oy_buffer own = {0};

        /* U+0130 is the one character that becomes two in lower case. */
        oy_py_lower(text + start, at - start, &own);
        if (after_cased)
            oy_buffer_append(out, lower.data + from, own.len);
        else
            put_mapped(&table, c, out);
        from += own.len;
        oy_buffer_release(&own);
        after_cased = is_cased(c);
    }
    oy_buffer_release(&lower);
}
