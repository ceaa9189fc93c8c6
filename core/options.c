/* SPDX-License-Identifier: Apache-2.0
 *
 * Command lines and config files into the values of a table. */
#include "core/options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/input.h"
#include "core/json.h"
#include "core/log.h"
#include "core/options_internal.h"

enum { MAX_CONFIG_SIZE = 16 << 20 };

/* Where a value came from; the higher wins. */
enum origin { FROM_DEFAULT, FROM_CONFIG, FROM_COMMAND_LINE };

struct oy_options_state {
    struct oy_arena arena; /* texts of --config, lists */
    struct oy_option_set set;
    unsigned char *origin; /* [set.n_item], enum origin */
};

/* One option as it stands on the command line. */
struct assignment {
    int index;         /* into the set */
    const char *value; /* NULL: none was given */
    int negated;       /* --no-NAME */
};

struct command_line {
    struct assignment *item;
    size_t n_item;
    size_t cap_item;
};

/* ---- the table ---- */

static const struct oy_option builtin[] = {
    {.name = "config",
     .type = OY_OPT_STRING,
     .metavar = "FILE",
     .help = "Take options from a JSON object of long names; those on the "
             "command line win."},
    {.name = "print-config",
     .type = OY_OPT_FLAG,
     .help = "Print all final values as JSON, fit for --config, and exit."},
    {.name = "version", .type = OY_OPT_FLAG, .help = "Print the version."},
    {.name = "help",
     .letter = 'h',
     .type = OY_OPT_FLAG,
     .help = "Print this text."},
    {.name = "print-man",
     .type = OY_OPT_FLAG,
     .flags = OY_OPT_HIDDEN,
     .help = "Print the manual page (mdoc)."},
    {.name = "print-completion",
     .type = OY_OPT_FLAG,
     .flags = OY_OPT_HIDDEN,
     .help = "Print completion code for bash."},
    {0},
};

/* `_` and `-` are one. */
static int same_name(const char *a, size_t len, const char *b)
{
    if (strlen(b) != len)
        return 0;
    for (size_t i = 0; i < len; i++) {
        const char x = a[i] == '_' ? '-' : a[i];
        const char y = b[i] == '_' ? '-' : b[i];
        if (x != y)
            return 0;
    }
    return 1;
}

static void add_table(struct oy_option_set *set, const struct oy_option *table)
{
    const int n_before = set->n_item;

    for (int i = 0; table && table[i].name; i++) {
        int taken = 0;
        for (int k = 0; k < n_before && !taken; k++)
            taken = !strcmp(set->item[k]->name, table[i].name);
        if (taken)
            continue;
        set->item = oy_realloc_array(set->item, (size_t)set->n_item + 1,
                                     sizeof *set->item);
        set->item[set->n_item++] = &table[i];
    }
}

void oy_option_set_init(struct oy_option_set *set,
                        const struct oy_program *program)
{
    *set = (struct oy_option_set){0};
    add_table(set, program->option);
    set->n_own = set->n_item;
    add_table(set, program->common);
    set->n_valued = set->n_item;
    add_table(set, builtin);
}

void oy_option_set_release(struct oy_option_set *set)
{
    oy_free(set->item);
    *set = (struct oy_option_set){0};
}

/* Exact spelling first: `log_samples` and `log-samples` may be two. */
static int find_long(const struct oy_option_set *set, const char *name,
                     size_t len)
{
    for (int i = 0; i < set->n_item; i++) {
        if (strlen(set->item[i]->name) == len &&
            !memcmp(set->item[i]->name, name, len))
            return i;
    }
    for (int i = 0; i < set->n_item; i++) {
        if (same_name(name, len, set->item[i]->name))
            return i;
    }
    return -1;
}

static int find_letter(const struct oy_option_set *set, char letter)
{
    for (int i = 0; i < set->n_item; i++) {
        if (set->item[i]->letter == letter)
            return i;
    }
    return -1;
}

