/* SPDX-License-Identifier: Apache-2.0
 *
 * Mojibake: telling it, and encoding and decoding it back (ftfy's badness.py,
 * _fix_encoding_one_step_and_explain, and the byte fixes of fixes.py). */
#include <string.h>

#include "core/unicode.h"
#include "core/utf8.h"
#include "pipeline/ftfy_internal.h"

/* ---- signs ---- */

static int is_latin(uint32_t c)
{
    return (c | 0x20) - 'a' < 26;
}

static int is_in(uint32_t c, int set)
{
    switch (set) {
    case FTFY_SPACE: return oy_py_isspace(c);
    case FTFY_WORD: return c == '_' || oy_py_isalnum(c);
    case FTFY_ANY: return c != '\n';
    case FTFY_NOT_LATIN: return !is_latin(c);
    default: return ftfy_is(c, set);
    }
}

static int matches(const struct ftfy_sign *sign, const uint32_t *code, size_t n,
                   size_t at)
{
    if (n - at < (size_t)sign->n || (sign->at_begin && at))
        return 0;
    for (int i = 0; i < sign->n; i++) {
        if (!is_in(code[at + (size_t)i], sign->set[i]))
            return 0;
    }
    return 1;
}

static int has_sign_at(const uint32_t *code, size_t n, size_t at)
{
    for (size_t i = 0; i < ftfy_n_sign; i++) {
        if (matches(&ftfy_signs[i], code, n, at))
            return 1;
    }
    return 0;
}

/* The sets that signs begin with: a bit for each, as in struct ftfy_kind. */
struct first_sets {
    uint64_t set[2];
    int has_others; /* of properties */
};

static struct first_sets find_first_sets(void)
{
    struct first_sets first = {0};

    for (size_t i = 0; i < ftfy_n_sign; i++) {
        const int set = ftfy_signs[i].set[0];
        if (set < 0)
            first.has_others = 1;
        else
            first.set[set / 64] |= 1ULL << set % 64;
    }
    return first;
}

/* Whether a sign may begin with the character; of those that begin with a
 * property, all begin with white space. */
static int may_begin(const struct first_sets *first, uint32_t c)
{
    const struct ftfy_kind *kind = ftfy_kind_of(c);

    return (kind->set[0] & first->set[0]) || (kind->set[1] & first->set[1]) ||
           (first->has_others && oy_py_isspace(c));
}

/* The first special character from i on, or n. */
static size_t next_special(const uint32_t *code, size_t n, size_t i)
{
    while (i < n && (code[i] < 0x80 || !ftfy_kind_of(code[i])->is_special))
        i++;
    return i;
}

/* Every sign has a special character among its first three. */
int ftfy_is_bad(const uint32_t *code, size_t n)
{
    size_t i = next_special(code, n, 0);
    size_t asked = 0; /* places before it were looked at */

    if (i == n)
        return 0;
    const struct first_sets first = find_first_sets();
    for (; i < n; i = next_special(code, n, i + 1)) {
        size_t at = i > 2 ? i - 2 : 0;
        for (at = at < asked ? asked : at; at <= i; at++) {
            if (may_begin(&first, code[at]) && has_sign_at(code, n, at))
                return 1;
        }
        asked = i + 1;
    }
    return 0;
}

/* ---- bytes ---- */

/* Whether all characters are in the encoding. */
static int can_encode(const struct ftfy_text *text, int encoding)
{
    for (size_t i = 0; i < text->n; i++) {
        const uint32_t c = text->code[i];
        if (c && !ftfy_kind_of(c)->byte[encoding])
            return 0;
    }
    return 1;
}

static void encode(const struct ftfy_text *text, int encoding,
                   struct oy_buffer *out)
{
    char *to = oy_buffer_reserve(out, text->n + 1);

    for (size_t i = 0; i < text->n; i++)
        to[i] = (char)ftfy_kind_of(text->code[i])->byte[encoding];
    out->len += text->n;
}

static int is_within(unsigned char c, unsigned char low, unsigned char high)
{
    return c >= low && c <= high;
}

/* A continuation that ALTERED_UTF8_RE takes beside the space. */
static int is_likely(unsigned char c)
{
    return is_within(c, 0x80, 0xbf) && c != 0x85 && c != 0xa0;
}

static int is_continuation(unsigned char c)
{
    return is_within(c, 0x80, 0xbf);
}

/* The length of a sequence of UTF-8 with a space in the place of one byte A0;
 * 0: there is none here (ALTERED_UTF8_RE). */
