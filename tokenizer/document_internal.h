/* SPDX-License-Identifier: Apache-2.0
 *
 * What the readers of tokenizers share: a draft that becomes the text of a
 * tokenizer.json, and the configuration that lies beside a vocabulary.
 *
 * Each reader fills a draft from the bytes of one form; draft_write() makes
 * the document of it. Texts in a draft are borrowed: from the bytes that are
 * read, or from the draft's arena. Readers return 0, or -1 after a failure
 * (65) that names the place in the file; the file itself is named by their
 * caller.
 */
#ifndef TOKENIZER_DOCUMENT_INTERNAL_H
#define TOKENIZER_DOCUMENT_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/gguf.h"
#include "core/json.h"

/* ---- the draft ---- */

enum draft_model {
    DRAFT_BPE,
    DRAFT_WORDPIECE,
    DRAFT_UNIGRAM,
};

struct draft_slot {
    uint32_t tag;   /* upper half of the hash */
    uint32_t place; /* from 1 on; 0: free */
};

/* From texts to places in an array whose elements begin with their text. */
struct draft_map {
    struct draft_slot *slot;
    size_t n_slot;
};

struct draft_token {
    struct oy_text text; /* as tokenizer.json spells it, valid UTF-8 */
    int32_t id;
    float score;
};

struct draft_added {
    struct oy_text content;
    int32_t id;
    int single_word, lstrip, rstrip, normalized, special;
};

struct draft_merge {
    struct oy_text left, right;
};

/* Zero-initialised is an empty BPE model. */
struct draft {
    struct oy_arena arena;
    enum draft_model model;
    struct draft_token *token;
    size_t n_token, cap_token;
    struct draft_merge *merge;
    size_t n_merge, cap_merge;
    struct draft_added *added;
    size_t n_added, cap_added;
    struct draft_map token_map, added_map; /* private */
    struct oy_text unk; /* of BPE and WordPiece; at NULL: none */
    int32_t unk_id;     /* of Unigram; -1: none */
    int fuse_unk, byte_fallback, ignore_merges;
    /* The components as JSON; empty: null. */
    struct oy_buffer normalizer, pre_tokenizer, post_processor, decoder;
    /* What a configuration would say, in the arena; NULL: nothing. */
    char *bos_token, *eos_token, *chat_template;
};

void draft_release(struct draft *draft);

