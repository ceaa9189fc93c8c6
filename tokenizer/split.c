/* SPDX-License-Identifier: Apache-2.0
 *
 * Pre-tokenisers: hand-written matchers on class tables.
 */
#include "tokenizer/split.h"

#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "core/error.h"
#include "core/unicode.h"
#include "core/utf8.h"
#include "tokenizer/split_internal.h"

enum {
    WORDLIKE = OY_IS_L | OY_IS_N,
    /* [^\s\p{L}\p{N}] is what has none of these. */
    NOT_SYMBOL = OY_IS_L | OY_IS_N | OY_IS_SPACE,
    /* [^\r\n\p{L}\p{N}] is what has none of these. */
    NOT_PREFIX = OY_IS_L | OY_IS_N | OY_IS_CRLF,
    /* o200k's two halves of a word. */
    UPPER = OY_IS_LU | OY_IS_LT | OY_IS_LM | OY_IS_LO | OY_IS_M,
    LOWER = OY_IS_LL | OY_IS_LM | OY_IS_LO | OY_IS_M,
    /* DeepSeek: where parts end, and [\p{L}\p{M}]. */
    PART_END = OY_IS_N | OY_IS_CJK,
    LETTER_MARK = OY_IS_L | OY_IS_M,
};

#define INLINE static inline __attribute__((always_inline))

/* ---- classes ---- */

/* Class bits of the code point at text[at], at < len; *next is behind it. */
INLINE unsigned class_at(const char *text, size_t at, size_t *next)
{
    const unsigned char byte = (unsigned char)text[at];

    if (byte < 0x80) {
        *next = at + 1;
        return oy_unicode_class16_latin[byte];
    }
    *next = at;
    return oy_unicode_class16(oy_utf8_next(text, next));
}

/* The same; 0 and no step at the end of the text. */
INLINE unsigned class_or_end(const char *text, size_t len, size_t at,
                             size_t *next)
{
    *next = at;
    return at < len ? class_at(text, at, next) : 0;
}

/* Behind the run of code points that have a bit of `mask`. */
INLINE size_t skip_in(const char *text, size_t len, size_t at, unsigned mask)
{
    size_t next;

    while (at < len && class_at(text, at, &next) & mask)
        at = next;
    return at;
}

/* Behind the run of code points that have no bit of `mask`. */
INLINE size_t skip_out(const char *text, size_t len, size_t at, unsigned mask)
{
    size_t next;

    while (at < len && !(class_at(text, at, &next) & mask))
        at = next;
    return at;
}

/* How many of the 16 bytes at `text` are ASCII letters, up to the first that
 * is none. */
#ifdef __SSE2__
INLINE size_t leading_letters(const char *text)
{
    const __m128i byte = _mm_loadu_si128((const __m128i *)text);
    const __m128i low = _mm_or_si128(byte, _mm_set1_epi8(0x20));
    const __m128i from_a = _mm_sub_epi8(low, _mm_set1_epi8('a'));
    const __m128i letter =
        _mm_cmpeq_epi8(_mm_min_epu8(from_a, _mm_set1_epi8(25)), from_a);
    const unsigned mask = (unsigned)_mm_movemask_epi8(letter);

    return (size_t)__builtin_ctz(~mask);
}

/* The same for blanks, U+0020. */
INLINE size_t leading_blanks(const char *text)
{
    const __m128i byte = _mm_loadu_si128((const __m128i *)text);
    const __m128i blank = _mm_cmpeq_epi8(byte, _mm_set1_epi8(' '));

    return (size_t)__builtin_ctz(~(unsigned)_mm_movemask_epi8(blank));
}
#else
INLINE size_t leading_letters(const char *text)
{
    size_t n = 0;

    while (n < 16 && (unsigned char)((text[n] | 0x20) - 'a') < 26)
        n++;
    return n;
}

INLINE size_t leading_blanks(const char *text)
{
    size_t n = 0;

    while (n < 16 && text[n] == ' ')
        n++;
    return n;
}
#endif

/* skip_in() for letters, of which most texts are made. Without a branch that
 * depends on the length of a short word. */
