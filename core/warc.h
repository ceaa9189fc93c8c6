/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of web archives: WARC 0.17 to 1.1 (ISO 28500) and the older ARC.
 *
 * The reader hops from header to header by Content-Length. A length that is
 * missing, negative or wrong, a header that is none, and an end inside a
 * record are errors (65) that name the file and the offset (of decompressed
 * bytes). Lines of headers may end in LF alone. What is inside a record is
 * the caller's business: core/http_payload takes answers apart.
 */
#ifndef CORE_WARC_H
#define CORE_WARC_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/input.h"

struct oy_warc;

/* Fields that are not there are "". Borrowed until the next record. An ARC
 * record is a "response" (its first one "warcinfo") without an id. */
struct oy_warc_record {
    const char *type;         /* "response", "conversion" ..., lower case */
    const char *id;           /* "<urn:uuid:...>", as it stands */
    const char *uri;          /* without the < > that wget puts round it */
    const char *date;         /* "2024-02-21T05:00:00Z" */
    const char *content_type; /* of the block */
    uint64_t length;          /* bytes of the block */
    uint64_t offset;          /* of the record in the file */
};

/* Whether a file that begins so is a web archive. */
int oy_warc_is(const unsigned char *head, size_t len);

/* Reads from `input`, which is borrowed. */
struct oy_warc *oy_warc_new(struct oy_input *input);
void oy_warc_free(struct oy_warc *warc);

/* Passes over what is left of the record and reads the next header: 1, 0 at
 * the end, -1 after a failure. */
int oy_warc_next(struct oy_warc *warc, struct oy_warc_record *record,
                 struct oy_error *err);
/* Appends the block of the record to `out`: 1; 0, and nothing appended, when
 * it is longer than `max`; -1 after a failure. Once a record. */
int oy_warc_read(struct oy_warc *warc, size_t max, struct oy_buffer *out,
                 struct oy_error *err);

#endif