static size_t altered_at(const unsigned char *s, size_t n)
{
    if (n >= 2 && s[0] && strchr("\xc2\xc3\xc5\xce\xd0\xd9", s[0]) &&
        s[1] == ' ')
        return 2;
    if (n >= 3 &&
        ((is_within(s[0], 0xe2, 0xe3) && s[1] == ' ' && is_likely(s[2])) ||
         (is_within(s[0], 0xe0, 0xe3) && is_likely(s[1]) && s[2] == ' ')))
        return 3;
    if (n < 4 || s[0] != 0xf0)
        return 0;
    const int n_space = (s[1] == ' ') + (s[2] == ' ') + (s[3] == ' ');
    const int n_byte =
        is_continuation(s[1]) + is_continuation(s[2]) + is_continuation(s[3]);
    return n_space == 1 && n_byte == 2 ? 4 : 0;
}

/* "\xc3 " as a word: a grave that lost its no-break space, but for
 * Portuguese contractions (A_GRAVE_WORD_RE). */
static int is_a_grave(const unsigned char *s, size_t n)
{
    static const char *const not_before[] = {" ", "quele", "quela", "quilo",
                                             "s "};

    if (n < 2 || s[0] != 0xc3 || s[1] != ' ')
        return 0;
    for (size_t i = 0; i < sizeof not_before / sizeof *not_before; i++) {
        const size_t len = strlen(not_before[i]);
        if (n - 2 >= len && !memcmp(s + 2, not_before[i], len))
            return 0;
    }
    return 1;
}

static int has_altered(const struct oy_buffer *bytes)
{
    const unsigned char *s = (const unsigned char *)bytes->data;

    for (size_t i = 0; i < bytes->len; i++) {
        if (s[i] >= 0xc2 && altered_at(s + i, bytes->len - i))
            return 1;
    }
    return 0;
}

static void restore_a_grave(const struct oy_buffer *bytes,
                            struct oy_buffer *out)
{
    const unsigned char *s = (const unsigned char *)bytes->data;

    for (size_t i = 0; i < bytes->len; i++) {
        oy_buffer_append_char(out, (char)s[i]);
        if (!is_a_grave(s + i, bytes->len - i))
            continue;
        oy_buffer_append(out, "\xa0 ", 2);
        i++;
    }
}

/* restore_byte_a0(); `scratch` is lost. */
static void restore_byte_a0(struct oy_buffer *bytes, struct oy_buffer *scratch)
{
    oy_buffer_clear(scratch);
    restore_a_grave(bytes, scratch);
    oy_buffer_clear(bytes);
    oy_buffer_append(bytes, scratch->data, scratch->len);
    for (size_t i = 0; i < bytes->len; i++) {
        char *s = bytes->data + i;
        const size_t n = altered_at((const unsigned char *)s, bytes->len - i);
        for (size_t k = 0; k < n; k++)
            s[k] = s[k] == ' ' ? (char)0xa0 : s[k];
        i += n ? n - 1 : 0;
    }
}

/* A byte that got lost is 1A, or the question mark that was put for it. */
static int is_lost_or_byte(unsigned char c)
{
    return c == 0x1a || is_continuation(c);
}

static int is_lost(unsigned char c)
{
    return c == 0x1a || c == '?';
}

/* The two halves of a surrogate pair, of which one last byte is lost. */
static int is_lossy_pair(const unsigned char *s)
{
    return s[0] == 0xed && is_within(s[1], 0xa0, 0xaf) && s[3] == 0xed &&
           is_within(s[4], 0xb0, 0xbf) &&
           ((is_lost(s[2]) && (is_lost(s[5]) || is_continuation(s[5]))) ||
            (is_lost(s[5]) && (is_lost(s[2]) || is_continuation(s[2]))));
}

/* The length of a sequence of UTF-8 with lost bytes (LOSSY_UTF8_RE), or 0. */
static size_t lossy_at(const unsigned char *s, size_t n)
{
    if (n >= 2 && ((is_within(s[0], 0xc2, 0xdf) && s[1] == 0x1a) ||
                   (is_within(s[0], 0xc2, 0xc3) && s[1] == '?')))
        return 2;
    if (n >= 6 && is_lossy_pair(s))
        return 6;
    if (n >= 3 && is_within(s[0], 0xe0, 0xef) &&
        ((is_lost(s[1]) && is_lost_or_byte(s[2])) ||
         (is_lost_or_byte(s[1]) && is_lost(s[2]))))
        return 3;
    if (n >= 4 && is_within(s[0], 0xf0, 0xf4) &&
        ((is_lost(s[1]) && is_lost_or_byte(s[2]) && is_lost_or_byte(s[3])) ||
         (is_lost_or_byte(s[1]) && is_lost(s[2]) && is_lost_or_byte(s[3])) ||
         (is_lost_or_byte(s[1]) && is_lost_or_byte(s[2]) && is_lost(s[3]))))
        return 4;
    return s[0] == 0x1a;
}

