/* SPDX-License-Identifier: Apache-2.0
 *
 * Documents of other forms in the cache folder. */
#include "tokenizer/document_kept.h"

#include <string.h>

#include "core/cache.h"

enum {
    KEPT_VERSION = 2,       /* raised when a reader of any form changes */
    LEAST_SIZE = 512 << 10, /* smaller ones are made as fast */
};

enum { JSON, BOS, EOS, TEMPLATE, N_SECTION };

static struct oy_cache_name name_of(struct oy_hash128 key)
{
    return (struct oy_cache_name){"document", KEPT_VERSION, key};
}

struct oy_hash128 document_kept_key(const struct document_source *source)
{
    const size_t n = sizeof source->config->data / sizeof *source->config->data;
    struct oy_hasher *hasher = oy_hasher_new();

    for (size_t i = 0; i < n; i++) {
        const char *given = source->config->data[i];
        const char *text = given ? given : "";
        oy_hasher_update(hasher, text, strlen(text) + 1);
    }
    oy_hasher_update(hasher, &source->len, sizeof source->len);
    oy_hasher_update(hasher, source->data, source->len);
    oy_hasher_update(hasher, source->other.at, source->other.len);
    const struct oy_hash128 key = oy_hasher_digest(hasher);
    oy_hasher_free(hasher);
    return key;
}

/* An empty section is a string that nobody gave. */
static void fill(char **string, const struct oy_cache_entry *kept, int section)
{
    if (kept->section[section].size)
        *string = oy_strdup(kept->section[section].data);
}

int document_kept_find(struct oy_hash128 key,
                       struct tokenizer_document *document)
{
    const struct oy_cache_name name = name_of(key);
    struct oy_cache_entry kept = {0};

    if (oy_cache_open(&name, &kept))
        return -1;
    const int is_whole = kept.n == N_SECTION;
    if (is_whole) {
        oy_buffer_append(&document->json, kept.section[JSON].data,
                         kept.section[JSON].size);
        fill(&document->bos_token, &kept, BOS);
        fill(&document->eos_token, &kept, EOS);
        fill(&document->chat_template, &kept, TEMPLATE);
    }
    oy_cache_close(&kept);
    return is_whole ? 0 : -1;
}

static struct oy_cache_section section_of(const char *string)
{
    return (struct oy_cache_section){string, string ? strlen(string) + 1 : 0};
}

void document_kept_store(struct oy_hash128 key,
                         const struct tokenizer_document *document)
{
    const struct oy_cache_name name = name_of(key);
    const struct oy_cache_section section[N_SECTION] = {
        [JSON] = {document->json.data, document->json.len},
        [BOS] = section_of(document->bos_token),
        [EOS] = section_of(document->eos_token),
        [TEMPLATE] = section_of(document->chat_template),
    };

    if (document->json.len >= LEAST_SIZE)
        oy_cache_store(&name, section, N_SECTION);
}
