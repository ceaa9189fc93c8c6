/* SPDX-License-Identifier: Apache-2.0
 *
 * The file of answers and its index. */
#include "core/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"

/* The first line, before the identity. */
static const char begin[] = "{\"oyster_journal\":";

struct entry {
    struct oy_hash128 key;
    struct oy_json_value line; /* MISSING: an empty place */
};

struct oy_ledger {
    int fd;
    char *path;
    const struct oy_ledger_use *use;
    struct oy_buffer text; /* the file as it was read */
    struct entry *entry;   /* open addressing */
    size_t n_entry, cap_entry;
    struct oy_buffer out;
};

/* ---- the index ---- */

static struct entry *find_place(const struct oy_ledger *ledger,
                                struct oy_hash128 key)
{
    size_t at = (size_t)key.low & (ledger->cap_entry - 1);

    while (ledger->entry[at].line.kind &&
           (ledger->entry[at].key.low != key.low ||
            ledger->entry[at].key.high != key.high))
        at = (at + 1) & (ledger->cap_entry - 1);
    return &ledger->entry[at];
}

static void make_room(struct oy_ledger *ledger)
{
    struct entry *old = ledger->entry;
    const size_t n = ledger->cap_entry;

    if (2 * (ledger->n_entry + 1) <= n)
        return;
    ledger->cap_entry = n ? 2 * n : 1024;
    ledger->entry = oy_calloc(ledger->cap_entry, sizeof *ledger->entry);
    for (size_t i = 0; i < n; i++) {
        if (old[i].line.kind)
            *find_place(ledger, old[i].key) = old[i];
    }
    oy_free(old);
}

struct oy_json_value oy_ledger_find(const struct oy_ledger *ledger,
                                    struct oy_hash128 key)
{
    return ledger && ledger->n_entry ? find_place(ledger, key)->line
                                     : (struct oy_json_value){0};
}

/* ---- reading ---- */

static int parse_hex(const char *text, uint64_t *value)
{
    *value = 0;
    for (int i = 0; i < 16; i++) {
        const char c = text[i];
        if (c >= '0' && c <= '9')
            *value = *value << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            *value = *value << 4 | (uint64_t)(c - 'a' + 10);
        else
            return -1;
    }
    return 0;
}

static int parse_entry(const struct oy_ledger *ledger, const char *line,
                       size_t len, struct entry *entry)
{
    struct oy_json_value key;
    const char *why;
    size_t where;

    if (oy_json_validate(line, len, &why, &where) ||
        oy_json_value_of(line, len, &entry->line, &why) ||
        entry->line.kind != OY_JSON_OBJECT)
        return -1;
    key = oy_json_member(&entry->line, "key");
    if (key.kind != OY_JSON_STRING || key.len != 34 ||
        parse_hex(key.at + 1, &entry->key.high) ||
        parse_hex(key.at + 17, &entry->key.low))
        return -1;
    return ledger->use->check
               ? ledger->use->check(ledger->use->arg, &entry->line)
               : 0;
}

static int read_line(struct oy_ledger *ledger, size_t number, const char *line,
                     size_t len, struct oy_error *err)
{
    const struct oy_text *identity = &ledger->use->identity;
    struct entry entry;

    if (number == 1) {
        if (len < sizeof begin || memcmp(line, begin, sizeof begin - 1))
            return oy_fail(err, OY_DATA, "%s: not a journal", ledger->path);
        if (len != sizeof begin - 1 + identity->len + 1 ||
            memcmp(line + sizeof begin - 1, identity->at, identity->len))
            return oy_fail(err, OY_DATA,
                           "%s: the journal of another model or other options",
                           ledger->path);
        return 0;
    }
    if (parse_entry(ledger, line, len, &entry))
        return oy_fail(err, OY_DATA, "%s:%zu: damaged", ledger->path, number);
    make_room(ledger);
    struct entry *place = find_place(ledger, entry.key);
    ledger->n_entry += !place->line.kind;
    *place = entry;
    return 0;
}

