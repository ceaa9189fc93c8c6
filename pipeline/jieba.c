/* SPDX-License-Identifier: Apache-2.0
 *
 * Cutting Chinese: the best path through the dictionary, and the hidden Markov
 * model for what it does not know. */
#include "pipeline/jieba.h"

#include <string.h>

#include "core/alloc.h"
#include "core/unicode.h"
#include "core/utf8.h"
#include "pipeline/jieba_internal.h"
#include "pipeline/words_internal.h"

/* What a run is looked at with, by code point. */
struct jieba_work {
    uint32_t *code;
    uint32_t *at;   /* byte of each, and the run's end */
    double *route;  /* the best weight from here to the end */
    uint32_t *next; /* where the word that begins here ends, on that way */
    uint8_t *back;  /* of the model: the state before, for each state */
    size_t cap_code, cap_at, cap_route, cap_next, cap_back;
};

void jieba_work_free(struct jieba_work *work)
{
    if (!work)
        return;
    oy_free(work->code);
    oy_free(work->at);
    oy_free(work->route);
    oy_free(work->next);
    oy_free(work->back);
    oy_free(work);
}

/* ---- characters ---- */

static int is_han(uint32_t c)
{
    return c >= 0x4e00 && c <= 0x9fd5;
}

static int is_alnum(uint32_t c)
{
    return (c | 0x20) - 'a' < 26 || c - '0' < 10;
}

/* re_han_default: [\u4E00-\u9FD5a-zA-Z0-9+#&\._%\-] */
static int is_of_run(uint32_t c)
{
    return is_han(c) || is_alnum(c) || c == '+' || c == '#' || c == '&' ||
           c == '.' || c == '_' || c == '%' || c == '-';
}

/* ---- the model ---- */

/* Its states, by their letters' order, which decides ties. */
enum { BEGIN, END, MIDDLE, SINGLE, N_STATE };

static const double start_weight[N_STATE] = {-0.26268660809250016, -3.14e+100,
                                             -3.14e+100, -1.4652633398537678};

/* The two states that may come before each, and the weights of the steps. */
static const struct {
    int state[2];
    double weight[2];
} before[N_STATE] = {
    [BEGIN] = {{END, SINGLE}, {-0.5897149736854513, -0.7211965654669841}},
    [END] = {{BEGIN, MIDDLE}, {-0.510825623765990, -0.33344856811948514}},
    [MIDDLE] = {{BEGIN, MIDDLE}, {-0.916290731874155, -1.2603623820268226}},
    [SINGLE] = {{END, SINGLE}, {-0.8085250474669937, -0.6658631448798212}},
};

/* One step: weight[] of the character before becomes that of this one. */
static uint8_t step(double weight[N_STATE], const double emit[N_STATE])
{
    double now[N_STATE];
    uint8_t back = 0;

    for (int y = 0; y < N_STATE; y++) {
        const int first = before[y].state[0], second = before[y].state[1];
        const double a = weight[first] + before[y].weight[0] + emit[y];
        const double b = weight[second] + before[y].weight[1] + emit[y];
        /* Of equals, the later letter. */
        const int is_second = b >= a;
        now[y] = is_second ? b : a;
        back |= (uint8_t)((is_second ? second : first) << 2 * y);
    }
    memcpy(weight, now, sizeof now);
    return back;
}

/* Puts the words of code[begin, end), all of them Han. */
static void cut_by_model(const struct jieba *jieba, struct jieba_work *work,
                         size_t begin, size_t end, struct words *words)
{
    const uint32_t *code = work->code, *at = work->at;
    const double *emit = jieba_emission(jieba, code[begin]);
    double weight[N_STATE];
    size_t word = begin;

    OY_GROW(work->back, work->cap_back, end);
    for (int y = 0; y < N_STATE; y++)
        weight[y] = start_weight[y] + emit[y];
    for (size_t i = begin + 1; i < end; i++)
        work->back[i] = step(weight, jieba_emission(jieba, code[i]));
    /* Backwards, leaving each character's state in the place of its step. */
    int state = weight[SINGLE] >= weight[END] ? SINGLE : END;
    for (size_t i = end; i-- > begin;) {
        const uint8_t back = i > begin ? work->back[i] : 0;
        work->back[i] = (uint8_t)state;
        state = back >> 2 * state & 3;
    }
    for (size_t i = begin; i < end; i++) {
        if (work->back[i] != END && work->back[i] != SINGLE)
            continue;
        const size_t from = work->back[i] == SINGLE ? i : word;
        words_push(words, at[from], at[i + 1] - at[from]);
        word = i + 1;
    }
}

