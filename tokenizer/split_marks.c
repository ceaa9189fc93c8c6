/* SPDX-License-Identifier: Apache-2.0
 *
 * Where pieces begin, as bit algebra over the masks of classes.
 *
 * Bit i of a word stands for byte i of a block; words follow each other, so
 * that a shift by one asks for the byte before or behind. A sum of a mask and
 * the first bits of some of its runs carries through these runs to the bytes
 * behind them. The expressions decide by runs of classes: where a run of
 * letters, numbers, symbols or white space begins, and whether the character
 * before goes with it. */
#include <string.h>

#include "core/cpu.h"
#include "core/unicode.h"
#include "core/utf8.h"
#include "tokenizer/split_internal.h"

#define INLINE static inline __attribute__((always_inline))

/* The last words of the block before, and the carries of the sums. */
struct state {
    uint64_t letter, number, other, other_left, white, inline_white, newline;
    uint64_t blank, lower, both, cjk, lone, group;
    uint64_t absorb_carry, indent_carry, behind_carry, word_carry;
};

/* A window on its way. */
struct window {
    enum split_kind kind;
    const char *text; /* of the window */
    size_t len;       /* to the end of the text; may be more than a window */
    size_t n;         /* bytes of the window */
    size_t n_block;
    uint64_t *mark;
    struct split_masks masks[SPLIT_N_BLOCK + 1];
    uint64_t quote[SPLIT_N_BLOCK];  /* where contractions may begin */
    uint64_t indent[SPLIT_N_BLOCK]; /* behind line ends: may be taken back */
    uint64_t hard[SPLIT_N_BLOCK];
};

/* ---- words and bits ---- */

/* Bit i is that of byte i - 1; `last` is the word before. */
INLINE uint64_t before(uint64_t word, uint64_t last)
{
    return word << 1 | last >> 63;
}

INLINE uint64_t behind(uint64_t word, uint64_t next)
{
    return word >> 1 | next << 63;
}

INLINE uint64_t add(uint64_t a, uint64_t b, uint64_t *carry)
{
    uint64_t sum;
    const int first = __builtin_add_overflow(a, b, &sum);
    const int second = __builtin_add_overflow(sum, *carry, &sum);

    *carry = (uint64_t)(first | second);
    return sum;
}

static int get_bit(const uint64_t *word, size_t at)
{
    return word[at / 64] >> at % 64 & 1;
}

static void set_bit(uint64_t *word, size_t at)
{
    word[at / 64] |= 1ULL << at % 64;
}

static void clear_bit(uint64_t *word, size_t at)
{
    word[at / 64] &= ~(1ULL << at % 64);
}

static int has_class(const struct window *window, size_t at, int k)
{
    return window->masks[at / 64].class[k] >> at % 64 & 1;
}

/* The highest bit below `end`, which is there. */
static size_t bit_before(const uint64_t *word, size_t end)
{
    size_t i = end / 64;
    uint64_t bits = end % 64 ? word[i] & ((1ULL << end % 64) - 1) : 0;

    while (!bits)
        bits = word[--i];
    return 64 * i + 63 - (size_t)__builtin_clzll(bits);
}

/* No bit from `begin` on. */
static void clear_from(uint64_t *word, size_t begin, size_t n_word)
{
    size_t i = begin / 64;

    if (begin % 64)
        word[i++] &= (1ULL << begin % 64) - 1;
    for (; i < n_word; i++)
        word[i] = 0;
}

/* ---- classes and masks of a window ---- */

static void find_classes(const struct window *window, uint8_t *class,
                         uint64_t *rest)
{
#ifdef __x86_64__
    const struct split_classes *classes = split_classes_of(window->kind);

    if (split_has_avx512())
        split_classify_avx512(classes, window->text, window->n_block, class,
                              rest);
    else
        split_classify_avx2(classes, window->text, window->n_block, class,
                            rest);
#endif
}

