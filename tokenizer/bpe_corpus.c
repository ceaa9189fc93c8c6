/* SPDX-License-Identifier: Apache-2.0
 *
 * The words of a corpus as runs of symbols.
 */
#include "tokenizer/bpe_corpus.h"

#include <string.h>

#include "core/alloc.h"

/* Units behind the last word: a scan reads two symbols at a time. */
enum { SLACK = 4 };

#define WIDE_PAD   (UINT32_MAX - 1)
#define NARROW_PAD UINT32_C(0xfffefffe)

/* Units of `len` symbols with their end mark. */
static uint64_t n_symbol_units(uint64_t len, int is_wide)
{
    return is_wide ? len + 1 : (len + 2) / 2;
}

uint64_t bpe_corpus_size(uint64_t n_word, uint64_t n_symbol, int is_wide)
{
    /* A narrow word of n symbols takes (n + 2) / 2 units at the most. */
    const uint64_t n_unit =
        is_wide ? n_symbol + n_word * 2 : n_symbol / 2 + n_word * 2;

    return (n_unit + SLACK) * sizeof(uint32_t);
}

int bpe_corpus_init(struct bpe_corpus *corpus, uint64_t n_word,
                    uint64_t n_symbol, int is_wide, struct oy_error *err)
{
    const uint64_t size = bpe_corpus_size(n_word, n_symbol, is_wide);

    *corpus = (struct bpe_corpus){.is_wide = is_wide};
    if (size / sizeof *corpus->unit > UINT32_MAX)
        return oy_fail(err, OY_SYSTEM,
                       "%llu distinct words of %llu symbols are more than can "
                       "be trained on at once (16 GiB)",
                       (unsigned long long)n_word,
                       (unsigned long long)n_symbol);
    corpus->unit_cap = (size_t)(size / sizeof *corpus->unit);
    corpus->unit = oy_try_alloc(corpus->unit_cap, sizeof *corpus->unit);
    if (!corpus->unit)
        return oy_fail(err, OY_SYSTEM,
                       "no memory for %llu distinct words: %llu bytes",
                       (unsigned long long)n_word, (unsigned long long)size);
    return 0;
}

void bpe_corpus_release(struct bpe_corpus *corpus)
{
    oy_free(corpus->unit);
    *corpus = (struct bpe_corpus){0};
}

static uint32_t *put_count(uint32_t *unit, uint64_t count)
{
    if (count < BPE_SHORT_COUNTS) {
        *unit = (uint32_t)count;
        return unit + 1;
    }
    unit[0] = BPE_LONG_COUNT;
    unit[1] = (uint32_t)count;
    unit[2] = (uint32_t)(count >> 32);
    return unit + 3;
}

void bpe_corpus_add(struct bpe_corpus *corpus, const uint32_t *symbol,
                    size_t len, uint64_t count)
{
    const size_t n_unit = (size_t)n_symbol_units(len, corpus->is_wide);

    /* Long counts were not announced, but are too few to be. */
    OY_GROW(corpus->unit, corpus->unit_cap,
            corpus->n_unit + 3 + n_unit + SLACK);
    OY_ASSERT(corpus->unit_cap <= UINT32_MAX + (size_t)SLACK);
    uint32_t *const to = put_count(corpus->unit + corpus->n_unit, count);

    to[n_unit - 1] = corpus->is_wide ? BPE_WIDE_END : UINT32_MAX;
    for (size_t i = 0; i < len; i++)
        bpe_symbol_set(to, i, symbol[i], corpus->is_wide);
    corpus->n_unit = (size_t)(to - corpus->unit) + n_unit;
    corpus->n_word++;
}

static size_t pass_padding(const struct bpe_corpus *corpus, size_t at)
{
    const uint32_t pad = corpus->is_wide ? WIDE_PAD : NARROW_PAD;

    while (at < corpus->n_unit && corpus->unit[at] == pad)
        at++;
    return at < corpus->n_unit ? at : SIZE_MAX;
}

size_t bpe_corpus_first(const struct bpe_corpus *corpus)
{
    return pass_padding(corpus, 0);
}

static size_t n_symbols(const void *symbols, int is_wide)
{
    size_t n = 0;

    while (bpe_symbol(symbols, n, is_wide) != bpe_end_mark(is_wide))
        n++;
    return n;
}

size_t bpe_corpus_next(const struct bpe_corpus *corpus, size_t word)
{
    int64_t count;
    const uint32_t *const symbols = bpe_corpus_word(corpus, word, &count);
    const size_t len = n_symbols(symbols, corpus->is_wide);

    return pass_padding(corpus,
                        (size_t)(symbols - corpus->unit) +
                            (size_t)n_symbol_units(len, corpus->is_wide));
}

void bpe_corpus_compact(struct bpe_corpus *corpus)
{
    size_t to = 0, next;

    corpus->middle = SIZE_MAX;
    for (size_t at = bpe_corpus_first(corpus); at != SIZE_MAX; at = next) {
        int64_t count;
        const uint32_t *const symbols = bpe_corpus_word(corpus, at, &count);
        const size_t len = n_symbols(symbols, corpus->is_wide);
        const size_t end = (size_t)(symbols - corpus->unit) +
                           (size_t)n_symbol_units(len, corpus->is_wide);

        next = pass_padding(corpus, end);
        if (len < 2) {
            corpus->n_word--;
            continue;
        }
        if (corpus->middle == SIZE_MAX && at >= corpus->n_unit / 2)
            corpus->middle = to;
        memmove(corpus->unit + to, corpus->unit + at,
                (end - at) * sizeof *corpus->unit);
        to += end - at;
    }
    corpus->n_unit = to;
    if (corpus->middle == SIZE_MAX)
        corpus->middle = to;
}