const char *oy_option_choice(const char *range, int index, size_t *len)
{
    for (; index > 0; index--) {
        range = strchr(range, '|');
        if (!range)
            return NULL;
        range++;
    }
    *len = strcspn(range, "|");
    return range;
}

/* ---- numbers ---- */

/* Digits, a fraction, a letter: DIGITS * base^power / 10^places. */
struct scaled {
    unsigned __int128 digits;
    int places;
    int power;
};

static int scan_scaled(const char *text, struct scaled *scaled)
{
    static const char letter[] = "KMGT";
    int n_digit = 0, point = 0;

    *scaled = (struct scaled){0};
    for (; (*text >= '0' && *text <= '9') || (*text == '.' && !point); text++) {
        if (*text == '.') {
            point = 1;
            continue;
        }
        if (++n_digit > 20)
            return -1;
        scaled->digits = scaled->digits * 10 + (unsigned)(*text - '0');
        scaled->places += point;
    }
    if (!n_digit)
        return -1;
    const char upper = *text >= 'a' ? (char)(*text - 'a' + 'A') : *text;
    const char *found = upper ? strchr(letter, upper) : NULL;
    if (found) {
        scaled->power = (int)(found - letter) + 1;
        text++;
    }
    return *text ? -1 : 0;
}

/* 20 digits times 2^40 fit in 128 bits. -1 unless it fits in 64. */
static int resolve_scaled(const struct scaled *scaled, unsigned base,
                          int must_be_whole, uint64_t *number)
{
    unsigned __int128 value = scaled->digits, divisor = 1;

    for (int i = 0; i < scaled->power; i++)
        value *= base;
    for (int i = 0; i < scaled->places; i++)
        divisor *= 10;
    if ((must_be_whole && value % divisor) || value / divisor > UINT64_MAX)
        return -1;
    *number = (uint64_t)(value / divisor);
    return 0;
}

int oy_parse_size(const char *text, uint64_t *size)
{
    struct scaled scaled;

    return scan_scaled(text, &scaled) ? -1
                                      : resolve_scaled(&scaled, 1024, 0, size);
}

int oy_parse_count(const char *text, int64_t *count)
{
    struct scaled scaled;
    uint64_t size;
    const int negative = *text == '-';

    if (scan_scaled(text + (negative || *text == '+'), &scaled) ||
        resolve_scaled(&scaled, 1000, 1, &size) || size > INT64_MAX)
        return -1;
    *count = negative ? -(int64_t)size : (int64_t)size;
    return 0;
}

static int parse_double(const char *text, double *number)
{
    char *end;

    *number = strtod(text, &end);
    return *text && !*end && isfinite(*number) ? 0 : -1;
}

/* ---- one value ---- */

/* A number of any of the three types, comparable. */
union number {
    int64_t count;
    uint64_t size;
    double real;
};

static int parse_number(enum oy_option_type type, const char *text,
                        union number *number)
{
    if (type == OY_OPT_INT)
        return oy_parse_count(text, &number->count);
    if (type == OY_OPT_SIZE)
        return oy_parse_size(text, &number->size);
    return parse_double(text, &number->real);
}

static int is_less(enum oy_option_type type, union number a, union number b)
{
    if (type == OY_OPT_INT)
        return a.count < b.count;
    if (type == OY_OPT_SIZE)
        return a.size < b.size;
    return a.real < b.real;
}

/* One half of "MIN:MAX"; 0 when it is empty. */
static int range_bound(const struct oy_option *option, int upper,
                       union number *bound)
{
    char text[40];
    const char *colon = strchr(option->range, ':');

    OY_ASSERT(colon);
    const char *from = upper ? colon + 1 : option->range;
    const size_t len = upper ? strlen(from) : (size_t)(colon - from);
    OY_ASSERT(len < sizeof text);
    memcpy(text, from, len);
    text[len] = '\0';
    if (!len)
        return 0;
    const int status = parse_number(option->type, text, bound);
    OY_ASSERT(!status);
    return 1;
}

