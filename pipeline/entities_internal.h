/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of named characters. */
#ifndef PIPELINE_ENTITIES_INTERNAL_H
#define PIPELINE_ENTITIES_INTERNAL_H

#include "pipeline/entities.h"

/* Names in order, each with a space behind it, and where they begin; one
 * place more for the end of the last. */
extern const char entities_name[];
extern const uint16_t entities_at[];
/* The code point of each, or, with ENTITIES_MORE, the row of its several. */
enum { ENTITIES_MORE = 1 << 24 };
extern const uint32_t entities_code[];
extern const uint32_t entities_more[][ENTITIES_MAX]; /* 0 behind the last */
extern const size_t entities_n;

#endif
