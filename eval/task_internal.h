/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the task module share. */
#ifndef EVAL_TASK_INTERNAL_H
#define EVAL_TASK_INTERNAL_H

#include "eval/task.h"

/* Reads and compiles; what it points to lies in `arena` or in the config. */
int task_init(struct task *task, const struct template_value *config,
              struct oy_arena *arena, struct oy_error *err);
void task_release(struct task *task);

/* A member that is a text, as a C string in the arena, or NULL. */
const char *task_text_member(const struct template_value *config,
                             const char *name, struct oy_arena *arena);

/* task_render() for a field whose value may be a list: an expression keeps
 * its type. */
int task_render_list(const struct task_field *field,
                     const struct template_value *document,
                     struct oy_arena *arena, struct template_value *value,
                     struct oy_error *err);

#endif