/* The end of [a-zA-Z0-9]+(\.\d+)?%? at `i`; `i` when it does not match. */
static size_t number_end(const struct jieba_work *work, size_t i, size_t end)
{
    const uint32_t *code = work->code;
    size_t at = i;

    while (at < end && is_alnum(code[at]))
        at++;
    if (at == i)
        return i;
    if (at + 1 < end && code[at] == '.' && code[at + 1] - '0' < 10) {
        at += 2;
        while (at < end && code[at] - '0' < 10)
            at++;
    }
    return at + (at < end && code[at] == '%');
}

/* Letters and digits together, and what stands between them. */
static void cut_others(struct jieba_work *work, size_t begin, size_t end,
                       struct words *words)
{
    const uint32_t *at = work->at;

    while (begin < end) {
        size_t next = number_end(work, begin, end);
        if (next == begin) {
            do
                next++;
            while (next < end && !is_alnum(work->code[next]));
        }
        words_push(words, at[begin], at[next] - at[begin]);
        begin = next;
    }
}

static void cut_unknown(const struct jieba *jieba, struct jieba_work *work,
                        size_t begin, size_t end, struct words *words)
{
    while (begin < end) {
        const int han = is_han(work->code[begin]);
        size_t next = begin + 1;
        while (next < end && is_han(work->code[next]) == han)
            next++;
        if (han)
            cut_by_model(jieba, work, begin, next, words);
        else
            cut_others(work, begin, next, words);
        begin = next;
    }
}

/* ---- the dictionary's way ---- */

/* The heaviest way through code[0, n): of equals, the longer word. */
static void find_route(const struct jieba *jieba, struct jieba_work *work,
                       size_t n)
{
    work->route[n] = 0;
    for (size_t i = n; i-- > 0;) {
        double best = jieba_unknown_weight(jieba) + work->route[i + 1];
        uint32_t node = jieba_first(jieba, work->code[i]);
        int is_known = 0;
        work->next[i] = (uint32_t)(i + 1);
        for (size_t end = i + 1; node; end++) {
            const double *weight = jieba_word(jieba, node);
            if (weight && (!is_known || *weight + work->route[end] >= best)) {
                best = *weight + work->route[end];
                work->next[i] = (uint32_t)end;
                is_known = 1;
            }
            node = end < n ? jieba_next(jieba, node, work->code[end]) : 0;
        }
        work->route[i] = best;
    }
}

/* Whether code[begin, end) is a word of the dictionary. */
static int is_word(const struct jieba *jieba, const struct jieba_work *work,
                   size_t begin, size_t end)
{
    uint32_t node = jieba_first(jieba, work->code[begin]);

    while (node && ++begin < end)
        node = jieba_next(jieba, node, work->code[begin]);
    return node && jieba_word(jieba, node);
}

/* Characters in sequence that are words by themselves. */
static void cut_singles(const struct jieba *jieba, struct jieba_work *work,
                        size_t begin, size_t end, struct words *words)
{
    if (end - begin > 1 && !is_word(jieba, work, begin, end)) {
        cut_unknown(jieba, work, begin, end, words);
        return;
    }
    for (; begin < end; begin++)
        words_push(words, work->at[begin],
                   work->at[begin + 1] - work->at[begin]);
}

static void cut_run(const struct jieba *jieba, struct jieba_work *work,
                    size_t n, struct words *words)
{
    size_t single = 0; /* where the singles that wait begin */

    OY_GROW(work->route, work->cap_route, n + 1);
    OY_GROW(work->next, work->cap_next, n);
    find_route(jieba, work, n);
    for (size_t i = 0; i < n;) {
        const size_t next = work->next[i];
        if (next > i + 1) {
            cut_singles(jieba, work, single, i, words);
            words_push(words, work->at[i], work->at[next] - work->at[i]);
            single = next;
        }
        i = next;
    }
    cut_singles(jieba, work, single, n, words);
}

/* ---- texts ---- */

/* Reads the run that begins at `at` into work; returns its characters and
 * moves *at behind it. */
static size_t read_run(struct jieba_work *work, const char *text, size_t len,
                       size_t *at)
{
    size_t n = 0;

    while (*at < len) {
        size_t next = *at;
        const uint32_t c = oy_utf8_next(text, &next);
        if (!is_of_run(c))
            break;
        OY_GROW(work->code, work->cap_code, n + 1);
        OY_GROW(work->at, work->cap_at, n + 2);
        work->code[n] = c;
        work->at[n++] = (uint32_t)*at;
        *at = next;
    }
    if (n)
        work->at[n] = (uint32_t)*at;
    return n;
}

void jieba_split(const struct jieba *jieba, struct jieba_work **scratch,
                 const char *text, size_t len, struct words *words)
{
    if (!*scratch)
        *scratch = oy_calloc(1, sizeof **scratch);
    for (size_t at = 0; at < len;) {
        const size_t n = read_run(*scratch, text, len, &at);
        if (n) {
            cut_run(jieba, *scratch, n, words);
            continue;
        }
        const size_t begin = at;
        if (!oy_py_isspace(oy_utf8_next(text, &at)))
            words_push(words, begin, at - begin);
    }
}
