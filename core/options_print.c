/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of options as --help, as a manual page, as bash completion. */
#include <string.h>

#include "core/json.h"
#include "core/options_internal.h"

enum {
    WIDTH = 79,        /* of --help */
    TEXT_COLUMN = 28,  /* where its explanations begin, at most */
    SOURCE_WIDTH = 72, /* lines of a manual's source */
};

/* mdoc(7) wants a date; that of the manual's form is as old as all pages. */
#define MANUAL_DATE "November 23, 2026"

/* ---- parts of an option's line ---- */

static int takes_value(const struct oy_option *option)
{
    return option->type != OY_OPT_FLAG;
}

/* "FILE", "stop|skip", or what the type suggests. */
static const char *metavar(const struct oy_option *option)
{
    if (option->metavar)
        return option->metavar;
    switch (option->type) {
    case OY_OPT_CHOICE: return option->range;
    case OY_OPT_INT: return "N";
    case OY_OPT_SIZE: return "SIZE";
    case OY_OPT_DOUBLE: return "X";
    default: return "TEXT";
    }
}

/* "-o, --output FILE" */
static void put_label(const struct oy_option *option, struct oy_buffer *out)
{
    if (option->letter)
        oy_buffer_append_format(out, "-%c, ", option->letter);
    else
        oy_buffer_append_string(out, "    ");
    oy_buffer_append_format(out, "--%s", option->name);
    if (!takes_value(option))
        return;
    if (option->flags & OY_OPT_VALUE_OPTIONAL)
        oy_buffer_append_format(out, "[=%s]", metavar(option));
    else
        oy_buffer_append_format(out, " %s", metavar(option));
}

/* 268435456 as "256M", if that is exact. */
static void put_size(uint64_t size, struct oy_buffer *out)
{
    static const char letter[] = "KMGT";
    int power = 0;

    while (size && size % 1024 == 0 && power < 4) {
        size /= 1024;
        power++;
    }
    oy_buffer_append_format(out, "%llu", (unsigned long long)size);
    if (power)
        oy_buffer_append_char(out, letter[power - 1]);
}

static void put_default_list(const struct oy_list *list, struct oy_buffer *out)
{
    for (size_t i = 0; i < list->n_item; i++)
        oy_buffer_append_format(out, "%s%s", i ? ", " : "", list->item[i]);
}

/* The default as a user would type it; nothing when there is none. */
static void put_default(const struct oy_option *option, struct oy_buffer *out)
{
    size_t len;
    const char *text;

    switch (option->type) {
    case OY_OPT_FLAG:
        if (*(const int *)option->value)
            oy_buffer_append_string(out, "on");
        break;
    case OY_OPT_SIZE: put_size(*(const uint64_t *)option->value, out); break;
    case OY_OPT_STRING:
        text = *(const char *const *)option->value;
        oy_buffer_append_string(out, text ? text : "");
        break;
    case OY_OPT_LIST: put_default_list(option->value, out); break;
    case OY_OPT_CHOICE:
        if (*(const int *)option->value < 0)
            break;
        text =
            oy_option_choice(option->range, *(const int *)option->value, &len);
        oy_buffer_append(out, text, text ? len : 0);
        break;
    default: oy_option_put_json(option, out);
    }
}

/* The sentences, with the default before the last full stop. */
static void put_help(const struct oy_option *option, struct oy_buffer *out)
{
    size_t len = strlen(option->help);
    struct oy_buffer value = {0};

    if (option->value && !strstr(option->help, "default"))
        put_default(option, &value);
    while (value.len && len && option->help[len - 1] == '.')
        len--;
    oy_buffer_append(out, option->help, len);
    if (value.len)
        oy_buffer_append_format(out, " (default: %s).",
                                oy_buffer_string(&value));
    oy_buffer_release(&value);
}

/* ---- --help ---- */

/* Columns that UTF-8 text takes, near enough: its code points. */
static size_t text_width(const char *text, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)text[i] & 0xc0) != 0x80;
    return n;
}

static void put_spaces(struct oy_buffer *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        oy_buffer_append_char(out, ' ');
}

/* Words from `column` on, lines after the first from `indent` on; ends with a
 * newline. */
