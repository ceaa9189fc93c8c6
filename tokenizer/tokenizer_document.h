/* SPDX-License-Identifier: Apache-2.0
 *
 * A tokenizer as one document: whatever form it is kept in, the text of a
 * tokenizer.json and what stands in the configuration beside it.
 *
 * tokenizer.json is the form that everything else reads and writes (vocab.h,
 * checkpoints); the readers of other forms make that document, as the
 * converters of Hugging Face's transformers do. The form is told by the
 * content, never by the name:
 *
 * - tokenizer.json.
 * - vocab.json, whose merges.txt lies beside it (or encoder.json and
 *   vocab.bpe); a merges.txt whose vocab.json does. tokenizer_class of
 *   tokenizer_config.json, else model_type of config.json, decides how texts
 *   are cut (GPT2Tokenizer where neither says it), added_tokens_decoder, else
 *   added_tokens.json, which tokens are added.
 * - vocab.txt of BERT, with do_lower_case, strip_accents and
 *   tokenize_chinese_chars of tokenizer_config.json.
 * - A rank file of tiktoken, in lines or as js-tiktoken's JSON. The published
 *   files are known by their number of ranks and the rank of " the"
 *   (r50k_base, p50k_base, cl100k_base, o200k_base, Llama 3, Qwen,
 *   GPT-NeoX) and get their special tokens; others are cut as cl100k_base is
 *   and have those of tokenizer_config.json only. JSON says both itself.
 * - A SentencePiece model, of BPE (LlamaTokenizer, GemmaTokenizer) or Unigram
 *   (T5Tokenizer, XLMRobertaTokenizer, AlbertTokenizer); without a
 *   tokenizer_class as SentencePiece itself does it.
 * - tokenizer.bin of llama2.c.
 * - The tokenizer inside a GGUF: tokenizer.ggml.model gpt2, llama, t5 or bert.
 *
 * All of them plain or compressed. A class, a pre-tokenizer or a type of model
 * that is not known is a failure that names it.
 */
#ifndef TOKENIZER_TOKENIZER_DOCUMENT_H
#define TOKENIZER_TOKENIZER_DOCUMENT_H

#include "core/alloc.h"
#include "core/error.h"

/* Zero-initialised is empty. Strings are the document's. */
struct tokenizer_document {
    char *path;            /* the file that was read */
    char *folder;          /* whose configuration was read; NULL: none */
    struct oy_buffer json; /* the text of a tokenizer.json, uncompressed */
    int is_converted;      /* the file is of another form */
    /* From the configuration, else from the file; NULL where neither says it. */
    char *bos_token, *eos_token, *chat_template;
};

/* PATH is a file of any of these forms; a folder that holds one; or, where
 * there is nothing of that name, the name of a model (`org/name`) in the
 * Hugging Face cache ($HF_HUB_CACHE, $HF_HOME/hub,
 * $XDG_CACHE_HOME/huggingface/hub, ~/.cache/huggingface/hub): the snapshot
 * that refs/main names. Nothing is ever fetched.
 *
 * In a folder is looked for, in this order: tokenizer.json; vocab.json with
 * merges.txt; encoder.json with vocab.bpe; tokenizer.model; spiece.model;
 * sentencepiece.bpe.model; sentencepiece.model; tiktoken.model; qwen.tiktoken;
 * vocab.txt; tokenizer.bin; then the only file that ends with .model,
 * .tiktoken or .gguf. Files of these names bring the tokenizer_config.json,
 * special_tokens_map.json, added_tokens.json, config.json and
 * chat_template.jinja beside them along, a GGUF has its own.
 *
 * 0, or -1: 66 missing, 65 damaged or not supported, naming the file and the
 * place in it. The document is to be released in any case. */
int tokenizer_document_read(const char *path,
                            struct tokenizer_document *document,
                            struct oy_error *err);
void tokenizer_document_release(struct tokenizer_document *document);

/* Whether there is something in a folder that could be read. */
int tokenizer_document_is_in(const char *folder);

#endif