static void find_masks(struct window *window, const uint8_t *class)
{
#ifdef __x86_64__
    if (split_has_avx512())
        split_masks_avx512(window->text, class, window->n_block, window->masks);
    else
        split_masks_avx2(window->text, class, window->n_block, window->masks);
#endif
}

/* The class of the character at `begin`, on all its bytes. */
static void paint(const struct window *window, size_t begin, uint8_t *class)
{
    size_t end = begin;
    const uint32_t character = oy_utf8_next(window->text, &end);
    const uint16_t pair =
        (uint16_t)(split_class_of(window->kind, character) * 0x0101);

    /* Two pairs cover a character of 2 to 4 bytes. */
    memcpy(class + begin, &pair, 2);
    memcpy(class + end - 2, &pair, 2);
}

static void classify(struct window *window)
{
    uint8_t class[SPLIT_WINDOW + SPLIT_BLOCK];
    uint64_t rest[SPLIT_N_BLOCK];

    find_classes(window, class, rest);
    for (size_t i = 0; i < window->n_block; i++) {
        for (uint64_t bits = rest[i]; bits; bits &= bits - 1) {
            const size_t begin = 64 * i + (size_t)__builtin_ctzll(bits);
            if (begin < window->n)
                paint(window, begin, class);
        }
    }
    find_masks(window, class);
}

/* Nothing stands behind the end of the window. */
static void clear_tail(struct window *window)
{
    struct split_masks *masks = &window->masks[window->n_block - 1];

    memset(masks + 1, 0, sizeof *masks);
    if (window->n % 64 == 0)
        return;
    const uint64_t valid = (1ULL << window->n % 64) - 1;
    for (int k = 0; k < SPLIT_N_CLASS; k++)
        masks->class[k] &= valid;
    masks->quote &= valid;
    masks->slash &= valid;
}

/* ---- one block ---- */

/* The masks of a block by name, and which of its bytes are text. */
struct block {
    uint64_t letter, number, white, newline, blank, upper, cjk, both, hard;
    uint64_t other, more, foreign, quote, slash, valid;
    uint64_t next_white, next_valid, next_part_end;
};

INLINE uint64_t part_end(enum split_kind kind, const struct split_masks *masks)
{
    if (kind == SPLIT_SMOLLM)
        return masks->class[SPLIT_AT_NUMBER];
    return kind == SPLIT_DEEPSEEK3
               ? masks->class[SPLIT_AT_NUMBER] | masks->class[SPLIT_AT_CJK]
               : 0;
}

INLINE void read_block(enum split_kind kind, const struct window *window,
                       size_t i, struct block *b)
{
    const struct split_masks *m = &window->masks[i];
    const size_t left = window->n - 64 * i;

    b->letter = m->class[SPLIT_AT_LETTER];
    b->number = m->class[SPLIT_AT_NUMBER];
    b->white = m->class[SPLIT_AT_WHITE];
    b->newline = m->class[SPLIT_AT_NEWLINE];
    b->blank = m->class[SPLIT_AT_BLANK];
    b->upper = b->cjk = m->class[SPLIT_AT_UPPER];
    b->both = m->class[SPLIT_AT_BOTH];
    b->hard = m->class[SPLIT_AT_HARD];
    b->more = m->more;
    b->foreign = m->foreign;
    b->quote = m->quote;
    b->slash = m->slash;
    b->valid = left >= 64 ? ~0ULL : (1ULL << left) - 1;
    b->other = b->valid & ~(b->letter | b->number | b->white);
    if (kind == SPLIT_DEEPSEEK3)
        b->other &= ~b->cjk;
    b->next_white = m[1].class[SPLIT_AT_WHITE];
    b->next_valid = left > 64;
    b->next_part_end = part_end(kind, &m[1]);
}

/* The last bytes of white runs, which stand apart or go with what follows:
 * nothing at the end of a part. */
INLINE uint64_t last_white(enum split_kind kind, const struct block *b,
                           uint64_t white, uint64_t part)
{
    uint64_t last = white & ~behind(b->white, b->next_white) &
                    behind(b->valid, b->next_valid);

    if (kind == SPLIT_SMOLLM || kind == SPLIT_DEEPSEEK3)
        last &= ~behind(part, b->next_part_end);
    return last;
}

