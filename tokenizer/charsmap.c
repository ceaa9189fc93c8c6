/* SPDX-License-Identifier: Apache-2.0
 *
 * The character maps of SentencePiece. */
#include "tokenizer/charsmap.h"

#include <stdint.h>
#include <string.h>

#include "core/base64.h"
#include "core/grapheme.h"
#include "core/unicode_sets.h"
#include "core/utf8.h"

enum { MAX_CLUSTER = 5 }; /* bytes that are looked up as a whole */

struct charsmap {
    uint32_t *unit;
    size_t n_unit;
    char *text; /* behind it a NUL */
    size_t n_text;
    struct oy_utf8_set *set; /* what changes, or is oy_set_joining */
};

/* ---- the trie ---- */

/* Darts: https://github.com/s-yata/darts-clone, class DoubleArrayUnit. */
static int has_leaf(uint32_t unit)
{
    return unit >> 8 & 1;
}

static uint32_t value_of(uint32_t unit)
{
    return unit & 0x7fffffff;
}

static uint32_t label_of(uint32_t unit)
{
    return unit & (0x80000000u | 0xff);
}

static uint32_t offset_of(uint32_t unit)
{
    return unit >> 10 << ((unit & 0x200) >> 6);
}

/* A walk down the trie. */
struct walk {
    size_t node;
    int64_t value; /* of the shortest entry so far, or -1 */
    int is_dead;
};

static struct walk walk_from_root(const struct charsmap *map)
{
    return (struct walk){offset_of(map->unit[0]), -1, 0};
}

static void walk_down(const struct charsmap *map, struct walk *walk,
                      unsigned char byte)
{
    const size_t node = walk->node ^ byte;

    if (walk->is_dead || !byte || node >= map->n_unit ||
        label_of(map->unit[node]) != byte) {
        walk->is_dead = 1;
        return;
    }
    const uint32_t unit = map->unit[node];
    walk->node = node ^ offset_of(unit);
    if (has_leaf(unit) && walk->value < 0 && walk->node < map->n_unit)
        walk->value = value_of(map->unit[walk->node]);
}

/* What a chunk becomes; NULL when no entry is a prefix of it. */
static const char *look_up(const struct charsmap *map, const char *chunk,
                           size_t len)
{
    struct walk walk = walk_from_root(map);

    for (size_t i = 0; i < len && walk.value < 0 && !walk.is_dead; i++)
        walk_down(map, &walk, (unsigned char)chunk[i]);
    /* A damaged map points behind the texts, or into a character. */
    if (walk.value < 0 || (size_t)walk.value > map->n_text ||
        ((unsigned char)map->text[walk.value] & 0xc0) == 0x80)
        return NULL;
    return map->text + walk.value;
}

/* ---- reading ---- */

static uint32_t load_le32(const char *at)
{
    const unsigned char *s = (const unsigned char *)at;

    return (uint32_t)s[0] | (uint32_t)s[1] << 8 | (uint32_t)s[2] << 16 |
           (uint32_t)s[3] << 24;
}

/* The 64 code points from `first` on have all bytes but the last in common. */
static void add_changing(struct charsmap *map, uint32_t first)
{
    char bytes[4];
    const size_t len = oy_utf8_put(bytes, first);
    struct walk walk = walk_from_root(map);

    for (size_t i = 0; i + 1 < len; i++)
        walk_down(map, &walk, (unsigned char)bytes[i]);
    if (walk.is_dead && walk.value < 0)
        return;
    for (uint32_t c = first; c < first + 64; c++) {
        if (look_up(map, bytes, oy_utf8_put(bytes, c)))
            oy_utf8_set_add(map->set, c);
    }
}

