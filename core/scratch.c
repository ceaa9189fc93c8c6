/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of half-made files and its signal handlers. */
#include "core/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
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
static atomic_int n_making; /* threads that are creating a listed name */
static atomic_int is_dying; /* nothing may be created any more */
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

/* Other threads run on while the list is worked off: what they would create
 * behind it is forbidden first, what they are creating is waited for (one
 * that hangs, on a dead file server, not for ever). */
static void remove_for_good(void)
{
    enum { MAX_WAITS = 1000 };
    const struct timespec millisecond = {.tv_nsec = 1000000};

    if (getpid() != owner)
        return;
    atomic_store(&is_dying, 1);
    for (int i = 0; i < MAX_WAITS && atomic_load(&n_making); i++)
        nanosleep(&millisecond, NULL);
    oy_scratch_remove_all();
}

static void on_signal(int number)
{
    remove_for_good();
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
    atexit(remove_for_good);
    catch_signal(SIGINT);
    catch_signal(SIGTERM);
    catch_signal(SIGHUP);
    /* Both come back as failures of write(). */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
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

/* A thread that creates is not interrupted by the handler, which waits for
 * it. Returns with the mask that was in force in *old. */
static void begin_making(sigset_t *old)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, old);
    atomic_fetch_add(&n_making, 1);
    if (!atomic_load(&is_dying))
        return;
    atomic_fetch_sub(&n_making, 1);
    for (;;)
        pause(); /* the process ends at any moment */
}

static void end_making(const sigset_t *old)
{
    const int saved = errno;

    atomic_fetch_sub(&n_making, 1);
    pthread_sigmask(SIG_SETMASK, old, NULL);
    errno = saved;
}

/* The descriptor, or 0 for a folder; -1 with errno. */
static int create(const char *name, int folder)
{
    if (folder)
        return mkdir(name, 0777);
    return open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
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
        sigset_t old;
        begin_making(&old);
        list(temporary);
        const int fd = create(temporary, folder);
        if (fd < 0)
            strike_off(temporary);
        end_making(&old);
        if (fd >= 0) {
            *name = temporary;
            return fd;
        }
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
