/* SPDX-License-Identifier: Apache-2.0
 *
 * The symbols that words are made of before any merge: the letters of the
 * byte alphabet, or the characters themselves.
 */
#ifndef TOKENIZER_BPE_ALPHABET_H
#define TOKENIZER_BPE_ALPHABET_H

#include <stddef.h>
#include <stdint.h>

#include "core/utf8.h"
#include "tokenizer/word_count.h"

/* Zero-initialised may be released. */
struct bpe_alphabet {
    uint32_t n_letter;    /* code points that letters are below */
    int by_character;     /* words are UTF-8 and symbols their code points;
                             0: bytes, which are spelled as GPT-2's letters */
    uint32_t letter[256]; /* code point of a byte's letter */
    uint64_t *count;      /* [code point] */
    uint32_t *id;         /* [code point] token + 1; 0: it has none */
};

void bpe_alphabet_init(struct bpe_alphabet *alphabet, int by_character);
void bpe_alphabet_release(struct bpe_alphabet *alphabet);

/* The code point of the symbol that begins at word[*at], which is stepped
 * over. */
static inline uint32_t bpe_next_letter(const struct bpe_alphabet *alphabet,
                                       const char *word, size_t *at)
{
    if (alphabet->by_character)
        return oy_utf8_next(word, at);
    return alphabet->letter[(unsigned char)word[(*at)++]];
}

/* Counts a word's letters; returns how many it has. */
size_t bpe_alphabet_count(struct bpe_alphabet *alphabet,
                          const struct word_entry *word);
/* Puts the letters of all 256 bytes in, commoner than any other. */
void bpe_alphabet_add_bytes(struct bpe_alphabet *alphabet);
/* Forgets all letters but the `limit` commonest; of equally common ones the
 * lower code points stay. Returns 1 when the cut fell between such. */
int bpe_alphabet_limit(struct bpe_alphabet *alphabet, size_t limit);

#endif