/* GPT-2 and SmolLM: a blank goes with the run behind it. */
INLINE uint64_t gpt2_block(enum split_kind kind, struct window *window,
                           size_t i, const struct block *b, struct state *s,
                           uint64_t *last)
{
    const uint64_t bare = ~before(b->blank, s->blank);
    const uint64_t letter = b->letter & ~before(b->letter, s->letter) & bare;
    const uint64_t other = b->other & ~before(b->other, s->other) & bare;
    const uint64_t number =
        kind == SPLIT_SMOLLM ? b->number & ~b->more
                             : b->number & ~before(b->number, s->number) & bare;
    const uint64_t white = b->white & ~before(b->white, s->white);

    *last = last_white(kind, b, b->white, b->number);
    window->quote[i] = other & b->quote;
    window->hard[i] = b->hard;
    s->blank = b->blank;
    s->letter = b->letter;
    s->other = b->other;
    s->number = b->number;
    s->white = b->white;
    return letter | other | number | white;
}

/* \p{N}{1,3}: every third byte of a run of ASCII digits begins a piece. */
INLINE uint64_t number_groups(uint64_t number, struct state *s)
{
    const uint64_t one = before(number, s->number);
    const uint64_t begin = number & ~one;
    const uint64_t two = number << 2 | s->number >> 62;
    const uint64_t fourth =
        number & one & two & (number << 3 | s->number >> 61);
    uint64_t group = begin;

    if (fourth) {
        uint64_t more = (group << 3 | s->group >> 61) & fourth;
        while (more) {
            group |= more;
            more = more << 3 & fourth;
        }
    }
    s->number = number;
    s->group = group;
    return group;
}

/* Behind line ends, where the white space of a line begins that no line end
 * closes: bits that turn out to be closed are taken back. */
INLINE uint64_t find_indents(struct window *window, size_t i,
                             uint64_t inline_white, uint64_t newline,
                             struct state *s)
{
    const uint64_t begin = inline_white & before(newline, s->newline);
    uint64_t *indent = window->indent;

    indent[i] = begin;
    if (!(begin | s->indent_carry))
        return 0;
    const uint64_t sum = add(inline_white, begin, &s->indent_carry);
    uint64_t closed = sum & ~inline_white & newline;
    for (; closed; closed &= closed - 1) {
        const size_t at =
            bit_before(indent, 64 * i + (size_t)__builtin_ctzll(closed));
        clear_bit(indent, at);
        clear_bit(window->mark, at);
    }
    return indent[i];
}

/* First bytes of runs of letters that do not go with the character before
 * them. `lone` has the first bytes of symbols that would take letters when
 * they are alone. */
INLINE uint64_t find_words(enum split_kind kind, const struct block *b,
                           uint64_t inline_white, uint64_t lone,
                           struct state *s)
{
    const uint64_t first = b->letter & ~before(b->letter, s->letter);
    const uint64_t bare = first & ~before(inline_white, s->inline_white);
    uint64_t glued;

    if (kind == SPLIT_DEEPSEEK3) {
        /* Only of ASCII, and then the word ends where ASCII does. */
        const uint64_t word = b->letter & ~b->foreign;
        lone &= ~b->foreign;
        glued = first & word & before(lone, s->lone);
        const uint64_t sum = add(word, glued, &s->word_carry);
        s->lone = lone;
        return (bare & ~glued) | (sum & ~word & b->letter);
    }
    const uint64_t next = before(lone, s->lone);
    s->lone = lone;
    glued = add(b->more, next, &s->behind_carry) & ~b->more;
    return bare & ~glued;
}

/* o200k: a word ends before the upper case letter behind a lower case one.
 * Behind a letter of both halves it depends on what follows. */
INLINE uint64_t find_cased(const struct block *b, struct state *s,
                           uint64_t *hard)
{
    const uint64_t lower = b->letter & ~b->upper & ~b->both;
    const uint64_t mark = b->upper & before(lower, s->lower);

    *hard |= b->upper & before(b->both, s->both);
    s->lower = lower;
    s->both = b->both;
    return mark;
}

