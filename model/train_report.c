/* SPDX-License-Identifier: Apache-2.0
 *
 * Manifests and counts of training runs. */
#include "model/train_report.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/stats.h"

static int is_pipe(const char *path)
{
    struct stat status;

    return !strcmp(path, "-") ||
           (stat(path, &status) == 0 && !S_ISREG(status.st_mode));
}

int train_report_add(struct train_report *report, const char *kind,
                     const char *path, struct oy_error *err)
{
    struct oy_manifest_file file = {.kind = kind, .path = path};

    if (is_pipe(path)) {
        report->has_pipe = 1;
        return 0;
    }
    if (oy_manifest_hash_file(&file, err) != 0)
        return -1;
    file.path = oy_strdup(path);
    OY_GROW(report->input, report->cap_input, report->n_input + 1);
    report->input[report->n_input++] = file;
    return 0;
}

static void count(const struct train_state *state, struct oy_counters *counter)
{
    oy_counter_add(counter, "steps", state->step);
    oy_counter_add(counter, "updates", state->n_update);
    oy_counter_add(counter, "rows", state->n_row);
    oy_counter_add(counter, "tokens", state->n_token);
}

/* The inputs, the pipe last. */
static struct oy_manifest_file *list_inputs(const struct train_report *report,
                                            const struct train_state *state,
                                            int *n)
{
    struct oy_manifest_file *const input =
        oy_calloc(report->n_input + 1, sizeof *input);
    struct oy_manifest_file *const pipe = &input[report->n_input];

    if (report->n_input > 0)
        memcpy(input, report->input, report->n_input * sizeof *input);
    *pipe = (struct oy_manifest_file){.kind = "rows", .records = state->n_row};
    snprintf(pipe->hash, sizeof pipe->hash, "%032llx",
             (unsigned long long)state->data_hash);
    *n = (int)report->n_input + report->has_pipe;
    return input;
}

enum { N_OUTPUT = 3 };

/* Hashes what is there. The paths are to be freed. */
static int list_outputs(const char *folder, struct oy_manifest_file *output,
                        int *n, struct oy_error *err)
{
    static const char *const known[N_OUTPUT][2] = {
        {"checkpoint", "model.safetensors"},
        {"config", "config.json"},
        {"tokenizer", "tokenizer.json"}};

    *n = 0;
    for (int i = 0; i < N_OUTPUT; i++) {
        char *const path = oy_asprintf("%s/%s", folder, known[i][1]);
        if (access(path, F_OK) != 0) {
            oy_free(path);
            continue;
        }
        output[*n] =
            (struct oy_manifest_file){.kind = known[i][0], .path = path};
        if (oy_manifest_hash_file(&output[(*n)++], err) != 0)
            return -1;
    }
    return 0;
}

int train_report_write(const struct train_report *report, const char *folder,
                       const struct train_state *state, struct oy_error *err)
{
    struct oy_manifest_file output[N_OUTPUT];
    struct oy_counters counter = {0};
    char *const path = oy_asprintf("%s/manifest.json", folder);
    struct oy_manifest manifest = {
        .program = report->program, .output = output, .counter = &counter};
    struct oy_manifest_file *const input =
        list_inputs(report, state, &manifest.n_input);
    int rc = list_outputs(folder, output, &manifest.n_output, err);

    manifest.input = input;
    count(state, &counter);
    if (rc == 0)
        rc = oy_manifest_write(path, &manifest, err);
    for (int i = 0; i < manifest.n_output; i++)
        oy_free((char *)(uintptr_t)output[i].path);
    oy_counters_release(&counter);
    oy_free(input);
    oy_free(path);
    return rc;
}

int train_report_write_stats(const struct train_report *report,
                             const char *path, const struct train_state *state,
                             struct oy_error *err)
{
    struct oy_counters counter = {0};
    int rc;

    count(state, &counter);
    rc = oy_stats_write(path, report->program->name, &counter, err);
    oy_counters_release(&counter);
    return rc;
}

void train_report_release(struct train_report *report)
{
    for (size_t i = 0; i < report->n_input; i++)
        oy_free((char *)(uintptr_t)report->input[i].path);
    oy_free(report->input);
    *report = (struct train_report){0};
}