INLINE size_t skip_letters(const char *text, size_t len, size_t at)
{
    size_t next;

    while (at < len) {
        const size_t n = leading_letters(text + at);

        at += n;
        if (n == 16)
            continue;
        if (at >= len || (unsigned char)text[at] < 0x80 ||
            !(class_at(text, at, &next) & OY_IS_L))
            break;
        at = next;
        while (at < len && (unsigned char)text[at] >= 0x80 &&
               class_at(text, at, &next) & OY_IS_L)
            at = next;
    }
    return at < len ? at : len;
}

/* Behind the newlines at text[at], and slashes where `slash`. */
INLINE size_t skip_newlines(const char *text, size_t len, size_t at, int slash)
{
    while (at < len &&
           (text[at] == '\n' || text[at] == '\r' || (slash && text[at] == '/')))
        at++;
    return at;
}

/* Behind `most` code points of the class N at the most; text[at] is one. */
INLINE size_t skip_digits(const char *text, size_t len, size_t at, int most)
{
    size_t next;

    for (int i = 0; i < most && at < len; i++) {
        if (!(class_at(text, at, &next) & OY_IS_N))
            break;
        at = next;
    }
    return at;
}

/* ---- alternatives that the expressions share ---- */

/* Length of 's 't 're 've 'm 'll 'd at text[at], which is a quote; 0 when
 * there is none. With `any_case`, (?i:'s) takes U+017F too. */
INLINE size_t contraction(const char *text, size_t len, size_t at, int any_case)
{
    const unsigned char fold = any_case ? 0x20 : 0;
    const size_t left = len - at;

    if (left < 2)
        return 0;
    const unsigned char a = (unsigned char)text[at + 1] | fold;

    if (a == 's' || a == 't' || a == 'm' || a == 'd')
        return 2;
    if (left < 3)
        return 0;
    const unsigned char b = (unsigned char)text[at + 2] | fold;

    if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') ||
        (a == 'l' && b == 'l'))
        return 3;
    return any_case && !memcmp(text + at + 1, "\xc5\xbf", 2) ? 3 : 0;
}

size_t split_contraction(const char *text, size_t len, size_t at, int any_case)
{
    return contraction(text, len, at, any_case);
}

/* \s+(?!\S)|\s+ on the run text[at..end): the last one is left to what
 * follows, unless it is alone or nothing follows. */
INLINE size_t leave_last_space(const char *text, size_t at, size_t end,
                               int ends_text)
{
    size_t last = end;

    if (ends_text)
        return end;
    oy_utf8_previous(text, &last);
    return last > at ? last : end;
}

/* Behind the white space at text[at]; *class is that of what stopped it (0:
 * the end of the text), *after_newline is behind its last CR or LF. */
INLINE size_t skip_white(const char *text, size_t len, size_t at,
                         unsigned *class, size_t *after_newline)
{
    size_t next;

    *class = 0;
    while (at < len) {
        const size_t n = leading_blanks(text + at);

        if (n) {
            at += n;
            continue;
        }
        *class = class_at(text, at, &next);
        if (!(*class & OY_IS_SPACE))
            return at;
        at = next;
        if (*class & OY_IS_CRLF)
            *after_newline = at;
        *class = 0;
    }
    return len;
}

/* \s+(?!\S)|\s+ at text[at], which is white, or with `lines`
 * \s*[\r\n]+|\s+(?!\S)|\s+ ; the text ends at a code point of `end_class`
 * too. */
INLINE size_t white_piece(const char *text, size_t len, size_t at, int lines,
                          unsigned end_class)
{
    size_t after_newline = 0;
    unsigned class;
    const size_t end = skip_white(text, len, at, &class, &after_newline);

    if (lines && after_newline)
        return after_newline;
    return leave_last_space(text, at, end, end == len || class & end_class);
}

/* ---- GPT-2, SmolLM ---- */

/* Code points of the class `alone` are parts by themselves, cut out before:
 * nothing for GPT-2, digits for SmolLM. */
