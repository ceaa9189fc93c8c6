/* SPDX-License-Identifier: Apache-2.0
 *
 * Folders as lists of files. */
#include "pipeline/walk.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "core/input.h"

enum { MAX_DEPTH = 100 };

static int add_path(struct walk *walk, const char *path, int depth,
                    struct oy_error *err);

static void push(struct walk *walk, const char *path)
{
    OY_GROW(walk->path, walk->cap_path, walk->n_path + 1);
    walk->path[walk->n_path++] = oy_strdup(path);
}

static int is_dots(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
}

static int compare(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* A link to a folder could lead round in a circle. */
static int is_wanted(const char *path)
{
    struct stat st, target;

    if (lstat(path, &st))
        return 1; /* its failure is told when it is opened */
    if (!S_ISLNK(st.st_mode))
        return S_ISREG(st.st_mode) || S_ISDIR(st.st_mode);
    return stat(path, &target) == 0 && S_ISREG(target.st_mode);
}

static int add_folder(struct walk *walk, const char *path, int depth,
                      struct oy_error *err)
{
    struct dirent **entry;
    const int n = scandir(path, &entry, NULL, compare);
    const char *slash = path[strlen(path) - 1] == '/' ? "" : "/";
    int rc = 0;

    if (n < 0)
        return oy_fail_errno(err, OY_NOINPUT, "%s", path);
    for (int i = 0; i < n; i++) {
        char *inside = oy_asprintf("%s%s%s", path, slash, entry[i]->d_name);
        if (rc == 0 && !is_dots(entry[i]) && is_wanted(inside))
            rc = add_path(walk, inside, depth + 1, err);
        oy_free(inside);
        free(entry[i]);
    }
    free(entry);
    return rc;
}

static int add_path(struct walk *walk, const char *path, int depth,
                    struct oy_error *err)
{
    struct stat st;

    if (depth > MAX_DEPTH)
        return oy_fail(err, OY_NOINPUT, "%s: folders too deep", path);
    if (strcmp(path, "-") && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return add_folder(walk, path, depth, err);
    if (oy_input_check(path, err))
        return -1;
    push(walk, path);
    return 0;
}

int walk_add(struct walk *walk, const char *path, struct oy_error *err)
{
    return add_path(walk, path, 0, err);
}

void walk_release(struct walk *walk)
{
    for (size_t i = 0; i < walk->n_path; i++)
        oy_free(walk->path[i]);
    oy_free(walk->path);
    *walk = (struct walk){0};
}
