/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading tokenizer.json: a BPE model. */
#include "tokenizer/vocab_internal.h"

/* Whether a text of bytes has tokens for all of it, whatever it is. */
static int knows_all(const struct vocab *vocab)
{
    int n = 0;

    for (int byte = 0; byte < 256; byte++) {
        const char c = (char)byte;
        n += vocab_find(vocab, &c, 1) >= 0;
    }
    return vocab->is_byte_level && n == 256;
}

static int read_options(struct vocab_loader *loader,
                        const struct oy_json_value *parts)
{
    struct vocab *vocab = loader->vocab;
    double share = 0;

    if (vocab_read_affix(loader, parts, VOCAB_PREFIX, &vocab->prefix) ||
        vocab_read_affix(loader, parts, VOCAB_SUFFIX, &vocab->suffix) ||
        vocab_read_flag(loader, parts, VOCAB_BYTE_FALLBACK,
                        &vocab->byte_fallback) ||
        vocab_read_flag(loader, parts, VOCAB_FUSE_UNK, &vocab->fuse_unk) ||
        vocab_read_flag(loader, parts, VOCAB_IGNORE_MERGES,
                        &vocab->ignore_merges))
        return -1;
    if (vocab_is_absent(&parts[VOCAB_DROPOUT]))
        return 0;
    if (oy_json_double(&parts[VOCAB_DROPOUT], &share))
        return vocab_fail_part(loader, VOCAB_DROPOUT, "not a number");
    return share == 0 ? 0
                      : vocab_fail_part(loader, VOCAB_DROPOUT,
                                        "is not supported: ids would be left "
                                        "to chance");
}

/* Tokens are kept as bytes when that loses nothing: no prefix or suffix is
 * spelled beside the bytes, and no character of the visible alphabet is taken
 * apart by byte_fallback. */
static int read_tokens(struct vocab_loader *loader,
                       const struct oy_json_value *parts)
{
    const struct oy_json_value *map = &parts[VOCAB_TOKENS];
    struct vocab *vocab = loader->vocab;
    const int has_affix = vocab->prefix.len || vocab->suffix.len;

    if (has_affix && vocab->byte_fallback)
        return vocab_fail_part(loader, VOCAB_BYTE_FALLBACK,
                               "is not supported with a prefix or a suffix");
    if (vocab->is_byte_level && !has_affix) {
        if (vocab_read_tokens(loader, map))
            return -1;
        if (!vocab->byte_fallback || knows_all(vocab))
            return 0;
        vocab_forget_tokens(loader);
    }
    vocab->spells_bytes = vocab->is_byte_level;
    vocab->is_byte_level = 0;
    return vocab_read_tokens(loader, map);
}

/* What becomes of unknown characters. The tokens must be known already. */
static int read_unknown(struct vocab_loader *loader,
                        const struct oy_json_value *parts)
{
    const struct oy_json_value *unk = &parts[VOCAB_UNK_TOKEN];
    struct vocab *vocab = loader->vocab;

    if (knows_all(vocab)) {
        vocab->fuse_unk = vocab->byte_fallback = 0;
        return 0;
    }
    if (vocab_is_absent(unk) || oy_json_equals(unk, ""))
        return 0;
    return vocab_read_unk_token(loader, parts);
}

int vocab_read_bpe(struct vocab_loader *loader,
                   const struct oy_json_value *parts)
{
    return read_options(loader, parts) || read_tokens(loader, parts) ||
                   read_unknown(loader, parts) ||
                   vocab_read_merges(loader, &parts[VOCAB_MERGES])
               ? -1
               : 0;
}
