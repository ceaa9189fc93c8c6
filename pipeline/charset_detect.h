/* SPDX-License-Identifier: Apache-2.0
 *
 * The encoding of a text that does not say it, guessed from its bytes by the
 * library uchardet, on which resiliparse's detect_encoding() stands, too.
 */
#ifndef PIPELINE_CHARSET_DETECT_H
#define PIPELINE_CHARSET_DETECT_H

#include <stddef.h>

/* What charset_of_label() calls the encoding; "UTF-8" for valid UTF-8 and when
 * nothing better is found. A text with more good characters of UTF-8 than
 * broken ones is UTF-8 that was damaged. No more than the first and the last
 * 64 KiB are looked at. For any thread. */
const char *charset_detect(const char *text, size_t len);

#endif