INLINE size_t gpt2_piece(const char *text, size_t len, size_t at,
                         unsigned alone)
{
    size_t next, after;
    unsigned class = class_at(text, at, &next);

    if (class & alone)
        return next;
    if (class & OY_IS_L)
        return skip_letters(text, len, next);
    if (text[at] == ' ') {
        const unsigned second = class_or_end(text, len, next, &after);

        if (second & OY_IS_L)
            return skip_letters(text, len, after);
        if (after > next && !(second & (OY_IS_SPACE | alone))) {
            class = second;
            next = after;
        }
    }
    if (class & OY_IS_N)
        return skip_in(text, len, next, OY_IS_N);
    if (class & OY_IS_SPACE)
        return white_piece(text, len, at, 0, alone);
    if (text[at] == '\'') {
        const size_t n = contraction(text, len, at, 0);

        if (n)
            return at + n;
    }
    return skip_out(text, len, next, NOT_SYMBOL | alone);
}

/* ---- cl100k, Qwen ---- */

INLINE size_t cl100k_piece(const char *text, size_t len, size_t at,
                           int most_digits)
{
    size_t next, after;
    unsigned class = class_at(text, at, &next);

    if (class & OY_IS_L)
        return skip_letters(text, len, next);
    if (class & OY_IS_N)
        return skip_digits(text, len, at, most_digits);
    const unsigned second = class_or_end(text, len, next, &after);

    if (second & OY_IS_L && !(class & OY_IS_CRLF)) {
        const size_t n = text[at] == '\'' ? contraction(text, len, at, 1) : 0;

        return n ? at + n : skip_letters(text, len, after);
    }
    if (text[at] == ' ' && after > next && !(second & NOT_SYMBOL)) {
        class = second;
        next = after;
    }
    if (class & OY_IS_SPACE)
        return white_piece(text, len, at, 1, 0);
    const size_t end = skip_out(text, len, next, NOT_SYMBOL);

    return skip_newlines(text, len, end, 0);
}

/* ---- o200k ---- */

/* [UPPER]*[LOWER]+ at text[at], or [UPPER]+[LOWER]* where that fails: the
 * end, or `at` when neither matches. The second expression is reached only
 * when no LOWER follows and none is inside, so it is the run of UPPER. */
INLINE size_t cased_word(const char *text, size_t len, size_t at, int *lower)
{
    size_t end = at, next, after_both = at;
    unsigned class = 0;

    while (end < len) {
        class = class_at(text, end, &next);
        if (!(class & UPPER))
            break;
        end = next;
        if (class & LOWER)
            after_both = end;
        class = 0;
    }
    *lower = class & LOWER || after_both > at;
    if (class & LOWER)
        return skip_in(text, len, next, LOWER);
    return after_both > at ? after_both : end;
}

/* The first two alternatives, without the contraction behind; `at` when they
 * do not match. `class` is that of text[at], `next` is behind it. */
INLINE size_t o200k_word(const char *text, size_t len, size_t at,
                         unsigned class, size_t next)
{
    int lower;

    if (class & OY_IS_L)
        return cased_word(text, len, at, &lower);
    if (class & NOT_PREFIX)
        return at;
    const size_t with_prefix = cased_word(text, len, next, &lower);

    if (lower)
        return with_prefix;
    /* A mark may be a word by itself, which goes before the second
     * expression with the mark as its prefix. */
    if (class & OY_IS_M)
        return cased_word(text, len, at, &lower);
    return with_prefix > next ? with_prefix : at;
}

INLINE size_t o200k_piece(const char *text, size_t len, size_t at)
{
    size_t next, after;
    unsigned class = class_at(text, at, &next);

    if (class & OY_IS_N)
        return skip_digits(text, len, at, 3);
    const size_t end = o200k_word(text, len, at, class, next);

    if (end > at)
        return end < len && text[end] == '\''
                   ? end + contraction(text, len, end, 1)
                   : end;
    if (text[at] == ' ') {
        const unsigned second = class_or_end(text, len, next, &after);

        if (after > next && !(second & NOT_SYMBOL)) {
            class = second;
            next = after;
        }
    }
    if (class & OY_IS_SPACE)
        return white_piece(text, len, at, 1, 0);
    return skip_newlines(text, len, skip_out(text, len, next, NOT_SYMBOL), 1);
}

