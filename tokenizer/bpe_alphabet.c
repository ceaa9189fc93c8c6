/* SPDX-License-Identifier: Apache-2.0
 *
 * The symbols that words are made of before any merge.
 */
#include "tokenizer/bpe_alphabet.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "tokenizer/byte_alphabet.h"

enum { N_CODE_POINT = 0x110000 };

static void spell_bytes(uint32_t letter[256])
{
    struct byte_alphabet alphabet;

    byte_alphabet_init(&alphabet);
    for (uint32_t c = 0; c <= BYTE_ALPHABET_LAST; c++) {
        if (alphabet.byte_of[c] >= 0)
            letter[alphabet.byte_of[c]] = c;
    }
}

void bpe_alphabet_init(struct bpe_alphabet *alphabet, int by_character)
{
    alphabet->by_character = by_character;
    spell_bytes(alphabet->letter);
    alphabet->n_letter = by_character ? N_CODE_POINT : BYTE_ALPHABET_LAST + 1;
    alphabet->count = oy_calloc(alphabet->n_letter, sizeof *alphabet->count);
    alphabet->id = oy_calloc(alphabet->n_letter, sizeof *alphabet->id);
}

void bpe_alphabet_release(struct bpe_alphabet *alphabet)
{
    oy_free(alphabet->count);
    oy_free(alphabet->id);
    alphabet->count = NULL;
    alphabet->id = NULL;
}

size_t bpe_alphabet_count(struct bpe_alphabet *alphabet,
                          const struct word_entry *word)
{
    size_t n = 0;

    for (size_t i = 0; i < word->len; n++)
        alphabet->count[bpe_next_letter(alphabet, word->at, &i)] += word->count;
    return n;
}

void bpe_alphabet_add_bytes(struct bpe_alphabet *alphabet)
{
    for (int b = 0; b < 256; b++)
        alphabet->count[alphabet->letter[b]] = UINT64_MAX;
}

struct letter {
    uint64_t count;
    uint32_t c;
};

/* Commonest first, then by code point. */
static int compare_letters(const void *left, const void *right)
{
    const struct letter *const a = left, *const b = right;

    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return a->c < b->c ? -1 : a->c > b->c;
}

int bpe_alphabet_limit(struct bpe_alphabet *alphabet, size_t limit)
{
    struct letter *letter = NULL;
    size_t n = 0, cap = 0;
    int cuts_tie = 0;

    for (uint32_t c = 0; c < alphabet->n_letter; c++) {
        if (!alphabet->count[c])
            continue;
        OY_GROW(letter, cap, n + 1);
        letter[n++] = (struct letter){alphabet->count[c], c};
    }
    if (n > limit) {
        qsort(letter, n, sizeof *letter, compare_letters);
        for (size_t i = limit; i < n; i++)
            alphabet->count[letter[i].c] = 0;
        cuts_tie = limit > 0 && letter[limit - 1].count == letter[limit].count;
    }
    oy_free(letter);
    return cuts_tie;
}