static int read_lines(struct oy_ledger *ledger, struct oy_error *err)
{
    const char *text = oy_buffer_string(&ledger->text);
    size_t at = 0, number = 0;

    for (;;) {
        const char *end = memchr(text + at, '\n', ledger->text.len - at);
        if (!end)
            break;
        const size_t n = (size_t)(end - text) - at;
        if (read_line(ledger, ++number, text + at, n, err))
            return -1;
        at += n + 1;
    }
    /* A kill left the beginning of a line. */
    if (at < ledger->text.len && ftruncate(ledger->fd, (off_t)at))
        return oy_fail_errno(err, OY_IO, "%s", ledger->path);
    if (lseek(ledger->fd, (off_t)at, SEEK_SET) < 0)
        return oy_fail_errno(err, OY_IO, "%s", ledger->path);
    if (number == 0) {
        oy_buffer_append_string(&ledger->out, begin);
        oy_buffer_append(&ledger->out, ledger->use->identity.at,
                         ledger->use->identity.len);
        oy_buffer_append_string(&ledger->out, "}\n");
    }
    return 0;
}

static int read_file(struct oy_ledger *ledger, struct oy_error *err)
{
    for (;;) {
        char *to = oy_buffer_reserve(&ledger->text, 1 << 20);
        const ssize_t n = read(ledger->fd, to, 1 << 20);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return oy_fail_errno(err, OY_NOINPUT, "%s", ledger->path);
        if (n == 0)
            return 0;
        ledger->text.len += (size_t)n;
    }
}

/* Devices have no end to read to. */
static int check_file(const struct oy_ledger *ledger, struct oy_error *err)
{
    struct stat info;

    if (ledger->fd < 0 || fstat(ledger->fd, &info))
        return oy_fail_errno(err, OY_CANTCREAT, "%s", ledger->path);
    if (!S_ISREG(info.st_mode))
        return oy_fail(err, OY_CANTCREAT, "%s: not a regular file",
                       ledger->path);
    return 0;
}

struct oy_ledger *oy_ledger_open(const char *path,
                                 const struct oy_ledger_use *use,
                                 struct oy_error *err)
{
    struct oy_ledger *ledger = oy_calloc(1, sizeof *ledger);

    ledger->path = oy_strdup(path);
    ledger->use = use;
    ledger->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (check_file(ledger, err) || read_file(ledger, err) ||
        read_lines(ledger, err)) {
        oy_ledger_close(ledger);
        return NULL;
    }
    return ledger;
}

void oy_ledger_close(struct oy_ledger *ledger)
{
    if (!ledger)
        return;
    if (ledger->fd >= 0)
        close(ledger->fd);
    oy_buffer_release(&ledger->text);
    oy_buffer_release(&ledger->out);
    oy_free(ledger->entry);
    oy_free(ledger->path);
    oy_free(ledger);
}

size_t oy_ledger_count(const struct oy_ledger *ledger)
{
    return ledger->n_entry;
}

/* ---- writing ---- */

void oy_ledger_add(struct oy_ledger *ledger, struct oy_hash128 key,
                   const char *members, size_t len)
{
    char text[33];

    oy_hash128_text(key, text);
    oy_buffer_append_format(&ledger->out, "{\"key\":\"%s\",", text);
    oy_buffer_append(&ledger->out, members, len);
    oy_buffer_append_string(&ledger->out, "}\n");
}

int oy_ledger_flush(struct oy_ledger *ledger, struct oy_error *err)
{
    size_t at = 0;

    while (at < ledger->out.len) {
        const ssize_t n =
            write(ledger->fd, ledger->out.data + at, ledger->out.len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return oy_fail_errno(err, OY_IO, "%s", ledger->path);
        at += (size_t)n;
    }
    oy_buffer_clear(&ledger->out);
    /* Devices cannot be synchronised, and need not be. */
    if (fdatasync(ledger->fd) && errno != EINVAL && errno != EROFS)
        return oy_fail_errno(err, OY_IO, "%s", ledger->path);
    return 0;
}
