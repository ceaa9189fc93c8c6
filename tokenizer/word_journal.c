/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts on disk, so that an interrupted count goes on where it was.
 */
#include "tokenizer/word_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/input.h"

static const char FILE_NAME[] = "journal";
static const uint64_t MAX_SIZE = (uint64_t)1 << 40;

/* A run of a former process: where it lies, and of which records it is. */
struct old_run {
    struct word_run run;
    struct word_digest digest;
};

/* A range of records that are in old run number `run`. */
struct old_range {
    uint64_t first, last;
    size_t run;
};

struct word_journal {
    char *folder;
    int fd; /* of the journal itself, locked */
    pthread_mutex_t lock;
    int *part; /* [n_part] descriptors, or -1 */
    size_t n_part, part_cap;
    struct old_run *run;
    size_t n_run, run_cap;
    struct old_range *range; /* ascending */
    size_t n_range, range_cap;
    struct oy_buffer line;
    int is_empty; /* it is ours, and no run is in it */
};

/* ---- records ---- */

void word_cover_release(struct word_cover *cover)
{
    oy_free(cover->range);
    *cover = (struct word_cover){0};
}

void word_cover_clear(struct word_cover *cover)
{
    cover->n_range = 0;
    cover->digest = (struct word_digest){0};
}

void word_digest_add(struct word_digest *digest, uint64_t number, uint64_t hash)
{
    digest->n_record++;
    digest->sum += oy_mix64(hash + number);
}

void word_cover_add(struct word_cover *cover, uint64_t number, uint64_t hash)
{
    struct word_range *const last =
        cover->n_range ? &cover->range[cover->n_range - 1] : NULL;

    word_digest_add(&cover->digest, number, hash);
    if (last && last->last + 1 == number) {
        last->last = number;
        return;
    }
    OY_GROW(cover->range, cover->range_cap, cover->n_range + 1);
    cover->range[cover->n_range++] = (struct word_range){number, number};
}

/* ---- files ---- */

static int open_part(struct word_journal *journal, uint64_t number, int flags)
{
    char *const path = oy_asprintf("%s/part-%" PRIu64, journal->folder, number);
    const int fd = open(path, O_RDWR | O_CLOEXEC | flags, 0666);
    const int saved = errno;

    oy_free(path);
    errno = saved;
    return fd;
}

/* Makes room for part number `number`. */
static void make_parts(struct word_journal *journal, uint64_t number)
{
    OY_GROW(journal->part, journal->part_cap, number + 1);
    while (journal->n_part <= number)
        journal->part[journal->n_part++] = -1;
}

int word_journal_new_part(struct word_journal *journal, int *part,
                          struct oy_error *err)
{
    int fd;

    pthread_mutex_lock(&journal->lock);
    for (;;) {
        const size_t number = journal->n_part;

        fd = open_part(journal, number, O_CREAT | O_EXCL);
        if (fd < 0 && errno != EEXIST)
            break;
        make_parts(journal, number);
        journal->part[number] = fd;
        *part = (int)number;
        if (fd >= 0)
            break;
    }
    if (fd < 0)
        oy_fail_errno(err, OY_CANTCREAT, "%s: cannot create", journal->folder);
    pthread_mutex_unlock(&journal->lock);
    return fd;
}

/* ---- lines ---- */

static int damaged(const struct word_journal *journal, size_t line,
                   struct oy_error *err)
{
    return oy_fail(err, OY_DATA,
                   "%s/%s:%zu: damaged; remove the folder to begin anew",
                   journal->folder, FILE_NAME, line);
}

/* The next number of a line; 0 when there is none. */
static int read_number(const char **at, int base, char behind, uint64_t *number)
{
    char *end;

    errno = 0;
    *number = strtoull(*at, &end, base);
    if (errno || end == *at || *end != behind)
        return 0;
    *at = end + 1;
    return 1;
}

static int read_ranges(struct word_journal *journal, const char *at,
                       uint64_t n_record)
{
    while (*at) {
        struct old_range range = {.run = journal->n_run - 1};

        if (!read_number(&at, 10, '-', &range.first) ||
            !read_number(&at, 10, ',', &range.last) ||
            range.last < range.first || range.last - range.first >= n_record)
            return 0;
        n_record -= range.last - range.first + 1;
        OY_GROW(journal->range, journal->range_cap, journal->n_range + 1);
        journal->range[journal->n_range++] = range;
    }
    return n_record == 0;
}

