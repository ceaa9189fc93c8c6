/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of half-made files and its signal handlers. */
#include "core/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/hash.h"

enum {
    MAX_LISTED = 1 << 17, /* a set of 99,999 shards, and more */
    MAX_TRIES = 1000,
    MAX_DEPTH = 8, /* of the folders that we make */
    ENTRIES_SIZE = 2048,
};

/* Mutable because signal handlers and atexit functions have no argument. */
static _Atomic(char *) listed[MAX_LISTED];
static atomic_int n_listed; /* slots that were ever used */
static pid_t owner;         /* a forked child must not clean up */

/* ---- removal by system calls alone ---- */

struct entry { /* struct linux_dirent64, getdents64(2) */
    uint64_t inode;
    int64_t offset;
    unsigned short size;
    unsigned char type;
    char name[];
};

static void remove_at(int folder, const char *name, int depth);

static void empty_folder(int fd, int depth)
{
    _Alignas(struct entry) char data[ENTRIES_SIZE];
    long n;

    while ((n = syscall(SYS_getdents64, fd, data, sizeof data)) > 0) {
        for (long at = 0; at < n;) {
            const struct entry *entry = (const void *)(data + at);
            at += entry->size;
            if (strcmp(entry->name, ".") && strcmp(entry->name, ".."))
                remove_at(fd, entry->name, depth + 1);
        }
    }
}

static void remove_at(int folder, const char *name, int depth)
{
    if (unlinkat(folder, name, 0) == 0 || depth >= MAX_DEPTH)
        return;
    const int fd =
        openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    empty_folder(fd, depth);
    close(fd);
    unlinkat(folder, name, AT_REMOVEDIR);
}

void oy_scratch_remove_tree(const char *path)
{
    remove_at(AT_FDCWD, path, 0);
}

/* ---- the list ---- */

static int put_in_slot(int slot, char *name)
{
    char *none = NULL;

    return !atomic_load_explicit(&listed[slot], memory_order_relaxed) &&
           atomic_compare_exchange_strong(&listed[slot], &none, name);
}

static void list(char *name)
{
    int used = atomic_load(&n_listed);

    /* An old slot first: most programs need one or two for ever. */
    for (int i = 0; i < used; i++) {
        if (put_in_slot(i, name))
            return;
    }
    for (int i = used; i < MAX_LISTED; i++) {
        while (used <= i &&
               !atomic_compare_exchange_weak(&n_listed, &used, i + 1))
            ;
        if (put_in_slot(i, name))
            return;
    }
    OY_ASSERT(!"too many half-made files at once");
}

static void strike_off(const char *name)
{
    const int n = atomic_load(&n_listed);

    for (int i = 0; i < n; i++) {
        char *same = (char *)name;
        if (atomic_load_explicit(&listed[i], memory_order_relaxed) == name &&
            atomic_compare_exchange_strong(&listed[i], &same, NULL))
            return;
    }
}

void oy_scratch_remove_all(void)
{
    const int saved = errno;

    if (getpid() != owner)
        return;
    for (int i = atomic_load(&n_listed) - 1; i >= 0; i--) {
        const char *name = atomic_exchange(&listed[i], NULL);
        if (name)
            oy_scratch_remove_tree(name);
    }
    errno = saved;
}

static void on_signal(int number)
{
    oy_scratch_remove_all();
    /* SA_RESETHAND has brought the default back. */
    raise(number);
}

static void catch_signal(int number)
{
    struct sigaction action = {.sa_handler = on_signal,
                               .sa_flags = SA_RESETHAND | SA_NODEFER};
    struct sigaction old;

    /* nohup and background jobs of a shell ignore some: leave it so. */
    if (sigaction(number, NULL, &old) == 0 && old.sa_handler == SIG_IGN)
        return;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

void oy_scratch_init_signals(void)
{
    if (owner)
        return;
    owner = getpid();
    atexit(oy_scratch_remove_all);
    catch_signal(SIGINT);
    catch_signal(SIGTERM);
    catch_signal(SIGHUP);
    signal(SIGPIPE, SIG_IGN);
}

/* ---- names ---- */

static void put_letters(char *at, uint64_t bits)
{
    static const char letter[] = "abcdefghijklmnopqrstuvwxyz012345";

    for (int i = 0; i < 6; i++, bits >>= 5)
        at[i] = letter[bits & 31];
}

static uint64_t first_guess(const char *path)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return oy_mix64((uint64_t)now.tv_nsec ^ ((uint64_t)getpid() << 32)) ^
           (uintptr_t)path;
}

static int make_new(const char *path, int folder, char **name)
{
    char *temporary = oy_asprintf("%s.tmp-XXXXXX", path);
    char *letters = temporary + strlen(temporary) - 6;
    uint64_t guess = first_guess(path);

    /* Listed before it exists, so that no signal falls between. */
    for (int i = 0; i < MAX_TRIES; i++) {
        put_letters(letters, guess = oy_mix64(guess + 1));
        if (access(temporary, F_OK) == 0)
            continue;
        list(temporary);
        const int fd =
            folder ? mkdir(temporary, 0777)
                   : open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                          0666);
        if (fd >= 0) {
            *name = temporary;
            return fd;
        }
        strike_off(temporary);
        if (errno != EEXIST)
            break;
    }
    const int saved = errno;
    oy_free(temporary);
    errno = saved;
    return -1;
}

int oy_scratch_file(const char *path, char **name)
{
    return make_new(path, 0, name);
}

int oy_scratch_folder(const char *path, char **name)
{
    return make_new(path, 1, name);
}

int oy_scratch_rename(char *name, const char *target)
{
    if (rename(name, target))
        return -1;
    oy_scratch_forget(name);
    return 0;
}

void oy_scratch_forget(char *name)
{
    if (!name)
        return;
    strike_off(name);
    oy_free(name);
}

void oy_scratch_discard(char *name)
{
    if (!name)
        return;
    oy_scratch_remove_tree(name);
    oy_scratch_forget(name);
}
