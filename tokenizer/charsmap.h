/* SPDX-License-Identifier: Apache-2.0
 *
 * The character map of a SentencePiece model (`precompiled_charsmap`), applied
 * as Hugging Face's Precompiled normalizer does (crate spm_precompiled 0.1.4).
 *
 * The map is a trie of byte strings (a double array of darts-clone: a 32-bit
 * count of bytes, then units of 32 bits, little-endian) and behind it the
 * texts that they become, each ended by a NUL. It is applied to one grapheme
 * cluster after the other: a cluster of less than 6 bytes becomes the text of
 * the *shortest* entry that it begins with, whatever follows in the cluster;
 * where there is none, or in longer clusters, the same is done to each
 * character alone. A text in which nothing changes is passed over fast.
 */
#ifndef TOKENIZER_CHARSMAP_H
#define TOKENIZER_CHARSMAP_H

#include <stddef.h>

#include "core/alloc.h"
#include "core/json.h"

struct charsmap;

/* Of the map in base64, as it stands in a tokenizer.json. NULL when it is
 * damaged, with *why. */
struct charsmap *charsmap_new(struct oy_text base64, const char **why);
/* Of the bytes of a map, which are copied. */
struct charsmap *charsmap_new_of_bytes(const char *data, size_t len,
                                       const char **why);
void charsmap_free(struct charsmap *map);

/* The first place of text[at..len) that may change, or len. */
size_t charsmap_find(const struct charsmap *map, struct oy_text text,
                     size_t at);
/* Appends what the map makes of a text, valid UTF-8 both. */
void charsmap_apply(const struct charsmap *map, struct oy_text text,
                    struct oy_buffer *out);

#endif
