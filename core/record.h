/* SPDX-License-Identifier: Apache-2.0
 *
 * One record on its way through a filter: a line of JSON as it was read,
 * where its wanted fields lie, and the edits that a filter asks for.
 *
 * An unedited record is written back byte for byte. An edit replaces only the
 * bytes of its own field; members that are not there are appended. What a
 * program learns goes into the one member "oyster", last, one part a program;
 * parts of other programs are kept. All memory comes from the batch's arena
 * and lives until the record is settled and written.
 */
#ifndef CORE_RECORD_H
#define CORE_RECORD_H

#include <stdint.h>

#include "core/alloc.h"
#include "core/json.h"

enum oy_fate {
    OY_KEEP = 0, /* written to the output */
    OY_DROP,     /* counted under `reason`, written to --dropped if asked */
    OY_BAD,      /* not a good record: --bad decides */
    OY_SKIP,     /* not of this shard: neither counted nor written */
};

struct oy_record {
    const char *line; /* OY_PADDING bytes behind are readable */
    size_t len;
    uint64_t number;      /* in the run, from 0, over all files */
    uint64_t line_number; /* in its file, from 1 */
    const char *file;

    /* found[i] belongs to field i of the filter's query; text is field 0
     * (--field) unescaped, when the filter wants a text. */
    struct oy_json_value *found;
    struct oy_json_line outline;
    struct oy_text text;

    enum oy_fate fate;
    const char *reason; /* a counter's name: static or as old as the filter */
    const char *error;  /* what oy_record_fail said; in the arena */

    /* What judge() leaves for settle(). */
    uint64_t word[4];
    const void *blob;
    size_t blob_len;

    struct oy_arena *arena;

    /* Private to record.c and the engine: the values of the whole query (of
     * all filters together), the number of "oyster" in it, the edits in the
     * order in which they were made, the last filter that judged the record,
     * and characters of the text that had to be repaired. */
    const struct oy_json_query *query;
    struct oy_json_value *value;
    int oyster;
    int last_judge;
    struct oy_edit *edit;
    uint64_t n_repaired;
};

/* Replaces the value of field `index` (found[index], which must not be
 * MISSING) by a string. The text is borrowed until the record is written; a
 * later call for the same field wins. When it is the field of record->text,
 * that becomes the new text, which the filters behind then see. */
void oy_record_set_text(struct oy_record *record, int index, const char *text,
                        size_t len);
/* Sets a top-level member to a JSON value (already serialised): replaced in
 * place when the line has it and a filter's query holds that name as a path,
 * else appended, before "oyster". Both are borrowed. */
void oy_record_set_member(struct oy_record *record, const char *name,
                          const char *json, size_t len);
/* Sets oyster.PART to a JSON value (already serialised, borrowed). A part of
 * that name that the line already has is replaced. */
void oy_record_set_part(struct oy_record *record, const char *part,
                        const char *json, size_t len);

/* Marks the record bad; printf-like, the text lives in the arena. */
void oy_record_fail(struct oy_record *record, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Whether anything would be changed by writing it. */
int oy_record_is_edited(const struct oy_record *record, int original);

/* Appends the record with its edits and an LF. With `original` the edits of
 * fields are left out and only those of "oyster" are applied: dropped records
 * go out as they were read. -1, and nothing appended, when a part is to be
 * set in an existing "oyster" that is not an object. */
int oy_record_write(const struct oy_record *record, int original,
                    struct oy_buffer *out);

#endif
