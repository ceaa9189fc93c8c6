/* SPDX-License-Identifier: Apache-2.0
 *
 * The file of answers and its index. */
#include "eval/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/json.h"

struct entry {
    struct oy_hash128 key;
    struct request_answer answer; /* given 0: an empty place */
};

struct journal {
    int fd;
    char *path;
    struct oy_buffer text; /* the file as it was read */
    struct oy_arena arena;
    struct entry *entry; /* open addressing */
    size_t n_entry, cap_entry;
    struct oy_buffer out;
};

/* ---- the index ---- */

static struct entry *find_place(const struct journal *journal,
                                struct oy_hash128 key)
{
    size_t at = (size_t)key.low & (journal->cap_entry - 1);

    while (journal->entry[at].answer.given &&
           (journal->entry[at].key.low != key.low ||
            journal->entry[at].key.high != key.high))
        at = (at + 1) & (journal->cap_entry - 1);
    return &journal->entry[at];
}

static void make_room(struct journal *journal)
{
    struct entry *old = journal->entry;
    const size_t n = journal->cap_entry;

    if (2 * (journal->n_entry + 1) <= n)
        return;
    journal->cap_entry = n ? 2 * n : 1024;
    journal->entry = oy_calloc(journal->cap_entry, sizeof *journal->entry);
    for (size_t i = 0; i < n; i++) {
        if (old[i].answer.given)
            *find_place(journal, old[i].key) = old[i];
    }
    oy_free(old);
}

int journal_find(const struct journal *journal, struct oy_hash128 key,
                 struct request_answer *answer)
{
    if (!journal || !journal->n_entry)
        return 0;
    const struct entry *entry = find_place(journal, key);
    if (!entry->answer.given)
        return 0;
    *answer = entry->answer;
    return 1;
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

static void get_array(const struct oy_json_value *value, struct oy_text *text)
{
    if (value->kind == OY_JSON_ARRAY)
        *text = (struct oy_text){value->at, value->len};
}

static int get_completion(const struct oy_json_value *value,
                          struct oy_arena *arena, struct request_answer *answer)
{
    uint64_t n_repaired = 0;
    const char *why;

    if (value->kind != OY_JSON_STRING)
        return value->kind == OY_JSON_MISSING ? 0 : -1;
    return oy_json_text(value, arena, &answer->completion, &n_repaired, &why);
}

static int parse_entry(struct journal *journal, const char *line, size_t len,
                       struct entry *entry)
{
    struct oy_json_value all, key, value, member;
    const char *why;
    size_t where;

    if (oy_json_validate(line, len, &why, &where) ||
        oy_json_value_of(line, len, &all, &why) || all.kind != OY_JSON_OBJECT)
        return -1;
    key = oy_json_member(&all, "key");
    value = oy_json_member(&all, "logprob");
    *entry = (struct entry){.answer.given = 1};
    if (key.kind != OY_JSON_STRING || key.len != 34 ||
        parse_hex(key.at + 1, &entry->key.high) ||
        parse_hex(key.at + 17, &entry->key.low))
        return -1;
    if (value.kind != OY_JSON_MISSING &&
        oy_json_double(&value, &entry->answer.logprob))
        return -1;
    member = oy_json_member(&all, "is_greedy");
    if (member.kind != OY_JSON_MISSING &&
        oy_json_bool(&member, &entry->answer.is_greedy))
        return -1;
    member = oy_json_member(&all, "token_logprobs");
    get_array(&member, &entry->answer.token_logprobs);
    member = oy_json_member(&all, "top_logprobs");
    get_array(&member, &entry->answer.top_logprobs);
    member = oy_json_member(&all, "completion");
    return get_completion(&member, &journal->arena, &entry->answer);
}

static int read_line(struct journal *journal, size_t number, const char *line,
                     size_t len, const char *identity, size_t identity_len,
                     struct oy_error *err)
{
    static const char begin[] = "{\"oyster_journal\":";
    struct entry entry;

    if (number == 1) {
        if (len < sizeof begin || memcmp(line, begin, sizeof begin - 1))
            return oy_fail(err, OY_DATA, "%s: not a journal", journal->path);
        if (len != sizeof begin - 1 + identity_len + 1 ||
            memcmp(line + sizeof begin - 1, identity, identity_len))
            return oy_fail(err, OY_DATA,
                           "%s: the journal of another model or other options",
                           journal->path);
        return 0;
    }
    if (parse_entry(journal, line, len, &entry))
        return oy_fail(err, OY_DATA, "%s:%zu: damaged", journal->path, number);
    make_room(journal);
    struct entry *place = find_place(journal, entry.key);
    journal->n_entry += !place->answer.given;
    *place = entry;
    return 0;
}

static int read_lines(struct journal *journal, const char *identity, size_t len,
                      struct oy_error *err)
{
    const char *text = oy_buffer_string(&journal->text);
    size_t at = 0, number = 0;

