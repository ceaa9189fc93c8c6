/* SPDX-License-Identifier: Apache-2.0
 *
 * Greedy matching of longest tokens in a trie. */
#include "tokenizer/wordpiece.h"

#include "core/alloc.h"
#include "core/utf8.h"
#include "tokenizer/token_trie.h"

struct wordpiece {
    const struct vocab *vocab;
    struct token_trie trie;
    uint32_t behind; /* the node where tokens with the prefix go on */
    int has_behind;  /* there are such tokens */
};

struct wordpiece *wordpiece_new(const struct vocab *vocab)
{
    struct wordpiece *wordpiece = oy_calloc(1, sizeof *wordpiece);
    const struct oy_text prefix = vocab->prefix;

    wordpiece->vocab = vocab;
    token_trie_init(&wordpiece->trie, vocab);
    wordpiece->behind = TOKEN_TRIE_ROOT;
    wordpiece->has_behind = 1;
    for (size_t i = 0; i < prefix.len && wordpiece->has_behind; i++)
        wordpiece->has_behind = token_trie_step(
            &wordpiece->trie, &wordpiece->behind, (unsigned char)prefix.at[i]);
    return wordpiece;
}

void wordpiece_free(struct wordpiece *wordpiece)
{
    if (!wordpiece)
        return;
    token_trie_release(&wordpiece->trie);
    oy_free(wordpiece);
}

/* The longest token on the way from a node; *len becomes how far it goes, and
 * is how much text there is before. -1: there is none. */
static int32_t find_longest(const struct token_trie *trie, uint32_t node,
                            const char *text, size_t *len)
{
    const size_t n = *len;
    int32_t longest = -1;

    for (size_t i = 0; i < n; i++) {
        if (!token_trie_step(trie, &node, (unsigned char)text[i]))
            break;
        const int32_t id = token_trie_id(trie, node);
        if (id >= 0) {
            longest = id;
            *len = i + 1;
        }
    }
    return longest;
}

/* 0, or -1 when the piece does not come out even. */
static int match_all(const struct wordpiece *wordpiece, const char *piece,
                     size_t len, struct token_ids *ids)
{
    uint32_t node = TOKEN_TRIE_ROOT;

    for (size_t at = 0; at < len;) {
        size_t n = len - at;
        const int32_t id = find_longest(&wordpiece->trie, node, piece + at, &n);
        if (id < 0 || (at + n < len && !wordpiece->has_behind))
            return -1;
        token_ids_append(ids, &id, 1);
        at += n;
        node = wordpiece->behind;
    }
    return 0;
}

void wordpiece_encode(const struct wordpiece *wordpiece, const char *piece,
                      size_t len, struct token_ids *ids)
{
    const struct vocab *vocab = wordpiece->vocab;
    const size_t max = (size_t)vocab->max_characters;
    const int is_long = len > max && oy_utf8_count(piece, len) > max;
    const size_t before = ids->n;

    if (!is_long && !match_all(wordpiece, piece, len, ids))
        return;
    ids->n = before;
    token_ids_append(ids, &vocab->unk_id, 1);
}
