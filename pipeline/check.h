/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether files are what they should be: oy-check.
 *
 * Manifests vouch for files: every output and input that lies beside a
 * manifest under its base name is read and compared (bytes, records, hash),
 * and the manifests of the inputs are checked in turn. Records are read to
 * the end and each line against the whole grammar of JSON; token streams are
 * proved block by block, token files of llm.c and Megatron (an .idx with its
 * .bin) against the counts that they carry; safetensors files must cover their bytes exactly;
 * other JSON files must be JSON; anything else must be readable to its end in
 * its codec. A folder is checked file by file.
 *
 * A fault is one line on the output; it is an answer, not a failure.
 */
#ifndef PIPELINE_CHECK_H
#define PIPELINE_CHECK_H

#include <stdint.h>

#include "core/error.h"
#include "core/run.h"

/* Checks the operands; *n_fault tells how many faults there were. -1 with err
 * when the work itself failed: an operand is missing (66), output (74). */
int check_run(struct oy_run *run, uint64_t *n_fault, struct oy_error *err);

#endif
