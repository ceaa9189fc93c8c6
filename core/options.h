/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of a program as one table: from it come the parser, --help, the
 * man page, bash completion, --config, --print-config and the manifest's list
 * of final values. No text is written twice.
 *
 * Options and files stand in any order, `--` ends the options, letters may be
 * joined (`-qT4`), a value follows as the next argument or after `=`. In long
 * names `_` is accepted in place of `-` (an option that is spelled exactly so
 * comes first); unambiguous beginnings are not accepted. --config FILE holds
 * a JSON object of long names, null meaning the default; options given on the
 * command line win over it wherever they stand. An unknown name, a missing
 * value or a number out of range is a usage error (64) with one line that
 * names the option. --help, --version, --print-config, --print-man and
 * --print-completion print and exit 0; what --print-config prints is a good
 * --config.
 */
#ifndef CORE_OPTIONS_H
#define CORE_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

enum oy_option_type {
    OY_OPT_FLAG,   /* int: 1 when given; --no-NAME gives 0 */
    OY_OPT_INT,    /* int64_t: K M G T are powers of 1000 */
    OY_OPT_SIZE,   /* uint64_t bytes: K M G T are powers of 1024 */
    OY_OPT_DOUBLE, /* double */
    OY_OPT_STRING, /* const char *, borrowed from argv or the config */
    OY_OPT_LIST,   /* struct oy_list: may be given many times; what the
                    * command line gives replaces what --config gave */
    OY_OPT_CHOICE, /* int: index into the '|'-separated list in `range` */
};

/* Values of an OY_OPT_LIST, in order. */
struct oy_list {
    const char **item;
    size_t n_item;
    size_t cap_item;
};

enum {
    /* The value can change a byte of the output: it stands in the manifest.
     * Paths, threads, memory and progress do not. */
    OY_OPT_IN_MANIFEST = 1,
    /* Accepted, but not listed in --help. */
    OY_OPT_HIDDEN = 2,
    /* The value may be left out at the end, before another option and
     * where the name is spelled with `_`; the string is "" then. */
    OY_OPT_VALUE_OPTIONAL = 4,
};

struct oy_option {
    const char *name; /* long name without the dashes */
    char letter;      /* or 0 */
    enum oy_option_type type;
    void *value;         /* where it goes; holds the default before parsing */
    const char *metavar; /* "FILE", "N" */
    /* INT, SIZE, DOUBLE: "MIN:MAX", both included, either may be empty.
     * CHOICE: "a|b|c". NULL: anything (of a DOUBLE: anything finite). */
    const char *range;
    unsigned flags;
    /* One or more sentences. The default is appended, unless the text has
     * the word "default" in it or there is none to tell. */
    const char *help;
};

/* A program as its user sees it. */
struct oy_program {
    const char *name;     /* "oy-clean" */
    const char *synopsis; /* "[OPTION]... [FILE]..." */
    const char *summary;  /* one line */
    /* Paragraphs for the man page, separated by blank lines; a paragraph
     * that is indented by 4 spaces is an example, shown as it is. */
    const char *description;
    const struct oy_option *option; /* ends with a NULL name */
    /* Common options behind its own (core/run.h), or NULL. */
    const struct oy_option *common;
    /* Which options were given, and texts that came out of --config; private
     * to options.c. */
    struct oy_options_state *state;
};

/* Fills the values of the tables and lists the operands (borrowed from argv).
 * Returns 0, or -1 with err (64; 66 when --config is missing, 65 when it is
 * not JSON). May print and exit 0 as told above. Strings from --config live
 * until oy_options_release, as do the arrays of lists. */
int oy_options_parse(struct oy_program *program, int argc, char **argv,
                     struct oy_list *operand, struct oy_error *err);
void oy_options_release(struct oy_program *program);

/* Appends a value (borrowed). */
void oy_list_add(struct oy_list *list, const char *item);
void oy_list_release(struct oy_list *list);

/* Whether the user gave this option (command line or --config). */
int oy_options_given(const struct oy_program *program, const char *name);

/* The final values as one JSON object (keys = long names, table order): all
 * for --print-config, or those flagged OY_OPT_IN_MANIFEST. */
struct oy_buffer;
void oy_options_put_json(const struct oy_program *program, int manifest_only,
                         struct oy_buffer *out);

/* "12K", "1.5G" as bytes (1024, rounded down) or as a count (1000; a sign is
 * allowed, the value must be whole); -1 when malformed or too large. */
int oy_parse_size(const char *text, uint64_t *size);
int oy_parse_count(const char *text, int64_t *count);

#endif
