/* SPDX-License-Identifier: Apache-2.0
 *
 * From a list of names to tasks: the files of tasks, groups, tags. */
#include <dirent.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/input.h"
#include "core/run.h"
#include "eval/task_internal.h"

enum { MAX_FILE = 16 << 20, MAX_DEPTH = 16 };

/* Everything that the files hold. */
struct catalogue {
    struct template_value task;  /* list of configs, merged */
    struct template_value group; /* list of configs */
    struct oy_arena *arena;
    struct oy_error *err;
};

static const struct template_value *find_config(
    const struct template_value *list, const char *key, const char *name)
{
    const struct template_value want = template_literal(name);

    for (size_t i = list->list->n_item; i-- > 0;) {
        const struct template_value *item = &list->list->item[i];
        const struct template_value *have = template_get(item, key);
        if (have && template_equal(have, &want))
            return item;
    }
    return NULL;
}

static void merge(struct template_value *to, const struct template_value *from,
                  struct oy_arena *arena)
{
    for (size_t i = 0;
         from && from->kind == TEMPLATE_DICT && i < from->dict->n_entry; i++)
        template_put(to, arena, from->dict->entry[i].key,
                     from->dict->entry[i].value);
}

static int add_task(struct catalogue *all, const struct template_value *file,
                    const struct template_value *config)
{
    struct template_value merged = template_new_dict(all->arena);
    const char *include = task_text_member(config, "include", all->arena);

    merge(&merged, template_get(file, "defaults"), all->arena);
    if (include) {
        const struct template_value *base =
            find_config(&all->task, "task", include);
        if (!base)
            return oy_fail(all->err, OY_DATA, "unknown include '%s'", include);
        merge(&merged, base, all->arena);
    }
    merge(&merged, config, all->arena);
    template_push(&all->task, all->arena, merged);
    return 0;
}

static int add_file(struct catalogue *all, const struct template_value *file)
{
    const struct template_value *tasks = template_get(file, "tasks");
    const struct template_value *groups = template_get(file, "groups");

    if (file->kind != TEMPLATE_DICT)
        return oy_fail(all->err, OY_DATA, "not an object");
    if (template_get(file, "task") && !template_get(file, "group"))
        return add_task(all, file, file);
    for (size_t i = 0;
         tasks && tasks->kind == TEMPLATE_LIST && i < tasks->list->n_item;
         i++) {
        if (add_task(all, file, &tasks->list->item[i]))
            return -1;
    }
    for (size_t i = 0;
         groups && groups->kind == TEMPLATE_LIST && i < groups->list->n_item;
         i++)
        template_push(&all->group, all->arena, groups->list->item[i]);
    if (!tasks && !groups)
        return oy_fail(all->err, OY_DATA, "neither tasks nor groups");
    return 0;
}

static int read_file(struct catalogue *all, const char *path)
{
    struct template_value file;
    const char *why = "";
    size_t len, where;
    char *read = oy_input_slurp(path, MAX_FILE, &len, all->err);

    if (!read)
        return -1;
    /* Values are borrowed from the text: it has to live as long. */
    const char *text = oy_arena_copy(all->arena, read, len);
    oy_free(read);
    if (oy_json_validate(text, len, &why, &where) ||
        template_parse_json(text, len, all->arena, &file, &why))
        return oy_fail(all->err, OY_DATA, "%s: %s", path, why);
    if (add_file(all, &file))
        return oy_fail_at(all->err, "%s", path);
    return 0;
}

static int is_task_file(const struct dirent *entry)
{
    const size_t len = strlen(entry->d_name);

    return len > 5 && entry->d_name[0] != '.' &&
           !strcmp(entry->d_name + len - 5, ".json");
}

static int read_folder(struct catalogue *all, const char *folder)
{
    struct dirent **entry = NULL;
    const int n = scandir(folder, &entry, is_task_file, alphasort);
    int rc = 0;

    if (n < 0)
        return oy_fail_errno(all->err, OY_NOINPUT, "%s", folder);
    for (int i = 0; i < n; i++) {
        char *path = oy_asprintf("%s/%s", folder, entry[i]->d_name);
        if (rc == 0)
            rc = read_file(all, path);
        oy_free(path);
        free(entry[i]);
    }
    free(entry);
    return rc;
}

/* ---- selection ---- */

static int has_task(const struct task_set *set, const char *name)
{
    for (size_t i = 0; i < set->n_task; i++) {
        if (!strcmp(set->task[i].name, name))
            return 1;
    }
    return 0;
}

static int select_task(struct task_set *set,
                       const struct template_value *config,
                       struct oy_error *err)
{
    const char *name = task_text_member(config, "task", &set->arena);

    if (name && has_task(set, name))
        return 0;
    OY_GROW(set->task, set->cap_task, set->n_task + 1);
    return task_init(&set->task[set->n_task++], config, &set->arena, err);
}

static int select_name(const struct catalogue *all, struct task_set *set,
                       const char *name, int depth);

