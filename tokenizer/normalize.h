/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalizers: what a tokenizer.json does to a text before it is cut.
 *
 * The four Unicode forms use OY_UNICODE_HF (core/unicode.h), the old data that
 * Hugging Face's tokenizers carry (crate unicode-normalization-alignments
 * 0.1.12), whatever its version. All functions are pure.
 */
#ifndef TOKENIZER_NORMALIZE_H
#define TOKENIZER_NORMALIZE_H

#include <stddef.h>

#include "core/alloc.h"

enum normalize_kind {
    NORMALIZE_NONE,
    NORMALIZE_NFC,
    NORMALIZE_NFD,
    NORMALIZE_NFKC,
    NORMALIZE_NFKD,
};

/* The kind that HF calls NFC, NFD, NFKC or NFKD; -1 for other names. */
int normalize_kind_from_name(const char *name, size_t len);

/* Whether the text surely stays as it is (a quick look, no promise when 0). */
int normalize_is_idle(enum normalize_kind kind, const char *text, size_t len);

/* Appends the normalised text. Valid UTF-8 in, valid UTF-8 out. */
void normalize_text(enum normalize_kind kind, const char *text, size_t len,
                    struct oy_buffer *out);

#endif