static void put_wrapped(struct oy_buffer *out, const char *text, size_t indent,
                        size_t column)
{
    int at_start = 1;

    for (;;) {
        text += strspn(text, " \n");
        const size_t len = strcspn(text, " \n");
        const size_t width = text_width(text, len);
        if (!len)
            break;
        if (!at_start && column + 1 + width > WIDTH) {
            oy_buffer_append_char(out, '\n');
            put_spaces(out, indent);
            column = indent;
        } else if (!at_start) {
            oy_buffer_append_char(out, ' ');
            column++;
        }
        oy_buffer_append(out, text, len);
        column += width;
        text += len;
        at_start = 0;
    }
    oy_buffer_append_char(out, '\n');
}

static size_t label_width(const struct oy_option *option)
{
    struct oy_buffer label = {0};

    put_label(option, &label);
    const size_t width = label.len;
    oy_buffer_release(&label);
    return width;
}

/* Where explanations begin: behind the widest label that is not too wide. */
static size_t text_column(const struct oy_option_set *set)
{
    size_t column = 0;

    for (int i = 0; i < set->n_item; i++) {
        const size_t end = 2 + label_width(set->item[i]) + 2;
        if (end <= TEXT_COLUMN && end > column)
            column = end;
    }
    return column;
}

static void put_option(const struct oy_option *option, size_t column,
                       struct oy_buffer *out)
{
    const size_t end = 2 + label_width(option);
    struct oy_buffer help = {0};

    oy_buffer_append_string(out, "  ");
    put_label(option, out);
    if (end + 2 > column) {
        oy_buffer_append_char(out, '\n');
        put_spaces(out, column);
    } else {
        put_spaces(out, column - end);
    }
    put_help(option, &help);
    put_wrapped(out, oy_buffer_string(&help), column, column);
    oy_buffer_release(&help);
}

static void put_group(const struct oy_option_set *set, int from, int to,
                      const char *title, struct oy_buffer *out)
{
    const size_t column = text_column(set);
    int n_shown = 0;

    for (int i = from; i < to; i++) {
        if (set->item[i]->flags & OY_OPT_HIDDEN)
            continue;
        if (!n_shown++)
            oy_buffer_append_format(out, "\n%s:\n", title);
        put_option(set->item[i], column, out);
    }
}

void oy_option_print_help(const struct oy_program *program,
                          struct oy_buffer *out)
{
    struct oy_option_set set;

    oy_option_set_init(&set, program);
    oy_buffer_append_format(out, "Usage: %s ", program->name);
    put_wrapped(out, program->synopsis, 7 + strlen(program->name) + 1,
                7 + strlen(program->name) + 1);
    put_wrapped(out, program->summary, 0, 0);
    put_group(&set, 0, set.n_own, "Options", out);
    put_group(&set, set.n_own, set.n_item,
              program->common ? "Common options" : "General options", out);
    oy_option_set_release(&set);
}

/* ---- the manual page, mdoc(7) ---- */

/* One word of running text: backslashes and leading dots are escaped, and
 * dashes of options stay dashes when copied from the page. */
static void put_man_word(struct oy_buffer *out, const char *word, size_t len,
                         int at_line_start)
{
    if (at_line_start && (*word == '.' || *word == '\''))
        oy_buffer_append_string(out, "\\&");
    for (size_t i = 0; i < len; i++) {
        if (word[i] == '\\')
            oy_buffer_append_string(out, "\\e");
        else if (word[i] == '-' && (i == 0 || strchr("-'([", word[i - 1])))
            oy_buffer_append_string(out, "\\-");
        else
            oy_buffer_append_char(out, word[i]);
    }
}

static int ends_sentence(const char *word, size_t len)
{
    if (len >= 3 && (!memcmp(word + len - 3, "...", 3) ||
                     !memcmp(word + len - 3, ".g.", 3)))
        return 0;
    while (len > 1 && strchr(")'\"", word[len - 1]))
        len--;
    return strchr(".?!", word[len - 1]) != NULL;
}

/* Running text; each sentence begins a line, as mdoc wants it. */
static void put_man_text(struct oy_buffer *out, const char *text, size_t size)
{
    const char *end = text + size;
    size_t column = 0;

    while (text < end) {
        size_t len = 0;

        if (*text == ' ' || *text == '\n') {
            text++;
            continue;
        }
        while (text + len < end && text[len] != ' ' && text[len] != '\n')
            len++;
        if (column && column + len >= SOURCE_WIDTH) {
            oy_buffer_append_char(out, '\n');
            column = 0;
        } else if (column) {
            oy_buffer_append_char(out, ' ');
        }
        put_man_word(out, text, len, !column);
        column += len + 1;
        if (ends_sentence(text, len)) {
            oy_buffer_append_char(out, '\n');
            column = 0;
        }
        text += len;
    }
    if (column)
        oy_buffer_append_char(out, '\n');
}

