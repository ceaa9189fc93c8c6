/* SPDX-License-Identifier: Apache-2.0
 *
 * What a program says on standard error: its name, notes and warnings.
 *
 * The only mutable file-scope state of the suite lives here: the program's
 * name and how much it says. Both are set once, before threads start; the
 * writers may be called from any thread, a line is written at once.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

enum oy_verbosity { OY_QUIET = -1, OY_NORMAL = 0, OY_VERBOSE = 1 };

/* `name` is borrowed for ever (argv[0] or a literal); its folder is cut. */
void oy_log_init(const char *name);
void oy_log_set_verbosity(enum oy_verbosity verbosity);
enum oy_verbosity oy_log_verbosity(void);

/* "oy-clean"; "oyster" before oy_log_init(). */
const char *oy_program_name(void);

/* "oy-clean: error text\n" for a failure; silent for a closed pipe. Always
 * shown, even with -q. */
struct oy_error;
void oy_log_error(const struct oy_error *err);

/* "oy-clean: warning: ...\n"; not shown with -q. */
void oy_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "oy-clean: ...\n"; shown only with -v. */
void oy_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