/* A copy in the arena; NULL for NULL. */
char *draft_keep(struct draft *draft, const char *text);
/* printf into the arena. */
struct oy_text draft_format(struct draft *draft, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Adds a token; twice the same text, or an id out of range, is a failure. */
int draft_add_token(struct draft *draft, struct oy_text text, int64_t id,
                    float score, struct oy_error *err);
/* The token of this text, or NULL. Borrowed until the next one is added. */
const struct draft_token *draft_find(const struct draft *draft,
                                     const char *text, size_t len);
/* The added token of this text: a new one that is cut out of the raw text, or
 * the one that is there already, unchanged. Borrowed until the next one. */
struct draft_added *draft_add_added(struct draft *draft, struct oy_text content,
                                    int32_t id, int is_special);
/* The added token of this text, or NULL. */
struct draft_added *draft_find_added(const struct draft *draft,
                                     struct oy_text content);

/* The order of merges that were not written down. Both take all ways to make a
 * token out of two others, as generate_merges() and TikTokenConverter of
 * transformers' convert_slow_tokenizer.py do. */
enum draft_order {
    DRAFT_BY_ID,    /* lowest id first, then by the ids of the parts */
    DRAFT_BY_SCORE, /* highest score first, then longest left part */
};
/* 0, or -1 when a token is too long for it. */
int draft_make_merges(struct draft *draft, enum draft_order order,
                      struct oy_error *err);

/* Appends the document, in the form of tokenizers' Tokenizer.to_str(). Ends
 * the draft: nothing can be added or found behind it. 0, or -1 when two tokens
 * have one id or one token has two. */
int draft_write(struct draft *draft, struct oy_buffer *json,
                struct oy_error *err);

/* ---- components ---- */

/* Appends ByteLevel as a pre_tokenizer, decoder or post_processor. */
void draft_put_byte_level(struct oy_buffer *out, int add_prefix_space,
                          int trim_offsets, int use_regex);
/* Appends a Split into pieces that are all kept. */
void draft_put_split(struct oy_buffer *out, const char *regex);
/* The Sequence of Splits by `regex` (n of them) and a ByteLevel; with
 * use_regex the latter cuts as GPT-2 does. */
void draft_put_splits(struct oy_buffer *out, const char *const *regex, size_t n,
                      int use_regex);
/* Makes the post_processor a TemplateProcessing of two patterns as tokenizers'
 * Python takes them: "[CLS] $A [SEP]", and "$A $B:1" for pairs. The names must
 * be tokens of the draft, or added ones. 0, or -1. */
int draft_put_template(struct draft *draft, const char *single,
                       const char *pair, struct oy_error *err);
/* The same of a text between two tokens, as BERT frames pairs or as RoBERTa. */
int draft_put_cls_sep(struct draft *draft, const char *cls, const char *sep,
                      int is_roberta, struct oy_error *err);
/* The same of two tokens that stand around each text; NULL: none does. */
int draft_frame(struct draft *draft, const char *before, const char *behind,
                struct oy_error *err);

/* BERT's normalizer, pre_tokenizer and decoder; strip_accents -1: as
 * lowercase. */
void draft_put_bert(struct draft *draft, int lowercase, int strip_accents,
                    int chinese);

/* ---- the configuration beside a vocabulary ---- */

/* tokenizer_config.json, special_tokens_map.json, added_tokens.json and
 * config.json of a folder; of files that are not there nothing is known.
 * Zero-initialised is empty. */
struct document_config {
    struct oy_arena arena; /* of the texts that are asked for */
    char *data[4];
    struct oy_json_value root[4];
};

int document_config_read(struct document_config *config, const char *folder,
                         struct oy_error *err);
void document_config_release(struct document_config *config);

/* A text of tokenizer_config.json, else of special_tokens_map.json: of a
 * string, or of the content of an object. `otherwise` when there is none. In
 * the arena. */
const char *document_config_text(struct document_config *config,
                                 const char *name, const char *otherwise);
int document_config_bool(const struct document_config *config, const char *name,
                         int otherwise);
int64_t document_config_int(const struct document_config *config,
                            const char *name, int64_t otherwise);
/* The class of the tokenizer without "Fast" at its end: of
 * tokenizer_config.json, else by the model's type of config.json, else NULL.
 * In the arena. */
const char *document_config_class(struct document_config *config);
/* Adds added_tokens_decoder, or added_tokens.json where there is none. */
int document_config_added(struct document_config *config, struct draft *draft,
                          struct oy_error *err);
/* Adds a token of this role (bos_token ...), which is `otherwise` where the
 * configuration does not name it (NULL: none), as a special one if the
 * vocabulary has it; one that is added already becomes special. */
void document_config_role(struct document_config *config, struct draft *draft,
                          const char *role, const char *otherwise);

/* Fills bos_token, eos_token and chat_template, the latter from
 * chat_template.jinja of the folder if the configuration has none. */
struct tokenizer_document;
int document_config_fill(struct document_config *config, const char *folder,
                         struct tokenizer_document *document,
                         struct oy_error *err);

/* ---- the readers ---- */

struct document_source {
    const char *data; /* OY_PADDING bytes behind are readable */
    size_t len;
    const char *path;
    struct document_config *config; /* of the folder it lies in */
    /* The other one of vocab.json and merges.txt; empty for other forms. */
    struct oy_text other;
};

/* A vocab.json as an object of ids, and the text of its merges.txt. */
int document_read_vocab_merges(const struct document_source *source,
                               const char *merges, size_t merges_len,
                               struct draft *draft, struct oy_error *err);
/* BERT's vocab.txt. */
int document_read_wordpiece(const struct document_source *source,
                            struct draft *draft, struct oy_error *err);
/* A tiktoken rank file, in lines or as JSON. */
int document_read_tiktoken(const struct document_source *source,
                           struct draft *draft, struct oy_error *err);
int document_read_tiktoken_json(const struct document_source *source,
                                struct draft *draft, struct oy_error *err);
/* A SentencePiece model. */
int document_read_sentencepiece(const struct document_source *source,
                                struct draft *draft, struct oy_error *err);
/* llama2.c's tokenizer.bin. */
int document_read_llama2c(const struct document_source *source,
                          struct draft *draft, struct oy_error *err);
/* The keys of a GGUF. */
int document_read_gguf(const struct oy_gguf *gguf, struct draft *draft,
                       struct oy_error *err);

/* Whether a file that begins so is in the form. */
int document_is_tiktoken(const char *data, size_t len);
int document_is_sentencepiece(const char *data, size_t len);
int document_is_llama2c(const char *data, size_t len);

/* ---- pieces: what SentencePiece models, llama2.c and GGUF share ---- */

/* Types of pieces, numbered as in sentencepiece_model.proto and llama.h. */
enum document_piece {
    PIECE_NORMAL = 1,
    PIECE_UNKNOWN = 2,
    PIECE_CONTROL = 3,
    PIECE_USER_DEFINED = 4,
    PIECE_UNUSED = 5,
    PIECE_BYTE = 6,
};

/* What is known of a vocabulary of pieces beside the tokens of the draft. */
struct document_pieces {
    uint8_t *type; /* [n_token] enum document_piece */
    int32_t unk_id;
    int32_t bos_id, eos_id; /* -1: none */
    int add_bos, add_eos;   /* what the post-processor adds */
    int is_unigram;
    int byte_fallback;
    int add_dummy_prefix;
    int remove_extra_whitespaces;
    struct oy_text charsmap; /* precompiled; empty: identity */
};

/* Whether the piece is spelled as a byte is: "<0x0A>". */
int document_is_byte_piece(struct oy_text text);
/* Fills the draft, whose tokens are there with ids 0, 1, ..., as the class of
 * the configuration (NULL: none) wants it. */
int document_from_pieces(const struct document_pieces *pieces,
                         struct document_config *config, struct draft *draft,
                         struct oy_error *err);

/* ---- where PATH leads ---- */

/* The file that PATH means, and the folder whose configuration belongs to it
 * (NULL: none). Both are yours. 0, or -1: 66 when there is no such thing. */
int document_find_file(const char *path, char **file, char **folder,
                       struct oy_error *err);
/* The one of a folder, in the order of tokenizer_document.h. Yours. */
int document_find_in_folder(const char *folder, char **file,
                            struct oy_error *err);
/* FOLDER/NAME, plain or with the suffix of a compressor, or NULL. Yours. */
char *document_find_beside(const char *folder, const char *name);
/* The folder that a path's file lies in. Yours. */
char *document_folder_of(const char *path);

#endif
