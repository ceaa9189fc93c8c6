/* SPDX-License-Identifier: Apache-2.0
 *
 * The Hugging Face cache, as its hub library lays it out. */
#include "core/model_name.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/input.h"

static char *cache_folder(void)
{
    const char *hub = getenv("HF_HUB_CACHE");
    const char *home = getenv("HF_HOME");
    const char *xdg = getenv("XDG_CACHE_HOME");
    const char *user = getenv("HOME");

    if (hub && *hub)
        return oy_strdup(hub);
    if (home && *home)
        return oy_asprintf("%s/hub", home);
    if (xdg && *xdg)
        return oy_asprintf("%s/huggingface/hub", xdg);
    return oy_asprintf("%s/.cache/huggingface/hub", user ? user : "");
}

int oy_model_is_name(const char *path)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789-_.";
    const size_t n = strspn(path, allowed);

    if (!n || path[0] == '.' || path[0] == '-')
        return 0;
    if (path[n] != '/')
        return !path[n];
    const char *name = path + n + 1;
    return *name && *name != '.' && !name[strspn(name, allowed)];
}

static char *model_folder(const char *name)
{
    char *cache = cache_folder();
    const char *slash = strchr(name, '/');
    char *folder = slash ? oy_asprintf("%s/models--%.*s--%s", cache,
                                       (int)(slash - name), name, slash + 1)
                         : oy_asprintf("%s/models--%s", cache, name);

    oy_free(cache);
    return folder;
}

/* The commit that refs/main names, or NULL. Yours. */
static char *read_commit(const char *model)
{
    char *path = oy_asprintf("%s/refs/main", model);
    struct oy_error err = {0};
    size_t len;
    char *text = oy_input_slurp(path, 4096, &len, &err);

    oy_free(path);
    if (text)
        text[strspn(text, "0123456789abcdef")] = 0;
    return text;
}

char *oy_model_snapshot(const char *name)
{
    char *model = model_folder(name);
    char *commit = read_commit(model);
    char *folder = NULL;

    if (commit && *commit)
        folder = oy_asprintf("%s/snapshots/%s", model, commit);
    if (folder && access(folder, F_OK)) {
        oy_free(folder);
        folder = NULL;
    }
    oy_free(commit);
    oy_free(model);
    return folder;
}

int oy_model_fail_missing(const char *path, struct oy_error *err)
{
    char *cache = cache_folder();

    oy_fail(err, OY_NOINPUT, "%s: no such file, nor a model in %s", path,
            cache);
    oy_free(cache);
    return -1;
}

char *oy_model_find(const char *path, struct oy_error *err)
{
    struct stat info;

    if (!stat(path, &info) || !oy_model_is_name(path))
        return oy_strdup(path);
    char *folder = oy_model_snapshot(path);
    if (!folder)
        oy_model_fail_missing(path, err);
    return folder;
}
