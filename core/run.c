/* SPDX-License-Identifier: Apache-2.0
 *
 * Common options, and the beginning and end of every main. */
#include "core/run.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/log.h"
#include "core/output.h"
#include "core/pool.h"

enum { N_COMMON = 20, MAX_PATH = 4096 };

/* The options as addresses into one run; a table of constants would need
 * addresses that are constants. */
static const struct oy_option *make_table(struct oy_run *run)
{
    const struct oy_option table[N_COMMON] = {
        {"output", 'o', OY_OPT_STRING, &run->output, "FILE", NULL, 0,
         "Write to FILE, which appears whole or not at all, instead of "
         "standard output."},
        {"threads", 'T', OY_OPT_INT, &run->threads, "N", "0:1024", 0,
         "Number of threads, 0 meaning one a processor. Never changes the "
         "output."},
        {"seed", 0, OY_OPT_INT, &run->seed, "N", "0:", OY_OPT_IN_MANIFEST,
         "Where random numbers start."},
        {"field", 0, OY_OPT_STRING, &run->field, "PATH", NULL,
         OY_OPT_IN_MANIFEST,
         "The member that holds the text; a.b reaches into objects."},
        {"bad", 0, OY_OPT_CHOICE, &run->bad, NULL, "stop|skip",
         OY_OPT_IN_MANIFEST,
         "What a bad record does: end the run, or be counted and left out."},
        {"rejects", 0, OY_OPT_STRING, &run->rejects, "FILE", NULL, 0,
         "Write bad records, with file, line and error, to FILE."},
        {"strict", 0, OY_OPT_FLAG, &run->strict, NULL, NULL, OY_OPT_IN_MANIFEST,
         "Check the whole grammar of every line; text that is not UTF-8 is "
         "bad."},
        {"max-record", 0, OY_OPT_SIZE, &run->max_record, "SIZE", "1:1T",
         OY_OPT_IN_MANIFEST, "Longer lines are bad records."},
        {"stats", 0, OY_OPT_STRING, &run->stats, "FILE", NULL, 0,
         "Write the final counts as JSON to FILE; - is standard error."},
        {"manifest", 0, OY_OPT_STRING, &run->manifest, "FILE", NULL, 0,
         "Write what was read, done and written, with hashes, to FILE."},
        {"compress", 0, OY_OPT_STRING, &run->compress,
         "none|zstd[:LEVEL]|gzip[:LEVEL]", NULL, 0,
         "How the output is compressed (default: by the suffix of -o)."},
        {"memory", 0, OY_OPT_SIZE, &run->memory, "SIZE", "1M:", 0,
         "Keep within this much memory (default: what the work needs)."},
        {"tmpdir", 0, OY_OPT_STRING, &run->tmpdir, "DIR", NULL, 0,
         "Where temporary files go (default: $TMPDIR or /tmp)."},
        {"shard", 0, OY_OPT_STRING, &run->shard, "I/N|auto", NULL,
         OY_OPT_IN_MANIFEST,
         "Take only the records whose number leaves I-1 when divided by N; "
         "auto asks the variables of Slurm, PBS, SGE, LSF or MPI."},
        {"progress", 0, OY_OPT_CHOICE, &run->progress, NULL, "auto|on|off", 0,
         "Show progress on standard error; auto does so on a terminal."},
        {"quiet", 'q', OY_OPT_FLAG, &run->quiet, NULL, NULL, 0,
         "Say nothing but errors."},
        {"verbose", 'v', OY_OPT_FLAG, &run->verbose, NULL, NULL, 0,
         "Say more; end with a table of counts."},
        {0},
    };

    run->common = oy_alloc_array(N_COMMON, sizeof *run->common);
    memcpy(run->common, table, sizeof table);
    return run->common;
}

/* A descriptor 0, 1 or 2 that is closed would be given to the next file that
 * is opened, and records or messages would go into that. It is made one that
 * fails instead. */
static void hold_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
}

