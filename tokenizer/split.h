/* SPDX-License-Identifier: Apache-2.0
 *
 * Pre-tokenisers: where a text is cut into the pieces that byte-pair merges
 * never cross.
 *
 * Each kind is the hand-written equal of the regular expressions that a
 * family of tokenizer.json files carries; a piece is what HF's pre-tokeniser
 * calls a split. Class tables are those of Unicode 16, as Oniguruma (HF) and
 * fancy-regex (tiktoken) have them. Training and encoding use this same code.
 *
 * A text is valid UTF-8 and is cut from its begin to its end: pieces touch,
 * none is empty, the last one ends at `len`. White space that a kind throws
 * away (SPLIT_WHITESPACE only) is handed out as pieces of its own, and
 * split_is_dropped() tells them. Where a piece ends depends on the text
 * behind its begin alone, so a text may be cut piece by piece. All functions
 * are pure, thread-safe and need time linear in the piece. OY_PADDING bytes
 * behind text[len] must be readable; what they are does not matter.
 */
#ifndef TOKENIZER_SPLIT_H
#define TOKENIZER_SPLIT_H

#include <stddef.h>

enum split_kind {
    SPLIT_NONE, /* the whole text is one piece */
    /* 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+
     * |\s+(?!\S)|\s+ : GPT-2, MiniMind, HF's ByteLevel(use_regex). */
    SPLIT_GPT2,
    /* (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}
     * | ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+ : cl100k, Llama 3. */
    SPLIT_CL100K,
    /* The same with single digits, \p{N}: Qwen 2, 2.5, 3. */
    SPLIT_QWEN2,
    /* HF's Digits(individual) and then SPLIT_GPT2 on every part: SmolLM2,
     * StarCoder. A part's end is an end of text to \s+(?!\S). */
    SPLIT_SMOLLM,
    /* o200k_base, gpt-oss: cased words, with marks inside them. */
    SPLIT_O200K,
    /* DeepSeek V3: \p{N}{1,3}, then runs of CJK, then words, each step on the
     * parts of the step before. */
    SPLIT_DEEPSEEK3,
    /* \w+|[^\w\s]+ : HF's Whitespace. White space is dropped. */
    SPLIT_WHITESPACE,
    /* Pieces begin with U+2581: HF's Metaspace, whose spaces are marks by
     * now. */
    SPLIT_METASPACE,
    /* Pieces end with a space: Gemma 3's Split(" ", MergedWithPrevious). */
    SPLIT_AFTER_SPACE,
    SPLIT_N_KIND,
    SPLIT_UNKNOWN = -1,
};

/* The end of the piece that begins at text[at]; at < len, and `at` is the
 * begin of a piece (0, or an end that was returned). */
size_t split_piece(enum split_kind kind, const char *text, size_t len,
                   size_t at);

/* Cuts up to `cap` pieces from text[at] on, writes their ends and returns how
 * many there are; 0 only when at == len. The fast way: one call for hundreds
 * of pieces. */
size_t split_batch(enum split_kind kind, const char *text, size_t len,
                   size_t at, size_t *end, size_t cap);

/* Whether the kind throws pieces away, and that which begins at text[at]. */
int split_drops(enum split_kind kind);
int split_is_dropped(enum split_kind kind, const char *text, size_t at);

/* Whether these bytes are the mark of SPLIT_METASPACE. */
int split_is_mark(const char *text, size_t len);

/* "gpt2", "cl100k", "llama3" (the same kind as cl100k), "qwen2", "smollm",
 * "o200k", "deepseek3", "whitespace", "none"; SPLIT_UNKNOWN for others. */
enum split_kind split_kind_from_name(const char *name);
/* The kind whose single regular expression this is, in any of the spellings
 * found in published tokenizer.json files and tiktoken; SPLIT_UNKNOWN for
 * others. SPLIT_SMOLLM and SPLIT_DEEPSEEK3 are sequences of pre-tokenisers:
 * the reader of the file puts them together (split_is_deepseek3_part). */
enum split_kind split_kind_from_regex(const char *regex, size_t len);
/* Whether the regular expression is number `part` (0, 1, 2) of the three that
 * make SPLIT_DEEPSEEK3. */
int split_is_deepseek3_part(const char *regex, size_t len, int part);
/* Regular expression number `part` (from 0) of the Splits that make a kind,
 * as HF writes it: three for SPLIT_DEEPSEEK3, one for kinds of one expression,
 * none for the others. NULL where there is none. */
const char *split_regex(enum split_kind kind, int part);

#endif