/* The family of cl100k. */
INLINE uint64_t lines_block(enum split_kind kind, struct window *window,
                            size_t i, const struct block *b, struct state *s,
                            uint64_t *last)
{
    const uint64_t tail =
        kind == SPLIT_O200K ? b->newline | b->slash : b->newline;
    const uint64_t begin = b->newline & before(b->other, s->other);
    /* Line ends behind symbols belong to them. Several begins may lie in one
     * run of o200k's tails: the sum leaves their bits. */
    const uint64_t absorbed =
        (tail & ~add(tail, begin, &s->absorb_carry)) | begin;
    const uint64_t white = b->white & ~absorbed;
    const uint64_t newline = b->newline & ~absorbed;
    const uint64_t inline_white = b->white & ~b->newline;
    const uint64_t other = b->other & ~absorbed;
    const uint64_t lone =
        other & ~before(other, s->other_left) & ~before(b->blank, s->blank);
    uint64_t mark = white & ~before(white, s->white);

    mark |= lone;
    mark |= find_words(kind, b, inline_white, lone, s);
    mark |= find_indents(window, i, inline_white, newline, s);
    mark |= kind == SPLIT_QWEN2 ? b->number & ~b->more
                                : number_groups(b->number, s);
    *last = last_white(kind, b, inline_white, b->number | b->cjk);
    window->quote[i] = kind == SPLIT_DEEPSEEK3 ? 0 : lone & b->quote;
    window->hard[i] = b->hard;
    if (kind == SPLIT_O200K) {
        mark |= find_cased(b, s, &window->hard[i]);
        window->quote[i] &= before(b->letter, s->letter);
    }
    if (kind == SPLIT_DEEPSEEK3) {
        mark |= b->cjk & ~before(b->cjk, s->cjk);
        s->cjk = b->cjk;
    }
    s->letter = b->letter;
    s->other = b->other;
    s->other_left = other;
    s->white = white;
    s->inline_white = inline_white;
    s->newline = newline;
    s->blank = b->blank;
    return mark;
}

/* ---- what the algebra leaves ---- */

/* The last white characters of runs: their first bytes are marked. */
static void mark_last(struct window *window, size_t i, uint64_t last)
{
    const uint64_t long_ones = last & window->masks[i].more;

    window->mark[i] |= last & ~long_ones;
    for (uint64_t bits = long_ones; bits; bits &= bits - 1) {
        size_t at = 64 * i + (size_t)__builtin_ctzll(bits);
        while (((unsigned char)window->text[at] & 0xc0) == 0x80)
            at--;
        set_bit(window->mark, at);
    }
}

/* In o200k a contraction belongs to the word before it, unless that is a
 * contraction; in others it is a piece. */
static void mark_contractions(struct window *window)
{
    const int is_tail = window->kind == SPLIT_O200K;
    const int any_case =
        window->kind != SPLIT_GPT2 && window->kind != SPLIT_SMOLLM;
    size_t last_end = 0;

    for (size_t i = 0; i < window->n_block; i++) {
        for (uint64_t bits = window->quote[i]; bits; bits &= bits - 1) {
            const size_t at = 64 * i + (size_t)__builtin_ctzll(bits);
            const size_t n =
                split_contraction(window->text, window->len, at, any_case);
            if (!n || (is_tail && at == last_end))
                continue;
            last_end = at + n;
            for (size_t k = at + !is_tail; k < last_end && k < window->n; k++)
                clear_bit(window->mark, k);
            if (last_end < window->n)
                set_bit(window->mark, last_end);
        }
    }
}

/* From the mark before a hard byte on the matcher goes, until it meets a mark
 * behind it. (A mark on the byte itself may be wrong.) */