/* "PART AT SIZE WORDS HASH HASH RECORDS DIGEST FIRST-LAST,FIRST-LAST," */
static int read_run(struct word_journal *journal, const char *line)
{
    struct old_run run = {0};
    struct word_run *const r = &run.run;
    uint64_t part;

    if (!read_number(&line, 10, ' ', &part) ||
        !read_number(&line, 10, ' ', &r->at) ||
        !read_number(&line, 10, ' ', &r->size) ||
        !read_number(&line, 10, ' ', &r->n_word) ||
        !read_number(&line, 16, ' ', &r->hash.high) ||
        !read_number(&line, 16, ' ', &r->hash.low) ||
        !read_number(&line, 10, ' ', &run.digest.n_record) ||
        !read_number(&line, 16, ' ', &run.digest.sum) || part >= 1 << 20 ||
        r->at > MAX_SIZE || r->size > MAX_SIZE)
        return 0;
    make_parts(journal, part);
    if (journal->part[part] < 0)
        journal->part[part] = open_part(journal, part, 0);
    r->fd = journal->part[part];
    if (r->fd < 0)
        return 0;
    OY_GROW(journal->run, journal->run_cap, journal->n_run + 1);
    journal->run[journal->n_run++] = run;
    return read_ranges(journal, line, run.digest.n_record);
}

static int compare_ranges(const void *left, const void *right)
{
    const struct old_range *const a = left, *const b = right;

    return (a->first > b->first) - (a->first < b->first);
}

static int check_runs(struct word_journal *journal, struct oy_error *err)
{
    qsort(journal->range, journal->n_range, sizeof *journal->range,
          compare_ranges);
    for (size_t i = 1; i < journal->n_range; i++) {
        if (journal->range[i].first <= journal->range[i - 1].last)
            return damaged(journal, 1, err);
    }
    for (size_t i = 0; i < journal->n_run; i++) {
        const int whole = word_run_is_whole(&journal->run[i].run, err);

        if (whole < 0)
            return -1;
        if (!whole)
            return damaged(journal, i + 2, err);
    }
    return 0;
}

/* The whole lines; what lies behind the last LF was cut off by a kill. */
static int read_lines(struct word_journal *journal, char *text, size_t len,
                      const char *identity, struct oy_error *err)
{
    size_t at = 0, n_line = 0;

    for (;;) {
        char *const lf = memchr(text + at, '\n', len - at);

        if (!lf)
            break;
        *lf = 0;
        n_line++;
        if (n_line == 1 && strcmp(text, identity))
            return oy_fail(err, OY_DATA,
                           "%s: is of a run with other options or another "
                           "version; remove it to begin anew",
                           journal->folder);
        if (n_line > 1 && !read_run(journal, text + at))
            return damaged(journal, n_line, err);
        at = (size_t)(lf - text) + 1;
    }
    if (ftruncate(journal->fd, (off_t)at) ||
        lseek(journal->fd, (off_t)at, SEEK_SET) < 0)
        return oy_fail_errno(err, OY_IO, "%s/%s", journal->folder, FILE_NAME);
    return n_line > 0;
}

/* Appends journal->line and makes it durable. */
static int write_line(struct word_journal *journal, struct oy_error *err)
{
    const char *at = journal->line.data;
    size_t left = journal->line.len;

    while (left) {
        const ssize_t n = write(journal->fd, at, left);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        at += n;
        left -= (size_t)n;
    }
    if (left || fdatasync(journal->fd))
        return oy_fail_errno(err, OY_IO, "%s/%s: cannot write", journal->folder,
                             FILE_NAME);
    return 0;
}

static int write_identity(struct word_journal *journal, const char *identity,
                          struct oy_error *err)
{
    oy_buffer_clear(&journal->line);
    oy_buffer_append_string(&journal->line, identity);
    oy_buffer_append_char(&journal->line, '\n');
    return write_line(journal, err);
}

static int read_journal(struct word_journal *journal, const char *path,
                        const char *identity, struct oy_error *err)
{
    size_t len;
    char *const text = oy_input_slurp(path, (size_t)MAX_SIZE, &len, err);

    if (!text)
        return -1;
    const int rc = read_lines(journal, text, len, identity, err);

    oy_free(text);
    if (rc < 0)
        return -1;
    return rc ? check_runs(journal, err)
              : write_identity(journal, identity, err);
}

static int open_journal(struct word_journal *journal, const char *identity,
                        struct oy_error *err)
{
    char *const path = oy_asprintf("%s/%s", journal->folder, FILE_NAME);
    int rc = -1;