/* ---- DeepSeek ---- */

INLINE int is_ascii_letter(char c)
{
    return (unsigned char)((c | 0x20) - 'a') < 26;
}

/* A part ends where the first two expressions cut: at numbers, and where runs
 * of CJK begin or end. `cjk` is OY_IS_CJK inside of such a run, else 0. */
INLINE int ends_part(unsigned class, unsigned cjk)
{
    return (class & PART_END) != cjk;
}

/* Code points that no alternative matches, up to where one does or the part
 * ends: the last of them may be the prefix of a word. */
static size_t unmatched(const char *text, size_t len, size_t next, unsigned cjk)
{
    const unsigned matched = LETTER_MARK | OY_IS_P | OY_IS_S | OY_IS_SPACE;

    while (next < len) {
        size_t second, third;
        const unsigned first = class_at(text, next, &second);

        if (first & matched || ends_part(first, cjk))
            break;
        const unsigned class = class_or_end(text, len, second, &third);

        if (class & LETTER_MARK && !ends_part(class, cjk))
            break;
        next = second;
    }
    return next;
}

/* Behind the run of code points with a bit of `mask` inside a part. */
INLINE size_t skip_in_part(const char *text, size_t len, size_t at,
                           unsigned mask, unsigned cjk)
{
    size_t next;

    while (at < len) {
        const unsigned class = class_at(text, at, &next);

        if (!(class & mask) || ends_part(class, cjk))
            break;
        at = next;
    }
    return at;
}

/* The third expression, inside a part. */
INLINE size_t deepseek_word(const char *text, size_t len, size_t at,
                            unsigned class, size_t next)
{
    const unsigned cjk = class & OY_IS_CJK;
    size_t after;
    unsigned second = class_or_end(text, len, next, &after);

    if (ends_part(second, cjk))
        second = 0;
    if ((unsigned char)text[at] < 0x80 && class & (OY_IS_P | OY_IS_S) &&
        next < len && is_ascii_letter(text[next])) {
        while (next < len && is_ascii_letter(text[next]))
            next++;
        return next;
    }
    if (class & LETTER_MARK)
        return skip_in_part(text, len, next, LETTER_MARK, cjk);
    if (!(class & (OY_IS_CRLF | OY_IS_P | OY_IS_S)) && second & LETTER_MARK)
        return skip_in_part(text, len, after, LETTER_MARK, cjk);
    if (class & (OY_IS_P | OY_IS_S) ||
        (text[at] == ' ' && second & (OY_IS_P | OY_IS_S))) {
        next = skip_in_part(text, len, next, OY_IS_P | OY_IS_S, cjk);
        return cjk ? next : skip_newlines(text, len, next, 0);
    }
    if (class & OY_IS_SPACE)
        return white_piece(text, len, at, 1, PART_END);
    return second & LETTER_MARK ? next : unmatched(text, len, next, cjk);
}

/* Not all of CJK is letters (U+30FB): the third expression cuts there too. */
INLINE size_t deepseek3_piece(const char *text, size_t len, size_t at)
{
    size_t next;
    const unsigned class = class_at(text, at, &next);

    if (class & OY_IS_N)
        return skip_digits(text, len, at, 3);
    return deepseek_word(text, len, at, class, next);
}

/* ---- Whitespace ---- */

INLINE size_t whitespace_piece(const char *text, size_t len, size_t at)
{
    size_t next;
    const unsigned class = class_at(text, at, &next);

    if (class & OY_IS_WORD)
        return skip_in(text, len, next, OY_IS_WORD);
    if (class & OY_IS_SPACE)
        return skip_in(text, len, next, OY_IS_SPACE);
    return skip_out(text, len, next, OY_IS_WORD | OY_IS_SPACE);
}

/* ---- Metaspace, Gemma ---- */

#define MARK "\xe2\x96\x81" /* U+2581 */

enum { MARK_SIZE = 3 };