static int is_in_range(const struct oy_option *option, union number number)
{
    union number bound;

    if (range_bound(option, 0, &bound) && is_less(option->type, number, bound))
        return 0;
    return !range_bound(option, 1, &bound) ||
           !is_less(option->type, bound, number);
}

/* A default may lie outside the range, to mean "not given"; it may then be
 * given too, as a printed config does. */
static int is_current(const struct oy_option *option, union number number)
{
    if (option->type == OY_OPT_INT)
        return *(int64_t *)option->value == number.count;
    if (option->type == OY_OPT_SIZE)
        return *(uint64_t *)option->value == number.size;
    return !(*(double *)option->value < number.real) &&
           !(*(double *)option->value > number.real);
}

static int fail_range(const struct oy_option *option, const char *text,
                      struct oy_error *err)
{
    const int min_len = (int)strcspn(option->range, ":");
    const char *max = option->range + min_len + 1;
    const char *name = option->name;

    if (!min_len)
        return oy_fail(err, OY_USAGE, "option '--%s': '%s' is more than %s",
                       name, text, max);
    if (!*max)
        return oy_fail(err, OY_USAGE, "option '--%s': '%s' is less than %.*s",
                       name, text, min_len, option->range);
    return oy_fail(err, OY_USAGE, "option '--%s': '%s' is not in %.*s to %s",
                   name, text, min_len, option->range, max);
}

static int set_number(const struct oy_option *option, const char *text,
                      struct oy_error *err)
{
    union number number;

    if (parse_number(option->type, text, &number))
        return oy_fail(err, OY_USAGE, "option '--%s': '%s' is not a %s",
                       option->name, text,
                       option->type == OY_OPT_SIZE  ? "size"
                       : option->type == OY_OPT_INT ? "whole number"
                                                    : "number");
    if (option->range && !is_current(option, number) &&
        !is_in_range(option, number))
        return fail_range(option, text, err);
    if (option->type == OY_OPT_INT)
        *(int64_t *)option->value = number.count;
    else if (option->type == OY_OPT_SIZE)
        *(uint64_t *)option->value = number.size;
    else
        *(double *)option->value = number.real;
    return 0;
}

static int set_choice(const struct oy_option *option, const char *text,
                      struct oy_error *err)
{
    size_t len;

    for (int i = 0;; i++) {
        const char *choice = oy_option_choice(option->range, i, &len);
        if (!choice)
            break;
        if (same_name(choice, len, text)) {
            *(int *)option->value = i;
            return 0;
        }
    }
    return oy_fail(err, OY_USAGE, "option '--%s': '%s' is not one of %s",
                   option->name, text, option->range);
}

static int set_flag(const struct oy_option *option, const char *text,
                    struct oy_error *err)
{
    if (strcmp(text, "true") && strcmp(text, "false"))
        return oy_fail(err, OY_USAGE,
                       "option '--%s': '%s' is not true or false", option->name,
                       text);
    *(int *)option->value = *text == 't';
    return 0;
}

void oy_list_add(struct oy_list *list, const char *item)
{
    OY_GROW(list->item, list->cap_item, list->n_item + 1);
    list->item[list->n_item++] = item;
}

void oy_list_release(struct oy_list *list)
{
    oy_free(list->item);
    *list = (struct oy_list){0};
}

static int set_value(const struct oy_option *option, const char *text,
                     struct oy_error *err)
{
    switch (option->type) {
    case OY_OPT_FLAG: return set_flag(option, text, err);
    case OY_OPT_INT:
    case OY_OPT_SIZE:
    case OY_OPT_DOUBLE: return set_number(option, text, err);
    case OY_OPT_CHOICE: return set_choice(option, text, err);
    case OY_OPT_STRING: *(const char **)option->value = text; return 0;
    case OY_OPT_LIST: oy_list_add(option->value, text); return 0;
    }
    return 0;
}

