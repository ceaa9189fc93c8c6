/* SPDX-License-Identifier: Apache-2.0
 *
 * The manifest of a run: what was read, what was written, by which options,
 * and the manifests of the inputs as history.
 *
 * A JSON file (keys in a fixed order, 2-space indent) with `oyster_manifest`
 * (format version), `program`, `version`, `options` (final values that can
 * change a byte), `inputs` and `outputs` (bytes, records, XXH3-128 of the
 * uncompressed bytes; `name` is the file's base name), `counts`, `history`
 * (manifests of the inputs, found by their hashes among NAME.manifest.json
 * beside each input). Equal runs write equal manifests: no time, no path, no
 * thread count.
 */
#ifndef CORE_MANIFEST_H
#define CORE_MANIFEST_H

#include <stdint.h>

#include "core/counter.h"
#include "core/error.h"
#include "core/options.h"

struct oy_manifest_file {
    const char *name;
    const char *path;  /* to look for a manifest beside it; NULL: a pipe */
    const char *kind;  /* "records", "tokenizer", "tokens", "checkpoint" ... */
    uint64_t bytes;
    uint64_t records;
    char hash[33];
};

struct oy_manifest {
    const struct oy_program *program; /* name and option values */
    const struct oy_manifest_file *input;
    int n_input;
    const struct oy_manifest_file *output;
    int n_output;
    const struct oy_counters *counter;
};

int oy_manifest_write(const char *path, const struct oy_manifest *manifest,
                      struct oy_error *err);

#endif