static size_t metaspace_piece(const char *text, size_t len, size_t at)
{
    size_t next;

    (void)class_at(text, at, &next);
    const char *mark = memmem(text + next, len - next, MARK, MARK_SIZE);
    return mark ? (size_t)(mark - text) : len;
}

static size_t after_space_piece(const char *text, size_t len, size_t at)
{
    const char *space = memchr(text + at, ' ', len - at);

    return space ? (size_t)(space - text) + 1 : len;
}

/* ---- all kinds ---- */

/* Inlined with a constant kind, this is one matcher. */
INLINE size_t piece_of(enum split_kind kind, const char *text, size_t len,
                       size_t at)
{
    switch (kind) {
    case SPLIT_GPT2: return gpt2_piece(text, len, at, 0);
    case SPLIT_CL100K: return cl100k_piece(text, len, at, 3);
    case SPLIT_QWEN2: return cl100k_piece(text, len, at, 1);
    case SPLIT_SMOLLM: return gpt2_piece(text, len, at, OY_IS_DIGITS);
    case SPLIT_O200K: return o200k_piece(text, len, at);
    case SPLIT_DEEPSEEK3: return deepseek3_piece(text, len, at);
    case SPLIT_WHITESPACE: return whitespace_piece(text, len, at);
    case SPLIT_METASPACE: return metaspace_piece(text, len, at);
    case SPLIT_AFTER_SPACE: return after_space_piece(text, len, at);
    case SPLIT_NONE: return len;
    default: break;
    }
    OY_ASSERT(!"a known kind of split");
    return len;
}

size_t split_piece(enum split_kind kind, const char *text, size_t len,
                   size_t at)
{
    return piece_of(kind, text, len, at);
}

INLINE size_t batch_of(enum split_kind kind, const char *text, size_t len,
                       size_t at, size_t *end, size_t cap)
{
    size_t n = 0;

    while (n < cap && at < len) {
        at = piece_of(kind, text, len, at);
        end[n++] = at;
    }
    return n;
}

/* By masks: as much text as `cap` pieces of four bytes and more will need. */
static size_t batch_by_marks(enum split_kind kind, const char *text, size_t len,
                             size_t at, size_t *end, size_t cap)
{
    enum { LEAST = SPLIT_BLOCK };
    uint64_t mark[SPLIT_N_BLOCK];
    uint32_t begin[SPLIT_LIST_MAX];
    size_t n = 0;

    while (n < cap && at < len) {
        const size_t want = 4 * (cap - n) + LEAST;
        const size_t n_byte = split_marks(kind, text, len, at, want, mark);
        size_t n_more = 1;
        if (n_byte <= SPLIT_WINDOW)
            n_more = split_list(mark, n_byte, begin);
        for (size_t i = 1; i < n_more && n < cap; i++)
            end[n++] = at + begin[i];
        if (n < cap)
            end[n++] = at + n_byte;
        at = end[n - 1];
    }
    return n;
}

size_t split_batch(enum split_kind kind, const char *text, size_t len,
                   size_t at, size_t *end, size_t cap)
{
    if (split_has_marks(kind))
        return batch_by_marks(kind, text, len, at, end, cap);
    switch (kind) {
    case SPLIT_GPT2: return batch_of(SPLIT_GPT2, text, len, at, end, cap);
    case SPLIT_CL100K: return batch_of(SPLIT_CL100K, text, len, at, end, cap);
    case SPLIT_QWEN2: return batch_of(SPLIT_QWEN2, text, len, at, end, cap);
    case SPLIT_SMOLLM: return batch_of(SPLIT_SMOLLM, text, len, at, end, cap);
    default: return batch_of(kind, text, len, at, end, cap);
    }
}

int split_drops(enum split_kind kind)
{
    return kind == SPLIT_WHITESPACE;
}

int split_is_dropped(enum split_kind kind, const char *text, size_t at)
{
    size_t next;

    return split_drops(kind) && class_at(text, at, &next) & OY_IS_SPACE;
}

int split_is_mark(const char *text, size_t len)
{
    return len == MARK_SIZE && !memcmp(text, MARK, MARK_SIZE);
}

/* ---- names and expressions ---- */

