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

/* A run is decided in parts from its end to its begin, for the way from a
 * character is known by the ways behind it; then it is cut from its begin.
 * A long run leaves only the ways from where its parts begin: the parts are
 * decided once more when they are cut, from those same numbers. */
enum { PART = 1 << 14 }; /* characters */

/* What is known of one part, by its characters, and of as many behind it as
 * the longest word has. */
struct jieba_work {
    uint32_t *code;
    uint32_t *at;   /* byte of each, and the end of the last */
    double *route;  /* the best weight from here to the run's end */
    uint32_t *next; /* where the word that begins here ends, on that way */
    uint32_t *part; /* byte where each begins */
    double *kept;   /* [part][longest]: routes from where it begins */
    uint8_t *back;  /* of the model: the state before, for each state */
    size_t cap_code, cap_at, cap_route, cap_next, cap_part, cap_kept, cap_back;
};

void jieba_work_free(struct jieba_work *work)
{
    if (!work)
        return;
    oy_free(work->code);
    oy_free(work->at);
    oy_free(work->route);
    oy_free(work->next);
    oy_free(work->part);
    oy_free(work->kept);
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

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
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

/* Where words are cut from and put. */
struct cut {
    const struct jieba *jieba;
    struct jieba_work *work;
    const char *text;
    struct words *words;
};

/* Every Han character that the model knows takes three bytes. */
static const double *emission_at(const struct cut *cut, size_t at)
{
    return jieba_emission(cut->jieba, oy_utf8_next(cut->text, &at));
}

/* Puts the words of the bytes [begin, end), all of them Han. */
static void cut_by_model(const struct cut *cut, size_t begin, size_t end)
{
    struct jieba_work *work = cut->work;
    const size_t n = (end - begin) / 3;
    const double *emit = emission_at(cut, begin);
    double weight[N_STATE];
    size_t word = begin;

    OY_GROW(work->back, work->cap_back, n);
    for (int y = 0; y < N_STATE; y++)
        weight[y] = start_weight[y] + emit[y];
    for (size_t i = 1; i < n; i++)
        work->back[i] = step(weight, emission_at(cut, begin + 3 * i));
    /* Backwards, leaving each character's state in the place of its step. */
    int state = weight[SINGLE] >= weight[END] ? SINGLE : END;
    for (size_t i = n; i-- > 0;) {
        const uint8_t back = i > 0 ? work->back[i] : 0;
        work->back[i] = (uint8_t)state;
        state = back >> 2 * state & 3;
    }
    for (size_t i = 0; i < n; i++) {
        const size_t at = begin + 3 * i;
        if (work->back[i] != END && work->back[i] != SINGLE)
            continue;
        const size_t from = work->back[i] == SINGLE ? at : word;
        words_push(cut->words, from, at + 3 - from);
        word = at + 3;
    }
}

/* The end of [a-zA-Z0-9]+(\.\d+)?%? at `at`; `at` when it does not match. */
static size_t number_end(const char *text, size_t at, size_t end)
{
    const size_t begin = at;

    while (at < end && is_alnum((unsigned char)text[at]))
        at++;
    if (at == begin)
        return begin;
    if (at + 1 < end && text[at] == '.' && is_digit(text[at + 1])) {
        at += 2;
        while (at < end && is_digit(text[at]))
            at++;
    }
    return at + (at < end && text[at] == '%');
}

/* Letters and digits together, and what stands between them: ASCII. */
static void cut_others(const struct cut *cut, size_t begin, size_t end)
{
    const char *text = cut->text;

    while (begin < end) {
        size_t next = number_end(text, begin, end);
        if (next == begin) {
            do
                next++;
            while (next < end && !is_alnum((unsigned char)text[next]));
        }
        words_push(cut->words, begin, next - begin);
        begin = next;
    }
}

/* In a run a byte tells Han from the others, which are ASCII. */
static void cut_unknown(const struct cut *cut, size_t begin, size_t end)
{
    while (begin < end) {
        const int han = cut->text[begin] & 0x80;
        size_t next = begin + 1;
        while (next < end && (cut->text[next] & 0x80) == han)
            next++;
        if (han)
            cut_by_model(cut, begin, next);
        else
            cut_others(cut, begin, next);
        begin = next;
    }
}

/* Whether the bytes [begin, end) are a word of the dictionary. */
static int is_word(const struct cut *cut, size_t begin, size_t end)
{
    uint32_t node = jieba_first(cut->jieba, oy_utf8_next(cut->text, &begin));

    while (node && begin < end)
        node = jieba_next(cut->jieba, node, oy_utf8_next(cut->text, &begin));
    return node && jieba_word(cut->jieba, node);
}

/* Characters in sequence that are words by themselves. */
static void cut_singles(const struct cut *cut, size_t begin, size_t end)
{
    if (begin == end)
        return;
    size_t next = begin;
    oy_utf8_next(cut->text, &next);
    if (next < end && !is_word(cut, begin, end)) {
        cut_unknown(cut, begin, end);
        return;
    }
    for (; begin < end; begin = next) {
        next = begin;
        oy_utf8_next(cut->text, &next);
        words_push(cut->words, begin, next - begin);
    }
}

/* ---- the dictionary's way ---- */

/* The heaviest ways from code[0, n) through code[0, n_seen), whose routes
 * behind n are known: of equals, the longer word. */
static void find_routes(const struct jieba *jieba, struct jieba_work *work,
                        size_t n, size_t n_seen)
{
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
            node = end < n_seen ? jieba_next(jieba, node, work->code[end]) : 0;
        }
        work->route[i] = best;
    }
}

