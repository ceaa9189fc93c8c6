/* SPDX-License-Identifier: Apache-2.0
 *
 * The cache folder: files of a header, a table of sections, and sections. */
#include "core/cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"

enum { ALIGNMENT = 64, BIG_PAGE = 2 << 20 };

static const uint64_t max_folder_bytes = 2ULL << 30;

/* "OYCACHE1" as this machine reads it: another byte order is another number. */
static const uint64_t magic = 0x314548434143594fULL;

/* All of it in the machine's byte order. The table follows, then the sections,
 * each at a multiple of ALIGNMENT. */
struct header {
    uint64_t magic;
    uint64_t version;
    struct oy_hash128 key;
    struct oy_hash128 sum; /* of everything behind the header */
    uint64_t size;         /* of the file */
    uint64_t unused;
};

struct table {
    uint64_t n;
    struct {
        uint64_t at, size;
    } section[OY_CACHE_MAX_SECTIONS];
};

/* ---- the folder ---- */

/* The folder, the caller's; NULL: there is none. */
static char *find_folder(void)
{
    const char *own = getenv("OYSTER_CACHE");
    const char *xdg = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");

    if (own)
        return *own ? oy_strdup(own) : NULL;
    if (xdg && *xdg == '/')
        return oy_asprintf("%s/oyster", xdg);
    if (home && *home == '/')
        return oy_asprintf("%s/.cache/oyster", home);
    return NULL;
}

/* Makes a folder and those above it, for this user alone. */
static int make_folder(const char *folder)
{
    char *path = oy_strdup(folder);

    for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    mkdir(path, 0700);
    oy_free(path);
    return access(folder, W_OK | X_OK);
}

/* The caller's. */
static char *path_of(const char *folder, const struct oy_cache_name *name)
{
    char key[33];

    oy_hash128_text(name->key, key);
    return oy_asprintf("%s/%s-%u-%s", folder, name->kind, name->version, key);
}

/* ---- reading ---- */

static int read_all(int fd, void *data, size_t size)
{
    char *at = data;

    while (size) {
        const ssize_t n = read(fd, at, size);
        if (n <= 0)
            return -1;
        at += n;
        size -= (size_t)n;
    }
    return 0;
}

/* The file in memory of its own: it is looked at in no order, which small
 * pages would make dear. */
static int map_file(int fd, struct oy_cache_entry *entry)
{
    struct stat st;

    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
        st.st_size < (off_t)sizeof(struct header))
        return -1;
    const size_t size = (size_t)st.st_size;
    void *map = mmap(NULL, size + BIG_PAGE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED)
        return -1;
    madvise(map, size + BIG_PAGE, MADV_HUGEPAGE);
    entry->map = map;
    entry->map_size = size + BIG_PAGE;
    return read_all(fd, map, size);
}

static int is_entry(const struct header *header, size_t size,
                    const struct oy_cache_name *name)
{
    const char *body = (const char *)(header + 1);

    if (header->magic != magic || header->version != name->version ||
        header->key.high != name->key.high ||
        header->key.low != name->key.low || header->size != size ||
        size - sizeof *header < sizeof(struct table))
        return 0;
    const struct oy_hash128 sum = oy_hash128(body, size - sizeof *header);
    return sum.high == header->sum.high && sum.low == header->sum.low;
}

/* The sum is right, so the table is as it was written; whether it fits is
 * asked all the same. */
static int open_sections(struct oy_cache_entry *entry)
{
    const struct header *header = entry->map;
    const struct table *table = (const struct table *)(header + 1);

    if (table->n > OY_CACHE_MAX_SECTIONS)
        return -1;
    for (size_t i = 0; i < table->n; i++) {
        const uint64_t at = table->section[i].at;
        const uint64_t size = table->section[i].size;
        if (at > header->size || size > header->size - at)
            return -1;
        entry->section[i].data = (char *)entry->map + at;
        entry->section[i].size = size;
    }
    entry->n = table->n;
    return 0;
}

static int open_file(const char *path, const struct oy_cache_name *name,
                     struct oy_cache_entry *entry)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return -1;
    int failed = map_file(fd, entry);
    if (!failed)
        failed = is_entry(entry->map, entry->map_size - BIG_PAGE, name)
                     ? open_sections(entry)
                     : -1;
    /* Its time says when it was used. */
    if (!failed)
        futimens(fd, NULL);
    close(fd);
    return failed;
}

int oy_cache_open(const struct oy_cache_name *name,
                  struct oy_cache_entry *entry)
{
    char *folder = find_folder();

    *entry = (struct oy_cache_entry){.n = 0};
    if (!folder)
        return -1;
    char *path = path_of(folder, name);
    const int failed = open_file(path, name, entry);
    if (failed)
        oy_cache_close(entry);
    oy_free(path);
    oy_free(folder);
    return failed;
}

void oy_cache_close(struct oy_cache_entry *entry)
{
    if (entry->map)
        munmap(entry->map, entry->map_size);
    *entry = (struct oy_cache_entry){.n = 0};
}

/* ---- writing ---- */

static int write_all(int fd, const void *data, size_t size)
{
    const char *at = data;

    while (size) {
        const ssize_t n = write(fd, at, size);
        if (n <= 0)
            return -1;
        at += n;
        size -= (size_t)n;
    }
    return 0;
}

