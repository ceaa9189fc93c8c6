/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether token files of other projects are whole. */
#include "tokenizer/token_export.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"

static const char MEGATRON_MAGIC[] = "MMIDIDX\0";

/* A file as it lies in memory; an empty one has no base. */
struct view {
    const unsigned char *base;
    size_t size;
};

static int view_open(struct view *view, const char *path, struct oy_error *err)
{
    struct stat st;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    *view = (struct view){0};
    if (fd < 0 || fstat(fd, &st)) {
        oy_fail_errno(err, OY_NOINPUT, "%s", path);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    view->size = (size_t)st.st_size;
    void *base = view->size
                     ? mmap(NULL, view->size, PROT_READ, MAP_PRIVATE, fd, 0)
                     : NULL;
    close(fd);
    if (base == MAP_FAILED)
        return oy_fail_errno(err, OY_NOINPUT, "%s: cannot be mapped", path);
    view->base = base;
    return 0;
}

static void view_release(struct view *view)
{
    if (view->base)
        munmap((void *)view->base, view->size);
}

static int32_t i32_at(const struct view *view, uint64_t at)
{
    int32_t number;

    memcpy(&number, view->base + at, sizeof number);
    return number;
}

static int64_t i64_at(const struct view *view, uint64_t at)
{
    int64_t number;

    memcpy(&number, view->base + at, sizeof number);
    return number;
}

/* ---- llm.c ---- */

/* What is wrong, or NULL. */
static const char *llmc_fault(const struct view *view)
{
    if (view->size < LLMC_HEADER_SIZE)
        return "header is truncated";
    const int32_t magic = i32_at(view, 0);
    const int is_wide = magic == LLMC_MAGIC_32;
    const uint64_t id_size = is_wide ? 4 : 2;
    const int64_t n = i32_at(view, 8);
    if ((!is_wide && magic != LLMC_MAGIC_16) ||
        i32_at(view, 4) != (is_wide ? 7 : 1))
        return "version of llm.c's format is not known";
    for (uint64_t at = 12; at < LLMC_HEADER_SIZE; at += 4) {
        if (i32_at(view, at))
            return "header has numbers behind the count";
    }
    if (n < 0)
        return "number of tokens is negative";
    if (view->size != LLMC_HEADER_SIZE + (uint64_t)n * id_size)
        return "file is not as long as its number of tokens says";
    for (int64_t i = 0; is_wide && i < n; i++) {
        if (i32_at(view, LLMC_HEADER_SIZE + 4 * (uint64_t)i) < 0)
            return "token id out of range";
    }
    return NULL;
}

/* ---- Megatron ---- */

/* Bytes of an id by the kinds of Megatron's DType that hold ids; 0: none. */
static uint64_t size_of_kind(unsigned char kind)
{
    switch (kind) {
    case 1:
    case 2: return 1;
    case 3:
    case 8: return 2;
    case 4: return 4;
    case 5: return 8;
    default: return 0;
    }
}

static const char *lengths_fault(const struct view *view, uint64_t n,
                                 uint64_t id_size, uint64_t *total)
{
    const uint64_t lengths = MEGATRON_HEADER_SIZE, places = lengths + 4 * n;
    uint64_t place = 0;

    for (uint64_t i = 0; i < n; i++) {
        const int32_t length = i32_at(view, lengths + 4 * i);
        if (length < 0)
            return "length of a sequence is negative";
        if (i64_at(view, places + 8 * i) != (int64_t)place)
            return "place of a sequence does not follow from the lengths";
        place += (uint64_t)length * id_size;
    }
    *total = place;
    return NULL;
}

/* What is wrong with an index, or NULL and the bytes of its ids. */
static const char *index_fault(const struct view *view, uint64_t *total)
{
    if (view->size < MEGATRON_HEADER_SIZE)
        return "header is truncated";
    const uint64_t id_size = size_of_kind(view->base[17]);
    const uint64_t n = (uint64_t)i64_at(view, 18);
    const uint64_t n_end = (uint64_t)i64_at(view, 26);
    const uint64_t left = view->size - MEGATRON_HEADER_SIZE;
    if (memcmp(view->base, MEGATRON_MAGIC, 9) || i64_at(view, 9) != 1)
        return "version of Megatron's format is not known";
    if (!id_size)
        return "kind of token id is not known";
    if (n > left / 12 || n_end > (left - 12 * n) / 8 ||
        left != 12 * n + 8 * n_end)
        return "file is not as long as its counts say";
    const uint64_t ends = MEGATRON_HEADER_SIZE + 12 * n;
    int64_t last = 0;
    for (uint64_t i = 0; i < n_end; i++) {
        const int64_t end = i64_at(view, ends + 8 * i);
        if (i ? end < last : end != 0)
            return "documents out of order";
        last = end;
    }
    if (!n_end || last != (int64_t)n)
        return "documents do not cover the sequences";
    return lengths_fault(view, n, id_size, total);
}

/* The .bin beside an .idx must have as many bytes. */
static int check_beside(const char *path, uint64_t total, struct oy_error *err)
{
    const size_t len = strlen(path);
    struct stat st;

    if (len < 4 || strcmp(path + len - 4, ".idx"))
        return oy_fail(err, OY_DATA, "%s: its name does not end in .idx", path);
    char *name = oy_asprintf("%.*s.bin", (int)(len - 4), path);
    int failed = 0;
    if (stat(name, &st))
        failed = oy_fail(err, OY_DATA, "%s: '%s' is missing", path, name);
    else if ((uint64_t)st.st_size != total)
        failed = oy_fail(
            err, OY_DATA, "%s: has %llu bytes, but its index tells of %llu",
            name, (unsigned long long)st.st_size, (unsigned long long)total);
    oy_free(name);
    return failed;
}

/* ---- the door ---- */

enum token_export_kind token_export_kind(const void *head, size_t n)
{
    int32_t magic = 0;

    if (n >= 9 && !memcmp(head, MEGATRON_MAGIC, 9))
        return TOKEN_EXPORT_MEGATRON_INDEX;
    if (n >= sizeof magic)
        memcpy(&magic, head, sizeof magic);
    return magic == LLMC_MAGIC_16 || magic == LLMC_MAGIC_32 ? TOKEN_EXPORT_LLMC
                                                            : TOKEN_EXPORT_NONE;
}

int token_export_check(const char *path, enum token_export_kind kind,
                       struct oy_error *err)
{
    const char *fault = NULL;
    uint64_t total = 0;
    struct view view;
    int failed = 0;

    if (view_open(&view, path, err))
        return -1;
    if (kind == TOKEN_EXPORT_LLMC)
        fault = llmc_fault(&view);
    else if (kind == TOKEN_EXPORT_MEGATRON_INDEX)
        fault = index_fault(&view, &total);
    if (fault)
        failed = oy_fail(err, OY_DATA, "%s: %s", path, fault);
    else if (kind == TOKEN_EXPORT_MEGATRON_INDEX)
        failed = check_beside(path, total, err);
    view_release(&view);
    return failed;
}
