/* SPDX-License-Identifier: Apache-2.0
 *
 * Things that are dear to make and cheap to keep: tables in the user's cache
 * folder, found again by the hash of what they were made from.
 *
 * An entry is a list of sections of bytes. It lies in $OYSTER_CACHE, else
 * $XDG_CACHE_HOME/oyster, else ~/.cache/oyster; an empty $OYSTER_CACHE turns
 * caching off. Everything there may be deleted at any time. Entries appear
 * whole or not at all, any number of processes may read and write the same
 * one, and one that is damaged, was made by another version or on a machine of
 * another byte order, or belongs to another user, is not there. A cache never
 * fails: what cannot be read is made anew, what cannot be written is not kept.
 * The folder is held below 2 GiB; what was used least lately goes first.
 */
#ifndef CORE_CACHE_H
#define CORE_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "core/hash.h"

enum { OY_CACHE_MAX_SECTIONS = 16 };

/* Says which entry is meant. */
struct oy_cache_name {
    const char *kind;      /* letters: what is kept, "tokenizer" */
    uint32_t version;      /* of the layout of the sections */
    struct oy_hash128 key; /* of everything that they were made from */
};

struct oy_cache_section {
    const void *data;
    size_t size;
};

/* An entry that was read. Sections are aligned to 64 bytes, may be written to
 * (that changes no file), and live until it is closed. */
struct oy_cache_entry {
    struct {
        void *data;
        size_t size;
    } section[OY_CACHE_MAX_SECTIONS];
    size_t n;
    void *map; /* private */
    size_t map_size;
};

/* Reads an entry whole, onto big pages, and checks its sum. 0, or -1: there is
 * none. */
int oy_cache_open(const struct oy_cache_name *name,
                  struct oy_cache_entry *entry);
/* A zero-initialised one is allowed. */
void oy_cache_close(struct oy_cache_entry *entry);

/* Keeps an entry. 0, or -1 when that was not possible; then nothing is left
 * behind. */
int oy_cache_store(const struct oy_cache_name *name,
                   const struct oy_cache_section *section, size_t n);

#endif
