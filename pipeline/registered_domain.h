/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose a host is: the registered domain in a URL, by the public suffix list
 * (publicsuffix.org), as tldextract 5 finds it.
 *
 * Suffixes are those of registries ("co.uk", not "blogspot.com"). The letters'
 * case stays as it is in the URL.
 */
#ifndef PIPELINE_REGISTERED_DOMAIN_H
#define PIPELINE_REGISTERED_DOMAIN_H

#include "core/error.h"
#include "core/json.h"

/* Does not change once it was loaded; shared by threads. */
struct public_suffixes;

/* From a file in the form of public_suffix_list.dat, or with "" the list that
 * the linked libpsl brings. NULL after a failure (66, 65). */
struct public_suffixes *public_suffixes_load(const char *path,
                                             struct oy_error *err);
/* NULL is allowed. */
void public_suffixes_free(struct public_suffixes *suffixes);

/* The host of a URL: what stands behind the scheme and a user, before port and
 * path, without white space around and dots behind. Part of the URL. */
struct oy_text url_host(struct oy_text url);
/* The part of a host that somebody registered, one label and the suffix:
 * "bbc.co.uk"; of length 0 when the host has no suffix or is one. Part of the
 * host, in which every dot is a narrow one. */
struct oy_text registered_domain(const struct public_suffixes *suffixes,
                                 struct oy_text host);

#endif
