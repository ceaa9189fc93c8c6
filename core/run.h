/* SPDX-License-Identifier: Apache-2.0
 *
 * The options that every program shares, and what a main does with them:
 *
 *     int main(int argc, char **argv)
 *     {
 *         struct oy_run run;
 *         struct oy_error err = {0};
 *         struct NAME settings = {...};
 *         const struct oy_option option[] = {..., {0}};
 *         struct oy_program program = {.name = "oy-NAME", .option = option,
 *                                      .synopsis = ..., .summary = ...};
 *
 *         oy_run_init(&run, argv[0]);
 *         if (!oy_run_parse(&run, &program, argc, argv, &err))
 *             name_run(&settings, &run, &err);
 *         return oy_run_exit(&run, &err);
 *     }
 */
#ifndef CORE_RUN_H
#define CORE_RUN_H

#include <stdint.h>

#include "core/error.h"
#include "core/manifest.h"
#include "core/options.h"

enum oy_bad_choice { OY_BAD_STOP, OY_BAD_SKIP };
enum oy_progress_choice { OY_PROGRESS_AUTO, OY_PROGRESS_ON, OY_PROGRESS_OFF };

struct oy_run {
    struct oy_program *program; /* set by oy_run_parse */
    struct oy_list input;       /* the operands; none = stdin */

    const char *output;   /* -o; NULL or "-": standard output */
    int64_t threads;      /* -T; 0 = all */
    int64_t seed;         /* --seed, 42 */
    const char *field;    /* --field, "text" */
    int bad;              /* enum oy_bad_choice */
    const char *rejects;  /* --rejects */
    const char *dropped;  /* --dropped, for filters that have it */
    int strict;           /* --strict */
    uint64_t max_record;  /* --max-record, 256M */
    const char *stats;    /* --stats */
    const char *manifest; /* --manifest */
    const char *compress; /* --compress none|zstd[:LEVEL]|gzip; NULL: suffix */
    uint64_t memory;      /* --memory; 0: no budget given */
    const char *tmpdir;   /* --tmpdir */
    const char *shard;    /* --shard I/N; auto is resolved to that */
    int progress;         /* enum oy_progress_choice */
    int quiet;
    int verbose;

    uint64_t shard_index, shard_count; /* 0-based; 0, 1 when not asked */
    int codec;                         /* enum oy_codec or -1, of compress */
    int level;                         /* 0: the codec's default */
    char shard_text[48];               /* of auto */
    struct oy_manifest_file *resource; /* see oy_run_add_resource */
    int n_resource;
    struct oy_option *common; /* the table behind these options */
};

/* Defaults, program name, signal handlers; a standard stream that is closed
 * becomes one that fails. Call first; `run` must stay where
 * it is. */
void oy_run_init(struct oy_run *run, const char *argv0);

/* Adds the common options behind the program's own (an option in the
 * program's table of the same name wins), parses, checks shard and compress,
 * sets how much the log says. Two outputs of one name are a usage error (64);
 * --stats and --manifest are tried (73 when they cannot be created), as they
 * are written only at the end. 0 or -1. */
int oy_run_parse(struct oy_run *run, struct oy_program *program, int argc,
                 char **argv, struct oy_error *err);

/* Prints the failure, if any, and gives the exit code; a closed pipe ends the
 * process silently by SIGPIPE. Frees what oy_run_init and oy_run_parse made.
 * A program whose answer is no returns OY_NO itself after this gave 0. */
int oy_run_exit(struct oy_run *run, const struct oy_error *err);

/* -T with 0 resolved: at least 1. */
int oy_run_threads(const struct oy_run *run);

/* Opens -o (or standard output) with --compress and -T. */
struct oy_output;
struct oy_output *oy_run_open_output(const struct oy_run *run,
                                     struct oy_error *err);
/* Opens a further output (--dropped, --rejects); its suffix alone decides how
 * it is compressed. */
struct oy_output *oy_run_open_output_at(const struct oy_run *run,
                                        const char *path, struct oy_error *err);

/* Names a file besides the records (a tokenizer, a preset, a word list) as an
 * input for the manifest, and hashes it; does nothing without --manifest. The
 * strings are borrowed until oy_run_exit. */
int oy_run_add_resource(struct oy_run *run, const char *kind, const char *path,
                        struct oy_error *err);

/* Where presets, tasks and other data files lie: $OYSTER_DATA, the source
 * tree around the program (build/bin and up), or PREFIX/share/oyster. Looks
 * for `relative` (such as "pipeline/presets/gopher.json") in this order and
 * returns its path (free with oy_free) or NULL. */
char *oy_find_data(const char *relative);

#endif
