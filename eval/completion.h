/* SPDX-License-Identifier: Apache-2.0
 *
 * What a request says about its completion: lm-eval's generation arguments
 * (api/task.py, models/huggingface.py, models/utils.py: normalize_gen_kwargs).
 *
 *   until              a text or a list: the completion ends before the first
 *                      of them; so it does before the model's end token
 *   max_gen_toks       most tokens; also max_new_tokens, max_tokens,
 *                      max_completion_tokens, the first of them that is there;
 *                      else 256
 *   do_sample          false: greedy, whatever the temperature; not given:
 *                      greedy when the temperature is 0 or not given
 *   temperature, top_k, top_p, min_p, typical_p, repetition_penalty, seed
 *
 * Members that are null count as not given; others that are not listed are
 * refused, as they might change what comes out.
 */
#ifndef EVAL_COMPLETION_H
#define EVAL_COMPLETION_H

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "model/generate.h"

enum { COMPLETION_TOKENS = 256, COMPLETION_SEED = 1234 };

/* `gen` is an object or missing; `eos` the text of the end token or NULL.
 * Texts lie in `arena`. -1 with err (65). */
int completion_read(const struct oy_json_value *gen, const char *eos,
                    struct oy_arena *arena, struct generate_options *options,
                    struct oy_error *err);

/* A deep copy in `arena`. */
const struct generate_options *completion_copy(
    const struct generate_options *from, struct oy_arena *arena);

#endif
