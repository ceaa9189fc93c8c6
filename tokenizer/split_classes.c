/* SPDX-License-Identifier: Apache-2.0
 *
 * The classes that splitting by masks tells apart. */
#include "core/unicode.h"
#include "tokenizer/split_internal.h"

/* clang-format off */
#define ASCII(upper)                                                           \
    ['A' ... 'Z'] = (upper),                                                   \
    ['a' ... 'z'] = SPLIT_LETTER,                                              \
    ['0' ... '9'] = SPLIT_NUMBER,                                              \
    ['\t'] = SPLIT_WHITE, ['\v'] = SPLIT_WHITE, ['\f'] = SPLIT_WHITE,          \
    ['\n'] = SPLIT_WHITE | SPLIT_NEWLINE,                                      \
    ['\r'] = SPLIT_WHITE | SPLIT_NEWLINE,                                      \
    [' '] = SPLIT_WHITE | SPLIT_BLANK
/* clang-format on */

static const struct split_classes plain_classes = {
    .ascii = {ASCII(SPLIT_LETTER)},
    .han = SPLIT_LETTER,
    .hangul = SPLIT_LETTER,
};

static const struct split_classes o200k_classes = {
    .ascii = {ASCII(SPLIT_LETTER | SPLIT_UPPER)},
    .han = SPLIT_LETTER | SPLIT_BOTH,
    .hangul = SPLIT_LETTER | SPLIT_BOTH,
};

/* No alternative of DeepSeek's matches a control character. */
static const struct split_classes deepseek3_classes = {
    .ascii = {ASCII(SPLIT_LETTER), [0x00 ... 0x08] = SPLIT_HARD,
              [0x0e ... 0x1f] = SPLIT_HARD, [0x7f] = SPLIT_HARD},
    .han = SPLIT_CJK,
    .hangul = SPLIT_LETTER,
};

const struct split_classes *split_classes_of(enum split_kind kind)
{
    switch (kind) {
    case SPLIT_GPT2:
    case SPLIT_CL100K:
    case SPLIT_QWEN2:
    case SPLIT_SMOLLM: return &plain_classes;
    case SPLIT_O200K: return &o200k_classes;
    case SPLIT_DEEPSEEK3: return &deepseek3_classes;
    default: return NULL;
    }
}

static uint8_t o200k_class(unsigned class)
{
    if (class & (OY_IS_LU | OY_IS_LT))
        return SPLIT_LETTER | SPLIT_UPPER;
    if (class & OY_IS_LL)
        return SPLIT_LETTER;
    if (class & OY_IS_L)
        return SPLIT_LETTER | SPLIT_BOTH;
    if (class & OY_IS_N)
        return SPLIT_NUMBER | SPLIT_HARD;
    if (class & OY_IS_SPACE)
        return SPLIT_WHITE;
    return class & OY_IS_M ? SPLIT_HARD : 0;
}

static uint8_t deepseek3_class(unsigned class)
{
    if (class & OY_IS_N)
        return SPLIT_NUMBER | SPLIT_HARD;
    /* The third expression cuts at CJK that is no letter (U+30FB). */
    if (class & OY_IS_CJK)
        return class & (OY_IS_L | OY_IS_M) ? SPLIT_CJK : SPLIT_CJK | SPLIT_HARD;
    if (class & (OY_IS_L | OY_IS_M))
        return SPLIT_LETTER;
    if (class & OY_IS_SPACE)
        return SPLIT_WHITE;
    return class & (OY_IS_P | OY_IS_S) ? 0 : SPLIT_HARD;
}

/* `number` is what counts as one, `as` its class. */
static uint8_t plain_class(unsigned class, unsigned number, uint8_t as)
{
    if (class & number)
        return as;
    if (class & OY_IS_L)
        return SPLIT_LETTER;
    return class & OY_IS_SPACE ? SPLIT_WHITE : 0;
}

/* Numbers of several bytes are hard where three of them make a group. */
uint8_t split_class_of(enum split_kind kind, uint32_t character)
{
    const unsigned class = oy_unicode_class16(character);

    switch (kind) {
    case SPLIT_O200K: return o200k_class(class);
    case SPLIT_DEEPSEEK3: return deepseek3_class(class);
    case SPLIT_SMOLLM: return plain_class(class, OY_IS_DIGITS, SPLIT_NUMBER);
    case SPLIT_CL100K:
        return plain_class(class, OY_IS_N, SPLIT_NUMBER | SPLIT_HARD);
    default: return plain_class(class, OY_IS_N, SPLIT_NUMBER);
    }
}