/* An argument of a macro, in quotes, which also takes the meaning from words
 * that are macros' names. */
static void put_man_argument(struct oy_buffer *out, const char *text)
{
    oy_buffer_append_char(out, '"');
    for (; *text; text++) {
        if (*text == '"')
            oy_buffer_append_string(out, "\\(dq");
        else if (*text == '\\')
            oy_buffer_append_string(out, "\\e");
        else
            oy_buffer_append_char(out, *text);
    }
    oy_buffer_append_char(out, '"');
}

static void put_man_example(struct oy_buffer *out, const char *text, size_t len)
{
    oy_buffer_append_string(out, ".Bd -literal -offset indent\n");
    for (size_t at = 0; at < len;) {
        const char *line = text + at;
        const char *newline = memchr(line, '\n', len - at);
        size_t n = newline ? (size_t)(newline - line) : len - at;

        at += n + 1;
        while (n && *line == ' ') {
            line++;
            n--;
        }
        if (*line == '.' || *line == '\'')
            oy_buffer_append_string(out, "\\&");
        for (size_t i = 0; i < n; i++) {
            if (line[i] == '\\')
                oy_buffer_append_string(out, "\\e");
            else if (line[i] == '-')
                oy_buffer_append_string(out, "\\-");
            else
                oy_buffer_append_char(out, line[i]);
        }
        oy_buffer_append_char(out, '\n');
    }
    oy_buffer_append_string(out, ".Ed\n");
}

static void put_man_description(struct oy_buffer *out, const char *text)
{
    int was_text = 0;

    while (*text) {
        const char *end = strstr(text, "\n\n");
        const size_t len = end ? (size_t)(end - text) : strlen(text);

        if (!strncmp(text, "    ", 4)) {
            put_man_example(out, text, len);
            was_text = 1;
        } else {
            if (was_text)
                oy_buffer_append_string(out, ".Pp\n");
            put_man_text(out, text, len);
            was_text = 1;
        }
        text += len;
        text += strspn(text, "\n");
    }
}

static void put_man_value(const struct oy_option *option, struct oy_buffer *out)
{
    if (!takes_value(option))
        return;
    if (option->flags & OY_OPT_VALUE_OPTIONAL)
        oy_buffer_append_string(out, " Ns Oo = Ns Ar ");
    else
        oy_buffer_append_string(out, " Ar ");
    put_man_argument(out, metavar(option));
    if (option->flags & OY_OPT_VALUE_OPTIONAL)
        oy_buffer_append_string(out, " Oc");
}

static void put_man_group(const struct oy_option_set *set, int from, int to,
                          struct oy_buffer *out)
{
    struct oy_buffer help = {0};

    oy_buffer_append_string(out, ".Bl -tag -width Ds\n");
    for (int i = from; i < to; i++) {
        const struct oy_option *option = set->item[i];
        if (option->flags & OY_OPT_HIDDEN)
            continue;
        oy_buffer_append_string(out, ".It ");
        if (option->letter)
            oy_buffer_append_format(out, "Fl %c , ", option->letter);
        oy_buffer_append_format(out, "Fl \\-%s", option->name);
        put_man_value(option, out);
        oy_buffer_append_char(out, '\n');
        oy_buffer_clear(&help);
        put_help(option, &help);
        put_man_text(out, help.data, help.len);
    }
    oy_buffer_append_string(out, ".El\n");
    oy_buffer_release(&help);
}

