/* SPDX-License-Identifier: Apache-2.0
 *
 * What a tokenizer.json says: tokens, merges, added tokens and the components
 * around them, checked and resolved to numbers.
 *
 * Read are files as Hugging Face writes them: BPE of bytes and of characters
 * (both forms of merges, null for any option), WordPiece, Unigram and
 * WordLevel; a model without a type (old files) is known by its members. A
 * component that this program does not know is a failure (65) that names it:
 * ids that are nearly right are worse than none; so is a model that has no
 * token for what it does not know where Hugging Face would fail on a text. A
 * BPE file is one of bytes when its pre_tokenizer has ByteLevel: the visible
 * byte alphabet of the file ("Ġ" for a space) is mapped back at load, and
 * tokens are kept as the bytes they stand for. Bytes without a token are
 * allowed (SmolLM2 lacks 21). The tokens of other files are kept as they are
 * spelled, in UTF-8. Ids may have holes; one id or one spelling twice is
 * damage (but Unigram's spellings, where the last one counts). What is wrong
 * is named by its place: `model.merges[17]`, `added_tokens[3].content`. A
 * `struct vocab` does not change after vocab_load() and may be used from many
 * threads.
 */
#ifndef TOKENIZER_VOCAB_H
#define TOKENIZER_VOCAB_H

#include <stddef.h>
#include <stdint.h>

#include "core/cache.h"
#include "core/error.h"
#include "core/hash.h"
#include "tokenizer/decode_chain.h"
#include "tokenizer/normalize.h"
#include "tokenizer/pretokenizer.h"
#include "tokenizer/split.h"
#include "tokenizer/tokenizer_document.h"

enum { VOCAB_MAX_ID = 1 << 24 }; /* a larger id is taken for damage */

struct vocab_token {
    uint32_t at; /* place in vocab->text */
    uint32_t len;
    uint8_t is_used;    /* 0: no token has this id */
    uint8_t is_model;   /* one of the model's own */
    uint8_t is_bytes;   /* 0: spelled outside the byte alphabet of its file,
                           so that no merge leads to it */
    uint8_t is_added;   /* also, or only, an added token */
    uint8_t is_special; /* left out by --skip-special */
    uint8_t is_renamed; /* decodes to `normal` of its added token */
};

/* left + right = result; the place in the list is the rank. */
struct vocab_merge {
    int32_t left, right, result;
};

/* An added token: text that is cut out before the merges see it. */
struct vocab_added {
    char *content;
    size_t len;
    struct oy_text normal; /* the content behind the normalizer; borrowed */
    int32_t id;
    int single_word;    /* only between non-word characters */
    int lstrip, rstrip; /* swallows white space beside it */
    int normalized;     /* looked for in the normalised text */
    int special;
};

enum vocab_model {
    VOCAB_BPE,
    VOCAB_WORDPIECE,
    VOCAB_UNIGRAM,
    VOCAB_WORDLEVEL,
};

struct vocab {
    char *path; /* the file that was read */
    enum vocab_model model;
    char *text; /* of all tokens */
    size_t n_text;
    struct vocab_token *token; /* [n_id], holes have is_used 0 */
    size_t cap_token;
    int32_t n_id;    /* highest id + 1: rows of an embedding */
    int32_t n_model; /* entries of the model's own vocabulary */
    struct vocab_merge *merge;
    size_t n_merge;
    struct vocab_added *added; /* in file order */
    size_t n_added;
    size_t cap_added;

    struct normalizer normalizer;
    /* What Metaspace does to a stretch between added tokens: [1] to one that
     * begins the text, [0] to others. */
    struct normalizer marker[2];
    enum split_kind split;
    /* The pre_tokenizer where no kind of split is its equal; then `split`,
     * `marker` and `add_prefix_space` say nothing. NULL: they say all. */
    struct pretokenizer *chain;
    int is_byte_level; /* merges begin with bytes, else with characters */
    /* The model sees pieces in the visible byte alphabet: ByteLevel before a
     * model whose tokens cannot be kept as bytes. Then is_byte_level is 0. */
    int spells_bytes;
    int add_prefix_space;
    int ignore_merges; /* a whole piece that is a token stays one */
    /* What becomes of a character without a token: with byte_fallback the
     * tokens "<0x00>" to "<0xFF>" of its bytes, if all are there; else the
     * unknown token, with fuse_unk one for many; else (-1) nothing. */
    int byte_fallback, fuse_unk;
    int32_t unk_id;
    /* Unigram: natural logarithms of probabilities, [n_model], by id. */
    double *score;
    /* WordPiece: a longer piece is the unknown token. */
    int64_t max_characters;
    /* What a character (BPE) or a token (WordPiece) is spelled with behind
     * others of its piece, and (BPE) at the end of a piece. Then tokens are
     * no longer the text that they stand for. */
    struct oy_text prefix, suffix;
    int has_renamed;             /* a token is_renamed */
    struct decode_chain decoder; /* no steps: tokens joined with spaces */
    /* What the post-processor puts around a text, for --add-special. */
    int32_t *before, *behind;
    size_t n_before, n_behind;

    /* As in struct tokenizer_document; NULL where nothing says it. */
    char *bos_token, *eos_token, *chat_template;

    struct oy_arena arena;   /* private: texts of the components */
    struct oy_hash128 hash;  /* XXH3-128 of the uncompressed tokenizer.json */
    struct vocab_slot *slot; /* private: from bytes to id of the model */
    uint32_t slot_mask;
    /* Private, see tokenizer/keep.h: what was kept of an earlier load, in which
     * the slots lie; or the document without its model, to be kept. */
    struct oy_cache_entry kept;
    struct oy_buffer rest;
    /* Private: from content to number in `added` + 1; 0 is free. */
    uint32_t *added_slot;
    uint32_t added_mask;
};

/* The document is read and can be released. NULL after a failure: 65, damaged
 * or not supported, naming the file and the place in it. */
struct vocab *vocab_new(const struct tokenizer_document *document,
                        struct oy_error *err);
/* Of what PATH means, see tokenizer/tokenizer_document.h. NULL after a
 * failure: 66 missing, 65 damaged or not supported. */
struct vocab *vocab_load(const char *path, struct oy_error *err);
void vocab_free(struct vocab *vocab);

/* The id of the model's token that stands for these bytes, or -1. */
int32_t vocab_find(const struct vocab *vocab, const char *bytes, size_t len);
/* The added token of this id, or NULL. */
const struct vocab_added *vocab_find_added(const struct vocab *vocab,
                                           int32_t id);
/* The id of a token as the file spells it (added tokens first), or -1. */
int32_t vocab_find_content(const struct vocab *vocab, const char *content,
                           size_t len);

#endif
