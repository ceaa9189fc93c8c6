/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-check: whether files are whole and what they should be. */
#include "pipeline/check.h"

static const char description[] =
    "Reads files to their last byte and prints one line for each fault: "
    "manifests against the files beside them (bytes, records, hash) and along "
    "the chain of their inputs, records against the grammar of JSON, token "
    "streams block by block, safetensors files by their header, anything "
    "compressed by its checksums. Folders are checked file by file. The exit "
    "status is 1 when there was any fault.\n\n"
    "    oy-clean --preset gopher --manifest clean.jsonl.manifest.json "
    "-o clean.jsonl web.jsonl\n"
    "    oy-check clean.jsonl.manifest.json\n\n"
    "A file NAME is also held to NAME.manifest.json, where that exists.";

int main(int argc, char **argv)
{
    struct oy_run run;
    struct oy_error err = {0};
    uint64_t n_fault = 0;
    const struct oy_option option[] = {{0}};
    struct oy_program program = {
        .name = "oy-check",
        .synopsis = "[OPTION]... FILE...",
        .summary = "Check manifests, records, token files and checkpoints.",
        .description = description,
        .option = option,
    };

    oy_run_init(&run, argv[0]);
    if (!oy_run_parse(&run, &program, argc, argv, &err))
        check_run(&run, &n_fault, &err);
    const int code = oy_run_exit(&run, &err);
    return code ? code : n_fault ? OY_NO : OY_OK;
}