void oy_run_init(struct oy_run *run, const char *argv0)
{
    hold_standard_streams();
    *run = (struct oy_run){
        .seed = 42,
        .field = "text",
        .max_record = 256 << 20,
        .shard_count = 1,
        .codec = -1,
    };
    oy_log_init(argv0 ? argv0 : "oyster");
    oy_output_init_signals();
    /* core/progress waits for it; its default is death. */
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* ---- --compress ---- */

static int parse_level(struct oy_run *run, const char *text, int max,
                       struct oy_error *err)
{
    int64_t level;

    if (!*text)
        return 0;
    if (*text != ':')
        return oy_fail(err, OY_USAGE,
                       "option '--compress': '%s' is not none, zstd or gzip",
                       run->compress);
    if (oy_parse_count(text + 1, &level) || level < 1 || level > max)
        return oy_fail(err, OY_USAGE,
                       "option '--compress': the level of '%s' is not in 1:%d",
                       run->compress, max);
    run->level = (int)level;
    return 0;
}

static int parse_compress(struct oy_run *run, struct oy_error *err)
{
    enum { ZSTD_LEVELS = 22, GZIP_LEVELS = 9 };
    const char *text = run->compress;

    if (!text)
        return 0;
    if (!strcmp(text, "none")) {
        run->codec = OY_CODEC_PLAIN;
        return 0;
    }
    if (!strncmp(text, "gzip", 4)) {
        run->codec = OY_CODEC_GZIP;
        return parse_level(run, text + 4, GZIP_LEVELS, err);
    }
    run->codec = OY_CODEC_ZSTD;
    return parse_level(run, strncmp(text, "zstd", 4) ? "?" : text + 4,
                       ZSTD_LEVELS, err);
}

/* ---- --shard ---- */

/* A scheduler's variables: the task's number, and either how many there are
 * or the last; the first (0 or 1 when there is no variable) and the step. */
struct scheduler {
    const char *number, *first, *last, *count, *step;
    int default_first;
};

static const struct scheduler scheduler[] = {
    /* Slurm's and PBS's job arrays, Grid Engine, LSF, then MPI and srun. */
    {"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX",
     "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_STEP", 0},
    {"PBS_ARRAY_INDEX", "PBS_ARRAY_FIRST", "PBS_ARRAY_LAST", "PBS_ARRAY_COUNT",
     "PBS_ARRAY_STEP", 0},
    {"SGE_TASK_ID", "SGE_TASK_FIRST", "SGE_TASK_LAST", NULL,
     "SGE_TASK_STEPSIZE", 1},
    {"LSB_JOBINDEX", NULL, "LSB_JOBINDEX_END", NULL, "LSB_JOBINDEX_STEP", 1},
    {"OMPI_COMM_WORLD_RANK", NULL, NULL, "OMPI_COMM_WORLD_SIZE", NULL, 0},
    {"PMI_RANK", NULL, NULL, "PMI_SIZE", NULL, 0},
    {"SLURM_PROCID", NULL, NULL, "SLURM_NTASKS", NULL, 0},
};

static int64_t read_variable(const char *name, int64_t otherwise)
{
    const char *text = name ? getenv(name) : NULL;
    int64_t number;

    return text && !oy_parse_count(text, &number) ? number : otherwise;
}

static int ask_scheduler(struct oy_run *run, const struct scheduler *from)
{
    const int64_t first = read_variable(from->first, from->default_first);
    const int64_t last = read_variable(from->last, -1);
    const int64_t step = read_variable(from->step, 1);
    const int64_t number = read_variable(from->number, -1);

    if (number < first || step < 1)
        return -1;
    const int64_t by_last = last < first ? -1 : (last - first) / step + 1;
    const int64_t count = read_variable(from->count, by_last);
    const int64_t index = (number - first) / step;
    if (index >= count)
        return -1;
    run->shard_index = (uint64_t)index;
    run->shard_count = (uint64_t)count;
    snprintf(run->shard_text, sizeof run->shard_text, "%lld/%lld",
             (long long)index + 1, (long long)count);
    run->shard = run->shard_text;
    return 0;
}

static int find_shard(struct oy_run *run, struct oy_error *err)
{
    const size_t n = sizeof scheduler / sizeof *scheduler;

    for (size_t i = 0; i < n; i++) {
        if (!ask_scheduler(run, &scheduler[i]))
            return 0;
    }
    return oy_fail(
        err, OY_UNAVAILABLE,
        "option '--shard': 'auto' finds no variables of a scheduler");
}

static int parse_shard(struct oy_run *run, struct oy_error *err)
{
    char index_text[32];
    int64_t index, count;

    if (!run->shard)
        return 0;
    if (!strcmp(run->shard, "auto"))
        return find_shard(run, err);
    const size_t len = strcspn(run->shard, "/");
    if (!run->shard[len] || len >= sizeof index_text)
        goto bad;
    memcpy(index_text, run->shard, len);
    index_text[len] = '\0';
    if (oy_parse_count(index_text, &index) ||
        oy_parse_count(run->shard + len + 1, &count) || index < 1 ||
        index > count)
        goto bad;
    run->shard_index = (uint64_t)index - 1;
    run->shard_count = (uint64_t)count;
    return 0;
bad:
    return oy_fail(err, OY_USAGE,
                   "option '--shard': '%s' is not I/N with I in 1..N, or auto",
                   run->shard);
}

/* ---- outputs ---- */

/* Whether two options name one file; standard streams and devices may stand
 * in several. */
static int is_same_file(const char *path, const char *other)
{
    return path && other && !strcmp(path, other) && strcmp(path, "-") &&
           strncmp(path, "/dev/", 5);
}

/* A report is written at the end only, but tried now: better than after hours
 * of work. It cannot stand in a folder that -o makes or replaces as a whole. */
static int try_report(const struct oy_run *run, const char *option,
                      const char *path, struct oy_error *err)
{
    const size_t len = run->output ? strlen(run->output) : 0;

    if (!path || !strcmp(path, "-"))
        return 0;
    if (len && !strncmp(path, run->output, len) && path[len] == '/')
        return oy_fail(err, OY_USAGE,
                       "option '--%s': '%s' is inside of what -o makes", option,
                       path);
    return oy_output_try(path, err);
}

static int check_outputs(const struct oy_run *run, struct oy_error *err)
{
    const struct {
        const char *name, *path;
    } at[] = {
        {"output", run->output},     {"rejects", run->rejects},
        {"dropped", run->dropped},   {"stats", run->stats},
        {"manifest", run->manifest}, {"tmpdir", run->tmpdir},
    };
    enum { N_FILE = sizeof at / sizeof *at - 1 };

    for (int i = 0; i <= N_FILE; i++) {
        if (at[i].path && !*at[i].path)
            return oy_fail(err, OY_USAGE, "option '--%s' is empty", at[i].name);
        for (int k = 0; k < i && i < N_FILE; k++) {
            if (is_same_file(at[k].path, at[i].path))
                return oy_fail(err, OY_USAGE,
                               "options '--%s' and '--%s' both name '%s'",
                               at[k].name, at[i].name, at[i].path);
        }
    }
    if (try_report(run, "stats", run->stats, err))
        return -1;
    return try_report(run, "manifest", run->manifest, err);
}

static int check_inputs(const struct oy_run *run, struct oy_error *err)
{
    for (size_t i = 0; i < run->input.n_item; i++) {
        if (!*run->input.item[i])
            return oy_fail(err, OY_NOINPUT, "'': no such file");
    }
    return 0;
}

/* ---- beginning and end ---- */

int oy_run_parse(struct oy_run *run, struct oy_program *program, int argc,
                 char **argv, struct oy_error *err)
{
    run->program = program;
    program->common = make_table(run);
    if (oy_options_parse(program, argc, argv, &run->input, err) ||
        parse_compress(run, err) || parse_shard(run, err))
        return -1;
    if (run->quiet && run->verbose)
        return oy_fail(err, OY_USAGE,
                       "options '--quiet' and '--verbose' contradict");
    if (run->rejects && run->bad != OY_BAD_SKIP)
        return oy_fail(err, OY_USAGE, "option '--rejects' needs '--bad skip'");
    if (!*run->field)
        return oy_fail(err, OY_USAGE, "option '--field' is empty");
    if (check_inputs(run, err) || check_outputs(run, err))
        return -1;
    oy_log_set_verbosity(run->quiet     ? OY_QUIET
                         : run->verbose ? OY_VERBOSE
                                        : OY_NORMAL);
    return 0;
}

int oy_run_exit(struct oy_run *run, const struct oy_error *err)
{
    if (run->program)
        oy_options_release(run->program);
    oy_list_release(&run->input);
    oy_free(run->common);
    oy_free(run->resource);
    if (err->code && err->closed_pipe)
        oy_output_die_of_pipe();
    if (err->code)
        oy_log_error(err);
    return err->code;
}

int oy_run_threads(const struct oy_run *run)
{
    return run->threads ? (int)run->threads : oy_processor_count();
}

struct oy_output *oy_run_open_output(const struct oy_run *run,
                                     struct oy_error *err)
{
    const struct oy_output_options options = {
        .codec = run->codec,
        .level = run->level,
        .n_thread = oy_run_threads(run),
        .unhashed = !run->manifest,
    };

    return oy_output_open(run->output, &options, err);
}

struct oy_output *oy_run_open_output_at(const struct oy_run *run,
                                        const char *path, struct oy_error *err)
{
    const struct oy_output_options options = {.codec = -1, .n_thread = 1};

    (void)run;
    return oy_output_open(path, &options, err);
}

/* ---- data files ---- */

int oy_run_add_resource(struct oy_run *run, const char *kind, const char *path,
                        struct oy_error *err)
{
    struct oy_manifest_file file = {.kind = kind, .path = path};

    if (!run->manifest)
        return 0;
    if (oy_manifest_hash_file(&file, err))
        return -1;
    run->resource = oy_realloc_array(run->resource, (size_t)run->n_resource + 1,
                                     sizeof *run->resource);
    run->resource[run->n_resource++] = file;
    return 0;
}

/* FOLDER/MIDDLE/RELATIVE when it can be read, else NULL. */
static char *try_data(const char *folder, const char *middle,
                      const char *relative)
{
    char *path = oy_asprintf("%s%s/%s", folder, middle, relative);

    if (!access(path, R_OK))
        return path;
    oy_free(path);
    return NULL;
}

char *oy_find_data(const char *relative)
{
    enum { N_UP = 3 }; /* bin, build, the tree */
    const char *data = getenv("OYSTER_DATA");
    char folder[MAX_PATH];
    char *path = data ? try_data(data, "", relative) : NULL;
    const ssize_t len =
        path ? 0 : readlink("/proc/self/exe", folder, sizeof folder - 1);

    if (len <= 0)
        return path;
    folder[len] = '\0';
    for (int i = 0; i < N_UP && !path; i++) {
        char *slash = strrchr(folder, '/');
        if (!slash)
            break;
        *slash = '\0';
        path = try_data(folder, "", relative);
        if (!path)
            path = try_data(folder, "/share/oyster", relative);
    }
    return path;
}
