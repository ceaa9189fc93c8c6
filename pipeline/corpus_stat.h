/* SPDX-License-Identifier: Apache-2.0
 *
 * What a corpus is made of: oy-stat.
 *
 * Every record adds the length of its text in bytes, characters (code points)
 * and words (runs of anything but white space, Unicode 14 as in Python 3.11)
 * to the statistics, and to those of its group: the value that --by finds in
 * it. A member that is named url groups by its host. All numbers are sums of
 * integers; they do not depend on threads or order.
 */
#ifndef PIPELINE_CORPUS_STAT_H
#define PIPELINE_CORPUS_STAT_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/run.h"
#include "pipeline/lengths.h"

enum corpus_unit { UNIT_BYTES, UNIT_CHARACTERS, UNIT_WORDS, N_UNIT };
enum corpus_format { FORMAT_TABLE, FORMAT_JSON, FORMAT_HTML };
/* What a page shows besides. */
enum corpus_facet { FACET_LANGUAGE, FACET_REASON, FACET_DOMAIN, N_FACET };

struct corpus_settings {
    const char *by; /* path, or NULL */
    const char *diff;
    int format;  /* enum corpus_format */
    int64_t top; /* groups that a table shows */
};

struct corpus_group {
    const char *key; /* in the arena of its corpus */
    size_t key_len;
    uint64_t hash;
    uint64_t record;
    uint64_t total[N_UNIT];
};

/* Zero-initialised is empty. */
struct corpus {
    struct lengths lengths[N_UNIT];
    struct corpus_group *group; /* [n_group], in order of coming */
    size_t n_group, cap_group;
    uint32_t *slot; /* group + 1, by hash; power of two */
    size_t n_slot;
    struct oy_arena arena;
    /* [N_FACET], or NULL: groups by other members, of which nothing but the
     * records is counted. Yours, freed by corpus_release(). */
    struct corpus *facet;
};

/* Adds one text, under a group when key is not NULL (copied). */
void corpus_add(struct corpus *corpus, const char *text, size_t len,
                const char *key, size_t key_len);
/* Counts one record of a group without a text. */
void corpus_count(struct corpus *corpus, const char *key, size_t key_len);
void corpus_merge(struct corpus *corpus, const struct corpus *more);
/* Largest first (records, then keys by bytes). */
void corpus_sort(struct corpus *corpus);
void corpus_release(struct corpus *corpus);

/* Number of words of a valid UTF-8 text. */
uint64_t corpus_count_words(const char *text, size_t len);
/* The host of a URL: behind `//` and user, before port and path; the whole
 * text when it has no `//`. */
void corpus_host_of(const char *url, size_t len, const char **host,
                    size_t *host_len);

/* Appends the account of a sorted corpus; `other` (or NULL) is what it is
 * compared with. */
void corpus_put(const struct corpus *corpus, const struct corpus *other,
                const struct corpus_settings *settings, struct oy_buffer *out);

/* The same as one HTML page that needs nothing else (corpus_html.c). */
void corpus_put_page(const struct corpus *corpus, const struct corpus *other,
                     const struct corpus_settings *settings,
                     struct oy_buffer *out);
/* Records of the group of that key. */
uint64_t corpus_records_of(const struct corpus *corpus,
                           const struct corpus_group *like);

/* Runs the program: reads run's inputs, writes the account to -o. */
int corpus_stat_run(const struct corpus_settings *settings, struct oy_run *run,
                    struct oy_error *err);

#endif
