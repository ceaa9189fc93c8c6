/* SPDX-License-Identifier: Apache-2.0
 *
 * Models by name: `org/name` in the Hugging Face cache ($HF_HUB_CACHE,
 * $HF_HOME/hub, $XDG_CACHE_HOME/huggingface/hub, ~/.cache/huggingface/hub), the
 * snapshot that refs/main names. Nothing is ever fetched.
 */
#ifndef CORE_MODEL_NAME_H
#define CORE_MODEL_NAME_H

#include "core/error.h"

/* Where a model is: PATH itself where something of that name is, or where it
 * cannot be a model's name; else the folder of the snapshot. Yours. NULL after
 * a failure (66): a name, and no such model in the cache. */
char *oy_model_find(const char *path, struct oy_error *err);

/* ---- its parts, for those that look elsewhere too ---- */

/* Whether it may be "org/name", or a model's name alone. */
int oy_model_is_name(const char *path);
/* The snapshot of a model that was fetched once, or NULL. Yours. */
char *oy_model_snapshot(const char *name);
/* Says that there is neither a file nor a model of that name; -1 (66). */
int oy_model_fail_missing(const char *path, struct oy_error *err);

#endif