static void match_hard(struct window *window)
{
    uint64_t *mark = window->mark;
    size_t done = 0;

    for (size_t i = 0; i < window->n_block; i++) {
        for (uint64_t bits = window->hard[i]; bits; bits &= bits - 1) {
            const size_t hard = 64 * i + (size_t)__builtin_ctzll(bits);
            size_t at = hard ? bit_before(mark, hard) : 0;
            int meets = hard < done;
            while (!meets) {
                const size_t end =
                    split_piece(window->kind, window->text, window->len, at);
                for (size_t k = at + 1; k < end && k < window->n; k++)
                    clear_bit(mark, k);
                done = end;
                if (end >= window->n)
                    break;
                meets = end > hard && get_bit(mark, end);
                set_bit(mark, end);
                at = end;
            }
        }
    }
}

/* How many bytes the marks decide about, where the window ends before the
 * text does: what lies behind the window has a say in the last piece, and in
 * all of the white space before its end. */
static size_t cut_off(struct window *window)
{
    uint64_t *mark = window->mark;
    size_t white = window->n;

    while (white && has_class(window, white - 1, SPLIT_AT_WHITE))
        white--;
    if (white < window->n)
        clear_from(mark, white + 1, window->n_block);
    const size_t last = bit_before(mark, window->n);
    if (last) {
        clear_bit(mark, last);
        return last;
    }
    return split_piece(window->kind, window->text, window->len, 0);
}

/* ---- windows ---- */

INLINE void mark_blocks(enum split_kind kind, struct window *window)
{
    struct state state = {0};
    struct block block;
    uint64_t last;

    for (size_t i = 0; i < window->n_block; i++) {
        read_block(kind, window, i, &block);
        if (kind == SPLIT_GPT2 || kind == SPLIT_SMOLLM)
            window->mark[i] =
                gpt2_block(kind, window, i, &block, &state, &last);
        else
            window->mark[i] =
                lines_block(kind, window, i, &block, &state, &last);
        mark_last(window, i, last);
    }
}

static void mark_all(struct window *window)
{
    switch (window->kind) {
    case SPLIT_GPT2: mark_blocks(SPLIT_GPT2, window); break;
    case SPLIT_SMOLLM: mark_blocks(SPLIT_SMOLLM, window); break;
    case SPLIT_QWEN2: mark_blocks(SPLIT_QWEN2, window); break;
    case SPLIT_O200K: mark_blocks(SPLIT_O200K, window); break;
    case SPLIT_DEEPSEEK3: mark_blocks(SPLIT_DEEPSEEK3, window); break;
    default: mark_blocks(SPLIT_CL100K, window); break;
    }
}

int split_has_marks(enum split_kind kind)
{
    return oy_cpu_level() >= OY_CPU_AVX2 && split_classes_of(kind) != NULL;
}

size_t split_marks(enum split_kind kind, const char *text, size_t len,
                   size_t at, size_t want, uint64_t mark[SPLIT_N_BLOCK])
{
    const size_t most = want < SPLIT_WINDOW ? want : SPLIT_WINDOW;
    struct window window;

    window.kind = kind;
    window.text = text + at;
    window.len = len - at;
    window.n = window.len < most ? window.len : most;
    window.n_block = (window.n + SPLIT_BLOCK - 1) / SPLIT_BLOCK;
    window.mark = mark;
    classify(&window);
    clear_tail(&window);
    mark_all(&window);
    mark[0] |= 1;
    mark_contractions(&window);
    match_hard(&window);
    for (size_t i = window.n_block; i < SPLIT_N_BLOCK; i++)
        mark[i] = 0;
    return window.n < window.len ? cut_off(&window) : window.n;
}

size_t split_list(const uint64_t *mark, size_t n_byte, uint32_t *begin)
{
    size_t n = 0;

#ifdef __x86_64__
    if (split_has_avx512())
        return split_list_avx512(mark, n_byte, begin);
#endif
    for (size_t i = 0; 64 * i < n_byte; i++) {
        for (uint64_t bits = mark[i]; bits; bits &= bits - 1)
            begin[n++] = (uint32_t)(64 * i) + (uint32_t)__builtin_ctzll(bits);
    }
    return n;
}
