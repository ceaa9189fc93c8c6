/* SPDX-License-Identifier: Apache-2.0
 *
 * Cutting at line feeds; repeated pieces. */
#include "pipeline/pieces.h"

#include <string.h>

#include "core/alloc.h"
#include "core/hash.h"
#include "core/utf8.h"

void pieces_release(struct pieces *pieces)
{
    oy_free(pieces->item);
    *pieces = (struct pieces){0};
}

static void push(struct pieces *pieces, size_t at, size_t end)
{
    if (pieces->n == pieces->cap)
        OY_GROW(pieces->item, pieces->cap, pieces->n + 1);
    pieces->item[pieces->n++] = (struct piece){at, end - at};
}

/* How many line feeds stand at `at`; one at most when each cuts. */
static size_t run_len(const char *text, size_t at, size_t end, int feeds)
{
    size_t n = 1;

    while (feeds > 1 && at + n < end && text[at + n] == '\n')
        n++;
    return n;
}

void pieces_split(const char *text, size_t from, size_t end, int feeds,
                  struct pieces *pieces)
{
    size_t start = from;

    pieces->n = 0;
    for (size_t at = from; at < end;) {
        const char *feed = memchr(text + at, '\n', end - at);
        if (!feed)
            break;
        at = (size_t)(feed - text);
        const size_t n = run_len(text, at, end, feeds);
        if (n >= (size_t)feeds) {
            push(pieces, start, at);
            start = at + n;
        }
        at += n;
    }
    push(pieces, start, end);
}

struct repeats pieces_repeats(const char *text, const struct piece *piece,
                              size_t n, struct seen *seen)
{
    struct repeats repeats = {0};

    seen_start(seen, n);
    for (size_t i = 0; i < n; i++) {
        const char *at = text + piece[i].at;
        const size_t len = piece[i].len;
        const uint64_t hash = oy_hash64(at, len);
        struct seen_slot *slot = seen_first(seen, hash);
        for (; slot->index; slot = seen_next(seen, slot)) {
            const struct piece *old = &piece[slot->index - 1];
            if (slot->tag == seen_tag(hash) && old->len == len &&
                memcmp(text + old->at, at, len) == 0)
                break;
        }
        if (!slot->index) {
            seen_put(slot, hash, i);
            continue;
        }
        repeats.n++;
        repeats.n_code += oy_utf8_count(at, len);
    }
    return repeats;
}