/* Reads characters of the run at `at` from code[n] on, up to code[most];
 * returns how many are there then and moves *at behind them. */
static size_t read_run(const struct cut *cut, size_t len, size_t n, size_t most,
                       size_t *at)
{
    struct jieba_work *work = cut->work;

    while (*at < len && n < most) {
        size_t next = *at;
        const uint32_t c = oy_utf8_next(cut->text, &next);
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

/* A run: the words of its parts follow each other. */
struct way {
    size_t single; /* byte where the singles that wait begin */
    size_t skip;   /* characters of the next part that are in a word */
};

/* Puts the words that begin in the part, code[0, n). */
static void cut_part(const struct cut *cut, size_t n, struct way *way)
{
    const struct jieba_work *work = cut->work;
    size_t i = way->skip;

    while (i < n) {
        const size_t next = work->next[i];
        if (next > i + 1) {
            cut_singles(cut, way->single, work->at[i]);
            words_push(cut->words, work->at[i], work->at[next] - work->at[i]);
            way->single = work->at[next];
        }
        i = next;
    }
    way->skip = i - n;
}

/* Finds the ways through part i, up to byte `end`; returns its characters. */
static size_t find_part(const struct cut *cut, size_t n_part, size_t i,
                        size_t end)
{
    struct jieba_work *work = cut->work;
    const size_t longest = jieba_longest(cut->jieba);
    size_t at = work->part[i];
    const size_t n_seen = read_run(cut, end, 0, PART + longest, &at);
    const size_t n = i + 1 < n_part ? PART : n_seen;

    if (i + 1 == n_part)
        work->route[n] = 0;
    else
        memcpy(work->route + n, work->kept + (i + 1) * longest,
               longest * sizeof *work->kept);
    find_routes(cut->jieba, work, n, n_seen);
    return n;
}

/* The run whose first characters, PART of them and `longest`, end at *at. */
static void cut_long_run(const struct cut *cut, size_t len, size_t *at)
{
    struct jieba_work *work = cut->work;
    const size_t longest = jieba_longest(cut->jieba);
    struct way way = {.single = work->at[0]};
    size_t n_part = 0, end = work->at[0];

    do {
        OY_GROW(work->part, work->cap_part, n_part + 1);
        work->part[n_part++] = (uint32_t)end;
    } while (read_run(cut, len, 0, PART, &end) == PART);
    OY_GROW(work->kept, work->cap_kept, n_part * longest);
    for (size_t i = n_part; i-- > 0;) {
        find_part(cut, n_part, i, end);
        memcpy(work->kept + i * longest, work->route,
               longest * sizeof *work->kept);
    }
    for (size_t i = 0; i < n_part; i++)
        cut_part(cut, find_part(cut, n_part, i, end), &way);
    cut_singles(cut, way.single, end);
    *at = end;
}

/* The run that begins at *at, which is moved behind it; 0 when none does. */
static int cut_run(const struct cut *cut, size_t len, size_t *at)
{
    struct jieba_work *work = cut->work;
    const size_t most = PART + jieba_longest(cut->jieba);
    struct way way = {.single = *at};
    const size_t n = read_run(cut, len, 0, most, at);

    if (n == 0)
        return 0;
    OY_GROW(work->route, work->cap_route, n + 1);
    OY_GROW(work->next, work->cap_next, n);
    if (n == most) {
        cut_long_run(cut, len, at);
        return 1;
    }
    work->route[n] = 0;
    find_routes(cut->jieba, work, n, n);
    cut_part(cut, n, &way);
    cut_singles(cut, way.single, *at);
    return 1;
}

/* ---- texts ---- */

void jieba_split(const struct jieba *jieba, struct jieba_work **scratch,
                 const char *text, size_t len, struct words *words)
{
    if (!*scratch)
        *scratch = oy_calloc(1, sizeof **scratch);
    const struct cut cut = {jieba, *scratch, text, words};
    for (size_t at = 0; at < len;) {
        if (cut_run(&cut, len, &at))
            continue;
        const size_t begin = at;
        if (!oy_py_isspace(oy_utf8_next(text, &at)))
            words_push(words, begin, at - begin);
    }
}
