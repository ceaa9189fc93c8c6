/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts of HTML read out: character references, line ends, NULs.
 */
#ifndef PIPELINE_HTML_REFERENCE_H
#define PIPELINE_HTML_REFERENCE_H

#include <stddef.h>

#include "core/alloc.h"

enum html_reading {
    HTML_READ_DATA = 1,      /* references stand for characters */
    HTML_READ_ATTRIBUTE = 2, /* as above, in the way of attributes: "&not="
                                stands for itself */
    HTML_READ_DROP_NUL = 4,  /* else NUL becomes U+FFFD */
};

/* Appends the text as a page shows it; CR and CR LF become LF. `reading` is a
 * set of the above. */
void html_reference_read(const char *text, size_t len, int reading,
                         struct oy_buffer *out);

#endif