    for (;;) {
        const char *end = memchr(text + at, '\n', journal->text.len - at);
        if (!end)
            break;
        const size_t n = (size_t)(end - text) - at;
        if (read_line(journal, ++number, text + at, n, identity, len, err))
            return -1;
        at += n + 1;
    }
    /* A kill left the beginning of a line. */
    if (at < journal->text.len && ftruncate(journal->fd, (off_t)at))
        return oy_fail_errno(err, OY_IO, "%s", journal->path);
    if (lseek(journal->fd, (off_t)at, SEEK_SET) < 0)
        return oy_fail_errno(err, OY_IO, "%s", journal->path);
    if (number == 0) {
        oy_buffer_append_string(&journal->out, "{\"oyster_journal\":");
        oy_buffer_append(&journal->out, identity, len);
        oy_buffer_append_string(&journal->out, "}\n");
    }
    return 0;
}

static int read_file(struct journal *journal, struct oy_error *err)
{
    for (;;) {
        char *to = oy_buffer_reserve(&journal->text, 1 << 20);
        const ssize_t n = read(journal->fd, to, 1 << 20);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return oy_fail_errno(err, OY_NOINPUT, "%s", journal->path);
        if (n == 0)
            return 0;
        journal->text.len += (size_t)n;
    }
}

/* Devices have no end to read to. */
static int check_file(const struct journal *journal, struct oy_error *err)
{
    struct stat info;

    if (journal->fd < 0 || fstat(journal->fd, &info))
        return oy_fail_errno(err, OY_CANTCREAT, "%s", journal->path);
    if (!S_ISREG(info.st_mode))
        return oy_fail(err, OY_CANTCREAT, "%s: not a regular file",
                       journal->path);
    return 0;
}

struct journal *journal_open(const char *path, const char *identity, size_t len,
                             struct oy_error *err)
{
    struct journal *journal = oy_calloc(1, sizeof *journal);

    journal->path = oy_strdup(path);
    journal->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (check_file(journal, err) || read_file(journal, err) ||
        read_lines(journal, identity, len, err)) {
        journal_close(journal);
        return NULL;
    }
    return journal;
}

void journal_close(struct journal *journal)
{
    if (!journal)
        return;
    if (journal->fd >= 0)
        close(journal->fd);
    oy_buffer_release(&journal->text);
    oy_buffer_release(&journal->out);
    oy_arena_release(&journal->arena);
    oy_free(journal->entry);
    oy_free(journal->path);
    oy_free(journal);
}

size_t journal_count(const struct journal *journal)
{
    return journal->n_entry;
}

/* ---- writing ---- */

static void put_array(struct oy_buffer *out, const char *name,
                      const struct oy_text *text)
{
    if (!text->len)
        return;
    oy_buffer_append_format(out, ",\"%s\":", name);
    oy_buffer_append(out, text->at, text->len);
}

void journal_add(struct journal *journal, struct oy_hash128 key,
                 enum request_type type, const struct request_answer *answer)
{
    struct oy_buffer *out = &journal->out;
    char text[33];

    oy_hash128_text(key, text);
    oy_buffer_append_format(out, "{\"key\":\"%s\"", text);
    if (type == REQUEST_GENERATE) {
        oy_buffer_append_string(out, ",\"completion\":");
        oy_json_put_string(out, answer->completion.at, answer->completion.len);
    } else {
        oy_buffer_append_string(out, ",\"logprob\":");
        oy_json_put_double(out, answer->logprob);
        oy_buffer_append_format(out, ",\"is_greedy\":%s",
                                answer->is_greedy ? "true" : "false");
    }
    put_array(out, "token_logprobs", &answer->token_logprobs);
    put_array(out, "top_logprobs", &answer->top_logprobs);
    oy_buffer_append_string(out, "}\n");
}

int journal_flush(struct journal *journal, struct oy_error *err)
{
    size_t at = 0;

    while (at < journal->out.len) {
        const ssize_t n =
            write(journal->fd, journal->out.data + at, journal->out.len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return oy_fail_errno(err, OY_IO, "%s", journal->path);
        at += (size_t)n;
    }
    oy_buffer_clear(&journal->out);
    /* Devices cannot be synchronised, and need not be. */
    if (fdatasync(journal->fd) && errno != EINVAL && errno != EROFS)
        return oy_fail_errno(err, OY_IO, "%s", journal->path);
    return 0;
}
