/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts that were decoded with the wrong encoding, escaped or sprinkled with
 * control characters, put right as ftfy 6.3.1 does (fix_text).
 *
 * A text is fixed line by line (of a million characters at most), each until
 * nothing changes any more, but 64 times at most: ftfy has no such bound, and
 * texts made to need more can keep it busy for hours. Names of the settings
 * are those of ftfy's TextFixerConfig.
 */
#ifndef PIPELINE_FTFY_H
#define PIPELINE_FTFY_H

#include "core/alloc.h"
#include "core/json.h"

enum ftfy_html { FTFY_HTML_AUTO, FTFY_HTML_TRUE, FTFY_HTML_FALSE };
enum ftfy_form { FTFY_NO_FORM, FTFY_NFC, FTFY_NFD, FTFY_NFKC, FTFY_NFKD };

struct ftfy_config {
    int unescape_html; /* auto: up to the first line with a '<' */
    int remove_terminal_escapes;
    int fix_encoding;
    /* Steps of fix_encoding. */
    int restore_byte_a0, replace_lossy_sequences, decode_inconsistent_utf8;
    int fix_c1_controls; /* also by itself */
    int fix_latin_ligatures;
    int fix_character_width;
    int uncurl_quotes;
    int fix_line_breaks;
    int fix_surrogates; /* there are none in valid UTF-8 */
    int remove_control_chars;
    int normalization; /* of Unicode 14 */
};

/* Appends the fixed text to `out` and returns 1, or returns 0 when it is as it
 * was and nothing was appended. The text is valid UTF-8. */
int ftfy_fix(const struct ftfy_config *config, struct oy_text text,
             struct oy_buffer *out);

#endif