/* Notes the origin; what an earlier origin put into a list goes. */
static void claim(struct oy_options_state *state, int index, enum origin origin)
{
    const struct oy_option *option = state->set.item[index];

    if (option->type == OY_OPT_LIST && state->origin[index] < origin)
        ((struct oy_list *)option->value)->n_item = 0;
    state->origin[index] = (unsigned char)origin;
}

/* ---- the command line ---- */

static size_t distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
    size_t row[64];

    if (n_a >= 64 || n_b >= 64)
        return 64;
    for (size_t k = 0; k <= n_b; k++)
        row[k] = k;
    for (size_t i = 1; i <= n_a; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t k = 1; k <= n_b; k++) {
            size_t best = corner + (a[i - 1] != b[k - 1]);
            corner = row[k];
            best = best < row[k] + 1 ? best : row[k] + 1;
            row[k] = best < row[k - 1] + 1 ? best : row[k - 1] + 1;
        }
    }
    return row[n_b];
}

static int fail_unknown(const struct oy_option_set *set, const char *name,
                        size_t len, struct oy_error *err)
{
    const char *near = NULL;
    size_t least = len < 5 ? 2 : 3;

    for (int i = 0; i < set->n_item; i++) {
        const char *other = set->item[i]->name;
        const size_t n = distance(name, len, other, strlen(other));
        if (n < least && !(set->item[i]->flags & OY_OPT_HIDDEN)) {
            least = n;
            near = other;
        }
    }
    if (near)
        return oy_fail(err, OY_USAGE,
                       "unknown option '--%.*s' (is '--%s' "
                       "meant?)",
                       (int)len, name, near);
    return oy_fail(err, OY_USAGE, "unknown option '--%.*s'", (int)len, name);
}

static void add_assignment(struct command_line *line, int index,
                           const char *value, int negated)
{
    OY_GROW(line->item, line->cap_item, line->n_item + 1);
    line->item[line->n_item++] =
        (struct assignment){.index = index, .value = value, .negated = negated};
}

/* Whether the next argument is left alone by an option whose value may be
 * missing. */
static int leaves_value(const struct oy_option *option, const char *spelling,
                        size_t len, const char *next)
{
    return (option->flags & OY_OPT_VALUE_OPTIONAL) &&
           (!next || (next[0] == '-' && next[1]) || memchr(spelling, '_', len));
}

/* Takes argv[*at], which begins with "--". */
static int take_long(const struct oy_option_set *set, char **argv, int *at,
                     struct command_line *line, struct oy_error *err)
{
    const char *name = argv[*at] + 2;
    const size_t len = strcspn(name, "=");
    const char *value = name[len] ? name + len + 1 : NULL;
    int index = find_long(set, name, len), negated = 0;

    if (index < 0 && len > 3 &&
        (!strncmp(name, "no-", 3) || !strncmp(name, "no_", 3))) {
        index = find_long(set, name + 3, len - 3);
        negated = 1;
        if (index >= 0 && set->item[index]->type != OY_OPT_FLAG)
            index = -1;
    }
    if (index < 0)
        return fail_unknown(set, name, len, err);
    const struct oy_option *option = set->item[index];
    if (option->type == OY_OPT_FLAG && value)
        return oy_fail(err, OY_USAGE, "option '--%s' takes no value",
                       option->name);
    if (option->type != OY_OPT_FLAG && !value) {
        if (leaves_value(option, name, len, argv[*at + 1]))
            value = "";
        else
            value = argv[++*at];
    }
    if (option->type != OY_OPT_FLAG && !value)
        return oy_fail(err, OY_USAGE, "option '--%s' needs a value",
                       option->name);
    add_assignment(line, index, value, negated);
    return 0;
}

