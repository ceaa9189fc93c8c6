/* SPDX-License-Identifier: Apache-2.0
 *
 * Members of archives, by libarchive. */
#include "core/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <string.h>

#include "core/alloc.h"

enum {
    BLOCK_SIZE = 64 << 10,
    TAR_MAGIC_AT = 257,
    TAR_SUM_AT = 148,
    TAR_SUM_SIZE = 8,
    TAR_BLOCK = 512,
};

struct oy_archive {
    struct archive *reader;
    locale_t utf8; /* or 0 */
    struct oy_input *input;
    const char *name;       /* of the archive, for messages */
    struct oy_error *cause; /* of the call in progress: for callbacks */
    char block[BLOCK_SIZE];
};

/* ---- recognition ---- */

/* The header checksum of tar: the sum of the block with the field itself
 * taken as spaces. Old tars have no magic, only this. */
static int has_tar_sum(const unsigned char *head)
{
    unsigned sum = 0, said = 0;
    int digits = 0;

    for (int i = 0; i < TAR_BLOCK; i++) {
        const int in_field = i >= TAR_SUM_AT && i < TAR_SUM_AT + TAR_SUM_SIZE;
        sum += in_field ? ' ' : head[i];
        if (in_field && head[i] >= '0' && head[i] <= '7') {
            said = said * 8 + (head[i] - '0');
            digits++;
        }
    }
    return digits && sum == said && head[0];
}

/* An empty tar is nothing but zero blocks, but so is a file whose contents
 * were lost: that must not pass for an archive without members. */
static int is_tar(const unsigned char *head, size_t len)
{
    if (len >= TAR_MAGIC_AT + 5 && memcmp(head + TAR_MAGIC_AT, "ustar", 5) == 0)
        return 1;
    return len >= TAR_BLOCK && has_tar_sum(head);
}

int oy_archive_is(const unsigned char *head, size_t len)
{
    static const struct {
        const char *magic;
        size_t len;
    } known[] = {
        {"PK\3\4", 4},       {"PK\5\6", 4},   {"7z\xbc\xaf\x27\x1c", 6},
        {"Rar!\x1a\x07", 6}, {"MSCF\0\0", 6}, {"070701", 6},
        {"070702", 6},       {"070707", 6},   {"!<arch>\n", 8},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (len >= known[i].len &&
            memcmp(head, known[i].magic, known[i].len) == 0)
            return 1;
    }
    return is_tar(head, len);
}

/* ---- reading ---- */

static int fail(struct oy_archive *archive, struct oy_error *err)
{
    const char *why = archive_error_string(archive->reader);

    /* The input's own failure is the cause of what libarchive says. */
    if (err->code)
        return -1;
    return oy_fail(err, OY_DATA, "%s: %s", archive->name,
                   why ? why : "damaged archive");
}

static la_ssize_t give_block(struct archive *reader, void *arg,
                             const void **block)
{
    struct oy_archive *archive = arg;

    *block = archive->block;
    const ssize_t n = oy_input_read(archive->input, archive->block, BLOCK_SIZE,
                                    archive->cause);
    if (n < 0) {
        archive_set_error(reader, EIO, "input failed");
        return ARCHIVE_FATAL;
    }
    return n;
}

static void choose_formats(struct archive *reader)
{
    archive_read_support_filter_none(reader);
    archive_read_support_format_tar(reader);
    archive_read_support_format_zip(reader);
    archive_read_support_format_7zip(reader);
    archive_read_support_format_cpio(reader);
    archive_read_support_format_rar(reader);
    archive_read_support_format_rar5(reader);
    archive_read_support_format_cab(reader);
    archive_read_support_format_iso9660(reader);
    archive_read_support_format_ar(reader);
}

struct oy_archive *oy_archive_open(struct oy_input *input, const char *path,
                                   struct oy_error *err)
{
    struct oy_archive *archive = oy_calloc(1, sizeof *archive);
    const int seekable = path && oy_input_codec(input) == OY_CODEC_PLAIN &&
                         oy_input_size(input) >= 0;

    archive->input = input;
    archive->name = oy_input_name(input);
    archive->cause = err;
    archive->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    archive->reader = archive_read_new();
    OY_ASSERT(archive->reader);
    choose_formats(archive->reader);
    const int rc =
        seekable ? archive_read_open_filename(archive->reader, path, BLOCK_SIZE)
                 : archive_read_open(archive->reader, archive, NULL, give_block,
                                     NULL);
    if (rc == ARCHIVE_OK)
        return archive;
    fail(archive, err);
    oy_archive_close(archive);
    return NULL;
}

void oy_archive_close(struct oy_archive *archive)
{
    if (!archive)
        return;
    archive_read_free(archive->reader);
    if (archive->utf8)
        freelocale(archive->utf8);
    oy_free(archive);
}

/* libarchive brings names into the form of the locale, which is "C" in our
 * programs and has no form for most. The thread has another one for as long
 * as a header is read. */
static int next_header(struct oy_archive *archive, struct archive_entry **entry)
{
    const locale_t old = archive->utf8 ? uselocale(archive->utf8) : (locale_t)0;
    const int rc = archive_read_next_header(archive->reader, entry);

    if (rc == ARCHIVE_OK || rc == ARCHIVE_WARN)
        archive_entry_pathname_utf8(*entry); /* made now, kept with it */
    if (old)
        uselocale(old);
    return rc;
}

/* Either as UTF-8, or as the bytes that they are. */
static const char *name_of(struct archive_entry *entry)
{
    const char *name = archive_entry_pathname_utf8(entry);

    if (!name)
        name = archive_entry_pathname(entry);
    return name ? name : "?";
}

static int has_data(struct archive_entry *entry)
{
    return archive_entry_filetype(entry) == AE_IFREG &&
           !archive_entry_hardlink(entry) && !archive_entry_symlink(entry);
}

int oy_archive_next(struct oy_archive *archive, const char **name,
                    struct oy_error *err)
{
    struct archive_entry *entry;

    archive->cause = err;
    for (;;) {
        const int rc = next_header(archive, &entry);
        if (rc == ARCHIVE_EOF)
            return 0;
        /* A warning is a name that has no form in this locale. */
        if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
            return fail(archive, err);
        if (archive_entry_is_encrypted(entry))
            return oy_fail(err, OY_DATA, "%s: member '%s' is encrypted",
                           archive->name, name_of(entry));
        if (has_data(entry))
            break;
    }
    *name = name_of(entry);
    return 1;
}

ssize_t oy_archive_read(struct oy_archive *archive, void *buf, size_t size,
                        struct oy_error *err)
{
    size_t done = 0;

    archive->cause = err;
    while (done < size) {
        const la_ssize_t n =
            archive_read_data(archive->reader, (char *)buf + done, size - done);
        if (n < 0)
            return fail(archive, err);
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}
