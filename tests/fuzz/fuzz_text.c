/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes what cuts and judges texts: words, sentences, phrases, every rule.
 * Whatever bytes come are repaired to UTF-8 first, as records are. Words and
 * sentences must cover the text in order; vectors must agree with plain C. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/input.h"
#include "core/utf8.h"
#include "pipeline/phrases.h"
#include "pipeline/rule.h"
#include "pipeline/words_internal.h"
#include "tests/fuzz/fuzz_loop.h"

/* Words in order, nothing but white space between them. */
static void check_words(enum words_splitter splitter, struct oy_text text)
{
    struct words words = {0};
    size_t at = 0;

    words_split(splitter, text.at, text.len, &words);
    for (size_t i = 0; i <= words.n; i++) {
        const size_t next = i < words.n ? words.item[i].at : text.len;
        size_t gap_at = at, gap = next - at;
        OY_ASSERT(next >= at);
        words_strip(text.at, &gap_at, &gap);
        OY_ASSERT(gap == 0);
        if (i == words.n)
            break;
        OY_ASSERT(words.item[i].len > 0);
        at = next + words.item[i].len;
    }
    words_release(&words);
}

static void check_sentences(enum sentences_splitter splitter,
                            struct oy_text text)
{
    struct sentences sentences = {0};

    sentences_split(splitter, text.at, text.len, &sentences);
    OY_ASSERT(sentences.n >= 1 && sentences.end[sentences.n - 1] == text.len);
    for (size_t i = 1; i < sentences.n; i++)
        OY_ASSERT(sentences.end[i - 1] <= sentences.end[i]);
    sentences_release(&sentences);
}

/* One after the other, as a chain; a rewritten text is UTF-8 again. */
static void check_rules(enum words_splitter splitter, struct oy_text text)
{
    struct document document = {.splitter = splitter};
    struct measures measures = {0};
    uint64_t turn[RULE_N_TURN] = {0};

    document.turn = turn;
    document_start(&document, text);
    for (size_t i = 0; rule_row(i); i++) {
        const struct rule *rule = rule_row(i);
        measures.rule = rule->name;
        if (rule->needs_language_model)
            continue;
        rule->judge(rule->defaults, &document, &measures);
        OY_ASSERT(oy_utf8_valid(document.text.at, document.text.len));
    }
    oy_buffer_release(&measures.json);
    document_release(&document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct oy_buffer valid = {0};

    oy_utf8_repair((const char *)data, size, &valid);
    oy_buffer_reserve(&valid, OY_PADDING);
    const struct oy_text text = {valid.data, valid.len};
    for (int splitter = WORDS_WS; splitter <= WORDS_SPACY; splitter++) {
        check_words(splitter, text);
        check_rules(splitter, text);
    }
    check_sentences(SENTENCES_SPACY, text);
    check_sentences(SENTENCES_REGEX, text);
    OY_ASSERT(phrases_find(text.at, text.len) ==
              phrases_find_plain(text.at, text.len));
    oy_buffer_release(&valid);
    return 0;
}

/* What the rules look for. */
const char *const fuzz_piece[] = {
    "don't",
    "e.g.",
    "a.m",
    ".",
    "...",
    "\xe2\x80\xa6",
    ":",
    ")",
    "(",
    "-",
    "--",
    "\xe2\x80\x94",
    " ",
    " ",
    "\n",
    "\r\n",
    "\n\n",
    "\xc2\xa0",
    "\xe2\x80\xa8",
    "\xc2\x85",
    "'s",
    "\xe2\x80\x99",
    "10",
    "km",
    "+",
    "$",
    "US$",
    "x",
    "Xy",
    "A.",
    "!",
    "?\"",
    "@",
    "b.co",
    "http://",
    ":80",
    "/p?q#f",
    "127.0.0.1",
    "8.8.8.8",
    "[12]",
    "[edit]",
    "{",
    "javascript",
    "lorem ipsum",
    "use cookies",
    "\xe2\x84\xaa",
    "#",
    "\xe4\xb8\xad",
    "\xf0\x9f\x91\x8d",
    "\xcc\x81",
    "\xc4\xb0",
    "\xff",
    "\xe2\x80",
    "the of and",
    "It is one. ",
    "\x1c",
    NULL,
};
