/* SPDX-License-Identifier: Apache-2.0
 *
 * Pre-tokenizers in general: a list of steps, each of which cuts, or rewrites,
 * the pieces of the one before, as Hugging Face's pre_tokenizers do.
 *
 * The common pre-tokenizers have equals in tokenizer/split.h that are many
 * times as fast; this is for all others. A chain does not change once it was
 * made and may be used from many threads; `struct pretokenizer_work` belongs
 * to one thread.
 */
#ifndef TOKENIZER_PRETOKENIZER_H
#define TOKENIZER_PRETOKENIZER_H

#include <stddef.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"

struct pretokenizer;

/* Whether a component, or one inside of it, is ByteLevel. */
int pretokenizer_has_byte_level(const struct oy_json_value *component);
/* Reads the component `pre_tokenizer` of a tokenizer.json, whatever it is made
 * of: Sequence, ByteLevel, Split (its expressions are Oniguruma's, see
 * core/regex.h), Digits, Punctuation, Metaspace, Whitespace, WhitespaceSplit,
 * BertPreTokenizer, CharDelimiterSplit, UnicodeScripts, FixedLength, in any
 * order and nesting. The document may be released. NULL after a failure (65)
 * that names the place ("pre_tokenizer.pretokenizers[2].behavior: ..."): what
 * is malformed, what Hugging Face does not have, expressions that core/regex.h
 * refuses, Metaspace behind ByteLevel, Metaspace's "first" behind another.
 * Steps that a kind of split is the equal of become that kind. */
struct pretokenizer *pretokenizer_read(const struct oy_json_value *component,
                                       struct oy_error *err);

/* The pieces of one text. Zero-initialised is empty. */
struct pretokenizer_work {
    struct oy_text *piece; /* [n], with OY_PADDING readable bytes behind each;
                              valid until the next run */
    size_t n;
    struct pretokenizer_scratch *scratch; /* private */
};

void pretokenizer_work_release(struct pretokenizer_work *work);

/* Cuts a text, valid UTF-8, normalised, with OY_PADDING readable bytes behind
 * it; is_first: nothing stands before it in the whole text (Metaspace's
 * "first" asks). The pieces are what HF's pre-tokenizer calls splits, with one
 * difference: those of ByteLevel are the bytes themselves, not their visible
 * spelling (steps behind it see that spelling all the same). Empty pieces are
 * left out. A regular expression that does not come to an end with a text
 * (core/regex.h) ends the program with 65, as refused memory ends it with 71:
 * Hugging Face's panics. */
void pretokenizer_run(const struct pretokenizer *chain, struct oy_text text,
                      int is_first, struct pretokenizer_work *work);
void pretokenizer_free(struct pretokenizer *chain);

#endif
