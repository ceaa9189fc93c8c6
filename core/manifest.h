/* SPDX-License-Identifier: Apache-2.0
 *
 * The manifest of a run: what was read, what was written, by which options,
 * and the manifests of the inputs as history.
 *
 * A JSON file (keys in a fixed order, 2-space indent) with `oyster_manifest`
 * (format version), `program`, `version`, `options` (final values that can
 * change a byte), `inputs` and `outputs` (kind, bytes, records, XXH3-128 of
 * the uncompressed bytes; `name` is the file's base name, null for a pipe),
 * `counts`, `reasons`, and `history`: the manifests that lead to the inputs,
 * oldest first, each once and without a history of its own. They are found by
 * the hashes of their outputs: in NAME.manifest.json beside an input NAME,
 * in manifest.json (which a checkpoint carries) and all *.manifest.json of
 * that folder, and (for pipes) of the folder of the new manifest. `checksum`,
 * last, is the XXH3-128 of all bytes before the comma in front of it. Equal
 * runs write equal manifests: no time, no path, no thread count.
 */
#ifndef CORE_MANIFEST_H
#define CORE_MANIFEST_H

#include <stdint.h>

#include "core/counter.h"
#include "core/error.h"
#include "core/json.h"
#include "core/options.h"

struct oy_manifest_file {
    const char *name;
    const char *path; /* to look for a manifest beside it; NULL: a pipe */
    const char *kind; /* "records", "tokenizer", "tokens", "checkpoint" ... */
    uint64_t bytes;
    uint64_t records; /* 0 where the kind has none */
    char hash[33];
};

struct oy_manifest {
    const struct oy_program *program; /* name and option values */
    const struct oy_manifest_file *input;
    int n_input;
    const struct oy_manifest_file *output;
    int n_output;
    const struct oy_counters *counter;
    const struct oy_counters *reason; /* NULL: the program drops nothing */
};

/* Reads the file at file->path and fills bytes and hash (of the uncompressed
 * bytes). */
int oy_manifest_hash_file(struct oy_manifest_file *file, struct oy_error *err);

/* Writes it as a whole. A manifest of an input that cannot be read is passed
 * over with a warning. */
int oy_manifest_write(const char *path, const struct oy_manifest *manifest,
                      struct oy_error *err);

/* Reads a manifest and checks its grammar, version and checksum. Returns its
 * text (yours, free with oy_free), into which `document` points; NULL after a
 * failure (65 when it is no manifest). */
char *oy_manifest_read(const char *path, struct oy_json_value *document,
                       struct oy_error *err);

/* Whether one of the outputs of a manifest (a document or an entry of a
 * history) has this hash. */
int oy_manifest_makes(const struct oy_json_value *manifest, const char *hash);

#endif