static size_t align(size_t at)
{
    return (at + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Writes bytes and the zeros up to the next section, and sums them. */
static int write_padded(int fd, const void *data, size_t size, size_t *at,
                        struct oy_hasher *hasher)
{
    static const char zero[ALIGNMENT];
    const size_t gap = align(*at + size) - (*at + size);

    oy_hasher_update(hasher, data, size);
    oy_hasher_update(hasher, zero, gap);
    *at += size + gap;
    return write_all(fd, data, size) || write_all(fd, zero, gap) ? -1 : 0;
}

static int write_file(int fd, const struct oy_cache_name *name,
                      const struct oy_cache_section *section, size_t n)
{
    struct header header = {
        .magic = magic,
        .version = name->version,
        .key = name->key,
    };
    struct table table = {.n = n};
    struct oy_hasher *hasher = oy_hasher_new();
    size_t at = sizeof header;
    size_t next = align(at + sizeof table);
    int failed = lseek(fd, (off_t)at, SEEK_SET) < 0;

    for (size_t i = 0; i < n; i++) {
        table.section[i].at = next;
        table.section[i].size = section[i].size;
        next = align(next + section[i].size);
    }
    if (!failed)
        failed = write_padded(fd, &table, sizeof table, &at, hasher);
    for (size_t i = 0; i < n && !failed; i++)
        failed =
            write_padded(fd, section[i].data, section[i].size, &at, hasher);
    header.size = at;
    header.sum = oy_hasher_digest(hasher);
    oy_hasher_free(hasher);
    /* The header comes last: half a file has none. */
    if (failed || pwrite(fd, &header, sizeof header, 0) != sizeof header)
        return -1;
    return 0;
}

/* ---- the limit ---- */

struct old_file {
    char *path;
    struct timespec used;
    uint64_t size;
};

static int compare_age(const void *a, const void *b)
{
    const struct timespec *x = &((const struct old_file *)a)->used;
    const struct timespec *y = &((const struct old_file *)b)->used;

    if (x->tv_sec != y->tv_sec)
        return x->tv_sec < y->tv_sec ? -1 : 1;
    return (x->tv_nsec > y->tv_nsec) - (x->tv_nsec < y->tv_nsec);
}

/* KIND-VERSION-KEY, and a suffix while it is being written: nothing else is
 * ever removed. */
static int is_our_name(const char *name)
{
    const size_t n_kind = strspn(name, "abcdefghijklmnopqrstuvwxyz");
    const char *version = name + n_kind + 1;

    if (!n_kind || name[n_kind] != '-')
        return 0;
    const size_t n_digit = strspn(version, "0123456789");
    const char *key = version + n_digit + 1;
    if (!n_digit || version[n_digit] != '-')
        return 0;
    const size_t n_key = strspn(key, "0123456789abcdef");
    return n_key == 32 && (key[n_key] == '\0' || key[n_key] == '.');
}

/* Lists the entries in a folder; returns the sum of their sizes. */
static uint64_t list_folder(const char *folder, struct old_file **file,
                            size_t *n)
{
    DIR *directory = opendir(folder);
    const struct dirent *item;
    struct stat st;
    uint64_t sum = 0;
    size_t cap = 0;

    while (directory && (item = readdir(directory))) {
        if (!is_our_name(item->d_name))
            continue;
        char *path = oy_asprintf("%s/%s", folder, item->d_name);
        if (lstat(path, &st) || !S_ISREG(st.st_mode)) {
            oy_free(path);
            continue;
        }
        OY_GROW(*file, cap, *n + 1);
        (*file)[(*n)++] =
            (struct old_file){path, st.st_mtim, (uint64_t)st.st_size};
        sum += (uint64_t)st.st_size;
    }
    if (directory)
        closedir(directory);
    return sum;
}

/* Removes what was used least lately until the folder is small enough. */
static void keep_small(const char *folder)
{
    struct old_file *file = NULL;
    size_t n = 0;
    uint64_t sum = list_folder(folder, &file, &n);

    if (sum > max_folder_bytes)
        qsort(file, n, sizeof *file, compare_age);
    for (size_t i = 0; i < n; i++) {
        if (sum > max_folder_bytes && !unlink(file[i].path))
            sum -= file[i].size;
        oy_free(file[i].path);
    }
    oy_free(file);
}

/* Writes the file under a name of its own, then gives it the real one. */
static int store_file(const char *path, const struct oy_cache_name *name,
                      const struct oy_cache_section *section, size_t n)
{
    char *half = oy_asprintf("%s.XXXXXX", path);
    const int fd = mkostemp(half, O_CLOEXEC);
    int failed = -1;

    if (fd >= 0) {
        failed = write_file(fd, name, section, n);
        if (close(fd) || failed || rename(half, path)) {
            failed = -1;
            unlink(half);
        }
    }
    oy_free(half);
    return failed;
}

int oy_cache_store(const struct oy_cache_name *name,
                   const struct oy_cache_section *section, size_t n)
{
    char *folder = find_folder();
    int failed = -1;

    OY_ASSERT(n <= OY_CACHE_MAX_SECTIONS);
    if (!folder)
        return -1;
    char *path = path_of(folder, name);
    if (!make_folder(folder))
        failed = store_file(path, name, section, n);
    if (!failed)
        keep_small(folder);
    oy_free(path);
    oy_free(folder);
    return failed;
}
