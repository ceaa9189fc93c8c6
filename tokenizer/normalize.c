/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalizers. */
#include "tokenizer/normalize.h"

#include <stdint.h>
#include <string.h>

#include "core/unicode.h"

int normalize_kind_from_name(const char *name, size_t len)
{
    static const char *const known[] = {"NFC", "NFD", "NFKC", "NFKD"};

    for (int i = 0; i < 4; i++) {
        if (strlen(known[i]) == len && !memcmp(known[i], name, len))
            return NORMALIZE_NFC + i;
    }
    return -1;
}

/* No byte of `len` has its upper bit set. */
static int is_ascii(const char *text, size_t len)
{
    uint64_t word, seen = 0;
    size_t i = 0;

    for (; i + 8 <= len; i += 8) {
        memcpy(&word, text + i, 8);
        seen |= word;
    }
    for (; i < len; i++)
        seen |= (uint64_t)(unsigned char)text[i] << 56;
    return !(seen & 0x8080808080808080ULL);
}

int normalize_is_idle(enum normalize_kind kind, const char *text, size_t len)
{
    return kind == NORMALIZE_NONE || is_ascii(text, len) ||
           (kind == NORMALIZE_NFC && oy_unicode_is_nfc(text, len));
}

void normalize_text(enum normalize_kind kind, const char *text, size_t len,
                    struct oy_buffer *out)
{
    static const enum oy_normal_form form[] = {
        [NORMALIZE_NFC] = OY_NFC,
        [NORMALIZE_NFD] = OY_NFD,
        [NORMALIZE_NFKC] = OY_NFKC,
        [NORMALIZE_NFKD] = OY_NFKD,
    };

    if (kind == NORMALIZE_NONE)
        oy_buffer_append(out, text, len);
    else
        oy_unicode_normalize(form[kind], OY_UNICODE_HF, text, len, out);
}
