/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of results as lm-eval prints it (utils.py, make_table, by way of
 * pytablewriter's Markdown). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"
#include "eval/grade_internal.h"

enum { N_COLUMN = 9, MIN_WIDTH = 3 };

struct row {
    char *cell[N_COLUMN];
};

struct table {
    struct row *row;
    size_t n_row;
    size_t cap_row;
};

/* What is shown: the results, in the order of the groups' tree. */
struct shown {
    const struct template_value *root;
    const struct template_value *column; /* results or groups */
    struct table table;
};

static const struct template_value *member(const struct shown *shown,
                                           const char *table,
                                           const struct template_value *name)
{
    const struct template_value *dict = template_get(shown->root, table);

    return dict ? template_find(dict, name) : NULL;
}

static char *text_of(const struct template_value *value, const char *other)
{
    struct oy_buffer text = {0};
    char *copy;

    if (!value)
        return oy_strdup(other);
    template_put_text(value, &text);
    copy = oy_strndup(text.len ? text.data : "", text.len);
    oy_buffer_release(&text);
    return copy;
}

static char *number_text(const struct template_value *value)
{
    if (value->kind == TEMPLATE_FLOAT && isfinite(value->number))
        return oy_asprintf("%.4f", value->number);
    if (value->kind == TEMPLATE_FLOAT)
        return oy_strdup(isnan(value->number) ? "NaN"
                         : value->number > 0  ? "Infinity"
                                              : "-Infinity");
    return text_of(value, "");
}

static const char *arrow(const struct shown *shown,
                         const struct template_value *name,
                         const struct template_value *metric)
{
    const struct template_value *better =
        member(shown, "higher_is_better", name);

    better = better ? template_find(better, metric) : NULL;
    if (!better || better->kind != TEMPLATE_BOOL)
        return "";
    return better->integer ? "\u2191" : "\u2193";
}

/* "acc,none": the metric, and the filter behind the comma. NULL for errors
 * and for what is no metric. */
static const char *filter_of(struct oy_text key)
{
    const char *comma = key.len ? memchr(key.at, ',', key.len) : NULL;
    const size_t len = comma ? (size_t)(comma - key.at) : 0;

    if (!comma || (len >= 7 && !memcmp(comma - 7, "_stderr", 7)))
        return NULL;
    return comma;
}

static char *error_text(const struct template_value *result, struct oy_text key,
                        const char *comma)
{
    char *name = oy_asprintf("%.*s_stderr%.*s", (int)(comma - key.at), key.at,
                             (int)(key.at + key.len - comma), comma);
    const struct template_value *error = template_get(result, name);

    oy_free(name);
    if (!error)
        return oy_strdup("");
    return error->kind == TEMPLATE_STRING ? oy_strdup("   N/A")
                                          : number_text(error);
}

static void add_metric(struct shown *shown, const struct template_value *name,
                       const struct template_entry *entry, char *label,
                       char *version)
{
    const struct oy_text key = entry->key.text;
    const char *comma = filter_of(key);
    const struct template_value *result = template_find(shown->column, name);
    const struct template_value metric =
        template_string(key.at, (size_t)(comma - key.at));
    struct table *table = &shown->table;
    struct row *row;

    OY_GROW(table->row, table->cap_row, table->n_row + 1);
    row = &table->row[table->n_row++];
    row->cell[0] = label;
    row->cell[1] = version;
    row->cell[2] = oy_strndup(comma + 1, key.len - metric.text.len - 1);
    row->cell[3] = text_of(member(shown, "n-shot", name), " ");
    row->cell[4] = text_of(&metric, "");
    row->cell[5] = oy_strdup(arrow(shown, name, &metric));
    row->cell[6] = number_text(&entry->value);
    row->cell[8] = error_text(result, key, comma);
    row->cell[7] = oy_strdup(row->cell[8][0] ? "\u00b1" : "");
}

/* Metrics in the order of their names. */
static const struct template_entry *next_metric(
    const struct template_dict *dict, const struct template_entry *last)
{
    const struct template_entry *best = NULL;
    int order;

    for (size_t i = 0; i < dict->n_entry; i++) {
        const struct template_entry *entry = &dict->entry[i];
        if (!filter_of(entry->key.text))
            continue;
        template_compare(&entry->key, last ? &last->key : &entry->key, &order);
        if (last && order <= 0)
            continue;
        if (best)
            template_compare(&entry->key, &best->key, &order);
        if (!best || order < 0)
            best = entry;
    }
    return best;
}

static void add_rows(struct shown *shown, const struct template_value *name,
                     int depth)
{
    const struct template_value *result = template_find(shown->column, name);
    const struct template_entry *entry = NULL;
    char *alias;
    int first = 1;

    if (!result)
        return;
    alias = text_of(template_get(result, "alias"), "");
    while ((entry = next_metric(result->dict, entry)) != NULL) {
        add_metric(
            shown, name, entry,
            first ? oy_asprintf("%*s%s%s", depth, "", depth ? "- " : "", alias)
                  : oy_strdup(""),
            first ? text_of(member(shown, "versions", name), "    N/A")
                  : oy_strdup(""));
        first = 0;
    }
    oy_free(alias);
}

static int by_name(const void *a, const void *b)
{
    int order = 0;

    template_compare(a, b, &order);
    return order;
}

/* A sorted copy; free with oy_free. */
static struct template_value *sorted_names(const struct template_value *list)
{
    const size_t n = list->list->n_item;
    struct template_value *name = oy_alloc_array(n + 1, sizeof *name);

    if (n)
        memcpy(name, list->list->item, n * sizeof *name);
    qsort(name, n, sizeof *name, by_name);
    return name;
}

static void visit(struct shown *shown, const struct template_value *name,
                  int depth)
{
    const struct template_value *children =
        member(shown, "group_subtasks", name);

    add_rows(shown, name, depth);
    if (!children || depth > 16)
        return;
    struct template_value *child = sorted_names(children);
    for (size_t i = 0; i < children->list->n_item; i++)
        visit(shown, &child[i], depth + 1);
    oy_free(child);
}

static int is_child(const struct template_value *groups,
                    const struct template_value *name)
{
    for (size_t i = 0; i < groups->dict->n_entry; i++) {
        const struct template_value *children = &groups->dict->entry[i].value;
        for (size_t j = 0; j < children->list->n_item; j++) {
            if (template_equal(&children->list->item[j], name))
                return 1;
        }
    }
    return 0;
}

static void add_keys(const struct template_value *dict,
                     struct template_value *list, struct oy_arena *arena)
{
    for (size_t i = 0; i < dict->dict->n_entry; i++)
        template_push(list, arena, dict->dict->entry[i].key);
}

/* Trees of groups first, then tasks of no group, each by name. */
static void fill(struct shown *shown)
{
    const struct template_value *groups =
        template_get(shown->root, "group_subtasks");
    struct oy_arena arena = {0};

    for (int loose = 0; loose < 2; loose++) {
        struct template_value list = template_new_list(&arena);
        add_keys(loose ? shown->column : groups, &list, &arena);
        struct template_value *name = sorted_names(&list);
        for (size_t i = 0; i < list.list->n_item; i++) {
            if (is_child(groups, &name[i]) ||
                (loose && template_find(groups, &name[i])))
                continue;
            visit(shown, &name[i], 0);
        }
        oy_free(name);
    }
    oy_arena_release(&arena);
}

/* ---- layout ---- */

struct layout {
    size_t width;
    int is_number; /* every cell that is not blank */
    int decimals;  /* as many as any cell needs */
};

static int is_blank(const char *text)
{
    return text[strspn(text, " ")] == '\0';
}

static int is_number(const char *text)
{
    return strspn(text, "-0123456789.") == strlen(text) && strlen(text) > 0;
}

static int decimals_of(const char *text)
{
    const char *dot = strchr(text, '.');
    size_t n = dot ? strlen(dot + 1) : 0;

    while (n && dot[n] == '0')
        n--;
    return (int)n;
}

/* A number with the decimals of its column. */
static char *aligned_number(const char *text, const struct layout *layout)
{
    if (is_blank(text) || !layout->is_number)
        return oy_strdup(text);
    return oy_asprintf("%.*f", layout->decimals, strtod(text, NULL));
}

static size_t text_width(const char *text)
{
    return oy_utf8_count(text, strlen(text));
}

static void measure(struct table *table, int column, const char *title,
                    struct layout *layout)
{
    *layout = (struct layout){.width = text_width(title), .is_number = 0};
    for (size_t i = 0; i < table->n_row; i++)
        layout->is_number |= !is_blank(table->row[i].cell[column]);
    for (size_t i = 0; i < table->n_row; i++) {
        const char *cell = table->row[i].cell[column];
        if (is_blank(cell))
            continue;
        layout->is_number &= is_number(cell);
        if (layout->decimals < decimals_of(cell))
            layout->decimals = decimals_of(cell);
    }
    if (layout->width < MIN_WIDTH)
        layout->width = MIN_WIDTH;
    for (size_t i = 0; i < table->n_row; i++) {
        char *cell = aligned_number(table->row[i].cell[column], layout);
        oy_free(table->row[i].cell[column]);
        table->row[i].cell[column] = cell;
        if (layout->width < text_width(cell))
            layout->width = text_width(cell);
    }
}

static void put_spaces(size_t n, struct oy_buffer *out)
{
    while (n--)
        oy_buffer_append_char(out, ' ');
}

static void put_cell(const char *text, size_t before, size_t after,
                     struct oy_buffer *out)
{
    oy_buffer_append_char(out, '|');
    put_spaces(before, out);
    oy_buffer_append_string(out, text);
    put_spaces(after, out);
}

static void put_head(const char *const *title, const struct layout *layout,
                     struct oy_buffer *out)
{
    for (int c = 0; c < N_COLUMN; c++) {
        const size_t space = layout[c].width - text_width(title[c]);
        put_cell(title[c], space / 2, space - space / 2, out);
    }
    oy_buffer_append_string(out, "|\n");
    for (int c = 0; c < N_COLUMN; c++) {
        oy_buffer_append_char(out, '|');
        for (size_t i = 0; i + 1 < layout[c].width; i++)
            oy_buffer_append_char(out, '-');
        oy_buffer_append_char(out, layout[c].is_number ? ':' : '-');
    }
    oy_buffer_append_string(out, "|\n");
}

static void put_table(struct table *table, const char *first,
                      struct oy_buffer *out)
{
    const char *const title[N_COLUMN] = {first,    "Version", "Filter",
                                         "n-shot", "Metric",  "",
                                         "Value",  "",        "Stderr"};
    struct layout layout[N_COLUMN];

    for (int c = 0; c < N_COLUMN; c++)
        measure(table, c, title[c], &layout[c]);
    put_head(title, layout, out);
    for (size_t i = 0; i < table->n_row; i++) {
        for (int c = 0; c < N_COLUMN; c++) {
            const char *cell = table->row[i].cell[c];
            const size_t space = layout[c].width - text_width(cell);
            put_cell(cell, layout[c].is_number ? space : 0,
                     layout[c].is_number ? 0 : space, out);
        }
        oy_buffer_append_string(out, "|\n");
    }
}

static void release_table(struct table *table)
{
    for (size_t i = 0; i < table->n_row; i++) {
        for (int c = 0; c < N_COLUMN; c++)
            oy_free(table->row[i].cell[c]);
    }
    oy_free(table->row);
}

static void show(const struct template_value *root, const char *column,
                 const char *title, struct oy_buffer *out)
{
    struct shown shown = {.root = root, .column = template_get(root, column)};

    if (!shown.column)
        return;
    fill(&shown);
    if (out->len)
        oy_buffer_append_char(out, '\n');
    put_table(&shown.table, title, out);
    release_table(&shown.table);
}

void grade_put_table(struct grade *grade, struct oy_buffer *out)
{
    struct oy_arena arena = {0};
    const struct template_value root = result_build(grade, &arena);

    show(&root, "results", "Tasks", out);
    show(&root, "groups", "Groups", out);
    oy_arena_release(&arena);
}
