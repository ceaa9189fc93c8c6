/* SPDX-License-Identifier: Apache-2.0
 *
 * Encodings guessed from bytes. */
#include "pipeline/charset_detect.h"

#include <string.h>
#include <uchardet/uchardet.h>

#include "core/utf8.h"
#include "pipeline/charset.h"

/* resiliparse's max_len / 2: of a longer text only its ends are looked at. */
enum { LOOKED_AT = 65536 };

/* Good characters of more than one byte less the bytes that break UTF-8. */
static long utf8_balance(const char *text, size_t len)
{
    long balance = 0;

    for (size_t at = 0; at < len;) {
        const size_t n = oy_utf8_valid_prefix(text + at, len - at);
        for (size_t i = at; i < at + n; i++)
            balance += (unsigned char)text[i] >= 0xc0;
        at += n;
        balance -= at < len;
        at++;
    }
    return balance;
}

/* ISO-2022 is ASCII to the eye of UTF-8. */
static int has_escape(const char *text, size_t len)
{
    return memmem(text, len, "\x1b$", 2) != NULL;
}

/* uchardet names Korean by a name that is no label of the web's. */
static const char *name_of(const char *label)
{
    if (strcmp(label, "UHC") == 0)
        return "UHC";
    const char *name = charset_of_label(label, strlen(label));
    return name ? name : "UTF-8";
}

static void feed(uchardet_t detector, const char *text, size_t len)
{
    if (len <= 2 * LOOKED_AT) {
        uchardet_handle_data(detector, text, len);
        return;
    }
    uchardet_handle_data(detector, text, LOOKED_AT);
    uchardet_handle_data(detector, text + len - LOOKED_AT, LOOKED_AT);
}

const char *charset_detect(const char *text, size_t len)
{
    const size_t head = len < LOOKED_AT ? len : LOOKED_AT;

    if (oy_utf8_valid(text, len) && !has_escape(text, head))
        return "UTF-8";
    if (utf8_balance(text, head) > 0)
        return "UTF-8";
    const uchardet_t detector = uchardet_new();
    if (!detector)
        return "UTF-8";
    feed(detector, text, len);
    uchardet_data_end(detector);
    const char *name = name_of(uchardet_get_charset(detector));
    uchardet_delete(detector);
    return name;
}