/* Takes argv[*at], which begins with one "-" and has letters behind. */
static int take_letters(const struct oy_option_set *set, char **argv, int *at,
                        struct command_line *line, struct oy_error *err)
{
    for (const char *c = argv[*at] + 1; *c; c++) {
        const int index = find_letter(set, *c);
        if (index < 0)
            return oy_fail(err, OY_USAGE, "unknown option '-%c'", *c);
        if (set->item[index]->type == OY_OPT_FLAG) {
            add_assignment(line, index, NULL, 0);
            continue;
        }
        const char *value = c[1] ? c + 1 : argv[++*at];
        if (!value)
            return oy_fail(err, OY_USAGE, "option '--%s' needs a value",
                           set->item[index]->name);
        add_assignment(line, index, value, 0);
        return 0;
    }
    return 0;
}

static int scan_arguments(const struct oy_option_set *set, int argc,
                          char **argv, struct command_line *line,
                          struct oy_list *operand, struct oy_error *err)
{
    int only_operands = 0;

    for (int at = 1; at < argc; at++) {
        int status = 0;

        if (only_operands || argv[at][0] != '-' || !argv[at][1])
            oy_list_add(operand, argv[at]);
        else if (!strcmp(argv[at], "--"))
            only_operands = 1;
        else if (argv[at][1] == '-')
            status = take_long(set, argv, &at, line, err);
        else
            status = take_letters(set, argv, &at, line, err);
        if (status)
            return -1;
    }
    return 0;
}

/* ---- config files ---- */

/* The value as it would stand on a command line; NULL when it cannot, as with
 * a NUL inside. Lives in the arena. */
static const char *config_text(const struct oy_json_value *value,
                               struct oy_arena *arena)
{
    struct oy_text text;
    uint64_t n_repaired = 0;
    const char *why;

    if (value->kind != OY_JSON_STRING)
        return oy_arena_copy(arena, value->at, value->len);
    if (oy_json_text(value, arena, &text, &n_repaired, &why) ||
        memchr(text.at, 0, text.len))
        return NULL;
    return oy_arena_copy(arena, text.at, text.len);
}

static int fits_option(const struct oy_option *option,
                       const struct oy_json_value *value)
{
    switch (value->kind) {
    case OY_JSON_STRING: return option->type != OY_OPT_FLAG;
    case OY_JSON_NUMBER: return option->type != OY_OPT_FLAG;
    case OY_JSON_TRUE:
    case OY_JSON_FALSE: return option->type == OY_OPT_FLAG;
    default: return 0;
    }
}

static int set_from_config(struct oy_options_state *state, int index,
                           const struct oy_json_value *value,
                           struct oy_error *err)
{
    const struct oy_option *option = state->set.item[index];
    const char *text =
        fits_option(option, value) ? config_text(value, &state->arena) : NULL;

    if (!text)
        return oy_fail(err, OY_USAGE, "option '--%s': unfit value %.*s",
                       option->name, value->len < 60 ? (int)value->len : 60,
                       value->at);
    claim(state, index, FROM_CONFIG);
    return set_value(option, text, err);
}

static int set_list_from_config(struct oy_options_state *state, int index,
                                const struct oy_json_value *array,
                                struct oy_error *err)
{
    struct oy_json_cursor cursor;
    struct oy_json_value value;

    claim(state, index, FROM_CONFIG);
    ((struct oy_list *)state->set.item[index]->value)->n_item = 0;
    oy_json_enter(&cursor, array);
    while (oy_json_next_element(&cursor, &value) > 0) {
        if (set_from_config(state, index, &value, err))
            return -1;
    }
    return 0;
}

static int set_config_member(struct oy_options_state *state,
                             const struct oy_json_value *key,
                             const struct oy_json_value *value,
                             struct oy_error *err)
{
    const char *name = config_text(key, &state->arena);
    const int index = name ? find_long(&state->set, name, strlen(name)) : -1;