#define CONTRACTION "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define PREFIX      "[^\\r\\n\\p{L}\\p{N}]?"
#define WHITE       "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define SYMBOLS     " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|"

static const char gpt2_regex[] =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|"
    "\\s+(?!\\S)|\\s+";
static const char cl100k_regex[] =
    CONTRACTION "|" PREFIX "\\p{L}+|\\p{N}{1,3}|" SYMBOLS WHITE;
static const char qwen2_regex[] =
    CONTRACTION "|" PREFIX "\\p{L}+|\\p{N}|" SYMBOLS WHITE;
static const char o200k_regex[] =
    PREFIX "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*"
           "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+" CONTRACTION "?|" PREFIX
           "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+"
           "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*" CONTRACTION "?|"
           "\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|" WHITE;

/* For each kind HF's spelling first, then tiktoken's, equal on every text. (Its
 * newer one of cl100k, with \s++$ before \s*[\r\n], is not equal: "\n " at the
 * end of a text.) */
static const struct spelling {
    enum split_kind kind;
    const char *regex;
} known_regex[] = {
    {SPLIT_GPT2, gpt2_regex},
    {SPLIT_GPT2,
     "'s|'t|'re|'ve|'m|'ll|'d| ?[\\p{L}]+| ?[\\p{N}]+| ?[^\\s\\p{L}\\p{N}]+|"
     "\\s+(?!\\S)|\\s+"},
    {SPLIT_GPT2,
     "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|"
     "\\s+(?!\\S)|\\s+"},
    {SPLIT_GPT2,
     "'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++| ?[^\\s\\p{L}\\p{N}]++|"
     "\\s++$|\\s+(?!\\S)|\\s"},
    {SPLIT_CL100K, cl100k_regex},
    {SPLIT_CL100K,
     "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}|"
     " ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+"},
    {SPLIT_QWEN2, qwen2_regex},
    {SPLIT_O200K, o200k_regex},
};

/* `\r` and `\n` are characters themselves in the third one. */
static const char *const deepseek3_part[] = {
    "\\p{N}{1,3}",
    "[\xe4\xb8\x80-\xe9\xbe\xa5\xe3\x81\x80-\xe3\x82\x9f\xe3\x82\xa0-"
    "\xe3\x83\xbf]+",
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|"
    "[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|"
    "\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
};

static const struct {
    const char *name;
    enum split_kind kind;
} known_name[] = {
    {"none", SPLIT_NONE},
    {"gpt2", SPLIT_GPT2},
    {"cl100k", SPLIT_CL100K},
    {"llama3", SPLIT_CL100K},
    {"qwen2", SPLIT_QWEN2},
    {"smollm", SPLIT_SMOLLM},
    {"o200k", SPLIT_O200K},
    {"deepseek3", SPLIT_DEEPSEEK3},
    {"whitespace", SPLIT_WHITESPACE},
};

enum split_kind split_kind_from_name(const char *name)
{
    for (size_t i = 0; i < sizeof known_name / sizeof *known_name; i++) {
        if (!strcmp(known_name[i].name, name))
            return known_name[i].kind;
    }
    return SPLIT_UNKNOWN;
}

static int is_text(const char *have, size_t len, const char *want)
{
    return strlen(want) == len && !memcmp(have, want, len);
}

enum split_kind split_kind_from_regex(const char *regex, size_t len)
{
    for (size_t i = 0; i < sizeof known_regex / sizeof *known_regex; i++) {
        if (is_text(regex, len, known_regex[i].regex))
            return known_regex[i].kind;
    }
    return SPLIT_UNKNOWN;
}

int split_is_deepseek3_part(const char *regex, size_t len, int part)
{
    return part >= 0 && part < 3 && is_text(regex, len, deepseek3_part[part]);
}

const char *split_regex(enum split_kind kind, int part)
{
    if (kind == SPLIT_DEEPSEEK3)
        return part >= 0 && part < 3 ? deepseek3_part[part] : NULL;
    for (size_t i = 0; !part && i < sizeof known_regex / sizeof *known_regex;
         i++) {
        if (known_regex[i].kind == kind)
            return known_regex[i].regex;
    }
    return NULL;
}