    if (mkdir(journal->folder, 0777) && errno != EEXIST) {
        oy_fail_errno(err, OY_CANTCREAT, "%s: cannot create", journal->folder);
        goto out;
    }
    journal->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (journal->fd < 0) {
        oy_fail_errno(err, OY_CANTCREAT, "%s: cannot open", path);
        goto out;
    }
    if (flock(journal->fd, LOCK_EX | LOCK_NB)) {
        oy_fail(err, OY_CANTCREAT, "%s: another run is using it",
                journal->folder);
        goto out;
    }
    rc = read_journal(journal, path, identity, err);
out:
    oy_free(path);
    return rc;
}

static void release(struct word_journal *journal)
{
    for (size_t i = 0; i < journal->n_part; i++) {
        if (journal->part[i] >= 0)
            close(journal->part[i]);
    }
    if (journal->fd >= 0)
        close(journal->fd);
    pthread_mutex_destroy(&journal->lock);
    oy_buffer_release(&journal->line);
    oy_free(journal->part);
    oy_free(journal->run);
    oy_free(journal->range);
    oy_free(journal->folder);
    oy_free(journal);
}

/* Only files of ours: a stranger's keeps the folder. */
static void remove_files(const struct word_journal *journal)
{
    for (size_t i = 0; i < journal->n_part; i++) {
        char *const part = oy_asprintf("%s/part-%zu", journal->folder, i);

        unlink(part);
        oy_free(part);
    }
    char *const path = oy_asprintf("%s/%s", journal->folder, FILE_NAME);

    unlink(path);
    rmdir(journal->folder);
    oy_free(path);
}

struct word_journal *word_journal_open(const char *folder, const char *identity,
                                       struct oy_error *err)
{
    struct word_journal *const journal = oy_calloc(1, sizeof *journal);

    journal->folder = oy_strdup(folder);
    journal->fd = -1;
    pthread_mutex_init(&journal->lock, NULL);
    if (open_journal(journal, identity, err)) {
        release(journal);
        return NULL;
    }
    journal->is_empty = !journal->n_run;
    return journal;
}

void word_journal_close(struct word_journal *journal)
{
    if (!journal)
        return;
    if (journal->is_empty)
        remove_files(journal);
    release(journal);
}

void word_journal_remove(struct word_journal *journal)
{
    if (!journal)
        return;
    remove_files(journal);
    release(journal);
}

/* ---- what was there ---- */

size_t word_journal_count(const struct word_journal *journal)
{
    return journal->n_run;
}

const struct word_run *word_journal_run(const struct word_journal *journal,
                                        size_t i)
{
    return &journal->run[i].run;
}

int64_t word_journal_find(const struct word_journal *journal, uint64_t record)
{
    size_t low = 0, high = journal->n_range;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (journal->range[middle].last < record)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == journal->n_range || journal->range[low].first > record)
        return -1;
    return (int64_t)journal->range[low].run;
}

int word_journal_check(const struct word_journal *journal,
                       const struct word_digest *digest, struct oy_error *err)
{
    for (size_t i = 0; i < journal->n_run; i++) {
        const struct word_digest *const old = &journal->run[i].digest;

        if (digest[i].n_record != old->n_record || digest[i].sum != old->sum)
            return oy_fail(err, OY_DATA,
                           "%s: was counted from other records; remove it to "
                           "begin anew",
                           journal->folder);
    }
    return 0;
}

/* ---- what is added ---- */

int word_journal_add(struct word_journal *journal, int part,
                     const struct word_run *run, const struct word_cover *cover,
                     struct oy_error *err)
{
    if (fdatasync(run->fd))
        return oy_fail_errno(err, OY_IO, "%s: cannot write", journal->folder);
    pthread_mutex_lock(&journal->lock);
    struct oy_buffer *const line = &journal->line;

    oy_buffer_clear(line);
    oy_buffer_append_format(line,
                            "%d %" PRIu64 " %" PRIu64 " %" PRIu64 " %016" PRIx64
                            " %016" PRIx64 " %" PRIu64 " %016" PRIx64 " ",
                            part, run->at, run->size, run->n_word,
                            run->hash.high, run->hash.low,
                            cover->digest.n_record, cover->digest.sum);
    for (size_t i = 0; i < cover->n_range; i++)
        oy_buffer_append_format(line, "%" PRIu64 "-%" PRIu64 ",",
                                cover->range[i].first, cover->range[i].last);
    oy_buffer_append_char(line, '\n');
    journal->is_empty = 0;
    const int rc = write_line(journal, err);

    pthread_mutex_unlock(&journal->lock);
    return rc;
}