static void fill_set(struct charsmap *map)
{
    map->set = oy_utf8_set_new();
    for (uint32_t first = 0; first < 0x110000; first += 64) {
        if (first < 0xd800 || first >= 0xe000)
            add_changing(map, first);
        for (uint32_t c = first; c < first + 64; c++) {
            if (oy_utf8_set_has(&oy_set_joining, c))
                oy_utf8_set_add(map->set, c);
        }
    }
}

struct charsmap *charsmap_new_of_bytes(const char *data, size_t len,
                                       const char **why)
{
    const size_t n_byte = len < 4 ? 0 : load_le32(data);

    if (n_byte < 4 || n_byte > len - 4) {
        *why = "the character map is cut short";
        return NULL;
    }
    /* Bytes that make no unit belong to the texts, as in HF. */
    const size_t n_unit = n_byte / 4;
    const char *text = data + 4 + 4 * n_unit;
    const size_t n_text = len - 4 - 4 * n_unit;
    if (!oy_utf8_valid(text, n_text)) {
        *why = "the texts of the character map are not UTF-8";
        return NULL;
    }
    struct charsmap *map = oy_calloc(1, sizeof *map);
    map->unit = oy_alloc_array(n_unit, sizeof *map->unit);
    for (size_t i = 0; i < n_unit; i++)
        map->unit[i] = load_le32(data + 4 + 4 * i);
    map->n_unit = n_unit;
    map->text = oy_strndup(text, n_text);
    map->n_text = n_text;
    fill_set(map);
    return map;
}

struct charsmap *charsmap_new(struct oy_text base64, const char **why)
{
    struct oy_buffer bytes = {0};
    struct charsmap *map = NULL;

    if (oy_base64_read(base64.at, base64.len, &bytes))
        *why = "the character map is not base64";
    else
        map = charsmap_new_of_bytes(bytes.data, bytes.len, why);
    oy_buffer_release(&bytes);
    return map;
}

void charsmap_free(struct charsmap *map)
{
    if (!map)
        return;
    oy_utf8_set_free(map->set);
    oy_free(map->unit);
    oy_free(map->text);
    oy_free(map);
}

/* ---- applying ---- */

size_t charsmap_find(const struct charsmap *map, struct oy_text text, size_t at)
{
    return oy_utf8_set_find(map->set, text.at, text.len, at);
}

/* Whether an entry fits; then its text is appended. */
static int put_entry(const struct charsmap *map, const char *chunk, size_t len,
                     struct oy_buffer *out)
{
    const char *text = look_up(map, chunk, len);

    if (!text)
        return 0;
    oy_buffer_append(out, text, strlen(text));
    return 1;
}

static void put_cluster(const struct charsmap *map, const char *text,
                        size_t len, struct oy_buffer *out)
{
    if (len <= MAX_CLUSTER && put_entry(map, text, len, out))
        return;
    for (size_t at = 0; at < len;) {
        const size_t begin = at;
        (void)oy_utf8_next(text, &at);
        if (!put_entry(map, text + begin, at - begin, out))
            oy_buffer_append(out, text + begin, at - begin);
    }
}

/* Where the cluster begins that holds the character at `hit`, before which
 * all from `at` on was of no interest. */
static size_t cluster_begin(const char *text, size_t at, size_t hit)
{
    size_t next = hit;

    if (hit > at && oy_utf8_set_has(&oy_set_joining, oy_utf8_next(text, &next)))
        (void)oy_utf8_previous(text, &hit);
    return hit;
}

void charsmap_apply(const struct charsmap *map, struct oy_text text,
                    struct oy_buffer *out)
{
    size_t at = 0;

    while (at < text.len) {
        const size_t hit = charsmap_find(map, text, at);
        const size_t begin =
            hit < text.len ? cluster_begin(text.at, at, hit) : hit;
        oy_buffer_append(out, text.at + at, begin - at);
        at = begin;
        if (at == text.len)
            break;
        const size_t end = oy_grapheme_end(text.at, text.len, at);
        put_cluster(map, text.at + at, end - at, out);
        at = end;
    }
}