static void put_man_exits(struct oy_buffer *out)
{
    static const struct {
        int code;
        const char *meaning;
    } row[] = {
        {OY_OK, "All is done; or bad records were skipped as asked."},
        {OY_NO, "The answer is no: a regression, a fault that was found."},
        {OY_USAGE, "Unknown option, value out of range, contradictory "
                   "options, a required choice not made."},
        {OY_DATA, "Truncated or corrupt input, a bad record, files that do "
                  "not fit each other."},
        {OY_NOINPUT, "A named file does not exist or may not be read."},
        {OY_UNAVAILABLE, "An endpoint or scheduler does not answer."},
        {OY_BUG, "A bug in Oyster."},
        {OY_SYSTEM, "No memory, no threads, no temporary space."},
        {OY_CANTCREAT, "An output cannot be created."},
        {OY_IO, "A write, fsync or close failed, as on a full disk."},
    };

    oy_buffer_append_string(out, ".Sh EXIT STATUS\n.Bl -tag -width Ds\n");
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        oy_buffer_append_format(out, ".It %d\n", row[i].code);
        put_man_text(out, row[i].meaning, strlen(row[i].meaning));
    }
    oy_buffer_append_string(out, ".El\n");
}

static void put_man_head(const struct oy_program *program,
                         struct oy_buffer *out)
{
    oy_buffer_append_string(out, ".Dd " MANUAL_DATE "\n.Dt ");
    for (const char *c = program->name; *c; c++)
        oy_buffer_append_char(
            out, *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c);
    oy_buffer_append_format(out, " 1\n.Os\n.Sh NAME\n.Nm %s\n.Nd ",
                            program->name);
    size_t len = strlen(program->summary);
    while (len && program->summary[len - 1] == '.')
        len--;
    oy_buffer_append(out, program->summary, len);
    oy_buffer_append_string(out, "\n.Sh SYNOPSIS\n.Nm\n");
    put_man_text(out, program->synopsis, strlen(program->synopsis));
}

void oy_option_print_man(const struct oy_program *program,
                         struct oy_buffer *out)
{
    struct oy_option_set set;

    oy_option_set_init(&set, program);
    put_man_head(program, out);
    oy_buffer_append_string(out, ".Sh DESCRIPTION\n");
    put_man_description(out, program->description ? program->description
                                                  : program->summary);
    if (set.n_own) {
        oy_buffer_append_string(out, ".Sh OPTIONS\n");
        put_man_group(&set, 0, set.n_own, out);
    }
    oy_buffer_append_string(out, ".Sh COMMON OPTIONS\n");
    put_man_group(&set, set.n_own, set.n_item, out);
    put_man_exits(out);
    oy_option_set_release(&set);
}

/* ---- bash completion ---- */

static void put_words(const struct oy_option_set *set, struct oy_buffer *out)
{
    for (int i = 0; i < set->n_item; i++) {
        const struct oy_option *option = set->item[i];
        if (option->flags & OY_OPT_HIDDEN)
            continue;
        oy_buffer_append_format(out, "%s--%s", i ? " " : "", option->name);
        if (option->letter)
            oy_buffer_append_format(out, " -%c", option->letter);
    }
}

static void put_choices(const struct oy_option *option, struct oy_buffer *out)
{
    oy_buffer_append_format(out, "    --%s", option->name);
    if (option->letter)
        oy_buffer_append_format(out, " | -%c", option->letter);
    oy_buffer_append_string(out, ") words='");
    for (const char *c = option->range; *c; c++)
        oy_buffer_append_char(out, *c == '|' ? ' ' : *c);
    oy_buffer_append_string(out, "' ;;\n");
}

/* Choices complete to their values, options to their names, all else to
 * files. */
void oy_option_print_completion(const struct oy_program *program,
                                struct oy_buffer *out)
{
    struct oy_option_set set;
    struct oy_buffer name = {0};

    oy_option_set_init(&set, program);
    for (const char *c = program->name; *c; c++)
        oy_buffer_append_char(&name, *c == '-' ? '_' : *c);
    oy_buffer_append_format(out,
                            "_%s()\n{\n"
                            "    local cur=${COMP_WORDS[COMP_CWORD]} words=\n"
                            "    case ${COMP_WORDS[COMP_CWORD-1]} in\n",
                            oy_buffer_string(&name));
    for (int i = 0; i < set.n_item; i++) {
        if (set.item[i]->type == OY_OPT_CHOICE)
            put_choices(set.item[i], out);
    }
    oy_buffer_append_string(out, "    *)\n        [[ $cur == -* ]] && words='");
    put_words(&set, out);
    oy_buffer_append_format(
        out,
        "' ;;\n    esac\n"
        "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
        "complete -o default -F _%s %s\n",
        oy_buffer_string(&name), program->name);
    oy_buffer_release(&name);
    oy_option_set_release(&set);
}