    if (!name)
        return oy_fail(err, OY_USAGE, "unfit name of an option");
    if (index < 0)
        return fail_unknown(&state->set, name, strlen(name), err);
    if (index >= state->set.n_valued)
        return oy_fail(err, OY_USAGE, "option '--%s' cannot stand here", name);
    if (value->kind == OY_JSON_NULL)
        return 0;
    if (value->kind == OY_JSON_ARRAY &&
        state->set.item[index]->type == OY_OPT_LIST)
        return set_list_from_config(state, index, value, err);
    return set_from_config(state, index, value, err);
}

static int apply_config(struct oy_options_state *state, const char *path,
                        struct oy_error *err)
{
    struct oy_json_value document, key, value;
    struct oy_json_cursor cursor;
    const char *why;
    size_t len, where;
    char *text = oy_input_slurp(path, MAX_CONFIG_SIZE, &len, err);
    int status = -1;

    if (!text)
        return -1;
    if (oy_json_validate(text, len, &why, &where)) {
        oy_fail(err, OY_DATA, "%s: %s at byte %zu", path, why, where);
        goto out;
    }
    if (oy_json_value_of(text, len, &document, &why) ||
        document.kind != OY_JSON_OBJECT) {
        oy_fail(err, OY_DATA, "%s: not a JSON object", path);
        goto out;
    }
    oy_json_enter(&cursor, &document);
    while (oy_json_next_member(&cursor, &key, &value) > 0) {
        if (set_config_member(state, &key, &value, err)) {
            oy_fail_at(err, "%s", path);
            goto out;
        }
    }
    status = 0;
out:
    oy_free(text);
    return status;
}

/* ---- all together ---- */

static void print_and_exit(struct oy_buffer *out) __attribute__((noreturn));

static void print_and_exit(struct oy_buffer *out)
{
    struct oy_error err = {0};

    if (fwrite(out->data, 1, out->len, stdout) != out->len || fflush(stdout)) {
        oy_fail_errno(&err, OY_IO, "stdout");
        oy_log_error(&err);
    }
    exit(err.code);
}

static int was_given(const struct oy_option_set *set,
                     const struct command_line *line, const char *name)
{
    for (size_t i = 0; i < line->n_item; i++) {
        if (!strcmp(set->item[line->item[i].index]->name, name))
            return 1;
    }
    return 0;
}

/* The built-in options that print, before any value is changed. */
static void answer(const struct oy_program *program,
                   const struct oy_option_set *set,
                   const struct command_line *line)
{
    struct oy_buffer out = {0};

    if (was_given(set, line, "help"))
        oy_option_print_help(program, &out);
    else if (was_given(set, line, "version"))
        oy_buffer_append_format(&out, "%s (Oyster) %s\n", program->name,
                                OYSTER_VERSION);
    else if (was_given(set, line, "print-man"))
        oy_option_print_man(program, &out);
    else if (was_given(set, line, "print-completion"))
        oy_option_print_completion(program, &out);
    if (out.len)
        print_and_exit(&out);
}

static int apply_configs(struct oy_options_state *state,
                         const struct command_line *line, struct oy_error *err)
{
    for (size_t i = 0; i < line->n_item; i++) {
        const struct oy_option *option = state->set.item[line->item[i].index];
        if (!strcmp(option->name, "config") &&
            apply_config(state, line->item[i].value, err))
            return -1;
    }
    return 0;
}

static int apply_line(struct oy_options_state *state,
                      const struct command_line *line, struct oy_error *err)
{
    for (size_t i = 0; i < line->n_item; i++) {
        const struct assignment *item = &line->item[i];
        const struct oy_option *option = state->set.item[item->index];

        if (item->index >= state->set.n_valued)
            continue;
        claim(state, item->index, FROM_COMMAND_LINE);
        if (option->type == OY_OPT_FLAG)
            *(int *)option->value = !item->negated;
        else if (set_value(option, item->value, err))
            return -1;
    }
    return 0;
}

int oy_options_parse(struct oy_program *program, int argc, char **argv,
                     struct oy_list *operand, struct oy_error *err)
{
    struct oy_options_state *state = oy_calloc(1, sizeof *state);
    struct command_line line = {0};
    struct oy_buffer out = {0};
    int status;