static void replace_lossy(struct oy_buffer *bytes, struct oy_buffer *scratch)
{
    const unsigned char *s = (const unsigned char *)bytes->data;

    oy_buffer_clear(scratch);
    for (size_t i = 0; i < bytes->len; i++) {
        const size_t n = lossy_at(s + i, bytes->len - i);
        if (n)
            oy_buffer_append(scratch, "\xef\xbf\xbd", 3);
        else
            oy_buffer_append_char(scratch, (char)s[i]);
        i += n ? n - 1 : 0;
    }
    oy_buffer_clear(bytes);
    oy_buffer_append(bytes, scratch->data, scratch->len);
}

/* ---- decoding ---- */

/* Java's zero (a line feed that ends the text does for its second byte, as
 * `$` in ftfy's expression does), or 0. */
static size_t java_zero_at(const unsigned char *s, size_t n)
{
    if (n < 2 || s[0] != 0xc0)
        return 0;
    return s[1] == 0x80 || (s[1] == '\n' && n == 2) ? 2 : 0;
}

/* A surrogate pair in six bytes, or 0. */
static size_t pair_at(const unsigned char *s, size_t n, uint32_t *c)
{
    if (n < 6 || s[0] != 0xed || !is_within(s[1], 0xa0, 0xaf) ||
        !is_continuation(s[2]) || s[3] != 0xed ||
        !is_within(s[4], 0xb0, 0xbf) || !is_continuation(s[5]))
        return 0;
    *c = ((s[1] & 0x0fU) << 16 | (s[2] & 0x3fU) << 10 | (s[4] & 0x0fU) << 6 |
          (s[5] & 0x3fU)) +
         0x10000;
    return 6;
}

/* Appends the characters of UTF-8, with `variants` also of CESU-8 and Java. -1
 * when it is not valid. */
static int decode(const struct oy_buffer *bytes, int variants,
                  struct ftfy_text *out)
{
    const unsigned char *s = (const unsigned char *)bytes->data;

    for (size_t i = 0; i < bytes->len;) {
        const size_t left = bytes->len - i;
        uint32_t c = 0;
        size_t n = 0;
        if (s[i] < 0x80) {
            ftfy_put(out, s[i++]);
            continue;
        }
        if (variants)
            n = java_zero_at(s + i, left);
        if (variants && !n)
            n = pair_at(s + i, left, &c);
        if (!n) {
            size_t len = s[i] < 0xe0 ? 2 : s[i] < 0xf0 ? 3 : 4;
            if (len > left || !oy_utf8_valid((const char *)s + i, len))
                return -1;
            c = oy_utf8_next((const char *)s + i, &n);
        }
        ftfy_put(out, c);
        i += n;
    }
    return 0;
}

/* ---- one step ---- */

static int is_equal(const struct ftfy_text *a, const struct ftfy_text *b)
{
    return a->n == b->n &&
           (!a->n || !memcmp(a->code, b->code, a->n * sizeof *a->code));
}

/* Encodes the text and decodes it as UTF-8. 0, or -1 when that fails. */
static int transcode(const struct ftfy_config *config, int encoding,
                     const struct ftfy_text *text, struct ftfy_text *out)
{
    struct oy_buffer bytes = {0}, scratch = {0};
    const int is_sloppy =
        encoding >= FTFY_WINDOWS_1252 && encoding <= FTFY_WINDOWS_1257;

    encode(text, encoding, &bytes);
    if (config->restore_byte_a0 && encoding != FTFY_MACROMAN &&
        has_altered(&bytes))
        restore_byte_a0(&bytes, &scratch);
    if (config->replace_lossy_sequences && is_sloppy)
        replace_lossy(&bytes, &scratch);
    const int variants = bytes.len && (memchr(bytes.data, 0xed, bytes.len) ||
                                       memchr(bytes.data, 0xc0, bytes.len));
    out->n = 0;
    const int failed = decode(&bytes, variants, out);
    oy_buffer_release(&bytes);
    oy_buffer_release(&scratch);
    return failed;
}

/* The end of a run of sequences that look like UTF-8 (UTF8_DETECTOR_RE) from
 * `at` on; `at` when there is none. */
