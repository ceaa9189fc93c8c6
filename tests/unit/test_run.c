/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of the common options: compression, shards, data files, exit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/input.h"
#include "core/output.h"
#include "core/pool.h"
#include "core/run.h"

static const struct oy_option none[] = {{0}};

struct job {
    struct oy_run run;
    struct oy_program program;
    struct oy_error err;
    char line[500];
};

static int parse(struct job *job, const char *line)
{
    char *argv[20] = {"/somewhere/oy-test"};
    int argc = 1;

    memset(job, 0, sizeof *job);
    snprintf(job->line, sizeof job->line, "%s", line);
    for (char *word = strtok(job->line, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    oy_run_init(&job->run, argv[0]);
    job->program = (struct oy_program){.name = "oy-test", .option = none};
    return oy_run_parse(&job->run, &job->program, argc, argv, &job->err);
}

static void end(struct job *job)
{
    struct oy_error fine = {0};

    assert_int_equal(oy_run_exit(&job->run, &fine), 0);
}

static void refuses(const char *line, int code, const char *part)
{
    struct job job;

    assert_int_equal(parse(&job, line), -1);
    assert_int_equal(job.err.code, code);
    assert_non_null(strstr(job.err.message, part));
    end(&job);
}

static void defaults_are_as_told(void **state)
{
    struct job job;

    (void)state;
    assert_int_equal(parse(&job, ""), 0);
    assert_int_equal(job.run.seed, 42);
    assert_string_equal(job.run.field, "text");
    assert_int_equal(job.run.bad, OY_BAD_STOP);
    assert_int_equal(job.run.max_record, 256 << 20);
    assert_int_equal(job.run.codec, -1);
    assert_int_equal(job.run.shard_count, 1);
    assert_int_equal(oy_run_threads(&job.run), oy_processor_count());
    end(&job);
}

static void compression_has_a_level(void **state)
{
    struct job job;

    (void)state;
    assert_int_equal(parse(&job, "--compress zstd:19 -T 3"), 0);
    assert_int_equal(job.run.codec, OY_CODEC_ZSTD);
    assert_int_equal(job.run.level, 19);
    assert_int_equal(oy_run_threads(&job.run), 3);
    end(&job);
    assert_int_equal(parse(&job, "--compress gzip"), 0);
    assert_int_equal(job.run.codec, OY_CODEC_GZIP);
    assert_int_equal(job.run.level, 0);
    end(&job);
    assert_int_equal(parse(&job, "--compress none"), 0);
    assert_int_equal(job.run.codec, OY_CODEC_PLAIN);
    end(&job);
    refuses("--compress zst", OY_USAGE, "--compress");
    refuses("--compress zstdx", OY_USAGE, "--compress");
    refuses("--compress gzip:10", OY_USAGE, "1:9");
    refuses("--compress zstd:", OY_USAGE, "level");
}

static void shards_are_counted_from_one(void **state)
{
    struct job job;

    (void)state;
    assert_int_equal(parse(&job, "--shard 2/5"), 0);
    assert_int_equal(job.run.shard_index, 1);
    assert_int_equal(job.run.shard_count, 5);
    end(&job);
    refuses("--shard 0/5", OY_USAGE, "--shard");
    refuses("--shard 6/5", OY_USAGE, "--shard");
    refuses("--shard 5", OY_USAGE, "--shard");
    refuses("--shard 1/", OY_USAGE, "--shard");
    refuses("--shard auto", OY_UNAVAILABLE, "--shard");
}

static void schedulers_are_asked(void **state)
{
    static const struct {
        const char *variable[5];
        uint64_t index, count;
    } test[] = {
        {{"SLURM_ARRAY_TASK_ID=5", "SLURM_ARRAY_TASK_MIN=1",
          "SLURM_ARRAY_TASK_MAX=9", "SLURM_ARRAY_TASK_COUNT=5",
          "SLURM_ARRAY_TASK_STEP=2"},
         2,
         5},
        {{"SGE_TASK_ID=3", "SGE_TASK_FIRST=1", "SGE_TASK_LAST=4",
          "SGE_TASK_STEPSIZE=1"},
         2,
         4},
        {{"LSB_JOBINDEX=2", "LSB_JOBINDEX_END=6"}, 1, 6},
        {{"OMPI_COMM_WORLD_RANK=0", "OMPI_COMM_WORLD_SIZE=8"}, 0, 8},
        {{"PMI_RANK=7", "PMI_SIZE=8"}, 7, 8},
    };

    (void)state;
    for (size_t i = 0; i < sizeof test / sizeof *test; i++) {
        struct job job;
        char want[32];

        for (int k = 0; k < 5 && test[i].variable[k]; k++)
            putenv((char *)(uintptr_t)test[i].variable[k]);
        assert_int_equal(parse(&job, "--shard auto"), 0);
        assert_int_equal(job.run.shard_index, test[i].index);
        assert_int_equal(job.run.shard_count, test[i].count);
        snprintf(want, sizeof want, "%d/%d", (int)test[i].index + 1,
                 (int)test[i].count);
        assert_string_equal(job.run.shard, want);
        end(&job);
        for (int k = 0; k < 5 && test[i].variable[k]; k++) {
            char name[40];
            snprintf(name, sizeof name, "%.*s",
                     (int)strcspn(test[i].variable[k], "="),
                     test[i].variable[k]);
            unsetenv(name);
        }
    }
}

static void contradictions_are_refused(void **state)
{
    (void)state;
    refuses("-q -v", OY_USAGE, "contradict");
    refuses("--rejects x", OY_USAGE, "--rejects");
    refuses("--field=", OY_USAGE, "--field");
    refuses("-T 1025", OY_USAGE, "--threads");
}

static void outputs_are_checked_at_once(void **state)
{
    struct job job;

    (void)state;
    refuses("-o /tmp/x --manifest /tmp/x", OY_USAGE, "both name '/tmp/x'");
    refuses("-o /tmp/x --manifest /tmp/x/m", OY_USAGE, "inside of what -o");
    refuses("--manifest=", OY_USAGE, "option '--manifest' is empty");
    refuses("--output=", OY_USAGE, "option '--output' is empty");
    refuses("--stats /no/such/folder/s", OY_CANTCREAT, "cannot create");
    refuses("--manifest /no/such/folder/m", OY_CANTCREAT, "cannot create");
    assert_int_equal(parse(&job, "-o - --stats - --manifest -"), 0);
    end(&job);
    assert_int_equal(parse(&job, "-o /dev/null --stats /dev/null"), 0);
    end(&job);
}

/* In a child, as our own streams are needed. */
static void closed_streams_fail_and_are_not_reused(void **state)
{
    int status;

    (void)state;
    const pid_t child = fork();
    if (child == 0) {
        struct oy_run run;
        char byte = 0;

        close(STDIN_FILENO);
        close(STDOUT_FILENO);
        oy_run_init(&run, "oy-test");
        const int reads = read(STDIN_FILENO, &byte, 1) >= 0;
        const int writes = write(STDOUT_FILENO, &byte, 1) >= 0;
        _exit(reads || writes || dup(STDERR_FILENO) <= STDERR_FILENO);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void data_files_are_found(void **state)
{
    char folder[] = "/tmp/oy-run-XXXXXX";
    struct oy_error err = {0};

    (void)state;
    assert_non_null(mkdtemp(folder));
    char *path = oy_asprintf("%s/x.json", folder);
    assert_int_equal(oy_output_write_file(path, "{}", 2, &err), 0);
    setenv("OYSTER_DATA", folder, 1);
    char *found = oy_find_data("x.json");
    assert_string_equal(found, path);
    assert_null(oy_find_data("no-such-file.json"));
    unsetenv("OYSTER_DATA");
    assert_null(oy_find_data("x.json"));
    unlink(path);
    rmdir(folder);
    oy_free(found);
    oy_free(path);
}

static void resources_are_hashed_for_a_manifest(void **state)
{
    char path[] = "/tmp/oy-run-XXXXXX";
    struct oy_error err = {0};
    struct job job;

    (void)state;
    const int fd = mkstemp(path);
    assert_int_equal(write(fd, "hello", 5), 5);
    close(fd);
    assert_int_equal(parse(&job, ""), 0);
    assert_int_equal(oy_run_add_resource(&job.run, "preset", path, &err), 0);
    assert_int_equal(job.run.n_resource, 0);
    job.run.manifest = "m.json";
    assert_int_equal(oy_run_add_resource(&job.run, "preset", path, &err), 0);
    assert_int_equal(job.run.n_resource, 1);
    assert_int_equal(job.run.resource[0].bytes, 5);
    assert_string_equal(job.run.resource[0].kind, "preset");
    unlink(path);
    assert_int_equal(oy_run_add_resource(&job.run, "preset", path, &err), -1);
    assert_int_equal(err.code, OY_NOINPUT);
    end(&job);
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(defaults_are_as_told),
        cmocka_unit_test(compression_has_a_level),
        cmocka_unit_test(shards_are_counted_from_one),
        cmocka_unit_test(schedulers_are_asked),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(outputs_are_checked_at_once),
        cmocka_unit_test(closed_streams_fail_and_are_not_reused),
        cmocka_unit_test(data_files_are_found),
        cmocka_unit_test(resources_are_hashed_for_a_manifest),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}