static int select_group(const struct catalogue *all, struct task_set *set,
                        const struct template_value *config, int depth)
{
    const char *name = task_text_member(config, "group", &set->arena);
    const struct template_value *children = template_get(config, "task");

    for (size_t i = 0; i < set->n_group; i++) {
        if (!strcmp(set->group[i].name, name))
            return 0;
    }
    if (depth > MAX_DEPTH || !children || children->kind != TEMPLATE_LIST)
        return oy_fail(all->err, OY_DATA, "bad group '%s'", name);
    OY_GROW(set->group, set->cap_group, set->n_group + 1);
    set->group[set->n_group++] = (struct task_group){name, *config};
    for (size_t i = 0; i < children->list->n_item; i++) {
        const struct template_value *child = &children->list->item[i];
        if (child->kind != TEMPLATE_STRING)
            return oy_fail(all->err, OY_DATA, "bad group '%s'", name);
        if (select_name(
                all, set,
                oy_arena_copy(&set->arena, child->text.at, child->text.len),
                depth + 1))
            return -1;
    }
    return 0;
}

static int has_tag(const struct template_value *config, const char *name)
{
    const struct template_value want = template_literal(name);
    const struct template_value *tag = template_get(config, "tag");

    if (!tag || tag->kind != TEMPLATE_LIST)
        return tag && template_equal(tag, &want);
    for (size_t i = 0; i < tag->list->n_item; i++) {
        if (template_equal(&tag->list->item[i], &want))
            return 1;
    }
    return 0;
}

/* Tasks by tag or pattern; *n counts them. */
static int select_many(const struct catalogue *all, struct task_set *set,
                       const char *name, size_t *n)
{
    const int pattern = strpbrk(name, "*?[") != NULL;

    for (size_t i = 0; i < all->task.list->n_item; i++) {
        const struct template_value *config = &all->task.list->item[i];
        const char *task = task_text_member(config, "task", &set->arena);
        if (!has_tag(config, name) &&
            !(pattern && task && !fnmatch(name, task, 0)))
            continue;
        if (select_task(set, config, all->err))
            return -1;
        ++*n;
    }
    return 0;
}

static int select_name(const struct catalogue *all, struct task_set *set,
                       const char *name, int depth)
{
    const struct template_value *config =
        find_config(&all->group, "group", name);
    size_t n = 0;

    if (config)
        return select_group(all, set, config, depth);
    config = find_config(&all->task, "task", name);
    if (config)
        return select_task(set, config, all->err);
    if (select_many(all, set, name, &n))
        return -1;
    if (n)
        return 0;
    return oy_fail(
        all->err, OY_NOINPUT, "unknown task '%s'%s", name,
        all->task.list->n_item ? "" : " (there is no folder benchmarks/tasks)");
}

/* A file of the user's: all that it holds. */
static int select_file(struct catalogue *all, struct task_set *set,
                       const char *path)
{
    const size_t n_task = all->task.list->n_item;
    const size_t n_group = all->group.list->n_item;

    if (read_file(all, path))
        return -1;
    for (size_t i = n_group; i < all->group.list->n_item; i++) {
        if (select_group(all, set, &all->group.list->item[i], 0))
            return -1;
    }
    for (size_t i = n_task; i < all->task.list->n_item; i++) {
        if (select_task(set, &all->task.list->item[i], all->err))
            return -1;
    }
    return 0;
}

static int select_list(struct catalogue *all, struct task_set *set,
                       const char *list)
{
    while (*list) {
        const size_t len = strcspn(list, ",");
        const char *name = oy_arena_copy(&set->arena, list, len);
        const int is_file = len > 5 && !strcmp(name + len - 5, ".json");
        if (len && (is_file ? select_file(all, set, name)
                            : select_name(all, set, name, 0)))
            return -1;
        list += len + (list[len] == ',');
    }
    return set->n_task ? 0 : oy_fail(all->err, OY_USAGE, "no tasks given");
}

int task_select(const char *list, struct task_set *set, struct oy_error *err)
{
    struct catalogue all = {.arena = &set->arena, .err = err};
    char *folder = oy_find_data("benchmarks/tasks");
    int rc = 0;

    *set = (struct task_set){0};
    all.task = template_new_list(all.arena);
    all.group = template_new_list(all.arena);
    if (folder)
        rc = read_folder(&all, folder);
    if (rc == 0)
        rc = select_list(&all, set, list);
    oy_free(folder);
    if (rc)
        task_set_release(set);
    return rc;
}

int task_from_config(const struct template_value *config, struct task_set *set,
                     struct oy_error *err)
{
    return select_task(set, config, err);
}

void task_set_release(struct task_set *set)
{
    for (size_t i = 0; i < set->n_task; i++)
        task_release(&set->task[i]);
    oy_free(set->task);
    oy_free(set->group);
    oy_arena_release(&set->arena);
    *set = (struct task_set){0};
}