static size_t utf8_run_end(const struct ftfy_text *text, size_t at)
{
    const uint32_t *code = text->code;

    for (;;) {
        size_t n = 0;
        for (int k = 0; k < 3 && !n; k++) {
            const size_t more = (size_t)k + 1;
            if (text->n - at <= more || !ftfy_is(code[at], FTFY_FIRST_OF_2 + k))
                continue;
            n = more + 1;
            for (size_t i = 1; i <= more; i++)
                n = ftfy_is(code[at + i], FTFY_CONTINUATION) ? n : 0;
        }
        if (!n)
            return at;
        at += n;
    }
}

/* Fixes parts that look like UTF-8 and are bad by themselves. */
static void decode_inconsistent(const struct ftfy_text *text, int depth,
                                struct ftfy_text *out)
{
    static const struct ftfy_config all = {
        .fix_encoding = 1,
        .restore_byte_a0 = 1,
        .replace_lossy_sequences = 1,
        .decode_inconsistent_utf8 = 1,
        .fix_c1_controls = 1,
    };
    struct ftfy_text part = {0};

    out->n = 0;
    for (size_t at = 0; at < text->n;) {
        const int may_begin =
            !at || !ftfy_is(text->code[at - 1], FTFY_CONTINUATION_STRICT);
        const size_t end = may_begin ? utf8_run_end(text, at) : at;
        if (end == at) {
            ftfy_put(out, text->code[at++]);
            continue;
        }
        part.n = 0;
        for (; at < end; at++)
            ftfy_put(&part, text->code[at]);
        if (part.n < text->n && ftfy_is_bad(part.code, part.n))
            ftfy_fix_encoding(&all, &part, depth + 1);
        for (size_t i = 0; i < part.n; i++)
            ftfy_put(out, part.code[i]);
    }
    ftfy_text_release(&part);
}

int ftfy_fix_c1(struct ftfy_text *text)
{
    int changed = 0;

    for (size_t i = 0; i < text->n; i++) {
        const uint32_t c = text->code[i];
        if (c - 0x80 > 0x1f)
            continue;
        text->code[i] = ftfy_decoded[FTFY_WINDOWS_1252][c - 0x80];
        changed |= text->code[i] != c;
    }
    return changed;
}

/* Latin-1 that was Windows-1252: C1 controls as what they are there. -1 when
 * one of them is nothing there. */
static int decode_windows_1252(const struct ftfy_text *text,
                               struct ftfy_text *out)
{
    out->n = 0;
    for (size_t i = 0; i < text->n; i++) {
        const uint32_t c = text->code[i];
        const uint32_t now =
            c - 0x80 < 0x20 ? ftfy_decoded[FTFY_WINDOWS_1252][c - 0x80] : c;
        if (c - 0x80 < 0x20 && now == c)
            return -1;
        ftfy_put(out, now);
    }
    return 0;
}

/* Whether the text becomes *out, another one. */
static int fix_once(const struct ftfy_config *config,
                    const struct ftfy_text *text, int depth,
                    struct ftfy_text *out)
{
    int is_latin_1 = 0;

    if (!ftfy_is_bad(text->code, text->n))
        return 0;
    for (int encoding = 0; encoding < FTFY_N_ENCODING; encoding++) {
        if (!can_encode(text, encoding))
            continue;
        is_latin_1 |= encoding == FTFY_LATIN_1;
        if (!transcode(config, encoding, text, out))
            return !is_equal(text, out);
    }
    if (config->decode_inconsistent_utf8 && depth < FTFY_MAX_DEPTH) {
        decode_inconsistent(text, depth, out);
        if (!is_equal(text, out))
            return 1;
    }
    if (is_latin_1 && !decode_windows_1252(text, out) && !is_equal(text, out))
        return 1;
    if (!config->fix_c1_controls)
        return 0;
    out->n = 0;
    for (size_t i = 0; i < text->n; i++)
        ftfy_put(out, text->code[i]);
    return ftfy_fix_c1(out);
}

int ftfy_fix_encoding(const struct ftfy_config *config, struct ftfy_text *text,
                      int depth)
{
    struct ftfy_text next = {0};
    int changed = 0;

    for (int round = 0; round < FTFY_MAX_ROUNDS; round++) {
        if (!fix_once(config, text, depth, &next))
            break;
        const struct ftfy_text old = *text;
        *text = next;
        next = old;
        changed = 1;
    }
    ftfy_text_release(&next);
    return changed;
}
