/* SPDX-License-Identifier: Apache-2.0
 *
 * Folders that appear whole or not at all. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/output.h"
#include "core/scratch.h"

/* Says that a folder is ours, so that it may be replaced. */
static const char MARK[] = ".oyster";

struct oy_output_folder {
    char *target;
    char *temporary;
};

static char *marked(const char *folder)
{
    return oy_asprintf("%s/%s", folder, MARK);
}

static int is_empty(const char *path)
{
    DIR *folder = opendir(path);
    int n = 0;

    if (!folder)
        return 0;
    while (n <= 2 && readdir(folder))
        n++; /* "." and ".." are always there */
    closedir(folder);
    return n <= 2;
}

/* Nothing, an empty folder, or one that we made. */
static int may_replace(const char *path, struct oy_error *err)
{
    struct stat st;

    if (lstat(path, &st))
        return 0;
    if (!S_ISDIR(st.st_mode))
        return oy_fail(err, OY_CANTCREAT, "%s: exists and is not a folder",
                       path);
    char *mark = marked(path);
    const int ours = access(mark, F_OK) == 0 || is_empty(path);
    oy_free(mark);
    if (!ours)
        return oy_fail(err, OY_CANTCREAT,
                       "%s: exists and was not made by this program", path);
    return 0;
}

struct oy_output_folder *oy_output_folder_open(const char *path,
                                               struct oy_error *err)
{
    size_t len = strlen(path);

    while (len > 1 && path[len - 1] == '/')
        len--;
    struct oy_output_folder *folder = oy_calloc(1, sizeof *folder);
    folder->target = oy_strndup(path, len);
    if (may_replace(folder->target, err) == 0) {
        if (oy_scratch_folder(folder->target, &folder->temporary) == 0)
            return folder;
        oy_fail_errno(err, OY_CANTCREAT, "%s: cannot create", path);
    }
    oy_output_folder_discard(folder);
    return NULL;
}

const char *oy_output_folder_path(const struct oy_output_folder *folder)
{
    return folder->temporary;
}

static int sync_folder(const char *path, struct oy_error *err)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = 0;

    if (fd < 0 || (fsync(fd) && errno != EINVAL))
        rc = oy_fail_errno(err, OY_IO, "%s: cannot sync", path);
    if (fd >= 0)
        close(fd);
    return rc;
}

/* For file systems that cannot exchange two names: the old folder stands
 * aside for the moment between two renames, and comes back on failure. */
static int exchange_by_steps(const char *temporary, const char *target)
{
    char *aside = oy_asprintf("%s.old", temporary);
    int rc = rename(target, aside);

    if (rc == 0) {
        rc = rename(temporary, target);
        if (rename(aside, rc ? target : temporary))
            rc = -1;
    }
    const int saved = errno;
    oy_free(aside);
    errno = saved;
    return rc;
}

/* Afterwards the temporary name holds the old folder, or nothing. */
static int put_in_place(const struct oy_output_folder *folder)
{
    const char *from = folder->temporary, *to = folder->target;

    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno == EEXIST &&
        renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    return access(to, F_OK) ? rename(from, to) : exchange_by_steps(from, to);
}

static int commit(struct oy_output_folder *folder, struct oy_error *err)
{
    char *mark = marked(folder->temporary);
    const int rc = oy_output_write_file(mark, "", 0, err);

    oy_free(mark);
    if (rc || sync_folder(folder->temporary, err) ||
        may_replace(folder->target, err))
        return -1;
    if (put_in_place(folder))
        return oy_fail_errno(err, OY_CANTCREAT, "%s: cannot rename",
                             folder->target);
    char *copy = oy_strdup(folder->target);
    const int synced = sync_folder(dirname(copy), err);
    oy_free(copy);
    return synced;
}

int oy_output_folder_commit(struct oy_output_folder *folder,
                            struct oy_error *err)
{
    if (!folder)
        return 0;
    const int rc = commit(folder, err);
    oy_output_folder_discard(folder);
    return rc;
}

void oy_output_folder_discard(struct oy_output_folder *folder)
{
    if (!folder)
        return;
    oy_scratch_discard(folder->temporary);
    oy_free(folder->target);
    oy_free(folder);
}
