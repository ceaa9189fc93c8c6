/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of elements. */
#include "pipeline/html_tag.h"

#include <string.h>

const uint32_t html_tag_traits[HTML_TAG_COUNT] = {
#define HTML_TAG(id, name, traits) [HTML_TAG_##id] = (traits),
#include "pipeline/html_tag_list.h"
#undef HTML_TAG
};

static const struct {
    uint8_t len;
    char name[15]; /* the longest is annotation-xml */
} names[HTML_TAG_COUNT] = {
#define HTML_TAG(id, name, traits) [HTML_TAG_##id] = {sizeof name - 1, name},
#include "pipeline/html_tag_list.h"
#undef HTML_TAG
};

/* Where the names of each letter begin; a letter ends where the next one
 * begins. The list is in the order of names. */
static const uint8_t first_of[27] = {
    HTML_TAG_A,     HTML_TAG_B,        HTML_TAG_CANVAS, HTML_TAG_DD,
    HTML_TAG_EM,    HTML_TAG_FIELDSET, HTML_TAG_H1,     HTML_TAG_H1,
    HTML_TAG_I,     HTML_TAG_KEYGEN,   HTML_TAG_KEYGEN, HTML_TAG_LABEL,
    HTML_TAG_MAIN,  HTML_TAG_NAV,      HTML_TAG_OBJECT, HTML_TAG_P,
    HTML_TAG_RB,    HTML_TAG_RB,       HTML_TAG_S,      HTML_TAG_TABLE,
    HTML_TAG_U,     HTML_TAG_VAR,      HTML_TAG_WBR,    HTML_TAG_XMP,
    HTML_TAG_COUNT, HTML_TAG_COUNT,    HTML_TAG_COUNT,
};

static int is_same(const char *text, const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        c = c >= 'A' && c <= 'Z' ? c | 0x20 : c;
        if (c != (unsigned char)name[i])
            return 0;
    }
    return 1;
}

enum html_tag html_tag_find(const char *name, size_t len)
{
    const unsigned letter = (unsigned)(name[0] | 0x20) - 'a';

    if (len == 0 || letter > 25)
        return HTML_TAG_UNKNOWN;
    for (int tag = first_of[letter]; tag < first_of[letter + 1]; tag++) {
        if (names[tag].len == len && is_same(name, names[tag].name, len))
            return (enum html_tag)tag;
    }
    return HTML_TAG_UNKNOWN;
}