    program->state = state;
    oy_option_set_init(&state->set, program);
    state->origin = oy_calloc((size_t)state->set.n_item, 1);
    status = scan_arguments(&state->set, argc, argv, &line, operand, err);
    if (!status)
        answer(program, &state->set, &line);
    if (!status)
        status = apply_configs(state, &line, err);
    if (!status)
        status = apply_line(state, &line, err);
    if (!status && was_given(&state->set, &line, "print-config")) {
        oy_options_put_json(program, 0, &out);
        oy_buffer_append_char(&out, '\n');
        print_and_exit(&out);
    }
    oy_free(line.item);
    return status;
}

void oy_options_release(struct oy_program *program)
{
    struct oy_options_state *state = program->state;

    if (!state)
        return;
    for (int i = 0; i < state->set.n_valued; i++) {
        if (state->set.item[i]->type == OY_OPT_LIST)
            oy_list_release(state->set.item[i]->value);
    }
    oy_option_set_release(&state->set);
    oy_arena_release(&state->arena);
    oy_free(state->origin);
    oy_free(state);
    program->state = NULL;
}

int oy_options_given(const struct oy_program *program, const char *name)
{
    const struct oy_options_state *state = program->state;
    const int index = find_long(&state->set, name, strlen(name));

    OY_ASSERT(index >= 0);
    return state->origin[index] != FROM_DEFAULT;
}

/* ---- values as JSON ---- */

static void put_string(const char *text, struct oy_buffer *out)
{
    if (text)
        oy_json_put_name(out, text);
    else
        oy_buffer_append_string(out, "null");
}

static void put_list(const struct oy_list *list, struct oy_buffer *out)
{
    oy_buffer_append_char(out, '[');
    for (size_t i = 0; i < list->n_item; i++) {
        if (i)
            oy_buffer_append_string(out, ", ");
        put_string(list->item[i], out);
    }
    oy_buffer_append_char(out, ']');
}

static void put_choice(const struct oy_option *option, struct oy_buffer *out)
{
    size_t len;
    const char *choice =
        oy_option_choice(option->range, *(int *)option->value, &len);

    if (*(int *)option->value < 0 || !choice)
        oy_buffer_append_string(out, "null");
    else
        oy_json_put_string(out, choice, len);
}

void oy_option_put_json(const struct oy_option *option, struct oy_buffer *out)
{
    const void *value = option->value;

    switch (option->type) {
    case OY_OPT_FLAG:
        oy_buffer_append_string(out, *(const int *)value ? "true" : "false");
        break;
    case OY_OPT_INT: oy_json_put_int(out, *(const int64_t *)value); break;
    case OY_OPT_SIZE:
        oy_buffer_append_format(out, "%llu",
                                *(const unsigned long long *)value);
        break;
    case OY_OPT_DOUBLE: oy_json_put_double(out, *(const double *)value); break;
    case OY_OPT_STRING: put_string(*(const char *const *)value, out); break;
    case OY_OPT_LIST: put_list(value, out); break;
    case OY_OPT_CHOICE: put_choice(option, out); break;
    }
}

void oy_options_put_json(const struct oy_program *program, int manifest_only,
                         struct oy_buffer *out)
{
    struct oy_option_set set;
    const char *before = "{\n  ";

    oy_option_set_init(&set, program);
    for (int i = 0; i < set.n_valued; i++) {
        const struct oy_option *option = set.item[i];
        if (manifest_only && !(option->flags & OY_OPT_IN_MANIFEST))
            continue;
        oy_buffer_append_string(out, before);
        put_string(option->name, out);
        oy_buffer_append_string(out, ": ");
        oy_option_put_json(option, out);
        before = ",\n  ";
    }
    oy_buffer_append_string(out, *before == '{' ? "{}" : "\n}");
    oy_option_set_release(&set);
}
